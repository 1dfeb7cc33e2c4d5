"""The GPT: sizes, names, initial loss, dropout, attention."""

import math
import re

import numpy as np
import pytest

from minigrad import gpt
from minigrad.attention import CausalSelfAttention
from minigrad.gpt import GPT, MLP, Block
from minigrad.llama import Llama
from minigrad.nn import Dropout, ReLU
from minigrad.optim import AdamW
from minigrad.tensor import Tensor, no_grad


def small(seed=0, **options) -> GPT:
    sizes = {"vocab_size": 11, "n_embd": 16, "n_layer": 2, "n_head": 4, "block_size": 8, **options}
    return GPT(**sizes, rng=np.random.default_rng(seed))


def ids(*shape, seed=0) -> np.ndarray:
    return np.random.default_rng(seed).integers(11, size=shape)


def normalised(x, weight, bias):
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5) * weight + bias


def attention_by_hand(x, p, prefix, n_head):
    """Head by head and query by query."""
    C = x.shape[-1]
    qkv = x @ p[prefix + "c_attn.weight"].T + p.get(prefix + "c_attn.bias", 0)
    y = np.empty_like(x)
    for b, t, h in np.ndindex(*x.shape[:2], n_head):
        q, k, v = (
            qkv[b, : t + 1, i * C :][:, h * C // n_head :][:, : C // n_head] for i in range(3)
        )
        w = np.exp(k @ q[t] / np.sqrt(C // n_head))
        y[b, t, h * C // n_head : (h + 1) * C // n_head] = w @ v / w.sum()
    return y @ p[prefix + "c_proj.weight"].T + p.get(prefix + "c_proj.bias", 0)


def mlp_by_hand(x, p, prefix):
    x = x @ p[prefix + "c_fc.weight"].T + p.get(prefix + "c_fc.bias", 0)
    x = x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))
    return x @ p[prefix + "c_proj.weight"].T + p.get(prefix + "c_proj.bias", 0)


def hidden_by_hand(model, idx):
    """The paper's formulas, in NumPy alone and float64."""
    p = {name.removeprefix("transformer."): a for name, a in model.collect_state_dict().items()}
    x = p["wte.weight"][idx] + p["wpe.weight"][: idx.shape[1]]
    for i in range(model.config["n_layer"]):
        ln_1, ln_2 = (
            lambda x, ln=f"h.{i}.ln_{j}.": normalised(x, p[ln + "weight"], p.get(ln + "bias", 0))
            for j in (1, 2)
        )
        x = x + attention_by_hand(ln_1(x), p, f"h.{i}.attn.", model.config["n_head"])
        x = x + mlp_by_hand(ln_2(x), p, f"h.{i}.mlp.")
    return normalised(x, p["ln_f.weight"], p.get("ln_f.bias", 0))


def lively(**options) -> GPT:
    """A GPT in float64 with weights so large that every part of it matters."""
    model, rng = small(**options), np.random.default_rng(1)
    for p in model.parameters():
        p.data = p.data.astype(np.float64) + rng.normal(0, 0.2, p.shape)
    return model


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("n_head", [1, 4])
def test_forward_pass_written_out(n_head, bias):
    model, idx, targets = lively(n_head=n_head, bias=bias), ids(2, 7), ids(2, 7, seed=1)
    x = hidden_by_hand(model, idx)
    np.testing.assert_allclose(model.hidden(idx).data, x, rtol=1e-9, atol=1e-9)
    expected = x @ model.collect_state_dict()["lm_head.weight"].T
    logits, loss = model(idx, targets)
    np.testing.assert_allclose(logits.data, expected, rtol=1e-9, atol=1e-9)
    p = np.exp(expected) / np.exp(expected).sum(axis=-1, keepdims=True)
    assert math.isclose(
        loss.item(), -np.log(np.take_along_axis(p, targets[..., None], -1)).mean(), rel_tol=1e-5
    )
    assert model(idx)[1] is None


@pytest.mark.parametrize("n_layer", [1, 2])
@pytest.mark.parametrize("steps", [[8], [1] * 8, [3, 4, 1]])
def test_forward_in_pieces_with_a_cache_equals_the_whole(steps, n_layer):
    model, idx = lively(n_layer=n_layer), ids(2, 8)
    cache, ends = model.new_cache(), np.cumsum(steps)
    assert len(set(map(id, cache))) == n_layer
    with no_grad():
        parts = [model(idx[:, end - n : end], cache=cache) for n, end in zip(steps, ends)]
    logits = np.concatenate([logits.data for logits, loss in parts], axis=1)
    np.testing.assert_allclose(logits, model(idx)[0].data, rtol=1e-9, atol=1e-9)
    assert {layer.length for layer in cache} == {8} and all(loss is None for _, loss in parts)


SIZES = {"vocab_size": 2, "n_embd": 12, "n_layer": 1, "n_head": 1, "block_size": 1}
GPT2_SMALL = {"vocab_size": 50257, "n_embd": 768, "n_layer": 12, "n_head": 12, "block_size": 1024}


@pytest.mark.parametrize("name", SIZES)
def test_defaults_are_gpt2_small(name):
    model = GPT(**{other: size for other, size in SIZES.items() if other != name})
    assert model.config == {**SIZES, name: GPT2_SMALL[name], "dropout": 0.0, "bias": True}
    state = model.collect_state_dict()
    shapes = [state[f"transformer.{key}.weight"].shape for key in ("wte", "wpe")]
    assert shapes == [
        (model.config[k], model.config["n_embd"]) for k in ("vocab_size", "block_size")
    ]
    assert len(model.transformer.h) == model.config["n_layer"]
    assert model.transformer.h[0].attn.n_head == model.config["n_head"]
    assert all(m.p == 0 for m in model.modules() if isinstance(m, Dropout))


PARTS = {
    "attention": lambda *a, **k: CausalSelfAttention(8, 2, *a, **k),
    "MLP": lambda *a, **k: MLP(8, *a, **k),
    "Block": lambda *a, **k: Block(8, 2, *a, **k),
}


@pytest.mark.parametrize("make", PARTS.values(), ids=PARTS)
def test_a_part_passes_on_dropout_bias_and_rng(make):
    x = Tensor(np.random.default_rng(0).standard_normal((1, 5, 8)))
    a, b = (make(0.5, rng=np.random.default_rng(7)) for _ in range(2))
    for p, q in zip(a.parameters(), b.parameters(), strict=True):
        np.testing.assert_array_equal(p.data, q.data)
    np.testing.assert_array_equal(a(x).data, b(x).data)  # the masks too are rng's
    for module, p in ((make(), 0), (a, 0.5)):
        assert [m.p for m in module.modules() if isinstance(m, Dropout)].count(p) > 0
        assert {m.p for m in module.modules() if isinstance(m, Dropout)} == {p}
    with_bias, without = ([n for n, _ in make(*o).named_parameters()] for o in ((), (0.0, False)))
    assert without == [name for name in with_bias if name.endswith("weight")]
    assert with_bias == [n.replace("weight", w) for n in without for w in ("weight", "bias")]


def test_every_dropout_of_a_model_gets_its_probability():
    layers = [m for m in small(dropout=0.25).modules() if isinstance(m, Dropout)]
    assert [layer.p for layer in layers] == [0.25] * 7
    assert (
        small(dropout=0.25).config["dropout"] == 0.25 and small(bias=False).config["bias"] is False
    )


def test_a_seed_gives_the_model_that_it_always_gave():
    """The lessons print numbers that hang on it, and so do other people's runs."""
    model = small(5, dropout=0.5)
    state = model.collect_state_dict()
    first, last = state["transformer.wte.weight"], state["transformer.h.1.mlp.c_proj.weight"]
    np.testing.assert_allclose([first[0, 0], last[0, 0]], [-0.0195759, -0.0060997], rtol=1e-4)
    assert model.dropout_rng.integers(1000) == 220


def test_a_model_comes_back_from_its_folder_ready_to_use(tmp_path):
    model, idx = small(dropout=0.5), ids(1, 5)
    model.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.json", "model.safetensors"}
    again = GPT.from_pretrained(tmp_path)
    assert not again.training and not again.transformer.h[0].attn.training
    names = ("vocab_size", "n_embd", "n_layer", "n_head", "block_size", "bias")
    assert [again.config[name] for name in names] == [model.config[name] for name in names]
    np.testing.assert_array_equal(again(idx)[0].data, model.eval()(idx)[0].data)


def test_names_of_version_0_1_are_found_where_they_went():
    from minigrad import weights

    assert gpt.read_safetensors is weights.read_safetensors
    assert gpt.write_safetensors is weights.write_safetensors
    with pytest.raises(AttributeError, match="^module 'minigrad.gpt' has no attribute 'nonsense'$"):
        gpt.__getattr__("nonsense")


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


ONE = {"vocab_size": 1, "n_embd": 1, "n_layer": 1, "n_head": 1, "block_size": 1}


@pytest.mark.parametrize("name", ONE)
def test_the_smallest_model_and_none_smaller(name):
    assert GPT(**ONE)(np.zeros((1, 1), int))[0].shape == (1, 1, 1)
    with pytest.raises(ValueError, match=f"^{name} must be at least 1, got 0$"):
        GPT(**{**ONE, name: 0})


READS = "the GPT reads 1 to block_size=8 tokens, got "


@pytest.mark.parametrize(
    ("idx", "message"),
    [
        (ids(8), "the GPT expects token ids of shape (batch, time), got (8,)"),
        (ids(1, 1, 8), "the GPT expects token ids of shape (batch, time), got (1, 1, 8)"),
        (ids(1, 9), READS + "9"),
        (ids(1, 0), READS + "0"),
    ],
)
def test_ids_of_a_wrong_shape(idx, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        small()(idx)


def test_errors():
    with pytest.raises(IndexError, match="rows 0 to 10.*to 11"):
        small()(np.array([[11]]))
    with pytest.raises(ValueError, match="n_embd must be a multiple of n_head"):
        small(n_head=3)


def test_a_nonlinearity_that_was_exchanged_counts_when_it_writes():
    model = small()
    for p in model.parameters():
        p.data = 5 * p.data
    model.transformer.h[0].mlp.gelu = ReLU()
    idx = np.array([[1, 2, 3]])
    expected = model.eval()(idx)[0].data[:, -1]
    found = model.read([(idx[0], model.new_cache())])
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("kind", [np.uint8, np.int8, np.uint64])
@pytest.mark.parametrize("make", [GPT, Llama])
def test_small_integers_as_sizes_do_not_overflow(make, kind):
    sizes = {"vocab_size": 65, "n_embd": 64, "n_layer": 1, "n_head": 4, "block_size": 16}
    plain, odd = (make(**{n: k(x) for n, x in sizes.items()}, rng=0) for k in (int, kind))
    idx = np.arange(16)[None]
    np.testing.assert_array_equal(odd(idx)[0].data, plain(idx)[0].data)
    assert odd.config == plain.config
