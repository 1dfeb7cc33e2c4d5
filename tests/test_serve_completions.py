"""The completions protocol, as the client of OpenAI sees it."""

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
openai = pytest.importorskip("openai", reason="the openai client is not installed")
from serving import (  # noqa: E402
    CHARACTERS,
    Service,
    answering_model,
    breaking_model,
    byte_pairs,
    gated_service,
    reciting_model,
    reference,
    served_model,
    wait_until,
)

from minigrad.functional import log_softmax  # noqa: E402
from minigrad.generate import window_start  # noqa: E402
from minigrad.template import END  # noqa: E402
from minigrad.tensor import no_grad  # noqa: E402

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def service():
    with Service(served_model("letters"), served_model("other", seed=5)) as running:
        yield running


@pytest.fixture
def client(service):
    base = f"http://127.0.0.1:{service.port}/v1"
    return openai.OpenAI(base_url=base, api_key="none", max_retries=0, timeout=60)


def test_openai_lists_the_models(client):
    assert [model.id for model in client.models.list()] == ["letters", "other"]
    assert client.models.retrieve("other").id == "other"


def test_openai_gets_the_text_of_generate(client, service):
    served = service.models["letters"]
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
    served = service.models["letters"]
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
    served = service.models["letters"]
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
    with pytest.raises(openai.NotFoundError, match="'nobody'") as raised:
        client.completions.create(model="nobody", prompt="a")
    assert raised.value.code == "model_not_found"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")
    with pytest.raises(openai.BadRequestError, match="unknown character 'Q'") as raised:
        client.completions.create(model="letters", prompt="Q", stream=True)
    assert raised.value.param == "prompt"


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": 9},
        {"n": 0},
        {"temperature": -1},
        {"logprobs": 11},
        {"max_tokens": 10**9},
        {"max_tokens": -1},
        {"best_of": 2},
        {"suffix": "z"},
        {"logit_bias": {"1": 5}},
        {"frequency_penalty": 0.5},
        {"presence_penalty": -0.5},
        {"stop": ["a"] * 17},
        {"seed": "x"},
        {"prompt": []},
        {"prompt": [[]]},
        {"prompt": [""]},
        {"prompt": [1, "a"]},
        {"prompt": [29]},
        {"prompt": [[1], [2, 99]]},
        {"prompt": [-1]},
        {"prompt": ["a"] * 65},
        {"prompt": ["a"] * 64, "n": 8, "max_tokens": 2000},
        {"extra_body": {"repetition_penalty": 2}},
    ],
)
def test_what_is_not_understood_is_refused_by_name(client, wrong):
    with pytest.raises(openai.BadRequestError) as raised:
        client.completions.create(**{"model": "letters", "prompt": "a", **wrong})
    name = next(iter(wrong)) if "extra_body" not in wrong else "repetition_penalty"
    assert raised.value.param in (name, "max_tokens") and raised.value.code
    assert raised.value.type == "invalid_request_error"


NEUTRAL = {
    "suffix": [None, ""],
    "logit_bias": [None, {}],
    "frequency_penalty": [None, 0, 0.0],
    "presence_penalty": [None, 0],
    "user": [None, "me", ""],
    "stop": [None, "", [], [""]],
    "n": [None, 1],
    "best_of": [None, 1],
    "echo": [None, False],
    "logprobs": [None],
    "stream": [None, False],
    "stream_options": [None, {}, {"include_usage": False, "include_obfuscation": False}],
    "max_tokens": [None, 16],
    "temperature": [None, 1],
    "top_p": [None, 1],
}


@pytest.mark.parametrize("name", NEUTRAL)
def test_what_asks_for_nothing_changes_nothing(service, name):
    body = {"model": "letters", "prompt": "abc", "seed": 4}
    expected = reference(service.models["letters"], "abc", 16, 4)
    for value in NEUTRAL[name]:
        status, answer = service.ask("/v1/completions", {**body, name: value})
        assert status == 200 and answer["choices"][0]["text"] == expected


def test_several_prompts_and_choices(client, service):
    served = service.models["letters"]
    prompts = ["abc", "x", "longerthanthecontext"]
    ids = [served.tokenizer.encode(prompt) for prompt in prompts]
    for asked in (prompts, ids):
        answer = client.completions.create(
            model="letters", prompt=asked, n=2, best_of=2, max_tokens=12, seed=4
        )
        texts = [reference(served, p, 12, seed) for p in prompts for seed in (4, 5)]
        assert [choice.text for choice in answer.choices] == texts
        assert [choice.index for choice in answer.choices] == list(range(6))
        assert answer.usage.prompt_tokens == sum(map(len, prompts))
        assert answer.usage.completion_tokens == 6 * 12
    one = client.completions.create(model="letters", prompt=ids[0], max_tokens=12, seed=4)
    assert one.choices[0].text == texts[0]
    found = [""] * 6
    reasons = []
    stream = client.completions.create(
        model="letters",
        prompt=prompts,
        n=2,
        max_tokens=12,
        seed=4,
        stream=True,
        stream_options={"include_usage": True},
    )
    *chunks, last = stream
    for chunk in chunks:
        assert chunk.usage is None and "usage" in chunk.model_fields_set
        (choice,) = chunk.choices
        found[choice.index] += choice.text
        reasons += [choice.finish_reason] if choice.finish_reason else []
    assert found == texts and reasons == ["length"] * 6
    assert last.choices == [] and last.usage.total_tokens == sum(map(len, prompts)) + 72


def test_without_a_seed_the_choices_differ(client):
    answer = client.completions.create(model="letters", prompt="abc", n=4, max_tokens=20)
    assert len({choice.text for choice in answer.choices}) == 4


@pytest.mark.parametrize("prompt", ["abc", "longerthanthecontext"])
@pytest.mark.parametrize("max_tokens", [0, 1, 3])
def test_a_given_text_is_scored(client, service, prompt, max_tokens):
    served = service.models["letters"]
    request = dict(model="letters", prompt=prompt, echo=True, logprobs=2, temperature=0)
    answer = client.completions.create(**request, max_tokens=max_tokens)
    (choice,) = answer.choices
    found = choice.logprobs
    n = len(prompt) + max_tokens
    assert "".join(found.tokens) == choice.text and choice.text.startswith(prompt)
    assert len(found.tokens) == n and found.text_offset == list(range(n))
    assert found.token_logprobs[0] is None and found.top_logprobs[0] is None
    assert answer.usage.completion_tokens == max_tokens
    ids = np.array([served.tokenizer.encode(choice.text)])
    for i in range(1, n):
        window = ids[:, window_start(i, 8) : i]
        with no_grad():
            expected = log_softmax(served.model(window)[0]).data[0, -1]
        assert found.token_logprobs[i] == pytest.approx(expected[ids[0, i]], abs=1e-4)
        best = max(found.top_logprobs[i], key=found.top_logprobs[i].get)
        assert best == CHARACTERS[expected.argmax()]
    stream = client.completions.create(**request, max_tokens=max_tokens, stream=True)
    parts = [chunk.choices[0].logprobs for chunk in stream if chunk.choices[0].text]
    streamed = [value for part in parts for value in part.token_logprobs]
    assert streamed == found.token_logprobs


@pytest.mark.parametrize("echo", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_tokens_are_named_and_placed_in_the_text(echo, stream):
    text, prompt = "the 静夜 cat", "月 the"
    ids, before = byte_pairs().encode(text), byte_pairs().encode(prompt)
    served = reciting_model(text)
    if echo:  # then the prompt is read, too
        served.model.script = iter([*before[1:], *ids])
    request = dict(model="reciting", prompt=prompt, max_tokens=len(ids), logprobs=3, echo=echo)
    with Service(served) as service:
        base = f"http://127.0.0.1:{service.port}/v1"
        client = openai.OpenAI(base_url=base, api_key="none", max_retries=0, timeout=60)
        answer = client.completions.create(**request, stream=stream)
        chunks = list(answer) if stream else [answer]
    assert "".join(chunk.choices[0].text for chunk in chunks) == prompt * echo + text
    if not stream:
        assert answer.usage.total_tokens == len(before) + len(ids)
    found = [chunk.choices[0].logprobs for chunk in chunks if chunk.choices[0].logprobs]
    tokens = [token for part in found for token in part.tokens]
    likeliest = [top for part in found for top in part.top_logprobs]
    assert all(top is None or token in top for top, token in zip(likeliest, tokens))
    shown = before * echo + ids
    assert [raw_bytes(token) for token in tokens] == [byte_pairs().token_bytes[i] for i in shown]
    assert "bytes:\\xe9\\x9d" in tokens or "bytes:\\xe9" in tokens
    offsets = [offset for part in found for offset in part.text_offset]
    raw = b"" if echo else prompt.encode()
    for token, offset in zip(tokens, offsets):  # whole characters before it
        assert offset == len(raw.decode("utf-8", "ignore"))
        raw += raw_bytes(token)


def raw_bytes(token: str) -> bytes:
    """What a client makes of the name of a token."""
    if not token.startswith("bytes:"):
        return token.encode()
    return token[6:].encode().decode("unicode_escape").encode("latin-1")


def test_more_than_is_allowed_is_counted_in_tokens():
    with Service(served_model("pairs", tokenizer=byte_pairs())) as service:
        body = {"model": "pairs", "prompt": "😀" * 4000, "max_tokens": 1, "n": 7, "echo": True}
        status, answer = service.ask("/v1/completions", body)
        assert status == 400 and answer["error"]["param"] == "max_tokens"
        assert service.ask("/v1/completions", {**body, "n": 6})[0] == 200


def test_nothing_asked_for_is_nothing_written(client):
    answer = client.completions.create(model="letters", prompt="abc", max_tokens=0)
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("", "length")
    answer = client.completions.create(model="letters", prompt="abc", max_tokens=0, echo=True)
    assert answer.choices[0].text == "abc"


def test_openai_is_told_that_there_are_too_many():
    with gated_service(max_running=1, max_waiting=0) as service:
        base = f"http://127.0.0.1:{service.port}/v1"
        client = openai.OpenAI(base_url=base, api_key="none", max_retries=0, timeout=60)
        first = service.begin("/generate", {"prompt": "a", "max_new_tokens": 1})
        wait_until(lambda: service.busy() == (1, 0))
        with pytest.raises(openai.RateLimitError) as raised:
            client.completions.create(model="slow", prompt="a")
        assert int(raised.value.response.headers["Retry-After"]) >= 1
        service.model.gate.release(1)
        assert first.getresponse().status == 200


def test_openai_brings_a_key():
    with Service(served_model("letters"), key="sesame") as service:
        base = f"http://127.0.0.1:{service.port}/v1"
        client = openai.OpenAI(base_url=base, api_key="sesame", max_retries=0, timeout=60)
        assert client.completions.create(model="letters", prompt="a", max_tokens=1).choices
        with pytest.raises(openai.AuthenticationError) as raised:
            client.with_options(api_key="semolina").models.list()
        assert raised.value.code == "invalid_api_key"


def test_openai_sees_an_error_within_a_stream():
    with Service(breaking_model()) as service:
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{service.port}/v1", api_key="none")
        stream = client.completions.create(model="broken", prompt="a", stream=True)
        assert next(stream).choices[0].text
        with pytest.raises(openai.APIError, match="writing failed"):
            list(stream)


def test_the_end_of_a_text_is_weighed_too():
    """lm-eval leaves out the last token, which it takes for the one that was written."""
    with Service(answering_model("yes, 静!")) as service:
        body = {"model": "answering", "prompt": "yes, 静!", "temperature": 0, "max_tokens": 1}
        for more in ({"echo": True}, {}):
            answer = service.ask("/v1/completions", {**body, **more, "logprobs": 1})[1]
            n = answer["usage"]["prompt_tokens"] * len(more) + 1
            (choice,) = answer["choices"]
            assert len(choice["logprobs"]["tokens"]) == n
            assert choice["logprobs"]["tokens"][-1] == END
            assert choice["text"] == "yes, 静!" * len(more)
        answer = service.ask("/v1/completions", body)[1]
        assert answer["usage"]["completion_tokens"] == 0


def test_a_model_without_line_breaks_says_where_it_can_begin():
    with Service(served_model("marks", characters="\u0301\u0308ab")) as service:
        assert service.health()["start"] == {"marks": "\u0301"}
