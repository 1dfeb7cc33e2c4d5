"""Plausible wrong attempts at the exercises of chapter 03."""

import math
from types import SimpleNamespace

import numpy as np

from minigrad.nn import Dropout, Parameter
from minigrad.tensor import Tensor


def my_parameter_names(thing):  # the search of The idea as it stands: finds any Tensor
    def search(thing, prefix=""):
        for name, value in vars(thing).items():
            if isinstance(value, Tensor):
                yield prefix + name
            elif isinstance(value, SimpleNamespace):
                yield from search(value, prefix + name + ".")

    return list(search(thing))


def my_parameter_names(thing):  # a shared parameter is given under each of its names
    names = []
    for name, value in vars(thing).items():
        if isinstance(value, Parameter):
            names.append(name)
        elif isinstance(value, SimpleNamespace):
            names += [f"{name}.{inner}" for inner in my_parameter_names(value)]
    return names


def my_parameter_names(thing, seen=set()):  # noqa: B006 (the default is made once)
    names = []
    for name, value in vars(thing).items():
        if isinstance(value, Parameter) and value not in seen:
            seen.add(value)
            names.append(name)
        elif isinstance(value, SimpleNamespace):
            names += [f"{name}.{inner}" for inner in my_parameter_names(value, seen)]
    return names


def my_parameter_names(thing):  # remembers only within one namespace
    names, seen = [], set()
    for name, value in vars(thing).items():
        if isinstance(value, Parameter) and id(value) not in seen:
            seen.add(id(value))
            names.append(name)
        elif isinstance(value, SimpleNamespace):
            names += [f"{name}.{inner}" for inner in my_parameter_names(value)]
    return names


def my_parameter_names(thing):  # takes equal numbers for the same parameter
    found = []

    def search(thing, prefix):
        for name, value in vars(thing).items():
            if isinstance(value, Parameter):
                if not any(np.array_equal(value.data, other.data) for _, other in found):
                    found.append((prefix + name, value))
            elif isinstance(value, SimpleNamespace):
                search(value, f"{prefix}{name}.")

    search(thing, "")
    return [name for name, _ in found]


def my_parameter_names(thing):  # the path holds only the last namespace
    seen, names = set(), []

    def search(thing, prefix):
        for name, value in vars(thing).items():
            if isinstance(value, Parameter) and value not in seen:
                seen.add(value)
                names.append(prefix + name)
            elif isinstance(value, SimpleNamespace):
                search(value, name + ".")

    search(thing, "")
    return names


def my_parameter_names(thing):  # "once" by the last part of the name, not by the object
    names = []

    def search(thing, prefix):
        for name, value in vars(thing).items():
            if isinstance(value, Parameter) and name not in [n.split(".")[-1] for n in names]:
                names.append(prefix + name)
            elif isinstance(value, SimpleNamespace):
                search(value, f"{prefix}{name}.")

    search(thing, "")
    return names


def my_parameter_names(thing):  # a generator, as `find_tensors` is, where a list is asked for
    seen = set()

    def search(thing, prefix=""):
        for name, value in vars(thing).items():
            if isinstance(value, Parameter) and value not in seen:
                seen.add(value)
                yield prefix + name
            elif isinstance(value, SimpleNamespace):
                yield from search(value, f"{prefix}{name}.")

    return search(thing)


def my_misfits(own, state):  # a plain list has no `.shape`
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [n for n in own if n in state and state[n].shape != own[n].shape]
    return missing, unexpected, misshapen


def my_misfits(own, state):  # looks for missing names only
    missing = [name for name in own if name not in state]
    misshapen = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
    return missing, [], misshapen


def my_misfits(own, state):  # missing and unexpected exchanged
    missing = [name for name in state if name not in own]
    unexpected = [name for name in own if name not in state]
    misshapen = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
    return missing, unexpected, misshapen


def my_misfits(own, state):  # compares how many numbers there are, not the shapes
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [n for n in own if n in state and np.size(state[n]) != own[n].size]
    return missing, unexpected, misshapen


def my_misfits(own, state):  # accepts everything that NumPy would broadcast
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = []
    for name in own:
        if name in state:
            try:
                own[name].copy()[...] = state[name]
            except ValueError:
                misshapen.append(name)
    return missing, unexpected, misshapen


def my_misfits(own, state):  # pairs arrays by their place
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    pairs = zip(own, own.values(), state.values())
    misshapen = [name for name, a, b in pairs if a.shape != np.shape(b)]
    return missing, unexpected, misshapen


def my_misfits(own, state):  # a missing array counts as misshapen too
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [name for name in own if np.shape(state.get(name)) != own[name].shape]
    return missing, unexpected, misshapen


def my_first_numbers(n_in, n_out, rng):  # the number of outputs instead of the inputs
    bound = 1 / math.sqrt(n_out)
    return rng.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_out)


def my_first_numbers(n_in, n_out, rng):  # the weight is transposed
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_in, n_out)), rng.uniform(-bound, bound, n_out)


def my_first_numbers(n_in, n_out, rng):  # no negative numbers
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(0, bound, (n_out, n_in)), rng.uniform(0, bound, n_out)


def my_first_numbers(n_in, n_out, rng):  # no root
    return rng.uniform(-1, 1, (n_out, n_in)) / n_in, rng.uniform(-1, 1, n_out) / n_in


def my_first_numbers(n_in, n_out, rng):  # normal, with the bound as standard deviation
    bound = 1 / math.sqrt(n_in)
    return bound * rng.standard_normal((n_out, n_in)), bound * rng.standard_normal(n_out)


def my_first_numbers(n_in, n_out, rng):  # a bias of zeros
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_out, n_in)), np.zeros(n_out)


def my_first_numbers(n_in, n_out, rng):  # a hidden global generator
    bound = 1 / math.sqrt(n_in)
    return np.random.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_out)


def my_first_numbers(n_in, n_out, rng):  # a bias for each input
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_in)


def my_small_network_size(vocab, d, hidden, tied):  # the biases are forgotten
    return vocab * d + 2 * d + 2 * d * hidden + (0 if tied else d * vocab)


def my_small_network_size(vocab, d, hidden, tied):  # the LayerNorm is forgotten
    return vocab * d + d * hidden + hidden + hidden * d + d + (0 if tied else d * vocab)


def my_small_network_size(vocab, d, hidden, tied):  # tied or not, both matrices count
    return vocab * d + 2 * d + d * hidden + hidden + hidden * d + d + d * vocab


def my_small_network_size(vocab, d, hidden, tied):  # the last layer gets a bias
    last = 0 if tied else d * vocab
    return vocab * d + 2 * d + d * hidden + hidden + hidden * d + d + last + vocab


def my_small_network_size(vocab, d, hidden, tied):  # LayerNorm as a matrix
    last = 0 if tied else d * vocab
    return vocab * d + d * d + d + d * hidden + hidden + hidden * d + d + last


def my_small_network_size(vocab, d, hidden, tied):  # tied: neither of the two counts
    size = 2 * d + d * hidden + hidden + hidden * d + d
    return size if tied else size + 2 * vocab * d


def my_calm_output(model, x):  # leaves the model in evaluation mode
    return model.eval()(x)


def my_calm_output(model, x):  # always back to training
    output = model.eval()(x)
    model.train()
    return output


def my_calm_output(model, x):  # remembers one flag for all modules
    mode = model.training
    output = model.eval()(x)
    model.train(mode)
    return output


def my_calm_output(model, x):  # clears the flag of the whole only
    mode, model.training = model.training, False
    output = model(x)
    model.training = mode
    return output


def my_calm_output(model, x):  # goes only one level down
    modules = [model, *(child for _, child in model.named_children())]
    modes = [module.training for module in modules]
    for module in modules:
        module.training = False
    output = model(x)
    for module, mode in zip(modules, modes):
        module.training = mode
    return output


def my_calm_output(model, x):  # remembers the dropouts only
    modes = [(m, m.training) for m in model.modules() if isinstance(m, Dropout)]
    output = model.eval()(x)
    for module, mode in modes:
        module.training = mode
    return output


def my_calm_output(model, x):  # the flags are read when they are off already
    model.eval()
    modes = [module.training for module in model.modules()]
    output = model(x)
    for module, mode in zip(model.modules(), modes):
        module.training = mode
    return output


def my_calm_output(model, x):  # leaves dropout on, and averages it away instead
    return Tensor(np.mean([model(x).data for _ in range(1000)], axis=0))


def my_leaky_sigma(n_in, slope):  # relu's rule for every slope
    return math.sqrt(2 / n_in)


def my_leaky_sigma(n_in, slope):  # the linear rule
    return 1 / math.sqrt(n_in)


def my_leaky_sigma(n_in, slope):  # the slope is not squared
    return math.sqrt(2 / ((1 + slope) * n_in)) if slope > -1 else math.inf


def my_leaky_sigma(n_in, slope):  # the variance instead of its root
    return 2 / ((1 + slope**2) * n_in)


def my_leaky_sigma(n_in, slope):  # the half is forgotten
    return 1 / math.sqrt((1 + slope**2) * n_in)


def my_leaky_sigma(n_in, slope):  # interpolates between relu's rule and the linear one
    return math.sqrt(2 / n_in) * (1 - slope) + slope / math.sqrt(n_in)


def my_leaky_sigma(n_in, slope):  # the positive half is forgotten
    return math.sqrt(2 / n_in) / abs(slope) if slope else math.sqrt(2 / n_in)
