"""Threads: a batch divided among them trains as a whole one does, and nothing else changes."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pytest

from minigrad import parallel
from minigrad.data import TextDataset
from minigrad.functional import stack
from minigrad.gpt import GPT
from minigrad.llama import Llama
from minigrad.losses import IGNORE_INDEX, cross_entropy
from minigrad.nn import Dropout, Embedding, Linear, Module, Parameter
from minigrad.optim import SGD, clip_grad_norm
from minigrad.parallel import (
    available_cores,
    batch_gradient,
    blas_threads,
    divide_work,
    in_threads,
    keep_freed_memory,
    mean_loss,
)
from minigrad.tensor import Tensor, backpropagate, no_grad
from minigrad.train import evaluate, train_step


def gpt(seed=0, dtype=np.float32, **options) -> GPT:
    sizes = {"vocab_size": 9, "n_embd": 16, "n_layer": 2, "n_head": 2, "block_size": 8, **options}
    model = GPT(**sizes, rng=np.random.default_rng(seed))
    for p in model.parameters():
        p.data = p.data.astype(dtype)
    return model


def llama(seed=0, **options) -> Llama:
    return Llama(9, 16, 2, 2, 1, block_size=8, **options, rng=np.random.default_rng(seed))


def batch(size: int) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.random.default_rng(1).integers(9, size=(2, size, 8)))


def gradients(model) -> dict[str, np.ndarray]:
    return {name: p.grad for name, p in model.named_parameters()}


def generators(model) -> list[np.random.Generator]:
    return [m.rng for m in model.modules() if isinstance(m, Dropout)]


def assert_all_close(found: dict, expected: dict, **tolerance):
    assert found.keys() == expected.keys()
    for name in expected:
        np.testing.assert_allclose(found[name], expected[name], **tolerance, err_msg=name)


@pytest.fixture
def three_cores(monkeypatch):
    """A machine with three cores, and BLAS with three threads, on which all work is worth it."""
    monkeypatch.setattr(parallel, "available_cores", lambda: 3)
    monkeypatch.setattr(parallel, "_openblas", lambda: (lambda: 3, lambda n: None))
    monkeypatch.setattr(parallel, "WORTH_A_CORE", 1)


@pytest.mark.parametrize(("size", "threads"), [(1, 1), (4, 2), (5, 2), (3, 3), (5, 3), (5, 5)])
def test_the_gradient_of_a_divided_batch(size, threads):
    whole, divided = gpt(dtype=np.float64), gpt(dtype=np.float64)
    loss = batch_gradient(whole, *batch(size))
    assert batch_gradient(divided, *batch(size), threads) == pytest.approx(loss, rel=1e-12)
    assert_all_close(gradients(divided), gradients(whole), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("threads", [2, 3])
def test_the_gradient_of_a_divided_batch_in_float32(threads):
    whole, divided = gpt(), gpt()
    loss = batch_gradient(whole, *batch(5))
    assert batch_gradient(divided, *batch(5), threads) == pytest.approx(loss, abs=1e-5)
    assert_all_close(gradients(divided), gradients(whole), atol=1e-5)
    for p in divided.parameters():
        assert p.grad.dtype == np.float32 and p.grad.shape == p.shape


def partly_ignored(size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A batch of whose targets some do not count: in the first sequence none at all does."""
    idx, targets = batch(size)
    ignored = np.random.default_rng(seed).random(targets.shape) < 0.6
    ignored[0], ignored[-1, -1] = True, False
    return idx, np.where(ignored, IGNORE_INDEX, targets)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("size", "threads"), [(4, 2), (5, 3), (5, 5)])
def test_shares_weigh_as_much_as_their_targets_that_count(size, threads, seed):
    whole, divided = gpt(dtype=np.float64), gpt(dtype=np.float64)
    loss = batch_gradient(whole, *partly_ignored(size, seed), 1)
    assert batch_gradient(divided, *partly_ignored(size, seed), threads) == pytest.approx(loss)
    assert_all_close(gradients(divided), gradients(whole), rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_batch_of_which_nothing_counts_is_refused(threads):
    idx, targets = batch(4)
    with pytest.raises(ValueError, match="no target counts"):
        batch_gradient(gpt(), idx, np.full_like(targets, IGNORE_INDEX), threads)


def test_the_mean_loss_of_batches_is_that_of_all_their_targets(three_cores):
    model, (idx, targets) = gpt(dtype=np.float64), partly_ignored(5, 0)
    batches = [(idx[i:j], targets[i:j]) for i, j in ((0, 1), (1, 4), (4, 5))]
    assert mean_loss(model, batches) == pytest.approx(model(idx, targets)[1].item(), rel=1e-12)


def test_more_threads_than_sequences():
    whole, divided = gpt(), gpt()
    loss = batch_gradient(whole, *batch(2))
    step_loss = train_step(divided, SGD(divided.parameters(), lr=0), *batch(2), threads=99)
    assert step_loss == pytest.approx(loss, abs=1e-5)
    assert_all_close(gradients(divided), gradients(whole), atol=1e-5)


@pytest.mark.parametrize("threads", [1, 2])
def test_gradients_are_added_to_old_ones_and_each_parameter_owns_its_own(threads):
    model = gpt()
    batch_gradient(model, *batch(5), threads)
    first = {name: g.copy() for name, g in gradients(model).items()}
    batch_gradient(model, *batch(5), threads)
    assert_all_close(gradients(model), {name: 2 * g for name, g in first.items()}, rtol=1e-6)
    for name, p in model.named_parameters():
        assert not np.shares_memory(p.grad, first[name])
        assert not any(np.shares_memory(p.grad, q.grad) for q in model.parameters() if q is not p)


def test_five_steps_divided_as_train_step_thinks_best(three_cores, monkeypatch):
    used = []

    def spy(function, items, threads, blas):
        used.append(threads)
        return in_threads(function, items, threads, blas)

    monkeypatch.setattr(parallel, "in_threads", spy)
    models, losses = [gpt(), gpt()], [[], []]
    for model, threads, found in zip(models, (1, None), losses):
        optimizer = SGD(model.parameters(), lr=0.5, momentum=0.5)
        for _ in range(5):
            found.append(train_step(model, optimizer, *batch(5), grad_clip=0.5, threads=threads))
    assert used == [3] * 5
    np.testing.assert_allclose(losses[1], losses[0], atol=1e-5)
    one, other = (model.collect_state_dict() for model in models)
    assert_all_close(other, one, atol=1e-5)


def test_with_dropout_the_same_seed_gives_the_same_run_to_the_bit():
    def run(seed):
        model = gpt(seed, dropout=0.3)
        optimizer = SGD(model.parameters(), lr=0.5)
        losses = [train_step(model, optimizer, *batch(5), threads=2) for _ in range(3)]
        return losses, model.collect_state_dict()

    (losses, state), (same_losses, same_state) = run(seed=0), run(seed=0)
    assert losses == same_losses != run(seed=1)[0]
    assert_all_close(same_state, state, rtol=0)


@pytest.mark.parametrize("build", [gpt, llama])
@pytest.mark.parametrize("way", [{"threads": 2}, {"threads": 3}, {"parts": 2}, {"parts": 5}])
def test_the_same_numbers_are_dropped_however_a_batch_is_divided(way, build):
    whole, divided = build(dropout=0.3), build(dropout=0.3)
    for _ in range(2):
        loss = batch_gradient(whole, *batch(5), threads=1)
        assert batch_gradient(divided, *batch(5), **way) == pytest.approx(loss, abs=1e-6)
    assert_all_close(gradients(divided), gradients(whole), atol=1e-6)


@pytest.mark.parametrize("n", [2, 3, 5, 7])
@pytest.mark.parametrize("parts", [1, 2])
def test_shares_add_up_to_the_whole_batch(n, parts):
    whole, shared = gpt(dropout=0.3, dtype=np.float64), gpt(dropout=0.3, dtype=np.float64)
    loss = batch_gradient(whole, *partly_ignored(5, 1))
    seeds, losses = generators(shared)[0].bit_generator.state, []
    for i in range(n):
        generators(shared)[0].bit_generator.state = seeds
        losses.append(batch_gradient(shared, *partly_ignored(5, 1), parts=parts, share=(i, n)))
    assert sum(losses) == pytest.approx(loss, rel=1e-12)
    assert_all_close(gradients(shared), gradients(whole), rtol=1e-9, atol=1e-13)


def test_a_batch_in_parts_needs_the_memory_of_one_part():
    def peak(size: int, parts: int) -> int:
        """The most that the activations take, beside the gradients that stay."""
        model, pair = gpt(), batch(size)
        batch_gradient(model, *pair, 1)  # so that there is a gradient to add to
        tracemalloc.start()
        try:
            batch_gradient(model, *pair, 1, parts)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    whole, part, in_parts = peak(128, 1), peak(32, 1), peak(128, 4)
    assert part < 0.4 * whole
    assert in_parts < 1.1 * part


@pytest.mark.parametrize("threads", [1, 2])
def test_a_parameter_is_reported_once_and_when_its_gradient_is_complete(threads):
    model, found = gpt(), []
    batch_gradient(model, *batch(5), threads, parts=2, done=lambda p: found.append((p, p.grad)))
    assert sorted(id(p) for p, _ in found) == sorted(map(id, model.parameters()))
    assert all(p.grad is grad for p, grad in found)
    assert found[-1][0] is model.transformer.wte.weight or threads == 2  # all depends on it


@pytest.mark.parametrize("build", [gpt, llama])
@pytest.mark.parametrize("threads", [1, 2])
def test_parameters_are_reported_from_the_last_layer_to_the_first(build, threads):
    model, found = build(n_layer=4) if build is gpt else build(), []
    names = {p: name for name, p in model.named_parameters()}
    batch_gradient(model, *batch(5), threads, done=lambda p: found.append(names[p]))
    blocks = [int(number[1]) for name in found if (number := re.search(r"\.(\d+)\.", name))]
    assert len(set(blocks)) > 1 and blocks == sorted(blocks, reverse=True)


def test_gradients_are_complete_while_the_backward_pass_goes_on():
    model = gpt(n_layer=4)
    visits = [node.is_leaf for node, _ in backpropagate(model(*batch(5))[1])]
    assert visits.index(True) < 0.1 * len(visits)
    assert sum(visits[: len(visits) // 2]) > 0.4 * sum(visits)


def test_a_share_without_a_target_reports_zeros_like_all_others():
    idx, targets = batch(5)
    targets[:2] = IGNORE_INDEX
    reported = []
    for rank in range(3):
        model, found = gpt(dropout=0.3), []
        names = {p: name for name, p in model.named_parameters()}
        report = lambda p, names=names, found=found: found.append(names[p])
        loss = batch_gradient(model, idx, targets, share=(rank, 3), done=report)
        assert (loss == 0) == (rank == 0)
        assert all(np.any(p.grad) == (rank > 0) for p in model.parameters())
        reported.append(found)
    assert reported[0] == reported[1] == reported[2] and len(reported[0]) == len(names)


def test_a_share_draws_from_a_generator_of_its_own_and_the_models_stay(monkeypatch):
    model, streams = gpt(dropout=0.3), []
    before = generators(model)
    seeds = before[0].bit_generator.state
    for _ in range(2):
        streams += parallel._generators(model, 2)
    numbers = [x for stream in [*streams, before[0]] for x in stream.random(1_000)]
    assert len(set(numbers)) == len(numbers)
    assert all(a is b for a, b in zip(before, generators(model)))
    before[0].bit_generator.state = seeds
    again = parallel._generators(model, 2)
    assert [g.random() for g in again] == numbers[0:2000:1000]


def test_in_evaluation_or_without_dropout_no_generator_is_made_and_none_is_used():
    model = gpt(dropout=0.3)
    for m in (gpt(), model.eval()):
        states = [g.bit_generator.state for g in generators(m)]
        batch_gradient(m, *batch(4), 2)
        assert parallel._generators(m, 3) == []
        assert [g.bit_generator.state for g in generators(m)] == states


def test_equal_sequences_in_different_shares_get_different_masks():
    found, model = [], gpt(dropout=0.3)

    class Spy(Dropout):
        def forward(self, x):
            found.append(super().forward(x).data == 0)
            return x

    model.transformer.drop = Spy(0.3, np.random.default_rng(0))
    batch_gradient(model, *(np.repeat(ids, 2, axis=0) for ids in batch(1)), 2)
    first, second = found
    assert (first != second).any()


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_the_error_of_a_share_reaches_the_caller(dropout):
    model, (idx, targets) = gpt(dropout=dropout), batch(4)
    wrong = targets.copy()
    wrong[3] = 9
    with pytest.raises(ValueError, match="targets must be integers from 0 to 8, got .* to 9"):
        batch_gradient(model, idx, wrong, 2)
    assert np.isfinite(batch_gradient(model, idx, targets, 2))


def test_available_cores_are_those_that_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    assert available_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")  # as on a Mac
    assert available_cores() == 64
    monkeypatch.setattr(os, "cpu_count", lambda: None)  # Python could not find out
    assert available_cores() == 1


@pytest.fixture
def two_blas_threads():
    """OpenBLAS with two threads; gives the function that tells how many they are."""
    if parallel._openblas() is None:
        pytest.skip("this NumPy has no OpenBLAS of its own")
    get, set_to = parallel._openblas()
    before = get()
    set_to(2)
    yield get
    set_to(before)


@pytest.mark.parametrize(("wanted", "expected"), [(1, 1), (2, 2), (99, 2)])
def test_blas_threads_are_limited_within_the_block_only(two_blas_threads, wanted, expected):
    with blas_threads(wanted):
        assert two_blas_threads() == expected
    assert two_blas_threads() == 2
    with pytest.raises(ZeroDivisionError), blas_threads(wanted):
        raise ZeroDivisionError
    assert two_blas_threads() == 2


def test_blas_threads_can_be_nested(two_blas_threads):
    with blas_threads(1):
        with blas_threads(2):
            assert two_blas_threads() == 1
        assert two_blas_threads() == 1
    assert two_blas_threads() == 2


def test_blas_threads_of_several_threads_leave_the_setting_as_it_was(two_blas_threads):
    inside, over = threading.Barrier(2), threading.Barrier(2)

    def first():
        with blas_threads(1):
            inside.wait(10)
            over.wait(10)  # the other one begins within this block and ends after it

    worker = threading.Thread(target=first)
    worker.start()
    inside.wait(10)
    with blas_threads(2):
        assert two_blas_threads() == 1
        over.wait(10)
        worker.join(10)
        assert two_blas_threads() == 2
    assert two_blas_threads() == 2


@pytest.mark.parametrize(
    ("worth", "threads", "for_blas"), [(1, None, 2), (1, 1, 2), (1, 2, 1), (10**12, 1, 1)]
)
def test_train_step_limits_blas_and_gives_its_threads_back(
    two_blas_threads, monkeypatch, worth, threads, for_blas
):
    used = []

    class Spy(GPT):
        def forward(self, *arguments):
            used.append(two_blas_threads())
            return super().forward(*arguments)

    monkeypatch.setattr(parallel, "WORTH_DIVIDING", worth)
    monkeypatch.setattr(parallel, "available_cores", lambda: 2)
    model, (idx, targets) = Spy(9, 16, 2, 2, 8, rng=0), batch(2)
    optimizer = SGD(model.parameters())
    train_step(model, optimizer, idx, targets, threads=threads)
    assert set(used) == {for_blas} and two_blas_threads() == 2
    with pytest.raises(ValueError, match="targets"):
        train_step(model, optimizer, idx, targets + 9, threads=threads)
    assert two_blas_threads() == 2


def test_without_openblas_nothing_is_set(monkeypatch):
    monkeypatch.setattr(parallel, "_openblas", lambda: None)
    with blas_threads(1):
        pass
    with pytest.raises(ZeroDivisionError), blas_threads(1):
        raise ZeroDivisionError


def test_freed_memory_is_kept_by_glibc_and_asked_for_once(monkeypatch):
    options = {}
    libc = SimpleNamespace(mallopt=options.__setitem__)
    monkeypatch.setattr(parallel.ctypes, "CDLL", lambda name: libc)
    monkeypatch.setattr(parallel.sys, "platform", "linux")
    parallel.keep_freed_memory.cache_clear()
    keep_freed_memory()
    assert options == {-1: 2**31 - 1, -4: 0, -8: 1}  # M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX
    options.clear()
    keep_freed_memory()  # a second time costs nothing
    assert options == {}


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_without_glibc_memory_is_left_alone(monkeypatch, platform):
    asked = []
    monkeypatch.setattr(parallel.ctypes, "CDLL", lambda name: asked.append(name))
    monkeypatch.setattr(parallel.sys, "platform", platform)
    keep_freed_memory.__wrapped__()
    assert asked == ([None] if platform == "linux" else [])


@pytest.mark.parametrize(
    ("model_size", "sequences", "tokens", "expected"),
    [
        (9, 1, 10, (1, 1)),  # too small to divide
        (10, 5, 5, (2, 1)),  # worth two cores and a half
        (100, 8, 10, (4, 1)),
        (100, 3, 10, (3, 1)),
        (100, 2, 10, (2, 2)),  # few sequences: BLAS uses the other cores
        (100, 1, 10, (1, 4)),
        (1000, 8, 10, (4, 1)),
        (1001, 8, 10, (1, 4)),  # too large to copy
        (1001, 1, 0, (1, 1)),
        (99, 1, 10, (1, 1)),  # BLAS gets the other cores only where each product is large
        (49, 2, 10, (2, 1)),
    ],
)
def test_divide_work(monkeypatch, model_size, sequences, tokens, expected):
    monkeypatch.setattr(parallel, "available_cores", lambda: 4)
    monkeypatch.setattr(parallel, "WORTH_A_CORE", 100)
    monkeypatch.setattr(parallel, "WORTH_DIVIDING", 1000)
    monkeypatch.setattr(parallel, "MOST_COPIED", 4000)
    monkeypatch.setattr(parallel, "_openblas", lambda: "there")
    threads, blas = divide_work(model_size, sequences, tokens)
    assert (threads, blas) == expected
    monkeypatch.setattr(parallel, "_openblas", lambda: None)
    assert divide_work(model_size, sequences, tokens)[0] == 1


@pytest.mark.parametrize(("cores", "of_gpt2"), [(1, (1, 1)), (2, (2, 1)), (4, (1, 4))])
def test_a_tiny_model_gets_one_thread_and_gpt2_few_copies_of_its_gradient(
    monkeypatch, cores, of_gpt2
):
    monkeypatch.setattr(parallel, "available_cores", lambda: cores)
    monkeypatch.setattr(parallel, "_openblas", lambda: "there")
    assert divide_work(10_000, 12, 64) == (1, 1)
    assert divide_work(124_000_000, 12, 1024) == of_gpt2


@pytest.mark.parametrize(("given", "expected"), [(1, (1, 4)), (2, (2, 2)), (99, (3, 1))])
def test_given_threads_are_taken_up_to_one_a_sequence(monkeypatch, given, expected):
    monkeypatch.setattr(parallel, "available_cores", lambda: 4)
    monkeypatch.setattr(parallel, "WORTH_DIVIDING", 1)
    assert divide_work(10, 3, 10, given) == expected


def test_blas_never_divides_the_products_of_a_single_token(two_blas_threads, monkeypatch):
    monkeypatch.setattr(parallel, "WORTH_DIVIDING", 1)
    monkeypatch.setattr(parallel, "available_cores", lambda: 2)
    for tokens, expected in ((1, 1), (2, 2)):
        with parallel.blas_for(gpt(), tokens):
            assert two_blas_threads() == expected
    assert two_blas_threads() == 2


def test_a_training_step_of_a_library_caller_changes_nothing_in_the_process():
    """glibc's settings can only be seen through the function that makes them."""
    code = (
        "import numpy as np\n"
        "from minigrad import parallel\n"
        "from minigrad.gpt import GPT\n"
        "from minigrad.optim import AdamW\n"
        "from minigrad.train import train_step\n"
        "get = parallel._openblas()[0] if parallel._openblas() else lambda: 0\n"
        "before = get()\n"
        "model = GPT(9, 16, 1, 2, 8, rng=0)\n"
        "idx, targets = np.zeros((2, 4, 8), int)\n"
        "train_step(model, AdamW(model.parameters()), idx, targets)\n"
        "print(parallel.keep_freed_memory.cache_info().currsize, get() == before)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", timeout=60, check=True
    )
    assert process.stdout.split() == ["0", "True"]


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_in_threads_keeps_the_order(threads):
    assert in_threads(lambda i: i * i, range(20), threads) == [i * i for i in range(20)]
    assert in_threads(str, [], threads) == []


def test_two_threads_work_at_the_same_time_and_the_slower_result_stays_first():
    second_is_done = threading.Event()

    def work(i):
        assert second_is_done.wait(10) if i == 0 else not second_is_done.set()
        return i

    assert in_threads(work, [0, 1], 2) == [0, 1]


def test_one_thread_is_the_callers_own():
    assert in_threads(lambda _: threading.current_thread(), [0], 1) == [threading.current_thread()]
    assert threading.current_thread() not in in_threads(
        lambda _: threading.current_thread(), [0, 1], 2
    )


@pytest.mark.parametrize("division", [(1, 1), (1, 2), (2, 1), (3, 1), (99, 1)])
def test_evaluation_does_not_depend_on_the_division(monkeypatch, rng, division):
    model, dataset = gpt(dropout=0.5), TextDataset(rng.integers(9, size=100), 8)
    expected = evaluate(model, dataset, 4, 5)
    monkeypatch.setattr(parallel, "divide_work", lambda *sizes: division)
    assert evaluate(model, dataset, 4, 5) == pytest.approx(expected, rel=1e-6)
    assert all(p.grad is None for p in model.parameters())


def test_evaluation_limits_blas(two_blas_threads, monkeypatch, rng):
    used = []

    def spy(function, batches, threads, blas):
        return in_threads(lambda b: used.append(two_blas_threads()) or function(b), batches, 2, 1)

    monkeypatch.setattr(parallel, "in_threads", spy)
    evaluate(gpt(), TextDataset(rng.integers(9, size=100), 8), 4, 3)
    assert used == [1, 1, 1] and two_blas_threads() == 2


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("training", [True, False])
def test_evaluation_that_fails_leaves_the_mode_alone(monkeypatch, rng, threads, training):
    monkeypatch.setattr(parallel, "divide_work", lambda *sizes: (threads, 1))
    model, strange = gpt(dropout=0.5).train(training), TextDataset(rng.integers(9, 99, 100), 8)
    with pytest.raises(IndexError, match="rows 0 to 8"):
        evaluate(model, strange, 4, 3)
    assert all(m.training == training for m in model.modules())


def test_what_holds_for_the_caller_holds_in_the_threads():
    with no_grad(), pytest.raises(RuntimeError, match="nothing to differentiate"):
        batch_gradient(gpt(), *batch(4), 2)
    with np.errstate(over="ignore"):
        settings = in_threads(lambda _: np.geterr()["over"], [0, 1], 2)
    assert settings == ["ignore", "ignore"]


def test_a_parameter_that_is_a_single_number_can_be_clipped_after_threads():
    class Scale(Module):
        def __init__(self):
            self.s = Parameter(np.array(3.0))

        def forward(self, x, y):
            e = self.s * Tensor(x) - y
            return e, (e * e).mean()

    model = Scale()
    batch_gradient(model, np.arange(4.0)[:, None], np.ones((4, 1)), 2)
    assert clip_grad_norm(model.parameters(), 1.0) > 1
    assert model.s.grad == pytest.approx(1.0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_starts_threads_of_its_own():
    in_threads(time.sleep, [0.01, 0.01], 2)
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        os._exit(0 if in_threads(abs, [-1, -2], 2) == [1, 2] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


class Apart(Module):
    """An expert for small ids, and one for large ones: a sequence reaches one of them."""

    def __init__(self):
        self.emb = Embedding(4, 4, rng=np.random.default_rng(0))
        self.small, self.large = Linear(4, 4, rng=1), Linear(4, 4, rng=2)

    def forward(self, idx, targets):
        parts = [(self.large if row.max() > 1 else self.small)(self.emb(row)) for row in idx]
        logits = stack(parts)
        return logits, cross_entropy(logits, targets)


@pytest.mark.parametrize("rows", [[[0, 1], [2, 3]], [[2, 3], [0, 1]], [[0, 1], [0, 1]]])
def test_threads_may_reach_different_parameters(rows):
    idx, models = np.array(rows), (Apart(), Apart())
    for model, threads in zip(models, (1, 2)):
        batch_gradient(model, idx, idx, threads)
    for one, two in zip(*(model.parameters() for model in models)):
        assert (one.grad is None) == (two.grad is None)
        if one.grad is not None:
            np.testing.assert_allclose(one.grad, two.grad, atol=1e-6)
            assert two.grad.base is None  # nobody else's


def test_each_sequence_has_its_targets():
    idx = np.zeros((2, 3), int)
    with pytest.raises(ValueError, match="^2 sequences, but targets for 3$"):
        batch_gradient(gpt(), idx, np.zeros((3, 3), int))
