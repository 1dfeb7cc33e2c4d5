"""Every exercise: the stub counts as not attempted, the solution passes, wrong attempts do not."""

import ast
import functools
import os
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import nbformat
import numpy as np
import pytest
import reading

from conftest import ROOT, run_cell
from minigrad.exercise import (
    WrongAnswer,
    _is_right,
    _questions,
    check,
    difference,
    in_time,
    prediction,
    progress,
    recheck,
    review,
)
from minigrad.notes import NOTES

CHAPTERS = sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


@functools.cache
def code(folder: str, chapter: str) -> list[str]:
    notebook = nbformat.read(ROOT / folder / f"{chapter}.ipynb", 4)
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


@functools.cache
def exercises(folder: str, chapter: str) -> dict[str, tuple[str, str]]:
    """The cell that defines each function my_..., and the one after it, which checks it."""
    cells = code(folder, chapter)
    pairs = (
        (re.match(r"def (my_\w+)", cell), cell, after) for cell, after in zip(cells, cells[1:])
    )
    return {match[1]: (cell, check) for match, cell, check in pairs if match}


@functools.cache
def attempts_in(folder: str, chapter: str) -> tuple[str, dict[str, str]]:
    """What a file of attempts imports, and its functions my_exercise__what_is_wrong."""
    path = ROOT / "tests" / folder / f"{chapter}.py"
    source = path.read_text(encoding="utf-8") if path.exists() else ""
    nodes, lines = ast.parse(source).body, source.splitlines()
    attempts = [node for node in nodes if isinstance(node, ast.FunctionDef)]
    others = [node for node in nodes if node not in attempts]
    assert len({node.name for node in attempts}) == len(attempts)
    return (
        "\n".join(ast.unparse(node) for node in others),
        {node.name: "\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in attempts},
    )


def wrong_attempts(chapter: str) -> tuple[str, dict[str, str]]:
    return attempts_in("wrong", chapter)


def heads(chapter: str) -> set[str]:
    """The headings of a lesson, and the bold heads of its exercises and paragraphs."""
    cells = nbformat.read(ROOT / "notebooks" / f"{chapter}.ipynb", 4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    found = re.finditer(r"^#+ (?P<heading>.+)$|^\*\*(?P<bold>.+?)\.?\*\*", text, re.MULTILINE)
    return {match[match.lastgroup] for match in found}


def outcome(chapter: str, name: str, attempt: str, capsys, imports: str = "") -> str:
    """What the check says about an attempt, after the checks before it defined what they define."""
    space = {"np": np, "check": check}
    exec(code("solutions", chapter)[0], space)
    exec(imports, space)
    for other, (stub, its_check) in exercises("notebooks", chapter).items():
        run_cell(attempt if other == name else stub, space)
        capsys.readouterr()
        exec(its_check, space)
        if other == name:
            return capsys.readouterr().out.strip()
    raise AssertionError(f"no exercise {name}")


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The notes on progress go into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


EXERCISES = [(chapter, name) for chapter in CHAPTERS for name in exercises("notebooks", chapter)]
ATTEMPTS = [
    pytest.param(chapter, imports, title, attempt, id=f"{chapter}-{title}")
    for chapter in CHAPTERS
    for imports, attempts in [wrong_attempts(chapter)]
    for title, attempt in attempts.items()
]


def test_there_are_enough_exercises_and_no_name_twice():
    names = [name for _, name in EXERCISES]
    assert len(names) == len(set(names))
    assert len(names) >= 45


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_all_exercises_of_a_chapter_have_solutions_and_wrong_attempts(chapter):
    names = list(exercises("notebooks", chapter))
    assert len(names) >= 3
    assert list(exercises("solutions", chapter)) == names
    attempts = Counter(title.partition("__")[0] for title in wrong_attempts(chapter)[1])
    assert set(attempts) == set(names)
    assert min(attempts.values()) >= 3


@pytest.mark.parametrize("chapter, name", EXERCISES)
def test_the_stub_is_not_attempted(chapter, name, capsys):
    stub, _ = exercises("notebooks", chapter)[name]
    assert outcome(chapter, name, stub, capsys) == f"{name}: not attempted yet"


@pytest.mark.parametrize("chapter, name", EXERCISES)
def test_the_solution_is_correct(chapter, name, capsys):
    solution, recheck = exercises("solutions", chapter)[name]
    assert recheck == f"recheck({name})"
    assert outcome(chapter, name, solution, capsys) == f"{name}: correct"


@pytest.mark.parametrize("chapter, imports, title, attempt", ATTEMPTS)
def test_a_wrong_attempt_is_rejected_with_a_message(chapter, imports, title, attempt, capsys):
    name = title.partition("__")[0]
    attempt = re.sub(rf"\b{title}\b", name, attempt)  # one that calls itself, too
    with np.errstate(all="ignore"), pytest.raises(WrongAnswer, match=rf"^{name}\(") as raised:
        outcome(chapter, name, attempt, capsys, imports)
    assert re.search("expected|raised", str(raised.value))


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_wrong_attempt_says_what_is_behind_it_and_where_that_is_explained(chapter):
    known = {name[:2]: heads(name) for name in CHAPTERS if name <= chapter}
    for title, attempt in wrong_attempts(chapter)[1].items():
        text = " ".join((ast.get_docstring(ast.parse(attempt).body[0]) or "").split())
        match = re.fullmatch(r"[^a-z].{20,300}[.:!?)] See “([^”]+)”( in chapter (\w\w))?\.", text)
        assert match, f"{title}: {text}"
        assert match[1] in known[match[3] or chapter[:2]], f"{title} sees {match[1]}"


def held_out(correct: bool) -> list:
    return [
        pytest.param(chapter, imports, title, attempt, id=f"{chapter}-{title}")
        for chapter in CHAPTERS
        for imports, attempts in [attempts_in("heldout", chapter)]
        for title, attempt in attempts.items()
        if ("__correct" in title) == correct
    ]


@pytest.mark.parametrize("chapter, imports, title, attempt", held_out(correct=True))
def test_a_right_answer_written_otherwise_is_correct(chapter, imports, title, attempt, capsys):
    name = title.partition("__")[0]
    attempt = re.sub(rf"\b{title}\b", name, attempt)
    assert outcome(chapter, name, attempt, capsys, imports) == f"{name}: correct"


def test_wrong_attempts_written_otherwise_are_diagnosed(capsys, monkeypatch, record_property):
    """At least 70 of 100 are told what is behind them; the others are rejected without it."""
    monkeypatch.setattr("minigrad.exercise.MISTAKES", ROOT / "tests" / "wrong")
    missed, wrong, attempts = [], [], held_out(correct=False)
    for chapter, imports, title, attempt in (param.values for param in attempts):
        name, slug, _ = title.split("__")
        known = wrong_attempts(chapter)[1][f"{name}__{slug}"]
        meant = " ".join(ast.get_docstring(ast.parse(known).body[0]).split())
        attempt = re.sub(rf"\b{title}\b", name, attempt)
        with np.errstate(all="ignore"), pytest.raises(WrongAnswer) as raised:
            outcome(chapter, name, attempt, capsys, imports)
        _, found, told = str(raised.value).partition("\nLooks familiar: ")
        if told != meant:
            (wrong if found else missed).append(title)
    record_property("diagnosed", [len(attempts) - len(missed) - len(wrong), len(attempts)])
    assert len(missed) + len(wrong) <= 0.3 * len(attempts), (missed, wrong)


def my_double(x):
    return 2 * x


def test_check_names_case_expectation_result_and_hint(capsys):
    with pytest.raises(WrongAnswer) as raised:
        check(my_double, [((1,), 2, "twice one"), ((2,), 5, "not twice two")])
    assert str(raised.value) == "my_double(2): expected 5, got 4\nHint: not twice two"
    with pytest.raises(WrongAnswer, match=r"my_double\(None\) raised TypeError.*\nHint: a number"):
        check(my_double, [((None,), 2, "a number")])
    check(my_double, [((1,), 2)])
    assert capsys.readouterr().out == "my_double: correct\n"


LESSON = """
def my_triple(x):
    return ...
---
rows = [((1,), THREE)]
check(my_triple, rows)
"""


@pytest.fixture
def triple(tmp_path, monkeypatch):
    """Makes functions my_triple in a namespace of their own, beside a lesson that asks for it."""
    for folder in ("notebooks", "solutions"):
        (tmp_path / folder).mkdir()
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in LESSON.split("---")]
    cells[1]["id"] = "check-triple"
    notebook = nbformat.v4.new_notebook(cells=cells)
    nbformat.write(notebook, tmp_path / "notebooks" / "01_threes.ipynb")
    monkeypatch.chdir(tmp_path / "solutions")

    def make(code: str):
        space = {"THREE": 3}
        run_cell(code, space)
        return space["my_triple"]

    return make


def test_recheck_runs_the_lessons_check_among_the_names_of_the_attempt(triple, capsys):
    attempt = triple("def my_triple(x): return 3 * x")
    recheck(attempt)
    assert capsys.readouterr().out == "my_triple: correct\n"
    assert attempt.__globals__["rows"] == [((1,), 3)]  # later cells may use what the check made


def test_recheck_shows_the_lessons_cell_where_an_attempt_fails(triple):
    with pytest.raises(WrongAnswer) as raised:
        recheck(triple("def my_triple(x): return x"))
    entry = next(e for e in raised.traceback if "01_threes" in str(e.path))
    assert "<01_threes.ipynb, cell check-triple>" in str(entry.path)
    assert str(entry.statement) == "check(my_triple, rows)"


def test_recheck_says_where_it_looked_in_vain(triple):
    with pytest.raises(LookupError, match=r"notebooks.* def my_double\("):
        recheck(my_double)


@pytest.mark.parametrize(
    "expected, got, problem",
    [
        (np.zeros(3), np.zeros((3, 1)), r"expected shape \(3,\), got shape \(3, 1\)"),
        (np.ones(2), np.array([1.0, 2.0]), r"expected \[1., 1.\], got \[1., 2.\]"),
        ((1, 2), 1, "expected 2 results, got an int: 1"),
        ((1, 2), [1, 2], r"expected 2 results, got a list: \[1, 2\]"),
        ((1, 2), (1, 3), "result 1: expected 2, got 3"),
        ({"a": 1.0}, {"a": 2.0}, "at 'a': expected 1., got 2."),
        ({"a": np.ones(2)}, {"b": np.ones(2)}, "expected {'a'"),
        ("yes", np.ones(2), "expected 'yes', got"),
        (
            dict.fromkeys("abcdef", 1),
            dict.fromkeys("abcdeg", 1),
            r"expected other keys; missing: \['f'\]; not expected: \['g'\]",
        ),
        (np.ones((2, 2)), [[1, 2], [3]], r"expected an array of float64, got a list: \[\[1, 2\], "),
        (
            np.ones(2, np.float32),
            np.ones(2),
            "expected an array of float32, got an array of float64",
        ),
        (np.ones(2, int), np.ones(2), "expected an array of int64, got an array of float64"),
        (np.ones(2), np.ones(2, object), "expected an array of float64, got an array of object"),
        (np.ones(2), np.ones(2, bool), "expected an array of float64, got an array of bool"),
        (np.ones(2), np.ma.ones(2), "expected an array of float64, got a MaskedArray"),
        (np.ones(2), np.ones(2).view(np.recarray), "expected an array of float64, got a recarray"),
        (1, True, "expected an int, got a bool: True"),
        (True, 1, "expected True, got 1"),
        ({1: 2}, {True: 2}, "expected {1: 2}, got {True: 2}"),
        ({"a": 1}, Counter("a"), "expected {'a': 1}, got a Counter"),
        ([1, 2], (1, 2), r"expected \[1, 2\], got a tuple"),
        ([1, 2], [1, 3], "result 1: expected 2, got 3"),
        (1.0, None, r"expected 1\.0, got None: is there a return\?"),
        ("a", np.str_("a"), r"expected a str, got a str_: 'a'"),
        (1.0, float("nan"), "expected 1., got nan"),
    ],
)
def test_difference_says_what_differs(expected, got, problem):
    assert re.match(problem, difference(expected, got))
    assert difference(expected, expected) is None


@pytest.mark.parametrize(
    "expected, got",
    [
        (1.0, np.float32(1)),
        (1, np.int64(1)),
        (1.0, 1),
        (2, np.array(2.0)),
        (np.ones(2), np.ones(2, np.float32)),
        (np.ones(2, int), np.ones(2, np.int8)),
        (True, np.True_),
        (float("nan"), np.float64("nan")),
        (10**40, 10**40),
    ],
)
def test_difference_allows_for_other_kinds_of_the_same_number(expected, got):
    assert difference(expected, got) is None


class Liar:
    """Equal to everything, and an array if asked."""

    __eq__ = lambda self, other: True
    __hash__ = None
    __array__ = lambda self, *_, **__: np.ones(2)


class Grenade:
    """Whatever one asks it raises."""

    shape = property(lambda self: 1 / 0)

    def fail(self, *_, **__):
        raise RuntimeError("do not touch")

    __eq__ = __repr__ = __str__ = __bool__ = __len__ = __array__ = __iter__ = __float__ = fail
    __hash__ = None


OBJECTS = np.empty(2, object)
OBJECTS[0] = Grenade()


class EvilText(str):
    __eq__ = lambda self, other: True
    __hash__ = None


class BadError(Exception):
    def __str__(self):
        raise RuntimeError("no message")


def lie(answer):
    return lambda *_: answer


def throw(error):
    def attempt(*_):
        raise error

    return attempt


def close_output(*_):
    print("bye")
    sys.stdout.close()
    return 2


def lose_output(*_):
    sys.stdout = None
    return 2


@pytest.mark.parametrize("expected", [1.0, "a", (1, 2), [1], {"a": 1}, np.ones(2), True, None])
@pytest.mark.parametrize(
    "attempt",
    [
        *map(lie, (Liar(), Grenade(), [Liar()], (Grenade(), 2), {"a": Liar()}, EvilText("b"))),
        *map(lie, ((x for x in "ab"), OBJECTS, "x" * 10**6, 10**5000, lie)),
        *map(throw, (SystemExit(0), GeneratorExit(), BadError(), ZeroDivisionError("a\nb"))),
        close_output,
        lose_output,
        type("Late", (), {"__call__": throw(OSError())})(),
        3,
    ],
)
def test_check_survives_every_attempt(expected, attempt, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdout", open(tmp_path / "out", "w"))
    with pytest.raises(WrongAnswer) as raised:
        check(attempt, [((), expected)])
    assert 0 < len(str(raised.value)) < 600 and re.search("expected|raised", str(raised.value))


def test_ctrl_c_is_not_the_attempts_fault():
    with pytest.raises(KeyboardInterrupt):
        check(throw(KeyboardInterrupt()), [((), 1)])


def test_a_verdict_survives_a_closed_output(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "stdout", open(tmp_path / "out", "w"))
    for attempt in (lose_output, close_output):
        check(attempt, [((), 2)])
    assert "bye" in (tmp_path / "out").read_text()


@pytest.mark.parametrize("argument", [np.arange(3.0), [3, 1, 2], {"a": [1]}, ([1],)])
def test_a_changed_argument_is_noticed_and_does_not_reach_the_next_case(argument):
    def spoil(x):
        if type(x) in (dict, tuple):
            x["a" if type(x) is dict else 0].append(2)
        else:
            x[0] = 9
        return 1

    before = str(argument)
    with pytest.raises(
        WrongAnswer, match="expected the argument .* to stay, but it became"
    ) as raised:
        check(spoil, [((argument,), 1, "a hint about results")])
    assert "Hint" not in str(raised.value)
    assert str(argument) == before


def attempt(name: str, answer) -> None:
    """Check an attempt at an exercise whose answer is 1."""
    function = eval("lambda: answer", {"answer": answer})
    function.__name__ = name
    try:
        check(function, [((), 1)])
    except WrongAnswer:
        print("wrong")


def test_progress_outlives_the_kernel_and_a_success_is_never_lost(tmp_path, capsys):
    shutil.copy(ROOT / "notebooks" / "00_welcome.ipynb", tmp_path)
    names = list(exercises("notebooks", "00_welcome"))
    attempt(names[0], 1)
    attempt(names[0], ...)
    attempt(names[0], 2)  # broken again: it was correct once
    attempt(names[1], 2)
    attempt(names[2], ...)
    attempt("before", 1)  # no exercise
    process = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", "from minigrad.exercise import *; progress()"],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
    marks = "  ".join(f"[{mark}]\u00a0{name}" for mark, name in zip("x-\u00a0\u00a0", names))
    minutes = reading.minutes(ROOT / "notebooks" / "00_welcome.ipynb")[0]
    expected = (
        f"00_welcome       {marks}\n1 correct, 1 attempted, 2 open\n"
        f"go on with 00_welcome.ipynb ({minutes} minutes to read)\n"
    )
    assert process.stdout == expected
    capsys.readouterr()
    progress()
    assert capsys.readouterr().out == expected


def test_a_torn_line_in_the_notes_costs_nothing_else(tmp_path):
    NOTES.write_text("my_follo", encoding="utf-8")
    attempt("my_other", 1)
    assert "my_other correct" in NOTES.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("make", [os.mkdir, pytest.param(getattr(os, "mkfifo", None), id="pipe")])
def test_check_and_progress_cope_with_notes_that_are_no_file(capsys, make):
    if make is None:
        pytest.skip("Windows has no such files")
    make(NOTES)
    attempt("my_double", 1)
    out = capsys.readouterr().out
    assert "your progress is not kept" in out and "my_double: correct" in out
    progress()
    out = capsys.readouterr().out
    assert "your progress cannot be read" in out and "0 correct, 0 attempted, 0 open" in out


def test_progress_copes_with_notes_that_are_no_text_and_notebooks_that_are_none(tmp_path, capsys):
    shutil.copy(ROOT / "notebooks" / "00_welcome.ipynb", tmp_path)
    NOTES.write_bytes(b"\xff\x00\nmy_followers correct\nmy_draw")
    (tmp_path / "01_torn.ipynb").write_text('{"cells": [')
    (tmp_path / "02_odd.ipynb").write_text('{"cells": [{"cell_type": "code"}]}')
    (tmp_path / "03_folder.ipynb").mkdir()
    progress()
    out = capsys.readouterr().out
    assert "[x]\u00a0my_followers" in out and "1 correct, 0 attempted, 3 open\n" in out


def slow(seconds, swallow=()):
    def attempt():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                time.sleep(0.01)
            except swallow:
                return 1
        return 1

    return attempt


def test_a_case_has_a_time_limit_and_whatever_swallows_it_fails(capsys):
    start = time.monotonic()
    for attempt in (slow(60), slow(60, swallow=KeyboardInterrupt), slow(60, swallow=BaseException)):
        with pytest.raises(WrongAnswer, match="raised TimeoutError: it took longer than 0.1 sec"):
            check(attempt, [((), 1)], seconds=0.1)
    assert time.monotonic() - start < 30
    check(slow(0), [((), 1)], seconds=10)
    assert capsys.readouterr().out == "attempt: correct\n"


def test_a_call_in_time_gives_its_result_and_its_own_error_in_any_thread():
    assert in_time(10, divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        in_time(10, divmod, 7, 0)
    with pytest.raises(KeyboardInterrupt):
        in_time(10, throw(KeyboardInterrupt()))
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(in_time, 10, divmod, 7, 2).result() == (3, 1)


KNOWN = """
import numpy as np

def my_mean__divides_by_one_less(x):
    '''Divided by one less.
    See “Means”.'''
    return sum(x) / (len(x) - 1)

def my_mean__endless(x):
    '''Never ends. See “Means”.'''
    while True: pass

def my_mean__says_nothing(x, before=[]):
    '''Remembers. See “Means”.'''
    before += x
    return sum(before) / len(before)
"""


@pytest.fixture
def known_mistakes(tmp_path, monkeypatch):
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "01_means.py").write_text(KNOWN, encoding="utf-8")
    monkeypatch.setattr("minigrad.exercise.MISTAKES", tmp_path / "wrong")


@pytest.mark.parametrize(
    "formula, told",
    [
        ("x[0] / (len(x) - 1) + sum(x[1:]) / (len(x) - 1)", "Divided by one less. See “Means”."),
        ("seen.extend(x) or sum(seen) / len(seen)", None),
        ("sum(x) / 2", None),
        ("print('loud') or sum(x)", None),
        ("1 / 0", None),
    ],
)
def test_a_mistake_is_recognised_by_what_it_does(formula, told, known_mistakes, capsys):
    run_cell(f"seen = []\ndef my_mean(x):\n    return {formula}", space := {})
    with pytest.raises(WrongAnswer) as raised:
        check(space["my_mean"], [(([1.0, 2.0, 6.0],), 3.0), (([2.0, 6.0],), 4.0)])
    expected = "" if told is None else f"Looks familiar: {told}"
    assert str(raised.value).partition("\n")[2] == expected
    assert capsys.readouterr().out in ("", "loud\n")  # once, from the attempt itself


LESSON_END = """## Export and recap

1. How many?
   <details><summary>Answer</summary>**12.5** or so.</details>
2. Which line?
   <details><summary>Answer</summary>**`x.sum(axis=0)`** or **`sum(x)`**: both.</details>
3. Why?
   <details><summary>Answer</summary>Because.</details>
"""


@pytest.fixture
def lessons(tmp_path):
    """Three lessons with three questions each; of the third nothing was done yet."""
    for i, name in enumerate(("00_one", "01_two", "02_three")):
        cells = [
            nbformat.v4.new_code_cell(f"def my_exercise_{i}():\n    return ..."),
            nbformat.v4.new_markdown_cell(LESSON_END),
        ]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / f"{name}.ipynb")
    NOTES.write_text("my_exercise_1 attempted\n", encoding="utf-8")


def asked(typed: dict[str, str], number: int) -> list[str]:
    """The questions of a review, answered from a table by the last digit, else rightly."""
    seen = []

    def ask(text: str) -> str:
        if not text[0].isdigit():
            return "y"
        seen.append(text[:4])
        return typed.get(text[:4], {"1": "12.5", "2": "x.sum( axis = 0 )", "3": "so"}[text[3]])

    review(number, ask)
    return seen


def test_a_review_begins_with_what_was_wrong_and_leaves_out_what_was_not_begun(lessons, capsys):
    assert asked({"00.2": "x.sum()", "01.1": "13"}, 5) == ["00.1", "00.2", "00.3", "01.1", "01.2"]
    out = capsys.readouterr().out
    assert out.endswith("4 of 5 right\n")  # a number is judged; a line that differs is asked about
    assert asked({}, 3) == ["01.1", "01.3", "00.1"]  # wrong, then new, then long ago
    assert asked({}, 9) == ["00.1", "00.2", "00.3", "01.1", "01.2", "01.3"]


@pytest.mark.parametrize(
    "typed, right",
    [("12.5", True), ("12.6", True), ("13", False), ("a lot", None), ("", None)],
)
def test_a_typed_number_is_judged(typed, right):
    assert _is_right(typed, "**12.5** or so.") is right


@pytest.mark.parametrize(
    "typed, right", [("sum( x )", True), ("`x.sum(axis=0)`", True), ("x.sum()", None), ("(", None)]
)
def test_a_typed_line_is_right_if_it_reads_the_same(typed, right):
    assert _is_right(typed, "**`x.sum(axis=0)`** or **`sum(x)`**: both.") is right


def test_every_lesson_asks_at_least_three_questions_one_with_a_typed_answer(monkeypatch):
    monkeypatch.chdir(ROOT / "notebooks")
    for chapter in CHAPTERS[:-1]:
        found = [answer for key, (_, answer) in _questions().items() if key[:2] == chapter[:2]]
        assert len(found) >= 3, chapter
        assert any(answer.startswith("**") for answer in found), chapter


def test_a_prediction_stands_beside_the_truth(capsys):
    prediction(..., 1 / 3)
    prediction(0.5, 1 / 3)
    prediction("many", "few")
    assert capsys.readouterr().out.splitlines() == [
        "No guess was typed; it is 0.333.",
        "You guessed 0.5; it is 0.333.",
        "You guessed 'many'; it is few.",
    ]


def test_a_wrong_attempt_that_is_no_plain_function_gets_its_verdict(tmp_path, monkeypatch):
    mistake = 'def my_double__nothing(x):\n    """It gives nothing."""\n    return {}\n'
    (tmp_path / "m.py").write_text(mistake, encoding="utf-8")
    monkeypatch.setattr("minigrad.exercise.MISTAKES", tmp_path)

    @functools.cache
    def my_double(x):
        return {}

    class Double:
        __name__ = "my_double"
        __call__ = lambda self, x: {}

    for attempt, said in ((my_double, "It gives nothing"), (Double(), ".")):
        with pytest.raises(WrongAnswer, match=said):
            check(attempt, [((1,), {"a": 1})])


def test_a_review_survives_its_file(lessons, capsys):
    NOTES.write_text("\nmy_a correct\nreview 00.1 rig", encoding="utf-8")
    review(1, lambda question: "7")
    NOTES.unlink()
    NOTES.mkdir()
    progress()
    assert "(your progress cannot be read: " in capsys.readouterr().out
