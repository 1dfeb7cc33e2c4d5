"""Plausible wrong attempts at the exercises of chapter 05."""

import numpy as np


def my_momentum_step__average_instead_of_a_sum(p, g, velocity, lr, momentum):
    """The gradient was averaged in; SGD's velocity adds the whole gradient, and only Adam averages.
    See “Momentum”."""
    velocity = momentum * velocity + (1 - momentum) * g
    return p - lr * velocity, velocity


def my_momentum_step__moves_by_the_old_velocity(p, g, velocity, lr, momentum):
    """The parameters moved by the velocity from before this step, which knows nothing of the new
    gradient. See “Momentum”."""
    return p - lr * velocity, momentum * velocity + g


def my_momentum_step__goes_uphill(p, g, velocity, lr, momentum):
    """The step was added: that goes along the gradient, and uphill. See “Walking downhill”."""
    velocity = momentum * velocity + g
    return p + lr * velocity, velocity


def my_momentum_step__nothing_is_forgotten(p, g, velocity, lr, momentum):
    """The old velocity stayed whole; each step keeps only a part of it, else the ball never slows
    down. See “Momentum”."""
    velocity = velocity + g
    return p - lr * velocity, velocity


def my_momentum_step__learning_rate_inside_of_the_velocity(p, g, velocity, lr, momentum):
    """The learning rate went into the velocity; there it would still act when a schedule has
    changed it. Here it comes in only where the parameters move. See “Exercise 5.1 · A step with
    momentum”."""
    velocity = momentum * velocity - lr * g
    return p + velocity, velocity


def my_momentum_step__velocity_is_not_returned(p, g, velocity, lr, momentum):
    """Only the parameters came back; the next step needs the velocity too. See “Exercise 5.1 · A
    step with momentum”."""
    return p - lr * (momentum * velocity + g)


def my_momentum_step__velocity_kept_outside(p, g, velocity, lr, momentum, own=[]):  # noqa: B006
    """The velocity was kept in the function and the one that came in ignored; two parameters would
    share one velocity. See “Exercise 5.1 · A step with momentum”."""
    old = own[-1] if own else velocity
    own.append(momentum * old + g)
    return p - lr * own[-1], own[-1]


def my_momentum_step__velocity_changes_in_place(p, g, velocity, lr, momentum):
    """The velocity that came in was changed; return new arrays, so that whoever called still has
    the old ones. See “Exercise 5.1 · A step with momentum”."""
    velocity *= momentum
    velocity += g
    return p - lr * velocity, velocity


def my_momentum_step__parameters_change_in_place(p, g, velocity, lr, momentum):
    """The parameters that came in were moved; return new arrays, so that whoever called still has
    the old ones. See “Exercise 5.1 · A step with momentum”."""
    velocity = momentum * velocity + g
    p -= lr * velocity
    return p, velocity


def my_momentum_step__both_change_in_place(p, g, velocity, lr, momentum):
    """The parameters and the velocity that came in were changed; return new arrays, so that whoever
    called still has the old ones. See “Exercise 5.1 · A step with momentum”."""
    velocity *= momentum
    velocity += g
    p -= lr * velocity
    return p, velocity


def my_momentum_step__gradient_is_added_to_in_place(p, g, velocity, lr, momentum):
    """The old velocity was added into the gradient that came in; return new arrays, so that whoever
    called still has the gradient. See “Exercise 5.1 · A step with momentum”."""
    g += momentum * velocity
    return p - lr * g, g


def my_momentum_step__gradient_is_not_remembered(p, g, velocity, lr, momentum):
    """The parameters moved rightly, but the velocity that came back lacks the new gradient, and the
    next step has forgotten it. See “Momentum”."""
    return p - lr * (momentum * velocity + g), momentum * velocity


def my_momentum_step__momentum_on_the_new_velocity_too(p, g, velocity, lr, momentum):
    """The momentum was applied to the new velocity once more before the step; it only decides how
    much of the old one stays. See “Momentum”."""
    velocity = momentum * velocity + g
    return p - lr * (g + momentum * velocity), velocity


def my_adam_step__no_bias_correction(g, m, v, t, beta1, beta2):
    """The averages were used as they are; at the first steps they are too small, since they began
    at 0. See “Bias correction, by hand”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    return m, v, m / (np.sqrt(v) + 1e-8)


def my_adam_step__keeps_the_averages_after_correction(g, m, v, t, beta1, beta2):
    """The corrected averages were returned and would be corrected again at the next step; only the
    step uses them. See “Bias correction, by hand”."""
    m = (beta1 * m + (1 - beta1) * g) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * g**2) / (1 - beta2**t)
    return m, v, m / (np.sqrt(v) + 1e-8)


def my_adam_step__steps_counted_from_0(g, m, v, t, beta1, beta2):
    """The correction used the power t − 1; steps are counted from 1, and at the first one it
    divides by 0. See “Exercise 5.2 · Adam's step”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1 ** (t - 1)), v / (1 - beta2 ** (t - 1))
    return m, v, m_hat / (np.sqrt(v_hat) + 1e-8)


def my_adam_step__t_times_instead_of_to_the_power_of_t(g, m, v, t, beta1, beta2):
    """β was multiplied by t; what is left of the zero at the start shrinks by β at each step, so it
    is a power. See “Bias correction, by hand”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1 * t), v / (1 - beta2 * t)
    return m, v, m_hat / (np.sqrt(v_hat) + 1e-8)


def my_adam_step__correction_of_step_1_for_ever(g, m, v, t, beta1, beta2):
    """The correction of the first step was used at every step; it fades as t grows. See “Bias
    correction, by hand”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1), v / (1 - beta2)
    return m, v, m_hat / (np.sqrt(v_hat) + 1e-8)


def my_adam_step__no_root_of_the_second_average(g, m, v, t, beta1, beta2):
    """The step was divided by the average of the squares itself; its root is the size of a
    gradient. See “Adam: a scale for each parameter”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return m, v, m_hat / (v_hat + 1e-8)


def my_adam_step__gradient_is_not_squared(g, m, v, t, beta1, beta2):
    """The second average took the gradient as it is, so that opposite signs cancel; it averages
    squares. See “Adam: a scale for each parameter”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return m, v, m_hat / (np.sqrt(v_hat) + 1e-8)


def my_adam_step__epsilon_under_the_root(g, m, v, t, beta1, beta2):
    """Epsilon was added under the root, where it is as large as 1e-4 outside. See “Exercise 5.2 ·
    Adam's step”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return m, v, m_hat / np.sqrt(v_hat + 1e-8)


def my_adam_step__no_epsilon(g, m, v, t, beta1, beta2):
    """Nothing was added to the root: a gradient that has always been 0 gives 0/0. See “Bias
    correction, by hand”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat, v_hat = m / (1 - beta1**t), v / (1 - beta2**t)
    return m, v, m_hat / np.sqrt(v_hat)


def my_adam_step__epsilon_is_added_to_the_uncorrected_root(g, m, v, t, beta1, beta2):
    """Epsilon was added before the second average was corrected, so that it grows with the
    correction. See “Exercise 5.2 · Adam's step”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    root = (np.sqrt(v) + 1e-8) / np.sqrt(1 - beta2**t)
    return m, v, m / (1 - beta1**t) / root


def my_adam_step__betas_are_exchanged(g, m, v, t, beta1, beta2):
    """The two β were exchanged: the gradients are averaged over ten steps, the squares over a
    thousand. See “Adam: a scale for each parameter”."""
    m = beta2 * m + (1 - beta2) * g
    v = beta1 * v + (1 - beta1) * g**2
    return m, v, m / (1 - beta2**t) / (np.sqrt(v / (1 - beta1**t)) + 1e-8)


def my_adam_step__whole_gradient_is_added(g, m, v, t, beta1, beta2):
    """The whole gradient was added, as for SGD's velocity; an average takes only the part 1 − β of
    it. See “Adam: a scale for each parameter”."""
    m = beta1 * m + g
    v = beta2 * v + g**2
    return m, v, m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + 1e-8)


def my_adam_step__averages_change_in_place(g, m, v, t, beta1, beta2):
    """The averages that came in were changed; return new arrays. See “Exercise 5.2 · Adam's
    step”."""
    m *= beta1
    m += (1 - beta1) * g
    v *= beta2
    v += (1 - beta2) * g**2
    return m, v, m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + 1e-8)


def my_adam_step__step_uses_the_averages_from_before(g, m, v, t, beta1, beta2):
    """The step was made of the averages from before; it uses those that know this gradient. See
    “Exercise 5.2 · Adam's step”."""
    step = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + 1e-8)
    return beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2, step


def my_adam_step__square_of_the_average(g, m, v, t, beta1, beta2):
    """The average gradient was squared; where gradients alternate it is near 0, however large they
    are. Square first, then average. See “Adam: a scale for each parameter”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * m**2
    return m, v, m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + 1e-8)


def my_adam_step__correction_stops_too_early(g, m, v, t, beta1, beta2):
    """The correction was left out after a while; the second average remembers 1,000 steps, and is
    too small for longer than that. See “Bias correction, by hand”."""
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    if t > 100:
        return m, v, m / (np.sqrt(v) + 1e-8)
    return m, v, m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + 1e-8)


def my_adam_step__betas_are_written_in(g, m, v, t, beta1, beta2):
    """The two β were written in as 0.9 and 0.999; they come as arguments, and a language model is
    trained with others. See “Exercise 5.2 · Adam's step”."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    return m, v, m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)


def my_adam_step__second_average_never_falls(g, m, v, t, beta1, beta2):
    """The second average was kept from falling; it is an average, and forgets gradients that were
    large once. See “Adam: a scale for each parameter”."""
    m = beta1 * m + (1 - beta1) * g
    v = np.maximum(v, beta2 * v + (1 - beta2) * g**2)
    return m, v, m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + 1e-8)


def my_clipped_gradients__each_array_by_itself(gradients, max_norm):
    """Each array was cut to the limit by itself, which turns the direction of the whole step; there
    is one norm for all together. See “Gradient clipping”."""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    own = {name: np.linalg.norm(g) for name, g in gradients.items()}
    return norm, {
        name: g * max_norm / own[name] if own[name] > max_norm else g
        for name, g in gradients.items()
    }


def my_clipped_gradients__each_number_by_itself(gradients, max_norm):
    """Each number was cut off by itself, which turns the direction; one factor shortens all alike.
    See “Gradient clipping”."""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    return norm, {name: np.clip(g, -max_norm, max_norm) for name, g in gradients.items()}


def my_clipped_gradients__also_lengthens_short_gradients(gradients, max_norm):
    """A gradient below the limit was stretched to it; clipping only shortens. See “Gradient
    clipping”."""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    return norm, {name: g * max_norm / norm for name, g in gradients.items()}


def my_clipped_gradients__sum_of_the_norms(gradients, max_norm):
    """The lengths of the arrays were added; the joint norm adds their squares, as for the sides of
    a right triangle. See “Gradient clipping”."""
    norm = sum(np.linalg.norm(g) for g in gradients.values())
    factor = max_norm / norm if norm > max_norm else 1.0
    return norm, {name: g * factor for name, g in gradients.items()}


def my_clipped_gradients__no_root_of_the_sum_of_the_squares(gradients, max_norm):
    """The sum of the squares was taken for the norm; its root is missing. See “Gradient
    clipping”."""
    norm = sum((g**2).sum() for g in gradients.values())
    factor = max_norm / norm if norm > max_norm else 1.0
    return norm, {name: g * factor for name, g in gradients.items()}


def my_clipped_gradients__returns_the_norm_after_clipping(gradients, max_norm):
    """The norm after clipping came back; it would never tell you that a gradient was huge. See
    “Exercise 5.3 · Clipping”."""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    factor = max_norm / norm if norm > max_norm else 1.0
    return min(norm, max_norm), {name: g * factor for name, g in gradients.items()}


def my_clipped_gradients__divides_by_the_norm_whatever_the_limit(gradients, max_norm):
    """The gradient was cut to length 1, whatever the limit is. See “Exercise 5.3 · Clipping”."""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    factor = 1 / norm if norm > max_norm else 1.0
    return norm, {name: g * factor for name, g in gradients.items()}


def my_clipped_gradients__gradients_change_in_place(gradients, max_norm):
    """The arrays that came in were scaled; return new ones. See “Exercise 5.3 · Clipping”."""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    if norm > max_norm:
        for g in gradients.values():
            g *= max_norm / norm
    return norm, gradients


def my_clipped_gradients__spectral_norm_of_a_matrix(gradients, max_norm):
    """For a matrix `np.linalg.norm(g, 2)` is how far it stretches a vector, not the root of the sum
    of its squares. See “Exercise 5.3 · Clipping”."""
    norm = np.sqrt(sum(np.linalg.norm(g, 2) ** 2 for g in gradients.values()))
    factor = max_norm / norm if norm > max_norm else 1.0
    return norm, {name: factor * g for name, g in gradients.items()}


def my_clipped_gradients__largest_number_is_the_norm(gradients, max_norm):
    """The largest number was taken for the length; a long vector may have only small numbers. See
    “Gradient clipping”."""
    norm = max(np.abs(g).max() for g in gradients.values())
    factor = max_norm / norm if norm > max_norm else 1.0
    return norm, {name: factor * g for name, g in gradients.items()}


def my_clipped_gradients__norm_of_what_was_seen_so_far(gradients, max_norm):
    """Each array was scaled by the norm of those before it and itself, so that each got another
    factor; the norm must be complete first. See “Gradient clipping”."""
    squares, clipped = 0.0, {}
    for name, g in gradients.items():
        squares += (g**2).sum()
        norm = np.sqrt(squares)
        clipped[name] = g * max_norm / norm if norm > max_norm else g
    return norm, clipped


def my_clipped_gradients__nothing_to_clip_is_divided_by(gradients, max_norm):
    """The factor is the smaller of 1 and the limit over the norm; where all gradients are 0, that
    divides by 0. See “Exercise 5.3 · Clipping”."""
    norm = np.sqrt(sum((g**2).sum() for g in gradients.values()))
    factor = min(1.0, max_norm / float(norm))
    return norm, {name: factor * g for name, g in gradients.items()}


def my_hold_and_fall_lr__begins_with_a_rate_of_0(step, peak, warmup, fall, end):
    """The warm-up begins with a rate of 0, so that the first step is lost. See “Exercise 5.4 · Warm
    up, hold, fall”."""
    if step < warmup:
        return peak * step / warmup
    if step < fall:
        return peak
    return peak * max(0, (end - step) / (end - fall))


def my_hold_and_fall_lr__at_the_peak_one_step_early(step, peak, warmup, fall, end):
    """The last step of the warm-up is at the peak already; with 3 steps of warm-up they stand at
    1/4, 2/4 and 3/4. See “Exercise 5.4 · Warm up, hold, fall”."""
    if step < warmup:
        return peak * (step + 1) / warmup
    if step < fall:
        return peak
    return peak * max(0, (end - step) / (end - fall))


def my_hold_and_fall_lr__falls_below_0(step, peak, warmup, fall, end):
    """After the end the line was followed below 0: with a negative rate the steps go uphill. See
    “Exercise 5.4 · Warm up, hold, fall”."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step < fall:
        return peak
    return peak * (end - step) / (end - fall)


def my_hold_and_fall_lr__jump_where_the_fall_begins(step, peak, warmup, fall, end):
    """The fall was measured from step 0, so that the rate jumps down where it begins. See “Exercise
    5.4 · Warm up, hold, fall”."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step < fall:
        return peak
    return peak * max(0, 1 - step / end)


def my_hold_and_fall_lr__fall_is_one_step_ahead(step, peak, warmup, fall, end):
    """The fall is a step ahead; where it begins it is still at the peak. See “Exercise 5.4 · Warm
    up, hold, fall”."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step < fall:
        return peak
    return peak * max(0, (end - step - 1) / (end - fall))


def my_hold_and_fall_lr__warm_up_forgets_the_peak(step, peak, warmup, fall, end):
    """The warm-up rises to 1 and not to the peak. See “Exercise 5.4 · Warm up, hold, fall”."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    if step < fall:
        return peak
    return peak * max(0, (end - step) / (end - fall))


def my_hold_and_fall_lr__never_falls(step, peak, warmup, fall, end):
    """The second branch catches every step after the warm-up, so that the fall is never reached.
    See “Exercise 5.4 · Warm up, hold, fall”."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step >= warmup:
        return peak
    return peak * max(0, (end - step) / (end - fall))


def my_hold_and_fall_lr__falls_along_a_cosine(step, peak, warmup, fall, end):
    """This falls along a cosine; here a straight line was asked for. See “Exercise 5.4 · Warm up,
    hold, fall”."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    if step < fall:
        return peak
    done = min(1, (step - fall) / (end - fall))
    return peak * 0.5 * (1 + np.cos(np.pi * done))


def my_hold_and_fall_lr__rounds_the_rate(step, peak, warmup, fall, end):
    """The rate was rounded, and small rates lose most of what they are. See “Exercise 5.4 · Warm
    up, hold, fall”."""
    if step < warmup:
        return round(peak * (step + 1) / (warmup + 1), 2)
    if step < fall:
        return peak
    return round(peak * max(0, (end - step) / (end - fall)), 2)


def my_hold_and_fall_lr__whole_numbers_only(step, peak, warmup, fall, end):
    """`//` throws away what is behind the point, so that every fraction of the peak becomes 0. See
    “Exercise 5.4 · Warm up, hold, fall”."""
    if step < warmup:
        return peak * ((step + 1) // (warmup + 1))
    if step < fall:
        return peak
    return peak * max(0, (end - step) // (end - fall))


def my_hold_and_fall_lr__falls_from_the_end_of_the_warm_up(step, peak, warmup, fall, end):
    """The fall was measured from the end of the warm-up, so that the peak is not held. See
    “Exercise 5.4 · Warm up, hold, fall”."""
    if step < warmup:
        return peak * (step + 1) / (warmup + 1)
    return peak * min(1, max(0, (end - step) / (end - warmup)))


def my_two_decays__learning_rate_is_missing_in_the_decay(w, gradients, lr, decay):
    """The weights were multiplied by 1 minus the decay; each step shrinks them only by the learning
    rate times it. See “Weight decay, and why it is decoupled”."""
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
    """The pull is twice too strong: the penalty has a 1/2 in front so that its gradient has no 2.
    See “Weight decay, and why it is decoupled”."""
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
    """The penalty pulled at the weights of the start; it pulls at those of this step. See “Exercise
    5.5 · Two kinds of decay”."""
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
    """The weights shrank after the step; the decay comes first, and does not touch the step itself.
    See “Weight decay, and why it is decoupled”."""
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
    """The averages were used as they are; at the first steps they are too small, since they began
    at 0. See “Bias correction, by hand”."""
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


def my_two_decays__steps_counted_from_0(w, gradients, lr, decay):
    """The steps were counted from 0, and 1 − β⁰ is 0: the first step divides by it, and everything
    is nan from then on. See “Bias correction, by hand”."""
    ends = []
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta, m, v = w, 0, 0
        for t, g in enumerate(gradients):
            g = g + l2 * theta
            theta = theta * (1 - lr * decoupled)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        ends.append(theta)
    return tuple(ends)


def my_two_decays__returns_the_two_in_the_wrong_order(w, gradients, lr, decay):
    """The two ends came in the other order: first the penalty, then the decoupled decay. See
    “Exercise 5.5 · Two kinds of decay”."""
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
    """The weights that came in were changed, so that the second walk begins where the first one
    ended. See “Exercise 5.5 · Two kinds of decay”."""
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
    """The second walk went on with the averages of the first; each has its own, from 0. See
    “Exercise 5.5 · Two kinds of decay”."""
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


def my_two_decays__gradients_change_in_place(w, gradients, lr, decay):
    """The penalty was added into the rows that came in, and the second walk found it there. See
    “Exercise 5.5 · Two kinds of decay”."""
    ends = []
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta, m, v = w, 0, 0
        for t, g in enumerate(gradients, start=1):
            g += l2 * theta
            theta = theta * (1 - lr * decoupled)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        ends.append(theta)
    return tuple(ends)


def my_two_decays__plain_steps_without_adam(w, gradients, lr, decay):
    """These are steps of plain SGD, for which the two ways are the same; the task is about Adam's.
    See “Weight decay, and why it is decoupled”."""
    ends = []
    for l2, decoupled in ((decay, 0), (0, decay)):
        theta = w
        for g in gradients:
            theta = theta * (1 - lr * decoupled) - lr * (g + l2 * theta)
        ends.append(theta)
    return tuple(ends)


def my_two_decays__both_ways_at_once(w, gradients, lr, decay):
    """The penalty acts in both walks; in the second one the decay stands alone, outside of the
    gradient. See “Weight decay, and why it is decoupled”."""
    ends = []
    for decoupled in (0, decay):
        theta, m, v = w, 0, 0
        for t, g in enumerate(gradients, start=1):
            g = g + decay * theta
            theta = theta * (1 - lr * decoupled)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            theta = theta - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        ends.append(theta)
    return tuple(ends)


def my_nesterov_end__plain_momentum(A, start, lr, momentum, steps):
    """The gradient was taken where the parameters stand; that is momentum as before, without
    looking ahead. See “Exercise 5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        velocity = momentum * velocity + A @ theta
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__goes_on_from_the_place_ahead(A, start, lr, momentum, steps):
    """The step began at the place ahead (perhaps because `ahead` is a second name for the same
    array), so that the momentum counts twice; it begins at the old place. See “Exercise 5.6 · Look
    before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        ahead = theta - lr * momentum * velocity
        velocity = momentum * velocity + A @ ahead
        theta = ahead - lr * velocity
    return theta


def my_nesterov_end__looks_ahead_in_place(A, start, lr, momentum, steps):
    """The step began at the place ahead (perhaps because `ahead` is a second name for the same
    array), so that the momentum counts twice; it begins at the old place. See “Exercise 5.6 · Look
    before you roll”."""
    theta, velocity = start.copy(), 0 * start
    for _ in range(steps):
        ahead = theta
        ahead -= lr * momentum * velocity
        velocity = momentum * velocity + A @ ahead
        theta -= lr * velocity
    return theta


def my_nesterov_end__looks_back_instead_of_ahead(A, start, lr, momentum, steps):
    """This looks back: the next step goes against the velocity, so the place ahead is minus it. See
    “Exercise 5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        velocity = momentum * velocity + A @ (theta + lr * momentum * velocity)
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__looks_ahead_without_the_learning_rate(A, start, lr, momentum, steps):
    """The look went as far as the velocity is long; a step goes only the learning rate times as
    far. See “Exercise 5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        velocity = momentum * velocity + A @ (theta - momentum * velocity)
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__looks_ahead_with_the_whole_velocity(A, start, lr, momentum, steps):
    """The look went with the whole velocity; only the part that stays, momentum times it, is known
    beforehand. See “Exercise 5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        velocity = momentum * velocity + A @ (theta - lr * velocity)
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__number_by_number(A, start, lr, momentum, steps):
    """Only the diagonal of the matrix was used; each slope depends on all parameters. See “Exercise
    5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        ahead = theta - lr * momentum * velocity
        velocity = momentum * velocity + np.diag(A) * ahead
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__where_the_matrix_product_belongs(A, start, lr, momentum, steps):
    """`*` multiplies number by number; a gradient of shape (n,) needs the matrix product. See
    “Exercise 5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        ahead = theta - lr * momentum * velocity
        velocity = momentum * velocity + A * ahead
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__returns_the_place_ahead(A, start, lr, momentum, steps):
    """The place ahead came back; it is only for looking, the parameters are elsewhere. See
    “Exercise 5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        ahead = theta - lr * momentum * velocity
        velocity = momentum * velocity + A @ ahead
        theta = theta - lr * velocity
    return theta - lr * momentum * velocity


def my_nesterov_end__one_step_too_many(A, start, lr, momentum, steps):
    """One step too many was taken. See “Exercise 5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps + 1):
        ahead = theta - lr * momentum * velocity
        velocity = momentum * velocity + A @ ahead
        theta = theta - lr * velocity
    return theta


def my_nesterov_end__old_velocity_in_the_step(A, start, lr, momentum, steps):
    """The step went with the velocity from before, which does not know the gradient at the place
    ahead. See “Exercise 5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        ahead = theta - lr * momentum * velocity
        theta, velocity = theta - lr * velocity, momentum * velocity + A @ ahead
    return theta


def my_nesterov_end__start_moves_in_place(A, start, lr, momentum, steps):
    """The steps were taken in the array that came in, so that whoever called has lost the start.
    See “Exercise 5.6 · Look before you roll”."""
    theta, velocity = start, 0 * start
    for _ in range(steps):
        velocity = momentum * velocity + A @ (theta - lr * momentum * velocity)
        theta -= lr * velocity
    return theta


def my_nesterov_end__first_step_comes_before_the_loop(A, start, lr, momentum, steps):
    """The first step was taken before the loop, even where none was asked for. See “Exercise 5.6 ·
    Look before you roll”."""
    velocity = A @ start
    theta = start - lr * velocity
    for _ in range(steps - 1):
        velocity = momentum * velocity + A @ (theta - lr * momentum * velocity)
        theta = theta - lr * velocity
    return theta
