"""From a text to batches of token ids."""

# %% #imports
import importlib.util
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np


# %% #load-text
DATASETS = {"shakespeare": "shakespeare.txt", "names": "names.txt", "poems": "poems.txt"}


def load_text(name_or_path: str | Path) -> str:
    """The text of a named data set (a key of DATASETS), or of a file in UTF-8."""
    path = Path(name_or_path)
    if str(name_or_path) in DATASETS:
        package = Path(importlib.util.find_spec("minigrad").submodule_search_locations[0])
        path = package.parent / "datasets" / DATASETS[str(name_or_path)]
    if not path.is_file():
        raise FileNotFoundError(
            f"no data set or text file {str(name_or_path)!r}; named data sets: "
            + ", ".join(sorted(DATASETS))
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not text in UTF-8: byte {error.object[error.start]:#04x} "
            f"at position {error.start}"
        ) from None
    if not text:
        raise ValueError(f"{path} is empty")
    return text


# %% #tokenizer
class SimpleTokenizer:
    """Characters to integers and back. The ids follow the sorted order of the characters."""

    def __init__(self, characters: Sequence[str]):
        self.characters = list(characters)
        self.id_of = {character: i for i, character in enumerate(self.characters)}
        if len(self.id_of) != len(self.characters):
            raise ValueError("a tokenizer needs each character once")

    @classmethod
    def from_text(cls, text: str) -> "SimpleTokenizer":
        """A tokenizer for exactly the characters of `text`."""
        return cls(sorted(set(text)))

    @property
    def vocab_size(self) -> int:
        return len(self.characters)

    def encode(self, text: str) -> list[int]:
        try:
            return [self.id_of[character] for character in text]
        except KeyError as error:
            character = error.args[0]
            raise ValueError(
                f"unknown character {character!r} at position {text.index(character)}: "
                f"this tokenizer knows the {self.vocab_size} characters of its training text"
            ) from None

    def decode(self, ids: Sequence[int]) -> str:
        ids = [int(i) for i in ids]
        for i in ids:
            if not 0 <= i < self.vocab_size:
                raise ValueError(f"token ids run from 0 to {self.vocab_size - 1}, got {i}")
        return "".join(self.characters[i] for i in ids)


# %% #dataset
class TextDataset:
    """Every window of block_size tokens, with the same window one token later as its target."""

    def __init__(self, ids: Sequence[int], block_size: int):
        self.ids, self.block_size = np.asarray(ids), block_size
        if block_size < 1:
            raise ValueError(f"block_size must be at least 1, got {block_size}")
        if len(self.ids) <= block_size:
            raise ValueError(
                f"block_size {block_size} needs a text of at least {block_size + 1} tokens, "
                f"but this one has {len(self.ids)}"
            )

    def __len__(self) -> int:
        return len(self.ids) - self.block_size

    def __getitem__(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """x and y, both (block_size,): y[t] is the token that follows x[t]."""
        if not 0 <= i < len(self):
            raise IndexError(f"window {i} of a data set of {len(self)} windows")
        window = self.ids[i : i + self.block_size + 1]
        return window[:-1], window[1:]


def train_val_split(ids: Sequence[int], val_fraction: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """The first part to train on and the last part, unseen in training, to validate on."""
    ids = np.asarray(ids)
    n_train = int(len(ids) * (1 - val_fraction))
    return ids[:n_train], ids[n_train:]


# %% #loader
class DataLoaderSimple:
    """Batches (x, y), both (batch_size, block_size). Iterating makes one pass over all windows,
    shuffled by `rng`, or in order without one; an incomplete last batch is left out."""

    def __init__(
        self, dataset: TextDataset, batch_size: int, rng: np.random.Generator | None = None
    ):
        if not 1 <= batch_size <= len(dataset):
            raise ValueError(f"batch_size must be 1 to {len(dataset)} here, got {batch_size}")
        self.dataset, self.batch_size, self.rng = dataset, batch_size, rng

    def __len__(self) -> int:
        return len(self.dataset) // self.batch_size

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        n = len(self.dataset)
        order = np.arange(n) if self.rng is None else self.rng.permutation(n)
        for start in range(0, len(self) * self.batch_size, self.batch_size):
            yield self.batch(order[start : start + self.batch_size])

    def batch(self, windows: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        """The batch of these windows."""
        xs, ys = zip(*(self.dataset[i] for i in windows))
        return np.stack(xs), np.stack(ys)

    def sample(self) -> tuple[np.ndarray, np.ndarray]:
        """A batch of windows drawn at random, each independently of the others."""
        return self.batch(self.rng.integers(len(self.dataset), size=self.batch_size))
