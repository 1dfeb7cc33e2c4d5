"""Learning per second: the wall time until a validation loss is reached, for three recipes.

    python benchmarks/learning.py --text FILE [--target 1.886] [--seed N]

torch     nanoGPT's recipe for a CPU (AdamW, cosine, 2000 steps of 12 x 64 tokens), in eager torch
plain     the same recipe in minigrad
muon      minigrad with chapter 12's optimizer: 340 steps of 16 x 64 tokens

Each runs in a process of its own, one after the other. The validation loss is the mean over the
whole validation text in disjoint windows; the time for it does not count.
"""

import argparse
import json
import subprocess
import sys
import time

import numpy as np

from minigrad.data import (
    DataLoaderSimple,
    SimpleTokenizer,
    TextDataset,
    load_text,
    train_val_split,
)

N_LAYER, N_HEAD, N_EMBD, BLOCK_SIZE = 4, 4, 128, 64
RECIPES = {  # steps, batch size, steps between evaluations
    "torch": (2000, 12, 50),
    "plain": (2000, 12, 50),
    "muon": (340, 16, 10),
}


def load(path: str) -> tuple[int, TextDataset, TextDataset]:
    """The vocabulary's size, and the windows to train and to validate on."""
    text = load_text(path)
    tokenizer = SimpleTokenizer.from_text(text)
    parts = train_val_split(tokenizer.encode(text))
    return tokenizer.vocab_size, *(TextDataset(ids, BLOCK_SIZE) for ids in parts)


def random_windows(loader: DataLoaderSimple):
    """Batches of windows drawn at random, as nanoGPT draws them."""
    while True:
        yield loader.sample()


def shuffled_windows(loader: DataLoaderSimple):
    """Batches of disjoint windows, from a random offset and in random order, each once."""
    while True:
        offset = loader.rng.integers(BLOCK_SIZE)
        order = loader.rng.permutation(np.arange(offset, len(loader.dataset), BLOCK_SIZE))
        for i in range(0, len(order) - loader.batch_size + 1, loader.batch_size):
            yield loader.batch(order[i : i + loader.batch_size])


def whole_validation(dataset: TextDataset) -> list:
    """All disjoint windows, in batches of 64."""
    loader, starts = DataLoaderSimple(dataset, 64), range(0, len(dataset), BLOCK_SIZE)
    return [loader.batch(starts[i : i + 64]) for i in range(0, len(starts), 64)]


def minigrad_run(recipe: str, vocab_size: int, seed: int):
    """(take a step with a factor for the learning rate, loss of a batch)"""
    from minigrad.gpt import GPT
    from minigrad.muon import hold_then_decay, muon_for
    from minigrad.optim import AdamW, cosine_lr, decay_groups
    from minigrad.parallel import keep_freed_memory
    from minigrad.tensor import no_grad
    from minigrad.train import train_step

    keep_freed_memory()  # as the command of training does
    rng = np.random.default_rng(seed)
    model = GPT(vocab_size, N_EMBD, N_LAYER, N_HEAD, BLOCK_SIZE, rng=rng)
    if recipe == "muon":
        optimizer = muon_for(model)
        factor = lambda step: hold_then_decay(step, RECIPES["muon"][0])
    else:
        groups = decay_groups(model.parameters(), 0.1)
        optimizer = AdamW(groups, lr=1e-3, betas=(0.9, 0.99))
        factor = lambda step: cosine_lr(step, 1.0, 0.1, 100, 2000)
    rates = [group["lr"] for group in optimizer.param_groups]
    clip = None if recipe == "muon" else 1.0

    def advance(step, x, y):
        for group, rate in zip(optimizer.param_groups, rates):
            group["lr"] = rate * factor(step)
        train_step(model, optimizer, x, y, clip)

    return advance, no_grad()(lambda x, y: model(x, y)[1].item())


def torch_run(vocab_size: int, seed: int):
    import torch
    from contender import Size, torch_model
    from torch_twin import adamw, train_step

    from minigrad.optim import cosine_lr

    twin = torch_model(Size(N_LAYER, N_HEAD, N_EMBD, BLOCK_SIZE, 12, vocab_size), seed)
    optimizer = adamw(twin, lr=1e-3)

    def advance(step, x, y):
        for group in optimizer.param_groups:
            group["lr"] = cosine_lr(step, 1e-3, 1e-4, 100, 2000)
        train_step(twin, optimizer, torch.tensor(x), torch.tensor(y), 1.0)

    loss = torch.no_grad()(lambda x, y: twin(torch.tensor(x), torch.tensor(y))[1].item())
    return advance, loss


def run(recipe: str, text: str, target: float, seed: int) -> dict:
    """Train until the target is reached, or to the end of the recipe."""
    vocab_size, train_data, val_data = load(text)
    steps, batch_size, interval = RECIPES[recipe]
    windows = shuffled_windows if recipe == "muon" else random_windows
    batches = windows(DataLoaderSimple(train_data, batch_size, np.random.default_rng(seed + 1)))
    is_torch = recipe == "torch"
    advance, loss_of = (
        torch_run(vocab_size, seed) if is_torch else minigrad_run(recipe, vocab_size, seed)
    )
    validation = whole_validation(val_data)
    seconds, history = 0.0, []
    for step in range(1, steps + 1):
        start = time.perf_counter()
        advance(step - 1, *next(batches))
        seconds += time.perf_counter() - start
        if step % interval == 0 and step >= 0.6 * steps:
            losses = [loss_of(x, y) for x, y in validation]
            loss = float(np.average(losses, weights=[len(x) for x, _ in validation]))
            history.append((step, seconds, loss))
            print(f"{recipe}: step {step}, {seconds:.1f} s, {loss:.4f}", file=sys.stderr)
            if loss <= target:
                break
    tokens = history[-1][0] * batch_size * BLOCK_SIZE
    return {"recipe": recipe, "history": history, "tokens": tokens}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--text", default="shakespeare", help="a text file or a named data set")
    parser.add_argument("--target", type=float, default=1.886, help="validation loss to reach")
    parser.add_argument("--seed", type=int, default=1337)
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        print(json.dumps(run(args.recipes[0], args.text, args.target, args.seed)))
        return
    print(f"| recipe | steps | tokens | seconds | validation loss | {args.target} reached |")
    print("|---|---|---|---|---|---|")
    for recipe in args.recipes:
        command = [sys.executable, __file__, "--child", "--recipes", recipe, "--text", args.text]
        command += ["--target", str(args.target), "--seed", str(args.seed)]
        done = subprocess.run(command, stdout=subprocess.PIPE, check=True, encoding="utf-8")
        result = json.loads(done.stdout.splitlines()[-1])
        step, seconds, loss = result["history"][-1]
        cells = [recipe, f"{step:,}", f"{result['tokens']:,}", f"{seconds:.1f}", f"{loss:.4f}"]
        print("|", " | ".join([*cells, "yes" if loss <= args.target else "no"]), "|", flush=True)


if __name__ == "__main__":
    main()
