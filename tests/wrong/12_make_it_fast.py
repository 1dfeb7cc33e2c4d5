"""Plausible wrong attempts at the exercises of chapter 12."""

import numpy as np


def my_linear_operations(tokens, n_in, n_out):
    return 2 * tokens * n_in * n_out


def my_linear_operations(tokens, n_in, n_out):
    return 3 * tokens * n_in * n_out


def my_linear_operations(tokens, n_in, n_out):
    return 4 * tokens * n_in * n_out


def my_linear_operations(tokens, n_in, n_out):
    return 6 * n_in * n_out


def my_computed_share(T, tile):
    return 0.5


def my_computed_share(T, tile):
    return 0.5 + tile / (2 * T)


def my_computed_share(T, tile):
    return (T + 1) / (2 * T)


def my_computed_share(T, tile):
    return sum(tile * (s + tile) for s in range(0, T, tile)) / T**2


def my_computed_share(T, tile):
    return sum((min(s + tile, T) - s) * s for s in range(0, T, tile)) / T**2


def my_softmax_in_place(x):
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def my_softmax_in_place(x):
    np.exp(x, out=x)
    x /= x.sum(axis=-1, keepdims=True)
    return x


def my_softmax_in_place(x):
    x -= x.max()
    np.exp(x, out=x)
    x /= x.sum()
    return x


def my_softmax_in_place(x):
    x[:] = np.exp(x - x.max(axis=-1, keepdims=True))
    x /= x.sum(axis=-1, keepdims=True)
    return x


def my_softmax_in_place(x):
    np.exp(x - x.max(axis=-1, keepdims=True), out=x)


def my_embedding_gradient(ids, g, n):
    full = np.zeros((n, g.shape[1]))
    full[ids] += g
    return full


def my_embedding_gradient(ids, g, n):
    return g[ids]


def my_embedding_gradient(ids, g, n):
    one_hot = np.eye(n)[ids]
    return (one_hot / one_hot.sum(axis=0).clip(1)).T @ g


def my_embedding_gradient(ids, g, n):
    return np.eye(len(ids))[ids].T @ g


def my_parallel_gradient(w, x, y, shares):
    parts = zip(np.array_split(x, shares), np.array_split(y, shares))
    return np.mean([np.mean(2 * (w * a - b) * a) for a, b in parts])


def my_parallel_gradient(w, x, y, shares):
    parts = zip(np.array_split(x, shares), np.array_split(y, shares))
    return sum(np.mean(2 * (w * a - b) * a) for a, b in parts)


def my_parallel_gradient(w, x, y, shares):
    return np.mean((w * x - y) * x)


def my_parallel_gradient(w, x, y, shares):
    return np.mean(2 * (w * x - y))


def my_newton_schulz(matrix, iterations):
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x**3
    return x


def my_newton_schulz(matrix, iterations):
    x = matrix
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


def my_newton_schulz(matrix, iterations):
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 1.5 * x - 0.5 * x.T @ x @ x
    return x


def my_newton_schulz(matrix, iterations):
    x = matrix / np.linalg.norm(matrix)
    for _ in range(iterations):
        x = 0.5 * x + 0.5 * x @ x.T @ x
    return x
