"""Plausible wrong attempts at the exercises of chapter 04."""

import numpy as np

from minigrad.losses import cross_entropy
from minigrad.tensor import Tensor


def my_log_sum_exp__overflows(logits):
    """overflows"""
    return np.log(np.exp(logits).sum(axis=1))


def my_log_sum_exp__largest_logit_is_not_added_back(logits):
    """the largest logit is not added back"""
    return np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1))


def my_log_sum_exp__one_maximum_for_all_rows(logits):
    """one maximum for all rows"""
    m = logits.max()
    return m + np.log(np.exp(logits - m).sum(axis=1))


def my_log_sum_exp__numbers_are_not_made_a_column(logits):
    """N numbers are not a column"""
    m = logits.max(axis=1)
    return m + np.log(np.exp(logits - m).sum(axis=1))


def my_log_sum_exp__keeps_the_axis(logits):
    """keeps the axis"""
    m = logits.max(axis=1, keepdims=True)
    return m + np.log(np.exp(logits - m).sum(axis=1, keepdims=True))


def my_log_sum_exp__column_and_row_make_a_square(logits):
    """(N, 1) and (N,) make (N, N)"""
    m = logits.max(axis=1, keepdims=True)
    return m + np.log(np.exp(logits - m).sum(axis=1))


def my_log_sum_exp__sums_over_the_positions(logits):
    """sums over the positions"""
    m = logits.max(axis=0)
    return m + np.log(np.exp(logits - m).sum(axis=0))


def my_log_sum_exp__sums_over_everything(logits):
    """sums over everything"""
    m = logits.max()
    return m + np.log(np.exp(logits - m).sum())


def my_log_sum_exp__changes_its_argument(logits):
    """changes its argument"""
    m = logits.max(axis=1)
    logits -= m[:, None]
    return m + np.log(np.exp(logits).sum(axis=1))


def my_log_sum_exp__cuts_off_what_would_overflow(logits):
    """cuts off what would overflow"""
    return np.log(np.exp(np.clip(logits, -700, 700)).sum(axis=1))


def my_cross_entropy__takes_logits_for_logarithms_of_probabilities(logits, targets):
    """takes logits for logarithms of probabilities"""
    return -logits[np.arange(len(targets)), targets].mean()


def my_cross_entropy__colon_in_place_of_the_rows_numbers(logits, targets):
    """a colon in place of the rows' numbers"""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_probabilities[:, targets].mean()


def my_cross_entropy__sum_not_the_mean(logits, targets):
    """the sum, not the mean"""
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (np.log(np.exp(shifted).sum(axis=1)) - picked).sum()


def my_cross_entropy__a_loss_for_each_position(logits, targets):
    """one loss a position"""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(targets)), targets]


def my_cross_entropy__logarithm_comes_after_the_softmax(logits, targets):
    """the logarithm comes after the softmax"""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(targets)), targets]).mean()


def my_cross_entropy__hides_the_infinity_behind_a_small_number(logits, targets):
    """hides the infinity behind a small number"""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(targets)), targets] + 1e-9).mean()


def my_cross_entropy__overflows(logits, targets):
    """overflows"""
    picked = logits[np.arange(len(targets)), targets]
    return (np.log(np.exp(logits).sum(axis=1)) - picked).mean()


def my_cross_entropy__maximum_is_taken_off_one_term_only(logits, targets):
    """the maximum is taken off one term only"""
    m = logits.max(axis=1, keepdims=True)
    picked = logits[np.arange(len(targets)), targets]
    return (np.log(np.exp(logits - m).sum(axis=1)) - picked).mean()


def my_cross_entropy__without_the_minus(logits, targets):
    """without the minus"""
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (picked - np.log(np.exp(shifted).sum(axis=1))).mean()


def my_cross_entropy__in_bits(logits, targets):
    """in bits instead of nats"""
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (np.log(np.exp(shifted).sum(axis=1)) - picked).mean() / np.log(2)


def my_cross_entropy_gradient__not_divided_by_n(logits, targets):
    """not divided by N"""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad


def my_cross_entropy_gradient__divided_by_all_entries(logits, targets):
    """divided by all entries"""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / grad.size


def my_cross_entropy_gradient__sign_of_the_step(logits, targets):
    """the sign of the step"""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    return (np.eye(logits.shape[1])[targets] - p) / len(targets)


def my_cross_entropy_gradient__takes_1_from_whole_columns(logits, targets):
    """takes 1 from whole columns"""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[:, targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__softmax_over_the_positions(logits, targets):
    """softmax over the positions"""
    exp = np.exp(logits - logits.max(axis=0))
    grad = exp / exp.sum(axis=0)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__one_sum_for_all_rows(logits, targets):
    """one sum for all rows"""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum()
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__without_the_softmax(logits, targets):
    """without the softmax"""
    grad = logits.copy()
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__only_the_softmax_is_divided(logits, targets):
    """only the softmax is divided"""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True) / len(targets)
    grad[np.arange(len(targets)), targets] -= 1
    return grad


def my_cross_entropy_gradient__changes_its_argument(logits, targets):
    """changes its argument"""
    np.exp(logits - logits.max(axis=1, keepdims=True), out=logits)
    grad = logits / logits.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__overflows(logits, targets):
    """overflows"""
    exp = np.exp(logits)
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_units__average_number_of_choices(probabilities, lengths):
    """the average number of choices"""
    return (1 / probabilities).mean(), -np.log2(probabilities).sum() / lengths.sum()


def my_units__e_to_a_number_of_bits(probabilities, lengths):
    """e to a number of bits"""
    bits = -np.log2(probabilities)
    return np.exp(bits.mean()), bits.sum() / lengths.sum()


def my_units__nats_per_character(probabilities, lengths):
    """nats per character"""
    surprise = -np.log(probabilities)
    return np.exp(surprise.mean()), surprise.sum() / lengths.sum()


def my_units__bits_per_token(probabilities, lengths):
    """bits per token"""
    bits = -np.log2(probabilities)
    return 2 ** bits.mean(), bits.mean()


def my_units__mean_of_each_tokens_own_ratio(probabilities, lengths):
    """the mean of each token's own ratio"""
    bits = -np.log2(probabilities)
    return 2 ** bits.mean(), (bits / lengths).mean()


def my_units__perplexity_per_character(probabilities, lengths):
    """perplexity per character"""
    bits = -np.log2(probabilities).sum() / lengths.sum()
    return 2**bits, bits


def my_units__logarithm_of_the_mean_probability(probabilities, lengths):
    """the logarithm of the mean probability"""
    surprise = -np.log(probabilities.mean())
    total = -np.log2(probabilities).sum()
    return np.exp(surprise), total / lengths.sum()


def my_units__product_is_too_small_for_a_number(probabilities, lengths):
    """the product is too small for a number"""
    bits = -np.log2(probabilities.prod())
    return 2 ** (bits / len(lengths)), bits / lengths.sum()


def my_forecast_losses__what_was_never_seen_is_impossible(seen, new, vocab):
    """what was never seen is impossible"""
    unigram = np.bincount(seen, minlength=vocab) / len(seen)
    return np.log(vocab), -np.log(unigram)[new].mean()


def my_forecast_losses__probabilities_sum_to_more_than_1(seen, new, vocab):
    """the probabilities sum to more than 1"""
    unigram = (np.bincount(seen, minlength=vocab) + 1) / len(seen)
    return np.log(vocab), -np.log(unigram)[new].mean()


def my_forecast_losses__counts_in_the_text_that_is_judged(seen, new, vocab):
    """counts in the text that is judged"""
    counts = np.bincount(new, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_forecast_losses__judged_on_the_text_that_was_counted(seen, new, vocab):
    """judged on the text that was counted"""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[seen].mean()


def my_forecast_losses__averages_over_the_alphabet(seen, new, vocab):
    """averages over the alphabet"""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum()).mean()


def my_forecast_losses__sum_instead_of_mean(seen, new, vocab):
    """the sum instead of the mean"""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].sum()


def my_forecast_losses__in_bits(seen, new, vocab):
    """in bits instead of nats"""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log2(vocab), -np.log2(counts / counts.sum())[new].mean()


def my_forecast_losses__only_tokens_that_were_not_seen_get_one_more(seen, new, vocab):
    """only tokens that were not seen get one more"""
    counts = np.maximum(np.bincount(seen, minlength=vocab), 1)
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_forecast_losses__alphabet_ends_at_the_largest_token_that_came(seen, new, vocab):
    """the alphabet ends at the largest token that came"""
    size = max(seen.max(), new.max()) + 1
    counts = np.bincount(seen, minlength=size) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_masked_cross_entropy__no_mask(logits, targets):
    """no mask: -1 is the last token"""
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    loss = (np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]).mean()
    grad[n, targets] -= 1
    return loss, grad / len(targets)


def my_masked_cross_entropy__divided_by_all_positions(logits, targets):
    """divided by all positions"""
    keep = targets >= 0
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]
    grad[n, targets] -= 1
    return (losses * keep).mean(), grad * keep[:, None] / len(targets)


def my_masked_cross_entropy__loss_is_masked_the_gradient_is_not(logits, targets):
    """the loss is masked, the gradient is not"""
    keep = targets >= 0
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]
    grad[n, targets] -= 1
    return (losses * keep).sum() / max(keep.sum(), 1), grad / max(keep.sum(), 1)


def my_masked_cross_entropy__gradients_softmax_stays_only_the_1_is_masked(logits, targets):
    """the gradient's softmax stays, only the 1 is masked"""
    keep = targets >= 0
    if not keep.any():
        return 0.0, np.zeros_like(logits)
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    n = np.arange(len(targets))
    loss = -np.log(p[n, targets])[keep].mean()
    p[n[keep], targets[keep]] -= 1
    return loss, p / keep.sum()


def my_masked_cross_entropy__row_of_zeros_still_costs_ln(logits, targets):
    """a row of zeros still costs ln(vocab)"""
    keep = targets >= 0
    z = Tensor(logits * keep[:, None], requires_grad=True)
    loss = cross_entropy(z, np.where(keep, targets, 0))
    loss.backward()
    return loss.item(), z.grad * keep[:, None]


def my_masked_cross_entropy__gradient_of_the_kept_rows_only(logits, targets):
    """the gradient of the kept rows only"""
    keep = targets >= 0
    z = Tensor(logits[keep], requires_grad=True)
    loss = cross_entropy(z, targets[keep])
    loss.backward()
    return loss.item(), z.grad


def my_masked_cross_entropy__kept_rows_are_moved_to_the_front(logits, targets):
    """the kept rows are moved to the front"""
    keep = targets >= 0
    if not keep.any():
        return 0.0, np.zeros_like(logits)
    z = Tensor(logits[keep], requires_grad=True)
    loss = cross_entropy(z, targets[keep])
    loss.backward()
    gradient = np.zeros_like(logits)
    gradient[: keep.sum()] = z.grad
    return loss.item(), gradient


def my_masked_cross_entropy__divides_by_zero_where_nothing_counts(logits, targets):
    """nothing counts: 0 / 0"""
    keep = (targets >= 0)[:, None]
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    one_hot = np.eye(logits.shape[1])[targets]
    count = keep.sum()
    return -(keep * one_hot * np.log(p)).sum() / count, keep * (p - one_hot) / count
