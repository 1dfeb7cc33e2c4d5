"""Plausible wrong attempts at the exercises of chapter 02."""

import numpy as np

from minigrad.functional import layer_norm
from minigrad.tensor import record, unbroadcast


def my_numeric_gradient__forward_differences(f, a, eps):
    """forward differences"""
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        original = a[index]
        here = f(a)
        a[index] = original + eps
        grad[index] = (f(a) - here) / eps
        a[index] = original
    return grad


def my_numeric_gradient__divides_by_eps(f, a, eps):
    """divides by eps, though the points are 2 eps apart"""
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
    """never puts the element back"""
    grad = np.zeros_like(a)
    for index in np.ndindex(a.shape):
        original = a[index]
        a[index] = original + eps
        above = f(a)
        a[index] = original - eps
        grad[index] = (above - f(a)) / (2 * eps)
    return grad


def my_numeric_gradient__puts_it_back_by_arithmetic_which_rounds(f, a, eps):
    """puts it back by arithmetic, which rounds"""
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
    """moves all elements at once"""
    return np.full(a.shape, (f(a + eps) - f(a - eps)) / (2 * eps))


def my_numeric_gradient__moved_is_no_copy(f, a, eps):
    """`moved = a` is no copy: a itself changes"""
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
    """the loop runs over the first axis alone"""
    grad = np.zeros_like(a)
    for i in range(len(a)):
        above, below = a.copy(), a.copy()
        above[i] += eps
        below[i] -= eps
        grad[i] = (f(above) - f(below)) / (2 * eps)
    return grad


def my_softmax_vjp__diagonal_of_the_jacobian_alone(p, g):
    """the diagonal of the Jacobian alone"""
    return g * p * (1 - p)


def my_softmax_vjp__as_if_the_sum_s_did_not_depend_on_the_logits(p, g):
    """as if the sum S did not depend on the logits"""
    return g * p


def my_softmax_vjp__plain_mean_of_g_not_the_one_weighted_with_p(p, g):
    """the plain mean of g, not the one weighted with p"""
    return p * (g - g.mean(axis=-1, keepdims=True))


def my_softmax_vjp__axis_is_not_kept(p, g):
    """the summed axis is not kept"""
    return p * (g - (g * p).sum(axis=-1))


def my_softmax_vjp__one_average_for_all_rows(p, g):
    """one average for all rows"""
    return p * (g - (g * p).sum())


def my_softmax_vjp__sums_over_the_wrong_axis(p, g):
    """sums over the wrong axis"""
    return p * (g - (g * p).sum(axis=0, keepdims=True))


def my_softmax_vjp__p_multiplied_in_too_early(p, g):
    """p was multiplied in before the subtraction"""
    return p * g - (p * g).sum(axis=-1, keepdims=True)


def my_softmax_vjp__sign_is_wrong(p, g):
    """the sign is wrong"""
    return p * ((g * p).sum(axis=-1, keepdims=True) - g)


def my_softmax_vjp__changes_the_callers_array(p, g):
    """changes the caller's array"""
    g -= (g * p).sum(axis=-1, keepdims=True)
    return p * g


def my_softmax_vjp__builds_the_jacobian_but_of_one_row_only(p, g):
    """builds the Jacobian, but of one row only"""
    return (np.diag(p) - np.outer(p, p)) @ g


def my_log_softmax_vjp__sum_of_g_is_missing(y, g):
    """the sum of g is missing"""
    return g - np.exp(y)


def my_log_softmax_vjp__y_in_place_of_the_probabilities(y, g):
    """y in place of the probabilities"""
    return g - y * g.sum(axis=-1, keepdims=True)


def my_log_softmax_vjp__sign_of_the_second_term_is_wrong(y, g):
    """the sign of the second term is wrong"""
    return g + np.exp(y) * g.sum(axis=-1, keepdims=True)


def my_log_softmax_vjp__average_of_softmaxs_vjp(y, g):
    """the average of softmax's vjp"""
    p = np.exp(y)
    return g - p * (g * p).sum(axis=-1, keepdims=True)


def my_log_softmax_vjp__output_depends_on_its_own_logit_only(y, g):
    """each output as if it depended on its own logit only"""
    return g * (1 - np.exp(y))


def my_log_softmax_vjp__mean_in_place_of_sum(y, g):
    """mean in place of sum"""
    return g - np.exp(y) * g.mean(axis=-1, keepdims=True)


def my_log_softmax_vjp__one_sum_for_all_the_rows(y, g):
    """one sum for all the rows"""
    return g - np.exp(y) * g.sum()


def my_log_softmax_vjp__takes_y_for_the_logits_and_the_wrong_axis(y, g):
    """takes y for the logits, and the wrong axis"""
    p = np.exp(y) / np.exp(y).sum(axis=0)
    return g - p * g.sum(axis=-1, keepdims=True)


def my_layer_norm_gradient__direct_path_alone(x, g, eps):
    """the direct path alone"""
    return g / np.sqrt(x.var(axis=-1, keepdims=True) + eps)


def my_layer_norm_gradient__path_through_the_variance_is_missing(x, g, eps):
    """the path through the variance is missing"""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    return (g - g.mean(axis=-1, keepdims=True)) / std


def my_layer_norm_gradient__path_through_the_mean_is_missing(x, g, eps):
    """the path through the mean is missing"""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / std


def my_layer_norm_gradient__r_is_missing(x, g, eps):
    """r is missing"""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return g - g.mean(axis=-1, keepdims=True) - unit * along


def my_layer_norm_gradient__c_in_place_of_x_hat(x, g, eps):
    """c in place of x_hat"""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    centred = x - x.mean(axis=-1, keepdims=True)
    along = (g * centred).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - centred * along) / std


def my_layer_norm_gradient__divides_by_n_1_in_the_variance(x, g, eps):
    """divides by n - 1 in the variance"""
    std = np.sqrt(x.var(axis=-1, keepdims=True, ddof=1) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - unit * along) / std


def my_layer_norm_gradient__eps_outside_of_the_root(x, g, eps):
    """eps outside of the root"""
    std = x.std(axis=-1, keepdims=True) + eps
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).mean(axis=-1, keepdims=True)
    return (g - g.mean(axis=-1, keepdims=True) - unit * along) / std


def my_layer_norm_gradient__averages_over_all_rows(x, g, eps):
    """averages over all rows"""
    std = np.sqrt(x.var() + eps)
    unit = (x - x.mean()) / std
    return (g - g.mean() - unit * (g * unit).mean()) / std


def my_layer_norm_gradient__sums_in_place_of_means(x, g, eps):
    """sums in place of means"""
    std = np.sqrt(x.var(axis=-1, keepdims=True) + eps)
    unit = (x - x.mean(axis=-1, keepdims=True)) / std
    along = (g * unit).sum(axis=-1, keepdims=True)
    return (g - g.sum(axis=-1, keepdims=True) - unit * along) / std


def my_softplus__composed_of_other_functions_and_e_x_overflows(x):
    """composed of other functions, and e^x overflows"""
    return (1 + x.exp()).log()


def my_softplus__one_node_but_e_x_overflows(x):
    """one node, but e^x overflows"""
    e = np.exp(x.data)
    return record(np.log(1 + e), (x, lambda g: g * e / (1 + e)))


def my_softplus__value_is_safe_the_slope_is_not(x):
    """the value is safe, the slope is not"""

    def vjp(g):
        e = np.exp(x.data)
        return g * e / (1 + e)

    return record(np.logaddexp(0, x.data), (x, vjp))


def my_softplus__one_maximum_for_the_whole_row_as_in_softmax(x):
    """one maximum for the whole row, as in softmax"""
    largest = np.maximum(x.data.max(), 0)
    total = np.exp(-largest) + np.exp(x.data - largest)
    slope = np.exp(x.data - largest) / total
    return record(largest + np.log(total), (x, lambda g: g * slope))


def my_softplus__safe_above_0_alone(x):
    """x + ln(1 + e^-x) everywhere: safe above 0 alone"""
    e = np.exp(-x.data)
    return record(x.data + np.log(1 + e), (x, lambda g: g / (1 + e)))


def my_softplus__slope_alone_without_g(x):
    """the slope alone, without g"""
    return record(np.logaddexp(0, x.data), (x, lambda g: 1 / (1 + np.exp(-x.data))))


def my_softplus__inner_derivative_is_missing(x):
    """1 / (1 + e^x): the logarithm's derivative without the inner one"""
    return record(np.logaddexp(0, x.data), (x, lambda g: g / (1 + np.exp(x.data))))


def my_softplus__cut_off_too_early(x):
    """cut off: not there yet at -3"""
    y = np.where(x.data > -2, np.logaddexp(0, x.data), 0)
    return record(y, (x, lambda g: g * (y > 0) / (1 + np.exp(-x.data))))


def my_softplus__value_of_the_mirrored_function(x):
    """the value of the mirrored function"""
    return record(np.logaddexp(0, -x.data), (x, lambda g: -g / (1 + np.exp(x.data))))


def my_softplus__an_array_with_nothing_recorded(x):
    """returns an array, with nothing recorded"""
    return np.logaddexp(0, x.data)


def my_softplus__a_tensor_with_nothing_recorded(x):
    """returns a Tensor with nothing recorded"""
    return type(x)(np.logaddexp(0, x.data))


def my_rms_norm__layer_norms_mean_is_still_there(x, weight, eps):
    """layer_norm's mean is still there"""
    return layer_norm(x, weight, None, eps)


def my_rms_norm__path_through_q_is_missing(x, weight, eps):
    """the path through q is missing"""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms
    return record(
        unit * weight.data,
        (x, lambda g: g * weight.data / rms),
        (weight, lambda g: unbroadcast(g * unit, weight.shape)),
    )


def my_rms_norm__weight_is_forgotten_on_the_way_back(x, weight, eps):
    """g in place of G: the weight is forgotten on the way back"""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms
    return record(
        unit * weight.data,
        (x, lambda g: (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms),
        (weight, lambda g: unbroadcast(g * unit, weight.shape)),
    )


def my_rms_norm__weights_gradient_is_not_summed_over_the_rows(x, weight, eps):
    """the weight's gradient is not summed over the rows"""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(unit * weight.data, (x, grad_x), (weight, lambda g: g * unit))


def my_rms_norm__weights_gradient_is_summed_over_axis_0_only(x, weight, eps):
    """the weight's gradient is summed over axis 0 only"""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(unit * weight.data, (x, grad_x), (weight, lambda g: (g * unit).sum(axis=0)))


def my_rms_norm__sum_of_the_squares_not_their_mean(x, weight, eps):
    """the sum of the squares, not their mean"""
    rms = np.sqrt((x.data**2).sum(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).sum(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm__sum_where_a_mean_belongs_in_the_vjp_alone(x, weight, eps):
    """a sum where a mean belongs, in the vjp alone"""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True) + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).sum(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm__eps_outside_of_the_root(x, weight, eps):
    """eps outside of the root"""
    rms = np.sqrt((x.data**2).mean(axis=-1, keepdims=True)) + eps
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean(axis=-1, keepdims=True)) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_rms_norm__right_but_in_many_nodes(x, weight, eps):
    """right, but in many nodes"""
    return x / ((x * x).mean(axis=-1, keepdims=True) + eps).sqrt() * weight


def my_rms_norm__one_r_for_all_rows(x, weight, eps):
    """one r for all rows"""
    rms = np.sqrt((x.data**2).mean() + eps)
    unit = x.data / rms

    def grad_x(g):
        g = g * weight.data
        return (g - unit * (g * unit).mean()) / rms

    return record(
        unit * weight.data, (x, grad_x), (weight, lambda g: unbroadcast(g * unit, weight.shape))
    )


def my_numeric_gradient__gradient_in_float32(f, a, eps):
    """keeps the gradient in float32, which has 7 digits where the array has 16"""
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
    """changes the caller's g"""
    g -= np.exp(y) * g.sum(axis=-1, keepdims=True)
    return g


def my_softplus__slope_overflows_below(x):
    """the slope computes e^-x, which is infinite at x = -1000"""
    value = np.maximum(x.data, 0) + np.log1p(np.exp(-np.abs(x.data)))
    return record(value, (x, lambda g: g / (1 + np.exp(-x.data))))


def my_softplus__throws_infinities_away(x):
    """computes infinite numbers, and throws them away with np.where"""
    e = np.exp(x.data)
    value = np.where(x.data > 20, x.data, np.log(1 + e))
    slope = np.where(x.data > 20, 1, e / (1 + e))
    return record(value, (x, lambda g: g * slope))


def my_rms_norm__changes_the_callers_g(x, weight, eps):
    """multiplies g in place, though the node beside it was handed the same array"""
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
