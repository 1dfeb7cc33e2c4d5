"""Learning from a reward, held to the derivative of the expected reward where all answers can be
listed."""

from itertools import product

import numpy as np
import pytest

from minigrad.bpe import BPETokenizer
from minigrad.finetune import padded
from minigrad.gpt import GPT
from minigrad.gradcheck import numeric_gradient
from minigrad.llama import Llama
from minigrad.losses import cross_entropy
from minigrad.optim import SGD, AdamW
from minigrad.reward import (
    advantages,
    has_digits,
    is_right,
    log_likelihood,
    policy_loss,
    practise,
)
from minigrad.template import END, START


def test_rewards():
    assert [is_right(answer, "85") for answer in ("85", "58", "85 ", "")] == [1, 0, 0, 0]
    assert [has_digits(answer, "85") for answer in ("85", "5", "0123456789", "", "14")] == [
        1, 0.5, 1, 0, 0
    ]  # fmt: skip
    assert has_digits("1", "11") == 1  # each character once


def test_advantages_are_beside_the_others_of_a_group():
    rewards = np.array([[1.0, 0.0, 0.0, 1.0], [1.0, 1.0, 1.0, 1.0], [0.0, 0.0, 0.0, 1.0]])
    expected = [[0.5, -0.5, -0.5, 0.5], [0, 0, 0, 0], [-0.25, -0.25, -0.25, 0.75]]
    assert advantages(rewards).tolist() == expected


def test_log_likelihood_is_minus_the_loss_of_a_row_times_its_targets():
    model = Llama(7, 8, 2, 2, block_size=16, rng=0)
    rng = np.random.default_rng(0)
    idx, targets = rng.integers(7, size=(3, 5)), rng.integers(7, size=(3, 5))
    targets[0, :3], targets[1, 4] = -100, -100
    found = log_likelihood(model, idx, targets)
    assert found.shape == (3,)
    for row in range(3):
        loss = cross_entropy(model(idx[row : row + 1])[0], targets[row : row + 1]).item()
        assert found.data[row] == pytest.approx(-loss * (targets[row] != -100).sum(), rel=1e-5)


VOCAB, PROMPT, N = 3, [2, 0], 2
ANSWERS = [list(ids) for ids in product(range(VOCAB), repeat=N)]  # all there are, of two tokens
ROWS = padded([(PROMPT + ids[:-1], [-100, *ids]) for ids in ANSWERS])


def small_model(seed):
    model = GPT(VOCAB, 4, 1, 1, 4, rng=seed)
    rng = np.random.default_rng(seed)
    for p in model.parameters():
        p.data = p.data.astype(np.float64) + rng.normal(0, 0.3, p.shape)
    return model


def probabilities(model):
    p = np.exp(log_likelihood(model, *ROWS).data)
    assert p.sum() == pytest.approx(1, abs=1e-9)
    return p


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("baseline", [0.0, 5.0])
def test_the_mean_gradient_is_that_of_the_expected_reward(penalty, baseline):
    """With each answer as often as the model gives it; a baseline changes nothing on the average,
    and the penalty is that of the whole divergence from the old model."""
    model, old = small_model(0), small_model(1)
    rewards = np.random.default_rng(3).random(len(ANSWERS))
    old_log_p = log_likelihood(old, *ROWS).data

    def expected():
        p = probabilities(model)
        return float(p @ (rewards - penalty * (np.log(p) - old_log_p)))

    p, log_p = probabilities(model), log_likelihood(model, *ROWS)
    paid = rewards - penalty * (log_p.data - old_log_p) - baseline
    policy_loss(log_p, paid * p * len(p)).backward()  # a mean weighted by p
    for parameter in model.parameters():
        numeric = numeric_gradient(expected, parameter.data)
        assert np.allclose(parameter.grad, -numeric, atol=1e-7)


def test_a_group_of_drawn_answers_has_that_gradient_on_the_average():
    """Up to (group - 1) / group: an answer is in the mean that it is held against."""
    model, rng, group = small_model(0), np.random.default_rng(5), 4
    rewards = np.random.default_rng(3).random(len(ANSWERS))
    p = probabilities(model)
    exact = p * (rewards - p @ rewards)  # by how much log p of each answer should move
    drawn = rng.choice(len(p), size=(40_000, group), p=p)
    worth = advantages(rewards[drawn])
    found = np.bincount(drawn.reshape(-1), worth.reshape(-1), len(p)) / drawn.size
    assert np.allclose(found, exact * (group - 1) / group, atol=2e-3)
    alone = np.bincount(drawn.reshape(-1), rewards[drawn].reshape(-1), len(p)) / drawn.size
    assert np.abs(alone - exact).max() > 0.02  # without the baseline the sum over answers moves


@pytest.fixture(scope="module")
def tokenizer():
    return BPETokenizer.from_text("user assistant", 262, [START, END], "digits")


def small_llama(tokenizer, seed=0):
    return Llama(tokenizer.vocab_size, 16, 1, 2, block_size=64, rng=seed)


def test_practice_makes_rewarded_answers_likelier(tokenizer):
    model, old = small_llama(tokenizer), small_llama(tokenizer)
    optimizer = AdamW(model.parameters(), lr=1e-2)
    spelt = lambda answer, right: float(any(c.islower() for c in answer))
    rng, parts = np.random.default_rng(0), (tokenizer, [("a?", ""), ("b?", "")])
    done = [practise(model, old, optimizer, *parts, spelt, rng, 16, 0, 4) for _ in range(20)]
    assert done[0].drift == pytest.approx(0, abs=1e-4) and done[0].reward < 0.6
    assert np.mean([step.reward for step in done[-5:]]) > 0.75 and done[-1].drift > 0.5


def test_no_reward_above_the_others_no_step(tokenizer):
    model, old = small_llama(tokenizer), small_llama(tokenizer)
    before = {name: array.copy() for name, array in model.collect_state_dict().items()}
    rng, asked = np.random.default_rng(0), [("a?", "b")]
    parts = model, old, SGD(model.parameters(), lr=1.0), tokenizer, asked
    assert practise(*parts, lambda *_: 1.0, rng, penalty=0.0, max_new_tokens=3).reward == 1
    for name, array in model.collect_state_dict().items():
        assert np.allclose(array, before[name], atol=1e-7)


def test_a_penalty_brings_the_model_back(tokenizer):
    model, old = small_llama(tokenizer, 1), small_llama(tokenizer, 2)
    for p in [*model.parameters(), *old.parameters()]:
        p.data = p.data * np.float32(3)
    optimizer, rng = AdamW(model.parameters(), lr=1e-2), np.random.default_rng(0)
    parts = model, old, optimizer, tokenizer, [("a?", "b")], is_right, rng
    drifts = [practise(*parts, 32, 1.0, 3).drift for _ in range(40)]
    assert np.mean(drifts[-5:]) < 0.75 * np.mean(drifts[:5])


def test_the_old_model_stays_as_it_is(tokenizer):
    model, old = small_llama(tokenizer), small_llama(tokenizer)
    before = {name: array.copy() for name, array in old.collect_state_dict().items()}
    optimizer = AdamW(model.parameters(), lr=1e-2)
    practise(model, old, optimizer, tokenizer, [("a?", "b")], has_digits, np.random.default_rng(0))
    assert all((array == before[name]).all() for name, array in old.collect_state_dict().items())
    assert all(p.grad is None for p in old.parameters())
