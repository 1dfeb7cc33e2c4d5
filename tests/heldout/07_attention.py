"""Attempts at chapter 07 that nobody has met: known mistakes and right answers, written anew."""

import math

import numpy as np

from minigrad import functional as F
from minigrad.attention import causal_mask
from minigrad.tensor import Tensor


def my_causal_mask__queries_are_taken_for_the_first_positions__heldout_loop(n_queries, n_keys):
    rows = [[key <= query for key in range(n_keys)] for query in range(n_queries)]
    return np.array(rows)


def my_causal_mask__one_token_too_far__heldout_indices(n_queries, n_keys):
    query, key = np.indices((n_queries, n_keys))
    return key - query <= n_keys - n_queries + 1


def my_causal_mask__token_cannot_see_itself__heldout_tri(n_queries, n_keys):
    return np.tri(n_queries, n_keys, n_keys - n_queries - 1, dtype=bool)


def my_attention__mask_comes_after_the_softmax__heldout_where(q, k, v, mask):
    s = np.einsum("td,sd->ts", q, k) / math.sqrt(k.shape[-1])
    p = np.exp(s - np.max(s, axis=-1)[:, None])
    p = p / np.sum(p, axis=-1)[:, None]
    p = np.where(mask, p, 0.0)
    return np.einsum("ts,sc->tc", p, v)


def my_attention__no_division_by_the_root_of_d__heldout_loop(q, k, v, mask):
    out = []
    for t in range(q.shape[0]):
        scores = k[mask[t]] @ q[t]
        e = np.exp(scores - scores.max())
        out.append((e / e.sum()) @ v[mask[t]])
    return np.array(out)


def my_attention__hidden_score_becomes_0_whose_exponential_is_1__heldout_assign(q, k, v, mask):
    scores = (q @ k.T) * q.shape[-1] ** -0.5
    scores[~mask] = 0
    top = scores.max(-1, keepdims=True)
    return np.exp(scores - top) / np.exp(scores - top).sum(-1, keepdims=True) @ v


def my_attention__weights_of_a_column_sum_to_1_not_those_of_a_row__heldout_softmax(q, k, v, mask):
    scores = np.where(mask, q @ k.T / math.sqrt(q.shape[1]), -np.inf)
    return F.softmax(Tensor(scores), axis=0).data @ v


def my_attention__root_of_the_width_of_the_values__heldout_einsum(q, k, v, mask):
    scores = np.einsum("td,sd->ts", q, k) * v.shape[-1] ** -0.5
    scores = np.where(mask, scores, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e @ v / e.sum(-1, keepdims=True)


def my_attention__mask_the_wrong_way_round__heldout_assign(q, k, v, mask):
    scores = q @ k.T / math.sqrt(q.shape[-1])
    scores[mask] = -np.inf
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


def my_side_by_side__reshape_straight_to_the_heads_and_straight_back__heldout_einsum(weights, v):
    batch, n_head, n_query, n_key = weights.shape
    cut = np.reshape(v, (batch, n_head, n_key, v.shape[-1] // n_head))
    y = np.einsum("bhts,bhsd->bhtd", weights, cut)
    return np.reshape(y, (batch, n_query, v.shape[-1]))


def my_side_by_side__reshape_there_transpose_back__heldout_einsum(weights, v):
    batch, n_head, n_query, n_key = weights.shape
    cut = np.reshape(v, (batch, n_head, n_key, v.shape[-1] // n_head))
    y = np.einsum("bhts,bhsd->bthd", weights, cut)
    return np.reshape(y, (batch, n_query, v.shape[-1]))


def my_side_by_side__way_there_is_right_the_way_back_is_not__heldout_split(weights, v):
    H = weights.shape[1]
    y = np.stack([weights[:, h] @ part for h, part in enumerate(np.split(v, H, axis=-1))], axis=1)
    return y.reshape(len(v), -1, v.shape[-1])


def my_cached_attention__new_tokens_see_one_anothers_future__heldout_numpy(q, k, v, old_k, old_v):
    all_k, all_v = np.vstack((old_k, k)), np.vstack((old_v, v))
    s = q @ all_k.T / all_k.shape[1] ** 0.5
    e = np.exp(s - s.max(axis=1, keepdims=True))
    return {"v": all_v, "k": all_k, "y": e @ all_v / e.sum(axis=1, keepdims=True)}


def my_cached_attention__hands_back_the_new_keys_and_values_alone__heldout_numpy(
    q, k, v, old_k, old_v
):
    keys, values = np.vstack((old_k, k)), np.vstack((old_v, v))
    rows = []
    for i, one in enumerate(q):
        s = keys[: len(old_k) + i + 1] @ one / np.sqrt(len(one))
        e = np.exp(s - s.max())
        rows.append(e @ values[: len(old_k) + i + 1] / e.sum())
    return {"y": np.array(rows), "k": k, "v": v}


def my_window_mask__one_token_too_many__heldout_tril(T, window):
    full = np.ones((T, T), dtype=bool)
    return np.tril(full) & ~np.tril(full, -window - 1)


def my_window_mask__window_reaches_into_the_future_too__heldout_loop(T, window):
    return np.array([[abs(i - j) <= window - 1 for j in range(T)] for i in range(T)])


def my_attention_gradients__nothing_is_subtracted__heldout_einsum(q, k, v, y_bar):
    T, d = q.shape
    a = q @ k.T / d**0.5
    a[np.triu_indices(T, 1)] = -np.inf
    w = np.exp(a - a.max(axis=-1)[:, None])
    w = w / w.sum(axis=-1)[:, None]
    da = np.einsum("ts,tc,sc->ts", w, y_bar, v) * d**-0.5
    return {"v": np.einsum("ts,tc->sc", w, y_bar), "q": da @ k, "k": np.einsum("ts,td->sd", da, q)}


def my_attention_gradients__no_division_by_the_root_of_d_on_the_way_back__heldout_rows(
    q, k, v, y_bar
):
    dq, dk, dv = np.zeros_like(q), np.zeros_like(k), np.zeros_like(v)
    for t in range(len(q)):
        s = k[: t + 1] @ q[t] / math.sqrt(q.shape[1])
        w = np.exp(s - s.max())
        w /= w.sum()
        g = v[: t + 1] @ y_bar[t]
        da = w * (g - w @ g)
        dq[t] = da @ k[: t + 1]
        dk[: t + 1] += np.outer(da, q[t])
        dv[: t + 1] += np.outer(w, y_bar[t])
    return {"q": dq, "k": dk, "v": dv}


def my_attention_gradients__each_weight_by_its_own_score_only__heldout_square(q, k, v, y_bar):
    T, d = q.shape
    a = np.where(causal_mask(T, T), q @ k.T / np.sqrt(d), -np.inf)
    w = F.softmax(Tensor(a)).data
    da = (w - w**2) * (y_bar @ v.T) / np.sqrt(d)
    return {"q": da @ k, "k": da.T @ q, "v": w.T @ y_bar}


def my_causal_mask__correct_indices(n_queries, n_keys):
    row, column = np.indices((n_queries, n_keys))
    return column - (n_keys - n_queries) <= row


def my_causal_mask__correct_last_rows(n_queries, n_keys):
    return np.tri(n_keys, dtype=bool)[n_keys - n_queries :]


def my_attention__correct_loop(q, k, v, mask):
    out = []
    for query, seen in zip(q, mask):
        s = k[seen] @ query / math.sqrt(len(query))
        e = np.exp(s - s.max())
        out.append(e @ v[seen] / e.sum())
    return np.array(out)


def my_attention__correct_large_negative(q, k, v, mask):
    s = q @ np.transpose(k) * q.shape[-1] ** -0.5 + np.where(mask, 0, -1e30)
    return F.softmax(Tensor(s)).data @ v


def my_side_by_side__correct_einsum(weights, v):
    B, H, T, S = weights.shape
    y = np.einsum("bhts,bshd->bthd", weights, v.reshape(B, S, H, -1))
    return y.reshape(B, T, -1)


def my_cached_attention__correct_loop(q, k, v, old_k, old_v):
    keys, values = np.vstack((old_k, k)), np.vstack((old_v, v))
    rows = []
    for i, one in enumerate(q):
        s = keys[: len(old_k) + i + 1] @ one / np.sqrt(len(one))
        e = np.exp(s - s.max())
        rows.append(e @ values[: len(old_k) + i + 1] / e.sum())
    return {"v": values, "k": keys, "y": np.array(rows)}


def my_window_mask__correct_loop(T, window):
    mask = np.zeros((T, T), dtype=bool)
    for t in range(T):
        mask[t, max(0, t + 1 - window) : t + 1] = True
    return mask


def my_attention_gradients__correct_jacobian(q, k, v, y_bar):
    T, d = q.shape
    dq, dk, dv = np.zeros((3, T, d))
    for t in range(T):
        s = k[: t + 1] @ q[t] / math.sqrt(d)
        w = np.exp(s - s.max())
        w /= w.sum()
        da = (np.diag(w) - np.outer(w, w)) @ (v[: t + 1] @ y_bar[t]) / math.sqrt(d)
        dq[t] = da @ k[: t + 1]
        dk[: t + 1] += np.outer(da, q[t])
        dv[: t + 1] += np.outer(w, y_bar[t])
    return {"k": dk, "q": dq, "v": dv}
