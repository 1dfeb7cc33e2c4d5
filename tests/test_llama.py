"""The block of today: each of its operations, and the whole Llama, against torch, transformers and
plain references; what it reads and refuses; and its cache."""

import copy
import json
import math
import pickle
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_bpe import package

from minigrad import nn
from minigrad.attention import TILE
from minigrad.checkpoint import CheckpointError, load_model, save
from minigrad.generate import generate, next_logits
from minigrad.gradcheck import gradcheck
from minigrad.llama import (
    Llama,
    LlamaAttention,
    LlamaMLP,
    RMSNorm,
    SideBySide,
    SlidingCache,
    grouped_attention,
    in_window,
    rms_norm,
    rotary,
    swiglu,
    turns,
)
from minigrad.optim import AdamW
from minigrad.parallel import batch_gradient
from minigrad.tensor import Tensor, no_grad
from minigrad.weights import read_pretrained, read_safetensors, write_safetensors


def normal(*shape, seed=0, dtype=np.float64) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def variable(array: np.ndarray) -> Tensor:
    return Tensor(array, requires_grad=True)


def small(seed=0, **sizes) -> Llama:
    default = dict(vocab_size=37, n_embd=16, n_layer=2, n_head=4, n_kv_head=2, n_hidden=20)
    model = Llama(**{**default, "block_size": 64, "rng": seed, **sizes})
    rng = np.random.default_rng(seed)
    for p in model.parameters():  # so that no part is as good as not there
        p.data += rng.normal(0, 0.2, p.shape).astype(np.float32)
    return model


def ids(*shape, seed=0, n=37) -> np.ndarray:
    return np.random.default_rng(seed).integers(n, size=shape)


# --- operations ----------------------------------------------------------------------------------

CASES = [(T, window) for T in (1, 5, TILE + 3) for window in (1, 2, TILE - 1, TILE + 1, 1000)]
HEADS = [(2, 2), (4, 2), (3, 1)]  # query heads, and heads of keys and values


def test_the_last_heads_are_not_turned_if_so_asked():
    x, (cos, sin) = variable(normal(2, 5, 4, 6)), turns(np.arange(5), 6, 100.0)
    np.testing.assert_array_equal(rotary(x, cos, sin, 3).data[:, :, 3], x.data[:, :, 3])
    np.testing.assert_array_equal(
        rotary(x, cos, sin, 3).data[:, :, :3], rotary(x, cos, sin).data[:, :, :3]
    )
    assert gradcheck(lambda x: rotary(x, cos, sin, 3), x)


def test_gradients_of_the_operations():
    assert gradcheck(rms_norm, variable(normal(2, 3, 6)), variable(normal(6, seed=1)))
    assert gradcheck(lambda x, w: rms_norm(x, w, 0.5), variable(normal(4)), variable(normal(4)))
    assert gradcheck(swiglu, variable(normal(3, 4)), variable(normal(3, 4, seed=1)))
    cos, sin = turns(np.arange(7, 12), 6, 100.0)
    assert gradcheck(lambda x: rotary(x, cos, sin), variable(normal(2, 5, 3, 6)))


@pytest.mark.parametrize("T, window", [(1, 1), (5, 2), (5, 9), (TILE + 2, 3), (TILE + 2, TILE + 1)])
def test_gradients_of_grouped_attention(T, window):
    qkv = variable(normal(2 if T < TILE else 1, T, 6, 2))
    assert gradcheck(lambda x: grouped_attention(x, 1, window), qkv)
    assert gradcheck(lambda x: grouped_attention(x, 2, window), qkv)


def test_float64_stays_and_float32_stays():
    cos, sin = turns(np.arange(5), 4, 100.0)
    for dtype in (np.float32, np.float64):
        x, w = variable(normal(2, 5, 6, 4, dtype=dtype)), variable(normal(4, dtype=dtype))
        out = grouped_attention(rotary(swiglu(rms_norm(x, w), x), cos, sin), 1, 3)
        out.sum().backward()
        assert {out.dtype, x.grad.dtype, w.grad.dtype} == {np.dtype(dtype)}


@pytest.fixture(scope="module")
def torch():
    return package("torch")


@pytest.fixture(scope="module")
def transformers():
    package("torch")
    library = package("transformers")
    library.utils.logging.disable_progress_bar()
    return library


def alike(ours, theirs, arrays, tolerance, least=1e-3) -> None:
    """Values and gradients of one operation in minigrad and in torch, relative to the largest."""
    import torch

    inputs = [variable(a) for a in arrays]
    twins = [torch.tensor(a, requires_grad=True) for a in arrays]
    out, twin = ours(*inputs), theirs(*twins)
    weights = normal(*out.shape, seed=9, dtype=out.dtype)
    out.backward(weights)
    twin.backward(torch.tensor(weights))
    pairs = [(out.data, twin.detach()), *((x.grad, y.grad) for x, y in zip(inputs, twins))]
    for mine, other in pairs:
        scale = max(least, other.abs().max().item())
        assert mine.shape == tuple(other.shape)
        np.testing.assert_allclose(mine / scale, other.numpy() / scale, rtol=0, atol=tolerance)


TOLERANCE = {np.float32: 2e-6, np.float64: 1e-12}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("size", [1e-10, 1e-3, 1, 1e4])
@pytest.mark.parametrize("eps", [1e-6, 1e-5, 0.0])
def test_rms_norm_is_torchs(torch, dtype, size, eps):
    arrays = [normal(3, 5, 8, dtype=dtype) * dtype(size), normal(8, seed=1, dtype=dtype)]
    theirs = lambda x, w: torch.nn.functional.rms_norm(x, (8,), w, eps)
    alike(lambda x, w: rms_norm(x, w, eps), theirs, arrays, 10 * TOLERANCE[dtype])


def test_rms_norm_of_zeros():
    x, w = variable(np.zeros((2, 4))), variable(np.ones(4))
    rms_norm(x, w, 1e-4).sum().backward()
    np.testing.assert_allclose(x.grad, 100.0)
    np.testing.assert_array_equal(w.grad, 0.0)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_swiglu_is_torchs_even_far_out(torch, dtype):
    theirs = lambda gate, up: torch.nn.functional.silu(gate) * up
    gate, up = normal(4, 50, dtype=dtype) * 4, normal(4, 50, seed=1, dtype=dtype)
    alike(swiglu, theirs, [gate, up], TOLERANCE[dtype])
    gate = np.array([[-1e4, -100, -20, -5, -0.0, 0.0, 1e-30, 5, 20, 100, 1e4, 1e30]], dtype)
    for one, other in zip(gate.T, normal(gate.size, 1, seed=1, dtype=dtype)):
        alike(swiglu, theirs, [one, other], TOLERANCE[dtype], least=1)


def test_swiglu_far_out_says_nothing_on_the_way():
    with np.errstate(all="raise", under="ignore"):
        gate = variable(np.array([-1e30, 1e30], np.float32))
        swiglu(gate, variable(np.ones(2, np.float32))).sum().backward()
    np.testing.assert_array_equal(gate.grad, [0, 1])


@pytest.mark.parametrize("theta", [100.0, 1e4, 5e5])
@pytest.mark.parametrize("start", [0, 1000, 100_000])
def test_rotary_is_that_of_transformers(torch, theta, start):
    package("transformers")
    from transformers.models.llama.modeling_llama import apply_rotary_pos_emb

    at = np.arange(start, start + 6)
    angles = torch.tensor(at)[:, None] / theta ** (torch.arange(0, 8, 2).double() / 8)
    cos, sin = (torch.cat([f(angles)] * 2, -1)[None] for f in (torch.cos, torch.sin))
    theirs = lambda x: apply_rotary_pos_emb(x, x, cos, sin, unsqueeze_dim=2)[0]
    alike(lambda x: rotary(x, *turns(at, 8, theta)), theirs, [normal(2, 6, 3, 8)], 1e-6)


@pytest.mark.parametrize("start", [0, 17, 10_000, 1_000_000])
def test_a_score_depends_on_the_distance_alone(start):
    q, k = normal(2, 1, 1, 1, 16)
    scores = []
    for begin in (0, start):
        turned = [
            rotary(Tensor(x), *turns(np.array([begin + at]), 16, 1e4)).data
            for x, at in ((q, 9), (k, 2))
        ]
        scores.append((turned[0] * turned[1]).sum())
    assert abs(scores[0] - scores[1]) < 1e-5


@pytest.mark.parametrize("T, window", CASES)
@pytest.mark.parametrize("n_head, n_kv_head", HEADS)
def test_grouped_attention_is_torchs(torch, T, window, n_head, n_kv_head):
    mask = torch.tensor(in_window(T, T, window))
    assert mask.tolist() == [[0 <= i - j < window for j in range(T)] for i in range(T)]

    def theirs(qkv):
        q, k, v = qkv.transpose(1, 2).split([n_head, n_kv_head, n_kv_head], 1)
        k, v = (x.repeat_interleave(n_head // n_kv_head, 1) for x in (k, v))
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v, mask)
        return y.transpose(1, 2).reshape(len(qkv), T, -1)

    ours = lambda qkv: grouped_attention(qkv, n_kv_head, window)
    for dtype in TOLERANCE:
        qkv = normal(2, T, n_head + 2 * n_kv_head, 4, dtype=dtype)
        alike(ours, theirs, [qkv], TOLERANCE[dtype])
    alike(ours, theirs, [qkv * 100], 1e-9)  # where attention is nearly a choice


# --- layers side by side -------------------------------------------------------------------------


def three(seed=0) -> list[nn.Linear]:
    return [nn.Linear(5, n, bias=False, rng=seed + n) for n in (4, 2, 3)]


def set_anew(layers):
    layers[1].weight.data = layers[1].weight.data.copy()


def in_float64(layers):
    for layer in layers:
        layer.weight.data = layer.weight.data.astype(np.float64)


@pytest.mark.parametrize("change", [lambda layers: None, set_anew, in_float64])
def test_layers_side_by_side_are_the_layers(change):
    layers, apart = three(), three()
    together = SideBySide(nn.ModuleList(layers), "0", "1", "2")
    change(layers), change(apart)
    for shape in ((5,), (2, 5), (2, 3, 5)):
        x, y = (variable(normal(*shape, dtype=layers[0].weight.dtype)) for _ in range(2))
        out, wanted = together(x), [layer(y) for layer in apart]
        g = normal(*out.shape, seed=1, dtype=out.dtype)
        out.backward(g)
        for other, part in zip(wanted, np.split(g, [4, 6], axis=-1)):
            other.backward(part)
        joined = np.concatenate([other.data for other in wanted], axis=-1)
        np.testing.assert_allclose(out.data, joined, rtol=0, atol=1e-6)
        np.testing.assert_allclose(x.grad, y.grad, rtol=0, atol=1e-6)
        for one, other in zip(layers, apart):
            np.testing.assert_allclose(one.weight.grad, other.weight.grad, rtol=0, atol=1e-5)
            assert one.weight.grad.dtype == one.weight.dtype


def test_layers_side_by_side_see_what_is_written_into_them():
    layers = three()
    together = SideBySide(nn.ModuleList(layers), "0", "1", "2")
    x = Tensor(normal(2, 5, dtype=np.float32))
    for i, layer in enumerate(layers):
        layer.weight.data[...] = i
    wanted = np.concatenate([layer(x).data for layer in layers], axis=-1)
    np.testing.assert_allclose(together(x).data, wanted, atol=1e-6)
    layers[2].weight.data = np.ones((3, 5), np.float32)  # instead of what they share
    layers[0].weight.data[...] = 7
    wanted = np.concatenate([layer(x).data for layer in layers], axis=-1)
    np.testing.assert_allclose(together(x).data, wanted, atol=1e-6)


class Doubling(nn.Linear):
    def forward(self, x):
        return 2 * super().forward(x)


@pytest.mark.parametrize("new", [nn.Sequential(nn.Linear(5, 2, rng=7)), Doubling(5, 2, rng=7)])
def test_a_layer_side_by_side_may_be_replaced(new):
    owner = nn.ModuleList(three())
    together, x = SideBySide(owner, "0", "1", "2"), Tensor(normal(2, 5, dtype=np.float32))
    setattr(owner, "1", new)
    wanted = np.concatenate([layer(x).data for layer in owner], axis=-1)
    np.testing.assert_allclose(together(x).data, wanted, atol=1e-6)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_of_a_model_is_another_model(copied):
    model, idx = small(), ids(2, 9)
    before = model(idx)[0].data
    other = copied(model)
    np.testing.assert_allclose(other(idx)[0].data, before, atol=1e-6)
    for p in other.parameters():
        p.data[...] = 0
    np.testing.assert_array_equal(model(idx)[0].data, before)
    assert not other(idx)[0].data.any()


@pytest.mark.parametrize("tied", [False, True])
def test_steps_of_adamw_are_those_of_torch(transformers, tied, tmp_path):
    import torch

    model = small(tied=tied)
    model.save_pretrained(tmp_path)
    theirs = transformers.LlamaForCausalLM.from_pretrained(tmp_path)
    options = {"lr": 1e-2, "weight_decay": 0.1}
    ours = AdamW(model.parameters(), **options)
    other = torch.optim.AdamW(theirs.parameters(), **options, eps=1e-8)
    for step in range(8):
        idx, targets = ids(2, 12, seed=step), ids(2, 12, seed=step + 50)
        model.zero_grad(), other.zero_grad()
        loss = model(idx, targets)[1]
        loss.backward()
        logits = theirs(torch.tensor(idx)).logits.reshape(-1, 37)
        flat = torch.nn.functional.cross_entropy(logits, torch.tensor(targets).reshape(-1))
        flat.backward()
        ours.step(), other.step()
        assert abs(loss.item() - flat.item()) < 2e-4


# --- the model -----------------------------------------------------------------------------------


def random_sizes(seed: int) -> dict:
    rng = np.random.default_rng(seed)
    n_kv_head, group, half = (int(n) for n in rng.integers(1, 4, 3))
    return dict(
        n_kv_head=n_kv_head,
        n_head=n_kv_head * group,
        n_embd=n_kv_head * group * 2 * half,
        n_hidden=int(rng.integers(1, 30)),
        n_layer=int(rng.integers(1, 4)),
        rope_theta=float(rng.choice([10.0, 1e4, 5e5])),
        norm_eps=float(rng.choice([1e-6, 1e-5, 1e-2])),
        tied=bool(seed % 2),
    )


@pytest.mark.parametrize("seed", range(12))
def test_random_llamas_are_those_of_transformers(transformers, seed, tmp_path):
    """Logits, loss, all gradients, and there and back through folders."""
    import torch

    model = small(seed, **random_sizes(seed))
    model.save_pretrained(tmp_path)
    theirs = transformers.LlamaForCausalLM.from_pretrained(tmp_path)
    idx, targets = ids(2, 40, seed=seed), ids(2, 40, seed=seed + 100)
    logits, loss = model(idx, targets)
    loss.backward()
    other = theirs(torch.tensor(idx)).logits
    flat = torch.nn.functional.cross_entropy(
        other.reshape(-1, 37), torch.tensor(targets).reshape(-1)
    )
    flat.backward()
    np.testing.assert_allclose(logits.data, other.detach().numpy(), rtol=0, atol=1e-4)
    assert abs(loss.item() - flat.item()) < 1e-5
    gradients = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    assert gradients.keys() == dict(model.named_parameters()).keys()
    for name, p in model.named_parameters():
        np.testing.assert_allclose(p.grad, gradients[name], rtol=0, atol=1e-4, err_msg=name)
    assert theirs.state_dict().keys() == model.collect_state_dict().keys()
    assert model.num_parameters() == theirs.num_parameters()
    theirs.save_pretrained(tmp_path / "back", max_shard_size="5KB")
    assert "rope_parameters" in json.loads((tmp_path / "back" / "config.json").read_text())
    back = read_pretrained(tmp_path / "back")
    assert type(back) is Llama and not back.training
    assert back.config == model.config
    for name, array in model.collect_state_dict().items():
        np.testing.assert_array_equal(back.collect_state_dict()[name], array)


@pytest.mark.parametrize("tied", [False, True])
def test_shards_and_half_precision(transformers, tied, tmp_path):
    import torch

    config = transformers.LlamaConfig(
        vocab_size=37,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        intermediate_size=24,
        tie_word_embeddings=tied,
    )
    theirs = transformers.LlamaForCausalLM(config)
    theirs.to(torch.bfloat16).save_pretrained(tmp_path, max_shard_size="3KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    idx = ids(1, 9)
    with torch.no_grad():
        wanted = theirs.float()(torch.tensor(idx)).logits.numpy()
    np.testing.assert_allclose(Llama.from_pretrained(tmp_path)(idx)[0].data, wanted, atol=1e-5)


def test_folders_come_back(tmp_path):
    for tied in (False, True):
        model = small(tied=tied, norm_eps=1e-6, rope_theta=123.5)
        model.save_pretrained(tmp_path)
        stored = read_safetensors(tmp_path / "model.safetensors")
        assert ("lm_head.weight" in stored) != tied
        back = Llama.from_pretrained(tmp_path)
        assert back.config == model.config
        np.testing.assert_array_equal(back(ids(1, 9))[0].data, model(ids(1, 9))[0].data)


def edited(folder, **changes) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in config.items() if value != "gone"}))


@pytest.fixture(scope="module")
def a_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("llama")
    small().save_pretrained(folder)
    return folder, (folder / "config.json").read_text()


@pytest.fixture
def folder(a_folder):
    """A folder of a Llama whose config a test may edit."""
    yield a_folder[0]
    (a_folder[0] / "config.json").write_text(a_folder[1])


SCALED = {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rope_scaling", {"type": "linear", "factor": 2.0}),
        ("rope_scaling", {"rope_type": "llama3", "factor": 8.0}),
        ("rope_parameters", {"rope_type": "yarn", "rope_theta": 1e4, "factor": 8.0}),
        ("rope_parameters", {"type": "dynamic", "factor": 2.0}),
        ("rope_parameters", {"full_attention": SCALED}),
        ("rope_parameters", {"full_attention": {"rope_type": "default", "rope_theta": 5.0}}),
        ("rope_parameters", {"rope_theta": 1e4, "partial_rotary_factor": 0.5}),
        ("partial_rotary_factor", 0.5),
        ("attention_bias", True),
        ("mlp_bias", True),
        ("hidden_act", "gelu"),
        ("hidden_act", "relu"),
        ("head_dim", 8),
        ("head_dim", "4" * 1000),
        ("sliding_window", 16),
        ("attention_chunk_size", 16),
        ("is_causal", False),
        ("attention_dropout", 0.1),
        ("pretraining_tp", 2),
        ("quantization_config", {"quant_method": "bitsandbytes"}),
        ("tie_word_embeddings", "false"),
        ("model_type", "mistral"),
        ("model_type", "qwen2"),
    ],
)
def test_what_a_config_asks_for_and_we_lack_is_refused_by_name(folder, name, value):
    edited(folder, **{name: value})
    with pytest.raises(CheckpointError, match=name):
        Llama.from_pretrained(folder)


def test_both_names_of_how_positions_are_turned_count(folder):
    edited(folder, rope_parameters={"rope_theta": 1e4}, rope_scaling=SCALED)
    with pytest.raises(CheckpointError, match="linear"):
        Llama.from_pretrained(folder)


@pytest.mark.parametrize(
    ("changes", "theta"),
    [
        ({}, 10000),
        ({"rope_theta": "gone"}, 10000),
        ({"rope_theta": 500000}, 500000),
        ({"rope_theta": "gone", "rope_parameters": {"rope_theta": 7, "rope_type": "default"}}, 7),
        ({"rope_theta": 7, "rope_parameters": {"rope_type": "default"}}, 7),
        ({"rope_theta": 7, "rope_scaling": {"rope_type": "default"}}, 7),
        ({"rope_theta": 7, "rope_scaling": None, "rope_parameters": None}, 7),
    ],
)
def test_where_configs_have_theta(folder, transformers, changes, theta):
    edited(folder, **changes)
    assert Llama.from_pretrained(folder).config["rope_theta"] == theta
    config = transformers.LlamaConfig.from_pretrained(folder)
    assert config.rope_parameters["rope_theta"] == theta


def test_what_a_config_may_leave_out_is_what_transformers_takes(folder, transformers):
    left_out = ("num_key_value_heads", "rms_norm_eps", "tie_word_embeddings", "head_dim")
    left_out += ("max_position_embeddings", "hidden_act", "attention_bias", "mlp_bias")
    model = small(n_kv_head=4, tied=False)
    model.save_pretrained(folder)
    edited(folder, **dict.fromkeys(left_out, "gone"))
    config, theirs = Llama.from_pretrained(folder).config, transformers.LlamaConfig
    theirs = theirs.from_pretrained(folder)
    assert config["n_kv_head"] == theirs.num_key_value_heads == 4
    assert config["norm_eps"] == theirs.rms_norm_eps == 1e-6
    assert config["block_size"] == theirs.max_position_embeddings == 2048
    assert config["tied"] is theirs.tie_word_embeddings is False
    small().save_pretrained(folder)


def test_a_head_that_should_be_tied_must_be(folder):
    weights = folder / "model.safetensors"
    intact = weights.read_bytes()
    try:
        state = read_safetensors(weights)
        table = state["model.embed_tokens.weight"]
        write_safetensors(weights, state | {"lm_head.weight": table})  # as some files have it
        assert Llama.from_pretrained(folder).config["tied"]
        write_safetensors(weights, state | {"lm_head.weight": table + 1})
        with pytest.raises(CheckpointError, match="tie"):
            Llama.from_pretrained(folder)
        write_safetensors(weights, state)
        edited(folder, tie_word_embeddings=False)
        with pytest.raises(CheckpointError, match="missing lm_head.weight|fewer weights"):
            Llama.from_pretrained(folder)
    finally:
        weights.write_bytes(intact)


@pytest.mark.parametrize("name", [
    "vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads",
    "num_key_value_heads", "intermediate_size", "max_position_embeddings", "rms_norm_eps",
    "rope_theta", "head_dim",
])  # fmt: skip
@pytest.mark.parametrize(
    "claim",
    [0, -1, 10**12, 10**400, 1.5, True, "x" * 10**4, [1] * 100, {}],
    ids=lambda x: str(x)[:9],
)
def test_configs_that_lie(folder, name, claim):
    edited(folder, **{name: claim})
    tracemalloc.start()
    try:
        model = Llama.from_pretrained(folder)
    except CheckpointError as error:
        assert "\n" not in str(error)
    else:  # what weights cannot belie
        assert name in ("max_position_embeddings", "rms_norm_eps", "rope_theta", "head_dim")
        generate(model, ids(1, 3), 2)
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 20e6


def test_a_string_of_sizes_fills_no_memory(folder):
    edited(folder, head_dim="x" * 10**5, num_attention_heads=10**4)
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        Llama.from_pretrained(folder)
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()


# --- sizes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_no_model_has_fewer_weights_than_least_state_says(seed):
    sizes = {"vocab_size": 37, "block_size": 8, **random_sizes(seed)}
    model = Llama(**sizes, rng=0)
    arrays = {id(a): a.size for a in model.collect_state_dict().values()}
    least_arrays, least_numbers = Llama.least_state(**model.config)
    assert least_arrays <= len(arrays) and least_numbers <= sum(arrays.values())
    assert least_numbers > 0.5 * sum(arrays.values()) or not sizes["tied"]


@pytest.mark.parametrize("tied", [False, True])
def test_num_parameters(tied):
    model = Llama(100, 12, 2, 3, 1, 20, block_size=8, tied=tied)
    in_block = 12 * 12 + 2 * 12 * 4 + 12 * 12 + 3 * 12 * 20 + 2 * 12
    assert model.num_parameters() == 100 * 12 * (1 if tied else 2) + 2 * in_block + 12


def test_the_first_loss_is_that_of_a_guess():
    model = Llama(500, 64, 4, 4, 2, block_size=32, rng=0)
    loss = model(ids(4, 32, n=500), ids(4, 32, seed=1, n=500))[1].item()
    assert abs(loss - math.log(500)) < 0.1


def test_hidden_sizes_by_default_need_what_a_gpts_do():
    assert [Llama(5, n, 1, 1).config["n_hidden"] for n in (2, 12, 192, 576)] == [8, 32, 512, 1536]
    assert Llama(5, 8, 1, 4).config["n_kv_head"] == 4


@pytest.mark.parametrize(
    ("sizes", "error", "said"),
    [
        ({"n_embd": 12, "n_head": 4}, ValueError, "pairs of channels"),
        ({"n_embd": 10, "n_head": 4}, ValueError, "multiple of twice n_head"),
        ({"n_head": 4, "n_kv_head": 3}, ValueError, "of n_kv_head, got 16, 4 and 3"),
        ({"n_head": 2, "n_kv_head": 4}, ValueError, "of n_kv_head"),
        ({"rope_theta": 0.0}, ValueError, "rope_theta"),
        ({"rope_theta": math.nan}, ValueError, "rope_theta"),
        ({"rope_theta": math.inf}, ValueError, "rope_theta"),
        ({"norm_eps": -1e-6}, ValueError, "norm_eps"),
        ({"norm_eps": math.nan}, ValueError, "norm_eps"),
        ({"dropout": 1.0}, ValueError, "Dropout"),
        *(({name: 0}, ValueError, f"{name} must be at least 1") for name in Llama.SIZES),
        *(({name: 2.0}, TypeError, f"{name} must be an integer") for name in Llama.SIZES),
        *(({name: True}, TypeError, f"{name} must be an integer") for name in Llama.SIZES),
    ],
)
def test_sizes_that_no_llama_has(sizes, error, said):
    with pytest.raises(error, match=said):
        small(**sizes)


@pytest.mark.parametrize("heads", [(0, 1), (1, 0), (-1, 1)])
def test_attention_without_heads(heads):
    with pytest.raises(ValueError, match="must be at least 1"):
        LlamaAttention(8, *heads, window=4)


def test_numbers_of_numpy_will_do():
    model = small(n_head=np.int64(4), block_size=np.int32(8), norm_eps=np.float64(1e-5))
    assert model(ids(1, 12))[0].dtype == np.float32
    json.dumps(model.config)


@pytest.mark.parametrize("idx", [np.array([1, 2]), np.zeros((1, 0), int), np.zeros((1, 2, 3), int)])
def test_ids_of_another_shape(idx):
    with pytest.raises(ValueError, match="batch, time"):
        small()(idx)


def test_ids_that_are_none():
    for wrong in (37, -1):
        with pytest.raises((IndexError, ValueError)):
            small()(np.array([[1, wrong]]))


# --- with a cache --------------------------------------------------------------------------------


@no_grad()
def in_parts(model, idx, *sizes) -> np.ndarray:
    """Logits (B, T, vocab) with a cache, so many tokens at a time, in turns."""
    cache, at, logits = model.new_cache(), 0, []
    while at < idx.shape[1]:
        n = sizes[len(logits) % len(sizes)]
        logits.append(model(idx[:, at : at + n], cache=cache)[0].data)
        at += n
    assert all(layer.start + layer.length == idx.shape[1] for layer in cache)
    return np.concatenate(logits, axis=1)


@pytest.mark.parametrize("window", [1, 2, 7, TILE, TILE + 1, 500])
@pytest.mark.parametrize("sizes", [(1,), (3,), (50, 1), (1, 7, 40), (90, 1)])
def test_in_parts_is_in_one_go(window, sizes):
    model = small(block_size=window, n_layer=2)
    idx = ids(3, 100)
    with no_grad():
        whole = model(idx)[0].data
    np.testing.assert_allclose(in_parts(model, idx, *sizes), whole, rtol=0, atol=2e-5)


@settings(max_examples=20)
@given(
    window=st.integers(1, 20), sizes=st.lists(st.integers(1, 30), min_size=1, max_size=6),
    T=st.integers(1, 70), batch=st.integers(1, 3),
)  # fmt: skip
def test_in_any_parts(window, sizes, T, batch):
    model, idx = small(block_size=window, n_layer=1), ids(batch, T)
    with no_grad():
        whole = model(idx)[0].data
    np.testing.assert_allclose(in_parts(model, idx, *sizes), whole, rtol=0, atol=2e-5)


@pytest.mark.parametrize("window, prompt", [(5, 1), (5, 12), (TILE + 3, 80), (64, 3)])
def test_what_is_written_does_not_depend_on_the_cache(window, prompt):
    model, idx = small(block_size=window), ids(2, prompt)
    with_cache = generate(model, idx, 40, temperature=0)
    np.testing.assert_array_equal(
        with_cache, generate(model, idx, 40, temperature=0, use_cache=False)
    )
    for row, alone in zip(with_cache, idx):
        np.testing.assert_array_equal(generate(model, alone[None], 40, temperature=0)[0], row)


def test_a_batch_is_its_rows():
    model, idx = small(), ids(3, 50)
    for row, logits in zip(idx, model(idx)[0].data):
        np.testing.assert_allclose(model(row[None])[0].data[0], logits, rtol=0, atol=1e-5)


def test_each_token_sees_the_window_of_each_layer():
    """What is further back than layers times window - 1 changes nothing; what is nearer does."""
    model, idx = small(block_size=4, n_layer=2), ids(1, 30)
    other = idx.copy()
    other[0, 10] = (idx[0, 10] + 1) % 37
    changed = np.abs(model(idx)[0].data - model(other)[0].data).max(axis=-1)[0]
    assert np.flatnonzero(changed).tolist() == [*range(10, 10 + 2 * 3 + 1)]


def test_the_cache_stays_small_over_five_thousand_tokens():
    model = small(block_size=32, n_layer=1)
    (cache,) = model.new_cache()
    assert type(cache) is SlidingCache
    k = normal(2, 2, 5000, 4, dtype=np.float32)
    rooms = set()
    for i in range(5000):
        seen_k, seen_v = cache.append(k[:, :, i : i + 1], -k[:, :, i : i + 1])
        np.testing.assert_array_equal(seen_k, k[:, :, max(0, i - 31) : i + 1])
        np.testing.assert_array_equal(seen_v, -seen_k)
        rooms.add(cache.k.shape[2])
    assert max(rooms) <= 2 * 32 and cache.start + cache.length == 5000


def test_a_long_window_takes_no_room_that_no_text_fills():
    cache = SlidingCache(10**12)
    for i in range(1000):
        k, _ = cache.append(*np.full((2, 1, 1, 1, 2), i, np.float32))
    np.testing.assert_array_equal(k[0, 0, :, 0], np.arange(1000))
    assert cache.k.shape[2] < 3000


def test_the_last_logits_are_those_of_the_whole():
    model, idx = small(block_size=6), ids(2, 20)
    np.testing.assert_allclose(next_logits(model, idx), model(idx)[0].data[:, -1], atol=1e-5)


# --- attention weights, threads, dropout ---------------------------------------------------------


@pytest.mark.parametrize("window", [1, 5, 64])
def test_attention_weights(window):
    model, idx = small(block_size=window, n_head=4, n_kv_head=2), ids(2, TILE + 8)
    weights = model.attention_weights(idx)
    assert weights.shape == (2, 2, 4, TILE + 8, TILE + 8)
    np.testing.assert_allclose(weights.sum(-1), 1, rtol=1e-5)
    seen = in_window(TILE + 8, TILE + 8, window)
    assert (weights[..., ~seen] == 0).all() and (weights[..., seen] > 0).all()


def test_attention_weights_are_those_of_transformers(transformers, tmp_path):
    import torch

    model, idx = small(n_head=8, n_kv_head=2), ids(2, 20)
    model.save_pretrained(tmp_path)
    theirs = transformers.LlamaForCausalLM.from_pretrained(tmp_path, attn_implementation="eager")
    with torch.no_grad():
        wanted = theirs(torch.tensor(idx), output_attentions=True).attentions
    np.testing.assert_allclose(model.attention_weights(idx), torch.stack(wanted), atol=1e-5)


@pytest.mark.parametrize("tied", [False, True])
def test_shares_of_a_batch_have_the_gradient_of_the_whole(tied):
    model, idx, targets = small(tied=tied, block_size=20), ids(5, 40), ids(5, 40, seed=1)
    losses, gradients = [], []
    for threads in (1, 2):
        model.zero_grad()
        losses.append(batch_gradient(model, idx, targets, threads))
        gradients.append([p.grad for p in model.parameters()])
    assert abs(losses[0] - losses[1]) < 1e-6
    for one, two in zip(*gradients):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-6)


def test_dropout_draws_in_training_alone_and_from_the_models_seed():
    model, same, none = (small(dropout=p, seed=3) for p in (0.5, 0.5, 0.0))
    idx = ids(1, 20)
    first, second = model(idx)[0].data, model(idx)[0].data
    np.testing.assert_array_equal(same(idx)[0].data, first)
    assert (first != second).any()
    np.testing.assert_array_equal(model.eval()(idx)[0].data, none(idx)[0].data)
    assert sum(isinstance(m, nn.Dropout) for m in model.modules()) == 2


def test_dropout_zeroes_that_share_of_what_is_added():
    block = small(dropout=0.25).model.layers[0]
    out = block.dropout(Tensor(np.ones((100, 100), np.float32))).data
    assert abs((out == 0).mean() - 0.25) < 0.02
    np.testing.assert_allclose(out[out != 0], 4 / 3, rtol=1e-6)


def test_rms_norm_module_brings_to_root_mean_square_one():
    norm = RMSNorm(64, eps=0)
    out = norm(Tensor(normal(10, 64, dtype=np.float32) * 7)).data
    np.testing.assert_allclose(np.sqrt((out**2).mean(-1)), 1, rtol=1e-5)


# --- checkpoints ---------------------------------------------------------------------------------


def content(model) -> dict:
    return {
        "model_args": model.config,
        "model": model.collect_state_dict(),
        "architecture": "llama",
        "step": 1,
    }


@pytest.mark.parametrize("tied", [False, True])
def test_a_checkpoint_comes_back_as_a_llama(tied, tmp_path):
    model = small(tied=tied)
    save(tmp_path / "c.pkl", content(model))
    back, tokenizer = load_model(tmp_path / "c.pkl")
    assert type(back) is Llama and tokenizer is None and back.config == model.config
    np.testing.assert_array_equal(back(ids(1, 9))[0].data, model(ids(1, 9))[0].data)


@pytest.mark.parametrize("name", [*Llama.SIZES, "rope_theta", "norm_eps"])
@pytest.mark.parametrize(
    "claim", [0, -1, 10**12, 10**400, "8", None, [1], math.nan], ids=lambda x: str(x)[:9]
)
def test_checkpoints_that_lie(name, claim, tmp_path):
    lie = {**content(small()), "model_args": {**small().config, name: claim}}
    (tmp_path / "c.pkl").write_bytes(pickle.dumps(lie, protocol=2))
    allowed = {"block_size": [10**12, 10**400], "rope_theta": [10**12], "norm_eps": [0, 10**12]}
    tracemalloc.start()
    try:
        if claim in allowed.get(name, ()):
            load_model(tmp_path / "c.pkl")
        else:
            with pytest.raises(CheckpointError) as refused:
                load_model(tmp_path / "c.pkl")
            assert "\n" not in str(refused.value)
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "kind", ["gpt", "mistral", "", 7, None, ["llama"], {}, "Llama", "x" * 10**6]
)
def test_checkpoints_of_another_architecture(kind, tmp_path):
    lie = {**content(small()), "architecture": kind}
    (tmp_path / "c.pkl").write_bytes(pickle.dumps(lie, protocol=2))
    with pytest.raises(CheckpointError):
        load_model(tmp_path / "c.pkl")


def test_arrays_in_place_of_tensors_are_named():
    a, x = np.ones((1, 2, 8), np.float32), Tensor(np.ones((1, 2, 8)))
    cos, sin = turns(np.arange(2), 4, 1e4)
    for call in (
        lambda: RMSNorm(8)(a),
        lambda: rms_norm(x, a),
        lambda: swiglu(x, a),
        lambda: rotary(a[:, :, None], cos, sin),
        lambda: grouped_attention(a[:, :, None], 1, 8),
        lambda: LlamaMLP(8, 16)(a),
        lambda: LlamaAttention(8, 2, 1, 4)(a, cos, sin),
    ):
        with pytest.raises(TypeError, match="Tensor"):
            call()


def test_dropout_goes_with_the_folder(tmp_path):
    small(dropout=0.25).save_pretrained(tmp_path)
    assert Llama.from_pretrained(tmp_path).config["dropout"] == 0.25
