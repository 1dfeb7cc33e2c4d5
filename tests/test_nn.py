"""Modules: names, state dicts, modes and initial values."""

import copy

import numpy as np
import pytest

from minigrad import nn
from minigrad.gradcheck import gradcheck
from minigrad.tensor import Tensor


def network(rng=None) -> nn.Module:
    return nn.Sequential(
        nn.Linear(3, 4, rng=rng), nn.GELU(), nn.Dropout(0.5, rng), nn.Linear(4, 2, rng=rng)
    )


def test_names_follow_attributes(rng):
    model = nn.ModuleDict(
        {
            "wte": nn.Embedding(5, 4),
            "h": nn.ModuleList([nn.LayerNorm(4), nn.LayerNorm(4, bias=False)]),
        }
    )
    assert [name for name, _ in model.named_parameters()] == [
        "wte.weight",
        "h.0.weight",
        "h.0.bias",
        "h.1.weight",
    ]
    assert model.h[1] is model["h"][-1]
    assert len(model) == 2 and list(model) == ["wte", "h"]
    assert len(model.h[:1]) == 1


def test_a_shared_parameter_counts_once_but_is_saved_under_both_names():
    model = nn.ModuleDict({"a": nn.Linear(3, 3, bias=False), "b": nn.Linear(3, 3, bias=False)})
    model.b.weight = model.a.weight
    assert len(list(model.parameters())) == 1
    state = model.collect_state_dict()
    assert list(state) == ["a.weight", "b.weight"]
    assert state["a.weight"] is state["b.weight"]


def test_state_dict_round_trip(rng):
    one, other = network(rng), network(rng)
    x = Tensor(rng.standard_normal((5, 3)))
    other.load_state_dict(copy.deepcopy(one.collect_state_dict()))
    np.testing.assert_array_equal(one.eval()(x).data, other.eval()(x).data)


def test_load_names_every_problem_and_changes_nothing(rng):
    model = network(rng)
    before = copy.deepcopy(model.collect_state_dict())
    state = copy.deepcopy(before)
    state["0.weight"] += 1
    state["0.bias"] = np.zeros(7)
    del state["3.weight"]
    state["extra"] = np.zeros(1)
    with pytest.raises(ValueError) as error:
        model.load_state_dict(state)
    for part in (
        "missing 3.weight (2, 4)",
        "unexpected extra",
        "0.bias should have shape (4,), but has (7,)",
    ):
        assert part in str(error.value)
    for name, array in model.collect_state_dict().items():
        np.testing.assert_array_equal(array, before[name])


def test_train_and_eval_reach_nested_modules(rng):
    model = network(rng)
    x = Tensor(np.ones((50, 3)))
    assert model.training and model[2].training
    assert (model(x).data != model(x).data).any()
    assert not model.eval()[2].training
    np.testing.assert_array_equal(model(x).data, model(x).data)
    assert model.train()[2].training


def test_zero_grad(rng):
    model = network(rng)
    model(Tensor(np.ones((1, 3)))).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())


def test_initial_values(rng):
    linear = nn.Linear(100, 200, rng=rng)
    assert linear.weight.shape == (200, 100) and linear.bias.shape == (200,)
    assert np.abs(linear.weight.data).max() <= 0.1
    assert abs(linear.weight.data.std() - 0.1 / np.sqrt(3)) < 0.002
    assert abs(nn.Embedding(100, 50, rng).weight.data.std() - 1) < 0.05
    assert all(p.dtype == np.float32 for p in network(rng).parameters())
    assert nn.Linear(2, 3, bias=False).bias is None


def test_the_same_seed_gives_the_same_weights():
    one, other = (network(np.random.default_rng(3)) for _ in range(2))
    for a, b in zip(one.parameters(), other.parameters()):
        np.testing.assert_array_equal(a.data, b.data)
    assert (nn.Linear(3, 3).weight.data != nn.Linear(3, 3).weight.data).any()


@pytest.mark.parametrize("layer", [nn.Linear(3, 2), nn.LayerNorm(3), nn.GELU()])
def test_gradients_of_layers(layer, rng):
    for p in layer.parameters():
        p.data = p.data.astype(np.float64)
    x = Tensor(rng.standard_normal((4, 3)), requires_grad=True)
    assert gradcheck(lambda x, *_: layer(x), x, *layer.parameters(), atol=1e-6)


def test_repr_shows_the_tree():
    text = repr(nn.Sequential(nn.Linear(3, 4, bias=False), nn.GELU()))
    assert text == "Sequential(\n  (0): Linear(weight=(4, 3))\n  (1): GELU()\n)"
    assert repr(nn.Parameter([1.0, 2.0])) == "Parameter([1., 2.], requires_grad=True)"


def test_errors():
    with pytest.raises(ValueError, match="0 <= p < 1, got 2"):
        nn.Dropout(2)
    with pytest.raises(ValueError, match="'forward'"):
        nn.ModuleDict({"forward": nn.GELU()})
    with pytest.raises(NotImplementedError, match="Module defines no forward"):
        nn.Module()(1)
    with pytest.raises(KeyError):
        nn.ModuleDict({})["a"]
