"""Generation: the distribution, the draw, the cache, and the command line."""

import itertools
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gguf_files import llama_gguf, tiny
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad.bpe import BPETokenizer
from minigrad.checkpoint import save
from minigrad.data import SimpleTokenizer
from minigrad.generate import (
    Text,
    advance,
    check_options,
    draw,
    generate,
    generate_stream,
    generation_options,
    load_writer,
    main,
    newest_checkpoint,
    next_logits,
    next_token_probabilities,
    prompt_for,
    text_pieces,
    text_stream,
    window_start,
)
from minigrad.gguf import load_gguf
from minigrad.gpt import GPT, Block, LanguageModel
from minigrad.llama import Llama
from minigrad.nn import Linear
from minigrad.tensor import Tensor, no_grad
from minigrad.weights import read_safetensors, write_safetensors

LOGITS = hnp.arrays(np.float32, (2, 7), elements=st.floats(-20, 20, width=32))


def gpt(**options) -> GPT:
    sizes = {"vocab_size": 11, "n_embd": 16, "n_layer": 2, "n_head": 4, "block_size": 8, **options}
    model = GPT(**sizes, rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    for p in model.parameters():  # larger weights, so that the logits say something
        p.data += rng.normal(0, 0.2, p.shape).astype(np.float32)
    return model


def ids(*shape) -> np.ndarray:
    return np.random.default_rng(2).integers(11, size=shape)


def steps_of(model, text: Text, n: int) -> list:
    """What `advance` says of n tokens of one text."""
    return [advance(model, [text])[0] for _ in range(n)]


def test_steps_give_what_the_tokens_were_drawn_from():
    model, options = gpt(), {"temperature": 0.7, "top_k": 5, "top_p": 0.9}
    text = Text(model, ids(3), 4, **options)
    for new, p, logits in steps_of(model, text, 6):
        np.testing.assert_array_equal(p, next_token_probabilities(logits, **options))
        assert p[new] > 0
    (row,) = generate(model, ids(1, 3), 6, **options, rng=4)
    assert text.ids == row.tolist()
    for i, (_, _, logits) in enumerate(steps_of(model, Text(model, ids(3), 4, **options), 6), 3):
        np.testing.assert_allclose(logits, next_logits(model, row[None, :i])[0], atol=1e-4)


@given(
    logits=LOGITS,
    temperature=st.floats(0, 5),
    top_k=st.none() | st.integers(1, 10),
    top_p=st.none() | st.floats(0.01, 1),
)
@example(np.float32([[0, 1e-22, 0, 0, 0, 0, 0]] * 2), 0.0, None, None)  # closer than exp can tell
def test_always_a_distribution_with_the_likeliest_token(logits, temperature, top_k, top_p):
    p = next_token_probabilities(logits, temperature, top_k, top_p)
    np.testing.assert_allclose(p.sum(axis=-1), 1)
    assert (p >= 0).all()
    for row, original in zip(p, logits):
        assert row[original.argmax()] == row.max() > 0
    if top_k is not None:
        assert ((p > 0).sum(axis=-1) <= top_k).all()


def test_temperature_by_hand():
    logits = np.log([[0.5, 0.25, 0.25]])
    np.testing.assert_allclose(next_token_probabilities(logits), [[0.5, 0.25, 0.25]])
    half = next_token_probabilities(logits, temperature=0.5)  # squares the probabilities
    np.testing.assert_allclose(half, [[4 / 6, 1 / 6, 1 / 6]])
    np.testing.assert_array_equal(next_token_probabilities(logits, temperature=0), [[1, 0, 0]])


def test_top_k_and_top_p_by_hand():
    logits = np.log([0.1, 0.4, 0.2, 0.3])
    two = next_token_probabilities(logits, top_k=2)
    np.testing.assert_allclose(two, [0, 4 / 7, 0, 3 / 7])
    np.testing.assert_allclose(next_token_probabilities(logits, top_p=0.6), two)
    three = next_token_probabilities(logits, top_p=0.71)
    np.testing.assert_allclose(three, [0, 4 / 9, 2 / 9, 3 / 9])
    np.testing.assert_allclose(next_token_probabilities(logits, top_p=0.3), [0, 1, 0, 0])
    np.testing.assert_allclose(next_token_probabilities(logits, top_k=4, top_p=1), np.exp(logits))
    np.testing.assert_allclose(next_token_probabilities(logits, top_k=99), np.exp(logits))


def test_options_together_by_hand():
    """Temperature first, then top_k, then top_p of what these leave."""
    logits = np.log([[0.4, 0.1, 0.2, 0.3], [0.1, 0.4, 0.3, 0.2]])
    p = next_token_probabilities(logits, 0.5, 3, 0.8)  # 16, 9 and 4 of 29
    np.testing.assert_allclose(p, [[16 / 25, 0, 0, 9 / 25], [0, 16 / 25, 9 / 25, 0]])
    p = next_token_probabilities(logits, 0.5, 3, 0.9)  # 25 of 29 is too little
    np.testing.assert_allclose(p[0], [16 / 29, 0, 4 / 29, 9 / 29])
    p = next_token_probabilities(logits, top_k=2, top_p=0.5)  # 4 of 7 is enough
    np.testing.assert_allclose(p, [[1, 0, 0, 0], [0, 1, 0, 0]])
    np.testing.assert_allclose(next_token_probabilities(logits, 2.0)[0, :2], SQUARE_ROOTS)


SQUARE_ROOTS = np.sqrt([0.4, 0.1]) / np.sqrt([0.4, 0.1, 0.2, 0.3]).sum()


def test_equal_logits_are_all_kept_or_the_first():
    equal = [[0.0, 0.0, 0.0, 0.0]]
    np.testing.assert_array_equal(next_token_probabilities(equal), [[0.25] * 4])
    np.testing.assert_array_equal(next_token_probabilities(equal, 0), [[1, 0, 0, 0]])
    np.testing.assert_array_equal(next_token_probabilities(equal, top_k=2), [[0.5, 0.5, 0, 0]])
    np.testing.assert_array_equal(next_token_probabilities(equal, top_p=0.5), [[0.5, 0.5, 0, 0]])
    (kept,) = next_token_probabilities(np.zeros(1000), top_k=3).nonzero()
    np.testing.assert_array_equal(kept, [0, 1, 2])


def test_top_p_of_1_keeps_what_is_hardly_likely():
    p = next_token_probabilities(np.log([1 - 1e-7, 1e-7]), top_p=1)
    np.testing.assert_allclose(p, [1 - 1e-7, 1e-7])


@pytest.mark.filterwarnings("error")
def test_a_temperature_of_almost_0_warns_nobody():
    np.testing.assert_array_equal(next_token_probabilities([1e10, 0], 1e-300), [1, 0])


def test_probabilities_are_reckoned_in_float64_and_change_no_logits():
    logits = np.float32([[1000, 999, -np.inf]])  # exp alone would overflow
    p = next_token_probabilities(logits, 1.0, 2, 0.99)
    np.testing.assert_allclose(p, [[1 / (1 + np.exp(-1)), 1 / (1 + np.e), 0]], rtol=1e-12)
    assert p.dtype == np.float64
    np.testing.assert_array_equal(logits, np.float32([[1000, 999, -np.inf]]))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("logits", [[[1.0, np.nan]], [[np.inf, 0.0]], [[-np.inf, -np.inf]]])
def test_broken_logits_warn_nobody_and_are_refused_by_draw(logits):
    p = next_token_probabilities(logits, 1e-300)
    with pytest.raises(ValueError, match="a row is all zero or holds NaN$"):
        draw(p, np.random.default_rng(0))


class Says:
    """A generator that says these numbers."""

    def __init__(self, *numbers):
        self.numbers = numbers

    def random(self, shape):
        return np.reshape(self.numbers, shape)


def test_draw_by_hand():
    p = np.array([[0.25, 0.25, 0, 0.5]] * 5)
    drawn = draw(p, Says(0, 0.25, 0.4999, 0.5, 1 - 2**-53))
    np.testing.assert_array_equal(drawn, [0, 1, 1, 3, 3])
    np.testing.assert_array_equal(draw(p[:2] * 0.5, Says(0.6, 0.2)), [3, 0])  # any sum will do
    short = np.full((1, 10), 0.1 - 1e-9)  # rounding must not leave a gap at the end
    np.testing.assert_array_equal(draw(short, Says(1 - 2**-53)), [9])


@pytest.mark.parametrize("row", [[0, 0], [np.nan, 1], [1, np.nan]])
def test_nothing_can_be_drawn_from_zeros_or_nan(row):
    message = "cannot draw from these probabilities: a row is all zero or holds NaN"
    with pytest.raises(ValueError, match=f"^{message}$"):
        draw(np.array([[0.5, 0.5], row]), np.random.default_rng(0))


def test_draws_follow_the_probabilities():
    p = np.tile([0.1, 0, 0.6, 0.3], (20_000, 1))
    drawn = draw(p, np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=4) / 20_000
    np.testing.assert_allclose(counts, p[0], atol=0.015)
    assert counts[1] == 0


@pytest.mark.parametrize("block_size", [1, 2, 7, 8])
@pytest.mark.parametrize("prompt", [1, 5, 8, 20])
def test_cached_logits_equal_uncached_ones_at_every_position(prompt, block_size):
    model, idx = gpt(block_size=block_size), ids(2, 30)
    cache = model.new_cache()
    for end in [*range(prompt, 24), 27, 30]:  # at last three tokens at a time
        cached = next_logits(model, idx[:, :end], cache)
        np.testing.assert_allclose(cached, next_logits(model, idx[:, :end]), atol=1e-4)
        window = idx[:, window_start(end, block_size) : end]
        with no_grad():
            np.testing.assert_allclose(cached, model(window)[0].data[:, -1], atol=1e-4)


@pytest.mark.parametrize("block_size", [1, 2, 3, 8, 9])
def test_the_window_holds_half_a_context_or_more(block_size):
    starts = [window_start(length, block_size) for length in range(1, 60)]
    seen = [length - start for length, start in enumerate(starts, start=1)]
    assert seen[:block_size] == list(range(1, block_size + 1)) and starts == sorted(starts)
    assert set(seen[block_size:]) == set(range(block_size // 2 + 1, block_size + 1))


def tokens_read(model) -> list[int]:
    """How many tokens each pass reads, from now on."""
    computed, read = [], model.read

    def counted(texts):
        computed.append(sum(len(ids) for ids, _ in texts))
        return read(texts)

    model.read = counted
    return computed


@pytest.mark.parametrize("prompt", [1, 20, 100])
def test_a_token_beyond_the_context_costs_two_on_average(prompt):
    model = gpt(block_size=16)
    computed = tokens_read(model)
    generate(model, ids(1, prompt), 200, rng=0)
    assert sum(computed) <= 16 + 2.2 * 200 and max(computed[1:]) <= 9
    assert sorted(computed)[170] == 1  # all but one in eight are single tokens


def test_where_a_prompt_ends_does_not_matter():
    model = gpt()
    whole = generate(model, ids(1, 3), 30, temperature=0)
    for end in range(3, 33):
        rest = generate(model, whole[:, :end], 33 - end, temperature=0)
        np.testing.assert_array_equal(rest, whole)


@pytest.mark.parametrize("options", [{}, {"top_k": 3}, {"top_p": 0.8}, {"temperature": 0}])
def test_the_same_seed_writes_the_same_with_and_without_cache(options):
    model = gpt()
    written = [
        generate(model, ids(2, 3), 20, rng=np.random.default_rng(5), use_cache=cache, **options)
        for cache in (True, True, False)
    ]
    assert written[0].shape == (2, 23)
    np.testing.assert_array_equal(written[0], written[1])
    np.testing.assert_array_equal(written[0], written[2])
    np.testing.assert_array_equal(written[0][:, :3], ids(2, 3))


def test_stream_yields_what_generate_returns():
    model = gpt()
    stream = generate_stream(model, ids(1, 3), 10, rng=np.random.default_rng(5))
    tokens = [int(token[0]) for token in stream]
    assert tokens == generate(model, ids(1, 3), 10, rng=np.random.default_rng(5))[0, 3:].tolist()


def test_generation_leaves_mode_and_recording_alone():
    model = gpt(dropout=0.5)
    stream = generate_stream(model, ids(1, 3), 5, temperature=0)
    next(stream)
    x = Tensor(1.0, requires_grad=True)
    assert (x * 2).requires_grad and model.training and model.transformer.h[0].training
    again = generate_stream(model, ids(1, 3), 5, temperature=0)
    assert [next(again)[0]] + [t[0] for t in again] == [
        t[0] for t in generate_stream(model, ids(1, 3), 5, temperature=0)
    ]
    assert all(p.grad is None for p in model.parameters())


def test_nothing_to_write():
    np.testing.assert_array_equal(generate(gpt(), ids(1, 3), 0), ids(1, 3))


TEMPERATURE = "temperature must be a finite number from 0 on, got "
TOP_P = "top_p must be above 0 and at most 1, got "


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": -1}, TEMPERATURE + "-1"),
        ({"temperature": float("inf")}, TEMPERATURE + "inf"),
        ({"temperature": float("nan")}, TEMPERATURE + "nan"),
        ({"top_k": 0}, "top_k must be at least 1, got 0"),
        ({"top_p": 0}, TOP_P + "0"),
        ({"top_p": 1.5}, TOP_P + "1.5"),
        ({"max_new_tokens": -1}, "max_new_tokens must be 0 or more, got -1"),
    ],
)
def test_bad_options_fail_before_anything_is_drawn(options, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        generate_stream(gpt(), ids(1, 3), **{"max_new_tokens": 5, **options})
    with pytest.raises(ValueError, match=f"^{message}$"):
        generate(gpt(), ids(1, 3), **{"max_new_tokens": 5, **options})


@pytest.mark.parametrize("options", [(0, None, None), (1e308, 1, 1e-300), (1e-300, 10**9, 1)])
def test_options_at_the_edge_are_allowed(options):
    check_options(*options)


@pytest.mark.parametrize("options", [{"temperature": -1}, {"top_k": 0}, {"top_p": 2}])
def test_probabilities_check_the_options_themselves(options):
    with pytest.raises(ValueError, match="must be"):
        next_token_probabilities(np.zeros((1, 3)), **options)


def test_defaults_draw_from_the_models_own_distribution_with_a_cache():
    model, start = gpt(), ids(2, 3)
    plain = generate(model, start, 12, 1.0, None, None, 5, True)
    np.testing.assert_array_equal(generate(model, start, 12, rng=5), plain)
    stream = list(generate_stream(model, start, 12, rng=5))
    np.testing.assert_array_equal(np.stack(stream, axis=1), plain[:, 3:])
    assert plain.dtype == np.int64


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 0},
        {"temperature": 0.3, "top_k": 4},
        {"temperature": 3, "top_k": 5, "top_p": 0.6},
    ],
)
def test_every_option_reaches_the_distribution(options):
    model, start = gpt(), ids(1, 3)
    steps = steps_of(model, Text(model, start[0], 5, **options), 8)
    for _, p, logits in steps:
        np.testing.assert_array_equal(p, next_token_probabilities(logits, **options))
    expected = [new for new, _, _ in steps]
    assert [int(t[0]) for t in generate_stream(model, start, 8, rng=5, **options)] == expected
    assert generate(model, start, 8, rng=5, **options)[0, 3:].tolist() == expected


@pytest.mark.parametrize("write", [generate, lambda *a, **k: [*generate_stream(*a, **k)]])
def test_only_what_is_new_is_computed(write):
    model = gpt()
    computed = tokens_read(model)
    write(model, ids(1, 3), 8)
    assert computed == [3, 1, 1, 1, 1, 1, 5, 1]  # at 9 tokens the older half of 8 is forgotten
    computed.clear()
    write(model, ids(1, 3), 8, use_cache=False)
    assert computed == [3, 4, 5, 6, 7, 8, 5, 6]


def test_texts_of_different_lengths():
    model, prompts = gpt(), [[1, 2, 3], [4], list(range(11))]
    alone = [generate(model, [prompt], 9, rng=seed)[0] for seed, prompt in enumerate(prompts)]
    together = generate(model, prompts, 9, rng=[0, 1, 2])
    assert [row.tolist() for row in together] == [row.tolist() for row in alone]
    assert {row.dtype for row in together} == {np.dtype(np.int64)}
    steps = np.stack(list(generate_stream(model, prompts, 9, rng=[0, 1, 2])), axis=1)
    assert steps.tolist() == [row[-9:].tolist() for row in alone]
    one_for_all = generate(model, prompts, 9, rng=np.random.default_rng(3))
    again = np.random.default_rng(3)
    texts = [Text(model, prompt, again) for prompt in prompts]
    for _ in range(9):
        advance(model, texts)
    assert [text.ids for text in texts] == [row.tolist() for row in one_for_all]


def random_model(rng) -> LanguageModel:
    """Of one of two kinds, with a context that most texts outgrow."""
    if rng.random() < 0.5:
        return gpt(block_size=int(rng.integers(2, 20)))
    sizes = {"vocab_size": 11, "n_embd": 16, "n_layer": 2, "n_head": 4, "n_kv_head": 2}
    model = Llama(**sizes, n_hidden=24, block_size=int(rng.integers(2, 20)), rng=0)
    for p in model.parameters():
        p.data += rng.normal(0, 0.2, p.shape).astype(np.float32)
    return model


def test_a_text_is_the_same_alone_and_in_any_company():
    """Texts come and go between passes, with prompts, options and lengths of their own. A matrix
    product of several rows may round otherwise than that of one: by 1e-6, which a draw in a million
    would notice."""
    rng = np.random.default_rng(0)
    for mix in range(25):
        model, under_way, expected = random_model(rng), [], {}
        for number in range(int(rng.integers(1, 9))):
            prompt = rng.integers(11, size=rng.choice([4, 9, rng.integers(1, 30)])).tolist()
            options = [{}, {"temperature": 0.0}, {"temperature": 0.7, "top_k": 3}, {"top_p": 0.8}]
            sampling, n = options[rng.integers(4)], int(rng.integers(1, 25))
            text, alone = (Text(model, prompt, number, **sampling) for _ in range(2))
            steps_of(model, alone, n)
            expected[text] = alone.ids
            when = rng.choice([0, rng.integers(20)])
            under_way.append((when, len(prompt) + n, text))
        for time in itertools.count():
            now = [t for when, end, t in under_way if when <= time and len(t.ids) < end]
            rng.shuffle(now)
            for text, drawn in zip(now, advance(model, now, at_once=int(rng.integers(1, 40)))):
                assert drawn is None or drawn[0] == text.ids[-1]
            if all(len(text.ids) == end for _, end, text in under_way):
                break
        assert all(text.ids == ids for text, ids in expected.items()), f"mix {mix}"


def test_a_long_text_is_read_in_parts_and_holds_nobody_up():
    model = gpt(block_size=64)
    long_one, short = Text(model, ids(60), 0), Text(model, ids(3), 1)
    computed = tokens_read(model)
    drawn = [advance(model, [short, long_one], at_once=20) for _ in range(5)]
    assert [long is None for _, long in drawn] == [True, True, True, False, False]
    assert all(short for short, _ in drawn) and len(short.ids) == 3 + 5
    assert computed == [20, 20, 20, 60 - 17 - 2 * 19 + 1, 2]
    assert long_one.ids == generate(model, ids(60)[None], 2, rng=0)[0].tolist()


def test_nothing_is_lost_when_a_pass_is_interrupted(monkeypatch):
    model = gpt()
    texts = [Text(model, ids(3), 0), Text(model, ids(5), 1)]
    advance(model, texts)
    second = model.transformer.h[1].mlp

    def stop(x):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(second, "values", stop)
        with pytest.raises(KeyboardInterrupt):
            advance(model, texts)
    advance(model, texts)
    for seed, (text, prompt) in enumerate(zip(texts, (ids(3), ids(5)))):
        assert text.ids == generate(model, prompt[None], 2, rng=seed)[0].tolist()


@pytest.mark.parametrize("kind", ["gpt", "llama"])
def test_reading_without_tensors_is_reading(kind):
    model = gpt() if kind == "gpt" else random_model(np.random.default_rng(1))
    texts = [(ids(n).tolist(), model.new_cache()) for n in (1, 5, 1, 3)]
    again = [(part, model.new_cache()) for part, _ in texts]
    expected = LanguageModel.read(model, texts)
    read = model.read(again)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, expected, atol=1e-5)
    more = [([7], cache) for _, cache in texts], [([7], cache) for _, cache in again]
    read = model.read(more[1])  # a token of each: no products of matrices any more
    assert read.dtype == np.float32
    np.testing.assert_allclose(read, LanguageModel.read(model, more[0]), atol=1e-5)


def test_a_cache_serves_one_text_only():
    model = gpt()
    cache = model.new_cache()
    next_logits(model, ids(1, 10), cache)
    for length in (10, 4):
        message = (
            f"^the cache has seen 10 tokens, so that none of these {length} is new: "
            "a text needs its own cache$"
        )
        with pytest.raises(ValueError, match=message):
            next_logits(model, ids(1, length), cache)


def test_dropout_is_off_while_writing_and_on_again_afterwards():
    model = gpt(dropout=0.5)
    expected = next_logits(model.eval(), ids(1, 3))
    np.testing.assert_array_equal(
        next_logits(model.train(), ids(1, 3), model.new_cache()), expected
    )
    assert model.training and model.transformer.h[0].training


@pytest.mark.parametrize(
    ("idx", "got"),
    [
        (np.zeros((1, 0), int), "int64 (0,)"),
        (np.zeros(3, int), "int64 ()"),
        (np.zeros((1, 3)), "float64 (3,)"),
        (np.zeros((1, 3), bool), "bool (3,)"),
    ],
)
def test_bad_prompts(idx, got):
    message = f"a text is a row of integer ids, at least one; got {got}"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        generate(gpt(), idx, 5)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.uint64])
def test_ids_may_be_any_integers_and_are_copied(dtype):
    start = ids(1, 3).astype(dtype)
    stream = generate_stream(gpt(), start, 5, rng=0)
    start[:] = 0
    assert [t[0] for t in stream] == generate(gpt(), ids(1, 3), 5, rng=0)[0, 3:].tolist()
    assert generate(gpt(), [[1]], 1).shape == (1, 2)
    assert {generate(gpt(), start, n).dtype for n in (0, 1)} == {np.dtype(np.int64)}


def test_unknown_ids():
    with pytest.raises(IndexError, match="rows 0 to 10"):
        generate(gpt(), np.array([[11]]), 5)


@pytest.fixture
def checkpoint(tmp_path):
    model = gpt()
    content = {"model_args": model.config, "model": model.collect_state_dict()}
    save(tmp_path / "m.pkl", {**content, "characters": "abcdefghij\n"})
    return tmp_path / "m.pkl"


def test_command_line_writes_and_repeats(checkpoint, capsys):
    argv = ["--checkpoint", str(checkpoint), "--prompt", "abc", "--max-new-tokens", "30"]
    texts = []
    for extra in (["--seed", "1"], ["--seed", "1", "--no-cache"], ["--seed", "2"]):
        assert main([*argv, *extra]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].startswith("abc") and len(texts[0]) == 34


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--prompt", "Abc"], "unknown character 'A' at position 0"),
        (["--prompt", ""], "the prompt is empty"),
        (["--top-k", "0"], "top_k must be at least 1"),
        (["--temperature", "-1"], "temperature must be a finite number"),
        (["--max-new-tokens", "-5"], "must be 0 or more, got -5"),
        (["--checkpoint", "missing.pkl"], "no checkpoint at missing.pkl"),
    ],
)
def test_command_line_errors(checkpoint, capsys, extra, message):
    with pytest.raises(SystemExit) as exit_:
        main(["--checkpoint", str(checkpoint), "--prompt", "abc", *extra])
    assert exit_.value.code == 2
    stderr = capsys.readouterr().err
    assert message in stderr and stderr.count("\n") == 1


OPTIONS = """
--checkpoint, --model = None: a checkpoint, the folder of a run or of Hugging Face, or a .gguf \
file [the best of the newest run in out/]
--prompt = None: the text to continue; \\n in it is a line break [\\n, or a character of the model]
--max-new-tokens = 500: tokens to write [%(default)s]
--temperature = 0.8: below 1 safer, above 1 wilder, 0 no chance [%(default)s]
--top-k = None: draw from the k likeliest tokens only
--top-p = None: draw from the fewest tokens with this total probability
--seed = None: the same seed writes the same text
--no-cache = False: compute every position anew for each token
"""


def test_the_commands_options():
    parser, args = generation_options([])
    assert parser.prog == "python -m minigrad.generate"
    assert parser.description == "Write text with a trained model."
    options = [a for a in parser._actions if a.dest != "help"]
    lines = [f"{', '.join(a.option_strings)} = {a.default}: {a.help}" for a in options]
    assert lines == OPTIONS.strip().split("\n")
    assert vars(args) == {a.dest: a.default for a in options}
    typed = "--checkpoint c --prompt p --max-new-tokens 7 --temperature 0.25 --top-k 3"
    _, args = generation_options([*typed.split(), *"--top-p 0.5 --seed 9 --no-cache".split()])
    assert list(vars(args).values()) == ["c", "p", 7, 0.25, 3, 0.5, 9, True]


def test_the_command_writes_what_its_options_ask_for(checkpoint, monkeypatch):
    words = "--prompt b\\nc --max-new-tokens 9 --temperature 2.5 --top-k 6 --top-p 0.7 --seed 3"
    argv = ["--checkpoint", str(checkpoint), *words.split()]
    model, tokenizer = load_writer(checkpoint)
    idx = np.array([tokenizer.encode("b\nc")])
    expected = tokenizer.decode(generate(model, idx, 9, 2.5, 6, 0.7, 3)[0])
    assert "".join(text_stream(generation_options(argv)[1])) == expected
    pieces = list(text_stream(generation_options([*argv, "--no-cache"])[1]))
    assert pieces == ["b\nc", *expected[3:]]  # as they come
    gpt_read, counts = GPT.read, []
    counted = lambda self, texts: counts.append(len(texts[0][0])) or gpt_read(self, texts)
    monkeypatch.setattr(GPT, "read", counted)
    for more, expected in (([], [3, 1, 1]), (["--no-cache"], [3, 4, 5])):
        counts.clear()
        list(text_stream(generation_options([*argv, *more])[1]))
        assert counts[:3] == expected


def test_text_appears_as_it_is_written(checkpoint, monkeypatch):
    printed = []
    monkeypatch.setattr("builtins.print", lambda *a, **k: printed.append((a, k)))
    assert main(["--checkpoint", str(checkpoint), "--max-new-tokens", "2"]) == 0
    *texts, last = printed
    assert last == ((), {}) and len(texts) == 3 and texts[0][0] == ("\n",)
    assert all(options == {"end": "", "flush": True} for _, options in texts)


def test_interrupted_while_writing(checkpoint, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("minigrad.generate.draw", interrupted)
    with pytest.raises(SystemExit) as exit_:
        main(["--checkpoint", str(checkpoint), "--prompt", "abc"])
    assert exit_.value.code == 130
    assert capsys.readouterr() == ("abc", "\n")


def test_the_command_reads_its_arguments_from_the_command_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["generate", "--help"])
    with pytest.raises(SystemExit) as exit_:
        main()
    assert exit_.value.code == 0
    assert capsys.readouterr().out.startswith("usage: python -m minigrad.generate [-h]")


def test_without_a_checkpoint_the_newest_is_taken(checkpoint, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        main([])
    assert capsys.readouterr().err == (
        "error: no trained model in out/: train one with python -m minigrad.train, "
        "or name one with --model\n"
    )
    for age, name in enumerate(["old", "new"]):
        path = tmp_path / "out" / name / "best.pkl"
        path.parent.mkdir(parents=True)
        path.write_bytes(checkpoint.read_bytes())
        os.utime(path, (age, age))
    assert newest_checkpoint() == Path("out/new/best.pkl")
    assert newest_checkpoint(tmp_path / "out").is_absolute()
    assert main(["--max-new-tokens", "5"]) == 0


def test_a_run_that_was_stopped_early_has_its_latest_checkpoint_only(
    checkpoint, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    for age, name in enumerate(["a/best.pkl", "a/latest.pkl", "b/latest.pkl", "c.pkl"]):
        path = tmp_path / "out" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(checkpoint.read_bytes())
        os.utime(path, (age, age))
    assert newest_checkpoint() == Path("out/b/latest.pkl")
    os.utime("out/a/best.pkl", (9, 9))
    assert newest_checkpoint() == Path("out/a/best.pkl")


@pytest.mark.parametrize(
    ("characters", "typed", "prompt"),
    [
        ("\n ab", None, "\n"),
        (" ab", None, " "),
        ("诗词", None, "诗"),
        ("\t\nab", None, "\n"),
        ("\nab", r"a\nb", "a\nb"),
        ("\n\tab", r"\ta\n", "\ta\n"),
        ("\\\nnab", r"a\nb", r"a\nb"),  # a text about LaTeX
        ("ab", "b", "b"),
    ],
)
def test_what_a_prompt_means(characters, typed, prompt):
    assert prompt_for(SimpleTokenizer(characters), typed) == prompt


@pytest.mark.skipif(os.name == "nt", reason="a shell of Unix")
@pytest.mark.parametrize(
    ("output", "code", "message"),
    [("| head -c 1", 0, ""), ("> /dev/full", 2, "error: [Errno 28] No space left on device\n")],
)
def test_output_that_nobody_takes(checkpoint, output, code, message):
    command = [sys.executable, "-m", "minigrad.generate", "--checkpoint", str(checkpoint)]
    script = f"set -o pipefail; {shlex.join(command)} --prompt abc {output}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (code, message)


def test_an_empty_prompt_is_refused():
    with pytest.raises(
        ValueError, match="^the prompt is empty; a model needs a character to start from$"
    ):
        prompt_for(SimpleTokenizer("ab"), "")


def test_a_checkpoint_without_characters(tmp_path, capsys):
    model = gpt()
    content = {"model_args": model.config, "model": model.collect_state_dict()}
    save(tmp_path / "m.pkl", content)
    with pytest.raises(SystemExit):
        main(["--checkpoint", str(tmp_path / "m.pkl")])
    expected = f"error: {tmp_path / 'm.pkl'} holds no tokenizer, only token ids\n"
    assert capsys.readouterr().err == expected


BYTES = BPETokenizer([bytes([byte]) for byte in range(256)], [])
ENGLISH = BPETokenizer.from_text("the cat sat on the mat. 春眠不觉晓，处处闻啼鸟。" * 9, 280)


@given(st.text(), st.lists(st.integers(0, 279)))
@example("e\u0301😀\u200d", [0xE6, 0x9C])
def test_pieces_of_a_text_never_hold_half_a_character(text, numbers):
    for tokenizer in (BYTES, ENGLISH):
        pieces = list(text_pieces(tokenizer, tokenizer.encode(text)))
        assert "".join(pieces) == text and "\ufffd" not in "".join(pieces).replace(text, "")
        numbers = [i % tokenizer.vocab_size for i in numbers]
        assert "".join(text_pieces(tokenizer, numbers)) == tokenizer.decode(numbers)
    characters = SimpleTokenizer.from_text(text)
    assert list(text_pieces(characters, characters.encode(text))) == list(text)


def test_bytes_wait_for_the_rest_of_their_character():
    assert list(text_pieces(BYTES, "a月".encode())) == ["a", "", "", "月"]
    assert list(text_pieces(BYTES, "月".encode()[:2])) == ["", "", "\ufffd"]


@pytest.mark.parametrize(
    ("typed", "prompt"), [(None, "\n"), (r"a\nb", "a\nb"), ("\\", "\\"), ("月", "月")]
)
def test_what_a_prompt_means_for_byte_pairs(typed, prompt):
    assert prompt_for(ENGLISH, typed) == prompt


@pytest.fixture
def folder(tmp_path):
    gpt(vocab_size=280).save_pretrained(tmp_path / "gpt2", ENGLISH)
    return tmp_path / "gpt2"


def test_a_folder_of_hugging_face_writes(folder, capsys):
    assert main(["--model", str(folder), "--prompt", "the 春", "--seed", "1"]) == 0
    model, tokenizer = load_writer(folder)
    written = generate(model, np.array([tokenizer.encode("the 春")]), 500, 0.8, rng=1)
    assert capsys.readouterr().out == tokenizer.decode(written[0]) + "\n"


def test_a_folder_whose_parts_do_not_fit(folder, capsys):
    BYTES.save_pretrained(folder)
    for wrong, message in (
        (folder, f"{folder}: 256 tokens for a vocabulary of 280"),
        (folder.parent, f"no trained model in {folder.parent}/: train one"),
    ):
        with pytest.raises(SystemExit):
            main(["--model", str(wrong)])
        assert f"error: {message}" in capsys.readouterr().err
    for name in ("tokenizer.json", "vocab.json"):
        (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match="no tokenizer.json in .*, and no vocab.json$"):
        load_writer(folder)


def test_a_special_token_ends_the_text(tmp_path, monkeypatch):
    tokenizer = BPETokenizer([bytes([i]) for i in range(256)] + [b"<|end|>"], [], {"<|end|>": 256})
    gpt(vocab_size=257).save_pretrained(tmp_path / "gpt2", tokenizer)
    written = (np.array([i]) for i in (*b"to be", 256, *b"or not"))
    monkeypatch.setattr("minigrad.generate.generate_stream", lambda *_, **__: written)
    _, args = generation_options(["--model", str(tmp_path / "gpt2"), "--prompt", "HAMLET: "])
    assert "".join(text_stream(args)) == "HAMLET: to be"


def in_two_files(folder) -> None:
    """As large models come: the weights in two files, and an index of what is where."""
    arrays = list(read_safetensors(folder / "model.safetensors").items())
    (folder / "model.safetensors").unlink()
    where = {}
    for name, part in (("a.safetensors", arrays[:5]), ("b.safetensors", arrays[5:])):
        write_safetensors(folder / name, dict(part))
        where |= dict.fromkeys(dict(part), name)
    index = json.dumps({"weight_map": where})
    (folder / "model.safetensors.index.json").write_text(index, encoding="utf-8")


@pytest.fixture
def llama_file(tmp_path):
    """A GGUF file of a Llama whose logits say something."""
    model = tiny(block_size=16, rng=3)
    for p in model.parameters():
        p.data += np.random.default_rng(p.size).normal(0, 0.3, p.shape).astype(np.float32)
    (tmp_path / "tiny.gguf").write_bytes(llama_gguf(model))
    return tmp_path / "tiny.gguf"


@pytest.mark.parametrize("form", ["gguf", "folder", "two files"])
def test_a_llama_of_others_writes(llama_file, tmp_path, capsys, form):
    """Past its block_size, too."""
    model, tokenizer = load_gguf(llama_file)
    path = llama_file
    if form != "gguf":
        model.save_pretrained(path := tmp_path / "folder", tokenizer)
    if form == "two files":
        in_two_files(path)
    expected = generate(model, np.array([tokenizer.encode("the a")]), 40, 0.8, rng=1)[0].tolist()
    end = expected.index(259) if 259 in expected else None
    for more in ([], ["--no-cache"]):
        options = ["--prompt", "the a", "--max-new-tokens", "40", "--seed", "1"]
        assert main(["--model", str(path), *options, *more]) == 0
        assert capsys.readouterr().out == tokenizer.decode(expected[:end]) + "\n"


def test_a_gguf_file_that_is_none(tmp_path, capsys, llama_file):
    llama_file.write_bytes(llama_file.read_bytes()[:-9])
    for path, message in (
        (tmp_path / "gone.gguf", "no checkpoint at "),
        (llama_file, f"{llama_file} is no intact GGUF file: its tensors need more than"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(["--model", str(path)])
        assert capsys.readouterr().err.startswith(f"error: {message}")


def test_what_a_subclass_changes_is_not_passed_by():
    class Louder(Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    class NoMLP(Block):
        def forward(self, x, cache=None):
            return x + self.attn(self.ln_1(x), cache)

    class Shifted(GPT):
        def embed(self, idx, *args):
            return super().embed((np.asarray(idx) + 1) % 11, *args)

    louder, without, shifted = gpt(), gpt(), gpt()
    louder.transformer.h[0].mlp.c_fc.__class__ = Louder
    without.transformer.h[1].__class__ = NoMLP
    shifted.__class__ = Shifted
    for model in (louder, without, shifted):
        text, plain = Text(model, ids(3)), Text(gpt(), ids(3))
        for _ in range(2):
            ((_, _, logits),), ((_, _, others),) = advance(model, [text]), advance(gpt(), [plain])
            before = np.array([text.ids[:-1]])
            np.testing.assert_allclose(logits, next_logits(model, before)[0], atol=1e-5)
            assert np.abs(logits - others).max() > 0.01
            plain.ids = list(text.ids)


def test_an_empty_name_is_no_model(capsys):
    """As a variable of the shell is that nobody has set."""
    with pytest.raises(SystemExit):
        main(["--model", "", "--prompt", "a"])
    assert "error: a model must be named, but the name is empty" in capsys.readouterr().err


def test_a_folder_of_two_models_needs_a_name(tmp_path):
    tokenizer = BPETokenizer.from_text("abc " * 5, 260)
    model = GPT(tokenizer.vocab_size, 8, 1, 1, 8, rng=0)
    model.save_pretrained(tmp_path, tokenizer)
    load_writer(tmp_path)
    entry = {"model_args": model.config, "model": model.collect_state_dict()}
    save(tmp_path / "best.pkl", {**entry, "tokenizer": tokenizer.to_json()})
    with pytest.raises(ValueError, match="holds a run and a model of Hugging Face"):
        load_writer(tmp_path)
    load_writer(tmp_path / "best.pkl")
