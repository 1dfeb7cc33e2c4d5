"""minigrad against torch and transformers, as a table and a plot: `make bench`.

Each measurement is a process of its own, so that neither side's threads or memory are in the
other's way. The two sides take turns, round after round, since a machine's speed drifts.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
from pathlib import Path

from contender import size_of
from tqdm import tqdm

from minigrad.parallel import available_cores

HERE = Path(__file__).resolve().parent
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#666666"

# task, size, rounds, repetitions in a round, warm-up, the largest ratio we want to see
COMPARISONS = [
    ("training", "tiny", 9, 100, 20, 0.6),
    ("training", "small", 9, 30, 10, 1.0),
    ("training", "small:dropout=0.1", 5, 30, 10, None),
    ("training", "medium", 4, 8, 2, 1.0),
    ("training", "gpt2", 2, 2, 1, None),
    ("forward", "gpt2", 2, 3, 1, None),
    ("generation", "small", 5, 10, 2, 1 / 10),
    ("generation", "gpt2", 3, 2, 1, 1 / 0.9),
    ("imports", "small", 3, 5, 2, None),
]
SWEEPS = {
    "width": ("n_embd", [32, 64, 128, 256, 512]),
    "depth": ("n_layer", [1, 2, 4, 8]),
    "context": ("block_size", [16, 32, 64, 128, 256]),
    "batch": ("batch_size", [2, 4, 8, 16, 32]),
}


def run(engine: str, task: str, size: str, repeat: int, warm_up: int) -> dict:
    """What contender.py measured, in a fresh process."""
    command = [sys.executable, str(HERE / "contender.py"), engine, task, size]
    command += ["--repeat", str(repeat), "--warm-up", str(warm_up)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def compare(task: str, size: str, rounds: int, repeat: int, warm_up: int, goal) -> dict:
    """Both sides in turns. The ratio is that of the medians over all repetitions; its range is
    that of the rounds, each by itself."""
    other = "numpy" if task == "imports" else "torch"
    results = {"minigrad": [], other: []}
    for number in range(rounds):
        for engine in list(results)[:: 1 if number % 2 == 0 else -1]:
            results[engine].append(run(engine, task, size, repeat, warm_up))
    median = {
        engine: statistics.median(t for r in done for t in r["times"])
        for engine, done in results.items()
    }
    ratios = [
        statistics.median(ours["times"]) / statistics.median(theirs["times"])
        for ours, theirs in zip(results["minigrad"], results[other])
    ]
    return {
        "task": task,
        "size": size,
        "other": other,
        "seconds": [median["minigrad"], median[other]],
        "ratio": median["minigrad"] / median[other],
        "range": [min(ratios), max(ratios)],
        "repetitions": rounds * repeat,
        "memory": [max(r["memory"] for r in done) for done in results.values()],
        "tokens": results["minigrad"][0]["tokens"],
        "goal": goal,
    }


def floor_seconds(size_name: str, products_per_second: float) -> float:
    """The time that the matrix products of a training step would take, and nothing else."""
    s = size_of(size_name)
    matrices = 12 * s.n_layer * s.n_embd**2 + s.vocab_size * s.n_embd
    attention = s.n_layer * s.n_embd * (s.block_size + 1)  # two products over half of the pairs
    return 3 * s.batch_size * s.block_size * (matrices + attention) / products_per_second


def sweep(progress: tqdm) -> dict:
    """Time a step as one size of "small" changes: minigrad, torch, and the floor."""
    times = run("numpy", "products", "small", 30, 5)["times"]
    products_per_second = 1024**3 / min(times)
    results = {}
    for name, (key, values) in SWEEPS.items():
        rows = []
        for value in values:
            size = f"small:{key}={value}"
            ours, theirs = (
                min(
                    statistics.median(run(engine, "training", size, 8, 3)["times"])
                    for _ in range(2)
                )
                for engine in ("minigrad", "torch")
            )
            rows.append([value, ours, theirs, floor_seconds(size, products_per_second)])
            progress.update()
        results[name] = rows
    return results


def readable(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def table(results: list[dict]) -> str:
    lines = [
        "| what | minigrad | torch | ratio of times (rounds) | goal | peak memory, MB |",
        "|---|---|---|---|---|---|",
    ]
    names = {"training": "a training step", "forward": "a forward pass", "imports": "import"}
    for r in results:
        ours, theirs = map(readable, r["seconds"])
        what = f"{names.get(r['task'], r['task'])}, {r['size']}"
        if r["task"] == "generation":
            ours, theirs = (f"{r['tokens'] / s:,.0f} tokens/s" for s in r["seconds"])
            theirs += " (transformers)"
        if r["task"] == "imports":
            what, theirs = "`import`", theirs + " (NumPy)"
        goal = f"at most {r['goal']:.2g}" if r["goal"] else "-"
        low, high = r["range"]
        memory = "-" if r["task"] == "imports" else "{:,.0f} / {:,.0f}".format(*r["memory"])
        ratio = f"**{r['ratio']:.2f}** ({low:.2f} to {high:.2f})"
        lines.append(f"| {what} | {ours} | {theirs} | {ratio} | {goal} | {memory} |")
    return "\n".join(lines)


def plot(results: list[dict], sweeps: dict, path: Path) -> None:
    import matplotlib.pyplot as plt

    rows = 1 + (len(sweeps) + 3) // 4
    figure = plt.figure(figsize=(12, 3.6 * rows), layout="constrained")
    grid = figure.add_gridspec(rows, 4)
    axes = figure.add_subplot(grid[0, :])
    for y, r in enumerate(reversed(results)):
        low, high = r["range"]
        axes.plot([low, high], [y, y], color=BLUE, linewidth=6, alpha=0.35, solid_capstyle="round")
        axes.plot(r["ratio"], y, "o", color=BLUE)
        if r["goal"]:
            axes.plot(r["goal"], y, "|", color=ORANGE, markersize=18, markeredgewidth=3)
    axes.axvline(1, color=GREY, linewidth=1)
    axes.set_yticks(range(len(results)), [f"{r['task']}, {r['size']}" for r in reversed(results)])
    axes.set(xscale="log", xlabel="time of minigrad / time of torch (orange: the goal)")
    axes.set_title("median (dot) and range over the rounds (bar); left of 1 minigrad is faster")
    for column, (name, points) in enumerate(sweeps.items()):
        axes = figure.add_subplot(grid[1, column])
        value, ours, theirs, floor = zip(*points)
        axes.loglog(value, [1000 * t for t in ours], "o-", color=BLUE, label="minigrad")
        axes.loglog(value, [1000 * t for t in theirs], "s--", color=ORANGE, label="torch")
        axes.loglog(value, [1000 * t for t in floor], ":", color=GREY, label="products alone")
        axes.set_xticks(value, [str(v) for v in value])
        axes.minorticks_off()
        axes.set(xlabel=name, ylabel="ms a training step" if column == 0 else "")
        if column == 0:
            axes.legend()
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="*", help="tasks (training, generation, ...) and/or sizes")
    parser.add_argument("--quick", action="store_true", help="one short round, no sweeps")
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder for results")
    args = parser.parse_args()
    chosen = [c for c in COMPARISONS if not args.only or {c[0], c[1]} & set(args.only)]
    if not chosen:
        parser.error(f"--only knows the tasks and sizes of {[c[:2] for c in COMPARISONS]}")
    if args.quick:
        chosen = [(t, s, 1, min(n, 5), min(w, 2), goal) for t, s, _, n, w, goal in chosen]
    with_sweeps = not (args.quick or args.only)
    steps = len(chosen) + with_sweeps * sum(len(values) for _, values in SWEEPS.values())
    with tqdm(total=steps, unit="comparison") as progress:
        results = []
        for comparison in chosen:
            progress.set_postfix_str(f"{comparison[0]} {comparison[1]}")
            results.append(compare(*comparison))
            progress.update()
        sweeps = sweep(progress) if with_sweeps else {}
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "results.json").write_text(
        json.dumps({"results": results, "sweeps": sweeps}, indent=1), encoding="utf-8"
    )
    plot(results, sweeps, args.out / "results.png")
    print(f"{available_cores()} cores, {platform.machine()}, Python {platform.python_version()}\n")
    print(table(results))
    print(f"\nnumbers and plot: {args.out}/results.json, {args.out}/results.png")


if __name__ == "__main__":
    main()
