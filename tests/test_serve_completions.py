"""The completions protocol, as the client of OpenAI sees it."""

import numpy as np
import pytest

pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
openai = pytest.importorskip("openai", reason="the openai client is not installed")
from serving import CHARACTERS, Service, breaking_model, reference, served_model  # noqa: E402

from minigrad.functional import log_softmax  # noqa: E402
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


def test_openai_sees_an_error_within_a_stream():
    with Service(breaking_model()) as service:
        client = openai.OpenAI(base_url=f"http://127.0.0.1:{service.port}/v1", api_key="none")
        stream = client.completions.create(model="broken", prompt="a", stream=True)
        assert next(stream).choices[0].text
        with pytest.raises(openai.APIError, match="writing failed"):
            list(stream)
