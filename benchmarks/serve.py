"""How the service answers 1, 8 and 32 clients at once on this machine: python benchmarks/serve.py

Each client asks for a text as a stream of tokens, reads it to its end, and asks again. The server
is a process of its own, `python -m minigrad.serve`; clients and server share the machine's cores.
"""

import argparse
import asyncio
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minigrad.checkpoint import save
from minigrad.gpt import GPT


def untrained_model(path: Path) -> Path:
    """A checkpoint of the size that `python -m minigrad.train --optimizer adamw` trains."""
    sizes = {"vocab_size": 63, "n_embd": 128, "n_layer": 4, "n_head": 4, "block_size": 64}
    model = GPT(**sizes, rng=np.random.default_rng(0))
    characters = "".join(map(chr, range(ord(" "), ord(" ") + 63)))
    content = {"model_args": model.config, "model": model.collect_state_dict()}
    save(path, {**content, "characters": characters})
    return path


@contextmanager
def running_server(model: Path, *options: str) -> Iterator[int]:
    """A service with that model, and its port."""
    command = [sys.executable, "-m", "minigrad.serve", "--model", str(model), "--port", "0"]
    with subprocess.Popen(
        [*command, *options], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, encoding="utf-8"
    ) as process:
        try:
            lines = iter(process.stderr.readline, "")
            found = (re.search(r"running on http://127\.0\.0\.1:(\d+)", line) for line in lines)
            port = next((int(match[1]) for match in found if match), None)
            assert port, "the server did not start"
            yield port
        finally:
            process.terminate()


async def ask(port: int, prompt: str, n_tokens: int) -> tuple[float, int]:
    """One request: the seconds to its first token, and how many tokens came."""
    start = time.perf_counter()
    body = json.dumps({"prompt": prompt, "max_new_tokens": n_tokens, "stream": True})
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    headers = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    writer.write(f"POST /generate HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n{body}".encode())
    status = await reader.readline()
    assert b"200" in status, status
    first, n = 0.0, 0
    while b"[DONE]" not in (line := await reader.readline()):
        if b"alternatives" in line:
            n += 1
            first = first or time.perf_counter() - start
    writer.close()
    return first, n


async def measure(
    port: int, clients: int, requests: int, prompt: str, n_tokens: int, pause: float = 0.0
) -> dict:
    """Each of the clients makes so many requests, one after another; before each it waits for a
    time drawn from 0 to `pause` seconds."""
    pauses = np.random.default_rng(0).uniform(0, pause, (clients, requests))

    async def client(i: int) -> list[tuple[float, int]]:
        found = []
        for seconds in pauses[i]:
            await asyncio.sleep(seconds)
            found.append(await ask(port, prompt, n_tokens))
        return found

    start = time.perf_counter()
    answers = sum(await asyncio.gather(*map(client, range(clients))), [])
    seconds = time.perf_counter() - start
    first, tokens = zip(*answers)
    return {
        "tokens_per_second": sum(tokens) / seconds,
        "first_token_median": float(np.median(first)),
        "first_token_p95": float(np.quantile(first, 0.95)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--model", type=Path, help="a checkpoint [an untrained model of 0.8 million parameters]")
    add("--clients", type=int, nargs="+", default=[1, 8, 32], help="[1 8 32]")
    add("--requests", type=int, default=6, help="of each client [%(default)s]")
    add("--prompt", default="ONCE", help="[%(default)s]")
    add("--tokens", type=int, default=100, help="of each request [%(default)s]")
    pause = "seconds up to which a client waits before it asks; 0: all ask at once [%(default)s]"
    add("--pause", type=float, default=0.0, help=pause)
    add("--max-running", type=int, default=32, help="option of the service [%(default)s]")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        model = args.model or untrained_model(Path(folder, "untrained.pkl"))
        options = ["--max-running", str(args.max_running), "--max-waiting", "1000"]
        with running_server(model, *options) as port:
            # the first requests do not count
            asyncio.run(measure(port, 1, 2, args.prompt, args.tokens))
            print("clients   tokens per second   first token: median     95th percentile")
            work = (args.requests, args.prompt, args.tokens, args.pause)
            for clients in args.clients:
                found = asyncio.run(measure(port, clients, *work))
                print(
                    f"{clients:7} {found['tokens_per_second']:19.0f} "
                    f"{1000 * found['first_token_median']:20.0f} ms "
                    f"{1000 * found['first_token_p95']:15.0f} ms",
                    flush=True,
                )


if __name__ == "__main__":
    main()
