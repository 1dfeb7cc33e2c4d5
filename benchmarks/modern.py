"""What each change of the modern block brings, in the recipe of chapter 10.

    python benchmarks/modern.py [--seeds 1 2 3] [--results FILE]

A GPT (4 layers, 4 heads, 128 wide, AdamW, 2,000 batches of 12 x 64 characters of Shakespeare), the
same with one part exchanged for one of chapter 14, and the Llama that has them all. A seed gives
all of them the same batches. What a step costs is measured with all in turns, on one thread.
(a) is the loss after equally many steps;
(b) after as many processor seconds as GPT needs for its steps: what is cheaper goes on, at the
    lowest learning rate; what is dearer stops before the end, when the rate has almost come down.
The loss is that of the whole held-out last tenth, each character once, in disjoint windows; a
character of Shakespeare is a byte. Each finished run is noted in the file of results, if one is
given, and not done again.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import mean

import numpy as np
from words import RECIPE, Contender, Training, contenders, nats_of, step_seconds

from minigrad.attention import CausalSelfAttention, KVCache
from minigrad.data import load_text
from minigrad.gpt import GPT
from minigrad.llama import Llama, RMSNorm, grouped_attention, rotary, swiglu, turns
from minigrad.nn import Linear, Module
from minigrad.parallel import blas_threads, keep_freed_memory
from minigrad.tensor import Tensor

N_KV_HEAD = 2  # where queries share keys


class ModernAttention(CausalSelfAttention):
    """A GPT's attention with fewer keys and values than queries, or turned by the positions."""

    def __init__(self, n_embd: int, n_head: int, n_kv_head: int, block_size: int, turned: bool):
        super().__init__(n_embd, n_head)
        self.n_kv_head, self.window, d = n_kv_head, block_size, n_embd // n_head
        self.c_attn = Linear(n_embd, (n_head + 2 * n_kv_head) * d)
        self.angles = turns(np.arange(block_size), d, theta=10000.0) if turned else None

    def forward(self, x: Tensor, cache: KVCache | None = None) -> Tensor:
        qkv = self.c_attn(x).reshape(*x.shape[:2], self.n_head + 2 * self.n_kv_head, -1)
        if self.angles:
            start = cache.length if cache else 0
            cos, sin = (angle[start : start + x.shape[1]] for angle in self.angles)
            qkv = rotary(qkv, cos, sin, self.n_head + self.n_kv_head)
        return self.c_proj(grouped_attention(qkv, self.n_kv_head, self.window, cache))


class GatedMLP(Module):
    """A Llama's MLP with a GPT's biases: three matrices with as many numbers as its two."""

    def __init__(self, n_embd: int):
        self.n_hidden = 8 * round(n_embd / 3)
        self.c_fc = Linear(n_embd, 2 * self.n_hidden)  # the gates, and what they open
        self.c_proj = Linear(self.n_hidden, n_embd)

    def forward(self, x: Tensor) -> Tensor:
        gate_up = self.c_fc(x)
        return self.c_proj(swiglu(gate_up[..., : self.n_hidden], gate_up[..., self.n_hidden :]))


class ChangedGPT(GPT):
    """A GPT of which `change` exchanges a part, before the first numbers are drawn as a GPT's."""

    def __init__(self, *sizes: int, rng: np.random.Generator):
        super().__init__(*sizes, rng=rng)
        self.change(**self.config)
        self._initialise(rng)

    def change(self, **config) -> None:
        raise NotImplementedError(f"{type(self).__name__} changes nothing")


class WithRMSNorm(ChangedGPT):
    def change(self, n_embd, **_) -> None:
        for block in self.transformer.h:
            block.ln_1, block.ln_2 = RMSNorm(n_embd), RMSNorm(n_embd)
        self.transformer.ln_f = RMSNorm(n_embd)


class WithRotary(ChangedGPT):
    def change(self, n_embd, n_head, block_size, **_) -> None:
        del self.transformer.wpe
        for block in self.transformer.h:
            block.attn = ModernAttention(n_embd, n_head, n_head, block_size, turned=True)

    def embed(self, idx: np.ndarray, start: int = 0) -> Tensor:
        return self.transformer.wte(idx)


class WithSwiGLU(ChangedGPT):
    def change(self, n_embd, **_) -> None:
        for block in self.transformer.h:
            block.mlp = GatedMLP(n_embd)


class WithGroups(ChangedGPT):
    def change(self, n_embd, n_head, block_size, **_) -> None:
        for block in self.transformer.h:
            block.attn = ModernAttention(n_embd, n_head, N_KV_HEAD, block_size, turned=False)


def llama(vocab_size, n_embd, n_layer, n_head, block_size, rng) -> Llama:
    sizes = vocab_size, n_embd, n_layer, n_head, N_KV_HEAD
    return Llama(*sizes, block_size=block_size, rng=rng)


MODELS: dict[str, Callable] = {
    "GPT": GPT,
    "no biases": lambda *sizes, rng: GPT(*sizes, bias=False, rng=rng),
    "RMSNorm": WithRMSNorm,
    "rotary positions": WithRotary,
    "SwiGLU": WithSwiGLU,
    f"{N_KV_HEAD} keys for 4 queries": WithGroups,
    "all: Llama": llama,
}


def losses(build: Callable, text: Contender, seed: int, steps: int, ends: list[int]) -> list[float]:
    """The held-out loss after each number of steps in `ends`; the learning rate is lowest from
    `steps` on."""
    training, found = Training(text, steps, seed, build), {}
    for end in sorted(set(ends)):
        while training.step < end:
            training.advance()
        found[end] = nats_of(training.model, text.val_ids).mean(dtype=float).item()
    return [found[end] for end in ends]


def with_range(values: list[float], form: str = "{:.3f}") -> str:
    """Their mean, and of several how far they reach."""
    low, high = form.format(min(values)), form.format(max(values))
    return form.format(mean(values)) + (f" ({low} to {high})" if len(values) > 1 else "")


def table(sizes: dict[str, int], costs: dict[str, float], ends: dict, runs: dict) -> str:
    """A row for each model: means and ranges over the seeds with which it and GPT have run. `beside
    GPT` is of the differences between runs with the same seed."""
    columns = ["model", "parameters", "a step", "seeds", "(a) nats", "bits a byte", "beside GPT"]
    columns += ["(b) steps", "nats", "bits a byte", "beside GPT"]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
    for name, size in sizes.items():
        seeds = [seed for model, seed in runs if model == name and ("GPT", seed) in runs]
        if not seeds:
            continue
        cells = [name, f"{size:,}", f"{costs[name] / costs['GPT']:.2f}", str(len(seeds))]
        for which in (0, 1):
            nats = [runs[name, seed][which] for seed in seeds]
            beside = [n - runs["GPT", seed][which] for n, seed in zip(nats, seeds)]
            cells += [f"{ends[name][1]:,}"] if which else []
            cells += [with_range(nats), f"**{mean(nats) / math.log(2):.3f}**"]
            cells.append("-" if name == "GPT" else with_range(beside, "{:+.3f}"))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


class Results:
    """The costs of steps and the runs so far, in a file if one is given, to which several processes
    may add."""

    def __init__(self, path: Path | None):
        self.path, self.entries = path, []

    def read(self) -> list[dict]:
        """First the costs, then the runs."""
        if self.path and self.path.is_file():
            self.entries = [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]
        return self.entries

    def runs(self) -> dict[tuple[str, int], list[float]]:
        """(model, seed): the two losses."""
        return {(run["model"], run["seed"]): run["nats"] for run in self.read()[1:]}

    def add(self, entry: dict) -> None:
        print(json.dumps(entry), file=sys.stderr, flush=True)
        self.entries.append(entry)
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                print(json.dumps(entry), file=file)


def main() -> None:
    how = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=how)
    parser.add_argument("--steps", type=int, default=RECIPE.max_iters, help="of GPT [2000]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="SEED")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--results", type=Path, help="a file of results, to begin or to go on with")
    parser.add_argument("--quick", action="store_true", help="a few steps with a part of the text")
    args = parser.parse_args()
    text, rounds = load_text("shakespeare"), 60
    if args.quick:
        text, rounds, args.steps = text[:5_000], 1, 2
    results = Results(args.results)
    keep_freed_memory()  # as the command of training does
    with blas_threads(1):
        (characters,) = contenders(text, [])
        trainings = [Training(characters, rounds, 0, build) for build in MODELS.values()]
        sizes = {name: t.model.num_parameters() for name, t in zip(MODELS, trainings)}
        if not results.read():
            results.add(dict(zip(MODELS, step_seconds(trainings, rounds))))
        costs = results.read()[0]
        ends = {n: [args.steps, round(args.steps * costs["GPT"] / costs[n])] for n in MODELS}
        for seed in args.seeds:
            for name in args.models:
                if (name, seed) not in results.runs():
                    nats = losses(MODELS[name], characters, seed, args.steps, ends[name])
                    results.add({"model": name, "seed": seed, "nats": nats})
    print(table(sizes, costs, ends, results.runs()))


if __name__ == "__main__":
    main()
