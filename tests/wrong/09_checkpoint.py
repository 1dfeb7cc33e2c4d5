"""Plausible wrong attempts at the exercises of chapter 09."""

import contextlib
import io
import json
import os
import pickle
import pickletools
import tempfile
from pathlib import Path

import numpy as np


def my_safe_loads__list_of_what_is_forbidden_instead_of_what_is_allowed(raw, allowed):
    """a list of what is forbidden instead of what is allowed"""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if module in ("os", "subprocess", "builtins", "sys"):
                raise pickle.UnpicklingError(f"{module}.{name}")
            return allowed.get((module, name)) or super().find_class(module, name)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__name_is_checked_but_the_files_own_function_is_used(raw, allowed):
    """the name is checked, but the file's own function is used"""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) not in allowed:
                raise pickle.UnpicklingError(f"{module}.{name}")
            return super().find_class(module, name)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__only_the_module_is_checked(raw, allowed):
    """only the module is checked"""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if module not in {m for m, _ in allowed}:
                raise pickle.UnpicklingError(f"{module}.{name}")
            return allowed.get((module, name), float)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__only_the_name_is_checked(raw, allowed):
    """only the name is checked"""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            for (_, other), value in allowed.items():
                if other == name:
                    return value
            raise pickle.UnpicklingError(f"{module}.{name}")

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__unknown_name_is_none_which_is_found_out_when(raw, allowed):
    """an unknown name is None, which is found out when it is called"""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            return allowed.get((module, name))

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__notes_the_unknown_names_and_complains_when_all(raw, allowed):
    """notes the unknown names and complains when all is done"""
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


def my_safe_loads__module_is_imported_before_its_name_is_refused(raw, allowed):
    """the module is imported before its name is refused"""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            super().find_class(module, name)
            if (module, name) not in allowed:
                raise pickle.UnpicklingError(f"{module}.{name}")
            return allowed[module, name]

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__looks_through_the_file_for_the_older_instruction_alone(raw, allowed):
    """looks through the file for the older instruction alone"""
    for instruction, argument, _ in pickletools.genops(raw):
        if instruction.name == "GLOBAL" and tuple(argument.split(" ")) not in allowed:
            raise pickle.UnpicklingError(argument)

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            return allowed.get((module, name)) or super().find_class(module, name)

    return Careful(io.BytesIO(raw)).load()


def my_write_whole__opens_the_file_in_place(path, content):
    """opens the file itself, in place"""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def my_write_whole__write_bytes_in_place(path, content):
    """write_bytes on the file itself, in place"""
    path.write_bytes(content)


def my_write_whole__old_file_is_removed_first(path, content):
    """the old file is removed first"""
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


def my_write_whole__no_fsync(path, content):
    """no fsync"""
    new = path.with_name(path.name + ".tmp")
    try:
        new.write_bytes(content)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_write_whole__fsync_before_python_has_handed_the_bytes_over(path, content):
    """fsync before Python has handed the bytes over"""
    new = path.with_name(path.name + ".tmp")
    try:
        with open(new, "wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_write_whole__fsync_after_the_swap(path, content):
    """fsync after the swap"""
    new = path.with_name(path.name + ".tmp")
    try:
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.replace(new, path)
            os.fsync(file.fileno())
    finally:
        new.unlink(missing_ok=True)


def my_write_whole__new_file_is_in_another_folder_perhaps_on_another(path, content):
    """the new file is in another folder, perhaps on another disk"""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder, "new")
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)


def my_write_whole__unfinished_file_is_left_behind(path, content):
    """an unfinished file is left behind"""
    new = path.with_name(path.name + ".tmp")
    with open(new, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def my_write_whole__only_a_failing_fsync_is_cleaned_up(path, content):
    """only a failing fsync is cleaned up; a full disk mostly shows at write or flush"""
    new = path.with_suffix(".tmp")
    with open(new, "wb") as file:
        file.write(content)
        file.flush()
        try:
            os.fsync(file.fileno())
        except OSError:
            new.unlink()
            raise
    os.replace(new, path)


def my_write_whole__error_is_swallowed(path, content):
    """the error is swallowed"""
    new = path.with_name(path.name + ".tmp")
    with contextlib.suppress(OSError):
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    new.unlink(missing_ok=True)


def my_write_whole__copy_of_the_old_file_stays(path, content):
    """a copy of the old file stays"""
    old = path.with_name(path.name + ".bak")
    os.replace(path, old)
    path.write_bytes(content)


def my_bfloat16__as_float16(raw):
    """as float16"""
    return np.frombuffer(raw, "<f2").astype(np.float32)


def my_bfloat16__shifted_out_of_integers_of_16_bits(raw):
    """shifted out of integers of 16 bits"""
    return (np.frombuffer(raw, "<u2") << 16).view(np.float32)


def my_bfloat16__number_of_the_bits_instead_of_the_bits_of_the_number(raw):
    """the number of the bits instead of the bits of the number"""
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).astype(np.float32)


def my_bfloat16__higher_byte_first(raw):
    """the higher byte first"""
    return (np.frombuffer(raw, ">u2").astype(np.uint32) << 16).view(np.float32)


def my_bfloat16__in_the_lower_half(raw):
    """in the lower half"""
    return np.frombuffer(raw, "<u2").astype(np.uint32).view(np.float32)


def my_bfloat16__right_numbers_in_another_type(raw):
    """the right numbers in another type"""
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32).astype(float)


def my_read_safetensors__offsets_from_the_beginning_of_the_file(raw):
    """offsets from the beginning of the file"""
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(raw[slice(*e["data_offsets"])], "<f4").reshape(e["shape"])
        for name, e in header.items()
    }


def my_read_safetensors__length_of_the_header_is_not_counted_itself(raw):
    """the length of the header is not counted itself"""
    start = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        arrays[name] = np.frombuffer(raw[start + begin : start + end], "<f4").reshape(e["shape"])
    return arrays


def my_read_safetensors__one_after_the_other_in_the_headers_order(raw):
    """one after the other, in the header's order"""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        n = int(np.prod(e["shape"]))
        arrays[name] = np.frombuffer(raw, "<f4", n, start).reshape(e["shape"])
        start += 4 * n
    return arrays


def my_read_safetensors__takes_the_metadata_for_a_tensor(raw):
    """takes the metadata for a tensor"""
    start = 8 + int.from_bytes(raw[:8], "little")
    arrays = {}
    for name, e in json.loads(raw[8:start]).items():
        begin, end = e["data_offsets"]
        arrays[name] = np.frombuffer(raw[start + begin : start + end], "<f4").reshape(e["shape"])
    return arrays


def my_read_safetensors__flat(raw):
    """flat"""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        arrays[name] = np.frombuffer(raw[start + begin : start + end], "<f4")
    return arrays


def my_read_safetensors__column_by_column(raw):
    """column by column"""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        flat = np.frombuffer(raw[start + begin : start + end], "<f4")
        arrays[name] = flat.reshape(e["shape"], order="F")
    return arrays


def my_read_safetensors__offsets_in_numbers_instead_of_bytes(raw):
    """offsets in numbers instead of bytes"""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    numbers = np.frombuffer(raw[start:], "<f4")
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        arrays[name] = numbers[begin:end].reshape(e["shape"])
    return arrays


def my_weights_from_gpt2__nothing_is_turned_around(in_file):
    """nothing is turned around"""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__every_matrix_is_turned_around_tables_too(in_file):
    """every matrix is turned around, tables too"""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = array.T
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__only_what_is_not_square_is_turned_around(in_file):
    """only what is not square is turned around"""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            if "h." in name and array.ndim == 2 and array.shape[0] != array.shape[1]:
                array = array.T
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__square_tables_are_turned_around_as_well(in_file):
    """square tables are turned around as well"""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = (
                array if "wte" in name else array.T
            )
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__masks_come_along(in_file):
    """the masks come along"""
    out = {}
    for name, array in in_file.items():
        name = name if name.startswith("transformer.") else f"transformer.{name}"
        turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
        out[name] = array.T if name.endswith(turned) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__c_attns_biases_are_thrown_out_with_the_masks(in_file):
    """c_attn's biases are thrown out with the masks"""
    out = {}
    for name, array in in_file.items():
        if "attn" in name and name.endswith("bias"):
            continue
        name = name if name.startswith("transformer.") else f"transformer.{name}"
        turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
        out[name] = array.T if name.endswith(turned) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__head_is_missing(in_file):
    """the head is missing"""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            name = name if name.startswith("transformer.") else f"transformer.{name}"
            turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
            out[name] = array.T if name.endswith(turned) else array
    return out


def my_weights_from_gpt2__prefix_stands_twice(in_file):
    """the prefix stands twice"""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
            out[f"transformer.{name}"] = array.T if name.endswith(turned) else array
    return out | {
        "lm_head.weight": in_file.get("wte.weight", in_file.get("transformer.wte.weight"))
    }


def my_weights_from_gpt2__mlps_second_layer_is_forgotten(in_file):
    """the MLP's second layer is forgotten"""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            name = name if name.startswith("transformer.") else f"transformer.{name}"
            turned = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight")
            out[name] = array.T if name.endswith(turned) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__c_attn_is_taken_for_a_table(in_file):
    """c_attn is taken for a table"""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            name = name if name.startswith("transformer.") else f"transformer.{name}"
            out[name] = array.T if name.endswith(("c_proj.weight", "c_fc.weight")) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_strided__takes_every_tensor_to_lie_row_by_row(storage, offset, shape, strides):
    """takes every tensor to lie row by row"""
    n = shape[0] * shape[1]
    return storage[offset : offset + n].reshape(shape)


def my_strided__strides_change_places(storage, offset, shape, strides):
    """the strides change places"""
    i, j = np.indices(shape)
    places = offset + i * strides[1] + j * strides[0]
    if not 0 <= places.min() <= places.max() < storage.size:
        raise ValueError("beyond the storage")
    return storage[places]


def my_strided__offset_is_forgotten(storage, offset, shape, strides):
    """the offset is forgotten"""
    i, j = np.indices(shape)
    places = i * strides[0] + j * strides[1]
    if not 0 <= places.min() <= places.max() < storage.size:
        raise ValueError("beyond the storage")
    return storage[places]


def my_strided__no_check(storage, offset, shape, strides):
    """no check: an IndexError beyond the end"""
    i, j = np.indices(shape)
    return storage[offset + i * strides[0] + j * strides[1]]


def my_strided__only_the_end_is_checked(storage, offset, shape, strides):
    """only the end is checked: -1 is the last element"""
    i, j = np.indices(shape)
    places = offset + i * strides[0] + j * strides[1]
    if places.max() >= storage.size:
        raise ValueError("beyond the storage")
    return storage[places]


def my_strided__what_lies_beyond_is_clipped(storage, offset, shape, strides):
    """what lies beyond is clipped"""
    i, j = np.indices(shape)
    return storage[np.clip(offset + i * strides[0] + j * strides[1], 0, storage.size - 1)]


def my_strided__refuses_everything_that_does_not_lie_row_by_row(storage, offset, shape, strides):
    """refuses everything that does not lie row by row"""
    if strides != (shape[1], 1) or offset + shape[0] * shape[1] > storage.size:
        raise ValueError("beyond the storage")
    return storage[offset : offset + shape[0] * shape[1]].reshape(shape)
