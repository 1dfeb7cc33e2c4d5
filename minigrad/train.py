"""The training loop, from Python and from the command line."""

# %% #imports
import argparse
import signal
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields

import numpy as np

from .checkpoint import CheckpointError, CheckpointManager, load
from .data import DataLoaderSimple, SimpleTokenizer, TextDataset, load_text, train_val_split
from .gpt import GPT
from .nn import Module
from .optim import AdamW, Optimizer, clip_grad_norm, cosine_lr, decay_groups
from .tensor import Tensor, backpropagate, no_grad


# %% #train-step
def train_step(
    model: Module,
    optimizer: Optimizer,
    idx: np.ndarray,
    targets: np.ndarray,
    grad_clip: float | None = None,
    threads: int | None = None,
) -> float:
    """Forward, backward, clip, step; returns the loss. With `threads`, the batch is divided among
    them (data parallelism): each computes the gradient of its share, and the shares are added."""
    optimizer.zero_grad()
    if threads is None or threads == 1:
        _, loss = model(idx, targets)
        loss.backward()
        loss = loss.item()
    else:
        loss = _accumulate_in_threads(model, idx, targets, threads)
    if grad_clip:
        clip_grad_norm(model.parameters(), grad_clip)
    optimizer.step()
    return loss


def _accumulate_in_threads(model: Module, idx, targets, threads: int) -> float:
    """Set every parameter's gradient from parts of the batch, computed side by side."""

    def share(part: tuple[np.ndarray, np.ndarray]) -> tuple[float, dict[Tensor, np.ndarray]]:
        _, loss = model(*part)
        weight = len(part[0]) / len(idx)
        gradients = {node: g for node, g in backpropagate(loss, weight) if node.is_leaf}
        return loss.item() * weight, gradients

    threads = min(threads, len(idx))
    parts = zip(np.array_split(idx, threads), np.array_split(targets, threads))
    with ThreadPoolExecutor(threads) as pool:
        shares = list(pool.map(share, parts))
    for _, gradients in shares:
        for p, g in gradients.items():
            p.grad = np.array(g) if p.grad is None else p.grad + g
    return sum(loss for loss, _ in shares)


# %% #evaluate
@no_grad()
def evaluate(model: Module, dataset: TextDataset, batch_size: int, n_batches: int) -> float:
    """The mean loss over random batches, the same ones at every call, without dropout."""
    loader = DataLoaderSimple(dataset, min(batch_size, len(dataset)), np.random.default_rng(0))
    was_training = model.training
    model.eval()
    losses = [model(*loader.sample())[1].item() for _ in range(n_batches)]
    model.train(was_training)
    return float(np.mean(losses))


# %% #config
def _option(default, help: str):
    return field(default=default, metadata={"help": help})


@dataclass
class TrainConfig:
    """The options of a training run. The defaults are nanoGPT's for a CPU."""

    dataset: str = _option("shakespeare", "shakespeare, names, poems, or a text file in UTF-8")
    out_dir: str | None = _option(None, "folder for the checkpoints [out/DATASET]")
    n_layer: int = _option(4, "blocks")
    n_head: int = _option(4, "attention heads in a block")
    n_embd: int = _option(128, "channels of the residual stream")
    block_size: int = _option(64, "tokens of context")
    batch_size: int = _option(12, "sequences in a batch")
    max_iters: int = _option(2000, "training steps")
    learning_rate: float = _option(1e-3, "highest learning rate, after the warm-up")
    min_lr: float | None = _option(None, "lowest learning rate, at the end [a tenth]")
    warmup_iters: int | None = _option(None, "steps of warm-up [5 %% of max-iters, at most 100]")
    lr_decay_iters: int | None = _option(None, "step that reaches min-lr [max-iters]")
    weight_decay: float = _option(0.1, "decay of the matrices")
    beta1: float = _option(0.9, "AdamW's memory of gradients")
    beta2: float = _option(0.99, "AdamW's memory of squared gradients")
    grad_clip: float = _option(1.0, "largest norm of the gradient; 0 for no limit")
    dropout: float = _option(0.0, "share of activations to drop in training")
    eval_interval: int = _option(250, "steps between evaluations, each with a checkpoint")
    eval_iters: int = _option(20, "batches in an evaluation")
    seed: int = _option(1337, "seed of all randomness")
    threads: int = _option(1, "threads that share each batch")

    def __post_init__(self):
        """Fill in what depends on other options, and refuse what contradicts itself."""
        if self.out_dir is None:
            self.out_dir = f"out/{self.dataset.replace('/', '_')}"
        if self.min_lr is None:
            self.min_lr = self.learning_rate / 10
        if self.lr_decay_iters is None:
            self.lr_decay_iters = self.max_iters
        if self.warmup_iters is None:
            self.warmup_iters = min(100, self.lr_decay_iters // 20)
        at_least_one = ("batch_size", "max_iters", "eval_interval", "eval_iters", "threads")
        for name in at_least_one:
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 <= self.min_lr <= self.learning_rate:
            raise ValueError(
                f"min_lr {self.min_lr} must lie between 0 and learning_rate {self.learning_rate}"
            )
        if not 0 <= self.warmup_iters <= self.lr_decay_iters:
            raise ValueError(
                f"warmup_iters {self.warmup_iters} must lie between 0 and "
                f"lr_decay_iters {self.lr_decay_iters}"
            )


# %% #trainer
class Trainer:
    """A run of training, with everything that a checkpoint must hold to continue it exactly."""

    def __init__(self, config: TrainConfig):
        self.config = config
        self.rng = np.random.default_rng(config.seed)
        text = load_text(config.dataset)
        self.tokenizer = SimpleTokenizer.from_text(text)
        ids = self.tokenizer.encode(text)
        self.train_data, self.val_data = (
            TextDataset(part, config.block_size) for part in train_val_split(ids)
        )
        self.loader = DataLoaderSimple(self.train_data, config.batch_size, self.rng)
        self.model = GPT(
            vocab_size=self.tokenizer.vocab_size,
            n_embd=config.n_embd,
            n_layer=config.n_layer,
            n_head=config.n_head,
            block_size=config.block_size,
            dropout=config.dropout,
            rng=self.rng,
        )
        groups = decay_groups(self.model.parameters(), config.weight_decay)
        betas = (config.beta1, config.beta2)
        self.optimizer = AdamW(groups, lr=config.learning_rate, betas=betas)
        self.step = 0
        self.history: list[dict] = []  # one entry an evaluation

    def state(self) -> dict:
        """What a checkpoint holds. The first three entries are all that generation needs."""
        return {
            "model_args": self.model.config,
            "model": self.model.collect_state_dict(),
            "characters": "".join(self.tokenizer.characters),
            "optimizer": self.optimizer.collect_state_dict(),
            "rng": self.rng.bit_generator.state,
            "step": self.step,
            "history": self.history,
            "config": asdict(self.config),
        }

    def load_state(self, state: dict) -> None:
        """Continue where a checkpoint was written."""
        if state["characters"] != "".join(self.tokenizer.characters):
            raise CheckpointError(f"the text of {self.config.dataset} has changed since that run")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.rng.bit_generator.state = state["rng"]
        self.step, self.history = state["step"], state["history"]

    def advance(self) -> tuple[float, float]:
        """One training step; returns its loss and learning rate."""
        c = self.config
        lr = cosine_lr(self.step, c.learning_rate, c.min_lr, c.warmup_iters, c.lr_decay_iters)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        idx, targets = self.loader.sample()
        loss = train_step(self.model, self.optimizer, idx, targets, c.grad_clip, c.threads)
        if not np.isfinite(loss):
            raise FloatingPointError(
                f"the loss became {loss} at step {self.step}; try a lower learning_rate than "
                f"{c.learning_rate}"
            )
        self.step += 1
        return loss, lr

    def evaluate(self) -> dict:
        """Losses on both parts of the text, added to the history."""
        size, n = self.config.batch_size, self.config.eval_iters
        entry = {
            "step": self.step,
            "train_loss": evaluate(self.model, self.train_data, size, n),
            "val_loss": evaluate(self.model, self.val_data, size, n),
        }
        self.history.append(entry)
        return entry

    def run(
        self,
        manager: CheckpointManager | None = None,
        on_step: Callable[[float, float], None] = lambda loss, lr: None,
        on_evaluation: Callable[[dict], None] = lambda entry: None,
    ) -> bool:
        """Train to max_iters; False if Ctrl-C or SIGTERM ended it early, after a checkpoint."""
        c = self.config
        with stop_requests() as requests:
            while self.step < c.max_iters and not requests:
                on_step(*self.advance())
                if self.step % c.eval_interval == 0 or self.step == c.max_iters:
                    on_evaluation(self.evaluate())
                    if manager:
                        manager.save(self.state(), self.history[-1]["val_loss"])
            if requests and manager:
                manager.save(self.state())
        return not requests


@contextmanager
def stop_requests() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM in a list, so that the step under way can end. A second SIGINT
    interrupts at once."""
    received: list[int] = []

    def note(number, _frame):
        if received:
            raise KeyboardInterrupt
        received.append(number)

    previous = {s: signal.signal(s, note) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


# %% #command-line
FIXED_BY_A_RUN = ("dataset", "n_layer", "n_head", "n_embd", "block_size", "dropout", "seed")


def parse_arguments(argv: list[str] | None) -> tuple[argparse.ArgumentParser, dict]:
    """The parser, and the options that were given."""
    parser = argparse.ArgumentParser(
        prog="python -m minigrad.train",
        description="Train a GPT on a text, character by character.",
        argument_default=argparse.SUPPRESS,
    )
    for f in fields(TrainConfig):
        shown = "" if f.default is None else f" [{f.default}]"
        kind = str(f.type).split(" |")[0].removeprefix("<class '").removesuffix("'>")
        parser.add_argument(
            f"--{f.name.replace('_', '-')}",
            type={"int": int, "float": float, "str": str}[kind],
            metavar=kind.upper(),
            help=f.metadata["help"] + shown,
        )
    parser.add_argument("--resume", action="store_true", help="continue the run in the out-dir")
    parser.add_argument("--overwrite", action="store_true", help="replace the run in the out-dir")
    return parser, vars(parser.parse_args(argv))


def prepare(given: dict) -> tuple[Trainer, CheckpointManager]:
    """A new run, or the resumed one, for the options that were given."""
    resume, overwrite = given.pop("resume", False), given.pop("overwrite", False)
    config = TrainConfig(**given)
    manager = CheckpointManager(config.out_dir)
    if not resume:
        if manager.latest.exists() and not overwrite:
            raise ValueError(
                f"{config.out_dir} already holds a run: continue it with --resume, "
                "replace it with --overwrite, or choose another --out-dir"
            )
        manager.best_val_loss = float("inf")
        return Trainer(config), manager
    if overwrite:
        raise ValueError("--resume and --overwrite contradict each other")
    state = load(manager.latest)
    for name in FIXED_BY_A_RUN:
        if name in given and given[name] != state["config"][name]:
            raise ValueError(
                f"--resume continues a run with {name} {state['config'][name]}, "
                f"but {given[name]} was given"
            )
    trainer = Trainer(TrainConfig(**{**state["config"], **given}))
    trainer.load_state(state)
    return trainer, manager


def main(argv: list[str] | None = None) -> int:
    """The command line of `python -m minigrad.train`."""
    parser, given = parse_arguments(argv)
    try:
        trainer, manager = prepare(given)
        describe(trainer)
        with progress_bar(trainer) as (on_step, on_evaluation):
            finished = trainer.run(manager, on_step, on_evaluation)
    except (ValueError, OSError, FloatingPointError) as error:
        parser.exit(2, f"error: {error}\n")
    if not finished:
        print(f"stopped after step {trainer.step}; {manager.latest} is safe: go on with --resume")
        return 130
    print(f"best validation loss {manager.best_val_loss:.4f}, kept in {manager.best}")
    return 0


def describe(trainer: Trainer) -> None:
    """Say what is about to be trained on what."""
    c, n = trainer.config, trainer.model.num_parameters()
    print(
        f"a GPT of {n:,} parameters ({c.n_layer} layers, {c.n_head} heads, {c.n_embd} wide) on "
        f"{c.dataset}: {len(trainer.train_data):,} windows of {c.block_size} characters, "
        f"{trainer.tokenizer.vocab_size} different ones; checkpoints in {c.out_dir}",
        flush=True,
    )


@contextmanager
def progress_bar(trainer: Trainer) -> Iterator[tuple[Callable, Callable]]:
    """Callbacks that show progress: a bar where tqdm is installed, and a line an evaluation."""
    c = trainer.config
    try:
        from tqdm import tqdm
    except ImportError:
        tqdm = None

    def line(entry: dict) -> str:
        return "step {step}: train loss {train_loss:.4f}, validation loss {val_loss:.4f}".format(
            **entry
        )

    if tqdm is None:
        yield lambda loss, lr: None, lambda entry: print(line(entry), flush=True)
        return
    with tqdm(total=c.max_iters, initial=trainer.step, unit="step", dynamic_ncols=True) as bar:

        def on_step(loss: float, lr: float) -> None:
            rate = bar.format_dict["rate"] or 0.0
            tokens = rate * c.batch_size * c.block_size
            bar.set_postfix(loss=f"{loss:.3f}", lr=f"{lr:.1e}", tok_s=f"{tokens:,.0f}", refresh=False)
            bar.update()

        yield on_step, lambda entry: bar.write(line(entry), file=sys.stdout)


if __name__ == "__main__" and "__file__" in globals():  # a notebook has no __file__
    sys.exit(main())
