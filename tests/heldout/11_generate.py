"""Attempts at chapter 11 that nobody has met: known mistakes and right answers, written anew."""

import numpy as np

from minigrad import functional as F
from minigrad.generate import window_start
from minigrad.tensor import Tensor


def my_tempered__cold_is_warm__heldout_softmax(logits, temperature):
    if temperature == 0:
        return np.eye(logits.shape[-1])[logits.argmax(-1)]
    return F.softmax(Tensor(temperature * logits)).data


def my_tempered__no_largest_logit_subtracted__heldout_power(logits, temperature):
    if not temperature:
        return np.eye(logits.shape[-1])[np.argmax(logits, axis=-1)]
    weights = np.exp(logits / temperature)
    return weights / np.sum(weights, axis=-1)[..., None]


def my_tempered__temperature_0_as_a_very_small_number__heldout_tiny(logits, temperature):
    z = logits / (temperature + 1e-12 * (temperature == 0))
    z = z - z.max(axis=-1)[..., None]
    return np.exp(z) / np.exp(z).sum(axis=-1)[..., None]


def my_tempered__one_sum_for_the_whole_batch__heldout_sum(logits, temperature):
    if temperature == 0:
        return np.eye(logits.shape[-1])[logits.argmax(-1)]
    z = logits / temperature
    weights = np.exp(z - np.max(z))
    return weights / np.sum(weights)


def my_top_k__everything_as_likely_as_the_k_th_stays__heldout_partition(p, k):
    least = sorted(p, reverse=True)[: min(k, p.size)][-1]
    mask = ~(p < least)
    return mask * p / (mask * p).sum()


def my_top_k__not_divided_by_the_sum__heldout_mask(p, k):
    rank = np.empty(len(p), int)
    rank[np.argsort(-p, kind="stable")] = np.arange(len(p))
    return np.where(rank < k, p, 0.0)


def my_top_k__among_equals_the_last_stay__heldout_slice(p, k):
    stay = np.argsort(p, kind="stable")[-k:]
    out = np.zeros(p.shape)
    out[stay] = p[stay]
    return out / out.sum()


def my_top_p__token_that_crosses_is_left_out_but_never_the_first__heldout_loop(p, P):
    out, total = np.zeros(len(p)), 0.0
    for i in np.argsort(-p, kind="stable"):
        if total + p[i] > P and total > 0:
            break
        out[i], total = p[i], total + p[i]
    return out / out.sum()


def my_top_p__one_token_more_when_p_is_reached_exactly__heldout_loop(p, P):
    out, total = np.zeros(len(p)), 0.0
    for i in np.argsort(-p, kind="stable"):
        if total > P:
            break
        out[i] = p[i]
        total = total + p[i]
    return out / out.sum()


def my_top_p__forgets_to_sort__heldout_loop(p, P):
    out, total = np.zeros(len(p)), 0.0
    for i, probability in enumerate(p):
        if total >= P:
            break
        out[i], total = probability, total + probability
    return out / out.sum()


def my_draws__likeliest_without_chance__heldout_list(p, u):
    return np.array([int(np.argmax(row)) for row in p])


def my_draws__end_of_a_piece_belongs_to_it__heldout_search(p, u):
    ends = np.cumsum(p, axis=1)
    ends = ends / ends[:, -1][:, None]
    return np.array([np.searchsorted(row, r, side="left") for row, r in zip(ends, u)])


def my_draws__one_number_for_all_texts__heldout_first(p, u):
    ends = np.cumsum(p, axis=1)
    return np.array([np.argmax(row / row[-1] > u[0]) for row in ends])


def my_ids_to_compute__cache_is_trusted_for_ever__heldout_slice(idx, block_size, seen):
    new = idx.shape[1] - seen
    return idx[:, -new:] if new else idx[:, :0]


def my_ids_to_compute__always_the_whole_window__heldout_start(idx, block_size, seen):
    start = window_start(idx.shape[-1], block_size)
    return idx[..., start:]


def my_tokens_computed__context_is_forgotten__heldout_formula(prompt, new, block_size):
    if new == 0:
        return {"without": 0, "with": 0}
    last = prompt + new - 1
    return {"without": (prompt + last) * new // 2, "with": last}


def my_tokens_computed__last_new_token_is_read_as_well__heldout_lists(prompt, new, block_size):
    starts = {T: window_start(T, block_size) for T in range(prompt - 1, prompt + new + 1)}
    plain = [T - starts[T] for T in range(prompt, prompt + new + 1)]
    cached = [plain[0]] + [
        T - starts[T] if starts[T] != starts[T - 1] else 1
        for T in range(prompt + 1, prompt + new + 1)
    ]
    return {"with": sum(cached), "without": sum(plain)}


def my_tempered__correct_softmax(logits, temperature):
    if temperature == 0:
        return np.eye(logits.shape[-1])[logits.argmax(-1)]
    return F.softmax(Tensor((logits - logits.max(-1, keepdims=True)) / temperature)).data


def my_top_k__correct_rank(p, k):
    rank = np.empty(len(p), int)
    rank[np.argsort(-p, kind="stable")] = np.arange(len(p))
    kept = p * (rank < k)
    return kept / kept.sum()


def my_top_p__correct_loop(p, P):
    out, total = np.zeros(len(p)), 0.0
    for i in np.argsort(-p, kind="stable"):
        out[i] = p[i]
        total += p[i]
        if total >= P:
            break
    return out / out.sum()


def my_draws__correct_search(p, u):
    ends = np.cumsum(p, axis=1)
    rows = zip(ends / ends[:, -1:], u)
    return np.array([np.searchsorted(row, r, side="right") for row, r in rows])


def my_ids_to_compute__correct_branches(idx, block_size, seen):
    start = window_start(idx.shape[1], block_size)
    if seen and window_start(seen, block_size) == start:
        return idx[:, seen:]
    return idx[:, start:]


def my_tokens_computed__correct_lists(prompt, new, block_size):
    starts = [window_start(T, block_size) for T in range(prompt, prompt + new)]
    plain = [prompt + i - start for i, start in enumerate(starts)]
    cached = [n if i == 0 or starts[i] != starts[i - 1] else 1 for i, n in enumerate(plain)]
    return {"without": sum(plain), "with": sum(cached)}
