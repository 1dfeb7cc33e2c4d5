"""The optimizer of chapter 12 on nanoGPT's model: the first record of the board."""

from collections.abc import Iterator

import numpy as np

from minigrad.data import SimpleTokenizer
from minigrad.gpt import GPT
from minigrad.muon import hold_then_decay, muon_for
from minigrad.parallel import keep_freed_memory
from minigrad.train import train_step

STEPS, BATCH_SIZE, BLOCK_SIZE = 340, 16, 64
JUDGED_FROM = 200


def windows(ids: np.ndarray, rng: np.random.Generator) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of disjoint windows, from a random offset and in random order, each once."""
    while True:
        offset = rng.integers(BLOCK_SIZE)
        order = rng.permutation(np.arange(offset, len(ids) - BLOCK_SIZE, BLOCK_SIZE))
        for i in range(0, len(order) - BATCH_SIZE + 1, BATCH_SIZE):
            window = ids[order[i : i + BATCH_SIZE, None] + np.arange(BLOCK_SIZE + 1)]
            yield window[:, :-1], window[:, 1:]


def train(text: str, seed: int) -> Iterator[tuple[GPT, int]]:
    """A GPT of 4 layers, 4 heads, 128 wide; 340 steps of 16 x 64 characters with Muon, judged at
    every tenth from the 200th on."""
    keep_freed_memory()
    tokenizer = SimpleTokenizer.from_text(text)
    ids = np.array(tokenizer.encode(text))
    rng = np.random.default_rng(seed)
    model = GPT(tokenizer.vocab_size, 128, 4, 4, BLOCK_SIZE, rng=rng)
    optimizer = muon_for(model)
    rates = [group["lr"] for group in optimizer.param_groups]
    for step, batch in zip(range(STEPS), windows(ids, rng)):
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = rate * hold_then_decay(step, STEPS)
        train_step(model, optimizer, *batch)
        if step >= JUDGED_FROM and (step + 1) % 10 == 0:
            yield model, (step + 1) * BATCH_SIZE * BLOCK_SIZE
