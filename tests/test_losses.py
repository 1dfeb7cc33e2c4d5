"""Cross-entropy and what is said with it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad import functional as F
from minigrad.gradcheck import gradcheck
from minigrad.losses import bits_per_character, cross_entropy, perplexity
from minigrad.tensor import Tensor


@given(shape=hnp.array_shapes(max_dims=3, max_side=4), vocab=st.integers(1, 5))
def test_equals_minus_the_mean_log_probability(shape, vocab):
    rng = np.random.default_rng(0)
    logits = Tensor(rng.standard_normal((*shape, vocab)), requires_grad=True)
    targets = rng.integers(vocab, size=shape)
    log_p = np.take_along_axis(F.log_softmax(logits).data, targets[..., None], axis=-1)
    np.testing.assert_allclose(cross_entropy(logits, targets).item(), -log_p.mean(), atol=1e-12)
    assert gradcheck(lambda x: cross_entropy(x, targets), logits)


def test_hand_computed():
    loss = cross_entropy(Tensor(np.log([[0.5, 0.25, 0.25]])), np.array([1]))
    assert abs(loss.item() - math.log(4)) < 1e-12


def test_knowing_nothing_costs_ln_vocab():
    loss = cross_entropy(Tensor(np.zeros((4, 7, 65))), np.zeros((4, 7), dtype=int))
    assert abs(loss.item() - math.log(65)) < 1e-12


def test_huge_logits_do_not_overflow():
    logits = Tensor([[1e4, -1e4, 0.0]], requires_grad=True)
    loss = cross_entropy(logits, np.array([1]))
    loss.backward()
    assert loss.item() == 2e4
    np.testing.assert_allclose(logits.grad, [[1, -1, 0]])


def test_units():
    assert perplexity(math.log(8)) == pytest.approx(8)
    assert bits_per_character(Tensor(math.log(8))) == pytest.approx(3)


def test_units_of_a_tensor_and_of_a_hopeless_loss(recwarn):
    loss = Tensor(math.log(8), requires_grad=True)
    assert perplexity(loss) == pytest.approx(8) and bits_per_character(loss) == pytest.approx(3)
    assert not recwarn.list
    assert perplexity(1000.0) == math.inf and math.isnan(perplexity(math.nan))


@pytest.mark.parametrize("value", [np.ones((1, 2)), [[1.0, 2.0]], 1.0], ids=type)
def test_logits_must_be_a_tensor(value):
    with pytest.raises(TypeError, match="expected a Tensor"):
        cross_entropy(value, np.array([0]))


MESSAGES = {
    "shape": (
        (2, 3, 5),
        np.zeros(6, dtype=int),
        "logits (2, 3, 5) need targets (2, 3), at least one; got (6,)",
    ),
    "too large": (
        (2, 5),
        np.array([0, 5]),
        "targets must be integers from 0 to 4, got int64 from 0 to 5",
    ),
    "too small": (
        (2, 5),
        np.array([-1, 0]),
        "targets must be integers from 0 to 4, got int64 from -1 to 0",
    ),
    "fractions": (
        (2, 5),
        np.zeros(2),
        "targets must be integers from 0 to 4, got float64 from 0.0 to 0.0",
    ),
    "a wrong one beside one that does not count": (
        (2, 5),
        np.array([-100, -1]),
        "targets must be integers from 0 to 4, got int64 from -1 to -1",
    ),
    "all ignored": ((2, 5), np.array([-100, -100]), "no target counts: all 2 are -100"),
    "none": (
        (0, 5),
        np.zeros(0, dtype=int),
        "logits (0, 5) need targets (0,), at least one; got (0,)",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_messages_say_what_was_expected_and_what_came(name):
    shape, targets, message = MESSAGES[name]
    with pytest.raises(ValueError) as error:
        cross_entropy(Tensor(np.zeros(shape)), targets)
    assert str(error.value) == message


def some_ignored(shape=(3, 4), vocab=5, ignore_index=-100):
    rng = np.random.default_rng(0)
    targets = rng.integers(vocab, size=shape)
    targets[rng.random(shape) < 0.4] = ignore_index
    return rng.standard_normal((*shape, vocab)), targets


@pytest.mark.parametrize("ignore_index", [-100, -1, 2])
def test_what_is_ignored_neither_costs_nor_pushes(ignore_index):
    values, targets = some_ignored(ignore_index=ignore_index)
    counts = targets != ignore_index
    logits, rest = (Tensor(x, requires_grad=True) for x in (values, values[counts]))
    loss = cross_entropy(logits, targets, ignore_index)
    other = cross_entropy(rest, targets[counts], ignore_index)
    loss.backward()
    other.backward()
    assert 0 < counts.sum() < counts.size and loss.item() == other.item()
    assert (logits.grad[counts] == rest.grad).all() and (logits.grad[~counts] == 0).all()
    assert gradcheck(lambda x: cross_entropy(x, targets, ignore_index), Tensor(values, True))


def test_ignored_logits_may_be_anything():
    values, targets = some_ignored()
    values[targets == -100] = np.nan
    logits = Tensor(values, requires_grad=True)
    loss = cross_entropy(logits, targets)
    loss.backward()
    assert np.isfinite(loss.item()) and np.isfinite(logits.grad).all()


@pytest.mark.parametrize("target", [0, 4, -100])
def test_a_single_position(target):
    logits = Tensor(np.zeros(5), requires_grad=True)
    if target == -100:
        with pytest.raises(ValueError, match="^no target counts: all 1 are -100$"):
            cross_entropy(logits, np.array(target))
    else:
        cross_entropy(logits, np.array(target)).backward()
        np.testing.assert_allclose(logits.grad, 0.2 - np.eye(5)[target])


def test_targets_without_a_sign_all_count():
    logits = Tensor(np.zeros((2, 200)))
    assert cross_entropy(logits, np.array([156, 0], np.uint8)).item() == pytest.approx(
        math.log(200)
    )


def test_rows_a_thousand_apart():
    """Each row is shifted by its own maximum, not by that of all."""
    logits = Tensor(np.log([[0.25, 0.75], [0.25, 0.75]]) + [[0], [1000]], requires_grad=True)
    loss = cross_entropy(logits, np.array([0, 0], np.uint8))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(4))
    np.testing.assert_allclose(logits.grad, [[-0.375, 0.375]] * 2)


def test_the_gradient_is_of_the_type_of_the_logits():
    logits = Tensor(np.zeros((2, 3), np.float32), requires_grad=True)
    loss = cross_entropy(logits, [0, 2])
    ((_, vjp),) = loss._inputs
    assert loss.dtype == vjp(np.ones((), np.float32)).dtype == np.float32
    ((_, vjp),) = cross_entropy(logits, [0, -100])._inputs  # a gradient with rows of zeros
    assert vjp(np.ones((), np.float32)).dtype == np.float32


def test_the_largest_perplexity():
    assert perplexity(709.0) == math.exp(709) < math.inf
    assert perplexity(709.9) == math.inf


@pytest.mark.parametrize(
    ("third", "kind"), [(Tensor([1.0, 5, 9]), "Tensor"), (0.5, "float"), (None, "NoneType")]
)
def test_torch_s_weights_of_classes_are_no_index(third, kind):
    message = f"^ignore_index is an integer, not a {kind}; classes have no weights here$"
    with pytest.raises(TypeError, match=message):
        cross_entropy(Tensor(np.ones((3, 3))), np.arange(3), third)
