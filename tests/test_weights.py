"""Other people's weights: their formats, their names, and files that mean harm."""

import io
import json
import os
import pickle
import sys
import zipfile
from collections import Counter, OrderedDict
from types import ModuleType

import numpy as np
import pytest

from minigrad.bpe import BPETokenizer
from minigrad.checkpoint import CheckpointError, load_model, model_with, save
from minigrad.gpt import GPT
from minigrad.weights import (
    _ALIASES,
    _SAME,
    BFLOAT16,
    _TorchMachine,
    convert,
    export,
    load_torch,
    numbers_in,
    read_pretrained,
    read_safetensors,
    to_gpt2_names,
    to_our_names,
    write_safetensors,
)


def small(seed=0, **options) -> GPT:
    sizes = {"vocab_size": 11, "n_embd": 16, "n_layer": 2, "n_head": 4, "block_size": 8, **options}
    return GPT(**sizes, rng=np.random.default_rng(seed))


def ids(*shape, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(11, size=shape)


class Runs:
    """A pickle that calls a function when it is loaded."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def test_pretrained_round_trip(tmp_path):
    model = small()
    model.save_pretrained(tmp_path / "a folder")
    other = GPT.from_pretrained(tmp_path / "a folder")
    np.testing.assert_array_equal(other(ids(2, 8))[0].data, model(ids(2, 8))[0].data)
    stored = read_safetensors(tmp_path / "a folder" / "model.safetensors")
    assert stored["transformer.h.0.attn.c_attn.weight"].shape == (16, 48)  # GPT-2's transpose
    assert "lm_head.weight" not in stored


def test_pretrained_with_openais_bare_names_masks_and_half_precision(tmp_path):
    model = small()
    model.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    bare = {name.removeprefix("transformer."): a for name, a in read_safetensors(path).items()}
    bare["h.0.attn.bias"] = np.tri(8, dtype=np.float32)[None, None]
    write_safetensors(path, bare)
    np.testing.assert_array_equal(
        GPT.from_pretrained(tmp_path)(ids(1, 4))[0].data, model(ids(1, 4))[0].data
    )


def test_a_folder_is_filled_by_changing_names_only(tmp_path, monkeypatch):
    """So that no full disk, and no other file system, leaves it half written."""
    folder, replace, sources = tmp_path / "a" / "b", os.replace, []
    noted = lambda old, new: (sources.append(str(old)), replace(old, new))
    monkeypatch.setattr(os, "replace", noted)
    small().save_pretrained(folder)
    assert all(source.startswith(str(folder / "unfinished-")) for source in sources)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]


def test_a_folder_without_a_model_type_is_gpt2s_and_another_is_named(tmp_path):
    small().save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    del config["model_type"]
    path.write_text(json.dumps(config), encoding="utf-8")
    assert isinstance(read_pretrained(tmp_path), GPT)
    path.write_text(json.dumps({**config, "model_type": "bert"}), encoding="utf-8")
    with pytest.raises(
        CheckpointError, match="holds a model of type bert; we have gpt2 and llama$"
    ):
        read_pretrained(tmp_path)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(CheckpointError, match="config.json is no intact config of a model: "):
        read_pretrained(tmp_path)


@pytest.mark.parametrize("kind", ["F16", "BF16", "F64"])
def test_safetensors_types(tmp_path, kind):
    values = np.array([[1.0, -2.5], [0.375, 1024.0]], dtype=np.float32)  # exact in all of them
    raw = {
        "F16": values.astype("<f2").tobytes(),
        "BF16": (values.view(np.uint32) >> 16).astype("<u2").tobytes(),
        "F64": values.astype("<f8").tobytes(),
    }[kind]
    header = {"x": {"dtype": kind, "shape": [2, 2], "data_offsets": [0, len(raw)]}}
    encoded = json.dumps(header).encode("utf-8")
    path = tmp_path / "x.safetensors"
    path.write_bytes(len(encoded).to_bytes(8, "little") + encoded + raw)
    np.testing.assert_array_equal(read_safetensors(path)["x"], values)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: b"",
        lambda raw: raw[:4],
        lambda raw: raw[:100],
        lambda raw: raw[:-4],
        lambda raw: (2**60).to_bytes(8, "little") + raw[8:],
        lambda raw: raw.replace(b'"F32"', b'"C64"'),
        lambda raw: raw.replace(b"[11, 16]", b"[11, 17]"),
        lambda raw: (2).to_bytes(8, "little") + b"[]",
    ],
)
def test_damaged_safetensors(tmp_path, damage):
    path = tmp_path / "model.safetensors"
    small().save_pretrained(tmp_path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="no intact safetensors file"):
        read_safetensors(path)


def test_pretrained_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        GPT.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"vocab_size": 11}', encoding="utf-8")
    with pytest.raises(ValueError, match="no GPT-2 sizes.*'n_embd': None"):
        GPT.from_pretrained(tmp_path)
    (tmp_path / "config.json").write_text('{"activation_function": "relu"}', encoding="utf-8")
    with pytest.raises(ValueError, match="not relu"):
        GPT.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match="bias=False"):
        small(bias=False).save_pretrained(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "model.safetensors"
    write_safetensors(path, {"x": np.ones(2)})
    old = path.read_bytes()
    full = OSError(28, "disk full")
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(full))
    with pytest.raises(OSError, match="disk full"):
        write_safetensors(path, {"x": np.zeros(2)})
    assert path.read_bytes() == old
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_the_upper_half_of_a_float32():
    values = np.array([1.0, -2.5, 0.0, 2.0**127, 2.0**-126, np.inf], dtype=np.float32)
    raw = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    numbers = numbers_in(raw, BFLOAT16)
    assert numbers.dtype == np.float32
    np.testing.assert_array_equal(numbers, values)


def test_names_of_others_become_ours_and_back():
    ours = {name: array.copy() for name, array in small().collect_state_dict().items()}
    theirs = to_gpt2_names(ours)
    assert "lm_head.weight" not in theirs
    assert theirs["transformer.h.1.mlp.c_proj.weight"].shape == (64, 16)
    masks = {
        "transformer.h.0.attn.bias": np.ones(1),
        "transformer.h.0.attn.masked_bias": np.ones(1),
    }
    for prefix in ("", "_orig_mod."):
        named = {prefix + name: array for name, array in (theirs | masks).items()}
        back = to_our_names(named, transposed=True)
        assert set(back) == set(ours)
        for name, array in ours.items():
            np.testing.assert_array_equal(back[name], array)
    bare = {name.removeprefix("transformer."): array for name, array in ours.items()}
    assert set(to_our_names(bare, transposed=False)) == set(ours)
    assert to_our_names({"ln_f.bias": np.ones(2)}, transposed=False).keys() == {
        "transformer.ln_f.bias"
    }


def torch_zip(path, pickled: bytes, storages: dict[str, bytes]) -> None:
    """A file in the layout of torch.save, made without torch."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        for key, raw in storages.items():
            archive.writestr(f"archive/data/{key}", raw)


def tensor_pickle(shape, strides, offset=0, storage="FloatStorage", numel=6) -> bytes:
    """A pickle of {"x": tensor} as torch writes it, spelt in opcodes."""

    def tuple_of(numbers):
        return b"(" + b"".join(pickle.dumps(n, 2)[2:-1] for n in numbers) + b"t"

    return (
        b"\x80\x02}X\x01\x00\x00\x00x"
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n"
        + storage.encode("ascii")
        + b"\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpu"
        + pickle.dumps(numel, 2)[2:-1]
        + b"tQ"
        + pickle.dumps(offset, 2)[2:-1]
        + tuple_of(shape)
        + tuple_of(strides)
        + b"\x89ccollections\nOrderedDict\n)RtRs."
    )


RAW = np.arange(6, dtype=np.float32).tobytes()


def test_reads_a_torch_file_without_torch(tmp_path):
    path = tmp_path / "x.pt"
    torch_zip(path, tensor_pickle((2, 3), (3, 1)), {"0": RAW})
    np.testing.assert_array_equal(load_torch(path)["x"], [[0, 1, 2], [3, 4, 5]])
    torch_zip(path, tensor_pickle((3, 2), (1, 3)), {"0": RAW})
    np.testing.assert_array_equal(load_torch(path)["x"], [[0, 3], [1, 4], [2, 5]])
    torch_zip(path, tensor_pickle((2,), (1,), offset=4), {"0": RAW})
    np.testing.assert_array_equal(load_torch(path)["x"], [4, 5])


@pytest.mark.parametrize(
    ("pickled", "storages"),
    [
        (tensor_pickle((2, 4), (3, 1)), {"0": RAW}),  # beyond the end of the storage
        (tensor_pickle((2, 3), (-3, 1)), {"0": RAW}),
        (tensor_pickle((2, 3), (3, 1), offset=-1), {"0": RAW}),
        (tensor_pickle((2, 3), (3, 1), offset=1), {"0": RAW}),
        (tensor_pickle((2, 3), (2**62, 1)), {"0": RAW}),
        (tensor_pickle((7,), (1,)), {"0": RAW}),
        (tensor_pickle((-1,), (1,)), {"0": RAW}),
        (tensor_pickle((2, 3), (3, 1), storage="ObjectStorage"), {"0": RAW}),
        (tensor_pickle((2, 3), (3, 1)), {}),
        (tensor_pickle((2, 3), (3, 1)), {"0": RAW[:-1]}),
        (pickle.dumps(Runs(os.system, "touch harmed")), {}),
        (b"", {}),
    ],
)
def test_hostile_torch_files(tmp_path, monkeypatch, pickled, storages):
    monkeypatch.chdir(tmp_path)
    torch_zip(tmp_path / "x.pt", pickled, storages)
    with pytest.raises(CheckpointError, match="no intact torch checkpoint"):
        load_torch(tmp_path / "x.pt")
    assert [p.name for p in tmp_path.iterdir()] == ["x.pt"]


def test_files_that_are_no_torch_zip(tmp_path):
    path = tmp_path / "x.pt"
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        load_torch(path)
    path.write_bytes(b"not a zip")
    with pytest.raises(CheckpointError, match="no intact torch checkpoint"):
        load_torch(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme", "hello")
    with pytest.raises(CheckpointError, match="no intact torch checkpoint"):
        load_torch(path)


class TorchTensor:
    """An array that is pickled as torch pickles a tensor: a call, and a reference to a storage."""

    def __init__(self, array: np.ndarray):
        self.array = array

    def __reduce__(self):
        shape, strides = self.array.shape, tuple(n // 4 for n in self.array.strides)
        import torch._utils

        return torch._utils._rebuild_tensor_v2, (Storage(self.array), 0, shape, strides, False, {})


class Storage:
    def __init__(self, array: np.ndarray):
        self.array = array


@pytest.fixture
def torch_save(monkeypatch):
    """torch.save for dictionaries with TorchTensors in them, whether torch is installed or not."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")
    torch._utils = utils
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2():
        raise AssertionError("never called")

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    def torch_save(content: dict, path) -> None:
        storages = {}

        class Pickler(pickle.Pickler):
            def persistent_id(self, x):
                if isinstance(x, Storage):
                    key = str(len(storages))
                    storages[key] = x.array.tobytes()
                    return "storage", torch.FloatStorage, key, "cpu", x.array.size

        file = io.BytesIO()
        Pickler(file, protocol=2).dump(content)
        torch_zip(path, file.getvalue(), storages)

    return torch_save


@pytest.mark.parametrize("prefix", ["", "_orig_mod."])
def test_convert_makes_a_checkpoint_of_nanogpts(tmp_path, torch_save, prefix):
    model = small()
    weights = {prefix + name: TorchTensor(a) for name, a in model.collect_state_dict().items()}
    del weights[f"{prefix}lm_head.weight"]
    weights[f"{prefix}transformer.h.0.attn.bias"] = TorchTensor(np.tri(8, dtype=np.float32))
    args = {**model.config, "dropout": None}
    torch_save({"model": weights, "model_args": args, "iter_num": 3}, tmp_path / "ckpt.pt")
    convert(tmp_path / "ckpt.pt", tmp_path / "new.pkl")
    other, tokenizer = load_model(tmp_path / "new.pkl")
    assert tokenizer is None
    np.testing.assert_array_equal(other(ids(2, 8))[0].data, model(ids(2, 8))[0].data)


def test_bfloat16_in_a_torch_file(tmp_path):
    """Its storage of 12 bytes holds the upper halves of six numbers."""
    values = np.array([1, -2.5, 3, 0, 128, 0.375], dtype=np.float32)
    raw = (values.view(np.uint32) >> 16).astype("<u2").tobytes()
    pickled = tensor_pickle((2, 3), (3, 1), storage="BFloat16Storage")
    torch_zip(tmp_path / "x.pt", pickled, {"0": raw})
    np.testing.assert_array_equal(load_torch(tmp_path / "x.pt")["x"], values.reshape(2, 3))


def test_convert_command_line(tmp_path, run_module):
    process = run_module("checkpoint", "convert", tmp_path / "none.pt", tmp_path / "new.pkl")
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1 and "no checkpoint at" in process.stderr
    torch_zip(tmp_path / "x.pt", tensor_pickle((2, 3), (3, 1)), {"0": RAW})
    process = run_module("checkpoint", "convert", tmp_path / "x.pt", tmp_path / "new.pkl")
    assert process.returncode == 2
    assert "no intact checkpoint of nanoGPT" in process.stderr and process.stderr.count("\n") == 1
    assert not (tmp_path / "new.pkl").exists()
    assert "OLD.pt" in run_module("checkpoint", "convert", "--help").stdout


# --- a folder's config means what it says --------------------------------------------------------


def change_config(folder, **entries) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | entries
    path.write_text(json.dumps(config), encoding="utf-8")


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("model_type", "gpt_neo"),
        ("activation_function", "gelu"),
        ("activation_function", "gelu_10"),
        ("layer_norm_epsilon", 1e-6),
        ("scale_attn_weights", False),
        ("scale_attn_by_inverse_layer_idx", True),
        ("n_inner", 65),
        ("num_attention_heads", 2),
        ("num_hidden_layers", 1),
        ("hidden_size", 8),
        ("max_position_embeddings", 4),
        ("is_causal", False),
        ("tie_word_embeddings", False),
        ("tie_word_embeddings", "false"),
        ("quantization_config", {"quant_method": "gptq"}),
        ("attn_pdrop", 0.5),
        ("resid_pdrop", "0.0"),
        ("n_head", 3),
        ("n_layer", 10**9),
        ("n_positions", 2.5),
        ("vocab_size", True),
    ],
)
def test_an_entry_that_changes_the_arithmetic_is_refused_by_name(tmp_path, entry, value):
    small().save_pretrained(tmp_path)
    change_config(tmp_path, **{entry: value})
    named = {"n_positions": "block_size", "n_layer": "fewer weights"}.get(entry, entry)
    with pytest.raises(CheckpointError, match=named):
        GPT.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    "entries",
    [
        {"n_inner": 64, "n_ctx": 8, "_name_or_path": "gpt2", "eos_token_id": 5, "use_cache": False},
        {"n_inner": None, "activation_function": "gelu_pytorch_tanh", "pruned_heads": {}},
        {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "is_causal": True},
        {"reorder_and_upcast_attn": True, "initializer_range": 0.5, "torch_dtype": "float16"},
    ],
)
def test_entries_that_change_nothing_are_left_out(tmp_path, entries):
    model = small()
    model.save_pretrained(tmp_path)
    change_config(tmp_path, **entries)
    np.testing.assert_array_equal(
        GPT.from_pretrained(tmp_path)(ids(1, 4))[0].data, model(ids(1, 4))[0].data
    )


def test_every_entry_of_a_gpt2_config_was_judged():
    transformers = pytest.importorskip("transformers", reason="compares with transformers")
    read = {"vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner"}
    read |= {"resid_pdrop", "embd_pdrop", "attn_pdrop"}
    seen_in_the_weights = {"add_cross_attention", "tie_word_embeddings"}
    harmless = {"initializer_range", "use_cache", "reorder_and_upcast_attn"}
    harmless |= {"bos_token_id", "eos_token_id", "pad_token_id"}
    config = transformers.GPT2Config
    own = {name for name in config.__annotations__ if not name.startswith("summary_")}
    assert own - {"model_type"} - set(_SAME) <= read | harmless | seen_in_the_weights
    for name, same in _SAME.items():
        if name in own:
            assert getattr(config(), name) in same, name
    assert config.attribute_map == _ALIASES


def test_weights_of_another_architecture_do_not_fit(tmp_path):
    """Cross attention, pruned heads and numbers of 8 bits show in names and shapes."""
    small().save_pretrained(tmp_path)
    theirs = to_gpt2_names(small().collect_state_dict())
    name = "transformer.h.0.attn.c_attn.weight"
    for change in (
        {"transformer.h.0.crossattention.c_attn.weight": np.ones((16, 32))},
        {name: np.ones((16, 24))},
        {name + ".scale": np.ones(16)},
    ):
        write_safetensors(tmp_path / "model.safetensors", {**theirs, **change})
        with pytest.raises(CheckpointError, match="fewer weights|cannot load into GPT"):
            GPT.from_pretrained(tmp_path)


def test_dropout_makes_the_round_trip_and_rests_in_evaluation(tmp_path):
    small(dropout=0.25).save_pretrained(tmp_path)
    model = GPT.from_pretrained(tmp_path)
    assert model.config["dropout"] == 0.25 and not model.training
    path = tmp_path / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({k: v for k, v in config.items() if "pdrop" not in k}), "utf-8")
    assert GPT.from_pretrained(tmp_path).config["dropout"] == 0.1  # GPT2Config's default


# --- the files of a folder -----------------------------------------------------------------------


def in_shards(folder, name="model.safetensors", write=write_safetensors) -> dict[str, str]:
    """The folder's weights in two files, with an index; returns its map."""
    arrays = read_safetensors(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    names, stem = sorted(arrays), name.partition(".")
    files = [f"{stem[0]}-{i}-of-2.{stem[2]}" for i in (1, 2)]
    where = {key: files[i % 2] for i, key in enumerate(names)}
    for file in files:
        write(folder / file, {key: arrays[key] for key in names if where[key] == file})
    write_index(folder, where, name)
    return where


def write_index(folder, where, name="model.safetensors") -> None:
    index = json.dumps({"metadata": {"total_size": 1}, "weight_map": where})
    (folder / f"{name}.index.json").write_text(index, encoding="utf-8")


def test_weights_in_shards(tmp_path):
    model = small()
    model.save_pretrained(tmp_path)
    in_shards(tmp_path)
    np.testing.assert_array_equal(
        GPT.from_pretrained(tmp_path)(ids(1, 4))[0].data, model(ids(1, 4))[0].data
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda where, name: {**where, name: "../model.safetensors"}, "not in its folder"),
        (lambda where, name: {**where, name: "/etc/passwd"}, "not in its folder"),
        (lambda where, name: {**where, name: "none.safetensors"}, "do not agree about"),
        (lambda where, name: {**where, name: ".."}, "do not agree|no checkpoint at .* a folder"),
        (lambda where, name: {**where, "more": where[name]}, "do not agree about more"),
        (lambda where, name: {k: v for k, v in where.items() if k != name}, "do not agree about"),
        (lambda where, name: {**where, name: 5}, "index of weights"),
        (lambda where, name: [], "index of weights"),
    ],
)
def test_an_index_that_does_not_fit(tmp_path, change, said):
    small().save_pretrained(tmp_path)
    where = in_shards(tmp_path)
    write_index(tmp_path, change(where, min(where)))
    with pytest.raises(CheckpointError, match=said):
        GPT.from_pretrained(tmp_path)


def test_a_folder_without_weights_says_what_is_wanted(tmp_path):
    small().save_pretrained(tmp_path)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(FileNotFoundError, match="no model.safetensors in .* pytorch_model.bin"):
        GPT.from_pretrained(tmp_path)


@pytest.mark.parametrize("shards", [False, True])
def test_a_folder_with_torchs_files_alone(tmp_path, torch_save, shards):
    model = small()
    model.save_pretrained(tmp_path)

    def write(path, arrays):
        torch_save({name: TorchTensor(array) for name, array in arrays.items()}, path)

    if shards:
        in_shards(tmp_path, "pytorch_model.bin", write)
    else:
        write(tmp_path / "pytorch_model.bin", read_safetensors(tmp_path / "model.safetensors"))
        (tmp_path / "model.safetensors").unlink()
    np.testing.assert_array_equal(
        GPT.from_pretrained(tmp_path)(ids(1, 4))[0].data, model(ids(1, 4))[0].data
    )


def tensors_file(header, numbers=b"") -> bytes:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode("utf-8")
    return len(encoded).to_bytes(8, "little") + encoded + numbers


@pytest.mark.parametrize("kind", ["BOOL", "U8", "I64", "F16", "F32"])
def test_masks_of_any_type_are_left_out(tmp_path, kind):
    model = small()
    model.save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    header, end = json.loads(raw[8:start]), len(raw) - start
    mask = np.tri(8).astype(
        {"BOOL": "?", "U8": "u1", "I64": "<i8", "F16": "<f2", "F32": "<f4"}[kind]
    )
    for i, name in enumerate(("attn.bias", "attn.masked_bias")):
        offsets = [end + i * mask.nbytes, end + (i + 1) * mask.nbytes]
        entry = {"dtype": kind, "shape": [1, 1, 8, 8], "data_offsets": offsets}
        header[f"transformer.h.0.{name}"] = entry
    path.write_bytes(tensors_file(header, raw[start:] + 2 * mask.tobytes()))
    np.testing.assert_array_equal(
        GPT.from_pretrained(tmp_path)(ids(1, 4))[0].data, model(ids(1, 4))[0].data
    )


def test_one_name_of_a_tied_pair_is_enough_and_two_must_agree():
    ours = small().collect_state_dict()
    for missing in ("lm_head.weight", "transformer.wte.weight"):
        rest = {name: array for name, array in ours.items() if name != missing}
        assert set(to_our_names(rest, transposed=False)) == set(ours)
    with pytest.raises(ValueError, match="lm_head.weight is not wte.weight"):
        to_our_names(ours | {"lm_head.weight": ours["lm_head.weight"] + 1}, transposed=False)


@pytest.mark.parametrize(
    "prefix", ["module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."]
)
def test_wrappers_of_a_model_are_no_part_of_its_names(prefix):
    ours = small().collect_state_dict()
    assert set(to_our_names({prefix + k: a for k, a in ours.items()}, False)) == set(ours)
    with pytest.raises(ValueError, match="transformer.wte.weight twice"):
        to_our_names({**ours, f"{prefix}transformer.wte.weight": np.ones(1)}, transposed=False)


# --- nothing is broken, and nothing replaced -----------------------------------------------------


@pytest.mark.parametrize(
    ("call", "nth"), [("fsync", 1), ("fsync", 2), ("replace", 1), ("replace", 2)]
)
def test_a_save_that_fails_leaves_the_old_model(tmp_path, monkeypatch, call, nth):
    old = small(seed=1)
    old.save_pretrained(tmp_path)
    real, calls = getattr(os, call), iter(range(1, 99))

    def fail(*arguments):
        if next(calls) == nth:
            raise OSError(28, "disk full")
        return real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(os, call, fail)
        with pytest.raises(OSError, match="disk full"):
            small(n_layer=1, n_embd=8).save_pretrained(tmp_path)
    np.testing.assert_array_equal(
        GPT.from_pretrained(tmp_path)(ids(1, 4))[0].data, old(ids(1, 4))[0].data
    )
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}


def test_what_cannot_be_written_is_found_out_before(tmp_path):
    small(seed=1).save_pretrained(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    model = small(n_layer=1)
    model.config["dropout"] = "much"
    with pytest.raises(ValueError, match="much"):
        model.save_pretrained(tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_convert_replaces_a_file_only_when_told_to(tmp_path, torch_save, run_module):
    model = small()
    state = {name: TorchTensor(array) for name, array in model.collect_state_dict().items()}
    old, new = tmp_path / "ckpt.pt", tmp_path / "new.pkl"
    torch_save({"model": state, "model_args": model.config}, old)
    new.write_bytes(b"dear to somebody")
    with pytest.raises(CheckpointError, match="new.pkl exists already"):
        convert(old, new)
    process = run_module("checkpoint", "convert", old, new)
    assert process.returncode == 2 and "--overwrite" in process.stderr
    assert new.read_bytes() == b"dear to somebody"
    assert run_module("checkpoint", "convert", old, new, "--overwrite").returncode == 0
    assert load_model(new)[0].config == model.config


@pytest.mark.parametrize("layout", ["ours", "gpt2", "in model", "in state_dict"])
def test_convert_takes_weights_alone_and_asks_for_n_head(tmp_path, torch_save, layout):
    model = small(bias=layout == "gpt2")
    state = model.collect_state_dict()
    state = to_gpt2_names(state) if layout == "gpt2" else state
    state = {
        name.removeprefix("transformer."): TorchTensor(np.ascontiguousarray(a))
        for name, a in state.items()
    }
    content = {layout.partition(" ")[2]: state} if layout.startswith("in") else state
    torch_save(content, tmp_path / "w.pt")
    with pytest.raises(CheckpointError, match="n_head: say it by --n-head"):
        convert(tmp_path / "w.pt", tmp_path / "w.pkl")
    convert(tmp_path / "w.pt", tmp_path / "w.pkl", n_head=4)
    np.testing.assert_array_equal(
        load_model(tmp_path / "w.pkl")[0](ids(1, 4))[0].data, model(ids(1, 4))[0].data
    )


def test_convert_refuses_what_nanogpt_does_not_have(tmp_path, torch_save):
    model = small()
    state = {name: TorchTensor(array) for name, array in model.collect_state_dict().items()}
    for args, said in (({"rotary": True}, "rotary"), ({"n_layer": 3}, "fewer weights")):
        torch_save({"model": state, "model_args": {**model.config, **args}}, tmp_path / "x.pt")
        with pytest.raises(CheckpointError, match=said):
            convert(tmp_path / "x.pt", tmp_path / "new.pkl")
    torch_save({"model": state, "model_args": model.config}, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match="its n_head is 4, not 2"):
        convert(tmp_path / "x.pt", tmp_path / "new.pkl", n_head=2)
    other = TorchTensor(np.ones((11, 16), dtype=np.float32))
    untied = {"model": {**state, "lm_head.weight": other}, "model_args": model.config}
    torch_save(untied, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match="lm_head.weight is not wte.weight"):
        convert(tmp_path / "x.pt", tmp_path / "new.pkl")
    assert not (tmp_path / "new.pkl").exists()


# --- safetensors as the reference reads them -----------------------------------------------------


def entry(shape, offsets, dtype="F32", **more):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}


ONE = b'{"dtype":"F32","shape":[1],"data_offsets":[0,4]}'
TENSOR_FILES = {
    "one": tensors_file({"a": entry([1], [0, 4])}, bytes(4)),
    "two, in another order": tensors_file(
        {"b": entry([1], [4, 8]), "a": entry([1], [0, 4])}, b"12345678"
    ),
    "none": tensors_file({}),
    "a scalar": tensors_file({"a": entry([], [0, 4])}, bytes(4)),
    "an empty one": tensors_file({"a": entry([0, 3], [0, 0]), "b": entry([1], [0, 4])}, bytes(4)),
    "an empty one at the end": tensors_file(
        {"a": entry([1], [0, 4]), "b": entry([0], [4, 4])}, bytes(4)
    ),
    "an empty one within": tensors_file(
        {"a": entry([2], [0, 8]), "b": entry([0], [4, 4])}, bytes(8)
    ),
    "a hole": tensors_file({"a": entry([1], [0, 4]), "b": entry([1], [8, 12])}, bytes(12)),
    "an overlap": tensors_file({"a": entry([2], [0, 8]), "b": entry([1], [4, 8])}, bytes(8)),
    "the same bytes": tensors_file({"a": entry([1], [0, 4]), "b": entry([1], [0, 4])}, bytes(4)),
    "bytes behind": tensors_file({"a": entry([1], [0, 4])}, bytes(5)),
    "bytes missing": tensors_file({"a": entry([1], [0, 4])}, bytes(3)),
    "a name twice": tensors_file(
        b'{"a":%s,"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}' % ONE, bytes(8)
    ),
    "an entry twice": tensors_file(
        b'{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', bytes(4)
    ),
    "a fraction as offset": tensors_file({"a": entry([1], [0.0, 4.0])}, bytes(4)),
    "a fraction as size": tensors_file({"a": entry([1.0], [0, 4])}, bytes(4)),
    "true as size": tensors_file({"a": entry([True], [0, 4])}, bytes(4)),
    "a negative size": tensors_file({"a": entry([-1], [0, 4])}, bytes(4)),
    "three offsets": tensors_file({"a": entry([1], [0, 4, 4])}, bytes(4)),
    "a shape that overflows": tensors_file({"a": entry([2**62, 4], [0, 0])}),
    "metadata": tensors_file({"__metadata__": {"a": "b"}, "a": entry([1], [0, 4])}, bytes(4)),
    "metadata null": tensors_file({"__metadata__": None, "a": entry([1], [0, 4])}, bytes(4)),
    "metadata with a number": tensors_file(
        {"__metadata__": {"a": 1}, "a": entry([1], [0, 4])}, bytes(4)
    ),
    "metadata in a list": tensors_file({"__metadata__": [], "a": entry([1], [0, 4])}, bytes(4)),
    "more in an entry": tensors_file({"a": entry([1], [0, 4], x=3)}, bytes(4)),
    "spaces behind the header": tensors_file(b'{"a":%s}   ' % ONE, bytes(4)),
    "zeros behind the header": tensors_file(b'{"a":%s}\0\0' % ONE, bytes(4)),
    "no UTF-8": tensors_file(b'{"\xff":%s}' % ONE, bytes(4)),
    "no JSON": tensors_file(b"{", bytes(4)),
    "no header": bytes(8) + b"{}",
    "too short": b"123",
    "a header of 2**63": (2**63).to_bytes(8, "little") + b"{}",
    **{
        kind: tensors_file({"a": entry([2], [0, 2 * size], kind)}, bytes(range(size)) * 2)
        for kind, size in zip(
            "U8 I8 U16 I16 U32 I32 U64 I64 F16 F32 F64".split(), (1, 1, 2, 2, 4, 4, 8, 8, 2, 4, 8)
        )
    },
    "BOOL": tensors_file({"a": entry([4], [0, 4], "BOOL")}, b"\0\1\1\0"),
}


@pytest.mark.parametrize("name", TENSOR_FILES)
def test_safetensors_are_read_as_the_reference_reads_them(tmp_path, name):
    reference = pytest.importorskip("safetensors.numpy", reason="compares with safetensors")
    (tmp_path / "x.safetensors").write_bytes(TENSOR_FILES[name])
    try:
        expected = reference.load(TENSOR_FILES[name])
    except Exception:
        with pytest.raises(CheckpointError, match="no intact safetensors file"):
            read_safetensors(tmp_path / "x.safetensors")
        return
    arrays = read_safetensors(tmp_path / "x.safetensors")
    assert set(arrays) == set(expected)
    for key, array in expected.items():
        assert arrays[key].dtype == array.dtype and arrays[key].shape == array.shape
        np.testing.assert_array_equal(arrays[key], array)


@pytest.mark.parametrize("kind", ["F8_E4M3", "C64", "F4"])
def test_a_type_that_we_do_not_know_is_named(tmp_path, kind):
    (tmp_path / "x").write_bytes(tensors_file({"a": entry([8], [0, 8], kind)}, bytes(8)))
    with pytest.raises(CheckpointError, match=f"type {kind}"):
        read_safetensors(tmp_path / "x")


# --- torch's files as torch reads them -----------------------------------------------------------


def torch_cases(torch) -> dict:
    t = torch.arange(12.0).reshape(3, 4)
    noted = torch.ones(2)
    noted.note = "an attribute"
    kinds = (
        "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool uint16 uint32 uint64"
    )
    return {
        **{kind: t.to(getattr(torch, kind)) for kind in kinds.split()},
        "transposed": t.T,
        "a part": t[1:, ::2],
        "expanded": torch.ones(1).expand(5),
        "a scalar": torch.tensor(3.0),
        "empty": t[3:],
        "a parameter": torch.nn.Parameter(t),
        "with an attribute": noted,
        "negative": torch._neg_view(t),
        "imaginary": t.to(torch.complex64).conj().imag,
        "views of one": [t, t[0], t.T],
        "a size": t.shape,
        "a set": {1, 2},
        "an empty set": set(),
        "ordered": OrderedDict(a=1),
        "counted": Counter("aab"),
        "numbers": [2**100, -5, 1e300, float("-inf"), True, None, 1 + 2j],
        "texts": ["ä中😀", b"abc"],
        "a layer": torch.nn.Linear(3, 2).state_dict(),
        "an optimizer": torch.optim.AdamW([torch.nn.Parameter(t)]).state_dict(),
    }


def as_torch(a, b) -> bool:
    """Whether our a is what torch calls b."""
    torch = sys.modules["torch"]
    if isinstance(b, torch.Tensor):
        b = (b.float() if b.dtype == torch.bfloat16 else b).detach().resolve_neg().numpy()
        return isinstance(a, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(b, dict):
        return list(a) == list(b) and all(as_torch(a[key], b[key]) for key in b)
    if isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(as_torch, a, b))
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("is_zip", [True, False], ids=["zip", "legacy"])
def test_we_read_what_torch_reads_in_its_safe_mode(tmp_path, is_zip):
    torch = pytest.importorskip("torch", reason="compares with torch")
    path = tmp_path / "x.pt"
    for name, value in torch_cases(torch).items():
        if not is_zip and name in ("uint16", "uint32", "uint64", "views of one"):
            continue  # which torch itself does not read any more, or cannot write
        torch.save({"x": value}, path, _use_new_zipfile_serialization=is_zip)
        expected = torch.load(path, weights_only=True)["x"]
        assert as_torch(load_torch(path)["x"], expected), name


def test_types_devices_and_layouts_are_read_as_their_names(tmp_path):
    torch = pytest.importorskip("torch", reason="writes files with torch")
    values = [torch.float32, torch.uint16, torch.float8_e5m2, torch.complex64]
    values += [torch.device("cpu"), torch.device("cuda", 1), torch.strided]
    for protocol in (2, 3, 4, 5):
        torch.save({"x": values, "s": {"a"}}, tmp_path / "x.pt", pickle_protocol=protocol)
        names = load_torch(tmp_path / "x.pt")["x"]
        assert names == [str(value) for value in values]


@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor")
def test_tensors_that_numpy_does_not_have_are_named(tmp_path):
    torch = pytest.importorskip("torch", reason="writes files with torch")
    t = torch.ones(2, 2)
    for value, said in (
        (t.to_sparse(), "_rebuild_sparse_tensor"),
        (torch.quantize_per_tensor(t, 0.1, 0, torch.qint8), "_rebuild_qtensor"),
        (t.to(torch.complex64), "ComplexFloatStorage"),
        (t.to(torch.float8_e5m2), "torch.float8_e5m2"),
        (t.to("meta"), "_rebuild_meta_tensor"),
    ):
        torch.save({"x": value}, tmp_path / "x.pt")
        with pytest.raises(CheckpointError, match=said):
            load_torch(tmp_path / "x.pt")


@pytest.mark.parametrize(("kind", "storage"), [("<f4", "Float"), ("<i8", "Long"), ("u1", "Byte")])
def test_the_order_of_bytes_is_honoured(tmp_path, kind, storage):
    values = np.arange(6).astype(kind)
    pickled = tensor_pickle((2, 3), (3, 1), storage=f"{storage}Storage")
    for order, raw in (
        (b"little", values),
        (b"big", values.astype(values.dtype.newbyteorder(">"))),
    ):
        torch_zip(tmp_path / "x.pt", pickled, {"0": raw.tobytes()})
        with zipfile.ZipFile(tmp_path / "x.pt", "a") as archive:
            archive.writestr("archive/byteorder", order)
        np.testing.assert_array_equal(load_torch(tmp_path / "x.pt")["x"], values.reshape(2, 3))
    torch_zip(tmp_path / "x.pt", pickled, {"0": values.tobytes()})
    with zipfile.ZipFile(tmp_path / "x.pt", "a") as archive:
        archive.writestr("archive/byteorder", b"middle")
    with pytest.raises(CheckpointError, match="order of bytes"):
        load_torch(tmp_path / "x.pt")


def test_no_view_reaches_beyond_its_storage(tmp_path):
    """An empty storage switches NumPy's own check off; strides can wrap around 2**64."""
    path = tmp_path / "x.pt"
    for pickled, raw in (
        (tensor_pickle((2, 3), (3, 1), numel=0), b""),
        (tensor_pickle((2, 3), (0, 0), numel=0), b""),
        (tensor_pickle((2, 3), (2**47, 1)), RAW),
        (tensor_pickle((5, 3), (2**62, 1)), RAW),
        (tensor_pickle((2**40, 2**40), (0, 0)), RAW),
        (tensor_pickle((2**30,), (0,)), RAW),
        (tensor_pickle((2, 3), (3,)), RAW),
        (tensor_pickle((2, 3), (3, 1), numel=2**40), RAW),
    ):
        torch_zip(path, pickled, {"0": raw})
        with pytest.raises(CheckpointError, match="no intact torch checkpoint"):
            load_torch(path)


def test_archives_that_claim_more_than_they_have(tmp_path):
    path = tmp_path / "x.pt"
    pickled = tensor_pickle((2, 3), (3, 1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", pickled)
    with pytest.raises(CheckpointError, match="it is compressed, which torch.s files never are$"):
        load_torch(path)
    torch_zip(path, pickled, {"0": RAW, "1": bytes(50_000)})
    raw = path.read_bytes()
    central = raw.rindex(b"PK\x01\x02", 0, raw.rindex(b"archive/data/1"))
    for field in (20, 24):  # the sizes, in the archive's table of contents
        claimed = bytearray(raw)
        claimed[central + field : central + field + 4] = (2**31).to_bytes(4, "little")
        path.write_bytes(claimed)
        with pytest.raises(CheckpointError, match="overlap, or are larger"):
            load_torch(path)
    with pytest.warns(UserWarning), zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/data.pkl", b"N.")
    with pytest.raises(CheckpointError, match="no intact torch checkpoint"):
        load_torch(path)


def test_the_oldest_format_is_refused_with_what_helps(tmp_path):
    tar = bytes(257) + b"ustar" + bytes(250)
    (tmp_path / "x.pt").write_bytes(tar)
    with pytest.raises(CheckpointError, match="load and save it with torch once"):
        load_torch(tmp_path / "x.pt")


# --- what each refusal says, to its end ----------------------------------------------------------


def refusal(read, path, content: bytes) -> str:
    """What `read` says against a file of that content, behind the name of the file."""
    path.write_bytes(content)
    with pytest.raises(CheckpointError) as caught:
        read(path)
    return str(caught.value).partition(": ")[2]


NO_OBJECT = "it has no JSON object where one should be, or one of too many parts"
HEADER = len(tensors_file({"a": entry([1], [0, 4])})) - 8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (tensors_file(b"[]"), NO_OBJECT),
        (b"123", NO_OBJECT),
        *[(tensors_file(b"{" + 300_000 * sign), NO_OBJECT) for sign in (b",", b"[", b"{")],
        (TENSOR_FILES["a name twice"], "it says the same name twice"),
        (TENSOR_FILES["metadata with a number"], "its metadata are no texts"),
        (
            TENSOR_FILES["a hole"],
            "b does not begin where others end, or does not fit its shape",
        ),
        (TENSOR_FILES["bytes behind"], "its tensors have 4 bytes, and it has 5 for them"),
        (
            (HEADER + 1).to_bytes(8, "little") + tensors_file({"a": entry([1], [0, 4])})[8:] + b" ",
            "its tensors have 4 bytes, and it has 0 for them",
        ),
        (TENSOR_FILES["a negative size"], "it has an array with sizes that are none"),
        (tensors_file({"a": entry(None, [0, 4])}), "it has an array without a shape"),
        (tensors_file({"a": entry([1] * 33, [0, 4])}), "it has an array without a shape"),
        (
            tensors_file({"a": entry([2**48], [0, 4])}),
            "it has an array with sizes that are none",
        ),
    ],
)
def test_what_is_said_of_a_safetensors_file(tmp_path, content, said):
    assert refusal(read_safetensors, tmp_path / "x.safetensors", content) == said


def test_a_header_of_many_parts_is_no_fault_by_itself(tmp_path):
    said = refusal(read_safetensors, tmp_path / "x", tensors_file(b"{" + 299_995 * b","))
    assert said.startswith("JSONDecodeError")


def test_what_stands_in_the_files_that_we_write(tmp_path):
    """Float32 whatever came; numbers begin at a multiple of 8; the config says GPT-2's sizes."""
    write_safetensors(tmp_path / "x", {"ab": np.array([[1.0, 2.0]])})
    header = b'{"__metadata__": {"format": "pt"}, '
    header += b'"ab": {"dtype": "F32", "shape": [1, 2], "data_offsets": [0, 8]}}'
    padded = header + b" " * 5
    assert len(header) == 99 and len(padded) == 104
    numbers = bytes.fromhex("0000803f 00000040")
    assert (tmp_path / "x").read_bytes() == bytes([104, 0, 0, 0, 0, 0, 0, 0]) + padded + numbers
    small().save_pretrained(tmp_path)
    sizes = {"vocab_size": 11, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_positions": 8}
    names = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
    rest = {"activation_function": "gelu_new", **dict.fromkeys(_DROPOUTS, 0.0)}
    text = (tmp_path / "config.json").read_text(encoding="utf-8")
    assert text == json.dumps(sizes | names | rest, indent=2) + "\n"


_DROPOUTS = ("attn_pdrop", "embd_pdrop", "resid_pdrop")


def test_nothing_of_a_folder_is_replaced_before_all_is_written(tmp_path, monkeypatch):
    real = os.replace

    def replace(old, new):
        if new.name == "model.safetensors":
            raise OSError("no space left")
        real(old, new)

    small(seed=1).save_pretrained(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    monkeypatch.setattr(os, "replace", replace)
    tokenizer = BPETokenizer.from_text("to be or not to be", 260)
    with pytest.raises(OSError, match="no space"):
        small(seed=2).save_pretrained(tmp_path, tokenizer)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize(
    "there",
    [
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("vocab.json", "merges.txt"),
    ],
)
def test_export_replaces_nothing_unasked(tmp_path, there):
    model = small()
    save(tmp_path / "a.pkl", {"model_args": model.config, "model": model.collect_state_dict()})
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / there).write_text("mine")
    with pytest.raises(CheckpointError, match=f"{there} exists already"):
        export(tmp_path / "a.pkl", tmp_path / "folder")
    assert (tmp_path / "folder" / there).read_text() == "mine"


@pytest.mark.parametrize(
    ("entries", "said"),
    [
        (
            {"attn_pdrop": 0.5},
            "is no intact config of a GPT: attn_pdrop, embd_pdrop and resid_pdrop must be one"
            " number; GPT has one",
        ),
        (
            dict.fromkeys(_DROPOUTS, 1),
            "is no intact config of a GPT: attn_pdrop, embd_pdrop and resid_pdrop must be one"
            " number; GPT has one",
        ),
        (
            {"n_head": 3},
            "is no intact config of the weights beside it: n_embd must be a multiple of n_head,"
            " got 16 and 3",
        ),
        (
            {"model_type": "gpt_neo"},
            "is no intact config of a GPT: it says model_type: gpt_neo, but GPT has gpt2, not"
            " gpt_neo",
        ),
    ],
)
def test_what_is_said_of_a_config(tmp_path, entries, said):
    small().save_pretrained(tmp_path)
    change_config(tmp_path, **entries)
    with pytest.raises(CheckpointError) as caught:
        GPT.from_pretrained(tmp_path)
    assert str(caught.value) == f"{tmp_path / 'config.json'} {said}"


def test_what_is_said_of_a_folder(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        GPT.from_pretrained(tmp_path)
    config = f"no config.json in {tmp_path}, which a model of Hugging Face has"
    assert str(caught.value) == config
    small().save_pretrained(tmp_path)
    where = in_shards(tmp_path)
    write_index(tmp_path, {**where, "more": min(where.values())})
    index = tmp_path / "model.safetensors.index.json"
    with pytest.raises(CheckpointError) as caught:
        GPT.from_pretrained(tmp_path)
    said = f"it and {min(where.values())} do not agree about more"
    assert str(caught.value) == f"{index} is no intact index of weights: {said}"
    with pytest.raises(ValueError) as error:
        small(bias=False).save_pretrained(tmp_path)
    assert str(error.value) == "GPT-2's format has biases; this model was made with bias=False"


def test_two_heads_that_differ_or_one_without_embeddings():
    ours = small().collect_state_dict()
    with pytest.raises(ValueError) as caught:
        to_our_names(ours | {"lm_head.weight": ours["lm_head.weight"] + 1}, transposed=False)
    said = "its lm_head.weight is not wte.weight; in our GPT the two are one (tied)"
    assert str(caught.value) == said


def zipped(pickled: bytes, raw: bytes = RAW) -> bytes:
    file = io.BytesIO()
    torch_zip(file, pickled, {"0": raw})
    return file.getvalue()


GOOD = tensor_pickle((2, 3), (3, 1))
KIND, KEY, CPU = b"ctorch\nFloatStorage\n", b"X\x01\x00\x00\x000", b"X\x03\x00\x00\x00cpu"
NO_STORAGE = "it refers to something that is no storage"
BEYOND = "it holds a tensor that reaches beyond its storage"
CONJUGATE = "it holds a tensor with the mark conj"
WITHOUT = "it holds a tensor without a storage"
TWO_PARTS = io.BytesIO()
with zipfile.ZipFile(TWO_PARTS, "w") as _archive:
    _archive.writestr("a/data.pkl", b"N.")
    _archive.writestr("b/data.pkl", b"N.")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped(GOOD.replace(b"storagec", b"storagfc")), NO_STORAGE),
        (zipped(GOOD.replace(KIND, b"K\x05")), NO_STORAGE),
        (zipped(GOOD.replace(KEY, b"K\x00")), NO_STORAGE),
        (zipped(GOOD.replace(KIND, b"K\x05").replace(KEY, b"K\x00")), NO_STORAGE),
        (zipped(GOOD.replace(CPU + b"K\x06", CPU + b"K\x06K\x01")), NO_STORAGE),
        (zipped(GOOD, RAW[:-1]), "its storage 0 has 23 bytes in place of 24"),
        (
            zipped(tensor_pickle((2, 3), (3, 1), numel=2**40)),
            "it asks for far more memory than its own size",
        ),
        (zipped(tensor_pickle((2, 4), (3, 1))), BEYOND),
        (zipped(tensor_pickle((7,), (1,))), BEYOND),
        (zipped(GOOD.replace(b")RtR", b")R}X\x04\x00\x00\x00conjI01\nstR")), CONJUGATE),
        (zipped(b"ctorch._utils\n_rebuild_tensor\n(K\x05K\x00))tR."), WITHOUT),
        (TWO_PARTS.getvalue(), "it has no data.pkl, or several"),
        (
            bytes(257) + b"ustar" + bytes(250),
            "it is as old as torch 0.1 (tar): load and save it with torch once",
        ),
        (b"N.", "it is neither a zip archive nor of the kind that torch wrote before"),
    ],
)
def test_what_is_said_of_a_torch_file(tmp_path, content, said):
    assert refusal(load_torch, tmp_path / "x.pt", content) == said


def machine(is_big_endian=False) -> _TorchMachine:
    """One that has room for 100 bytes, and storages of zeros."""
    made = _TorchMachine(io.BytesIO(), 0, lambda key, n: bytes(n), is_big_endian)
    made.room = 100
    return made


@pytest.mark.parametrize(
    ("is_big_endian", "raw", "kind", "numbers", "spent"),
    [
        (False, "0000803f 00000040", "<f4", [1, 2], 0),
        (False, "803f 0040 4040", BFLOAT16, [1, 2, 3], 12),
        (True, "3f800000 40000000", "<f4", [1, 2], 16),
        (True, "0001 0203", "<i2", [1, 0x203], 8),
        (True, "3f80 4000", BFLOAT16, [1, 2], 8),
        (True, "01 02", "<u1", [1, 2], 4),
    ],
)
def test_only_numbers_that_must_be_made_anew_cost_room(is_big_endian, raw, kind, numbers, spent):
    m = machine(is_big_endian)
    np.testing.assert_array_equal(m.numbers(bytes.fromhex(raw), kind), numbers)
    assert m.room == 100 - spent


def test_each_storage_and_each_view_is_paid_for_with_its_bytes():
    m = machine()
    first = m.persistent(("storage", "Short", "0", "cpu", 6))
    assert m.room == 88 and first.dtype == np.int16 and first.shape == (6,)
    assert m.persistent(("storage", "Short", "0", "cpu", 6, None)) is first and m.room == 88
    view = m.tensor(first, 1, (2, 2), (3, 1))
    assert m.room == 80 and np.shares_memory(view, first)
    assert m.tensor(first, 6, (0, 3), (9, 9)).shape == (0, 3)
    first[:] = range(6)
    np.testing.assert_array_equal(view, [[1, 2], [4, 5]])
    marks = {"neg": True, "conj": False}
    negative = m.tensor_of_type(first, 0, (2,), (1,), False, {}, "torch.uint16", marks)
    np.testing.assert_array_equal(negative, np.array([0, 2**16 - 1], dtype=np.uint16))


def test_a_tensor_of_a_class_of_its_own_is_refused():
    with pytest.raises(ValueError) as caught:
        machine().tensor_of_class(dict, None, (), None)
    assert str(caught.value) == "it holds a tensor of a class of its own"


def test_the_older_calls_for_tensors_and_bytes(tmp_path):
    """Before torch 0.4 tensors were made by four arguments; Python 2's bytes are calls."""
    older = GOOD.replace(b"_v2", b"").replace(b"\x89ccollections\nOrderedDict\n)R", b"")
    torch_zip(tmp_path / "x.pt", older, {"0": RAW})
    np.testing.assert_array_equal(load_torch(tmp_path / "x.pt")["x"], [[0, 1, 2], [3, 4, 5]])
    content = [bytearray(b"a\xff"), bytearray(), b"\xff", b""]
    for protocol in (2, 3, 4):
        torch_zip(tmp_path / "x.pt", pickle.dumps(content, protocol), {})
        assert load_torch(tmp_path / "x.pt") == [bytes(part) for part in content]


def test_what_convert_says_of_weights_alone(tmp_path, torch_save):
    state = {name: TorchTensor(array) for name, array in small().collect_state_dict().items()}
    old = tmp_path / "w.pt"
    torch_save(state, old)
    with pytest.raises(CheckpointError) as caught:
        convert(old, tmp_path / "new.pkl")
    said = "it holds weights alone, which do not show n_head: say it by --n-head"
    assert str(caught.value) == f"{old} is no intact checkpoint of nanoGPT: {said}"
    with pytest.raises(CheckpointError) as caught:
        convert(old, tmp_path / "new.pkl", n_head=3)
    said = "n_embd must be a multiple of n_head, got 16 and 3"
    assert str(caught.value) == f"{old} is no intact checkpoint of nanoGPT: {said}"


def test_a_file_from_before_the_archives_is_read_without_torch(tmp_path):
    """Five pickles: a number, a version, a system, the content, the keys of its storages."""
    content = GOOD.replace(CPU + b"K\x06", CPU + b"K\x06N")
    parts = [pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]
    parts += [content, pickle.dumps(["0"], 2), (6).to_bytes(8, "little"), RAW]
    (tmp_path / "x.pt").write_bytes(b"".join(parts))
    np.testing.assert_array_equal(load_torch(tmp_path / "x.pt")["x"], [[0, 1, 2], [3, 4, 5]])
    parts[0] = pickle.dumps(0x1950A86A20F9469CFC6D, 2)
    said = "it is neither a zip archive nor of the kind that torch wrote before"
    assert refusal(load_torch, tmp_path / "x.pt", b"".join(parts)) == said


def test_numbers_that_many_names_share_count_once(tmp_path):
    """A file of a few bytes may not claim a model of many: neither by one array under all names,
    also if it is turned, nor by one number that is seen as many, nor by parts that overlap."""
    sizes = {"vocab_size": 4, "n_embd": 32, "n_layer": 8, "n_head": 1, "block_size": 4}
    state = GPT(**sizes, rng=0).collect_state_dict()
    for shared in (
        lambda a: np.zeros(1, np.float32),  # an array for each name, of one number
        lambda a: np.float32(0),
    ):
        few = {name: np.broadcast_to(shared(a), a.shape) for name, a in state.items()}
        with pytest.raises(ValueError, match="fewer weights"):
            model_with(sizes, few)
    big = {a.shape: a for a in state.values()}
    with pytest.raises(ValueError, match="fewer weights"):
        model_with(sizes, {name: big[a.shape].T.T for name, a in state.items()})
    pool = np.zeros(5000, np.float32)
    shifted = {n: pool[i : i + a.size].reshape(a.shape) for i, (n, a) in enumerate(state.items())}
    with pytest.raises(ValueError, match="fewer weights"):
        model_with(sizes, shifted)
    assert model_with(sizes, state).config["n_layer"] == 8


def test_what_is_no_dict_of_weights_is_told_in_words(tmp_path):
    torch = pytest.importorskip("torch", reason="writes files of torch")
    for content, said in (
        ([torch.ones(3)], "holds a list"),
        (torch.ones(3), "holds a ndarray"),
        ({}, "names no weights"),
        ({3: torch.ones(3)}, "names no weights"),
    ):
        torch.save(content, tmp_path / "x.pt")
        with pytest.raises(CheckpointError, match=said):
            convert(tmp_path / "x.pt", tmp_path / "y.pkl")


def test_complex_numbers_are_not_written_in_part(tmp_path):
    with pytest.raises(ValueError, match="a holds complex numbers"):
        write_safetensors(tmp_path / "x.safetensors", {"a": np.ones(2, complex)})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int64", "bool"])
def test_whole_numbers_are_no_weights(tmp_path, dtype):
    """As quantised models have them, beside scales that we would not find."""
    small().save_pretrained(tmp_path)
    path, name = tmp_path / "model.safetensors", "transformer.h.0.mlp.c_fc.weight"
    state = read_safetensors(path)
    safetensors = pytest.importorskip("safetensors.numpy", reason="safetensors is not installed")
    safetensors.save_file({**state, name: np.round(100 * state[name]).astype(dtype)}, path)
    with pytest.raises(CheckpointError, match=rf"c_fc.weight holds no fractions \({dtype}\)"):
        GPT.from_pretrained(tmp_path)


def test_a_folder_in_the_way_of_a_file_is_found_before_anything_is_replaced(tmp_path):
    (tmp_path / "model.safetensors").mkdir()
    (tmp_path / "config.json").write_text("mine", encoding="utf-8")
    with pytest.raises(OSError, match="model.safetensors is a folder, where a file shall be"):
        small().save_pretrained(tmp_path)
    assert (tmp_path / "config.json").read_text(encoding="utf-8") == "mine"


def test_bytes_that_are_no_text_are_not_shown_in_full(tmp_path):
    head = b'{"' + b"\xff" * 1000
    (tmp_path / "m.safetensors").write_bytes(len(head).to_bytes(8, "little") + head)
    with pytest.raises(CheckpointError, match="can't decode byte 0xff in position 2: invalid st"):
        read_safetensors(tmp_path / "m.safetensors")
