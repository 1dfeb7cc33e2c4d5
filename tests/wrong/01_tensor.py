"""Plausible wrong attempts at the exercises of chapter 01."""

import numpy as np

from minigrad.tensor import Tensor, record


def my_unbroadcast(grad, shape):  # right for a bias that is added to rows, and for nothing else
    return grad.sum(axis=0)


def my_unbroadcast(grad, shape):  # the stretched axes are forgotten
    return grad.sum(axis=tuple(range(grad.ndim - len(shape))))


def my_unbroadcast(grad, shape):  # the stretched axes disappear
    grad = grad.sum(axis=tuple(range(grad.ndim - len(shape))))
    return grad.sum(axis=tuple(i for i, size in enumerate(shape) if size == 1))


def my_unbroadcast(grad, shape):  # each sum moves the axes after it, and nothing keeps count
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.sum(axis=axis)
    return grad.reshape(shape)


def my_unbroadcast(grad, shape):  # the mean instead of the sum
    grad = grad.mean(axis=tuple(range(grad.ndim - len(shape))))
    for axis, size in enumerate(shape):
        if size == 1:
            grad = grad.mean(axis=axis, keepdims=True)
    return grad


def my_unbroadcast(grad, shape):  # takes the first row instead of summing
    return np.resize(grad, shape)


def my_unbroadcast(grad, shape):  # compares the shapes from the left
    for axis in reversed(range(grad.ndim)):
        if axis >= len(shape):
            grad = grad.sum(axis=axis)
        elif shape[axis] == 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


def my_product_rule(a, b, g):  # forgets the gradient that arrives
    return b, a


def my_product_rule(a, b, g):  # each with its own factor
    return g * a, g * b


def my_product_rule(a, b, g):  # sums over the positions
    return np.sum(g * b), np.sum(g * a)


def my_product_rule(a, b, g):  # differentiates a**2
    return 2 * g * b, 2 * g * a


def my_order(inputs, root):  # notes a name when it is first seen
    order, stack = [], [root]
    while stack:
        name = stack.pop()
        if name not in order:
            order.append(name)
            stack.extend(inputs[name])
    return order


def my_order(inputs, root):  # level by level, from the root
    order, level = [], [root]
    while level:
        order += [name for name in level if name not in order]
        level = [used for name in level for used in inputs[name]][:1000]
    return order


def my_order(inputs, root):  # the leaves first
    order = []

    def visit(name):
        if name not in order:
            for used in inputs[name]:
                visit(used)
            order.append(name)

    visit(root)
    return order


def my_order(inputs, root):  # calls itself, and does not get deep enough
    order = []

    def visit(name):
        if name not in order:
            for used in inputs[name]:
                visit(used)
            order.append(name)

    visit(root)
    return order[::-1]


def my_order(inputs, root):  # a name that was put on the stack twice is noted twice
    noted, stack = [], [root]
    while stack:
        missing = [name for name in inputs[stack[-1]] if name not in noted]
        if missing:
            stack.extend(missing)
        else:
            noted.append(stack.pop())
    return noted[::-1]


def my_order(inputs, root):  # follows every path: names turn up twice
    order, stack = [], [root]
    while stack:
        name = stack.pop()
        order.append(name)
        stack.extend(inputs[name])
    return order


def my_order(inputs, root):  # takes everything in the dictionary, in its order
    return list(inputs)


def my_matmul_gradients(A, B, g):  # nothing transposed
    return g @ B, A @ g


def my_matmul_gradients(A, B, g):  # the second one is the transpose of what is wanted
    return g @ B.T, g.T @ A


def my_matmul_gradients(A, B, g):  # number by number, as for a * b
    return g * B, g * A


def my_matmul_gradients(A, B, g):  # forgets the gradient that arrives
    ones = np.ones_like(g)
    return ones @ B.T, A.T @ ones


def my_maximum(a, b):  # a value without a past
    return Tensor(np.maximum(a.data, b.data))


def my_maximum(a, b):  # ties get the gradient twice
    return record(
        np.maximum(a.data, b.data),
        (a, lambda g: g * (a.data >= b.data)),
        (b, lambda g: g * (b.data >= a.data)),
    )


def my_maximum(a, b):  # the masks without the gradient that arrives
    share = np.where(a.data == b.data, 0.5, a.data > b.data)
    return record(np.maximum(a.data, b.data), (a, lambda g: share), (b, lambda g: 1 - share))


def my_maximum(a, b):  # the gradient goes to both
    return record(np.maximum(a.data, b.data), (a, lambda g: g), (b, lambda g: g))


def my_maximum(a, b):  # the smaller one gets it
    share = np.where(a.data == b.data, 0.5, a.data < b.data)
    return record(
        np.maximum(a.data, b.data), (a, lambda g: g * share), (b, lambda g: g * (1 - share))
    )


def my_gradients_of_program(program, leaves):  # overwrites instead of adding
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = dict.fromkeys(value, 0.0)
    grad[program[-1][0]] = 1.0
    for name, operation, x, y in reversed(program):
        grad[x] = grad[name] * (1 if operation == "+" else value[y])
        grad[y] = grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves}


def my_gradients_of_program(program, leaves):  # goes through the steps forwards
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = dict.fromkeys(value, 0.0)
    grad[program[-1][0]] = 1.0
    for name, operation, x, y in program:
        grad[x] += grad[name] * (1 if operation == "+" else value[y])
        grad[y] += grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves}


def my_gradients_of_program(program, leaves):  # a product passes the gradient on like a sum
    names = [*leaves, *(step[0] for step in program)]
    grad = dict.fromkeys(names, 0.0)
    grad[program[-1][0]] = 1.0
    for name, _, x, y in reversed(program):
        grad[x] += grad[name]
        grad[y] += grad[name]
    return {leaf: grad[leaf] for leaf in leaves}


def my_gradients_of_program(program, leaves):  # leaves out what is not used
    value = dict(leaves)
    for name, operation, x, y in program:
        value[name] = value[x] + value[y] if operation == "+" else value[x] * value[y]
    grad = {program[-1][0]: 1.0}
    for name, operation, x, y in reversed(program):
        grad[x] = grad.get(x, 0) + grad[name] * (1 if operation == "+" else value[y])
        grad[y] = grad.get(y, 0) + grad[name] * (1 if operation == "+" else value[x])
    return {leaf: grad[leaf] for leaf in leaves if leaf in grad}
