"""Plausible wrong attempts at the exercises of chapter 03."""

import math
from types import SimpleNamespace

import numpy as np

from minigrad.nn import Dropout, Parameter
from minigrad.tensor import Tensor


def my_parameter_names__finds_any_tensor(thing):
    """the search of The idea as it stands: finds any Tensor"""

    def search(thing, prefix=""):
        for name, value in vars(thing).items():
            if isinstance(value, Tensor):
                yield prefix + name
            elif isinstance(value, SimpleNamespace):
                yield from search(value, prefix + name + ".")

    return list(search(thing))


def my_parameter_names__shared_parameter_is_given_under_each_of_its_names(thing):
    """a shared parameter is given under each of its names"""
    names = []
    for name, value in vars(thing).items():
        if isinstance(value, Parameter):
            names.append(name)
        elif isinstance(value, SimpleNamespace):
            names += [
                f"{name}.{inner}"
                for inner in my_parameter_names__shared_parameter_is_given_under_each_of_its_names(
                    value
                )
            ]
    return names


def my_parameter_names__default_is_made_once(thing, seen=set()):  # noqa: B006
    """the default is made once"""
    names = []
    for name, value in vars(thing).items():
        if isinstance(value, Parameter) and value not in seen:
            seen.add(value)
            names.append(name)
        elif isinstance(value, SimpleNamespace):
            names += [
                f"{name}.{inner}" for inner in my_parameter_names__default_is_made_once(value, seen)
            ]
    return names


def my_parameter_names__remembers_only_within_one_namespace(thing):
    """remembers only within one namespace"""
    names, seen = [], set()
    for name, value in vars(thing).items():
        if isinstance(value, Parameter) and id(value) not in seen:
            seen.add(id(value))
            names.append(name)
        elif isinstance(value, SimpleNamespace):
            names += [
                f"{name}.{inner}"
                for inner in my_parameter_names__remembers_only_within_one_namespace(value)
            ]
    return names


def my_parameter_names__takes_equal_numbers_for_the_same_parameter(thing):
    """takes equal numbers for the same parameter"""
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


def my_parameter_names__path_holds_only_the_last_namespace(thing):
    """the path holds only the last namespace"""
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


def my_parameter_names__once_by_the_last_part_of_the_name(thing):
    """goes by the last part of the name, not by the object"""
    names = []

    def search(thing, prefix):
        for name, value in vars(thing).items():
            if isinstance(value, Parameter) and name not in [n.split(".")[-1] for n in names]:
                names.append(prefix + name)
            elif isinstance(value, SimpleNamespace):
                search(value, f"{prefix}{name}.")

    search(thing, "")
    return names


def my_parameter_names__generator_as_find_tensors_is_where_a_list_is_asked(thing):
    """a generator, as `find_tensors` is, where a list is asked for"""
    seen = set()

    def search(thing, prefix=""):
        for name, value in vars(thing).items():
            if isinstance(value, Parameter) and value not in seen:
                seen.add(value)
                yield prefix + name
            elif isinstance(value, SimpleNamespace):
                yield from search(value, f"{prefix}{name}.")

    return search(thing)


def my_misfits__plain_list_has_no_shape(own, state):
    """a plain list has no `.shape`"""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [n for n in own if n in state and state[n].shape != own[n].shape]
    return missing, unexpected, misshapen


def my_misfits__looks_for_missing_names_only(own, state):
    """looks for missing names only"""
    missing = [name for name in own if name not in state]
    misshapen = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
    return missing, [], misshapen


def my_misfits__missing_and_unexpected_exchanged(own, state):
    """missing and unexpected exchanged"""
    missing = [name for name in state if name not in own]
    unexpected = [name for name in own if name not in state]
    misshapen = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
    return missing, unexpected, misshapen


def my_misfits__compares_how_many_numbers_there_are_not_the_shapes(own, state):
    """compares how many numbers there are, not the shapes"""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [n for n in own if n in state and np.size(state[n]) != own[n].size]
    return missing, unexpected, misshapen


def my_misfits__accepts_everything_that_numpy_would_broadcast(own, state):
    """accepts everything that NumPy would broadcast"""
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


def my_misfits__pairs_arrays_by_their_place(own, state):
    """pairs arrays by their place"""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    pairs = zip(own, own.values(), state.values())
    misshapen = [name for name, a, b in pairs if a.shape != np.shape(b)]
    return missing, unexpected, misshapen


def my_misfits__missing_array_counts_as_misshapen_too(own, state):
    """a missing array counts as misshapen too"""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [name for name in own if np.shape(state.get(name)) != own[name].shape]
    return missing, unexpected, misshapen


def my_first_numbers__number_of_outputs_instead_of_the_inputs(n_in, n_out, rng):
    """the number of outputs instead of the inputs"""
    bound = 1 / math.sqrt(n_out)
    return rng.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_out)


def my_first_numbers__weight_is_transposed(n_in, n_out, rng):
    """the weight is transposed"""
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_in, n_out)), rng.uniform(-bound, bound, n_out)


def my_first_numbers__no_negative_numbers(n_in, n_out, rng):
    """no negative numbers"""
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(0, bound, (n_out, n_in)), rng.uniform(0, bound, n_out)


def my_first_numbers__no_root_in_the_bound(n_in, n_out, rng):
    """no root in the bound"""
    return rng.uniform(-1, 1, (n_out, n_in)) / n_in, rng.uniform(-1, 1, n_out) / n_in


def my_first_numbers__normal_with_the_bound_as_standard_deviation(n_in, n_out, rng):
    """normal, with the bound as standard deviation"""
    bound = 1 / math.sqrt(n_in)
    return bound * rng.standard_normal((n_out, n_in)), bound * rng.standard_normal(n_out)


def my_first_numbers__bias_of_zeros(n_in, n_out, rng):
    """a bias of zeros"""
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_out, n_in)), np.zeros(n_out)


def my_first_numbers__hidden_global_generator(n_in, n_out, rng):
    """a hidden global generator"""
    bound = 1 / math.sqrt(n_in)
    return np.random.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_out)


def my_first_numbers__bias_for_each_input(n_in, n_out, rng):
    """a bias for each input"""
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_in)


def my_small_network_size__biases_are_forgotten(vocab, d, hidden, tied):
    """the biases are forgotten"""
    return vocab * d + 2 * d + 2 * d * hidden + (0 if tied else d * vocab)


def my_small_network_size__layernorm_is_forgotten(vocab, d, hidden, tied):
    """the LayerNorm is forgotten"""
    return vocab * d + d * hidden + hidden + hidden * d + d + (0 if tied else d * vocab)


def my_small_network_size__tied_or_not_both_matrices_count(vocab, d, hidden, tied):
    """tied or not, both matrices count"""
    return vocab * d + 2 * d + d * hidden + hidden + hidden * d + d + d * vocab


def my_small_network_size__last_layer_gets_a_bias(vocab, d, hidden, tied):
    """the last layer gets a bias"""
    last = 0 if tied else d * vocab
    return vocab * d + 2 * d + d * hidden + hidden + hidden * d + d + last + vocab


def my_small_network_size__layernorm_as_a_matrix(vocab, d, hidden, tied):
    """LayerNorm as a matrix"""
    last = 0 if tied else d * vocab
    return vocab * d + d * d + d + d * hidden + hidden + hidden * d + d + last


def my_small_network_size__tied_neither_of_the_two_counts(vocab, d, hidden, tied):
    """tied: neither of the two counts"""
    size = 2 * d + d * hidden + hidden + hidden * d + d
    return size if tied else size + 2 * vocab * d


def my_calm_output__leaves_the_model_in_evaluation_mode(model, x):
    """leaves the model in evaluation mode"""
    return model.eval()(x)


def my_calm_output__always_back_to_training(model, x):
    """always back to training"""
    output = model.eval()(x)
    model.train()
    return output


def my_calm_output__remembers_one_flag_for_all_modules(model, x):
    """remembers one flag for all modules"""
    mode = model.training
    output = model.eval()(x)
    model.train(mode)
    return output


def my_calm_output__clears_the_flag_of_the_whole_only(model, x):
    """clears the flag of the whole only"""
    mode, model.training = model.training, False
    output = model(x)
    model.training = mode
    return output


def my_calm_output__goes_only_one_level_down(model, x):
    """goes only one level down"""
    modules = [model, *(child for _, child in model.named_children())]
    modes = [module.training for module in modules]
    for module in modules:
        module.training = False
    output = model(x)
    for module, mode in zip(modules, modes):
        module.training = mode
    return output


def my_calm_output__remembers_the_dropouts_only(model, x):
    """remembers the dropouts only"""
    modes = [(m, m.training) for m in model.modules() if isinstance(m, Dropout)]
    output = model.eval()(x)
    for module, mode in modes:
        module.training = mode
    return output


def my_calm_output__flags_are_read_when_they_are_off_already(model, x):
    """the flags are read when they are off already"""
    model.eval()
    modes = [module.training for module in model.modules()]
    output = model(x)
    for module, mode in zip(model.modules(), modes):
        module.training = mode
    return output


def my_calm_output__leaves_dropout_on_and_averages_it_away_instead(model, x):
    """leaves dropout on, and averages it away instead"""
    return Tensor(np.mean([model(x).data for _ in range(1000)], axis=0))


def my_leaky_sigma__relus_rule_for_every_slope(n_in, slope):
    """relu's rule for every slope"""
    return math.sqrt(2 / n_in)


def my_leaky_sigma__linear_rule_for_every_slope(n_in, slope):
    """the linear rule for every slope"""
    return 1 / math.sqrt(n_in)


def my_leaky_sigma__slope_is_not_squared(n_in, slope):
    """the slope is not squared"""
    return math.sqrt(2 / ((1 + slope) * n_in)) if slope > -1 else math.inf


def my_leaky_sigma__variance_instead_of_its_root(n_in, slope):
    """the variance instead of its root"""
    return 2 / ((1 + slope**2) * n_in)


def my_leaky_sigma__half_is_forgotten(n_in, slope):
    """the half is forgotten"""
    return 1 / math.sqrt((1 + slope**2) * n_in)


def my_leaky_sigma__interpolates_between_relus_rule_and_the_linear(n_in, slope):
    """interpolates between relu's rule and the linear one"""
    return math.sqrt(2 / n_in) * (1 - slope) + slope / math.sqrt(n_in)


def my_leaky_sigma__positive_half_is_forgotten(n_in, slope):
    """the positive half is forgotten"""
    return math.sqrt(2 / n_in) / abs(slope) if slope else math.sqrt(2 / n_in)
