"""Optimizers, clipping and the schedule, against hand-computed steps."""

import copy
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conftest import expect_error
from minigrad.nn import Parameter
from minigrad.optim import (
    SGD,
    AdamW,
    Optimizer,
    _row_blocks,
    clip_grad_norm,
    cosine_lr,
    decay_groups,
)
from minigrad.tensor import Tensor


def parameter(*values) -> Parameter:
    return Parameter(np.array(values))


def test_sgd_by_hand():
    p = parameter(1.0)
    optimizer = SGD([p], lr=0.1, momentum=0.5)
    p.grad = np.array([2.0])
    optimizer.step()
    np.testing.assert_allclose(p.data, [0.8])
    optimizer.step()  # velocity 0.5 * 2 + 2 = 3
    np.testing.assert_allclose(p.data, [0.5])


def test_adamw_first_step_has_the_size_of_the_learning_rate():
    for gradient in (1e-4, 1.0, 1e4):
        p = parameter(1.0)
        p.grad = np.array([gradient])
        AdamW([p], lr=0.1, weight_decay=0).step()
        np.testing.assert_allclose(p.data, [0.9], rtol=1e-3)


def test_adamw_two_steps_by_hand():
    p = parameter(1.0)
    optimizer = AdamW([p], lr=0.1, betas=(0.5, 0.5), eps=0, weight_decay=0.2)
    p.grad = np.array([1.0])
    optimizer.step()  # decay to 0.98; m = v = 0.5, corrected to 1 and 1
    np.testing.assert_allclose(p.data, [0.88])
    p.grad = np.array([3.0])
    optimizer.step()  # m = 1.75 / 0.75, v = 4.75 / 0.75
    expected = 0.88 * 0.98 - 0.1 * (1.75 / 0.75) / math.sqrt(4.75 / 0.75)
    np.testing.assert_allclose(p.data, [expected])


def test_groups_have_their_own_options():
    decayed, plain = Parameter(np.ones((2, 2))), parameter(1.0)
    optimizer = AdamW(decay_groups([decayed, plain], 0.5), lr=0.1)
    for p in (decayed, plain):
        p.grad = np.zeros_like(p.data)
    optimizer.step()
    np.testing.assert_allclose(decayed.data, 0.95)
    np.testing.assert_allclose(plain.data, 1.0)


def test_parameters_without_a_gradient_are_left_alone():
    used, unused = parameter(1.0), parameter(1.0)
    for optimizer in (SGD([unused, used]), AdamW([unused, used])):
        used.grad = np.array([1.0])
        optimizer.step()
        assert unused.data == 1.0 and used.data != 1.0
        optimizer.zero_grad()
        assert used.grad is None


def test_adamw_continues_from_its_state():
    rng = np.random.default_rng(0)
    gradients = rng.standard_normal((6, 3))
    p, q = parameter(1.0, 2.0, 3.0), parameter(1.0, 2.0, 3.0)
    first = AdamW([p])
    for g in gradients[:3]:
        p.grad = g
        first.step()
    second = AdamW([q])
    q.data[...] = p.data
    second.load_state_dict(first.collect_state_dict())
    for g in gradients[3:]:
        p.grad = q.grad = g
        first.step()
        second.step()
    np.testing.assert_array_equal(p.data, q.data)
    with pytest.raises(ValueError, match=r"\[\(2,\)\], but has \[\(3,\)\]"):
        AdamW([parameter(1.0, 2.0)]).load_state_dict(first.collect_state_dict())


@given(hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9), st.integers(1, 30))
def test_row_blocks_cover_each_number_once(shape, size):
    covered, ones = np.zeros(shape, dtype=int), np.ones(shape, dtype=int)
    for part, same in _row_blocks(covered, ones, size=size):
        part += same  # a view: this changes `covered`
        assert part.size <= max(size, math.prod(shape[1:]))
    assert (covered == 1).all()


def test_adamw_updates_a_large_matrix_in_blocks_as_it_does_at_once(rng, monkeypatch):
    start = rng.standard_normal((300, 1000), dtype=np.float32)
    gradients = rng.standard_normal((2, *start.shape), dtype=np.float32)

    def updated() -> np.ndarray:
        p = Parameter(start.copy())
        optimizer = AdamW([p], lr=0.1, weight_decay=0.1)
        for p.grad in gradients:
            optimizer.step()
        return p.data

    assert len(_row_blocks(start)) == 3
    in_blocks = updated()
    monkeypatch.setattr("minigrad.optim._row_blocks", lambda *arrays: [arrays])
    np.testing.assert_array_equal(in_blocks, updated())


@pytest.mark.parametrize("optimizer", [SGD, AdamW])
def test_a_parameter_may_be_a_single_number(optimizer):
    p = Parameter(np.array(3.0))
    step = optimizer([p], lr=0.1)
    for _ in range(100):
        step.zero_grad()
        (p * p).backward()
        step.step()
    assert p.shape == () and abs(p.item()) < 0.1


def test_empty_parameters_are_left_alone():
    p, q = Parameter(np.ones((0, 3))), parameter(1.0)
    optimizer = AdamW([p, q], lr=0.1, weight_decay=0)
    p.grad, q.grad = np.ones((0, 3)), np.array([1.0])
    optimizer.step()
    assert p.shape == (0, 3)
    np.testing.assert_allclose(q.data, [0.9])


def test_clip_grad_norm():
    p, q = parameter(0.0), parameter(0.0, 0.0)
    p.grad, q.grad = np.array([3.0]), np.array([0.0, 4.0])
    assert clip_grad_norm([p, q], 10.0) == 5.0
    assert p.grad == 3.0
    assert clip_grad_norm([p, q], 1.0) == 5.0
    np.testing.assert_allclose([*p.grad, *q.grad], [0.6, 0, 0.8])
    p.grad = None
    assert clip_grad_norm([p, q], 1.0) == pytest.approx(0.8)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_clipping_does_not_hide_what_is_not_finite(bad):
    """As in torch: NaN goes to all gradients, an infinite one leaves 0 of the others."""
    p, q = parameter(0.0), parameter(0.0)
    p.grad, q.grad = np.array([bad]), np.array([1.0])
    norm = clip_grad_norm([p, q], 1.0)
    np.testing.assert_equal(norm, bad)
    np.testing.assert_equal([p.grad[0], q.grad[0]], [np.nan, 0.0 if np.isinf(bad) else np.nan])


def test_clipping_takes_a_single_tensor():
    p = parameter(0.0, 0.0)
    p.grad = np.array([3.0, 4.0])
    assert clip_grad_norm(p, 1.0) == 5.0
    np.testing.assert_allclose(p.grad, [0.6, 0.8])
    for bad in (-1.0, np.nan):
        with pytest.raises(ValueError, match="max_norm"):
            clip_grad_norm(p, bad)


@pytest.mark.parametrize("huge", [1e20, 3e38])
def test_adamw_recovers_from_one_huge_gradient(huge):
    p = Parameter(np.ones(1, np.float32))
    optimizer = AdamW([p], lr=0.1, weight_decay=0)
    for gradient in (1.0, huge, 1.0, 1.0):
        p.grad = np.array([gradient], np.float32)
        optimizer.step()
    assert np.isfinite(p.data).all() and np.isfinite(optimizer.m[0]).all()
    assert not np.isnan(optimizer.v[0]).any()


w = parameter(1.0)
NO_PARAMETERS = {
    "a tensor": (TypeError, w),
    "a dict": (TypeError, {"params": [w]}),
    "a string": (TypeError, "abc"),
    "a number": (TypeError, [1.0]),
    "an array": (TypeError, [np.ones(2)]),
    "a pair": (TypeError, [("w", w)]),
    "a group among tensors": (TypeError, [w, {"params": [w]}]),
    "a tensor among groups": (TypeError, [{"params": [w]}, w]),
    "a group without params": (TypeError, [{"lr": 0.1}]),
    "a string as a group": (TypeError, [{"params": "abc"}]),
    "twice": (ValueError, [w, w]),
    "in two groups": (ValueError, [{"params": [w]}, {"params": [w]}]),
    "a result": (ValueError, [w * 2]),
    "nothing": (ValueError, []),
    "an unknown option": (ValueError, [{"params": [w], "learning_rate": 1}]),
    "a negative rate": (ValueError, [{"params": [w], "lr": -1}]),
    "a rate that is no number": (ValueError, [{"params": [w], "lr": np.nan}]),
}


@pytest.mark.parametrize("optimizer", [SGD, AdamW])
@pytest.mark.parametrize("name", NO_PARAMETERS)
def test_what_an_optimizer_cannot_move_is_refused(name, optimizer):
    error, params = NO_PARAMETERS[name]
    with pytest.raises(error):
        optimizer(params)


@pytest.mark.parametrize("optimizer", [SGD, AdamW])
def test_a_step_between_the_way_forward_and_back_is_noticed(optimizer):
    p = parameter(1.0)
    loss = (p * p).sum()
    loss.backward(retain_graph=True)
    optimizer([p]).step()
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_params_may_be_generators_sets_and_single_tensors_in_a_group():
    a, b, constant = parameter(1.0), parameter(2.0), Tensor([3.0])
    for params in ((p for p in [a, b]), {a, b}, (a, b), [{"params": a}, {"params": iter([b])}]):
        assert set(AdamW(params).parameters()) == {a, b}
    SGD([constant]).step()  # nothing asks for its gradient


@pytest.mark.parametrize(
    "options",
    [{"betas": (1.0, 0.9)}, {"betas": (0.9, -0.1)}, {"eps": -1}, {"weight_decay": -1}],
    ids=str,
)
def test_options_out_of_range(options):
    (name,) = options
    with pytest.raises(ValueError, match=name):
        AdamW([parameter(1.0)], **options)


def test_cosine_schedule():
    lr = [cosine_lr(step, 1.0, 0.1, 10, 110) for step in range(200)]
    np.testing.assert_allclose(lr[:10], np.arange(1, 11) / 11)
    assert lr[10] == 1.0
    assert lr[60] == pytest.approx(0.55)
    assert lr[110:] == [0.1] * 90
    assert all(a >= b for a, b in zip(lr[10:], lr[11:]))
    assert cosine_lr(0, 1.0, 0.1, 0, 0) == 0.1


FOUR = "lr, betas, eps, weight_decay"
MESSAGES = {
    "no group": (
        [{"params": []}, 3],
        TypeError('a group of parameters must be a dict with "params", got 3'),
    ),
    "no params": (
        [{"lr": 1}],
        TypeError("a group of parameters must be a dict with \"params\", got {'lr': 1}"),
    ),
    "a result": (
        [w * 2],
        ValueError("an optimizer changes leaves, not what was computed from others"),
    ),
    "unknown": (
        [{"params": [w], "rate": 1, "decay": 2}],
        ValueError(f"no option decay, rate, only {FOUR}"),
    ),
    "a tensor": (w, TypeError("an optimizer takes a list: write [it], not a Parameter")),
    "a dict": ({"params": [w]}, TypeError("an optimizer takes a list: write [it], not a dict")),
    "nothing": ([], ValueError("the optimizer got no parameters")),
    "twice": (
        [w, w],
        ValueError("the optimizer got a parameter twice, which would take two steps"),
    ),
    "lr": ([{"params": [w], "lr": -1}], ValueError("lr must be 0 or more, got -1")),
    "eps": ([{"params": [w], "eps": -0.5}], ValueError("eps must be 0 or more, got -0.5")),
    "weight_decay": (
        [{"params": [w], "weight_decay": -1}],
        ValueError("weight_decay must be 0 or more, got -1"),
    ),
    "betas": (
        [{"params": [w], "betas": (0.9, 1)}],
        ValueError("betas must be two, at least 0 and less than 1, got (0.9, 1)"),
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_say_what_was_expected_and_what_came(name):
    params, error = MESSAGES[name]
    expect_error(lambda: AdamW(params), error)


def test_a_negative_momentum_is_refused():
    with pytest.raises(ValueError, match="^momentum must be 0 or more, got -1$"):
        SGD([w], momentum=-1)


def test_what_is_left_out_of_a_call_and_the_least_that_is_allowed():
    assert SGD([w]).param_groups == [{"params": [w], "lr": 0.001, "momentum": 0.0}]
    adamw = {"params": [w], "lr": 1e-3, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0.01}
    assert AdamW([w]).param_groups == [adamw]
    nothing = {"params": [w], "lr": 0, "betas": (0, 0), "eps": 0, "weight_decay": 0}
    assert AdamW([nothing]).param_groups == [nothing]


def test_an_optimizer_must_define_its_step():
    with pytest.raises(NotImplementedError):
        Optimizer([w]).step()


def test_a_state_that_does_not_fit_changes_nothing():
    p = parameter(1.0, 2.0)
    p.grad = np.ones(2)
    optimizer = AdamW([p])
    optimizer.step()
    state = {"t": 7, "m": [np.zeros(2)], "v": [np.zeros(3)]}
    with pytest.raises(ValueError) as error:
        optimizer.load_state_dict(state)
    assert str(error.value) == "AdamW's v should have shapes [(2,)], but has [(3,)]"
    assert optimizer.t == [1] and (optimizer.m[0] != 0).all()
    optimizer.load_state_dict(AdamW([p]).collect_state_dict())  # which has taken no step
    assert optimizer.t == [0] and (optimizer.m[0] == 0).all()
    for t in ([np.array(7)], 7, np.array(7)):  # version 0.2 kept one count for all parameters
        optimizer.load_state_dict({"t": t, "m": [[1.0, 2.0]], "v": [[3.0, 4.0]]})
        assert optimizer.t == [7] and optimizer.t[0].dtype == int
        np.testing.assert_array_equal([*optimizer.m, *optimizer.v], [[1, 2], [3, 4]])


def test_a_parameter_whose_gradients_come_late_begins_as_the_others_did():
    early, late = parameter(1.0), parameter(1.0)
    optimizer, path = AdamW([early, late], lr=0.1), []
    for step in range(8):
        early.grad = np.array([0.5])
        late.grad = np.array([0.5]) if step >= 5 else None
        optimizer.step()
        path.append((early.item(), late.item()))
    early_path, late_path = np.transpose(path)
    assert (late_path[:5] == 1).all() and late_path[5] < 0.91
    np.testing.assert_array_equal(late_path[5:], early_path[:3])


def test_adamw_with_gradients_as_small_as_eps():
    """Corrected, m is g and v is g * g at every step, so that half of lr remains: g / (g + g)."""
    p = parameter(1.0)
    optimizer = AdamW([p], lr=0.1, eps=1e-8, weight_decay=0)
    for step in (1, 2, 3):
        p.grad = np.array([1e-8])
        optimizer.step()
        np.testing.assert_allclose(p.data, [1 - 0.05 * step])


def test_only_matrices_and_what_has_more_axes_decay():
    params = [Parameter(np.ones((2,) * ndim)) for ndim in (0, 1, 2, 3)]
    decaying, others = decay_groups(iter(params), 0.1)
    assert decaying == {"params": params[2:], "weight_decay": 0.1}
    assert others == {"params": params[:2], "weight_decay": 0.0}


def test_clipping_at_the_edge():
    p = parameter(0.0)
    for grad, most in ((5.0, 5.0), (np.inf, np.inf), (0.0, 0.0)):  # just within: left alone
        p.grad = np.array([grad])
        assert clip_grad_norm([p], most) == grad and p.grad == grad
    p.grad = np.array([3.0])
    assert clip_grad_norm([p], 0.0) == 3 and p.grad == 0
    with pytest.raises(ValueError, match="^max_norm must be 0 or more, got -1$"):
        clip_grad_norm([p], -1)


def test_a_state_that_lacks_something_is_refused_before_anything_is_changed():
    for optimizer, state, said in (
        (SGD([Parameter([1.0])]), {}, "SGD's velocity is missing"),
        (AdamW([Parameter([1.0])]), {"velocity": []}, "AdamW's t is missing"),
        (AdamW([Parameter([1.0])]), {"t": -5, "m": [[0.0]], "v": [[0.0]]}, "steps, but is -5"),
        (AdamW([Parameter([1.0])]), {"t": [-5], "m": [[0.0]], "v": [[0.0]]}, r"but is \[-5\]"),
    ):
        with pytest.raises(ValueError, match=said):
            optimizer.load_state_dict(state)


def test_the_state_of_an_optimizer_that_has_not_begun_is_a_state():
    a, b = (AdamW([Tensor([1.0, 2.0], requires_grad=True)]) for _ in range(2))
    b.load_state_dict(a.collect_state_dict())
    assert int(b.t[0]) == 0


@pytest.mark.parametrize("t", [2.5, "5", None, True, 2**70, [1j]])
def test_a_count_is_an_integer_and_nothing_is_changed_before_all_fits(t):
    optimizer = AdamW([Parameter([1.0])])
    with pytest.raises(ValueError, match="AdamW's t should be numbers, but is of NumPy's kind"):
        optimizer.load_state_dict({"t": t, "m": [[1.0]], "v": [[1.0]]})
    with pytest.raises(ValueError, match="AdamW's v should be numbers, but is of NumPy's kind U"):
        optimizer.load_state_dict({"t": 3, "m": [[1.0]], "v": [["a"]]})
    assert optimizer.t == [0] and optimizer.m[0] == 0


def test_clipping_wants_tensors():
    with pytest.raises(TypeError, match="ndarray"):
        clip_grad_norm([np.ones(2)], 1)


@pytest.mark.parametrize("kind", [SGD, AdamW])
def test_a_parameter_that_comes_later_is_not_forgotten_in_silence(kind):
    first, second = Parameter(np.ones(2)), Parameter(np.ones(2))
    optimizer = kind([first], lr=0.1)
    first.grad = second.grad = np.ones(2)
    for params in ([first, second], [second], []):
        optimizer.param_groups[0]["params"] = params
        expect_error(
            optimizer.step,
            ValueError("an optimizer's parameters stay: make a new one for others"),
        )
    np.testing.assert_array_equal((first.data, second.data), 1)
    optimizer.param_groups[0]["params"] = [first]
    copy.deepcopy(optimizer).step()  # with parameters of its own
    optimizer.step()
    assert (first.data < 1).all()


def test_sgd_without_momentum_remembers_nothing_not_even_infinity():
    p = parameter(1.0, 2.0)
    optimizer = SGD([p], lr=0.1)
    for g in ([np.inf, 1.0], [1.0, 1.0]):
        p.data = np.array([1.0, 2.0], np.float32)
        p.grad = np.array(g, np.float32)
        optimizer.step()
    np.testing.assert_allclose(p.data, [0.9, 1.9])
