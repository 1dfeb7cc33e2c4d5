"""Plausible wrong attempts at the exercises of chapter 05."""

import numpy as np


def my_momentum_step__average_instead_of_a_sum(p, g, velocity, lr, momentum):
    """an average instead of a sum"""
    velocity = momentum * velocity + (1 - momentum) * g
    return p - lr * velocity, velocity


def my_momentum_step__moves_by_the_old_velocity(p, g, velocity, lr, momentum):
    """moves by the old velocity"""
    return p - lr * velocity, momentum * velocity + g


def my_momentum_step__goes_uphill(p, g, velocity, lr, momentum):
    """goes uphill"""
    velocity = momentum * velocity + g
    return p + lr * velocity, velocity


def my_momentum_step__nothing_is_forgotten(p, g, velocity, lr, momentum):
    """nothing is forgotten"""
    velocity = velocity + g
    return p - lr * velocity, velocity


def my_momentum_step__learning_rate_inside_of_the_velocity(p, g, velocity, lr, momentum):
    """the learning rate inside of the velocity"""
    velocity = momentum * velocity - lr * g
    return p + velocity, velocity


def my_momentum_step__velocity_is_not_returned(p, g, velocity, lr, momentum):
    """the velocity is not returned"""
    return p - lr * (momentum * velocity + g)


def my_adam_step__no_bias_correction(g, m, v, t):
    """no bias correction"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    return m, v, m / (np.sqrt(v) + 1e-8)


def my_adam_step__corrected_averages_are_kept(g, m, v, t):
    """the corrected averages are kept"""
    m = (0.9 * m + 0.1 * g) / (1 - 0.9**t)
    v = (0.999 * v + 0.001 * g**2) / (1 - 0.999**t)
    return m, v, m / (np.sqrt(v) + 1e-8)


def my_adam_step__steps_counted_from_0(g, m, v, t):
    """steps counted from 0"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9 ** (t - 1)), v / (1 - 0.999 ** (t - 1))
    return m, v, m_hat / (np.sqrt(v_hat) + 1e-8)


def my_adam_step__t_times_instead_of_to_the_power_of_t(g, m, v, t):
    """t times instead of to the power of t"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9 * t), v / (1 - 0.999 * t)
    return m, v, m_hat / (np.sqrt(v_hat) + 1e-8)


def my_adam_step__correction_of_step_1_for_ever(g, m, v, t):
    """the correction of step 1 for ever"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9), v / (1 - 0.999)
    return m, v, m_hat / (np.sqrt(v_hat) + 1e-8)


def my_adam_step__no_root_of_the_second_average(g, m, v, t):
    """no root of the second average"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return m, v, m_hat / (v_hat + 1e-8)


def my_adam_step__gradient_is_not_squared(g, m, v, t):
    """the gradient is not squared"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return m, v, m_hat / (np.sqrt(v_hat) + 1e-8)


def my_adam_step__epsilon_under_the_root(g, m, v, t):
    """epsilon under the root"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return m, v, m_hat / np.sqrt(v_hat + 1e-8)


def my_adam_step__no_epsilon(g, m, v, t):
    """no epsilon"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
    return m, v, m_hat / np.sqrt(v_hat)


def my_adam_step__epsilon_is_added_to_the_uncorrected_root(g, m, v, t):
    """epsilon is added to the uncorrected root"""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    root = (np.sqrt(v) + 1e-8) / np.sqrt(1 - 0.999**t)
    return m, v, m / (1 - 0.9**t) / root


def my_clipped_gradients__each_array_by_itself(gradients, max_norm):
    """each array by itself"""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    own = {name: np.linalg.norm(g) for name, g in gradients.items()}
    return norm, {
        name: g * max_norm / own[name] if own[name] > max_norm else g
        for name, g in gradients.items()
    }


def my_clipped_gradients__each_number_by_itself(gradients, max_norm):
    """each number by itself"""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    return norm, {name: np.clip(g, -max_norm, max_norm) for name, g in gradients.items()}


def my_clipped_gradients__also_lengthens_short_gradients(gradients, max_norm):
    """also lengthens short gradients"""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    return norm, {name: g * max_norm / norm for name, g in gradients.items()}


def my_clipped_gradients__sum_of_the_norms(gradients, max_norm):
    """the sum of the norms"""
    norm = sum(np.linalg.norm(g) for g in gradients.values())
    factor = max_norm / norm if norm > max_norm else 1.0
    return norm, {name: g * factor for name, g in gradients.items()}


def my_clipped_gradients__no_root_of_the_sum_of_the_squares(gradients, max_norm):
    """no root of the sum of the squares"""
    norm = sum((g**2).sum() for g in gradients.values())
    factor = max_norm / norm if norm > max_norm else 1.0
    return norm, {name: g * factor for name, g in gradients.items()}


def my_clipped_gradients__returns_the_norm_after_clipping(gradients, max_norm):
    """returns the norm after clipping"""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    factor = max_norm / norm if norm > max_norm else 1.0
    return min(norm, max_norm), {name: g * factor for name, g in gradients.items()}


def my_clipped_gradients__divides_by_the_norm_whatever_the_limit(gradients, max_norm):
    """divides by the norm, whatever the limit"""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    factor = 1 / norm if norm > max_norm else 1.0
    return norm, {name: g * factor for name, g in gradients.items()}


def my_hold_and_fall_lr__begins_with_a_rate_of_0(step, peak, warmup, fall, end):
    """begins with a rate of 0"""
    if step < warmup:
        return peak * step / warmup
    if step < fall:
        return peak
    return peak * max(0, (end - step) / (end - fall))


def my_hold_and_fall_lr__at_the_peak_one_step_early(step, peak, warmup, fall, end):
    """at the peak one step early"""
    if step < warmup:
        return peak * (step + 1) / warmup
    if step < fall:
        return peak
    return peak * max(0, (end - step) / (end - fall))


def my_hold_and_fall_lr__falls_below_0(step, peak, warmup, fall, end):
    """falls below 0"""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step < fall:
        return peak
    return peak * (end - step) / (end - fall)


def my_hold_and_fall_lr__jump_where_the_fall_begins(step, peak, warmup, fall, end):
    """a jump where the fall begins"""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step < fall:
        return peak
    return peak * max(0, 1 - step / end)


def my_hold_and_fall_lr__fall_is_one_step_ahead(step, peak, warmup, fall, end):
    """the fall is one step ahead"""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step < fall:
        return peak
    return peak * max(0, (end - step - 1) / (end - fall))


def my_hold_and_fall_lr__warm_up_forgets_the_peak(step, peak, warmup, fall, end):
    """the warm-up forgets the peak"""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if step < fall:
        return peak
    return peak * max(0, (end - step) / (end - fall))


def my_hold_and_fall_lr__never_falls(step, peak, warmup, fall, end):
    """never falls: the branches overlap"""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step >= warmup:
        return peak
    return peak * max(0, (end - step) / (end - fall))


def my_two_decays__learning_rate_is_missing_in_the_decay(w, gradients, lr, decay):
    """the learning rate is missing in the decay"""
    ends = []
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta, m, v = w, 0, 0
        for t, g in enumerate(gradients, start=1):
            g = g + l2 * theta
            theta = theta * (1 - decoupled)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        ends.append(theta)
    return tuple(ends)


def my_two_decays__gradient_of_decay_w_2_without_the_one_half(w, gradients, lr, decay):
    """the gradient of decay * w**2, without the one half"""
    ends = []
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta, m, v = w, 0, 0
        for t, g in enumerate(gradients, start=1):
            g = g + 2 * l2 * theta
            theta = theta * (1 - lr * decoupled)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        ends.append(theta)
    return tuple(ends)


def my_two_decays__penalty_pulls_at_the_weights_of_the_start(w, gradients, lr, decay):
    """the penalty pulls at the weights of the start"""
    ends = []
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta, m, v = w, 0, 0
        for t, g in enumerate(gradients, start=1):
            g = g + l2 * w
            theta = theta * (1 - lr * decoupled)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        ends.append(theta)
    return tuple(ends)


def my_two_decays__decay_comes_after_the_step(w, gradients, lr, decay):
    """the decay comes after the step"""
    ends = []
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta, m, v = w, 0, 0
        for t, g in enumerate(gradients, start=1):
            g = g + l2 * theta
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            theta = theta * (1 - lr * decoupled)
        ends.append(theta)
    return tuple(ends)


def my_two_decays__no_bias_correction(w, gradients, lr, decay):
    """no bias correction"""
    ends = []
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta, m, v = w, 0, 0
        for g in gradients:
            g = g + l2 * theta
            theta = theta * (1 - lr * decoupled)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * m / (np.sqrt(v) + 1e-8)
        ends.append(theta)
    return tuple(ends)


def my_two_decays__returns_the_two_in_the_wrong_order(w, gradients, lr, decay):
    """returns the two in the wrong order"""
    ends = []
    for l2, decoupled in ((0, decay), (decay, 0)):
        theta, m, v = w, 0, 0
        for t, g in enumerate(gradients, start=1):
            g = g + l2 * theta
            theta = theta * (1 - lr * decoupled)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        ends.append(theta)
    return tuple(ends)


def my_two_decays__w_changes_in_place(w, gradients, lr, decay):
    """w changes in place: the second walk starts late"""
    ends = []
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta, m, v = w, 0, 0
        for t, g in enumerate(gradients, start=1):
            g = g + l2 * theta
            theta *= 1 - lr * decoupled
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta -= lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        ends.append(theta.copy())
    return tuple(ends)


def my_two_decays__m_and_v_are_not_set_back_for_the_second_walk(w, gradients, lr, decay):
    """m and v are not set back for the second walk"""
    ends, m, v = [], 0, 0
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta = w
        for t, g in enumerate(gradients, start=1):
            g = g + l2 * theta
            theta = theta * (1 - lr * decoupled)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        ends.append(theta)
    return tuple(ends)


def my_nesterov_end__plain_momentum(A, start, lr, momentum, steps):
    """plain momentum"""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        velocity = momentum * velocity + A @ theta
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__goes_on_from_the_place_ahead(A, start, lr, momentum, steps):
    """goes on from the place ahead"""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        ahead = theta - lr * momentum * velocity
        velocity = momentum * velocity + A @ ahead
        theta = ahead - lr * velocity
    return theta


def my_nesterov_end__looks_ahead_in_place(A, start, lr, momentum, steps):
    """looks ahead in place: theta moves twice"""
    theta, velocity = start.copy(), 0 * start
    for _ in range(steps):
        ahead = theta
        ahead -= lr * momentum * velocity
        velocity = momentum * velocity + A @ ahead
        theta -= lr * velocity
    return theta


def my_nesterov_end__looks_back_instead_of_ahead(A, start, lr, momentum, steps):
    """looks back instead of ahead"""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        velocity = momentum * velocity + A @ (theta + lr * momentum * velocity)
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__looks_ahead_without_the_learning_rate(A, start, lr, momentum, steps):
    """looks ahead without the learning rate"""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        velocity = momentum * velocity + A @ (theta - momentum * velocity)
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__looks_ahead_with_the_whole_velocity(A, start, lr, momentum, steps):
    """looks ahead with the whole velocity"""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        velocity = momentum * velocity + A @ (theta - lr * velocity)
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__number_by_number(A, start, lr, momentum, steps):
    """number by number: only the diagonal counts"""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        ahead = theta - lr * momentum * velocity
        velocity = momentum * velocity + np.diag(A) * ahead
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__where_the_matrix_product_belongs(A, start, lr, momentum, steps):
    """`*` where the matrix product belongs"""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        ahead = theta - lr * momentum * velocity
        velocity = momentum * velocity + A * ahead
        theta = theta - lr * velocity
    return theta
