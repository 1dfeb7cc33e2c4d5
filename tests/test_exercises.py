"""Every exercise: the stub counts as not attempted, the solution passes, wrong attempts do not."""

import ast
import re
from collections import Counter

import nbformat
import numpy as np
import pytest

from conftest import ROOT
from minigrad.exercise import WrongAnswer

CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


def code(folder: str, chapter: str) -> list[str]:
    notebook = nbformat.read(ROOT / folder / f"{chapter}.ipynb", 4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def exercises(folder: str, chapter: str) -> dict[str, tuple[str, str]]:
    """The cell that defines each function my_..., and the one after it, which checks it."""
    cells = code(folder, chapter)
    pairs = (
        (re.match(r"def (my_\w+)", cell), cell, after) for cell, after in zip(cells, cells[1:])
    )
    return {match[1]: (cell, check) for match, cell, check in pairs if match}


def wrong_attempts(chapter: str) -> tuple[str, list[tuple[str, str]]]:
    """What tests/wrong/CHAPTER.py imports, and its functions: pairs (name, source)."""
    path = ROOT / "tests" / "wrong" / f"{chapter}.py"
    source = path.read_text(encoding="utf-8") if path.exists() else ""
    nodes = ast.parse(source).body
    attempts = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    others = [node for node in nodes if node not in attempts]
    return (
        "\n".join(ast.unparse(node) for node in others),
        [(node.name, ast.get_source_segment(source, node)) for node in attempts],
    )


def outcome(chapter: str, name: str, attempt: str, capsys, imports: str = "") -> str:
    """What the check says about an attempt, after the checks before it defined what they define."""
    space = {"np": np}
    exec(code("solutions", chapter)[0], space)
    exec(imports, space)
    for other, (stub, check) in exercises("notebooks", chapter).items():
        exec(attempt if other == name else stub, space)
        capsys.readouterr()
        exec(check, space)
        if other == name:
            return capsys.readouterr().out.strip()
    raise AssertionError(f"no exercise {name}")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The notes on progress go into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


EXERCISES = [(chapter, name) for chapter in CHAPTERS for name in exercises("notebooks", chapter)]
ATTEMPTS = [
    pytest.param(chapter, imports, name, attempt, id=f"{chapter}-{name}-{i}")
    for chapter in CHAPTERS
    for imports, attempts in [wrong_attempts(chapter)]
    for i, (name, attempt) in enumerate(attempts)
]


def test_there_are_enough_exercises_and_no_name_twice():
    names = [name for _, name in EXERCISES]
    assert len(names) == len(set(names))
    assert len(names) >= 45


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_all_exercises_of_a_chapter_have_solutions_and_wrong_attempts(chapter):
    names = [name for name in exercises("notebooks", chapter)]
    assert len(names) >= 3
    assert list(exercises("solutions", chapter)) == names
    attempts = Counter(name for name, _ in wrong_attempts(chapter)[1])
    assert set(attempts) == set(names)
    assert min(attempts.values()) >= 3


@pytest.mark.parametrize("chapter, name", EXERCISES)
def test_the_stub_is_not_attempted(chapter, name, capsys):
    stub, _ = exercises("notebooks", chapter)[name]
    assert outcome(chapter, name, stub, capsys) == f"{name}: not attempted yet"


@pytest.mark.parametrize("chapter, name", EXERCISES)
def test_the_solution_is_correct(chapter, name, capsys):
    _, check = exercises("notebooks", chapter)[name]
    solution, same_check = exercises("solutions", chapter)[name]
    assert check == same_check
    assert outcome(chapter, name, solution, capsys) == f"{name}: correct"


@pytest.mark.parametrize("chapter, imports, name, attempt", ATTEMPTS)
def test_a_wrong_attempt_is_rejected_with_a_message(chapter, imports, name, attempt, capsys):
    with np.errstate(all="ignore"), pytest.raises(WrongAnswer, match=rf"^{name}\(") as raised:
        outcome(chapter, name, attempt, capsys, imports)
    assert re.search("expected|raised", str(raised.value))
