"""The benchmarks run, and measure what they say; how fast anything is decides no test."""

import json
import os
import subprocess
import sys

import pytest

from conftest import ROOT


def run(*arguments, timeout=250):
    done = subprocess.run(
        [sys.executable, "-X", "utf8", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        env={**os.environ, "MPLBACKEND": "Agg"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("task", ["training", "forward", "generation", "products", "imports"])
def test_one_measurement(task):
    output = run("benchmarks/contender.py", "minigrad", task, "tiny", "--repeat", 2, "--warm-up", 1)
    result = json.loads(output)
    assert len(result["times"]) == 2 and min(result["times"]) > 0
    assert task == "imports" or result["memory"] > 10


@pytest.mark.slow
def test_table_plot_and_numbers_of_a_quick_comparison(tmp_path):
    pytest.importorskip("torch", reason="torch is not installed")
    output = run("benchmarks/bench.py", "--quick", "--only", "tiny", "--out", tmp_path)
    assert "a training step, tiny" in output
    (row,) = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]
    assert row["ratio"] == pytest.approx(row["seconds"][0] / row["seconds"][1])
    assert (tmp_path / "results.png").stat().st_size > 1000


def test_the_twins_compute_the_same_loss():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    from contender import SIZES, batch_for, minigrad_model
    from torch_twin import twin_of

    model = minigrad_model(SIZES["tiny"])
    idx, targets = batch_for(SIZES["tiny"])
    theirs = twin_of(model)(torch.tensor(idx), torch.tensor(targets))[1].item()
    assert model(idx, targets)[1].item() == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("recipe", ["plain", "muon"])
def test_a_recipe_stops_at_its_target(tmp_path, recipe, monkeypatch):
    import learning

    monkeypatch.setitem(learning.RECIPES, recipe, (6, 2, 2))
    text = tmp_path / "text.txt"
    text.write_text("the quick brown fox jumps over the lazy dog\n" * 200, encoding="utf-8")
    easy = learning.run(recipe, str(text), target=100.0, seed=1)
    hard = learning.run(recipe, str(text), target=0.0, seed=1)
    assert [step for step, _, _ in easy["history"]] == [4]
    assert [step for step, _, _ in hard["history"]] == [4, 6]
    assert hard["tokens"] == 6 * 2 * 64 and hard["history"][-1][2] < 3.4
