"""Are byte pairs worth it? Characters against tokens of several sizes, in bits a byte.

    python benchmarks/words.py [--text poems] [--sizes 1024 4096 8192] [--seeds 1 2]

One model for each tokenizer, trained with the recipe of chapter 10 (4 layers, 4
heads, AdamW, batches of 12 x 64 tokens). The first is that for characters, 128 wide; the others are
as wide as gives about as many parameters, their table of tokens among them. Two comparisons:
(a) after equally many steps, and so tokens, of which a longer one covers more text;
(b) after as many processor seconds as the characters took, or --seconds of them; where that is
    within a hundredth as many steps as in (a), it is the same run.
What a step costs is measured with all models in turns, on one thread, without evaluation; training
the tokenizer does not count. The tokenizer learns from the same part of the text as the model.
Bits a byte are those of the whole held-out last tenth, each token once, in disjoint windows.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, median

import numpy as np

from minigrad import functional as F
from minigrad.bpe import BPETokenizer
from minigrad.data import DataLoaderSimple, SimpleTokenizer, TextDataset, load_text
from minigrad.gpt import GPT, LanguageModel
from minigrad.optim import cosine_lr
from minigrad.parallel import blas_threads, keep_freed_memory
from minigrad.tensor import no_grad
from minigrad.train import TrainConfig, adamw_for, train_step

SIZES = {"poems": [1024, 4096, 8192]}  # what else than characters is tried with a text
OTHER_SIZES = [512, 1024, 4096]
RECIPE = TrainConfig()


def model_size(vocab_size: int, width: int) -> int:
    """How many parameters a GPT of the recipe has, with this width."""
    block = 12 * width**2 + 13 * width
    return (vocab_size + RECIPE.block_size + 2) * width + RECIPE.n_layer * block


def width_for(vocab_size: int, n_parameters: int) -> int:
    """The width with which a model has nearest to so many parameters."""
    widths = range(RECIPE.n_head, 1025, RECIPE.n_head)
    return min(widths, key=lambda width: abs(model_size(vocab_size, width) - n_parameters))


@dataclass
class Contender:
    """A tokenizer, the text in its ids, and how wide its model is."""

    name: str
    vocab_size: int
    train_ids: np.ndarray
    val_ids: np.ndarray  # with the last one of training before them, to predict the first from
    val_bytes: int
    width: int

    @property
    def tokens_per_byte(self) -> float:
        return (len(self.val_ids) - 1) / self.val_bytes


def contenders(text: str, sizes: list[int]) -> list[Contender]:
    """Characters and byte pairs. All characters of the text get an id, as in a training run; the
    pairs are learned from the part for training alone."""
    cut = int(len(text) * 0.9)
    parts = text[:cut], text[cut:]
    found: list[Contender] = []
    for size in [None, *sizes]:
        tokenizer = (
            BPETokenizer.from_text(parts[0], size) if size else SimpleTokenizer.from_text(text)
        )
        train, val = (np.array(tokenizer.encode(part)) for part in parts)
        width, vocab_size = RECIPE.n_embd, tokenizer.vocab_size
        if found:
            width = width_for(vocab_size, model_size(found[0].vocab_size, RECIPE.n_embd))
        val = np.concatenate([train[-1:], val])
        name = "byte pairs" if size else "characters"
        found.append(Contender(name, vocab_size, train, val, len(parts[1].encode()), width))
    return found


class Training:
    """A model for a contender, a GPT or what `build` makes, that learns for a number of steps."""

    def __init__(self, contender: Contender, steps: int, seed: int, build: Callable = GPT):
        weights_rng, batches_rng = np.random.default_rng(seed).spawn(2)
        self.config = TrainConfig(max_iters=steps, n_embd=contender.width)
        c = self.config
        sizes = contender.vocab_size, c.n_embd, c.n_layer, c.n_head, c.block_size
        self.model = build(*sizes, rng=weights_rng)
        self.optimizer = adamw_for(self.model, c)
        dataset = TextDataset(contender.train_ids, c.block_size)
        self.loader = DataLoaderSimple(dataset, c.batch_size, batches_rng)
        self.step, self.seconds = 0, 0.0

    def advance(self) -> None:
        """One step; its processor time is added to `seconds`."""
        start, c = time.process_time(), self.config
        rate = cosine_lr(self.step, c.learning_rate, c.min_lr, c.warmup_iters, c.lr_decay_iters)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        train_step(self.model, self.optimizer, *self.loader.sample(), c.grad_clip, threads=1)
        self.step += 1
        self.seconds += time.process_time() - start


@no_grad()
def nats_of(model: LanguageModel, ids: np.ndarray) -> np.ndarray:
    """What each of the ids but the first costs, predicted once, in disjoint windows."""
    size = model.block_size
    n_whole = (len(ids) - 1) // size * size
    x, y = ids[:n_whole].reshape(-1, size), ids[1 : n_whole + 1].reshape(-1, size)
    batches = [(x[i : i + 16], y[i : i + 16]) for i in range(0, len(x), 16)]
    if n_whole < len(ids) - 1:  # a shorter window is left over
        batches.append((ids[None, n_whole:-1], ids[None, n_whole + 1 :]))
    nats = []
    for x, y in batches:
        log_p = F.log_softmax(model(x)[0]).data
        nats.append(-np.take_along_axis(log_p, y[..., None], axis=-1).reshape(-1))
    return np.concatenate(nats)


def bits_per_byte(model: LanguageModel, contender: Contender) -> tuple[float, float]:
    """On the held-out text; and how much of it for ids that the text for training does not have."""
    nats, ids = nats_of(model, contender.val_ids), contender.val_ids[1:]
    unseen = ~np.isin(ids, contender.train_ids)
    unit = math.log(2) * contender.val_bytes
    return nats.sum(dtype=float) / unit, nats[unseen].sum(dtype=float) / unit


def step_seconds(trainings: list[Training], rounds: int) -> list[float]:
    """What a step costs each: medians over rounds in which they take turns."""
    times: list[list[float]] = [[] for _ in trainings]
    for _ in range(rounds):
        for training, its_times in zip(trainings, times):
            before = training.seconds
            training.advance()
            its_times.append(training.seconds - before)
    return [median(its_times) for its_times in times]


def trained(contender: Contender, steps: int, seeds: list[int]) -> str:
    """Cells of the table: steps, seconds, bits a byte; for several seeds their mean and range."""
    results = []
    for seed in seeds:
        training = Training(contender, steps, seed)
        for _ in range(steps):
            training.advance()
        bits, unseen = bits_per_byte(training.model, contender)
        results.append((training.seconds, bits))
        what = f"{contender.name}, {contender.vocab_size:,}, seed {seed}: {steps:,} steps"
        print(
            f"{what}, {training.seconds:.1f} s, {bits:.4f} (unseen {unseen:.4f})",
            file=sys.stderr,
            flush=True,
        )
    seconds, bits = zip(*results)
    spread = f" ({min(bits):.3f} to {max(bits):.3f})" if len(seeds) > 1 else ""
    return f"{steps:,} | {mean(seconds):.0f} | **{mean(bits):.3f}**{spread}"


def main() -> None:
    how = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=how)
    parser.add_argument("--text", default="shakespeare", help="a text file or a named data set")
    parser.add_argument("--sizes", type=int, nargs="+", help="vocabularies of byte pairs")
    parser.add_argument("--steps", type=int, default=RECIPE.max_iters, help="steps in (a) [2000]")
    parser.add_argument("--seconds", type=float, help="processor seconds of a run in (b)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[RECIPE.seed], metavar="SEED")
    parser.add_argument("--quick", action="store_true", help="a few steps with a part of the text")
    args = parser.parse_args()
    text, rounds = load_text(args.text), 30
    if args.quick:
        text, rounds, args.steps = text[:20_000], 2, 3
    keep_freed_memory()  # as the command of training does
    with blas_threads(1):
        found = contenders(text, args.sizes or SIZES.get(args.text, OTHER_SIZES))
        costs = step_seconds([Training(c, steps=rounds, seed=0) for c in found], rounds)
        seconds = args.seconds or args.steps * costs[0]
        columns = "tokens | vocabulary | tokens a byte | width | parameters | of these the table"
        columns += " | ms a step | (a) steps | seconds | bits a byte"
        columns += " | (b) steps | seconds | bits a byte"
        print(f"| {columns} |\n|{'---|' * (columns.count('|') + 1)}", flush=True)
        for contender, cost in zip(found, costs):
            size = model_size(contender.vocab_size, contender.width)
            table = contender.vocab_size * contender.width / size
            cells = [contender.name, f"{contender.vocab_size:,}"]
            cells += [f"{contender.tokens_per_byte:.3f}", f"{contender.width}"]
            cells += [f"{size:,}", f"{table:.0%}", f"{1000 * cost:.1f}"]
            steps = max(1, round(seconds / cost))
            cells.append(trained(contender, args.steps, args.seeds))
            same = abs(steps - args.steps) <= args.steps / 100
            cells.append(cells[-1] if same else trained(contender, steps, args.seeds))
            print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
