"""A Llama of two layers, which first reads many short windows, and longer ones at the end."""

from collections.abc import Callable, Iterator

import numpy as np

from minigrad.data import SimpleTokenizer
from minigrad.gpt import LanguageModel
from minigrad.llama import Llama
from minigrad.muon import hold_then_decay, muon_for
from minigrad.optim import Optimizer
from minigrad.parallel import keep_freed_memory
from minigrad.train import train_step

STAGES = [(0.8, 24, 32), (1.0, 12, 64)]  # until this share of the steps: windows, their length


def llama(vocab_size: int, rng: np.random.Generator, n_layer: int = 2, tied: bool = True) -> Llama:
    """4 heads, 128 wide; it sees 64 characters."""
    return Llama(vocab_size, 128, n_layer, 4, block_size=64, tied=tied, rng=rng)


def windows(
    ids: np.ndarray, size: int, length: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of disjoint windows, from a random offset and in random order, each once."""
    while True:
        order = rng.permutation(np.arange(rng.integers(length), len(ids) - length, length))
        for i in range(0, len(order) - size + 1, size):
            window = ids[order[i : i + size, None] + np.arange(length + 1)]
            yield window[:, :-1], window[:, 1:]


def train(
    text: str,
    seed: int,
    steps: int = 250,
    build: Callable[..., LanguageModel] = llama,
    optimizer_for: Callable[..., Optimizer] = muon_for,
    stages: list[tuple[float, int, int]] = STAGES,
    last: int = 10,
) -> Iterator[tuple[LanguageModel, int]]:
    """A Llama of 2 layers; 250 steps with Muon, of 24 x 32 characters, the last fifth of 12 x 64;
    judged after each of the last ten."""
    keep_freed_memory()
    tokenizer = SimpleTokenizer.from_text(text)
    ids = np.array(tokenizer.encode(text))
    rng = np.random.default_rng(seed)
    model = build(tokenizer.vocab_size, rng)
    optimizer = optimizer_for(model)
    rates = [group["lr"] for group in optimizer.param_groups]
    step = tokens = 0
    for end, size, length in stages:
        batches = windows(ids, size, length, rng)
        while step < round(end * steps):
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate * hold_then_decay(step, steps)
            train_step(model, optimizer, *next(batches))
            step, tokens = step + 1, tokens + size * length
            if step > steps - last:
                yield model, tokens
