"""What brought how much: one change at a time from the board's first record to (almost) the second.

    python benchmarks/ablation.py --text FILE [--steps 220] [--seeds 1 2 3] [--out FILE.json]

All settings train for equally many *processor* seconds (those of all threads, which other programs
lengthen less than the time on the wall): what a step costs is measured first, with all settings in
turns, step by step; the last on the way takes --steps, others as many as cost the same, each with
its schedule spread over its own number of steps. The loss is that of the last tenth of the text for
training, and the recipe gets the rest: nothing here has seen the validation text.
Each setting of "the way" has one change more than the one before. The others have one change from
its end: they are what was tried there, and one of them, a head of its own, went into fast.py.
"""

import argparse
import json
import math
import sys
import time
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from unittest import mock

import numpy as np
from recipes import fast
from words import nats_of

from minigrad import muon
from minigrad.data import SimpleTokenizer, load_text
from minigrad.gpt import GPT
from minigrad.losses import cross_entropy
from minigrad.nn import Embedding, Module
from minigrad.optim import AdamW, decay_groups
from minigrad.tensor import no_grad

ORTHOGONALIZE = muon.orthogonalize
WAY, END = 7, "+ queries and keys normalised"  # the length of the way, and its end


def gpt(vocab_size: int, rng: np.random.Generator) -> GPT:
    return GPT(vocab_size, 128, 4, 4, 64, rng=rng)


class WithPairs(Module):
    """A model whose logits are what it adds to those of a table: how often which character follows
    which in ids, counted before it begins."""

    def __init__(self, model: Module, ids: np.ndarray):
        size = model.config["vocab_size"]
        counts = 0.3 + np.bincount(ids[:-1] * size + ids[1:], minlength=size**2)
        p = counts.reshape(size, size) / counts.reshape(size, size).sum(axis=1, keepdims=True)
        self.model, self.block_size, self.pairs = model, model.block_size, Embedding(size, size)
        self.pairs.weight.data = np.log(p).astype(np.float32)

    def forward(self, idx: np.ndarray, targets: np.ndarray | None = None) -> tuple:
        logits = self.model(idx)[0] + self.pairs(idx)
        return logits, None if targets is None else cross_entropy(logits, targets)


def adamw(model: Module) -> AdamW:
    return AdamW(decay_groups(model.parameters(), 0.1), lr=6e-3, betas=(0.9, 0.99))


def settings(ids: np.ndarray) -> dict[str, dict]:
    """Name: what it changes in `fast.train`; first the way there, then single changes at its end.
    The table of pairs is counted in ids."""
    long, short = [(1.0, 16, 64)], [(1.0, 24, 32)]
    layers = lambda n, **options: partial(fast.llama, n_layer=n, tied=True, **options)
    plain = lambda n: layers(n, normalised=False)
    batch = lambda by: [(end, round(by * size), length) for end, size, length in fast.STAGES]
    return {
        "GPT, 4 layers, 16 x 64": dict(build=gpt, stages=long),
        "+ Llama's block": dict(build=plain(4), stages=long),
        "+ 3 layers": dict(build=plain(3), stages=long),
        "+ 2 layers": dict(build=plain(2), stages=long),
        "+ windows of 32": dict(build=plain(2), stages=short),
        "+ windows of 16, 32, 64": dict(build=plain(2)),
        END: {},
        "1 layer": dict(build=layers(1)),
        "3 layers": dict(build=layers(3)),
        "half the batch": dict(stages=batch(0.5)),
        "twice the batch": dict(stages=batch(2)),
        "AdamW alone": dict(optimizer_for=adamw),
        "3 Newton-Schulz iterations": dict(iterations=3),
        "a head of its own": dict(build=fast.llama),
        "pairs counted first": dict(build=lambda *args: WithPairs(layers(2)(*args), ids)),
    }


def learning(text: str, seed: int, steps: int, judged=(0,), iterations: int = 5, **options):
    """`fast.train` with changes; yields its model so many steps before its end."""
    way = partial(ORTHOGONALIZE, iterations=iterations)
    options.setdefault("build", partial(fast.llama, tied=True))
    judgements = fast.train(text, seed, steps, judged=judged, **options)
    while True:
        with mock.patch.object(muon, "orthogonalize", way):
            judgement = next(judgements, None)
        if judgement is None:
            return
        yield judgement[0]


def costs_of_a_step(text: str, tried: dict[str, dict], rounds: int, steps: int) -> dict[str, float]:
    """Processor seconds for each setting: of some rounds of so many steps, in turns step by step,
    the median for each step, and the mean over the steps but the first."""
    seconds = np.zeros((rounds, steps, len(tried)))
    for i in range(rounds):
        runs = [learning(text, i, steps, range(steps), **options) for options in tried.values()]
        for j, k in np.ndindex(steps, len(runs)):
            start = time.process_time()
            next(runs[k])
            seconds[i, j, k] = time.process_time() - start
    return dict(zip(tried, np.median(seconds, axis=0)[1:].mean(axis=0).tolist()))


def table(rows: list[dict]) -> str:
    """Means and their standard errors; what a setting is better or worse by than the one it was
    made from (the one before it on the way, else the way's end)."""
    lines = ["| setting | a step | steps | loss (standard error) | change |", "|---" * 5 + "|"]
    for i, row in enumerate(rows):
        loss, losses = fmean(row["losses"]), row["losses"]
        error = f"{stdev(losses) / math.sqrt(len(losses)):.3f}" if losses[1:] else "-"
        origin = rows[i - 1 if i < WAY else WAY - 1]["losses"]
        change = f"{loss - fmean(origin):+.3f}" if i else "-"
        cells = [
            row["setting"],
            f"{row['cost']:.2f}",
            str(row["steps"]),
            f"**{loss:.3f}** ({error})",
        ]
        lines.append(f"| {' | '.join([*cells, change])} |")
    return "\n".join(lines)


def main() -> None:
    how = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=how)
    parser.add_argument("--text", default="tinyshakespeare.txt", help="a file or a named data set")
    parser.add_argument("--steps", type=int, default=220, help="of the last one on the way [220]")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="SEED")
    parser.add_argument("--quick", action="store_true", help="a few steps with a part of the text")
    parser.add_argument("--out", type=Path, help="a file for the results")
    args = parser.parse_args()
    text, rounds = load_text(args.text), (3, 15)
    if args.quick:
        text, rounds, args.steps = text[:30_000], (1, 2), 2
    text = text[: len(text) * 9 // 10]  # the rest is for the board
    cut = len(text) * 9 // 10
    tokenizer = SimpleTokenizer.from_text(text[:cut])
    ids, held_out = (np.array(tokenizer.encode(part)) for part in (text[:cut], text[cut - 1 :]))
    tried = settings(ids)
    costs, rows = costs_of_a_step(text[:cut], tried, *rounds), []
    for name, options in tried.items():
        cost = costs[name] / costs[END]
        rows.append(dict(setting=name, cost=cost, steps=round(args.steps / cost), losses=[]))
        for seed in args.seeds:
            (model,) = learning(text[:cut], seed, rows[-1]["steps"], **options)
            with no_grad():
                rows[-1]["losses"].append(nats_of(model, held_out).mean(dtype=float).item())
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    if args.out:
        args.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
