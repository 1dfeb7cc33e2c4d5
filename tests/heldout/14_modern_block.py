"""Wrong attempts that vary a described one, and right answers, at the exercises of chapter 14."""

import math

import numpy as np


def my_turns__an_angle_for_each_channel__heldout_repeat(positions, head_dim, theta):
    speeds = 1 / theta ** (np.arange(0, head_dim, 2) / head_dim)
    twice = np.tile(np.outer(positions, speeds), 2)
    return dict(cos=np.cos(twice), sin=np.sin(twice))


def my_turns__theta_to_the_minus_i_over_d__heldout_loop(positions, head_dim, theta):
    rows = [[p / theta ** (i / head_dim) for i in range(head_dim // 2)] for p in positions]
    return {"sin": np.sin(np.array(rows)), "cos": np.cos(np.array(rows))}


def my_turn__the_other_way__heldout_complex(x, cos, sin):
    first, second = np.split(x, 2, axis=-1)
    z = (first + 1j * second) * (cos - 1j * sin)
    return np.concatenate([z.real, z.imag], axis=-1)


def my_turn__neighbours__heldout_reshape(x, cos, sin):
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    a, b = pairs[..., 0], pairs[..., 1]
    turned = np.stack([a * cos - b * sin, b * cos + a * sin], axis=-1)
    return turned.reshape(*turned.shape[:-2], -1)


def my_swiglu_gradients__forgets_the_product_rule__heldout_division(gate, up, g):
    with np.errstate(over="ignore"):
        opened = 1 / (1 + np.exp(-gate))
    return dict(gate=opened * up * g, up=opened * gate * g)


def my_swiglu_gradients__forgets_up__heldout_expanded(gate, up, g):
    with np.errstate(over="ignore"):
        sigma = 1 / (1 + np.exp(-gate))
    slope = sigma * (1 + gate * (1 - sigma))
    return {"up": gate * sigma * g, "gate": slope * g}


def my_in_window__one_too_many__heldout_loop(n_queries, n_keys, window):
    mask = np.zeros((n_queries, n_keys), dtype=bool)
    for row in range(n_queries):
        own = n_keys - n_queries + row
        mask[row, max(0, own - window) : own + 1] = True
    return mask


def my_in_window__no_window__heldout_tril(n_queries, n_keys, window):
    return np.tril(np.ones((n_queries, n_keys), bool), n_keys - n_queries)


def my_cache_bytes__all_heads__heldout_sizes(
    n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each
):
    head = n_embd // n_head
    a_token = n_head * head * bytes_each
    return a_token * n_layer * (n_tokens if n_tokens < block_size else block_size) * 2


def my_turns__correct_complex(positions, head_dim, theta):
    pairs = range(head_dim // 2)
    speeds = np.array([math.exp(-2 * i / head_dim * math.log(theta)) for i in pairs])
    points = np.exp(1j * np.outer(positions, speeds))
    return {"sin": points.imag, "cos": points.real}


def my_turn__correct_complex(x, cos, sin):
    first, second = np.split(x, 2, axis=-1)
    z = (first + 1j * second) * (cos + 1j * sin)
    return np.concatenate([z.real, z.imag], axis=-1)


def my_turn__correct_rotate_half(x, cos, sin):
    half = x.shape[-1] // 2
    rotated = np.concatenate([-x[..., half:], x[..., :half]], axis=-1)
    twice = [np.concatenate([table, table], axis=-1) for table in (cos, sin)]
    return x * twice[0] + rotated * twice[1]


def my_swiglu_gradients__correct_clipped(gate, up, g):
    sigma = 1 / (1 + np.exp(-np.clip(gate, -500, 500)))
    return {"gate": g * up * sigma * (1 + gate * (1 - sigma)), "up": g * gate * sigma}


def my_in_window__correct_tril(n_queries, n_keys, window):
    shift = n_keys - n_queries
    full = np.ones((n_queries, n_keys), dtype=bool)
    return np.tril(full, shift) & ~np.tril(full, shift - window)


def my_cache_bytes__correct_steps(
    n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each
):
    a_token = 2 * n_kv_head * n_embd // n_head
    return sum(a_token * bytes_each for _ in range(n_layer)) * min(n_tokens, block_size)


def my_grouped_attention__heads_in_turn__heldout_modulo(q, k, v, window):
    T, S = q.shape[1], k.shape[1]
    y = np.empty_like(q, dtype=float)
    for h in range(len(q)):
        a = q[h] @ k[h % len(k)].T / math.sqrt(q.shape[2])
        a[~(np.tri(T, S, S - T, dtype=bool) & ~np.tri(T, S, S - T - window, dtype=bool))] = -np.inf
        w = np.exp(a - a.max(axis=1)[:, None])
        y[h] = (w / w.sum(axis=1)[:, None]) @ v[h % len(k)]
    return y


def my_grouped_attention__forgets_the_window__heldout_tri(q, k, v, window):
    group, (T, S) = len(q) // len(k), (q.shape[1], k.shape[1])
    y = np.empty_like(q, dtype=float)
    for h in range(len(q)):
        a = np.where(np.tri(T, S, S - T), q[h] @ k[h // group].T / math.sqrt(q.shape[2]), -np.inf)
        w = np.exp(a - a.max(axis=1)[:, None])
        y[h] = (w / w.sum(axis=1)[:, None]) @ v[h // group]
    return y


def my_grouped_attention__correct_one_tall_head(q, k, v, window):
    heads, T, d = q.shape
    tall = q.reshape(len(k), -1, d)  # a group's queries one below the other
    a = tall @ k.swapaxes(1, 2) / math.sqrt(d)
    own = np.tile(np.arange(k.shape[1] - T, k.shape[1]), heads // len(k))[:, None]
    key = np.arange(k.shape[1])
    a = np.where((key > own - window) & (key <= own), a, -np.inf)
    w = np.exp(a - a.max(axis=-1, keepdims=True))
    return (w / w.sum(axis=-1, keepdims=True) @ v).reshape(heads, T, d)


def my_grouped_attention__largest_before_the_mask__heldout_loop(q, k, v, window):
    group, (T, S) = len(q) // len(k), (q.shape[1], k.shape[1])
    y = np.empty_like(q, dtype=float)
    seen = np.tri(T, S, S - T, dtype=bool) & ~np.tri(T, S, S - T - window, dtype=bool)
    for h in range(len(q)):
        a = q[h] @ k[h // group].T / math.sqrt(q.shape[2])
        a = np.where(seen, a - a.max(axis=1)[:, None], -np.inf)
        w = np.exp(a)
        y[h] = (w / w.sum(axis=1)[:, None]) @ v[h // group]
    return y


def my_grouped_attention__mask_times_score__heldout_four_axes(q, k, v, window):
    heads, T, d = q.shape
    n, S = k.shape[:2]
    own, key = np.arange(S - T, S)[:, None], np.arange(S)
    a = q.reshape(n, -1, T, d) @ k[:, None].swapaxes(-1, -2) / math.sqrt(d)
    a[..., (key > own) | (key <= own - window)] = 0
    w = np.exp(a - a.max(axis=-1)[..., None])
    return (w / w.sum(axis=-1)[..., None] @ v[:, None]).reshape(heads, T, d)


def my_grouped_attention__correct_repeated(q, k, v, window):
    group, (T, S) = len(q) // len(k), (q.shape[1], k.shape[1])
    k, v = np.repeat(k, group, axis=0), np.repeat(v, group, axis=0)
    a = np.einsum("htd,hsd->hts", q, k) / q.shape[2] ** 0.5
    a[
        :, np.triu(np.ones((T, S), bool), S - T + 1) | np.tri(T, S, S - T - window, dtype=bool)
    ] = -np.inf
    w = np.exp(a - np.logaddexp.reduce(a, axis=2)[..., None])
    return np.einsum("hts,hsd->htd", w, v)
