"""Plausible wrong attempts at the exercises of chapter 04."""

import numpy as np

from minigrad.losses import cross_entropy
from minigrad.tensor import Tensor


def my_log_sum_exp(logits):  # overflows
    return np.log(np.exp(logits).sum(axis=1))


def my_log_sum_exp(logits):  # the largest logit is not added back
    return np.log(np.exp(logits - logits.max(axis=1, keepdims=True)).sum(axis=1))


def my_log_sum_exp(logits):  # one maximum for all rows
    m = logits.max()
    return m + np.log(np.exp(logits - m).sum(axis=1))


def my_log_sum_exp(logits):  # N numbers are not a column
    m = logits.max(axis=1)
    return m + np.log(np.exp(logits - m).sum(axis=1))


def my_log_sum_exp(logits):  # keeps the axis
    m = logits.max(axis=1, keepdims=True)
    return m + np.log(np.exp(logits - m).sum(axis=1, keepdims=True))


def my_log_sum_exp(logits):  # (N, 1) and (N,) make (N, N)
    m = logits.max(axis=1, keepdims=True)
    return m + np.log(np.exp(logits - m).sum(axis=1))


def my_log_sum_exp(logits):  # sums over the positions
    m = logits.max(axis=0)
    return m + np.log(np.exp(logits - m).sum(axis=0))


def my_log_sum_exp(logits):  # sums over everything
    m = logits.max()
    return m + np.log(np.exp(logits - m).sum())


def my_log_sum_exp(logits):  # changes its argument
    m = logits.max(axis=1)
    logits -= m[:, None]
    return m + np.log(np.exp(logits).sum(axis=1))


def my_log_sum_exp(logits):  # cuts off what would overflow
    return np.log(np.exp(np.clip(logits, -700, 700)).sum(axis=1))


def my_cross_entropy(logits, targets):  # takes logits for logarithms of probabilities
    return -logits[np.arange(len(targets)), targets].mean()


def my_cross_entropy(logits, targets):  # a colon in place of the rows' numbers
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -log_probabilities[:, targets].mean()


def my_cross_entropy(logits, targets):  # the sum, not the mean
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (np.log(np.exp(shifted).sum(axis=1)) - picked).sum()


def my_cross_entropy(logits, targets):  # one loss a position
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(targets)), targets]


def my_cross_entropy(logits, targets):  # the logarithm comes after the softmax
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(targets)), targets]).mean()


def my_cross_entropy(logits, targets):  # hides the infinity behind a small number
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    return -np.log(p[np.arange(len(targets)), targets] + 1e-9).mean()


def my_cross_entropy(logits, targets):  # overflows
    picked = logits[np.arange(len(targets)), targets]
    return (np.log(np.exp(logits).sum(axis=1)) - picked).mean()


def my_cross_entropy(logits, targets):  # the maximum is taken off one term only
    m = logits.max(axis=1, keepdims=True)
    picked = logits[np.arange(len(targets)), targets]
    return (np.log(np.exp(logits - m).sum(axis=1)) - picked).mean()


def my_cross_entropy(logits, targets):  # without the minus
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (picked - np.log(np.exp(shifted).sum(axis=1))).mean()


def my_cross_entropy(logits, targets):  # bits
    shifted = logits - logits.max(axis=1, keepdims=True)
    picked = shifted[np.arange(len(targets)), targets]
    return (np.log(np.exp(shifted).sum(axis=1)) - picked).mean() / np.log(2)


def my_cross_entropy_gradient(logits, targets):  # not divided by N
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad


def my_cross_entropy_gradient(logits, targets):  # divided by all entries
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / grad.size


def my_cross_entropy_gradient(logits, targets):  # the sign of the step
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    return (np.eye(logits.shape[1])[targets] - p) / len(targets)


def my_cross_entropy_gradient(logits, targets):  # takes 1 from whole columns
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[:, targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient(logits, targets):  # softmax over the positions
    exp = np.exp(logits - logits.max(axis=0))
    grad = exp / exp.sum(axis=0)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient(logits, targets):  # one sum for all rows
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum()
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient(logits, targets):  # without the softmax
    grad = logits.copy()
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient(logits, targets):  # only the softmax is divided
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    grad = exp / exp.sum(axis=1, keepdims=True) / len(targets)
    grad[np.arange(len(targets)), targets] -= 1
    return grad


def my_cross_entropy_gradient(logits, targets):  # changes its argument
    np.exp(logits - logits.max(axis=1, keepdims=True), out=logits)
    grad = logits / logits.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_cross_entropy_gradient(logits, targets):  # overflows
    exp = np.exp(logits)
    grad = exp / exp.sum(axis=1, keepdims=True)
    grad[np.arange(len(targets)), targets] -= 1
    return grad / len(targets)


def my_units(probabilities, lengths):  # the average number of choices
    return (1 / probabilities).mean(), -np.log2(probabilities).sum() / lengths.sum()


def my_units(probabilities, lengths):  # e to a number of bits
    bits = -np.log2(probabilities)
    return np.exp(bits.mean()), bits.sum() / lengths.sum()


def my_units(probabilities, lengths):  # nats per character
    surprise = -np.log(probabilities)
    return np.exp(surprise.mean()), surprise.sum() / lengths.sum()


def my_units(probabilities, lengths):  # bits per token
    bits = -np.log2(probabilities)
    return 2 ** bits.mean(), bits.mean()


def my_units(probabilities, lengths):  # the mean of each token's own ratio
    bits = -np.log2(probabilities)
    return 2 ** bits.mean(), (bits / lengths).mean()


def my_units(probabilities, lengths):  # perplexity per character
    bits = -np.log2(probabilities).sum() / lengths.sum()
    return 2**bits, bits


def my_units(probabilities, lengths):  # the logarithm of the mean probability
    surprise = -np.log(probabilities.mean())
    total = -np.log2(probabilities).sum()
    return np.exp(surprise), total / lengths.sum()


def my_units(probabilities, lengths):  # the product is too small for a number
    bits = -np.log2(probabilities.prod())
    return 2 ** (bits / len(lengths)), bits / lengths.sum()


def my_forecast_losses(seen, new, vocab):  # what was never seen is impossible
    unigram = np.bincount(seen, minlength=vocab) / len(seen)
    return np.log(vocab), -np.log(unigram)[new].mean()


def my_forecast_losses(seen, new, vocab):  # the probabilities sum to more than 1
    unigram = (np.bincount(seen, minlength=vocab) + 1) / len(seen)
    return np.log(vocab), -np.log(unigram)[new].mean()


def my_forecast_losses(seen, new, vocab):  # counts in the text that is judged
    counts = np.bincount(new, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_forecast_losses(seen, new, vocab):  # judged on the text that was counted
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[seen].mean()


def my_forecast_losses(seen, new, vocab):  # averages over the alphabet
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum()).mean()


def my_forecast_losses(seen, new, vocab):  # the sum
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].sum()


def my_forecast_losses(seen, new, vocab):  # bits
    counts = np.bincount(seen, minlength=vocab) + 1
    return np.log2(vocab), -np.log2(counts / counts.sum())[new].mean()


def my_forecast_losses(seen, new, vocab):  # only tokens that were not seen get one more
    counts = np.maximum(np.bincount(seen, minlength=vocab), 1)
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_forecast_losses(seen, new, vocab):  # the alphabet ends at the largest token that came
    size = max(seen.max(), new.max()) + 1
    counts = np.bincount(seen, minlength=size) + 1
    return np.log(vocab), -np.log(counts / counts.sum())[new].mean()


def my_masked_cross_entropy(logits, targets):  # no mask: -1 is the last token
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    loss = (np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]).mean()
    grad[n, targets] -= 1
    return loss, grad / len(targets)


def my_masked_cross_entropy(logits, targets):  # divided by all positions
    keep = targets >= 0
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]
    grad[n, targets] -= 1
    return (losses * keep).mean(), grad * keep[:, None] / len(targets)


def my_masked_cross_entropy(logits, targets):  # the loss is masked, the gradient is not
    keep = targets >= 0
    shifted = logits - logits.max(axis=1, keepdims=True)
    n = np.arange(len(targets))
    grad = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    losses = np.log(np.exp(shifted).sum(axis=1)) - shifted[n, targets]
    grad[n, targets] -= 1
    return (losses * keep).sum() / max(keep.sum(), 1), grad / max(keep.sum(), 1)


def my_masked_cross_entropy(logits, targets):  # the gradient's softmax stays, only the 1 is masked
    keep = targets >= 0
    if not keep.any():
        return 0.0, np.zeros_like(logits)
    exp = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = exp / exp.sum(axis=1, keepdims=True)
    n = np.arange(len(targets))
    loss = -np.log(p[n, targets])[keep].mean()
    p[n[keep], targets[keep]] -= 1
    return loss, p / keep.sum()


def my_masked_cross_entropy(logits, targets):  # a row of zeros still costs ln(vocab)
    keep = targets >= 0
    z = Tensor(logits * keep[:, None], requires_grad=True)
    loss = cross_entropy(z, np.where(keep, targets, 0))
    loss.backward()
    return loss.item(), z.grad * keep[:, None]


def my_masked_cross_entropy(logits, targets):  # the gradient of the kept rows only
    keep = targets >= 0
    z = Tensor(logits[keep], requires_grad=True)
    loss = cross_entropy(z, targets[keep])
    loss.backward()
    return loss.item(), z.grad


def my_masked_cross_entropy(logits, targets):  # the kept rows are moved to the front
    keep = targets >= 0
    if not keep.any():
        return 0.0, np.zeros_like(logits)
    z = Tensor(logits[keep], requires_grad=True)
    loss = cross_entropy(z, targets[keep])
    loss.backward()
    gradient = np.zeros_like(logits)
    gradient[: keep.sum()] = z.grad
    return loss.item(), gradient


def my_masked_cross_entropy(logits, targets):  # nothing counts: 0 / 0
    keep = (targets >= 0)[:, None]
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    one_hot = np.eye(logits.shape[1])[targets]
    count = keep.sum()
    return -(keep * one_hot * np.log(p)).sum() / count, keep * (p - one_hot) / count
