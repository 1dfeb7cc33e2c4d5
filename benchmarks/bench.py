"""minigrad against torch, JAX and transformers, as a table and a plot: `make bench`.

Each measurement is a process of its own, so that no engine's threads or memory are in another's
way. The engines take turns, round after round, since a machine's speed drifts.
"""

import argparse
import json
import math
import platform
import shutil
import statistics
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import where
from contender import size_of
from tqdm import tqdm

from minigrad.parallel import available_cores

HERE = Path(__file__).resolve().parent
BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "#666666"

# task, size, rounds, repetitions in a round, warm-up, the largest ratios we want to see
COMPARISONS = [
    ("training", "tiny", 9, 100, 20, {"torch": 0.6}),
    ("training", "small", 9, 30, 10, {"torch": 1.0, "floor": 1.7}),
    ("training", "small:dropout=0.1", 5, 30, 10, {}),
    ("training", "medium", 4, 8, 2, {"torch": 1.0, "floor": 1.35}),
    ("training", "gpt2", 2, 2, 1, {"floor": 1.35}),
    ("forward", "gpt2", 2, 3, 1, {}),
    ("generation", "small", 5, 10, 2, {"torch": 1 / 10}),
    ("generation", "gpt2", 3, 2, 1, {"torch": 1 / 0.9}),
    ("imports", "small", 3, 5, 2, {}),
]
ENGINES = {"torch": "torch", "compiled": "torch, compiled", "jax": "JAX"}  # in the table
SLOW_STARTERS = {"compiled": 3, "jax": 3}  # rounds in which they take part: they compile first
BESIDE = {
    "training": ["floor", *ENGINES],
    "forward": ["torch"],
    "generation": ["torch"],
    "imports": ["numpy"],
}
MEMORY_FOR_GPT2 = 8e9  # bytes that should be free before an engine that we can't foresee gets it
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


def run_floor(size: str) -> dict:
    """The time that the matrix products of a training step would take, and nothing else, at the
    speed of the fastest of thirty large ones on all cores."""
    seconds = min(run("numpy", "products", size, 30, 5)["times"])
    return {"times": [where.multiply_adds(size_of(size)) * seconds / 1024**3], "memory": math.nan}


def why_not(engine: str, size: str) -> str | None:
    """Why an engine is left out, if it is."""
    module = {"floor": "numpy", "compiled": "torch"}.get(engine, engine)
    if find_spec(module) is None:
        return f"{module} is not installed"
    if engine == "compiled" and not any(map(shutil.which, ("g++", "clang++", "cl"))):
        return "torch.compile finds no C++ compiler"
    if engine in SLOW_STARTERS and size_of(size).dropout:
        return "measured without dropout only"
    if engine in SLOW_STARTERS and size == "gpt2" and free_memory() < MEMORY_FOR_GPT2:
        return f"less than {MEMORY_FOR_GPT2 / 1e9:.0f} GB of memory are free"
    return None


def free_memory() -> float:
    """Bytes that a program could get; where the system does not tell, as many as it likes."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return math.inf
    return 1024 * float(next(line.split()[1] for line in lines if line.startswith("MemAvail")))


def compare(
    task: str, size: str, rounds: int, repeat: int, warm_up: int, goals: dict, engines: list[str]
) -> dict:
    """All engines in turns. A ratio is that of the medians over all repetitions; its range is that
    of the rounds, each by itself."""
    wanted = [e for e in BESIDE[task] if e in engines or e not in ENGINES]
    left_out = {engine: why_not(engine, size) for engine in wanted if why_not(engine, size)}
    results: dict[str, list[dict]] = {e: [] for e in ["minigrad", *wanted] if e not in left_out}
    for number in range(rounds):
        for engine in list(results)[:: 1 if number % 2 == 0 else -1]:
            if engine == "floor":
                results[engine].append(run_floor(size))
            elif number < SLOW_STARTERS.get(engine, rounds):
                results[engine].append(run(engine, task, size, repeat, warm_up))
    ours = results["minigrad"]
    rows = {}
    for engine, done in results.items():
        typical = min if engine == "floor" else statistics.median
        seconds = typical([t for r in done for t in r["times"]])
        ratios = [
            statistics.median(mine["times"]) / statistics.median(its["times"])
            for mine, its in zip(ours, done)
        ]
        memory = max(r["memory"] for r in done)
        rows[engine] = {"seconds": seconds, "memory": memory, "range": [min(ratios), max(ratios)]}
    for row in rows.values():
        row["ratio"] = rows["minigrad"]["seconds"] / row["seconds"]
    return {
        "task": task,
        "size": size,
        "engines": rows,
        "left_out": left_out,
        "repetitions": rounds * repeat,
        "tokens": ours[0]["tokens"],
        "goals": goals,
    }


def sweep(progress: tqdm) -> dict:
    """Time a step as one size of "small" changes: minigrad, torch, and the floor."""
    seconds_each = run_floor("small")["times"][0] / where.multiply_adds(size_of("small"))
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
            floor = seconds_each * where.multiply_adds(size_of(size))
            rows.append([value, ours, theirs, floor])
            progress.update()
        results[name] = rows
    return results


def readable(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.3g} ms"


def cell(result: dict, engine: str) -> str:
    """The time of an engine, and how many times as long minigrad takes, with the rounds' range."""
    if engine not in result["engines"]:
        return "-"
    row = result["engines"][engine]
    is_speed = result["task"] == "generation"
    time = f"{result['tokens'] / row['seconds']:,.0f} tokens/s" if is_speed else None
    time = time or readable(row["seconds"])
    if engine == "minigrad":
        return time
    goal = f", goal {result['goals'][engine]:.3g}" if engine in result["goals"] else ""
    return "{}: **{:.2f}** ({:.2f} to {:.2f}){}".format(time, row["ratio"], *row["range"], goal)


def table(results: list[dict]) -> str:
    """A row for each comparison; the memory of each engine in the order of the columns."""
    lines = [
        f"| what | minigrad | floor | {' | '.join(ENGINES.values())} | peak memory, MB |",
        "|---" * (4 + len(ENGINES)) + "|",
    ]
    names = {"training": "a training step", "forward": "a forward pass"}
    for r in results:
        what = f"{names.get(r['task'], r['task'])}, {r['size']}"
        engines = ["minigrad", "floor", *ENGINES]
        if r["task"] == "imports":
            what, engines[1] = "`import`; as its floor, NumPy's", "numpy"
        memory = [r["engines"][e]["memory"] for e in engines if e in r["engines"]]
        memory = " / ".join(f"{m:,.0f}" for m in memory if not math.isnan(m))
        cells = [cell(r, engine) for engine in engines]
        lines.append(f"| {' | '.join([what, *cells, '-' if r['task'] == 'imports' else memory])} |")
    missing = [
        f"- {r['task']}, {r['size']}, without {ENGINES[engine]}: {reason}"
        for r in results
        for engine, reason in r["left_out"].items()
    ]
    return "\n".join([*lines, *[""] * bool(missing), *missing])


def plot(results: list[dict], sweeps: dict, path: Path) -> None:
    import matplotlib.pyplot as plt

    results = [r for r in results if "torch" in r["engines"] or "numpy" in r["engines"]]
    rows = 1 + (len(sweeps) + 3) // 4
    figure = plt.figure(figsize=(12, 3.6 * rows), layout="constrained")
    grid = figure.add_gridspec(rows, 4)
    axes = figure.add_subplot(grid[0, :])
    for y, r in enumerate(reversed(results)):
        other = r["engines"].get("torch") or r["engines"]["numpy"]
        low, high = other["range"]
        axes.plot([low, high], [y, y], color=BLUE, linewidth=6, alpha=0.35, solid_capstyle="round")
        axes.plot(other["ratio"], y, "o", color=BLUE)
        if "torch" in r["goals"]:
            axes.plot(r["goals"]["torch"], y, "|", color=ORANGE, markersize=18, markeredgewidth=3)
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
    parser.add_argument("--engines", nargs="*", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--where", nargs="+", metavar="SIZE", help="only: where a step's time goes")
    parser.add_argument("--out", type=Path, default=Path("out/bench"), help="folder for results")
    args = parser.parse_args()
    if args.where:
        print(where.table(args.where, seconds=0 if args.quick else 30))
        return
    chosen = [c for c in COMPARISONS if not args.only or {c[0], c[1]} & set(args.only)]
    if not chosen:
        parser.error(f"--only knows the tasks and sizes of {[c[:2] for c in COMPARISONS]}")
    if args.quick:
        chosen = [(t, s, 1, min(n, 5), min(w, 2), goals) for t, s, _, n, w, goals in chosen]
    with_sweeps = not (args.quick or args.only) and "torch" in args.engines
    with_sweeps = with_sweeps and not why_not("torch", "small")
    steps = len(chosen) + with_sweeps * sum(len(values) for _, values in SWEEPS.values())
    with tqdm(total=steps, unit="comparison") as progress:
        results = []
        for comparison in chosen:
            progress.set_postfix_str(f"{comparison[0]} {comparison[1]}")
            results.append(compare(*comparison, args.engines))
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
