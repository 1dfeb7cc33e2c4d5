"""Plausible wrong attempts at the exercises of chapter 07."""

import numpy as np

from minigrad.attention import causal_mask, scaled_dot_product_attention
from minigrad.tensor import Tensor


def my_causal_mask__past_is_hidden_instead_of_the_future(n_queries, n_keys):
    """the past is hidden instead of the future"""
    return np.triu(np.ones((n_queries, n_keys), bool))


def my_causal_mask__token_cannot_see_itself(n_queries, n_keys):
    """a token cannot see itself"""
    return np.arange(n_keys) < np.arange(n_keys - n_queries, n_keys)[:, None]


def my_causal_mask__queries_are_taken_for_the_first_positions(n_queries, n_keys):
    """the queries are taken for the first positions"""
    return np.tril(np.ones((n_queries, n_keys), bool))


def my_causal_mask__one_token_too_far(n_queries, n_keys):
    """one token too far: the next one is in sight"""
    return np.tril(np.ones((n_queries, n_keys), bool), n_keys - n_queries + 1)


def my_causal_mask__row_for_each_key_instead_of_each_query(n_queries, n_keys):
    """a row for each key instead of each query"""
    return np.arange(n_keys)[:, None] <= np.arange(n_keys - n_queries, n_keys)


def my_causal_mask__what_is_to_be_added_to_the_scores_not_who_may_look(n_queries, n_keys):
    """what is to be added to the scores, not who may look"""
    query = np.arange(n_keys - n_queries, n_keys)[:, None]
    return np.where(np.arange(n_keys) <= query, 0, -np.inf)


def my_attention__no_division_by_the_root_of_d(q, k, v, mask):
    """no division by the root of d"""
    scores = np.where(mask, q @ k.T, -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__divided_by_d(q, k, v, mask):
    """divided by d"""
    scores = np.where(mask, q @ k.T / q.shape[1], -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__divided_by_the_root_of_the_number_of_keys(q, k, v, mask):
    """divided by the root of the number of keys"""
    scores = np.where(mask, q @ k.T / np.sqrt(k.shape[0]), -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__weights_of_a_column_sum_to_1_not_those_of_a_row(q, k, v, mask):
    """the weights of a column sum to 1, not those of a row"""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    e = np.exp(scores - scores.max(axis=0))
    return e / e.sum(axis=0) @ v


def my_attention__mask_comes_after_the_softmax(q, k, v, mask):
    """the mask comes after the softmax"""
    scores = q @ k.T / np.sqrt(q.shape[1])
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) * mask @ v


def my_attention__hidden_score_becomes_0_whose_exponential_is_1(q, k, v, mask):
    """a hidden score becomes 0, whose exponential is 1"""
    scores = q @ k.T / np.sqrt(q.shape[1]) * mask
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__no_largest_score_subtracted(q, k, v, mask):
    """no largest score subtracted"""
    e = np.exp(np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__largest_score_of_all_rows_subtracted(q, k, v, mask):
    """the largest score of all rows subtracted"""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    e = np.exp(scores - scores.max())
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__largest_score_may_be_one_that_is_hidden(q, k, v, mask):
    """the largest score may be one that is hidden"""
    scores = q @ k.T / np.sqrt(q.shape[1])
    e = np.where(mask, np.exp(scores - scores.max(axis=1, keepdims=True)), 0)
    return e / e.sum(axis=1, keepdims=True) @ v


def my_attention__weights_without_the_values(q, k, v, mask):
    """the weights, without the values"""
    scores = np.where(mask, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def my_side_by_side__reshape_straight_to_the_heads_and_straight_back(weights, v):
    """reshape straight to the heads, and straight back"""
    B, H, T, S = weights.shape
    return (weights @ v.reshape(B, H, S, -1)).reshape(B, T, -1)


def my_side_by_side__way_there_is_right_the_way_back_is_not(weights, v):
    """the way there is right, the way back is not"""
    B, H, T, S = weights.shape
    heads = v.reshape(B, S, H, -1).transpose(0, 2, 1, 3)
    return (weights @ heads).reshape(B, T, -1)


def my_side_by_side__every_h_th_channel_instead_of_neighbouring_ones(weights, v):
    """every H-th channel instead of neighbouring ones"""
    B, H, T, S = weights.shape
    heads = v.reshape(B, S, -1, H).transpose(0, 3, 1, 2)
    return (weights @ heads).transpose(0, 2, 3, 1).reshape(B, T, -1)


def my_side_by_side__every_head_works_on_all_channels_and_their_mean(weights, v):
    """every head works on all channels, and their mean is taken"""
    return (weights @ v[:, None]).mean(axis=1)


def my_side_by_side__heads_apart_but_never_brought_together_again(weights, v):
    """heads apart, but never brought together again"""
    B, H, T, S = weights.shape
    return weights @ v.reshape(B, S, H, -1).transpose(0, 2, 1, 3)


def my_side_by_side__heads_channels_end_up_interleaved(weights, v):
    """the heads' channels end up interleaved"""
    B, H, T, S = weights.shape
    heads = v.reshape(B, S, H, -1).transpose(0, 2, 1, 3)
    return (weights @ heads).transpose(0, 2, 3, 1).reshape(B, T, -1)


def my_cached_attention__new_tokens_see_one_anothers_future(q, k, v, old_k, old_v):
    """the new tokens see one another's future"""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values))
    return y.data, keys, values


def my_cached_attention__new_tokens_are_taken_for_the_first_ones(q, k, v, old_k, old_v):
    """the new tokens are taken for the first ones"""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    mask = np.tril(np.ones((len(q), len(keys)), bool))
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return y.data, keys, values


def my_cached_attention__new_tokens_in_front_of_the_old_ones(q, k, v, old_k, old_v):
    """the new tokens in front of the old ones"""
    keys, values = np.concatenate([k, old_k]), np.concatenate([v, old_v])
    mask = causal_mask(len(q), len(keys))
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return y.data, keys, values


def my_cached_attention__looks_at_the_old_tokens_only(q, k, v, old_k, old_v):
    """looks at the old tokens only"""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    e = np.exp(q @ old_k.T / np.sqrt(q.shape[1]))
    return e / e.sum(axis=1, keepdims=True) @ old_v, keys, values


def my_cached_attention__looks_at_the_new_tokens_only(q, k, v, old_k, old_v):
    """looks at the new tokens only"""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    mask = causal_mask(len(q), len(q))
    y = scaled_dot_product_attention(Tensor(q), Tensor(k), Tensor(v), mask)
    return y.data, keys, values


def my_cached_attention__hands_back_the_new_keys_and_values_alone(q, k, v, old_k, old_v):
    """hands back the new keys and values alone"""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    mask = causal_mask(len(q), len(keys))
    y = scaled_dot_product_attention(Tensor(q), Tensor(keys), Tensor(values), mask)
    return y.data, k, v


def my_cached_attention__no_division_by_the_root_of_d(q, k, v, old_k, old_v):
    """no division by the root of d"""
    keys, values = np.concatenate([old_k, k]), np.concatenate([old_v, v])
    e = np.exp(np.where(causal_mask(len(q), len(keys)), q @ keys.T, -np.inf))
    return e / e.sum(axis=1, keepdims=True) @ values, keys, values


def my_window_mask__one_token_too_many(T, window):
    """`window` tokens before it, and itself: one too many"""
    distance = np.arange(T)[:, None] - np.arange(T)
    return (distance >= 0) & (distance <= window)


def my_window_mask__window_reaches_into_the_future_too(T, window):
    """the window reaches into the future too"""
    distance = np.arange(T)[:, None] - np.arange(T)
    return np.abs(distance) < window


def my_window_mask__window_but_no_causal_mask(T, window):
    """the window, but no causal mask"""
    return np.triu(np.ones((T, T), bool), 1 - window)


def my_window_mask__looks_forward(T, window):
    """looks forward: query and key are swapped"""
    distance = np.arange(T) - np.arange(T)[:, None]
    return (distance >= 0) & (distance < window)


def my_window_mask__what_is_near_is_hidden_and_the_far_past_in_sight(T, window):
    """what is near is hidden, and the far past in sight"""
    return np.tril(np.ones((T, T), bool), -window)


def my_window_mask__text_cut_into_blocks(T, window):
    """the text cut into blocks"""
    place = np.arange(T)
    same_block = place[:, None] // window == place // window
    return same_block & (place <= place[:, None])


def my_attention_gradients__each_weight_by_its_own_score_only(q, k, v, y_bar):
    """each weight by its own score only"""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (1 - w) * w_bar / np.sqrt(q.shape[1])
    return a_bar @ k, a_bar.T @ q, w.T @ y_bar


def my_attention_gradients__nothing_is_subtracted(q, k, v, y_bar):
    """nothing is subtracted"""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * w_bar / np.sqrt(q.shape[1])
    return a_bar @ k, a_bar.T @ q, w.T @ y_bar


def my_attention_gradients__sum_runs_over_the_queries(q, k, v, y_bar):
    """the sum runs over the queries"""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=0)) / np.sqrt(q.shape[1])
    return a_bar @ k, a_bar.T @ q, w.T @ y_bar


def my_attention_gradients__no_keepdims(q, k, v, y_bar):
    """no keepdims: the sums go to the columns"""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1)) / np.sqrt(q.shape[1])
    return a_bar @ k, a_bar.T @ q, w.T @ y_bar


def my_attention_gradients__mean_of_w_bar_instead_of_the_weighted_sum(q, k, v, y_bar):
    """the mean of w_bar instead of the weighted sum"""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - w_bar.mean(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return a_bar @ k, a_bar.T @ q, w.T @ y_bar


def my_attention_gradients__no_division_by_the_root_of_d_on_the_way_back(q, k, v, y_bar):
    """no division by the root of d on the way back"""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True))
    return a_bar @ k, a_bar.T @ q, w.T @ y_bar


def my_attention_gradients__bar_is_not_transposed_for_the_keys(q, k, v, y_bar):
    """a_bar is not transposed for the keys"""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return a_bar @ k, a_bar @ q, w.T @ y_bar


def my_attention_gradients__w_is_not_transposed_for_the_values(q, k, v, y_bar):
    """w is not transposed for the values"""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return a_bar @ k, a_bar.T @ q, w @ y_bar


def my_attention_gradients__softmax_is_left_out(q, k, v, y_bar):
    """the softmax is left out"""
    w = np.exp(np.where(causal_mask(len(q), len(q)), q @ k.T / np.sqrt(q.shape[1]), -np.inf))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w_bar / np.sqrt(q.shape[1])
    return a_bar @ k, a_bar.T @ q, w.T @ y_bar


def my_attention_gradients__no_mask_on_the_way_forth(q, k, v, y_bar):
    """no mask on the way forth"""
    w = np.exp(q @ k.T / np.sqrt(q.shape[1]))
    w /= w.sum(axis=1, keepdims=True)
    w_bar = y_bar @ v.T
    a_bar = w * (w_bar - (w * w_bar).sum(axis=1, keepdims=True)) / np.sqrt(q.shape[1])
    return a_bar @ k, a_bar.T @ q, w.T @ y_bar
