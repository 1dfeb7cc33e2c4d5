"""Plausible wrong attempts at the exercises of chapter 02."""

import numpy as np

from minigrad.functional import layer_norm
from minigrad.tensor import record, unbroadcast


def my_numeric_gradient__forward_differences(f, a, eps):
    """This looks ahead only; the central difference looks to both sides, and its error is much
    smaller. See “A wrong derivative makes no noise”."""
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        original = a[index]
        here = f(a)
        a[index] = original + eps
        grad[index] = (f(a) - here) / eps
        a[index] = original
    return grad


def my_numeric_gradient__divides_by_eps(f, a, eps):
    """The difference was divided by eps; but the two points lie 2 eps apart. See “A wrong
    derivative makes no noise”."""
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        original = a[index]
        a[index] = original + eps
        above = f(a)
        a[index] = original - eps
        grad[index] = (above - f(a)) / eps
        a[index] = original
    return grad


def my_numeric_gradient__never_puts_the_element_back(f, a, eps):
    """The element was never put back, so the next one moves in an array that nobody asked for. See
    “The numeric gradient”."""
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        original = a[index]
        a[index] = original + eps
        above = f(a)
        a[index] = original - eps
        grad[index] = (above - f(a)) / (2 * eps)
    return grad


def my_numeric_gradient__puts_it_back_by_arithmetic_which_rounds(f, a, eps):
    """The element was put back by adding and subtracting, and each of these rounds; keep the
    original number. See “The numeric gradient”."""
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        a[index] += eps
        above = f(a)
        a[index] -= 2 * eps
        below = f(a)
        a[index] += eps
        grad[index] = (above - below) / (2 * eps)
    return grad


def my_numeric_gradient__moves_all_elements_at_once(f, a, eps):
    """All elements were moved at once; each one has a derivative of its own. See “The numeric
    gradient”."""
    return np.full(a.shape, (f(a + eps) - f(a - eps)) / (2 * eps))


def my_numeric_gradient__one_number_for_the_whole_array(f, a, eps):
    """The whole array was moved at once, and one number came out; each element is moved by itself,
    and has a derivative of its own. See “The numeric gradient”."""
    return (f(a + eps) - f(a - eps)) / (2 * eps)


def my_numeric_gradient__list_where_an_array_is_asked(f, a, eps):
    """The derivatives were collected in a list; the task asks for an array, of the shape of a. See
    “Exercise 2.1 · The numeric gradient”."""
    grad = []
    for index in np.ndindex(a.shape):
        original = a[index]
        a[index] = original + eps
        above = f(a)
        a[index] = original - eps
        grad.append((above - f(a)) / (2 * eps))
        a[index] = original
    return grad


def my_numeric_gradient__moved_is_no_copy(f, a, eps):
    """The line `moved = a` makes no copy: both names mean one array, and it stays changed. See
    “The numeric gradient”."""
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        moved = a
        moved[index] += eps
        above = f(moved)
        moved = a
        moved[index] -= eps
        grad[index] = (above - f(moved)) / (2 * eps)
    return grad


def my_numeric_gradient__loop_runs_over_the_first_axis_alone(f, a, eps):
    """The loop ran over the first axis alone, so whole rows moved; every element moves by itself.
    See “The numeric gradient”."""
    grad = np.zeros_like(a)
    for i in range(len(a)):
        above, below = a.copy(), a.copy()
        above[i] += eps
        below[i] -= eps
        grad[i] = (f(above) - f(below)) / (2 * eps)
    return grad


def my_softmax_vjp__diagonal_of_the_jacobian_alone(p, g):
    """Each probability was treated as if it depended on its own logit alone; through the sum it
    depends on all of them. See “softmax”."""
    return g * p * (1 - p)


def my_softmax_vjp__as_if_the_sum_s_did_not_depend_on_the_logits(p, g):
    """The sum below the fraction was taken for a constant; it moves with every logit. See
    “softmax”."""
    return g * p


def my_softmax_vjp__plain_mean_of_g_not_the_one_weighted_with_p(p, g):
    """The plain mean of g was subtracted; but each logit moves the others by its own share, so the
    mean is weighted with p. See “softmax”."""
    return p * (g - g.mean(axis=-1, keepdims=True))


def my_softmax_vjp__axis_is_not_kept(p, g):
    """The sum lost its axis, and broadcasting put it in the wrong place. See “A sum without
    `keepdims`”."""
    return p * (g - (g * p).sum(axis=-1))


def my_softmax_vjp__one_average_for_all_rows(p, g):
    """One mean was taken for all rows; each row is a distribution of its own. See “softmax”."""
    return p * (g - (g * p).sum())


def my_softmax_vjp__sums_over_the_wrong_axis(p, g):
    """The sum ran down the columns; the probabilities of one distribution stand in a row, along
    the last axis. See “softmax”."""
    return p * (g - (g * p).sum(axis=0, keepdims=True))


def my_softmax_vjp__p_multiplied_in_too_early(p, g):
    """The weighted sum was subtracted from p times g; it belongs inside the bracket, where p
    multiplies it, too. See “softmax”."""
    return p * g - (p * g).sum(axis=-1, keepdims=True)


def my_softmax_vjp__sign_is_wrong(p, g):
    """The sign is turned round: the logit whose own g is above the mean should get a positive
    gradient. See “softmax”."""
    return p * ((g * p).sum(axis=-1, keepdims=True) - g)


def my_softmax_vjp__changes_the_callers_array(p, g):
    """The subtraction was done in place, so g is not the caller's g any more. See “Exercise 2.2 ·
    Softmax backwards”."""
    g -= (g * p).sum(axis=-1, keepdims=True)
    return p * g


def my_softmax_vjp__builds_the_jacobian_but_of_one_row_only(p, g):
    """The Jacobian was built as for a single row; with several rows that is another product. See
    “Exercise 2.2 · Softmax backwards”."""
    return (np.diag(p) - np.outer(p, p)) @ g


def my_log_softmax_vjp__sum_of_g_is_missing(y, g):
    """The change of ln S was counted once; it stands in every output, so it counts as often as the
    sum of g says. See “Exercise 2.3 · A derivation of your own”."""
    return g - np.exp(y)


def my_log_softmax_vjp__y_in_place_of_the_probabilities(y, g):
    """The log-probabilities y were used where the probabilities belong. See “Exercise 2.3 · A
    derivation of your own”."""
    return g - y * g.sum(axis=-1, keepdims=True)


def my_log_softmax_vjp__sign_of_the_second_term_is_wrong(y, g):
    """The second term was added; ln S is subtracted in y, so its change is, too. See “Exercise 2.3
    · A derivation of your own”."""
    return g + np.exp(y) * g.sum(axis=-1, keepdims=True)


def my_log_softmax_vjp__average_of_softmaxs_vjp(y, g):
    """This subtracts the mean of softmax's vjp, weighted with p; here each output counts by its g
    alone. See “Exercise 2.3 · A derivation of your own”."""
    p = np.exp(y)
    return g - p * (g * p).sum(axis=-1, keepdims=True)


def my_log_softmax_vjp__output_depends_on_its_own_logit_only(y, g):
    """Each output was treated as if it depended on its own logit only; ln S depends on all of
    them. See “Exercise 2.3 · A derivation of your own”."""
    return g * (1 - np.exp(y))


def my_log_softmax_vjp__mean_in_place_of_sum(y, g):
    """The mean of g was taken where the sum belongs: every output contains the whole ln S. See
    “Exercise 2.3 · A derivation of your own”."""
    return g - np.exp(y) * g.mean(axis=-1, keepdims=True)


def my_log_softmax_vjp__one_sum_for_all_the_rows(y, g):
    """One sum was taken for all rows; each row has an S of its own. See “Exercise 2.3 · A
    derivation of your own”."""
    return g - np.exp(y) * g.sum()


def my_log_softmax_vjp__takes_y_for_the_logits_and_the_wrong_axis(y, g):
    """The y were normalised once more, and down the columns; e^y is the probability already. See
    “Exercise 2.3 · A derivation of your own”."""
    p = np.exp(y) / np.exp(y).sum(axis=0)
    return g - p * g.sum(axis=-1, keepdims=True)


def my_layer_norm_gradient__direct_path_alone(x, g, eps):
    """The mean and the spread were treated as constants; both move with x, so two parts have to be
    taken out. See “layer_norm”."""
    return g / np.sqrt(x.var(axis=-1, keepdims=True) + eps)


def my_layer_norm_gradient__path_through_the_variance_is_missing(x, g, eps):
    """The part along x_hat was not taken out: stretching the row changes nothing, so the gradient
    must not ask for it. See “layer_norm”."""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return (g - g.mean(axis=-1, keepdims=True)) / std


def my_layer_norm_gradient__path_through_the_mean_is_missing(x, g, eps):
    """The mean was not taken out: adding the same to the whole row changes nothing, so the
    gradient must not ask for it. See “layer_norm”."""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / std


def my_layer_norm_gradient__r_is_missing(x, g, eps):
    """The factor r is missing: a row that is stretched moves x_hat less. See “layer_norm”."""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return g - g.mean(axis=-1, keepdims=True) - unit * along


def my_layer_norm_gradient__c_in_place_of_x_hat(x, g, eps):
    """The centred row was used where x_hat belongs, which is r times as large. See
    “layer_norm”."""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    centred = x - x.mean(axis=-1, keepdims=True)
    along = (g * centred).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - centred * along) / std


def my_layer_norm_gradient__divides_by_n_1_in_the_variance(x, g, eps):
    """The variance was divided by n - 1; here it is the mean over all n. See “layer_norm”."""
    std = np.sqrt(x.var(axis=-1, keepdims=True, ddof=1) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - unit * along) / std


def my_layer_norm_gradient__eps_outside_of_the_root(x, g, eps):
    """The eps was added after the root was taken; it belongs under it. See “layer_norm”."""
    std = x.std(axis=-1, keepdims=True) + eps
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - unit * along) / std


def my_layer_norm_gradient__averages_over_all_rows(x, g, eps):
    """All rows were taken together; each row is normalised by itself. See “layer_norm”."""
    std = np.sqrt(x.var() + eps)
    unit = (x - x.mean()) / std
    return (g - g.mean() - unit * (g * unit).mean()) / std


def my_layer_norm_gradient__sums_in_place_of_means(x, g, eps):
    """Sums were taken where the formula has means. See “layer_norm”."""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).sum(axis=-1, keepdims=True)
    return (g - g.sum(axis=-1, keepdims=True) - unit * along) / std


def my_softplus__composed_of_other_functions_and_e_x_overflows(x):
    """It is composed of other operations, so it is several nodes, and e^x is infinite for a large
    x. See “Exercise 2.5 · A fused softplus”."""
    return (1 + x.exp()).log()


def my_softplus__one_node_but_e_x_overflows(x):
    """It is one node, but e^x is infinite for a large x; take the large part out of the logarithm
    first. See “Exercise 2.5 · A fused softplus”."""
    e = np.exp(x.data)
    return record(np.log(1 + e), (x, lambda g: g * e / (1 + e)))


def my_softplus__value_is_safe_the_slope_is_not(x):
    """The value is safe, the slope is not: it divides infinity by infinity. See “Exercise 2.5 · A
    fused softplus”."""

    def vjp(g):
        e = np.exp(x.data)
        return g * e / (1 + e)

    return record(np.logaddexp(0, x.data), (x, vjp))


def my_softplus__one_maximum_for_the_whole_row_as_in_softmax(x):
    """One maximum was taken for all, as in the softmax; here each element stands alone: max(x, 0).
    See “Exercise 2.5 · A fused softplus”."""
    largest = np.maximum(x.data.max(), 0)
    total = np.exp(-largest) + np.exp(x.data - largest)
    slope = np.exp(x.data - largest) / total
    return record(largest + np.log(total), (x, lambda g: g * slope))


def my_softplus__one_maximum_for_all(x):
    """One maximum was taken for all; here each element stands alone: max(x, 0). See “Exercise 2.5
    · A fused softplus”."""
    m = x.data.max()
    value = m + np.log(np.exp(-m) + np.exp(x.data - m))
    return record(value, (x, lambda g: g * np.exp(x.data - value)))


def my_softplus__safe_above_0_alone(x):
    """The formula is safe above 0 alone; below, e^-x is infinite. See “Exercise 2.5 · A fused
    softplus”."""
    e = np.exp(-x.data)
    return record(x.data + np.log(1 + e), (x, lambda g: g / (1 + e)))


def my_softplus__slope_alone_without_g(x):
    """The vjp returned the slope; it must multiply it with the g that arrives. See “One node
    instead of many”."""
    return record(np.logaddexp(0, x.data), (x, lambda g: 1 / (1 + np.exp(-x.data))))


def my_softplus__inner_derivative_is_missing(x):
    """The slope lacks the derivative of what stands inside of the logarithm. See “Exercise 2.5 · A
    fused softplus”."""
    return record(np.logaddexp(0, x.data), (x, lambda g: g / (1 + np.exp(x.data))))


def my_softplus__cut_off_too_early(x):
    """The function was cut off to 0 too early; at -3 it is still 0.05. See “Exercise 2.5 · A fused
    softplus”."""
    y = np.where(x.data > -2, np.logaddexp(0, x.data), 0)
    return record(y, (x, lambda g: g * (y > 0) / (1 + np.exp(-x.data))))


def my_softplus__value_of_the_mirrored_function(x):
    """This is the mirrored function, ln(1 + e^-x). See “Exercise 2.5 · A fused softplus”."""
    return record(np.logaddexp(0, -x.data), (x, lambda g: -g / (1 + np.exp(x.data))))


def my_softplus__an_array_with_nothing_recorded(x):
    """An array was returned, so nothing was recorded; record makes a Tensor with a memory. See
    “One node instead of many”."""
    return np.logaddexp(0, x.data)


def my_softplus__a_tensor_with_nothing_recorded(x):
    """A Tensor was made directly, so nothing was recorded and the way back ends there. See “One
    node instead of many”."""
    return type(x)(np.logaddexp(0, x.data))


def my_rms_norm__layer_norms_mean_is_still_there(x, weight, eps):
    """The mean was taken away as in layer_norm; RMSNorm leaves it where it is. See “Exercise 2.6 ·
    RMS normalisation”."""
    return layer_norm(x, weight, None, eps)


def my_rms_norm__path_through_q_is_missing(x, weight, eps):
    """The root was treated as a constant; it moves with every number of the row. See “Exercise 2.6
    · RMS normalisation”."""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms
    return record(
        unit * weight.data,
        (x, lambda g: g * weight.data / rms),
        (weight, lambda g: unbroadcast(g * unit, weight.shape)),
    )


def my_rms_norm__weight_is_forgotten_on_the_way_back(x, weight, eps):
    """The gradient g was used where g times the weight reaches x_hat; with weights of 1 nobody
    sees it. See “Exercise 2.6 · RMS normalisation”."""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms
    return record(
        unit * weight.data,
        (x, lambda g: (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms),
        (weight, lambda g: unbroadcast(g * unit, weight.shape)),
    )


def my_rms_norm__weights_gradient_is_not_summed_over_the_rows(x, weight, eps):
    """The weight's gradient has the shape of x; one weight serves all rows, so it is summed over
    them. See “Exercise 2.6 · RMS normalisation”."""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(unit * weight.data, (x, grad_x), (weight, lambda g: g * unit))


def my_rms_norm__weights_gradient_is_summed_over_axis_0_only(x, weight, eps):
    """The weight's gradient was summed over axis 0 only; with three axes there are two that count
    rows. See “Exercise 2.6 · RMS normalisation”."""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(unit * weight.data, (x, grad_x), (weight, lambda g: (g * unit).sum(axis=0)))


def my_rms_norm__sum_of_the_squares_not_their_mean(x, weight, eps):
    """The sum of the squares was taken where their mean belongs. See “Exercise 2.6 · RMS
    normalisation”."""
    rms = np.sqrt((x.data**2).sum(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).sum(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm__sum_where_a_mean_belongs_in_the_vjp_alone(x, weight, eps):
    """The value is right, but the vjp has a sum where a mean belongs. See “Exercise 2.6 · RMS
    normalisation”."""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).sum(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm__eps_outside_of_the_root(x, weight, eps):
    """The eps was added after the root was taken; it belongs under it. See “Exercise 2.6 · RMS
    normalisation”."""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True)) + eps
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm__right_but_in_many_nodes(x, weight, eps):
    """It is right, but composed of many nodes; record the whole as one. See “One node instead of
    many”."""
    return x / ((x * x).mean(axis=-1, keepdims=True) + eps).sqrt() * weight


def my_rms_norm__one_r_for_all_rows(x, weight, eps):
    """One r was used for all rows; each row has its own. See “Exercise 2.6 · RMS
    normalisation”."""
    rms = np.sqrt((x.data**2).mean() + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean()) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_numeric_gradient__gradient_in_float32(f, a, eps):
    """The gradient was kept in float32, which has 7 digits; the array has 16. See “How small a
    step?”."""
    grad = np.zeros(a.shape, dtype=np.float32)
    for index in np.ndindex(a.shape):
        original = a[index]
        a[index] = original + eps
        above = f(a)
        a[index] = original - eps
        grad[index] = (above - f(a)) / (2 * eps)
        a[index] = original
    return grad


def my_log_softmax_vjp__changes_the_callers_g(y, g):
    """The subtraction was done in place, so g is not the caller's g any more. See “Exercise 2.3 ·
    A derivation of your own”."""
    g -= np.exp(y) * g.sum(axis=-1, keepdims=True)
    return g


def my_softplus__slope_overflows_below(x):
    """The slope computes e^-x, which is infinite for a very negative x; that it vanishes in the
    end does not help. See “Exercise 2.5 · A fused softplus”."""
    value = np.maximum(x.data, 0) + np.log1p(np.exp(-np.abs(x.data)))
    return record(value, (x, lambda g: g / (1 + np.exp(-x.data))))


def my_softplus__throws_infinities_away(x):
    """Infinite numbers were computed and then thrown away by np.where, which computes both sides.
    See “Exercise 2.5 · A fused softplus”."""
    e = np.exp(x.data)
    value = np.where(x.data > 20, x.data, np.log(1 + e))
    slope = np.where(x.data > 20, 1, e / (1 + e))
    return record(value, (x, lambda g: g * slope))


def my_rms_norm__changes_the_callers_g(x, weight, eps):
    """The vjp multiplies g in place, though the other vjp of this node gets the same array. See
    “Exercise 2.6 · RMS normalisation”."""
    r = 1 / np.sqrt((x.data * x.data).mean(axis=-1, keepdims=True) + eps)
    unit = r * x.data

    def grad_x(g):
        g *= weight.data
        return r * (g - unit * (g * unit).mean(axis=-1, keepdims=True))

    return record(
        unit * weight.data,
        (weight, lambda g: unbroadcast(g * unit, weight.shape)),
        (x, grad_x),
    )


def my_numeric_gradient__takes_a_step_of_its_own(f, a, eps):
    """A step of its own was taken; the eps that is handed over decides how large the error is. See
    “Exercise 2.1 · The numeric gradient”."""
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        original = a[index]
        a[index] = original + 1e-6
        above = f(a)
        a[index] = original - 1e-6
        grad[index] = (above - f(a)) / 2e-6
        a[index] = original
    return grad


def my_numeric_gradient__moves_a_flat_copy(f, a, eps):
    """A flat copy was moved, and f never saw it: `reshape(-1)` copies an array whose rows do not
    stand one after the other. See “The numeric gradient”."""
    grad, flat = np.zeros(a.size), a.reshape(-1)
    for i in range(a.size):
        original = flat[i]
        flat[i] = original + eps
        above = f(a)
        flat[i] = original - eps
        grad[i] = (above - f(a)) / (2 * eps)
        flat[i] = original
    return grad.reshape(a.shape)


def my_numeric_gradient__needs_an_axis(f, a, eps):
    """The elements were counted along the first axis; a single number has no axis, and `len`
    fails. See “Exercise 2.1 · The numeric gradient”."""
    grad = np.zeros_like(a)
    if len(a) == 0:
        return grad
    for index in np.ndindex(a.shape):
        original = a[index]
        a[index] = original + eps
        above = f(a)
        a[index] = original - eps
        grad[index] = (above - f(a)) / (2 * eps)
        a[index] = original
    return grad


def my_softmax_vjp__fills_an_array_of_float64(p, g):
    """The result was filled into an array of NumPy's usual float64, whatever numbers came in. See
    “Exercise 2.2 · Softmax backwards”."""
    out = np.zeros(p.shape)
    out[...] = p * (g - (g * p).sum(axis=-1, keepdims=True))
    return out


def my_softmax_vjp__divides_by_the_probabilities(p, g):
    """The other probabilities were got by dividing by p, which fails where a probability is
    rounded to 0. See “softmax”."""
    weighted = (g * p).sum(axis=-1, keepdims=True) / p
    return p * (g - p * weighted)


def my_softmax_vjp__writes_the_result_into_g(p, g):
    """The result was written into g, which others may hold as well. See “Exercise 2.2 · Softmax
    backwards”."""
    return np.multiply(p, g - (g * p).sum(axis=-1, keepdims=True), out=g)


def my_log_softmax_vjp__divides_by_the_probabilities(y, g):
    """It goes through the probabilities and divides by them, which fails where one is rounded to
    0; the logarithm was there to avoid that. See “log_softmax”."""
    p = np.exp(y)
    of_p = g / p
    return p * (of_p - (of_p * p).sum(axis=-1, keepdims=True))


def my_log_softmax_vjp__all_rows_as_one_distribution(y, g):
    """All rows were taken for one distribution; each row sums to 1 by itself. See “Exercise 2.3 ·
    A derivation of your own”."""
    p = np.exp(y) / np.exp(y).sum()
    return g - p * g.sum(axis=-1, keepdims=True)


def my_log_softmax_vjp__axis_is_not_kept(y, g):
    """The sum lost its axis, and broadcasting put it in the wrong place. See “A sum without
    `keepdims`”."""
    return g - np.exp(y) * g.sum(axis=-1)


def my_layer_norm_gradient__eps_is_missing_in_x_hat(x, g, eps):
    """The eps stands in the last division, but not in the x_hat along which the gradient is taken
    out. See “layer_norm”."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    unit = centred / np.sqrt(variance)
    along = (g * unit).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - unit * along) / np.sqrt(variance + eps)


def my_layer_norm_gradient__changes_the_callers_x(x, g, eps):
    """The mean was subtracted in place, so x is not the caller's x any more. See “Exercise 2.4 ·
    Back through layer_norm”."""
    x -= x.mean(axis=-1, keepdims=True)
    std = np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps)
    unit = x / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - unit * along) / std


def my_layer_norm_gradient__mean_of_the_squares_minus_the_squared_mean(x, g, eps):
    """The variance was got from the mean of the squares, minus the squared mean: far from 0 both
    are huge, and their difference is rounded away. See “layer_norm”."""
    mean = x.mean(axis=-1, keepdims=True)
    std = np.sqrt((x * x).mean(axis=-1, keepdims=True) - mean * mean + eps)
    unit = (x - mean) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - unit * along) / std


def my_softplus__takes_x_itself_too_early(x):
    """Above 5 the value x itself was taken, with a slope of 1; it is close there, and not there
    yet. See “Exercise 2.5 · A fused softplus”."""
    small = np.exp(-np.abs(x.data))
    value = np.where(x.data > 5, x.data, np.maximum(x.data, 0) + np.log1p(small))
    slope = np.where(x.data > 5, 1, np.where(x.data >= 0, 1, small) / (1 + small))
    return record(value, (x, lambda g: g * slope))


def my_softplus__keeps_numpy_quiet(x):
    """NumPy was told to keep quiet about infinite numbers; they are there all the same. See
    “Exercise 2.5 · A fused softplus”."""
    with np.errstate(all="ignore"):
        e = np.exp(x.data)
        value = np.where(x.data > 50, x.data, np.log1p(e))
        slope = np.where(x.data > 50, 1, e / (1 + e))
    return record(value, (x, lambda g: g * slope))


def my_softplus__writes_into_g(x):
    """The vjp multiplies g in place; others may hold the same array. See “Exercise 2.5 · A fused
    softplus”."""
    value = np.logaddexp(0, x.data)

    def vjp(g):
        g *= np.exp(x.data - value)
        return g

    return record(value, (x, vjp))


def my_rms_norm__eps_is_missing_in_x_hat(x, weight, eps):
    """The eps stands in the value, but not in the x_hat along which the gradient is taken out. See
    “Exercise 2.6 · RMS normalisation”."""
    squares = (x.data**2).mean(axis=-1, keepdims=True)
    rms = np.sqrt(squares + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        along = x.data / np.sqrt(np.maximum(squares, 1e-30))
        return (g - along * (g * along).mean(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm__divides_the_value_by_the_weight(x, weight, eps):
    """The normalised row was got by dividing the value by the weight, which fails where a weight
    is 0. See “Exercise 2.6 · RMS normalisation”."""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms
    value = unit * weight.data

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    def grad_weight(g):
        return unbroadcast(g * value / weight.data, weight.shape)

    return record(value, (x, grad_x), (weight, grad_weight))


def my_rms_norm__normalises_the_callers_rows(x, weight, eps):
    """The rows of x were normalised in place, so the caller's numbers are gone. See “Exercise 2.6
    · RMS normalisation”."""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data
    unit /= rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )
