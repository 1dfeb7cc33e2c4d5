"""Plausible wrong attempts at the exercises of chapter 03."""

import math
from types import SimpleNamespace

import numpy as np

from minigrad.nn import Dropout, Parameter
from minigrad.tensor import Tensor


def my_parameter_names__finds_any_tensor(thing):
    """This finds any Tensor; only a Parameter is trained, a constant or a mask is not. See
    “Exercise 3.1 · A name for every parameter”."""

    def search(thing, prefix=""):
        for name, value in vars(thing).items():
            if isinstance(value, Tensor):
                yield prefix + name
            elif isinstance(value, SimpleNamespace):
                yield from search(value, prefix + name + ".")

    return list(search(thing))


def my_parameter_names__shared_parameter_is_given_under_each_of_its_names(thing):
    """A shared parameter was named once for each path; for training it must come once, or its step
    is taken twice. See “Exercise 3.1 · A name for every parameter”."""
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
    """A default such as `seen=set()` is made once, when the function is defined, so it remembers
    earlier calls. See “Exercise 3.1 · A name for every parameter”."""
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
    """What was seen was remembered within one namespace only; a parameter can be shared between
    two. See “Exercise 3.1 · A name for every parameter”."""
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
    """Equal numbers were taken for one parameter; the same means one object, as `is` tells. See
    “Exercise 3.1 · A name for every parameter”."""
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
    """The name holds only the last namespace; it is the whole path that makes it unique. See
    “Exercise 3.1 · A name for every parameter”."""
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
    """Names with the same last part were taken for one parameter; two layers may both have a bias.
    See “Exercise 3.1 · A name for every parameter”."""
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
    """A generator was returned, as find_tensors does; a list is asked for. See “Exercise 3.1 · A
    name for every parameter”."""
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
    """A plain list of numbers has no `.shape`; np.shape takes both. See “Exercise 3.2 · What does
    not fit?”."""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [n for n in own if n in state and state[n].shape != own[n].shape]
    return missing, unexpected, misshapen


def my_misfits__looks_for_missing_names_only(own, state):
    """Only the names of the model were gone through; what the file has too much is found among the
    names of `state`. See “Exercise 3.2 · What does not fit?”."""
    missing = [name for name in own if name not in state]
    misshapen = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
    return missing, [], misshapen


def my_misfits__missing_and_unexpected_exchanged(own, state):
    """Missing and unexpected are exchanged: missing is what the model has and the file has not.
    See “Exercise 3.2 · What does not fit?”."""
    missing = [name for name in state if name not in own]
    unexpected = [name for name in own if name not in state]
    misshapen = [n for n in own if n in state and np.shape(state[n]) != own[n].shape]
    return missing, unexpected, misshapen


def my_misfits__compares_how_many_numbers_there_are_not_the_shapes(own, state):
    """Sizes were compared; (2, 3) and (3, 2) hold as many numbers and do not fit. See “Exercise
    3.2 · What does not fit?”."""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [n for n in own if n in state and np.size(state[n]) != own[n].size]
    return missing, unexpected, misshapen


def my_misfits__accepts_everything_that_numpy_would_broadcast(own, state):
    """Everything that NumPy could broadcast was accepted; a row would fill a whole matrix without
    a word. See “Exercise 3.2 · What does not fit?”."""
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
    """The arrays were paired by their place; they belong together by name. See “Exercise 3.2 ·
    What does not fit?”."""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    pairs = zip(own, own.values(), state.values())
    misshapen = [name for name, a, b in pairs if a.shape != np.shape(b)]
    return missing, unexpected, misshapen


def my_misfits__missing_array_counts_as_misshapen_too(own, state):
    """A missing array was counted as misshapen, too; only what is in both has shapes to compare.
    See “Exercise 3.2 · What does not fit?”."""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [name for name in own if np.shape(state.get(name)) != own[name].shape]
    return missing, unexpected, misshapen


def my_first_numbers__number_of_outputs_instead_of_the_inputs(n_in, n_out, rng):
    """The bound was made of the number of outputs; it is the inputs that are summed up. See “How
    large should the first numbers be?”."""
    bound = 1 / math.sqrt(n_out)
    return rng.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_out)


def my_first_numbers__weight_is_transposed(n_in, n_out, rng):
    """The weight is transposed: its shape is (n_out, n_in), a row for each output. See
    “Linear”."""
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_in, n_out)), rng.uniform(-bound, bound, n_out)


def my_first_numbers__no_negative_numbers(n_in, n_out, rng):
    """All numbers are positive, so their sum cannot cancel; they reach from minus the bound to the
    bound. See “Linear”."""
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(0, bound, (n_out, n_in)), rng.uniform(0, bound, n_out)


def my_first_numbers__no_root_in_the_bound(n_in, n_out, rng):
    """The bound is 1 / n; it is 1 / the root of n. See “Linear”."""
    return rng.uniform(-1, 1, (n_out, n_in)) / n_in, rng.uniform(-1, 1, n_out) / n_in


def my_first_numbers__normal_with_the_bound_as_standard_deviation(n_in, n_out, rng):
    """The numbers are normal, and exceed the bound; uniform ones do not. See “Linear”."""
    bound = 1 / math.sqrt(n_in)
    return bound * rng.standard_normal((n_out, n_in)), bound * rng.standard_normal(n_out)


def my_first_numbers__bias_of_zeros(n_in, n_out, rng):
    """The bias is all zeros; here it starts like the weight. See “Linear”."""
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_out, n_in)), np.zeros(n_out)


def my_first_numbers__normal_with_a_bias_of_zeros(n_in, n_out, rng):
    """The numbers are normal, and exceed the bound; uniform ones do not. And the bias is all zeros;
    here it starts like the weight. See “Linear”."""
    bound = 1 / math.sqrt(n_in)
    return bound * rng.standard_normal((n_out, n_in)), np.zeros(n_out)


def my_first_numbers__hidden_global_generator(n_in, n_out, rng):
    """A global generator of NumPy's was used, so the seed of the caller has no effect. See
    “Linear”."""
    bound = 1 / math.sqrt(n_in)
    return np.random.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_out)


def my_first_numbers__bias_for_each_input(n_in, n_out, rng):
    """The bias has a number for each input; it is added to the outputs. See “Linear”."""
    bound = 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_in)


def my_small_network_size__biases_are_forgotten(vocab, d, hidden, tied):
    """The biases of the two Linear layers are missing. See “Exercise 3.4 · Count”."""
    return vocab * d + 2 * d + 2 * d * hidden + (0 if tied else d * vocab)


def my_small_network_size__layernorm_is_forgotten(vocab, d, hidden, tied):
    """The LayerNorm is missing: it has a weight and a bias of d numbers each. See “LayerNorm”."""
    return vocab * d + d * hidden + hidden + hidden * d + d + (0 if tied else d * vocab)


def my_small_network_size__tied_or_not_both_matrices_count(vocab, d, hidden, tied):
    """Tied or not, both matrices were counted; a shared one is one matrix. See “Shared
    parameters”."""
    return vocab * d + 2 * d + d * hidden + hidden + hidden * d + d + d * vocab


def my_small_network_size__last_layer_gets_a_bias(vocab, d, hidden, tied):
    """The last layer got a bias, but it was made with bias=False. See “Exercise 3.4 · Count”."""
    last = 0 if tied else d * vocab
    return vocab * d + 2 * d + d * hidden + hidden + hidden * d + d + last + vocab


def my_small_network_size__last_layer_gets_a_bias_if_not_tied(vocab, d, hidden, tied):
    """The last layer got a bias, but it was made with bias=False. See “Exercise 3.4 · Count”."""
    last = 0 if tied else d * vocab + vocab
    return vocab * d + 2 * d + d * hidden + hidden + hidden * d + d + last


def my_small_network_size__layernorm_as_a_matrix(vocab, d, hidden, tied):
    """The LayerNorm was counted as a matrix; it scales and shifts each column by itself. See
    “LayerNorm”."""
    last = 0 if tied else d * vocab
    return vocab * d + d * d + d + d * hidden + hidden + hidden * d + d + last


def my_small_network_size__tied_neither_of_the_two_counts(vocab, d, hidden, tied):
    """If tied, neither of the two matrices was counted; a shared one still counts once. See
    “Shared parameters”."""
    size = 2 * d + d * hidden + hidden + hidden * d + d
    return size if tied else size + 2 * vocab * d


def my_calm_output__leaves_the_model_in_evaluation_mode(model, x):
    """The model stays in evaluation mode, and goes on training without dropout. See “Exercise 3.5
    · A calm answer”."""
    return model.eval()(x)


def my_calm_output__always_back_to_training(model, x):
    """The model was always put back to training; it may have been in evaluation mode before. See
    “Exercise 3.5 · A calm answer”."""
    output = model.eval()(x)
    model.train()
    return output


def my_calm_output__remembers_one_flag_for_all_modules(model, x):
    """One flag was remembered for all modules; each has its own. See “Exercise 3.5 · A calm
    answer”."""
    mode = model.training
    output = model.eval()(x)
    model.train(mode)
    return output


def my_calm_output__clears_the_flag_of_the_whole_only(model, x):
    """Only the flag of the whole was cleared; each dropout looks at its own. See “Exercise 3.5 · A
    calm answer”."""
    mode, model.training = model.training, False
    output = model(x)
    model.training = mode
    return output


def my_calm_output__goes_only_one_level_down(model, x):
    """Only one level was gone down; modules stand within modules. See “Exercise 3.5 · A calm
    answer”."""
    modules = [model, *(child for _, child in model.named_children())]
    modes = [module.training for module in modules]
    for module in modules:
        module.training = False
    output = model(x)
    for module, mode in zip(modules, modes):
        module.training = mode
    return output


def my_calm_output__remembers_the_dropouts_only(model, x):
    """The flags of the dropouts alone were remembered; every module has one. See “Exercise 3.5 · A
    calm answer”."""
    modes = [(m, m.training) for m in model.modules() if isinstance(m, Dropout)]
    output = model.eval()(x)
    for module, mode in modes:
        module.training = mode
    return output


def my_calm_output__flags_are_read_when_they_are_off_already(model, x):
    """The flags were read when they were off already, so there was nothing left to remember. See
    “Exercise 3.5 · A calm answer”."""
    model.eval()
    modes = [module.training for module in model.modules()]
    output = model(x)
    for module, mode in zip(model.modules(), modes):
        module.training = mode
    return output


def my_calm_output__leaves_dropout_on_and_averages_it_away_instead(model, x):
    """Dropout was left on and averaged away; evaluation mode switches it off, at once and exactly.
    See “Dropout”."""
    return Tensor(np.mean([model(x).data for _ in range(1000)], axis=0))


def my_leaky_sigma__relus_rule_for_every_slope(n_in, slope):
    """This is relu's rule for every slope; the negative half is not lost if the slope is not 0.
    See “Exercise 3.6 · The first scale, for relu and its relatives”."""
    return math.sqrt(2 / n_in)


def my_leaky_sigma__linear_rule_for_every_slope(n_in, slope):
    """This is the rule for linear layers; a slope other than 1 changes the size of the negative
    half. See “How large should the first numbers be?”."""
    return 1 / math.sqrt(n_in)


def my_leaky_sigma__slope_is_not_squared(n_in, slope):
    """The slope was not squared; it is a mean square that has to stay. See “Exercise 3.6 · The
    first scale, for relu and its relatives”."""
    return math.sqrt(2 / ((1 + slope) * n_in)) if slope > -1 else math.inf


def my_leaky_sigma__slope_is_not_squared_and_minus_1_divides_by_0(n_in, slope):
    """The slope was not squared; it is a mean square that has to stay. See “Exercise 3.6 · The
    first scale, for relu and its relatives”."""
    return math.sqrt(2 / ((1 + slope) * n_in))


def my_leaky_sigma__variance_instead_of_its_root(n_in, slope):
    """This is the variance; the standard deviation is its root. See “Exercise 3.6 · The first
    scale, for relu and its relatives”."""
    return 2 / ((1 + slope**2) * n_in)


def my_leaky_sigma__half_is_forgotten(n_in, slope):
    """The half is missing: positive and negative numbers are equally likely, and each gives half
    of the mean square. See “Exercise 3.6 · The first scale, for relu and its relatives”."""
    return 1 / math.sqrt((1 + slope**2) * n_in)


def my_leaky_sigma__interpolates_between_relus_rule_and_the_linear(n_in, slope):
    """This goes in a straight line from relu's rule to the linear one; the slope enters by its
    square. See “Exercise 3.6 · The first scale, for relu and its relatives”."""
    return math.sqrt(2 / n_in) * (1 - slope) + slope / math.sqrt(n_in)


def my_leaky_sigma__positive_half_is_forgotten(n_in, slope):
    """The positive half is missing: it passes as it is, whatever the slope. See “Exercise 3.6 ·
    The first scale, for relu and its relatives”."""
    return math.sqrt(2 / n_in) / abs(slope) if slope else math.sqrt(2 / n_in)


def my_parameter_names__sorts_the_names(thing):
    """The names were sorted; they should come in the order in which they are met, that of the
    attributes. See “Exercise 3.1 · A name for every parameter”."""
    seen, names = set(), []

    def search(thing, prefix):
        for name, value in vars(thing).items():
            if isinstance(value, Parameter) and value not in seen:
                seen.add(value)
                names.append(prefix + name)
            elif isinstance(value, SimpleNamespace):
                search(value, f"{prefix}{name}.")

    search(thing, "")
    return sorted(names)


def my_parameter_names__leaves_a_mark_on_each_parameter(thing):
    """A mark was left on each parameter that was met, so the next search finds nothing. See
    “Exercise 3.1 · A name for every parameter”."""
    names = []

    def search(thing, prefix):
        for name, value in vars(thing).items():
            if isinstance(value, Parameter):
                if not hasattr(value, "was_met"):
                    value.was_met = True
                    names.append(prefix + name)
            elif isinstance(value, SimpleNamespace):
                search(value, f"{prefix}{name}.")

    search(thing, "")
    return names


def my_parameter_names__exact_class_only(thing):
    """The class was compared with `is`; an object of a class made from Parameter is a Parameter,
    too, and isinstance says so. See “Parameter”."""
    seen, names = set(), []

    def search(thing, prefix):
        for name, value in vars(thing).items():
            if type(value) is Parameter and value not in seen:
                seen.add(value)
                names.append(prefix + name)
            elif isinstance(value, SimpleNamespace):
                search(value, f"{prefix}{name}.")

    search(thing, "")
    return names


def my_misfits__takes_what_fits_out_of_the_state(own, state):
    """What was found was taken out of `state`; the dictionary belongs to the caller, who wants to
    load it. See “Exercise 3.2 · What does not fit?”."""
    missing, misshapen = [], []
    for name in own:
        if name not in state:
            missing.append(name)
        elif np.shape(state.pop(name)) != own[name].shape:
            misshapen.append(name)
    return missing, list(state), misshapen


def my_misfits__sorts_the_names(own, state):
    """The names came out sorted; the lists keep the order of the dictionaries. See “Exercise 3.2 ·
    What does not fit?”."""
    shared = set(own) & set(state)
    return (
        sorted(set(own) - shared),
        sorted(set(state) - shared),
        sorted(name for name in shared if np.shape(state[name]) != own[name].shape),
    )


def my_misfits__shapes_of_names_that_the_file_lacks(own, state):
    """The shape of every name of the model was looked up in the file, which lacks some; only a name
    that is in both has two shapes to compare. See “Exercise 3.2 · What does not fit?”."""
    missing = [name for name in own if name not in state]
    unexpected = [name for name in state if name not in own]
    misshapen = [name for name in own if np.shape(state[name]) != own[name].shape]
    return missing, unexpected, misshapen


def my_misfits__generators_where_lists_are_asked(own, state):
    """Generators were returned, which can be gone through once only; lists are asked for. See
    “Exercise 3.2 · What does not fit?”."""
    return (
        (name for name in own if name not in state),
        (name for name in state if name not in own),
        (n for n in own if n in state and np.shape(state[n]) != own[n].shape),
    )


def my_first_numbers__one_row_for_all_outputs(n_in, n_out, rng):
    """One row was drawn for all outputs, so they all compute the same and learn the same. See
    “Linear”."""
    bound = 1 / math.sqrt(n_in)
    weight = np.repeat(rng.uniform(-bound, bound, (1, n_in)), n_out, axis=0)
    return weight, rng.uniform(-bound, bound, n_out)


def my_first_numbers__seed_of_its_own(n_in, n_out, rng):
    """A generator of its own was made, always with the same seed: every layer of a network would
    start with the same numbers. See “Linear”."""
    rng, bound = np.random.default_rng(0), 1 / math.sqrt(n_in)
    return rng.uniform(-bound, bound, (n_out, n_in)), rng.uniform(-bound, bound, n_out)


def my_first_numbers__bias_is_a_column_of_the_weight(n_in, n_out, rng):
    """The bias was cut from the weight, so the two are not independent. See “Linear”."""
    bound = 1 / math.sqrt(n_in)
    weight = rng.uniform(-bound, bound, (n_out, n_in))
    return weight, weight[:, 0]


def my_small_network_size__layernorm_without_its_bias(vocab, d, hidden, tied):
    """The bias of the LayerNorm is missing: it scales and shifts, with d numbers for each. See
    “LayerNorm”."""
    last = 0 if tied else d * vocab
    return vocab * d + d + d * hidden + hidden + hidden * d + d + last


def my_small_network_size__dropout_counts_its_p(vocab, d, hidden, tied):
    """The p of the dropout was counted; it is a setting, and is not trained. See “Exercise 3.4 ·
    Count”."""
    last = 0 if tied else d * vocab
    return vocab * d + 2 * d + d * hidden + hidden + hidden * d + d + last + 1


def my_calm_output__sets_p_to_zero(model, x):
    """The p of each dropout was set to 0 and stays so: training goes on without dropout. See
    “Exercise 3.5 · A calm answer”."""
    for module in model.modules():
        if isinstance(module, Dropout):
            module.p = 0
    return model(x)


def my_calm_output__an_array_where_a_tensor_is_asked(model, x):
    """The array was taken out of the Tensor; a Tensor is asked for. See “Exercise 3.5 · A calm
    answer”."""
    modes = [(module, module.training) for module in model.modules()]
    output = model.eval()(x).data
    for module, mode in modes:
        module.training = mode
    return output


def my_leaky_sigma__bound_of_a_uniform(n_in, slope):
    """This is the bound of uniform numbers with the right spread; the weights here are normal, and
    their standard deviation is asked for. See “How large should the first numbers be?”."""
    return math.sqrt(6 / ((1 + slope**2) * n_in))


def my_leaky_sigma__negative_slope_as_zero(n_in, slope):
    """A negative slope was taken for 0; it turns the sign round, and keeps the size. See “Exercise
    3.6 · The first scale, for relu and its relatives”."""
    return math.sqrt(2 / ((1 + max(slope, 0) ** 2) * n_in))
