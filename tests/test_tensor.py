"""Tensor: values against NumPy, gradients against numeric ones, and the walk back itself."""

import copy
import math
import pickle
import threading
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from conftest import BINARY, expect_error
from minigrad.gradcheck import gradcheck
from minigrad.tensor import (
    Tensor,
    as_floats,
    as_size,
    backpropagate,
    exp,
    from_numpy,
    log,
    max_over,
    no_grad,
    permute,
    record,
    reshape,
    sqrt,
    sum_over,
    take,
    topological_order,
    unbroadcast,
)

UNARY = {
    "neg": lambda a: -a,
    "exp": lambda a: a.exp(),
    "log": lambda a: a.log(),
    "sqrt": lambda a: a.sqrt(),
    "T": lambda a: a.T,
    "abs": abs,
    "permute": lambda a: permute(a, (-1, *range(a.ndim - 1))),
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


@pytest.mark.parametrize("axis", [None, 0, 1, -1, np.int64(1), (0, 2), (-1, 0), ()])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions(name, axis, keepdims):
    a = positive((2, 3, 4))
    out = getattr(a, name)(axis=axis, keepdims=keepdims)
    axes = axis or None if isinstance(axis, tuple) else axis  # none are all, as in torch
    np.testing.assert_allclose(out.data, getattr(a.data, name)(axis=axes, keepdims=keepdims))
    assert gradcheck(lambda x: getattr(x, name)(axis=axis, keepdims=keepdims), a)


@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions_remove_no_other_axis_of_size_one(name):
    assert getattr(Tensor(np.ones((1, 3, 1))), name)(axis=1).shape == (1, 1)


@pytest.mark.parametrize("axis", [None, 0, -1])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", ["sum", "mean", "max"])
def test_reductions_of_a_single_number(name, axis, keepdims):
    x = leaf(3.0)
    out = getattr(x, name)(axis=axis, keepdims=keepdims)
    out.backward()
    assert out.shape == x.grad.shape == () and out.item() == 3.0 and x.grad == 1.0


def test_axes_may_be_a_list_and_a_mean_may_be_empty():
    x = positive((2, 3, 4))
    assert gradcheck(lambda x: x.max(axis=[0, 2]), x) and gradcheck(lambda x: x.sum([0, 2]), x)
    assert x.max(axis=[]).item() == x.max().item()  # none means all, as in torch
    assert Tensor(np.ones((0, 3))).mean(axis=1).shape == (0,)
    with np.errstate(invalid="ignore"):
        assert math.isnan(Tensor(np.ones((0, 3))).mean().item())
    for axis in (3, (0, 0), 1.0, True):
        with pytest.raises((ValueError, TypeError)):
            x.sum(axis=axis)


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


OPERATORS_BY_HAND = {
    "-x": (lambda x: -x, -3.0, -1.0),
    "+x": (lambda x: +x, 3.0, 1.0),
    "abs": (abs, 3.0, 1.0),
    "abs of -x": (lambda x: abs(-x), 3.0, 1.0),
    "x + 2": (lambda x: x + 2, 5.0, 1.0),
    "2 + x": (lambda x: 2 + x, 5.0, 1.0),
    "x - 2": (lambda x: x - 2, 1.0, 1.0),
    "2 - x": (lambda x: 2 - x, -1.0, -1.0),
    "x * 2": (lambda x: x * 2, 6.0, 2.0),
    "2 * x": (lambda x: 2 * x, 6.0, 2.0),
    "x / 2": (lambda x: x / 2, 1.5, 0.5),
    "6 / x": (lambda x: 6 / x, 2.0, -2 / 3),
    "x ** 2": (lambda x: x**2, 9.0, 6.0),
    "2 ** x": (lambda x: 2**x, 8.0, 8 * math.log(2)),
    "exp": (exp, math.e**3, math.e**3),
    "log": (log, math.log(3), 1 / 3),
    "sqrt": (sqrt, math.sqrt(3), 0.5 / math.sqrt(3)),
}


@pytest.mark.parametrize("name", OPERATORS_BY_HAND)
def test_values_and_slopes_at_three(name):
    operation, value, slope = OPERATORS_BY_HAND[name]
    x = leaf(3.0)
    y = operation(x)
    y.backward()
    np.testing.assert_allclose([y.item(), x.grad], [value, slope], rtol=1e-12)


def test_the_order_of_a_matrix_product():
    swap, x = [[0.0, 1.0], [1.0, 0.0]], Tensor([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal((x @ swap).data, [[2, 1], [4, 3]])
    np.testing.assert_array_equal((swap @ x).data, [[3, 4], [1, 2]])


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
        h = x * 1.0 if h.is_leaf or h._is_used_up else h * 1.0
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


def test_the_inner_of_two_no_grads_does_not_end_the_outer():
    x = leaf(1.0)
    with no_grad():
        with no_grad():
            pass
        assert not (x * 2).requires_grad
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


@pytest.mark.parametrize("name", [*UNARY, *BINARY, "max", "matmul", "take"])
def test_each_gradient_on_the_way_has_the_dtype_of_its_tensor(name):
    one, two = (Tensor(np.full((2, 2), 2.0, np.float32), requires_grad=True) for _ in range(2))
    others = {"max": lambda a: a.max(), "matmul": lambda a: a @ two, "take": lambda a: a[[0, 0]]}
    operation = (UNARY | others).get(name) or (lambda a: BINARY[name](a, two))
    out = operation(one)
    for node, grad in backpropagate(out, np.ones(out.shape)):  # which is of float64
        assert node.dtype == grad.dtype == np.float32 and node.shape == grad.shape


def test_data_is_copied_and_kept_as_floats():
    start = np.ones(2, np.float32)
    a, b, shared = Tensor(start), Tensor(start), from_numpy(start)
    a.data += 1
    assert (b.data == 1).all() and (start == 1).all()
    assert shared.data is start and shared.detach().data is start
    a.data = np.array([1, -1])
    a.requires_grad = True
    (a * 0.5).sum().backward()
    assert a.dtype == a.grad.dtype == np.float32 and (a.grad == 0.5).all()


def test_arrays_of_floats_are_not_copied_needlessly(tmp_path):
    array = np.ones(3, np.float32)
    assert as_floats(array) is as_floats(array, np.float32) is array
    mapped = np.memmap(tmp_path / "numbers", np.float32, "w+", shape=3)
    assert np.shares_memory(as_floats(mapped), mapped)
    assert as_floats(array, np.float64).dtype == as_floats([1], np.float64).dtype == np.float64


def test_grad_has_the_shape_and_the_dtype_of_the_data():
    x = Tensor([[1.0, 2.0]], requires_grad=True)
    x.grad = np.array([[1, 2]])
    assert x.grad.dtype == np.float32
    x.grad = Tensor([[3.0, 4.0]])
    assert isinstance(x.grad, np.ndarray)


@pytest.mark.parametrize("number", [np.float64(2), np.array(2.0), Tensor(np.float64(2)), 2, 2.0])
def test_a_single_number_does_not_widen_an_array(number):
    for name, operation in BINARY.items():
        a = Tensor([1.0, 2.0], requires_grad=True)
        for out in (operation(a, number), operation(number, a)):
            assert out.dtype == np.float32, name
            out.sum().backward()
        assert a.grad.dtype == np.float32
    assert (number * Tensor(np.ones(2))).dtype == np.float64


def test_a_number_of_another_dtype_gets_its_gradient_in_its_own():
    scale, x = leaf(2.0), Tensor([1.0, 2.0], requires_grad=True)
    out = scale * x + x / scale
    out.sum().backward()
    assert out.dtype == x.grad.dtype == np.float32 and scale.grad.dtype == np.float64
    np.testing.assert_allclose(scale.grad, 3 - 3 / 4)


RELATIONS = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@pytest.mark.parametrize("name", RELATIONS)
def test_comparisons_go_number_by_number(name):
    relation, a = RELATIONS[name], np.array([[1.0, 2.0, np.nan]])
    for b in (np.array([[1.0], [2.0]]), np.array([2, 2, 2]), 2, 2.0, np.float64(2), np.int64(2)):
        for other in (b, Tensor(b)):
            np.testing.assert_array_equal(relation(Tensor(a), other), relation(a, b))
            np.testing.assert_array_equal(relation(other, Tensor(a)), relation(b, a))
    with pytest.raises(ValueError, match="broadcast"):
        relation(Tensor(a), Tensor([1.0, 2.0]))


def test_comparison_with_what_is_no_number():
    x = Tensor([1.0, 2.0])
    assert (x == None) is False and (x != None) is True and (x == "a") is False  # noqa: E711
    with pytest.raises(TypeError, match="not supported"):
        assert x < None
    assert (Tensor(0.1) == 0.1) and (Tensor(0.1) == np.float64(0.1))


def test_tensors_are_keys_by_identity():
    x, same = leaf([1.0, 2.0]), leaf([1.0, 2.0])
    assert len({x, same, x}) == 2 and {x: 1, same: 2}[x] == 1
    assert x in [x] and [x, same].index(x) == 0


def test_the_truth_of_a_tensor():
    assert not Tensor([0.0]) and not Tensor(0.0) and Tensor(-2.0) and Tensor(np.nan)
    assert any(Tensor([0.0, 1.0])) and not all(Tensor([0.0, 1.0]))
    assert 1 in Tensor([1.0, 2.0]) and 3 not in Tensor([1.0, 2.0])
    for numbers in ([], [0.0, 0.0]):
        with pytest.raises(RuntimeError, match="any"):
            bool(Tensor(numbers))


def test_iteration_and_builtin_functions():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    first, second = x
    sum(second).backward()
    np.testing.assert_array_equal(x.grad, [[0, 0], [1, 1]])
    assert max(Tensor([1.0, 3.0])).item() == 3 and max(Tensor(1.0), Tensor(2.0)).item() == 2
    assert [t.item() for t in sorted(Tensor([3.0, 1.0]))] == [1, 3]
    assert int(Tensor(2.7)) == 2 and f"{Tensor(1.5):.2f} {Tensor(1.5)}" == "1.50 1.5"
    assert (+x) is x
    for f in (len, list, iter):
        with pytest.raises(TypeError, match="no length"):
            f(Tensor(3.0))


def test_a_float_that_loses_a_gradient_warns():
    x = leaf(4.0)
    message = "^a float has no gradient: if that is meant, say item\\(\\)$"
    with pytest.warns(UserWarning, match=message):
        assert math.sqrt(x) == 2
    assert math.sqrt(x.detach()) == math.sqrt(x.item()) == 2


IN_PLACE = {
    "+=": (lambda a, b: a.__iadd__(b), lambda a, b: a + b),
    "-=": (lambda a, b: a.__isub__(b), lambda a, b: a - b),
    "*=": (lambda a, b: a.__imul__(b), lambda a, b: a * b),
    "/=": (lambda a, b: a.__itruediv__(b), lambda a, b: a / b),
    "**=": (lambda a, b: a.__ipow__(b), lambda a, b: a**b),
    "@=": (lambda a, b: a.__imatmul__(b), lambda a, b: a @ b),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_changes_in_place(name):
    change, operation = IN_PLACE[name]
    start, other = positive((2, 2), 1).data, positive((2, 2), 2)
    expected = operation(start, other.data)

    constant, parameter, result = Tensor(start), leaf(start), leaf(start) * 1.0
    for x in (constant, parameter, result):
        array = x.data
        with no_grad():
            assert change(x, other.data) is x and x.data is array
        np.testing.assert_allclose(x.data, expected)
    assert parameter.requires_grad and parameter.is_leaf
    assert change(Tensor(start), other.data).is_leaf

    with pytest.raises(RuntimeError, match="leaf"):
        change(leaf(start), other.data)
    assert gradcheck(lambda a, b: change(a * 1.0, b), leaf(start), other)  # a new, recorded Tensor
    assert gradcheck(lambda b: change(Tensor(start), b), other)


def test_the_update_of_a_training_loop():
    w = leaf([1.0, 2.0])
    (w * w).sum().backward()
    with pytest.raises(RuntimeError, match=r"with no_grad\(\): p -= lr"):
        w -= 0.25 * w.grad
    with no_grad():
        w -= 0.25 * w.grad
    np.testing.assert_array_equal(w.data, [0.5, 1.0])


def test_assignment_to_parts():
    x, w = Tensor(np.zeros((2, 2))), leaf(np.zeros((2, 2)))
    x[0] = 1
    x[:, 1] += 2
    x[x == 0] = Tensor(5.0)
    np.testing.assert_array_equal(x.data, [[1, 3], [5, 2]])
    for target, value in ((w, 1), (w * 1, 1), (x, w[0]), (x, [w[0, 0], 1])):
        with pytest.raises(RuntimeError, match="not recorded"):
            target[0] = value
    with no_grad():
        w[0] = x[0]
    np.testing.assert_array_equal(w.data, [[1, 3], [0, 0]])
    with pytest.raises(ValueError):
        x += np.ones((3, 2, 2))


def test_a_change_in_place_that_would_make_a_gradient_wrong_is_noticed():
    w, v, x = leaf([1.0]), leaf([2.0]), Tensor([3.0])
    early = (w * v * x).sum()
    with no_grad():
        v *= 2
    with pytest.raises(RuntimeError, match="changed in place"):
        early.backward()
    late = w * x
    x[0] = 7
    with pytest.raises(RuntimeError, match="changed in place"):
        late.backward()
    root = w.exp()
    with no_grad():
        root *= 2
    with pytest.raises(RuntimeError, match="changed in place"):
        root.backward()
    late = w * x
    x.data += 1
    with pytest.raises(RuntimeError, match="changed in place"):
        late.backward()
    x.data -= 1
    y = w * v * x
    y.backward()
    x += 1  # nothing waits for it any more
    np.testing.assert_allclose(w.grad, [28.0])


VIEWS = {
    "detach": lambda x: x.detach(),
    "part": lambda x: x[0],
    "reshape": lambda x: x.reshape(4),
    "T": lambda x: x.T,
    "view of a view": lambda x: x.T[1].detach(),
}


@pytest.mark.parametrize("name", VIEWS)
def test_a_change_through_a_view_is_noticed_and_the_other_way_round(name):
    w, x = leaf(2.0), Tensor(np.ones((2, 2)))
    view = VIEWS[name](x)
    for changed, used in ((view, x), (x, view)):
        late = (w * used).sum()
        changed += 1
        with pytest.raises(RuntimeError, match="changed in place"):
            late.backward()
    (w * view).sum().backward()
    copy.deepcopy(view).data += 1  # shares nothing with x
    assert (view.data == 3).all()


def test_a_view_does_not_keep_a_graph_alive():
    x = leaf(np.ones((3, 3)))
    out, arrays = chain(x)
    detached = out.detach()
    del out
    assert detached.item() > 0 and all(array() is None for array in arrays)


def test_copies_and_pickles_of_leaves():
    x = leaf([1.0, 2.0])
    (x * 3).sum().backward()
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin.requires_grad and twin.is_leaf and (twin.grad == 3).all()
        twin.data += 1
    assert (x.data == [1, 2]).all()
    for f in (copy.deepcopy, pickle.dumps):
        with pytest.raises(RuntimeError, match="detach"):
            f(x * 2)


GRADIENT_LOST = {
    "ufunc": np.exp,
    "out": lambda x: np.add(np.ones(3), x, out=np.ones(3)),
    "reduce": np.add.reduce,
    "where": lambda x: np.where(x.data > 1, x, 0),
    "concatenate": lambda x: np.concatenate([x[:1], x[1:]]),
    "stack": lambda x: np.stack((x, np.ones(3))),
    "dot": lambda x: np.dot(x, x),
    "sum": np.sum,
    "norm": np.linalg.norm,
    "keyword": lambda x: np.clip(np.ones(3), 0, a_max=x),
    "split": lambda x: np.split(x, 3),
    "uneven split": lambda x: np.split(x, [1]),
    "list": lambda x: Tensor([x[0], x[1]]),
    "nested": lambda x: Tensor([[1.0], [x[1]]]),
    "tensor": Tensor,
    "operand": lambda x: Tensor([1.0, 2.0, 3.0]) * [x[0], x[1], x[2]],
}


@pytest.mark.parametrize("name", GRADIENT_LOST)
def test_what_would_lose_a_gradient_is_refused(name):
    x = leaf([1.0, 2.0, 3.0])
    with pytest.raises(TypeError, match=r"would lose .*gradient.*\btensor\."):
        GRADIENT_LOST[name](x)
    array = np.ones(3)
    with pytest.raises(TypeError, match="would lose"):
        array += x
    assert (array == 1).all()
    GRADIENT_LOST[name](x.detach())  # there is none to lose


def test_numpy_functions_where_no_gradient_is_lost():
    x = leaf([1.0, 3.0, 2.0])
    assert np.argmax(x) == 1 and np.shape(x) == (3,) and np.allclose(x, x) and np.isfinite(x).all()
    assert (np.zeros_like(x) == 0).all()
    y = Tensor([0.0, 1.0])
    assert isinstance(np.exp(y), np.ndarray) and np.exp(y)[0] == 1
    assert np.mean(y == [0.0, 0.0]) == 0.5
    assert np.clip(y, 0.25, a_max=Tensor(0.5)).tolist() == [0.25, 0.5]
    array = np.ones(2)
    array += y
    assert (array == [1, 2]).all()


@pytest.mark.parametrize(
    "operator", [np.add, np.subtract, np.multiply, np.divide, np.power, np.matmul]
)
def test_an_array_on_the_left_is_recorded(operator):
    array, number = np.array([[1.5, 2.0], [1.0, 0.5]]), np.float64(1.5)
    for other in (array,) if operator is np.matmul else (array, number):
        assert gradcheck(lambda x, o=other: operator(o, x) + operator(x, o), positive((2, 2)))


def test_no_grad_over_a_generator_is_off_only_while_it_works():
    x = leaf(1.0)

    @no_grad()
    def steps():
        """A generator."""
        try:
            sent = yield (x * 1).requires_grad
            yield sent, (x * 1).requires_grad
        except ValueError:
            yield "caught", (x * 1).requires_grad
        return "end"

    generator = steps()
    assert steps.__name__ == "steps" and next(generator) is False and (x * 1).requires_grad
    assert generator.send(5) == (5, False) and (x * 1).requires_grad
    assert generator.throw(ValueError()) == ("caught", False) and (x * 1).requires_grad
    with pytest.raises(StopIteration, match="end"):
        next(generator)
    generator = steps()
    next(generator)
    generator.close()
    assert (x * 1).requires_grad


def test_powers_at_zero():
    """As torch has them: the slope of 0**b by b is 0, but for b below 0."""
    base, exponent = leaf([0.0, 0.0, 0.0, 0.0, 2.0]), leaf([0.0, 1.0, 2.0, -1.0, 0.0])
    with np.errstate(divide="ignore"):
        (base**exponent).sum().backward()
    np.testing.assert_allclose(base.grad, [0, 1, 0, -np.inf, 0])
    np.testing.assert_allclose(exponent.grad, [0, 0, 0, -np.inf, np.log(2)])
    base.grad = None
    (base**0).backward(np.full(5, np.inf))
    np.testing.assert_array_equal(base.grad, 0)
    exponent = leaf([0.0, 2.0])
    with np.errstate(invalid="ignore"):
        (0.0**exponent).backward([np.inf, np.inf])
    np.testing.assert_array_equal(exponent.grad, 0)


def test_sizes():
    for size in (3, np.int64(3), np.uint8(3)):
        assert type(as_size("n", size)) is int and as_size("n", size) == 3
    for size in (3.0, True, np.True_, "3", None, np.float32(3)):
        with pytest.raises(TypeError, match="n must be an integer, got"):
            as_size("n", size)
    assert as_size("n", 1, least=1) == 1
    for size, least in ((0, 1), (-1, 0)):
        with pytest.raises(ValueError, match=f"n must be at least {least}, got {size}"):
            as_size("n", size, least)


def test_conversions():
    x = Tensor([[1.0, 2.0]])
    assert np.asarray(x) is x.data
    assert np.array(x) is not x.data
    assert np.asarray(x, dtype=np.float64).dtype == x.__array__(np.float64).dtype == np.float64
    assert f"{x}" == repr(x) == "Tensor([[1., 2.]])"
    assert Tensor(3).item() == 3.0 == float(Tensor(3))
    assert len(x) == 1
    assert x.detach().data is x.data
    assert repr(Tensor([1.0], requires_grad=True)) == "Tensor([1.], requires_grad=True)"


def used_up() -> Tensor:
    y = leaf(2.0) * 3
    y.backward()
    return y


def changed_too_late() -> Tensor:
    x = leaf(2.0)
    y = x * x
    with no_grad():
        x += 1
    return y


MESSAGES = {
    "@": (
        lambda: leaf(np.ones((2, 3))) @ leaf(np.ones((2, 3))),
        ValueError(
            "a @ b needs as many columns in a as rows in b, but a has shape (2, 3) and b has "
            "shape (2, 3)"
        ),
    ),
    "@ one number": (
        lambda: leaf(np.ones((2, 3))) @ Tensor(1.0),
        ValueError(
            "a @ b needs as many columns in a as rows in b, but a has shape (2, 3) and b has "
            "shape ()"
        ),
    ),
    "backward of many": (
        lambda: leaf([1.0, 2.0]).backward(),
        RuntimeError(
            "backward() without a gradient needs a tensor of one element, but this one has "
            "shape (2,); reduce it first, or pass a gradient of that shape"
        ),
    ),
    "gradient": (
        lambda: leaf([1.0, 2.0]).backward(np.ones(3)),
        ValueError("the gradient must have the tensor's shape (2,), but has (3,)"),
    ),
    "constant": (
        lambda: Tensor(1.0).backward(),
        RuntimeError(
            "nothing to differentiate: no input of this tensor was made with requires_grad=True"
        ),
    ),
    "used up": (
        lambda: used_up().backward(),
        RuntimeError(
            "backward() already used up this graph; compute the result again, or pass "
            "retain_graph=True to the first call"
        ),
    ),
    "changed": (
        lambda: changed_too_late().backward(),
        RuntimeError(
            "a Tensor was changed in place after it was used, but before backward() needed it; "
            "change it later, or make a new one: a = a + b"
        ),
    ),
    "leaf": (
        lambda: leaf(1.0).__iadd__(1),
        RuntimeError(
            "a leaf that needs a gradient is not changed while operations are recorded; for a "
            "step of training write: with no_grad(): p -= lr * p.grad"
        ),
    ),
    "part": (
        lambda: leaf([1.0]).__setitem__(0, 1),
        RuntimeError(
            "an assignment to parts of a Tensor is not recorded, so that gradients would be "
            "wrong; use functional.where, cat or stack, or no_grad() if no gradient is wanted"
        ),
    ),
    "grad": (
        lambda: setattr(leaf([[1.0, 2.0]]), "grad", np.ones(2)),
        ValueError("the gradient must have the tensor's shape (1, 2), but has (2,)"),
    ),
    "truth": (
        lambda: bool(Tensor([1.0, 2.0])),
        RuntimeError("2 numbers are neither true nor false: ask any() or all()"),
    ),
    "length": (
        lambda: len(Tensor(1.0)),
        TypeError("a Tensor without axes has no length and no parts; ask for its item()"),
    ),
    "copy": (
        lambda: copy.copy(leaf(1.0) * 2),
        RuntimeError("a Tensor within a graph cannot be copied or pickled; detach() it"),
    ),
    "data": (
        lambda: Tensor([leaf(1.0)]),
        TypeError("this would lose a Tensor's gradient: use stack or cat, or tensor.detach()"),
    ),
    "NumPy": (
        lambda: np.exp(leaf(1.0)),
        TypeError("NumPy's exp would lose the gradient: use minigrad's own, or tensor.data"),
    ),
    "complex": (
        lambda: Tensor(1j),
        TypeError("a Tensor holds real numbers, but this data is of type complex128"),
    ),
    "text": (
        lambda: Tensor("abc"),
        TypeError("a Tensor holds real numbers, but this data is of type <U3"),
    ),
    "None": (
        lambda: Tensor(1.0) + None,
        TypeError("a Tensor holds real numbers, but this data is of type object"),
    ),
    "no Tensor": (
        lambda: exp(np.ones(2)),
        TypeError("expected a Tensor, got ndarray; make one with Tensor(...)"),
    ),
    "fraction": (lambda: as_size("n", 2.5), TypeError("n must be an integer, got 2.5")),
    "size": (lambda: as_size("n", 0, 1), ValueError("n must be at least 1, got 0")),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_say_what_was_expected_what_came_and_what_to_do(name):
    expect_error(*MESSAGES[name])


def test_errors_of_numpy_come_through():
    x = leaf(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"\(2, ?3\) \(4, ?\)"):
        x + np.ones(4)
    with pytest.raises(ValueError, match="reshape"):
        x.reshape(4)
    with pytest.raises(IndexError):
        x[5]


ONE_TENSOR = {f.__name__: f for f in (exp, log, sqrt, sum_over, max_over)}
ONE_TENSOR |= {
    "reshape": lambda a: reshape(a, 1),
    "permute": lambda a: permute(a, (0,)),
    "take": lambda a: take(a, 0),
}


@pytest.mark.parametrize("name", ONE_TENSOR)
@pytest.mark.parametrize("value", [np.ones(2), [1.0], 1.0, None], ids=str)
def test_a_function_of_one_tensor_takes_nothing_else(name, value):
    with pytest.raises(TypeError, match="expected a Tensor, got"):
        ONE_TENSOR[name](value)


def test_what_is_left_out_of_a_call():
    x = Tensor(np.ones((2, 3)))
    assert not x.requires_grad
    for total in (x.sum(), x.mean(), x.max(), sum_over(x), max_over(x)):
        assert total.shape == ()
    for totals in (x.sum(0), x.mean(0), x.max(0), sum_over(x, 0), max_over(x, 0)):
        assert totals.shape == (3,)
    assert as_size("n", 0) == 0
    y = leaf(2.0) * 3
    list(backpropagate(y))
    assert y._is_used_up


@pytest.mark.parametrize(
    "write",
    [
        lambda b, x: np.copyto(b, x),
        lambda b, x: np.put(b, [0, 1, 2], x),
        lambda b, x: np.putmask(b, [True] * 3, x),
        lambda b, x: np.place(b, [True] * 3, x),
        lambda b, x: np.add.at(b, [0, 1, 2], x),
        lambda b, x: np.fft.fft(x),
    ],
)
def test_numpy_functions_that_write_elsewhere_would_lose_the_gradient(write):
    x = Tensor([1.0, 2, 3], requires_grad=True)
    with pytest.raises(TypeError, match="would lose the gradient"):
        write(np.zeros(3), x)
    write(np.zeros(3), x.detach())


def test_in_place_nothing_grows():
    w = Tensor([1.0, 2, 3], requires_grad=True)
    for h in (w * 1, Tensor(np.zeros(3))):
        with pytest.raises(ValueError, match=r"shape \(3,\) cannot become \(2, 3\)"):
            h += np.ones((2, 3))


def test_no_shape_is_none():
    x = Tensor(np.arange(6.0).reshape(2, 3))
    with pytest.raises(TypeError, match="reshape needs a shape"):
        x.reshape(None)


def test_a_second_argument_that_numpy_takes_for_a_type_is_refused():
    for wrong in ("float64", np.float64, 1, None):
        with pytest.raises(TypeError, match="requires_grad is True or False"):
            Tensor([1.0], wrong)


def test_no_grad_decorates_without_brackets_too():
    @no_grad
    def double(x):
        """Twice as much."""
        return x * 2

    assert not double(Tensor([1.0], requires_grad=True)).requires_grad
    assert double.__doc__ == "Twice as much."
    assert (Tensor([1.0], requires_grad=True) * 2).requires_grad


@pytest.mark.parametrize("index", [[0, 1], np.array([True, True, False])])
def test_a_part_that_is_a_copy_may_change_alone(index):
    x, w = Tensor(np.ones((3, 2))), Tensor([1.0, 2.0], requires_grad=True)
    loss = (x[index] * w).sum()
    other = x[index]
    other *= 2
    (loss + (other * w).sum()).backward()
    np.testing.assert_array_equal(w.grad, [6, 6])
    view = x[:2]
    loss = (x * w).sum()
    view *= 2
    with pytest.raises(RuntimeError, match="changed in place"):
        loss.backward()


def test_a_copied_tensor_does_not_bring_the_time_of_its_last_change():
    x = Tensor([1.0, 2.0], requires_grad=True)
    x.data = x.data
    assert pickle.loads(pickle.dumps(x))._changed is copy.deepcopy(x)._changed is None
