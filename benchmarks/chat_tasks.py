"""How chapter 16's small model learns to answer, by examples and by reward, and what it costs.

    python benchmarks/chat_tasks.py [--part sft reward lora habit] [--seeds 1 2 3] [--quick]

sft     a Llama that has read Shakespeare for a moment is tuned on seven families of questions;
        exact match on questions that were held out, before and after, and bits a byte of plain text
reward  one that has practised addition too briefly improves by reward; and one by a reward that
        can be cheated
lora    the first model gets a new habit, by all of its parameters and by adapters of some ranks
habit   SmolLM2 of 135 million parameters gets a habit by adapters
Intervals are Wilson's, 95 %. Seconds are those of the clock, and of the processor.
"""

import argparse
import copy
import math
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from minigrad.bpe import BPETokenizer
from minigrad.data import DataLoaderSimple, TextDataset, load_text
from minigrad.gpt import LanguageModel
from minigrad.llama import Llama
from minigrad.muon import Together, hold_then_decay, muon_for
from minigrad.parallel import keep_freed_memory
from minigrad.reward import Reward, has_digits, is_right, practise
from minigrad.tasks import FAMILIES, QA, Score, addition, ask, exact_match, examination, lesson
from minigrad.template import END, START
from minigrad.tensor import no_grad
from minigrad.train import train_step

# What is practised, and for which share of the steps: the hardest first, and last all together
HARD = ["addition", "subtraction", "reversing", "counting"]
STAGES = [(0.1, ["addition"]), (0.2, ["addition", "subtraction"]), (0.7, [*FAMILIES, *HARD])]


@dataclass
class Plan:
    """How much of everything; `quick` is for the tests."""

    width: int = 128
    n_layer: int = 3
    vocab_size: int = 512
    talk: int = 1000  # conversations of each family that the tokenizer learns from
    reading: int = 100  # steps on plain text
    tuning: int = 1400  # steps on conversations
    batch: int = 66
    exam: int = 200  # questions of each family, where there are as many
    enough: float = 0.35  # of the additions right, before the practice by reward begins
    practice: int = 120  # steps by reward


QUICK = Plan(32, 1, 300, 10, 2, 3, 11, 3, 0.0, 2)


@contextmanager
def timed(what: str) -> Iterator[list[float]]:
    """Collects the seconds of the clock and of the processor that the block takes."""
    seconds: list[float] = []
    start = time.perf_counter(), time.process_time()
    yield seconds
    seconds += [time.perf_counter() - start[0], time.process_time() - start[1]]
    print(f"{what}: {seconds[0]:.0f} s, {seconds[1]:.0f} s of the processor", file=sys.stderr)


def train(
    model: LanguageModel, optimizer: Together, steps: int, batch: Callable, show: Callable = print
) -> None:
    """So many steps, each with what `batch()` gives, the learning rate going down to 0."""
    full = [group["lr"] for group in optimizer.param_groups]
    for step in range(steps):
        for group, rate in zip(optimizer.param_groups, full):
            group["lr"] = rate * hold_then_decay(step, steps)
        loss = train_step(model, optimizer, *batch(), grad_clip=1.0)
        if (step + 1) % 100 == 0:
            print(f"  step {step + 1}: {loss:.3f}", file=sys.stderr, flush=True)


def talk(rng: np.random.Generator, n: int) -> str:
    """Practice conversations as plain text, so that their words become tokens."""
    some = (ask(family, rng) for family in FAMILIES.values() for _ in range(n))
    return "".join(f"user\n{question}\nassistant\n{answer}\n" for question, answer in some)


class Beginner:
    """A model that has read plain text, and no conversation."""

    def __init__(self, plan: Plan, seed: int):
        self.plan, text = plan, load_text("shakespeare")
        self.rng, text_rng, weights_rng, talk_rng = np.random.default_rng(seed).spawn(4)
        text, self.held_out = text[: len(text) * 9 // 10], text[len(text) * 9 // 10 :]
        if plan is QUICK:
            text, self.held_out = text[:20_000], self.held_out[:2000]
        learn_from = text + talk(talk_rng, plan.talk)
        marks = [START, END]
        self.tokenizer = BPETokenizer.from_text(learn_from, plan.vocab_size, marks, "digits")
        sizes = self.tokenizer.vocab_size, plan.width, plan.n_layer, 4, 2
        self.model = Llama(*sizes, block_size=128, rng=weights_rng)
        ids = np.array(self.tokenizer.encode(text))
        loader = DataLoaderSimple(TextDataset(ids, 64), 16, text_rng)
        train(self.model, muon_for(self.model), plan.reading, loader.sample)

    def batch(self, families: list[str], n: int) -> tuple[np.ndarray, np.ndarray]:
        """New questions for practice, from each of the families in turn."""
        turns = (FAMILIES[families[i % len(families)]] for i in range(n))
        return lesson(self.tokenizer, [ask(family, self.rng) for family in turns])

    def tune(self) -> None:
        """On all families; the learning rate goes down in the last stage."""
        optimizer, batch = muon_for(self.model, lr=0.02, adamw_lr=0.003), self.plan.batch
        stages = [
            families for share, families in STAGES for _ in range(round(share * self.plan.tuning))
        ]
        turns = iter(stages)
        train(self.model, optimizer, len(stages), lambda: self.batch(next(turns), batch))

    def tune_briefly(self, family: str, enough: float) -> None:
        """Until such a share of 100 questions that it may have seen is answered rightly."""
        optimizer = muon_for(self.model, lr=0.02, adamw_lr=0.003)
        seen, right = [ask(FAMILIES[family], self.rng) for _ in range(100)], 0.0
        while right < enough:
            for _ in range(10):
                train_step(self.model, optimizer, *self.batch([family], 66), grad_clip=1.0)
            right = exact_match(self.model, self.tokenizer, seen).share
            print(f"  {right:.0%} right", file=sys.stderr, flush=True)

    def scores(self, exams: dict[str, list[QA]]) -> dict[str, Score]:
        return {name: exact_match(self.model, self.tokenizer, qa) for name, qa in exams.items()}

    @no_grad()
    def bits(self) -> float:
        """Bits a byte of the plain text that was held out, in windows of 65 tokens."""
        ids = np.array(self.tokenizer.encode(self.held_out))
        windows = ids[: len(ids) // 65 * 65].reshape(-1, 65)[:400]
        loss = np.mean([self.model(w[:, :-1], w[:, 1:])[1].item() for w in windows[:, None]])
        n_bytes = len(self.tokenizer.decode(windows[:, 1:].reshape(-1)).encode())
        return float(loss) * windows[:, 1:].size / n_bytes / math.log(2)


def together(scores: dict[str, Score]) -> Score:
    return Score(sum(s.right for s in scores.values()), sum(s.n for s in scores.values()))


def by_examples(plan: Plan, seeds: list[int]) -> Iterator[str]:
    """Rows: what each family has right, and all together, before and after."""
    exams = {name: examination(family, plan.exam, 0) for name, family in FAMILIES.items()}
    yield "seed | " + " | ".join([*exams, "together", "bits a byte", "seconds", "of the processor"])
    for seed in seeds:
        beginner = Beginner(plan, seed)
        row = lambda s: [f"{score.share:.0%}" for score in s.values()] + [f"{together(s)}"]
        before = beginner.scores(exams)
        yield " | ".join([f"{seed}, before", *row(before), f"{beginner.bits():.2f}", "", ""])
        with timed(f"tuning, seed {seed}") as seconds:
            beginner.tune()
        after, took = beginner.scores(exams), [f"{s:.0f}" for s in seconds]
        yield " | ".join([f"{seed}, after", *row(after), f"{beginner.bits():.2f}", *took])


def improve(beginner: Beginner, steps: int, reward: Reward, rate: float = 0.002) -> float:
    """Practise addition for a reward; returns the mean reward of the last steps."""
    old = copy.deepcopy(beginner.model)
    optimizer = muon_for(beginner.model, lr=rate, adamw_lr=0.15 * rate, weight_decay=0)
    full, rewards = [group["lr"] for group in optimizer.param_groups], []
    for step in range(steps):
        for group, lr in zip(optimizer.param_groups, full):
            group["lr"] = lr * hold_then_decay(step, steps)
        asked = [ask(addition, beginner.rng) for _ in range(16)]
        parts = beginner.model, old, optimizer, beginner.tokenizer, asked, reward, beginner.rng
        done = practise(*parts)
        rewards.append(done.reward)
        if (step + 1) % 20 == 0:
            means = f"reward {np.mean(rewards[-20:]):.2f}, drift {done.drift:.2f}"
            print(f"  step {step + 1}: {means}", file=sys.stderr, flush=True)
    return float(np.mean(rewards[-10:]))


def by_reward(plan: Plan, seeds: list[int]) -> Iterator[str]:
    """Rows: two-digit addition before and after, for the honest reward and for the other."""
    exam = examination(addition, 2 * plan.exam, 0)
    yield "seed | reward | before | after | reward at the end | seconds | of the processor"
    for seed in seeds:
        beginner = Beginner(plan, seed)
        beginner.tune_briefly("addition", plan.enough)
        weak = copy.deepcopy(beginner)
        before = exact_match(weak.model, weak.tokenizer, exam)
        for reward in (is_right, has_digits) if seed == seeds[0] else (is_right,):
            beginner = copy.deepcopy(weak)
            with timed(f"practice for {reward.__name__}, seed {seed}") as seconds:
                end = improve(beginner, plan.practice, reward)
            after = exact_match(beginner.model, beginner.tokenizer, exam)
            took = [f"{s:.0f}" for s in seconds]
            cells = f"{seed}", reward.__name__, f"{before}", f"{after}", f"{end:.2f}", *took
            yield " | ".join(cells)


PARTS: dict[str, Callable[[Plan, list[int]], Iterator[str]]] = {
    "sft": by_examples,
    "reward": by_reward,
}


def main() -> None:
    how = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=how)
    parser.add_argument("--part", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], metavar="SEED")
    parser.add_argument("--quick", action="store_true", help="a few steps of everything")
    args = parser.parse_args()
    keep_freed_memory()  # as the command of training does
    for part in args.part:
        rows = PARTS[part](QUICK if args.quick else Plan(), args.seeds)
        head = next(rows)
        print(f"\n| {head} |\n|{'---|' * (head.count('|') + 1)}", flush=True)
        for row in rows:
            print(f"| {row} |", flush=True)


if __name__ == "__main__":
    main()
