"""Training: one step, whole runs, interruption and resumption, and the command line."""

import hashlib
import os
import re
import shlex
import signal
import struct
import subprocess
import sys
import time

import numpy as np
import pytest

from conftest import ROOT
from minigrad import generate, train
from minigrad.checkpoint import CheckpointManager, claimed, load, save, shrink
from minigrad.data import TextDataset
from minigrad.gpt import GPT
from minigrad.llama import Llama
from minigrad.optim import SGD, AdamW, cosine_lr
from minigrad.train import (
    TrainConfig,
    Trainer,
    evaluate,
    resumed_config,
    stop_requests,
    train_step,
)
from minigrad.train.__main__ import ALL_OPTIMIZERS, RECIPES, main, parse_arguments
from minigrad.weights import export

needs_signals = pytest.mark.skipif(os.name == "nt", reason="signals differ on Windows")
TEXT = "the quick brown fox jumps over the lazy dog. " * 40
OWN = {"adamw": {}, "muon": {"learning_rate": 0.04, "min_lr": 0.0}}  # of the optimizers
TINY = {"n_layer": 1, "n_head": 2, "n_embd": 16, "block_size": 8, "batch_size": 4}


@pytest.fixture
def text_file(tmp_path):
    path = tmp_path / "a text.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def tiny(text_file, **options) -> TrainConfig:
    return TrainConfig(dataset=str(text_file), **{**TINY, "max_iters": 20, **options})


def arguments(text_file, tmp_path, **options) -> list[str]:
    values = {"dataset": text_file, "out_dir": tmp_path / "out", **TINY, "eval_iters": 2}
    values |= {} if "resume" in options else {"optimizer": "adamw"}
    pairs = (values | options).items()
    return [str(x) for name, value in pairs for x in (f"--{name.replace('_', '-')}", value)]


def gpt(seed=0, **options) -> GPT:
    sizes = {"vocab_size": 9, "n_embd": 16, "n_layer": 2, "n_head": 2, "block_size": 8, **options}
    return GPT(**sizes, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("threads", [2, 3, 99])
@pytest.mark.parametrize("size", [1, 5, 8])
def test_threads_change_nothing(threads, size, rng):
    x, y = rng.integers(9, size=(size, 8)), rng.integers(9, size=(size, 8))
    one, other = gpt(), gpt()
    for _ in range(3):
        loss = train_step(one, SGD(one.parameters(), lr=0.5), x, y, grad_clip=0.5)
        other_loss = train_step(other, SGD(other.parameters(), lr=0.5), x, y, 0.5, threads)
        assert abs(loss - other_loss) < 1e-5
    for p, q in zip(one.parameters(), other.parameters()):
        np.testing.assert_allclose(p.data, q.data, atol=1e-5)


def test_train_step_clips_and_learns(rng):
    model = gpt()
    x, y = rng.integers(9, size=(4, 8)), rng.integers(9, size=(4, 8))
    optimizer = AdamW(model.parameters(), lr=1e-2)
    losses = [train_step(model, optimizer, x, y, grad_clip=0.1) for _ in range(30)]
    assert losses[-1] < losses[0] - 0.5
    norm = np.sqrt(sum((p.grad**2).sum() for p in model.parameters()))
    assert norm < 0.1 + 1e-6


def test_evaluation_is_repeatable_and_leaves_the_mode_alone(rng):
    model, dataset = gpt(dropout=0.5), TextDataset(rng.integers(9, size=100), 8)
    for training in (True, False):
        model.train(training)
        assert evaluate(model, dataset, 4, 3) == evaluate(model, dataset, 4, 3)
        assert model.training == model.transformer.h[0].attn.training == training


def test_a_run_learns(text_file):
    trainer = Trainer(tiny(text_file, max_iters=300, learning_rate=1e-2, eval_interval=100))
    start = trainer.evaluate()["val_loss"]
    assert abs(start - np.log(trainer.tokenizer.vocab_size)) < 0.2
    assert trainer.run()
    assert trainer.history[-1]["val_loss"] < 0.5
    assert [entry["step"] for entry in trainer.history] == [0, 100, 200, 300]


@pytest.mark.parametrize("optimizer", ALL_OPTIMIZERS)
@pytest.mark.parametrize("threads", [1, 2])
def test_a_resumed_run_equals_an_uninterrupted_one(text_file, tmp_path, optimizer, threads):
    config = {"max_iters": 12, "dropout": 0.2, "eval_interval": 5, "eval_iters": 1}
    config |= {"optimizer": optimizer, "threads": threads, **OWN[optimizer]}
    whole = Trainer(tiny(text_file, **config), ALL_OPTIMIZERS)
    whole.run()
    broken = Trainer(tiny(text_file, **config), ALL_OPTIMIZERS)
    manager = CheckpointManager(tmp_path / "out")

    def interrupt(loss, lr):
        if broken.step == 7:
            signal.raise_signal(signal.SIGINT)

    assert not broken.run(manager, on_step=interrupt)
    assert broken.step == 7
    resumed = Trainer(tiny(text_file, **config), ALL_OPTIMIZERS)
    resumed.load_state(load(manager.latest))
    assert resumed.run(manager)
    for p, q in zip(whole.model.parameters(), resumed.model.parameters()):
        np.testing.assert_array_equal(p.data, q.data)
    assert whole.history == resumed.history


@pytest.mark.parametrize("dropout", [0.0, 0.2])
@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_gradients_that_accumulate_make_the_step_of_the_large_batch(text_file, optimizer, dropout):
    def run(**batches):
        options = {**OWN[optimizer], "dropout": dropout, "optimizer": optimizer}
        trainer = Trainer(tiny(text_file, **options, **batches), ALL_OPTIMIZERS)
        losses = [trainer.advance()[0] for _ in range(5)]
        for block in trainer.model.transformer.h:  # a bias of keys changes nothing: its gradient
            block.attn.c_attn.bias.data[16:32] = 0  # is rounding, which Adam makes large
        return losses, trainer.model.collect_state_dict(), trainer.tokens_a_step()

    losses, weights, tokens = run(batch_size=6)
    for size, steps in ((3, 2), (2, 3), (1, 6)):
        found = run(batch_size=size, gradient_accumulation_steps=steps)
        np.testing.assert_allclose(found[0], losses, atol=1e-5)
        assert found[2] == tokens
        for name in weights:
            np.testing.assert_allclose(found[1][name], weights[name], atol=1e-5, err_msg=name)


def test_the_order_of_batches_depends_on_neither_dropout_nor_threads_nor_the_model(text_file):
    orders = []
    for options in ({}, {"dropout": 0.5}, {"dropout": 0.5, "threads": 2}, {"n_embd": 8}):
        trainer = Trainer(tiny(text_file, **options))
        for _ in range(3):
            trainer.advance()
        orders.append(trainer.loader.sample()[0].tobytes())
    assert len(set(orders)) == 1


def test_weights_do_not_depend_on_dropout(text_file):
    one, other = (Trainer(tiny(text_file, dropout=p)).model for p in (0.0, 0.5))
    for p, q in zip(one.parameters(), other.parameters()):
        np.testing.assert_array_equal(p.data, q.data)


def test_any_optimizer_can_be_given_and_the_schedule_keeps_the_ratios_of_its_groups(text_file):
    def two_rates(model, config):
        first, *rest = model.parameters()
        return SGD([{"params": [first], "lr": 5 * config.learning_rate}, {"params": rest}], lr=0.01)

    config = tiny(text_file, optimizer="two rates", learning_rate=0.01, warmup_iters=4)
    with pytest.raises(ValueError, match="optimizer must be adamw, got two rates"):
        Trainer(config)
    trainer = Trainer(config, {"two rates": two_rates})
    for _ in range(6):
        _, lr = trainer.advance()
        rates = [group["lr"] for group in trainer.optimizer.param_groups]
        np.testing.assert_allclose(rates, [5 * lr, lr])
    state = trainer.state()
    again = Trainer(config, {"two rates": two_rates})
    again.load_state(state)
    np.testing.assert_array_equal(again.optimizer.velocity[0], trainer.optimizer.velocity[0])


def test_a_checkpoint_of_version_0_1_goes_on(text_file):
    """It had one generator for everything, and no name of an optimizer."""
    old = Trainer(tiny(text_file))
    old.advance()
    state = old.state()
    state["rng"] = state["rng"]["batches"]
    resumed = Trainer(tiny(text_file))
    resumed.load_state(state)
    np.testing.assert_array_equal(resumed.loader.sample()[0], old.loader.sample()[0])


def test_a_diverging_run_says_so(text_file):
    trainer = Trainer(tiny(text_file, max_iters=50))
    next(trainer.model.parameters()).data[...] = np.nan
    with pytest.raises(
        FloatingPointError, match="the loss is no longer a finite.*step 0.*learning_rate"
    ):
        trainer.run()


def test_config_fills_in_what_was_left_out():
    config = TrainConfig(max_iters=200, learning_rate=1e-2)
    assert (config.min_lr, config.lr_decay_iters, config.warmup_iters) == (1e-3, 200, 10)
    assert TrainConfig().out_dir == "out/shakespeare"
    assert TrainConfig().warmup_iters == 100


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"min_lr": 1.0}, "min_lr 1.0 must lie between 0 and learning_rate 0.001"),
        ({"warmup_iters": 50, "lr_decay_iters": 10}, "warmup_iters 50 .* lr_decay_iters 10"),
        ({"lr_decay_iters": -5}, "lr_decay_iters must be 0 or more, got -5"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        (
            {"gradient_accumulation_steps": 0},
            "gradient_accumulation_steps must be at least 1, got 0",
        ),
        ({"max_iters": -1}, "max_iters must be at least 1, got -1"),
        ({"n_head": 3}, "n_embd must be a multiple of n_head, got 16 and 3"),
        ({"architecture": "foo"}, "architecture must be gpt or llama, got foo"),
        ({"n_kv_head": 2}, "n_kv_head is for architecture llama, not for gpt"),
        ({"architecture": "llama", "n_kv_head": 3}, "n_head of n_kv_head, got 16, 2 and 3"),
        ({"architecture": "llama", "n_kv_head": 0}, "n_kv_head must be at least 1, got 0"),
        ({"architecture": "llama", "n_head": 16}, "multiple of twice n_head, .* got 16, 16 and 16"),
        ({"block_size": 0}, "block_size must be at least 1, got 0"),
        ({"block_size": 5000}, "at least 50,001 characters, .* but .* has 1,800"),
        ({"block_size": 180}, "block_size 180 needs a text of at least 1,801 characters"),
        ({"encoding": "klingon"}, "Python knows no encoding 'klingon'"),
        ({"dataset": "."}, "no text file at '.', but a folder"),
        ({"dropout": 1.5}, "0 <= p < 1, got 1.5"),
        ({"grad_clip": -1}, "grad_clip must be 0 or more, got -1"),
        ({"seed": -1}, "seed must be 0 or more, got -1"),
        ({"out_dir": ""}, "out_dir must name a folder"),
        ({"learning_rate": "inf"}, "learning_rate must be 0 or more, got inf"),
        ({"weight_decay": "nan"}, "weight_decay must be 0 or more, got nan"),
        ({"beta1": 1}, "beta1 must be at least 0, below 1, got 1.0"),
        ({"dataset": "nowhere.txt"}, "no text file at 'nowhere.txt'"),
        ({"resume": True}, "no checkpoint at"),
        ({"n_layer": "two"}, "invalid int value: 'two'"),
    ],
)
def test_bad_options_end_with_code_2_and_one_line(text_file, tmp_path, capsys, options, message):
    argv = arguments(text_file, tmp_path, max_iters=2)
    argv += arguments(text_file, tmp_path, **{k: v for k, v in options.items() if k != "resume"})
    argv += ["--resume"] if "resume" in options else []
    with pytest.raises(SystemExit) as exit_:
        main(argv)
    assert exit_.value.code == 2
    stderr = capsys.readouterr().err
    assert re.search(message, stderr)
    assert [line for line in stderr.splitlines() if "error:" in line] == [stderr.splitlines()[-1]]
    assert not (tmp_path / "out").exists()


def test_command_line_end_to_end(text_file, tmp_path, run_module):
    argv = arguments(text_file, tmp_path, max_iters=6, eval_interval=3)
    process = run_module("train", *argv)
    assert process.returncode == 0, process.stderr
    assert "step 6: train loss" in process.stdout
    assert "best validation loss" in process.stdout
    assert load(tmp_path / "out" / "latest.pkl")["step"] == 6

    again = run_module("train", *argv)
    assert again.returncode == 2
    assert again.stderr.startswith("error: ") and again.stderr.count("\n") == 1
    assert "--resume" in again.stderr

    further = run_module("train", *argv, "--resume", "--max-iters", 8)
    assert further.returncode == 0, further.stderr
    assert load(tmp_path / "out" / "latest.pkl")["step"] == 8

    contradiction = run_module("train", *argv, "--resume", "--n-layer", 2)
    assert contradiction.returncode == 2
    assert "a run with n_layer 1, but 2 was given" in contradiction.stderr

    written = run_module(
        "generate",
        *("--checkpoint", tmp_path / "out" / "best.pkl", "--prompt", "the "),
        *("--max-new-tokens", 20, "--seed", 1),
    )
    assert written.returncode == 0, written.stderr
    assert written.stdout.startswith("the ") and len(written.stdout) == 25


def test_without_tqdm_lines_are_printed(text_file, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert main(arguments(text_file, tmp_path, max_iters=2)) == 0
    assert "step 2: train loss" in capsys.readouterr().out


@needs_signals
@pytest.mark.parametrize("number", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_interruption_leaves_a_checkpoint_and_resume_goes_on(text_file, tmp_path, number):
    argv = arguments(text_file, tmp_path, max_iters=100_000, eval_interval=100_000)
    command = [sys.executable, "-X", "utf8", "-m", "minigrad.train", *argv]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    process = subprocess.Popen(command, **pipes)
    assert process.stdout.readline().startswith("a GPT of")
    while "loss=" not in (line := process.stderr.readline()):  # the progress bar, after a step
        assert line, "the run ended by itself"
    process.send_signal(getattr(signal, number))
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "is safe: go on with --resume" in stdout
    step = load(tmp_path / "out" / "latest.pkl")["step"]
    assert 0 < step < 100_000
    resumed = [*command, "--resume", "--max-iters", str(step + 1)]
    finished = subprocess.run(resumed, capture_output=True, encoding="utf-8", timeout=60)
    assert finished.returncode == 0, finished.stderr
    assert load(tmp_path / "out" / "latest.pkl")["step"] == step + 1


def test_muon_trains_from_the_command_line_with_its_own_defaults_and_resumes(
    text_file, tmp_path, capsys
):
    argv = arguments(text_file, tmp_path, max_iters=4, optimizer="muon")
    assert main(argv) == 0
    config = load(tmp_path / "out" / "latest.pkl")["config"]
    assert (config["learning_rate"], config["min_lr"]) == (0.04, 0.0)
    assert main([*argv, "--resume", "--max-iters", "6"]) == 0
    state = load(tmp_path / "out" / "latest.pkl")
    assert state["step"] == 6 and state["config"]["optimizer"] == "muon"
    with pytest.raises(SystemExit):
        main([*argv, "--resume", "--max-iters", "8", "--optimizer", "adamw"])
    assert "continues a run with optimizer muon" in capsys.readouterr().err
    options = ["--overwrite", "--optimizer", "muon", "--learning-rate", "0.01", "--min-lr", "0.001"]
    assert main([*argv, *options]) == 0
    config = load(tmp_path / "out" / "latest.pkl")["config"]
    assert (config["learning_rate"], config["min_lr"]) == (0.01, 0.001)


def test_a_new_run_has_the_fast_recipe_and_the_one_of_nanogpt_is_an_option_away():
    chosen = lambda *argv: TrainConfig(**parse_arguments(["--dataset", "x", *argv])[1])
    assert chosen() == TrainConfig(dataset="x", optimizer="muon", **RECIPES["muon"])
    assert chosen("--optimizer", "adamw") == TrainConfig(dataset="x")
    own = chosen("--n-layer", "5", "--learning-rate", "0.01")
    assert own.architecture == "llama" and (own.n_layer, own.learning_rate) == (5, 0.01)
    parser, given = parse_arguments(["--resume", "--max-iters", "9"])
    assert given == {"resume": True, "max_iters": 9}
    assert "[muon]" in parser.format_help() and "training steps [700]" in parser.format_help()


def test_an_unknown_optimizer_is_refused(text_file, tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([*arguments(text_file, tmp_path), "--optimizer", "magic"])
    assert "optimizer must be adamw or muon, got magic" in capsys.readouterr().err


@needs_signals
def test_a_signal_that_comes_twice_is_one_wish_and_a_later_one_is_in_a_hurry(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)]
    with pytest.raises(KeyboardInterrupt):
        with stop_requests() as requests:
            signal.raise_signal(signal.SIGINT)
            now += 0.9
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGHUP)
            assert len(requests) == 3
            now += 0.2
            signal.raise_signal(signal.SIGTERM)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)] == before


@needs_signals
def test_a_run_under_nohup_outlives_its_terminal():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_requests() as requests:
            signal.raise_signal(signal.SIGHUP)
            assert not requests
    finally:
        signal.signal(signal.SIGHUP, before)


@needs_signals
def test_a_closed_terminal_costs_nothing(text_file, tmp_path):
    """The window is closed: SIGHUP, and errors for whatever is still printed."""
    import fcntl
    import pty
    import termios

    argv = arguments(text_file, tmp_path, max_iters=100_000, eval_interval=100_000)
    terminal, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("4H", 24, 150, 0, 0))  # room for the bar
    process = subprocess.Popen(
        [sys.executable, "-m", "minigrad.train", *argv],
        **dict.fromkeys(("stdin", "stdout", "stderr"), child),
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(child)
    shown = b""
    while b"loss=" not in shown:
        shown += os.read(terminal, 1000)
    os.close(terminal)
    assert process.wait(60) == 130
    assert load(tmp_path / "out" / "latest.pkl")["step"] > 0


@needs_signals
@pytest.mark.parametrize("streams", ["> /dev/full 2> /dev/full", ">&- 2>&-", "2>&1 | true"])
def test_a_run_does_not_depend_on_its_output(text_file, tmp_path, streams):
    argv = arguments(text_file, tmp_path, max_iters=4, eval_interval=1)
    command = shlex.join([sys.executable, "-m", "minigrad.train", *argv])
    script = f"set -o pipefail; {command} {streams}"
    done = subprocess.run(["bash", "-c", script], capture_output=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
    assert load(tmp_path / "out" / "latest.pkl")["step"] == 4


def test_a_text_of_any_name_on_a_terminal_of_any_encoding(text_file, tmp_path):
    text_file = text_file.rename(tmp_path / "诗集.txt")
    argv = arguments(text_file, tmp_path / "é", max_iters=1, eval_iters=1)
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "minigrad.train", *argv]
    done = subprocess.run(command, capture_output=True, env=environment, timeout=60)
    assert done.returncode == 0 and "诗集".encode() in done.stdout


def test_what_is_evaluated_is_saved_before_it_is_reported(text_file, tmp_path):
    trainer, manager = Trainer(tiny(text_file, eval_interval=5)), CheckpointManager(tmp_path)

    def report(entry):
        assert load(manager.latest)["history"][-1] == entry
        raise OSError("nobody listens")

    with pytest.raises(OSError, match="nobody listens"):
        trainer.run(manager, on_evaluation=report)
    assert load(manager.latest)["step"] == 5


def resumed(text_file, tmp_path, *options) -> dict:
    """The newest checkpoint after a run was resumed from the command line with these options."""
    place = ["--dataset", str(text_file), "--out-dir", str(tmp_path / "out")]
    assert main([*place, "--resume", *options]) == 0
    return load(tmp_path / "out" / "latest.pkl")


SCHEDULE = ("learning_rate", "min_lr", "max_iters", "lr_decay_iters", "warmup_iters")


@pytest.mark.parametrize("older", [False, True])
@pytest.mark.parametrize(
    ("first", "then", "schedule"),
    [
        ({}, {}, (1e-3, 1e-4, 40, 40, 2)),
        ({}, {"learning_rate": 5e-5}, (5e-5, 5e-6, 40, 40, 2)),
        ({}, {"learning_rate": 5e-3, "max_iters": 60}, (5e-3, 5e-4, 60, 60, 3)),
        ({"min_lr": 2e-5}, {"learning_rate": 5e-3}, (5e-3, 2e-5, 40, 40, 2)),
        ({"lr_decay_iters": 20}, {"max_iters": 60}, (1e-3, 1e-4, 60, 20, 1)),
        ({"warmup_iters": 7}, {"max_iters": 60}, (1e-3, 1e-4, 60, 60, 7)),
        ({}, {"lr_decay_iters": 20}, (1e-3, 1e-4, 40, 20, 1)),
    ],
)
def test_what_was_derived_is_derived_anew(text_file, tmp_path, first, then, schedule, older):
    """Older files do not tell what was given: what looks derived is."""
    trainer = Trainer(tiny(text_file, **{"max_iters": 40, **first}))
    state = trainer.state()
    if older:
        del state["derived"], state["text_hash"], state["config"]["encoding"]
    config = resumed_config(state, **then)
    assert tuple(getattr(config, name) for name in SCHEDULE) == pytest.approx(schedule)


def test_an_explicit_schedule_stays_though_it_looks_derived(text_file):
    state = Trainer(tiny(text_file, max_iters=40, lr_decay_iters=40, min_lr=1e-4)).state()
    config = resumed_config(state, max_iters=60, learning_rate=2e-3)
    assert (config.lr_decay_iters, config.min_lr) == (40, 1e-4)


def test_new_options_take_effect_and_are_noted_at_once(text_file, tmp_path, monkeypatch):
    assert main(arguments(text_file, tmp_path, max_iters=4)) == 0
    state = resumed(text_file, tmp_path, "--learning-rate", "5e-5", "--weight-decay", "0.5")
    assert state["step"] == 4 and state["config"]["learning_rate"] == 5e-5
    rates = []
    advance = Trainer.advance
    monkeypatch.setattr(Trainer, "advance", lambda self: rates.append(advance(self)) or rates[-1])
    state = resumed(text_file, tmp_path, "--max-iters", "8", "--learning-rate", "5e-3")
    assert state["step"] == 8 and state["config"]["weight_decay"] == 0.5
    expected = [cosine_lr(step, 5e-3, 5e-4, 0, 8) for step in range(4, 8)]
    assert [lr for _, lr in rates] == pytest.approx(expected)


@pytest.mark.parametrize("lost", ["latest.pkl", "best.pkl"])
def test_resume_goes_on_from_the_file_that_is_intact(text_file, tmp_path, capsys, lost):
    argv = arguments(text_file, tmp_path, max_iters=4, eval_interval=2)
    assert main(argv) == 0
    (tmp_path / "out" / lost).write_bytes(b"damaged")
    assert resumed(text_file, tmp_path, "--max-iters", "6")["step"] == 6
    out = capsys.readouterr().out
    assert f"{lost} is no intact checkpoint" in out and "going on from" in out
    assert load(tmp_path / "out" / "best.pkl")["step"] in (2, 4, 6)


def test_two_runs_cannot_share_a_folder(text_file, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    for extra in ([], ["--overwrite"], ["--resume"]):
        with claimed(tmp_path / "out"), pytest.raises(SystemExit) as exit_:
            main([*arguments(text_file, tmp_path, max_iters=2), *extra])
        assert exit_.value.code == 2
        stderr = capsys.readouterr().err
        assert str(tmp_path / "out") in stderr and stderr.count("\n") == 1
    (tmp_path / "out" / "latest.pkl.123.tmp").touch()  # of a run that was killed
    assert main(arguments(text_file, tmp_path, max_iters=2)) == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["best.pkl", "latest.pkl"]


def test_another_text_is_refused_even_of_the_same_characters(text_file, tmp_path, capsys):
    assert main(arguments(text_file, tmp_path, max_iters=2)) == 0
    text_file.write_text(TEXT[::-1], encoding="utf-8")
    for place in ([], ["--dataset", str(text_file)]):
        with pytest.raises(SystemExit):
            main(["--out-dir", str(tmp_path / "out"), "--resume", *place])
        assert re.search("text.*(has changed|is not that of the run)", capsys.readouterr().err)


@pytest.mark.parametrize("where", ["renamed.txt", "elsewhere/a text.txt", "out/a text.txt"])
def test_a_text_that_moved_is_known_by_its_hash(text_file, tmp_path, monkeypatch, where):
    out = ["--out-dir", str(tmp_path / "out"), "--resume", "--max-iters"]
    assert main(arguments(text_file, tmp_path, max_iters=2)) == 0
    moved = tmp_path / where
    moved.parent.mkdir(exist_ok=True)
    text_file.rename(moved)
    text_file.write_text(TEXT + "more", encoding="utf-8")  # where it was now lies another one
    assert main([*out, "3", "--dataset", str(moved)]) == 0
    if moved.name == text_file.name:
        monkeypatch.chdir(moved.parent)
        assert main([*out, "4"]) == 0
    else:
        with pytest.raises(SystemExit):
            moved.unlink()
            main([*out, "4"])


def test_a_checkpoint_without_a_hash_goes_on(text_file, tmp_path):
    assert main(arguments(text_file, tmp_path, max_iters=2)) == 0
    state = load(tmp_path / "out" / "latest.pkl")
    del state["text_hash"], state["derived"], state["config"]["encoding"]
    save(tmp_path / "out" / "latest.pkl", state)
    assert resumed(text_file, tmp_path, "--max-iters", "4")["step"] == 4


def test_the_encoding_is_remembered(tmp_path):
    path = tmp_path / "old.txt"
    path.write_text("春眠不觉晓，处处闻啼鸟。" * 20, encoding="gbk")
    options = {"dataset": path, "max_iters": 2, "encoding": "gbk"}
    assert main(arguments(path, tmp_path, **options)) == 0
    assert "晓" in load(tmp_path / "out" / "best.pkl")["characters"]
    assert resumed(path, tmp_path, "--max-iters", "3")["step"] == 3


def test_a_text_without_a_line_break_can_be_continued(tmp_path, monkeypatch, capsys):
    (tmp_path / "line.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    sizes = [arg for name, value in TINY.items() for arg in (f"--{name.replace('_', '-')}", value)]
    assert main(["--dataset", "line.txt", "--max-iters", "1", *map(str, sizes)]) == 0
    capsys.readouterr()
    assert generate.main(["--max-new-tokens", "5"]) == 0
    assert len(capsys.readouterr().out) == 7


@needs_signals
@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_as_if_it_had_not_been():
    """A short form of tests/torture/kills.py."""
    command = [sys.executable, str(ROOT / "tests" / "torture" / "kills.py"), "--kills", "6"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6 kills" in done.stdout and "left over: nothing" in done.stdout


def test_overwrite_replaces_a_better_run(text_file, tmp_path):
    assert main(arguments(text_file, tmp_path, max_iters=20)) == 0
    best = load(tmp_path / "out" / "best.pkl")["val_loss"]
    assert main([*arguments(text_file, tmp_path, max_iters=1), "--overwrite"]) == 0
    assert load(tmp_path / "out" / "best.pkl")["val_loss"] > best


def test_resume_refuses_what_is_no_run(text_file, tmp_path, capsys):
    save(tmp_path / "out" / "latest.pkl", {"no": "run"})
    for extra, message in (
        (["--resume"], "latest.pkl holds no run to continue"),
        (["--resume", "--overwrite"], "contradict each other"),
        ([], "already holds a run"),
    ):
        with pytest.raises(SystemExit) as exit_:
            main([*arguments(text_file, tmp_path, max_iters=2), *extra])
        assert exit_.value.code == 2
        stderr = capsys.readouterr().err
        assert message in stderr and stderr.count("\n") == 1
    assert load(tmp_path / "out" / "latest.pkl") == {"no": "run"}
    save(tmp_path / "out" / "latest.pkl", {"step": 3, "val_loss": 2.0})
    with pytest.raises(SystemExit):
        main([*arguments(text_file, tmp_path, max_iters=2), "--resume"])
    assert "out holds no run to continue" in capsys.readouterr().err


def test_resume_takes_the_runs_own_options_and_a_moved_folder(text_file, tmp_path):
    options = {"max_iters": 4, "learning_rate": 1e-2, "min_lr": 5e-3}
    assert main(arguments(text_file, tmp_path, **options)) == 0
    (tmp_path / "out").rename(tmp_path / "moved")
    moved = ["--dataset", str(text_file), "--out-dir", str(tmp_path / "moved")]
    assert main([*moved, "--resume", "--max-iters", "6"]) == 0
    state = load(tmp_path / "moved" / "latest.pkl")
    assert state["step"] == 6 and state["config"]["learning_rate"] == 1e-2
    assert not (tmp_path / "out").exists()


def test_a_ruined_model_never_replaces_a_good_checkpoint(text_file, tmp_path):
    trainer, manager = Trainer(tiny(text_file)), CheckpointManager(tmp_path / "out")
    manager.save(trainer.state(), 1.0)
    next(trainer.model.parameters()).data[0, 0] = np.inf
    with pytest.raises(FloatingPointError, match="a weight is no longer a finite number"):
        manager.save(trainer.state(), 0.5)
    assert np.isfinite(load(manager.latest)["model"]["transformer.wte.weight"]).all()


def test_help_names_every_option(run_module):
    process = run_module("train", "--help")
    assert process.returncode == 0
    for name in (
        "dataset out-dir n-layer n-head n-embd block-size batch-size max-iters learning-rate "
        "min-lr warmup-iters lr-decay-iters weight-decay beta1 beta2 grad-clip dropout optimizer "
        "eval-interval eval-iters seed resume"
    ).split():
        assert f"--{name}" in process.stdout


BOTH = [{}, {"tokenizer": "bpe", "vocab_size": 270}]


def words(n, seed=0) -> str:
    rng = np.random.default_rng(seed)
    known = "the quick brown fox jumps over a lazy dog who said 你好 and café".split()
    return "\n".join(" ".join(rng.choice(known, 6)) for _ in range(n))


@pytest.mark.parametrize("options", BOTH)
def test_losses_in_bits_a_byte(tmp_path, options):
    path = tmp_path / "t.txt"
    path.write_text(words(80), encoding="utf-8")
    trainer = Trainer(tiny(path, **options))
    text = trainer.tokenizer.decode(trainer.val_data.ids)
    per_token = len(text.encode("utf-8")) / len(trainer.val_data.ids)
    entry = trainer.evaluate()
    assert entry["val_bits"] == pytest.approx(entry["val_loss"] / np.log(2) / per_token)
    assert trainer.unit == ("tokens" if options else "characters")


def test_a_run_on_byte_pairs(text_file, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"tokenizer": "bpe", "vocab_size": 270, "eval_interval": 2, "seed": 3}
    assert main(arguments(text_file, tmp_path, **given, max_iters=6)) == 0
    assert "windows of 8 tokens of 1." in capsys.readouterr().out
    whole = load(tmp_path / "out" / "latest.pkl")
    other = {**given, "out_dir": tmp_path / "parts"}
    assert main(arguments(text_file, tmp_path, **other, max_iters=4, lr_decay_iters=6)) == 0
    assert main(["--out-dir", "parts", "--resume", "--max-iters", "6"]) == 0
    parts = load(tmp_path / "parts" / "latest.pkl")
    assert parts["history"] == whole["history"] and parts["tokenizer"] == whole["tokenizer"]
    assert "characters" not in whole
    for name, array in whole["model"].items():
        np.testing.assert_array_equal(array, parts["model"][name])
    model, tokenizer = generate.load_writer("out")  # the folder of a run
    assert tokenizer.vocab_size == 270 == model.config["vocab_size"]
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT
    for wrong in (["--tokenizer", "characters"], ["--vocab-size", "300"]):
        with pytest.raises(SystemExit):
            main(["--out-dir", "parts", "--resume", *wrong])
        assert "--resume continues a run with" in capsys.readouterr().err


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_run_of_a_llama(text_file, tmp_path, capsys, monkeypatch, optimizer):
    monkeypatch.chdir(tmp_path)
    given = {"architecture": "llama", "n_kv_head": 1, "dropout": 0.1, "optimizer": optimizer}
    given |= {"tokenizer": "bpe", "vocab_size": 270, "eval_interval": 2, "seed": 3}
    assert main(arguments(text_file, tmp_path, **given, max_iters=6)) == 0
    assert capsys.readouterr().out.startswith("a Llama of ")
    whole = load("out/latest.pkl")
    assert whole["architecture"] == "llama" and whole["model_args"]["n_kv_head"] == 1
    other = {**given, "out_dir": "parts"}
    assert main(arguments(text_file, tmp_path, **other, max_iters=4, lr_decay_iters=6)) == 0
    assert main(["--out-dir", "parts", "--resume", "--max-iters", "6"]) == 0
    parts = load("parts/latest.pkl")
    assert parts["history"] == whole["history"]
    for name, array in whole["model"].items():
        np.testing.assert_array_equal(array, parts["model"][name])
    model, tokenizer = generate.load_writer("out")
    assert isinstance(model, Llama) and model.config["n_kv_head"] == 1
    shrink("out/best.pkl", "small.pkl")
    export("small.pkl", "folder")
    for path in ("small.pkl", "folder"):
        again, same = generate.load_writer(path)
        assert isinstance(again, Llama) and same.to_json() == tokenizer.to_json()
        for p, q in zip(model.parameters(), again.parameters(), strict=True):
            np.testing.assert_allclose(q.data, p.data, atol=2e-3)
    for wrong in (["--architecture", "gpt"], ["--n-kv-head", "2"]):
        with pytest.raises(SystemExit):
            main(["--out-dir", "parts", "--resume", *wrong])
        assert "--resume continues a run with" in capsys.readouterr().err


def test_a_tokenizer_of_a_folder_and_one_that_is_gone(text_file, tmp_path):
    trainer = Trainer(tiny(text_file, tokenizer="bpe", vocab_size=280))
    trainer.tokenizer.save_pretrained(tmp_path / "words")
    given = {"tokenizer": tmp_path / "words", "max_iters": 2}
    assert main(arguments(text_file, tmp_path, **given)) == 0
    state = load(tmp_path / "out" / "latest.pkl")
    assert state["tokenizer"] == trainer.tokenizer.to_json()
    (tmp_path / "words" / "tokenizer.json").unlink()  # the run has its own copy
    argv = ["--dataset", str(text_file), "--out-dir", str(tmp_path / "out"), "--resume"]
    assert main([*argv, "--max-iters", "4"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"vocab_size": 300}, "vocab_size is for tokenizer bpe; characters has its own size$"),
        ({"tokenizer": "bpe", "vocab_size": 255}, "vocab_size must be at least 256, got 255$"),
        ({"tokenizer": "nowhere"}, "no tokenizer.json in nowhere, and no vocab.json$"),
    ],
)
def test_tokenizers_that_cannot_be(text_file, options, message):
    with pytest.raises((ValueError, OSError), match=message):
        Trainer(tiny(text_file, **options))


@pytest.mark.parametrize("options", BOTH)
def test_a_large_text_is_encoded_once(tmp_path, monkeypatch, capsys, options):
    path, out = tmp_path / "t.txt", tmp_path / "out"
    path.write_text(words(80), encoding="utf-8")
    in_memory = Trainer(tiny(path, **options))
    monkeypatch.setattr(train, "IN_MEMORY", 100)
    out.mkdir()
    other = b"of another text"
    (out / "tokens-0123456789abcdef.bin").write_bytes(other + hashlib.sha256(other).digest())
    (out / "tokens-0123456789abcdef.bin.12345678.tmp").write_bytes(b"of a run that was killed")
    argv = arguments(path, tmp_path, **options, max_iters=3)
    assert main(argv) == 0
    assert "encoding the text, which is done once" in capsys.readouterr().out
    (tokens,) = out.glob("tokens-*")
    assert np.array_equal(
        np.fromfile(tokens, np.uint16)[: len(in_memory.train_data.ids)], in_memory.train_data.ids
    )
    weights = load(out / "latest.pkl")["model"]["lm_head.weight"]
    for more in (["--overwrite"], ["--resume", "--max-iters", "4"]):
        assert main([*argv, *more]) == 0
        assert "encoding" not in capsys.readouterr().out
        assert [*out.glob("tokens-*")] == [tokens]
    whole = tokens.read_bytes()
    for damaged in (b"", whole[:-9], bytes(len(whole)), whole[:7] + b"\xff" + whole[8:]):
        tokens.write_bytes(damaged)
        assert main([*argv, "--resume", "--max-iters", "5"]) == 0
        assert "encoding the text" in capsys.readouterr().out and tokens.read_bytes() == whole
    monkeypatch.undo()
    assert main([*argv, "--overwrite"]) == 0
    assert np.array_equal(load(out / "latest.pkl")["model"]["lm_head.weight"], weights)


def test_files_that_no_run_has_written_stay(tmp_path, monkeypatch):
    path, out = tmp_path / "t.txt", tmp_path / "out"
    path.write_text(words(80), encoding="utf-8")
    monkeypatch.setattr(train, "IN_MEMORY", 100)
    out.mkdir()
    (out / "tokens-mine.bin").write_bytes(b"precious, and longer than a digest of 32 bytes")
    assert main(arguments(path, tmp_path, max_iters=1)) == 0
    assert len([*out.glob("tokens-*")]) == 2


def test_ids_of_a_large_text_stay_on_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(train, "IN_MEMORY", 100)
    path = tmp_path / "t.txt"
    path.write_text(words(80), encoding="utf-8")
    run = Trainer(tiny(path, out_dir=tmp_path / "out"))
    base = run.train_data.ids
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap) and base.dtype == np.uint16
    path.write_text(words(81), encoding="utf-8")
    Trainer(tiny(path, out_dir=tmp_path / "out"))
    assert len([*(tmp_path / "out").glob("tokens-*")]) == 1  # the other is gone


def test_the_disk_is_full_while_a_text_is_encoded(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(train, "IN_MEMORY", 100)
    path = tmp_path / "t.txt"
    path.write_text(words(80), encoding="utf-8")

    def full(parts, n_bytes):
        yield next(parts)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("minigrad.train.__main__.encoding_bar", full)
    with pytest.raises(SystemExit):
        main(arguments(path, tmp_path, max_iters=3))
    said = r"error: \[Errno 28\] No space left on device: '.*tokens-.*bin'\n$"
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("in_memory", [100, 2**24])
def test_a_text_that_changes_while_it_is_read_is_not_taken_for_the_old_one(
    tmp_path, monkeypatch, in_memory
):
    monkeypatch.setattr(train, "IN_MEMORY", in_memory)
    path, hash_of = tmp_path / "t.txt", train.hash_of
    path.write_text(words(80), encoding="utf-8")

    def hash_and_change(parts):
        found = hash_of(parts)
        path.write_text(words(80)[::-1], encoding="utf-8")
        return found

    with monkeypatch.context() as patched:
        patched.setattr(train, "hash_of", hash_and_change)
        with pytest.raises(
            ValueError, match="^the text has changed while it was read: begin again$"
        ):
            Trainer(tiny(path, out_dir=tmp_path / "out"))
    assert not [*(tmp_path / "out").glob("*")]
    Trainer(tiny(path, out_dir=tmp_path / "out"))


def test_a_folder_where_a_checkpoint_shall_be_is_found_at_the_start(text_file, tmp_path, capsys):
    (tmp_path / "out" / "best.pkl").mkdir(parents=True)
    with pytest.raises(SystemExit):
        main([*arguments(text_file, tmp_path, max_iters=2), "--overwrite"])
    assert re.search("best.pkl is a folder, where a checkpoint shall be", capsys.readouterr().err)


def test_a_run_with_nothing_left_to_do_says_so(text_file, tmp_path, capsys):
    assert main(arguments(text_file, tmp_path, max_iters=3)) == 0
    assert "nothing to do" not in capsys.readouterr().out
    assert main([*arguments(text_file, tmp_path, max_iters=2), "--resume"]) == 0
    said = "nothing to do: it is at step 3 already, and max_iters is 2\n"
    assert said in capsys.readouterr().out
