"""What the service stands: python tests/torture/service.py prints its figures, in at most seven
minutes, and ends with 1 where a bound is missed. The service is a process of its own, with its
defaults and the model of the plays, and shares the cores with those who ask."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent
HEAD = "POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALVES = ("", HEAD, f"{HEAD}Content-Length: 100\r\n\r\n{{")
missed = []


def report(words: str, holds: bool, bound: str) -> None:
    """One figure, and whether it is within its bound."""
    print(f"{words:82}{'' if holds else 'MISSED: '}{bound}", flush=True)
    missed.extend([] if holds else [words])


@contextmanager
def service(*options: str, files: int | None = None, **environment: str):
    """A service: its port, its process, and the file of its log."""
    command = [sys.executable, "-m", "minigrad.serve", "--port", "0", *options]
    if files:
        command = ["bash", "-c", f'ulimit -n {files}; exec "$@"', "bash", *command]
    threads = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")  # the service is to decide by itself
    inherited = {name: value for name, value in os.environ.items() if name not in threads}
    with tempfile.TemporaryFile("w+", encoding="utf-8") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        )
        try:
            yield wait_for_port(process, log), process, log
        finally:
            process.kill()
            process.wait()


def text_of(log) -> str:
    log.seek(0)
    return log.read()


def wait_for_port(process, log) -> int:
    while not (found := re.search(r"running on http://127\.0\.0\.1:(\d+)", text_of(log))):
        assert process.poll() is None, text_of(log)
        time.sleep(0.05)
    return int(found[1])


async def ask(
    port: int, prompt: str, n_tokens: int, times: list | None = None
) -> tuple[list[float], str]:
    """One stream: the times at which its tokens came, in seconds after the question, and its last
    event. Who is refused comes again when it is told to."""
    times = [] if times is None else times
    body = json.dumps({"prompt": prompt, "max_new_tokens": n_tokens, "stream": True})
    start = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"{HEAD}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    last, retry = "", None
    try:
        status = (await reader.readline()).split()[1:2]
        while line := await reader.readline():
            if line.lower().startswith(b"retry-after:"):
                retry = int(line.split(b":")[1])
            if line.startswith(b"data: "):
                last = line.decode().strip()
                if "alternatives" in last:
                    times.append(time.perf_counter() - start)
            if last in ("data: [DONE]",) or '"error"' in last:
                break
            if status != [b"200"] and line == b"\r\n":
                break
    finally:
        writer.close()
    if status == [b"503"] and retry:
        await asyncio.sleep(retry)
    return times, last


def speed(port: int) -> tuple[float, float, float]:
    """Milliseconds to the first token, and for each token before and beyond the context's end."""
    asyncio.run(ask(port, "ROMEO:\n", 10))
    times, _ = asyncio.run(ask(port, "ROMEO:\n", 1000))
    steps = np.diff(times) * 1000
    return times[0] * 1000, float(steps[:110].mean()), float(steps[130:].mean())


def beyond_the_context() -> None:
    with service() as (port, _, _):
        first, before, beyond = map(min, zip(*(speed(port) for _ in range(5))))
    words = (
        f"first token {first:.1f} ms; a token {before:.2f} ms, beyond the context {beyond:.2f} ms"
    )
    report(words, beyond < 2 * before, "beyond at most twice before")


async def short_beside(port: int, prompt: str, n_tokens: int) -> float:
    """Seconds for a text of 30 characters, while 31 others are written all the time."""

    async def others() -> None:
        while True:
            await ask(port, prompt, n_tokens)

    crowd = [asyncio.create_task(others()) for _ in range(31)]
    await asyncio.sleep(2)
    seconds = []
    for _ in range(5):
        start = time.perf_counter()
        await ask(port, "ROMEO:\n", 30)
        seconds.append(time.perf_counter() - start)
    for task in crowd:
        task.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    return float(np.median(seconds))


def short_beside_long() -> None:
    with service() as (port, _, _):
        among_short = asyncio.run(short_beside(port, "ROMEO:\n", 30))
    with service() as (port, _, _):
        among_long = asyncio.run(short_beside(port, "To be, or not to be: " * 20, 2000))
    words = (
        f"a short text: {among_short:.2f} s among 31 short ones, {among_long:.2f} s among long ones"
    )
    report(words, among_long < 2 * among_short, "at most twice as long")


def busy_machine() -> None:
    burn = [sys.executable, "-c", "while True: pass"]
    burners = [subprocess.Popen(burn) for _ in range(os.cpu_count() or 1)]
    try:
        rates = {}
        for name, environment in (("by itself", {}), ("told", {"OPENBLAS_NUM_THREADS": "1"})):
            with service(**environment) as (port, _, _):
                rates[name] = max(1000 / sum(speed(port)[1:]) * 2 for _ in range(2))
    finally:
        for burner in burners:
            burner.kill()
    words = (
        f"all cores busy: {rates['by itself']:.0f} tokens/s; with one thread {rates['told']:.0f}"
    )
    report(words, rates["by itself"] > rates["told"] / 2, "at least half of that")


async def crowd(port: int, clients: int, seconds: float) -> list[int]:
    """How many tokens each client gets in that time."""
    got = [0] * clients

    async def client(i: int) -> None:
        while time.perf_counter() < end:
            times: list[float] = []
            try:
                await ask(port, "ROMEO:\n", 100, times)
            finally:
                got[i] += len(times)

    end = time.perf_counter() + seconds
    tasks = [asyncio.create_task(client(i)) for i in range(clients)]
    await asyncio.wait(tasks, timeout=seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return got


def hundred_clients() -> None:
    with service() as (port, _, _):
        got = asyncio.run(crowd(port, 100, 60))
    least, median = min(got), float(np.median(got))
    words = (
        f"100 clients for a minute: {sum(got):,} tokens, {least} for the least, median {median:.0f}"
    )
    report(words, 2 * least >= median > 0, "at least half")


async def idle_connections(port: int) -> tuple[float, list[float]]:
    """Seconds for an answer beside 400 connections that say nothing or half of it, and after how
    many those are cut off that open later."""
    idle = []
    for i in range(400):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HALVES[i % 3].encode())
        idle.append(writer)
    start = time.perf_counter()
    for _ in range(5):
        times, _ = await ask(port, "a", 5)
        assert len(times) == 5
    answer = (time.perf_counter() - start) / 5

    async def until_cut_off(half: str) -> float:
        begin = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(half.encode())
        await asyncio.wait_for(reader.read(), 60)
        return time.perf_counter() - begin

    cut_off = await asyncio.gather(*map(until_cut_off, HALVES))
    for writer in idle:
        writer.close()
    return answer, cut_off


def silent_clients() -> None:
    with service(files=256) as (port, _, _):
        answer, cut_off = asyncio.run(idle_connections(port))
    words = f"256 files, 400 idle connections: an answer takes {1000 * answer:.0f} ms"
    report(words, answer < 2, "below 2 s")
    words = "unfinished requests are cut off after " + ", ".join(f"{s:.0f}" for s in cut_off) + " s"
    report(words, all(25 < s < 35 for s in cut_off), "30 s")


async def last_events(port: int, process, clients: int) -> tuple[float, list[str]]:
    streams = [asyncio.create_task(ask(port, "ROMEO:\n", 2000)) for _ in range(clients)]
    await asyncio.sleep(2)
    start = time.perf_counter()
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGTERM)
    lasts = [last for _, last in await asyncio.gather(*streams)]
    await asyncio.to_thread(process.wait, 30)
    return time.perf_counter() - start, lasts


def decent_end() -> None:
    with service("--max-running", "40") as (port, process, log):
        seconds, lasts = asyncio.run(last_events(port, process, 60))
        told = sum("[DONE]" in last or "stopped" in last for last in lasts)
        clean = "Traceback" not in text_of(log)
    code = process.returncode
    words = f"SIGTERM, twice: {seconds:.1f} s, code {code}, {told} of 60 streams were told"
    report(words, seconds < 10 and code == 0 and told == 60 and clean, "10 s, 0, all")


def main() -> int:
    start = time.perf_counter()
    for figure in (
        beyond_the_context,
        short_beside_long,
        busy_machine,
        hundred_clients,
        silent_clients,
        decent_end,
    ):
        figure()
    print(f"{time.perf_counter() - start:.0f} s, {len(missed)} bounds missed")
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
