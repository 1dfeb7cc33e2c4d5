"""The service: the same texts as minigrad.generate, places and their limits, clients that go away,
and an end that cuts nothing off. The models of these tests write when a test lets them."""

import http.client
import json
import math
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from minigrad.checkpoint import save
from minigrad.data import SimpleTokenizer
from minigrad.functional import log_softmax
from minigrad.generate import generate
from minigrad.gpt import GPT
from minigrad.tensor import no_grad

uvicorn = pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
from minigrad import serve  # noqa: E402

pytestmark = pytest.mark.timeout(120)

CHARACTERS = "\nabcdefghijklmnopqrstuvwxyz静夜"
SIZES = {"vocab_size": 29, "n_embd": 16, "n_layer": 2, "n_head": 2, "block_size": 8}


class GatedGPT(GPT):
    """A GPT that computes a token only when the gate lets it."""

    gate: threading.Semaphore | None = None
    computed = 0

    def hidden(self, idx, cache=None):
        if self.gate:
            assert self.gate.acquire(timeout=60)
        self.computed += 1
        return super().hidden(idx, cache)


def served_model(name: str, seed: int = 0, gated: bool = False) -> serve.ServedModel:
    model = GatedGPT(**SIZES, rng=np.random.default_rng(seed)).eval()
    rng = np.random.default_rng(seed + 1)
    for p in model.parameters():  # larger weights, so that the logits say something
        p.data += rng.normal(0, 0.3, p.shape).astype(np.float32)
    model.gate = threading.Semaphore(0) if gated else None
    return serve.ServedModel(name, model, SimpleTokenizer(CHARACTERS))


def checkpoint(path: Path, **changes) -> Path:
    served = served_model("any")
    content = {"model_args": served.model.config, "model": served.model.collect_state_dict()}
    save(path, {**content, "characters": CHARACTERS, **changes})
    return path


class Service:
    """A real server, in a thread of this process."""

    def __init__(self, *models, **limits):
        self.app = serve.create_app(models, **limits)
        self.desk = self.app.state.desk
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        config = uvicorn.Config(self.app, log_level="critical", timeout_graceful_shutdown=5)
        self.server = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.server.run, args=([self.socket],))

    def __enter__(self):
        self.thread.start()
        wait_until(lambda: self.server.started)
        return self

    def __exit__(self, *_):
        self.server.should_exit = True
        self.thread.join(30)

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


def wait_until(condition, seconds: float = 60) -> None:
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
    found = [next_event(response)]
    while found[-1] != "[DONE]" and "error" not in found[-1]:
        found.append(next_event(response))
    return found


def reference(served: serve.ServedModel, prompt: str, n: int, seed: int, **options) -> str:
    """What minigrad.generate writes."""
    ids = np.array([served.tokenizer.encode(prompt)])
    rng = np.random.default_rng(seed)
    written = generate(served.model, ids, n, rng=rng, **options)
    return served.tokenizer.decode(written[0, ids.size :])


@pytest.fixture(scope="module")
def service():
    with Service(served_model("letters"), served_model("other", seed=5)) as running:
        yield running


@contextmanager
def gated_service(**limits):
    """A service whose model waits for the gate, which is open when the test is over."""
    served = served_model("slow", gated=True)
    with Service(served, **limits) as running:
        running.model = served.model
        try:
            yield running
        finally:
            served.model.gate.release(100_000)


# The same text as minigrad.generate


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 1.0},
        {"temperature": 0.0},
        {"temperature": 0.7, "top_k": 3},
        {"temperature": 1.3, "top_p": 0.8},
        {"temperature": 1.0, "top_k": 9, "top_p": 0.5},
    ],
)
@pytest.mark.parametrize("prompt", ["a", "静夜", "longerthanthecontext"])
def test_the_same_seed_writes_the_same_as_generate(service, options, prompt):
    body = {"prompt": prompt, "max_new_tokens": 30, "seed": 7, **options}
    status, answer = service.ask("/generate", body)
    served = service.app.state.models["letters"]
    assert status == 200 and answer["text"] == reference(served, prompt, 30, 7, **options)
    assert (answer["model"], answer["prompt"], answer["seed"]) == ("letters", prompt, 7)
    assert answer["finish_reason"] == "length" and answer["seconds"] > 0
    assert answer["text"] == "".join(token["text"] for token in answer["tokens"])
    connection = service.begin("/v1/completions", {**body_of_completion(body), "stream": True})
    *chunks, done = all_events(connection.getresponse())
    assert "".join(chunk["choices"][0]["text"] for chunk in chunks) == answer["text"]
    assert done == "[DONE]"


def body_of_completion(body: dict) -> dict:
    rest = {name: value for name, value in body.items() if name != "max_new_tokens"}
    return {"model": "letters", "max_tokens": body["max_new_tokens"], **rest}


def test_a_stream_says_what_the_plain_answer_says(service):
    body = {"prompt": "abc", "max_new_tokens": 12, "seed": 3, "alternatives": 4}
    _, plain = service.ask("/generate", body)
    response = service.begin("/generate", {**body, "stream": True}).getresponse()
    assert response.headers["Content-Type"].startswith("text/event-stream")
    *tokens, ending, done = all_events(response)
    assert tokens == plain["tokens"] and done == "[DONE]"
    assert ending.keys() == {"finish_reason", "seed", "seconds", "tokens_per_second"}
    assert (ending["finish_reason"], ending["seed"]) == ("length", 3)


def test_without_a_seed_the_answer_names_one_that_writes_it_again(service):
    _, answer = service.ask("/generate", {"prompt": "abc", "max_new_tokens": 25})
    again = {"prompt": "abc", "max_new_tokens": 25, "seed": answer["seed"]}
    assert service.ask("/generate", again)[1]["text"] == answer["text"]


def test_probabilities_are_those_that_were_drawn_from(service):
    body = {"prompt": "abc", "max_new_tokens": 20, "seed": 1, "top_k": 3, "alternatives": 10}
    _, answer = service.ask("/generate", body)
    for token in answer["tokens"]:
        others = [other["probability"] for other in token["alternatives"]]
        assert len(others) == 2 and others == sorted(others, reverse=True) and min(others) > 0
        assert sum(others) + token["probability"] == pytest.approx(1)
        assert token["text"] not in [other["text"] for other in token["alternatives"]]
    _, answer = service.ask("/generate", {"prompt": "abc", "temperature": 0, "max_new_tokens": 2})
    assert [token["probability"] for token in answer["tokens"]] == [1, 1]


def test_a_model_is_chosen_by_its_name(service):
    body = {"prompt": "abc", "max_new_tokens": 20, "seed": 1, "temperature": 1.0}
    other = service.app.state.models["other"]
    _, answer = service.ask("/generate", {**body, "model": "other"})
    assert answer["model"] == "other" and answer["text"] == reference(other, "abc", 20, 1)
    for path, name in (("/generate", "prompt"), ("/attention", "text")):
        status, answer = service.ask(path, {name: "a", "model": "nobody"})
        assert status == 404 and "'nobody'" in answer["error"]["message"]
        assert answer["error"]["param"] == "model"


# Stop strings


@given(st.text("ab", max_size=12), st.lists(st.text("abc", min_size=1, max_size=4), max_size=3))
def test_a_text_ends_before_the_first_stop_string_and_nothing_shown_is_taken_back(text, stops):
    tokens = [serve.Token(text=c, probability=1, alternatives=[]) for c in text]
    pieces = ["".join(t.text for t in piece) for piece in serve.until_stop(iter(tokens), stops)]
    end, cut = len(text), len(text)
    for i in range(len(text) + 1):  # the first place where a stop string is complete
        ended = [len(stop) for stop in stops if text[:i].endswith(stop)]
        if ended:
            end, cut = i, i - max(ended)
            break
    assert "".join(pieces) == text[:cut]
    for i in range(1, end):  # what no stop string can begin with is shown at once
        shown = "".join(pieces[:i])
        rest = text[len(shown) : i]
        assert not rest or any(stop.startswith(rest) for stop in stops)


@pytest.mark.parametrize("stream", [False, True])
def test_stop_strings_of_several_tokens(service, stream):
    served = service.app.state.models["letters"]
    text = reference(served, "abc", 60, 4, temperature=1.0)
    stop = text[20:23]
    body = {"prompt": "abc", "max_new_tokens": 60, "seed": 4, "temperature": 1.0}
    body |= {"stop": ["zzzz", stop], "stream": stream}
    if stream:
        *tokens, ending, _ = all_events(service.begin("/generate", body).getresponse())
        found = "".join(token["text"] for token in tokens)
    else:
        ending = service.ask("/generate", body)[1]
        found = ending["text"]
    assert found == text[: text.index(stop)]
    assert ending["finish_reason"] == "stop"


def test_a_stop_string_that_does_not_end_costs_nothing(service):
    served = service.app.state.models["letters"]
    text = reference(served, "abc", 10, 4, temperature=1.0)
    body = {"prompt": "abc", "max_new_tokens": 10, "seed": 4, "temperature": 1.0}
    _, answer = service.ask("/generate", {**body, "stop": [text[-2:] + "more"]})
    assert answer["text"] == text and answer["finish_reason"] == "length"


# The completions protocol


@pytest.fixture
def client(service):
    openai = pytest.importorskip("openai", reason="the openai client is not installed")
    base = f"http://127.0.0.1:{service.port}/v1"
    return openai.OpenAI(base_url=base, api_key="none", max_retries=0, timeout=60)


def test_openai_lists_the_models(client):
    assert [model.id for model in client.models.list()] == ["letters", "other"]
    assert client.models.retrieve("other").id == "other"


def test_openai_gets_the_text_of_generate(client, service):
    served = service.app.state.models["letters"]
    expected = reference(served, "abc", 40, 11, temperature=0.9, top_p=0.9)
    request = dict(model="letters", prompt="abc", max_tokens=40, temperature=0.9, top_p=0.9)
    answer = client.completions.create(**request, seed=11)
    assert answer.choices[0].text == expected and answer.choices[0].finish_reason == "length"
    assert answer.object == "text_completion" and answer.model == "letters"
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (3, 40, 43)
    chunks = list(client.completions.create(**request, seed=11, stream=True))
    assert "".join(chunk.choices[0].text for chunk in chunks) == expected
    assert [c.choices[0].finish_reason for c in chunks] == [None] * 40 + ["length"]
    assert len({chunk.id for chunk in chunks}) == 1


def test_openai_stop_echo_usage_and_defaults(client, service):
    served = service.app.state.models["letters"]
    text = reference(served, "abc", 60, 4)
    request = dict(model="letters", prompt=["abc"], max_tokens=60, seed=4)
    stopped = client.completions.create(**request, stop=text[30:32], echo=True)
    assert stopped.choices[0].text == "abc" + text[: text.index(text[30:32])]
    assert stopped.choices[0].finish_reason == "stop"
    options = dict(stream=True, echo=True, stream_options={"include_usage": True})
    *chunks, last = client.completions.create(**request, **options)
    assert "".join(chunk.choices[0].text for chunk in chunks) == "abc" + text
    assert last.choices == [] and last.usage.completion_tokens == 60
    defaults = dict(n=1, best_of=1, frequency_penalty=0, presence_penalty=0.0, user="me")
    plain = client.completions.create(model="letters", prompt="abc", seed=4, **defaults)
    assert plain.choices[0].text == text[:16]


@pytest.mark.parametrize("stream", [False, True])
def test_openai_logprobs_are_the_models_own(client, service, stream):
    served = service.app.state.models["letters"]
    request = dict(model="letters", prompt="abc", max_tokens=5, temperature=0, logprobs=3, seed=1)
    if stream:
        chunks = list(client.completions.create(**request, stream=True))
        parts = [c.choices[0].logprobs for c in chunks if c.choices[0].text]
    else:
        parts = [client.completions.create(**request).choices[0].logprobs]
    tokens = [token for part in parts for token in part.tokens]
    assert "".join(tokens) == reference(served, "abc", 5, 1, temperature=0)
    assert [offset for part in parts for offset in part.text_offset] == [3, 4, 5, 6, 7]
    with no_grad():
        logits = served.model(np.array([served.tokenizer.encode("abc" + "".join(tokens))]))[0]
    expected = log_softmax(logits).data[0, 2:7]
    found = [value for part in parts for value in part.token_logprobs]
    np.testing.assert_allclose(found, expected.max(axis=-1), atol=1e-4)
    for top, row in zip((top for part in parts for top in part.top_logprobs), expected):
        assert list(top) == [CHARACTERS[i] for i in np.argsort(-row)[:3]]
        np.testing.assert_allclose(list(top.values()), np.sort(row)[::-1][:3], atol=1e-4)


def test_a_drawn_token_is_among_its_logprobs(client):
    answer = client.completions.create(
        model="letters", prompt="abc", max_tokens=30, temperature=2, logprobs=1, seed=1
    )
    logprobs = answer.choices[0].logprobs
    sizes = set()
    for token, value, top in zip(logprobs.tokens, logprobs.token_logprobs, logprobs.top_logprobs):
        assert top[token] == value and max(top.values()) >= value
        sizes.add(len(top))
    assert sizes == {1, 2}


def test_openai_errors_are_understood(client):
    import openai

    with pytest.raises(openai.NotFoundError, match="'nobody'"):
        client.completions.create(model="nobody", prompt="a")
    with pytest.raises(openai.UnprocessableEntityError, match="unknown character 'Q'") as raised:
        client.completions.create(model="letters", prompt="Q", stream=True)
    assert raised.value.param == "prompt"
    for wrong in ({"n": 2}, {"temperature": -1}, {"logprobs": 11}, {"max_tokens": 10**9}):
        with pytest.raises(openai.UnprocessableEntityError) as raised:
            client.completions.create(model="letters", prompt="a", **wrong)
        assert raised.value.param == next(iter(wrong))
    with pytest.raises(openai.UnprocessableEntityError, match="not together with echo"):
        client.completions.create(model="letters", prompt="a", echo=True, logprobs=1)


def test_openai_sees_an_error_within_a_stream(monkeypatch):
    openai = pytest.importorskip("openai", reason="the openai client is not installed")
    with Service(breaking_model()) as service:
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{service.port}/v1", api_key="none")
        stream = client.completions.create(model="broken", prompt="a", stream=True)
        assert next(stream).choices[0].text
        with pytest.raises(openai.APIError, match="writing failed"):
            list(stream)


# What is refused


@pytest.mark.parametrize(
    "field, change",
    [
        ("prompt", {"prompt": ""}),
        ("prompt", {"prompt": None}),
        ("prompt", {"prompt": 5}),
        ("prompt", {"prompt": "a\u20acb"}),
        ("prompt", {"prompt": "a" * 10_001}),
        ("prompt", {"prompt": "\ud800"}),
        ("max_new_tokens", {"max_new_tokens": 0}),
        ("max_new_tokens", {"max_new_tokens": 10**30}),
        ("max_new_tokens", {"max_new_tokens": "5"}),
        ("max_new_tokens", {"max_new_tokens": 5.0}),
        ("max_new_tokens", {"max_new_tokens": True}),
        ("temperature", {"temperature": -0.1}),
        ("temperature", {"temperature": math.nan}),
        ("temperature", {"temperature": math.inf}),
        ("temperature", {"temperature": "warm"}),
        ("temperature", {"temperature": None}),
        ("top_k", {"top_k": 0}),
        ("top_k", {"top_k": 1.5}),
        ("top_p", {"top_p": 0}),
        ("top_p", {"top_p": 1.01}),
        ("seed", {"seed": -1}),
        ("seed", {"seed": 2**53}),
        ("stop", {"stop": [""]}),
        ("stop", {"stop": ["a"] * 17}),
        ("stop", {"stop": [1]}),
        ("alternatives", {"alternatives": 11}),
        ("model", {"model": 1}),
        ("stream", {"stream": "yes"}),
        ("top-k", {"top-k": 5}),
    ],
)
def test_a_wrong_field_is_named(service, field, change):
    status, answer = service.ask("/generate", {"prompt": "a", **change})
    assert status == 422 and answer["error"]["param"] == field
    assert answer["error"]["message"].startswith(f"{field}: ")
    assert answer["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"[" * 50_000])
def test_what_is_no_object_is_refused(service, raw):
    status, answer = service.ask("/generate", raw)
    assert status in (400, 422) and answer["error"]["message"]


def test_unknown_addresses_and_methods(service):
    status, answer = service.ask("/nowhere", method="GET")
    assert status == 404 and answer["error"]["message"].startswith("GET /nowhere: Not Found")
    status, answer = service.ask("/generate", method="GET")
    assert status == 405 and "GET /generate: Method Not Allowed" in answer["error"]["message"]


@pytest.mark.parametrize(
    "raw, words",
    [
        (b"{", "body: a JSON object is needed"),
        (b"[1]", "body: a JSON object is needed"),
        (b"", "body: a JSON object is needed"),
        (b'{"prompt": "a", "top-k": 1}', "top-k: there is no such field"),
        (b'{"prompt": 1}', "prompt: a text is needed"),
        (b'{"prompt": "a", "top_k": "x"}', "top_k: Input should be a valid integer"),
    ],
)
def test_messages_are_for_people(service, raw, words):
    status, answer = service.ask("/generate", raw)
    assert status == 422 and answer["error"]["message"].startswith(words)


def test_several_prompts_are_refused_in_words(service):
    for prompts, words in (
        (["a", "b"], "a text is needed, or: this list is too long"),
        ([1], "a text"),
    ):
        status, answer = service.ask("/v1/completions", {"model": "letters", "prompt": prompts})
        assert status == 422 and answer["error"]["message"].startswith(f"prompt: {words}")


def test_docs_name_the_limits(service):
    _, page = service.ask("/docs", method="GET")
    for words in (
        "string of 1 to 10,000 characters",
        "array of 0 to 16 strings",
        "integer from 1 to 2,000",
        "number above 0 to 1",
        "integer from 0 to 9,007,199,254,740,991",
        "only 1",
    ):
        assert words in page


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
GOOD = {"prompt": "a", "text": "a", "model": "letters", "max_new_tokens": 2, "max_tokens": 2}
NAMES = sorted({*serve.GenerateBody.model_fields, *serve.CompletionBody.model_fields, "text"})


@settings(max_examples=150)
@given(
    path=st.sampled_from(["/generate", "/v1/completions", "/attention"]),
    body=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3),
    good=st.sets(st.sampled_from(sorted(GOOD))),
)
def test_no_body_makes_the_service_fail(service, path, body, good):
    body = {**body, **{name: GOOD[name] for name in good}}
    status, answer = service.ask(path, body)
    assert status in (200, 404, 422)
    assert status == 200 or answer["error"]["param"] in NAMES


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_service_fail(service, raw):
    status, _ = service.ask("/generate", raw)
    assert status in (400, 422)


# Bodies that are too large


def test_a_body_is_limited_whatever_it_claims(service):
    fits = json.dumps({"prompt": "a", "max_new_tokens": 1}).encode()
    fits += b" " * (serve.MAX_BODY - len(fits))
    assert service.ask("/generate", fits)[0] == 200
    for path in ("/generate", "/v1/completions", "/attention"):
        status, answer = service.ask(path, fits + b" ")
        assert status == 413 and "200,000 bytes" in answer["error"]["message"]
    assert service.ask("/generate", b"x" * 5_000_000)[0] == 413


def test_a_body_without_a_length_is_limited_while_it_is_read(service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
        head = "POST /generate HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for _ in range(4):  # and so on, without an end
            connection.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


# Places


def test_some_run_some_wait_and_more_are_refused_at_once():
    with gated_service(max_running=2, max_waiting=1) as service:
        body = {"prompt": "a", "max_new_tokens": 3, "seed": 1}
        accepted = []
        for expected in ((1, 0), (2, 0), (2, 1)):
            accepted.append(service.begin("/generate", body))
            wait_until(lambda: service.busy() == expected)  # noqa: B023
        for path in ("/generate", "/v1/completions", "/attention"):  # not one token was written yet
            text = {"text": "a"} if path == "/attention" else {"prompt": "a", "model": "slow"}
            response = service.begin(path, text).getresponse()
            assert response.status == 503 and int(response.headers["Retry-After"]) >= 1
            assert json.load(response)["error"]["type"] == "server_error"
        assert service.health()["capacity"] == {"max_running": 2, "max_waiting": 1}
        assert service.ask("/generate", {"prompt": "Q"})[0] == 422  # wrong stays wrong
        service.model.gate.release(9)
        answers = [connection.getresponse() for connection in accepted]
        assert [answer.status for answer in answers] == [200] * 3
        assert len({json.load(answer)["text"] for answer in answers}) == 1
        assert service.busy() == (0, 0)


def test_those_who_wait_are_served_in_order_of_arrival():
    with gated_service(max_running=1, max_waiting=3) as service:
        connections = []
        for i in range(4):
            body = {"prompt": "a", "max_new_tokens": 2, "stream": True}
            connections.append(service.begin("/generate", body))
            wait_until(lambda: service.busy() == (1, i))  # noqa: B023
        for i in range(4):
            service.model.gate.release(2)
            assert len(all_events(connections[i].getresponse())) == 4
            wait_until(lambda: service.busy() == (int(i < 3), max(0, 2 - i)))  # noqa: B023


def test_turns_are_taken_token_by_token():
    order = []

    def text(name):
        for _ in range(3):
            order.append(name)
            yield [name]

    async def scenario():
        desk = serve.Desk(max_running=2, max_waiting=1)
        blocked = threading.Event()
        desk.writer.submit(blocked.wait)  # until all have come
        jobs = [desk.accept(text(name), never_gone) for name in "abc"]
        blocked.set()
        texts = []
        for job in jobs:
            texts.append("".join([item async for item in job]))
        return texts

    assert serve.asyncio.run(scenario()) == ["aaa", "bbb", "ccc"]
    assert "".join(order) == "abababccc"


async def never_gone():
    await serve.asyncio.Event().wait()


# Clients that go away


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_frees_its_place_within_a_token(stream):
    with gated_service(max_running=1, max_waiting=1) as service:
        body = {"prompt": "a", "max_new_tokens": 500, "stream": stream}
        leaving = service.begin("/generate", body)
        service.model.gate.release(3)
        if stream:
            response = leaving.getresponse()
            assert [next_event(response)["text"] for _ in range(3)]
            response.close()
        wait_until(lambda: service.model.computed == 3)
        waiting = service.begin("/generate", {"prompt": "b", "max_new_tokens": 1, "stream": True})
        wait_until(lambda: service.busy() == (1, 1))
        leaving.close()
        wait_until(lambda: service.busy() == (1, 0))  # the next one has its place
        service.model.gate.release(2)  # one for the thread that was at work, one for the next text
        assert all_events(waiting.getresponse())[1]["finish_reason"] == "length"
        assert service.model.computed <= 5
        assert service.busy() == (0, 0)


def test_a_client_that_goes_away_in_the_queue_is_never_served():
    with gated_service(max_running=1, max_waiting=1) as service:
        first = service.begin("/generate", {"prompt": "a", "max_new_tokens": 2})
        wait_until(lambda: service.busy() == (1, 0))
        leaving = service.begin("/generate", {"prompt": "a", "max_new_tokens": 500})
        wait_until(lambda: service.busy() == (1, 1))
        leaving.close()
        wait_until(lambda: service.busy() == (1, 0))
        service.model.gate.release(50)
        assert first.getresponse().status == 200
        wait_until(lambda: service.busy() == (0, 0))
        assert service.model.computed == 2


def test_a_crowd_that_comes_and_goes_leaves_no_place_taken(service):
    rng = np.random.default_rng(0)

    def visit(patience):
        body = {"prompt": "a", "max_new_tokens": 60, "stream": bool(patience % 2)}
        connection = service.begin("/generate", body)
        if patience < 4:
            response = connection.getresponse()
            response.read(int(patience) * 40)
        connection.close()

    threads = [threading.Thread(target=visit, args=(rng.integers(6),)) for _ in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    wait_until(lambda: service.busy() == (0, 0))
    assert service.ask("/generate", {"prompt": "a", "max_new_tokens": 3})[0] == 200


# Errors of ours


def breaking_model() -> serve.ServedModel:
    """Writes two tokens, then fails."""
    served = served_model("broken")
    hidden = served.model.hidden

    def break_soon(idx, cache=None):
        if served.model.computed % 3 == 2:
            served.model.computed = 0
            raise FloatingPointError("a secret of ours")
        return hidden(idx, cache)

    served.model.hidden = break_soon
    return served


def test_a_failure_is_an_answer_and_frees_the_place():
    with Service(breaking_model(), max_running=1, max_waiting=0) as service:
        for _ in range(2):
            status, answer = service.ask("/generate", {"prompt": "a"})
            assert status == 500 and answer["error"]["type"] == "server_error"
            *tokens, error = all_events(
                service.begin("/generate", {"prompt": "a", "stream": True}).getresponse()
            )
            assert len(tokens) == 2 and error["error"]["message"] == "writing failed"
            assert service.busy() == (0, 0)


# Attention and pages


def test_attention_of_every_head(service):
    status, answer = service.ask("/attention", {"text": "abcdefghijklm"})
    assert status == 200 and (answer["layers"], answer["heads"]) == (2, 2)
    assert answer["tokens"] == list("fghijklm")  # the context is 8
    weights = np.array(answer["weights"])
    assert weights.shape == (2, 2, 8, 8)
    np.testing.assert_allclose(weights.sum(axis=-1), 1, atol=0.01)
    assert (np.triu(weights, 1) == 0).all()
    assert len({json.dumps(head) for layer in answer["weights"] for head in layer}) == 4
    status, answer = service.ask("/attention", {"text": "aQ"})
    assert status == 422 and answer["error"]["param"] == "text"


def test_health(service):
    assert service.health() == {
        "status": "ok",
        "models": ["letters", "other"],
        "running": 0,
        "waiting": 0,
        "capacity": {"max_running": 32, "max_waiting": 64},
    }


def test_pages_load_nothing_from_elsewhere(service):
    status, page = service.ask("/docs", method="GET")
    assert status == 200 and not re.search(r"(src|href)=.?(https?:)?//", page)
    for name in (*serve.GenerateBody.model_fields, *serve.CompletionBody.model_fields):
        assert f"<code>{name}</code>" in page
    for path in ("/generate", "/v1/completions", "/attention", "/health", "/v1/models"):
        assert path in page
    pytest.importorskip("minigrad.playground", reason="there is no playground yet")
    response = service.begin("/", None, "GET").getresponse()
    assert response.status == 200 and "default-src 'self'" in response.headers[POLICY]
    assert not re.search(r"(src|href)=.?(https?:)?//", response.read().decode("utf-8"))


POLICY = "Content-Security-Policy"


# The command


@contextmanager
def running_command(*arguments, code: str = ""):
    """The command in a process of its own, and its port. `code` runs before it."""
    program = f"import sys, minigrad.serve as serve\n{code}\nsys.exit(serve.main(sys.argv[1:]))"
    process = subprocess.Popen(
        [sys.executable, "-X", "utf8", "-c", program, "--port", "0", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    threading.Timer(100, process.kill).start()
    try:
        for line in process.stdout:
            if match := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise AssertionError("the server did not start")
        client = object.__new__(Service)
        client.port, client.process = int(match[1]), process
        yield client
    finally:
        process.kill()
        process.communicate()


GATED = """
import pathlib, time
from minigrad import generate
next_logits = generate.next_logits
def wait_for_gate(model, idx, cache):
    while idx.shape[1] > 3 and not pathlib.Path({gate!r}).exists():
        time.sleep(0.01)
    return next_logits(model, idx, cache)
generate.next_logits = wait_for_gate
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_runs_and_refuses_what_is_new(tmp_path, number):
    path = checkpoint(tmp_path / "letters.pkl")
    gate = tmp_path / "gate"
    limits = ("--max-running", 1, "--max-waiting", 1)
    with running_command("--model", path, *limits, code=GATED.format(gate=str(gate))) as service:
        body = {"prompt": "a", "max_new_tokens": 20, "seed": 1}
        stream = service.begin("/generate", {**body, "stream": True}).getresponse()
        first = next_event(stream)
        waiting = service.begin("/generate", body)
        wait_until(lambda: service.busy() == (1, 1))
        service.process.send_signal(number)
        wait_until(lambda: service.ask("/health", method="GET")[0] == 503)
        response = service.begin("/generate", body).getresponse()
        assert response.status == 503 and response.headers["Retry-After"]
        assert "about to stop" in json.load(response)["error"]["message"]
        assert service.process.poll() is None
        gate.touch()
        *tokens, ending, done = [first, *all_events(stream)]
        assert done == "[DONE]" and ending["finish_reason"] == "length" and len(tokens) == 20
        text = "".join(token["text"] for token in tokens)
        assert json.load(waiting.getresponse())["text"] == text
        assert service.process.wait(60) == 0


SLOW = """
import time
from minigrad import generate
next_logits = generate.next_logits
def slow(model, idx, cache):
    time.sleep(0.1)
    return next_logits(model, idx, cache)
generate.next_logits = slow
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")
def test_a_second_signal_ends_it_at_once(tmp_path):
    path = checkpoint(tmp_path / "letters.pkl")
    with running_command("--model", path, code=SLOW) as service:
        body = {"prompt": "a", "max_new_tokens": 2000, "stream": True}  # 200 seconds
        stream = service.begin("/generate", body).getresponse()
        next_event(stream)
        service.process.terminate()
        wait_until(lambda: service.ask("/health", method="GET")[0] == 503)
        service.process.terminate()
        assert service.process.wait(30) is not None


def test_the_command_serves_what_it_is_given(tmp_path):
    (tmp_path / "run").mkdir()
    paths = [checkpoint(tmp_path / "letters.pkl"), checkpoint(tmp_path / "run" / "best.pkl")]
    with running_command("--model", paths[0], "--model", paths[1]) as service:
        assert service.health()["models"] == ["letters", "run"]
        _, answer = service.ask("/generate", {"prompt": "静", "max_new_tokens": 5, "seed": 1})
        assert answer["text"] == reference(served_model("any"), "静", 5, 1, temperature=0.8)


def test_help(run_module):
    process = run_module("serve", "--help")
    assert process.returncode == 0
    for option in ("--model", "--host", "--port", "--max-running", "--max-waiting"):
        assert option in process.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--model", "nowhere.pkl"], "no checkpoint at nowhere.pkl"),
        (["--model", "ids.pkl"], "ids.pkl holds no characters, only token ids"),
        (["--model", "a.pkl", "--model", "a.pkl"], "two models are called a"),
        (["--max-running", "0"], "--max-running must be at least 1"),
        (["--max-waiting", "-1"], "--max-waiting at least 0"),
        (["--port", "70000"], "--port must be a number from 0 to 65535"),
    ],
)
def test_what_the_command_refuses(tmp_path, run_module, arguments, message):
    checkpoint(tmp_path / "ids.pkl", characters=None)
    checkpoint(tmp_path / "a.pkl")
    process = run_module("serve", *arguments, cwd=tmp_path)
    assert process.returncode == 2 and message in process.stderr
    assert "Traceback" not in process.stderr


def test_without_shipped_models_the_command_asks_for_one(tmp_path, monkeypatch):
    monkeypatch.setattr(serve.importlib.resources, "files", lambda _: tmp_path)
    with pytest.raises(FileNotFoundError, match="--model"):
        serve.shipped_models()
    (tmp_path / "pretrained").mkdir()
    path = checkpoint(tmp_path / "pretrained" / "poems.pkl")
    assert serve.shipped_models() == [path]


def test_a_port_that_is_taken_is_an_error(tmp_path, run_module, service):
    path = checkpoint(tmp_path / "letters.pkl")
    process = run_module("serve", "--model", path, "--port", service.port)
    assert process.returncode != 0 and "address already in use" in process.stderr.lower()


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
@pytest.mark.parametrize("program", ["import minigrad.serve", "run('minigrad.serve')"])
def test_without_fastapi_one_line_says_what_to_install(missing, program):
    code = f"import sys\nsys.modules[{missing!r}] = None\n"
    code += f"run = lambda name: __import__('runpy').run_module(name, None, '__main__')\n{program}"
    process = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        timeout=60,
    )
    last = process.stderr.splitlines()[-1]
    assert process.returncode == 1
    assert "minigrad.serve needs FastAPI and uvicorn: pip install" in last and missing in last
    assert ("Traceback" in process.stderr) == program.startswith("import")


def test_the_load_measurement(tmp_path):
    process = subprocess.run(
        [sys.executable, "benchmarks/serve.py", "--clients", "1", "3", "--requests", "1"]
        + ["--tokens", "4", "--model", str(checkpoint(tmp_path / "x.pkl")), "--prompt", "abc"],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=100,
    )
    assert process.returncode == 0, process.stderr
    rows = [line.split() for line in process.stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == ["1", "3"] and all(float(row[1]) > 0 for row in rows)
