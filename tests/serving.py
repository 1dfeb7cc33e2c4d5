"""A real service for tests, in a thread of the test's process, and models that write when a test
lets them."""

import http.client
import json
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import uvicorn

from minigrad.bpe import BPETokenizer
from minigrad.checkpoint import save
from minigrad.data import SimpleTokenizer, Tokenizer
from minigrad.generate import generate
from minigrad.gpt import GPT
from minigrad.llama import Llama
from minigrad.serve import create_app
from minigrad.serve.desk import Desk
from minigrad.serve.server import Connection, GracefulServer
from minigrad.serve.writer import ServedModel
from minigrad.template import END, START

CHARACTERS = "\nabcdefghijklmnopqrstuvwxyz静夜"
SIZES = {"n_embd": 16, "n_layer": 2, "n_head": 2, "block_size": 8}


class GatedGPT(GPT):
    """A GPT that makes a pass only when the gate lets it."""

    gate: threading.Semaphore | None = None
    computed = 0

    def wait(self) -> None:
        if self.gate:
            assert self.gate.acquire(timeout=60)
        self.computed += 1

    def read(self, texts):
        self.wait()
        return super().read(texts)


class RecitingGPT(GatedGPT):
    """Writes the ids of a script, whatever it reads."""

    script = iter(())

    def read(self, texts):
        self.wait()
        rows = self.transformer.wte.weight.data
        return 1000 * rows[[next(self.script) for _ in texts]] @ rows.T  # each id's likeness


def served_model(
    name: str,
    seed: int = 0,
    gated: bool = False,
    characters: str = CHARACTERS,
    tokenizer: Tokenizer | None = None,
    kind: type[GatedGPT] = GatedGPT,
    block_size: int = SIZES["block_size"],
) -> ServedModel:
    """A tiny model with random weights, large enough that the logits say something."""
    tokenizer = tokenizer or SimpleTokenizer(characters)
    rng = np.random.default_rng(seed)
    sizes = {**SIZES, "block_size": block_size}
    model = kind(vocab_size=tokenizer.vocab_size, **sizes, rng=rng).eval()
    rng = np.random.default_rng(seed + 1)
    for p in model.parameters():
        p.data += rng.normal(0, 0.3, p.shape).astype(np.float32)
    model.gate = threading.Semaphore(0) if gated else None
    return ServedModel(name, model, tokenizer)


def byte_pairs() -> BPETokenizer:
    """Tokens of English words, and of Chinese characters, most of which have two or three."""
    text = "the cat and the dog sat on the mat\n\n " * 9 + "床前明月光，疑是地上霜。\n" * 3
    return BPETokenizer.from_text(text, vocab_size=300, special=["<|endoftext|>"])


def turn_pairs() -> BPETokenizer:
    """Tokens of a model that chats: bytes, two words, and the marks around a turn."""
    return BPETokenizer.from_text("yes yes yes no no no", 264, ["<|endoftext|>", START, END])


def answering_model(text: str, name: str = "answering", block_size: int = 512) -> ServedModel:
    """Answers everything by this text, none of whose tokens may occur twice: after each it is sure
    of one other, at last of the mark that ends a turn."""
    tokenizer = turn_pairs()
    n = tokenizer.vocab_size
    model = Llama(n, n, 1, 1, n_hidden=8, block_size=block_size, tied=False, rng=0).eval()
    for p in model.parameters():
        if p.ndim == 2:
            p.data[:] = 0
    model.model.embed_tokens.weight.data[:] = np.eye(n)
    ids = [*tokenizer.encode("\n"), *tokenizer.encode(text), tokenizer.special[END]]
    assert len(set(ids)) == len(ids)
    model.lm_head.weight.data[ids[1:], ids[:-1]] = 3  # logits of 48: chance has no part
    return ServedModel(name, model, tokenizer)


def reciting_model(text: str, name: str = "reciting", gated: bool = False) -> ServedModel:
    """Writes this text, in the tokens that its tokenizer has for it."""
    served = served_model(name, gated=gated, tokenizer=byte_pairs(), kind=RecitingGPT)
    weight = served.model.transformer.wte.weight
    weight.data /= np.linalg.norm(weight.data, axis=1, keepdims=True)
    served.model.script = iter(served.tokenizer.encode(text))
    return served


def breaking_model() -> ServedModel:
    """Writes two tokens, then fails."""
    served = served_model("broken")
    read = served.model.read

    def break_soon(texts):
        if served.model.computed % 3 == 2:
            served.model.computed = 0
            raise FloatingPointError("a secret of ours")
        return read(texts)

    served.model.read = break_soon
    return served


def checkpoint(path: Path, **changes) -> Path:
    """A file with the tiny model."""
    served = served_model("any")
    content = {"model_args": served.model.config, "model": served.model.collect_state_dict()}
    save(path, {**content, "characters": CHARACTERS, **changes})
    return path


def reference(served: ServedModel, prompt: str, n: int, seed: int, **options) -> str:
    """What minigrad.generate writes."""
    ids = np.array([served.tokenizer.encode(prompt)])
    rng = np.random.default_rng(seed)
    written = generate(served.model, ids, n, rng=rng, **options)
    return served.tokenizer.decode(written[0, ids.size :])


class Client:
    """Asks a service at a port of this machine."""

    def __init__(self, port: int):
        self.port = port

    def begin(self, path: str, body, method: str = "POST", **headers) -> http.client.HTTPConnection:
        """Send a request, and read nothing yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request(method, path, raw, {"Content-Type": "application/json", **headers})
        return connection

    def ask(self, path: str, body=None, method: str = "POST", **headers):
        """The status and the body of an answer."""
        response = self.begin(path, body, method, **headers).getresponse()
        raw = response.read()
        if "json" in response.headers.get("Content-Type", ""):
            return response.status, json.loads(raw)
        return response.status, raw.decode("utf-8")

    def health(self) -> dict:
        return self.ask("/health", method="GET")[1]

    def busy(self) -> tuple[int, int]:
        health = self.health()
        return health["running"], health["waiting"]


class ReadyServer(GracefulServer):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, desk: Desk):
        super().__init__(config, desk)
        self.ready = threading.Event()

    async def startup(self, sockets=None) -> None:
        await super().startup(sockets)
        self.ready.set()


class Service(Client):
    """A real server, in a thread of this process."""

    def __init__(self, *models, **limits):
        self.app = create_app(models, **limits)
        self.models, self.desk = self.app.state.models, self.app.state.desk
        self.socket = socket.create_server(("127.0.0.1", 0))
        super().__init__(self.socket.getsockname()[1])
        config = uvicorn.Config(self.app, http=Connection, ws="none", log_level="critical")
        self.server = ReadyServer(config, self.desk)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],))

    def __enter__(self):
        self.thread.start()
        assert self.server.ready.wait(60), "the server did not start"
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(30)
        assert not self.thread.is_alive(), "the server did not end"


@contextmanager
def gated_service(served: ServedModel | None = None, **limits):
    """A service whose model waits for the gate, which is open when the test is over."""
    served = served or served_model("slow", gated=True)
    with Service(served, **limits) as running:
        running.model = served.model
        try:
            yield running
        finally:
            served.model.gate.release(100_000)


def wait_until(condition, seconds: float = 60) -> None:
    """For what another thread or process does, and does not announce."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


def next_event(response):
    """The next server-sent event, parsed."""
    line = response.readline().decode("utf-8")
    assert line.startswith("data: ") and response.readline() == b"\n"
    data = line.removeprefix("data: ").rstrip("\n")
    return data if data == "[DONE]" else json.loads(data)


def all_events(response) -> list:
    """Those that are left, up to the end or an error."""
    found = [next_event(response)]
    while found[-1] != "[DONE]" and "error" not in found[-1]:
        found.append(next_event(response))
    return found
