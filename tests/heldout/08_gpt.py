"""Attempts at chapter 08 that nobody has met: known mistakes and right answers, written anew."""

import math

import numpy as np


def my_prenorm_block__norm_on_the_stream__heldout_names(x, norm_1, attention, norm_2, mlp):
    after_attention = norm_1(attention(x) + x)
    return norm_2(mlp(after_attention) + after_attention)


def my_prenorm_block__both_layers_read_the_old_stream__heldout_sum(
    x, norm_1, attention, norm_2, mlp
):
    branches = [attention(norm_1(x)), mlp(norm_2(x))]
    return x + sum(branches)


def my_prenorm_block__returns_the_addition_not_the_stream__heldout_line(
    x, norm_1, attention, norm_2, mlp
):
    return mlp(norm_2(x + attention(norm_1(x))))


def my_prenorm_block__mlp_without_a_norm__heldout_names(x, norm_1, attention, norm_2, mlp):
    heard = np.add(x, attention(norm_1(x)))
    thought = mlp(heard)
    return np.add(heard, thought)


def my_prenorm_block__adds_into_the_array_that_was_given__heldout_out(
    x, norm_1, attention, norm_2, mlp
):
    np.add(x, attention(norm_1(x)), out=x)
    np.add(x, mlp(norm_2(x)), out=x)
    return x


def my_first_spread__one_addition_a_block__heldout_split(name, n_layer):
    *_, layer, kind = name.split(".")
    if kind == "bias":
        return 0.0
    return 0.02 * n_layer**-0.5 if layer == "c_proj" else 0.02


def my_first_spread__divides_by_n_not_by_its_root__heldout_constant(name, n_layer):
    if "bias" in name:
        return 0.0
    elif "c_proj" in name:
        return 0.01 / n_layer
    return 0.02


def my_first_spread__forgets_the_attentions_projection__heldout_in(name, n_layer):
    spread = 0.02
    if "mlp.c_proj" in name:
        spread /= (2 * n_layer) ** 0.5
    return 0.0 if name.endswith(".bias") else spread


def my_gpt_size__head_counted_again__heldout_parts(vocab_size, n_embd, n_layer, block_size, bias):
    def linear(a, b, has_bias=bias):
        return a * b + (b if has_bias else 0)

    norm = 2 * n_embd if bias else n_embd
    block = 2 * norm + linear(n_embd, 3 * n_embd) + linear(n_embd, n_embd)
    block += linear(n_embd, 4 * n_embd) + linear(4 * n_embd, n_embd)
    head = linear(n_embd, vocab_size, False)
    return vocab_size * n_embd + block_size * n_embd + n_layer * block + norm + head


def my_gpt_size__no_last_norm__heldout_parts(vocab_size, n_embd, n_layer, block_size, bias):
    shapes = [(n_embd, 3), (n_embd, 1), (n_embd, 4), (4 * n_embd, 1)]
    block = sum((a + bool(bias)) * n_embd * times for a, times in shapes)
    block += 2 * n_embd * (2 if bias else 1)
    return n_embd * (vocab_size + block_size) + block * n_layer


def my_first_loss__half_is_lost__heldout_product(vocab_size, logit_spread):
    return np.log(vocab_size) + logit_spread * logit_spread


def my_first_loss__spread_not_the_variance__heldout_half(vocab_size, logit_spread):
    return 0.5 * logit_spread + float(np.log(vocab_size))


def my_training_bytes__tied_matrix_twice__heldout_loop(arrays):
    total = 0
    for array in arrays:
        total += array.size * array.itemsize * 4
    return total


def my_training_bytes__every_number_has_4_bytes__heldout_ids(arrays):
    seen, total = set(), 0
    for array in arrays:
        if id(array) not in seen:
            seen.add(id(array))
            total += 4 * array.size
    return 4 * total


def my_prenorm_block__correct_copy(x, norm_1, attention, norm_2, mlp):
    first = np.add(x, attention(norm_1(x)))
    second = mlp(norm_2(first))
    return np.add(second, first)


def my_first_spread__correct_regex(name, n_layer):
    *_, layer, kind = name.split(".")
    if kind != "weight":
        return 0
    return math.sqrt(0.0002 / n_layer) if layer == "c_proj" else 0.02


def my_gpt_size__correct_shapes(vocab_size, n_embd, n_layer, block_size, bias):
    C, total = n_embd, 0
    for a, b in [(C, 3 * C), (C, C), (C, 4 * C), (4 * C, C)]:
        total += n_layer * (a * b + (b if bias else 0))
    norms = 2 * n_layer + 1
    return total + norms * (C + (C if bias else 0)) + (vocab_size + block_size) * C


def my_first_loss__correct_numpy(vocab_size, logit_spread):
    return np.log(vocab_size) + np.square(logit_spread) * 0.5


def my_training_bytes__correct_is(arrays):
    distinct = []
    for array in arrays:
        if all(array is not other for other in distinct):
            distinct.append(array)
    return sum(4 * array.size * array.itemsize for array in distinct)
