"""Plausible wrong attempts at the exercises of chapter 04."""

import numpy as np

from minigrad.losses import cross_entropy
from minigrad.tensor import Tensor


def my_log_sum_exp__overflows(logits):
    """The exponential was taken of the logits as they are; of a large one it is infinite, and of
    very negative ones the sum is 0. See “Log-sum-exp, and why exp alone overflows”."""
    return np.log(np.exp(logits).sum(axis=1))


def my_log_sum_exp__largest_logit_is_not_added_back(logits):
    """The largest logit was taken off and never given back, so every result is too small by it. See
    “Log-sum-exp, and why exp alone overflows”."""
    return np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1))


def my_log_sum_exp__one_maximum_for_all_rows(logits):
    """One maximum was taken off all rows; a row that lies far below it becomes a sum of zeros,
    whose logarithm is minus infinity. See “Exercise 4.1 · Log-sum-exp”."""
    m = logits.max()
    return m + np.log(np.exp(logits - m).sum(axis=1))


def my_log_sum_exp__numbers_are_not_made_a_column(logits):
    """One number for each row was set beside the columns; to meet the rows it needs the shape (N,
    1). See “Exercise 4.1 · Log-sum-exp”."""
    m = logits.max(axis=1)
    return m + np.log(np.exp(logits - m).sum(axis=1))


def my_log_sum_exp__keeps_the_axis(logits):
    """The vocabulary's axis is still there, with length 1; the result has one number for each row,
    shape (N,). See “Exercise 4.1 · Log-sum-exp”."""
    m = logits.max(axis=1, keepdims=True)
    return m + np.log(np.exp(logits - m).sum(axis=1, keepdims=True))


def my_log_sum_exp__column_and_row_make_a_square(logits):
    """A column of shape (N, 1) was added to a row of shape (N,), and NumPy made a square of them.
    See “Exercise 4.1 · Log-sum-exp”."""
    m = logits.max(axis=1, keepdims=True)
    return m + np.log(np.exp(logits - m).sum(axis=1))


def my_log_sum_exp__sums_over_the_positions(logits):
    """The sum went down the positions; each position has a sum of its own, over the vocabulary. See
    “The mathematics, with shapes”."""
    m = logits.max(axis=0)
    return m + np.log(np.exp(logits - m).sum(axis=0))


def my_log_sum_exp__sums_over_everything(logits):
    """All positions went into one sum; each position has a sum of its own, over the vocabulary. See
    “The mathematics, with shapes”."""
    m = logits.max()
    return m + np.log(np.exp(logits - m).sum())


def my_log_sum_exp__changes_its_argument(logits):
    """The maximum was taken off the array that came in, and whoever called finds other logits than
    before. See “Exercise 4.1 · Log-sum-exp”."""
    m = logits.max(axis=1)
    logits -= m[:, None]
    return m + np.log(np.exp(logits).sum(axis=1))


def my_log_sum_exp__cuts_off_what_would_overflow(logits):
    """Logits that would overflow were cut off, and with them what distinguishes them; take off the
    largest of the row instead. See “Log-sum-exp, and why exp alone overflows”."""
    return np.log(np.exp(np.clip(logits, -700, 700)).sum(axis=1))


def my_log_sum_exp__smallest_logit_is_taken_off(logits):
    """The smallest logit was taken off; then the largest exponent is as large as their distance,
    and still overflows. See “Log-sum-exp, and why exp alone overflows”."""
    m = logits.min(axis=1)
    return m + np.log(np.exp(logits - m[:, None]).sum(axis=1))


def my_log_sum_exp__mean_is_taken_off(logits):
    """The mean of the row was taken off; one logit far above it still overflows. Only below the
    largest is every exponent at most 0. See “Log-sum-exp, and why exp alone overflows”."""
    m = logits.mean(axis=1)
    return m + np.log(np.exp(logits - m[:, None]).sum(axis=1))


def my_log_sum_exp__first_logit_is_taken_off(logits):
    """The first logit of the row was taken off, which helps only where it happens to be the
    largest. See “Log-sum-exp, and why exp alone overflows”."""
    m = logits[:, 0]
    return m + np.log(np.exp(logits - m[:, None]).sum(axis=1))


def my_log_sum_exp__only_large_logits_are_cared_for(logits):
    """The maximum is taken off only where a logit is large; but logits far below 0 make a sum of 0,
    and its logarithm is minus infinity. See “Exercise 4.1 · Log-sum-exp”."""
    if logits.max() < 500:
        return np.log(np.exp(logits).sum(axis=1))
    m = logits.max(axis=1)
    return m + np.log(np.exp(logits - m[:, None]).sum(axis=1))


def my_log_sum_exp__a_single_row_loses_its_shape(logits):
    """All axes of length 1 were thrown away, so that a single row gives a bare number; one row
    still makes an array of shape (1,). See “Exercise 4.1 · Log-sum-exp”."""
    m = logits.max(axis=1, keepdims=True)
    return (m + np.log(np.exp(logits - m).sum(axis=1, keepdims=True))).squeeze()


def my_log_sum_exp__result_takes_the_type_of_the_logits(logits):
    """The result was written into an array of the logits' type; where these are integers it loses
    all decimals. See “Exercise 4.1 · Log-sum-exp”."""
    result = np.zeros(len(logits), dtype=logits.dtype)
    for n, row in enumerate(logits):
        result[n] = row.max() + np.log(np.exp(row - row.max()).sum())
    return result


def my_cross_entropy__takes_logits_for_logarithms_of_probabilities(logits, targets):
    """The logit itself was taken for the logarithm of a probability; it is only a score, and counts
    in comparison with the others of its row. See “The mathematics, with shapes”."""
    return -logits[np.arange(len(targets)), targets].mean()


def my_cross_entropy__colon_in_place_of_the_rows_numbers(logits, targets):
    """With a colon every position is judged by the targets of all positions; name the row of each
    target. See “Exercise 4.2 · The mean surprise”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_probabilities[:, targets].mean()


def my_cross_entropy__sum_not_the_mean(logits, targets):
    """The surprises were added up and not averaged, so that a longer batch has a larger loss. See
    “The mathematics, with shapes”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (np.log(np.exp(shifted).sum(axis=1)) - picked).sum()


def my_cross_entropy__a_loss_for_each_position(logits, targets):
    """Each position has its surprise, but the loss is one number: their mean. See “The mathematics,
    with shapes”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(targets)), targets]


def my_cross_entropy__logarithm_comes_after_the_softmax(logits, targets):
    """The logarithm came after the softmax, and a probability too small for a number was already 0.
    See “Log-sum-exp, and why exp alone overflows”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(targets)), targets]).mean()


def my_cross_entropy__hides_the_infinity_behind_a_small_number(logits, targets):
    """A small number was added so that the logarithm is not infinite; now the loss cannot grow
    beyond it, however wrong the model is. See “Log-sum-exp, and why exp alone overflows”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(targets)), targets] + 1e-9).mean()


def my_cross_entropy__overflows(logits, targets):
    """The exponential was taken of the logits as they are, and of a large one it is infinite. See
    “Log-sum-exp, and why exp alone overflows”."""
    picked = logits[np.arange(len(targets)), targets]
    return (np.log(np.exp(logits).sum(axis=1)) - picked).mean()


def my_cross_entropy__maximum_is_taken_off_one_term_only(logits, targets):
    """The maximum was taken off inside of the sum, but not off the right token's logit; both must
    be measured from the same place. See “Log-sum-exp, and why exp alone overflows”."""
    m = logits.max(axis=1, keepdims=True)
    picked = logits[np.arange(len(targets)), targets]
    return (np.log(np.exp(logits - m).sum(axis=1)) - picked).mean()


def my_cross_entropy__without_the_minus(logits, targets):
    """Logarithms of probabilities are negative; the surprise has a minus in front. See “How wrong
    is a forecast?”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (picked - np.log(np.exp(shifted).sum(axis=1))).mean()


def my_cross_entropy__in_bits(logits, targets):
    """This is in bits; the loss is in nats, with logarithms to base e. See “An alphabet of three
    letters, by hand”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (np.log(np.exp(shifted).sum(axis=1)) - picked).mean() / np.log(2)


def my_cross_entropy__entries_of_the_flat_array(logits, targets):
    """The targets were taken as places in the flat array, and so all from the first row; name the
    row of each target. See “Exercise 4.2 · The mean surprise”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.take(logs, targets).mean()


def my_cross_entropy__judges_the_most_probable_token(logits, targets):
    """Each position was judged by its most probable token; what counts is the one that came,
    whether the model liked it or not. See “The mathematics, with shapes”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)).mean()


def my_cross_entropy__first_logit_is_taken_off(logits, targets):
    """The first logit of the row was taken off, which helps only where it happens to be the
    largest. See “Log-sum-exp, and why exp alone overflows”."""
    shifted = logits - logits[:, :1]
    picked = shifted[np.arange(len(targets)), targets]
    return (np.log(np.exp(shifted).sum(axis=1)) - picked).mean()


def my_cross_entropy__changes_its_argument(logits, targets):
    """The maximum was taken off the array that came in; the loss is right, but whoever called finds
    other logits than before. See “Exercise 4.2 · The mean surprise”."""
    logits -= logits.max(axis=1, keepdims=True)
    picked = logits[np.arange(len(targets)), targets]
    return (np.log(np.exp(logits).sum(axis=1)) - picked).mean()


def my_cross_entropy__divided_by_the_vocabulary(logits, targets):
    """The sum was divided by the size of the vocabulary; the mean runs over the positions. See “The
    mathematics, with shapes”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (np.log(np.exp(shifted).sum(axis=1)) - picked).sum() / logits.shape[1]


def my_cross_entropy__in_float32(logits, targets):
    """The logits were made float32, which has seven digits: of large logits the differences are
    rounded away. See “Exercise 4.2 · The mean surprise”."""
    logits = logits.astype(np.float32)
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - picked))


def my_cross_entropy__median_in_place_of_the_mean(logits, targets):
    """The median was taken; it does not notice how large a single surprise is. The loss is the
    mean. See “The mathematics, with shapes”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return np.median(np.log(np.exp(shifted).sum(axis=1)) - picked)


def my_cross_entropy_gradient__not_divided_by_n(logits, targets):
    """Each row is right for its own loss, but the loss is a mean, and each row counts only for 1/N
    of it. See “The gradient: softmax minus one-hot”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad


def my_cross_entropy_gradient__divided_by_all_entries(logits, targets):
    """The gradient was averaged over all its entries; the loss is a mean over positions, so divide
    by their number alone. See “The gradient: softmax minus one-hot”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / grad.size


def my_cross_entropy_gradient__sign_of_the_step(logits, targets):
    """This is the direction in which a step goes; the gradient points the other way. See “The
    gradient: softmax minus one-hot”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    return (np.eye(logits.shape[1])[targets] - p) / len(targets)


def my_cross_entropy_gradient__takes_1_from_whole_columns(logits, targets):
    """With a colon 1 was taken from the target's column in every row; each row has a target of its
    own. See “Exercise 4.2 · The mean surprise”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[:, targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__softmax_over_the_positions(logits, targets):
    """The softmax went down the positions; its probabilities must sum to 1 in each row. See “The
    mathematics, with shapes”."""
    exp = np.exp(logits - logits.max(axis=0))
    grad = exp / exp.sum(axis=0)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__one_sum_for_all_rows(logits, targets):
    """All rows were divided by one sum; the softmax of each row sums to 1 by itself. See “The
    mathematics, with shapes”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum()
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__without_the_softmax(logits, targets):
    """1 was taken from the logits as they are; what belongs there are the probabilities that the
    softmax makes of them. See “The gradient: softmax minus one-hot”."""
    grad = logits.copy()
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__only_the_softmax_is_divided(logits, targets):
    """Only the softmax was divided by N; the 1 at the target belongs to the same mean. See “The
    gradient: softmax minus one-hot”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True) / len(targets)
    grad[np.arange(len(targets)), targets] -= 1
    return grad


def my_cross_entropy_gradient__changes_its_argument(logits, targets):
    """The exponentials were written over the logits that came in, and the next one who uses them
    gets nonsense. See “Exercise 4.3 · Its gradient”."""
    np.exp(logits - logits.max(axis=1, keepdims=True), out=logits)
    grad = logits / logits.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__overflows(logits, targets):
    """The exponential was taken of the logits as they are; infinity divided by infinity is not a
    number. See “Log-sum-exp, and why exp alone overflows”."""
    exp = np.exp(logits)
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__gradient_takes_the_type_of_the_logits(logits, targets):
    """The gradient was written into an array of the logits' type; where these are integers, every
    probability below 1 becomes 0. See “Exercise 4.3 · Its gradient”."""
    grad = np.zeros_like(logits)
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad[:] = exp / exp.sum(axis=1, keepdims=True)
    grad = grad - np.eye(logits.shape[1])[targets]
    return grad / len(targets)


def my_cross_entropy_gradient__mean_is_taken_off(logits, targets):
    """The mean of the row was taken off; one logit far above it still overflows. Only below the
    largest is every exponent at most 0. See “Log-sum-exp, and why exp alone overflows”."""
    exp = np.exp(logits - logits.mean(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient__only_the_targets_entry(logits, targets):
    """Only the logit of the right token got a gradient; the others took their share of the
    probability and are pushed down by it. See “The gradient: softmax minus one-hot”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    one_hot = np.eye(logits.shape[1])[targets]
    return (p - 1) * one_hot / len(targets)


def my_cross_entropy_gradient__derivative_by_the_probabilities(logits, targets):
    """This is the derivative with respect to the probabilities, −1/p at the target; the softmax
    stands between them and the logits. See “The gradient: softmax minus one-hot”."""
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        return -np.eye(logits.shape[1])[targets] / p / len(targets)


def my_cross_entropy_gradient__in_float32(logits, targets):
    """The logits were made float32, which has seven digits: of large logits the differences are
    rounded away. See “Exercise 4.3 · Its gradient”."""
    logits = logits.astype(np.float32)
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_units__average_number_of_choices(probabilities, lengths):
    """The numbers of choices 1/p were averaged; what adds up over tokens is the surprise, so
    average that, and turn it into choices last. See “Perplexity, and bits per character”."""
    return (1 / probabilities).mean(), -np.log2(probabilities).sum() / lengths.sum()


def my_units__e_to_a_number_of_bits(probabilities, lengths):
    """The base was mixed: from bits 2 to their number makes choices, from nats e to their number.
    See “Perplexity, and bits per character”."""
    bits = -np.log2(probabilities)
    return np.exp(bits.mean()), bits.sum() / lengths.sum()


def my_units__nats_per_character(probabilities, lengths):
    """This is in nats; for bits divide by the logarithm of 2. See “Perplexity, and bits per
    character”."""
    surprise = -np.log(probabilities)
    return np.exp(surprise.mean()), surprise.sum() / lengths.sum()


def my_units__bits_per_token(probabilities, lengths):
    """The bits were shared among the tokens; to compare with other tokens, share them among the
    characters. See “Exercise 4.4 · Two units”."""
    bits = -np.log2(probabilities)
    return 2 ** bits.mean(), bits.mean()


def my_units__mean_of_each_tokens_own_ratio(probabilities, lengths):
    """Each token's own bits per character were averaged, so that a token of one character weighs as
    much as one of ten. See “Exercise 4.4 · Two units”."""
    bits = -np.log2(probabilities)
    return 2 ** bits.mean(), (bits / lengths).mean()


def my_units__perplexity_per_character(probabilities, lengths):
    """The perplexity was made of the bits per character; it counts choices per token. See “Exercise
    4.4 · Two units”."""
    bits = -np.log2(probabilities).sum() / lengths.sum()
    return 2**bits, bits


def my_units__logarithm_of_the_mean_probability(probabilities, lengths):
    """Probabilities were averaged before the logarithm; the probability of a text is a product, so
    it is their logarithms that are averaged. See “How wrong is a forecast?”."""
    surprise = -np.log(probabilities.mean())
    total = -np.log2(probabilities).sum()
    return np.exp(surprise), total / lengths.sum()


def my_units__product_is_too_small_for_a_number(probabilities, lengths):
    """All probabilities were multiplied first, and the product of a long text is too small for a
    number: it is 0. See “Exercise 4.4 · Two units”."""
    bits = -np.log2(probabilities.prod())
    return 2 ** (bits / len(lengths)), bits / lengths.sum()


def my_units__hides_zero_behind_a_small_number(probabilities, lengths):
    """A small number was added so that the logarithm stays finite; a token less probable than that
    is then judged too kindly. See “Exercise 4.4 · Two units”."""
    surprise = -np.log(probabilities + 1e-9)
    return np.exp(surprise.mean()), surprise.sum() / np.log(2) / lengths.sum()


def my_units__long_tokens_weigh_more(probabilities, lengths):
    """Each token's surprise was weighted with its length; the perplexity counts every token once.
    See “Exercise 4.4 · Two units”."""
    surprise = -np.log(probabilities)
    mean = (surprise * lengths).sum() / lengths.sum()
    return np.exp(mean), surprise.sum() / np.log(2) / lengths.sum()


def my_units__lengths_are_averaged_wrongly(probabilities, lengths):
    """The mean of the surprises was divided by the number of all characters; both must be totals,
    or both means. See “Exercise 4.4 · Two units”."""
    bits = -np.log2(probabilities)
    return 2 ** bits.mean(), bits.mean() / lengths.sum()


def my_forecast_losses__what_was_never_seen_is_impossible(seen, new, vocab):
    """A token that was never seen got probability 0, and its surprise is infinite. See “Exercise
    4.5 · Counted here, judged there”."""
    unigram = np.bincount(seen, minlength=vocab) / len(seen)
    return np.log(vocab), -np.log(unigram)[new].mean()


def my_forecast_losses__probabilities_sum_to_more_than_1(seen, new, vocab):
    """The counts were raised and then divided by the old total, so that the probabilities sum to
    more than 1. See “Exercise 4.5 · Counted here, judged there”."""
    unigram = (np.bincount(seen, minlength=vocab) + 1) / len(seen)
    return np.log(vocab), -np.log(unigram)[new].mean()


def my_forecast_losses__counts_in_the_text_that_is_judged(seen, new, vocab):
    """The frequencies were counted in the very text that is judged: a forecast must come before the
    event. See “Exercise 4.5 · Counted here, judged there”."""
    counts = np.bincount(new, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_forecast_losses__judged_on_the_text_that_was_counted(seen, new, vocab):
    """The forecast was judged on the text from which it was counted, which flatters it. See
    “Exercise 4.5 · Counted here, judged there”."""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[seen].mean()


def my_forecast_losses__averages_over_the_alphabet(seen, new, vocab):
    """Every token of the alphabet counted once; the mean runs over the tokens of the text, as often
    as they come. See “Cross-entropy is average surprise”."""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum()).mean()


def my_forecast_losses__sum_instead_of_mean(seen, new, vocab):
    """The surprises were added up and not averaged; the loss is per token. See “Cross-entropy is
    average surprise”."""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].sum()


def my_forecast_losses__in_bits(seen, new, vocab):
    """This is in bits; the two losses are asked in nats. See “An alphabet of three letters, by
    hand”."""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log2(vocab), -np.log2(counts / counts.sum())[new].mean()


def my_forecast_losses__only_tokens_that_were_not_seen_get_one_more(seen, new, vocab):
    """Only what was never seen got one more, so that it is as probable as what came once; every
    token gets one more. See “Exercise 4.5 · Counted here, judged there”."""
    counts = np.maximum(np.bincount(seen, minlength=vocab), 1)
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_forecast_losses__alphabet_ends_at_the_largest_token_that_came(seen, new, vocab):
    """The alphabet was cut off at the largest token that came; the vocabulary has further ones,
    which need a probability too. See “Exercise 4.5 · Counted here, judged there”."""
    size = max(seen.max(), new.max()) + 1
    counts = np.bincount(seen, minlength=size) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_forecast_losses__one_more_is_added_to_the_shares(seen, new, vocab):
    """1 was added to each share instead of to each count, which makes all tokens nearly alike. See
    “Exercise 4.5 · Counted here, judged there”."""
    shares = np.bincount(seen, minlength=vocab) / len(seen) + 1
    return np.log(vocab), -np.log(shares / shares.sum())[new].mean()


def my_forecast_losses__each_token_of_the_new_text_once(seen, new, vocab):
    """Each different token of the new text counted once; the mean runs over all its tokens,
    repeated ones too. See “Cross-entropy is average surprise”."""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[np.unique(new)].mean()


def my_forecast_losses__uniform_over_what_was_seen(seen, new, vocab):
    """The uniform forecast spread its probability over the tokens that came; it knows the whole
    vocabulary. See “The loss of knowing nothing”."""
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(len(set(seen))), -np.log(counts / counts.sum())[new].mean()


def my_forecast_losses__sorts_the_text_in_place(seen, new, vocab):
    """To count, the text was sorted in place; whoever called finds it in another order. See
    “Exercise 4.5 · Counted here, judged there”."""
    seen.sort()
    edges = np.searchsorted(seen, np.arange(vocab + 1))
    counts = edges[1:] - edges[:-1] + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_masked_cross_entropy__no_mask(logits, targets):
    """The target −1 was taken as an index, and to NumPy that is the last token. See “Exercise 4.6 ·
    Positions that do not count”."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    loss = (np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]).mean()
    grad[n, targets] -= 1
    return loss, grad / len(targets)


def my_masked_cross_entropy__no_mask_and_overflows(logits, targets):
    """The target −1 was taken as an index, and to NumPy that is the last token; besides, the
    exponential of a large logit is infinite. See “Exercise 4.6 · Positions that do not count”."""
    n = np.arange(len(targets))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss = -np.log(p[n, targets]).mean()
    p[n, targets] -= 1
    return loss, p / len(targets)


def my_masked_cross_entropy__mask_only_where_nothing_counts(logits, targets):
    """Only a text of nothing but filling is cared for; elsewhere the target −1 was taken as an
    index, and to NumPy that is the last token. See “Exercise 4.6 · Positions that do not count”."""
    if not (targets >= 0).any():
        return 0.0, np.zeros_like(logits)
    n = np.arange(len(targets))
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    loss = -np.log(p[n, targets]).mean()
    p[n, targets] -= 1
    return loss, p / len(targets)


def my_masked_cross_entropy__loss_of_all_positions_the_gradient_is_masked(logits, targets):
    """The gradient leaves out the filling, but the loss is that of all positions, where −1 as an
    index is the last token. See “Exercise 4.6 · Positions that do not count”."""
    keep = targets >= 0
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]
    grad[n, targets] -= 1
    return losses.mean(), grad * keep[:, None] / max(keep.sum(), 1)


def my_masked_cross_entropy__divided_by_all_positions(logits, targets):
    """The sum over the positions that count was divided by all positions, so that more filling
    makes the loss smaller. See “Exercise 4.6 · Positions that do not count”."""
    keep = targets >= 0
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]
    grad[n, targets] -= 1
    return (losses * keep).mean(), grad * keep[:, None] / len(targets)


def my_masked_cross_entropy__loss_is_masked_the_gradient_is_not(logits, targets):
    """The loss leaves out the filling, but the gradient still pushes there. See “Exercise 4.6 ·
    Positions that do not count”."""
    keep = targets >= 0
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]
    grad[n, targets] -= 1
    return (losses * keep).sum() / max(keep.sum(), 1), grad / max(keep.sum(), 1)


def my_masked_cross_entropy__gradients_softmax_stays_only_the_1_is_masked(logits, targets):
    """At the filling only the 1 was left out and the softmax stayed; a position that does not count
    has no gradient at all. See “Exercise 4.6 · Positions that do not count”."""
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
    """The logits of the filling were set to 0 and judged like the others; a row of zeros is not
    free, it costs the logarithm of the vocabulary. See “Exercise 4.6 · Positions that do not
    count”."""
    keep = targets >= 0
    z = Tensor(logits * keep[:, None], requires_grad=True)
    loss = cross_entropy(z, np.where(keep, targets, 0))
    loss.backward()
    return loss.item(), z.grad * keep[:, None]


def my_masked_cross_entropy__gradient_of_the_kept_rows_only(logits, targets):
    """The gradient has only the rows that count; it needs the shape of the logits, with zeros in
    the others. See “Exercise 4.6 · Positions that do not count”."""
    keep = targets >= 0
    z = Tensor(logits[keep], requires_grad=True)
    loss = cross_entropy(z, targets[keep])
    loss.backward()
    return loss.item(), z.grad


def my_masked_cross_entropy__kept_rows_are_moved_to_the_front(logits, targets):
    """The gradient's rows stand at the front; each belongs where its position stands. See “Exercise
    4.6 · Positions that do not count”."""
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
    """Where nothing counts, 0 was divided by 0; one such nan spoils every parameter. See “Exercise
    4.6 · Positions that do not count”."""
    keep = (targets >= 0)[:, None]
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    one_hot = np.eye(logits.shape[1])[targets]
    count = keep.sum()
    return -(keep * one_hot * np.log(p)).sum() / count, keep * (p - one_hot) / count


def my_masked_cross_entropy__overflows(logits, targets):
    """The exponential was taken of the logits as they are, and of a large one it is infinite. See
    “Log-sum-exp, and why exp alone overflows”."""
    keep = targets >= 0
    count = max(keep.sum(), 1)
    n = np.arange(len(targets))
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    loss = -np.log(p[n, targets])[keep].sum() / count
    p[n, targets] -= 1
    return loss, p * keep[:, None] / count


def my_masked_cross_entropy__loss_is_a_tensor(logits, targets):
    """The loss came back as a Tensor, with its graph; a number was asked for, and `item()` makes
    one. See “Exercise 4.6 · Positions that do not count”."""
    keep = targets >= 0
    if not keep.any():
        return 0.0, np.zeros_like(logits)
    z = Tensor(logits[keep], requires_grad=True)
    loss = cross_entropy(z, targets[keep])
    loss.backward()
    gradient = np.zeros_like(logits)
    gradient[keep] = z.grad
    return loss, gradient


def my_masked_cross_entropy__targets_are_changed_in_place(logits, targets):
    """The targets −1 were overwritten in the array that came in; the next epoch judges the filling.
    See “Exercise 4.6 · Positions that do not count”."""
    keep = targets >= 0
    targets[~keep] = 0
    if not keep.any():
        return 0.0, np.zeros_like(logits)
    z = Tensor(logits, requires_grad=True)
    weights = keep / keep.sum()
    shifted = logits - logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(targets)), targets]
    cross_entropy(z, targets).backward()
    return (losses * weights).sum(), z.grad * len(targets) * weights[:, None]


def my_masked_cross_entropy__token_0_is_taken_for_filling(logits, targets):
    """Token 0 was taken for filling too; it is a token like the others, and only the target −1 does
    not count. See “Exercise 4.6 · Positions that do not count”."""
    keep = targets > 0
    if not keep.any():
        return 0.0, np.zeros_like(logits)
    z = Tensor(logits[keep], requires_grad=True)
    loss = cross_entropy(z, targets[keep])
    loss.backward()
    gradient = np.zeros_like(logits)
    gradient[keep] = z.grad
    return loss.item(), gradient


def my_masked_cross_entropy__in_float32(logits, targets):
    """The logits were made float32, which has seven digits: of large logits the differences are
    rounded away. See “Exercise 4.6 · Positions that do not count”."""
    keep = targets >= 0
    gradient = np.zeros(logits.shape, dtype=np.float32)
    if not keep.any():
        return 0.0, gradient
    z = Tensor(logits[keep].astype(np.float32), requires_grad=True)
    loss = cross_entropy(z, targets[keep])
    loss.backward()
    gradient[keep] = z.grad
    return loss.item(), gradient
