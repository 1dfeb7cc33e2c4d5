"""Attempts at chapter 03 that nobody has met: known mistakes and right answers, written anew."""

import copy
import math

import numpy as np

from minigrad.nn import Dropout, Parameter
from minigrad.tensor import Tensor


def my_parameter_names__shared_parameter_is_given_under_each_of_its_names__heldout_stack(thing):
    found, todo = [], [("", thing)]
    while todo:
        prefix, node = todo.pop(0)
        if isinstance(node, Parameter):
            found.append(prefix)
        elif hasattr(node, "__dict__") and not isinstance(node, Tensor):
            dot = prefix + "." if prefix else ""
            todo = [(dot + key, value) for key, value in node.__dict__.items()] + todo
    return found


def my_parameter_names__path_holds_only_the_last_namespace__heldout_parent(thing):
    found, met = [], []

    def walk(node, parent):
        for key, value in node.__dict__.items():
            if isinstance(value, Parameter):
                if not any(value is other for other in met):
                    met.append(value)
                    found.append(f"{parent}.{key}" if parent else key)
            elif type(value) is type(thing):
                walk(value, key)

    walk(thing, "")
    return found


def my_misfits__compares_how_many_numbers_there_are_not_the_shapes__heldout_prod(own, state):
    lists = [], [], []
    for name, array in own.items():
        if name not in state:
            lists[0].append(name)
        elif math.prod(np.shape(state[name])) != math.prod(array.shape):
            lists[2].append(name)
    for name in state:
        if name not in own:
            lists[1].append(name)
    return lists


def my_misfits__missing_and_unexpected_exchanged__heldout_loop(own, state):
    missing = [name for name in state if name not in own.keys()]
    unexpected = [name for name in own if name not in state.keys()]
    both = [name for name in own if name in state]
    return missing, unexpected, [n for n in both if np.array(state[n]).shape != own[n].shape]


def my_first_numbers__no_negative_numbers__heldout_random(n_in, n_out, rng):
    scale = n_in**-0.5
    return scale * rng.random((n_out, n_in)), scale * rng.random(n_out)


def my_first_numbers__weight_is_transposed__heldout_mirror(n_in, n_out, rng):
    top = n_in**-0.5
    return rng.uniform(-top, top, size=(n_in, n_out)), rng.uniform(-top, top, size=(n_out,))


def my_small_network_size__biases_are_forgotten__heldout_list(vocab, d, hidden, tied):
    parts = [vocab * d, d, d, d * hidden, hidden * d]
    if not tied:
        parts.append(vocab * d)
    return sum(parts)


def my_small_network_size__tied_or_not_both_matrices_count__heldout_twice(vocab, d, hidden, tied):
    return 2 * vocab * d + 2 * d + 2 * d * hidden + hidden + d


def my_calm_output__always_back_to_training__heldout_train(model, x):
    model.train(False)
    calm = model(x)
    model.train(True)
    return calm


def my_calm_output__remembers_one_flag_for_all_modules__heldout_try(model, x):
    was = model.training
    try:
        model.eval()
        return model(x)
    finally:
        model.train(was)


def my_leaky_sigma__slope_is_not_squared__heldout_power(n_in, slope):
    return (n_in * (1 + slope) / 2) ** -0.5 if slope > -1 else float("inf")


def my_leaky_sigma__half_is_forgotten__heldout_power(n_in, slope):
    return (n_in * (1 + slope * slope)) ** -0.5


def my_parameter_names__correct_stack(thing):
    names, seen, todo = [], set(), [("", thing)]
    while todo:
        path, node = todo.pop()
        if isinstance(node, Parameter):
            if id(node) not in seen:
                seen.add(id(node))
                names.append(path[1:])
        elif type(node) is type(thing):
            inside = [(f"{path}.{key}", value) for key, value in vars(node).items()]
            todo += inside[::-1]
    return names


def my_misfits__correct_one_loop(own, state):
    misshapen = []
    for name in own:
        if name in state and np.asarray(state[name]).shape != own[name].shape:
            misshapen.append(name)
    return [n for n in own if n not in state], [n for n in state if n not in own], misshapen


def my_first_numbers__correct_scaled(n_in, n_out, rng):
    bias = (2 * rng.random(n_out) - 1) / np.sqrt(n_in)
    weight = (2 * rng.random((n_out, n_in), dtype=np.float32) - 1) / np.float32(n_in**0.5)
    return weight, bias


def my_small_network_size__correct_factored(vocab, d, hidden, tied):
    return (2 - bool(tied)) * vocab * d + (2 * d + 1) * hidden + 3 * d


def my_calm_output__correct_copy(model, x):
    return copy.deepcopy(model).eval()(x)


def my_calm_output__correct_dropouts(model, x):
    dropouts = [(m, m.training) for m in model.modules() if isinstance(m, Dropout)]
    try:
        for module, _ in dropouts:
            module.training = False
        return model(x)
    finally:
        for module, flag in dropouts:
            module.training = flag


def my_leaky_sigma__correct_hypot(n_in, slope):
    return math.sqrt(2 / n_in) / math.hypot(1, slope)
