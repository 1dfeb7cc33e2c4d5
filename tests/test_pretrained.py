"""The two small models that come with the course: their size, their origin, and that they speak."""

import math
import re
from importlib.resources import files

import numpy as np
import pytest

from minigrad.checkpoint import load, load_model
from minigrad.data import SimpleTokenizer, TextDataset, load_text, train_val_split
from minigrad.generate import generate
from minigrad.train import evaluate

FOLDER = files("minigrad") / "pretrained"
LOSS = {"shakespeare": 1.75, "poems": 4.45}  # no worse than this on unseen text


@pytest.mark.parametrize("name", LOSS)
def test_size_and_origin(name):
    path = FOLDER / f"{name}.pkl"
    content = load(path)
    assert path.stat().st_size <= 4_000_000
    assert set(content) == {"model_args", "model", "characters", "config", "step", "val_loss"}
    assert {array.dtype for array in content["model"].values()} == {np.dtype(np.float16)}
    config = content["config"]
    assert (config["dataset"], config["out_dir"]) == (name, f"out/{name}")
    assert config["seed"] == 1337 and content["step"] <= config["max_iters"]


@pytest.mark.parametrize("name", LOSS)
def test_the_loss_on_unseen_text_is_what_the_file_says(name):
    model, tokenizer = load_model(FOLDER / f"{name}.pkl")
    text, content = load_text(name), load(FOLDER / f"{name}.pkl")
    assert tokenizer.characters == SimpleTokenizer.from_text(text).characters
    _, val = train_val_split(tokenizer.encode(text))
    config = content["config"]
    data = TextDataset(val, config["block_size"])
    loss = evaluate(model, data, config["batch_size"], config["eval_iters"])
    assert math.isclose(loss, content["val_loss"], abs_tol=0.002) and loss < LOSS[name]


def test_the_poems_have_the_form_of_poems():
    model, tokenizer = load_model(FOLDER / "poems.pkl")
    start = np.tile(tokenizer.encode("\n\n"), (40, 1))
    ids = generate(model, start, 40, temperature=0.8, rng=np.random.default_rng(0))
    poems = [tokenizer.decode(row)[2:].split("\n\n")[0] for row in ids]
    couplet = "[^，。\n]{%d}，\n[^，。\n]{%d}。"
    forms = ["\n".join([couplet % (n, n)] * 2) for n in (5, 7)]
    in_form = sum(any(re.fullmatch(form, poem) for form in forms) for poem in poems)
    assert in_form >= 28  # of 40


@pytest.mark.slow
def test_the_plays_have_speakers_and_words():
    model, tokenizer = load_model(FOLDER / "shakespeare.pkl")
    start = np.tile(tokenizer.encode("\n"), (10, 1))
    ids = generate(model, start, 200, temperature=0.8, rng=np.random.default_rng(0))
    text = "\n".join(tokenizer.decode(row) for row in ids)
    known = set(re.findall("[a-z]+", load_text("shakespeare").lower()))
    words = re.findall("[a-z]+", text.lower())
    assert sum(word in known for word in words) > 0.85 * len(words)
    assert re.search(r"(?m)^[A-Z ]{3,}:$", text)
