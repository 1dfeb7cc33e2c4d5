"""Plausible wrong attempts at the exercises of chapter 12."""

import numpy as np


def my_linear_operations__only_the_product_forth_not_the_two_back(tokens, n_in, n_out):
    """only the product forth, not the two back"""
    return 2 * tokens * n_in * n_out


def my_linear_operations__multiplication_and_its_addition_count_as_one(tokens, n_in, n_out):
    """a multiplication and its addition count as one"""
    return 3 * tokens * n_in * n_out


def my_linear_operations__one_product_back_instead_of_two(tokens, n_in, n_out):
    """one product back instead of two"""
    return 4 * tokens * n_in * n_out


def my_linear_operations__for_one_token_whatever_their_number(tokens, n_in, n_out):
    """for one token, whatever their number"""
    return 6 * n_in * n_out


def my_computed_share__half_as_if_every_tile_had_one_row_and_no_diagonal(T, tile):
    """a half, as if every tile had one row and no diagonal"""
    return 0.5


def my_computed_share__last_tile_is_taken_for_a_full_one(T, tile):
    """the last tile is taken for a full one"""
    return 0.5 + tile / (2 * T)


def my_computed_share__single_rows_whatever_the_tile(T, tile):
    """single rows, whatever the tile"""
    return (T + 1) / (2 * T)


def my_computed_share__last_tile_runs_over_the_end_of_the_text(T, tile):
    """the last tile runs over the end of the text"""
    return sum(tile * (s + tile) for s in range(0, T, tile)) / T**2


def my_computed_share__scores_on_the_diagonal_are_left_out(T, tile):
    """the scores on the diagonal are left out"""
    return sum((min(s + tile, T) - s) * s for s in range(0, T, tile)) / T**2


def my_softmax_in_place__right_values_in_a_new_array(x):
    """right values in a new array"""
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def my_softmax_in_place__no_largest_value_subtracted(x):
    """no largest value subtracted"""
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def my_softmax_in_place__one_largest_value_and_one_sum_for_all_rows(x):
    """one largest value and one sum for all rows"""
    x -= x.max()
    np.exp(x, out=x)
    x /= x.sum()
    return x


def my_softmax_in_place__in_place_but_another_array_is_made_on_the_way(x):
    """in place, but another array is made on the way"""
    x[:] = np.exp(x - x.max(axis=-1, keepdims=True))
    x /= x.sum(axis=-1, keepdims=True)
    return x


def my_softmax_in_place__exponentials_that_are_not_divided_by_their_sum(x):
    """exponentials that are not divided by their sum, and no result"""
    np.exp(x - x.max(axis=-1, keepdims=True), out=x)


def my_embedding_gradient__a_repeated_id_counts_once(ids, g, n):
    """a repeated id counts once: += with an index array does not accumulate"""
    full = np.zeros((n, g.shape[1]))
    full[ids] += g
    return full


def my_embedding_gradient__looks_up_in_the_gradient_as_if_it_were_the_table(ids, g, n):
    """looks up in the gradient, as if it were the table"""
    return g[ids]


def my_embedding_gradient__mean_over_the_repetitions_of_an_id_not_their_sum(ids, g, n):
    """the mean over the repetitions of an id, not their sum"""
    one_hot = np.eye(n)[ids]
    return (one_hot / one_hot.sum(axis=0).clip(1)).T @ g


def my_embedding_gradient__one_hot_matrix_as_wide_as_the_batch(ids, g, n):
    """a one-hot matrix as wide as the batch, not as the vocabulary"""
    return np.eye(len(ids))[ids].T @ g


def my_parallel_gradient__plain_mean_of_the_shares_as_if_all_were_equally_long(w, x, y, shares):
    """the plain mean of the shares, as if all were equally long"""
    parts = zip(np.array_split(x, shares), np.array_split(y, shares))
    return np.mean([np.mean(2 * (w * a - b) * a) for a, b in parts])


def my_parallel_gradient__sum_of_the_shares_means(w, x, y, shares):
    """the sum of the shares' means"""
    parts = zip(np.array_split(x, shares), np.array_split(y, shares))
    return sum(np.mean(2 * (w * a - b) * a) for a, b in parts)


def my_parallel_gradient__2_of_the_squares_derivative_is_missing(w, x, y, shares):
    """the 2 of the square's derivative is missing"""
    return np.mean((w * x - y) * x)


def my_parallel_gradient__inner_derivative_x_is_missing(w, x, y, shares):
    """the inner derivative, x, is missing"""
    return np.mean(2 * (w * x - y))


def my_newton_schulz__cube_of_each_number_instead_of_the_matrix_product(matrix, iterations):
    """the cube of each number instead of the matrix product"""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x**3
    return x


def my_newton_schulz__matrix_is_not_scaled_first(matrix, iterations):
    """the matrix is not scaled first"""
    x = matrix
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


def my_newton_schulz__transposes_the_wrong_factor(matrix, iterations):
    """transposes the wrong factor: right for square matrices alone"""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x.T @ x @ x
    return x


def my_newton_schulz__signs_and_factors_of_the_polynomial_are_mixed_up(matrix, iterations):
    """the signs and factors of the polynomial are mixed up"""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 0.5 * x + 0.5 * x @ x.T @ x
    return x
