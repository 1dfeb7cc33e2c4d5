"""The course, from an empty package: each lesson runs in a fresh kernel that sees only what the
chapters before it exported, reproduces its stored outputs, and writes its part of the package."""

import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from conftest import ROOT, package_files
from minigrad.exercise import export_notebook

LESSONS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))
NBVAL = ["-p", "nbval.plugin", "--nbval", "--nbval-current-env", "--nbval-cell-timeout=300"]
PACKAGE = ROOT / "minigrad"
LOOKS_AHEAD = "00_welcome"  # shows the finished model, so its outputs are compared at the end

# An editable install finds the modules that the course's package has not got yet: take it out.
NO_EDITABLE = """import sys
sys.meta_path[:] = [f for f in sys.meta_path if "editable" not in getattr(f, "__module__", "")]
"""
SEEN = """import importlib.util, minigrad, sys
print(minigrad.__path__[0])
found = {name: importlib.util.find_spec("minigrad." + name) for name in sys.argv[1:]}
print(*[name for name, spec in found.items() if spec and spec.origin])
"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def course(tmp_path_factory) -> Path:
    """A copy of the lessons beside a package with no code in it, only texts and trained models."""
    folder = tmp_path_factory.mktemp("replay") / "a course"
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    no_code = shutil.ignore_patterns("*.py", "__pycache__")
    shutil.copytree(PACKAGE, folder / "minigrad", ignore=no_code)
    for path in sorted((folder / "minigrad").rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()  # an empty folder could be imported
    (folder / "minigrad" / "__init__.py").touch()
    shutil.copytree(ROOT / "tests" / "wrong", folder / "tests" / "wrong")  # mistakes to recognise
    (folder / "sitecustomize.py").write_text(NO_EDITABLE, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def written() -> dict[str, bool]:
    """For each lesson that has had its turn, whether it passed."""
    return {}


def run(course: Path, code: str, *arguments: str) -> str:
    """What Python prints there, which sees the course's package only."""
    return subprocess.run(
        [sys.executable, "-X", "utf8", "-c", code, *arguments],
        cwd=course,
        env={**os.environ, "PYTHONPATH": str(course)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    ).stdout


class Outcomes:
    """A plugin that counts how often each outcome was reported."""

    def __init__(self):
        self.counts = Counter()

    def pytest_runtest_logreport(self, report):
        if report.when == "call" or not report.passed:
            self.counts[report.outcome] += 1


@pytest.fixture
def cells_passed(pytestconfig, monkeypatch):
    """Runs a lesson of the course under nbval; how many cells ran as they should. That is done in
    this process, since nbval takes seconds to be imported; the kernel is a process of its own."""

    def cells_passed(course: Path, lesson: str, *options: str) -> int:
        monkeypatch.chdir(course)
        environment = {"PYTHONPATH": str(course), "OPENBLAS_NUM_THREADS": "1"}
        for name, value in {**environment, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}.items():
            monkeypatch.setenv(name, value)
        ours = ["-q", "-p", "no:cacheprovider", "--noconftest", "--rootdir=.", *NBVAL, *options]
        outcomes = Outcomes()
        not_compared = pytestconfig.pluginmanager.get_plugin(str(ROOT / "conftest.py"))
        code = pytest.main([*ours, f"notebooks/{lesson}.ipynb"], plugins=[outcomes, not_compared])
        assert code == 0 and set(outcomes.counts) == {"passed"}  # it has printed what is wrong
        return outcomes.counts["passed"]

    return cells_passed


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_as_stored_after_those_before_it(
    lesson, course, written, cells_passed, record_property
):
    if broken := [name for name, passed in written.items() if not passed]:
        pytest.skip(f"after {broken[0]}, which failed")
    for before in LESSONS[: LESSONS.index(lesson)]:
        if before not in written:  # where this lesson was chosen by itself
            export_notebook(course / "notebooks" / f"{before}.ipynb", course / "minigrad")
    written[lesson] = False
    as_stored = [] if lesson != LOOKS_AHEAD else ["--nbval-lax"]
    record_property("cells", cells_passed(course, lesson, *as_stored))
    names = sorted({Path(name).parts[0].removesuffix(".py") for name in package_files(PACKAGE)})
    there = {Path(name).parts[0].removesuffix(".py") for name in package_files(course / "minigrad")}
    where, seen = run(course, SEEN, *names).splitlines()
    assert where == str(course / "minigrad")
    assert set(seen.split()) == there
    written[lesson] = True


def test_the_lessons_wrote_the_whole_package(course, written, cells_passed):
    if list(written) != LESSONS or not all(written.values()):
        pytest.skip("not all lessons were replayed")
    assert package_files(course / "minigrad") == package_files(PACKAGE)
    cells_passed(course, LOOKS_AHEAD)


NO_TORCH = """import sys
sys.modules |= dict.fromkeys(["torch", "torchvision", "transformers", "sklearn"])
"""


def test_the_vision_part_runs_as_stored_by_itself_and_without_torch(tmp_path, cells_passed):
    """On any machine; what needs torch is left out, and ignored where outputs are compared."""
    (tmp_path / "notebooks").mkdir()
    whole = shutil.copy(ROOT / "notebooks" / "A1_appendix.ipynb", tmp_path / "notebooks")
    part = nbformat.read(whole, 4)
    ids = [cell.id for cell in part.cells]
    part.cells = part.cells[ids.index("vision") : ids.index("export")]
    nbformat.write(part, tmp_path / "notebooks" / "vision.ipynb")
    shutil.copytree(PACKAGE, tmp_path / "minigrad", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "sitecustomize.py").write_text(NO_TORCH, encoding="utf-8")
    code = "import importlib.util; print(importlib.util.find_spec('torch'))"
    assert run(tmp_path, code) == "None\n"
    n_code = sum(cell.cell_type == "code" for cell in part.cells)
    assert cells_passed(tmp_path, "vision") == n_code > 20
