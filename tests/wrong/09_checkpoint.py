"""Plausible wrong attempts at the exercises of chapter 09."""

import contextlib
import io
import json
import os
import pickle
import tempfile
from pathlib import Path

import numpy as np


def my_safe_loads(raw, allowed):  # a list of what is forbidden instead of what is allowed
    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if module in ("os", "subprocess", "builtins", "sys"):
                raise pickle.UnpicklingError(f"{module}.{name}")
            return allowed.get((module, name)) or super().find_class(module, name)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads(raw, allowed):  # the name is checked, but the file's own function is used
    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) not in allowed:
                raise pickle.UnpicklingError(f"{module}.{name}")
            return super().find_class(module, name)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads(raw, allowed):  # only the module is checked
    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if module not in {m for m, _ in allowed}:
                raise pickle.UnpicklingError(f"{module}.{name}")
            return allowed.get((module, name), float)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads(raw, allowed):  # only the name is checked
    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            for (_, other), value in allowed.items():
                if other == name:
                    return value
            raise pickle.UnpicklingError(f"{module}.{name}")

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads(raw, allowed):  # an unknown name is None, which is found out when it is called
    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            return allowed.get((module, name))

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads(raw, allowed):  # notes the unknown names and complains when all is done
    unknown = []

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) in allowed:
                return allowed[module, name]
            unknown.append(name)
            return super().find_class(module, name)

    result = Careful(io.BytesIO(raw)).load()
    if unknown:
        raise pickle.UnpicklingError(str(unknown))
    return result


def my_write_whole(path, content):  # in place
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def my_write_whole(path, content):  # in place, in one line
    path.write_bytes(content)


def my_write_whole(path, content):  # the old file is removed first
    new = path.with_name(path.name + ".tmp")
    try:
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.remove(path)
        os.rename(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_write_whole(path, content):  # no fsync
    new = path.with_name(path.name + ".tmp")
    try:
        new.write_bytes(content)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_write_whole(path, content):  # fsync before Python has handed the bytes over
    new = path.with_name(path.name + ".tmp")
    try:
        with open(new, "wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_write_whole(path, content):  # fsync after the swap
    new = path.with_name(path.name + ".tmp")
    try:
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.replace(new, path)
            os.fsync(file.fileno())
    finally:
        new.unlink(missing_ok=True)


def my_write_whole(path, content):  # the new file is in another folder, perhaps on another disk
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder, "new")
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)


def my_write_whole(path, content):  # an unfinished file is left behind
    new = path.with_name(path.name + ".tmp")
    with open(new, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def my_write_whole(path, content):  # the error is swallowed
    new = path.with_name(path.name + ".tmp")
    with contextlib.suppress(OSError):
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    new.unlink(missing_ok=True)


def my_write_whole(path, content):  # a copy of the old file stays
    old = path.with_name(path.name + ".bak")
    os.replace(path, old)
    path.write_bytes(content)


def my_bfloat16(raw):  # as float16
    return np.frombuffer(raw, "<f2").astype(np.float32)


def my_bfloat16(raw):  # shifted out of integers of 16 bits
    return (np.frombuffer(raw, "<u2") << 16).view(np.float32)


def my_bfloat16(raw):  # the number of the bits instead of the bits of the number
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).astype(np.float32)


def my_bfloat16(raw):  # the higher byte first
    return (np.frombuffer(raw, ">u2").astype(np.uint32) << 16).view(np.float32)


def my_bfloat16(raw):  # in the lower half
    return np.frombuffer(raw, "<u2").astype(np.uint32).view(np.float32)


def my_bfloat16(raw):  # the right numbers in another type
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32).astype(float)


def my_read_safetensors(raw):  # offsets from the beginning of the file
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(raw[slice(*e["data_offsets"])], "<f4").reshape(e["shape"])
        for name, e in header.items()
    }


def my_read_safetensors(raw):  # the length of the header is not counted itself
    start = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        arrays[name] = np.frombuffer(raw[start + begin : start + end], "<f4").reshape(e["shape"])
    return arrays


def my_read_safetensors(raw):  # one after the other, in the header's order
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        n = int(np.prod(e["shape"]))
        arrays[name] = np.frombuffer(raw, "<f4", n, start).reshape(e["shape"])
        start += 4 * n
    return arrays


def my_read_safetensors(raw):  # takes the metadata for a tensor
    start = 8 + int.from_bytes(raw[:8], "little")
    arrays = {}
    for name, e in json.loads(raw[8:start]).items():
        begin, end = e["data_offsets"]
        arrays[name] = np.frombuffer(raw[start + begin : start + end], "<f4").reshape(e["shape"])
    return arrays


def my_read_safetensors(raw):  # flat
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        arrays[name] = np.frombuffer(raw[start + begin : start + end], "<f4")
    return arrays


def my_read_safetensors(raw):  # column by column
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        flat = np.frombuffer(raw[start + begin : start + end], "<f4")
        arrays[name] = flat.reshape(e["shape"], order="F")
    return arrays


def my_read_safetensors(raw):  # offsets in numbers instead of bytes
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    numbers = np.frombuffer(raw[start:], "<f4")
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        arrays[name] = numbers[begin:end].reshape(e["shape"])
    return arrays


def my_weights_from_gpt2(in_file):  # nothing is turned around
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2(in_file):  # every matrix is turned around, tables too
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = array.T
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2(in_file):  # only what is not square is turned around
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            if "h." in name and array.ndim == 2 and array.shape[0] != array.shape[1]:
                array = array.T
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2(in_file):  # square tables are turned around as well
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = (
                array if "wte" in name else array.T
            )
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2(in_file):  # the masks come along
    out = {}
    for name, array in in_file.items():
        name = name if name.startswith("transformer.") else f"transformer.{name}"
        turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
        out[name] = array.T if name.endswith(turned) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2(in_file):  # c_attn's biases are thrown out with the masks
    out = {}
    for name, array in in_file.items():
        if "attn" in name and name.endswith("bias"):
            continue
        name = name if name.startswith("transformer.") else f"transformer.{name}"
        turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
        out[name] = array.T if name.endswith(turned) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2(in_file):  # no head
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            name = name if name.startswith("transformer.") else f"transformer.{name}"
            turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
            out[name] = array.T if name.endswith(turned) else array
    return out


def my_weights_from_gpt2(in_file):  # the prefix twice
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
            out[f"transformer.{name}"] = array.T if name.endswith(turned) else array
    return out | {
        "lm_head.weight": in_file.get("wte.weight", in_file.get("transformer.wte.weight"))
    }


def my_weights_from_gpt2(in_file):  # the MLP's second layer is forgotten
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            name = name if name.startswith("transformer.") else f"transformer.{name}"
            turned = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight")
            out[name] = array.T if name.endswith(turned) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2(in_file):  # c_attn is taken for a table
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            name = name if name.startswith("transformer.") else f"transformer.{name}"
            out[name] = array.T if name.endswith(("c_proj.weight", "c_fc.weight")) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_strided(storage, offset, shape, strides):  # takes every tensor to lie row by row
    n = shape[0] * shape[1]
    return storage[offset : offset + n].reshape(shape)


def my_strided(storage, offset, shape, strides):  # the strides change places
    i, j = np.indices(shape)
    places = offset + i * strides[1] + j * strides[0]
    if not 0 <= places.min() <= places.max() < storage.size:
        raise ValueError("beyond the storage")
    return storage[places]


def my_strided(storage, offset, shape, strides):  # the offset is forgotten
    i, j = np.indices(shape)
    places = i * strides[0] + j * strides[1]
    if not 0 <= places.min() <= places.max() < storage.size:
        raise ValueError("beyond the storage")
    return storage[places]


def my_strided(storage, offset, shape, strides):  # no check: an IndexError beyond the end
    i, j = np.indices(shape)
    return storage[offset + i * strides[0] + j * strides[1]]


def my_strided(storage, offset, shape, strides):  # only the end is checked: -1 is the last element
    i, j = np.indices(shape)
    places = offset + i * strides[0] + j * strides[1]
    if places.max() >= storage.size:
        raise ValueError("beyond the storage")
    return storage[places]


def my_strided(storage, offset, shape, strides):  # what lies beyond is clipped
    i, j = np.indices(shape)
    return storage[np.clip(offset + i * strides[0] + j * strides[1], 0, storage.size - 1)]


def my_strided(storage, offset, shape, strides):  # refuses everything that does not lie row by row
    if strides != (shape[1], 1) or offset + shape[0] * shape[1] > storage.size:
        raise ValueError("beyond the storage")
    return storage[offset : offset + shape[0] * shape[1]].reshape(shape)
