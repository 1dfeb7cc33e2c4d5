"""The fitted laws of benchmarks/scaling.py, and the order in which it works."""

import functools
import json
import math
import sys

import numpy as np
import pytest
import scaling

from conftest import ROOT
from minigrad.llama import Llama

E, A, ALPHA, B, BETA = 1.4, 40.0, 0.45, 500.0, 0.55


def made_up(noise: float = 0.0) -> list[dict]:
    """Runs that obey a known law."""
    rng, runs = np.random.default_rng(0), []
    for flops, widths in scaling.GRID.items():
        for n in (scaling.weights(width, 63) for width in widths):
            d = flops / (6 * n)
            for seed in range(3):
                loss = E + A * n**-ALPHA + B * d**-BETA + rng.normal(0, noise)
                runs.append(dict(flops=flops, width=n, seed=seed, weights=n, tokens=d, loss=loss))
    return runs


def test_a_law_is_found_again():
    law = scaling.Law(made_up())
    found = law.E, law.alpha, law.beta, law.exponent()
    assert found == pytest.approx((E, ALPHA, BETA, BETA / (ALPHA + BETA)), abs=2e-3)
    assert law(1e5, 1e6) == pytest.approx(E + A * 1e5**-ALPHA + B * 1e6**-BETA, abs=1e-4)


def test_intervals_hold_the_truth_and_widen_with_the_noise():
    runs = made_up(noise=0.01)
    assert scaling.seeds_apart(runs) == pytest.approx(0.01, rel=0.3)
    power = lambda some: scaling.Law(some).exponent()
    low, high = scaling.interval(runs, power, 0.01, rounds=60)
    assert low < BETA / (ALPHA + BETA) < high
    narrow, wide = (np.diff(scaling.interval(runs, scaling.growth, by, 60)) for by in (0.002, 0.01))
    assert 3 * narrow < wide


def test_the_lowest_point_of_a_budget():
    losses = {n: 2 + math.log(n / 3000) ** 2 for n in (1000, 2000, 8000)}
    runs = [{"weights": n, "loss": loss} for n, loss in losses.items()]
    assert scaling.best_weights(runs) == pytest.approx(3000)
    upside_down = [r | {"loss": -r["loss"]} for r in runs]
    assert math.isnan(scaling.best_weights(upside_down))
    square_root = [  # the best size grows as the root of the budget
        {"flops": flops, "weights": n, "loss": math.log(n / flops**0.5) ** 2}
        for flops in (1e4, 1e6, 1e8)
        for n in (10, 1000, 100_000)
    ]
    assert scaling.growth(square_root) == pytest.approx(0.5)


def test_a_budget_buys_as_many_tokens_as_it_says():
    text = scaling.Text("to be, or not to be. " * 100)
    model = Llama(text.vocab_size, 32, 2, 4, block_size=64, tied=False, rng=0)
    embedding = text.vocab_size * 32
    matrices = sum(p.data.size for p in model.parameters() if p.ndim == 2) - embedding
    assert matrices == pytest.approx(scaling.weights(32, text.vocab_size), rel=0.03)
    tokens = text.steps(32, 1e10) * 16 * 64
    assert tokens * scaling.flops_a_token(32, text.vocab_size) == pytest.approx(1e10, rel=0.01)
    assert len(text.held_out) == 210 and len(text.train) == 1890


def test_what_the_law_promises_is_written_before_the_run_is_made(tmp_path, monkeypatch, capsys):
    play, runs = tmp_path / "play.txt", tmp_path / "runs.jsonl"
    play.write_text("to be, or not to be. " * 200, encoding="utf-8")
    monkeypatch.setattr(scaling, "interval", functools.partial(scaling.interval, rounds=20))
    monkeypatch.setattr(scaling, "GRID", {5e7: [8, 16, 24], 1e8: [8, 16, 24], 3e12: [8]})
    command = ["scaling.py", "--text", str(play), "--runs", str(runs), "--budgets", "2"]
    options = ["--seeds", "1", "2", "--plot", str(tmp_path / "plot.png")]
    monkeypatch.setattr(sys, "argv", command + options)
    scaling.main()
    told = capsys.readouterr().out
    lines = [json.loads(line) for line in runs.read_text(encoding="utf-8").splitlines()]
    assert [line.get("flops") for line in lines] == [5e7] * 6 + [1e8] * 6 + [None] + [4e8] * 2
    assert lines[12]["prediction"] == 4e8 and lines[12]["width"] == lines[13]["width"]
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
    monkeypatch.setattr(scaling, "run", lambda *_: pytest.fail("this run was there already"))
    scaling.main()
    assert capsys.readouterr().out == told
    monkeypatch.setattr(sys, "argv", [*command, "--seeds", "1"])
    with pytest.raises(SystemExit):
        scaling.main()
    assert "--seeds: two at least" in capsys.readouterr().err


def test_the_table_of_the_readme_is_that_of_the_runs():
    path = ROOT / "benchmarks" / "scaling.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    told = next(i for i, line in enumerate(lines) if "prediction" in line)
    assert all(line["flops"] == lines[told]["prediction"] for line in lines[told + 1 :])
    readme = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
    assert scaling.table(lines[:told]) in readme
