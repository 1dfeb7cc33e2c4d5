"""The benchmarks run, and measure what they say; how fast anything is decides no test."""

import json
import math
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


@pytest.fixture(scope="module")
def two_ways():
    """Characters and byte pairs of a text of 2,000 characters that ends unlike it began."""
    import words

    return words.contenders(("the cat sat on the mat\n" * 79)[:1800] + "été, " * 40, [262])


def test_contenders_for_words_split_the_text_alike_and_learn_nothing_from_its_end(two_ways):
    characters, pairs = two_ways
    assert (characters.vocab_size, pairs.vocab_size) == (13, 262)
    assert characters.val_bytes == pairs.val_bytes == 40 * 7
    assert len(characters.train_ids) == 1800 and len(characters.val_ids) == 1 + 40 * 5
    assert len(pairs.train_ids) < 1200 and len(pairs.val_ids) == 1 + 40 * 7  # no pair occurs there


def test_contenders_for_words_have_about_the_same_number_of_parameters(two_ways):
    import words

    sizes = [words.Training(way, steps=1, seed=0).model.num_parameters() for way in two_ways]
    assert sizes == [words.model_size(way.vocab_size, way.width) for way in two_ways]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.03) and two_ways[1].width < 128


def test_bits_per_byte_of_a_model_that_finds_all_tokens_equally_likely(two_ways):
    import words

    new = 3 / 5, 6 / 7  # é and the comma; and among byte pairs a blank before no word
    for way, share in zip(two_ways, new):
        model = words.Training(way, steps=1, seed=0).model
        model.transformer.wte.weight.data = 0 * model.transformer.wte.weight.data
        bits, unseen = words.bits_per_byte(model, way)
        assert bits == pytest.approx(math.log2(way.vocab_size) * way.tokens_per_byte, rel=1e-4)
        assert unseen == pytest.approx(share * bits, rel=1e-4)


def test_table_of_a_quick_comparison_of_words():
    head, line, *rows = run("benchmarks/words.py", "--quick", "--sizes", 300).splitlines()
    assert {row.count("|") for row in (head, line, *rows)} == {14}
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[:2] for row in cells] == [["characters", "60"], ["byte pairs", "300"]]
    assert [row[7] for row in cells] == ["3", "3"] and cells[0][7:10] == cells[0][10:13]
