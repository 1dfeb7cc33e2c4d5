"""Shared by all tests: where the project is, and seeded randomness."""

import linecache
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent
BROWSER = next(filter(None, map(shutil.which, ["chromium", "google-chrome", "chrome"])), None)

# Python's operators, which mean the same for tensors of minigrad, of torch, and for arrays.
BINARY = {
    "add": lambda a, b: a + b,
    "subtract": lambda a, b: a - b,
    "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
    "power": lambda a, b: a**b,
}

# A shell starts jobs in the background with Ctrl-C ignored, nohup ignores SIGHUP, and every process
# hands that down.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile("course", deadline=None, max_examples=50, derandomize=True)
settings.load_profile("course")


def long(*values):
    """A test's parameters that only `make test-long` tries."""
    return [pytest.param(*value, marks=pytest.mark.long) for value in values]


def package_files(folder: Path) -> dict[str, bytes]:
    """The Python files of a package, but the index that nbdev keeps beside them."""
    files = (p for p in folder.rglob("*.py") if p.name != "_modidx.py")
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def expect_error(call: Callable, error: Exception) -> None:
    """The call must raise an error of this one's type, with all of its text."""
    with pytest.raises(type(error)) as raised:
        call()
    assert str(raised.value) == str(error)


CELLS = count(1)


def run_cell(source: str, space: dict) -> None:
    """Run a notebook's cell as a kernel does, which remembers its source."""
    name = f"<cell {next(CELLS)}>"
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    exec(compile(source, name, "exec"), space)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def browser():
    """Chromium, driven by playwright. For a module, since playwright's event loop bars others."""
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=BROWSER, args=options)
        yield chromium
        chromium.close()


@pytest.fixture
def run_module():
    """Run `python -m minigrad.NAME` with arguments; returns the finished process."""

    def run(name, *arguments, cwd=ROOT, timeout=120):
        return subprocess.run(
            [sys.executable, "-X", "utf8", "-m", f"minigrad.{name}", *map(str, arguments)],
            cwd=cwd,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    return run


def pytest_terminal_summary(terminalreporter):
    """Say how many cells were replayed; exercises, solutions and wrong attempts checked."""
    reports = terminalreporter.stats.get("passed", [])
    cells = [dict(report.user_properties).get("cells", 0) for report in reports]
    if any(cells):
        terminalreporter.write_line(
            f"lessons: {sum(map(bool, cells))} notebooks with {sum(cells)} cells of code ran "
            "as stored, from an empty package"
        )
    for report in reports:
        if "minutes" in (found := dict(report.user_properties)):
            lesson, core, whole = found["minutes"]
            terminalreporter.write_line(f"{lesson:20} {core:2} minutes, with all of it {whole:3}")
    passed = [report.nodeid for report in reports]
    counts = [
        sum(f"test_exercises.py::{test}[" in nodeid for nodeid in passed)
        for test in (
            "test_the_stub_is_not_attempted",
            "test_the_solution_is_correct",
            "test_a_wrong_attempt_is_rejected_with_a_message",
        )
    ]
    if any(counts):
        terminalreporter.write_line(
            "exercises: {} stubs not attempted, {} solutions correct, "
            "{} wrong attempts rejected".format(*counts)
        )
    for report in reports:
        if "diagnosed" in (found := dict(report.user_properties)):
            told, of = found["diagnosed"]
            terminalreporter.write_line(f"diagnosis: {told} of {of} held-out wrong attempts")
