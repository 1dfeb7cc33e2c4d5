"""Plausible wrong attempts at the exercises of chapter 01."""

import numpy as np

from minigrad.tensor import Tensor, record


def my_unbroadcast__right_for_a_bias_that_is_added_to_rows(grad, shape):
    """right for a bias that is added to rows, and for nothing else"""
    return grad.sum(axis=0)


def my_unbroadcast__stretched_axes_are_forgotten(grad, shape):
    """the stretched axes are forgotten"""
    return grad.sum(axis=tuple(range(grad.ndim - len(shape))))


def my_unbroadcast__stretched_axes_disappear(grad, shape):
    """the stretched axes disappear"""
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return grad.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1))


def my_unbroadcast__each_sum_moves_the_axes_after_it_and_nothing_keeps(grad, shape):
    """each sum moves the axes after it, and nothing keeps count"""
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis)
    return grad.reshape(shape)


def my_unbroadcast__mean_instead_of_the_sum(grad, shape):
    """the mean instead of the sum"""
    grad = grad.mean(axis=tuple(range(grad.ndim - len(shape))))
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.mean(axis=axis, keepdims=True)
    return grad


def my_unbroadcast__takes_the_first_row_instead_of_summing(grad, shape):
    """takes the first row instead of summing"""
    return np.resize(grad, shape)


def my_unbroadcast__compares_the_shapes_from_the_left(grad, shape):
    """compares the shapes from the left"""
    for axis in reversed(range(grad.ndim)):
        if axis >= len(shape):
            grad = grad.sum(axis=axis)
        elif shape[axis] == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


def my_product_rule__forgets_the_gradient_that_arrives(a, b, g):
    """forgets the gradient that arrives"""
    return b, a


def my_product_rule__each_with_its_own_factor(a, b, g):
    """each with its own factor"""
    return g * a, g * b


def my_product_rule__sums_over_the_positions(a, b, g):
    """sums over the positions"""
    return np.sum(g * b), np.sum(g * a)


def my_product_rule__differentiates_a_2(a, b, g):
    """differentiates a**2"""
    return 2 * g * b, 2 * g * a


def my_order__notes_a_name_when_it_is_first_seen(inputs, root):
    """notes a name when it is first seen"""
    order, stack = [], [root]
    while stack:
        name = stack.pop()
        if name not in order:
            order.append(name)
            stack.extend(inputs[name])
    return order


def my_order__level_by_level_from_the_root(inputs, root):
    """level by level, from the root"""
    order, level = [], [root]
    while level:
        order += [name for name in level if name not in order]
        level = [used for name in level for used in inputs[name]][:1000]
    return order


def my_order__leaves_first(inputs, root):
    """the leaves first"""
    order = []

    def visit(name):
        if name not in order:
            for used in inputs[name]:
                visit(used)
            order.append(name)

    visit(root)
    return order


def my_order__calls_itself_and_does_not_get_deep_enough(inputs, root):
    """calls itself, and does not get deep enough"""
    order = []

    def visit(name):
        if name not in order:
            for used in inputs[name]:
                visit(used)
            order.append(name)

    visit(root)
    return order[::-1]


def my_order__name_that_was_put_on_the_stack_twice_is_noted_twice(inputs, root):
    """a name that was put on the stack twice is noted twice"""
    noted, stack = [], [root]
    while stack:
        missing = [name for name in inputs[stack[-1]] if name not in noted]
        if missing:
            stack.extend(missing)
        else:
            noted.append(stack.pop())
    return noted[::-1]


def my_order__follows_every_path(inputs, root):
    """follows every path: names turn up twice"""
    order, stack = [], [root]
    while stack:
        name = stack.pop()
        order.append(name)
        stack.extend(inputs[name])
    return order


def my_order__takes_everything_in_the_dictionary_in_its_order(inputs, root):
    """takes everything in the dictionary, in its order"""
    return list(inputs)


def my_matmul_gradients__nothing_transposed(A, B, g):
    """nothing transposed"""
    return g @ B, A @ g


def my_matmul_gradients__second_one_is_the_transpose_of_what_is_wanted(A, B, g):
    """the second one is the transpose of what is wanted"""
    return g @ B.T, g.T @ A


def my_matmul_gradients__number_by_number_as_for_a_b(A, B, g):
    """number by number, as for a * b"""
    return g * B, g * A


def my_matmul_gradients__forgets_the_gradient_that_arrives(A, B, g):
    """forgets the gradient that arrives"""
    ones = np.ones_like(g)
    return ones @ B.T, A.T @ ones


def my_maximum__value_without_a_past(a, b):
    """a value without a past"""
    return Tensor(np.maximum(a.data, b.data))


def my_maximum__ties_get_the_gradient_twice(a, b):
    """ties get the gradient twice"""
    return record(
        np.maximum(a.data, b.data),
        (a, lambda g: g * (a.data >= b.data)),
        (b, lambda g: g * (b.data >= a.data)),
    )


def my_maximum__masks_without_the_gradient_that_arrives(a, b):
    """the masks without the gradient that arrives"""
    share = np.where(a.data == b.data, 0.5, a.data > b.data)
    return record(np.maximum(a.data, b.data), (a, lambda g: share), (b, lambda g: 1 - share))


def my_maximum__gradient_goes_to_both(a, b):
    """the gradient goes to both"""
    return record(np.maximum(a.data, b.data), (a, lambda g: g), (b, lambda g: g))


def my_maximum__smaller_one_gets_it(a, b):
    """the smaller one gets it"""
    share = np.where(a.data == b.data, 0.5, a.data < b.data)
    return record(
        np.maximum(a.data, b.data), (a, lambda g: g * share), (b, lambda g: g * (1 - share))
    )


def my_gradients_of_program__overwrites_instead_of_adding(program, leaves):
    """overwrites instead of adding"""
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = dict.fromkeys(value, 0.0)
    grad[program[-1][0]] = 1.0
    for name, operation, x, y in reversed(program):
        grad[x] = grad[name] * (1 if operation == "+" else value[y])
        grad[y] = grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves}


def my_gradients_of_program__goes_through_the_steps_forwards(program, leaves):
    """goes through the steps forwards"""
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = dict.fromkeys(value, 0.0)
    grad[program[-1][0]] = 1.0
    for name, operation, x, y in program:
        grad[x] += grad[name] * (1 if operation == "+" else value[y])
        grad[y] += grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves}


def my_gradients_of_program__product_passes_the_gradient_on_like_a_sum(program, leaves):
    """a product passes the gradient on like a sum"""
    names = [*leaves, *(step[0] for step in program)]
    grad = dict.fromkeys(names, 0.0)
    grad[program[-1][0]] = 1.0
    for name, _, x, y in reversed(program):
        grad[x] += grad[name]
        grad[y] += grad[name]
    return {leaf: grad[leaf] for leaf in leaves}


def my_gradients_of_program__leaves_out_what_is_not_used(program, leaves):
    """leaves out what is not used"""
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = {program[-1][0]: 1.0}
    for name, operation, x, y in reversed(program):
        grad[x] = grad.get(x, 0) + grad[name] * (1 if operation == "+" else value[y])
        grad[y] = grad.get(y, 0) + grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves if leaf in grad}
