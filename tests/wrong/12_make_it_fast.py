"""Plausible wrong attempts at the exercises of chapter 12."""

import numpy as np


def my_linear_operations__only_the_product_forth_not_the_two_back(tokens, n_in, n_out):
    """Only the product on the way forth was counted; two more go back. See “Exercise 12.1 ·
    Count”."""
    return 2 * tokens * n_in * n_out


def my_linear_operations__multiplication_and_its_addition_count_as_one(tokens, n_in, n_out):
    """A multiplication and its addition were counted as one operation; they are two. See “Two
    limits: arithmetic and memory”."""
    return 3 * tokens * n_in * n_out


def my_linear_operations__one_product_back_instead_of_two(tokens, n_in, n_out):
    """One product was counted on the way back; there are two, for the gradient of the input and
    for that of the weight. See “Exercise 12.1 · Count”."""
    return 4 * tokens * n_in * n_out


def my_linear_operations__for_one_token_whatever_their_number(tokens, n_in, n_out):
    """The operations were counted for a single token; every token goes through the layer. See
    “Exercise 12.1 · Count”."""
    return 6 * n_in * n_out


def my_computed_share__half_as_if_every_tile_had_one_row_and_no_diagonal(T, tile):
    """A half is what is not masked in a long text; but a tile also computes the masked corner at
    its end. See “2. Attention that skips what is masked”."""
    return 0.5


def my_computed_share__last_tile_is_taken_for_a_full_one(T, tile):
    """The formula with a half holds where T is a multiple of the tile; else the last tile is
    shorter. See “Exercise 12.2 · Tiles”."""
    return 0.5 + tile / (2 * T)


def my_computed_share__single_rows_whatever_the_tile(T, tile):
    """Each query was given just the keys that it may see; in a tile all queries meet the keys up
    to the last one's. See “Exercise 12.2 · Tiles”."""
    return (T + 1) / (2 * T)


def my_computed_share__last_tile_runs_over_the_end_of_the_text(T, tile):
    """The last tile was counted as if the text went on: it has fewer queries, and there are no
    keys beyond the end. See “Exercise 12.2 · Tiles”."""
    return sum(tile * (s + tile) for s in range(0, T, tile)) / T**2


def my_computed_share__scores_on_the_diagonal_are_left_out(T, tile):
    """The keys of the tile itself were left out; its queries meet all keys up to its own last
    token. See “Exercise 12.2 · Tiles”."""
    return sum((min(s + tile, T) - s) * s for s in range(0, T, tile)) / T**2


def my_softmax_in_place__right_values_in_a_new_array(x):
    """A line such as x = exp(x) makes a new array and calls it x: the caller's array is as it
    was. See “Exercise 12.3 · In place”."""
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def my_softmax_in_place__no_largest_value_subtracted(x):
    """The largest number of a row was not subtracted first, and exp(1000) is infinite. See
    “softmax” in chapter 02."""
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def my_softmax_in_place__one_largest_value_and_one_sum_for_all_rows(x):
    """One sum was taken over all rows, so that only all of them together sum to 1; each row
    shall. See “Exercise 12.3 · In place”."""
    x -= x.max()
    np.exp(x, out=x)
    x /= x.sum()
    return x


def my_softmax_in_place__in_place_but_another_array_is_made_on_the_way(x):
    """The values are right, but an array of the size of x was made on the way and copied: out=
    says where a result shall go. See “1. Memory that is already there”."""
    x[:] = np.exp(x - x.max(axis=-1, keepdims=True))
    x /= x.sum(axis=-1, keepdims=True)
    return x


def my_softmax_in_place__exponentials_that_are_not_divided_by_their_sum(x):
    """The exponentials were not divided by their sum. See “Exercise 12.3 · In place”."""
    np.exp(x - x.max(axis=-1, keepdims=True), out=x)


def my_embedding_gradient__a_repeated_id_counts_once(ids, g, n):
    """With an array of ids, += reads, adds and writes once for each row: of an id that occurs
    twice only the last gradient is left. See “Exercise 12.4 · Rows that are added up”."""
    full = np.zeros((n, g.shape[1]))
    full[ids] += g
    return full


def my_embedding_gradient__looks_up_in_the_gradient_as_if_it_were_the_table(ids, g, n):
    """Rows of g were looked up as if it were the table; on the way back they are added to the
    rows of the ids. See “Exercise 12.4 · Rows that are added up”."""
    return g[ids]


def my_embedding_gradient__mean_over_the_repetitions_of_an_id_not_their_sum(ids, g, n):
    """The mean over the repetitions of an id was taken; its row was used several times, and the
    gradients add up. See “Exercise 12.4 · Rows that are added up”."""
    one_hot = np.eye(n)[ids]
    return (one_hot / one_hot.sum(axis=0).clip(1)).T @ g


def my_embedding_gradient__one_hot_matrix_as_wide_as_the_batch(ids, g, n):
    """The matrix of zeros and ones is as wide as there are ids; it needs a column for each of
    the n rows. See “Exercise 12.4 · Rows that are added up”."""
    return np.eye(len(ids))[ids].T @ g


def my_parallel_gradient__plain_mean_of_the_shares_as_if_all_were_equally_long(w, x, y, shares):
    """The plain mean of the shares was taken; a longer share counts more. See “Two threads, one
    gradient” in chapter 10."""
    parts = zip(np.array_split(x, shares), np.array_split(y, shares))
    return np.mean([np.mean(2 * (w * a - b) * a) for a, b in parts])


def my_parallel_gradient__sum_of_the_shares_means(w, x, y, shares):
    """The means of the shares were added up; each counts only for its part of the batch. See
    “Two threads, one gradient” in chapter 10."""
    parts = zip(np.array_split(x, shares), np.array_split(y, shares))
    return sum(np.mean(2 * (w * a - b) * a) for a, b in parts)


def my_parallel_gradient__2_of_the_squares_derivative_is_missing(w, x, y, shares):
    """The derivative of a square has a factor 2, which is missing. See “Exercise 12.5 · Unequal
    shares”."""
    return np.mean((w * x - y) * x)


def my_parallel_gradient__inner_derivative_x_is_missing(w, x, y, shares):
    """The inner derivative is missing: w x changes by x when w changes by 1. See “Exercise 12.5
    · Unequal shares”."""
    return np.mean(2 * (w * x - y))


def my_newton_schulz__cube_of_each_number_instead_of_the_matrix_product(matrix, iterations):
    """Each number was cubed for itself; the rule's cube is a product of matrices. See “Fewer
    steps: what a matrix's gradient hides”."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x**3
    return x


def my_newton_schulz__matrix_is_not_scaled_first(matrix, iterations):
    """The matrix was not divided by its norm; above a singular value of about 1.7 the rule runs
    away instead of coming to 1. See “Exercise 12.6 · Newton–Schulz”."""
    x = matrix
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


def my_newton_schulz__transposes_the_wrong_factor(matrix, iterations):
    """The wrong factor was transposed; the product only fits, and only keeps the directions, in
    the order of the formula. See “Exercise 12.6 · Newton–Schulz”."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x.T @ x @ x
    return x


def my_newton_schulz__signs_and_factors_of_the_polynomial_are_mixed_up(matrix, iterations):
    """Another polynomial was used; write it for a single number first, and see whether it comes
    to 1. See “Fewer steps: what a matrix's gradient hides”."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 0.5 * x + 0.5 * x @ x.T @ x
    return x


def my_linear_operations__one_addition_fewer_in_each_sum(tokens, n_in, n_out):
    """A sum of n numbers has n - 1 additions, that is true; but the count here is one addition
    for each multiplication. See “Exercise 12.1 · Count”."""
    forth = tokens * n_out * (2 * n_in - 1)
    return forth + tokens * n_in * (2 * n_out - 1) + n_in * n_out * (2 * tokens - 1)


def my_linear_operations__a_bias_as_well(tokens, n_in, n_out):
    """The additions of a bias were counted, and this layer has none. See “Exercise 12.1 ·
    Count”."""
    return 6 * tokens * n_in * n_out + 2 * tokens * n_out


def my_computed_share__number_of_scores_and_no_share(T, tile):
    """The number of scores was returned; the share of all T × T is asked for. See “Exercise 12.2
    · Tiles”."""
    return sum((min(s + tile, T) - s) * min(s + tile, T) for s in range(0, T, tile))


def my_computed_share__tile_at_the_end_is_forgotten(T, tile):
    """The tokens that fill no whole tile were left out; they are a shorter tile. See “Exercise
    12.2 · Tiles”."""
    return sum(tile * (s + tile) for s in range(0, T - tile + 1, tile)) / T**2


def my_computed_share__tiles_may_be_longer_than_the_text(T, tile):
    """A tile longer than the text was counted with all its rows; it ends where the text ends.
    See “Exercise 12.2 · Tiles”."""
    full = T // tile
    rest = T - full * tile
    computed = tile**2 * full * (full + 1) / 2 + rest * T if full else tile * tile
    return computed / T**2


def my_softmax_in_place__one_largest_value_for_all_rows(x):
    """The largest number of all rows was subtracted from each: in a row far below it every
    exponential is 0. See “Exercise 12.3 · In place”."""
    x -= x.max()
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def my_softmax_in_place__rows_along_the_second_of_two_axes(x):
    """The second axis was taken for the one along which rows lie; with three axes that is
    another one than the last. See “Exercise 12.3 · In place”."""
    x -= x.max(axis=1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=1, keepdims=True)
    return x


def my_softmax_in_place__down_the_columns(x):
    """The softmax was taken down the columns; asked for is each row. See “Exercise 12.3 · In
    place”."""
    x -= x.max(axis=0)
    np.exp(x, out=x)
    x /= x.sum(axis=0)
    return x


def my_softmax_in_place__infinity_is_repaired_afterwards(x):
    """The exponentials became infinite, and what came of it was replaced afterwards by numbers
    that look like probabilities. See “Exercise 12.3 · In place”."""
    with np.errstate(all="ignore"):
        np.exp(x, out=x)
        x /= x.sum(axis=-1, keepdims=True)
    np.nan_to_num(x, copy=False, nan=1.0)
    return x


def my_softmax_in_place__forgets_to_return(x):
    """The values of x are right, but nothing was returned; return x itself. See “Exercise 12.3 ·
    In place”."""
    x -= x.max(axis=-1, keepdims=True)
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)


def my_embedding_gradient__neighbours_are_added_without_sorting(ids, g, n):
    """Only neighbours were added, and an id whose places are not side by side keeps the last of
    its sums: sort first. See “Exercise 12.4 · Rows that are added up”."""
    full = np.zeros((n, g.shape[1]))
    starts = np.flatnonzero(np.diff(ids, prepend=-1))
    if len(ids):
        full[ids[starts]] = np.add.reduceat(g, starts, axis=0)
    return full


def my_embedding_gradient__ids_are_sorted_and_the_rows_are_not(ids, g, n):
    """The ids were sorted and the rows of g were not, so that they no longer belong together.
    See “Exercise 12.4 · Rows that are added up”."""
    full = np.zeros((n, g.shape[1]))
    np.add.at(full, np.sort(ids), g)
    return full


def my_embedding_gradient__rows_for_the_ids_that_occur(ids, g, n):
    """Only the ids that occur got a row; the others need one too, of zeros. See “Exercise 12.4 ·
    Rows that are added up”."""
    present, places = np.unique(ids, return_inverse=True)
    full = np.zeros((len(present), g.shape[1]))
    np.add.at(full, places, g)
    return full


def my_embedding_gradient__adds_up_in_the_gradient_itself(ids, g, n):
    """The rows were added up within the caller's own g, which others may still need. See
    “Pitfalls”."""
    full = np.zeros((n, g.shape[1]))
    for i in range(len(ids)):
        for j in range(i):
            if ids[j] == ids[i]:
                g[i] += g[j]
                g[j] = 0
    np.add.at(full, ids, g)
    return full


def my_embedding_gradient__nothing_to_add_is_an_error(ids, g, n):
    """Without any ids there is nothing to sort and no first place; the answer is a table of
    zeros. See “Exercise 12.4 · Rows that are added up”."""
    order = np.argsort(ids, kind="stable")
    present, starts = np.unique(ids[order], return_index=True)
    full = np.zeros((n, g.shape[1]))
    full[present] = np.add.reduceat(g[order], starts, axis=0) if starts[0] == 0 else 0
    return full


def my_parallel_gradient__what_does_not_divide_is_left_out(w, x, y, shares):
    """The numbers that do not fill a share were left out. See “Exercise 12.5 · Unequal shares”."""
    size, total = len(x) // shares, 0.0
    for i in range(shares):
        a, b = x[i * size : (i + 1) * size], y[i * size : (i + 1) * size]
        total += np.mean(2 * (w * a - b) * a) / shares
    return total


def my_parallel_gradient__w_moves_on_between_the_shares(w, x, y, shares):
    """The weight moved on between the shares; all of them belong to one step, and are computed
    at the same w. See “Exercise 12.5 · Unequal shares”."""
    total = 0.0
    for a, b in zip(np.array_split(x, shares), np.array_split(y, shares)):
        gradient = np.mean(2 * (w * a - b) * a) * len(a) / len(x)
        w = w - 0.1 * gradient
        total += gradient
    return total


def my_parallel_gradient__sums_weighted_as_if_they_were_means(w, x, y, shares):
    """The shares' sums were weighted as if they were means, so that their lengths count twice.
    See “Two threads, one gradient” in chapter 10."""
    parts = zip(np.array_split(x, shares), np.array_split(y, shares))
    return sum(np.sum(2 * (w * a - b) * a) * len(a) / len(x) for a, b in parts)


def my_newton_schulz__callers_matrix_is_scaled(matrix, iterations):
    """The caller's own matrix was divided, in place; in an optimizer that would be the mean of
    the gradients. See “Exercise 12.6 · Newton–Schulz”."""
    matrix /= np.linalg.norm(matrix)
    x = matrix
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


def my_newton_schulz__divided_by_the_largest_entry(matrix, iterations):
    """The matrix was divided by its largest entry; a singular value can be larger than any
    entry, and the norm is above all of them. See “Fewer steps: what a matrix's gradient hides”."""
    x = matrix / np.abs(matrix).max()
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


def my_newton_schulz__divided_by_the_norm_in_each_step(matrix, iterations):
    """The matrix was divided by its norm after each step too, so that its singular values can
    never all be 1. See “Exercise 12.6 · Newton–Schulz”."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
        x = x / np.linalg.norm(x)
    return x


def my_newton_schulz__wide_matrices_only(matrix, iterations):
    """This works for wide matrices and not for tall ones; the product in the formula's order
    fits every shape. See “Exercise 12.6 · Newton–Schulz”."""
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        square = np.zeros((x.shape[1], x.shape[1]))
        square[: len(x), : len(x)] = x @ x.T
        x = 1.5 * x - 0.5 * square[: len(x), : len(x)] @ x
    return x
