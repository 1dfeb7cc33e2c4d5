"""Tokenizer, windows, batches and texts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import (
    DATASETS,
    DataLoaderSimple,
    SimpleTokenizer,
    TextDataset,
    load_text,
    train_val_split,
)


@given(st.text(min_size=1))
def test_decode_undoes_encode(text):
    tokenizer = SimpleTokenizer.from_text(text)
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert tokenizer.vocab_size == len(set(text))
    assert set(ids) == set(range(tokenizer.vocab_size))
    assert tokenizer.decode(np.array(ids)) == text


def test_ids_follow_the_sorted_characters():
    assert SimpleTokenizer.from_text("hello").encode("hello") == [1, 0, 2, 2, 3]


def test_tokenizer_errors():
    tokenizer = SimpleTokenizer.from_text("hello")
    with pytest.raises(ValueError, match="'x' at position 2.*4 characters"):
        tokenizer.encode("hexo")
    with pytest.raises(ValueError, match="0 to 3, got 4"):
        tokenizer.decode([0, 4])
    with pytest.raises(ValueError, match="0 to 3, got -1"):
        tokenizer.decode([-1])
    with pytest.raises(ValueError, match="once"):
        SimpleTokenizer("aa")


@given(n=st.integers(2, 40), block_size=st.integers(1, 39))
def test_every_target_is_the_next_token(n, block_size):
    if n <= block_size:
        with pytest.raises(ValueError, match=f"at least {block_size + 1} tokens.*has {n}"):
            TextDataset(range(n), block_size)
        return
    dataset = TextDataset(range(n), block_size)
    assert len(dataset) == n - block_size
    for i in (0, len(dataset) - 1):
        x, y = dataset[i]
        np.testing.assert_array_equal(x, np.arange(i, i + block_size))
        np.testing.assert_array_equal(y, x + 1)
    with pytest.raises(IndexError):
        dataset[len(dataset)]


def test_block_size_must_be_positive():
    with pytest.raises(ValueError, match="at least 1, got 0"):
        TextDataset(range(5), 0)


def test_a_pass_shows_every_window_once(rng):
    dataset = TextDataset(range(20), 4)
    for generator in (None, rng):
        loader = DataLoaderSimple(dataset, 4, generator)
        starts = [x[0] for xs, _ in loader for x in xs]
        assert sorted(starts) == list(range(16))
        assert (starts == sorted(starts)) == (generator is None)
        assert len(loader) == 4
    xs, ys = next(iter(DataLoaderSimple(dataset, 3)))
    assert xs.shape == ys.shape == (3, 4)
    assert len(list(DataLoaderSimple(dataset, 5))) == 3


def test_samples_are_repeatable_and_within_the_text():
    dataset = TextDataset(range(20), 4)
    one, other = (DataLoaderSimple(dataset, 8, np.random.default_rng(1)).sample() for _ in range(2))
    np.testing.assert_array_equal(one, other)
    x, y = one
    np.testing.assert_array_equal(y, x + 1)
    with pytest.raises(ValueError, match="make this loader with rng="):
        DataLoaderSimple(dataset, 8).sample()


@pytest.mark.parametrize("batch_size", [0, 17])
def test_impossible_batch_sizes(batch_size):
    with pytest.raises(ValueError, match=f"1 to 16 here, got {batch_size}"):
        DataLoaderSimple(TextDataset(range(20), 4), batch_size)


def test_split_keeps_all_and_the_order():
    train, val = train_val_split(range(100), 0.1)
    np.testing.assert_array_equal([*train, *val], np.arange(100))
    assert len(val) == 10
    for fraction in (0, 1):
        with pytest.raises(ValueError, match=f"got {fraction}"):
            train_val_split(range(100), fraction)


@pytest.mark.parametrize("name", DATASETS)
def test_named_data_sets(name):
    text = load_text(name)
    assert len(text) > 30_000 and "\r" not in text


def test_texts_from_files(tmp_path):
    path = tmp_path / "a text.txt"
    path.write_text("Grüße, 世界", encoding="utf-8")
    assert load_text(path) == load_text(str(path)) == "Grüße, 世界"
    path.write_text("marked", encoding="utf-8-sig")
    assert load_text(path) == "marked"
    with pytest.raises(FileNotFoundError, match="'nowhere'.*names, poems, shakespeare"):
        load_text("nowhere")
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="is empty"):
        load_text(path)
    path.write_bytes(b"abc\xff")
    with pytest.raises(ValueError, match="not text in UTF-8: byte 0xff at position 3"):
        load_text(path)
