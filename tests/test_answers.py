"""Answers outlive the kernel, and run in the place of the package's pieces."""

import os
import re
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pytest
from test_exercises import CHAPTERS, code, exercises

from conftest import ROOT, run_cell
from minigrad import answers, functional, losses
from minigrad.answers import mine, piece, pieces, takes_place
from minigrad.checkpoint import CheckpointManager
from minigrad.exercise import check
from minigrad.generate import generate
from minigrad.gpt import GPT
from minigrad.notes import ANSWERS, keep, kept
from minigrad.tensor import Tensor
from minigrad.train import TrainConfig, Trainer


def function(source: str, name: str = "my_piece"):
    space = {"__name__": "__main__", "np": np}
    run_cell(source, space)
    return space[name]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """The answers go into a folder of the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def no_pieces(monkeypatch):
    """No lesson has declared a piece yet."""
    monkeypatch.setattr(answers, "PIECES", {})
    monkeypatch.setattr(answers, "pieces", lambda: list(answers.PIECES.values()))


NEEDY = """
import math
import numpy.linalg as la
from collections import Counter
from minigrad.functional import softmax as soft

RATE = 0.5

def halved(n):
    return n if n < 1 else halved(n - 1)

def helper(x):
    return RATE * halved(3) + la.norm(x)

def my_piece(x: np.ndarray, n=math.pi, *, more=Counter):
    RATES = [RATE for x in range(2)]
    def inner(y):
        return [helper(y), soft, RATES, my_piece]
    return inner(x)
"""


def test_an_answer_is_kept_with_all_that_it_uses_and_outlives_the_kernel():
    answer = function(NEEDY)
    keep(answer)
    code = (
        "import sys; from minigrad.notes import kept\n"
        "answers, problems = kept()\n"
        "print(float(answers['my_piece']([3.0, 4.0])[0]), problems)"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60
    )
    assert done.stdout == "5.0 []\n", done.stderr
    text = ANSWERS.read_text(encoding="utf-8")
    assert "import numpy.linalg as la\n" in text and "import math\n" in text
    assert "from minigrad.functional import softmax as soft\n" in text
    assert compile(text, "my_answers.py", "exec")


def test_what_cannot_be_kept_is_named_and_the_answer_counts(capsys):
    answer = function("table = np.ones(3)\ndef my_piece():\n    return table.sum() - 2")
    check(answer, [((), 1)])
    assert capsys.readouterr().out == (
        "my_piece: correct\n(your answer counts but is not kept: it uses table of the notebook: "
        "make that inside of it)\n"
    )
    exec("def my_piece():\n    return 1", space := {})  # a source that nobody has
    check(space["my_piece"], [((), 1)])
    assert "(your answer counts but is not kept: " in capsys.readouterr().out
    assert not ANSWERS.exists()


def test_what_python_has_by_itself_is_not_taken_along():
    """A kernel puts an `open` of its own among the names of a notebook."""
    answer = function("def my_piece(x):\n    return open, len(x)")
    answer.__globals__["open"] = type("Open", (), {"__module__": "IPython"})()
    keep(answer)
    assert kept()[0]["my_piece"]("ab") == (open, 2)
    keep(function("def len(x):\n    return 9\ndef my_piece(x):\n    return len(x)"))
    assert kept()[0]["my_piece"]("ab") == 9


def test_a_lambda_has_the_name_that_the_notebook_gives_it(capsys):
    check(function("my_piece = lambda x: 2 * x"), [((1,), 2)])
    assert capsys.readouterr().out == "my_piece: correct\n"
    assert kept()[0]["my_piece"](2) == 4


def test_a_wrong_answer_is_not_kept():
    with pytest.raises(AssertionError):
        check(function("def my_piece():\n    return 2"), [((), 1)])
    assert not ANSWERS.exists()


def test_a_second_answer_takes_the_place_of_the_first_and_of_no_other():
    for source, name in (("1", "my_piece"), ("2", "my_other"), ("3", "my_piece")):
        check(function(f"def {name}():\n    return {source}", name), [((), int(source))])
    found, problems = kept()
    assert {name: answer() for name, answer in found.items()} == {"my_piece": 3, "my_other": 2}
    assert not problems
    text = ANSWERS.read_text(encoding="utf-8")
    assert "\n\n\n# my_other, accepted\n" in text and text.endswith("    return 2\n")
    assert [path.name for path in sorted(ANSWERS.parent.glob("my_answers*"))] == ["my_answers.py"]


def test_broken_syntax_costs_one_answer_and_is_never_overwritten():
    for name in ("my_first", "my_second"):
        keep(function(f"def {name}():\n    return 1", name))
    text = ANSWERS.read_text(encoding="utf-8").replace("def my_first():", "def my_first(:")
    ANSWERS.write_text(text, encoding="utf-8")
    line = text.split("\n").index("def my_first(:") + 1
    found, problems = kept()
    assert list(found) == ["my_second"]
    assert re.fullmatch(rf"my_first: .+ in line {line} of my_answers.py", problems[0])
    keep(function("def my_third():\n    return 1", "my_third"))
    assert "def my_first(:" in ANSWERS.read_text(encoding="utf-8")
    assert list(kept()[0]) == ["my_second", "my_third"]


def test_what_the_reader_wrote_before_the_answers_stays():
    ANSWERS.write_text("# notes of my own\nNUMBER = 3\n", encoding="utf-8")
    for _ in range(2):
        keep(function("LIMITS = float('inf')\ndef my_piece():\n    return LIMITS"))
    text = ANSWERS.read_text(encoding="utf-8")
    assert text.startswith("# notes of my own\nNUMBER = 3\n# my_piece, accepted\n")
    assert kept()[0]["my_piece"]() == float("inf")


@pytest.mark.parametrize(
    "body, problem",
    [("1 / 0", "ZeroDivisionError"), ("pass", "KeyError"), ("raise SystemExit", "SystemExit")],
)
def test_a_kept_answer_that_cannot_be_made_is_named(body, problem):
    ANSWERS.write_text(f"# my_piece, accepted\n{body}\n", encoding="utf-8")
    found, problems = kept()
    assert not found and problem in problems[0] and "my_piece" in problems[0]


@pytest.mark.parametrize("kind", ["folder", "binary", "full disk"])
def test_what_was_kept_is_safe_where_keeping_fails(kind, monkeypatch, capsys):
    if kind == "folder":
        ANSWERS.mkdir()
    else:
        ANSWERS.write_bytes(b"\xff\xfe" if kind == "binary" else b"# mine\n")
    if kind == "full disk":
        monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))
    check(function("def my_piece():\n    return 1"), [((), 1)])
    out = capsys.readouterr().out
    assert "my_piece: correct" in out and "your answer counts but is not kept" in out
    assert ANSWERS.is_dir() or ANSWERS.read_bytes() in (b"\xff\xfe", b"# mine\n")
    if kind != "full disk":
        assert kept()[0] == {} and "my_answers.py cannot be read" in kept()[1][0]


def compare_softmax(f, rng):
    x = Tensor(rng.normal(size=(3, 5)), requires_grad=True)
    y = f(x)
    y.backward(rng.normal(size=(3, 5)))
    return y.data, x.grad


MY_SOFTMAX = """
from minigrad.tensor import record

def my_piece(x, axis=-1):
    e = np.exp(x.data - x.data.max(axis, keepdims=True))
    p = e / e.sum(axis, keepdims=True)
    return record(p, (x, lambda g: p * (g - FACTOR * (g * p).sum(axis, keepdims=True))))
"""


def test_a_piece_stands_in_its_place_for_the_block_and_under_all_of_its_names(no_pieces, capsys):
    takes_place("my_piece", "functional.softmax", compare_softmax)
    takes_place("my_missing", "functional.gelu", compare_softmax)
    keep(function(MY_SOFTMAX.replace("FACTOR", "1")))
    package = functional.softmax
    losses.alias = package
    try:
        with mine() as names:
            assert names == ["my_piece"]
            assert functional.softmax is losses.alias is not package
            assert functional.softmax.__name__ == "my_piece"
            raise KeyError
    except KeyError:
        assert functional.softmax is losses.alias is package
    finally:
        del losses.alias
    assert capsys.readouterr().out == "1 of 2 pieces are yours: my_piece\n"


def test_a_method_is_replaced_with_its_aliases_and_knows_what_it_replaces(no_pieces, monkeypatch):
    @piece("tensor.Tensor.__mul__", lambda f, rng: f(Tensor(rng.normal(size=3)), 2.0).data)
    def my_piece(answer, original):
        return lambda a, b: original(a, answer(b))

    keep(function("def my_piece(b):\n    calls = b\n    return calls"))
    package = Tensor.__mul__
    monkeypatch.setattr(Tensor, "times", package, raising=False)
    with mine():
        assert Tensor.__mul__ is Tensor.times is not package
        assert (Tensor([3.0]) * 2).data == 6
    assert Tensor.__mul__ is Tensor.times is package


def test_in_a_notebook_the_name_remains_the_readers(no_pieces, monkeypatch):
    attempt = function("def my_piece(b):\n    return b")
    monkeypatch.setattr(sys.modules["__main__"], "my_piece", attempt, raising=False)
    for home, expected in (("__main__", True), (__name__, False)):
        monkeypatch.setattr(compare_softmax, "__module__", home)

        @piece("functional.softmax", compare_softmax)
        def my_piece(answer, original):
            return answer

        assert (my_piece is attempt) is expected


def test_a_lesson_may_fill_a_place_of_an_earlier_one(no_pieces, monkeypatch, capsys):
    """In its notebook, where the name that is replaced does not stand by itself."""
    monkeypatch.setattr(compare_softmax, "__module__", "__main__")
    takes_place("my_piece", "functional.softmax", compare_softmax)
    keep(function(MY_SOFTMAX.replace("FACTOR", "1")))
    package = functional.softmax
    with mine() as names:
        assert names == ["my_piece"] and functional.softmax is not package
    assert functional.softmax is package


@pytest.mark.parametrize(
    "source, told",
    [
        (MY_SOFTMAX.replace("FACTOR", "0.9"), r"on random input result 1: expected \[\["),
        ("def my_piece(x):\n    return 1 / 0", "on random input it raised ZeroDivisionError"),
        ("def my_piece(x):\n    raise SystemExit", "on random input it raised SystemExit"),
        (
            "def my_piece(x):\n    while True: pass",
            "on random input it raised TimeoutError: .* longer than 2 sec",
        ),
    ],
    ids=["wrong", "raises", "exits", "endless"],
)
def test_a_wrong_piece_is_named_soon_and_left_out(source, told, no_pieces, capsys):
    takes_place("my_piece", "functional.softmax", compare_softmax)
    keep(function(source))
    package, start = functional.softmax, time.monotonic()
    with mine() as names:
        assert names == [] and functional.softmax is package
    assert time.monotonic() - start < 30  # of which a quiet machine needs two
    out = capsys.readouterr().out
    assert re.search(f"left out: my_piece passed its check, but {told}", out)
    assert out.endswith("none of the pieces is yours yet: this runs on the package's\n")


def test_a_syntax_error_in_the_kept_file_is_named_and_the_package_runs(no_pieces, capsys):
    takes_place("my_piece", "functional.softmax", compare_softmax)
    ANSWERS.write_text("# my_piece, accepted\ndef my_piece(:\n", encoding="utf-8")
    with mine() as names:
        assert names == []
    assert (
        "left out: my_piece: invalid syntax in line 2 of my_answers.py" in capsys.readouterr().out
    )


def test_a_target_that_does_not_exist_is_an_error(no_pieces):
    takes_place("my_piece", "functional.softmix", compare_softmax)
    keep(function("def my_piece(x):\n    return x"))
    with pytest.raises(AttributeError, match="softmix"), mine():
        pass


@pytest.fixture(scope="module")
def solved(tmp_path_factory) -> str:
    """A file with the solutions of all exercises as kept answers."""
    folder, before = tmp_path_factory.mktemp("solved"), os.getcwd()
    os.chdir(folder)
    try:
        for chapter in CHAPTERS:
            space = {"__name__": "__main__"}
            run_cell(code("solutions", chapter)[0], space)
            for name, (solution, _) in exercises("solutions", chapter).items():
                run_cell(solution, space)
                keep(space[name])
    finally:
        os.chdir(before)
    return (folder / ANSWERS).read_text(encoding="utf-8")


def test_all_solutions_can_be_kept_and_all_pieces_fit(solved, capsys):
    ANSWERS.write_text(solved, encoding="utf-8")
    found, problems = kept()
    assert not problems
    assert list(found) == [name for chapter in CHAPTERS for name in exercises("solutions", chapter)]
    declared = {piece.exercise for piece in pieces()}
    assert declared <= set(found) and len(declared) >= 25
    with mine() as names:
        assert set(names) == declared
    assert capsys.readouterr().out.startswith(
        f"{len(declared)} of {len(declared)} pieces are yours"
    )


def final_loss() -> float:
    config = TrainConfig(
        dataset="shakespeare",
        n_layer=2,
        n_head=2,
        n_embd=32,
        block_size=32,
        batch_size=8,
        max_iters=60,
        eval_interval=60,
        eval_iters=5,
        learning_rate=3e-3,
    )
    trainer = Trainer(config)
    trainer.run()
    return trainer.history[-1]["val_loss"]


def test_a_run_on_all_or_half_of_the_solutions_ends_where_the_packages_ends(solved):
    expected = final_loss()
    blocks = solved.split("# my_")
    for share in (blocks, blocks[:1] + blocks[1::2]):
        ANSWERS.write_text("# my_".join(share), encoding="utf-8")
        with mine() as names:
            assert len(names) >= 25 or share is not blocks
            assert abs(final_loss() - expected) < 1e-4


def test_files_are_written_and_read_by_the_readers_pieces(solved, tmp_path):
    """What a run keeps, and other people's formats, with every piece in its place."""
    ANSWERS.write_text(solved, encoding="utf-8")
    model = GPT(vocab_size=7, n_embd=8, n_layer=1, n_head=2, block_size=8)
    config = TrainConfig("names", n_layer=1, n_head=1, n_embd=8, block_size=8, max_iters=2)
    idx = np.array([[1, 2, 3]])
    expected = model(idx)[0].data
    with mine():
        trainer = Trainer(replace(config, eval_interval=1, eval_iters=1))
        manager = CheckpointManager(tmp_path / "run")
        trainer.run(manager)
        state, _ = manager.load_newest()
        trainer.load_state(state)
        model.save_pretrained(tmp_path / "gpt2")
        again = GPT.from_pretrained(tmp_path / "gpt2")
        text = generate(model, idx, 4, temperature=0.7, top_k=3, top_p=0.9, rng=0)
    assert state["step"] == 2
    np.testing.assert_allclose(again(idx)[0].data, expected, rtol=1e-5, atol=1e-6)
    assert (text == generate(model, idx, 4, temperature=0.7, top_k=3, top_p=0.9, rng=0)).all()
