"""Plausible wrong attempts at the exercises of chapter 11."""

import numpy as np

from minigrad.generate import window_start


def my_tempered__cold_is_warm(logits, temperature):
    """multiplied instead of divided: cold is warm"""
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) * temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__probabilities_are_divided_instead_of_the_logits(logits, temperature):
    """the probabilities are divided instead of the logits"""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True)) / max(temperature, 1e-9)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__one_sum_for_the_whole_batch(logits, temperature):
    """one sum for the whole batch"""
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    e = np.exp((logits - logits.max()) / temperature)
    return e / e.sum()


def my_tempered__one_largest_logit_for_the_whole_batch(logits, temperature):
    """one largest logit for the whole batch"""
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    e = np.exp((logits - logits.max()) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__no_largest_logit_subtracted(logits, temperature):
    """no largest logit subtracted"""
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    e = np.exp(logits / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__temperature_0_as_a_very_small_number(logits, temperature):
    """temperature 0 as a very small number: a tie stays a tie"""
    z = (logits - logits.max(axis=-1, keepdims=True)) / max(temperature, 1e-9)
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__nothing_done_about_temperature_0(logits, temperature):
    """nothing done about temperature 0"""
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__temperature_0_gives_the_id_not_a_distribution(logits, temperature):
    """temperature 0 gives the id, not a distribution"""
    if temperature == 0:
        return logits.argmax(axis=-1)
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__likeliest_of_the_whole_batch(logits, temperature):
    """the likeliest of the whole batch"""
    if temperature == 0:
        p = np.zeros(logits.size)
        p[logits.argmax()] = 1
        return p.reshape(logits.shape)
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__each_rows_likeliest_column_is_set_in_all_rows(logits, temperature):
    """each row's likeliest column is set in all rows"""
    if temperature == 0:
        p = np.zeros(logits.shape)
        p[..., logits.argmax(axis=-1)] = 1
        return p
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__works_in_place(logits, temperature):
    """works in place"""
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    logits -= logits.max(axis=-1, keepdims=True)
    logits /= temperature
    e = np.exp(logits)
    return e / e.sum(axis=-1, keepdims=True)


def my_top_k__everything_as_likely_as_the_k_th_stays(p, k):
    """everything as likely as the k-th stays: too many at a tie"""
    kept = np.where(p >= np.sort(p)[-min(k, len(p))], p, 0)
    return kept / kept.sum()


def my_top_k__only_what_is_likelier_than_the_k_th_stays(p, k):
    """only what is likelier than the k-th stays"""
    kept = np.where(p > np.sort(p)[-min(k, len(p))], p, 0)
    return kept / kept.sum()


def my_top_k__not_divided_by_the_sum(p, k):
    """not divided by the sum"""
    order = np.argsort(-p, kind="stable")
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept


def my_top_k__result_stands_in_sorted_order(p, k):
    """the result stands in sorted order"""
    kept = np.sort(p)[::-1].copy()
    kept[k:] = 0
    return kept / kept.sum()


def my_top_k__only_the_kept_ones_are_returned(p, k):
    """only the kept ones are returned"""
    kept = np.sort(p)[::-1][:k]
    return kept / kept.sum()


def my_top_k__among_equals_the_last_stay(p, k):
    """the sort turned round: among equals the last stay"""
    order = np.argsort(p, kind="stable")[::-1]
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept / kept.sum()


def my_top_k__least_likely_stay(p, k):
    """the least likely stay"""
    order = np.argsort(p, kind="stable")
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept / kept.sum()


def my_top_k__first_k_tokens_as_if_p_were_sorted(p, k):
    """the first k tokens, as if p were sorted"""
    kept = np.where(np.arange(len(p)) < k, p, 0)
    return kept / kept.sum()


def my_top_k__works_in_place(p, k):
    """works in place"""
    p[np.argsort(-p, kind="stable")[k:]] = 0
    return p / p.sum()


def my_top_k__second_softmax_instead_of_a_division(p, k):
    """a second softmax instead of a division"""
    kept = np.full(len(p), -np.inf)
    order = np.argsort(-p, kind="stable")[:k]
    kept[order] = p[order]
    e = np.exp(kept - kept.max())
    return e / e.sum()


def my_top_p__token_that_crosses_p_is_left_out(p, P):
    """the token that crosses P is left out"""
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) <= P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__token_that_crosses_is_left_out_but_never_the_first(p, P):
    """the token that crosses P is left out, unless it is the first"""
    order = np.argsort(-p, kind="stable")
    inside = order[: max(1, np.sum(np.cumsum(p[order]) <= P))]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__one_token_more_when_p_is_reached_exactly(p, P):
    """one token more when P is reached exactly"""
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] <= P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__threshold_for_the_single_probability(p, P):
    """a threshold for the single probability"""
    kept = np.where(p >= 1 - P, p, 0)
    return kept / kept.sum()


def my_top_p__forgets_to_sort(p, P):
    """forgets to sort"""
    kept = np.where(np.cumsum(p) - p < P, p, 0)
    return kept / kept.sum()


def my_top_p__sorted_the_least_likely_first(p, P):
    """sorted, the least likely first"""
    order = np.argsort(p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__mask_of_the_sorted_order_is_put_on_the_unsorted(p, P):
    """the mask of the sorted order is put on the unsorted probabilities"""
    p_sorted = np.sort(p)[::-1]
    kept = np.where(np.cumsum(p_sorted) - p_sorted < P, p, 0)
    return kept / kept.sum()


def my_top_p__result_stands_in_sorted_order(p, P):
    """the result stands in sorted order"""
    p_sorted = np.sort(p)[::-1]
    kept = np.where(np.cumsum(p_sorted) - p_sorted < P, p_sorted, 0)
    return kept / kept.sum()


def my_top_p__not_divided_by_the_sum(p, P):
    """not divided by the sum"""
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept


def my_top_p__divided_by_p_which_the_kept_ones_rarely_hit_exactly(p, P):
    """divided by P, which the kept ones rarely hit exactly"""
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / P


def my_top_p__everything_as_likely_as_the_last_stays(p, P):
    """by a threshold: everything as likely as the last one stays"""
    p_sorted = np.sort(p)[::-1]
    last = p_sorted[np.cumsum(p_sorted) - p_sorted < P][-1]
    kept = np.where(p >= last, p, 0)
    return kept / kept.sum()


def my_top_p__among_equals_the_last_stay(p, P):
    """the sort turned round: among equals the last stay"""
    order = np.argsort(p, kind="stable")[::-1]
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__first_total_that_reaches_p(p, P):
    """the first total that reaches P: if rounding leaves none, argmax says 0"""
    order = np.argsort(-p, kind="stable")
    inside = order[: np.argmax(np.cumsum(p[order]) >= P) + 1]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__works_in_place(p, P):
    """works in place"""
    order = np.argsort(-p, kind="stable")
    p[order[np.cumsum(p[order]) - p[order] >= P]] = 0
    return p / p.sum()


def my_draws__likeliest_without_chance(p, u):
    """the likeliest, without chance"""
    return p.argmax(axis=1)


def my_draws__which_probability_is_above_u_without_the_running(p, u):
    """which probability is above u, without the running total"""
    return (u[:, None] < p).argmax(axis=1)


def my_draws__running_total_goes_down_the_batch(p, u):
    """the running total goes down the batch"""
    c = np.cumsum(p, axis=0)
    return (u[:, None] < c).argmax(axis=1)


def my_draws__number_for_each_column_where_there_are_as_many(p, u):
    """a number for each column where there are as many columns as rows"""
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return (np.resize(u, c.shape[1]) < c).argmax(axis=1)


def my_draws__one_number_for_all_texts(p, u):
    """one number for all texts"""
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return (u[0] < c).argmax(axis=1)


def my_draws__end_of_a_piece_belongs_to_it(p, u):
    """the end of a piece belongs to it"""
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return (u[:, None] <= c).argmax(axis=1)


def my_draws__sum_below_1_gives_token_0(p, u):
    """a sum below 1: no piece is found, and argmax says 0"""
    return (u[:, None] < np.cumsum(p, axis=1)).argmax(axis=1)


def my_draws__sum_below_1_gives_a_token_that_was_cut_off(p, u):
    """a sum below 1: the last token, even one that was cut off"""
    return np.minimum((np.cumsum(p, axis=1) <= u[:, None]).sum(axis=1), p.shape[1] - 1)


def my_draws__piece_after_the_right_one(p, u):
    """the piece after the right one"""
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return np.minimum((u[:, None] < c).argmax(axis=1) + 1, p.shape[1] - 1)


def my_ids_to_compute__cache_is_trusted_for_ever(idx, block_size, seen):
    """the cache is trusted for ever"""
    return idx[:, seen:]


def my_ids_to_compute__always_the_whole_window(idx, block_size, seen):
    """always the whole window"""
    return idx[:, window_start(idx.shape[1], block_size) :]


def my_ids_to_compute__always_the_last_block_size_tokens(idx, block_size, seen):
    """beyond the context always its last tokens, as if the window moved with each of them"""
    return idx[:, seen:] if idx.shape[1] <= block_size else idx[:, -block_size:]


def my_ids_to_compute__always_one_token(idx, block_size, seen):
    """always one token"""
    return idx[:, -1:] if seen else idx[:, window_start(idx.shape[1], block_size) :]


def my_ids_to_compute__cache_is_never_used_beyond_the_context(idx, block_size, seen):
    """the cache is never used beyond the context"""
    start = window_start(idx.shape[1], block_size)
    return idx[:, seen:] if idx.shape[1] <= block_size else idx[:, start:]


def my_ids_to_compute__gives_up_the_cache_one_token_too_late(idx, block_size, seen):
    """gives up the cache one token too late: decides by what has been seen"""
    start = window_start(seen, block_size)
    return idx[:, max(seen, start) :]


def my_ids_to_compute__first_tokens_of_the_text(idx, block_size, seen):
    """the first tokens of the text"""
    return idx[:, seen:] if idx.shape[1] <= block_size else idx[:, :block_size]


def my_ids_to_compute__unseen_ones_of_the_window_which_has_moved(idx, block_size, seen):
    """the unseen ones of the window, which has moved"""
    return idx[:, max(seen, window_start(idx.shape[1], block_size)) :]


def my_ids_to_compute__cuts_the_batch_instead_of_the_time(idx, block_size, seen):
    """cuts the batch instead of the time"""
    return idx[seen:] if idx.shape[1] <= block_size else idx[-block_size:]


def my_tokens_computed__cache_is_trusted_beyond_the_context(prompt, new, block_size):
    """the cache is trusted beyond the context"""
    without = sum(T - window_start(T, block_size) for T in range(prompt, prompt + new))
    return without, min(prompt, block_size) + new - 1 if new else 0


def my_tokens_computed__context_is_forgotten(prompt, new, block_size):
    """the context is forgotten"""
    texts = range(prompt, prompt + new)
    return sum(texts), prompt + new - 1 if new else 0


def my_tokens_computed__window_moves_by_one_token(prompt, new, block_size):
    """the window moves by one token at a time, and is computed anew for each"""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        without += min(T, block_size)
        with_cache += block_size if T > block_size else prompt if T == prompt else 1
    return without, with_cache


def my_tokens_computed__last_new_token_is_read_as_well(prompt, new, block_size):
    """the last new token is read as well"""
    without = with_cache = 0
    for T in range(prompt, prompt + new + 1):
        start = window_start(T, block_size)
        moved = start != window_start(T - 1, block_size)
        without += T - start
        with_cache += T - start if T == prompt else T - start if moved else 1
    return without, with_cache


def my_tokens_computed__prompt_costs_nothing(prompt, new, block_size):
    """the prompt costs nothing"""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        start = window_start(T, block_size)
        moved = start != window_start(T - 1, block_size)
        without += T - start
        with_cache += 1 if T == prompt else T - start if moved else 1
    return without, with_cache


def my_tokens_computed__cache_fails_for_ever_once_the_context_is_full(prompt, new, block_size):
    """the cache fails for ever once the context is full"""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        seen = T - window_start(T, block_size)
        without += seen
        with_cache += seen if T == prompt or T > block_size else 1
    return without, with_cache


def my_tokens_computed__prompt_that_is_too_long_is_read_wholly(prompt, new, block_size):
    """a prompt that is too long is read wholly"""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        start = window_start(T, block_size)
        moved = start != window_start(T - 1, block_size)
        without += T - start
        with_cache += prompt if T == prompt else T - start if moved else 1
    return without, with_cache


def my_tokens_computed__each_step_reads_the_new_text_only(prompt, new, block_size):
    """each step reads the new text only"""
    return sum(i - window_start(i, block_size) for i in range(1, new + 1)), new
