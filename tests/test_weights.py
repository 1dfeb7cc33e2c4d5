"""Other people's weights: their formats, their names, and files that mean harm."""

import io
import json
import os
import pickle
import sys
import zipfile
from types import ModuleType

import numpy as np
import pytest

from minigrad.checkpoint import CheckpointError, load_model
from minigrad.gpt import GPT
from minigrad.weights import (
    convert,
    load_torch,
    numbers_in,
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
    numbers = numbers_in(raw, "bfloat16")
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
    assert "no checkpoint of nanoGPT" in process.stderr and process.stderr.count("\n") == 1
    assert not (tmp_path / "new.pkl").exists()
    assert "OLD.pt" in run_module("checkpoint", "convert", "--help").stdout
