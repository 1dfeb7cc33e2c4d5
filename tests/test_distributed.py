"""Several processes: they train what one would, each has a part of the work, and all end together.

Most tests let threads stand in for processes; those at the end start real ones, by mpiexec."""

import os
import pickle
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT, long
from minigrad import distributed
from minigrad.checkpoint import CheckpointError, architecture, claimed, load
from minigrad.distributed import (
    DividedOptimizer,
    GradientSum,
    SharedTrainer,
    Team,
    Worker,
    divide_model,
    ending_all,
    follow,
    take_own_cores,
)
from minigrad.nn import Parameter
from minigrad.train import TrainConfig, Trainer
from minigrad.train.__main__ import ALL_OPTIMIZERS, main

TEXT = "the quick brown fox jumps over the lazy dog. " * 40
SIZES = {"n_layer": 2, "n_head": 2, "n_embd": 16, "block_size": 8, "eval_iters": 3}
RATES = {"adamw": {}, "muon": {"learning_rate": 0.04, "min_lr": 0.0}}
BOTH = [pytest.param(name, id=name) for name in ("gpt", "llama")]


class Ended(BaseException):
    """What Abort raises in each of the threads."""


class Meeting:
    """Where n threads leave what they tell each other: the i-th call of each belongs to the i-th of
    all others, as in MPI."""

    def __init__(self, n: int):
        self.calls, self.news, self.ended = [{} for _ in range(n)], threading.Condition(), False

    def ended_with(self, code: int) -> None:
        """Called when the first process ends all; also by a test that wants to know."""

    def leave(self, rank: int, kind: str, value) -> int:
        with self.news:
            if self.ended:
                raise Ended
            number = len(self.calls[rank])
            self.calls[rank][number] = kind, value
            self.news.notify_all()
        return number

    def found(self, number: int) -> bool:
        return all(number in calls for calls in self.calls)

    def wait(self, number: int) -> list:
        """What all have left in their call of this number."""
        with self.news:
            assert self.news.wait_for(lambda: self.ended or self.found(number), 60), "they wait"
            if not self.found(number):
                raise Ended
            kinds, values = zip(*(calls[number] for calls in self.calls))
        assert len(set(kinds)) == 1, f"at the same time {kinds}"
        return list(values)


class Request:
    def __init__(self, meeting: Meeting, number: int, take):
        self.meeting, self.number, self.take = meeting, number, take

    def Test(self) -> bool:
        return self.meeting.found(self.number)

    def Wait(self) -> None:
        self.take(self.meeting.wait(self.number))


class Comm:
    """A communicator of mpi4py, as far as the package needs one, for a thread."""

    def __init__(self, meeting: Meeting, rank: int):
        self.meeting, self.rank, self.size = meeting, rank, len(meeting.calls)
        self.sent: list[int] = []  # the numbers in each message that adds up

    def _all(self, kind: str, value) -> list:
        number = self.meeting.leave(self.rank, kind, pickle.dumps(value))
        return [pickle.loads(value) for value in self.meeting.wait(number)]

    def bcast(self, value, root=0):
        return self._all(f"bcast from {root}", value)[root]

    def gather(self, value):
        values = self._all("gather", value)
        return values if self.rank == 0 else None

    def allgather(self, value) -> list:
        return self._all("allgather", value)

    def allreduce(self, value):
        return sum(self._all("allreduce", value))

    def Iallreduce(self, own: np.ndarray, total: np.ndarray) -> Request:
        self.sent.append(own.size)
        number = self.meeting.leave(self.rank, f"a sum of {own.size} {own.dtype}", own.copy())
        return Request(self.meeting, number, lambda found: np.copyto(total, sum(found)))

    def Ibcast(self, array: np.ndarray, root: int) -> Request:
        assert array.flags.c_contiguous
        kind = f"{array.size} {array.dtype} from {root}"
        number = self.meeting.leave(self.rank, kind, array.copy())
        return Request(self.meeting, number, lambda found: np.copyto(array, found[root]))

    def Abort(self, code: int) -> None:
        with self.meeting.news:
            if not self.meeting.ended:
                self.meeting.ended = True
                self.meeting.ended_with(code)
            self.meeting.news.notify_all()
        raise Ended


def side_by_side(n: int, function) -> list:
    """[function(comm) for each of n processes], which are threads."""
    comms = list(map(partial(Comm, Meeting(n)), range(n)))
    with ThreadPoolExecutor(n) as pool:
        futures = [pool.submit(function, comm) for comm in comms]
        errors = [future.exception() for future in futures]
    for error in sorted(filter(None, errors), key=lambda error: isinstance(error, Ended)):
        raise error
    return [future.result() for future in futures]


def led_by(lead, n: int):
    """What lead(kind of trainer) returns in the first of n processes, which the others follow."""

    def process(comm):
        if comm.rank:
            with ending_all(comm):
                return follow(comm)
        team = Team(comm)
        try:
            return lead(type("SharedTrainer", (SharedTrainer,), {"team": team}))
        finally:
            team.dismiss()

    return side_by_side(n, process)[0]


@pytest.fixture(scope="module")
def text_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "a text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def config(text_file, optimizer="adamw", **options) -> TrainConfig:
    options = {**SIZES, **RATES[optimizer], "optimizer": optimizer, **options}
    return TrainConfig(dataset=text_file, **options)


def results(trainer: Trainer, steps: int, state: dict | None = None) -> tuple[list, dict]:
    """The losses of so many steps, and what a checkpoint then holds."""
    if state:
        trainer.load_state(state)
    losses = [trainer.advance()[0] for _ in range(steps)]
    trainer.evaluate()
    return losses, pickle.loads(pickle.dumps(trainer.state()))


def together(n: int, c: TrainConfig, steps: int, state: dict | None = None) -> tuple[list, dict]:
    """The same by n processes."""
    return led_by(lambda kind: results(kind(c, ALL_OPTIMIZERS), steps, state), n)


@cache
def alone(text_file, steps: int, options: tuple) -> tuple[list, dict]:
    """The same by one process, as if there were no others."""
    return results(Trainer(config(text_file, **dict(options)), ALL_OPTIMIZERS), steps)


def assert_alike(found, expected, place: str = "") -> None:
    """The same structure, its numbers within 1e-5."""
    assert type(found) is type(expected), place
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), place
        for key in expected:
            assert_alike(found[key], expected[key], f"{place}/{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), place
        for i, pair in enumerate(zip(found, expected)):
            assert_alike(*pair, f"{place}/{i}")
    elif isinstance(expected, (float, np.ndarray)):
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=place)
    else:
        assert found == expected, place


def but_for_rounding(state: dict) -> dict:
    """A checkpoint without the biases of a GPT's keys, which change nothing: their gradient is
    rounding, which Adam makes large."""
    for name, array in state["model"].items():
        if name.endswith("c_attn.bias"):
            array[SIZES["n_embd"] : 2 * SIZES["n_embd"]] = 0
    return state


def assert_same_run(found: tuple[list, dict], expected: tuple[list, dict]) -> None:
    (losses, state), (expected_losses, expected_state) = found, expected
    np.testing.assert_allclose(losses, expected_losses, atol=1e-5)
    assert_alike(but_for_rounding(state), but_for_rounding(expected_state))


# batches that 2, 3 or 5 do not divide; shares so small that some processes use fewer threads, or
# have fewer parts
@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 6},
        {"batch_size": 7, "dropout": 0.2, "threads": 2},
        {"batch_size": 3, "dropout": 0.2, "gradient_accumulation_steps": 3, "grad_clip": 0.0},
    ],
    ids=["plain", "dropout and threads", "accumulation, not clipped"],
)
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("model", BOTH)
@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_the_number_of_processes_changes_nothing(text_file, n, model, optimizer, options):
    options = {"architecture": model, "optimizer": optimizer, "learning_rate": 0.01, **options}
    found = together(n, config(text_file, **options), 5)
    assert_same_run(found, alone(text_file, 5, tuple(options.items())))


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("before, after", [(1, 3), (3, 1), (2, 5), (5, 2)])
def test_a_run_goes_on_with_another_number_of_processes(text_file, optimizer, before, after):
    options = {"optimizer": optimizer, "batch_size": 6, "dropout": 0.1, "learning_rate": 0.01}
    losses, state = together(before, config(text_file, **options), 3)
    one_losses, one_state = alone(text_file, 3, tuple(options.items()))
    assert_same_run((losses, state), (one_losses, one_state))
    later = together(after, config(text_file, **options), 3, state)
    last = Trainer(config(text_file, **options), ALL_OPTIMIZERS)  # and with none beside it
    assert_same_run(results(last, 3, state), results(last, 3, one_state))
    assert_same_run(later, results(last, 3, one_state))


def test_what_is_remembered_fits_or_is_refused_as_by_one(text_file):
    c = config(text_file, batch_size=6)
    _, state = together(2, c, 1)
    state["optimizer"]["m"][3] = state["optimizer"]["m"][3][:-1]
    with pytest.raises(ValueError) as expected:
        results(Trainer(c, ALL_OPTIMIZERS), 1, state)
    with pytest.raises(ValueError) as found:
        together(2, c, 1, state)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("n", [2, 4])
def test_each_process_remembers_a_part_and_all_have_the_same_weights(text_file, n, optimizer):
    c = config(text_file, optimizer, n_embd=32)
    make, rng = ALL_OPTIMIZERS[optimizer], np.random.default_rng(1)
    idx, targets = rng.integers(28, size=(2, 5, 8))

    def process(comm):
        model = architecture("gpt")(28, 32, 2, 2, 8, rng=np.random.default_rng(0))
        worker = Worker(comm, model, DividedOptimizer(comm, make, model, c), c)
        for _ in range(3):
            worker.learn_from(idx, targets, [0.01] * len(worker.optimizer.param_groups))
        return n_bytes(worker.optimizer.own), model.collect_state_dict()

    def n_bytes(optimizer) -> int:
        state = optimizer.collect_state_dict()
        lists = [arrays for s in state.get("optimizers", [state]) for arrays in s.values()]
        return sum(array.nbytes for arrays in lists for array in arrays if array.ndim)  # no counts

    sizes, weights = zip(*side_by_side(n, process))
    whole = n_bytes(make(architecture("gpt")(28, 32, 2, 2, 8, rng=0), c))
    assert sum(sizes) == whole
    assert max(sizes) < 1.35 * whole / n
    for other in weights[1:]:
        assert other.keys() == weights[0].keys()
        assert all(np.array_equal(other[name], weights[0][name]) for name in other)


@st.composite
def models(draw):
    n_head, layers = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    sizes = {"n_embd": 4 * n_head * draw(st.integers(1, 4)), "n_layer": layers, "n_head": n_head}
    make = architecture(draw(st.sampled_from(["gpt", "llama"])))
    vocabulary, block_size = draw(st.integers(2, 60)), draw(st.integers(1, 12))
    return make(vocabulary, **sizes, block_size=block_size, rng=0)


@given(models(), st.data())
def test_every_row_belongs_to_one_process_and_the_load_is_even(model, data):
    named = dict(model.named_parameters())
    matrices = [name for name, p in named.items() if ".h." in name or ".layers." in name]
    matrices = [name for name in matrices if named[name].ndim == 2]
    n = data.draw(st.integers(1, len(matrices)))
    pieces = divide_model(model, n)
    assert pieces == divide_model(model, n)  # the same in each process
    times, load = {name: np.zeros(len(p), int) for name, p in named.items()}, [0] * n
    for name, rows, who in pieces:
        times[name][rows] += 1
        load[who] += named[name].data[rows].size
    assert all((count == 1).all() for count in times.values())
    whole = [(name, who) for name, rows, who in pieces if name in matrices]
    assert len(whole) == len(matrices)  # not cut
    assert {who for _, who in whole} == set(range(n))  # each has a matrix
    largest = max(named[name].data[rows].size for name, rows, _ in pieces)
    rows = sum(p.size // len(p) for name, p in named.items() if name not in matrices)
    assert max(load) - min(load) <= largest + rows
    with pytest.raises(ValueError, match=f"processes are too many .* {len(matrices)} matrices"):
        divide_model(model, len(matrices) + 1)


@pytest.mark.parametrize("bucket", [1, 5, 12, 30, 1000])
@pytest.mark.parametrize("n", [1, 3])
def test_buckets_of_every_size_bring_the_sum_of_all_gradients(n, bucket):
    shapes = [(3, 4), (5,), (2, 2), (6, 2)]

    def process(comm):
        params = [Parameter(np.zeros(shape, np.float32)) for shape in shapes]
        rng = np.random.default_rng(comm.rank)
        sums = GradientSum(comm, bucket)
        for _ in range(2):  # it can be used again
            for p in params:
                p.grad = rng.integers(9, size=p.shape).astype(np.float32)
                sums.add(p)
            sums.finish()
        return [p.grad for p in params], comm.sent

    (first, sent), *others = side_by_side(n, process)
    rngs, expected = [np.random.default_rng(rank) for rank in range(n)], []
    for _ in range(2):
        expected = [sum(rng.integers(9, size=shape) for rng in rngs) for shape in shapes]
    for gradients, _ in [(first, sent), *others]:
        for found, shape, whole in zip(gradients, shapes, expected):
            assert found.shape == shape and np.array_equal(found, whole)
    sizes = {1: [12, 5, 4, 12], 5: [12, 5, 16], 12: [12, 21], 30: [33], 1000: [33]}
    assert sent == 2 * sizes[bucket]


@pytest.mark.parametrize(
    "rank, error, text",
    [
        (0, OSError("no disk"), "no disk"),
        (1, ValueError("no\nway"), "no way"),
        (1, MemoryError(), "not enough memory"),
        (2, KeyError("x"), "KeyError: 'x'"),
    ],
)
def test_an_error_in_any_process_ends_all_and_is_told_with_its_place(
    text_file, monkeypatch, capsys, rank, error, text
):
    learn_from, codes = Worker.learn_from, []

    def fail(worker, *batch):
        if worker.comm.rank == rank:
            raise error
        return learn_from(worker, *batch)

    def lead(kind):
        monkeypatch.setattr(kind.team.comm.meeting, "ended_with", codes.append)
        results(kind(config(text_file, batch_size=6), ALL_OPTIMIZERS), 1)

    monkeypatch.setattr(Worker, "learn_from", fail)
    with pytest.raises(Ended):
        led_by(lead, 3)
    *before, last = capsys.readouterr().err.splitlines()
    assert last == f"error: process {rank} on {socket.gethostname()}: {text}"
    is_a_fault = isinstance(error, KeyError)  # of the program, of which one wants to know more
    assert before[:1] == ["Traceback (most recent call last):"] * is_a_fault
    assert codes == [2]


def test_ctrl_c_in_the_middle_of_a_step_ends_all(text_file, monkeypatch, capsys):
    codes = []

    def interrupted(*batch):
        raise KeyboardInterrupt

    def lead(kind):
        monkeypatch.setattr(kind.team.comm.meeting, "ended_with", codes.append)
        trainer = kind(config(text_file, batch_size=6), ALL_OPTIMIZERS)
        monkeypatch.setattr(trainer.worker, "learn_from", interrupted)
        trainer.advance()

    with pytest.raises(Ended):
        led_by(lead, 3)
    assert codes == [130]
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "n, options, message",
    [
        (
            3,
            {"batch_size": 2},
            "3 processes need at least so many sequences .* batch_size makes it 2",
        ),
        (
            9,
            {"batch_size": 9},
            "9 processes are too many for a model with 8 matrices in its blocks",
        ),
        (2, {"optimizer": "sgd"}, "optimizer must be adamw or muon, got sgd"),
        (2, {"block_size": 5000}, "needs a text of at least 50,001 characters"),
    ],
)
def test_what_cannot_be_is_refused_by_the_first_and_the_others_end(
    text_file, capsys, n, options, message
):
    with pytest.raises(ValueError, match=message):
        options = {"optimizer": "adamw", **options}
        c = TrainConfig(dataset=text_file, **{**SIZES, **options})
        led_by(lambda kind: kind(c, ALL_OPTIMIZERS), n)


@pytest.mark.parametrize("changed", ["package", "numpy"])
def test_another_version_in_one_process_is_found_at_the_start(monkeypatch, changed, text_file):
    def other(comm):
        comm.gather(("elsewhere", "0123"))
        assert comm.bcast(None) is None

    def process(comm):
        if comm.rank == 1:
            return other(comm)
        if comm.rank:
            return follow(comm)
        team = Team(comm)
        kind = type("SharedTrainer", (SharedTrainer,), {"team": team})
        with pytest.raises(ValueError, match="process 1, on elsewhere, runs another version"):
            kind(config(text_file), ALL_OPTIMIZERS)
        team.dismiss()

    side_by_side(3, process)
    if changed == "numpy":
        before = distributed.fingerprint()
        monkeypatch.setattr(np, "__version__", "1.0")
        assert distributed.fingerprint() != before


@pytest.mark.parametrize(
    "available, expected",
    [
        ([{0, 1}] * 2, [{0}, {1}]),
        ([{2, 5, 7}] * 2, [{2, 7}, {5}]),
        ([{0, 1}] * 5, [{0}, {1}, {0}, {1}, {0}]),
        ([{3}, {4}], [{3}, {4}]),  # mpiexec has given each its own already
        ([{0, 1}, {0, 1}, {2, 3}, {2, 3}], [{0}, {1}, {2}, {3}]),
    ],
)
def test_the_cores_of_a_machine_are_divided(monkeypatch, available, expected):
    taken = {}
    monkeypatch.setattr(os, "sched_setaffinity", lambda _, cores: taken.update({rank: set(cores)}))
    for rank, cores in enumerate(available):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(cores))
        take_own_cores(SimpleNamespace(rank=rank, allgather=lambda cores: available))
    assert [taken[rank] for rank in range(len(available))] == expected


# Processes that mpiexec starts

BESIDE = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
MPIEXEC = shutil.which("mpiexec", path=BESIDE)
needs_mpi = pytest.mark.skipif(
    not (MPIEXEC and find_spec("mpi4py")), reason="needs the extra mpi, mpi4py and mpiexec"
)
RUN = {"n_layer": 1, "n_embd": 16, "n_head": 2, "block_size": 8, "batch_size": 5, "dropout": 0.1}
RUN |= {
    "architecture": "llama",
    "optimizer": "adamw",
    "max_iters": 60,
    "eval_interval": 3,
    "eval_iters": 1,
}
TRAIN = [sys.executable, "-m", "minigrad.train"]


def arguments(**options) -> list[str]:
    pairs = ((f"--{name.replace('_', '-')}", str(value)) for name, value in options.items())
    return [text for pair in pairs for text in pair]


def start(*command, env=None) -> subprocess.Popen:
    return subprocess.Popen(
        [MPIEXEC, *map(str, command)],
        cwd=Path(sys.executable).parent,  # where no minigrad is
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1", **(env or {})},
    )


def end(process: subprocess.Popen, seconds: float = 60) -> SimpleNamespace:
    """What it has said and how it ended, which it must have done by then: ten seconds are enough
    for all that is tried here, but on a busy machine."""
    try:
        stdout, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail(f"did not end in {seconds} s: {process.communicate()}")
    errors = re.findall("(?:error|Traceback|.*Warning).*", stderr)
    return SimpleNamespace(code=process.returncode, stdout=stdout, stderr=stderr, errors=errors)


def mpi(*command, env=None) -> SimpleNamespace:
    return end(start(*command, env=env))


def processes_of(mpiexec: subprocess.Popen) -> dict[int, int]:
    """The process of each rank."""

    def below(pid: int) -> Iterator[int]:
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield int(child)
            yield from below(int(child))

    ranks = {}
    for pid in below(mpiexec.pid):
        if found := re.search(rb"\0PMI_RANK=(\d+)", Path(f"/proc/{pid}/environ").read_bytes()):
            ranks[int(found[1])] = pid
    return ranks


@pytest.fixture
def run(text_file, tmp_path):
    """The arguments of a run in a folder of its own."""
    return arguments(dataset=text_file, out_dir=tmp_path / "out", **RUN)


@pytest.fixture(scope="module")
def undisturbed(text_file, tmp_path_factory):
    """The last checkpoint of that run in one process."""
    out = tmp_path_factory.mktemp("alone")
    assert main(arguments(dataset=text_file, out_dir=out, **RUN)) == 0
    return load(out / "latest.pkl")


def assert_as_undisturbed(found: Path, expected: dict) -> None:
    """The same checkpoint, but for its folder; and nothing else is in that."""
    assert sorted(path.name for path in found.iterdir()) == ["best.pkl", "latest.pkl"]
    state = load(found / "latest.pkl")
    for content in (state, expected):
        content["config"]["out_dir"] = ""
    assert_alike(state, expected)


@needs_mpi
def test_mpiexec_trains_what_one_process_trains_and_one_of_them_speaks(run, tmp_path, undisturbed):
    found = mpi("-n", 2, *TRAIN, *run)
    assert (found.code, found.errors) == (0, [])
    first, *lines, last = found.stdout.splitlines()
    assert first.startswith("a Llama of ") and last.startswith("best validation loss ")
    assert [line.split(":")[0] for line in lines] == [f"step {i}" for i in range(3, 61, 3)]
    assert_as_undisturbed(tmp_path / "out", undisturbed)


@needs_mpi
@pytest.mark.parametrize("numbers", [(2, 1, 2), (3, 2)])
def test_a_run_is_resumed_by_another_number_of_processes(run, tmp_path, undisturbed, numbers):
    *before, last = numbers
    for i, n in enumerate(before, 1):
        stop = arguments(max_iters=18 * i, lr_decay_iters=60, warmup_iters=3)
        found = mpi("-n", n, *TRAIN, *run, *stop, *["--resume"][: i - 1])
        assert (found.code, found.errors) == (0, [])
    found = mpi("-n", last, *TRAIN, "--resume", *arguments(out_dir=tmp_path / "out", max_iters=60))
    assert (found.code, found.errors) == (0, [])
    state = load(tmp_path / "out" / "latest.pkl")
    as_run = ("config", "derived")  # the options, of which others were given
    assert_alike(*({k: c[k] for k in c.keys() - as_run} for c in (state, undisturbed)))


@needs_mpi
@pytest.mark.parametrize(
    "options, message",
    [
        ({"batch_size": 0}, "error: batch_size must be at least 1, got 0"),
        ({"batch_size": 1}, "error: 2 processes need at least so many sequences in a step"),
        ({"n_layer": "two"}, "error: argument --n-layer: invalid int value: 'two'"),
    ],
)
def test_mpiexec_and_bad_options(run, tmp_path, options, message):
    found = mpi("-n", 2, *TRAIN, *run, *arguments(**options))
    assert (found.code, found.stdout) == (2, "")
    assert len(found.errors) == 1 and message in found.errors[0]
    assert not (tmp_path / "out").exists()


@needs_mpi
def test_mpiexec_and_help():
    found = mpi("-n", 2, *TRAIN, "--help")
    assert (found.code, found.stderr) == (0, "")
    assert found.stdout.count("usage:") == 1


@needs_mpi
def test_a_process_without_others_is_alone(run, tmp_path, undisturbed):
    found = mpi("-n", 1, *TRAIN, *run, *arguments(max_iters=3))
    assert (found.code, found.errors) == (0, [])


def is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in "ZX"
    except OSError:
        return False


def wait_until_free(folder: Path, seconds: float = 10) -> None:
    """mpiexec may be gone a moment before the last of its processes, which lets the folder go."""
    limit = time.monotonic() + seconds
    while True:
        try:
            with claimed(folder):
                return
        except CheckpointError:
            assert time.monotonic() < limit, "a process is left"
            time.sleep(0.01)


def assert_can_go_on(run: list[str], tmp_path: Path, undisturbed: dict) -> None:
    """The last checkpoint is whole, and with what follows the run is as if nothing had been."""
    wait_until_free(tmp_path / "out")
    assert 3 <= load(tmp_path / "out" / "latest.pkl")["step"] < 60
    assert main([*run, "--resume"]) == 0
    assert_as_undisturbed(tmp_path / "out", undisturbed)


@needs_mpi
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the processes in /proc")
@pytest.mark.parametrize("rank", [0, 1])
def test_a_process_that_is_killed_ends_all_and_the_run_can_go_on(run, tmp_path, undisturbed, rank):
    process = start("-n", 2, *TRAIN, *run)
    assert any("step 3:" in line for line in process.stdout)
    ranks = processes_of(process)
    os.kill(ranks[rank], signal.SIGKILL)
    found = end(process)
    assert found.code != 0 and not any(map(is_there, ranks.values()))
    assert_can_go_on(run, tmp_path, undisturbed)


@needs_mpi
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="finds the processes in /proc")
@pytest.mark.parametrize(
    "whom, number",
    [
        ("its group", signal.SIGINT),  # as a terminal does
        ("mpiexec", signal.SIGTERM),
        *long(
            ("mpiexec", signal.SIGINT),
            ("all processes", signal.SIGINT),
            ("all processes", signal.SIGTERM),
        ),
    ],
)
def test_a_signal_stops_all_after_a_checkpoint(run, tmp_path, undisturbed, whom, number):
    process = start("-n", 2, *TRAIN, *run)
    assert any("step 3:" in line for line in process.stdout)
    if whom == "mpiexec":
        process.send_signal(number)
    elif whom == "its group":
        os.killpg(process.pid, number)
    else:
        for pid in processes_of(process).values():
            os.kill(pid, number)
    found = end(process)
    assert (found.code, found.errors) == (130, [])
    assert found.stdout.count("is safe: go on with --resume") == 1
    assert_can_go_on(run, tmp_path, undisturbed)


FAULT = """
import os
from minigrad import {module} as module
right, calls = module.{name}, []
def wrong(*arguments):
    calls.append(1)
    if len(calls) == 5:
        raise {error}
    return right(*arguments)
if os.environ["PMI_RANK"] == "{rank}":
    module.{name} = wrong
"""


@needs_mpi
@pytest.mark.parametrize(
    "rank, module, name, error, place",
    [
        (1, "parallel", "batch_gradient", "ArithmeticError('no sum')", "process 1 on {}: Arithm"),
        (0, "parallel", "batch_gradient", "MemoryError()", "process 0 on {}: not enough memory"),
        (0, "checkpoint", "whole_file", "OSError(28, 'disk full')", "[Errno 28] disk full"),
    ],
)
def test_an_error_in_one_process_ends_all_with_one_line(
    run, tmp_path, undisturbed, rank, module, name, error, place
):
    fault = FAULT.format(module=module, name=name, error=error, rank=rank)
    (tmp_path / "sitecustomize.py").write_text(fault)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    found = end(start("-n", 2, *TRAIN, *run, env={"PYTHONPATH": path}))
    assert found.code == 2 and len(found.errors) == 1
    assert found.errors[0].startswith("error: " + place.format(socket.gethostname()))
    assert_can_go_on(run, tmp_path, undisturbed)


@needs_mpi
def test_another_version_of_one_process_is_named(run, tmp_path):
    shutil.copytree(ROOT / "minigrad", tmp_path / "other" / "minigrad")
    path = tmp_path / "other" / "minigrad" / "losses.py"
    path.write_bytes(path.read_bytes() + b"\n")
    other = ["env", f"PYTHONPATH={path.parents[1]}", *TRAIN, *run]
    found = mpi("-n", 1, *TRAIN, *run, ":", "-n", 1, *other)
    assert (found.code, found.stdout) == (2, "")
    host = socket.gethostname()
    assert len(found.errors) == 1
    assert f"error: process 1, on {host}, runs another version of minigrad" in found.errors[0]
    assert not (tmp_path / "out").exists()


def without_mpi(folder: Path) -> str:
    """A PYTHONPATH on which mpi4py cannot be imported."""
    (folder / "mpi4py").mkdir()
    (folder / "mpi4py" / "__init__.py").write_text("raise ModuleNotFoundError('no mpi4py')")
    return os.pathsep.join([str(folder), str(ROOT)])


@needs_mpi
def test_without_mpi4py_one_line_says_what_to_install(run, tmp_path):
    found = mpi("-n", 2, *TRAIN, *run, env={"PYTHONPATH": without_mpi(tmp_path)})
    assert found.code != 0 and len(found.errors) == 1
    assert re.match(r'error: .*pip install "minigrad-course\[mpi\]"', found.errors[0])


@needs_mpi
def test_without_mpi4py_in_one_process_all_end(run, tmp_path):
    other = ["env", f"PYTHONPATH={without_mpi(tmp_path)}", *TRAIN, *run]
    found = end(start("-n", 1, *TRAIN, *run, ":", "-n", 1, *other))
    assert found.code != 0 and len(found.errors) == 1
    assert re.match(r'error: .*pip install "minigrad-course\[mpi\]"', found.errors[0])


@needs_mpi
def test_a_foreign_mpiexec_is_noticed(run, tmp_path):
    """Each process would take itself for the only one."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMPI_COMM_WORLD_SIZE": "2"}
    env |= {"OMPI_COMM_WORLD_RANK": "0"}
    found = subprocess.run([*TRAIN, *run], env=env, capture_output=True, text=True, timeout=30)
    assert found.returncode != 0
    assert "error: mpiexec has started several processes, of which mpi4py" in found.stderr
    assert not (tmp_path / "out").exists()


@needs_mpi
def test_who_waits_in_vain_at_the_start_ends(run, tmp_path):
    """One process ends before MPI knows of it, by a fault that is not ours."""
    impatient = "import minigrad.distributed as d; d.PATIENCE = 1; d.main_together()"
    other = [sys.executable, "-c", "raise SystemExit(1)"]
    found = mpi("-n", 1, sys.executable, "-c", impatient, *run, ":", "-n", 1, *other)
    assert found.code != 0
    assert not (tmp_path / "out").exists()


@needs_mpi
@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="the system cannot tell")
def test_mpiexec_and_the_cores(tmp_path):
    script = """if True:
        import os
        from minigrad import distributed
        distributed.Team = lambda comm: None
        distributed.lead = distributed.follow = lambda *_: print(sorted(os.sched_getaffinity(0)))
        distributed.main_together()"""
    found = mpi("-n", 2, sys.executable, "-c", script)
    assert (found.code, found.errors) == (0, [])
    cores = sorted(os.sched_getaffinity(0))
    expected = [cores[::2], cores[1::2] or cores]
    assert sorted(re.findall(r"\[.+?\]", found.stdout)) == sorted(map(str, expected))
