"""Functions: gradients against numeric ones, hand-computed values, and known limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conftest import expect_error
from minigrad import functional as F
from minigrad.gradcheck import gradcheck, numeric_gradient
from minigrad.tensor import Tensor, record

SHAPES = hnp.array_shapes(max_dims=3, max_side=4)


def random(*shape, seed=0) -> Tensor:
    return Tensor(np.random.default_rng(seed).standard_normal(shape), requires_grad=True)


@pytest.mark.parametrize("f", [F.relu, F.tanh, F.gelu, F.softmax, F.log_softmax])
@given(shape=SHAPES)
def test_elementwise_and_softmax_gradients(f, shape):
    assert gradcheck(f, random(*shape))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_along_any_axis(axis):
    x = random(3, 4)
    np.testing.assert_allclose(F.softmax(x, axis=axis).data.sum(axis=axis), 1)
    np.testing.assert_allclose(np.exp(F.log_softmax(x, axis).data), F.softmax(x, axis).data)
    assert gradcheck(lambda x: F.softmax(x, axis=axis), x)
    assert gradcheck(lambda x: F.log_softmax(x, axis=axis), x)


def test_softmax_survives_large_numbers_and_minus_infinity():
    x = Tensor([1e4, 1e4, -np.inf])
    np.testing.assert_allclose(F.softmax(x).data, [0.5, 0.5, 0])
    assert np.isfinite(F.log_softmax(Tensor([1e4, -1e4])).data).all()


@given(shape=SHAPES, n_out=st.integers(1, 4), bias=st.booleans())
def test_linear(shape, n_out, bias):
    x, w, b = random(*shape), random(n_out, shape[-1], seed=1), random(n_out, seed=2)
    inputs = (x, w, b) if bias else (x, w)
    expected = x.data @ w.data.T + (b.data if bias else 0)
    np.testing.assert_allclose(F.linear(*inputs).data, expected)
    assert gradcheck(F.linear, *inputs)


@given(shape=hnp.array_shapes(max_dims=3, min_side=2, max_side=4), affine=st.booleans())
def test_layer_norm(shape, affine):
    x, w, b = random(*shape), random(shape[-1], seed=1), random(shape[-1], seed=2)
    inputs = (x, w, b) if affine else (x,)
    f = F.layer_norm if affine else lambda x: F.layer_norm(x, None, None)
    assert gradcheck(f, *inputs, atol=1e-6)
    unit = F.layer_norm(x, None, None, eps=0).data
    np.testing.assert_allclose(unit.mean(axis=-1), 0, atol=1e-12)
    np.testing.assert_allclose(unit.var(axis=-1), 1)


@given(ids=hnp.arrays(np.int64, hnp.array_shapes(max_dims=2), elements=st.integers(0, 4)))
def test_embedding_adds_up_repeated_ids(ids):
    weight = random(5, 3)
    np.testing.assert_array_equal(F.embedding(weight, ids).data, weight.data[ids])
    F.embedding(weight, ids).sum().backward()
    counts = np.bincount(ids.reshape(-1), minlength=5)
    np.testing.assert_allclose(weight.grad, np.repeat(counts[:, None], 3, axis=1))
    assert gradcheck(lambda w: F.embedding(w, ids), weight)


def test_embedding_of_no_ids():
    assert F.embedding(random(5, 3), np.zeros((2, 0), dtype=int)).shape == (2, 0, 3)


def test_dropout_keeps_the_mean_and_passes_gradients_where_it_kept():
    x = Tensor(np.ones(100_000), requires_grad=True)
    y = F.dropout(x, 0.25, np.random.default_rng(0))
    y.sum().backward()
    assert abs(y.data.mean() - 1) < 0.01
    assert abs((y.data == 0).mean() - 0.25) < 0.01
    np.testing.assert_array_equal(x.grad, y.data)
    assert F.dropout(x, 0, None) is x


def test_dropout_is_repeatable():
    x = random(50)
    once, again = (F.dropout(x, 0.5, np.random.default_rng(7)).data for _ in range(2))
    np.testing.assert_array_equal(once, again)


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_cat_and_stack(axis):
    a, b = random(2, 3), random(2, 3, seed=1)
    np.testing.assert_array_equal(F.cat([a, b], axis).data, np.concatenate([a.data, b.data], axis))
    np.testing.assert_array_equal(F.stack([a, b], axis).data, np.stack([a.data, b.data], axis))
    assert gradcheck(lambda a, b: F.cat([a, b, a], axis), a, b)
    assert gradcheck(lambda a, b: F.stack([a, b, a], axis), a, b)


def test_cat_of_different_lengths():
    assert gradcheck(lambda a, b: F.cat([a, b], axis=1), random(2, 3), random(2, 1, seed=1))


@given(hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=3, max_side=3))
def test_where(shapes):
    c, a, b = shapes.input_shapes
    condition = np.random.default_rng(0).random(c) < 0.5
    assert gradcheck(lambda a, b: F.where(condition, a, b), random(*a), random(*b, seed=1))


def test_where_with_a_number():
    x = random(4)
    np.testing.assert_array_equal(
        F.where(x.data > 0, x, -np.inf).data, np.where(x.data > 0, x.data, -np.inf)
    )


@pytest.mark.parametrize("f", [F.softmax, F.log_softmax])
def test_softmax_of_a_single_number_and_of_nothing(f):
    x = Tensor(3.0, requires_grad=True)
    y = f(x)
    y.backward()
    assert y.shape == x.grad.shape == () and x.grad == 0
    with np.errstate(divide="ignore"):  # of the logarithm of an empty sum
        assert f(Tensor(np.ones((3, 0)))).shape == (3, 0)


def test_linear_of_nothing():
    for n, n_in, n_out in ((0, 3, 2), (2, 0, 3), (2, 3, 0)):
        x, w, b = random(n, n_in), random(n_out, n_in), random(n_out)
        F.linear(x, w, b).sum().backward()
        assert x.grad.shape == x.shape and w.grad.shape == w.shape and (b.grad == n).all()


BRANCHES = {
    "relu": (lambda x: F.relu(x), [0.0, 1.0]),
    "where": (lambda x: F.where(x.data > 0, x, 0.0), [0.0, 1.0]),
    "where, other side": (lambda x: F.where(x.data <= 0, 0.0, x), [0.0, 1.0]),
}


@pytest.mark.parametrize("name", BRANCHES)
@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_no_gradient_for_the_branch_not_taken_whatever_arrives_there(name, bad):
    f, expected = BRANCHES[name]
    x = Tensor([-1.0, 1.0], requires_grad=True)
    f(x).backward([bad, 1.0])
    np.testing.assert_array_equal(x.grad, expected)


def test_relu_passes_nan_on():
    x = Tensor([np.nan], requires_grad=True)
    y = F.relu(x)
    y.backward([2.0])
    assert np.isnan(y.data) and x.grad == 2


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_slope_of_gelu_far_from_zero(dtype):
    x = Tensor(np.array([-3e38, -1e13, -50, -11, 11, 50, 1e13, 3e38], dtype), requires_grad=True)
    F.gelu(x).sum().backward()
    np.testing.assert_array_equal(x.grad, [0, 0, 0, 0, 1, 1, 1, 1])


@pytest.mark.parametrize("n", [1, 2, 7, 768])
@pytest.mark.parametrize("number", [0.1, -7.7, 12345.678, 1e6 + 0.3, 1e10 / 3])
def test_layer_norm_of_equal_numbers_is_zero(n, number):
    x = Tensor(np.full((2, n), number, np.float32), requires_grad=True)
    y = F.layer_norm(x, None, None)
    assert (y.data == 0).all()
    y.backward(np.ones_like(y.data))
    np.testing.assert_allclose(x.grad, 0, atol=1e-3)


def test_layer_norm_far_from_zero_is_exact():
    x = (random(50, 64).data + 1e4).astype(np.float32)
    exact = F.layer_norm(Tensor(x.astype(np.float64)), None, None).data
    np.testing.assert_allclose(F.layer_norm(Tensor(x), None, None).data, exact, atol=1e-5)
    assert F.layer_norm(Tensor(x), None, None, eps=np.float64(1e-5)).dtype == np.float32


TENSOR = Tensor([[1.0, 2.0]])
NOT_A_TENSOR = {
    **{f.__name__: f for f in (F.relu, F.tanh, F.gelu, F.softmax, F.log_softmax)},
    "linear": lambda v: F.linear(v, TENSOR),
    "linear weight": lambda v: F.linear(TENSOR, v),
    "linear bias": lambda v: F.linear(TENSOR, TENSOR, v),
    "layer_norm": lambda v: F.layer_norm(v, None, None),
    "layer_norm weight": lambda v: F.layer_norm(TENSOR, v, None),
    "embedding": lambda v: F.embedding(v, np.array([0])),
    "dropout": lambda v: F.dropout(v, 0),
    "cat": lambda v: F.cat([TENSOR, v]),
    "stack": lambda v: F.stack([TENSOR, v]),
    "where": lambda v: F.where([True], v, 1.0),
}


@pytest.mark.parametrize("name", NOT_A_TENSOR)
@pytest.mark.parametrize("value", [np.ones((1, 2), np.float32), [[1.0, 2.0]], 1.0], ids=type)
def test_anything_but_a_tensor_is_refused_by_name(name, value):
    with pytest.raises(TypeError, match=f"expected a Tensor, got {type(value).__name__}"):
        NOT_A_TENSOR[name](value)


def test_where_refuses_a_condition_of_numbers():
    for condition in (TENSOR, [1, 0], TENSOR.data):
        with pytest.raises(TypeError, match="booleans"):
            F.where(condition, TENSOR, 0.0)


def test_float32_stays_float32():
    x = Tensor(np.ones((2, 4), np.float32), requires_grad=True)
    w = Tensor(np.ones((4, 4), np.float32), requires_grad=True)
    g = Tensor(np.ones(4, np.float32), requires_grad=True)
    rng = np.random.default_rng(0)
    outputs = [
        *(f(x) for f in (F.relu, F.tanh, F.gelu, F.softmax, F.log_softmax)),
        F.linear(x, w, g),
        F.layer_norm(x, g, g),
        F.embedding(w, np.array([0, 1])),
        F.dropout(x, 0.5, rng),
        F.cat([x, x]),
        F.where(x.data > 0, x, 0.0),
    ]
    for out in outputs:
        assert out.dtype == np.float32
        for _, vjp in out._inputs:
            assert vjp(np.ones_like(out.data)).dtype == np.float32


MESSAGES = {
    "linear": (
        lambda: F.linear(random(2, 4), random(5, 3)),
        ValueError("linear expects (..., 3) for weight (5, 3), got (2, 4)"),
    ),
    "linear bias": (
        lambda: F.linear(random(2, 3), random(5, 3), random(3)),
        ValueError("linear expects weight (n_out, n_in) and bias (n_out,), got (5, 3) and (3,)"),
    ),
    "linear weight": (
        lambda: F.linear(random(2, 3), random(3)),
        ValueError("linear expects weight (n_out, n_in) and bias (n_out,), got (3,) and None"),
    ),
    "layer_norm weight": (
        lambda: F.layer_norm(random(2, 4), random(3), None),
        ValueError("layer_norm of (2, 4) needs weight (4,), got (3,)"),
    ),
    "layer_norm bias": (
        lambda: F.layer_norm(random(2, 4), None, random(3)),
        ValueError("layer_norm of (2, 4) needs bias (4,), got (3,)"),
    ),
    "too large": (
        lambda: F.embedding(random(5, 3), np.array([1, 5])),
        IndexError("embedding has rows 0 to 4, got ids from 1 to 5"),
    ),
    "too small": (
        lambda: F.embedding(random(5, 3), np.array([-1])),
        IndexError("embedding has rows 0 to 4, got ids from -1 to -1"),
    ),
    "fractions": (
        lambda: F.embedding(random(5, 3), np.array([1.0])),
        TypeError("embedding expects integer ids, got float64"),
    ),
    "p of 1": (lambda: F.dropout(random(2), 1), ValueError("dropout needs 0 <= p < 1, got 1")),
    "p below 0": (
        lambda: F.dropout(random(2), -0.1),
        ValueError("dropout needs 0 <= p < 1, got -0.1"),
    ),
    "where": (
        lambda: F.where([1, 0], TENSOR, 0.0),
        TypeError("where expects booleans, such as x > 0, got int64"),
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_say_what_was_expected_and_what_came(name):
    expect_error(*MESSAGES[name])


BY_HAND = {  # at 1, 0 and -2: values and slopes
    "relu": (F.relu, [1, 0, 0], [1, 0, 0]),
    "tanh": (F.tanh, [0.7615942, 0, -0.9640276], [0.4199743, 1, 0.0706508]),
    "gelu": (F.gelu, [0.8411920, 0, -0.0454023], [1.0829641, 0.5, -0.0860993]),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_values_and_slopes_by_hand(name):
    f, values, slopes = BY_HAND[name]
    x = Tensor(np.array([1.0, 0.0, -2.0]), requires_grad=True)
    y = f(x)
    y.sum().backward()
    np.testing.assert_allclose(y.data, values, atol=1e-7)
    np.testing.assert_allclose(x.grad, slopes, atol=1e-7)


@pytest.mark.parametrize("axis", [0, -1])
def test_softmax_of_rows_a_thousand_apart(axis):
    """Each row, or column, is shifted by its own maximum, not by that of all."""
    odds = np.log([[1.0, 3.0], [1.0, 3.0]]) + [[0], [1000]]
    x = odds if axis == -1 else odds.T
    expected = np.array([[0.25, 0.75]] * 2) if axis == -1 else np.array([[0.25] * 2, [0.75] * 2])
    np.testing.assert_allclose(F.softmax(Tensor(x), axis).data, expected)
    np.testing.assert_allclose(F.log_softmax(Tensor(x), axis).data, np.log(expected))


def test_softmax_values_may_overwrite_their_argument():
    a = np.log(np.array([[1.0, 3.0]]))
    assert F.softmax_values(a, out=a) is a
    np.testing.assert_allclose(a, [[0.25, 0.75]])
    assert F.softmax_values(a) is not a


def test_layer_norm_by_hand():
    """The variance of 0 and 0.002 is 1e-6, a tenth of eps."""
    x = Tensor(np.array([[0.0, 0.002]]))
    unit = 1e-3 / np.sqrt(1e-6 + 1e-5)
    np.testing.assert_allclose(F.layer_norm(x, None, None).data, [[-unit, unit]])
    scaled = F.layer_norm(x, Tensor([2.0, 3.0]), Tensor([1.0, -1.0])).data
    np.testing.assert_allclose(scaled, [[1 - 2 * unit, 3 * unit - 1]])


class Drawn(np.random.Generator):
    """A generator whose next numbers are known."""

    def __init__(self, *numbers):
        super().__init__(np.random.PCG64())
        self.numbers = numbers

    def random(self, size, dtype):
        assert size == (len(self.numbers),) and np.dtype(dtype) == np.float32
        return np.array(self.numbers, dtype)


def test_dropout_zeroes_what_is_drawn_below_p():
    mask = F.dropout_mask((3,), 0.25, Drawn(0.0, 0.2499999, 0.25))
    np.testing.assert_allclose(mask, [0, 0, 4 / 3], rtol=1e-6)
    assert mask.dtype == np.float32
    assert (F.dropout_mask((2,), 0, Drawn(0.0, 0.5)) == 1).all()  # never, if p is 0
    precise = F.dropout_mask((1,), 0.25, Drawn(0.5), np.float64)
    assert precise.dtype == np.float64 and precise[0] == 4 / 3
    assert F.dropout(Tensor(np.ones(1)), 0.1, Drawn(0.5)).item() == 1 / 0.9


def test_what_is_left_out_of_a_call():
    x = random(2, 3, 4)
    for f in (F.softmax, F.log_softmax):
        np.testing.assert_array_equal(f(x).data, f(x, axis=-1).data)
    np.testing.assert_array_equal(F.softmax_values(x.data), F.softmax(x).data)
    assert F.cat([x, x]).shape == (4, 3, 4) and F.stack([x, x, x]).shape == (3, 2, 3, 4)
    assert F.dropout_mask((2, 3), 0.5).shape == (2, 3)
    assert F.linear(x, random(5, 4)).shape == (2, 3, 5)


def test_gradcheck_finds_a_wrong_derivative():
    def wrong_square(x):
        return record(x.data**2, (x, lambda g: g * x.data))  # the factor 2 is missing

    with pytest.raises(AssertionError, match="input 0 at"):
        gradcheck(wrong_square, random(3))


def test_gradcheck_finds_a_gradient_of_another_shape():
    """A bias whose vjp forgets that it was broadcast: equal numbers, but in a row of their own."""
    bias = Tensor(np.ones(3), requires_grad=True)
    row = lambda b: record(b.data + np.zeros((1, 3)), (b, lambda g: g))
    with pytest.raises(ValueError, match=r"must have the tensor.s shape \(3,\), but has \(1, 3\)"):
        gradcheck(row, bias)


def test_gradcheck_finds_an_unrecorded_input_and_refuses_float32():
    with pytest.raises(AssertionError, match="input 1"):
        gradcheck(lambda a, b: a * b.detach(), random(3), random(3, seed=1))
    with pytest.raises(TypeError, match="float64"):
        gradcheck(F.relu, Tensor([1.0], requires_grad=True))


def test_numeric_gradient_of_a_parabola():
    x = np.array([1.0, 2.0, -3.0])
    np.testing.assert_allclose(numeric_gradient(lambda: float((x * x).sum()), x), 2 * x)


def test_a_boolean_is_no_generator():
    """torch's third argument of dropout says whether it trains."""
    with pytest.raises(TypeError, match="rng is a generator or a seed, not False"):
        F.dropout(Tensor(np.ones(3)), 0.5, False)
    with pytest.raises(ValueError, match="^a seed is 0 or more, not -1$"):
        F.as_generator(-1)


@pytest.mark.parametrize("weight, bias", [((3, 4), (2, 3)), ((3, 4), (1,)), ((4,), None)])
def test_linear_says_which_shapes_it_expects(weight, bias):
    parts = [Tensor(np.ones(shape)) for shape in (weight, bias) if shape]
    with pytest.raises(ValueError, match=r"weight \(n_out, n_in\) and bias \(n_out,\), got"):
        F.linear(Tensor(np.ones((2, 4))), *parts)
