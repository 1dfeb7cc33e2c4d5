"""Attempts at chapter 09 that nobody has met: known mistakes and right answers, written anew."""

import io
import json
import os
import pickle
import struct
import tempfile

import numpy as np


def my_safe_loads__name_is_checked_but_the_files_own_function_is_used__heldout_super(raw, allowed):
    class Restricted(pickle.Unpickler):
        def find_class(self, *what):
            if what in allowed:
                return pickle.Unpickler.find_class(self, *what)
            raise pickle.UnpicklingError("forbidden: " + ".".join(what))

    return Restricted(io.BytesIO(raw)).load()


def my_safe_loads__only_the_module_is_checked__heldout_fallback(raw, allowed):
    modules = [module for module, _ in allowed]

    class Restricted(pickle.Unpickler):
        def find_class(self, module, name):
            if module in modules:
                return allowed[module, name] if (module, name) in allowed else float
            raise pickle.UnpicklingError(name)

    return Restricted(io.BytesIO(raw)).load()


def my_safe_loads__only_the_name_is_checked__heldout_dict(raw, allowed):
    by_name = {name: value for (_, name), value in allowed.items()}

    class Restricted(pickle.Unpickler):
        def find_class(self, module, name):
            if name not in by_name:
                raise pickle.UnpicklingError(name)
            return by_name[name]

    return Restricted(io.BytesIO(raw)).load()


def my_safe_loads__module_is_imported_before_its_name_is_refused__heldout_order(raw, allowed):
    class Restricted(pickle.Unpickler):
        def find_class(self, module, name):
            theirs = super().find_class(module, name)
            ours = allowed.get((module, name), theirs)
            if (module, name) in allowed:
                return ours
            raise pickle.UnpicklingError(f"{theirs} is not allowed")

    return Restricted(io.BytesIO(raw)).load()


def my_safe_loads__correct_with_try(raw, allowed):
    class Restricted(pickle.Unpickler):
        def find_class(self, module, name):
            try:
                return allowed[(module, name)]
            except KeyError:
                raise pickle.UnpicklingError(f"{module} {name} is not in the table") from None

    with io.BytesIO(raw) as file:
        return Restricted(file).load()


def my_write_whole__no_fsync__heldout_write_bytes(path, content):
    new = path.parent / (path.name + ".new")
    try:
        new.write_bytes(content)
        new.replace(path)
    finally:
        if new.exists():
            new.unlink()


def my_write_whole__swap_that_fails_is_not_cleaned_up__heldout_exception(path, content):
    new = path.parent / f"{path.name}.unfinished"
    try:
        file = open(new, "wb")
        with file:
            file.write(content)
            file.flush()
            os.fsync(file)
    except Exception:
        os.remove(new)
        raise
    new.replace(path)


def my_write_whole__unfinished_file_is_left_behind__heldout_plain(path, content):
    beside = path.parent / (path.name + "~")
    with beside.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(path)


def my_write_whole__correct_with_a_temporary_file(path, content):
    file = tempfile.NamedTemporaryFile(dir=path.parent, delete=False)
    try:
        with file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(file.name, path)
    except BaseException:
        os.unlink(file.name)
        raise


def my_write_whole__correct_in_a_folder_beside(path, content):
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        new = os.path.join(folder, path.name)
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)


def my_write_whole__correct_by_numbers(path, content):
    number, name = tempfile.mkstemp(dir=path.parent)
    try:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(number, rest) :]
            os.fsync(number)
        finally:
            os.close(number)
        os.rename(name, path)
    except OSError:
        os.unlink(name)
        raise


def my_write_whole__correct_syncs_the_folder_as_well(path, content):
    new = path.with_name(f".{path.name}.part")
    try:
        with open(new, "xb", buffering=0) as file:
            file.write(content)
            os.fsync(file.fileno())
        os.replace(new, path)
    except OSError:
        new.unlink()
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def my_bfloat16__number_of_the_bits_instead_of_the_bits_of_the_number__heldout_times(raw):
    return np.array([65536 * n for (n,) in struct.iter_unpack("<H", raw)], np.float32)


def my_bfloat16__higher_byte_first__heldout_bytes(raw):
    pairs = zip(raw[::2], raw[1::2])
    return np.frombuffer(b"".join(bytes([0, 0, b, a]) for a, b in pairs), "<f4")


def my_bfloat16__right_numbers_in_another_type__heldout_struct(raw):
    wide = b"".join(b"\0\0" + raw[i : i + 2] for i in range(0, len(raw), 2))
    return np.array(struct.unpack(f"<{len(raw) // 2}f", wide))


def my_bfloat16__correct_bytes(raw):
    wide = np.zeros((len(raw) // 2, 4), np.uint8)
    wide[:, 2:] = np.frombuffer(raw, np.uint8).reshape(-1, 2)
    return wide.view("<f4").ravel()


def my_bfloat16__correct_interleaved(raw):
    halves = np.frombuffer(raw, "<u2")
    wide = np.stack([np.zeros_like(halves), halves], axis=1)
    return wide.reshape(-1).view(np.float32)


def my_read_safetensors__offsets_from_the_beginning_of_the_file__heldout_loop(raw):
    n = int.from_bytes(raw[0:8], byteorder="little")
    found = json.loads(raw[8 : 8 + n].decode())
    out = {}
    for key in found:
        if key == "__metadata__":
            continue
        first, last = found[key]["data_offsets"]
        out[key] = np.frombuffer(raw[first:last], dtype=np.float32).reshape(*found[key]["shape"])
    return out


def my_read_safetensors__length_in_a_single_byte__heldout_index(raw):
    length = int(raw[0])
    header, body = json.loads(raw[8 : 8 + length]), raw[8 + length :]
    out = {}
    for name in header.keys() - {"__metadata__"}:
        start, stop = header[name]["data_offsets"]
        out[name] = np.frombuffer(body[start:stop], "f4").reshape(header[name]["shape"])
    return out


def my_read_safetensors__correct_struct(raw):
    (length,) = struct.unpack("<Q", raw[:8])
    header, body = json.loads(raw[8 : 8 + length].decode("utf-8")), memoryview(raw)[8 + length :]
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(body, "<f4", int(np.prod(tensor["shape"])), tensor["data_offsets"][0])
        .reshape(tensor["shape"])
        .copy()
        if np.prod(tensor["shape"])
        else np.zeros(tensor["shape"], np.float32)
        for name, tensor in header.items()
    }


def my_weights_from_gpt2__head_is_missing__heldout_names(in_file):
    layers = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight", "mlp.c_proj.weight")
    return {
        "transformer." + name.removeprefix("transformer."): (
            np.swapaxes(a, 0, 1) if any(name.endswith(layer) for layer in layers) else a
        )
        for name, a in in_file.items()
        if not name.endswith(".attn.bias")
    }


def my_weights_from_gpt2__masks_come_along__heldout_names(in_file):
    state = {}
    for key, value in in_file.items():
        if any(part in key for part in ("c_attn.w", "c_proj.w", "c_fc.w")):
            value = value.transpose()
        if "transformer" not in key:
            key = "transformer." + key
        state[key] = value
    state["lm_head.weight"] = state["transformer.wte.weight"]
    return state


def my_weights_from_gpt2__only_what_is_not_square_is_turned_around__heldout_shape(in_file):
    state = {}
    for key, value in in_file.items():
        if key.endswith("attn.bias") and "c_attn" not in key:
            continue
        if ".c_" in key and value.ndim == 2 and len(set(value.shape)) == 2:
            value = value.T
        state["transformer." + key.replace("transformer.", "")] = value
    state["lm_head.weight"] = state["transformer.wte.weight"]
    return state


def my_weights_from_gpt2__correct_regardless_of_the_layer(in_file):
    state = {}
    for key, value in in_file.items():
        key = "transformer." + key.removeprefix("transformer.")
        *_, layer, kind = key.split(".")
        if (layer, kind) == ("attn", "bias"):
            continue
        state[key] = value.T if layer.startswith("c_") and kind == "weight" else value
    state["lm_head.weight"] = state["transformer.wte.weight"]
    return state


def my_strided__strides_change_places__heldout_loop(storage, offset, shape, strides):
    down, right = strides[::-1]
    rows = []
    for i in range(shape[0]):
        rows.append([offset + down * i + right * j for j in range(shape[1])])
    places = np.array(rows)
    if places.min() < 0 or places.max() > len(storage) - 1:
        raise ValueError("outside")
    return storage[places]


def my_strided__only_the_end_is_checked__heldout_broadcast(storage, offset, shape, strides):
    rows = strides[0] * np.arange(shape[0]).reshape(-1, 1)
    places = rows + offset + strides[1] * np.arange(shape[1])
    if places.max() > storage.size - 1:
        raise ValueError(f"{places.max()} is too far")
    return storage[places]


def my_strided__no_check__heldout_take(storage, offset, shape, strides):
    rows = offset + strides[0] * np.arange(shape[0])[:, np.newaxis]
    return np.take(storage, rows + strides[1] * np.arange(shape[1]))


def my_strided__correct_loops(storage, offset, shape, strides):
    out = np.empty(shape, storage.dtype)
    for i, j in np.ndindex(*shape):
        place = offset + i * strides[0] + j * strides[1]
        if place < 0 or place >= len(storage):
            raise ValueError(f"{place} is outside of the storage")
        out[i, j] = storage[place]
    return out


def my_strided__correct_ends(storage, offset, shape, strides):
    reach = [(n - 1) * stride for n, stride in zip(shape, strides)]
    low = offset + sum(min(0, r) for r in reach)
    high = offset + sum(max(0, r) for r in reach)
    if 0 in shape:
        return np.empty(shape, storage.dtype)
    if low < 0 or high >= storage.size:
        raise ValueError("the view leaves its storage")
    step = storage.itemsize
    view = np.lib.stride_tricks.as_strided(storage[offset:], shape, [s * step for s in strides])
    return view.copy()
