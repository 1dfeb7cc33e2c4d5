"""Attempts at chapter 12 that nobody has met: known mistakes and right answers, written anew."""

import numpy as np


def my_linear_operations__only_the_product_forth_not_the_two_back__heldout_sum(tokens, n_in, n_out):
    results = tokens * n_out
    return results * (n_in + n_in)


def my_linear_operations__one_product_back_instead_of_two__heldout_named(tokens, n_in, n_out):
    forth = 2 * tokens * n_in * n_out
    back = 2 * tokens * n_out * n_in
    return forth + back


def my_linear_operations__correct_three_products(tokens, n_in, n_out):
    product = lambda rows, inner, columns: rows * columns * 2 * inner
    forth = product(tokens, n_in, n_out)
    return forth + product(tokens, n_out, n_in) + product(n_out, tokens, n_in)


def my_computed_share__last_tile_is_taken_for_a_full_one__heldout_fraction(T, tile):
    return (T + tile) / (T + T)


def my_computed_share__tile_at_the_end_is_forgotten__heldout_while(T, tile):
    end, computed = tile, 0
    while end <= T:
        computed += end * tile
        end += tile
    return computed / (T * T)


def my_computed_share__correct_by_rows(T, tile):
    keys = [min((row // tile + 1) * tile, T) for row in range(T)]
    return sum(keys) / (T * T)


def my_softmax_in_place__no_largest_value_subtracted__heldout_slice(x):
    np.exp(x, x)
    np.divide(x, np.sum(x, -1)[..., None], x)
    return x


def my_softmax_in_place__one_largest_value_for_all_rows__heldout_ufuncs(x):
    np.subtract(x, np.amax(x), out=x)
    np.exp(x, out=x)
    np.divide(x, x.sum(-1, keepdims=True), out=x)
    return x


def my_softmax_in_place__right_values_in_a_new_array__heldout_copy(x):
    y = x.copy()
    y -= y.max(-1, keepdims=True)
    np.exp(y, out=y)
    return y / y.sum(-1, keepdims=True)


def my_softmax_in_place__correct_ufuncs(x):
    np.subtract(x, np.max(x, axis=-1)[..., np.newaxis], out=x)
    np.exp(x, out=x)
    np.multiply(x, 1 / np.sum(x, axis=-1, keepdims=True), out=x)
    return x


def my_embedding_gradient__a_repeated_id_counts_once__heldout_zip(ids, g, n):
    result = np.zeros((n,) + g.shape[1:])
    for i, row in zip(ids, g):
        result[i] = row
    return result


def my_embedding_gradient__mean_over_the_repetitions_of_an_id_not_their_sum__heldout_loop(
    ids, g, n
):
    rows = [
        g[ids == i].mean(axis=0) if (ids == i).any() else 0 * g[:1].sum(axis=0) for i in range(n)
    ]
    return np.array(rows)


def my_embedding_gradient__correct_masks(ids, g, n):
    return np.stack([g[ids == i].sum(axis=0) for i in range(n)])


def my_embedding_gradient__correct_columns(ids, g, n):
    columns = [np.bincount(ids, weights=column, minlength=n) for column in g.T]
    return np.stack(columns, axis=1)


def my_parallel_gradient__plain_mean_of_the_shares_as_if_all_were_equally_long__heldout_loop(
    w, x, y, shares
):
    gradients = []
    for part in np.array_split(np.arange(len(x)), shares):
        error = w * x[part] - y[part]
        gradients.append(2 * (error @ x[part]) / len(part))
    return sum(gradients) / len(gradients)


def my_parallel_gradient__inner_derivative_x_is_missing__heldout_shares(w, x, y, shares):
    total = 0.0
    for a, b in zip(np.array_split(x, shares), np.array_split(y, shares)):
        total += (2 * (w * a - b)).sum()
    return total / len(x)


def my_parallel_gradient__correct_average(w, x, y, shares):
    parts = [*zip(np.array_split(x, shares), np.array_split(y, shares))]
    means = [float(2 * ((w * a - b) * a).mean()) for a, b in parts]
    return float(np.average(means, weights=[len(a) for a, _ in parts]))


def my_newton_schulz__cube_of_each_number_instead_of_the_matrix_product__heldout_times(
    matrix, iterations
):
    scaled = matrix / np.sqrt((matrix * matrix).sum())
    while iterations:
        scaled = scaled * (1.5 - 0.5 * scaled * scaled)
        iterations -= 1
    return scaled


def my_newton_schulz__matrix_is_not_scaled_first__heldout_copy(matrix, iterations):
    result = matrix.copy()
    for _ in range(iterations):
        result = 1.5 * result - (result @ result.T @ result) / 2
    return result


def my_newton_schulz__correct_other_order(matrix, iterations):
    x = matrix / np.sqrt(np.sum(matrix**2))
    unit = np.eye(x.shape[1])
    for _ in range(iterations):
        x = x @ (1.5 * unit - 0.5 * x.T @ x)
    return x
