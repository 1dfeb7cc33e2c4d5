"""The GPT: sizes, names, initial loss, dropout, attention."""

import math

import numpy as np
import pytest

from minigrad.gpt import GPT
from minigrad.nn import Dropout
from minigrad.optim import AdamW
from minigrad.tensor import Tensor


def small(seed=0, **options) -> GPT:
    sizes = {"vocab_size": 11, "n_embd": 16, "n_layer": 2, "n_head": 4, "block_size": 8, **options}
    return GPT(**sizes, rng=np.random.default_rng(seed))


def ids(*shape, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(11, size=shape)


@pytest.mark.slow
def test_gpt2_small_has_its_size_and_runs_forward_and_backward():
    model = GPT(rng=np.random.default_rng(0))
    assert model.num_parameters() == 124_439_808
    idx = np.random.default_rng(0).integers(50257, size=(1, 8))
    logits, loss = model(idx, idx)
    assert logits.shape == (1, 8, 50257)
    assert abs(loss.item() - math.log(50257)) < 1
    loss.backward()
    assert all(np.isfinite(p.grad).all() for p in model.parameters())


def test_loss_at_the_beginning_is_ln_vocab():
    _, loss = small()(ids(16, 8), ids(16, 8, seed=1))
    assert abs(loss.item() - math.log(11)) < 0.1


def test_state_dict_has_nanogpts_names_and_shapes():
    shapes = {name: array.shape for name, array in small().collect_state_dict().items()}
    block = {
        "ln_1.weight": (16,),
        "ln_1.bias": (16,),
        "attn.c_attn.weight": (48, 16),
        "attn.c_attn.bias": (48,),
        "attn.c_proj.weight": (16, 16),
        "attn.c_proj.bias": (16,),
        "ln_2.weight": (16,),
        "ln_2.bias": (16,),
        "mlp.c_fc.weight": (64, 16),
        "mlp.c_fc.bias": (64,),
        "mlp.c_proj.weight": (16, 64),
        "mlp.c_proj.bias": (16,),
    }
    expected = {"transformer.wte.weight": (11, 16), "transformer.wpe.weight": (8, 16)}
    expected |= {f"transformer.h.{i}.{name}": s for i in range(2) for name, s in block.items()}
    expected |= {"transformer.ln_f.weight": (16,), "transformer.ln_f.bias": (16,)}
    expected |= {"lm_head.weight": (11, 16)}
    assert list(shapes.items()) == list(expected.items())
    assert not any(name.endswith("bias") for name in small(bias=False).collect_state_dict())


def test_the_head_is_tied():
    model = small()
    assert model.lm_head.weight is model.transformer.wte.weight
    with_head = sum(a.size for a in model.collect_state_dict().values())
    assert with_head - model.num_parameters() == 11 * 16


def test_initial_spread():
    model = GPT(vocab_size=500, n_embd=256, n_layer=8, n_head=4, block_size=64)
    state = model.collect_state_dict()
    assert abs(state["transformer.h.0.mlp.c_fc.weight"].std() - 0.02) < 1e-3
    assert abs(state["transformer.h.0.mlp.c_proj.weight"].std() - 0.02 / 4) < 1e-3
    assert (state["transformer.h.3.attn.c_attn.bias"] == 0).all()
    assert (state["transformer.ln_f.weight"] == 1).all()


def test_later_tokens_do_not_change_earlier_logits():
    model, a = small(), ids(2, 8)
    b = a.copy()
    b[:, 5:] = (b[:, 5:] + 1) % 11
    np.testing.assert_allclose(model(a)[0].data[:, :5], model(b)[0].data[:, :5], atol=1e-6)


def test_learns_one_batch_by_heart():
    model, x, y = small(), ids(4, 8), ids(4, 8, seed=1)
    optimizer = AdamW(model.parameters(), lr=1e-2)
    for _ in range(150):
        optimizer.zero_grad()
        _, loss = model(x, y)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5  # the same context may have different targets, so not quite 0


def test_dropout_is_off_in_evaluation():
    model = small(dropout=0.3)
    assert (model(ids(1, 8))[0].data != model(ids(1, 8))[0].data).any()
    model.eval()
    np.testing.assert_array_equal(model(ids(1, 8))[0].data, model(ids(1, 8))[0].data)


def test_the_same_seed_gives_the_same_model():
    a, b = small(3).collect_state_dict(), small(3).collect_state_dict()
    assert all((a[name] == b[name]).all() for name in a)


def test_dropout_changes_no_weight_and_nothing_that_is_drawn_later():
    states, later = [], []
    for dropout in (0.0, 0.5):
        rng = np.random.default_rng(3)
        model = GPT(11, n_embd=16, n_layer=2, n_head=4, block_size=8, dropout=dropout, rng=rng)
        model(ids(2, 8), ids(2, 8))[1].backward()
        states.append(model.collect_state_dict())
        later.append(rng.integers(2**60))
    assert later[0] == later[1]
    assert all((states[0][name] == states[1][name]).all() for name in states[0])


def test_dropout_layers_share_a_generator_that_the_seed_decides():
    a, b, other = (small(seed, dropout=0.5) for seed in (3, 3, 4))
    layers = [m for m in a.modules() if isinstance(m, Dropout)]
    assert len(layers) == 7 and all(layer.rng is a.dropout_rng for layer in layers)
    other.load_state_dict(a.collect_state_dict())
    logits = [model(ids(2, 8))[0].data for model in (a, b, other)]
    np.testing.assert_array_equal(logits[0], logits[1])
    assert (logits[0] != logits[2]).any()


def test_rng_may_be_a_seed():
    sizes = dict(vocab_size=11, n_embd=16, n_layer=1, n_head=4, block_size=8)
    a, b = GPT(**sizes, rng=5), GPT(**sizes, rng=np.random.default_rng(5))
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    assert GPT(**sizes).num_parameters() == a.num_parameters()


def test_attention_weights_are_those_of_the_forward_pass():
    model, idx = small(), ids(3, 8)
    for p in model.parameters():  # far from even attention
        p.data *= 20
    weights = model.attention_weights(idx)
    assert weights.shape == (2, 3, 4, 8, 8)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=1e-5)
    assert (weights[..., ~np.tri(8, dtype=bool)] == 0).all()
    x = model.embed(idx)
    for block, w in zip(model.transformer.h, weights):
        qkv = block.attn.c_attn(block.ln_1(x)).data.reshape(3, 8, 3, 4, 4)
        v = qkv[:, :, 2].swapaxes(1, 2)  # (B, n_head, T, head_dim)
        y = (w @ v).swapaxes(1, 2).reshape(3, 8, 16)
        np.testing.assert_allclose(
            block.attn(block.ln_1(x)).data, block.attn.c_proj(Tensor(y)).data, rtol=1e-4, atol=1e-4
        )
        x = block(x)


def test_sizes_may_be_numpys_integers_and_are_kept_as_pythons():
    sizes = dict(vocab_size=11, n_embd=16, n_layer=1, n_head=4, block_size=8)
    numpys = {name: np.int64(size) for name, size in sizes.items()}
    model = GPT(**numpys, dropout=np.float32(0.5), bias=np.True_, rng=0)
    assert model.config == dict(**sizes, dropout=0.5, bias=True)
    assert {type(value) for value in model.config.values()} == {int, float, bool}
    assert model.new_cache()[0].block_size == 8 and type(model.block_size) is int
    for name in sizes:
        for bad in (2.0, True, "2", None):
            with pytest.raises(TypeError, match=f"{name} must be an integer"):
                GPT(**{**sizes, name: bad})


def test_errors():
    with pytest.raises(ValueError, match=r"shape \(batch, time\), got \(8,\)"):
        small()(ids(8))
    with pytest.raises(ValueError, match="block_size=8 tokens, got 9"):
        small()(ids(1, 9))
    with pytest.raises(ValueError, match="got 0"):
        small()(ids(1, 0))
    with pytest.raises(IndexError, match="rows 0 to 10.*to 11"):
        small()(np.array([[11]]))
    with pytest.raises(ValueError, match="n_layer must be at least 1, got 0"):
        small(n_layer=0)
    with pytest.raises(ValueError, match="n_embd must be a multiple of n_head"):
        small(n_head=3)
