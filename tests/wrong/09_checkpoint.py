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
    """A few modules were forbidden and all others allowed; but thousands of functions can be
    named, and no such list is ever complete. See “Loading”."""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if module in ("os", "subprocess", "builtins", "sys"):
                raise pickle.UnpicklingError(f"{module}.{name}")
            return allowed.get((module, name)) or super().find_class(module, name)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__name_is_checked_but_the_files_own_function_is_used(raw, allowed):
    """The name was looked up in the table, but then the file's own function was used in place of
    what the table holds for it. See “Loading”."""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if (module, name) not in allowed:
                raise pickle.UnpicklingError(f"{module}.{name}")
            return super().find_class(module, name)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__only_the_module_is_checked(raw, allowed):
    """Only the module was looked up; a harmless module may hold other names that are not in the
    table. See “Exercise 9.1 · An allow list”."""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if module not in {m for m, _ in allowed}:
                raise pickle.UnpicklingError(f"{module}.{name}")
            return allowed.get((module, name), float)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__only_the_name_is_checked(raw, allowed):
    """Only the name was looked up; another module may hold something else under the same name.
    See “Exercise 9.1 · An allow list”."""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            for (_, other), value in allowed.items():
                if other == name:
                    return value
            raise pickle.UnpicklingError(f"{module}.{name}")

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__unknown_name_is_none_which_is_found_out_when(raw, allowed):
    """For an unknown name None was returned, and the file was read on; it must be refused at the
    moment in which it asks. See “Exercise 9.1 · An allow list”."""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            return allowed.get((module, name))

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__notes_the_unknown_names_and_complains_when_all(raw, allowed):
    """The complaint came when the file had been read to its end; by then its calls have been
    made. See “A pickle is a program”."""
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
    """Python was asked for the name before the table: to find it, its module is imported, and to
    import a module is to run it. See “Exercise 9.1 · An allow list”."""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            super().find_class(module, name)
            if (module, name) not in allowed:
                raise pickle.UnpicklingError(f"{module}.{name}")
            return allowed[module, name]

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__looks_through_the_file_for_the_older_instruction_alone(raw, allowed):
    """The file was searched for one instruction that imports a name; there are others, and they
    found their way. All of them ask find_class. See “Loading”."""
    for instruction, argument, _ in pickletools.genops(raw):
        if instruction.name == "GLOBAL" and tuple(argument.split(" ")) not in allowed:
            raise pickle.UnpicklingError(argument)

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            return allowed.get((module, name)) or super().find_class(module, name)

    return Careful(io.BytesIO(raw)).load()


def my_write_whole__opens_the_file_in_place(path, content):
    """The old file was opened for writing, which empties it at once: whenever the power fails
    now, both are gone. See “Saving, completely or not at all”."""
    with open(path, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def my_write_whole__write_bytes_in_place(path, content):
    """The bytes were written over the old file, which is empty or half for a moment. See
    “Saving, completely or not at all”."""
    path.write_bytes(content)


def my_write_whole__old_file_is_removed_first(path, content):
    """The old file was removed before the new one had its name: for a moment there is none. See
    “Saving, completely or not at all”."""
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
    """Nobody waited until the bytes were on the disk: after a power cut the new name may stand
    for an empty file. See “Saving, completely or not at all”."""
    new = path.with_name(path.name + ".tmp")
    try:
        new.write_bytes(content)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_write_whole__fsync_before_python_has_handed_the_bytes_over(path, content):
    """The fsync came while Python still kept the bytes back itself: flush first. See “Exercise
    9.2 · Completely or not at all”."""
    new = path.with_name(path.name + ".tmp")
    try:
        with open(new, "wb") as file:
            file.write(content)
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_write_whole__fsync_after_the_swap(path, content):
    """The file was synced when it had its new name already; between the two moves the name may
    stand for bytes that are nowhere. See “Saving, completely or not at all”."""
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
    """The new file was made in another folder, perhaps on another disk, where a swap is no
    single move. See “Saving, completely or not at all”."""
    with tempfile.TemporaryDirectory() as folder:
        new = Path(folder, "new")
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)


def my_write_whole__unfinished_file_is_left_behind(path, content):
    """After an error the unfinished file was left beside the old one. See “Exercise 9.2 ·
    Completely or not at all”."""
    new = path.with_name(path.name + ".tmp")
    with open(new, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


def my_write_whole__only_a_failing_fsync_is_cleaned_up(path, content):
    """Only an error of fsync was cleaned up after; a full disk may show when you write or flush,
    too. See “Exercise 9.2 · Completely or not at all”."""
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
    """The error was caught and kept quiet: the caller believes that all is saved. See “Exercise
    9.2 · Completely or not at all”."""
    new = path.with_name(path.name + ".tmp")
    with contextlib.suppress(OSError):
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    new.unlink(missing_ok=True)


def my_write_whole__copy_of_the_old_file_stays(path, content):
    """The old file was moved out of the way, so that for a moment nothing stands under its name,
    and its copy stays for good. See “Saving, completely or not at all”."""
    old = path.with_name(path.name + ".bak")
    os.replace(path, old)
    path.write_bytes(content)


def my_bfloat16__as_float16(raw):
    """The bytes were read as float16, which has two bytes as well, but divides its bits in
    another way. See “The bits of a number”."""
    return np.frombuffer(raw, "<f2").astype(np.float32)


def my_bfloat16__shifted_out_of_integers_of_16_bits(raw):
    """The shift was made in integers of 16 bits, and moves all of the bits out of them: make
    them wider first. See “Exercise 9.3 · bfloat16”."""
    return (np.frombuffer(raw, "<u2") << 16).view(np.float32)


def my_bfloat16__number_of_the_bits_instead_of_the_bits_of_the_number(raw):
    """The integer was converted to a float of the same value; asked for are the same bits, read
    as a float. See “Exercise 9.3 · bfloat16”."""
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).astype(np.float32)


def my_bfloat16__higher_byte_first(raw):
    """The higher byte was read first; in these files the lower one comes first. See “Exercise
    9.3 · bfloat16”."""
    return (np.frombuffer(raw, ">u2").astype(np.uint32) << 16).view(np.float32)


def my_bfloat16__in_the_lower_half(raw):
    """The sixteen bits stayed in the lower half; a bfloat16 is the upper half of a float32. See
    “A number in half the bytes”."""
    return np.frombuffer(raw, "<u2").astype(np.uint32).view(np.float32)


def my_bfloat16__right_numbers_in_another_type(raw):
    """The numbers are right, but their type is another: asked for are four bytes a number,
    float32. See “Exercise 9.3 · bfloat16”."""
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32).astype(float)


def my_read_safetensors__offsets_from_the_beginning_of_the_file(raw):
    """The offsets were counted from the beginning of the file; they count from the end of the
    header. See “Other people's formats”."""
    header = json.loads(raw[8 : 8 + int.from_bytes(raw[:8], "little")])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(raw[slice(*e["data_offsets"])], "<f4").reshape(e["shape"])
        for name, e in header.items()
    }


def my_read_safetensors__length_of_the_header_is_not_counted_itself(raw):
    """The eight bytes of the length itself were forgotten: the header begins after them, and so
    everything after it. See “Other people's formats”."""
    start = int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8 : 8 + start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        arrays[name] = np.frombuffer(raw[start + begin : start + end], "<f4").reshape(e["shape"])
    return arrays


def my_read_safetensors__one_after_the_other_in_the_headers_order(raw):
    """The tensors were read one after the other, as the header names them; but they may lie in
    another order, and each says where it begins. See “Exercise 9.4 · A file by its bytes”."""
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
    """The entry __metadata__ was taken for a tensor. See “Exercise 9.4 · A file by its bytes”."""
    start = 8 + int.from_bytes(raw[:8], "little")
    arrays = {}
    for name, e in json.loads(raw[8:start]).items():
        begin, end = e["data_offsets"]
        arrays[name] = np.frombuffer(raw[start + begin : start + end], "<f4").reshape(e["shape"])
    return arrays


def my_read_safetensors__flat(raw):
    """The numbers came back in a row; the header says which shape they have. See “Other people's
    formats”."""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    arrays = {}
    for name, e in header.items():
        begin, end = e["data_offsets"]
        arrays[name] = np.frombuffer(raw[start + begin : start + end], "<f4")
    return arrays


def my_read_safetensors__column_by_column(raw):
    """The numbers were put in column by column; they lie row by row. See “Other people's
    formats”."""
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
    """The offsets were taken for counts of numbers; they count bytes. See “Other people's
    formats”."""
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
    """Nothing was transposed; GPT-2's linear layers stand as (n_in, n_out), and ours as (n_out,
    n_in). See “Other people's names”."""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__every_matrix_is_turned_around_tables_too(in_file):
    """Everything was transposed, the tables wte and wpe too, which are no layers. See “Other
    people's names”."""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = array.T
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__only_what_is_not_square_is_turned_around(in_file):
    """A matrix was transposed only where its shape shows that it is the wrong way round;
    attn.c_proj is square, and shows nothing. See “A square matrix, the wrong way round”."""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            if "h." in name and array.ndim == 2 and array.shape[0] != array.shape[1]:
                array = array.T
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__square_tables_are_turned_around_as_well(in_file):
    """The table of positions was transposed like a layer. See “Other people's names”."""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            out[name if name.startswith("transformer.") else f"transformer.{name}"] = (
                array if "wte" in name else array.T
            )
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__masks_come_along(in_file):
    """The masks came along; they are no weights, and our model has no place for them. See “Other
    people's names”."""
    out = {}
    for name, array in in_file.items():
        name = name if name.startswith("transformer.") else f"transformer.{name}"
        turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
        out[name] = array.T if name.endswith(turned) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__c_attns_biases_are_thrown_out_with_the_masks(in_file):
    """With the masks the biases of c_attn went as well; their names only end alike. See
    “Exercise 9.5 · Reading GPT-2's weights”."""
    out = {}
    for name, array in in_file.items():
        if "attn" in name and name.endswith("bias"):
            continue
        name = name if name.startswith("transformer.") else f"transformer.{name}"
        turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
        out[name] = array.T if name.endswith(turned) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__head_is_missing(in_file):
    """The head is missing: the file leaves it out, since it is the table wte once more. See
    “Other people's names”."""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            name = name if name.startswith("transformer.") else f"transformer.{name}"
            turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
            out[name] = array.T if name.endswith(turned) else array
    return out


def my_weights_from_gpt2__prefix_stands_twice(in_file):
    """The prefix was put before every name, also before those that have it already. See
    “Exercise 9.5 · Reading GPT-2's weights”."""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            turned = ("c_attn.weight", "c_proj.weight", "c_fc.weight")
            out[f"transformer.{name}"] = array.T if name.endswith(turned) else array
    return out | {
        "lm_head.weight": in_file.get("wte.weight", in_file.get("transformer.wte.weight"))
    }


def my_weights_from_gpt2__mlps_second_layer_is_forgotten(in_file):
    """The second layer of the MLP was forgotten: it is called c_proj, like the one in attention.
    See “Exercise 9.5 · Reading GPT-2's weights”."""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            name = name if name.startswith("transformer.") else f"transformer.{name}"
            turned = ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_fc.weight")
            out[name] = array.T if name.endswith(turned) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__c_attn_is_taken_for_a_table(in_file):
    """The matrix of c_attn was left as it is; it is a linear layer like the other three. See
    “Exercise 9.5 · Reading GPT-2's weights”."""
    out = {}
    for name, array in in_file.items():
        if not name.endswith(".attn.bias"):
            name = name if name.startswith("transformer.") else f"transformer.{name}"
            out[name] = array.T if name.endswith(("c_proj.weight", "c_fc.weight")) else array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_strided__takes_every_tensor_to_lie_row_by_row(storage, offset, shape, strides):
    """The numbers were taken one after the other; the strides say how far apart they lie. See
    “Exercise 9.6 · Strides”."""
    n = shape[0] * shape[1]
    return storage[offset : offset + n].reshape(shape)


def my_strided__strides_change_places(storage, offset, shape, strides):
    """The two strides changed places: the first belongs to the rows, i, the second to the
    columns, j. See “Exercise 9.6 · Strides”."""
    i, j = np.indices(shape)
    places = offset + i * strides[1] + j * strides[0]
    if not 0 <= places.min() <= places.max() < storage.size:
        raise ValueError("beyond the storage")
    return storage[places]


def my_strided__offset_is_forgotten(storage, offset, shape, strides):
    """The offset was forgotten: the view begins further on in the storage. See “Exercise 9.6 ·
    Strides”."""
    i, j = np.indices(shape)
    places = i * strides[0] + j * strides[1]
    if not 0 <= places.min() <= places.max() < storage.size:
        raise ValueError("beyond the storage")
    return storage[places]


def my_strided__no_check(storage, offset, shape, strides):
    """Nobody looked whether the places are in the storage: beyond its end there is an
    IndexError, and before its beginning Python counts from the end. See “Exercise 9.6 ·
    Strides”."""
    i, j = np.indices(shape)
    return storage[offset + i * strides[0] + j * strides[1]]


def my_strided__only_the_end_is_checked(storage, offset, shape, strides):
    """Only the end was checked; a place before the beginning is negative, and Python takes -1
    for the last element. See “Exercise 9.6 · Strides”."""
    i, j = np.indices(shape)
    places = offset + i * strides[0] + j * strides[1]
    if places.max() >= storage.size:
        raise ValueError("beyond the storage")
    return storage[places]


def my_strided__what_lies_beyond_is_clipped(storage, offset, shape, strides):
    """Places outside of the storage were moved to its ends; such a file is damaged or hostile,
    and must be refused. See “Exercise 9.6 · Strides”."""
    i, j = np.indices(shape)
    return storage[np.clip(offset + i * strides[0] + j * strides[1], 0, storage.size - 1)]


def my_strided__refuses_everything_that_does_not_lie_row_by_row(storage, offset, shape, strides):
    """Every view was refused that does not lie row by row; a transposed one, or a part of a
    matrix, is allowed. See “Exercise 9.6 · Strides”."""
    if strides != (shape[1], 1) or offset + shape[0] * shape[1] > storage.size:
        raise ValueError("beyond the storage")
    return storage[offset : offset + shape[0] * shape[1]].reshape(shape)


def my_safe_loads__all_of_builtins_is_taken_for_harmless(raw, allowed):
    """Some modules were allowed as a whole, because honest files need them; but builtins holds
    eval and print, too. See “Loading”."""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if module in ("builtins", "numpy") and (module, name) not in allowed:
                return super().find_class(module, name)
            if (module, name) not in allowed:
                raise pickle.UnpicklingError(name)
            return allowed[module, name]

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__a_missing_key_is_its_own_error(raw, allowed):
    """A name that is not in the table gave a KeyError; whoever reads files expects a
    pickle.UnpicklingError, and catches nothing else. See “Exercise 9.1 · An allow list”."""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            return allowed[module, name]

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__looks_for_both_instructions_and_the_texts_before_them(raw, allowed):
    """The file was searched for names before it ran; but the machine takes a name from its
    stack, and that need not be the text that stands before. Only find_class sees what is asked
    for. See “Loading”."""
    texts = []
    for instruction, argument, _ in pickletools.genops(raw):
        if type(argument) is str and "UNICODE" in instruction.name:
            texts.append(argument)
        if instruction.name == "GLOBAL":
            texts += argument.split(" ")
        if instruction.name in ("GLOBAL", "STACK_GLOBAL") and tuple(texts[-2:]) not in allowed:
            raise pickle.UnpicklingError(str(argument))

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            found = (module, name) in allowed
            return allowed[module, name] if found else super().find_class(module, name)

    return Careful(io.BytesIO(raw)).load()


def my_safe_loads__what_stands_for_a_name_must_not_be_zero(raw, allowed):
    """What the table holds was asked whether it is true; 0 or an empty list is not, and stands
    in the table all the same. See “Exercise 9.1 · An allow list”."""

    class Careful(pickle.Unpickler):
        def find_class(self, module, name):
            if not allowed.get((module, name)):
                raise pickle.UnpicklingError(name)
            return allowed[module, name]

    return Careful(io.BytesIO(raw)).load()


def my_write_whole__swap_that_fails_is_not_cleaned_up(path, content):
    """The third move can fail as well, and then the new file is left beside the old one. See
    “Exercise 9.2 · Completely or not at all”."""
    new = path.with_name(path.name + ".tmp")
    try:
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        new.unlink()
        raise
    os.replace(new, path)


def my_write_whole__another_ending_in_place_of_the_old_one(path, content):
    """The new file's name was made by another ending; where the old one has that ending already,
    the two are one file, written in place. See “Exercise 9.2 · Completely or not at all”."""
    new = path.with_suffix(".tmp")
    try:
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_write_whole__folder_is_synced_and_not_the_file(path, content):
    """The folder was synced, and not the file: its bytes may still be in memory alone. See
    “Exercise 9.2 · Completely or not at all”."""
    new = path.with_name(path.name + ".tmp")
    try:
        new.write_bytes(content)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_write_whole__nothing_to_write_is_nothing_to_do(path, content):
    """No bytes were taken for nothing to do; but then the file shall be empty, and it still
    holds the old ones. See “Exercise 9.2 · Completely or not at all”."""
    if not content:
        return
    new = path.with_name(path.name + ".tmp")
    try:
        with open(new, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    finally:
        new.unlink(missing_ok=True)


def my_bfloat16__by_the_formula_without_its_exceptions(raw):
    """The formula with sign, exponent and fraction has exceptions, 0 and infinity among them;
    whoever moves the bits needs none. See “Exercise 9.3 · bfloat16”."""
    bits = np.frombuffer(raw, "<u2").astype(int)
    sign, e, f = bits >> 15, bits >> 7 & 255, bits & 127
    with np.errstate(over="ignore"):
        return ((-1.0) ** sign * 2.0 ** (e - 127) * (1 + f / 128)).astype(np.float32)


def my_bfloat16__not_a_number_becomes_zero(raw):
    """What is not a number, or infinite, was replaced by another number: then nobody sees that a
    model is ruined. See “Exercise 9.3 · bfloat16”."""
    numbers = (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.nan_to_num(numbers)


def my_bfloat16__a_column_of_pairs(raw):
    """The numbers came back as a column; asked for is a flat array. See “Exercise 9.3 ·
    bfloat16”."""
    pairs = np.frombuffer(raw, np.uint8).reshape(-1, 2)
    wide = np.zeros((len(pairs), 4), np.uint8)
    wide[:, 2:] = pairs
    return wide.view(np.float32)


def my_read_safetensors__length_in_a_single_byte(raw):
    """Only the first of the eight bytes of the length was read, which is enough for 255 and no
    more. See “Other people's formats”."""
    start = 8 + raw[0]
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(raw[start + b : start + e], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
        for b, e in [entry["data_offsets"]]
    }


def my_read_safetensors__header_ends_at_the_last_brace(raw):
    """The end of the header was looked for by its last brace; spaces may follow it, and a
    number's bytes can look like one. The first eight bytes tell its length. See “Other people's
    formats”."""
    start = raw.rindex(b"}") + 1
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(raw[start + b : start + e], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
        for b, e in [entry["data_offsets"]]
    }


def my_read_safetensors__numbers_of_eight_bytes(raw):
    """The numbers are right, but of eight bytes each: a model would take twice the memory. Asked
    for is float32, as in the file. See “Exercise 9.4 · A file by its bytes”."""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start])
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(raw[start + b : start + e], "<f4").reshape(entry["shape"]).astype(float)
        for name, entry in header.items()
        for b, e in [entry["data_offsets"]]
    }


def my_read_safetensors__names_of_letters_from_a_to_z_alone(raw):
    """The header was read as ASCII; JSON is UTF-8, and a name may have any letter. See “Exercise
    9.4 · A file by its bytes”."""
    start = 8 + int.from_bytes(raw[:8], "little")
    header = json.loads(raw[8:start].decode("ascii"))
    header.pop("__metadata__", None)
    return {
        name: np.frombuffer(raw[start + b : start + e], "<f4").reshape(entry["shape"])
        for name, entry in header.items()
        for b, e in [entry["data_offsets"]]
    }


def my_weights_from_gpt2__callers_dictionary_is_emptied(in_file):
    """The caller's own dictionary was emptied on the way; make a new one, and leave it as it is.
    See “Exercise 9.5 · Reading GPT-2's weights”."""
    out = {}
    for name in list(in_file):
        array = in_file.pop(name)
        if name.endswith(".attn.bias"):
            continue
        if name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            array = array.T
        out[name if name.startswith("transformer.") else f"transformer.{name}"] = array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__blocks_have_numbers_of_one_digit(in_file):
    """The names were cut as if a block's number had a single digit; GPT-2 has a block h.11. See
    “Exercise 9.5 · Reading GPT-2's weights”."""
    out = {}
    for name, array in in_file.items():
        name = name.removeprefix("transformer.")
        part = name[4:] if name.startswith("h.") else name
        if part == "attn.bias":
            continue
        if part in ("attn.c_attn.weight", "attn.c_proj.weight", "mlp.c_proj.weight") or (
            part == "mlp.c_fc.weight"
        ):
            array = array.T
        out[f"transformer.{name}"] = array
    return out | {"lm_head.weight": out["transformer.wte.weight"]}


def my_weights_from_gpt2__head_is_turned_around(in_file):
    """The head was transposed; it is the same matrix as wte, the same way round. See “Other
    people's names”."""
    out = {}
    for name, array in in_file.items():
        if name.endswith(".attn.bias"):
            continue
        if name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            array = array.T
        out[name if name.startswith("transformer.") else f"transformer.{name}"] = array
    return out | {"lm_head.weight": out["transformer.wte.weight"].T}


def my_strided__numbers_in_another_type(storage, offset, shape, strides):
    """The numbers came back in another type than the storage has. See “Exercise 9.6 · Strides”."""
    result = np.zeros(shape)
    for i in range(shape[0]):
        for j in range(shape[1]):
            place = offset + i * strides[0] + j * strides[1]
            if not 0 <= place < len(storage):
                raise ValueError(place)
            result[i, j] = storage[place]
    return result


def my_strided__first_and_last_element_alone_are_checked(storage, offset, shape, strides):
    """Only the first and the last element were checked; with one stride forwards and one
    backwards another corner lies further out. See “Exercise 9.6 · Strides”."""
    i, j = np.indices(shape)
    last = offset + (shape[0] - 1) * strides[0] + (shape[1] - 1) * strides[1]
    if shape[0] and not (0 <= offset < storage.size and 0 <= last < storage.size):
        raise ValueError(last)
    return storage[(offset + i * strides[0] + j * strides[1]) % storage.size]


def my_strided__refuses_to_go_backwards(storage, offset, shape, strides):
    """Negative strides were refused; they walk backwards, and are allowed as long as every place
    is in the storage. See “Exercise 9.6 · Strides”."""
    i, j = np.indices(shape)
    places = offset + i * strides[0] + j * strides[1]
    if min(strides) < 0 or (places.size and places.max() >= storage.size):
        raise ValueError(strides)
    return storage[places]


def my_strided__refuses_a_matrix_without_rows(storage, offset, shape, strides):
    """A matrix without rows has no smallest place, and the question for it is an error of its
    own; such a matrix reads nothing, and is allowed. See “Exercise 9.6 · Strides”."""
    i, j = np.indices(shape)
    places = offset + i * strides[0] + j * strides[1]
    if not 0 <= places.min() <= places.max() < storage.size:
        raise ValueError("beyond the storage")
    return storage[places]
