"""Attention: the mask, the heads and the cache."""

import numpy as np
import pytest

from minigrad.attention import (
    TILE,
    CausalSelfAttention,
    KVCache,
    attention_weights,
    causal_attention,
    causal_mask,
    causal_weights,
    scaled_dot_product_attention,
)
from minigrad.gradcheck import gradcheck
from minigrad.tensor import Tensor, no_grad


def random(*shape, seed=0) -> Tensor:
    return Tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


def in_float64(module):
    for p in module.parameters():
        p.data = p.data.astype(np.float64)
    return module


def composed(qkv: Tensor, n_head: int) -> Tensor:
    """What causal_attention computes, out of operations that each know their derivative."""
    B, T, C3 = qkv.shape
    heads = qkv.reshape(B, T, 3, n_head, -1).transpose(1, 3)
    q, k, v = (heads[:, :, i] for i in range(3))
    y = scaled_dot_product_attention(q, k, v, causal_mask(T, T))
    return y.transpose(1, 2).reshape(B, T, C3 // 3)


def value_and_gradient(f, x: Tensor, order="C") -> np.ndarray:
    """f(x), and beside it the gradient of a weighted sum of it."""
    x.grad, y = None, f(x)
    y.backward(random(*y.shape, seed=1).data.copy(order))
    return np.concatenate([y.data, x.grad], axis=-1)


def test_causal_mask():
    np.testing.assert_array_equal(causal_mask(3, 3), np.tri(3, dtype=bool))
    np.testing.assert_array_equal(causal_mask(2, 4), np.tri(4, dtype=bool)[2:])


def test_weights_are_probabilities_of_the_past():
    w = attention_weights(random(2, 3, 5, 4), random(2, 3, 5, 4, seed=1), causal_mask(5, 5)).data
    np.testing.assert_allclose(w.sum(axis=-1), 1)
    assert (w[..., ~causal_mask(5, 5)] == 0).all()
    np.testing.assert_array_equal(w[..., 0, 0], 1)


def test_equal_keys_give_the_mean_of_the_values():
    v = random(1, 4, 3)
    y = scaled_dot_product_attention(random(1, 4, 2), Tensor(np.zeros((1, 4, 2))), v)
    np.testing.assert_allclose(y.data, np.repeat(v.data.mean(axis=1, keepdims=True), 4, axis=1))


def test_dropout_of_the_weights_draws_from_rng():
    q, k, v = (random(2, 3, 4, seed=i) for i in range(3))
    y = scaled_dot_product_attention(q, k, v, causal_mask(3, 3), 0.4, np.random.default_rng(3))
    w = attention_weights(q, k, causal_mask(3, 3)).data
    kept = np.random.default_rng(3).random(w.shape, np.float32) >= np.float32(0.4)
    np.testing.assert_allclose(y.data, (w * kept / 0.6) @ v.data, rtol=1e-6)
    assert 0 < kept.sum() < kept.size


def test_gradients():
    q, k, v = random(2, 3, 4), random(2, 3, 4, seed=1), random(2, 3, 4, seed=2)
    mask = causal_mask(3, 3)
    assert gradcheck(lambda q, k, v: scaled_dot_product_attention(q, k, v, mask), q, k, v)
    layer = in_float64(CausalSelfAttention(6, 2, rng=np.random.default_rng(0)))
    assert gradcheck(lambda x, *_: layer(x), random(2, 3, 6), *layer.parameters())


@pytest.mark.parametrize("n_head", [1, 2, 6])
@pytest.mark.parametrize("T", [1, 2, TILE - 1, TILE, TILE + 1, 2 * TILE + 5])
def test_causal_attention_equals_the_composed_one(T, n_head):
    qkv = random(2, T, 3 * 6)
    fused = value_and_gradient(lambda x: causal_attention(x, n_head), qkv)
    expected = value_and_gradient(lambda x: composed(x, n_head), qkv)
    np.testing.assert_allclose(fused, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("cached", [False, True])
@pytest.mark.parametrize("p", [0, 0.5])
def test_numbers_keep_their_precision(dtype, p, cached):
    qkv = Tensor(random(1, 3, 6).data.astype(dtype), requires_grad=True)
    y = causal_attention(qkv, 1, KVCache(3) if cached else None, dropout_p=p)
    assert y.dtype == dtype
    if y.requires_grad:
        y.sum().backward()
        assert qkv.grad.dtype == dtype


def test_gradients_across_a_tile_boundary():
    assert gradcheck(lambda x: causal_attention(x, 1), random(1, TILE + 2, 3 * 2))


def test_gradients_for_any_size_of_tile(monkeypatch):
    qkv = random(2, 7, 3 * 4)
    for tile in (1, 2, 3, 7, 8):
        monkeypatch.setattr("minigrad.attention.TILE", tile)
        assert gradcheck(lambda x: causal_attention(x, 2), qkv)


def test_the_order_in_memory_does_not_matter():
    qkv = random(2, TILE + 3, 3 * 4)
    expected = value_and_gradient(lambda x: causal_attention(x, 2), qkv)
    for axes in ((2, 1, 0), (0, 2, 1), (1, 0, 2)):
        array = qkv.data.transpose(axes).copy().transpose(np.argsort(axes))
        assert not array.flags.c_contiguous
        x = Tensor(array, requires_grad=True)
        for order in "CF":
            found = value_and_gradient(lambda x: causal_attention(x, 2), x, order)
            np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize(("n", "S"), [(1, 1), (1, 7), (4, 7), (7, 7)])
def test_causal_weights_are_probabilities_of_the_past(n, S, size):
    q, k = (size * random(2, 3, m, 8, seed=m).data.astype(np.float32) for m in (n, S))
    w = causal_weights(q, k)
    assert w.shape == (2, 3, n, S) and w.dtype == np.float32
    np.testing.assert_allclose(w.sum(axis=-1), 1, rtol=1e-5)
    assert (w >= 0).all() and (w[..., ~causal_mask(n, S)] == 0).all()
    expected = attention_weights(Tensor(q), Tensor(k), causal_mask(n, S)).data
    np.testing.assert_allclose(w, expected, rtol=1e-5, atol=1e-6)


def test_scores_of_ten_thousand_are_no_problem():
    q = np.full((1, 3, 1), 100, np.float32)
    k = np.array([[[100], [-100], [100]]], np.float32)
    np.testing.assert_array_equal(causal_weights(q, k), [[[1, 0, 0], [1, 0, 0], [0.5, 0, 0.5]]])
    qkv = Tensor(1e4 * random(1, TILE + 1, 6).data, requires_grad=True)
    assert np.isfinite(value_and_gradient(lambda x: causal_attention(x, 1), qkv)).all()


def test_the_future_does_not_leak():
    layer = CausalSelfAttention(8, 2, rng=np.random.default_rng(0))
    x = random(1, 6, 8)
    changed = Tensor(x.data.copy())
    changed.data[0, 4:] += 1
    np.testing.assert_allclose(layer(x).data[0, :4], layer(changed).data[0, :4])
    assert not np.allclose(layer(x).data[0, 4:], layer(changed).data[0, 4:])
    layer(x)[0, 2].sum().backward()
    assert (x.grad[0, 3:] == 0).all() and (x.grad[0, :3] != 0).all()


@pytest.mark.parametrize("steps", [[6], [1] * 6, [3, 1, 2]])
def test_cached_attention_equals_attention_at_once(steps):
    layer = CausalSelfAttention(8, 2, rng=np.random.default_rng(0))
    x, cache = random(2, 6, 8), KVCache(6)
    with no_grad():
        ends = np.cumsum(steps)
        parts = [layer(x[:, end - n : end], cache).data for n, end in zip(steps, ends)]
        np.testing.assert_allclose(np.concatenate(parts, axis=1), layer(x).data, atol=1e-6)


@pytest.mark.parametrize(
    "steps",
    [
        [2 * TILE + 5],
        [TILE - 1, 2, TILE, 4],
        [TILE, TILE, 5],
        [1, 2 * TILE + 4],
        [2 * TILE + 4, 1],
        [3] * 23,
    ],
    ids=str,
)
def test_causal_attention_in_pieces_equals_the_whole(steps):
    T = sum(steps)
    qkv, cache = random(2, T, 3 * 4), KVCache(T)
    ends = np.cumsum(steps)
    parts = [causal_attention(qkv[:, end - n : end], 2, cache) for n, end in zip(steps, ends)]
    whole = causal_attention(qkv, 2).data
    np.testing.assert_allclose(np.concatenate([p.data for p in parts], axis=1), whole, atol=1e-12)
    assert cache.length == T


def test_with_a_cache_nothing_can_be_differentiated():
    qkv = random(1, 3, 6)
    assert causal_attention(qkv, 1).requires_grad
    y = causal_attention(qkv, 1, KVCache(3))
    assert y.is_leaf and not y.requires_grad


def test_dropout_only_in_training():
    layer = CausalSelfAttention(8, 2, dropout=0.5, rng=np.random.default_rng(0))
    x = random(1, 6, 8)
    assert (layer(x).data != layer(x).data).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x).data, layer(x).data)


def only_attention_dropout(p: float) -> CausalSelfAttention:
    layer = CausalSelfAttention(8, 2, dropout=p, rng=np.random.default_rng(0))
    layer.resid_dropout.p = 0.0
    return layer


def test_attention_itself_drops_out_in_training_but_not_with_a_cache():
    layer, x = only_attention_dropout(0.5), random(1, 6, 8)
    first, second, cached = layer(x).data, layer(x).data, layer(x, KVCache(6)).data
    layer.eval()
    whole = layer(x).data
    assert (first != second).any() and not np.allclose(first, whole)
    np.testing.assert_array_equal(cached, whole)


def test_attention_that_may_drop_out_but_does_not_equals_the_fused_one():
    layer, x = in_float64(only_attention_dropout(1e-12)), random(2, 6, 8)
    dropping = value_and_gradient(layer, x)
    np.testing.assert_allclose(dropping, value_and_gradient(layer.eval(), x), rtol=1e-9, atol=1e-12)


def test_attention_with_dropout_has_the_right_gradient():
    layer = in_float64(only_attention_dropout(0.5))

    def attend(x):
        layer.attn_dropout.rng = np.random.default_rng(1)  # the same mask at every call
        return layer(x)

    assert gradcheck(attend, random(2, 3, 8))


def test_sizes_may_be_numpys_integers():
    layer = CausalSelfAttention(np.int64(8), np.uint8(2))
    assert type(layer.n_head) is int and layer(random(1, 3, 8)).shape == (1, 3, 8)
    assert KVCache(np.int64(4)).block_size == 4
    for bad in (2.0, True):
        with pytest.raises(TypeError, match="n_head must be an integer"):
            CausalSelfAttention(8, bad)


def test_a_cache_keeps_what_it_gets_as_it_gets_it():
    cache = KVCache(3)
    assert (cache.length, cache.start, cache.k, cache.v) == (0, 0, None, None)
    k, v = random(2, 1, 3, 4).data.astype(np.float32), random(2, 1, 3, 5).data[..., :4]
    for begin, end in ((0, 2), (2, 3)):  # full at last
        stored = cache.append(k[:, :, begin:end], v[:, :, begin:end])
        for array, whole in zip(stored, (k, v)):
            np.testing.assert_array_equal(array, whole[:, :, :end])
            assert array.dtype == whole.dtype
        assert cache.length == end
    cache.restart(7)
    assert (cache.start, cache.length) == (7, 0)
    np.testing.assert_array_equal(cache.append(v[:, :, :1], v[:, :, :1])[1], v[:, :, :1])


def test_weights_for_a_picture_are_those_that_the_layer_uses():
    layer, x = in_float64(CausalSelfAttention(8, 2)), random(2, 5, 8)
    v = layer.c_attn(x).data[..., 16:].reshape(2, 5, 2, 4).swapaxes(1, 2)
    y = (layer.weights(x) @ v).swapaxes(1, 2).reshape(2, 5, 8)
    np.testing.assert_allclose(layer.c_proj(Tensor(y)).data, layer(x).data, rtol=1e-12)


@pytest.mark.parametrize(("sizes", "got"), [((6, 4), "6 and 4"), ((6, 0), "6 and 0")])
def test_channels_that_cannot_be_shared_out(sizes, got):
    message = f"^n_embd must be a multiple of n_head, got {got}$"
    with pytest.raises(ValueError, match=message):
        CausalSelfAttention(*sizes)


@pytest.mark.parametrize(("sizes", "name"), [((8.0, 2), "n_embd"), ((8, 2.0), "n_head")])
def test_sizes_are_called_by_their_names(sizes, name):
    with pytest.raises(TypeError, match=f"^{name} must be an integer, got "):
        CausalSelfAttention(*sizes)
    with pytest.raises(TypeError, match="^block_size must be an integer, got 2.5$"):
        KVCache(2.5)


def test_a_cache_takes_no_more_than_it_holds():
    cache, one = KVCache(2), np.zeros((1, 1, 1, 4))
    cache.append(one, one)
    with pytest.raises(ValueError, match="^the cache holds 2 tokens, but 3 were given$"):
        cache.append(*2 * [np.zeros((1, 1, 2, 4))])
    assert cache.length == 1


def test_torch_s_switch_for_causal_attention_is_no_generator():
    q = Tensor(np.ones((1, 2, 4), np.float32))
    with pytest.raises(TypeError, match="rng is a generator or a seed, not True"):
        scaled_dot_product_attention(q, q, q, None, 0.0, True)


@pytest.mark.parametrize("p", [0.0, 0.5])
def test_the_gradient_of_attention_stays_float32(p):
    qkv = Tensor(np.random.default_rng(0).random((2, 5, 24), np.float32), requires_grad=True)
    y = causal_attention(qkv, 2, dropout_p=p, rng=np.random.default_rng(0))
    ((_, vjp),) = y._inputs
    assert y.dtype == vjp(np.ones(y.shape, np.float32)).dtype == np.float32
