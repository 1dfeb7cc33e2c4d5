"""Questions that a program can check, and what is counted as right."""

import functools
import re

import numpy as np
import pytest

from minigrad.bpe import BPETokenizer
from minigrad.data import load_text
from minigrad.finetune import padded
from minigrad.gpt import GPT
from minigrad.llama import Llama
from minigrad.losses import cross_entropy
from minigrad.tasks import (
    FAMILIES,
    Score,
    answer_text,
    ask,
    exact_match,
    examination,
    facts,
    is_held_out,
    lesson,
    spoken,
    wilson,
    write_answers,
)
from minigrad.template import END, START


def letters_backwards(question):
    word = re.fullmatch(r"Spell ([a-z]{2,5}) backwards\.", question)[1]
    return "".join(word[-1 - i] for i in range(len(word)))


def fact_asked_for(question):
    (name,) = {name for name, _ in facts()} & set(re.findall(r"[A-Z][a-z]+", question))
    kinds = {"city": "live|city", "colour": "colour", "age": "old|age"}
    (kind,) = (kind for kind, words in kinds.items() if re.search(words, question))
    return facts()[name, kind]


@functools.cache
def lines_of_plays():
    """(who, their words) for the lines that the package uses, and for the first of every speech."""
    flat = lambda line: " ".join(re.findall(r"[\w'-]+", line))
    found = re.findall(r"^([A-Z]+):\n(.*)$", load_text("shakespeare"), re.M)
    return [[(name, flat(line)) for name, line in lines] for lines in (spoken(), found)]


def speaker_of(question):
    words = question.removeprefix("Who says: ").removesuffix("?")
    ours, found = lines_of_plays()
    asked = {name for name, line in ours if f" {words} " in f" {line} "}
    assert asked <= {name for name, line in found if words in line}
    return asked


EXPECTED = {  # each family's answers, found in another way
    "addition": lambda q: str(sum(map(int, re.findall(r"\d+", q)))),
    "subtraction": lambda q: str(int(re.findall(r"\d+", q)[0]) - int(re.findall(r"\d+", q)[1])),
    "sorting": lambda q: " ".join(d for d in "0123456789" for _ in range(q.count(d))),
    "reversing": letters_backwards,
    "counting": lambda q: str(q.removesuffix("?").split(" in ")[1].count(q.split()[2])),
    "knowing": fact_asked_for,
}


@pytest.mark.parametrize("name", FAMILIES)
def test_answers_are_right(name):
    rng = np.random.default_rng(1)
    for _ in range(300):
        question, answer = FAMILIES[name](rng)
        if name == "speaking":
            assert answer in speaker_of(question)
        else:
            assert answer == EXPECTED[name](question)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_question_is_practised_or_held_out_whatever_the_seed(name):
    family = FAMILIES[name]
    practised = {ask(family, np.random.default_rng(seed))[0] for seed in range(500)}
    held_out = {question for question, _ in examination(family, 30, rng=7)}
    assert len(held_out) >= 20 and not practised & held_out
    assert not {"".join(sorted(q)) for q in practised} & {"".join(sorted(q)) for q in held_out}


def test_a_tenth_is_held_out_and_the_order_of_characters_does_not_matter():
    rng = np.random.default_rng(0)
    shares = [is_held_out(FAMILIES["addition"](rng)[0]) for _ in range(3000)]
    assert 0.06 < np.mean(shares) < 0.14
    for a in range(10, 100, 7):
        for b in range(10, 100, 9):
            asked = f"What is {a} + {b}?", f"What is {b} + {a}?"
            assert is_held_out(asked[0]) == is_held_out(asked[1])


def test_each_fact_and_each_line_is_practised_in_some_words():
    rng = np.random.default_rng(0)
    answers = {name: {ask(FAMILIES[name], rng)[1] for _ in range(3000)} for name in FAMILIES}
    assert answers["knowing"] == set(facts().values())
    assert answers["speaking"] == {name for name, _ in spoken()}


def test_an_examination_has_no_question_twice_and_ends_where_there_are_no_more():
    few = examination(FAMILIES["knowing"], 500, rng=0)
    assert 20 < len(few) == len({question for question, _ in few}) < 100
    assert len(examination(FAMILIES["sorting"], 40, rng=0)) == 40
    assert examination(FAMILIES["sorting"], 5, 3) == examination(FAMILIES["sorting"], 5, 3)


@pytest.mark.parametrize(
    "k, n, low, high",  # from Wilson's formula as statsmodels and R's prop.test have it
    [
        (0, 10, 0.0, 0.2775),
        (9, 10, 0.5958, 0.9821),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_intervals_of_wilson(k, n, low, high):
    assert wilson(k, n) == pytest.approx((low, high), abs=1e-4)
    assert wilson(n - k, n) == pytest.approx((1 - high, 1 - low), abs=1e-4)


def test_an_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    for share, n in ((0.5, 40), (0.9, 200)):
        found = [wilson(int(k), n) for k in rng.binomial(n, share, 2000)]
        assert np.mean([low <= share <= high for low, high in found]) == pytest.approx(
            0.95, abs=0.03
        )


@pytest.mark.parametrize("k, n", [(1, 0), (-1, 5), (6, 5)])
def test_no_interval_for_what_cannot_be(k, n):
    with pytest.raises(ValueError, match=f"expected k of n .* got {k} of {n}"):
        wilson(k, n)


def test_a_score_says_its_interval():
    assert str(Score(9, 10)) == "90.0% (59.6% to 98.2%)" and Score(1, 4).share == 0.25


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.from_text("user assistant yes no", 262, [START, END], "digits")


def test_only_answers_count_in_a_lesson(tokenizer):
    idx, targets = lesson(tokenizer, [("Yes?", "no"), ("And 1 + 1?", "12")])
    assert idx.shape == targets.shape
    for row, its_ids, answer in zip(targets, idx, ("no", "12")):
        places = np.flatnonzero(row != -100)
        assert tokenizer.decode(row[places]) == answer + END
        assert (its_ids[places[1:]] == row[places[:-1]]).all()  # what was right is read next
        assert tokenizer.decode(its_ids[: places[0] + 1]).endswith(f"{START}assistant\n")


def test_rows_of_several_lengths_are_padded_behind_their_end():
    idx, targets = padded([([5, 6, 7], [-100, 7, 8]), ([1], [2])])
    assert idx.tolist() == [[5, 6, 7], [1, 0, 0]]
    assert targets.tolist() == [[-100, 7, 8], [2, -100, -100]]


def test_padding_changes_no_loss(tokenizer):
    model = Llama(tokenizer.vocab_size, 16, 1, 2, block_size=64, rng=0)
    questions = [("a", "b"), ("What is 4 + 4?", "8")]
    parts = [lesson(tokenizer, [qa]) for qa in questions]
    each = [(model(*part)[1].item(), (part[1] != -100).sum()) for part in parts]
    mean = sum(loss * n for loss, n in each) / sum(n for _, n in each)
    idx, targets = lesson(tokenizer, questions)
    assert cross_entropy(model(idx)[0], targets).item() == pytest.approx(mean, rel=1e-5)


class Parrot(GPT):
    """Expects after each token the next of `says`, and END after the last, whatever was read."""

    def __init__(self, tokenizer, says):
        super().__init__(tokenizer.vocab_size, 8, 1, 1, 64, rng=0)
        self.follows = {}
        ids = [tokenizer.encode("\n")[-1], *tokenizer.encode(says), tokenizer.special[END]]
        for a, b in zip(ids, ids[1:]):
            self.follows[a] = b

    def read(self, texts):
        for ids, cache in texts:
            for layer in cache:
                layer.length += len(ids)
        logits = np.zeros((len(texts), self.config["vocab_size"]), np.float32)
        for row, (ids, _) in zip(logits, texts):
            row[self.follows.get(int(ids[-1]), 0)] = 9
        return logits


def test_answers_end_at_their_mark_or_when_there_is_no_room(tokenizer):
    parrot = Parrot(tokenizer, "abc")
    (prompt, ids), (_, same) = write_answers(
        parrot, tokenizer, ["x?", "a longer one?"], temperature=0
    )
    assert tokenizer.decode(prompt) == f"{START}user\nx?{END}\n{START}assistant\n"
    assert tokenizer.decode(ids) == "abc" + END and ids == same
    assert answer_text(tokenizer, ids) == "abc"
    ((_, ids),) = write_answers(parrot, tokenizer, ["x?"], 2, temperature=0)
    assert answer_text(tokenizer, ids) == "ab…"
    assert answer_text(tokenizer, tokenizer.encode(END)) == END + "…"  # characters are no mark


def test_exact_match_counts_whole_answers_to_the_letter(tokenizer):
    parrot = Parrot(tokenizer, "abc")
    questions = [("1?", "abc"), ("22?", "abd"), ("3?", "ab"), ("4?", "abc "), ("5?", "abc")]
    assert exact_match(parrot, tokenizer, questions) == Score(2, 5)
    assert exact_match(parrot, tokenizer, questions, max_new_tokens=2).right == 0


def test_an_answer_is_what_the_model_writes_alone(tokenizer):
    model = Llama(tokenizer.vocab_size, 16, 2, 2, block_size=64, rng=0)
    asked = ["a", "What is 4 + 4?", "b c"]
    many = write_answers(model, tokenizer, asked, 6, temperature=0)
    alone = [write_answers(model, tokenizer, [one], 6, temperature=0)[0] for one in asked]
    assert many == alone
    drawn = [write_answers(model, tokenizer, asked, 6, rng=seed) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
