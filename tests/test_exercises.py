"""Every exercise: the stub counts as not attempted, the solution passes, wrong attempts do not."""

import re

import nbformat
import numpy as np
import pytest

from conftest import ROOT
from minigrad.exercise import WrongAnswer

# chapter: {exercise: attempts that somebody might well make}
WRONG = {
    "11_make_it_fast": {
        "my_linear_operations": [
            "def my_linear_operations(tokens, n_in, n_out): return 2 * tokens * n_in * n_out",
            "def my_linear_operations(tokens, n_in, n_out): return 3 * tokens * n_in * n_out",
            "def my_linear_operations(tokens, n_in, n_out): return 4 * tokens * n_in * n_out",
            "def my_linear_operations(tokens, n_in, n_out): return 6 * n_in * n_out",
        ],
        "my_computed_share": [
            "def my_computed_share(T, tile): return 0.5",
            "def my_computed_share(T, tile): return 0.5 + tile / (2 * T)",
            "def my_computed_share(T, tile): return (T + 1) / (2 * T)",
            "def my_computed_share(T, tile):\n"
            "    return sum(tile * (s + tile) for s in range(0, T, tile)) / T**2",
            "def my_computed_share(T, tile):\n"
            "    return sum((min(s + tile, T) - s) * s for s in range(0, T, tile)) / T**2",
        ],
        "my_softmax_in_place": [
            "def my_softmax_in_place(x):\n"
            "    x = np.exp(x - x.max(axis=-1, keepdims=True))\n"
            "    return x / x.sum(axis=-1, keepdims=True)",
            "def my_softmax_in_place(x):\n"
            "    np.exp(x, out=x)\n"
            "    x /= x.sum(axis=-1, keepdims=True)\n"
            "    return x",
            "def my_softmax_in_place(x):\n"
            "    x -= x.max()\n"
            "    np.exp(x, out=x)\n"
            "    x /= x.sum()\n"
            "    return x",
            "def my_softmax_in_place(x):\n"
            "    x[:] = np.exp(x - x.max(axis=-1, keepdims=True))\n"
            "    x /= x.sum(axis=-1, keepdims=True)\n"
            "    return x",
            "def my_softmax_in_place(x):\n    np.exp(x - x.max(axis=-1, keepdims=True), out=x)",
        ],
        "my_embedding_gradient": [
            "def my_embedding_gradient(ids, g, n):\n"
            "    full = np.zeros((n, g.shape[1]))\n"
            "    full[ids] += g\n"
            "    return full",
            "def my_embedding_gradient(ids, g, n): return g[ids]",
            "def my_embedding_gradient(ids, g, n):\n"
            "    one_hot = np.eye(n)[ids]\n"
            "    return (one_hot / one_hot.sum(axis=0).clip(1)).T @ g",
            "def my_embedding_gradient(ids, g, n): return np.eye(len(ids))[ids].T @ g",
        ],
        "my_parallel_gradient": [
            "def my_parallel_gradient(w, x, y, shares):\n"
            "    parts = zip(np.array_split(x, shares), np.array_split(y, shares))\n"
            "    return np.mean([np.mean(2 * (w * a - b) * a) for a, b in parts])",
            "def my_parallel_gradient(w, x, y, shares):\n"
            "    parts = zip(np.array_split(x, shares), np.array_split(y, shares))\n"
            "    return sum(np.mean(2 * (w * a - b) * a) for a, b in parts)",
            "def my_parallel_gradient(w, x, y, shares):\n    return np.mean((w * x - y) * x)",
            "def my_parallel_gradient(w, x, y, shares):\n    return np.mean(2 * (w * x - y))",
        ],
        "my_newton_schulz": [
            "def my_newton_schulz(matrix, iterations):\n"
            "    x = matrix / np.linalg.norm(matrix)\n"
            "    for _ in range(iterations):\n"
            "        x = 1.5 * x - 0.5 * x**3\n"
            "    return x",
            "def my_newton_schulz(matrix, iterations):\n"
            "    x = matrix\n"
            "    for _ in range(iterations):\n"
            "        x = 1.5 * x - 0.5 * x @ x.T @ x\n"
            "    return x",
            "def my_newton_schulz(matrix, iterations):\n"
            "    x = matrix / np.linalg.norm(matrix)\n"
            "    for _ in range(iterations):\n"
            "        x = 1.5 * x - 0.5 * x.T @ x @ x\n"
            "    return x",
            "def my_newton_schulz(matrix, iterations):\n"
            "    x = matrix / np.linalg.norm(matrix)\n"
            "    for _ in range(iterations):\n"
            "        x = 0.5 * x + 0.5 * x @ x.T @ x\n"
            "    return x",
        ],
    },
}


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


def outcome(chapter: str, name: str, attempt: str, capsys) -> str:
    """What the check says about an attempt, after the checks before it defined what they define."""
    space = {"np": np}
    for other, (stub, check) in exercises("notebooks", chapter).items():
        exec(attempt if other == name else stub, space)
        capsys.readouterr()
        exec(check, space)
        if other == name:
            return capsys.readouterr().out.strip()
    raise AssertionError(f"no exercise {name}")


EXERCISES = [(chapter, name) for chapter in WRONG for name in WRONG[chapter]]
ATTEMPTS = [(c, name, attempt) for c, name in EXERCISES for attempt in WRONG[c][name]]


@pytest.mark.parametrize("chapter", WRONG)
def test_all_exercises_of_a_chapter_are_known_here_and_in_the_solutions(chapter):
    assert set(exercises("notebooks", chapter)) == set(WRONG[chapter])
    assert set(exercises("solutions", chapter)) == set(WRONG[chapter])
    assert all(len(attempts) >= 3 for attempts in WRONG[chapter].values())


@pytest.mark.parametrize("chapter, name", EXERCISES)
def test_the_stub_is_not_attempted_and_the_solution_correct(chapter, name, capsys):
    stub, check = exercises("notebooks", chapter)[name]
    solution, same_check = exercises("solutions", chapter)[name]
    assert check == same_check
    assert outcome(chapter, name, stub, capsys) == f"{name}: not attempted yet"
    assert outcome(chapter, name, solution, capsys) == f"{name}: correct"


@pytest.mark.parametrize("chapter, name, attempt", ATTEMPTS)
def test_a_wrong_attempt_is_rejected_with_a_message(chapter, name, attempt, capsys):
    with np.errstate(all="ignore"), pytest.raises(WrongAnswer, match=name):
        outcome(chapter, name, attempt, capsys)
