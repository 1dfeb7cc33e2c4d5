import numpy as np
import pytest

from minigrad.gpt import GPT
from minigrad.muon import Muon, Together, hold_then_decay, muon_for, orthogonalize
from minigrad.nn import Parameter
from minigrad.optim import SGD
from minigrad.train import train_step


def singular_values(matrix):
    return np.linalg.svd(matrix, compute_uv=False)


@pytest.mark.parametrize("shape", [(1, 1), (8, 8), (32, 8), (8, 32), (128, 512)])
def test_orthogonalize_keeps_the_shape_and_the_directions(rng, shape):
    u, _ = np.linalg.qr(rng.standard_normal((shape[0], min(shape))))
    v, _ = np.linalg.qr(rng.standard_normal((shape[1], min(shape))))
    values = np.linspace(1, 0.1, min(shape))
    result = orthogonalize((u * values) @ v.T)
    assert result.shape == shape
    inner = u.T @ result @ v
    assert np.abs(inner - np.diag(np.diag(inner))).max() < 1e-6
    assert 0.6 < singular_values(result).min() and singular_values(result).max() < 1.3


def test_orthogonalize_does_not_care_about_size_and_survives_zero(rng):
    matrix = rng.standard_normal((6, 4)).astype(np.float32)
    np.testing.assert_allclose(orthogonalize(1e6 * matrix), orthogonalize(matrix), atol=1e-4)
    assert orthogonalize(matrix).dtype == np.float32
    assert (orthogonalize(np.zeros((3, 3))) == 0).all()


def test_the_first_step_is_along_the_orthogonal_gradient(rng):
    gradient = rng.standard_normal((12, 3))
    p = Parameter(np.zeros((12, 3)))
    p.grad = gradient
    Muon([p], lr=0.1, momentum=0.9).step()
    np.testing.assert_allclose(p.data, -0.1 * 2 * orthogonalize(gradient), atol=1e-6)  # sqrt(12/3)


def test_momentum_looks_one_step_ahead(rng):
    first, second = rng.standard_normal((2, 4, 4))
    p = Parameter(np.zeros((4, 4)))
    optimizer = Muon([p], lr=1.0, momentum=0.8)
    p.grad = first
    optimizer.step()
    before, p.grad = p.data.copy(), second
    optimizer.step()
    mean = 0.8 * (0.2 * first) + 0.2 * second
    ahead = 0.8 * mean + 0.2 * second
    np.testing.assert_allclose(p.data - before, -orthogonalize(ahead), atol=1e-6)


def test_parts_are_orthogonal_each_for_itself(rng):
    stacked = rng.standard_normal((12, 4))
    p = Parameter(np.zeros((12, 4)))
    p.grad = stacked
    Muon([p], lr=1.0, parts=3).step()
    for part, gradient in zip(np.split(p.data, 3), np.split(stacked, 3)):
        np.testing.assert_allclose(part, -orthogonalize(gradient), atol=1e-5)


def test_muon_refuses_vectors_and_leaves_alone_what_has_no_gradient():
    with pytest.raises(ValueError, match=r"matrices.*\(3,\)"):
        Muon([Parameter(np.zeros(3))])
    p = Parameter(np.ones((2, 2)))
    Muon([p]).step()
    assert (p.data == 1).all()


def test_together_steps_and_clears_all_and_shares_the_groups():
    a, b = Parameter(np.ones(2)), Parameter(np.ones(3))
    both = Together(SGD([a], lr=1.0), SGD([b], lr=1.0))
    assert both.parameters() == [a, b]
    both.param_groups[1]["lr"] = 0.5
    a.grad, b.grad = np.ones(2), np.ones(3)
    both.step()
    assert (a.data == 0).all() and (b.data == 0.5).all()
    both.zero_grad()
    assert a.grad is None and b.grad is None


def test_a_resumed_muon_takes_the_same_steps_to_the_bit(rng):
    def fresh():
        model = GPT(9, 16, 1, 2, 8, rng=np.random.default_rng(0))
        return model, muon_for(model)

    (model, optimizer), (twin, resumed) = fresh(), fresh()
    gradients = [[rng.standard_normal(p.shape) for p in model.parameters()] for _ in range(4)]

    def take(model, optimizer, steps):
        for step in steps:
            for p, g in zip(model.parameters(), gradients[step]):
                p.grad = g.astype(np.float32)
            optimizer.step()

    take(model, optimizer, range(2))
    twin.load_state_dict(model.collect_state_dict())
    resumed.load_state_dict(optimizer.collect_state_dict())
    take(model, optimizer, range(2, 4))
    take(twin, resumed, range(2, 4))
    for p, q in zip(model.parameters(), twin.parameters()):
        np.testing.assert_array_equal(p.data, q.data)


def test_a_state_of_other_shapes_is_refused_and_changes_nothing():
    p, q = Parameter(np.ones((2, 3))), Parameter(np.ones((3, 2)))
    one, other = Muon([p]), Muon([q])
    other.mean[0][...] = 7
    with pytest.raises(ValueError, match=r"Muon's mean should have shapes \[\(2, 3\)\]"):
        one.load_state_dict(other.collect_state_dict())
    assert not one.mean[0].any()
    with pytest.raises(ValueError, match="2 optimizers, 1 states"):
        Together(one, other).load_state_dict(Together(one).collect_state_dict())
    one.mean[0][...] = 5
    state = {"optimizers": [Muon([p]).collect_state_dict(), one.collect_state_dict()]}
    with pytest.raises(ValueError, match="Muon's mean should have shapes"):
        Together(one, other).load_state_dict(state)  # the second does not fit
    assert (one.mean[0] == 5).all()


def test_every_parameter_of_a_gpt_has_one_optimizer_and_the_loss_falls(rng):
    model = GPT(vocab_size=11, n_embd=16, n_layer=2, n_head=2, block_size=8, rng=rng)
    optimizer = muon_for(model)
    assert sorted(map(id, optimizer.parameters())) == sorted(map(id, model.parameters()))
    idx, targets = rng.integers(11, size=(2, 4, 8))
    losses = [train_step(model, optimizer, idx, targets) for _ in range(30)]
    assert losses[-1] < 0.5 * losses[0]


def test_the_schedule_warms_up_holds_and_ends_at_zero():
    factors = [hold_then_decay(step, 110) for step in range(111)]
    assert factors[0] == pytest.approx(1 / 11) and factors[10:41] == [1.0] * 31
    assert factors[75] == pytest.approx(0.5) and factors[110] == 0
    assert all(a >= b for a, b in zip(factors[10:], factors[11:]))
