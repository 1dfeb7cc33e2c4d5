"""Training: one step, whole runs, interruption and resumption, and the command line."""

import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from minigrad.checkpoint import CheckpointManager, load, save
from minigrad.data import TextDataset
from minigrad.gpt import GPT
from minigrad.optim import SGD, AdamW
from minigrad.train import TrainConfig, Trainer, evaluate, main, train_step

TEXT = "the quick brown fox jumps over the lazy dog. " * 40
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


def test_a_resumed_run_equals_an_uninterrupted_one(text_file, tmp_path):
    config = {"max_iters": 12, "dropout": 0.2, "eval_interval": 5, "eval_iters": 1}
    whole = Trainer(tiny(text_file, **config))
    whole.run()
    broken = Trainer(tiny(text_file, **config))
    manager = CheckpointManager(tmp_path / "out")

    def interrupt(loss, lr):
        if broken.step == 7:
            signal.raise_signal(signal.SIGINT)

    assert not broken.run(manager, on_step=interrupt)
    assert broken.step == 7
    resumed = Trainer(tiny(text_file, **config))
    resumed.load_state(load(manager.latest))
    assert resumed.run(manager)
    for p, q in zip(whole.model.parameters(), resumed.model.parameters()):
        np.testing.assert_array_equal(p.data, q.data)
    assert whole.history == resumed.history


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
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"max_iters": -1}, "max_iters must be at least 1, got -1"),
        ({"n_head": 3}, "n_embd must be a multiple of n_head, got 16 and 3"),
        ({"block_size": 0}, "block_size must be at least 1, got 0"),
        ({"block_size": 5000}, "block_size 5000 needs a text of at least 5001 tokens"),
        ({"dropout": 1.5}, "0 <= p < 1, got 1.5"),
        ({"grad_clip": -1}, "grad_clip must be 0 or more, got -1"),
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


@pytest.mark.skipif(os.name == "nt", reason="signals differ on Windows")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interruption_leaves_a_checkpoint_and_resume_goes_on(text_file, tmp_path, number):
    argv = arguments(text_file, tmp_path, max_iters=100_000, eval_interval=100_000)
    command = [sys.executable, "-X", "utf8", "-m", "minigrad.train", *argv]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8"}
    process = subprocess.Popen(command, **pipes)
    assert process.stdout.readline().startswith("a GPT of")
    shown = ""
    while not re.search(r"\b[1-9]\d*/100000\b", shown):  # until it has taken a step
        assert (character := process.stderr.read(1)), "it stopped by itself"
        shown += character
    process.send_signal(number)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "is safe: go on with --resume" in stdout
    step = load(tmp_path / "out" / "latest.pkl")["step"]
    assert 0 < step < 100_000
    resumed = [*command, "--resume", "--max-iters", str(step + 1)]
    finished = subprocess.run(resumed, capture_output=True, encoding="utf-8", timeout=60)
    assert finished.returncode == 0, finished.stderr
    assert load(tmp_path / "out" / "latest.pkl")["step"] == step + 1


def test_overwrite_replaces_a_better_run(text_file, tmp_path):
    assert main(arguments(text_file, tmp_path, max_iters=20)) == 0
    best = load(tmp_path / "out" / "best.pkl")["val_loss"]
    assert main([*arguments(text_file, tmp_path, max_iters=1), "--overwrite"]) == 0
    assert load(tmp_path / "out" / "best.pkl")["val_loss"] > best


def test_resume_refuses_what_is_no_run(text_file, tmp_path, capsys):
    save(tmp_path / "out" / "latest.pkl", {"no": "run"})
    for extra, message in (
        (["--resume"], "holds no run to continue"),
        (["--resume", "--overwrite"], "contradict each other"),
        ([], "already holds a run"),
    ):
        with pytest.raises(SystemExit) as exit_:
            main([*arguments(text_file, tmp_path, max_iters=2), *extra])
        assert exit_.value.code == 2
        stderr = capsys.readouterr().err
        assert message in stderr and stderr.count("\n") == 1
    assert load(tmp_path / "out" / "latest.pkl") == {"no": "run"}


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
        "min-lr warmup-iters lr-decay-iters weight-decay beta1 beta2 grad-clip dropout "
        "eval-interval eval-iters seed resume"
    ).split():
        assert f"--{name}" in process.stdout
