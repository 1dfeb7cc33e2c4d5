"""Checkpoints: nothing is lost in writing, and nothing is trusted in reading."""

import collections
import fractions
import hashlib
import math
import os
import pickle
import signal
import subprocess
import sys
import time
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad import checkpoint
from minigrad.bpe import BPETokenizer
from minigrad.checkpoint import (
    LARGEST,
    CheckpointError,
    CheckpointManager,
    NewerFormat,
    claimed,
    load,
    load_model,
    save,
    shrink,
    whole_file,
)
from minigrad.checkpoint.__main__ import main
from minigrad.data import SimpleTokenizer
from minigrad.gpt import GPT
from minigrad.llama import Llama

RNG = np.random.default_rng

CONTENT = {
    "weights": {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array(1.5)},
    "list": [1, 2.5, True, None, "text", b"bytes", (1, 2)],
    "scalar": np.float32(3),
    "big": 2**127,
    "ordered": collections.OrderedDict(x=1),
    "transposed": np.arange(6).reshape(2, 3).T,
    "empty": np.zeros((0, 3)),
}


def same(a, b) -> bool:
    return pickle.dumps(a) == pickle.dumps(b)


def test_round_trip(tmp_path):
    save(tmp_path / "new folder" / "c.pkl", CONTENT)
    loaded = load(tmp_path / "new folder" / "c.pkl")
    assert same(loaded["list"], CONTENT["list"]) and loaded["big"] == CONTENT["big"]
    for name, array in CONTENT["weights"].items():
        np.testing.assert_array_equal(loaded["weights"][name], array)
        assert loaded["weights"][name].dtype == array.dtype
    np.testing.assert_array_equal(loaded["transposed"], CONTENT["transposed"])
    assert [p.name for p in (tmp_path / "new folder").iterdir()] == ["c.pkl"]


@pytest.mark.parametrize("protocol", range(6))
def test_plain_pickles_of_arrays_load_in_every_protocol(tmp_path, protocol):
    (tmp_path / "c.pkl").write_bytes(pickle.dumps(CONTENT["weights"], protocol=protocol))
    np.testing.assert_array_equal(load(tmp_path / "c.pkl")["a"], CONTENT["weights"]["a"])


class Runs:
    """A pickle that calls a function when it is loaded."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "hostile",
    [
        Runs(os.system, "touch harmed"),
        Runs(eval, "open('harmed', 'w')"),
        Runs(getattr, np.ndarray, "tofile"),
        Runs(np.save, "harmed", np.ones(1)),
        Runs(Path.touch, Path("harmed")),
        fractions.Fraction(1, 2),
        {1, 2},
        1j,
        np.array([object], dtype=object),
        np.array(["text"]),
        os.system,
        CheckpointManager,
    ],
    ids=repr,
)
def test_anything_but_arrays_and_containers_is_refused(tmp_path, monkeypatch, hostile):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.pkl").write_bytes(pickle.dumps({"model": [hostile]}))
    with pytest.raises(CheckpointError, match="no intact checkpoint: it (asks for|holds)"):
        load(tmp_path / "c.pkl")
    assert [p.name for p in tmp_path.iterdir()] == ["c.pkl"]


def nested(levels: int) -> list:
    """A small pickle that has 10**levels parts when it is walked through."""
    x = []
    for _ in range(levels):
        x = [x] * 10
    return x


def cyclic() -> list:
    x = []
    x.append(x)
    return x


@pytest.mark.parametrize(
    "hostile",
    [
        Runs(np.ndarray, Runs(np.dtype, "f4"), "O", b"A" * 8),  # would forge object pointers
        Runs(np.ndarray, (1,), "O", b"A" * 8),
        Runs(np.ndarray, (10**12,), "f8"),
        Runs(np.dtype, "O"),
        nested(40),
        cyclic(),
    ],
    ids=["pointers", "pointer", "huge", "objects", "nested", "cyclic"],
)
@pytest.mark.timeout(120)
def test_hostile_pickles_neither_crash_nor_hang(tmp_path, hostile):
    (tmp_path / "c.pkl").write_bytes(pickle.dumps({"x": hostile}))
    with pytest.raises(CheckpointError):
        load(tmp_path / "c.pkl")


@pytest.mark.parametrize("content", [{1, 2}, Path("x"), 1j, np.array(["a"]), np.array([None])])
def test_what_could_not_be_loaded_is_not_saved(tmp_path, content):
    with pytest.raises(TypeError, match="it holds a"):
        save(tmp_path / "c.pkl", {"x": content})
    assert not list(tmp_path.iterdir())


def test_missing_empty_and_truncated_checkpoints(tmp_path):
    path = tmp_path / "c.pkl"
    with pytest.raises(CheckpointError, match="no checkpoint at .*c.pkl"):
        load(path)
    raw = pickle.dumps(CONTENT)
    for length in [0, 1, 10, len(raw) // 2, len(raw) - 1]:
        path.write_bytes(raw[:length])
        with pytest.raises(CheckpointError, match="no intact checkpoint"):
            load(path)


@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4))
def test_damaged_bytes_never_do_worse_than_an_error(tmp_path_factory, changes):
    path = tmp_path_factory.mktemp("damaged") / "c.pkl"
    raw = bytearray(pickle.dumps(CONTENT))
    for position, byte in changes:
        raw[position % len(raw)] = byte
    path.write_bytes(raw)
    try:
        content = load(path)
    except CheckpointError:
        return
    assert is_plain(content)


def is_plain(content) -> bool:
    """Whether it is made of arrays, numbers, texts and plain containers, and of nothing else."""
    if isinstance(content, dict):
        return all(is_plain(part) for pair in content.items() for part in pair)
    if type(content) in (list, tuple):
        return all(map(is_plain, content))
    if isinstance(content, (np.ndarray, np.generic)):
        return content.dtype.kind in "biufSU"
    return content is None or type(content) in (bool, int, float, str, bytes)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "c.pkl"
    save(path, {"version": 1})
    with pytest.raises(TypeError):
        save(path, {"version": 2, "unpicklable": (i for i in range(3))})
    monkeypatch.setattr(os, "fsync", lambda fd: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(path, {"version": 3})
    assert load(path) == {"version": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["c.pkl"]


def test_no_room_for_the_new_file_leaves_the_old_one(tmp_path):
    """A limit on the size of files, set in a process of its own, stands in for a full disk."""
    pytest.importorskip("resource", reason="this system has no limits on file sizes")
    code = (
        "import resource\nimport numpy as np\nfrom minigrad.checkpoint import save\n"
        "save('c.pkl', {'version': 1})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "try:\n"
        "    save('c.pkl', {'version': 2, 'a': np.zeros(100_000)})\n"
        "except OSError:\n"
        "    print('no room')\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert process.stdout == "no room\n", process.stderr
    assert load(tmp_path / "c.pkl") == {"version": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["c.pkl"]


def run_code(code, folder):
    return subprocess.run([sys.executable, "-c", code], cwd=folder, timeout=60).returncode


@pytest.mark.parametrize("moment", ["os.fsync", "os.replace"])
def test_a_process_that_is_gone_at_once_leaves_the_old_file(tmp_path, moment):
    save(tmp_path / "c.pkl", {"version": 1})
    code = (
        "import os\nfrom minigrad.checkpoint import save\n"
        f"{moment} = lambda *_: os._exit(9)\n"
        "save('c.pkl', {'version': 2})\n"
    )
    assert run_code(code, tmp_path) == 9
    assert load(tmp_path / "c.pkl") == {"version": 1}


def test_a_killed_process_leaves_a_whole_file(tmp_path):
    """It says when it has saved, and is killed while it writes the next one."""
    code = (
        "import numpy as np\nfrom minigrad.checkpoint import save\n"
        "i = 0\n"
        "while True:\n"
        "    save('c.pkl', {'a': np.full(300_000, i), 'b': np.full(300_000, i)})\n"
        "    print(i, flush=True)\n"
        "    i += 1\n"
    )
    for n_saved in (1, 2, 5):
        with subprocess.Popen(
            [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE
        ) as process:
            said = [process.stdout.readline() for _ in range(n_saved)]
            process.kill()
        assert said[-1].split() == [b"%d" % (n_saved - 1)]
        content = load(tmp_path / "c.pkl")
        assert content["a"][0] >= n_saved - 1
        assert (content["a"] == content["a"][0]).all() and (content["b"] == content["a"][0]).all()


def test_a_whole_file_appears_when_its_block_ends(tmp_path):
    path = tmp_path / "a folder" / "x.bin"
    with whole_file(path) as file:
        file.write(b"one ")
        file.write(b"two")
        assert not path.exists()
    assert path.read_bytes() == b"one two"
    with pytest.raises(KeyboardInterrupt), whole_file(path) as file:
        file.write(b"half of")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"one two"
    assert [p.name for p in path.parent.iterdir()] == ["x.bin"]


def test_manager_keeps_latest_and_best(tmp_path):
    manager = CheckpointManager(tmp_path)
    assert manager.best_val_loss == float("inf")
    for step, loss in enumerate([3.0, 2.0, 2.5, float("nan")]):
        manager.save({"step": step}, loss)
    manager.save({"step": 4})
    assert load(manager.latest)["step"] == 4
    assert load(manager.best) == {"step": 1, "val_loss": 2.0}


@pytest.mark.parametrize("loads", [True, False])
def test_a_new_manager_does_not_replace_a_better_best(tmp_path, loads):
    CheckpointManager(tmp_path).save({"step": 1}, 2.0)
    again = CheckpointManager(tmp_path)
    if loads:
        content, remark = again.load_newest()
        assert content["step"] == 1 and remark == ""
    again.save({"step": 2}, 2.2)
    assert load(again.best)["step"] == 1 and load(again.latest)["step"] == 2
    again.save({"step": 3}, 1.9)
    assert load(again.best)["step"] == 3


def test_a_checkpoint_of_an_older_version_lets_best_speak_for_itself(tmp_path):
    save(tmp_path / "best.pkl", {"step": 1, "val_loss": 2.0})
    save(tmp_path / "latest.pkl", {"step": 5, "val_loss": 2.5})
    manager = CheckpointManager(tmp_path)
    assert manager.load_newest() == ({"step": 5, "val_loss": 2.5}, "")
    assert manager.best_val_loss == 2.0


@pytest.mark.parametrize("age", [-1, 1])  # a copied folder tells nothing by its times
def test_a_run_killed_between_its_two_files_goes_on_from_the_best(tmp_path, age):
    manager = CheckpointManager(tmp_path)
    manager.save({"step": 1}, 2.0)
    save(manager.best, {"step": 2, "val_loss": 1.5})
    time = manager.latest.stat().st_mtime_ns + age
    os.utime(manager.best, ns=(time, time))
    again = CheckpointManager(tmp_path)
    content, remark = again.load_newest()
    assert content["step"] == 2 and again.best_val_loss == 1.5
    assert remark == f"going on from {manager.best} at step 2"


@pytest.mark.parametrize("damage", [os.remove, lambda path: path.write_bytes(b"\x80\x05]")])
@pytest.mark.parametrize(("lost", "step", "best"), [("latest", 1, 1), ("best", 2, 3)])
def test_one_intact_file_is_enough(tmp_path, damage, lost, step, best):
    manager = CheckpointManager(tmp_path)
    manager.save({"step": 1}, 2.0)
    manager.save({"step": 2}, 2.5)
    path = tmp_path / f"{lost}.pkl"
    damage(path)
    again = CheckpointManager(tmp_path)
    content, remark = again.load_newest()
    assert content["step"] == step
    assert str(path) in remark and f"at step {step}" in remark and "\n" not in remark
    again.save({"step": 3}, 2.2)  # worse than a best that is there; the first if it was lost
    assert load(again.best)["step"] == best and load(again.latest)["step"] == 3


def test_what_is_wrong_and_where_it_goes_on_are_one_line(tmp_path):
    CheckpointManager(tmp_path).save({"step": 1}, 2.0)
    (latest := tmp_path / "latest.pkl").write_bytes(b"damaged")
    _, remark = CheckpointManager(tmp_path).load_newest()
    damaged, going_on = remark.split("; ")
    assert damaged.startswith(f"{latest} is no intact checkpoint: ")
    assert going_on == f"going on from {tmp_path / 'best.pkl'} at step 1"


def test_a_deep_model_without_biases_has_as_many_weights_as_it_needs(tmp_path):
    model = GPT(**{**SIZES, "n_layer": 5, "bias": False})
    content = {"model_args": model.config, "model": model.collect_state_dict()}
    save(tmp_path / "c.pkl", content)
    assert load_model(tmp_path / "c.pkl")[0].num_parameters() == model.num_parameters()
    content["model"] = dict(list(content["model"].items())[-29:])
    save(tmp_path / "c.pkl", content)
    with pytest.raises(CheckpointError, match="it has fewer weights than a GPT of its sizes$"):
        load_model(tmp_path / "c.pkl")


def test_characters_are_held_as_one_text():
    entry = checkpoint.tokenizer_entry(SimpleTokenizer("\nab诗"))
    assert entry == {"characters": "\nab诗"}
    assert checkpoint.held_tokenizer(entry).characters == ["\n", "a", "b", "诗"]
    assert checkpoint.held_tokenizer({}) is None


def test_without_an_intact_file_nothing_goes_on(tmp_path):
    manager = CheckpointManager(tmp_path)
    with pytest.raises(CheckpointError, match="no checkpoint at .*latest.pkl"):
        manager.load_newest()
    manager.latest.write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="latest.pkl is no intact checkpoint"):
        manager.load_newest()
    for content in ({"weights": 1}, [3], {"step": None}):
        save(manager.latest, content)
        with pytest.raises(ValueError, match="latest.pkl holds no run to continue"):
            manager.load_newest()


def test_a_folder_is_claimed_by_one_process_and_tidied(tmp_path):
    for name in ("latest.pkl.12.tmp", "best.pkl.0a1b.tmp", "mine.pkl.0a1b.tmp", "latest.pkl"):
        (tmp_path / name).touch()
    with claimed(tmp_path):
        assert sorted(p.name for p in tmp_path.iterdir()) == ["latest.pkl", "mine.pkl.0a1b.tmp"]
        with pytest.raises(CheckpointError, match=f"another run is training in {tmp_path}"):
            with claimed(tmp_path):
                pass
        code = f"from minigrad.checkpoint import *; claimed({str(tmp_path)!r}).__enter__()"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert "another run is training" in other.stderr
    with claimed(tmp_path):
        pass
    assert sorted(p.name for p in tmp_path.iterdir()) == ["latest.pkl", "mine.pkl.0a1b.tmp"]
    with pytest.raises(CheckpointError, match="no checkpoint at .*nowhere"):
        with claimed(tmp_path / "nowhere"):
            pass


def test_the_claim_of_a_killed_process_ends_with_it(tmp_path):
    code = f"""
import os, signal
from minigrad.checkpoint import claimed
claim = claimed({str(tmp_path)!r})
claim.__enter__()
os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code]).returncode == -signal.SIGKILL
    with claimed(tmp_path):
        assert not list(tmp_path.iterdir())


def test_unfinished_files_have_names_of_their_own(tmp_path):
    with whole_file(tmp_path / "x") as one, whole_file(tmp_path / "x") as other:
        one.write(b"one")
        other.write(b"other")
        assert len({one.name, other.name, *map(str, tmp_path.iterdir())}) == 2
    assert (tmp_path / "x").read_bytes() == b"one"  # the block that ended last
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("loss", [3.0, math.inf])
def test_with_overwrite_what_was_there_goes_when_there_is_something_new(tmp_path, loss):
    CheckpointManager(tmp_path).save({"step": 9}, 2.0)
    manager = CheckpointManager(tmp_path, overwrite=True)
    assert load(manager.latest)["step"] == load(manager.best)["step"] == 9
    manager.save({"step": 1}, loss)
    assert load(manager.latest)["step"] == 1
    assert load(manager.best)["step"] == 1 if loss < math.inf else not manager.best.exists()
    manager.save({"step": 2}, 5.0)
    assert load(manager.latest)["step"] == 2
    assert load(manager.best)["step"] == (1 if loss < math.inf else 2)


@pytest.mark.parametrize("loss", [3.0, math.inf])
def test_with_overwrite_there_need_not_be_anything_to_replace(tmp_path, loss):
    manager = CheckpointManager(tmp_path, overwrite=True)
    manager.save({"step": 1}, loss)
    assert load(manager.latest)["step"] == 1 and manager.best.exists() == (loss < math.inf)


def test_a_new_run_that_is_killed_within_its_first_save_is_the_one_that_is_resumed(
    tmp_path, monkeypatch
):
    CheckpointManager(tmp_path).save({"step": 9}, 2.0)
    manager = CheckpointManager(tmp_path, overwrite=True)
    real = checkpoint.save
    monkeypatch.setattr(checkpoint, "save", lambda p, c: real(p, c) if p == manager.best else 1 / 0)
    with pytest.raises(ZeroDivisionError):
        manager.save({"step": 1}, 3.0)
    assert CheckpointManager(tmp_path).load_newest()[0]["step"] == 1


def test_what_is_no_file_is_not_replaced_and_a_link_leads_to_its_file(tmp_path):
    fifo, link, file = (tmp_path / name for name in ("fifo", "link.pkl", "file.pkl"))
    if hasattr(os, "mkfifo"):
        os.mkfifo(fifo)
        with pytest.raises(OSError, match="a device or a pipe"):
            save(fifo, {"a": 1})
        assert not fifo.is_file() and fifo.exists()
    save(file, {"a": 1})
    link.symlink_to(file)
    save(link, {"a": 2})
    assert link.is_symlink() and load(file) == {"a": 2}


def test_a_best_that_no_run_wrote_is_not_replaced(tmp_path):
    for content in ({"step": 1}, [1, 2], {"val_loss": None}):
        save(tmp_path / "best.pkl", content)
        with pytest.raises(ValueError, match="best.pkl holds no run to continue"):
            CheckpointManager(tmp_path).save({"step": 2}, 1.0)
        assert load(tmp_path / "best.pkl") == content


def test_load_model_names_what_is_missing(tmp_path):
    path = tmp_path / "c.pkl"
    sizes = {"vocab_size": 5, "n_embd": 4, "n_layer": 1, "n_head": 1, "block_size": 4}
    weights = GPT(**sizes).collect_state_dict()
    for content in (
        {"no": "model"},
        [1, 2],
        5,
        {"model_args": {"n_layer": 1}, "model": {}},
        {"model_args": sizes, "model": 5},
        {"model_args": {**sizes, "n_embd": 10**12}, "model": weights},
        {"model_args": {**sizes, "colour": "red"}, "model": weights},
        {"model_args": sizes, "model": weights, "characters": "abc"},
        {"model_args": sizes, "model": weights, "characters": 5},
    ):
        save(path, content)
        with pytest.raises(CheckpointError, match="no intact checkpoint of a GPT"):
            load_model(path)


def test_a_dictionary_is_not_copied_twice_for_tied_weights(tmp_path):
    model = GPT(vocab_size=1000, n_embd=32, n_layer=1, n_head=1, block_size=4)
    save(tmp_path / "c.pkl", {"model": model.collect_state_dict()})
    assert (tmp_path / "c.pkl").stat().st_size < 4 * model.num_parameters() + 5_000


@pytest.fixture
def run_file(tmp_path):
    """A checkpoint as a run writes it: the model, and AdamW's two averages for each weight."""
    model = GPT(vocab_size=300, n_embd=32, n_layer=2, n_head=2, block_size=16, rng=RNG(0))
    averages = {str(i): np.ones_like(p.data) for i, p in enumerate(model.parameters())}
    content = {
        "model_args": model.config,
        "model": model.collect_state_dict(),
        "characters": "".join(chr(200 + i) for i in range(300)),
        "optimizer": {"exp_avg": averages, "exp_avg_sq": {k: a + 1 for k, a in averages.items()}},
        "rng": RNG(0).bit_generator.state,
        "step": 7,
        "history": [{"step": 7, "val_loss": 2.5}],
        "config": {"dataset": "poems", "seed": 1337},
        "val_loss": 2.5,
    }
    save(tmp_path / "run.pkl", content)
    return tmp_path / "run.pkl"


def test_shrink_keeps_the_model_alone_at_a_sixth_of_the_size(tmp_path, run_file):
    model = shrink(run_file, tmp_path / "new folder" / "small.pkl")
    small = load(tmp_path / "new folder" / "small.pkl")
    assert set(small) == {"model_args", "model", "characters", "config", "step", "val_loss"}
    assert small["config"] == {"dataset": "poems", "seed": 1337} and small["val_loss"] == 2.5
    assert {array.dtype for array in small["model"].values()} == {np.dtype(np.float16)}
    assert small["model"]["lm_head.weight"] is small["model"]["transformer.wte.weight"]
    size = (tmp_path / "new folder" / "small.pkl").stat().st_size
    assert 2 * model.num_parameters() < size < 2 * model.num_parameters() + 4_000
    assert size < run_file.stat().st_size / 5


def test_a_shrunk_model_is_the_old_one_rounded_to_float16(tmp_path, run_file):
    shrink(run_file, tmp_path / "small.pkl")
    old, characters = load_model(run_file)
    new, same_characters = load_model(tmp_path / "small.pkl")
    assert new.config == old.config and not new.training
    assert same_characters.characters == characters.characters
    assert new.lm_head.weight is new.transformer.wte.weight
    for p, q in zip(old.parameters(), new.parameters(), strict=True):
        assert q.data.dtype == np.float32
        np.testing.assert_array_equal(q.data, p.data.astype(np.float16).astype(np.float32))
    idx = np.arange(16)[None]
    np.testing.assert_allclose(new(idx)[0].data, old(idx)[0].data, atol=0.01)
    shrink(tmp_path / "small.pkl", tmp_path / "again.pkl")  # nothing is left to lose
    assert (tmp_path / "again.pkl").read_bytes() == (tmp_path / "small.pkl").read_bytes()


def test_a_shrunk_model_cannot_be_resumed_and_says_so(tmp_path, run_file, run_module):
    (tmp_path / "out").mkdir()
    shrink(run_file, tmp_path / "out" / "latest.pkl")
    process = run_module("train", "--resume", "--out-dir", tmp_path / "out")
    assert process.returncode == 2
    assert process.stderr.startswith("error: ") and process.stderr.count("\n") == 1


def test_shrink_replaces_a_file_only_when_told_to(tmp_path, run_file):
    before = run_file.read_bytes()
    with pytest.raises(CheckpointError, match="run.pkl exists already"):
        shrink(run_file, run_file)
    (tmp_path / "other.pkl").write_bytes(b"dear to somebody")
    with pytest.raises(CheckpointError, match="other.pkl exists already"):
        shrink(run_file, tmp_path / "other.pkl")
    assert run_file.read_bytes() == before
    assert (tmp_path / "other.pkl").read_bytes() == b"dear to somebody"
    shrink(run_file, tmp_path / "other.pkl", overwrite=True)
    assert load(tmp_path / "other.pkl")["step"] == 7


def test_what_cannot_be_shrunk_leaves_no_file(tmp_path, run_file):
    new = tmp_path / "small.pkl"
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        shrink(tmp_path / "none.pkl", new)
    content = load(run_file)
    save(tmp_path / "other.pkl", {"step": 3})
    with pytest.raises(CheckpointError, match="other.pkl is no intact checkpoint of a GPT"):
        shrink(tmp_path / "other.pkl", new)
    for wrong in (1e5, np.nan):
        content["model"]["transformer.ln_f.bias"] = np.full(32, wrong, dtype=np.float32)
        save(tmp_path / "other.pkl", content)
        with pytest.raises(CheckpointError, match="transformer.ln_f.bias holds numbers that"):
            shrink(tmp_path / "other.pkl", new)
    assert not new.exists()


def test_shrink_command_line(tmp_path, run_file, run_module):
    arguments = ("checkpoint", "shrink", run_file, tmp_path / "small.pkl")
    process = run_module(*arguments)
    assert process.returncode == 0 and "small.pkl: a GPT of 35," in process.stdout, process.stderr
    process = run_module(*arguments)
    assert process.returncode == 2
    assert process.stderr.count("\n") == 1 and "--overwrite" in process.stderr
    assert run_module(*arguments, "--overwrite").returncode == 0


# --- what a file holds: its format, its checksum, and the files of older versions ----------------

DATA = Path(__file__).parent / "data"


def alike(a, b) -> bool:
    """Whether two structures are the same in types, keys, order and numbers."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(alike(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(alike, a, b))
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("path", sorted(DATA.glob("*.pkl")), ids=lambda path: path.stem)
def test_checkpoints_of_every_older_version_load(path):
    content = load(path)
    assert alike(content, pickle.loads(path.read_bytes()))
    if "model_args" in content:
        model, tokenizer = load_model(path)
        assert np.isfinite(model(np.array([[0, 1, 2]]))[0].data).all()
        assert tokenizer.vocab_size == model.config["vocab_size"]


def test_there_is_a_sample_of_each_older_kind():
    kinds = {"run_0.1_first", "run_0.1", "shrunk_0.1", "run_0.2_adamw", "run_0.2_muon"}
    assert {path.stem for path in DATA.glob("*.pkl")} == kinds | {"no_bias_0.2", "classifier_0.2"}


def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path):
    path = tmp_path / "c.pkl"
    save(path, {"w": np.arange(3, dtype=np.float32), "step": 3})
    intact = path.read_bytes()
    end = intact.rindex(b"\nminigrad-checkpoint")
    for position in range(0, 8 * len(intact), 5):  # each byte, and in turns each of its bits
        damaged = bytearray(intact)
        damaged[position // 8] ^= 1 << position % 8
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            load(path)
    for length in range(end % 3, len(intact), 3):
        path.write_bytes(intact[:length])
        if length != end:  # what an older version wrote
            with pytest.raises(CheckpointError):
                load(path)


def test_any_reader_of_pickles_reads_our_files(tmp_path):
    save(tmp_path / "c.pkl", CONTENT)
    assert same(pickle.loads((tmp_path / "c.pkl").read_bytes())["list"], CONTENT["list"])


@pytest.mark.parametrize(
    ("ending", "said"),
    [
        (b"\nminigrad-checkpoint 2 sha256=00\n", "^a newer minigrad wrote .*c.pkl, in format 2;"),
        (b"\nminigrad-checkpoint 2 blake3:abc,zip\n", "^a newer .* in format 2; update minigrad$"),
        (b"\nminigrad-checkpoint 1 sha256=00\n", "not those that were written"),
        (b"\nminigrad-checkpoint 0 sha256=00\n", "not those that were written"),
        (b"\n", "something follows its end"),
        (b"N.", "something follows its end"),
    ],
)
def test_what_stands_behind_the_end(tmp_path, ending, said):
    (tmp_path / "c.pkl").write_bytes(pickle.dumps({"step": 3}) + ending)
    with pytest.raises(CheckpointError, match=said):
        load(tmp_path / "c.pkl")


KEYS = st.one_of(st.text(), st.integers(-(2**20) + 1, 2**20 - 1), st.booleans(), st.none())
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**200), 2**200),
    st.floats(allow_nan=False),
    st.text(),
    st.binary(),
    st.sampled_from("? u1 u2 i4 i8 f2 f4 f8 >f4".split()).map(
        lambda kind: np.arange(6).astype(kind)
    ),
    st.sampled_from([np.zeros((0, 3)), np.float32(1.5), np.arange(6).reshape(2, 3).T, np.array(7)]),
)
PLAIN = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.lists(parts, max_size=5),
        st.lists(parts, max_size=5).map(tuple),
        st.dictionaries(KEYS, parts, max_size=5),
    ),
    max_leaves=10,
)


@given(PLAIN, st.integers(0, 5))
def test_our_machine_builds_what_pickle_builds(tmp_path_factory, content, protocol):
    path = tmp_path_factory.mktemp("plain") / "c.pkl"
    path.write_bytes(pickle.dumps([content, content], protocol))
    assert alike(load(path), [content, content])


# --- files that mean harm ------------------------------------------------------------------------


def signed(program: bytes) -> bytes:
    """A pickle with a checksum that fits."""
    digest = hashlib.sha256(program).hexdigest()
    return program + b"\nminigrad-checkpoint 1 sha256=%s\n" % digest.encode()


F4 = b"cnumpy\ndtype\nS'f4'\n\x85R"
BUFFER = b"\x80\x04cnumpy._core.numeric\n_frombuffer\n"


HOSTILE_PROGRAMS = {
    "a deep key": (b"})" + b"\x85" * 200_000 + b"Ns.", "key that is a tuple"),
    "a deep value": (b")" + b"\x85" * 200_000 + b".", "100 of them in each other"),
    "itself": (b"]q\x00h\x00a.", "in each other"),
    "8**30 parts": (b"]q\x00" + (b"](" + b"h\x00" * 8 + b"eq\x00") * 30 + b".", "parts"),
    "a state for our function": (
        BUFFER + b"N}S'__defaults__'\n(K\x01ts\x86b0}.",
        "gives a state",
    ),
    "keys of one hash": (
        b"}(" + b"".join(pickle.dumps(i * (2**61 - 1), 2)[2:-1] + b"N" for i in range(9)) + b"u.",
        "key that is a int",
    ),
    "a text copied again and again": (
        b"(T\x40\x42\x0f\x00"
        + b"x" * 10**6
        + b"q\x00"
        + b"c_codecs\nencode\nh\x00\x85R" * 999
        + b"t.",
        "far more memory",
    ),
    "two million instructions": (b"(" + b"N" * 2_000_000 + b"t.", "instructions"),
    "a length that is not there": (
        b"\x80\x05\x96" + (2**40).to_bytes(8, "little") + b".",
        "no intact",
    ),
    "foreign bytes": (BUFFER + b"(C\x00" + F4 + b"(K\x40tS'C'\ntR.", "0 bytes for 64 numbers"),
    "an overflow": (
        BUFFER + b"(C\x00" + F4 + b"(M\x00\x80" + b"I4294967296\n" * 2 + b"tNtR.",
        "no intact",
    ),
    "pointers": (
        BUFFER + b"(C\x08AAAAAAAAcnumpy\ndtype\nS'O'\n\x85R(K\x01tNtR.",
        "an array of O",
    ),
    "a number of a million digits": (b"I" + b"9" * 10**6 + b"\n.", "no intact"),
    "an escape sequence": (b"cos\n\x1b[2J\n.", r"os.\\x1b\[2J"),
    "nothing on the stack": (b"a.", "no intact"),
    "an extension": (b"\x82\x01.", "instruction"),
}


@pytest.mark.parametrize(("program", "said"), HOSTILE_PROGRAMS.values(), ids=HOSTILE_PROGRAMS)
def test_hostile_programs_are_refused_at_once_and_in_one_line(tmp_path, program, said):
    path = tmp_path / "c.pkl"
    for content in (program, signed(program)):
        path.write_bytes(content)
        start = time.process_time()
        with pytest.raises(CheckpointError, match=said) as caught:
            load(path)
        assert time.process_time() - start < 30  # of which nearly all belongs to a busy machine
        assert str(caught.value).isprintable() and len(str(caught.value)) <= 300
    assert load_after(tmp_path)


def load_after(folder) -> bool:
    """Whether an honest file still loads in this process."""
    save(folder / "honest.pkl", CONTENT["weights"])
    return alike(load(folder / "honest.pkl"), CONTENT["weights"])


def test_a_memo_with_a_large_index_takes_no_room(tmp_path):
    (tmp_path / "c.pkl").write_bytes(b"\x80\x04Nr\xff\xff\xff\x07.")
    assert load(tmp_path / "c.pkl") is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with a name")
def test_only_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(CheckpointError, match="no checkpoint at"):
            load(path)


def test_messages_are_one_line_of_at_most_300_characters():
    for text in ("a\nb\r\x1b[2J\u202e\udcff", "x" * 10**6, "\x00" * 400, "short"):
        message = str(CheckpointError(text))
        assert message.isprintable() and 0 < len(message) <= 300
    assert str(CheckpointError("a\nb")) == r"a\nb"
    long = str(CheckpointError("begin" + "x" * 5000 + "end"))
    assert long.startswith("begin") and long.endswith("end")


@pytest.mark.parametrize(
    "content",
    [
        list(range(LARGEST - 2)),
        {str(i): [i] for i in range(LARGEST // 2 - 2)},
        {str(i): np.zeros(1) for i in range(LARGEST // 6 - 1)},
    ],
    ids=["numbers", "lists", "arrays"],
)
def test_whatever_is_saved_can_be_loaded(tmp_path, content):
    save(tmp_path / "c.pkl", {"x": content})
    assert alike(load(tmp_path / "c.pkl")["x"], content)


@pytest.mark.parametrize(
    "content", [[0] * LARGEST, {(1, 2): 3}, {2**60: 1}, {np.float32(1): 1}, nested(101)]
)
def test_what_load_refuses_save_refuses(tmp_path, content):
    with pytest.raises(TypeError, match="it (holds|has)"):
        save(tmp_path / "c.pkl", {"x": content})


SIZES = {"vocab_size": 5, "n_embd": 4, "n_layer": 2, "n_head": 2, "block_size": 3}


class NeverMade(GPT):
    """A GPT whose sizes can be asked for."""

    def __init__(self, **_):
        pytest.fail("the model was made before its sizes were compared")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"n_layer": 10**9}, "fewer weights"),
        ({"n_layer": 3}, "fewer weights"),
        ({"n_embd": 2**40}, "fewer weights"),
        ({"n_embd": 6}, "fewer weights"),
        ({"vocab_size": 10**18}, "fewer weights"),
        ({"block_size": 10**30}, "fewer weights"),
        ({"n_head": 0}, "n_head must be at least 1"),
        ({"n_head": -2}, "n_head must be at least 1"),
        ({"n_layer": 2.0}, "n_layer must be an integer"),
        ({"n_layer": "2"}, "n_layer must be an integer"),
        ({"n_layer": True}, "n_layer must be an integer"),
    ],
)
def test_no_model_is_made_of_sizes_that_do_not_fit(change, said):
    state = GPT(**SIZES).collect_state_dict()
    with pytest.raises((TypeError, ValueError), match=said):
        checkpoint.model_with({**SIZES, **change}, state, NeverMade)


@pytest.mark.parametrize("bias", [True, False])
def test_a_model_without_biases_has_enough_weights(bias):
    model = GPT(**SIZES, bias=bias)
    made = checkpoint.model_with(model.config, model.collect_state_dict())
    assert made.config == model.config and not made.training
    assert not np.shares_memory(made.lm_head.weight.data, model.lm_head.weight.data)
    assert alike(made.collect_state_dict(), model.collect_state_dict())


def test_one_array_is_not_many_weights():
    """Neither under many names, nor as the numbers of many."""
    lie = dict(vocab_size=1, n_embd=1, n_layer=1000, n_head=1, block_size=1)
    one = np.zeros(20_000)
    for state in (dict.fromkeys(map(str, range(10_000)), one), {str(i): one[:1] for i in range(9)}):
        with pytest.raises(ValueError, match="fewer weights"):
            checkpoint.model_with(lie, state, NeverMade)


def test_what_float32_cannot_hold_is_refused_without_a_warning(tmp_path):
    state = GPT(**SIZES).collect_state_dict()
    state["transformer.ln_f.bias"] = np.full(4, 1e300)
    for content in ({"characters": "abcde"}, {"characters": [0, 2**61 - 1] * 9}):
        save(tmp_path / "c.pkl", {"model_args": SIZES, "model": state, **content})
        with (
            warnings.catch_warnings(),
            pytest.raises(CheckpointError, match="no intact checkpoint of a GPT"),
        ):
            warnings.simplefilter("error")
            load_model(tmp_path / "c.pkl")


def test_names_that_moved_are_found_where_they_were():
    from minigrad import weights
    from minigrad.checkpoint import convert, load_torch

    assert (convert, load_torch) == (weights.convert, weights.load_torch)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = checkpoint.nothing


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="watches memory on Linux")
def test_hostile_files_do_no_harm():
    """A short form of tests/torture/hostile.py, which lets no busy machine decide."""
    script = Path(__file__).parent / "torture" / "hostile.py"
    command = [sys.executable, script, "--count", "60", "--seed", "1", "--patience", "20"]
    process = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=300)
    assert process.returncode == 0, process.stdout + process.stderr
    assert process.stdout.startswith("60 hostile files")


# --- what each refusal says, to its end ----------------------------------------------------------

U8 = F4.replace(b"f4", b"u1")


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (b"N", "it has no end"),
        (b"\x82\x01.", r"it has the instruction b'\x82'"),
        (b"cos\nsystem\n.", "it asks for os.system"),
        (b"NN\x85b.", "it gives a state to a NoneType"),
        (b"]Nb.", "it gives a state to a list"),
        (F4 + b"}b.", "it gives a state to a _Dtype"),
        (b"N)R.", "it calls what cannot be called"),
        (b"cnumpy\ndtype\nNR.", "it calls what cannot be called"),
        (b"NN)R.", "it calls what cannot be called"),
        (b"]NNs.", "it fills a list"),
        (b"}Na.", "it fills a dict"),
        (b"NQ.", "it refers to parts outside of it"),
        (BUFFER + b"(C\x04abcdN(K\x01tS'C'\ntR.", "it holds an array of no numbers"),
        (BUFFER + b"(N" + F4 + b"(K\x01tS'C'\ntR.", "it holds an array of no numbers"),
        (BUFFER + b"(C\x04abcd" + F4 + b"(K\x02tS'C'\ntR.", "it has 4 bytes for 2 numbers float32"),
        (BUFFER + b"(C\x00" + F4 + b"NS'C'\ntR.", "it has an array without a shape"),
        (b"cnumpy\ndtype\nS'U7'\n\x85R.", "it holds an array of U7"),
        (F4 + b".", "it holds a _Dtype"),
        (b"cnumpy\nndarray\n)R.", "it holds a _Array"),
        (b"N.N.", "something follows its end"),
        (b"}()Nu.", "it holds a key that is a tuple"),
        (b"\x8f(]\x90.", "it holds a key that is a list"),
        (
            b"N.\nminigrad-checkpoint 1 sha256=00\n",
            "its bytes are not those that were written (the checksum is another)",
        ),
        (
            b"(" + b"N" * (4 * LARGEST),
            "it has more than 500,000 instructions",
        ),
    ],
)
def test_what_is_said_of_a_program(tmp_path, program, said):
    path = tmp_path / "c.pkl"
    path.write_bytes(program)
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert str(caught.value) == f"{path} is no intact checkpoint: {said}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ä\n", r"ä\n"),
        ("a" * 300, "a" * 300),
        ("a" * 150 + "b" * 151, "a" * 145 + " ... " + "b" * 150),
        ("a" * 300 + "b" * 300, "a" * 145 + " ... " + "b" * 150),
        ("\n" * 300 + "-" + "\t" * 300, r"\n" * 72 + "\\ ... " + r"\t" * 75),
    ],
)
def test_a_long_message_keeps_its_beginning_and_its_end(text, said):
    assert str(CheckpointError(text)) == said


def test_what_a_builder_copies_is_paid_for():
    """Texts by their length, containers by 64 bytes a part, and what is made by its bytes."""
    machine = checkpoint.Machine(None, 0)
    assert machine.room == 2**26 and checkpoint.Machine(None, 10).room == 2**26 + 40
    machine.room = 1000
    for arguments, n_bytes, left in (
        (("abc", b"de", bytearray(5)), 0, 990),
        (([1, 2], (3,), {4: 5}), 0, 734),
        ((7, None), 734, 0),
    ):
        assert machine.spend(arguments, n_bytes) is arguments
        assert machine.room == left
    with pytest.raises(ValueError) as caught:
        machine.spend(("a",))
    assert str(caught.value) == "it asks for far more memory than its own size"


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_keep_their_layout_and_can_be_written_to(tmp_path, protocol):
    for array in (np.arange(6).reshape(2, 3), np.arange(6).reshape(2, 3).T):
        (tmp_path / "c.pkl").write_bytes(pickle.dumps(array, protocol))
        loaded = load(tmp_path / "c.pkl")
        assert loaded.flags.writeable and loaded.strides == array.strides
        np.testing.assert_array_equal(loaded, array)


def test_an_array_with_its_axes_in_another_order():
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    made = checkpoint._from_buffer(
        array.tobytes(), checkpoint._Dtype("<f4"), (2, 3, 4), "K", (1, 2, 0)
    )
    np.testing.assert_array_equal(made, array.transpose(1, 2, 0))


def test_bytes_that_older_pickles_call_for():
    assert [checkpoint._bytes(*x) for x in ((), (b"a\xff",), ("a\xff", "latin1"))] == [
        b"",
        b"a\xff",
        b"a\xff",
    ]


def test_what_is_said_of_content_that_is_no_gpt(tmp_path):
    path, state = tmp_path / "c.pkl", GPT(**SIZES).collect_state_dict()
    content = {"model_args": SIZES, "model": state, "characters": "abcdef"}
    for change, said in (
        ({}, "it has 6 tokens for a vocabulary of 5"),
        (
            {"model_args": {**SIZES, "n_head": 3}},
            "n_embd must be a multiple of n_head, got 4 and 3",
        ),
        ({"model_args": {**SIZES, "n_head": 0}}, "n_head must be at least 1, got 0"),
        (
            {"model_args": {**SIZES, "n_layer": 3}},
            "it has fewer weights than a GPT of its sizes",
        ),
        ({"model": {**state, "more": np.zeros(1)}}, "cannot load into GPT: unexpected more"),
    ):
        save(path, {**content, **change})
        with pytest.raises(CheckpointError) as caught:
            load_model(path)
        assert str(caught.value) == f"{path} is no intact checkpoint of a GPT: {said}"


def test_a_torch_file_and_a_file_that_exists_are_told_with_what_helps(tmp_path):
    path = tmp_path / "c.pkl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"N.")
    with pytest.raises(CheckpointError) as caught:
        load(path)
    assert str(caught.value) == (
        f"{path} is no intact checkpoint: it has the instruction b'P'"
        " (a torch file? convert it first)"
    )
    with pytest.raises(CheckpointError) as caught:
        shrink(tmp_path / "other.pkl", path)
    said = f"{path} exists already; --overwrite (overwrite=True) replaces it"
    assert str(caught.value) == said
    with pytest.raises(CheckpointError) as caught:
        load(tmp_path)
    assert str(caught.value) == f"no checkpoint at {tmp_path}, but a folder"
    with pytest.raises(CheckpointError) as caught, checkpoint.reading(path, "checkpoint"):
        raise MemoryError
    assert str(caught.value) == f"{path} asks for more memory than there is"


def test_a_checkpoint_is_a_pickle_of_protocol_5_and_a_line(tmp_path):
    save(tmp_path / "c.pkl", {})
    assert (tmp_path / "c.pkl").read_bytes() == signed(b"\x80\x05}\x94.")


HELP = {
    "": """usage: PROGRAM [-h] COMMAND ...

Convert, shrink and export checkpoints.

positional arguments:
  COMMAND
    convert   a torch checkpoint (.pt) to .pkl, without torch
    shrink    the model alone, in float16; no training can go on from it
    export    model and tokenizer (of byte pairs) as a folder of Hugging Face

options:
  -h, --help  show this help message and exit
""",
    "convert": """usage: PROGRAM convert [-h] [--n-head N] [--overwrite] OLD.pt NEW.pkl

A torch checkpoint (.pt) to .pkl, without torch.

positional arguments:
  OLD.pt       a checkpoint in nanoGPT's layout
  NEW.pkl      where to write

options:
  -h, --help   show this help message and exit
  --n-head N   heads of each block's attention, where OLD.pt holds weights alone
  --overwrite  replace NEW.pkl if it exists
""",
    "shrink": """usage: PROGRAM shrink [-h] [--overwrite] OLD.pkl NEW.pkl

The model alone, in float16; no training can go on from it.

positional arguments:
  OLD.pkl      a checkpoint of minigrad.train
  NEW.pkl      where to write

options:
  -h, --help   show this help message and exit
  --overwrite  replace NEW.pkl if it exists
""",
    "export": """usage: PROGRAM export [-h] [--overwrite] OLD.pkl FOLDER

Model and tokenizer (of byte pairs) as a folder of Hugging Face.

positional arguments:
  OLD.pkl      a checkpoint of minigrad.train
  FOLDER       where to write

options:
  -h, --help   show this help message and exit
  --overwrite  replace FOLDER if it exists
""",
}


@pytest.mark.parametrize("name", HELP)
def test_the_help_of_each_command(monkeypatch, capsys, name):
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("NO_COLOR", "1")
    with pytest.raises(SystemExit):
        main([*name.split(), "--help"])
    assert capsys.readouterr().out == HELP[name].replace("PROGRAM", "python -m minigrad.checkpoint")


def test_the_commands_say_what_they_made_or_what_is_wrong(tmp_path, run_file, capsys):
    old, new = str(run_file), str(tmp_path / "small.pkl")
    assert main(["shrink", old, new]) == 0
    n_parameters = load_model(new)[0].num_parameters()
    assert capsys.readouterr().out == f"{new}: a GPT of {n_parameters:,} parameters\n"
    assert main(["shrink", old, new, "--overwrite"]) == 0
    for arguments, said in (
        (["shrink", old, new], f"error: {new} exists already"),
        (["convert", f"{old}.pt", f"{new}2"], f"error: no checkpoint at {old}.pt"),
        (["convert", "--n-head", "two", old, new], "argument --n-head: invalid int value"),
        ([], "required: COMMAND"),
    ):
        with pytest.raises(SystemExit) as caught:
            main(arguments)
        assert caught.value.code == 2 and said in capsys.readouterr().err


def test_a_checkpoint_carries_any_tokenizer(tmp_path, capsys):
    tokenizer = BPETokenizer.from_text("low lower lowest 春眠不觉晓" * 5, 270, ["<|end|>"])
    model = GPT(**{**SIZES, "vocab_size": 270})
    content = {"model_args": model.config, "model": model.collect_state_dict()}
    save(tmp_path / "c.pkl", {**content, **checkpoint.tokenizer_entry(tokenizer)})
    assert load_model(tmp_path / "c.pkl")[1].to_json() == tokenizer.to_json()
    shrink(tmp_path / "c.pkl", tmp_path / "small.pkl")
    assert load_model(tmp_path / "small.pkl")[1].to_json() == tokenizer.to_json()
    assert main(["export", str(tmp_path / "small.pkl"), str(tmp_path / "hf")]) == 0
    assert BPETokenizer.from_pretrained(tmp_path / "hf").to_json() == tokenizer.to_json()
    assert GPT.from_pretrained(tmp_path / "hf").config["vocab_size"] == 270
    with pytest.raises(SystemExit):
        main(["export", str(tmp_path / "small.pkl"), str(tmp_path / "hf")])
    assert "exists already" in capsys.readouterr().err
    for wrong in ("{}", 5, "[" * 100_000, tokenizer.to_json()[:-9]):
        save(tmp_path / "c.pkl", {**content, "tokenizer": wrong})
        with pytest.raises(CheckpointError, match="is no intact checkpoint of a GPT"):
            load_model(tmp_path / "c.pkl")


def test_the_commands_say_which_kind_of_model_they_made(tmp_path, capsys):
    model = Llama(8, 8, 1, 2, n_hidden=8, block_size=4, rng=0)
    content = {"architecture": "llama", "model_args": model.config, "characters": "abcdefgh"}
    save(tmp_path / "c.pkl", {**content, "model": model.collect_state_dict()})
    assert main(["shrink", str(tmp_path / "c.pkl"), str(tmp_path / "s.pkl")]) == 0
    assert capsys.readouterr().out.endswith(
        f"s.pkl: a Llama of {model.num_parameters()} parameters\n"
    )
    with pytest.raises(CheckpointError, match="it has fewer weights than a Llama of its sizes"):
        save(tmp_path / "c.pkl", {**content, "model": {}})
        load_model(tmp_path / "c.pkl")
    save(tmp_path / "c.pkl", {**content, "architecture": "rnn", "model": {}})
    with pytest.raises(CheckpointError, match="architecture must be gpt or llama, got rnn"):
        load_model(tmp_path / "c.pkl")


def test_characters_have_no_form_in_hugging_faces_files(tmp_path, run_file, capsys):
    with pytest.raises(SystemExit):
        main(["export", str(run_file), str(tmp_path / "hf")])
    expected = "error: Hugging Face has no tokenizer of characters, only of byte pairs\n"
    assert capsys.readouterr().err == expected and not (tmp_path / "hf").exists()


@pytest.mark.parametrize("there", ["latest.pkl", "best.pkl"])
def test_overwrite_needs_only_one_of_the_two(tmp_path, there):
    (tmp_path / there).write_bytes(b"old")
    CheckpointManager(tmp_path, overwrite=True).save({"step": 1})
    assert [path.name for path in tmp_path.iterdir()] == ["latest.pkl"]


def test_of_two_equal_losses_the_first_stays_the_best(tmp_path):
    manager = CheckpointManager(tmp_path)
    for step in (1, 2):
        manager.save({"step": step}, val_loss=2.5)
    assert load(manager.best)["step"] == 1 and load(manager.latest)["step"] == 2


@pytest.mark.parametrize("wrap", [lambda x: {"a": x}, lambda x: [x], lambda x: (x,)])
def test_containers_may_lie_in_each_other_a_hundred_times(wrap):
    x = 5
    for _ in range(100):
        x = wrap(x)
    assert checkpoint.only_plain(x) == x
    with pytest.raises(TypeError, match="100 of them in each other"):
        checkpoint.only_plain(wrap(x))


def test_a_dictionary_needs_a_value_for_each_key(tmp_path):
    (tmp_path / "c.pkl").write_bytes(signed(b"\x80\x02}(K\x01K\x02K\x03u."))
    with pytest.raises(CheckpointError, match="is no intact checkpoint"):
        load(tmp_path / "c.pkl")


def test_from_pretrained_gives_the_class_that_was_asked(tmp_path):
    class Mine(GPT):
        pass

    GPT(**SIZES).save_pretrained(tmp_path / "gpt2")
    assert type(Mine.from_pretrained(tmp_path / "gpt2")) is Mine


@pytest.mark.parametrize("which", ["latest.pkl", "best.pkl"])
def test_a_checkpoint_of_a_newer_version_is_not_called_damaged(tmp_path, which):
    """The run that went on from the other one would replace it."""
    manager = CheckpointManager(tmp_path)
    manager.save({"step": 1}, 2.0)
    raw = (tmp_path / which).read_bytes()
    (tmp_path / which).write_bytes(raw.replace(b"minigrad-checkpoint 1", b"minigrad-checkpoint 2"))
    with pytest.raises(NewerFormat, match=f"newer minigrad wrote .*{which}"):
        manager.load_newest()


def test_a_checkpoint_that_may_not_be_read_is_not_called_damaged(tmp_path, monkeypatch):
    """It may be intact, and would be replaced by what goes on from the other one."""
    manager = CheckpointManager(tmp_path)
    manager.save({"step": 1}, 2.0)
    manager.save({"step": 2}, 3.0)

    def refusing(path, *mode):
        if path == manager.latest:
            raise PermissionError(13, "Permission denied", str(path))
        return open(path, *mode)

    monkeypatch.setattr(checkpoint, "open", refusing, raising=False)
    with pytest.raises(PermissionError, match="latest.pkl"):
        manager.load_newest()


def test_a_text_counts_each_time_that_it_is_referred_to(tmp_path):
    text = "x" * 10**6
    save(tmp_path / "c.pkl", {"text": [text] * 100})
    assert load(tmp_path / "c.pkl")["text"][99] == text
    with open(tmp_path / "d.pkl", "wb") as file:
        pickle.dump({"text": [text] * 1000}, file)
    with pytest.raises(CheckpointError, match="more than 125,000 parts"):
        load(tmp_path / "d.pkl")


@pytest.mark.parametrize("key", [2**20, -(2**30), 0.3, 1e300, float("nan")])
def test_a_key_whose_place_can_be_chosen_is_refused(tmp_path, key):
    with open(tmp_path / "c.pkl", "wb") as file:
        pickle.dump({key: 1}, file)
    with pytest.raises(CheckpointError, match="it holds a key that is a (int|float)$"):
        load(tmp_path / "c.pkl")


def test_ordinary_keys_are_read(tmp_path):
    content = {0: 1, 99_999: 2, 2.0: 3, "a": 4, b"b": 5, None: 6}
    save(tmp_path / "c.pkl", content)
    assert load(tmp_path / "c.pkl") == content


@pytest.mark.parametrize(("step", "val_loss"), [(1, "1.5"), ("1", 1.5), (1.0, np.float32(1.5))])
def test_numbers_of_a_run_are_numbers(tmp_path, step, val_loss):
    save(tmp_path / "latest.pkl", {"step": step, "val_loss": val_loss})
    content, _ = CheckpointManager(tmp_path).load_newest()
    assert content == {"step": 1, "val_loss": 1.5} and type(content["val_loss"]) is float


@pytest.mark.parametrize("entry", [{"step": math.inf}, {"val_loss": 10**400}])
def test_numbers_beyond_all_are_no_run(tmp_path, entry):
    save(tmp_path / "latest.pkl", {"step": 1, "val_loss": 1.5, **entry})
    with pytest.raises(ValueError, match="latest.pkl holds no run to continue"):
        CheckpointManager(tmp_path).load_newest()


def test_parts_are_counted_across_dictionaries(tmp_path):
    with open(tmp_path / "c.pkl", "wb") as file:
        pickle.dump({i: dict.fromkeys(range(100)) for i in range(1300)}, file)
    with pytest.raises(CheckpointError, match="more than 125,000 parts"):
        load(tmp_path / "c.pkl")
