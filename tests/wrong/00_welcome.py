"""Plausible wrong attempts at the exercises of chapter 00."""

import numpy as np


def my_followers__counts_what_comes_before(text, letter):
    """counts what comes before instead of after"""
    counts = {}
    for a, b in zip(text, text[1:]):
        if b == letter:
            counts[a] = counts.get(a, 0) + 1
    return counts


def my_followers__count_does_not_see_matches_that_overlap(text, letter):
    """count does not see matches that overlap"""
    counts = {b: text.count(letter + b) for b in set(text)}
    return {b: n for b, n in counts.items() if n}


def my_followers__only_the_first_occurrence(text, letter):
    """only the first occurrence"""
    i = text.find(letter)
    return {text[i + 1]: 1} if 0 <= i < len(text) - 1 else {}


def my_followers__which_letters_not_how_often(text, letter):
    """which letters, not how often"""
    return {b for a, b in zip(text, text[1:]) if a == letter}


def my_followers__runs_past_the_end(text, letter):
    """runs past the end"""
    counts = {}
    for i, a in enumerate(text):
        if a == letter:
            counts[text[i + 1]] = counts.get(text[i + 1], 0) + 1
    return counts


def my_probabilities__divides_by_the_number_of_different_letters(counts):
    """divides by the number of different letters"""
    return {letter: n / len(counts) for letter, n in counts.items()}


def my_probabilities__divides_by_the_largest_count(counts):
    """divides by the largest count"""
    return {letter: n / max(counts.values()) for letter, n in counts.items()}


def my_probabilities__returns_a_list_without_the_letters(counts):
    """returns a list, without the letters"""
    return [n / sum(counts.values()) for n in counts.values()]


def my_probabilities__divides_by_zero_where_nothing_was_counted(counts):
    """divides by zero where nothing was counted"""
    factor = 1 / sum(counts.values())
    return {letter: n * factor for letter, n in counts.items()}


def my_drawn_letter__always_the_likeliest(probabilities, u):
    """always the likeliest"""
    return max(probabilities, key=probabilities.get)


def my_drawn_letter__compares_with_the_probability_not_with_the_end(probabilities, u):
    """compares with the probability, not with the end"""
    for letter, p in probabilities.items():
        if u < p:
            return letter
    return letter


def my_drawn_letter__end_belongs_to_the_next_stretch(probabilities, u):
    """the end belongs to the next stretch"""
    end = 0.0
    for letter, p in probabilities.items():
        end += p
        if u <= end:
            return letter


def my_drawn_letter__sorted_by_probability_first(probabilities, u):
    """sorted by probability first"""
    end = 0.0
    for letter, p in sorted(probabilities.items(), key=lambda pair: -pair[1]):
        end += p
        if u < end:
            return letter


def my_drawn_letter__index_not_the_letter(probabilities, u):
    """the index, not the letter"""
    return sum(u >= end for end in np.cumsum(list(probabilities.values())))


def my_drawn_letter__stretches_of_equal_length(probabilities, u):
    """stretches of equal length"""
    return list(probabilities)[int(u * len(probabilities))]
