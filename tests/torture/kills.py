"""Kill training runs at random moments, resume them until they end, and compare them with one that
nobody disturbed, bit for bit: python tests/torture/kills.py [--kills 100] [--seed 0]

Prints what it did. Exit code 1 if a number differs, a file is left over, or a run does not end.
"""

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from minigrad.checkpoint import load  # noqa: E402

SIZES = "--n-layer 1 --n-head 2 --n-embd 32 --block-size 16 --batch-size 4 --dropout 0.1"
LENGTH = "--max-iters 600 --eval-interval 7 --eval-iters 1"  # saves often: most kills hit a save
SIGNALS = [signal.SIGKILL] * 7 + [signal.SIGTERM, signal.SIGHUP, signal.SIGINT]
MINUTES = 6


def start(out_dir: Path, *options: str) -> subprocess.Popen:
    command = [sys.executable, "-m", "minigrad.train", "--dataset", "names", *options]
    command += ["--out-dir", str(out_dir)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def new_run(out_dir: Path) -> subprocess.Popen:
    return start(out_dir, *SIZES.split(), *LENGTH.split())


def undisturbed(out_dir: Path) -> tuple[float, float]:
    """A run that nobody disturbs: the seconds until it begins, and those that it then takes."""
    began = time.perf_counter()
    process = new_run(out_dir)
    process.stdout.readline()
    ready = time.perf_counter()
    process.communicate()
    assert process.returncode == 0, "the undisturbed run failed"
    return ready - began, time.perf_counter() - ready


def disturb(process: subprocess.Popen, chance: random.Random, times: tuple[float, float]) -> str:
    """Send a signal at a random moment; the name of what ended the process."""
    begin, length = times
    starts = chance.random() >= 0.9
    if not starts:  # one in ten is hit while it still starts
        process.stdout.readline()
        delay = chance.uniform(0, length / 4)
    else:
        delay = chance.uniform(0, begin)
    number = chance.choice(SIGNALS)
    try:
        process.communicate(timeout=delay)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
        process.communicate(timeout=60)
    if process.returncode == 0:
        return "end"
    interrupted = (1,) if starts and number == signal.SIGINT else ()  # Python, before it is ready
    if process.returncode not in (130, -number, *interrupted):
        raise AssertionError(f"exit code {process.returncode} after {number.name}")
    return number.name


def disturbed(
    out_dir: Path, chance: random.Random, times: tuple[float, float], most: int
) -> Counter:
    """A run that is killed, at most so many times, and resumed until it ends; what ended it."""
    ends: Counter = Counter()
    while not ends["end"]:
        begun = any((out_dir / name).exists() for name in ("latest.pkl", "best.pkl"))
        process = start(out_dir, "--resume") if begun else new_run(out_dir)
        if ends.total() < most:
            ends[disturb(process, chance, times)] += 1
        else:
            process.communicate()
            assert process.returncode == 0, f"exit code {process.returncode} undisturbed"
            ends["end"] += 1
    return ends


def differences(expected, got, where: str = "") -> list[str]:
    """The places at which two checkpoints differ in the least."""
    if isinstance(expected, dict) and isinstance(got, dict) and expected.keys() == got.keys():
        return [d for k in expected for d in differences(expected[k], got[k], f"{where}/{k}")]
    if isinstance(expected, list) and isinstance(got, list) and len(expected) == len(got):
        return [
            d for i, p in enumerate(zip(expected, got)) for d in differences(*p, f"{where}/{i}")
        ]
    if isinstance(expected, np.ndarray) and isinstance(got, np.ndarray):
        same = expected.dtype == got.dtype and expected.shape == got.shape
        return [] if same and expected.tobytes() == got.tobytes() else [where]
    return [] if type(expected) is type(got) and expected == got else [where]


def compare(reference: Path, out_dir: Path) -> list[str]:
    """What is wrong with a run that has ended."""
    left = sorted(path.name for path in out_dir.iterdir())
    wrong = [] if left == ["best.pkl", "latest.pkl"] else [f"files {left}"]
    for name in ("latest.pkl", "best.pkl"):
        contents = [load(folder / name) for folder in (reference, out_dir)]
        for content in contents:
            del content["config"]["out_dir"], content["val_loss"]  # which a stop leaves out
        wrong += differences(*contents, name)
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    chance, ends, wrong, runs = random.Random(args.seed), Counter(), [], 0
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        times = undisturbed(Path(place, "reference"))
        while ends.total() - ends["end"] < args.kills and not wrong:
            if time.perf_counter() - began > 60 * MINUTES:
                wrong.append(f"not done after {MINUTES} minutes")
                break
            runs += 1
            out_dir = Path(place, f"run{runs}")
            left = args.kills - (ends.total() - ends["end"])
            ends += disturbed(out_dir, chance, times, left)
            wrong += compare(Path(place, "reference"), out_dir)
    kills = ", ".join(f"{n} {name}" for name, n in sorted(ends.items()) if name != "end")
    total, seconds = ends.total() - ends["end"], time.perf_counter() - began
    print(f"{total} kills ({kills}) in {runs} runs, {seconds:.0f} s")
    print(f"different or left over: {', '.join(wrong) or 'nothing'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
