"""Wrong attempts that vary a described one, and right answers, at the exercises of chapter 04."""

import numpy as np

from minigrad.losses import cross_entropy
from minigrad.tensor import Tensor


def my_log_sum_exp__overflows__heldout_row_by_row(logits):
    return np.array([np.log(sum(np.exp(z) for z in row)) for row in logits])


def my_log_sum_exp__largest_logit_is_not_added_back__heldout_named(logits):
    biggest = np.max(logits, axis=-1)
    differences = (logits.T - biggest).T
    return np.log(np.sum(np.exp(differences), axis=-1))


def my_log_sum_exp__smallest_logit_is_taken_off__heldout_sorted(logits):
    lowest = np.sort(logits, axis=1)[:, :1]
    return lowest[:, 0] + np.log(np.exp(logits - lowest).sum(1))


def my_log_sum_exp__keeps_the_axis__heldout_reshape(logits):
    top = np.amax(logits, axis=1).reshape(-1, 1)
    total = np.exp(logits - top).sum(axis=1).reshape(-1, 1)
    return np.log(total) + top


def my_cross_entropy__colon_in_place_of_the_rows_numbers__heldout_log_softmax(logits, targets):
    top = logits.max(1)[:, None]
    log_sum = top + np.log(np.exp(logits - top).sum(1)[:, None])
    return np.mean(log_sum - logits[:, targets])


def my_cross_entropy__sum_not_the_mean__heldout_loop(logits, targets):
    total = 0.0
    for z, y in zip(logits, targets):
        z = z - z.max()
        total -= z[y] - np.log(np.exp(z).sum())
    return total


def my_cross_entropy__without_the_minus__heldout_order(logits, targets):
    top = logits.max(axis=1, keepdims=True)
    logs = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    return sum(logs[i, y] for i, y in enumerate(targets)) / len(logits)


def my_cross_entropy_gradient__not_divided_by_n__heldout_one_hot(logits, targets):
    e = np.exp(logits - logits.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True) - np.eye(logits.shape[1])[targets]


def my_cross_entropy_gradient__sign_of_the_step__heldout_loop(logits, targets):
    push = np.zeros(logits.shape)
    for i, y in enumerate(targets):
        e = np.exp(logits[i] - logits[i].max())
        push[i] = -e / e.sum()
        push[i, y] += 1
    return push / len(push)


def my_units__average_number_of_choices__heldout_power(probabilities, lengths):
    total = -np.log(probabilities).sum() / np.log(2)
    return np.mean(probabilities**-1.0), total / sum(lengths)


def my_units__bits_per_token__heldout_nats(probabilities, lengths):
    loss = -np.mean(np.log(probabilities))
    return np.exp(loss), loss / np.log(2)


def my_forecast_losses__counts_in_the_text_that_is_judged__heldout_dict(seen, new, vocab):
    counts = {token: 1 for token in range(vocab)}
    for token in new:
        counts[int(token)] += 1
    total = sum(counts.values())
    return np.log(vocab), np.mean([np.log(total / counts[int(token)]) for token in new])


def my_masked_cross_entropy__no_mask_and_overflows__heldout_fancy(logits, targets):
    exp, rows = np.exp(logits), range(len(logits))
    shares = exp / exp.sum(axis=-1)[:, None]
    one_hot = np.zeros(logits.shape)
    one_hot[rows, targets] = 1
    return np.mean([-np.log(shares[i, targets[i]]) for i in rows]), (shares - one_hot) / len(logits)


def my_masked_cross_entropy__divided_by_all_positions__heldout_zeros(logits, targets):
    losses, gradient = np.zeros(len(targets)), np.zeros(logits.shape)
    for i, y in enumerate(targets):
        if y != -1:
            z = logits[i] - logits[i].max()
            gradient[i] = np.exp(z) / np.exp(z).sum()
            losses[i] = np.log(np.exp(z).sum()) - z[y]
            gradient[i, y] -= 1
    return losses.mean(), gradient / len(targets)


def my_log_sum_exp__correct_pairwise(logits):
    return np.logaddexp.reduce(logits, axis=1)


def my_cross_entropy__correct_tensor(logits, targets):
    return cross_entropy(Tensor(logits), targets).item()


def my_cross_entropy_gradient__correct_loop(logits, targets):
    gradient = np.zeros(logits.shape)
    for row, z, y in zip(gradient, logits, targets):
        row[:] = np.exp(z - np.logaddexp.reduce(z))
        row[y] -= 1
        row /= len(targets)
    return gradient


def my_units__correct_bits(probabilities, lengths):
    bits = -np.log2(probabilities)
    return 2 ** np.mean(bits), np.sum(bits) / np.sum(lengths)


def my_forecast_losses__correct_dict(seen, new, vocab):
    shares = [(list(seen).count(token) + 1) / (len(seen) + vocab) for token in range(vocab)]
    return np.log(vocab), -sum(np.log(shares[token]) for token in new) / len(new)


def my_masked_cross_entropy__correct_weights(logits, targets):
    counts = (targets != -1).astype(float)
    n = max(counts.sum(), 1)
    top = logits.max(axis=1, keepdims=True)
    log_p = logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True))
    one_hot = np.eye(logits.shape[1])[np.maximum(targets, 0)]
    loss = -(log_p * one_hot).sum(axis=1) @ counts / n
    return loss, (np.exp(log_p) - one_hot) * counts[:, None] / n
