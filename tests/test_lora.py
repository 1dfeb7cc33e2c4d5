"""LoRA: a change of low rank beside frozen matrices, what is trained, and merging."""

import copy

import numpy as np
import pytest

from minigrad.gpt import GPT
from minigrad.gradcheck import gradcheck
from minigrad.llama import Llama
from minigrad.lora import LoRALinear, add_lora, load_lora_state, lora_state, merge_lora
from minigrad.nn import Linear, Sequential
from minigrad.optim import AdamW
from minigrad.parallel import batch_gradient
from minigrad.tensor import Tensor
from minigrad.train import train_step

SIZES = {"vocab_size": 11, "n_embd": 8, "n_layer": 2, "n_head": 2, "block_size": 9}
MODELS = {
    "gpt": lambda: GPT(**SIZES, rng=0),
    "gpt without biases": lambda: GPT(**SIZES, bias=False, rng=0),
    "llama": lambda: Llama(**SIZES, n_kv_head=1, n_hidden=12, rng=0),
    "llama with a head": lambda: Llama(**SIZES, tied=False, rng=0),
}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


def batch(seed=0) -> tuple[np.ndarray, np.ndarray]:
    idx, targets = np.random.default_rng(seed).integers(11, size=(2, 4, 9))
    targets[0], targets[1, :5] = -100, -100
    return idx, targets


def stir(model) -> None:
    """Changes that are not 0."""
    rng = np.random.default_rng(1)
    for array in lora_state(model).values():
        array += rng.normal(0, 0.3, array.shape).astype(array.dtype)


def trained(model) -> list:
    return [p for p in model.parameters() if p.requires_grad]


def logits(model) -> np.ndarray:
    return model(batch()[0])[0].data


# --- the layer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(5,), (2, 5), (2, 3, 5)])
def test_a_layer_is_its_formula_in_torch(shape, bias):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    base = Linear(5, 4, bias, rng)
    for p in base.parameters():
        p.data, p.requires_grad = p.data.astype(np.float64), False
    layer = LoRALinear(base, 3, 6.0, rng)
    layer.lora_B.data = rng.standard_normal((4, 3))
    x = Tensor(rng.standard_normal(shape), requires_grad=True)
    tx, A, B = (torch.tensor(t.data, requires_grad=True) for t in (x, layer.lora_A, layer.lora_B))
    W = torch.tensor(base.weight.data)
    ty = tx @ W.T + (6.0 / 3) * (tx @ A.T @ B.T) + (torch.tensor(base.bias.data) if bias else 0)
    y, g = layer(x), rng.standard_normal((*shape[:-1], 4))
    y.backward(g)
    ty.backward(torch.tensor(g))
    np.testing.assert_allclose(y.data, ty.detach().numpy(), atol=1e-12)
    for ours, theirs in ((x, tx), (layer.lora_A, A), (layer.lora_B, B)):
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), atol=1e-12)
    assert base.weight.grad is None


def test_the_derivatives():
    layer = LoRALinear(Linear(5, 4, rng=0), 2, 4.0, np.random.default_rng(0))
    for p in layer.parameters():
        p.data = p.data.astype(np.float64) + 0.1
    x = Tensor(np.random.default_rng(1).standard_normal((2, 3, 5)), requires_grad=True)
    assert gradcheck(lambda x, A, B: layer(x), x, layer.lora_A, layer.lora_B)


def test_a_change_has_the_rank_that_was_asked_for():
    layer = LoRALinear(Linear(30, 20, rng=0), 3, 6.0, np.random.default_rng(0))
    assert not layer.change().any()
    layer.lora_B.data += 1 + np.random.default_rng(1).random((20, 3)).astype(np.float32)
    assert np.linalg.matrix_rank(layer.change()) == 3


# --- a model -------------------------------------------------------------------------------------


def test_a_model_begins_as_it_was(model):
    before = logits(model)
    assert add_lora(model, 2, rng=0) is model
    np.testing.assert_array_equal(logits(model).argmax(-1), before.argmax(-1))
    np.testing.assert_allclose(logits(model), before, atol=1e-6)


def test_every_large_matrix_has_a_change_and_each_one_is_felt(model):
    large = {name for name, p in model.named_parameters() if p.ndim == 2}
    add_lora(model, 2, rng=0)
    changed = {name.replace(".lora_A", ".weight") for name in lora_state(model)}
    tables = {"transformer.wte.weight", "transformer.wpe.weight"}
    tables |= {"model.embed_tokens.weight", "lm_head.weight"}
    assert changed & large == large - tables
    before = logits(model)
    for name, array in lora_state(model).items():
        if name.endswith("lora_B"):
            array[0, 0] = 5
            assert (logits(model) != before).any(), name
            array[0, 0] = 0


def test_only_the_changes_are_trained(model):
    add_lora(model, 2, rng=0)
    before = {name: a.copy() for name, a in model.collect_state_dict().items()}
    optimizer = AdamW(trained(model), lr=0.1)
    losses = [train_step(model, optimizer, *batch(), threads=1) for _ in range(5)]
    assert losses[-1] < losses[0]
    names = set(lora_state(model))
    assert {p for n, p in model.named_parameters() if n in names} == set(trained(model))
    for name, p in model.named_parameters():
        assert (p.grad is None) == (name not in names), name
    for name, a in model.collect_state_dict().items():
        assert (a != before[name]).any() == (name in names), name


@pytest.mark.parametrize("threads", [2, 4])
def test_changes_are_trained_by_threads_alike(model, threads):
    add_lora(model, 2, rng=0)
    stir(model)
    other = copy.deepcopy(model)
    assert batch_gradient(other, *batch(), threads) == pytest.approx(
        batch_gradient(model, *batch(), 1), abs=1e-6
    )
    for p, q in zip(trained(model), trained(other)):
        np.testing.assert_allclose(q.grad, p.grad, atol=1e-6)


def test_merged_it_is_a_plain_model_with_the_same_logits(model):
    plain = copy.deepcopy(model)
    add_lora(model, 3, alpha=5, rng=0)
    stir(model)
    before = logits(model)
    assert merge_lora(model) is model
    np.testing.assert_allclose(logits(model), before, atol=1e-5)
    assert np.abs(before - logits(plain)).max() > 0.1
    plain.load_state_dict(model.collect_state_dict())
    np.testing.assert_allclose(logits(plain), logits(model), atol=1e-6)  # another product
    assert all(p.requires_grad for p in model.parameters()) and not lora_state(model)
    for one, other in zip(plain.modules(), model.modules()):
        assert type(one) is type(other)


def test_merged_layers_side_by_side_are_one_product_again():
    model = MODELS["llama"]()
    mlp = model.model.layers[0].mlp
    add_lora(model, 2, rng=0)
    assert not mlp.gate_up.in_one()
    merge_lora(model)
    assert mlp.gate_up.in_one()


def test_chosen_layers_alone():
    model = add_lora(MODELS["llama"](), 2, where=["q_proj", "v_proj"], rng=0)
    names = {name.split(".")[-2] for name in lora_state(model)}
    assert names == {"q_proj", "v_proj"}
    stir(model)
    before = logits(model)
    np.testing.assert_allclose(logits(merge_lora(model)), before, atol=1e-5)


def test_the_same_seed_draws_the_same_changes():
    one, other, third = (lora_state(add_lora(MODELS["gpt"](), rng=seed)) for seed in (0, 0, 1))
    assert all((one[name] == other[name]).all() for name in one)
    assert any((one[name] != third[name]).any() for name in one)


def test_the_changes_alone_are_kept_and_put_back(model):
    add_lora(model, 2, rng=0)
    stir(model)
    kept = {name: array.copy() for name, array in lora_state(model).items()}
    expected = logits(model)
    for array in lora_state(model).values():
        array[:] = 0
    load_lora_state(model, kept)
    np.testing.assert_array_equal(logits(model), expected)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda state: state.popitem(), "not those of such a model: .*lora_B"),
        (lambda state: state.update(x=1), "not those of such a model: x"),
        (
            lambda state: state.update({name: a[:, :1] for name, a in state.items()}),
            "not those of such a model: .*lora_A",
        ),
    ],
)
def test_changes_of_another_model_are_refused(damage, message):
    model = add_lora(MODELS["gpt"](), 2, rng=0)
    state = {name: array + 1 for name, array in lora_state(model).items()}
    damage(state)
    with pytest.raises(ValueError, match=message):
        load_lora_state(model, state)
    assert not any(a.any() for name, a in lora_state(model).items() if "lora_B" in name)


def test_what_cannot_be_changed_is_refused():
    model = MODELS["gpt"]()
    with pytest.raises(ValueError, match="rank must be"):
        add_lora(model, 0)
    with pytest.raises(ValueError, match="no Linear called q_proj"):
        add_lora(model, where=["c_attn", "q_proj"])
    with pytest.raises(ValueError, match="no Linear called c_attn or c_fc or c_proj or down_proj"):
        add_lora(Sequential(Linear(2, 2)))
    assert all(p.requires_grad for p in model.parameters())
    add_lora(model)
    with pytest.raises(ValueError, match="has LoRA already: merge_lora"):
        add_lora(model)


@pytest.mark.parametrize("kind", ["gpt", "llama"])
def test_a_model_with_changes_is_not_written_as_a_plain_one(kind, tmp_path):
    model = add_lora(MODELS[kind](), 2, rng=0)
    with pytest.raises(ValueError, match=r"merge_lora\(model\) first"):
        model.save_pretrained(tmp_path / "m")
    assert not list(tmp_path.glob("m/*"))
    merge_lora(model).save_pretrained(tmp_path / "m")
    with pytest.raises(ValueError, match="has no LoRA to merge"):
        merge_lora(model)
    assert (tmp_path / "m" / "model.safetensors").is_file()


def test_a_base_that_is_thawed_learns_too():
    layer = LoRALinear(Linear(4, 3, rng=0), 2, 4.0, np.random.default_rng(1))
    layer.lora_B.data += 1
    x = Tensor(np.random.default_rng(2).standard_normal((5, 4)), requires_grad=True)
    for p in layer.parameters():
        p.data = p.data.astype(np.float64)
    parts = layer.base.weight, layer.base.bias, layer.lora_A, layer.lora_B
    assert gradcheck(lambda *_: layer(x), x, *parts)
    for p in parts[:2]:
        p.requires_grad = False
    layer.base.weight.grad = None
    layer(x).sum().backward()
    assert layer.base.weight.grad is None


def test_a_layer_with_two_names_has_one_change():
    model = Sequential(Linear(4, 4, rng=0))
    model.c_fc = model.c_proj = Linear(4, 4, rng=1)
    x = Tensor(np.ones((2, 4)))
    add_lora(model, 2, rng=0)
    assert model.c_fc is model.c_proj
    model.c_fc.lora_B.data += 1
    before = model.c_fc(x).data
    merge_lora(model)
    assert model.c_fc is model.c_proj and type(model.c_fc) is Linear
    np.testing.assert_allclose(model.c_fc(x).data, before, rtol=1e-5)


def test_lora_wants_tensors():
    layer = LoRALinear(Linear(4, 3), 2, 4.0, np.random.default_rng(1))
    with pytest.raises(TypeError, match="Tensor"):
        layer(np.ones((2, 4)))
