"""Saving a model so that nothing is lost, and loading it without trusting the file."""

# %% #imports #| export checkpoint
import argparse
import math
import os
import pickle
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np

from .data import SimpleTokenizer
from .gpt import GPT


# %% #save #| export checkpoint
class CheckpointError(ValueError):
    """A checkpoint is missing, damaged, or not what it should be."""


def save(path: str | Path, content: dict) -> None:
    """Pickle `content` to `path`, completely or not at all: whatever stood there stays until the
    new file is safely on disk."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(unfinished, "wb") as file:
            pickle.dump(content, file, protocol=5)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


# %% #load #| export checkpoint
def _latin1(text: str, encoding: str) -> bytes:
    """How older pickles spell bytes."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"bytes encoded as {encoding!r}")
    return text.encode("latin1")


_ARRAY_PARTS = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("_codecs", "encode"): _latin1,
    ("collections", "OrderedDict"): OrderedDict,
}
for _core in ("numpy._core", "numpy.core"):  # NumPy 2 and NumPy 1
    for _module, _name in (("multiarray", "_reconstruct"), ("multiarray", "scalar")):
        _ARRAY_PARTS[f"{_core}.{_module}", _name] = getattr(np._core.multiarray, _name)
    _ARRAY_PARTS[f"{_core}.numeric", "_frombuffer"] = np._core.numeric._frombuffer


class _ArrayUnpickler(pickle.Unpickler):
    """Builds arrays and plain containers. A pickle can name any function; others are refused."""

    def find_class(self, module: str, name: str):
        if (module, name) not in _ARRAY_PARTS:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}")
        return _ARRAY_PARTS[module, name]


def _require_plain(x) -> None:
    if isinstance(x, dict):
        x = [*x.keys(), *x.values()]
    if isinstance(x, (list, tuple)):
        for item in x:
            _require_plain(item)
    elif isinstance(x, (np.ndarray, np.generic)):
        if x.dtype.kind not in "fiub":
            raise pickle.UnpicklingError(f"it holds an array of {x.dtype}")
    elif not isinstance(x, (str, bytes, int, float, type(None))):
        raise pickle.UnpicklingError(f"it holds a {type(x).__name__}")


def load(path: str | Path):
    """What `save` wrote. Only arrays of numbers and plain containers are accepted."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}")
    try:
        with open(path, "rb") as file:
            content = _ArrayUnpickler(file).load()
        _require_plain(content)
    except MemoryError:
        raise CheckpointError(f"{path} asks for more memory than there is") from None
    except Exception as error:  # damaged bytes can make a pickle fail in any way
        raise CheckpointError(f"{path} is no intact checkpoint: {error}") from None
    return content


# %% #manager #| export checkpoint
class CheckpointManager:
    """Keeps two checkpoints in a folder: latest.pkl, and best.pkl of the lowest validation loss."""

    def __init__(self, folder: str | Path):
        self.latest, self.best = Path(folder, "latest.pkl"), Path(folder, "best.pkl")
        self.best_val_loss = load(self.best)["val_loss"] if self.best.is_file() else math.inf

    def save(self, content: dict, val_loss: float = math.inf) -> None:
        """`content` becomes the latest; with the lowest val_loss so far it becomes the best too."""
        content = {**content, "val_loss": val_loss}
        if val_loss < self.best_val_loss:
            save(self.best, content)
            self.best_val_loss = val_loss
        save(self.latest, content)


def load_model(path: str | Path) -> tuple[GPT, SimpleTokenizer | None]:
    """The model in a checkpoint, in evaluation mode, and its tokenizer if it holds one."""
    content = load(path)
    try:
        model = GPT(**content["model_args"])
        model.load_state_dict(content["model"])
        characters = content.get("characters")
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} holds no GPT: {error!r}") from None
    return model.eval(), None if characters is None else SimpleTokenizer(characters)


# %% #convert #| export checkpoint
_TORCH_TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",  # read as bits, the upper half of a float32
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class _TorchUnpickler(_ArrayUnpickler):
    """Reads data.pkl of a torch file: its tensors are views of storages, which are other files."""

    def __init__(self, archive: zipfile.ZipFile, data_pkl: str):
        super().__init__(archive.open(data_pkl))
        self.archive, self.folder = archive, data_pkl.removesuffix("data.pkl")

    def find_class(self, module: str, name: str):
        if module == "torch" and name in _TORCH_TYPES:
            return name  # only its name is needed, in persistent_load
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor_to_array
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda data, requires_grad, hooks: data
        return super().find_class(module, name)

    def persistent_load(self, reference: tuple) -> np.ndarray:
        _, storage_type, key, _location, _size = reference
        raw = self.archive.read(f"{self.folder}data/{key}")
        array = np.frombuffer(raw, _TORCH_TYPES[storage_type])
        if storage_type == "BFloat16Storage":
            array = (array.astype(np.uint32) << 16).view(np.float32)
        return array


def _tensor_to_array(storage, offset, shape, strides, *_) -> np.ndarray:
    """The view of a storage that a tensor is; its strides count elements."""
    last = offset + sum((size - 1) * stride for size, stride in zip(shape, strides))
    if min(offset, *shape, *strides, 0) < 0 or (0 not in shape and last >= len(storage)):
        raise pickle.UnpicklingError(f"a tensor of shape {shape} reaches beyond its storage")
    strides = [stride * storage.itemsize for stride in strides]
    return np.lib.stride_tricks.as_strided(storage[offset:], shape, strides).copy()


def load_torch(path: str | Path):
    """What torch.save wrote to `path`, with arrays for tensors, without torch."""
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"no checkpoint at {path}")
    try:
        with zipfile.ZipFile(path) as archive:
            (data_pkl,) = (n for n in archive.namelist() if n.split("/")[1:] == ["data.pkl"])
            content = _TorchUnpickler(archive, data_pkl).load()
        _require_plain(content)
    except Exception as error:  # as in load
        raise CheckpointError(f"{path} is no intact torch checkpoint: {error}") from None
    return content


def convert(old: str | Path, new: str | Path) -> GPT:
    """Turn nanoGPT's ckpt.pt (`model`, `model_args`) into a checkpoint for load_model."""
    content = load_torch(old)
    try:
        weights, args = content["model"], dict(content["model_args"])
        args = {**args, "dropout": args.get("dropout") or 0.0}
        state = {
            name.removeprefix("_orig_mod."): array
            for name, array in weights.items()
            if not name.endswith((".attn.bias", ".attn.masked_bias"))  # masks, not weights
        }
        state.setdefault("lm_head.weight", state.get("transformer.wte.weight"))
        model = GPT(**args)
        model.load_state_dict(state)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{old} is no checkpoint of nanoGPT: {error!r}") from None
    save(new, {"model_args": model.config, "model": model.collect_state_dict()})
    return model


# %% #checkpoint-command #| export checkpoint
def main(argv: list[str] | None = None) -> int:
    """The command line of `python -m minigrad.checkpoint`."""
    parser = argparse.ArgumentParser(
        prog="python -m minigrad.checkpoint", description="Convert checkpoints."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("convert", help="a torch checkpoint (.pt) to .pkl, without torch")
    command.add_argument("old", metavar="OLD.pt", help="a checkpoint in nanoGPT's layout")
    command.add_argument("new", metavar="NEW.pkl", help="where to write")
    args = parser.parse_args(argv)
    try:
        model = convert(args.old, args.new)
    except (CheckpointError, OSError) as error:
        parser.exit(2, f"error: {error}\n")
    print(f"{args.new}: a GPT of {model.num_parameters():,} parameters")
    return 0


if __name__ == "__main__" and "__file__" in globals():  # a notebook has no __file__
    sys.exit(main())
