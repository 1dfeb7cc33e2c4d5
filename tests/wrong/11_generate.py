"""Plausible wrong attempts at the exercises of chapter 11."""

import numpy as np


def my_tempered(logits, temperature):  # multiplied instead of divided: cold is warm
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) * temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered(logits, temperature):  # the probabilities are divided instead of the logits
    e = np.exp(logits - logits.max(axis=-1, keepdims=True)) / max(temperature, 1e-9)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered(logits, temperature):  # one sum for the whole batch
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    e = np.exp((logits - logits.max()) / temperature)
    return e / e.sum()


def my_tempered(logits, temperature):  # one largest logit for the whole batch
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    e = np.exp((logits - logits.max()) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered(logits, temperature):  # no largest logit subtracted
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    e = np.exp(logits / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered(logits, temperature):  # temperature 0 as a very small number: a tie stays a tie
    z = (logits - logits.max(axis=-1, keepdims=True)) / max(temperature, 1e-9)
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered(logits, temperature):  # nothing done about temperature 0
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered(logits, temperature):  # temperature 0 gives the id, not a distribution
    if temperature == 0:
        return logits.argmax(axis=-1)
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered(logits, temperature):  # the likeliest of the whole batch
    if temperature == 0:
        p = np.zeros(logits.size)
        p[logits.argmax()] = 1
        return p.reshape(logits.shape)
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered(logits, temperature):  # each row's likeliest column is set in all rows
    if temperature == 0:
        p = np.zeros(logits.shape)
        p[..., logits.argmax(axis=-1)] = 1
        return p
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered(logits, temperature):  # works in place
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    logits -= logits.max(axis=-1, keepdims=True)
    logits /= temperature
    e = np.exp(logits)
    return e / e.sum(axis=-1, keepdims=True)


def my_top_k(p, k):  # everything as likely as the k-th stays: too many at a tie
    kept = np.where(p >= np.sort(p)[-min(k, len(p))], p, 0)
    return kept / kept.sum()


def my_top_k(p, k):  # only what is likelier than the k-th stays
    kept = np.where(p > np.sort(p)[-min(k, len(p))], p, 0)
    return kept / kept.sum()


def my_top_k(p, k):  # not divided by the sum
    order = np.argsort(-p, kind="stable")
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept


def my_top_k(p, k):  # the result stands in sorted order
    kept = np.sort(p)[::-1].copy()
    kept[k:] = 0
    return kept / kept.sum()


def my_top_k(p, k):  # only the kept ones are returned
    kept = np.sort(p)[::-1][:k]
    return kept / kept.sum()


def my_top_k(p, k):  # the sort turned round: among equals the last stay
    order = np.argsort(p, kind="stable")[::-1]
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept / kept.sum()


def my_top_k(p, k):  # the least likely stay
    order = np.argsort(p, kind="stable")
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept / kept.sum()


def my_top_k(p, k):  # the first k tokens, as if p were sorted
    kept = np.where(np.arange(len(p)) < k, p, 0)
    return kept / kept.sum()


def my_top_k(p, k):  # works in place
    p[np.argsort(-p, kind="stable")[k:]] = 0
    return p / p.sum()


def my_top_k(p, k):  # a second softmax instead of a division
    kept = np.full(len(p), -np.inf)
    order = np.argsort(-p, kind="stable")[:k]
    kept[order] = p[order]
    e = np.exp(kept - kept.max())
    return e / e.sum()


def my_top_p(p, P):  # the token that crosses P is left out
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) <= P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p(p, P):  # the same, but the first token always stays
    order = np.argsort(-p, kind="stable")
    inside = order[: max(1, np.sum(np.cumsum(p[order]) <= P))]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p(p, P):  # one token more when P is reached exactly
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] <= P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p(p, P):  # a threshold for the single probability
    kept = np.where(p >= 1 - P, p, 0)
    return kept / kept.sum()


def my_top_p(p, P):  # forgets to sort
    kept = np.where(np.cumsum(p) - p < P, p, 0)
    return kept / kept.sum()


def my_top_p(p, P):  # sorted, the least likely first
    order = np.argsort(p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p(p, P):  # the mask of the sorted order is put on the unsorted probabilities
    p_sorted = np.sort(p)[::-1]
    kept = np.where(np.cumsum(p_sorted) - p_sorted < P, p, 0)
    return kept / kept.sum()


def my_top_p(p, P):  # the result stands in sorted order
    p_sorted = np.sort(p)[::-1]
    kept = np.where(np.cumsum(p_sorted) - p_sorted < P, p_sorted, 0)
    return kept / kept.sum()


def my_top_p(p, P):  # not divided by the sum
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept


def my_top_p(p, P):  # divided by P, which the kept ones rarely hit exactly
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / P


def my_top_p(p, P):  # by a threshold: everything as likely as the last one stays
    p_sorted = np.sort(p)[::-1]
    last = p_sorted[np.cumsum(p_sorted) - p_sorted < P][-1]
    kept = np.where(p >= last, p, 0)
    return kept / kept.sum()


def my_top_p(p, P):  # the sort turned round: among equals the last stay
    order = np.argsort(p, kind="stable")[::-1]
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p(p, P):  # the first total that reaches P: if rounding leaves none, argmax says 0
    order = np.argsort(-p, kind="stable")
    inside = order[: np.argmax(np.cumsum(p[order]) >= P) + 1]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p(p, P):  # works in place
    order = np.argsort(-p, kind="stable")
    p[order[np.cumsum(p[order]) - p[order] >= P]] = 0
    return p / p.sum()


def my_draws(p, u):  # the likeliest, without chance
    return p.argmax(axis=1)


def my_draws(p, u):  # which probability is above u, without the running total
    return (u[:, None] < p).argmax(axis=1)


def my_draws(p, u):  # the running total goes down the batch
    c = np.cumsum(p, axis=0)
    return (u[:, None] < c).argmax(axis=1)


def my_draws(p, u):  # a number for each column where there are as many columns as rows
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return (np.resize(u, c.shape[1]) < c).argmax(axis=1)


def my_draws(p, u):  # one number for all texts
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return (u[0] < c).argmax(axis=1)


def my_draws(p, u):  # the end of a piece belongs to it
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return (u[:, None] <= c).argmax(axis=1)


def my_draws(p, u):  # a sum below 1: no piece is found, and argmax says 0
    return (u[:, None] < np.cumsum(p, axis=1)).argmax(axis=1)


def my_draws(p, u):  # a sum below 1: the last token, even one that was cut off
    return np.minimum((np.cumsum(p, axis=1) <= u[:, None]).sum(axis=1), p.shape[1] - 1)


def my_draws(p, u):  # the piece after the right one
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return np.minimum((u[:, None] < c).argmax(axis=1) + 1, p.shape[1] - 1)


def my_ids_to_compute(idx, block_size, seen):  # the cache is trusted for ever
    return idx[:, seen:]


def my_ids_to_compute(idx, block_size, seen):  # always the whole window
    return idx[:, -block_size:]


def my_ids_to_compute(idx, block_size, seen):  # always one token
    return idx[:, -1:] if seen else idx[:, -block_size:]


def my_ids_to_compute(idx, block_size, seen):  # gives up the cache one token too early
    return idx[:, seen:] if idx.shape[1] < block_size else idx[:, -block_size:]


def my_ids_to_compute(idx, block_size, seen):  # and one too late: decides by what has been seen
    return idx[:, seen:] if seen <= block_size else idx[:, -block_size:]


def my_ids_to_compute(idx, block_size, seen):  # the first tokens of the text
    return idx[:, seen:] if idx.shape[1] <= block_size else idx[:, :block_size]


def my_ids_to_compute(idx, block_size, seen):  # the unseen ones of the window, which has moved
    return idx[:, -block_size:][:, seen:]


def my_ids_to_compute(idx, block_size, seen):  # cuts the batch instead of the time
    return idx[seen:] if idx.shape[1] <= block_size else idx[-block_size:]


def my_tokens_computed(prompt, new, block_size):  # the cache is trusted beyond the context
    without = sum(min(T, block_size) for T in range(prompt, prompt + new))
    return without, min(prompt, block_size) + new - 1 if new else 0


def my_tokens_computed(prompt, new, block_size):  # the context is forgotten
    texts = range(prompt, prompt + new)
    return sum(texts), prompt + new - 1 if new else 0


def my_tokens_computed(prompt, new, block_size):  # the last new token is read as well
    without = with_cache = 0
    for T in range(prompt, prompt + new + 1):
        without += min(T, block_size)
        with_cache += block_size if T > block_size else prompt if T == prompt else 1
    return without, with_cache


def my_tokens_computed(prompt, new, block_size):  # the prompt costs nothing
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        without += min(T, block_size)
        with_cache += block_size if T > block_size else 1
    return without, with_cache


def my_tokens_computed(prompt, new, block_size):  # the cache fails as soon as the context is full
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        without += min(T, block_size)
        with_cache += block_size if T >= block_size else prompt if T == prompt else 1
    return without, with_cache


def my_tokens_computed(prompt, new, block_size):  # a prompt that is too long is read wholly
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        without += min(T, block_size)
        with_cache += prompt if T == prompt else block_size if T > block_size else 1
    return without, with_cache


def my_tokens_computed(prompt, new, block_size):  # each step reads the new text only
    return sum(min(i, block_size) for i in range(1, new + 1)), new
