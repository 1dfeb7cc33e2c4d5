"""Plausible wrong attempts at the exercises of chapter 02."""

import numpy as np

from minigrad.functional import layer_norm
from minigrad.tensor import record, unbroadcast


def my_numeric_gradient(f, a, eps):  # forward differences
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        original = a[index]
        here = f(a)
        a[index] = original + eps
        grad[index] = (f(a) - here) / eps
        a[index] = original
    return grad


def my_numeric_gradient(f, a, eps):  # divides by eps, though the points are 2 eps apart
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        original = a[index]
        a[index] = original + eps
        above = f(a)
        a[index] = original - eps
        grad[index] = (above - f(a)) / eps
        a[index] = original
    return grad


def my_numeric_gradient(f, a, eps):  # never puts the element back
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        original = a[index]
        a[index] = original + eps
        above = f(a)
        a[index] = original - eps
        grad[index] = (above - f(a)) / (2 * eps)
    return grad


def my_numeric_gradient(f, a, eps):  # puts it back by arithmetic, which rounds
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        a[index] += eps
        above = f(a)
        a[index] -= 2 * eps
        below = f(a)
        a[index] += eps
        grad[index] = (above - below) / (2 * eps)
    return grad


def my_numeric_gradient(f, a, eps):  # moves all elements at once
    return np.full(a.shape, (f(a + eps) - f(a - eps)) / (2 * eps))


def my_numeric_gradient(f, a, eps):  # `moved = a` is no copy: a itself changes
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        moved = a
        moved[index] += eps
        above = f(moved)
        moved = a
        moved[index] -= eps
        grad[index] = (above - f(moved)) / (2 * eps)
    return grad


def my_numeric_gradient(f, a, eps):  # the loop runs over the first axis alone
    grad = np.zeros_like(a)
    for i in range(len(a)):
        above, below = a.copy(), a.copy()
        above[i] += eps
        below[i] -= eps
        grad[i] = (f(above) - f(below)) / (2 * eps)
    return grad


def my_softmax_vjp(p, g):  # the diagonal of the Jacobian alone
    return g * p * (1 - p)


def my_softmax_vjp(p, g):  # as if the sum S did not depend on the logits
    return g * p


def my_softmax_vjp(p, g):  # the plain mean of g, not the one weighted with p
    return p * (g - g.mean(axis=-1, keepdims=True))


def my_softmax_vjp(p, g):  # the axis is gone
    return p * (g - (g * p).sum(axis=-1))


def my_softmax_vjp(p, g):  # one average for all rows
    return p * (g - (g * p).sum())


def my_softmax_vjp(p, g):  # the wrong axis
    return p * (g - (g * p).sum(axis=0, keepdims=True))


def my_softmax_vjp(p, g):  # p was multiplied in before the subtraction
    return p * g - (p * g).sum(axis=-1, keepdims=True)


def my_softmax_vjp(p, g):  # the sign
    return p * ((g * p).sum(axis=-1, keepdims=True) - g)


def my_softmax_vjp(p, g):  # changes the caller's array
    g -= (g * p).sum(axis=-1, keepdims=True)
    return p * g


def my_softmax_vjp(p, g):  # builds the Jacobian, of one row
    return (np.diag(p) - np.outer(p, p)) @ g


def my_log_softmax_vjp(y, g):  # the sum of g is missing
    return g - np.exp(y)


def my_log_softmax_vjp(y, g):  # y in place of the probabilities
    return g - y * g.sum(axis=-1, keepdims=True)


def my_log_softmax_vjp(y, g):  # the sign of the second term
    return g + np.exp(y) * g.sum(axis=-1, keepdims=True)


def my_log_softmax_vjp(y, g):  # the average of softmax's vjp
    p = np.exp(y)
    return g - p * (g * p).sum(axis=-1, keepdims=True)


def my_log_softmax_vjp(y, g):  # each output as if it depended on its own logit only
    return g * (1 - np.exp(y))


def my_log_softmax_vjp(y, g):  # mean in place of sum
    return g - np.exp(y) * g.mean(axis=-1, keepdims=True)


def my_log_softmax_vjp(y, g):  # one sum for all the rows
    return g - np.exp(y) * g.sum()


def my_log_softmax_vjp(y, g):  # takes y for the logits, and the wrong axis
    p = np.exp(y) / np.exp(y).sum(axis=0)
    return g - p * g.sum(axis=-1, keepdims=True)


def my_layer_norm_gradient(x, g, eps):  # the direct path alone
    return g / np.sqrt(x.var(axis=-1, keepdims=True) + eps)


def my_layer_norm_gradient(x, g, eps):  # the path through the variance is missing
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return (g - g.mean(axis=-1, keepdims=True)) / std


def my_layer_norm_gradient(x, g, eps):  # the path through the mean is missing
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / std


def my_layer_norm_gradient(x, g, eps):  # r is missing
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return g - g.mean(axis=-1, keepdims=True) - unit * along


def my_layer_norm_gradient(x, g, eps):  # c in place of x_hat
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    centred = x - x.mean(axis=-1, keepdims=True)
    along = (g * centred).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - centred * along) / std


def my_layer_norm_gradient(x, g, eps):  # divides by n - 1 in the variance
    std = np.sqrt(x.var(axis=-1, keepdims=True, ddof=1) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - unit * along) / std


def my_layer_norm_gradient(x, g, eps):  # eps outside of the root
    std = x.std(axis=-1, keepdims=True) + eps
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - unit * along) / std


def my_layer_norm_gradient(x, g, eps):  # averages over all rows
    std = np.sqrt(x.var() + eps)
    unit = (x - x.mean()) / std
    return (g - g.mean() - unit * (g * unit).mean()) / std


def my_layer_norm_gradient(x, g, eps):  # sums in place of means
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).sum(axis=-1, keepdims=True)
    return (g - g.sum(axis=-1, keepdims=True) - unit * along) / std


def my_softplus(x):  # composed, and not safe
    return (1 + x.exp()).log()


def my_softplus(x):  # one node, but e^x overflows
    e = np.exp(x.data)
    return record(np.log(1 + e), (x, lambda g: g * e / (1 + e)))


def my_softplus(x):  # the value is safe, the slope is not
    def vjp(g):
        e = np.exp(x.data)
        return g * e / (1 + e)

    return record(np.logaddexp(0, x.data), (x, vjp))


def my_softplus(x):  # one maximum for the whole row, as in softmax
    largest = np.maximum(x.data.max(), 0)
    total = np.exp(-largest) + np.exp(x.data - largest)
    slope = np.exp(x.data - largest) / total
    return record(largest + np.log(total), (x, lambda g: g * slope))


def my_softplus(x):  # x + ln(1 + e^-x) everywhere: safe above 0 alone
    e = np.exp(-x.data)
    return record(x.data + np.log(1 + e), (x, lambda g: g / (1 + e)))


def my_softplus(x):  # the slope alone, without g
    return record(np.logaddexp(0, x.data), (x, lambda g: 1 / (1 + np.exp(-x.data))))


def my_softplus(x):  # 1 / (1 + e^x): the logarithm's derivative without the inner one
    return record(np.logaddexp(0, x.data), (x, lambda g: g / (1 + np.exp(x.data))))


def my_softplus(x):  # cut off: not there yet at -3
    y = np.where(x.data > -2, np.logaddexp(0, x.data), 0)
    return record(y, (x, lambda g: g * (y > 0) / (1 + np.exp(-x.data))))


def my_softplus(x):  # the value of the mirrored function
    return record(np.logaddexp(0, -x.data), (x, lambda g: -g / (1 + np.exp(x.data))))


def my_softplus(x):  # an array, nothing recorded
    return np.logaddexp(0, x.data)


def my_softplus(x):  # nothing recorded either
    return type(x)(np.logaddexp(0, x.data))


def my_rms_norm(x, weight, eps):  # layer_norm's mean is still there
    return layer_norm(x, weight, None, eps)


def my_rms_norm(x, weight, eps):  # the path through q is missing
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms
    return record(
        unit * weight.data,
        (x, lambda g: g * weight.data / rms),
        (weight, lambda g: unbroadcast(g * unit, weight.shape)),
    )


def my_rms_norm(x, weight, eps):  # g in place of G: the weight is forgotten on the way back
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms
    return record(
        unit * weight.data,
        (x, lambda g: (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms),
        (weight, lambda g: unbroadcast(g * unit, weight.shape)),
    )


def my_rms_norm(x, weight, eps):  # the weight's gradient is not summed over the rows
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(unit * weight.data, (x, grad_x), (weight, lambda g: g * unit))


def my_rms_norm(x, weight, eps):  # the weight's gradient is summed over axis 0 only
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(unit * weight.data, (x, grad_x), (weight, lambda g: (g * unit).sum(axis=0)))


def my_rms_norm(x, weight, eps):  # the sum of the squares, not their mean
    rms = np.sqrt((x.data**2).sum(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).sum(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm(x, weight, eps):  # a sum where a mean belongs, in the vjp alone
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).sum(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm(x, weight, eps):  # eps outside of the root
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True)) + eps
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm(x, weight, eps):  # right, but in many nodes
    return x / ((x * x).mean(axis=-1, keepdims=True) + eps).sqrt() * weight


def my_rms_norm(x, weight, eps):  # one r for all rows
    rms = np.sqrt((x.data**2).mean() + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean()) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )
