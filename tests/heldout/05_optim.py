"""Wrong attempts that vary a described one, and right answers, at the exercises of chapter 05."""

import math

import numpy as np


def my_momentum_step__average_instead_of_a_sum__heldout_lerp(p, g, velocity, lr, momentum):
    u = velocity + (1 - momentum) * (g - velocity)
    return p - u * lr, u


def my_momentum_step__learning_rate_inside_of_the_velocity__heldout_sign(
    p, g, velocity, lr, momentum
):
    change = lr * g
    new = velocity * momentum - change
    return new + p, new


def my_momentum_step__moves_by_the_old_velocity__heldout_order(p, g, velocity, lr, momentum):
    p = p - velocity * lr
    velocity = g + velocity * momentum
    return p, velocity


def my_momentum_step__both_change_in_place__heldout_slices(p, g, velocity, lr, momentum):
    velocity[:] = g + velocity * momentum
    p[:] = p - velocity * lr
    return p, velocity


def my_adam_step__no_bias_correction__heldout_names(g, m, v, t, beta1, beta2):
    first = m + (1 - beta1) * (g - m)
    second = v + (1 - beta2) * (g * g - v)
    return first, second, first / (second**0.5 + 1e-8)


def my_adam_step__keeps_the_averages_after_correction__heldout_names(g, m, v, t, beta1, beta2):
    b1, b2 = beta1, beta2
    m_hat = (b1 * m + (1 - b1) * g) / (1 - pow(b1, t))
    v_hat = (b2 * v + (1 - b2) * g * g) / (1 - pow(b2, t))
    return m_hat, v_hat, m_hat / (1e-8 + v_hat**0.5)


def my_adam_step__no_root_of_the_second_average__heldout_order(g, m, v, t, beta1, beta2):
    v = (1 - beta2) * np.square(g) + beta2 * v
    m = (1 - beta1) * g + beta1 * m
    step = (m / (1 - beta1**t)) / (v / (1 - beta2**t) + 1e-8)
    return m, v, step


def my_clipped_gradients__each_array_by_itself__heldout_loop(gradients, max_norm):
    result, total = {}, 0.0
    for name, g in gradients.items():
        own = math.sqrt((g * g).sum())
        total += own**2
        result[name] = g / own * max_norm if own > max_norm else g.copy()
    return total**0.5, result


def my_clipped_gradients__each_number_by_itself__heldout_minimum(gradients, max_norm):
    norm = math.sqrt(sum(np.vdot(g, g) for g in gradients.values()))
    short = {k: np.minimum(np.maximum(g, -max_norm), max_norm) for k, g in gradients.items()}
    return norm, short


def my_hold_and_fall_lr__begins_with_a_rate_of_0__heldout_minimum(step, peak, warmup, fall, end):
    up = step / warmup if warmup else 1
    down = (end - step) / (end - fall)
    return peak * max(0.0, min(1.0, up, down))


def my_hold_and_fall_lr__jump_where_the_fall_begins__heldout_if(step, peak, warmup, fall, end):
    if step >= end:
        return 0.0
    if step >= fall:
        return peak - peak * step / end
    return peak if step >= warmup else peak / (warmup + 1) * (step + 1)


def my_two_decays__steps_counted_from_0__heldout_one_loop(w, gradients, lr, decay):
    places, moments = [w, w], [np.zeros((2, *w.shape)), np.zeros((2, *w.shape))]
    for t in range(len(gradients)):
        for i, (pull, shrink) in enumerate(((decay, 0.0), (0.0, decay))):
            m, v = moments[i]
            g = gradients[t] + pull * places[i]
            m, v = m + (g - m) / 10, v + (g * g - v) / 1000
            moments[i] = np.array([m, v])
            step = m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            places[i] = places[i] - lr * shrink * places[i] - lr * step
    return places[0], places[1]


def my_two_decays__decay_comes_after_the_step__heldout_two_loops(w, gradients, lr, decay):
    def adam(gradient_of, shrink):
        theta, m, v = np.array(w), np.zeros(w.shape), np.zeros(w.shape)
        for t in range(1, len(gradients) + 1):
            g = gradient_of(gradients[t - 1], theta)
            m = m + 0.1 * (g - m)
            v = v + 0.001 * (g * g - v)
            theta = theta - lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            theta = theta - lr * shrink * theta
        return theta

    return adam(lambda g, x: g + decay * x, 0.0), adam(lambda g, x: g, decay)


def my_nesterov_end__plain_momentum__heldout_names(A, start, lr, momentum, steps):
    x, u = np.array(start), np.zeros(len(start))
    while steps:
        u = np.dot(A, x) + u * momentum
        x = x - u * lr
        steps -= 1
    return x


def my_nesterov_end__looks_ahead_without_the_learning_rate__heldout_names(
    A, start, lr, momentum, steps
):
    x, u = np.array(start), np.zeros(len(start))
    for _ in range(steps):
        u = u * momentum
        u = u + np.dot(A, x - u)
        x = x - u * lr
    return x


def my_momentum_step__correct_two_lines(p, g, velocity, lr, momentum):
    new = g + momentum * velocity
    return p - lr * g - lr * momentum * velocity, new


def my_adam_step__correct_joined(g, m, v, t, beta1, beta2):
    m = m + (1 - beta1) * (g - m)
    v = v + (1 - beta2) * (g * g - v)
    c = math.sqrt(1 - beta2**t)
    return m, v, c / (1 - beta1**t) * m / (np.sqrt(v) + 1e-8 * c)


def my_clipped_gradients__correct_concatenated(gradients, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in gradients.values()]))
    if norm <= max_norm:
        return norm, gradients
    return norm, {name: g * max_norm / norm for name, g in gradients.items()}


def my_hold_and_fall_lr__correct_minimum(step, peak, warmup, fall, end):
    rise = (step + 1) / (warmup + 1)
    sink = (end - step) / (end - fall)
    return peak * max(0.0, min(1.0, rise, sink))


def my_nesterov_end__correct_power(A, start, lr, momentum, steps):
    x, last = start, start
    for _ in range(steps):
        ahead = x + momentum * (x - last)
        x, last = ahead - lr * (A @ ahead), x
    return x
