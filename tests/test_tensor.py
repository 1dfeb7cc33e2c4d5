"""Tensor: values against NumPy, gradients against numeric ones, and the walk back itself."""

import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conftest import BINARY
from minigrad.gradcheck import gradcheck
from minigrad.tensor import Tensor, backpropagate, no_grad, record, topological_order, unbroadcast

UNARY = {
    "neg": lambda a: -a,
    "exp": lambda a: a.exp(),
    "log": lambda a: a.log(),
    "sqrt": lambda a: a.sqrt(),
    "T": lambda a: a.T,
    "sum": lambda a: a.sum(),
    "mean": lambda a: a.mean(axis=-1),
    "reshape": lambda a: a.reshape(-1),
}


def leaf(array) -> Tensor:
    return Tensor(np.asarray(array, dtype=np.float64), requires_grad=True)


def positive(shape, seed=0) -> Tensor:
    """Numbers between 0.5 and 2, where every operation is smooth."""
    return leaf(np.random.default_rng(seed).uniform(0.5, 2.0, shape))


@pytest.mark.parametrize("name", BINARY)
@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=3))
def test_binary_operations_broadcast_as_numpy_and_have_right_gradients(name, shapes):
    a, b = positive(shapes.input_shapes[0], 1), positive(shapes.input_shapes[1], 2)
    out = BINARY[name](a, b)
    np.testing.assert_allclose(out.data, BINARY[name](a.data, b.data))
    assert out.shape == shapes.result_shape
    assert gradcheck(BINARY[name], a, b)


@pytest.mark.parametrize("name", UNARY)
@given(shape=hnp.array_shapes(max_dims=3, max_side=3))
def test_unary_operations_have_right_gradients(name, shape):
    assert gradcheck(UNARY[name], positive(shape))


@pytest.mark.parametrize("name", BINARY)
def test_operands_may_be_numbers_and_arrays_on_either_side(name):
    a = positive((2, 3))
    for other in (2, 1.5, np.float32(1.5), np.full(3, 1.5), np.full((2, 1), 2)):
        np.testing.assert_allclose(BINARY[name](a, other).data, BINARY[name](a.data, other))
        np.testing.assert_allclose(BINARY[name](other, a).data, BINARY[name](other, a.data))
        assert gradcheck(lambda x, o=other: BINARY[name](o, x), a)


@given(data=st.data())
def test_matmul_for_all_combinations_of_dimensions(data):
    n, k, m = (data.draw(st.integers(1, 3)) for _ in range(3))
    batch = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    a_shape = data.draw(st.sampled_from([(k,), (*batch.input_shapes[0], n, k)]))
    b_shape = data.draw(st.sampled_from([(k,), (*batch.input_shapes[1], k, m)]))
    a, b = positive(a_shape, 1), positive(b_shape, 2)
    np.testing.assert_allclose((a @ b).data, a.data @ b.data)
    assert gradcheck(lambda a, b: a @ b, a, b)


@pytest.mark.parametrize("axis", [None, 0, 1, -1, (0, 2), (-1, 0)])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions(name, axis, keepdims):
    a = positive((2, 3, 4))
    out = getattr(a, name)(axis=axis, keepdims=keepdims)
    np.testing.assert_allclose(out.data, getattr(a.data, name)(axis=axis, keepdims=keepdims))
    assert gradcheck(lambda x: getattr(x, name)(axis=axis, keepdims=keepdims), a)


def test_max_divides_its_gradient_among_ties():
    x = leaf([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
    x.max(axis=1).backward([6.0, 6.0])
    np.testing.assert_allclose(x.grad, [[0, 3, 3], [2, 2, 2]])


@pytest.mark.parametrize(
    "index",
    [
        0,
        -1,
        (1, 2),
        slice(1, None),
        (slice(None), slice(None, None, -1)),
        (Ellipsis, 0),
        (None, 1),
        [0, 1, 1, 1],
        np.array([[0, 1], [1, 1]]),
        (np.array([0, 1, 1]), np.array([2, 0, 0])),
        (slice(None), np.array([0, 0, 3])),
        np.array([[True, False, True, False]] * 2),
    ],
    ids=str,
)
def test_indexing_and_its_gradient(index):
    a = positive((2, 4))
    np.testing.assert_array_equal(a[index].data, a.data[index])
    assert gradcheck(lambda x: x[index], a)


@given(st.lists(st.integers(-5, 4), min_size=1, max_size=20))
def test_repeated_indices_accumulate(ids):
    x = leaf(np.zeros(5))
    x[np.array(ids)].sum().backward()
    np.testing.assert_array_equal(x.grad, np.bincount(np.array(ids) % 5, minlength=5))


def test_transpose_swaps_two_axes():
    a = positive((2, 3, 4))
    assert a.transpose(0, 2).shape == (4, 3, 2)
    assert a.transpose(-1, -2).shape == (2, 4, 3)
    assert gradcheck(lambda x: x.transpose(0, 1), a)


@given(hnp.mutually_broadcastable_shapes(num_shapes=1, max_dims=3, max_side=3))
def test_unbroadcast_sums_what_broadcasting_repeated(shapes):
    (shape,) = shapes.input_shapes
    repeats = np.broadcast_to(np.ones(shape), (2, *shape)).copy()
    np.testing.assert_array_equal(unbroadcast(repeats, shape), np.full(shape, 2.0))


def test_a_tensor_used_twice_gets_both_contributions():
    x = leaf(3.0)
    (x * x + x).backward()
    assert x.grad == 7.0


def test_deep_sums_visit_each_node_once():
    visits = 0
    x = h = leaf(1.0)

    def count(g):
        nonlocal visits
        visits += 1
        return g

    for _ in range(1_000):
        h = record((h + h * 0.0005).data, (h, count), (h, lambda g: 0.0005 * g))
    assert len(topological_order(h)) == 1_001
    h.backward()
    assert visits == 1_000
    np.testing.assert_allclose(x.grad, 1.0005**1_000)


def test_h_plus_half_h_repeated_a_thousand_times():
    x = h = leaf(1.0)
    for _ in range(1_000):
        h = h + h * 0.5
    assert len(topological_order(h)) == 2_001
    h.backward()
    np.testing.assert_allclose(x.grad, 1.5**1_000)


def test_a_chain_of_ten_thousand_operations():
    x = h = leaf(1.0)
    for _ in range(10_000):
        h = h * 1.0001
    h.backward()
    np.testing.assert_allclose(x.grad, 1.0001**10_000)
    for _ in range(100_000):  # and one that is never walked back goes away without recursion
        h = x * 1.0 if h.is_leaf or h._inputs is None else h * 1.0
    del h


def test_backpropagate_yields_every_node_once_with_its_whole_gradient():
    a, b = leaf(3.0), leaf(1.0)
    c = a * b
    d = c + a
    out = d * d
    found = {id(node): float(g) for node, g in backpropagate(out)}
    assert found == {id(out): 1, id(d): 12, id(c): 12, id(a): 24, id(b): 36}


def chain(x: Tensor) -> tuple[Tensor, list[weakref.ref]]:
    """A sum at the end of a chain of operations, and whether the arrays on the way still live."""
    steps = [x * x]
    for operation in (Tensor.exp, lambda h: h / (h + 1), Tensor.sqrt, lambda h: h @ h):
        steps.append(operation(steps[-1]))
    return steps[-1].sum(), [weakref.ref(h.data) for h in steps]


def test_memory_is_freed_on_the_way_back():
    x = leaf(np.ones((3, 3)))
    out, arrays = chain(x)
    alive = [sum(array() is not None for array in arrays) for _ in backpropagate(out)]
    assert alive[0] == len(arrays) and alive[-1] == 0
    assert alive == sorted(alive, reverse=True)


def test_a_retained_graph_keeps_its_memory():
    x = leaf(np.ones((3, 3)))
    out, arrays = chain(x)
    out.backward(retain_graph=True)
    assert all(array() is not None for array in arrays)
    once = x.grad.copy()
    out.backward()
    np.testing.assert_allclose(x.grad, 2 * once)
    assert all(array() is None for array in arrays)


def test_gradients_accumulate_over_calls():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    (x * 4).sum().backward()
    np.testing.assert_array_equal(x.grad, [7, 7])


def test_a_graph_can_be_walked_twice_only_if_retained():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad == 8.0
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


def test_leaf_gradients_are_owned_not_shared():
    a, b = leaf([1.0]), leaf([2.0])
    (a + b).backward([1.0])
    a.grad *= 10
    assert b.grad == [1.0]


def test_no_grad_records_nothing_and_ends():
    x = leaf(1.0)
    with no_grad():
        y = x * 2
    assert y.is_leaf and not y.requires_grad
    assert (x * 2).requires_grad

    @no_grad()
    def f():
        return x * 2

    assert not f().requires_grad
    with pytest.raises(ZeroDivisionError), no_grad():
        raise ZeroDivisionError
    assert (x * 2).requires_grad


def test_no_grad_is_per_thread():
    x, found = leaf(1.0), []
    with no_grad():
        thread = threading.Thread(target=lambda: found.append((x * 2).requires_grad))
        thread.start()
        thread.join()
    assert found == [True]


def test_constants_are_not_recorded():
    x = leaf(1.0)
    assert len((x * 2)._inputs) == 1
    assert (Tensor(1.0) * 2)._inputs == ()


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (1, np.float32),
        ([1.0, 2.0], np.float32),
        (np.arange(3), np.float32),
        (np.ones(2, np.float16), np.float32),
        (np.ones(2, np.float32), np.float32),
        (np.ones(2), np.float64),
        (np.float64(1.0), np.float64),
        ([True, False], np.float32),
    ],
)
def test_dtypes(data, dtype):
    x = Tensor(data, requires_grad=True)
    assert x.dtype == dtype
    for y in (x * 2.5, x + np.ones(1), x.mean(), x.exp(), 1 / (x + 1), x.max()):
        assert y.dtype == dtype
        assert isinstance(y.data, np.ndarray)
    (x * x).sum().backward()
    assert x.grad.dtype == dtype
    assert x.grad.shape == x.shape


def test_conversions():
    x = Tensor([[1.0, 2.0]])
    assert np.asarray(x) is x.data
    assert np.array(x) is not x.data
    assert np.asarray(x, dtype=np.float64).dtype == np.float64
    assert Tensor(3).item() == 3.0 == float(Tensor(3))
    assert len(x) == 1
    assert x.detach().data is x.data
    assert repr(Tensor([1.0], requires_grad=True)) == "Tensor([1.], requires_grad=True)"


def test_errors_say_what_was_expected_and_what_came():
    x = leaf(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"\(2, 3\) and b has shape \(2, 3\)"):
        x @ x
    with pytest.raises(ValueError, match="columns"):
        x @ Tensor(1.0)
    with pytest.raises(RuntimeError, match=r"one element.*shape \(2, 3\)"):
        (x * 2).backward()
    with pytest.raises(ValueError, match=r"\(2, 3\), but has \(3,\)"):
        (x * 2).backward(np.ones(3))
    with pytest.raises(RuntimeError, match="requires_grad=True"):
        Tensor(1.0).backward()
    with pytest.raises(ValueError, match=r"\(2, ?3\) \(4, ?\)"):
        x + np.ones(4)
    with pytest.raises(TypeError, match="real numbers"):
        Tensor("abc")
    with pytest.raises(TypeError, match="real numbers"):
        x + None
    with pytest.raises(TypeError, match="complex"):
        Tensor(1j)
    with pytest.raises(IndexError):
        x[5]
    with pytest.raises(ValueError, match="reshape"):
        x.reshape(4)
