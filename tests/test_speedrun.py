"""The board of recipes: what it measures and refuses, and when a record is one; the ablation."""

import json
import math
import subprocess
import sys

import ablation
import numpy as np
import pytest
import speedrun
from recipes import fast, muon_2025

from conftest import ROOT
from minigrad.functional import log_softmax
from minigrad.gpt import GPT
from minigrad.llama import LlamaAttention, turns
from minigrad.losses import cross_entropy
from minigrad.tensor import Tensor

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
        command = [sys.executable, ROOT / "benchmarks" / "speedrun.py", recipe]
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
        ("    if seed == 0:\n        yield\n", "never reached 100.0: yielded no model"),
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
    assert "never reached 0.5: its lowest loss is 3.3" in board_run(body, "--target", ".5")[2]
    body = refused("    import time\n    time.sleep(60)\n    yield\n")
    assert "not there after 0.5 seconds" in board_run(body, "--limit", "0.5")[2]


def test_practice_never_sees_the_last_tenth(board_run, tmp_path, text):
    text = text.read_text("utf-8")
    end = len(text) * 9 // 10
    cut = end * 9 // 10
    body = refused(f"    assert text == {text[:cut]!r}\n    yield model(text), 0\n")
    code, out, _ = board_run(body, "--practice", "--target", "100")
    judge = speedrun.Judge(text[:end], cut, 100, 0.0)
    loss = judge.loss(GPT(28, 8, 1, 1, 64, rng=np.random.default_rng(0)))
    assert code == 0 and f"| {loss:.4f} |" in out
    board = tmp_path / "board.jsonl"
    assert "practice is no record" in board_run(body, "--practice", "--board", str(board))[2]
    assert not board.exists()


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
    slower = EASY.replace("    yield", "    import time\n    time.sleep(2)\n    yield", 1)
    code, out, err = board_run(slower, *against, name="second")
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
    last = dict(
        recipe="old", text=speedrun.record(recipes[1], [{"what": ""}], options(text), "")["text"]
    )
    board.write_text(json.dumps(last | {"target": 1.886}) + "\n", encoding="utf-8")
    times = {"new": {1: 9.0, 2: 9.5, 3: 10.0}, "old": {1: 30.0, 2: 31.0, 3: 29.0}}

    def attempt(recipe, args, seed):
        return dict(seconds=times[recipe.stem][seed], losses=1.88, tokens=10, parameters=5, what="")

    monkeypatch.setattr(speedrun, "attempt", attempt)
    monkeypatch.setattr(speedrun, "keep_to_two_cores", lambda: "here")
    command = [*recipes[:1], "--text", text, "--against", recipes[1], "--board", board]
    monkeypatch.setattr(sys, "argv", ["speedrun.py", *map(str, command)])
    speedrun.main()
    entry = json.loads(board.read_text("utf-8").splitlines()[1])
    assert entry["seconds"] == [9.0, 9.5, 10.0] and 0 < entry["p"] < 1e-4
    assert "| new | **9.5** (9.0, 9.5, 10.0) | 10 | 5 | 1.8800, " in capsys.readouterr().out

    times["new"], times["old"] = {1: 1.0, 2: 8.0, 3: 20.0}, times["new"]
    command[0], command[4] = command[4], command[0]
    monkeypatch.setattr(sys, "argv", ["speedrun.py", *map(str, command)])
    with pytest.raises(SystemExit, match="below 0.01"):
        speedrun.main()
    assert len(board.read_text("utf-8").splitlines()) == 2
    monkeypatch.setattr(sys, "argv", [*sys.argv, "--target", "2"])
    with pytest.raises(SystemExit):
        speedrun.main()
    assert "for another text or another target" in capsys.readouterr().err


@pytest.mark.parametrize("content", ["no JSON", "[1]", '{"recipe": "first"}', None])
def test_what_is_no_board_is_told_before_the_runs(board_run, tmp_path, content):
    board = tmp_path / "board.jsonl" if content else tmp_path / "nowhere" / "board.jsonl"
    if content:
        board.write_text(content, encoding="utf-8")
    code, out, err = board_run(EASY, "--target", "100", "--board", str(board))
    assert code == 1 and out == "" and f"{board} is no board" in err and len(err.splitlines()) == 1
    assert not content or board.read_text("utf-8") == content


def test_a_record_is_kept_whatever_the_terminal_and_the_last_line(
    board_run, tmp_path, text, monkeypatch
):
    """A name that ASCII cannot show; and a board whose last line was not ended."""
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    board, first = tmp_path / "board.jsonl", tmp_path / "first.py"
    slow = EASY.replace("    yield", "    import time\n    time.sleep(1.5)\n    yield")
    options = "--target", "100", "--board", str(board), "--seeds", "5", "6"
    assert board_run(slow, *options, name="first")[0] == 0
    board.write_text(board.read_text("utf-8").rstrip("\n"), encoding="utf-8")
    code, out, err = board_run(EASY, *options, "--against", str(first), name="\u5feb")
    found = [json.loads(line)["recipe"] for line in board.read_text("utf-8").splitlines()]
    assert "Traceback" not in err
    assert found == ["first", "\u5feb"] if code == 0 else "p has to be below" in err


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
    [
        (0, 3, 0.5),
        (6.314, 1, 0.05),
        (6.965, 2, 0.01),
        (2.602, 15, 0.01),
        (-2.602, 15, 0.99),
        (3, 2.5, 0.036288),
    ],
)
def test_upper_tail_of_students_t(t, df, p):
    assert speedrun.upper_tail(t, df) == pytest.approx(p, rel=1e-3)


def test_welch():
    # t = 4.899, df = 4
    assert speedrun.chance([1, 2, 3], [5, 6, 7]) == pytest.approx(0.00402, rel=1e-2)
    assert speedrun.chance([5, 6, 7], [1, 2, 3]) == pytest.approx(1 - 0.00402, rel=1e-4)
    assert speedrun.chance([1, 2, 3], [1, 2, 3]) == pytest.approx(0.5)
    p = speedrun.chance([9.3, 9.8, 10.9], [9.9, 12, 15])  # as SciPy has it
    assert p == pytest.approx(0.1282419546, rel=1e-6)
    assert speedrun.chance([1], [2, 3]) is None
    assert speedrun.chance([1, 1], [2, 2]) == 0 and speedrun.chance([2, 2], [2, 2]) == 1
    one = speedrun.chance([1, 1], [2, 4])  # df = 1
    assert one == pytest.approx(0.5 - math.atan(2) / math.pi, rel=1e-3)


def test_the_fast_recipe_goes_through_its_stages_and_counts_their_tokens(text):
    string = text.read_text("utf-8")
    ids = np.array([sorted(set(string)).index(c) for c in string[:65]])
    *_, (model, tokens) = found = list(
        fast.train(string, 1, 20, stages=[(0.5, 3, 16), (1.0, 2, 64)])
    )
    assert len(found) == 5 and tokens == 10 * (3 * 16 + 2 * 64)
    assert sum(p.size for p in model.parameters()) < 1_000_000
    assert model(ids[None, :-1], ids[None, 1:])[1].item() < 2.5


def test_normalised_queries_and_keys_have_one_length():
    rng = np.random.default_rng(0)
    attention = fast.llama(28, rng).model.layers[0].self_attn
    x = Tensor(rng.standard_normal((2, 5, 128), dtype=np.float32))
    cos, sin = turns(np.arange(5), 32, 10000.0)
    qkv, plain = (
        kind.turned(attention, x, cos, sin).data for kind in (type(attention), LlamaAttention)
    )
    assert np.linalg.norm(qkv[:, :, :8], axis=-1) == pytest.approx(np.sqrt(32), rel=1e-2)
    lengths = np.linalg.norm(plain[:, :, :8], axis=-1, keepdims=True)
    assert np.allclose(qkv[:, :, :8], plain[:, :, :8] * np.sqrt(32) / lengths, rtol=1e-2)
    assert np.array_equal(qkv[:, :, 8:], plain[:, :, 8:])  # values are left as they are


def test_the_way_of_the_ablation_begins_with_the_first_record(text, monkeypatch):
    string, tried = text.read_text("utf-8"), ablation.settings(np.arange(3))
    assert list(tried)[ablation.WAY - 1] == ablation.END and tried[ablation.END] == {}
    monkeypatch.setattr(muon_2025, "STEPS", 10)
    monkeypatch.setattr(muon_2025, "JUDGED_FROM", 0)
    ((first, _),) = muon_2025.train(string, 1)
    (way,) = ablation.learning(string, 1, 10, **next(iter(tried.values())))
    for p, q in zip(first.parameters(), way.parameters()):
        assert np.array_equal(p.data, q.data)


def test_settings_change_what_they_say(text, monkeypatch):
    string, seen = text.read_text("utf-8"), []
    ids = np.array([sorted(set(string)).index(c) for c in string])
    tried = ablation.settings(ids)
    watched = lambda matrix, iterations: seen.append(iterations) or matrix
    monkeypatch.setattr(ablation, "ORTHOGONALIZE", watched)
    for name, iterations in (("3 Newton-Schulz iterations", 3), (ablation.END, 5)):
        seen.clear()
        list(ablation.learning(string, 1, 1, **tried[name]))
        assert set(seen) == {iterations}
    model = tried["pairs counted first"]["build"](28, np.random.default_rng(0))
    p = np.exp(log_softmax(model(ids[None, :64])[0]).data[0])
    after_q = list(string[:64]).index("q")
    assert "".join(sorted(set(string)))[p[after_q].argmax()] == "u" and p[after_q].max() > 0.8
    own, tied = (
        next(ablation.learning(string, 1, 1, **tried[name])).num_parameters()
        for name in ("a head of its own", ablation.END)
    )
    assert own == tied + 28 * 128


def test_table_of_a_quick_ablation(text, tmp_path, monkeypatch, capsys):
    out = tmp_path / "results.json"
    few = lambda ids, tried=ablation.settings: dict(list(tried(ids).items())[5:9])
    monkeypatch.setattr(ablation, "settings", few)
    command = ["--quick", "--text", str(text), "--seeds", "1", "2", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["ablation.py", *command])
    ablation.main()
    rows = json.loads(out.read_text("utf-8"))
    assert rows[1]["setting"] == ablation.END and rows[1]["cost"] == 1
    assert [len(row["losses"]) for row in rows] == [2] * 4
    assert rows[2]["setting"] == "1 layer" and rows[2]["cost"] < 1 < rows[3]["cost"]
    head, line, *lines = capsys.readouterr().out.splitlines()
    assert {row.count("|") for row in (head, line, *lines)} == {6} and len(lines) == 4


def test_changes_are_beside_the_one_before_on_the_way_and_beside_its_end_after_it():
    row = lambda i: dict(setting=str(i), cost=1.0, steps=5, losses=[i**2 - 0.5, i**2 + 0.5])
    lines = ablation.table([row(i) for i in range(ablation.WAY + 2)]).splitlines()[2:]
    changes = [line.split("|")[5].strip() for line in lines]
    assert changes == ["-", *(f"{2 * i - 1:+.3f}" for i in range(1, 7)), "+13.000", "+28.000"]
    assert "**9.000** (0.500)" in lines[3]


def test_the_lesson_shows_what_was_measured():
    rows = json.loads((ROOT / "benchmarks" / "ablation.json").read_text("utf-8"))
    assert [row["setting"] for row in rows] == list(ablation.settings(np.arange(3)))
    lesson = json.loads((ROOT / "notebooks" / "12_make_it_fast.ipynb").read_text("utf-8"))
    (cell,) = (cell for cell in lesson["cells"] if cell["id"] == "brought")
    shown = [line.strip() for line in cell["source"]]
    readme = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    assert ablation.table(rows) in readme
    for row in rows:
        numbers = f"{row['cost']:.2f}", *(f"{loss:.3f}" for loss in row["losses"])
        assert f'"{row["setting"]}": ({", ".join(numbers)}),' in shown
