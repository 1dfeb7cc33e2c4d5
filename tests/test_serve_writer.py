"""What writes, without any web: tokens, stop strings, attention."""

from dataclasses import replace
from itertools import takewhile

import numpy as np
import pytest
from gguf_files import llama_gguf
from hypothesis import given
from hypothesis import strategies as st

from minigrad.bpe import BPETokenizer
from minigrad.checkpoint import save
from minigrad.data import SimpleTokenizer
from minigrad.generate import advance, generate
from minigrad.gpt import GPT
from minigrad.serve import writer
from minigrad.serve.writer import (
    MAX_ATTENTION,
    Alternative,
    Options,
    ServedModel,
    Token,
    Transcript,
    attention_map,
    continuation,
    describe_token,
    until_stop,
    write_tokens,
)


@pytest.fixture
def served(rng) -> ServedModel:
    model = GPT(vocab_size=6, n_embd=16, n_layer=2, n_head=4, block_size=128, rng=rng).eval()
    for p in model.parameters():
        p.data += rng.normal(0, 0.3, p.shape).astype(np.float32)
    return ServedModel("six", model, SimpleTokenizer("abcdef"))


def tokens_of(*texts: str) -> list[Token]:
    return [Token(0, text, text, 1.0, []) for text in texts]


def test_a_token_names_the_likeliest_that_it_beat():
    p, transcript = np.array([0.4, 0.3, 0.3, 0.0]), Transcript(SimpleTokenizer("abcd"))
    a, c = Alternative(0, "a", "a", 0.4), Alternative(2, "c", "c", 0.3)
    assert describe_token(1, p, transcript, n=3) == Token(1, "b", "b", 0.3, [a, c])
    b = Alternative(1, "b", "b", 0.3)
    assert describe_token(0, p, transcript, n=1).alternatives == [b]
    assert describe_token(0, p, transcript, n=0).alternatives == []


def test_the_likeliest_of_many(rng):
    p = rng.dirichlet(np.full(5000, 0.1))
    token = describe_token(17, p, Transcript(SimpleTokenizer(map(chr, range(5000)))), n=10)
    order = [i for i in np.argsort(-p, kind="stable") if i != 17]
    assert [other.id for other in token.alternatives] == order[:10]


# Tokens that are parts of characters

PAIRS = BPETokenizer.from_text("the cat and the dog\n\n" * 9 + "床前明月光。\n" * 3, 290)
ids_of_pairs = st.lists(st.integers(0, PAIRS.vocab_size - 1), max_size=30)
texts_in_two_scripts = st.text("the 月光，😀\n", max_size=12)


@given(ids_of_pairs | texts_in_two_scripts.map(PAIRS.encode))
def test_what_tokens_add_is_their_text_and_no_half_character(ids):
    text, transcript = PAIRS.decode(ids), Transcript(PAIRS)
    shown = ""
    for n, i in enumerate(ids, 1):
        would = transcript.would_add(i)
        assert shown + would == PAIRS.decode(ids[:n])
        added = transcript.add(i, last=n == len(ids))
        assert added == would[: len(added)]
        shown += added
        assert text.startswith(shown)
    assert shown == text


@given(texts_in_two_scripts)
def test_a_character_is_added_by_the_token_that_completes_it(text):
    parts = Transcript(PAIRS, PAIRS.encode(text)).parts
    assert "".join(part.text for part in parts) == text
    assert not any("\ufffd" in part.text for part in parts)


@pytest.mark.parametrize(
    "token, name",
    [
        (b"the", "the"),
        (b" \n", " \n"),
        ("月".encode(), "月"),
        (b"\xe6\x9c", r"bytes:\xe6\x9c"),
        (b" \xe6", r"bytes: \xe6"),
        (b"\\\xe6", r"bytes:\\\xe6"),
        (b"\xed\xa0\x80", r"bytes:\xed\xa0\x80"),
        ("\ufffd".encode(), "\ufffd"),
    ],
)
def test_a_token_that_is_no_text_is_named_by_its_bytes(token, name):
    class Tokens:
        token_bytes = [token]

    assert Transcript(Tokens()).name(0) == name


def test_a_text_may_begin_and_end_within_a_character(served, monkeypatch):
    *first, last = PAIRS.encode("月")
    script, p = [last, *first], np.full(PAIRS.vocab_size, 0.1)
    steps = ([(i, p, p)] for i in script)
    monkeypatch.setattr(writer, "advance", lambda *_: next(steps))
    served = replace(served, tokenizer=PAIRS)
    tokens = list(filter(None, write_tokens(served, first, Options(len(script)))))
    assert [token.id for token in tokens] == script
    assert "".join(token.text for token in tokens) == "月\ufffd"


@pytest.mark.parametrize("sampling", [{}, {"temperature": 0.5, "top_k": 3}, {"top_p": 0.7}])
def test_the_tokens_are_those_of_generate(served, sampling):
    options = Options(max_new_tokens=20, seed=4, alternatives=5, **sampling)
    tokens = list(filter(None, write_tokens(served, [0, 1, 2], options)))
    rng = np.random.default_rng(4)
    ids = generate(served.model, np.array([[0, 1, 2]]), 20, rng=rng, **sampling)[0, 3:]
    assert "".join(token.text for token in tokens) == served.tokenizer.decode(ids)
    for token in tokens:  # all that could be drawn are there
        others = sum(other.probability for other in token.alternatives)
        assert others + token.probability == pytest.approx(1)


def test_prompts_that_came_together_are_read_in_one_pass(served, monkeypatch):
    passes = []

    def counted(model, texts, at_once):
        passes.append(len(texts))
        return advance(model, texts, at_once)

    monkeypatch.setattr(writer, "advance", counted)
    came = [write_tokens(served, ids, Options(3, seed=1)) for ids in ([0, 1], [2, 3], [4])]
    turns = [[next(pieces) for pieces in came] for _ in range(4)]
    assert turns[0] == [None] * 3 and passes == [3, 3, 3]
    alone = list(filter(None, write_tokens(served, [2, 3], Options(3, seed=1))))
    assert [tokens[1].id for tokens in turns[1:]] == [token.id for token in alone]


def test_the_models_own_probabilities_do_not_depend_on_the_temperature(served):
    shown = {}
    for temperature, tempered in ((1.0, True), (0.0, False), (0.0, True)):
        options = Options(1, temperature, alternatives=5, tempered=tempered)
        (token,) = filter(None, write_tokens(served, [0], options))
        pairs = [(token.text, token.probability)]
        pairs += [(other.text, other.probability) for other in token.alternatives]
        shown[temperature, tempered] = dict(pairs)
    assert shown[0.0, False] == shown[1.0, True] and len(shown[0.0, False]) == 6
    assert list(shown[0.0, True].values()) == [1.0]


@given(
    st.lists(st.text("ab", max_size=3), max_size=12),
    st.lists(st.text("abc", min_size=1, max_size=4), max_size=3),
)
def test_a_text_ends_before_the_first_stop_string_and_nothing_shown_is_taken_back(texts, stops):
    """However the text is cut into tokens."""
    *pieces, (_, reason) = found = list(until_stop(tokens_of(*texts), stops))
    assert all(none is None for _, none in pieces)
    pieces = ["".join(token.text for token in shown) for shown, _ in found]
    text = "".join(texts)
    cut = len(text)
    for i in range(len(text) + 1):  # the first place where a stop string is complete
        ended = [len(stop) for stop in stops if text[:i].endswith(stop)]
        if ended:
            cut = i - max(ended)
            break
    assert "".join(pieces) == text[:cut] and reason == ("stop" if ended else "length")
    for i in range(len(found) - 1):  # a token with which no stop string can begin is shown at once
        rest = "".join(texts[: i + 1])[len("".join(pieces[: i + 1])) :]
        within = [rest[k:] for k in range(len(rest))]
        assert not rest or any(stop.startswith(part) for part in within for stop in stops)


@pytest.mark.parametrize(
    "texts, stops, shown",
    [
        (["Hel", "lo, ", "you"], ["lo"], [[], ["Hel"]]),
        (["Hel", "lo, ", "you"], ["o, y"], [["Hel"], [], ["l"]]),
        (["Hel", "lo, ", "you"], ["lot"], [[], ["Hel", "lo, "], ["you"], []]),
        (["Hello, you"], ["o", "l"], [["He"]]),
        (["Hello"], ["H"], [[]]),
        (["", "月", "光"], ["月"], [[], []]),  # what belongs to it is not shown either
        (["", "月", "", "光"], ["光"], [[], ["", "月"], [], []]),
        (["a", "", "b"], [], [["a"], [""], ["b"], []]),
        (["a", ""], ["b"], [["a"], [], [""]]),
    ],
)
def test_a_stop_string_may_begin_and_end_within_a_token(texts, stops, shown):
    found = [[token.text for token in tokens] for tokens, _ in until_stop(tokens_of(*texts), stops)]
    assert found == shown


def test_a_folder_is_served_under_its_name(tmp_path, rng):
    model = GPT(vocab_size=PAIRS.vocab_size, n_embd=8, n_layer=1, n_head=1, block_size=8, rng=rng)
    folder = tmp_path / "gpt2.small"
    model.save_pretrained(folder)
    PAIRS.save_pretrained(folder)
    (served,) = writer.load_models([folder])
    assert (served.name, served.unit) == ("gpt2.small", "token")
    assert served.tokenizer.encode("the 月") == PAIRS.encode("the 月")
    run = tmp_path / "names"
    content = {"model_args": model.config, "model": model.collect_state_dict()}
    save(run / "best.pkl", {**content, "characters": "".join(map(chr, range(PAIRS.vocab_size)))})
    assert [(each.name, each.unit) for each in writer.load_models([run])] == [
        ("names", "character")
    ]


@pytest.mark.parametrize("length", [1, 7, MAX_ATTENTION, MAX_ATTENTION + 30])
def test_attention_of_the_last_tokens(served, rng, length):
    ids = rng.integers(6, size=length).tolist()
    found = attention_map(served, ids)
    n = min(length, MAX_ATTENTION)
    assert found["tokens"] == list(served.tokenizer.decode(ids))[-n:]
    weights = np.array(found["weights"])
    assert weights.shape == (found["layers"], found["heads"], n, n) == (2, 4, n, n)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=0.05)
    assert (np.triu(weights, 1) == 0).all()


def test_a_model_of_many_heads_shows_the_attention_of_fewer_tokens(monkeypatch, served):
    monkeypatch.setattr(writer, "MAX_WEIGHTS", 8 * 5 * 5 + 9)  # 2 layers of 4 heads
    assert np.shape(attention_map(served, [1] * 20)["weights"]) == (2, 4, 5, 5)
    monkeypatch.setattr(writer, "MAX_WEIGHTS", 7)
    assert np.shape(attention_map(served, [1] * 20)["weights"]) == (2, 4, 1, 1)


def test_a_llama_of_a_gguf_file_is_served(tmp_path):
    (tmp_path / "tiny.gguf").write_bytes(llama_gguf())
    (served,) = writer.load_models([tmp_path / "tiny.gguf"])
    assert (served.name, served.unit) == ("tiny", "token")
    ids = served.tokenizer.encode("the the")
    written = generate(served.model, np.array([ids]), 30, rng=4)[0, 2:].tolist()
    tokens = list(
        filter(None, write_tokens(served, ids, Options(30, seed=4)))
    )  # past its block_size
    assert [token.id for token in tokens] == list(takewhile(lambda i: i != 259, written))
    found = attention_map(served, ids)
    assert np.shape(found["weights"]) == (2, 2, len(ids), len(ids))


def test_whether_a_model_can_write_is_known_from_few_tokens(served, monkeypatch):
    read, hidden = [], type(served.model).hidden
    large = GPT(vocab_size=500, n_embd=8, n_layer=1, n_head=1, block_size=500, rng=0)
    monkeypatch.setattr(GPT, "hidden", lambda m, idx, c=None: read.append(idx) or hidden(m, idx, c))
    writer.check_writer(replace(served, model=large))
    assert [idx.shape for idx in read] == [(1, 64)]
    large.transformer.wpe.weight.data[499, 3] = np.nan  # where none of them stands
    with pytest.raises(ValueError, match="not finite numbers"):
        writer.check_writer(replace(served, model=large))


@pytest.mark.parametrize(("n", "reason"), [(5, "length"), (6, "stop"), (99, "stop")])
def test_a_special_token_ends_the_text(monkeypatch, n, reason):
    tokenizer = BPETokenizer([bytes([i]) for i in range(256)] + [b"<|end|>"], [], {"<|end|>": 256})
    served = ServedModel("m", GPT(257, 8, 1, 1, 8, rng=0).eval(), tokenizer)
    p = np.full(257, 1 / 257)
    steps = ([(i, p, p)] for i in (*b"to be", 256, *b"or not"))
    monkeypatch.setattr(writer, "advance", lambda *_: next(steps))
    shown, reasons = zip(*continuation(served, [65], Options(n)))
    assert "".join(token.text for tokens in shown for token in tokens) == "to be"
    assert [*reasons] == [None] * 6 + [reason]
