"""Attempts at chapter 02 that nobody has met: known mistakes and right answers, written anew."""

import numpy as np

from minigrad.tensor import record


def my_numeric_gradient__forward_differences__heldout_copies(f, a, eps):
    here, out = f(a), np.empty(a.shape)
    for place in np.ndindex(*a.shape):
        moved = a.copy()
        moved[place] += eps
        out[place] = (f(moved) - here) / eps
    return out


def my_numeric_gradient__divides_by_eps__heldout_flat(f, a, eps):
    out = []
    for i in range(a.size):
        values = []
        for step in (eps, -eps):
            moved = a.copy()
            moved.flat[i] += step
            values.append(f(moved))
        out.append((values[0] - values[1]) / eps)
    return np.array(out, dtype=float).reshape(a.shape)


def my_softmax_vjp__diagonal_of_the_jacobian_alone__heldout_expanded(p, g):
    return g * (p - p**2)


def my_softmax_vjp__plain_mean_of_g_not_the_one_weighted_with_p__heldout_sum(p, g):
    n = p.shape[-1]
    return (g - np.sum(g, axis=-1)[..., np.newaxis] / n) * p


def my_softmax_vjp__p_multiplied_in_too_early__heldout_names(p, g):
    weighted = g * p
    return weighted - np.sum(weighted, -1, keepdims=True)


def my_softmax_vjp__sign_is_wrong__heldout_bracket(p, g):
    a = np.sum(p * g, axis=-1, keepdims=True)
    return -p * (g - a)


def my_log_softmax_vjp__sum_of_g_is_missing__heldout_probabilities(y, g):
    probabilities = np.e**y
    return -probabilities + g


def my_log_softmax_vjp__output_depends_on_its_own_logit_only__heldout_expanded(y, g):
    return g - g * np.exp(y)


def my_log_softmax_vjp__mean_in_place_of_sum__heldout_divided(y, g):
    total = np.add.reduce(g, axis=-1, keepdims=True)
    return g - total * np.exp(y) / y.shape[-1]


def my_layer_norm_gradient__direct_path_alone__heldout_power(x, g, eps):
    v = np.var(x, axis=-1, keepdims=True)
    return g * (v + eps) ** -0.5


def my_layer_norm_gradient__path_through_the_variance_is_missing__heldout_r(x, g, eps):
    centred = x - np.mean(x, -1, keepdims=True)
    r = 1 / np.sqrt(np.mean(centred * centred, -1, keepdims=True) + eps)
    return r * g - r * np.mean(g, -1, keepdims=True)


def my_layer_norm_gradient__eps_outside_of_the_root__heldout_r(x, g, eps):
    c = x - x.mean(-1)[..., None]
    r = 1 / (np.sqrt((c**2).mean(-1)[..., None]) + eps)
    hat = c * r
    return r * (g - g.mean(-1)[..., None] - hat * (hat * g).mean(-1)[..., None])


def my_softplus__inner_derivative_is_missing__heldout_stable(x):
    value = np.logaddexp(x.data, 0)
    return record(value, (x, lambda g: g * np.exp(-value)))


def my_softplus__slope_alone_without_g__heldout_stable(x):
    value = np.logaddexp(x.data, 0)
    return record(value, (x, lambda g: 1 / (1 + np.exp(-x.data))))


def my_rms_norm__weight_is_forgotten_on_the_way_back__heldout_r(x, weight, eps):
    r = (np.mean(x.data * x.data, axis=-1, keepdims=True) + eps) ** -0.5
    hat = x.data * r
    axes = tuple(range(x.ndim - 1))
    return record(
        hat * weight.data,
        (x, lambda g: r * g - r * hat * np.mean(hat * g, axis=-1, keepdims=True)),
        (weight, lambda g: np.sum(g * hat, axis=axes)),
    )


def my_rms_norm__path_through_q_is_missing__heldout_r(x, weight, eps):
    r = (np.mean(x.data * x.data, axis=-1, keepdims=True) + eps) ** -0.5
    axes = tuple(range(x.ndim - 1))
    return record(
        weight.data * x.data * r,
        (x, lambda g: r * (g * weight.data)),
        (weight, lambda g: np.sum(g * x.data * r, axis=axes)),
    )


def my_numeric_gradient__correct_copies(f, a, eps):
    gradient = np.zeros(a.shape)
    for index in np.ndindex(a.shape):
        step = np.zeros(a.shape)
        step[index] = eps
        gradient[index] = (f(a + step) - f(a - step)) / eps / 2
    return gradient


def my_softmax_vjp__correct_expanded(p, g):
    weighted = p * g
    return weighted - p * weighted.sum(axis=-1, keepdims=True)


def my_softmax_vjp__correct_jacobian(p, g):
    jacobian = p[..., :, None] * (np.eye(p.shape[-1], dtype=p.dtype) - p[..., None, :])
    return np.einsum("...ij,...i->...j", jacobian, g)


def my_log_softmax_vjp__correct_einsum(y, g):
    return g - np.einsum("...i,...j->...i", np.exp(y), g)


def my_layer_norm_gradient__correct_projection(x, g, eps):
    c = x - x.mean(axis=-1, keepdims=True)
    squared = np.mean(c * c, axis=-1, keepdims=True) + eps
    flat = g - np.mean(g, axis=-1, keepdims=True)
    return flat / np.sqrt(squared) - c * np.mean(g * c, axis=-1, keepdims=True) / squared**1.5


def my_softplus__correct_logaddexp(x):
    value = np.logaddexp(x.data, 0)
    return record(value, (x, lambda g: np.exp(x.data - value) * g))


def my_rms_norm__correct_r(x, weight, eps):
    r = (np.mean(x.data * x.data, axis=-1, keepdims=True) + eps) ** -0.5
    hat = x.data * r
    axes = tuple(range(x.ndim - 1))

    def of_x(g):
        upper = g * weight.data
        return r * upper - r * hat * np.mean(upper * hat, axis=-1, keepdims=True)

    return record(hat * weight.data, (weight, lambda g: np.sum(g * hat, axis=axes)), (x, of_x))
