"""Plausible wrong attempts at the exercises of chapter 14."""

import numpy as np

from minigrad.llama import in_window


def my_turns__theta_to_the_minus_i_over_d(positions, head_dim, theta):
    """The exponent lacks a factor 2, so the slowest pair turns by the root of what it should: pair
    i has theta to the minus 2i / d. See “Rotary positions: turn each pair”."""
    angles = positions[:, None] * theta ** (-np.arange(head_dim // 2) / head_dim)
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__last_pair_at_one_over_theta(positions, head_dim, theta):
    """The speeds were spread so that the last is exactly 1 / theta; it is almost that, as if one
    more pair came after it. See “Rotary positions: turn each pair”."""
    speeds = theta ** -np.linspace(0, 1, head_dim // 2)
    angles = positions[:, None] * speeds
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__faster_and_faster(positions, head_dim, theta):
    """The minus in the exponent is missing: your pairs get faster, each next one, and theirs get
    slower. See “Rotary positions: turn each pair”."""
    angles = positions[:, None] * theta ** (np.arange(0, head_dim, 2) / head_dim)
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__an_angle_for_each_channel(positions, head_dim, theta):
    """Each angle stands there twice, once for each channel of its pair; asked is one for each pair.
    See “Exercise 14.1 · The angles”."""
    angles = positions[:, None] * theta ** (-np.arange(0, head_dim, 2) / head_dim)
    angles = np.concatenate([angles, angles], axis=-1)
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__counts_from_one(positions, head_dim, theta):
    """The first position was turned already; positions count from 0, where nothing is turned. See
    “Exercise 14.1 · The angles”."""
    angles = (positions[:, None] + 1) * theta ** (-np.arange(0, head_dim, 2) / head_dim)
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__columns_for_positions(positions, head_dim, theta):
    """Rows and columns changed places: each position has a row, each pair a column. See “Exercise
    14.1 · The angles”."""
    angles = theta ** (-np.arange(0, head_dim, 2) / head_dim)[:, None] * positions
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__angles_in_float32(positions, head_dim, theta):
    """The angles were computed in float32, which has seven digits: far out in a text too few are
    left for the part of a turn that counts. Round the cosine, not the angle. See “Exercise 14.1 ·
    The angles”."""
    speeds = (theta ** (-np.arange(0, head_dim, 2) / head_dim)).astype(np.float32)
    angles = positions[:, None].astype(np.float32) * speeds
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__exchanged(positions, head_dim, theta):
    """Cosine and sine have each other's names; an angle of 0 has cosine 1. See “Exercise 14.1 · The
    angles”."""
    angles = positions[:, None] * theta ** (-np.arange(0, head_dim, 2) / head_dim)
    return {"cos": np.sin(angles), "sin": np.cos(angles)}


def my_turns__channels_for_pairs(positions, head_dim, theta):
    """Each channel got a speed of its own; a pair shares one, so there are head_dim / 2 speeds, and
    their exponents are 2i / d. See “Exercise 14.1 · The angles”."""
    angles = positions[:, None] * theta ** (-np.arange(head_dim) / head_dim)
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__a_pair_for_each_channel(positions, head_dim, theta):
    """You made as many pairs as there are channels; d channels are d / 2 pairs, so half of your
    columns are too many. See “Exercise 14.1 · The angles”."""
    angles = positions[:, None] * theta ** (-2 * np.arange(head_dim) / head_dim)
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__each_angle_twice(positions, head_dim, theta):
    """Each angle stands there twice, side by side, once for each channel of its pair; asked is one
    for each pair. See “Exercise 14.1 · The angles”."""
    angles = positions[:, None] * theta ** (-np.arange(0, head_dim, 2) / head_dim)
    angles = angles.repeat(2, axis=-1)
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turns__counts_the_positions(positions, head_dim, theta):
    """The rows were counted, 0, 1, 2; they are to be turned by the positions given, which may begin
    anywhere and leave some out. See “Exercise 14.1 · The angles”."""
    speeds = theta ** (-np.arange(0, head_dim, 2) / head_dim)
    angles = np.arange(len(positions))[:, None] * speeds
    return {"cos": np.cos(angles), "sin": np.sin(angles)}


def my_turn__neighbours(x, cos, sin):
    """Neighbours were paired, channel 0 with 1; here a pair is channel i with channel i + d / 2.
    See “Rotary positions: turn each pair”."""
    a, b = x[..., ::2], x[..., 1::2]
    turned = np.empty(np.broadcast_shapes(x.shape, (*cos.shape[:-1], x.shape[-1])))
    turned[..., ::2], turned[..., 1::2] = a * cos - b * sin, b * cos + a * sin
    return turned


def my_turn__the_other_way(x, cos, sin):
    """You turned the other way round: the sines have each other's signs. Distances would still
    count, but all turns are backwards. See “Turn it, by hand”."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos + b * sin, b * cos - a * sin], axis=-1)


def my_turn__second_from_the_first_turned(x, cos, sin):
    """The second line used the first number after it had been turned; both need the pair as it was
    before. See “Exercise 14.2 · Turn it”."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    a = a * cos - b * sin
    b = b * cos + a * sin
    return np.concatenate([a, b], axis=-1)


def my_turn__in_place(x, cos, sin):
    """The turned numbers were written into x itself, which belongs to the caller. See “Exercise
    14.2 · Turn it”."""
    half = x.shape[-1] // 2
    a, b = x[..., :half].copy(), x[..., half:].copy()
    x[..., :half], x[..., half:] = a * cos - b * sin, b * cos + a * sin
    return x


def my_turn__both_minus(x, cos, sin):
    """Both lines have a minus; that is a reflection and no turn. In the second line the sine is
    added. See “Turn it, by hand”."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * cos - b * sin, b * cos - a * sin], axis=-1)


def my_turn__cos_and_sin_exchanged(x, cos, sin):
    """Cosine and sine changed places: at an angle of 0, where nothing should move, you make a
    quarter turn. See “Turn it, by hand”."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.concatenate([a * sin - b * cos, b * sin + a * cos], axis=-1)


def my_turn__stacks_the_halves(x, cos, sin):
    """The two halves were stacked along a new axis, so that one token has become two rows; they
    belong one behind the other on the last axis. See “Exercise 14.2 · Turn it”."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    return np.stack([a * cos - b * sin, b * cos + a * sin], axis=-2)


def my_turn__interleaved(x, cos, sin):
    """The pairs were taken from the halves and written back side by side as neighbours; the result
    has the order of the input. See “Rotary positions: turn each pair”."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    turned = np.stack([a * cos - b * sin, b * cos + a * sin], axis=-1)
    return turned.reshape(*turned.shape[:-2], -1)


def my_swiglu_gradients__forgets_the_product_rule(gate, up, g):
    """Only the sigmoid was left of the gate's derivative; the gate stands twice in z sigmoid(z),
    and the sigmoid moves, too. See “SwiGLU: one channel opens another”."""
    a = 0.5 * np.tanh(0.5 * gate) + 0.5
    return {"gate": g * up * a, "up": g * gate * a}


def my_swiglu_gradients__only_the_sigmoid_moves(gate, up, g):
    """You took the gate in front as a constant and moved the sigmoid only; the product rule has two
    terms. See “SwiGLU: one channel opens another”."""
    a = 0.5 * np.tanh(0.5 * gate) + 0.5
    return {"gate": g * up * gate * a * (1 - a), "up": g * gate * a}


def my_swiglu_gradients__sigmoid_for_silu(gate, up, g):
    """The gate was taken for a sigmoid; here it is silu, the number itself times its sigmoid. See
    “SwiGLU: one channel opens another”."""
    a = 0.5 * np.tanh(0.5 * gate) + 0.5
    return {"gate": g * up * a * (1 - a), "up": g * a}


def my_swiglu_gradients__gate_and_up_exchanged(gate, up, g):
    """The two gradients have each other's names. What comes at up is g times silu(gate). See
    “SwiGLU: one channel opens another”."""
    a = 0.5 * np.tanh(0.5 * gate) + 0.5
    s = gate * a
    return {"up": g * up * (a + s * (1 - a)), "gate": g * s}


def my_swiglu_gradients__forgets_g(gate, up, g):
    """What arrives from the loss, g, is missing: these are the slopes of the result and not of the
    loss. See “Exercise 14.3 · The gate, backwards”."""
    a = 0.5 * np.tanh(0.5 * gate) + 0.5
    s = gate * a
    return {"gate": up * (a + s * (1 - a)), "up": s}


def my_swiglu_gradients__forgets_up(gate, up, g):
    """The gradient of the gate lacks the factor up: where nothing could come through, opening the
    gate changes nothing. See “SwiGLU: one channel opens another”."""
    a = 0.5 * np.tanh(0.5 * gate) + 0.5
    s = gate * a
    return {"gate": g * (a + s * (1 - a)), "up": g * s}


def my_swiglu_gradients__inf_over_inf(gate, up, g):
    """The sigmoid was written as e^z / (1 + e^z), and for a wide open gate that is inf / inf, nan.
    See “Exercise 14.3 · The gate, backwards”."""
    with np.errstate(all="ignore"):
        a = np.exp(gate) / (1 + np.exp(gate))
    s = gate * a
    return {"gate": g * up * (a + s * (1 - a)), "up": g * s}


def my_swiglu_gradients__gate_times_one_minus_sigmoid(gate, up, g):
    """In the second term one sigmoid is missing: the sigmoid's slope is a (1 - a), so it is s (1 -
    a) and not z (1 - a). See “SwiGLU: one channel opens another”."""
    a = 0.5 * np.tanh(0.5 * gate) + 0.5
    return {"gate": g * up * (a + gate * (1 - a)), "up": g * gate * a}


def my_swiglu_gradients__second_term_without_the_gate(gate, up, g):
    """In the second term of the product rule the gate is missing: while the sigmoid moves by a (1 -
    a), the gate z stands beside it. See “SwiGLU: one channel opens another”."""
    a = 0.5 * np.tanh(0.5 * gate) + 0.5
    return {"gate": g * up * (a + a * (1 - a)), "up": g * gate * a}


def my_swiglu_gradients__slope_of_the_sigmoid_alone(gate, up, g):
    """That is the slope of the sigmoid; but z sigmoid(z) is a product, so by the product rule each
    factor moves once, beside the other. See “SwiGLU: one channel opens another”."""
    a = 0.5 * np.tanh(0.5 * gate) + 0.5
    return {"gate": g * up * a * (1 - a), "up": g * gate * a}


def my_in_window__one_too_many(n_queries, n_keys, window):
    """Your window holds one position more: itself and `window` before. It shall be `window` in all.
    See “Exercise 14.4 · A window that slides”."""
    distance = np.arange(n_keys - n_queries, n_keys)[:, None] - np.arange(n_keys)
    return (0 <= distance) & (distance <= window)


def my_in_window__without_itself(n_queries, n_keys, window):
    """A token does not see itself in your window; its own position is the first of those it may
    look at. See “Exercise 14.4 · A window that slides”."""
    distance = np.arange(n_keys - n_queries, n_keys)[:, None] - np.arange(n_keys)
    return (1 <= distance) & (distance <= window)


def my_in_window__sees_the_future(n_queries, n_keys, window):
    """Only the old end of the window was cut; what comes after the query must stay hidden as well.
    See “Exercise 14.4 · A window that slides”."""
    distance = np.arange(n_keys - n_queries, n_keys)[:, None] - np.arange(n_keys)
    return distance < window


def my_in_window__to_both_sides(n_queries, n_keys, window):
    """The window reaches as far ahead as back; a model that predicts may only look back. See
    “Exercise 14.4 · A window that slides”."""
    distance = np.arange(n_keys - n_queries, n_keys)[:, None] - np.arange(n_keys)
    return np.abs(distance) < window


def my_in_window__queries_at_the_beginning(n_queries, n_keys, window):
    """The queries were put at the first positions; they are the last of them, for the new tokens
    come behind what the cache holds. See “Exercise 14.4 · A window that slides”."""
    distance = np.arange(n_queries)[:, None] - np.arange(n_keys)
    return (0 <= distance) & (distance < window)


def my_in_window__no_window(n_queries, n_keys, window):
    """That is the causal mask of chapter 07: it hides the future and forgets nothing. The window
    has an old end, too. See “Exercise 14.4 · A window that slides”."""
    return np.arange(n_keys) <= np.arange(n_keys - n_queries, n_keys)[:, None]


def my_in_window__columns_for_rows(n_queries, n_keys, window):
    """Rows and columns changed places: a row is a query, a column a key. See “Exercise 14.4 · A
    window that slides”."""
    distance = np.arange(n_keys - n_queries, n_keys) - np.arange(n_keys)[:, None]
    return (0 <= distance) & (distance < window)


def my_in_window__numbers(n_queries, n_keys, window):
    """Ones and zeros came in place of True and False; as a mask, NumPy takes an array of integers
    for positions. See “Exercise 14.4 · A window that slides”."""
    distance = np.arange(n_keys - n_queries, n_keys)[:, None] - np.arange(n_keys)
    return ((0 <= distance) & (distance < window)).astype(int)


def my_in_window__negative_start(n_queries, n_keys, window):
    """The first rows are empty: there the slice begins at a negative number, and that counts from
    the end; use max(0, …). See “Exercise 14.4 · A window that slides”."""
    mask = np.zeros((n_queries, n_keys), dtype=bool)
    for i in range(n_queries):
        own = n_keys - n_queries + i
        mask[i, own - window + 1 : own + 1] = True
    return mask


def my_grouped_attention__heads_in_turn(q, k, v, window):
    """The heads of keys were given out in turn, 0 1 0 1; neighbours share one, 0 0 1 1. See
    “Exercise 14.5 · Attention in groups”."""
    times = len(q) // len(k)
    k, v = np.tile(k, (times, 1, 1)), np.tile(v, (times, 1, 1))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__without_the_root(q, k, v, window):
    """The scores were not divided by the root of d, so the softmax is too sharp. See “Why divide by
    the square root of d” in chapter 07."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2)
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__forgets_the_window(q, k, v, window):
    """Each query saw its whole past; the window hides what is older than its last positions. See
    “Exercise 14.4 · A window that slides”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], k.shape[1]), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__queries_at_the_beginning(q, k, v, window):
    """The queries were put at the first positions, and what came before them was taken for their
    future; they are the last. See “Exercise 14.4 · A window that slides”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    distance = np.arange(q.shape[1])[:, None] - np.arange(k.shape[1])
    scores = np.where((0 <= distance) & (distance < window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__one_answer_for_a_group(q, k, v, window):
    """The queries of a group were averaged into one; they share keys and values, but each asks its
    own question and gets its own answer. See “Grouped queries: what fills the memory”."""
    times = len(q) // len(k)
    q = q.reshape(len(k), times, *q.shape[1:]).mean(axis=1)
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True) @ v).repeat(times, axis=0)


def my_grouped_attention__mask_after_the_softmax(q, k, v, window):
    """The weights were set to 0 after the softmax, so a row no longer sums to 1: what is hidden
    must be out of sight before. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    weights = e / e.sum(axis=-1, keepdims=True)
    return weights * in_window(q.shape[1], k.shape[1], window) @ v


def my_grouped_attention__exponential_of_5000(q, k, v, window):
    """Nothing was subtracted before the exponential, and that of a large score is infinite: inf /
    inf is nan. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    e = np.exp(scores) * in_window(q.shape[1], k.shape[1], window)
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__softmax_over_the_group(q, k, v, window):
    """The softmax went over all queries of a group together; each query spends a weight of 1 of its
    own. See “Exercise 14.5 · Attention in groups”."""
    times = len(q) // len(k)
    q = q.reshape(len(k), times, *q.shape[1:])
    scores = q @ k[:, None].swapaxes(-1, -2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[2], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=(1, 3), keepdims=True))
    y = e / e.sum(axis=(1, 3), keepdims=True) @ v[:, None]
    return y.reshape(-1, *y.shape[2:])


def my_grouped_attention__largest_of_all_heads(q, k, v, window):
    """The largest score of all heads was subtracted from every row; where a row's own are far below
    it, all its exponentials are 0, and 0 / 0 is nan. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max())
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__largest_of_each_head(q, k, v, window):
    """The largest score of a whole head was subtracted; a row whose own are far below it has no
    weights left, 0 / 0. Each row needs its own. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=(1, 2), keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__largest_before_the_mask(q, k, v, window):
    """The largest score was sought before the mask: if it is a hidden one, those in sight may be so
    far below it that all their exponentials are 0. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    e = e * in_window(q.shape[1], k.shape[1], window)
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__subtracts_the_mean(q, k, v, window):
    """The mean of the row was subtracted and not its largest score: what is far above the mean
    still has an infinite exponential. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    seen = in_window(q.shape[1], k.shape[1], window)
    e = np.exp(scores - scores.mean(axis=-1, keepdims=True)) * seen
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__hidden_at_minus_1000(q, k, v, window):
    """Hidden scores became a large negative number; where those in sight are lower still, what is
    hidden gets the weight. It must be -inf. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -1000.0)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__minus_1000_added(q, k, v, window):
    """A large number was taken from each hidden score; where that score is larger still, it is seen
    all the same. It must become -inf. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores -= 1000.0 * ~in_window(q.shape[1], k.shape[1], window)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__mask_times_score(q, k, v, window):
    """Hidden scores were made 0. A hidden score must become -inf: a score of 0 still has a weight.
    See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = scores * in_window(q.shape[1], k.shape[1], window)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__softmax_over_the_queries(q, k, v, window):
    """The softmax went down the columns, over the queries; each query spends a weight of 1 on its
    keys, so it goes along a row, the last axis. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_grouped_attention__sums_down_the_columns(q, k, v, window):
    """The exponentials were summed down the columns, over the queries; each query spends a weight
    of 1 on its keys, so the sum goes along a row, the last axis. See “Exercise 14.5 · Attention in
    groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True) @ v


def my_grouped_attention__softmax_over_the_heads(q, k, v, window):
    """The softmax went over the heads, the first axis; each query of each head spends a weight of 1
    on its keys, along the last. See “Exercise 14.5 · Attention in groups”."""
    k, v = (x.repeat(len(q) // len(k), axis=0) for x in (k, v))
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=0, keepdims=True))
    return e / e.sum(axis=0, keepdims=True) @ v


def my_grouped_attention__mask_of_all_queries_of_a_group(q, k, v, window):
    """The mask was asked for as many queries as the group has together, as if they were later and
    later positions, so some rows see nothing. Each block of T rows needs the mask of T queries. See
    “Exercise 14.5 · Attention in groups”."""
    shape, d = q.shape, q.shape[-1]
    q = q.reshape(len(k), -1, d)
    scores = q @ k.swapaxes(1, 2) / np.sqrt(d)
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True) @ v).reshape(shape)


def my_grouped_attention__mask_rows_repeated(q, k, v, window):
    """Each row of the mask was repeated for the group; but the queries of one head lie together, so
    the whole mask comes again, block by block: tile and not repeat. See “Exercise 14.5 · Attention
    in groups”."""
    shape, (heads, T, d) = q.shape, q.shape
    group = heads // len(k)
    q = q.reshape(len(k), -1, d)
    scores = q @ k.swapaxes(1, 2) / np.sqrt(d)
    seen = in_window(T, k.shape[1], window).repeat(group, axis=0)
    scores = np.where(seen, scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return (e / e.sum(axis=-1, keepdims=True) @ v).reshape(shape)


def my_grouped_attention__keys_in_turn_values_in_groups(q, k, v, window):
    """The values were given out to neighbours, 0 0 1 1, but the keys in turn, 0 1 0 1: a query
    finds with one head's keys and takes from another's values. See “Exercise 14.5 · Attention in
    groups”."""
    times = len(q) // len(k)
    k, v = np.tile(k, (times, 1, 1)), v.repeat(times, axis=0)
    scores = q @ k.swapaxes(1, 2) / np.sqrt(q.shape[-1])
    scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True) @ v


def my_grouped_attention__divided_by_n_kv_head(q, k, v, window):
    """The number of a head was divided by n_kv_head; to find its group divide by the size of a
    group, n_head / n_kv_head. See “Exercise 14.5 · Attention in groups”."""
    y = np.empty(q.shape)
    for h in range(len(q)):
        of = h // len(k)
        scores = q[h] @ k[of].T / np.sqrt(q.shape[-1])
        scores = np.where(in_window(q.shape[1], k.shape[1], window), scores, -np.inf)
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        y[h] = e / e.sum(axis=-1, keepdims=True) @ v[of]
    return y


def my_cache_bytes__forgets_the_values(
    n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each
):
    """Only the keys were counted; each has a value beside it. See “Grouped queries: what fills the
    memory”."""
    kept = min(n_tokens, block_size)
    return n_layer * n_kv_head * (n_embd // n_head) * kept * bytes_each


def my_cache_bytes__all_heads(n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each):
    """You counted keys and values for every head of queries, of which a group shares one; or you
    divided the channels by n_kv_head: a head has n_embd / n_head. See “Grouped queries: what fills
    the memory”."""
    return 2 * n_layer * n_embd * min(n_tokens, block_size) * bytes_each


def my_cache_bytes__head_of_all_channels(
    n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each
):
    """Each head was given all channels; the heads of the queries divide them, and a head of keys is
    as large as one of these. See “Exercise 14.6 · What a text costs”."""
    return 2 * n_layer * n_kv_head * n_embd * min(n_tokens, block_size) * bytes_each


def my_cache_bytes__kv_heads_divide_the_channels(
    n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each
):
    """The channels were divided among the heads of keys, so that fewer heads became larger ones,
    and nothing would be saved. A head is n_embd / n_head. See “Exercise 14.6 · What a text costs”.
    """
    size = n_embd // n_kv_head
    return 2 * n_layer * n_kv_head * size * min(n_tokens, block_size) * bytes_each


def my_cache_bytes__never_drops_a_token(
    n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each
):
    """The cache grew with the text for ever; tokens older than the last block_size are dropped. See
    “A text without end”."""
    return 2 * n_layer * n_kv_head * (n_embd // n_head) * n_tokens * bytes_each


def my_cache_bytes__always_full(
    n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each
):
    """A full context was counted, however short the text is; asked is what these tokens need. See
    “Exercise 14.6 · What a text costs”."""
    return 2 * n_layer * n_kv_head * (n_embd // n_head) * block_size * bytes_each


def my_cache_bytes__one_layer(n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each):
    """One layer was counted; each layer has keys and values of its own. See “Grouped queries: what
    fills the memory”."""
    return 2 * n_kv_head * (n_embd // n_head) * min(n_tokens, block_size) * bytes_each


def my_cache_bytes__numbers_not_bytes(
    n_layer, n_head, n_kv_head, n_embd, n_tokens, block_size, bytes_each
):
    """These are numbers and not bytes: each takes bytes_each of them. See “Exercise 14.6 · What a
    text costs”."""
    return 2 * n_layer * n_kv_head * (n_embd // n_head) * min(n_tokens, block_size)
