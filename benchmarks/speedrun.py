"""The board: how soon does a recipe reach a validation loss of 1.886 on tiny Shakespeare?

    python benchmarks/speedrun.py RECIPE.py --text FILE [--seeds 1 2 3]
    python benchmarks/speedrun.py RECIPE.py --text FILE --practice --target 1.83
    python benchmarks/speedrun.py RECIPE.py --text FILE --against RECORD.py --board FILE.jsonl

A recipe is a Python file with `train(text, seed)`, a generator that trains a model on the text; it
yields (model, tokens so far) whenever it wants to be judged. `model(ids)[0]` are the logits after
ids (B, T), where an id is a character's place among the sorted ones of the text. The rules:
- It gets the first nine tenths of the text, nothing else. It is judged by the mean loss over all of
  the last tenth, in disjoint windows of 64, each character predicted once from those before it.
- NumPy and minigrad only, one file, two cores, at most 1,000,000 parameters, counts among them.
- Each seed is a process of its own. Its time runs from the process's start, imports included, to
  the first judgement at or below the target. Judgements stop the clock, and threads must rest.
- A record reaches the target with every seed, and is faster than the last one, which runs again in
  turns with it on the same machine: p < 0.01 in Welch's one-sided t-test on the seconds.
The losses need no such test: all of the text is judged, so that no loss is low by a lucky sample,
and what is luck with a seed or with the moment of judging is in the seconds, which are tested.
To choose settings, practise: the first nine tenths of the text are then all there is, the recipe
gets nine tenths of these, and the rest judges.
"""

import argparse
import hashlib
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from statistics import fmean, variance

import numpy as np

from minigrad.checkpoint import whole_file
from minigrad.data import SimpleTokenizer, load_text, path_of
from minigrad.functional import log_softmax
from minigrad.nn import Module
from minigrad.parallel import available_cores
from minigrad.tensor import no_grad

LARGEST, WINDOW, CORES, LEVEL = 1_000_000, 64, 2, 0.01
ALLOWED = {*sys.stdlib_module_names, "numpy", "minigrad", "cython_runtime"}


class Judge:
    """Takes the loss on the end of a text, for which the clock stands still."""

    def __init__(self, text: str, cut: int, target: float, started: float):
        self.text, self.cut, self.target, self.started = text, cut, target, started
        self.ids: np.ndarray | None = None
        self.losses: list[float] = []

    def __call__(self, model: Module, tokens: int) -> bool:
        """Whether the target is reached."""
        paused = time.perf_counter()
        if not isinstance(model, Module):
            sys.exit(f"yielded a {type(model).__name__}, not a model")
        self.parameters, self.tokens = sum(p.size for p in model.parameters()), int(tokens)
        if self.parameters > LARGEST:
            sys.exit(f"has {self.parameters:,} parameters, more than {LARGEST:,}")
        self.seconds = paused - self.started
        with model.evaluating(), no_grad():
            self.losses.append(self.loss(model))
        self.started += time.perf_counter() - paused
        return self.losses[-1] <= self.target

    def loss(self, model: Module) -> float:
        """The mean over all characters after the cut."""
        if self.ids is None:  # with one before them, to predict the first from
            tokenizer = SimpleTokenizer.from_text(self.text[: self.cut])
            self.ids = np.array(tokenizer.encode(self.text[self.cut - 1 :]))
        n = (len(self.ids) - 1) // WINDOW * WINDOW
        x, y = (self.ids[i : i + n].reshape(-1, WINDOW) for i in (0, 1))
        batches = [(x[i : i + 64], y[i : i + 64]) for i in range(0, len(x), 64)]
        batches.append((self.ids[None, n:-1], self.ids[None, n + 1 :]))  # a shorter window
        total = 0.0
        for x, y in batches:
            if x.size:
                log_p = log_softmax(model(x)[0]).data
                total -= np.take_along_axis(log_p, y[..., None], -1).sum(dtype=float).item()
        x = self.ids[None, :WINDOW]
        other = np.append(x[:, :-1], [[0]], axis=1)  # its end is another
        if not np.allclose(*(model(ids)[0].data[:, :-1] for ids in (x, other)), atol=1e-4):
            sys.exit("looks ahead: what it expects depends on characters that come later")
        return total / (len(self.ids) - 1)


def run(recipe: Path, text: str, target: float, seed: int, started: float) -> dict:
    """Train until the target is reached; ends the process with a sentence if that fails."""
    cut = len(text) * 9 // 10
    judge, before = Judge(text, cut, target, started), set(sys.modules)
    spec = importlib.util.spec_from_file_location(recipe.stem, recipe)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if not (callable(getattr(module, "train", None)) and module.train.__doc__):
        sys.exit("has no function train(text, seed) with a docstring that says what it does")
    judgements = module.train(text[:cut], seed)
    if not isinstance(judgements, Iterator):
        sys.exit("never yields: train(text, seed) is no generator")
    reached = any(judge(*judgement) for judgement in judgements)
    names = {name.partition(".")[0] for name in set(sys.modules) - before}
    if foreign := [n for n in sorted(names - ALLOWED) if not n.startswith("_cython_")]:
        sys.exit(f"uses {', '.join(foreign)}, but only NumPy and minigrad are allowed")
    if not reached:
        lowest = (
            f"its lowest loss is {min(judge.losses):.4f}" if judge.losses else "yielded no model"
        )
        sys.exit(f"never reached {target}: {lowest}")
    found = dict(seconds=judge.seconds, losses=judge.losses[-1], tokens=judge.tokens)
    return found | dict(parameters=judge.parameters, what=" ".join(module.train.__doc__.split()))


def attempt(recipe: Path, args: argparse.Namespace, seed: int) -> dict:
    """What `run` finds out, in a process of its own."""
    command = [sys.executable, __file__, recipe, "--text", args.text, "--target", str(args.target)]
    command += ["--seeds", str(seed), "--started", repr(time.perf_counter())]  # the machine's clock
    command += ["--practice"] * args.practice
    try:
        utf8 = {"encoding": "utf-8", "env": {**os.environ, "PYTHONIOENCODING": "utf-8"}}
        done = subprocess.run(command, capture_output=True, timeout=args.limit, **utf8)
    except subprocess.TimeoutExpired:
        sys.exit(f"{recipe.name}, seed {seed}: not there after {args.limit:g} seconds")
    if done.returncode:
        why = [f"ended with code {done.returncode}", *done.stderr.strip().splitlines()][-1]
        sys.exit(f"{recipe.name}, seed {seed}: {why}")
    found = json.loads(done.stdout.splitlines()[-1])
    print(f"{recipe.name}, seed {seed}: {found['seconds']:.1f} s", file=sys.stderr, flush=True)
    return found


def keep_to_two_cores() -> str:
    """Put this process, and those it starts, on two cores where the system can; returns what times
    may be compared on: processor, cores, NumPy."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    name = [*names, platform.processor() or platform.machine()][0]
    return f"{name}, {available_cores()} cores, NumPy {np.__version__}"


def hash_of_file(text: str) -> str:
    """By which a text is known again; ends the process if there is none."""
    try:
        return hashlib.sha256(path_of(text).read_bytes()).hexdigest()[:12]
    except (OSError, ValueError) as error:
        sys.exit(f"error: {error}")


def read_board(path: Path) -> list[dict]:
    """Its records; ends the process if it is no board, or cannot be written."""
    try:
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        records = [json.loads(line) for line in lines if line.strip()]
        if not all({"recipe", "text", "target"} <= entry.keys() for entry in records):
            raise ValueError("a record lacks its recipe, text or target")
        if not path.parent.is_dir():  # better to fail now than after the runs
            raise ValueError(f"there is no folder {path.parent}")
    except (OSError, ValueError, AttributeError) as error:
        sys.exit(f"error: {path} is no board: {error}")
    return records


def write_board(path: Path, records: list[dict]) -> None:
    """A record in each line."""
    with whole_file(path) as file:
        file.write("".join(json.dumps(entry) + "\n" for entry in records).encode("utf-8"))


def record(recipe: Path, runs: list[dict], args: argparse.Namespace, machine: str) -> dict:
    """What the board keeps of the runs of a recipe."""
    entry = dict(recipe=recipe.stem, what=runs[0]["what"], date=str(date.today()), machine=machine)
    entry |= dict(text=hash_of_file(args.text), target=args.target, seeds=args.seeds)
    return entry | {key: [found[key] for found in runs] for key in runs[0] if key != "what"}


def upper_tail(t: float, df: float) -> float:
    """How likely a t-distributed number is above t. With x = sqrt(df) tan(angle) its density
    becomes a power of a cosine."""
    angles = lambda start: np.linspace(start, np.pi / 2, 100_001)
    area = lambda angle: np.trapezoid(np.abs(np.cos(angle)) ** (df - 1), angle).item()
    return area(angles(math.atan(t / math.sqrt(df)))) / area(angles(-np.pi / 2))


def chance(new: list[float], old: list[float]) -> float | None:
    """p of Welch's t-test: how likely the new seconds would look so much shorter if on the whole
    they were not; None if there is but one of either."""
    if min(len(new), len(old)) < 2:
        return None
    a, b = variance(new) / len(new), variance(old) / len(old)
    if a + b == 0:
        return float(fmean(new) >= fmean(old))
    df = (a + b) ** 2 / (a**2 / (len(new) - 1) + b**2 / (len(old) - 1))
    return upper_tail((fmean(old) - fmean(new)) / math.sqrt(a + b), max(1.0, df))


def table(records: list[dict]) -> str:
    lines = ["| recipe | seconds (each) | tokens | parameters | losses | p |", "|---" * 6 + "|"]
    for entry in records:
        each = ", ".join(f"{s:.1f}" for s in entry["seconds"])
        cells = [entry["recipe"], f"**{fmean(entry['seconds']):.1f}** ({each})"]
        cells += [f"{fmean(entry['tokens']):,.0f}", f"{max(entry['parameters']):,}"]
        cells.append(", ".join(f"{loss:.4f}" for loss in entry["losses"]))
        cells.append("-" if entry.get("p") is None else f"{entry['p']:.2g}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipe", type=Path, help="a Python file with train(text, seed)")
    parser.add_argument("--text", default="tinyshakespeare.txt", help="a file or a named data set")
    parser.add_argument("--target", type=float, default=1.886, help="validation loss to reach")
    parser.add_argument("--practice", action="store_true", help="never look at the last tenth")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], metavar="SEED")
    parser.add_argument("--against", type=Path, metavar="RECORD.py", help="run this one in turns")
    parser.add_argument("--board", type=Path, help="a file to which a new record is added")
    parser.add_argument("--limit", type=float, default=600, help="seconds for a run [600]")
    parser.add_argument("--started", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.started is not None:
        text = load_text(args.text)
        text = text[: len(text) * 9 // 10] if args.practice else text
        found = run(args.recipe, text, args.target, args.seeds[0], args.started)
        print("\n" + json.dumps(found))
        return
    machine = keep_to_two_cores()
    for stream in (sys.stdout, sys.stderr):  # a recipe may have a name that a terminal cannot show
        stream.reconfigure(errors="backslashreplace")
    if args.practice and args.board:
        parser.error("practice is no record: leave out --practice, or --board")
    text = hash_of_file(args.text)
    board = read_board(args.board) if args.board else []
    if board and (not args.against or args.against.stem != board[-1]["recipe"]):
        parser.error(f"the last record is {board[-1]['recipe']}: run against it, --against FILE")
    if board and (text, args.target) != (board[-1]["text"], board[-1]["target"]):
        parser.error("no record: the board is for another text or another target")
    rivals = [args.recipe, *filter(None, [args.against])]
    runs: dict[Path, list[dict]] = {recipe: [] for recipe in rivals}
    for seed in args.seeds:
        for recipe in rivals:
            runs[recipe].append(attempt(recipe, args, seed))
    new, *old = (record(recipe, runs[recipe], args, machine) for recipe in rivals)
    new["p"] = chance(new["seconds"], old[0]["seconds"]) if old else None
    is_record = not board or (new["p"] is not None and new["p"] < LEVEL)
    if args.board and is_record:
        write_board(args.board, [*board, new])
    print(f"{machine}, {date.today()}\n\n{table([new, *old])}")
    if not is_record:
        sys.exit(f"no record: p has to be below {LEVEL}")


if __name__ == "__main__":
    main()
