"""Plausible wrong attempts at the exercises of chapter 07."""

import numpy as np

from minigrad.attention import causal_mask, scaled_dot_product_attention
from minigrad.tensor import Tensor

MEMORY: list = []


def my_causal_mask__past_is_hidden_instead_of_the_future(n_queries, n_keys):
    """The past is hidden and the future in sight: a row is a query, and True belongs to the left
    of its own place, not to the right. See “Who may look at whom”."""
    return np.triu(np.ones((n_queries, n_keys), bool))


def my_causal_mask__token_cannot_see_itself(n_queries, n_keys):
    """A token may not look at itself here; “not after the query” includes the query's own place.
    See “Who may look at whom”."""
    return np.arange(n_keys) < np.arange(n_keys - n_queries, n_keys)[:, None]


def my_causal_mask__queries_are_taken_for_the_first_positions(n_queries, n_keys):
    """The queries are taken for the first positions; but what asks in generation is the newest
    token, so they are the last ones. See “Who may look at whom”."""
    return np.tril(np.ones((n_queries, n_keys), bool))


def my_causal_mask__one_token_too_far(n_queries, n_keys):
    """The mask reaches one token too far, and every query sees the very token that it has to
    predict. See “Who may look at whom”."""
    return np.tril(np.ones((n_queries, n_keys), bool), n_keys - n_queries + 1)


def my_causal_mask__row_for_each_key_instead_of_each_query(n_queries, n_keys):
    """Rows and columns are exchanged: a row belongs to a query, a column to a key.
    See “Who may look at whom”."""
    return np.arange(n_keys)[:, None] <= np.arange(n_keys - n_queries, n_keys)


def my_causal_mask__what_is_to_be_added_to_the_scores_not_who_may_look(n_queries, n_keys):
    """These are the numbers to add to the scores, 0 and minus infinity; what is asked is who may
    look, True or False. See “Who may look at whom”."""
    query = np.arange(n_keys - n_queries, n_keys)[:, None]
    return np.where(np.arange(n_keys) <= query, 0, -np.inf)


def my_causal_mask__right_only_for_as_many_queries_as_keys_or_one(n_queries, n_keys):
    """Only the two usual cases were thought of, all tokens at once or a single new one; several
    new tokens may come as well, and must not see one another's future.
    See “Who may look at whom”."""
    if n_queries == n_keys:
        return np.tri(n_keys, dtype=bool)
    return np.ones((n_queries, n_keys), bool)


def my_causal_mask__ones_and_zeros(n_queries, n_keys):
    """The ones and zeros stand in the right places, but a mask holds True and False: as an index
    or in `np.where`, numbers mean something else. See “Who may look at whom”."""
    return np.tri(n_queries, n_keys, n_keys - n_queries)


def my_causal_mask__counts_the_shift_from_the_wrong_side(n_queries, n_keys):
    """The shift has the wrong sign: where there are old tokens, the queries see less instead of
    more. See “Who may look at whom”."""
    return np.tri(n_queries, n_keys, n_queries - n_keys, dtype=bool)


def my_attention__no_division_by_the_root_of_d(q, k, v, mask):
    """The scores are not divided by the root of d, so they are spread too wide and the softmax is
    too sure. See “Why divide by the square root of d”."""
    scores = np.where(mask, q @ k.T, -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__divided_by_d(q, k, v, mask):
    """The scores are divided by d itself; the spread of a sum of d products grows only with its
    root. See “Why divide by the square root of d”."""
    scores = np.where(mask, q @ k.T / q.shape[1], -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__divided_by_the_root_of_the_number_of_keys(q, k, v, mask):
    """The division uses the number of keys; but a score is a sum over the numbers of one query,
    however many keys there are. See “Why divide by the square root of d”."""
    scores = np.where(mask, q @ k.T / np.sqrt(k.shape[0]), -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__weights_of_a_column_sum_to_1_not_those_of_a_row(q, k, v, mask):
    """The softmax runs down the columns: here the queries share out each key, where each query
    should share out its own 1 among the keys. See “Queries, keys, values”."""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    e = np.exp(scores - scores.max(axis=0))
    return e / e.sum(axis=0) @ v


def my_attention__mask_the_wrong_way_round(q, k, v, mask):
    """The mask is read the wrong way round: what may be seen became minus infinity, and what is
    hidden stayed. True means that a query may look. See “Exercise 7.2 · Attention of one head”."""
    scores = np.where(mask, -np.inf, q @ k.T / np.sqrt(q.shape[1]))
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__mask_comes_after_the_softmax(q, k, v, mask):
    """The mask is put on after the softmax: hidden weights become 0, and what is left no longer
    sums to 1. See “Queries, keys, values”."""
    scores = q @ k.T / np.sqrt(q.shape[1])
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) * mask @ v


def my_attention__hidden_score_becomes_0_whose_exponential_is_1(q, k, v, mask):
    """A hidden score became 0; but a score of 0 is not “never”, its exponential is 1.
    See “Queries, keys, values”."""
    scores = q @ k.T / np.sqrt(q.shape[1]) * mask
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__no_largest_score_subtracted(q, k, v, mask):
    """The exponentials are taken of the scores as they are, and in the thousands these are
    infinite, or all 0. See “Exercise 7.2 · Attention of one head”."""
    e = np.exp(np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__largest_score_of_all_rows_subtracted(q, k, v, mask):
    """One largest score is subtracted from all rows: a row whose own scores lie far below it
    vanishes. See “Exercise 7.2 · Attention of one head”."""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    e = np.exp(scores - scores.max())
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__largest_score_may_be_one_that_is_hidden(q, k, v, mask):
    """The largest score was looked for before the mask, and may be one that the query must not
    see: then all that it sees vanishes beside it.
    See “Exercise 7.2 · Attention of one head”."""
    scores = q @ k.T / np.sqrt(q.shape[1])
    e = np.where(mask, np.exp(scores - scores.max(axis=1, keepdims=True)), 0)
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__weights_without_the_values(q, k, v, mask):
    """These are the weights; the outputs are their means of the values.
    See “Queries, keys, values”."""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def my_attention__root_of_the_width_of_the_values(q, k, v, mask):
    """The division uses the width of the values; a score is a sum over the numbers of a query.
    See “Why divide by the square root of d”."""
    scores = np.where(mask, q @ k.T / np.sqrt(v.shape[1]), -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__large_scores_are_cut_off(q, k, v, mask):
    """The scores were cut off at some size, so that the exponential stays finite; that makes
    different scores equal, where subtracting the largest changes no weight.
    See “Exercise 7.2 · Attention of one head”."""
    scores = np.clip(q @ k.T / np.sqrt(q.shape[1]), -700, 700)
    e = np.exp(np.where(mask, scores, -np.inf))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__nan_becomes_0(q, k, v, mask):
    """The nan of infinity divided by infinity was replaced by a number; the answer is lost by
    then. Subtract the largest score before the exponential.
    See “Exercise 7.2 · Attention of one head”."""
    with np.errstate(all="ignore"):
        e = np.exp(np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf))
        return np.nan_to_num(e / e.sum(axis=1, keepdims=True)) @ v


def my_attention__largest_size_subtracted(q, k, v, mask):
    """The largest absolute value was subtracted; where all scores are far below zero, that pushes
    them further down, and all exponentials are 0.
    See “Exercise 7.2 · Attention of one head”."""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    largest = np.abs(np.where(mask, scores, 0)).max(axis=1, keepdims=True)
    e = np.exp(scores - largest)
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__hidden_scores_are_minus_a_thousand(q, k, v, mask):
    """A hidden score became a number that seems low enough; among scores in the thousands it is
    not. Minus infinity is below every score. See “Queries, keys, values”."""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -1000)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__weights_of_the_type_of_the_scores(q, k, v, mask):
    """The weights were written into an array of the type of q: from whole numbers, they become
    whole numbers, that is, 0. See “Exercise 7.2 · Attention of one head”."""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.zeros((len(q), len(k)), q.dtype)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    w[...] = e / e.sum(axis=1, keepdims=True)
    return w @ v


def my_attention__scales_the_queries_in_place(q, k, v, mask):
    """The queries were divided in place, and so the caller's array was changed: make a new one.
    See “Exercise 7.2 · Attention of one head”."""
    q /= np.sqrt(q.shape[1])
    scores = np.where(mask, q @ k.T, -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_side_by_side__reshape_straight_to_the_heads_and_straight_back(weights, v):
    """A reshape straight to (B, H, S, d) keeps the order of the numbers, so head 0 gets the first
    tokens whole instead of its own channels of all tokens. See “Several heads”."""
    B, H, T, S = weights.shape
    return (weights @ v.reshape(B, H, S, -1)).reshape(B, T, -1)


def my_side_by_side__reshape_there_transpose_back(weights, v):
    """The heads are put together rightly, but cut out by a reshape alone, which gives head 0 the
    first tokens whole: cut each token's channels first, then exchange the axes.
    See “Several heads”."""
    B, H, T, S = weights.shape
    y = weights @ v.reshape(B, H, S, -1)
    return y.transpose(0, 2, 1, 3).reshape(B, T, -1)


def my_side_by_side__way_there_is_right_the_way_back_is_not(weights, v):
    """The heads are cut out rightly, but put together by a reshape alone: the axes of head and
    token have to be exchanged again first. See “Several heads”."""
    B, H, T, S = weights.shape
    heads = v.reshape(B, S, H, -1).transpose(0, 2, 1, 3)
    return (weights @ heads).reshape(B, T, -1)


def my_side_by_side__every_h_th_channel_instead_of_neighbouring_ones(weights, v):
    """A head got every H-th channel; its channels are neighbours, the first C / H for head 0.
    See “Exercise 7.3 · Heads apart and side by side”."""
    B, H, T, S = weights.shape
    heads = v.reshape(B, S, -1, H).transpose(0, 3, 1, 2)
    return (weights @ heads).transpose(0, 2, 3, 1).reshape(B, T, -1)


def my_side_by_side__cut_into_channel_and_head(weights, v):
    """The channels were cut as (d, H) instead of (H, d), so a head got every H-th channel; its
    channels are neighbours. See “Exercise 7.3 · Heads apart and side by side”."""
    B, H, T, S = weights.shape
    heads = v.reshape(B, S, -1, H).transpose(0, 3, 1, 2)
    return (weights @ heads).transpose(0, 2, 1, 3).reshape(B, T, -1)


def my_side_by_side__every_head_works_on_all_channels_and_their_mean(weights, v):
    """Every head worked on all channels, and the results were averaged: a blend again, where each
    head should keep channels of its own. See “Several heads”."""
    return (weights @ v[:, None]).mean(axis=1)


def my_side_by_side__heads_apart_but_never_brought_together_again(weights, v):
    """The heads' results still lie apart, (B, H, T, d); side by side they are (B, T, C).
    See “Exercise 7.3 · Heads apart and side by side”."""
    B, H, T, S = weights.shape
    return weights @ v.reshape(B, S, H, -1).transpose(0, 2, 1, 3)


def my_side_by_side__heads_channels_end_up_interleaved(weights, v):
    """The channels of the heads end up interleaved: head 0's come first, all of them, then those
    of head 1. See “Exercise 7.3 · Heads apart and side by side”."""
    B, H, T, S = weights.shape
    heads = v.reshape(B, S, H, -1).transpose(0, 2, 1, 3)
    return (weights @ heads).transpose(0, 2, 3, 1).reshape(B, T, -1)


def my_side_by_side__only_the_first_sequence(weights, v):
    """Only the first sequence of the batch was computed.
    See “Exercise 7.3 · Heads apart and side by side”."""
    H = weights.shape[1]
    heads = np.split(v[0], H, axis=1)
    y = np.concatenate([w @ head for w, head in zip(weights[0], heads)], axis=1)
    return np.broadcast_to(y, (len(v), *y.shape)).copy()


def my_side_by_side__heads_under_one_another(weights, v):
    """The heads' results were put under one another, as more tokens; they belong beside one
    another, as more channels. See “Exercise 7.3 · Heads apart and side by side”."""
    heads = np.split(v, weights.shape[1], axis=2)
    return np.concatenate([weights[:, h] @ head for h, head in enumerate(heads)], axis=1)


def my_side_by_side__as_many_queries_as_keys(weights, v):
    """The number of keys was taken for the number of queries; in generation one new token asks
    many old ones. See “Exercise 7.3 · Heads apart and side by side”."""
    B, H, T, S = weights.shape
    heads = v.reshape(B, S, H, -1).transpose(0, 2, 1, 3)
    return (weights @ heads).transpose(0, 2, 1, 3).reshape(B, S, -1)


def my_side_by_side__weights_transposed(weights, v):
    """The weights were transposed: their rows are queries already, and each row spends its 1 on
    the values. See “Exercise 7.3 · Heads apart and side by side”."""
    B, H, T, S = weights.shape
    heads = v.reshape(B, S, H, -1).transpose(0, 2, 1, 3)
    y = weights.swapaxes(2, 3) @ heads
    return y.transpose(0, 2, 1, 3).reshape(B, T, -1)


def my_cached_attention__new_tokens_see_one_anothers_future(q, k, v, old_k, old_v):
    """There is no mask among the new tokens: the first of several sees those that come after it.
    See “Exercise 7.4 · Attention with a memory”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values))
    return {"y": y.data, "k": keys, "v": values}


def my_cached_attention__new_tokens_are_taken_for_the_first_ones(q, k, v, old_k, old_v):
    """The new tokens are taken for the first positions of the text; they are the last ones, and
    may look at all old tokens. See “Who may look at whom”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    mask = np.tril(np.ones((len(q), len(keys)), bool))
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return {"y": y.data, "k": keys, "v": values}


def my_cached_attention__new_tokens_in_front_of_the_old_ones(q, k, v, old_k, old_v):
    """The new keys and values went in front of the old ones; a text grows at its end.
    See “What generation computes again and again”."""
    keys, values = np.concatenate([k, old_k]), np.concatenate([v, old_v])
    mask = causal_mask(len(q), len(keys))
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return {"y": y.data, "k": keys, "v": values}


def my_cached_attention__looks_at_the_old_tokens_only(q, k, v, old_k, old_v):
    """A new token looks at the old ones only; it may look at itself as well.
    See “Exercise 7.4 · Attention with a memory”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    e = np.exp(q @ old_k.T / np.sqrt(q.shape[1]))
    return {"y": e / e.sum(axis=1, keepdims=True) @ old_v, "k": keys, "v": values}


def my_cached_attention__looks_at_the_new_tokens_only(q, k, v, old_k, old_v):
    """The new tokens look at one another and never into the memory.
    See “What generation computes again and again”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    mask = causal_mask(len(q), len(q))
    y = scaled_dot_product_attention(Tensor(q), Tensor(k), Tensor(v), mask)
    return {"y": y.data, "k": keys, "v": values}


def my_cached_attention__hands_back_the_new_keys_and_values_alone(q, k, v, old_k, old_v):
    """Only the new keys and values are handed back, so the next call would remember nothing older.
    See “Exercise 7.4 · Attention with a memory”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    mask = causal_mask(len(q), len(keys))
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return {"y": y.data, "k": k, "v": v}


def my_cached_attention__no_division_by_the_root_of_d(q, k, v, old_k, old_v):
    """The scores are not divided by the root of d: with a memory they are the same scores as
    without. See “Why divide by the square root of d”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    e = np.exp(np.where(causal_mask(len(q), len(keys)), q @ keys.T, -np.inf))
    return {"y": e / e.sum(axis=1, keepdims=True) @ values, "k": keys, "v": values}


def my_cached_attention__returns_tensors(q, k, v, old_k, old_v):
    """The outputs are a Tensor; arrays went in, and arrays should come out, by `.data`.
    See “Exercise 7.4 · Attention with a memory”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    mask = causal_mask(len(q), len(keys))
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return {"y": y, "k": keys, "v": values}


def my_cached_attention__keys_in_front_values_behind(q, k, v, old_k, old_v):
    """The keys and the values were put together in different orders, so a weight meets the value
    of another token. See “Exercise 7.4 · Attention with a memory”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([v, old_v])
    mask = causal_mask(len(q), len(keys))
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return {"y": y.data, "k": keys, "v": values}


def my_cached_attention__no_largest_score_subtracted(q, k, v, old_k, old_v):
    """The exponentials are taken of the scores as they are; in the thousands these are infinite.
    See “Exercise 7.2 · Attention of one head”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    scores = q @ keys.T / np.sqrt(q.shape[1])
    with np.errstate(all="ignore"):
        e = np.exp(np.where(causal_mask(len(q), len(keys)), scores, -np.inf))
        y = e / e.sum(axis=1, keepdims=True) @ values
    return {"y": y, "k": keys, "v": values}


def my_cached_attention__one_old_token_in_sight(q, k, v, old_k, old_v):
    """The new tokens see one old token, however many there are: the mask must be shifted by their
    number. See “Who may look at whom”."""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    mask = np.tri(len(q), len(keys), min(len(old_k), 1), dtype=bool)
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return {"y": y.data, "k": keys, "v": values}


def my_cached_attention__remembers_in_a_global(q, k, v, old_k, old_v):
    """The function remembers earlier calls by itself; the memory is what it is given, or one text
    would look at another. See “Exercise 7.4 · Attention with a memory”."""
    MEMORY.append((k, v))
    keys = np.concatenate([k for k, _ in MEMORY if k.shape[1] == q.shape[1]])
    values = np.concatenate([v for k, v in MEMORY if k.shape[1] == q.shape[1]])
    mask = causal_mask(len(q), len(keys))
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return {"y": y.data, "k": keys, "v": values}


def my_window_mask__one_token_too_many(T, window):
    """The window holds one token too many: it counts the token itself, and `window - 1` before it.
    See “Exercise 7.5 · A window”."""
    distance = np.arange(T)[:, None] - np.arange(T)
    return (distance >= 0) & (distance <= window)


def my_window_mask__window_reaches_into_the_future_too(T, window):
    """The window reaches to both sides, and its right half is the future.
    See “Exercise 7.5 · A window”."""
    distance = np.arange(T)[:, None] - np.arange(T)
    return np.abs(distance) < window


def my_window_mask__window_but_no_causal_mask(T, window):
    """What lies far back is hidden, but the whole future is in sight.
    See “Exercise 7.5 · A window”."""
    return np.triu(np.ones((T, T), bool), 1 - window)


def my_window_mask__looks_forward(T, window):
    """Query and key are exchanged: a row looks at what comes after it.
    See “Exercise 7.5 · A window”."""
    distance = np.arange(T) - np.arange(T)[:, None]
    return (distance >= 0) & (distance < window)


def my_window_mask__what_is_near_is_hidden_and_the_far_past_in_sight(T, window):
    """The near past is hidden and the far past in sight; a window is what is near.
    See “Exercise 7.5 · A window”."""
    return np.tril(np.ones((T, T), bool), -window)


def my_window_mask__text_cut_into_blocks(T, window):
    """The text was cut into blocks; a window moves along with its token instead.
    See “Exercise 7.5 · A window”."""
    place = np.arange(T)
    same_block = place[:, None] // window == place // window
    return same_block & (place <= place[:, None])


def my_window_mask__ones_and_zeros(T, window):
    """The ones and zeros stand in the right places, but a mask holds True and False.
    See “Exercise 7.5 · A window”."""
    distance = np.arange(T)[:, None] - np.arange(T)
    return ((distance >= 0) & (distance < window)).astype(int)


def my_window_mask__first_rows_look_back_from_the_end(T, window):
    """The first rows see the end of the text: a slice that begins below 0 counts from the end.
    See “Exercise 7.5 · A window”."""
    mask = np.zeros((T, T), bool)
    for t in range(T):
        mask[t, [s % T for s in range(t - window + 1, t + 1)]] = True
    return mask


def my_window_mask__nothing_where_the_window_is_not_full(T, window):
    """Rows with fewer than `window` tokens before them were left empty; the first token may always
    look at itself. See “Exercise 7.5 · A window”."""
    mask = np.zeros((T, T), bool)
    for t in range(window - 1, T):
        mask[t, t - window + 1 : t + 1] = True
    return mask


def my_attention_gradients__each_weight_by_its_own_score_only(q, k, v, y_bar):
    """Each weight is taken to depend on its own score only, w (1 - w); but a score that rises
    takes from all other weights of its row as well. See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (1 - w) * w_bar / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__nothing_is_subtracted(q, k, v, y_bar):
    """Nothing is subtracted: a value counts only by how far it is from what the token receives
    now. See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * w_bar / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__sum_runs_over_the_queries(q, k, v, y_bar):
    """The sum runs over the queries; each query has a softmax of its own, so it runs over the keys
    of its row. See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=0)) / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__no_keepdims(q, k, v, y_bar):
    """The rows' sums were spread along the columns: without keepdims a vector of T sums lines up
    with the keys. See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1)) / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__mean_of_w_bar_instead_of_the_weighted_sum(q, k, v, y_bar):
    """The plain mean was subtracted; but what a token receives is the mean weighted with its
    weights. See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - w_bar.mean(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__no_division_by_the_root_of_d_on_the_way_back(q, k, v, y_bar):
    """The division by the root of d was forgotten on the way back: it stands between the products
    and the scores in both directions. See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True))
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__bar_is_not_transposed_for_the_keys(q, k, v, y_bar):
    """The gradient of the scores is not transposed for the keys: a key gathers from all queries
    that looked at it, down its column. See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar @ q, "v": w.T @ y_bar}


def my_attention_gradients__w_is_not_transposed_for_the_values(q, k, v, y_bar):
    """The weights are not transposed for the values: a value gathers from all queries that looked
    at it, down its column. See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w @ y_bar}


def my_attention_gradients__softmax_is_left_out(q, k, v, y_bar):
    """The gradient of the weights is taken for that of the scores: the softmax between them was
    left out. See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w_bar / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__no_mask_on_the_way_forth(q, k, v, y_bar):
    """The weights were computed without the causal mask, so the gradient belongs to another
    function. See “What attention learns from”."""
    scores = q @ k.T / np.sqrt(q.shape[1])
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__no_largest_score_subtracted(q, k, v, y_bar):
    """The exponentials are taken of the scores as they are; at 1000 they are infinite, and the
    gradients nan. See “Exercise 7.2 · Attention of one head”."""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__queries_and_keys_are_exchanged(q, k, v, y_bar):
    """The gradients of queries and keys are exchanged: the score of a query changes with the keys
    that it meets, so the keys stand in the gradient of the query.
    See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return {"q": a_bar.T @ q, "k": a_bar @ k, "v": w.T @ y_bar}


def my_attention_gradients__compared_with_the_value_not_the_output(q, k, v, y_bar):
    """What is subtracted is the token's own value instead of what it receives, its output.
    See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    own = (y_bar * v).sum(axis=1, keepdims=True)
    a_bar = w * (y_bar @ v.T - own) / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}


def my_attention_gradients__sign(q, k, v, y_bar):
    """All signs of the scores' gradient are turned round: a value above what the token receives
    raises the output, and so the loss, where y_bar is positive.
    See “What attention learns from”."""
    scores = np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    w = np.exp(scores - scores.max(axis=1, keepdims=True))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * ((w * w_bar).sum(axis=1, keepdims=True) - w_bar) / np.sqrt(q.shape[1])
    return {"q": a_bar @ k, "k": a_bar.T @ q, "v": w.T @ y_bar}
