"""Plausible wrong attempts at the exercises of chapter 00."""

from collections import Counter, defaultdict

import numpy as np


def my_followers__counts_what_comes_before(text, letter):
    """The letters that stand before it were counted; the model should learn what comes after. See
    “The smallest model: count”."""
    counts = {}
    for a, b in zip(text, text[1:]):
        if b == letter:
            counts[a] = counts.get(a, 0) + 1
    return counts


def my_followers__count_does_not_see_matches_that_overlap(text, letter):
    """`count` goes on behind each match, so it misses a letter that follows itself twice. See
    “Exercise 0.1 · What follows”."""
    counts = {b: text.count(letter + b) for b in set(text)}
    return {b: n for b, n in counts.items() if n}


def my_followers__only_the_first_occurrence(text, letter):
    """Only the first place where the letter stands was looked at; count all of them. See “The
    smallest model: count”."""
    i = text.find(letter)
    return {text[i + 1]: 1} if 0 <= i < len(text) - 1 else {}


def my_followers__which_letters_not_how_often(text, letter):
    """This tells which letters follow, but not how often; without counts there are no
    probabilities. See “Exercise 0.1 · What follows”."""
    return {b for a, b in zip(text, text[1:]) if a == letter}


def my_followers__runs_past_the_end(text, letter):
    """The last letter of a text is followed by nothing, and there the index runs past the end. See
    “Exercise 0.1 · What follows”."""
    counts = {}
    for i, a in enumerate(text):
        if a == letter:
            counts[text[i + 1]] = counts.get(text[i + 1], 0) + 1
    return counts


def my_followers__zeros_for_letters_that_never_follow(text, letter):
    """Letters that never follow have no place in the dictionary, not even with a 0. See “Exercise
    0.1 · What follows”."""
    counts = dict.fromkeys(text, 0)
    for a, b in zip(text, text[1:]):
        counts[b] += a == letter
    return counts


def my_followers__keeps_counting_from_the_last_call(text, letter, counts={}):
    """A default such as `counts={}` is made once, when the function is defined, and so it remembers
    what the calls before counted. See “Exercise 0.1 · What follows”."""
    for a, b in zip(text, text[1:]):
        if a == letter:
            counts[b] = counts.get(b, 0) + 1
    return dict(counts)


def my_followers__returns_the_counter_itself(text, letter):
    """A Counter is no plain dictionary; `dict(...)` makes one of it. See “Exercise 0.1 · What
    follows”."""
    return Counter(b for a, b in zip(text, text[1:]) if a == letter)


def my_probabilities__divides_by_the_number_of_different_letters(counts):
    """Divided by how many different letters there are; the sum of the counts is what makes the
    shares add up to 1. See “The smallest model: count”."""
    return {letter: n / len(counts) for letter, n in counts.items()}


def my_probabilities__divides_by_the_largest_count(counts):
    """Divided by the largest count: the likeliest letter gets 1, and all together more than 1. See
    “The smallest model: count”."""
    return {letter: n / max(counts.values()) for letter, n in counts.items()}


def my_probabilities__returns_a_list_without_the_letters(counts):
    """The letters are lost; the result is a dictionary with the same letters. See “Exercise 0.2 ·
    From counts to probabilities”."""
    return [n / sum(counts.values()) for n in counts.values()]


def my_probabilities__divides_by_zero_where_nothing_was_counted(counts):
    """Where nothing was counted the sum is 0, and dividing by it fails even though there is nothing
    to divide. See “Exercise 0.2 · From counts to probabilities”."""
    factor = 1 / sum(counts.values())
    return {letter: n * factor for letter, n in counts.items()}


def my_probabilities__divides_in_place(counts):
    """The counts themselves were turned into probabilities; whoever called still needs the counts.
    See “Exercise 0.2 · From counts to probabilities”."""
    total = sum(counts.values())
    for letter in counts:
        counts[letter] /= total
    return counts


def my_probabilities__whole_division(counts):
    """`//` throws away what is behind the point, so that every share below 1 becomes 0. See
    “Exercise 0.2 · From counts to probabilities”."""
    total = sum(counts.values())
    return {letter: n // total for letter, n in counts.items()}


def my_probabilities__sum_shrinks_on_the_way(counts):
    """The sum was taken anew for each letter from what was left; all letters share one sum. See
    “The smallest model: count”."""
    left, found = dict(counts), {}
    for letter in counts:
        found[letter] = counts[letter] / sum(left.values())
        del left[letter]
    return found


def my_drawn_letter__always_the_likeliest(probabilities, u):
    """The likeliest letter comes whatever the place is; then nothing is drawn, and every text is
    the same. See “Exercise 0.3 · Draw a letter”."""
    return max(probabilities, key=probabilities.get)


def my_drawn_letter__compares_with_the_probability_not_with_the_end(probabilities, u):
    """The place was compared with the length of each stretch, not with where the stretch ends:
    lengths must be added up on the way. See “Exercise 0.3 · Draw a letter”."""
    for letter, p in probabilities.items():
        if u < p:
            return letter
    return letter


def my_drawn_letter__end_belongs_to_the_next_stretch(probabilities, u):
    """The place where a stretch ends already belongs to the next one: up to, but not including. See
    “Exercise 0.3 · Draw a letter”."""
    end = 0.0
    for letter, p in probabilities.items():
        end += p
        if u <= end:
            return letter


def my_drawn_letter__sorted_by_probability_first(probabilities, u):
    """The stretches were sorted by length first; they lie in the order in which the dictionary has
    them. See “Exercise 0.3 · Draw a letter”."""
    end = 0.0
    for letter, p in sorted(probabilities.items(), key=lambda pair: -pair[1]):
        end += p
        if u < end:
            return letter


def my_drawn_letter__index_not_the_letter(probabilities, u):
    """That is the number of the stretch; what is asked for is its letter. See “Exercise 0.3 · Draw
    a letter”."""
    return sum(u >= end for end in np.cumsum(list(probabilities.values())))


def my_drawn_letter__stretches_of_equal_length(probabilities, u):
    """All stretches got the same length; each is as long as its probability. See “Exercise 0.3 ·
    Draw a letter”."""
    return list(probabilities)[int(u * len(probabilities))]


def my_drawn_letter__draws_a_place_of_its_own(probabilities, u):
    """A new random place was drawn, and the one that was given ignored: the same u must give the
    same letter. See “Exercise 0.3 · Draw a letter”."""
    place = np.random.default_rng(len(probabilities)).random()
    for letter, p in probabilities.items():
        place -= p
        if place < 0:
            break
    return letter


def my_drawn_letter__empties_the_dictionary(probabilities, u):
    """Stretches were taken out of the dictionary on the way; whoever called needs it for the next
    letter. See “Exercise 0.3 · Draw a letter”."""
    while True:
        letter = next(iter(probabilities))
        u -= probabilities.pop(letter)
        if u < 0 or not probabilities:
            return letter


def my_drawn_letter__subtracts_and_includes_the_end(probabilities, u):
    """What was left of u was allowed to be exactly 0, so that the place where a stretch ends still
    belongs to it; it belongs to the next one. See “Exercise 0.3 · Draw a letter”."""
    for letter, p in probabilities.items():
        u -= p
        if u <= 0:
            return letter
    return letter


def my_pair_followers__looks_at_the_second_letter_alone(text, pair):
    """Only the last letter of the pair was looked at; then two letters know no more than one. See
    “Exercise 0.4 · Look back two letters”."""
    return dict(Counter(b for a, b in zip(text, text[1:]) if a == pair[-1]))


def my_pair_followers__steps_over_the_pair(text, pair):
    """After a match the search went on behind the pair, and so missed pairs that overlap. See
    “Exercise 0.4 · Look back two letters”."""
    counts, i = {}, 0
    while i < len(text) - 2:
        if text[i : i + 2] == pair:
            counts[text[i + 2]] = counts.get(text[i + 2], 0) + 1
            i += 2
        else:
            i += 1
    return counts


def my_pair_followers__runs_past_the_end(text, pair):
    """A pair at the very end is followed by nothing, and there the index runs past the end. See
    “Exercise 0.4 · Look back two letters”."""
    counts = {}
    for i in range(len(text) - 1):
        if text[i : i + 2] == pair:
            counts[text[i + 2]] = counts.get(text[i + 2], 0) + 1
    return counts


def my_pair_followers__any_length_of_pair(text, pair):
    """It also counts what follows a single letter, or nothing at all: a pair has two letters. See
    “Exercise 0.4 · Look back two letters”."""
    n = len(pair)
    return dict(Counter(text[i + n] for i in range(len(text) - n) if text[i : i + n] == pair))


def my_pair_followers__counts_the_pair_itself(text, pair):
    """That is how often the pair stands there, under the pair's own name; count the letter behind
    it. See “Exercise 0.4 · Look back two letters”."""
    n = sum(text[i : i + 2] == pair for i in range(len(text) - 1))
    return {pair: n} if n else {}


def my_followers__a_dictionary_with_defaults(text, letter):
    """A defaultdict is no plain dictionary: it grows when somebody looks into it. See “Exercise 0.1
    · What follows”."""
    counts = defaultdict(int)
    for a, b in zip(text, text[1:]):
        if a == letter:
            counts[b] += 1
    return counts


def my_followers__every_follower_once(text, letter):
    """The count was set to 1 each time, where 1 should be added to what is there. See “Exercise 0.1
    · What follows”."""
    return {b: 1 for a, b in zip(text, text[1:]) if a == letter}


def my_followers__prints_and_returns_nothing(text, letter):
    """The counts were printed and not returned; whoever calls gets None. See “Exercise 0.1 · What
    follows”."""
    print({b: 1 for a, b in zip(text, text[1:]) if a == letter})


def my_probabilities__prints_and_returns_nothing(counts):
    """The probabilities were printed and not returned; whoever calls gets None. See “Exercise 0.2 ·
    From counts to probabilities”."""
    print(counts)


def my_drawn_letter__compares_with_the_probability_and_falls_through(probabilities, u):
    """The place was compared with the length of each stretch, not with where the stretch ends:
    lengths must be added up on the way. See “Exercise 0.3 · Draw a letter”."""
    for letter, p in probabilities.items():
        if u < p:
            return letter


def my_drawn_letter__sorted_shortest_first(probabilities, u):
    """The stretches were sorted first; they lie in the order in which the dictionary has them. See
    “Exercise 0.3 · Draw a letter”."""
    end = 0.0
    for letter in sorted(probabilities, key=probabilities.get):
        end += probabilities[letter]
        if u < end:
            return letter


def my_drawn_letter__no_start_belongs_to_a_stretch(probabilities, u):
    """The place where a stretch begins belongs to it: from there, up to but not including its end.
    See “Exercise 0.3 · Draw a letter”."""
    start = 0.0
    for letter, p in probabilities.items():
        if start < u < start + p:
            return letter
        start += p


def my_pair_followers__splits_at_the_pair(text, pair):
    """`split` steps over each pair that it has found, and so misses pairs that overlap. See
    “Exercise 0.4 · Look back two letters”."""
    counts = {}
    for part in text.split(pair)[1:] if len(pair) == 2 else []:
        if part:
            counts[part[0]] = counts.get(part[0], 0) + 1
    return counts
