"""A Llama of two layers, with normalised queries and keys and a head of its own, which reads many
short windows first, and then longer ones."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from minigrad.data import SimpleTokenizer
from minigrad.functional import cat
from minigrad.llama import Llama, LlamaAttention, rms_norm, rotary
from minigrad.muon import hold_then_decay, muon_for
from minigrad.nn import Module
from minigrad.optim import Optimizer
from minigrad.parallel import keep_freed_memory
from minigrad.tensor import Tensor
from minigrad.train import train_step

STAGES = [(0.3, 48, 16), (0.8, 24, 32), (1.0, 12, 64)]  # up to this share of the steps: windows of


class NormalisedAttention(LlamaAttention):
    """Attention whose queries and keys have the root mean square 1 before they are turned, so that
    no weight can become sharp early on (Henry et al., 2020)."""

    def turned(self, x: Tensor, cos: np.ndarray, sin: np.ndarray) -> Tensor:
        n, n_values = self.n_head + self.n_kv_head, self.n_kv_head
        qkv = self.qkv(x).reshape(*x.shape[:2], n + n_values, -1)
        unit = rms_norm(qkv[:, :, :n], Tensor(np.ones(qkv.shape[-1], np.float32)))
        return rotary(cat([unit, qkv[:, :, n:]], axis=2), cos, sin, n)


def llama(
    vocab_size: int,
    rng: np.random.Generator,
    n_layer: int = 2,
    tied: bool = False,
    normalised: bool = True,
) -> Llama:
    """4 heads, 128 wide; it sees 64 characters."""
    model = Llama(vocab_size, 128, n_layer, 4, block_size=64, tied=tied, rng=rng)
    for layer in model.model.layers if normalised else ():
        plain, layer.self_attn = layer.self_attn, NormalisedAttention(128, 4, 4, 64)
        layer.self_attn.load_state_dict(plain.collect_state_dict())
    return model


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
    steps: int = 300,
    build: Callable[..., Module] = llama,
    optimizer_for: Callable[..., Optimizer] = muon_for,
    stages: list[tuple[float, int, int]] = STAGES,
    judged: Sequence[int] = range(40, -1, -4),
) -> Iterator[tuple[Module, int]]:
    """A Llama, 2 layers, 4 heads, 128 wide, normalised queries and keys, not tied; 300 steps with
    Muon of 48 x 16, 24 x 32, at last 12 x 64 characters; judged every fourth of the last 40."""
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
            if steps - step in judged:
                yield model, tokens
