"""The board of recipes: what it measures, what it refuses, when a record is one."""

import json
import math
import subprocess
import sys

import numpy as np
import pytest
import speedrun

from conftest import ROOT
from minigrad.gpt import GPT
from minigrad.losses import cross_entropy

HEAD = """
import numpy as np
from minigrad.gpt import GPT
from minigrad.data import SimpleTokenizer


def model(text, width=8):
    return GPT(len(set(text)), width, 1, 1, 64, rng=np.random.default_rng(0))


"""


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("board") / "text.txt"
    path.write_text("the quick brown fox jumps over the lazy dog\n" * 50, encoding="utf-8")
    return path


@pytest.fixture
def board_run(tmp_path, text):
    """Run the command on a recipe's body; returns its exit code, output and errors."""

    def run(body, *options, name="mine"):
        recipe = tmp_path / f"{name}.py"
        recipe.write_text(HEAD + body, encoding="utf-8")
        command = [sys.executable, "-X", "utf8", ROOT / "benchmarks" / "speedrun.py", recipe]
        command += ["--text", text, "--seeds", "5", *options]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=100)
        return done.returncode, done.stdout, done.stderr

    return run


EASY = '''
def train(text, seed):
    """Nothing at all."""
    assert len(text) == 1980 and seed in (5, 6)
    yield model(text), 0
'''


def refused(body):
    return 'def train(text, seed):\n    """Cheats."""\n' + body


@pytest.mark.parametrize(
    "body, why",
    [
        ("    yield model(text, 400), 0\n", "has 1,9"),
        ("    if seed == 0:\n        yield\n", "never yielded a model"),
        ("    return model(text)\n", "never yields: train(text, seed) is no generator"),
        ("    yield None, 0\n", "yielded a NoneType, not a model"),
        ("    raise OSError('no more')\n    yield\n", "OSError: no more"),
        ("    import os\n    os._exit(7)\n    yield\n", "ended with code 7"),
        ("    import pytest\n    yield model(text), 0\n", "uses "),
        (
            "    m = model(text)\n    m.hidden = lambda idx, cache: "
            "m.transformer.wte(np.roll(idx, -1))\n    yield m, 0\n",
            "looks ahead",
        ),
    ],
)
def test_what_is_against_the_rules_is_told_in_a_line(board_run, body, why):
    code, out, err = board_run(refused(body), "--target", "100")
    assert code == 1 and out == ""
    (line,) = err.splitlines()
    assert line.startswith(f"mine.py, seed 5: {why}")


def test_a_recipe_without_a_function_or_a_docstring_is_refused(board_run):
    for body in ("", "def train(text, seed):\n    yield model(text), 0\n"):
        assert "has no function train(text, seed) with a docstring" in board_run(body)[2]


def test_a_recipe_that_never_gets_there_or_never_ends(board_run):
    body = refused("    yield model(text), 0\n    yield model(text), 9\n")
    assert (
        "never reached 0.5: the lowest of 2 losses is 3.3" in board_run(body, "--target", ".5")[2]
    )
    body = refused("    import time\n    time.sleep(60)\n    yield\n")
    assert "not there after 0.5 seconds" in board_run(body, "--limit", "0.5")[2]


def test_a_first_record_and_one_that_is_not_faster(board_run, tmp_path, text):
    board = tmp_path / "board.jsonl"
    options = "--target", "100", "--board", str(board)
    code, out, _ = board_run(EASY, *options, name="first")
    assert code == 0 and "| first | **" in out
    (line,) = board.read_text("utf-8").splitlines()
    entry = json.loads(line)
    assert (entry["recipe"], entry["what"], entry["p"]) == ("first", "Nothing at all.", None)
    assert entry["seeds"] == [5] and entry["tokens"] == [0] and entry["target"] == 100
    assert (
        len(entry["seconds"]) == 1 and 0 < entry["seconds"][0] < 100 and "NumPy" in entry["machine"]
    )
    assert entry["parameters"] == [sum(p.size for p in GPT(28, 8, 1, 1, 64).parameters())]

    assert "the last record is first: run against it" in board_run(EASY, *options, name="second")[2]
    against = *options, "--against", str(tmp_path / "first.py"), "--seeds", "5", "6"
    code, out, err = board_run(EASY, *against, name="second")
    assert code == 1 and err.splitlines()[-1] == "no record: p has to be below 0.01"
    assert [line.split(":")[0] for line in err.splitlines()[:4]] == [
        f"{name}.py, seed {seed}" for seed in (5, 6) for name in ("second", "first")
    ]
    assert "| second | **" in out and board.read_text("utf-8") == line + "\n"


def test_only_what_is_faster_beyond_chance_is_added(tmp_path, text, monkeypatch, capsys):
    recipes = [tmp_path / "new.py", tmp_path / "old.py"]
    for recipe in recipes:
        recipe.write_text(HEAD + EASY, encoding="utf-8")
    board = tmp_path / "board.jsonl"
    last = dict(recipe="old", text=speedrun.record(recipes[1], [{}], options(text), "")["text"])
    board.write_text(json.dumps(last | {"target": 1.886}) + "\n", encoding="utf-8")
    times = {"new": {1: 9.0, 2: 9.5, 3: 10.0}, "old": {1: 30.0, 2: 31.0, 3: 29.0}}

    def attempt(recipe, args, seed):
        return dict(seconds=times[recipe.stem][seed], losses=1.88, tokens=10, parameters=5)

    monkeypatch.setattr(speedrun, "attempt", attempt)
    monkeypatch.setattr(speedrun, "keep_to_two_cores", lambda: "here")
    command = [*recipes[:1], "--text", text, "--against", recipes[1], "--board", board]
    monkeypatch.setattr(sys, "argv", ["speedrun.py", *map(str, command)])
    speedrun.main()
    (entry,) = speedrun.read(board)[1:]
    assert entry["seconds"] == [9.0, 9.5, 10.0] and 0 < entry["p"] < 1e-4
    assert "| new | **9.5** (9.0, 9.5, 10.0) | 10 | 5 | 1.8800, " in capsys.readouterr().out

    times["new"], times["old"] = {1: 1.0, 2: 8.0, 3: 20.0}, times["new"]
    command[0], command[3] = command[3], command[0]
    monkeypatch.setattr(sys, "argv", ["speedrun.py", *map(str, command)])
    with pytest.raises(SystemExit, match="below 0.01"):
        speedrun.main()
    assert len(speedrun.read(board)) == 2
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--target", "2"])
    with pytest.raises(SystemExit, match="another target"):
        speedrun.main()


def options(text):
    return type("Options", (), dict(text=text, target=1.886, seeds=[1, 2, 3]))


def test_the_loss_is_that_of_each_character_after_the_cut_once(text):
    string = text.read_text("utf-8")
    for length in (2000, 1980 + 64, 1990):  # with a shorter last window, without one, it alone
        judge = speedrun.Judge(string[:length], 1980, 2.0, 0.0)
        model = GPT(len(set(string)), 8, 1, 1, 64, rng=np.random.default_rng(1))
        for p in model.parameters():
            p.data = 30 * p.data  # so that it matters what a character is predicted from
        loss = judge.loss(model)
        ids = judge.ids
        assert len(ids) == length - 1979
        costs = []
        for i in range(1, len(ids)):
            start = (i - 1) // 64 * 64
            logits = model(ids[None, start:i])[0][:, -1]
            costs.append(cross_entropy(logits, ids[None, i]).item())
        assert loss == pytest.approx(np.mean(costs), rel=1e-4)


def test_the_clock_stands_still_while_it_is_judged(text, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(speedrun.time, "perf_counter", lambda: now[0])
    judge = speedrun.Judge(text.read_text("utf-8"), 1980, 2.0, 90.0)
    losses = iter([3.0, 1.9])

    def loss(model):
        now[0] += 50
        return next(losses)

    monkeypatch.setattr(judge, "loss", loss)
    model = GPT(28, 8, 1, 1, 64)
    assert not judge(model, 10) and judge.seconds == 10
    now[0] += 7
    assert judge(model, 20) and judge.seconds == 17 and judge.tokens == 20


@pytest.mark.parametrize(
    "t, df, p",  # from tables
    [(0, 3, 0.5), (6.314, 1, 0.05), (6.965, 2, 0.01), (2.602, 15, 0.01), (-2.602, 15, 0.99)],
)
def test_upper_tail_of_students_t(t, df, p):
    assert speedrun.upper_tail(t, df) == pytest.approx(p, rel=1e-3)


def test_tail_between_whole_degrees_of_freedom():
    whole = [speedrun.upper_tail(3.0, df) for df in (2, 2.5, 3)]
    assert whole == sorted(whole, reverse=True)
    assert whole[1] == pytest.approx(0.03774, rel=2e-3) or whole[0] > whole[1] > whole[2]


def test_welch():
    # t = 4.899, df = 4
    assert speedrun.chance([1, 2, 3], [5, 6, 7]) == pytest.approx(0.00402, rel=1e-2)
    assert speedrun.chance([5, 6, 7], [1, 2, 3]) == pytest.approx(1 - 0.00402, rel=1e-4)
    assert speedrun.chance([1, 2, 3], [1, 2, 3]) == pytest.approx(0.5)
    assert speedrun.chance([1], [2, 3]) is None
    assert speedrun.chance([1, 1], [2, 2]) == 0 and speedrun.chance([2, 2], [2, 2]) == 1
    one = speedrun.chance([1, 1], [2, 4])  # df = 1
    assert one == pytest.approx(0.5 - math.atan(2) / math.pi, rel=1e-3)
