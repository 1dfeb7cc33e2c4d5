"""Attention: the mask, the heads and the cache."""

import numpy as np
import pytest

from minigrad.attention import (
    CausalSelfAttention,
    KVCache,
    attention_weights,
    causal_mask,
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


def test_gradients():
    q, k, v = random(2, 3, 4), random(2, 3, 4, seed=1), random(2, 3, 4, seed=2)
    mask = causal_mask(3, 3)
    assert gradcheck(lambda q, k, v: scaled_dot_product_attention(q, k, v, mask), q, k, v)
    layer = in_float64(CausalSelfAttention(6, 2, rng=np.random.default_rng(0)))
    assert gradcheck(lambda x, *_: layer(x), random(2, 3, 6), *layer.parameters())


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


def test_dropout_only_in_training():
    layer = CausalSelfAttention(8, 2, dropout=0.5, rng=np.random.default_rng(0))
    x = random(1, 6, 8)
    assert (layer(x).data != layer(x).data).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x).data, layer(x).data)


def test_errors():
    with pytest.raises(ValueError, match="got 6 and 4"):
        CausalSelfAttention(6, 4)
    with pytest.raises(ValueError, match="got 6 and 0"):
        CausalSelfAttention(6, 0)
    cache = KVCache(2)
    with pytest.raises(ValueError, match="holds 2 tokens, but 3"):
        cache.append(np.zeros((1, 1, 3, 4)), np.zeros((1, 1, 3, 4)))
