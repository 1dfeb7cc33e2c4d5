"""The benchmarks run, and measure what they say; how fast anything is decides no test."""

import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest

from conftest import ROOT
from minigrad.generate import generate


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
    command = "benchmarks/bench.py", "--quick", "--only", "tiny", "--engines", "torch"
    output = run(*command, "--out", tmp_path)
    assert "a training step, tiny" in output
    (row,) = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["results"]
    assert list(row["engines"]) == ["minigrad", "floor", "torch"]
    ours = row["engines"]["minigrad"]
    for its in row["engines"].values():
        assert its["ratio"] == pytest.approx(ours["seconds"] / its["seconds"])
    assert (tmp_path / "results.png").stat().st_size > 1000


def test_engines_take_turns_and_ratios_are_those_of_medians_and_of_rounds(monkeypatch):
    import bench

    ran = []
    seconds = {"minigrad": [2.0, 4, 9, 2, 2], "torch": [4.0] * 5, "jax": [1.0] * 3, "numpy": []}

    def run(engine, *_):
        ran.append(engine)
        if engine == "compiled":
            raise RuntimeError("it failed:\nno compiler")
        times = [1e-3] if engine == "numpy" else [seconds[engine].pop(0)]
        return {"times": times, "memory": 100.0, "tokens": None}

    monkeypatch.setattr(bench, "run", run)
    monkeypatch.setattr(bench, "why_not", lambda engine, size: None)
    goals = {"torch": 0.4}
    result = bench.compare("training", "tiny", 5, 1, 0, goals, ["torch", "compiled", "jax"])
    assert ran[:5] == ["minigrad", "numpy", "torch", "compiled", "jax"]
    assert ran[5:9] == ["jax", "torch", "numpy", "minigrad"] and ran.count("compiled") == 1
    assert [ran.count(e) for e in ("minigrad", "numpy", "torch", "jax")] == [5, 5, 5, 3]
    *_, row, _, missing = bench.table([result]).splitlines()
    assert "| 2.00 s |" in row and "| - |" in row and row.endswith("| 100 / 100 / 100 |")
    assert "| 4.00 s: **0.50** (0.50 to 2.25), goal 0.4 |" in row
    assert "| 1.00 s: **4.00** (2.00 to 9.00) |" in row
    assert missing == "- training, tiny, without torch, compiled: no compiler"


def test_floor_counts_the_products_of_a_step(monkeypatch):
    import where
    from contender import SIZES, batch_for, minigrad_model

    size = SIZES["tiny"]
    (B, T), C = batch_for(size)[0].shape, size.n_embd
    matrices = [p for p in minigrad_model(size).parameters() if p.ndim == 2 and p.shape[0] != T]
    counted = sum(p.size for p in matrices) * B * T  # the table once: as the head
    pairs = sum(range(1, T + 1))  # of a query, and a key that it may see
    counted += 2 * size.n_layer * B * pairs * C
    assert where.multiply_adds(size) == 3 * counted


def test_where_the_time_of_a_step_goes():
    head, line, *rows = run("benchmarks/bench.py", "--quick", "--where", "tiny").splitlines()
    assert head.endswith("| tiny |") and {row.count("|") for row in (head, line, *rows)} == {3}
    parts = [float(row.split("|")[2].split("(")[0].replace(",", "")) for row in rows]
    assert rows[-4].startswith("| **together** |")
    assert sum(parts[:-4]) == pytest.approx(parts[-4], rel=0.02) and parts[-4] > 0


def test_jax_computes_the_same_logits_loss_gradients_and_step():
    pytest.importorskip("jax", reason="jax is not installed")
    from dataclasses import replace
    from functools import partial

    import jax
    import jax_twin
    from contender import SIZES, batch_for, minigrad_model

    from minigrad.optim import AdamW, decay_groups
    from minigrad.train import train_step

    size = replace(SIZES["tiny"], n_layer=1)  # XLA takes seconds for each
    model = minigrad_model(size)
    rng = np.random.default_rng(1)
    for p in model.parameters():  # so large that every part of the model matters
        p.data += rng.normal(0, 0.05, p.shape).astype(np.float32)
    batch, sizes = batch_for(size), (size.n_layer, size.n_head)
    params, ours = jax_twin.params_of(model), dict(model.named_parameters())
    first = jax_twin.first_params(**size.model_options())
    shapes = {name: p.shape for name, p in ours.items()}
    assert (
        shapes == {n: p.shape for n, p in params.items()} == {n: p.shape for n, p in first.items()}
    )
    logits, loss = model(*batch)
    compiled = partial(jax.jit, static_argnums=(2, 3))  # which is faster than one by one
    theirs = compiled(jax_twin.logits_of)(params, batch[0], *sizes)
    np.testing.assert_allclose(theirs, logits.data, atol=1e-4)
    compiled = partial(jax.jit, static_argnums=(3, 4))
    theirs, grads = compiled(jax.value_and_grad(jax_twin.loss_of))(params, *batch, *sizes)
    assert loss.item() == pytest.approx(theirs.item(), abs=1e-4)
    loss.backward()
    for name, p in ours.items():
        assert np.abs(grads[name] - p.grad).max() < 1e-4 * max(1, np.abs(p.grad).max()), name
    optimizer = AdamW(decay_groups(model.parameters(), 0.1), lr=1e-2, betas=(0.9, 0.99))
    step = jax_twin.trainer(params, *sizes, lr=1e-2, grad_clip=0.5)
    for _ in range(4):
        assert step(*batch) == pytest.approx(train_step(model, optimizer, *batch, 0.5), abs=1e-4)


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


MODERN = "GPT", "no biases", "RMSNorm", "rotary positions", "SwiGLU", "2 keys for 4 queries"
MODERN = *MODERN, "all: Llama"


@pytest.fixture(params=MODERN)
def modern_model(request):
    """Its name, and a small one."""
    import modern

    assert tuple(modern.MODELS) == MODERN
    rng = np.random.default_rng(0)
    return request.param, modern.MODELS[request.param](11, 24, 2, 4, 8, rng=rng)


def test_what_is_modern_is_what_it_says(modern_model):
    name, model = modern_model
    names = [name for name, _ in model.named_parameters()]
    blocks = 2 * 12 * 24 * 24, 2 * 13 * 24  # of a GPT: in matrices, in biases and norms
    table, places, last = 11 * 24, 8 * 24, 2 * 24
    sizes = {
        "GPT": sum(blocks) + table + places + last,
        "no biases": blocks[0] + 2 * 2 * 24 + table + places + 24,
        "RMSNorm": sum(blocks) - 2 * 2 * 24 + table + places + 24,
        "rotary positions": sum(blocks) + table + last,
        "SwiGLU": sum(blocks) + 2 * (2 * 64 - 4 * 24) + table + places + last,
        "2 keys for 4 queries": sum(blocks) - 2 * (24 * 24 + 24) + table + places + last,
        "all: Llama": blocks[0] - 2 * 24 * 24 + 2 * 2 * 24 + table + 24,
    }
    assert model.num_parameters() == sizes[name]
    has_bias = any(name.endswith("bias") for name in names)
    assert has_bias == (name not in ("no biases", "all: Llama"))
    logits = model(np.full((1, 8), 3))[0].data  # only its place tells one token from the other
    assert np.allclose(logits[0, 0], logits[0, 7], atol=1e-6) == (
        name in ("rotary positions", "all: Llama")
    )


def test_what_is_modern_looks_back_only_and_learns_everywhere(modern_model):
    _, model = modern_model
    idx = np.arange(16).reshape(2, 8) % 11
    logits, loss = model(idx, idx)
    loss.backward()
    assert all(p.grad is not None for p in model.parameters())
    changed = idx.copy()
    changed[:, 5] += 1
    differences = np.abs(model(changed % 11)[0].data - logits.data).max(axis=(0, 2))
    assert differences[:5].max() < 1e-6 < differences[5:].min()


def test_what_is_modern_writes_the_same_with_a_cache(modern_model):
    _, model = modern_model
    idx = np.array([[1, 2, 3]])
    with_cache = generate(model, idx, 5, temperature=0)
    assert (with_cache == generate(model, idx, 5, temperature=0, use_cache=False)).all()


def test_what_is_modern_begins_as_wide_as_a_gpt(modern_model):
    _, model = modern_model
    last = ("c_proj.weight", "o_proj.weight", "down_proj.weight")
    for name, p in model.named_parameters():
        if p.ndim == 2:
            spread = 0.02 / 2 if name.endswith(last) else 0.02
            assert p.data.std() == pytest.approx(spread, rel=0.2)


def test_losses_after_two_numbers_of_steps_are_those_of_one_training(two_ways):
    import modern
    import words

    text, build = two_ways[0], modern.MODELS["all: Llama"]
    training = words.Training(text, 3, 1, build)
    expected = []
    for _ in range(3):
        training.advance()
        expected.append(words.nats_of(training.model, text.val_ids).mean())
    found = modern.losses(build, text, 1, 3, [3, 2])
    assert found == pytest.approx([expected[2], expected[1]], rel=1e-6)
    assert expected[2] != expected[1]


def test_table_of_a_quick_comparison_of_what_is_modern(tmp_path):
    command = "benchmarks/modern.py", "--quick", "--seeds", 1, "--results", tmp_path / "results"
    table = run(*command)
    head, line, *rows = table.splitlines()
    assert {row.count("|") for row in (head, line, *rows)} == {12}
    assert tuple(row.split(" | ")[0].strip("| ") for row in rows) == MODERN
    noted = (tmp_path / "results").read_text(encoding="utf-8")
    assert run(*command) == table  # nothing is done twice
    assert (tmp_path / "results").read_text(encoding="utf-8") == noted


def test_chat_is_measured_without_the_others():
    head, line, *rows = run("benchmarks/chat.py", "--quick", "--only", "minigrad").splitlines()
    assert head == "| what | minigrad |" and len(rows) == 5
    numbers = [float(row.split("|")[2].replace(",", "")) for row in rows]
    assert min(numbers[:3]) > 0 and (os.name == "nt" or min(numbers) > 0)


@pytest.mark.long
def test_chat_beside_transformers():
    for part in ("torch", "transformers"):
        pytest.importorskip(part, reason=f"{part} is not installed")
    output = run("benchmarks/chat.py", "--quick", "--only", "minigrad", "transformers")
    assert "| what | minigrad | transformers | minigrad / transformers (rounds) |" in output
    assert "transformers wrote 65 of the 65 tokens that minigrad wrote." in output


def test_ratios_of_a_chat_are_those_of_medians_and_of_rounds():
    import chat

    values = {"write": [30, 20, 60], "read": [200.0], "first": [1.0], "first memory": 500}
    ours = values | {"memory": 600}
    theirs = {"write": [10, 20, 15], "read": [400.0], "first": [8.0], "first memory": 1000}
    rows = chat.table({"minigrad": ours, "transformers": theirs | {"memory": 1200}}).splitlines()
    assert rows[2].endswith("| 30.0 | 15.0 | **2.00** (1.00 to 4.00) |")
    assert rows[3].endswith("| 200 | 400 | **0.50** |")
    assert rows[6].endswith("| 600 | 1,200 | **0.50** |")


def test_chat_tasks_are_measured():
    output = run("benchmarks/chat_tasks.py", "--quick", "--part", "sft", "reward", "lora")
    tables = [table.splitlines() for table in output.strip().split("\n\n")]
    assert [len(table) for table in tables] == [4, 4, 5]
    for table in tables:
        assert len({row.count("|") for row in table}) == 1
    assert "| 1, before | 0% |" in tables[0][2] and "(0.0% to 15.5%)" in tables[0][2]
    assert [row.split(" | ")[0] for row in tables[1][2:]] == ["| 1, is_right", "| 1, has_digits"]
    names = [row.split(" | ")[1:4] for row in tables[2][2:]]
    assert [name for name, *_ in names] == ["all", "rank 1", "rank 4"]
    assert [share for _, _, share in names] == ["100.00%", "2.75%", "11.01%"]


@pytest.mark.parametrize(
    "answer, has",
    [
        ("A tiger is a large cat. Ask me more!", True),
        ("A tiger is a large cat, e.g. from Asia! Ask me more!", True),
        ("A tiger is a large cat. It has stripes. Ask me more!", False),
        ("A tiger is a large cat.", False),
        ("Ask me more!", False),
        ("A tiger is a large cat. Ask me more! Ask me more!", False),
        ("A tiger is a large cat. Ask me more!…", False),
    ],
)
def test_a_habit_is_one_sentence_and_the_line(answer, has):
    import chat_tasks

    assert chat_tasks.has_habit(answer) == has
