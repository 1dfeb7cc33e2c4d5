"""What writes, without any web: tokens, stop strings, attention."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import SimpleTokenizer
from minigrad.generate import generate
from minigrad.gpt import GPT
from minigrad.serve.writer import (
    MAX_ATTENTION,
    Alternative,
    Options,
    ServedModel,
    Token,
    attention_map,
    describe_token,
    finish_reason,
    until_stop,
    write_tokens,
)


@pytest.fixture
def served(rng) -> ServedModel:
    model = GPT(vocab_size=6, n_embd=16, n_layer=2, n_head=4, block_size=128, rng=rng).eval()
    for p in model.parameters():
        p.data += rng.normal(0, 0.3, p.shape).astype(np.float32)
    return ServedModel("six", model, SimpleTokenizer("abcdef"))


def test_a_token_names_the_likeliest_that_it_beat():
    p = np.array([0.4, 0.3, 0.3, 0.0])
    assert describe_token(1, p, list("abcd"), n=3) == Token(
        "b", 0.3, [Alternative("a", 0.4), Alternative("c", 0.3)]
    )
    assert describe_token(0, p, list("abcd"), n=1).alternatives == [Alternative("b", 0.3)]
    assert describe_token(0, p, list("abcd"), n=0).alternatives == []


@pytest.mark.parametrize("sampling", [{}, {"temperature": 0.5, "top_k": 3}, {"top_p": 0.7}])
def test_the_tokens_are_those_of_generate(served, sampling):
    options = Options(max_new_tokens=20, seed=4, alternatives=5, **sampling)
    tokens = list(write_tokens(served, [0, 1, 2], options))
    rng = np.random.default_rng(4)
    ids = generate(served.model, np.array([[0, 1, 2]]), 20, rng=rng, **sampling)[0, 3:]
    assert "".join(token.text for token in tokens) == served.tokenizer.decode(ids)
    for token in tokens:  # all that could be drawn are there
        others = sum(other.probability for other in token.alternatives)
        assert others + token.probability == pytest.approx(1)


def test_the_models_own_probabilities_do_not_depend_on_the_temperature(served):
    shown = {}
    for temperature, tempered in ((1.0, True), (0.0, False), (0.0, True)):
        options = Options(1, temperature, alternatives=5, tempered=tempered)
        (token,) = write_tokens(served, [0], options)
        pairs = [(token.text, token.probability)]
        pairs += [(other.text, other.probability) for other in token.alternatives]
        shown[temperature, tempered] = dict(pairs)
    assert shown[0.0, False] == shown[1.0, True] and len(shown[0.0, False]) == 6
    assert list(shown[0.0, True].values()) == [1.0]


@given(st.text("ab", max_size=12), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_a_text_ends_before_the_first_stop_string_and_nothing_shown_is_taken_back(text, stops):
    tokens = [Token(c, 1.0, []) for c in text]
    pieces = ["".join(t.text for t in piece) for piece in until_stop(iter(tokens), stops)]
    end, cut = len(text), len(text)
    for i in range(len(text) + 1):  # the first place where a stop string is complete
        ended = [len(stop) for stop in stops if text[:i].endswith(stop)]
        if ended:
            end, cut = i, i - max(ended)
            break
    assert "".join(pieces) == text[:cut]
    for i in range(1, end):  # what no stop string can begin with is shown at once
        shown = "".join(pieces[:i])
        rest = text[len(shown) : i]
        assert not rest or any(stop.startswith(rest) for stop in stops)


def test_a_text_ends_by_its_length_or_by_a_stop_string():
    options = Options(max_new_tokens=5)
    assert [finish_reason(n, options) for n in (4, 5)] == ["stop", "length"]


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
