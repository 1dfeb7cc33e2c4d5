"""Modules: names, state dicts, modes and initial values."""

import copy
import pickle

import numpy as np
import pytest

from conftest import expect_error
from minigrad import functional as F
from minigrad import nn
from minigrad.gpt import GPT
from minigrad.gradcheck import gradcheck
from minigrad.tensor import Tensor, no_grad


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
    assert model.eval()[2].training is False
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
    assert -0.1 <= linear.bias.data.min() < -0.09 and 0.09 < linear.bias.data.max() <= 0.1
    assert nn.Linear(0, 100, rng=rng).bias.data.max() > 0.9  # as if there were one input
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
    nested = nn.Sequential(nn.ModuleList([nn.Linear(1, 2)]), nn.GELU())
    assert repr(nested) == (
        "Sequential(\n  (0): ModuleList(\n    (0): Linear(weight=(2, 1), bias=(2,))\n  )"
        "\n  (1): GELU()\n)"
    )
    assert repr(nn.Parameter([1.0, 2.0])) == "Parameter([1., 2.], requires_grad=True)"


@pytest.mark.parametrize(
    "value", [F.relu, lambda x: x, 3, "relu", nn.GELU, [nn.GELU()], Tensor([1.0]), None], ids=str
)
def test_only_modules_go_into_containers(value):
    for make in (
        lambda: nn.Sequential(nn.Linear(1, 8), value, nn.Linear(8, 1)),
        lambda: nn.ModuleList([value]),
        lambda: nn.ModuleList().append(value),
        lambda: nn.ModuleDict({"a": value}),
    ):
        with pytest.raises(TypeError, match="expected a Module, got"):
            make()
    assert len(nn.Sequential(nn.Linear(1, 8), nn.ReLU(), nn.Linear(8, 1))) == 3


def test_relu_is_a_layer():
    np.testing.assert_array_equal(nn.ReLU()(Tensor([-1.0, 2.0])).data, [0, 2])


@pytest.mark.parametrize("value", [Tensor([[1.0]]), np.ones((1, 1)), [[1.0]], 3, F.relu], ids=str)
def test_a_parameter_or_module_is_not_replaced_by_something_else(value):
    layer = nn.Linear(1, 1)
    model = nn.Sequential(layer)
    with pytest.raises(TypeError, match="weight is a Parameter, which a .* cannot replace"):
        layer.weight = value
    with pytest.raises(TypeError, match="0 is a Linear"):
        setattr(model, "0", value)
    assert len(list(model.parameters())) == 2


def test_what_may_be_set():
    layer = nn.Linear(1, 1)
    layer.weight, layer.bias, layer.note = nn.Parameter([[2.0]]), None, "a constant"
    layer.scale = Tensor(2.0)
    layer.scale = Tensor(3.0)
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert layer(Tensor([[3.0]])).item() == 6.0
    with no_grad():
        layer.weight += 1
    assert layer.weight.item() == 3.0 and isinstance(layer.weight, nn.Parameter)


@pytest.mark.parametrize("kind", [list, tuple, lambda parts: dict(enumerate(parts))])
def test_a_list_that_would_hide_parameters_is_refused(kind):
    layer = nn.GELU()
    for part in (nn.Linear(1, 1), nn.Parameter([1.0])):
        with pytest.raises(TypeError, match="use a ModuleList"):
            layer.parts = kind([part])
    layer.parts = kind([1, 2])


def test_a_parameter_made_from_a_tensor_or_an_array_is_a_new_leaf():
    w = Tensor([1.0], requires_grad=True)
    for data in (w * 2, w, np.array([2.0], np.float32)):
        p = nn.Parameter(data)
        p.data += 1
        assert p.is_leaf and p.requires_grad
    assert w.item() == 1.0


def test_sizes_may_be_numpys_integers_but_no_fractions_and_no_truths():
    two, three = np.int64(2), np.uint8(3)
    assert nn.Linear(two, three).weight.shape == (3, 2)
    assert nn.Embedding(two, three).weight.shape == (2, 3)
    assert nn.LayerNorm(two).weight.shape == (2,)
    assert nn.Linear(0, 2)(Tensor(np.ones((3, 0)))).shape == (3, 2)
    for bad in (2.0, True, "2", None, np.float64(2)):
        for make in (
            lambda n: nn.Linear(n, 2),
            lambda n: nn.Linear(2, n),
            lambda n: nn.Embedding(n, 2),
            lambda n: nn.Embedding(2, n),
            nn.LayerNorm,
        ):
            with pytest.raises(TypeError, match="must be an integer"):
                make(bad)


def test_layers_refuse_arrays_with_a_word_about_tensors():
    for layer in (nn.Linear(2, 2), nn.LayerNorm(2), nn.GELU(), nn.ReLU(), nn.Dropout(0.5)):
        with pytest.raises(TypeError, match="expected a Tensor, got ndarray"):
            layer(np.ones((1, 2), np.float32))


MESSAGES = {
    "Dropout of 2": (lambda: nn.Dropout(2), ValueError("Dropout needs 0 <= p < 1, got 2")),
    "Dropout of 1": (lambda: nn.Dropout(1), ValueError("Dropout needs 0 <= p < 1, got 1")),
    "Dropout of -1": (lambda: nn.Dropout(-1), ValueError("Dropout needs 0 <= p < 1, got -1")),
    "name in use": (
        lambda: nn.ModuleDict({"forward": nn.GELU()}),
        ValueError("a module cannot be called 'forward': ModuleDict uses that name"),
    ),
    "dotted name": (
        lambda: nn.ModuleDict({"a.b": nn.GELU()}),
        ValueError("a module cannot be called 'a.b': ModuleDict uses that name"),
    ),
    "no such module": (
        lambda: nn.ModuleDict({"a": nn.GELU(), "b": nn.GELU()}).c,
        AttributeError("no module 'c' here; there are a, b"),
    ),
    "no such name": (lambda: nn.ModuleDict({})["a"], KeyError("a")),
    "forward": (lambda: nn.Module()(1), NotImplementedError("Module defines no forward()")),
    "a function": (
        lambda: nn.Sequential(F.relu),
        TypeError("expected a Module, got relu; a function is called in a forward() method"),
    ),
    "a number": (
        lambda: nn.Sequential(3),
        TypeError("expected a Module, got int; a function is called in a forward() method"),
    ),
    "a parameter replaced": (
        lambda: setattr(nn.Linear(1, 1), "weight", 3),
        TypeError(
            "weight is a Parameter, which a int cannot replace; "
            "change its numbers, weight.data, or set a Parameter"
        ),
    ),
    "a list": (
        lambda: setattr(nn.GELU(), "parts", [1, nn.GELU()]),
        TypeError("what is in a list is not found: use a ModuleList or ModuleDict"),
    ),
    "a state that does not fit": (
        lambda: nn.Linear(2, 1).load_state_dict({"weight": np.ones(3), "a": 1, "b": 2}),
        ValueError(
            "cannot load into Linear: missing bias (1,); unexpected a; unexpected b; "
            "weight should have shape (1, 2), but has (3,)"
        ),
    ),
    "Linear": (lambda: nn.Linear(-1, 2), ValueError("n_in must be at least 0, got -1")),
    "Linear, out": (lambda: nn.Linear(2, -1), ValueError("n_out must be at least 0, got -1")),
    "Embedding": (lambda: nn.Embedding(-1, 2), ValueError("n must be at least 0, got -1")),
    "Embedding, d": (lambda: nn.Embedding(2, -1), ValueError("d must be at least 0, got -1")),
    "LayerNorm": (lambda: nn.LayerNorm(-1), ValueError("n must be at least 0, got -1")),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_say_what_was_expected_what_came_and_what_to_do(name):
    expect_error(*MESSAGES[name])


def test_what_is_left_out_of_a_call():
    norm = nn.LayerNorm(3)
    assert norm.eps == 1e-5 and (norm.weight.data == 1).all() and (norm.bias.data == 0).all()
    assert norm.weight.dtype == norm.bias.dtype == np.float32
    assert nn.Linear(3, 2).bias is not None and nn.Dropout().p == 0.5
    assert len(nn.ModuleList()) == 0
    model = nn.Sequential(nn.GELU()).eval()
    assert model.train() is model and model[0].training
    assert nn.Dropout(0)(Tensor([1.0])).item() == 1


def test_each_layer_passes_on_its_options(rng):
    x = Tensor(np.array([[0.0, 0.002]]))
    np.testing.assert_allclose(nn.LayerNorm(2, eps=0.0)(x).data, [[-1, 1]])
    norm = nn.LayerNorm(2, eps=1e-6)
    norm.weight.data[:], norm.bias.data[:] = 2, 3
    unit = 1e-3 / np.sqrt(2e-6)
    np.testing.assert_allclose(norm(x).data, [[3 - 2 * unit, 3 + 2 * unit]])
    ones, seeded = Tensor(np.ones(1000)), lambda: np.random.default_rng(1)
    once, again = nn.Dropout(0.1, seeded())(ones).data, nn.Dropout(0.1, seeded())(ones).data
    np.testing.assert_array_equal(once, again)
    assert 50 < (once == 0).sum() < 150
    np.testing.assert_array_equal(nn.GELU()(x).data, F.gelu(x).data)


def test_embedding_looks_up_rows_that_its_generator_drew():
    one, same = (nn.Embedding(5, 3, np.random.default_rng(1)) for _ in range(2))
    np.testing.assert_array_equal(one([[4, 0]]).data, same.weight.data[[[4, 0]]])


def test_dropping_with_another_generator():
    layer, ones = nn.Dropout(0.5, np.random.default_rng(1)), Tensor(np.ones(100))
    with nn.dropping_with(np.random.default_rng(2)):
        borrowed = layer(ones).data
        with nn.dropping_with(None):  # changes nothing
            assert layer.generator is not layer.rng
    assert layer.generator is layer.rng
    own = layer(ones).data
    for seed, drawn in ((2, borrowed), (1, own)):
        expected = F.dropout(ones, 0.5, np.random.default_rng(seed)).data
        np.testing.assert_array_equal(drawn, expected)


def test_evaluating_leaves_each_module_as_it_was():
    model = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    with pytest.raises(ZeroDivisionError), model.evaluating() as same:
        assert same is model and not any(m.training for m in model.modules())
        raise ZeroDivisionError
    assert [m.training for m in model.modules()] == [True, True, False]


def test_arguments_reach_forward():
    class Sum(nn.Module):
        def forward(self, *numbers, factor=1):
            return factor * sum(numbers)

    assert Sum()(1, 2, factor=3) == 9


def test_arguments_that_torch_has_at_this_place_are_no_generators():
    for index in (0, np.int64(0)):
        with pytest.raises(TypeError, match="there is no padding_idx"):
            nn.Embedding(5, 3, index)
    with pytest.raises(TypeError, match="positional"):
        nn.LayerNorm(8, 1e-5, False)  # elementwise_affine
    for layer in (
        lambda: nn.Dropout(0.5, True),  # in place
        lambda: nn.Dropout(0.5, np.False_),
        lambda: nn.Linear(2, 3, True, False),
        lambda: GPT(5, 8, 1, 1, 4, rng=True),
    ):
        with pytest.raises(TypeError, match="rng is a generator or a seed, not (True|False)"):
            layer()


def test_weights_that_change_after_they_were_used_are_noticed():
    layer = nn.Linear(2, 2)
    y = (layer.weight * layer.weight).sum()
    layer.load_state_dict(layer.collect_state_dict())
    with pytest.raises(RuntimeError, match="changed"):
        y.backward()


def test_numbers_are_loaded_from_lists_too():
    layer = nn.Linear(2, 2)
    layer.load_state_dict({"weight": [[1, 2], [3, 4]], "bias": [0.5, 1.5]})
    np.testing.assert_array_equal(layer(Tensor([[1.0, 1]])).data, [[3.5, 8.5]])


@pytest.mark.parametrize("bias", [np.array(["x", "y"]), np.ones(2, complex)])
def test_nothing_is_loaded_if_something_holds_no_numbers(bias):
    layer = nn.Linear(2, 2)
    before = layer.weight.data.copy()
    with pytest.raises(ValueError, match="bias should hold real numbers"):
        layer.load_state_dict({"weight": np.zeros((2, 2)), "bias": bias})
    np.testing.assert_array_equal(layer.weight.data, before)


def test_a_tensor_that_would_not_be_trained_does_not_take_the_place_of_none():
    layer = nn.Linear(2, 2, bias=False)
    with pytest.raises(TypeError, match="^bias would not be trained as a Tensor: set a Parameter$"):
        layer.bias = Tensor([1.0, 1.0], requires_grad=True)
    layer.bias = nn.Parameter([1.0, 1.0])
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    layer.seen = None
    layer.seen = layer(Tensor([[1.0, 2.0]]))  # what was computed may be kept


def test_a_shared_module_comes_once():
    shared = nn.Linear(2, 2)
    net = nn.Sequential(shared, nn.ReLU(), shared)
    assert [type(m).__name__ for m in net.modules()] == ["Sequential", "Linear", "ReLU"]
    assert len(net) == len(list(net)) == 3
    shared.parent = net  # a circle
    assert len(list(net.modules())) == 3


def test_a_slice_of_layers_is_applied_as_layers_are():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU()).append(nn.Linear(3, 1)).append(nn.ReLU())
    x = Tensor([[1.0, 2.0]])
    np.testing.assert_array_equal(net[2:](net[:2](x)).data, net(x).data)
    assert net[0] is net[:2][0] and len(net[1:]) == 3


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copied_layer_has_no_gradients_yet(copied):
    layer = nn.Linear(2, 2)
    layer(Tensor([1.0, 2.0])).sum().backward()
    again = copied(layer)
    assert again.bias.grad is None and layer.bias.grad is not None
    np.testing.assert_array_equal(again.weight.data, layer.weight.data)
