"""Attempts at chapter 00 that nobody has met: known mistakes and right answers, written anew."""

from collections import defaultdict
from itertools import pairwise


def my_followers__counts_what_comes_before__heldout_index(text, letter):
    found = {}
    for i in range(1, len(text)):
        if text[i] == letter:
            found.setdefault(text[i - 1], 0)
            found[text[i - 1]] += 1
    return found


def my_followers__counts_what_comes_before__heldout_backwards(text, letter):
    backwards = text[::-1]
    followers = [b for a, b in zip(backwards, backwards[1:]) if a == letter]
    return {b: followers.count(b) for b in followers}


def my_followers__which_letters_not_how_often__heldout_loop(text, letter):
    seen = set()
    for i, a in enumerate(text[:-1]):
        if a == letter:
            seen.add(text[i + 1])
    return seen


def my_followers__correct_pairwise(text, letter):
    counts = defaultdict(int)
    for a, b in pairwise(text):
        counts[b] += a == letter
    return {b: n for b, n in counts.items() if n}


def my_followers__correct_split(text, letter):
    after = [text[i + 1] for i in range(len(text) - 1) if text[i] == letter]
    return {b: after.count(b) for b in set(after)}


def my_probabilities__divides_by_the_number_of_different_letters__heldout_loop(counts):
    shares = {}
    for key in counts:
        shares[key] = counts[key] * (1 / len(list(counts)))
    return shares


def my_probabilities__divides_by_the_largest_count__heldout_sorted(counts):
    top = sorted(counts.values())[-1]
    return dict(zip(counts, [n / top for n in counts.values()]))


def my_probabilities__correct_loop(counts):
    total, shares = 0, {}
    for n in counts.values():
        total += n
    for letter in counts:
        shares[letter] = counts[letter] / total
    return shares


def my_drawn_letter__always_the_likeliest__heldout_sorted(probabilities, u):
    return sorted(probabilities.items(), key=lambda item: item[1])[-1][0]


def my_drawn_letter__compares_with_the_probability_not_with_the_end__heldout_next(p, u):
    return next((letter for letter in p if p[letter] > u), list(p)[-1])


def my_drawn_letter__end_belongs_to_the_next_stretch__heldout_start(probabilities, u):
    start = 0
    for letter, length in probabilities.items():
        if start <= u <= start + length:
            return letter
        start += length


def my_drawn_letter__correct_subtraction(probabilities, u):
    for letter, p in probabilities.items():
        u -= p
        if u < 0:
            break
    return letter


def my_pair_followers__looks_at_the_second_letter_alone__heldout_loop(text, pair):
    counts = {}
    for i in range(1, len(text)):
        if text[i - 1] == pair[1:] or (len(pair) == 1 and text[i - 1] == pair):
            counts[text[i]] = counts.get(text[i], 0) + 1
    return counts


def my_pair_followers__correct_zip(text, pair):
    after = [c for a, b, c in zip(text, text[1:], text[2:]) if a + b == pair]
    return {c: after.count(c) for c in sorted(set(after))}
