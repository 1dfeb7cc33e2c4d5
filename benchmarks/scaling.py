"""Scaling laws on two cores: how large should a model be for so much computing, and how good is it?

    python benchmarks/scaling.py [--text FILE] [--seeds 1 2 3] [--runs FILE.jsonl] [--plot FILE.png]

Llamas of two layers and five widths read as much text as each of four budgets allows. A budget is a
number of floating-point operations, those of all matrix products: six for each weight and token.
To the losses on the last tenth of the text, which nobody learns from, a law is fitted:

    loss(N, D) = E + A / N ** alpha + B / D ** beta        (Hoffmann and others, 2022)

with N weights and D tokens. What it says of a run with four times the largest budget is written
down, and then that run is made. Runs that the file has already are not made again, so that Ctrl-C
loses only the one under way.
"""

import argparse
import json
import math
import time
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import where
from contender import Size
from recipes.fast import windows
from tqdm import tqdm
from words import nats_of

from minigrad.data import SimpleTokenizer, load_text
from minigrad.llama import Llama
from minigrad.muon import hold_then_decay, muon_for
from minigrad.parallel import keep_freed_memory
from minigrad.tensor import no_grad
from minigrad.train import train_step

GRID = {  # floating-point operations: widths
    2e10: [8, 16, 24, 32, 48],
    8e10: [16, 24, 32, 48, 64],
    3.2e11: [24, 32, 48, 64, 96],
    1.28e12: [32, 48, 64, 96, 128],
}
LAYERS, HEADS, BATCH, LENGTH = 2, 4, 16, 64
LOOKS = [("#56B4E9", "o"), ("#009E73", "s"), ("#E69F00", "^"), ("#D55E00", "D")]


def shape(width: int, vocab_size: int) -> Size:
    return Size(LAYERS, HEADS, width, LENGTH, BATCH, vocab_size)


def weights(width: int, vocab_size: int) -> int:
    """How many the matrices of the layers and the head have; the embedding only looks up."""
    return where.weights(shape(width, vocab_size))


def flops_a_token(width: int, vocab_size: int) -> int:
    """Two for each multiplication that is added, forward, and twice as many backward."""
    return 6 * where.multiply_adds_a_token(shape(width, vocab_size), LENGTH)


class Text:
    """Ids for training, and the last tenth for judging."""

    def __init__(self, text: str):
        tokenizer = SimpleTokenizer.from_text(text)
        ids, cut = np.array(tokenizer.encode(text)), len(text) * 9 // 10
        self.train, self.held_out = ids[:cut], ids[cut:]
        self.vocab_size = tokenizer.vocab_size

    def steps(self, width: int, flops: float) -> int:
        tokens = flops / flops_a_token(width, self.vocab_size)
        return max(1, round(tokens / (BATCH * LENGTH)))


def run(text: Text, width: int, flops: float, seed: int) -> dict:
    """Train one model to the end of its schedule; what it came to."""
    rng, steps = np.random.default_rng(seed), text.steps(width, flops)
    model = Llama(text.vocab_size, width, LAYERS, HEADS, block_size=LENGTH, tied=False, rng=rng)
    optimizer = muon_for(model, lr=0.02)  # for two widths better than 0.01, 0.04 and 0.08
    rates = [group["lr"] for group in optimizer.param_groups]
    start = time.process_time()
    batches = islice(windows(text.train, BATCH, LENGTH, rng), steps)
    for step, batch in enumerate(tqdm(batches, f"{flops:.3g}, {width} wide", steps, leave=False)):
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = rate * hold_then_decay(step, steps)
        train_step(model, optimizer, *batch)
    seconds = time.process_time() - start
    with no_grad():
        loss = nats_of(model, text.held_out).mean(dtype=float)
    size = {"weights": weights(width, text.vocab_size), "tokens": steps * BATCH * LENGTH}
    found = {"flops": flops, "width": width, "seed": seed, **size}
    return {**found, "loss": round(loss.item(), 4), "processor_seconds": round(seconds, 1)}


class Law:
    """The law of the head, fitted to runs by least squares. For given exponents the rest is linear,
    so that the exponents alone are searched: on a grid, and then on finer ones."""

    def __init__(self, runs: Iterable[dict]):
        n, d, loss = np.array([[r["weights"], r["tokens"], r["loss"]] for r in runs]).T
        center, reach = np.array([0.5, 0.5]), 0.45
        for _ in range(7):
            moved = np.linspace(-reach, reach, 11)
            tried = np.stack(np.meshgrid(moved, moved), axis=-1).reshape(-1, 2) + center  # (121, 2)
            tried = np.maximum(tried, 0.01)
            found, errors = self._linear(n, d, loss, tried)
            best = errors.argmin()
            center, reach = tried[best], reach / 4
        self.alpha, self.beta = center
        self.E, self.A, self.B = found[best]

    @staticmethod
    def _linear(n, d, loss, exponents) -> tuple[np.ndarray, np.ndarray]:
        """For each pair of exponents the best E, A and B, and the sum of squared errors."""
        alpha, beta = exponents[:, :1], exponents[:, 1:]
        terms = np.stack([np.ones((len(exponents), len(n))), n**-alpha, d**-beta], axis=2)
        scale = terms.max(axis=1, keepdims=True)
        x = terms / scale  # (pairs, runs, 3)
        products = np.linalg.pinv(x.swapaxes(1, 2) @ x, hermitian=True)
        found = (products @ (x.swapaxes(1, 2) @ loss)[..., None])[..., 0]  # (pairs, 3)
        errors = np.square((x @ found[..., None])[..., 0] - loss).sum(axis=1)
        return found / scale[:, 0], errors

    def __call__(self, n, d):
        return self.E + self.A / n**self.alpha + self.B / d**self.beta

    def exponent(self) -> float:
        """The best number of weights grows with the budget to this power."""
        return self.beta / (self.alpha + self.beta)


def grouped(runs: list[dict], key: str) -> dict[float, list[dict]]:
    return {value: [r for r in runs if r[key] == value] for value in sorted({r[key] for r in runs})}


def best_weights(runs: Iterable[dict]) -> float:
    """For runs with one budget: the lowest point of a parabola over the logarithm of the size."""
    n, loss = np.array([[r["weights"], r["loss"]] for r in runs]).T
    a, b, _ = np.polyfit(np.log(n), loss, 2)
    return math.exp(-b / (2 * a)) if a > 0 else math.nan


def best_of_each(runs: list[dict]) -> dict[float, float]:
    """The best number of weights for each budget."""
    return {flops: best_weights(same) for flops, same in grouped(runs, "flops").items()}


def growth(runs: list[dict]) -> float:
    """The same power as Law.exponent, without a law: through the lowest points of the budgets."""
    budgets, best = zip(*best_of_each(runs).items())
    return np.polyfit(np.log(budgets), np.log(best), 1)[0].item()


def seeds_apart(runs: list[dict]) -> float:
    """By how much the losses of runs differ that differ in nothing but the seed."""
    cells = [cell for b in grouped(runs, "flops").values() for cell in grouped(b, "width").values()]
    return math.sqrt(np.mean([np.var([r["loss"] for r in cell], ddof=1) for cell in cells]))


def off_the_law(runs: list[dict]) -> float:
    law = Law(runs)
    return math.sqrt(np.mean([(law(r["weights"], r["tokens"]) - r["loss"]) ** 2 for r in runs]))


def interval(
    runs: list[dict], measure: Callable[[list[dict]], float], by: float, rounds: int = 400
) -> np.ndarray:
    """Where 95 of 100 results lie when each loss is moved at random by so much."""
    rng = np.random.default_rng(0)
    moved = ([r | {"loss": r["loss"] + rng.normal(0, by)} for r in runs] for _ in range(rounds))
    return np.nanpercentile([measure(some) for some in moved], [2.5, 97.5], axis=0)


def predict(text: Text, runs: list[dict], flops: float) -> dict:
    """The law's best width for a budget, and the loss that it promises to a run."""
    law, off, rng = Law(runs), off_the_law(runs), np.random.default_rng(0)
    size = lambda width: (
        weights(width, text.vocab_size),
        text.steps(width, flops) * BATCH * LENGTH,
    )
    width = min(range(8, 512, 8), key=lambda w: law(*size(w)))
    drawn = interval(runs, lambda some: Law(some)(*size(width)) + rng.normal(0, off), off)
    losses = [round(loss, 3) for loss in (law(*size(width)).item(), *drawn.tolist())]
    return {"prediction": flops, "width": width, "loss": losses[0], "interval": losses[1:]}


def table(runs: list[dict]) -> str:
    """The mean loss for each size and budget; then for each budget the size that would be best."""
    budgets = grouped(runs, "flops")
    rows = [["weights (width)", *(f"{flops:.3g}" for flops in budgets)]]
    for width, same in grouped(runs, "width").items():
        losses = {f: np.mean([r["loss"] for r in rs]) for f, rs in grouped(same, "flops").items()}
        cells = (f"{losses[flops]:.3f}" if flops in losses else "" for flops in budgets)
        rows.append([f"{same[0]['weights']:,} ({width})", *cells])
    best, apart = best_of_each(runs), seeds_apart(runs)
    within = [interval(same, best_weights, apart) for same in budgets.values()]
    rows.append(["best weights", *(f"**{n:,.0f}**" for n in best.values())])
    rows.append(["95 % of draws", *(f"{low:,.0f} to {high:,.0f}" for low, high in within)])
    per_token = {r["weights"]: r["flops"] / r["tokens"] for r in runs}  # operations
    tokens = [flops / np.interp(n, *zip(*sorted(per_token.items()))) for flops, n in best.items()]
    rows.append(["tokens a weight", *(f"{d / n:.1f}" for d, n in zip(tokens, best.values()))])
    rows.insert(1, ["---"] * len(rows[0]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def laws(runs: list[dict]) -> str:
    """The fitted numbers with their intervals."""
    names = ["E", "alpha", "beta", "weights grow with the power"]
    numbers = lambda some: [(fit := Law(some)).E, fit.alpha, fit.beta, fit.exponent()]
    off, apart = off_the_law(runs), seeds_apart(runs)
    lows, highs = interval(runs, numbers, off)
    lines = [
        f"| {name} | {value:.2f} | {low:.2f} to {high:.2f} |"
        for name, value, low, high in zip(names, numbers(runs), lows, highs)
    ]
    low, high = interval(runs, growth, apart)
    lines.append(f"| the same from the parabolas | {growth(runs):.2f} | {low:.2f} to {high:.2f} |")
    end = f"Runs are {off:.3f} off the law; seeds differ by {apart:.3f}."
    return "\n".join(["| | fitted | 95 % of draws |", "|---|---|---|", *lines, "", end])


def draw(runs: list[dict], largest: list[dict], path: Path) -> None:
    """Left each run, and the law; right the best number of weights for each budget that has one."""
    law, budgets = Law(runs), grouped(runs, "flops")
    _, (left, right) = plt.subplots(1, 2, figsize=(11, 4.4), layout="constrained")
    for (flops, same), (color, marker) in zip(budgets.items(), LOOKS):
        sizes = {r["weights"]: r["tokens"] for r in same}
        n, d = np.array(sorted(sizes.items()), float).T
        left.semilogx(n, law(n, d), color=color)
        label = f"{flops:.3g} operations"
        left.semilogx(*measured(same), marker, color=color, alpha=0.7, label=label)
    left.semilogx(*measured(largest), "k*", label=f"{largest[0]['flops']:.3g} operations")
    left.set(xlabel="weights", ylabel="held-out loss (nats)")
    left.set_ylim(top=left.get_ylim()[1] + 0.4)  # room for the legend
    left.legend(fontsize=10, ncols=2)
    best = {flops: n for flops, n in best_of_each(runs).items() if not math.isnan(n)}
    if best:
        right.loglog([*best], [*best.values()], "ko")
    right.set(xlabel="operations", ylabel="best number of weights")
    plt.savefig(path, dpi=90)


def measured(runs: list[dict]) -> tuple[list[int], list[float]]:
    return [r["weights"] for r in runs], [r["loss"] for r in runs]


def main() -> None:
    how = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=how)
    parser.add_argument("--text", default="shakespeare", help="a file or a named data set")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="SEED")
    parser.add_argument("--runs", type=Path, default=Path("out/scaling.jsonl"), metavar="FILE")
    parser.add_argument("--plot", type=Path, metavar="FILE.png")
    parser.add_argument(
        "--budgets", type=int, default=4, choices=(2, 3, 4), help="the smallest so many"
    )
    args = parser.parse_args()
    if len(set(args.seeds)) < 2:
        parser.error("--seeds: two at least, for the intervals need to know how far seeds differ")
    keep_freed_memory()
    text, done = Text(load_text(args.text)), []
    if args.runs.exists():
        done = [json.loads(line) for line in args.runs.read_text(encoding="utf-8").splitlines()]
    args.runs.parent.mkdir(parents=True, exist_ok=True)

    def note(found: dict) -> dict:
        with args.runs.open("a", encoding="utf-8") as file:
            print(json.dumps(found), file=file)
        return found

    def made(width: int, flops: float, seed: int) -> dict:
        wanted = {"flops": flops, "width": width, "seed": seed}
        same = (r for r in done if wanted.items() <= r.items())
        return next(same, None) or note(run(text, width, flops, seed))

    grid = dict(islice(sorted(GRID.items()), args.budgets))
    each = [(width, flops, seed) for flops in grid for width in grid[flops] for seed in args.seeds]
    runs = [made(*setting) for setting in tqdm(each, "runs")]
    print(table(runs), laws(runs), sep="\n\n", end="\n\n")
    largest = 4 * max(grid)
    told = next((r for r in done if r.get("prediction") == largest), None)
    told = told or note(predict(text, runs, largest))
    print("for {prediction:.3g} operations: {width} wide, loss {loss}".format(**told), end=" ")
    print("({} to {})".format(*told["interval"]))
    last = [made(told["width"], largest, seed) for seed in args.seeds]
    print(
        "came to:", *(r["loss"] for r in last), "mean", round(np.mean([r["loss"] for r in last]), 4)
    )
    if args.plot:
        draw(runs, last, args.plot)


if __name__ == "__main__":
    main()
