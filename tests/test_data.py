"""Tokenizer, windows, batches and texts."""

import codecs
import os
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import data
from minigrad.data import (
    DATASETS,
    DataLoaderSimple,
    SimpleTokenizer,
    TextDataset,
    likely_encoding,
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
    for wrong, message in (
        (
            lambda: tokenizer.encode("hexox"),
            "unknown character 'x' at position 2: "
            "this tokenizer knows the 4 characters of its training text",
        ),
        (lambda: tokenizer.decode([0, 4]), "token ids run from 0 to 3, got 4"),
        (lambda: tokenizer.decode([-1]), "token ids run from 0 to 3, got -1"),
        (lambda: SimpleTokenizer("aba"), "a tokenizer needs each character once"),
    ):
        with pytest.raises(ValueError, match=f"^{message}$"):
            wrong()


@given(n=st.integers(2, 40), block_size=st.integers(1, 39))
def test_every_target_is_the_next_token(n, block_size):
    if n <= block_size:
        needs = f"block_size {block_size} needs a text of at least {block_size + 1} tokens"
        with pytest.raises(ValueError, match=f"^{needs}, but this one has {n}$"):
            TextDataset(range(n), block_size)
        return
    dataset = TextDataset(range(n), block_size)
    assert len(dataset) == n - block_size
    for i in (0, len(dataset) - 1):
        x, y = dataset[i]
        np.testing.assert_array_equal(x, np.arange(i, i + block_size))
        np.testing.assert_array_equal(y, x + 1)
    for i in (-1, n - block_size):
        with pytest.raises(
            IndexError, match=f"^window {i} of a data set of {len(dataset)} windows$"
        ):
            dataset[i]


def test_block_size_must_be_positive():
    with pytest.raises(ValueError, match="^block_size must be at least 1, got 0$"):
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
    message = "sample() draws at random: make this loader with rng=..."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        DataLoaderSimple(dataset, 8).sample()


@pytest.mark.parametrize("batch_size", [0, 17])
def test_impossible_batch_sizes(batch_size):
    with pytest.raises(ValueError, match=f"^batch_size must be 1 to 16 here, got {batch_size}$"):
        DataLoaderSimple(TextDataset(range(20), 4), batch_size)


@pytest.mark.parametrize("batch_size", [1, 16])
def test_the_smallest_and_the_largest_batch(batch_size):
    batches = list(DataLoaderSimple(TextDataset(range(20), 4), batch_size))
    assert [x.shape for x, _ in batches] == [(batch_size, 4)] * (16 // batch_size)
    np.testing.assert_array_equal(np.concatenate([x for x, _ in batches])[:, 0], range(16))


def test_the_order_of_a_pass_and_of_samples_is_the_generators():
    loader = lambda: DataLoaderSimple(TextDataset(range(20), 4), 8, np.random.default_rng(1))
    passed = np.concatenate([x for x, _ in loader()])[:, 0]
    np.testing.assert_array_equal(passed, np.random.default_rng(1).permutation(16))
    np.testing.assert_array_equal(
        loader().sample()[0][:, 0], np.random.default_rng(1).integers(16, size=8)
    )


def test_split_keeps_all_and_the_order():
    train, val = train_val_split(range(100), 0.1)
    np.testing.assert_array_equal([*train, *val], np.arange(100))
    assert len(val) == 10 and len(train_val_split(range(30))[1]) == 3
    assert len(train_val_split(range(10), 0.75)[0]) == 2
    for fraction in (0, 1):
        message = f"^val_fraction must lie between 0 and 1, got {fraction}$"
        with pytest.raises(ValueError, match=message):
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
    with pytest.raises(
        FileNotFoundError,
        match="^no text file at 'nowhere'; the named data sets are names, poems, shakespeare$",
    ):
        load_text("nowhere")
    for nothing in (b"", codecs.BOM_UTF8):
        path.write_bytes(nothing)
        with pytest.raises(ValueError, match="a text.txt is empty$"):
            load_text(path)
    path.write_bytes(b"abc\xff")
    with pytest.raises(ValueError, match="not text in UTF-8: byte 0xff at position 3"):
        load_text(path)
    path.write_bytes("a\r\nb\rc\n".encode("utf-16"))
    assert load_text(path, "utf-16") == "a\nb\nc\n"


GUESSED = {
    "gbk": "今天天气很好,我们去公园玩。",
    "gb18030": "白日依山尽，黄河入海流。欲穷千里目，更上一层楼。㐂",
    "cp1252": "“L’été”, à Noël",
    "latin-1": "Die Straße führt über den Fluß",
    "utf-16": "any text, 诗",
    "utf-16-le": "any text",
    "utf-16-be": "any text",
    "utf-32": "any text",
}


@pytest.mark.parametrize("encoding", GUESSED)
@pytest.mark.parametrize("before", ["", "plain line\n" * 20_000])
def test_another_encoding_is_found_out_named_and_understood(tmp_path, encoding, before):
    path, text = tmp_path / "old.txt", GUESSED[encoding] * 3
    path.write_bytes((before + text).encode(encoding))
    with pytest.raises(ValueError, match="is not text in UTF-8: byte 0x") as raised:
        load_text(path)
    name = re.search(r"it looks like \S+.*, --encoding (\S+)$", str(raised.value))[1]
    assert name == {"gbk": "gb18030", "latin-1": "cp1252"}.get(encoding, encoding)
    assert load_text(path, name) == before + text


OTHERS = {
    "big5": "今天天氣很好，我們去公園玩。",
    "shift_jis": "今日はとても天気がいいので、公園へ行きました。",
    "euc_jp": "今日はとても天気がいいので、公園へ行きました。",
    "euc_kr": "오늘은 날씨가 아주 좋아서 우리는 공원에 갔다.",
    "cp1251": "Все счастливые семьи похожи друг на друга.",
    "cp1253": "Όλες οι ευτυχισμένες οικογένειες μοιάζουν μεταξύ τους.",
}


@pytest.mark.parametrize("encoding", OTHERS)
def test_an_encoding_that_is_not_found_out_is_not_called_by_another_name(tmp_path, encoding):
    (tmp_path / "old.txt").write_text(OTHERS[encoding] * 3, encoding)
    with pytest.raises(ValueError, match="; is it in another encoding, or no text at all[?]$"):
        load_text(tmp_path / "old.txt")


def test_chinese_poems_in_gbk_are_found_out():
    poems = load_text("poems")
    for start in range(0, 400_000, 20_000):
        raw = poems[start : start + 200].encode("gb18030")
        assert likely_encoding(raw) == likely_encoding(raw[:-1]) == "gb18030"


@pytest.mark.parametrize(
    ("line", "encoding", "name"),
    [("好 天气很好", "gbk", "gb18030"), ("Sie sagt äöü", "cp1252", "cp1252")],
)
def test_the_line_of_the_first_odd_byte_decides_wherever_it_stands(tmp_path, line, encoding, name):
    before = "春眠不觉晓，\n" * 20_000  # more than what is looked at around that byte
    (tmp_path / "t.txt").write_bytes(before.encode() + line.encode(encoding))
    with pytest.raises(ValueError, match=f"--encoding {name}$"):
        load_text(tmp_path / "t.txt")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("\xb5" * 7 + "é" + "a" * 99, None),  # an eighth of what is odd is frequent: too few
        ("\xb5" * 13 + "éé" + "a" * 99, "cp1252"),
        ("éé" + "aa", "cp1252"),  # half of a text is odd: it may be Western
        ("éé" + "a", None),
    ],
)
def test_how_much_makes_a_western_text(text, found):
    assert likely_encoding(text.encode("cp1252")) == found


@pytest.mark.parametrize("n", [1, 40])
@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        ("Python 编程入门 Chapter 1: 变量与类型\n", "gbk", "gb18030"),
        ("Lesson 3: 苹果 apple, 香蕉 banana\n", "gbk", "gb18030"),
        ("用户 admin 登录成功 2024-01-01 12:00:00 INFO\n", "gbk", "gb18030"),
        ("王伟\n李娜\n张磊\n", "gbk", "gb18030"),
        ("守株待兔，画蛇添足。", "gbk", "gb18030"),
        ("FRAU MÜLLER UND HERR JÄGER AUS KÖLN\n", "latin-1", "cp1252"),
        ("Bake at 180°C\n", "latin-1", "cp1252"),
        ("It costs 5 € each\n", "cp1252", "cp1252"),
        ("Hello\xa0world\n", "latin-1", "cp1252"),
        ("오늘은 날씨가 아주 좋아서 우리는 공원에 갔다.\n", "euc_kr", None),
        ("今日はとても天気がいいので、公園へ行きました。\n", "euc_jp", None),
        ("Все счастливые семьи похожи друг на друга.\n", "koi8-r", None),
    ],
)
def test_words_of_every_kind_tell_their_encoding(text, encoding, found, n):
    assert likely_encoding((text * n).encode(encoding)) == found


def test_what_is_no_text_is_not_taken_for_one(tmp_path):
    path = tmp_path / "picture"
    rng = np.random.default_rng(0)
    for raw in (bytes(range(256)) * 9, b"\0" * 999, rng.bytes(5000), b"\x89PNG\r\n\0\0\0\rIHDR"):
        path.write_bytes(raw)
        end = "byte 0x.. at position [0-9]*; is it in another encoding, or no text at all[?]$"
        with pytest.raises(ValueError, match=end):
            load_text(path)


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ("klingon", "^Python knows no encoding 'klingon' for .*t.txt$"),
        ("rot13", "^Python knows no encoding 'rot13' for .*t.txt$"),
        (
            "ascii",
            "t.txt is not text in ascii: byte 0xc3 at position 2; it looks like utf-8: "
            "save it as UTF-8, or name that, --encoding utf-8$",
        ),
        ("utf-16", "is not text in utf-16: byte 0x47 at position 0; it looks like utf-8:"),
        ("utf-32", "is not text in utf-32: byte 0x47 at position 0; it looks like utf-8:"),
    ],
)
def test_a_wrong_encoding_is_one_line(tmp_path, encoding, message):
    (tmp_path / "t.txt").write_text("Größe!!", encoding="utf-8")
    with pytest.raises(ValueError, match=message) as raised:
        load_text(tmp_path / "t.txt", encoding)
    assert "\n" not in str(raised.value)


def test_an_encoding_that_does_not_say_where_it_failed(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"a-!")  # Python's punycode has no position
    with pytest.raises(ValueError, match="not text in punycode: byte 0x61 at position 0;"):
        load_text(tmp_path / "t.txt", "punycode")


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_where_the_first_byte_stands_that_is_no_text(tmp_path, ending):
    (tmp_path / "t.txt").write_bytes(("Größe".encode() + ending) * 9 + b"a\0b\0c")
    position = 9 * (7 + len(ending)) + 1
    with pytest.raises(ValueError, match=f"not text in UTF-8: byte 0x00 at position {position};"):
        load_text(tmp_path / "t.txt")


def test_a_text_that_looks_like_what_it_is_not_gets_no_such_advice(tmp_path):
    (tmp_path / "t.txt").write_bytes(b"x" * 150_000 + b"\xff")
    with pytest.raises(ValueError, match="0xff at position 150000; is it in another encoding"):
        load_text(tmp_path / "t.txt")


@pytest.mark.parametrize(
    ("encoding", "advice"),
    [
        ("gbk", "gb18030: save it as UTF-8, or name that, "),
        ("utf-16", "utf-16: save it as UTF-8, or name that, "),
    ],
)
def test_advice_in_full(tmp_path, encoding, advice):
    raw = "plain\n今天天气很好\nplain\n".encode(encoding)
    (tmp_path / "t.txt").write_bytes(raw)
    with pytest.raises(ValueError) as raised:
        load_text(tmp_path / "t.txt")
    assert str(raised.value).split("; it looks like ")[1] == (
        f"{advice}--encoding {advice.split(':')[0].split()[0]}"
    )


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("n", [1, 20_000])
def test_pairs_of_bytes_stay_pairs_wherever_the_first_odd_character_stands(tmp_path, encoding, n):
    path = tmp_path / "t.txt"
    path.write_bytes(("plain line\n" * n + "naïve").encode(encoding))
    with pytest.raises(ValueError, match=f"--encoding {encoding}$"):
        load_text(path)


@pytest.mark.parametrize(
    ("few", "many", "found"),
    [(0, 50, None), (0, 51, "utf-16"), (5, 100, None), (4, 100, "utf-16"), (5, 101, "utf-16")],
)
def test_how_many_zeros_make_a_text_of_pairs(few, many, found):
    """More than a quarter of the pairs, and a twentieth of it at most in the other place."""
    odd, even = (b"\0" * n + b"a" * (200 - n) for n in (many, few))
    for raw, order in (((even, odd), "-le"), ((odd, even), "-be")):
        assert likely_encoding(
            bytes(np.frombuffer(b"".join(raw), "u1").reshape(2, 200).T.flat)
        ) == (found and found + order)


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"plain", "utf-8"),
        ("é".encode(), "utf-8"),  # cp1252 would read one of its frequent characters
        ("会".encode("gbk"), "gb18030"),  # cp1252 would read two
        (b"a line and " * 20 + "会".encode("gbk"), "gb18030"),
        (b"\xff\x81\x98", None),
    ],
)
def test_guesses_of_little(raw, found):
    assert likely_encoding(raw) == found


def test_a_folder_and_a_pipe_are_no_text_files(tmp_path):
    with pytest.raises(
        FileNotFoundError, match="^no text file at '[^']*', but a folder; the named"
    ):
        load_text(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(
            FileNotFoundError, match="^no text file at '[^']*', but something else; "
        ):
            load_text(tmp_path / "pipe")


def test_a_text_too_large_for_the_memory_is_a_sentence(tmp_path, monkeypatch):
    path = tmp_path / "huge.txt"
    path.write_text("x" * 1000, encoding="utf-8")
    message = "huge.txt is too large: 1,000 bytes; take a part$"
    monkeypatch.setattr(data, "LARGEST_TEXT", 1000)
    assert load_text(path) == "x" * 1000
    monkeypatch.setattr(data, "LARGEST_TEXT", 999)
    with pytest.raises(ValueError, match=message):
        load_text(path)
    monkeypatch.undo()
    monkeypatch.setattr(data, "text_parts", out_of_memory)
    with pytest.raises(ValueError, match=message):
        load_text(path)


def out_of_memory(*_, **__):
    raise MemoryError


@pytest.mark.parametrize("encoding", [None, "gb18030", "utf-16", "cp1252"])
def test_parts_of_a_text_are_the_text_and_end_between_words(tmp_path, encoding):
    path = tmp_path / "t.txt"
    lines = [f"line {i} of a text, with words\r\n" + "\n" * (i % 3) for i in range(40_000)]
    path.write_bytes("".join(lines).encode(encoding or "utf-8"))
    parts = list(data.text_parts(path, encoding))
    assert "".join(parts) == load_text(path, encoding) == "".join(lines).replace("\r\n", "\n")
    assert len(parts) == 2 and max(map(len, parts)) < 2**20 + 10_000
    for part, following in zip(parts, parts[1:]):
        assert part[-1].isalpha() and following[0] == " " and following[1].isalpha()


def test_a_text_without_lines_or_words_is_cut_anywhere(tmp_path):
    path = tmp_path / "t.txt"
    path.write_text("\ufeff" + "春眠不觉晓" * 300_000, encoding="utf-8")
    assert "".join(data.text_parts(path)) == "春眠不觉晓" * 300_000
    path.write_text("\ufeff", encoding="utf-8")
    with pytest.raises(ValueError, match="t.txt is empty$"):
        list(data.text_parts(path))


@pytest.mark.parametrize("position", [3, 2**20 + 5, 2**21])
def test_a_byte_that_is_no_text_is_found_wherever_it_stands(tmp_path, position):
    path = tmp_path / "t.txt"
    for byte in (b"\xff", b"\0"):
        path.write_bytes(b"a" * position + byte + b"bc")
        message = f"byte {byte[0]:#04x} at position {position}; "
        with pytest.raises(ValueError, match=message):
            load_text(path)


def test_tokens_are_characters_in_utf_8():
    tokenizer = SimpleTokenizer(["a", "é", "月", "\ud800"])
    assert tokenizer.token_bytes == [b"a", b"\xc3\xa9", "月".encode(), b"\xed\xa0\x80"]


def test_a_batch_of_small_integers_is_one_of_large_ones():
    ids = np.arange(250, 280, dtype=np.uint16)
    x, y = DataLoaderSimple(TextDataset(ids, 4), 2).batch([0, 3])
    assert x.dtype == y.dtype == np.int64 and x.tolist()[1] == [253, 254, 255, 256]
