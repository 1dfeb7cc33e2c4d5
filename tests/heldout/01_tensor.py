"""Attempts at chapter 01 that nobody has met: known mistakes and right answers, written anew."""

from functools import reduce

import numpy as np

from minigrad.tensor import Tensor, record


def my_unbroadcast__right_for_a_bias_that_is_added_to_rows__heldout_add(grad, shape):
    return np.add.reduce(grad)


def my_unbroadcast__stretched_axes_are_forgotten__heldout_loop(grad, shape):
    for _ in range(len(grad.shape) - len(shape)):
        grad = np.sum(grad, 0)
    return grad


def my_unbroadcast__mean_instead_of_the_sum__heldout_one_call(grad, shape):
    padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    axes = tuple(i for i, n in enumerate(padded) if n == 1)
    return np.mean(grad, axis=axes).reshape(shape) if axes else grad


def my_product_rule__forgets_the_gradient_that_arrives__heldout_ones(a, b, g):
    one = np.ones_like(a)
    return one * b, a * one


def my_product_rule__each_with_its_own_factor__heldout_names(a, b, g):
    of_a, of_b = a * g, b * g
    return of_a, of_b


def my_order__notes_a_name_when_it_is_first_seen__heldout_dictionary(inputs, root):
    met, todo = {}, [root]
    while len(todo) > 0:
        name = todo.pop()
        if name in met:
            continue
        met[name] = True
        for used in inputs[name]:
            todo.append(used)
    return [*met]


def my_order__calls_itself_and_does_not_get_deep_enough__heldout_insert(inputs, root):
    order, seen = [], set()

    def walk(name):
        if name in seen:
            return
        seen.add(name)
        for used in inputs[name]:
            walk(used)
        order.insert(0, name)

    walk(root)
    return order


def my_matmul_gradients__second_one_is_the_transpose_of_what_is_wanted__heldout_dot(A, B, g):
    return np.dot(g, np.transpose(B)), np.transpose(np.dot(np.transpose(A), g))


def my_matmul_gradients__forgets_the_gradient_that_arrives__heldout_sums(A, B, g):
    n, m = g.shape
    return np.tile(B.sum(axis=1), (n, 1)), np.tile(A.sum(axis=0)[:, None], (1, m))


def my_maximum__ties_get_the_gradient_twice__heldout_where(a, b):
    value = np.where(a.data > b.data, a.data, b.data)
    return record(
        value,
        (a, lambda g: np.where(a.data == value, g, 0)),
        (b, lambda g: np.where(b.data == value, g, 0)),
    )


def my_maximum__gradient_goes_to_both__heldout_copies(a, b):
    return record(np.maximum(a.data, b.data), (a, lambda g: 1 * g), (b, np.copy))


def my_gradients_of_program__overwrites_instead_of_adding__heldout_branches(program, leaves):
    numbers = {**leaves}
    for step in program:
        left, right = numbers[step[2]], numbers[step[3]]
        numbers[step[0]] = left * right if step[1] == "*" else left + right
    found = {name: 0.0 for name in numbers}
    found[program[-1][0]] = 1.0
    for step in program[::-1]:
        g = found[step[0]]
        if step[1] == "*":
            found[step[2]] = g * numbers[step[3]]
            found[step[3]] = g * numbers[step[2]]
        else:
            found[step[2]] = found[step[3]] = g
    return {name: found[name] for name in leaves}


def my_unbroadcast__correct_one_axis_at_a_time(grad, shape):
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1 and grad.shape[axis] != 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


def my_unbroadcast__correct_einsum(grad, shape):
    padded = (1,) * (grad.ndim - len(shape)) + tuple(shape)
    letters = "abcdefgh"[: grad.ndim]
    kept = "".join(letter for letter, n in zip(letters, padded) if n != 1)
    return np.einsum(f"{letters}->{kept}", grad).reshape(shape)


def my_product_rule__correct_outer_names(a, b, g):
    return b * g, np.multiply(g, a)


def my_order__correct_counts_users(inputs, root):
    users, todo, seen = {root: 0}, [root], set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            for used in inputs[name]:
                users[used] = users.get(used, 0) + 1
                todo.append(used)
    order, ready = [], [root]
    while ready:
        order.append(ready.pop(0))
        for used in inputs[order[-1]]:
            users[used] -= 1
            if users[used] == 0:
                ready.append(used)
    return order


def my_matmul_gradients__correct_einsum(A, B, g):
    return np.einsum("ij,qj->iq", g, B), np.einsum("iq,ij->qj", A, g)


def my_maximum__correct_sign(a, b):
    of_a = (1 + np.sign(a.data - b.data)) / 2
    value = np.maximum(a.data, b.data)
    return record(value, (a, lambda g: (g * of_a).astype(g.dtype)), (b, lambda g: g - g * of_a))


def my_gradients_of_program__correct_with_tensors(program, leaves):
    tensors = {name: Tensor(np.array(x), requires_grad=True) for name, x in leaves.items()}
    values = dict(tensors)
    for name, operation, x, y in program:
        values[name] = values[x] + values[y] if operation == "+" else values[x] * values[y]
    values[program[-1][0]].backward()
    return {name: 0.0 if t.grad is None else t.grad.item() for name, t in tensors.items()}


def my_unbroadcast__correct_reduce(grad, shape):
    added = len(grad.shape) - len(shape)
    axes = [i for i in range(grad.ndim) if i < added or shape[i - added] == 1]
    summed = reduce(lambda a, axis: a.sum(axis=axis, keepdims=True), axes, grad)
    return summed.reshape(shape)
