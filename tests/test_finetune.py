"""Fine-tuning: what is read, which targets count, runs, checkpoints, and the command."""

import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from minigrad import finetune
from minigrad.bpe import BPETokenizer
from minigrad.chat import main
from minigrad.checkpoint import (
    CheckpointError,
    CheckpointManager,
    load,
    load_model,
    save,
    shrink,
    tokenizer_entry,
)
from minigrad.data import SimpleTokenizer
from minigrad.finetune import ConversationLoader, TuneConfig, Tuning, example, read_conversations
from minigrad.generate import load_writer
from minigrad.gpt import GPT
from minigrad.llama import Llama
from minigrad.losses import IGNORE_INDEX
from minigrad.parallel import mean_loss
from minigrad.template import END, START, prompt_ids
from minigrad.weights import export

TOKENIZER = BPETokenizer.from_text("yes yes yes no no no", 264, ["<|endoftext|>", START, END])
SIZES = {"n_embd": 16, "n_layer": 1, "n_head": 2, "block_size": 64}
MODELS = {"gpt": GPT, "llama": Llama}


def messages(*turns: str) -> list[dict[str, str]]:
    """A user's and an assistant's words in turns; before them a system's, if it begins by a !."""
    roles = ["system", *["user", "assistant"] * 9][turns[0][0] != "!" :]
    return [{"role": role, "content": text} for role, text in zip(roles, turns)]


def line(*turns: str) -> str:
    return json.dumps({"messages": messages(*turns)})


@pytest.fixture
def talks(tmp_path):
    """Twelve conversations: what is asked once is answered twice."""
    path = tmp_path / "talks.jsonl"
    lines = [line(word, 2 * word) for word in "a b c d e f g h i j".split()]
    path.write_text("\n".join([*lines, "", line("!", "k", "kk", "l", "ll"), line("m", "mm"), ""]))
    return path


@pytest.fixture(params=MODELS)
def base(request, tmp_path):
    """A checkpoint of a small model."""
    return saved(request.param, tmp_path / f"{request.param}.pkl")


def saved(kind: str, path, tokenizer=TOKENIZER, **sizes) -> str:
    model = MODELS[kind](tokenizer.vocab_size, **{**SIZES, **sizes}, rng=0)
    entry = {"model_args": model.config, "model": model.collect_state_dict()}
    save(path, {"architecture": kind, **entry, **tokenizer_entry(tokenizer)})
    return str(path)


def config(talks, base, **options) -> TuneConfig:
    given = {"system": "", "max_iters": 6, "eval_interval": 3, "learning_rate": 1e-2, **options}
    return TuneConfig(dataset=talks, model=base, out_dir=talks.parent / "out", **given)


def arguments(talks, base, *more: str) -> list[str]:
    first = ["--finetune", str(talks), "--model", base, "--out-dir", str(talks.parent / "out")]
    return [*first, "--max-iters", "6", "--eval-interval", "3", "--system", "", *more]


# --- what is read --------------------------------------------------------------------------------


def test_a_file_is_read_line_by_line(talks):
    found = read_conversations(talks)
    assert len(found) == 12 and found[10] == messages("!", "k", "kk", "l", "ll")


GOOD = line("a", "b")
HOSTILE = {
    "an array": ("[1, 2]", r'line 2: expected an object \{"messages": .* in JSON'),
    "a number": ("17", "line 2: expected an object"),
    "huge number": ('{"messages": 1' + "0" * 9999 + "}", "line 2: expected an object"),
    "no JSON": ('{"messages": [}', "line 2: expected an object"),
    "not closed": (GOOD[:-1], "line 2: expected an object"),
    "deep": ('{"messages": ' + "[" * 99_999, "line 2: expected an object"),
    "twice": ('{"messages": [], "messages": []}', "line 2: .* the same name twice"),
    "twice in a message": (
        GOOD.replace('"role": "user"', '"role": "user", "role": "user"'),
        "line 2: .* the same name twice",
    ),
    "no messages": ('{"text": "a"}', 'line 2: expected a list of messages under "messages", got N'),
    "empty": ('{"messages": []}', r"line 2: expected a list of messages.*, got \[\]"),
    "an object": ('{"messages": {}}', r"line 2: expected a list of messages.*, got \{\}"),
    "texts": ('{"messages": ["a"]}', "line 2: message 1 needs a role and a content, got 'a'"),
    "no content": ('{"messages": [{"role": "user"}]}', "line 2: message 1 needs a role and a con"),
    "another role": (
        GOOD.replace("assistant", "robot"),
        "line 2: the role in message 2 must be one of system, user, assistant, got 'robot'",
    ),
    "a role that is none": (GOOD.replace('"user"', "[1]"), r"the role in message 1 .*, got \[1\]"),
    "null": (GOOD.replace('"b"', "null"), "the content of message 2 must be a text, got None"),
    "parts": (GOOD.replace('"b"', "[" + '"x", ' * 99 + "1]"), "content of message 2 must be a te"),
    "a call": (GOOD.replace('"b"', '"", "tool_calls": [{}]'), "message 2 calls a tool, for which"),
    "half a character": (GOOD.replace('"b"', r'"\ud800"'), "content of message 2 has half a char"),
    "no answer": (line("a"), "line 2: no message is the assistant's: there is no answer to learn"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_wrong_in_a_line_is_said_with_its_number(name, tmp_path):
    wrong, message = HOSTILE[name]
    path = tmp_path / "it.jsonl"
    path.write_text(f"{GOOD}\n{wrong}\n{GOOD}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=message) as error:
        read_conversations(path)
    assert str(error.value).startswith(f"{path}, line 2: ") and len(str(error.value)) < 500


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it.jsonl is empty"),
        (b"\n \n", "it.jsonl must hold at least 2 conversations"),
        (GOOD.encode(), "it.jsonl must hold at least 2 conversations, one of them to be held out"),
        (f"{GOOD}\n{GOOD}".encode("utf-16"), "is not text in UTF-8"),
        (b'{"messages": "\xe9"}', "is not text in UTF-8"),
    ],
)
def test_what_is_wrong_with_a_file(content, message, tmp_path):
    path = tmp_path / "it.jsonl"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_conversations(path)


def test_what_is_strange_and_right_is_read(tmp_path):
    long = "x" * 2**20
    said = messages(END + START, long), messages("\u2028 \x00 ", ""), messages("月", "😀 \r\n")
    path = tmp_path / "it.jsonl"
    lines = [json.dumps({"id": 7, "messages": m}, ensure_ascii=i != 2) for i, m in enumerate(said)]
    path.write_bytes(("\ufeff" + "\r\n".join(lines)).encode())
    assert read_conversations(path) == list(said)


# --- which targets count -------------------------------------------------------------------------


def test_only_answers_count():
    said = messages("! yes", "no", "yes", f"{END}no", "no no")
    x, y = example(TOKENIZER, said, 1000)
    assert x.shape == y.shape
    counted = TOKENIZER.decode([i for i in y if i != IGNORE_INDEX])
    assert counted == f"yes{END}no no{END}"
    n = len(prompt_ids(TOKENIZER, said[:2]))
    assert TOKENIZER.decode(x[:n]).endswith("assistant\n") and (y[: n - 1] == IGNORE_INDEX).all()
    assert y[n - 1] == x[n]  # the first token of an answer is foreseen behind the opening
    short = example(TOKENIZER, said, n + 1)
    for part, whole in zip(short, (x, y)):
        np.testing.assert_array_equal(part, whole[: n + 1])


def test_batches_are_filled_with_what_does_not_count():
    pairs = [example(TOKENIZER, messages("a" * n, "b" * n), 99) for n in (1, 5, 3)]
    loader = ConversationLoader(pairs, 2, np.random.default_rng(0))
    x, y = loader.batch([0, 1, 2])
    assert x.shape == y.shape == (3, len(pairs[1][0]))
    for row, (its_x, its_y) in enumerate(pairs):
        n = len(its_x)
        assert (x[row, :n] == its_x).all() and (y[row, :n] == its_y).all()
        assert (y[row, n:] == IGNORE_INDEX).all() and (x[row, n:] == 0).all()
    assert [len(x) for x, _ in loader.first(9, 2)] == [2, 1] and len(loader.first(1, 2)) == 1


def test_what_stands_beside_in_a_batch_changes_nothing():
    model = Llama(TOKENIZER.vocab_size, **SIZES, rng=0)
    pairs = [example(TOKENIZER, messages("a", "b"), 99), example(TOKENIZER, messages("a" * 9), 99)]
    x, y = ConversationLoader(pairs, 2).batch([0, 1])
    alone = model(pairs[0][0][None], pairs[0][1][None])[1].item()
    assert model(x, y)[1].item() == pytest.approx(alone, abs=1e-6)


# --- a run ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("lora", [False, True])
def test_a_model_learns_to_answer(talks, base, lora):
    run = Tuning(config(talks, base, lora=lora, max_iters=40, learning_rate=2e-2, rank=4))
    before = {name: a.copy() for name, a in run.model.collect_state_dict().items()}
    first = run.evaluate()
    run.run()
    least = (
        0.99 if lora else 0.7
    )  # beside weights that were never trained there is little to change
    assert run.history[-1]["train_loss"] < least * first["train_loss"]
    assert run.history[-1].keys() == {"step", "train_loss", "val_loss"}
    changed = {n for n, a in run.model.collect_state_dict().items() if (a != before[n]).any()}
    assert changed and all(("lora_" in name) == lora for name in changed)


def test_what_is_held_out_is_never_trained_on(talks, base):
    run = Tuning(config(talks, base))
    train, held_out = run.loader.dataset, run.held_out.dataset
    assert (len(train), len(held_out)) == (11, 1)
    seen = {tuple(x) for x, _ in train}
    assert tuple(held_out[0][0]) not in seen and len(seen) == 11
    others = {tuple(Tuning(config(talks, base, seed=s)).held_out.dataset[0][0]) for s in range(5)}
    assert len(others) > 1


def test_a_system_comes_first_where_none_is_given(talks, base):
    run = Tuning(config(talks, base, system="Say no."))
    texts = [TOKENIZER.decode(x) for x, _ in run.loader.dataset + run.held_out.dataset]
    assert sum(text.startswith(f"{START}system\nSay no.{END}\n") for text in texts) == 11
    assert sum(text.startswith(f"{START}system\n!{END}\n") for text in texts) == 1


@pytest.mark.parametrize(
    "options", [{}, {"lora": True}, {"batch_size": 2, "gradient_accumulation_steps": 3}]
)
def test_a_run_that_is_continued_ends_as_one_that_never_stopped(talks, base, options):
    whole = Tuning(config(talks, base, **options))
    whole.run()
    stopped = Tuning(config(talks, base, **options))
    for _ in range(4):
        stopped.advance()
    save(talks.parent / "half.pkl", stopped.state())
    resumed = Tuning(config(talks, base, **options))
    resumed.load_state(load(talks.parent / "half.pkl"))
    resumed.run()
    ours, theirs = whole.model.collect_state_dict(), resumed.model.collect_state_dict()
    assert all((ours[name] == theirs[name]).all() for name in ours)
    assert resumed.history[-1] == whole.history[-1]


def test_conversations_accumulate_as_in_the_large_batch_and_are_judged_in_small_ones(
    talks, base, monkeypatch
):
    def run(**sizes):
        tuning, shapes = Tuning(config(talks, base, eval_iters=99, **sizes)), []
        monkeypatch.setattr(
            finetune,
            "mean_loss",
            lambda model, batches: (
                shapes.append([len(x) for x, _ in batches]) or mean_loss(model, batches)
            ),
        )
        tuning.run()
        return tuning.history, tuning.model.collect_state_dict(), shapes[0]

    history, weights, sizes = run(batch_size=6)
    same, same_weights, small = run(batch_size=2, gradient_accumulation_steps=3)
    assert (sizes, small) == ([6, 5], [2, 2, 2, 2, 2, 1])
    for entry, other in zip(history, same, strict=True):
        assert other == pytest.approx(entry, abs=1e-5)
    for name in weights:
        if name.endswith("c_attn.bias"):  # keys' biases change no softmax: their slope is rounding
            for state in (weights, same_weights):
                state[name][16:32] = 0
        np.testing.assert_allclose(same_weights[name], weights[name], atol=1e-5, err_msg=name)


@pytest.mark.parametrize("lora", [False, True])
def test_what_was_tuned_is_loaded_everywhere(talks, base, lora):
    """By name of its checkpoint or its folder; shrunk; and in a folder of Hugging Face."""
    out = talks.parent / "out"
    run = Tuning(config(talks, base, lora=lora))
    run.run(CheckpointManager(out))
    idx = np.array([prompt_ids(TOKENIZER, messages("a"))])
    expected = run.model(idx)[0].data
    shrink(out / "latest.pkl", out / "small.pkl")
    export(out / "latest.pkl", out / "hf")
    for path, tolerance in (("latest.pkl", 1e-5), ("", 1), ("small.pkl", 1e-2), ("hf", 1e-5)):
        model, tokenizer = load_writer(out / path)
        assert tokenizer.to_json() == TOKENIZER.to_json()
        np.testing.assert_allclose(model(idx)[0].data, expected, atol=tolerance)
        assert not any("lora" in name for name in model.collect_state_dict())
    n_bytes = (out / "latest.pkl").stat().st_size
    assert ("model" in load(out / "latest.pkl")) == (not lora) and n_bytes > 0


def test_a_checkpoint_of_changes_needs_its_model(talks, base, monkeypatch):
    monkeypatch.setattr(finetune, "find_smollm", lambda: None)
    out = talks.parent / "out"
    Tuning(config(talks, base, lora=True)).run(CheckpointManager(out))
    content = load(base)
    for array in content["model"].values():
        array += 1
    elsewhere = talks.parent / "elsewhere.pkl"
    os.rename(base, elsewhere)
    for _ in range(2):
        with pytest.raises(CheckpointError, match="the model it belongs to, .*, is gone or has ch"):
            load_model(out / "latest.pkl")
        save(base, content)
    monkeypatch.setattr(finetune, "find_smollm", lambda: elsewhere)
    load_model(out / "latest.pkl")
    with pytest.raises(ValueError, match="is not the model with which the run began"):
        Tuning(config(talks, base, lora=True)).load_state(load(out / "latest.pkl"))


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c.update(lora={}),
        lambda c: c.update(base="x"),
        lambda c: c["base"].update(path=3),
        lambda c: c["lora"].popitem(),
        lambda c: c.update(lora={n: a[:1] for n, a in c["lora"].items()}),
        lambda c: c.update(lora={"a.lora_A": np.zeros((10**7, 1), np.float32)}),
        lambda c: c.update(alpha="x"),
    ],
)
def test_a_damaged_checkpoint_of_changes_is_refused(damage, talks, tmp_path, monkeypatch):
    monkeypatch.setattr(finetune, "find_smollm", lambda: None)
    run = Tuning(config(talks, saved("gpt", tmp_path / "b.pkl"), lora=True))
    content = load(save_to(tmp_path / "c.pkl", run.state()))
    damage(content)
    with pytest.raises(CheckpointError, match="c.pkl is no intact checkpoint"):
        load_model(save_to(tmp_path / "c.pkl", content))


def save_to(path, content):
    save(path, content)
    return path


def test_a_checkpoint_that_names_itself_as_its_base_is_refused(talks, tmp_path):
    run = Tuning(config(talks, saved("gpt", tmp_path / "b.pkl"), lora=True))
    content = {**run.state(), "base": {"path": str(tmp_path / "c.pkl"), "hash": ""}}
    with pytest.raises(CheckpointError, match="c.pkl is no intact checkpoint"):
        load_model(save_to(tmp_path / "c.pkl", content))


def test_changes_beside_a_model_that_was_itself_tuned_so(talks, base):
    out = talks.parent / "out"
    Tuning(config(talks, base, lora=True)).run(CheckpointManager(out))
    there = config(talks, str(out), lora=True)
    there.out_dir = str(talks.parent / "again")
    again = Tuning(there)
    again.run(CheckpointManager(there.out_dir))
    idx = np.array([prompt_ids(TOKENIZER, messages("a"))])
    model, _ = load_writer(talks.parent / "again" / "latest.pkl")
    np.testing.assert_allclose(model(idx)[0].data, again.model(idx)[0].data, atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rank": 0}, "rank must be at least 1, got 0"),
        ({"alpha": 0.0}, "alpha must be a number above 0"),
        ({"block_size": 1}, "block_size must be at least 2"),
        ({"block_size": 65}, "block_size 65 is more than the 64 of the model"),
        ({"block_size": 4}, "fewer than 2 conversations of .* block_size, 4 tokens"),
        ({"max_iters": 0}, "max_iters must be at least 1"),
        ({"optimizer": "muon"}, "optimizer must be adamw"),
    ],
)
def test_options_that_cannot_be(options, message, talks, tmp_path):
    with pytest.raises(ValueError, match=message):
        Tuning(config(talks, saved("gpt", tmp_path / "b.pkl"), **options))


def test_a_model_that_was_not_made_to_chat_is_refused(talks, tmp_path):
    plain = saved("gpt", tmp_path / "b.pkl", SimpleTokenizer("\nabc"))
    with pytest.raises(ValueError, match=r"b.pkl has no tokens .*: it was not trained to chat"):
        Tuning(config(talks, plain))


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.parametrize("lora", [[], ["--lora", "--rank", "2"]])
def test_from_the_command_line_and_then_a_word_with_it(lora, talks, base, capsys, monkeypatch):
    assert main(arguments(talks, base, *lora)) == 0
    out = capsys.readouterr().out.splitlines()
    trained = r", of which [\d,]+ \([\d.]+%\) are trained" if lora else ""
    assert re.fullmatch(
        rf"(gpt|llama).pkl: [\d,]+ parameters{trained}, on 11 conversations of .*talks.jsonl, "
        r"1 more held out; checkpoints in .*out",
        out[0],
    )
    evaluation = r"step [36]: train loss \d\.\d{4}, validation loss \d\.\d{4}"
    assert all(re.fullmatch(evaluation, said) for said in out[1:3])
    assert re.fullmatch(r"best validation loss \d\.\d{4}, kept in .*best.pkl", out[3])
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["--model", str(talks.parent / "out")]) == 0


def test_what_is_cut_is_said_once(talks, base, capsys):
    with open(talks, "a") as file:
        file.write("\n".join([line("a", "b" * 99), line("c" * 99, "d")]))
    assert main(arguments(talks, base, "--max-iters", "1")) == 0
    said = "2 conversations have more than 64 tokens and were cut; 1 of them left out, since"
    assert capsys.readouterr().out.count(said) == 1


def test_an_old_run_is_not_overwritten_by_accident(talks, base, capsys):
    argv = arguments(talks, base, "--max-iters", "1")
    assert main(argv) == 0
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    assert "already holds a run: continue it with --resume" in capsys.readouterr().err
    assert main([*argv, "--overwrite"]) == 0


def test_a_run_that_goes_on_knows_its_options(talks, base, capsys):
    assert main(arguments(talks, base, "--lora", "--rank", "3")) == 0
    go_on = ["--finetune", str(talks), "--out-dir", str(talks.parent / "out"), "--resume"]
    assert main([*go_on, "--max-iters", "8"]) == 0
    content = load(talks.parent / "out" / "latest.pkl")
    assert (content["step"], content["config"]["rank"], content["config"]["system"]) == (8, 3, "")
    for wrong in (["--rank", "2"], ["--system", "no"], ["--block-size", "9"]):
        with pytest.raises(SystemExit, match="2"):
            main([*go_on, *wrong])
        assert "--resume continues a run with" in capsys.readouterr().err
    talks.write_text(talks.read_text() + GOOD)
    with pytest.raises(SystemExit, match="2"):
        main(go_on)
    assert "talks.jsonl is not that of the run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--lora"], "error: --lora is for --finetune FILE"),
        (["--max-iters", "3"], "error: --max-iters is for --finetune FILE"),
        (["--resume"], "error: --resume is for --finetune FILE"),
        (["--finetune", "none.jsonl"], "error: no text file at 'none.jsonl'"),
        (["--finetune", ""], "error: no text file at"),
        (["--finetune", "TALKS"], "error: no model to talk with: make chat"),
        (["--finetune", "TALKS", "--model", "none.pkl"], "error: no checkpoint at none.pkl"),
        (["--finetune", "TALKS", "--resume"], "error: no checkpoint at"),
        (["--finetune", "TALKS", "--learning-rate", "-1"], "error: learning_rate must be 0 or"),
    ],
)
def test_a_mistake_is_one_line_and_leaves_nothing(argv, message, talks, monkeypatch, capsys):
    monkeypatch.setattr(finetune, "find_smollm", lambda: None)
    monkeypatch.chdir(talks.parent)
    with pytest.raises(SystemExit, match="2"):
        main([str(talks) if argument == "TALKS" else argument for argument in argv])
    out, err = capsys.readouterr()
    assert out == "" and err.startswith(message) and err.count("\n") == 1
    assert not list((talks.parent / "out").glob("*"))


@pytest.mark.skipif(os.name == "nt", reason="signals differ on Windows")
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM"])
def test_a_signal_saves_and_the_run_goes_on(number, talks, tmp_path):
    pytest.importorskip("tqdm")
    base = saved("llama", tmp_path / "b.pkl")
    argv = [*arguments(talks, base, "--lora"), "--max-iters", "100000", "--eval-interval", "100000"]
    command = [sys.executable, "-m", "minigrad.chat", *argv]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, **pipes, env=env)
    while "loss=" not in (said := process.stderr.readline()):  # the progress bar, after a step
        assert said, "the run ended by itself"
    process.send_signal(getattr(signal, number))
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and "is safe: go on with --resume" in stdout
    step = load(tmp_path / "out" / "latest.pkl")["step"]
    assert 0 < step < 100_000
    resumed = [*command, "--resume", "--max-iters", str(step + 1)]
    finished = subprocess.run(resumed, capture_output=True, encoding="utf-8", timeout=60, env=env)
    assert finished.returncode == 0, finished.stderr
    assert load(tmp_path / "out" / "latest.pkl")["step"] == step + 1


@pytest.mark.parametrize("base", ["gpt"], indirect=True)
def test_the_model_to_begin_with_is_not_replaced_by_what_it_becomes(talks, base, capsys):
    assert main(arguments(talks, base)) == 0
    out = talks.parent / "out"
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    capsys.readouterr()
    for model in (out, out / "best.pkl", out / ".." / "out" / "latest.pkl", talks.parent):
        with pytest.raises(SystemExit):
            main(arguments(talks, str(model), "--overwrite", "--lora"))
        assert "holds the model to begin with" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize("base", ["gpt"], indirect=True)
@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--temperature", "5"), "--temperature is not for --finetune"),
        (("--top-k", "3"), "--top-k is not for --finetune"),
        (("--max-new-tokens", "-4"), "--max-new-tokens is not for --finetune"),
        (("--rank", "64"), "--rank is for --lora"),
        (("--alpha", "3"), "--alpha is for --lora"),
    ],
)
def test_options_that_would_do_nothing_are_refused(talks, base, option, said, capsys):
    with pytest.raises(SystemExit):
        main(arguments(talks, base, *option))
    assert said in capsys.readouterr().err


def test_an_answer_of_weight_0_is_not_learnt(tmp_path):
    path = tmp_path / "talks.jsonl"
    talk = messages("a", "bad", "b", "good")
    talk[1]["weight"], talk[3]["weight"] = 0, 1
    path.write_text(json.dumps({"messages": talk}) + "\n" + line("c", "d") + "\n")
    x, y = example(TOKENIZER, read_conversations(path)[0], 100)
    learnt = TOKENIZER.decode([int(i) for i in y if i >= 0])
    assert "good" in learnt and "bad" not in learnt
    for weight, said in ((2, "weight of message 2 must be 0 or 1: 2"), (0, "no answer to learn")):
        talk[1]["weight"], talk[3]["weight"] = weight, 0
        path.write_text(json.dumps({"messages": talk}) + "\n" + line("c", "d") + "\n")
        with pytest.raises(ValueError, match=said):
            read_conversations(path)


def test_an_empty_name_is_not_the_installed_model(talks, base, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(finetune, "find_smollm", lambda: base)
    with pytest.raises(SystemExit):
        main(["--finetune", str(talks), "--model", "", "--out-dir", str(tmp_path / "out")])
    assert capsys.readouterr().err.startswith("error: no model to talk with: ")
    assert not (tmp_path / "out").exists()


def test_no_model_beneath_the_one_to_begin_with_is_replaced(talks, tmp_path, capsys):
    """Changes in B stand beside A, so that a run in A must not begin with B."""
    base, a, b = saved("llama", tmp_path / "b.pkl"), tmp_path / "out", tmp_path / "B"
    elsewhere = ["--out-dir", str(b), "--lora"]
    assert main(arguments(talks, base)) == main([*arguments(talks, str(a)), *elsewhere]) == 0
    before = {path: path.read_bytes() for path in (*a.iterdir(), *b.iterdir())}
    capsys.readouterr()
    for more in (["--lora"], []):
        with pytest.raises(SystemExit):
            main(arguments(talks, str(b), "--overwrite", *more))
        assert "or one beneath it, which would be replaced" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in (*a.iterdir(), *b.iterdir())} == before
    load_writer(b)


@pytest.mark.parametrize("lora", [[], ["--lora"]], ids=["all", "lora"])
def test_a_model_that_computes_otherwise_does_not_take_the_place_of_the_first(
    talks, tmp_path, capsys, lora
):
    base = saved("llama", tmp_path / "b.pkl")
    assert main(arguments(talks, base, *lora)) == 0
    capsys.readouterr()
    content = load(base)
    content["model_args"] = {**content["model_args"], "rope_theta": 50.0}  # the same weights
    save(tmp_path / "b.pkl", content)
    with pytest.raises(SystemExit):
        main([*arguments(talks, base), "--resume", "--max-iters", "8"])
    assert "is not the model with which the run began" in capsys.readouterr().err
    if lora:
        with pytest.raises(CheckpointError, match="is gone or has changed"):
            load_writer(tmp_path / "out")


def test_changes_that_stand_upon_themselves_or_do_not_fit_are_refused(talks, tmp_path):
    base = saved("gpt", tmp_path / "b.pkl")
    run = Tuning(config(talks, base, lora=True))
    content, path = run.state(), tmp_path / "changes.pkl"
    save(path, {**content, "base": {**content["base"], "path": str(path)}})
    with pytest.raises(CheckpointError, match="it stands upon more than 8 other checkpoints"):
        load_writer(path)
    name = next(name for name in content["lora"] if name.endswith("lora_A"))
    for shape in ((10**7, 0), (10**7, 1)):  # as many rows in each layer would be gigabytes
        content["lora"][name] = np.zeros(shape, np.float32)
        save(path, content)
        with pytest.raises(CheckpointError, match="its changes do not fit the weights beneath"):
            load_writer(path)
