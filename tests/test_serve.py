"""The service over HTTP: the same texts as minigrad.generate, places and their limits, clients that
go away, and what is refused."""

import json
import math
import re
import socket
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
from serving import (  # noqa: E402
    Service,
    all_events,
    breaking_model,
    byte_pairs,
    gated_service,
    next_event,
    reciting_model,
    reference,
    served_model,
    turn_pairs,
    wait_until,
)

from minigrad.generate import generate  # noqa: E402
from minigrad.serve.chats import ChatBody  # noqa: E402
from minigrad.serve.completions import CompletionBody  # noqa: E402
from minigrad.serve.messages import (  # noqa: E402
    MAX_BODY,
    POLICY,
    ChatMessage,
    GenerateBody,
)

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def service():
    models = served_model("letters"), served_model("other", seed=5)
    turns = served_model("turns", tokenizer=turn_pairs(), block_size=256)
    with Service(*models, turns) as running:
        yield running


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
    served = service.models["letters"]
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
    given, *tokens, ending, done = all_events(response)
    assert tokens == plain["tokens"] and done == "[DONE]"
    assert given == {"prompt_tokens": plain["prompt_tokens"]}
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
    other = service.models["other"]
    _, answer = service.ask("/generate", {**body, "model": "other"})
    assert answer["model"] == "other" and answer["text"] == reference(other, "abc", 20, 1)
    for path, name in (("/generate", "prompt"), ("/attention", "text")):
        status, answer = service.ask(path, {name: "a", "model": "nobody"})
        assert status == 404 and "'nobody'" in answer["error"]["message"]
        assert answer["error"]["param"] == "model"


# Stop strings


@pytest.mark.parametrize("stream", [False, True])
def test_stop_strings_of_several_tokens(service, stream):
    served = service.models["letters"]
    text = reference(served, "abc", 60, 4, temperature=1.0)
    stop = text[20:23]
    body = {"prompt": "abc", "max_new_tokens": 60, "seed": 4, "temperature": 1.0}
    body |= {"stop": ["zzzz", stop], "stream": stream}
    if stream:
        _, *tokens, ending, _ = all_events(service.begin("/generate", body).getresponse())
        found = "".join(token["text"] for token in tokens)
    else:
        ending = service.ask("/generate", body)[1]
        found = ending["text"]
    assert found == text[: text.index(stop)]
    assert ending["finish_reason"] == "stop"


def test_a_stop_string_that_does_not_end_costs_nothing(service):
    served = service.models["letters"]
    text = reference(served, "abc", 10, 4, temperature=1.0)
    body = {"prompt": "abc", "max_new_tokens": 10, "seed": 4, "temperature": 1.0}
    _, answer = service.ask("/generate", {**body, "stop": [text[-2:] + "more"]})
    assert answer["text"] == text and answer["finish_reason"] == "length"


# Tokens that are no characters


@pytest.fixture(scope="module")
def pairs():
    with Service(served_model("pairs", tokenizer=byte_pairs())) as running:
        yield running


def texts(tokens: list[dict]) -> str:
    return "".join(token["text"] for token in tokens)


PIECES = [*b"the", *" 月".encode()[:-1]]  # ids of bytes; a text has others, and no half character


@pytest.mark.parametrize("prompt", ["the cat 静夜", "\n\n😀", PIECES])
@pytest.mark.parametrize("seed", range(3))
def test_tokens_and_their_texts_are_those_of_generate(pairs, prompt, seed):
    served = pairs.models["pairs"]
    ids = prompt if isinstance(prompt, list) else served.tokenizer.encode(prompt)
    body = {"prompt": prompt, "max_new_tokens": 60, "seed": seed, "alternatives": 9}
    _, answer = pairs.ask("/generate", {**body, "temperature": 1.0})
    assert [token["id"] for token in answer["prompt_tokens"]] == ids
    rng = np.random.default_rng(seed)
    written = generate(served.model, np.array([ids]), 60, rng=rng)[0].tolist()
    assert ids + [token["id"] for token in answer["tokens"]] == written
    shown = texts(answer["prompt_tokens"]) + answer["text"]
    assert shown == served.tokenizer.decode(written)
    assert answer["text"] == texts(answer["tokens"]) and answer["finish_reason"] == "length"
    *_, last = answer["tokens"]
    for other in last["alternatives"]:
        assert shown.removesuffix(last["text"]) + other["text"] == served.tokenizer.decode(
            [*written[:-1], other["id"]]
        )


def test_going_on_from_ids_is_going_on(pairs):
    body = {"prompt": "the cat", "max_new_tokens": 8, "temperature": 0}
    first = pairs.ask("/generate", body)[1]
    kept = [token["id"] for token in first["prompt_tokens"] + first["tokens"][:5]]
    again = pairs.ask("/generate", {**body, "prompt": kept, "max_new_tokens": 3})[1]
    # the context is 8: what is forgotten depends on the length
    ids = [token["id"] for token in again["tokens"]]
    assert ids == [token["id"] for token in first["tokens"][5:]]


def test_a_stream_never_shows_half_a_character():
    text = "the 静夜 cat 😀 明月"
    with Service(reciting_model(text)) as service:
        n = len(byte_pairs().encode(text))
        body = {"prompt": "x", "max_new_tokens": n, "stream": True}
        _, *tokens, _, _ = all_events(service.begin("/generate", body).getresponse())
        assert texts(tokens) == text and "\ufffd" not in text
        silent = [token for token in tokens if not token["text"]]
        assert len(silent) >= 2 + 3 and all(t["name"].startswith("bytes:") for t in silent)


@pytest.mark.parametrize(
    "stop, shown, reason",
    [
        (["at a"], "the c", "stop"),
        (["t", "and"], "", "stop"),
        (["the dog", "dog 静"], "the cat and ", "stop"),
        (["静"], "the cat and the dog ", "stop"),
        (["夜"], "the cat and the dog 静", "stop"),  # with the last token that was asked for
        (["夜x", "cat  "], "the cat and the dog 静夜", "length"),
    ],
)
@pytest.mark.parametrize("path", ["/generate", "/v1/completions"])
def test_stop_strings_within_tokens(path, stop, shown, reason):
    text = "the cat and the dog 静夜"
    n = len(byte_pairs().encode(text))
    with Service(reciting_model(text)) as service:
        length = "max_tokens" if path.startswith("/v1") else "max_new_tokens"
        body = {"model": "reciting", "prompt": "x", length: n, "stop": stop}
        _, answer = service.ask(path, body)
        answer = answer.get("choices", [answer])[0]
        assert (answer["text"], answer["finish_reason"]) == (shown, reason)
        assert texts(answer.get("tokens", [answer])) == shown


def test_no_text_of_a_user_is_a_special_token(pairs):
    special = pairs.models["pairs"].tokenizer.special["<|endoftext|>"]
    for prompt, found in (("the<|endoftext|>", False), ([special, *b"the"], True)):
        _, answer = pairs.ask("/generate", {"prompt": prompt, "max_new_tokens": 1})
        assert (special in [token["id"] for token in answer["prompt_tokens"]]) == found


def test_attention_of_tokens(pairs):
    served = pairs.models["pairs"]
    ids = served.tokenizer.encode("the cat 静")[-8:]
    _, answer = pairs.ask("/attention", {"text": ids})
    assert answer["tokens"][-4:] == [" ", *(rf"bytes:\x{byte:02x}" for byte in "静".encode())]
    assert answer == pairs.ask("/attention", {"text": "the cat 静"})[1]
    weights = served.model.attention_weights(np.array([ids]))[:, 0]
    np.testing.assert_allclose(answer["weights"], weights, atol=0.001)


@pytest.mark.parametrize("ids", [[], [-1], [300], [1, 10**9], [0.5], ["a"], [[1]], [1] * 10_001])
@pytest.mark.parametrize("path, field", [("/generate", "prompt"), ("/attention", "text")])
def test_ids_that_are_none_are_refused(pairs, path, field, ids):
    status, answer = pairs.ask(path, {field: ids})
    assert status == 422 and answer["error"]["param"] == field
    assert answer["error"]["message"].startswith(f"{field}: ")


def test_the_unit_of_a_model_is_told(pairs):
    assert pairs.health()["units"] == {"pairs": "token"}


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
        ("max_new_tokens", {"max_new_tokens": 5.5}),
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
        (b'{"prompt": 1}', "prompt: a text is needed, or: a list is needed"),
        (b'{"prompt": ""}', "prompt: String should have at least 1 character"),
        (b'{"prompt": [-1]}', "prompt: Input should be greater than or equal to 0"),
        (b'{"prompt": [29]}', "prompt: there is no token 29; the last is 28"),
        (b'{"prompt": "a", "top_k": "x"}', "top_k: Input should be a valid integer"),
    ],
)
def test_messages_are_for_people(service, raw, words):
    status, answer = service.ask("/generate", raw)
    assert status == 422 and answer["error"]["message"].startswith(words)


def test_a_wrong_field_has_a_code(service):
    for change, code in (
        ({"top-k": 1}, "unknown_parameter"),
        ({"top_k": 0}, "invalid_value"),
        ({"prompt": "Q"}, "invalid_value"),
        ({"model": "nobody"}, "model_not_found"),
    ):
        _, answer = service.ask("/generate", {"prompt": "a", **change})
        assert answer["error"]["code"] == code
    assert service.ask("/generate", {})[1]["error"]["code"] == "missing_required_parameter"


def test_docs_name_the_limits(service):
    _, page = service.ask("/docs", method="GET")
    for words in (
        "string of 1 to 10,000 characters",
        "array of 0 to 16 strings",
        "integer from 1 to 2,000",
        "number above 0 to 1",
        "integer from 0 to 9,007,199,254,740,991",
        "only 1",
        "only none or auto",
        "empty array",
        "array of 1 to 500 objects",
        "array of 1 to 64 arrays",
    ):
        assert words in page


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
GOOD = {"prompt": "a", "text": "a", "max_new_tokens": 2, "max_tokens": 2}
GOOD |= {"model": "turns", "messages": [{"role": "user", "content": "a"}]}
BODIES = (GenerateBody, CompletionBody, ChatBody, ChatMessage)
NAMES = sorted({"text"}.union(*(body.model_fields for body in BODIES)))


@pytest.mark.slow
@settings(max_examples=150)
@given(
    path=st.sampled_from(["/generate", "/v1/completions", "/v1/chat/completions", "/attention"]),
    body=st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3),
    message=st.dictionaries(st.sampled_from(sorted(ChatMessage.model_fields)), JSON, max_size=3),
    good=st.sets(st.sampled_from(sorted(GOOD))),
)
def test_no_body_makes_the_service_fail(service, path, body, message, good):
    body = {**body, **{name: GOOD[name] for name in good}}
    for each in (body, {**body, "messages": [message]}):
        status, answer = service.ask(path, each)
        assert status in (200, 404, 400 if path.startswith("/v1/") else 422)
        if status != 200:
            name = re.fullmatch(r"(messages\[\d\]\.)?(\w+)", answer["error"]["param"])[2]
            assert name in NAMES


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_service_fail(service, raw):
    status, _ = service.ask("/generate", raw)
    assert status in (400, 422)


# Bodies that are too large


def test_a_body_is_limited_whatever_it_claims(service):
    fits = json.dumps({"prompt": "a", "max_new_tokens": 1}).encode()
    fits += b" " * (MAX_BODY - len(fits))
    assert service.ask("/generate", fits)[0] == 200
    for path in ("/generate", "/v1/completions", "/v1/chat/completions", "/attention"):
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
            assert response.status == (429 if path.startswith("/v1/") else 503)
            assert int(response.headers["Retry-After"]) >= 1
            kind, code = ("rate_limit_error", "rate_limit_exceeded")
            error = json.load(response)["error"]
            expected = (kind, code) if response.status == 429 else ("server_error", None)
            assert (error["type"], error["code"]) == expected
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
            assert len(all_events(connections[i].getresponse())) == 5
            wait_until(lambda: service.busy() == (int(i < 3), max(0, 2 - i)))  # noqa: B023


# Clients that go away


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_goes_away_frees_its_place_within_a_token(stream):
    with gated_service(max_running=1, max_waiting=1) as service:
        body = {"prompt": "a", "max_new_tokens": 500, "stream": stream}
        leaving = service.begin("/generate", body)
        service.model.gate.release(3)
        if stream:
            response = leaving.getresponse()
            assert "prompt_tokens" in next_event(response)
            assert [next_event(response)["text"] for _ in range(3)]
            response.close()
        wait_until(lambda: service.model.computed == 3)
        waiting = service.begin("/generate", {"prompt": "b", "max_new_tokens": 1, "stream": True})
        wait_until(lambda: service.busy() == (1, 1))
        leaving.close()
        wait_until(lambda: service.busy() == (1, 0))  # the next one has its place
        service.model.gate.release(2)  # one for the thread that was at work, one for the next text
        assert all_events(waiting.getresponse())[2]["finish_reason"] == "length"
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


def test_a_failure_is_an_answer_and_frees_the_place():
    with Service(breaking_model(), max_running=1, max_waiting=0) as service:
        for _ in range(2):
            status, answer = service.ask("/generate", {"prompt": "a"})
            assert status == 500 and answer["error"]["type"] == "server_error"
            _, *tokens, error = all_events(
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
        "models": ["letters", "other", "turns"],
        "units": {"letters": "character", "other": "character", "turns": "token"},
        "chat": {"letters": False, "other": False, "turns": True},
        "start": {"letters": "\n", "other": "\n", "turns": "\n"},
        "running": 0,
        "waiting": 0,
        "capacity": {"max_running": 128, "max_waiting": 512},
    }


def test_no_page_loads_from_elsewhere_and_all_have_the_one_policy(service):
    assert "unsafe" not in POLICY and "default-src 'none'" in POLICY
    names = ["/", "/docs", "/page/playground.css", "/page/playground.js", "/page/docs.css"]
    for name in names:
        response = service.begin(name, None, "GET").getresponse()
        text = response.read().decode("utf-8")
        assert response.status == 200 and response.headers["Content-Security-Policy"] == POLICY
        kind = {"css": "text/css", "js": "text/javascript"}.get(name.split(".")[-1], "text/html")
        assert response.headers["Content-Type"] == f"{kind}; charset=utf-8"
        assert not re.search(r"(src|href)=.?(https?:)?//|@import|url\(|\s(style|on\w+)=", text)


def test_the_pages_that_are_referred_to_exist_and_nothing_else_is_given(service):
    _, page = service.ask("/", method="GET")
    names = re.findall(r'(?:src|href)="(page/[^"]+)"', page)
    assert len(names) == 2
    for name in names:  # and what a script imports
        status, text = service.ask(f"/{name}", method="GET")
        assert status == 200
        imported = [f"page/{other}" for other in re.findall(r'from "\./([^"]+)"', text)]
        names += [other for other in imported if other not in names]
    for name in ("index.html", "nothing.js", "..%2fapp.py", "..%5capp.py", "__init__.py"):
        status, answer = service.ask(f"/page/{name}", method="GET")
        assert status == 404 and answer["error"]["type"] == "invalid_request_error"


def test_docs_list_all_fields(service):
    _, page = service.ask("/docs", method="GET")
    for body in (GenerateBody, CompletionBody, ChatBody):
        for name in body.model_fields:
            assert f"<code>{name}</code>" in page
    for path in ("/generate", "/v1/chat/completions", "/attention", "/health", "/v1/models"):
        assert path in page
