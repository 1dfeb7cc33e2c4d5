"""Plausible wrong attempts at the exercises of chapter 11."""

import numpy as np

from minigrad.generate import window_start

LAST: list = []


def my_tempered__cold_is_warm(logits, temperature):
    """The logits are multiplied by the temperature, so that cold is warm; they are divided by it.
    See “Temperature”."""
    if temperature == 0:
        return 1.0 * (np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True))
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) * temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__probabilities_are_divided_instead_of_the_logits(logits, temperature):
    """The exponentials were divided, not the logits: a factor common to all of them cancels in the
    sum and changes nothing. See “Temperature”."""
    e = np.exp(logits - logits.max(axis=-1, keepdims=True)) / max(temperature, 1e-9)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__one_sum_for_the_whole_batch(logits, temperature):
    """The whole batch was divided by one sum; each row is a distribution of its own.
    See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        return 1.0 * (np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True))
    e = np.exp((logits - logits.max()) / temperature)
    return e / e.sum()


def my_tempered__one_largest_logit_for_the_whole_batch(logits, temperature):
    """One largest logit was subtracted from the whole batch; a row that lies far below it
    vanishes. See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        return 1.0 * (np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True))
    e = np.exp((logits - logits.max()) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__no_largest_logit_subtracted(logits, temperature):
    """The exponentials are taken of the logits as they are; at 2000 they are infinite.
    See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        return 1.0 * (np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True))
    e = np.exp(logits / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__temperature_0_as_a_very_small_number(logits, temperature):
    """At a tie the largest share the 1, where the first alone should have it: because temperature
    0 was replaced by a very small number, or because all that equal the largest were taken.
    See “Exercise 11.1 · Temperature”."""
    z = (logits - logits.max(axis=-1, keepdims=True)) / max(temperature, 1e-9)
    e = np.exp(z)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__nothing_done_about_temperature_0(logits, temperature):
    """The logits were divided by a temperature of 0; that case needs a way of its own.
    See “Exercise 11.1 · Temperature”."""
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__temperature_0_gives_the_id_not_a_distribution(logits, temperature):
    """At temperature 0 this is the id of the likeliest token; what is asked is a distribution,
    with 1 in its place. See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        return logits.argmax(axis=-1)
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__likeliest_of_the_whole_batch(logits, temperature):
    """At temperature 0 the likeliest of the whole batch was chosen; each row has its own.
    See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        p = np.zeros(logits.size)
        p[logits.argmax()] = 1
        return p.reshape(logits.shape)
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__each_rows_likeliest_column_is_set_in_all_rows(logits, temperature):
    """At temperature 0 the likeliest column of each row was set to 1 in all rows: the columns need
    their rows beside them. See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        p = np.zeros(logits.shape)
        p[..., logits.argmax(axis=-1)] = 1
        return p
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__works_in_place(logits, temperature):
    """The numbers are right, and the caller's logits were changed on the way: `-=` and `/=` write
    into the array. See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        return 1.0 * (np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True))
    logits -= logits.max(axis=-1, keepdims=True)
    logits /= temperature
    e = np.exp(logits)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__clipped_instead_of_shifted(logits, temperature):
    """Large logits were cut off at some size, which makes different ones equal; subtracting the
    largest changes no probability. See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        return 1.0 * (np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True))
    e = np.exp(np.clip(logits / temperature, -700, 700))
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__true_and_false_at_0(logits, temperature):
    """At temperature 0 the result is True and False; it should be probabilities, 1.0 and 0.0.
    See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        return np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True)
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    return e / e.sum(axis=-1, keepdims=True)


def my_tempered__of_the_type_of_the_logits(logits, temperature):
    """The probabilities were written into an array of the type of the logits: from whole numbers
    they become whole numbers, that is, 0. See “Exercise 11.1 · Temperature”."""
    p = np.zeros_like(logits)
    if temperature == 0:
        np.put_along_axis(p, logits.argmax(axis=-1, keepdims=True), 1, axis=-1)
        return p
    e = np.exp((logits - logits.max(axis=-1, keepdims=True)) / temperature)
    p[...] = e / e.sum(axis=-1, keepdims=True)
    return p


def my_tempered__nan_becomes_0(logits, temperature):
    """The nan of infinity divided by infinity was replaced by 0; the answer is lost by then:
    subtract the largest logit first. See “Exercise 11.1 · Temperature”."""
    if temperature == 0:
        return 1.0 * (np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True))
    with np.errstate(all="ignore"):
        e = np.exp(logits / temperature)
        return np.nan_to_num(e / e.sum(axis=-1, keepdims=True))


def my_tempered__power_of_the_probabilities_underflows(logits, temperature):
    """Probabilities were taken to the power 1/τ, which is right on paper; small ones are 0 for a
    computer by then, and no warmth brings them back. See “Temperature”."""
    if temperature == 0:
        return 1.0 * (np.arange(logits.shape[-1]) == logits.argmax(axis=-1, keepdims=True))
    p = np.exp(logits - logits.max(axis=-1, keepdims=True))
    p = (p / p.sum(axis=-1, keepdims=True)) ** (1 / temperature)
    return p / p.sum(axis=-1, keepdims=True)


def my_top_k__everything_as_likely_as_the_k_th_stays(p, k):
    """All tokens as likely as the k-th stay, so at a tie too many do; exactly k stay, among equals
    the first. See “Exercise 11.2 · Top-k”."""
    kept = np.where(p >= np.sort(p)[-min(k, len(p))], p, 0)
    return kept / kept.sum()


def my_top_k__only_what_is_likelier_than_the_k_th_stays(p, k):
    """The k-th itself was cut off: only likelier ones stay. See “Exercise 11.2 · Top-k”."""
    kept = np.where(p > np.sort(p)[-min(k, len(p))], p, 0)
    return kept / kept.sum()


def my_top_k__not_divided_by_the_sum(p, k):
    """What is left was not divided by its sum, so it is no distribution any more.
    See “Cutting off the tail”."""
    order = np.argsort(-p, kind="stable")
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept


def my_top_k__result_stands_in_sorted_order(p, k):
    """The probabilities stand in sorted order; each belongs in its token's place.
    See “Exercise 11.2 · Top-k”."""
    kept = np.sort(p)[::-1].copy()
    kept[k:] = 0
    return kept / kept.sum()


def my_top_k__only_the_kept_ones_are_returned(p, k):
    """Only the kept ones were returned; the others become 0 and keep their places, or nobody knows
    which token is which. See “Exercise 11.2 · Top-k”."""
    kept = np.sort(p)[::-1][:k]
    return kept / kept.sum()


def my_top_k__among_equals_the_last_stay(p, k):
    """Among equals the last stay: a sort that is turned round turns equals round as well.
    See “Exercise 11.2 · Top-k”."""
    order = np.argsort(p, kind="stable")[::-1]
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept / kept.sum()


def my_top_k__least_likely_stay(p, k):
    """The least likely tokens stay: `argsort` begins with the smallest.
    See “Exercise 11.2 · Top-k”."""
    order = np.argsort(p, kind="stable")
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept / kept.sum()


def my_top_k__first_k_tokens_as_if_p_were_sorted(p, k):
    """The first k tokens were kept as if p were sorted; it stands in the order of the vocabulary.
    See “Exercise 11.2 · Top-k”."""
    kept = np.where(np.arange(len(p)) < k, p, 0)
    return kept / kept.sum()


def my_top_k__works_in_place(p, k):
    """The numbers are right, and the caller's probabilities were set to 0 on the way: work on a
    copy. See “Exercise 11.2 · Top-k”."""
    p[np.argsort(-p, kind="stable")[k:]] = 0
    return p / p.sum()


def my_top_k__second_softmax_instead_of_a_division(p, k):
    """A second softmax was taken, of probabilities as if they were logits; to sum to 1 again they
    are divided by their sum. See “Cutting off the tail”."""
    kept = np.full(len(p), -np.inf)
    order = np.argsort(-p, kind="stable")[:k]
    kept[order] = p[order]
    e = np.exp(kept - kept.max())
    return e / e.sum()


def my_top_k__k_above_v_fails(p, k):
    """Where k is larger than the vocabulary nothing is cut; asking for the k-th largest fails
    there. See “Exercise 11.2 · Top-k”."""
    order = np.argsort(-p, kind="stable")
    cut = p[order[k - 1]]
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept / max(kept.sum(), cut)


def my_top_k__zeros_of_the_wrong_type(p, k):
    """The kept probabilities were written into an array of whole numbers, and became 0.
    See “Exercise 11.2 · Top-k”."""
    kept = np.zeros(len(p), int)
    order = np.argsort(-p, kind="stable")[:k]
    kept[order] = p[order]
    return kept / max(kept.sum(), 1)


def my_top_k__among_equals_any_order(p, k):
    """Among equals any may stay: without `kind="stable"` the sort may exchange them.
    See “Exercise 11.2 · Top-k”."""
    order = np.lexsort((-np.arange(len(p)), -p))
    kept = np.zeros_like(p)
    kept[order[:k]] = p[order[:k]]
    return kept / kept.sum()


def my_top_p__token_that_crosses_p_is_left_out(p, P):
    """The token that crosses P was left out; without it P is not reached.
    See “Cutting off the tail”."""
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) <= P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__token_that_crosses_is_left_out_but_never_the_first(p, P):
    """The token that crosses P was left out, unless it was the only one; without it P is not
    reached. See “Cutting off the tail”."""
    order = np.argsort(-p, kind="stable")
    inside = order[: max(1, np.sum(np.cumsum(p[order]) <= P))]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__one_token_more_when_p_is_reached_exactly(p, P):
    """Where P is reached exactly one more token was taken; the fewest that reach it are enough.
    See “Exercise 11.3 · Top-p”."""
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] <= P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__threshold_for_the_single_probability(p, P):
    """P was used as a threshold for single probabilities; it is what the kept ones must have
    together. See “Cutting off the tail”."""
    kept = np.where(p >= 1 - P, p, 0)
    return kept / kept.sum()


def my_top_p__forgets_to_sort(p, P):
    """The running total goes through the tokens in the order of the vocabulary; it begins with the
    likeliest. See “Exercise 11.3 · Top-p”."""
    kept = np.where(np.cumsum(p) - p < P, p, 0)
    return kept / kept.sum()


def my_top_p__sorted_the_least_likely_first(p, P):
    """The running total begins with the least likely: `argsort` puts the smallest first.
    See “Exercise 11.3 · Top-p”."""
    order = np.argsort(p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__mask_of_the_sorted_order_is_put_on_the_unsorted(p, P):
    """Which tokens to keep was found in sorted order and used in the order of the vocabulary:
    carry it back to the tokens first. See “Exercise 11.3 · Top-p”."""
    p_sorted = np.sort(p)[::-1]
    kept = np.where(np.cumsum(p_sorted) - p_sorted < P, p, 0)
    return kept / kept.sum()


def my_top_p__result_stands_in_sorted_order(p, P):
    """The probabilities stand in sorted order; each belongs in its token's place.
    See “Exercise 11.3 · Top-p”."""
    p_sorted = np.sort(p)[::-1]
    kept = np.where(np.cumsum(p_sorted) - p_sorted < P, p_sorted, 0)
    return kept / kept.sum()


def my_top_p__not_divided_by_the_sum(p, P):
    """What is left was not divided by its sum, so it is no distribution any more.
    See “Cutting off the tail”."""
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept


def my_top_p__divided_by_p_which_the_kept_ones_rarely_hit_exactly(p, P):
    """What is left was divided by P; together it has at least P, and rarely exactly that.
    See “Cutting off the tail”."""
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / P


def my_top_p__everything_as_likely_as_the_last_stays(p, P):
    """All tokens as likely as the last one needed stay; among equals only the first that are
    needed do. See “Exercise 11.3 · Top-p”."""
    p_sorted = np.sort(p)[::-1]
    last = p_sorted[np.cumsum(p_sorted) - p_sorted < P][-1]
    kept = np.where(p >= last, p, 0)
    return kept / kept.sum()


def my_top_p__among_equals_the_last_stay(p, P):
    """Among equals the last stay: a sort that is turned round turns equals round as well.
    See “Exercise 11.3 · Top-p”."""
    order = np.argsort(p, kind="stable")[::-1]
    inside = order[np.cumsum(p[order]) - p[order] < P]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__first_total_that_reaches_p(p, P):
    """The first total that reaches P was looked for; where rounding leaves every total a hair
    below it, `argmax` says 0, and one token stays. See “Exercise 11.3 · Top-p”."""
    order = np.argsort(-p, kind="stable")
    inside = order[: np.argmax(np.cumsum(p[order]) >= P) + 1]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__works_in_place(p, P):
    """The numbers are right, and the caller's probabilities were set to 0 on the way: work on a
    copy. See “Exercise 11.3 · Top-p”."""
    order = np.argsort(-p, kind="stable")
    p[order[np.cumsum(p[order]) - p[order] >= P]] = 0
    return p / p.sum()


def my_top_p__as_many_tokens_as_a_share_of_v(p, P):
    """P was taken as a share of the vocabulary; it is a share of the probability.
    See “Cutting off the tail”."""
    order = np.argsort(-p, kind="stable")[: max(1, round(P * len(p)))]
    kept = np.zeros_like(p)
    kept[order] = p[order]
    return kept / kept.sum()


def my_top_p__loop_ends_before_the_sum_is_reached(p, P):
    """The loop goes on until the total is above P, so where it is reached exactly one token too
    many comes in. See “Exercise 11.3 · Top-p”."""
    kept, total = np.zeros_like(p), 0.0
    for i in np.argsort(-p, kind="stable"):
        if total > P:
            break
        kept[i] = p[i]
        total += p[i]
    return kept / kept.sum()


def my_top_p__p_1_loses_the_last_token(p, P):
    """With P = 1 the last token was lost: on a computer the totals before it may round to 1 or the
    whole to less, and still all tokens are needed. See “Exercise 11.3 · Top-p”."""
    order = np.argsort(-p, kind="stable")
    inside = order[: np.searchsorted(np.cumsum(p[order]), min(P, 1 - 1e-9))]
    inside = inside if len(inside) else order[:1]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_top_p__nearly_reached_is_enough(p, P):
    """P was taken as reached a little below it; a tolerance for rounding must be as small as
    rounding is. See “Exercise 11.3 · Top-p”."""
    order = np.argsort(-p, kind="stable")
    inside = order[np.cumsum(p[order]) - p[order] < P - 0.01]
    kept = np.zeros_like(p)
    kept[inside] = p[inside]
    return kept / kept.sum()


def my_draws__likeliest_without_chance(p, u):
    """The likeliest token was chosen, whatever the random number says: that is greedy, and no
    draw. See “Drawing from a distribution, by hand”."""
    return p.argmax(axis=1)


def my_draws__which_probability_is_above_u_without_the_running(p, u):
    """The random number was compared with the single probabilities; the ends of the pieces are
    their running totals. See “Drawing from a distribution, by hand”."""
    return (u[:, None] < p).argmax(axis=1)


def my_draws__running_total_goes_down_the_batch(p, u):
    """The running total goes down the batch; it goes along each row, through the tokens of one
    text. See “Exercise 11.4 · Draw for a batch”."""
    c = np.cumsum(p, axis=0)
    return (u[:, None] < c).argmax(axis=1)


def my_draws__number_for_each_column_where_there_are_as_many(p, u):
    """The random numbers line up with the columns; each belongs to a row, so it has to stand as a
    column beside it. See “Exercise 11.4 · Draw for a batch”."""
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return (np.resize(u, c.shape[1]) < c).argmax(axis=1)


def my_draws__one_number_for_all_texts(p, u):
    """One random number was used for all texts; each has its own.
    See “Exercise 11.4 · Draw for a batch”."""
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return (u[0] < c).argmax(axis=1)


def my_draws__end_of_a_piece_belongs_to_it(p, u):
    """A number at the very end of a piece belongs to the next one: with u = 0 even a piece without
    length would be chosen. See “Exercise 11.4 · Draw for a batch”."""
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return (u[:, None] <= c).argmax(axis=1)


def my_draws__sum_below_1_gives_token_0(p, u):
    """Where rounding leaves the sum below u no piece is found, and `argmax` of nothing but False
    is 0: token 0 out of nowhere. See “Exercise 11.4 · Draw for a batch”."""
    return (u[:, None] < np.cumsum(p, axis=1)).argmax(axis=1)


def my_draws__sum_below_1_gives_a_token_that_was_cut_off(p, u):
    """Where rounding leaves the sum below u the last token of the vocabulary came out, though its
    probability is 0. See “Exercise 11.4 · Draw for a batch”."""
    return np.minimum((np.cumsum(p, axis=1) <= u[:, None]).sum(axis=1), p.shape[1] - 1)


def my_draws__piece_after_the_right_one(p, u):
    """This is the piece after the one into which u falls.
    See “Drawing from a distribution, by hand”."""
    c = np.cumsum(p, axis=1)
    c /= c[:, -1:]
    return np.minimum((u[:, None] < c).argmax(axis=1) + 1, p.shape[1] - 1)


def my_draws__last_token_of_all(p, u):
    """Where rounding leaves the sum below u the last end was set to 1, even that of a token that
    was cut off; the last one with a probability should reach to 1.
    See “Exercise 11.4 · Draw for a batch”."""
    c = np.cumsum(p, axis=1)
    c[:, -1] = 1
    return (u[:, None] < c).argmax(axis=1)


def my_draws__divides_p_in_place(p, u):
    """The rows were divided by their sums in place, and so the caller's probabilities changed:
    make a new array. See “Exercise 11.4 · Draw for a batch”."""
    p /= p.sum(axis=1, keepdims=True)
    c = np.cumsum(p, axis=1)
    return (u[:, None] < c / c[:, -1:]).argmax(axis=1)


def my_draws__numbers_of_its_own(p, u):
    """The function draws random numbers of its own; those to use are given, so that a seed
    determines the text. See “Exercise 11.4 · Draw for a batch”."""
    c = np.cumsum(p, axis=1)
    r = np.random.default_rng(0).random(len(p))
    return (r[:, None] < c / c[:, -1:]).argmax(axis=1)


def my_draws__ids_as_floats(p, u):
    """The ids are floats; they are to be used as indices, and must be integers.
    See “Exercise 11.4 · Draw for a batch”."""
    c = np.cumsum(p, axis=1)
    return (u[:, None] >= c / c[:, -1:]).sum(axis=1).astype(float)


def my_draws__sorted_first(p, u):
    """The tokens were sorted first, so the pieces lie in another order than on the line, and the
    id is a place in the sorted list. See “Drawing from a distribution, by hand”."""
    c = np.cumsum(-np.sort(-p, axis=1), axis=1)
    return (u[:, None] < c / c[:, -1:]).argmax(axis=1)


def my_ids_to_compute__cache_is_trusted_for_ever(idx, block_size, seen):
    """The cache is trusted for ever; when the window has moved, every token stands elsewhere, and
    nothing of it holds. See “When the context is full”."""
    return idx[:, seen:]


def my_ids_to_compute__always_the_whole_window(idx, block_size, seen):
    """The whole window is computed each time; what the cache holds need not be.
    See “What the model expects next”."""
    return idx[:, window_start(idx.shape[1], block_size) :]


def my_ids_to_compute__always_the_last_block_size_tokens(idx, block_size, seen):
    """Beyond the context its last tokens were taken, as if the window moved with each new one; it
    moves by half a context at a time. See “When the context is full”."""
    return idx[:, seen:] if idx.shape[1] <= block_size else idx[:, -block_size:]


def my_ids_to_compute__always_one_token(idx, block_size, seen):
    """One token was taken, but more than one may be new, and none is old when the window has
    moved. See “Exercise 11.5 · What has to be computed”."""
    return idx[:, -1:] if seen else idx[:, window_start(idx.shape[1], block_size) :]


def my_ids_to_compute__cache_is_never_used_beyond_the_context(idx, block_size, seen):
    """Beyond the context the whole window is computed each time; between two moves of the window
    the cache holds there, too. See “When the context is full”."""
    start = window_start(idx.shape[1], block_size)
    return idx[:, seen:] if idx.shape[1] <= block_size else idx[:, start:]


def my_ids_to_compute__gives_up_the_cache_one_token_too_late(idx, block_size, seen):
    """Whether the window has moved was decided by what has been seen; it is decided by the text as
    it is now. See “Exercise 11.5 · What has to be computed”."""
    start = window_start(seen, block_size)
    return idx[:, max(seen, start) :]


def my_ids_to_compute__first_tokens_of_the_text(idx, block_size, seen):
    """The first tokens of a long text were taken; the model sees its end.
    See “When the context is full”."""
    return idx[:, seen:] if idx.shape[1] <= block_size else idx[:, :block_size]


def my_ids_to_compute__unseen_ones_of_the_window_which_has_moved(idx, block_size, seen):
    """Only the unseen tokens were taken although the window has moved; then the seen ones stand
    elsewhere and count as unseen. See “When the context is full”."""
    return idx[:, max(seen, window_start(idx.shape[1], block_size)) :]


def my_ids_to_compute__cuts_the_batch_instead_of_the_time(idx, block_size, seen):
    """The first axis was cut, which holds the texts of the batch; time is the second.
    See “Exercise 11.5 · What has to be computed”."""
    return idx[seen:] if idx.shape[1] <= block_size else idx[-block_size:]


def my_ids_to_compute__remembers_the_last_start(idx, block_size, seen):
    """Whether the window has moved is compared with the last call, which may have been about
    another text; all that is needed is given. See “Exercise 11.5 · What has to be computed”."""
    start = window_start(idx.shape[1], block_size)
    moved = LAST and LAST[-1] != start
    LAST.append(start)
    return idx[:, start if moved else max(seen, start) :]


def my_ids_to_compute__empty_cache_forgets_the_window(idx, block_size, seen):
    """With an empty cache the whole text was taken; of a prompt that is too long the model sees
    only the window. See “Exercise 11.5 · What has to be computed”."""
    if seen == 0:
        return idx
    start = window_start(idx.shape[1], block_size)
    return idx[:, seen if window_start(seen, block_size) == start else start :]


def my_ids_to_compute__changes_the_text(idx, block_size, seen):
    """What is returned is right, and the text itself was overwritten on the way.
    See “Exercise 11.5 · What has to be computed”."""
    start = window_start(idx.shape[1], block_size)
    part = idx[:, seen if window_start(seen, block_size) == start else start :].copy()
    idx[:, :start] = 0
    return part


def my_tokens_computed__cache_is_trusted_beyond_the_context(prompt, new, block_size):
    """The cache is trusted beyond the context; when the window moves, what it sees is computed
    anew. See “When the context is full”."""
    without = sum(T - window_start(T, block_size) for T in range(prompt, prompt + new))
    return {"without": without, "with": min(prompt, block_size) + new - 1 if new else 0}


def my_tokens_computed__context_is_forgotten(prompt, new, block_size):
    """The context is forgotten: the model never sees more than `block_size` tokens.
    See “When the context is full”."""
    texts = range(prompt, prompt + new)
    return {"without": sum(texts), "with": prompt + new - 1 if new else 0}


def my_tokens_computed__window_moves_by_one_token(prompt, new, block_size):
    """The window moves with each token here; it moves by half a context at a time.
    See “When the context is full”."""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        without += min(T, block_size)
        with_cache += block_size if T > block_size else prompt if T == prompt else 1
    return {"without": without, "with": with_cache}


def my_tokens_computed__last_new_token_is_read_as_well(prompt, new, block_size):
    """The last new token was read as well; once it is written, nobody asks what comes after it.
    See “Exercise 11.6 · What the cache saves, counted”."""
    without = with_cache = 0
    for T in range(prompt, prompt + new + 1):
        start = window_start(T, block_size)
        moved = start != window_start(T - 1, block_size)
        without += T - start
        with_cache += T - start if T == prompt else T - start if moved else 1
    return {"without": without, "with": with_cache}


def my_tokens_computed__prompt_costs_nothing(prompt, new, block_size):
    """The prompt was read for nothing; with a cache it is computed too, once.
    See “What the model expects next”."""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        start = window_start(T, block_size)
        moved = start != window_start(T - 1, block_size)
        without += T - start
        with_cache += 1 if T == prompt else T - start if moved else 1
    return {"without": without, "with": with_cache}


def my_tokens_computed__cache_fails_for_ever_once_the_context_is_full(prompt, new, block_size):
    """Once the context is full everything is computed anew each time; between two moves of the
    window the cache holds. See “When the context is full”."""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        seen = T - window_start(T, block_size)
        without += seen
        with_cache += seen if T == prompt or T > block_size else 1
    return {"without": without, "with": with_cache}


def my_tokens_computed__prompt_that_is_too_long_is_read_wholly(prompt, new, block_size):
    """A long prompt was read wholly; the model sees only what `window_start` leaves of it.
    See “When the context is full”."""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        start = window_start(T, block_size)
        moved = start != window_start(T - 1, block_size)
        without += T - start
        with_cache += prompt if T == prompt else T - start if moved else 1
    return {"without": without, "with": with_cache}


def my_tokens_computed__each_step_reads_the_new_text_only(prompt, new, block_size):
    """Only the new text was counted; the prompt is part of what the model sees.
    See “Exercise 11.6 · What the cache saves, counted”."""
    return {"without": sum(i - window_start(i, block_size) for i in range(1, new + 1)), "with": new}


def my_tokens_computed__window_forgets_half_rounded_down(prompt, new, block_size):
    """Half of an odd context was rounded down; what is kept is rounded down, and what is forgotten
    up. See “When the context is full”."""

    def seen(T):
        half = max(1, block_size // 2)
        return T - half * max(0, -((block_size - T) // half))

    without = with_cache = 0
    for T in range(prompt, prompt + new):
        moved = T == prompt or T - seen(T) != T - 1 - seen(T - 1)
        without += seen(T)
        with_cache += seen(T) if moved else 1
    return {"without": without, "with": with_cache}


def my_tokens_computed__results_exchanged(prompt, new, block_size):
    """The two results were exchanged: without a cache it is the larger number.
    See “Exercise 11.6 · What the cache saves, counted”."""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        start = window_start(T, block_size)
        moved = T == prompt or start != window_start(T - 1, block_size)
        without += T - start
        with_cache += T - start if moved else 1
    return {"without": with_cache, "with": without}


def my_tokens_computed__first_step_counts_only_a_moved_window(prompt, new, block_size):
    """The first step was counted as one token where the prompt is short; an empty cache has seen
    nothing, and the whole prompt is new. See “What the model expects next”."""
    without = with_cache = 0
    for T in range(prompt, prompt + new):
        start = window_start(T, block_size)
        moved = start != window_start(T - 1, block_size) or T == prompt > block_size
        without += T - start
        with_cache += T - start if moved else 1
    return {"without": without, "with": with_cache}
