"""The description keeps its word: whatever it allows is accepted, what it does not is refused, and
every answer is one that it names."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest

pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
if importlib.util.find_spec("schemathesis") is None:  # which takes long to import
    pytest.skip("schemathesis is not installed", allow_module_level=True)
from serving import (  # noqa: E402
    Service,
    answering_model,
    byte_pairs,
    served_model,
    turn_pairs,
)

from minigrad.serve import app, chats, writer  # noqa: E402


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path, monkeypatch):
    write_tokens = writer.write_tokens

    def few_tokens(served, ids, options):  # it asks for 100,000 tokens more than once
        few = min(options.max_new_tokens, 20)
        return write_tokens(served, ids, replace(options, max_new_tokens=few))

    def asked_ids(served, messages):  # no description says in tokens how long a text may be
        endless = replace(served, model=SimpleNamespace(block_size=10**9))
        return chats.asked_ids(endless, messages)

    monkeypatch.setattr(writer, "write_tokens", few_tokens)
    monkeypatch.setattr(app, "asked_ids", asked_ids)
    for module in (app, chats):
        monkeypatch.setattr(module, "within_context", lambda served, ids, options: options)
    models = [served_model("letters"), served_model("other", characters=NO_CHINESE)]
    models.append(served_model("pairs", tokenizer=byte_pairs()))
    models.append(served_model("turns", tokenizer=turn_pairs()))
    (tmp_path / "schemathesis.toml").write_text(REFUSED)
    command = [sys.executable, "-m", "schemathesis.cli", "run", "--seed", "1", "--checks", "all"]
    command += ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "10"]
    command += ["--header", "Authorization: Bearer sesame"]
    with Service(*models, key="sesame") as service:
        process = subprocess.run(
            [*command, f"http://127.0.0.1:{service.port}/openapi.json"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONUTF8": "1"},
            capture_output=True,
            encoding="utf-8",
            timeout=280,
        )
    assert process.returncode == 0, process.stdout[-5000:] + process.stderr[-2000:]


# How what is wrong may be refused: a list of too many numbers may be too large as well.
REFUSED = "[checks]\nnegative_data_rejection.expected-statuses = [400, 401, 404, 405, 413, 422]\n"
NO_CHINESE = "\nabcdefghijklmnopqrstuvwxyz-]"


@pytest.mark.parametrize("tokenizer, pattern", [(None, True), (byte_pairs(), False)])
def test_a_model_of_byte_pairs_reads_any_text(tokenizer, pattern):
    service = Service(served_model("any", tokenizer=tokenizer))
    service.socket.close()
    bodies = service.app.openapi()["components"]["schemas"]
    for name, field in (("GenerateBody", "prompt"), ("AttentionBody", "text")):
        text, ids = bodies[name]["anyOf"][0]["properties"][field]["anyOf"]
        assert ("pattern" in text) == pattern
        last = service.models["any"].tokenizer.vocab_size - 1
        assert ids["items"]["maximum"] == last


def test_all_statuses_and_the_streams_are_named():
    service = Service(answering_model("yes"), key="sesame")
    service.socket.close()
    paths = service.app.openapi()["paths"]
    statuses = {
        path: {int(status) for each in methods.values() for status in each["responses"]}
        for path, methods in paths.items()
    }
    ours = {200, 400, 401, 404, 405, 413, 421, 422, 503}
    assert statuses["/generate"] == statuses["/attention"] == ours
    assert statuses["/v1/completions"] == ours - {422} | {429}
    assert statuses["/v1/chat/completions"] == statuses["/v1/completions"]
    for path in ("/generate", "/v1/completions", "/v1/chat/completions"):
        success = paths[path]["post"]["responses"]["200"]["content"]
        assert set(success) == {"application/json", "text/event-stream"}
    for methods in paths.values():
        for operation in methods.values():
            for response in operation["responses"].values():
                assert "$ref" in response["content"]["application/json"]["schema"]


@pytest.mark.parametrize("first, second", [("letters", "turns"), ("turns", "letters")])
def test_who_can_be_asked_with_messages(first, second):
    made = {"letters": served_model("letters"), "turns": answering_model("yes", "turns")}
    service = Service(made[first], made[second])
    service.socket.close()
    forms = service.app.openapi()["components"]["schemas"]["GenerateBody"]["anyOf"]
    found = {}
    for form in forms:
        models = tuple(form["properties"]["model"]["enum"])
        field = "messages" if "messages" in form["required"] else "prompt"
        found.setdefault(models, []).append(field)
        assert form["properties"]["messages" if field == "prompt" else "prompt"] == {
            "anyOf": [{"type": "null"}]
        }
    fields = {"letters": ["prompt"], "turns": ["prompt", "messages"]}
    assert found == {(first, None): fields[first], (second,): fields[second]}
    (form,) = service.app.openapi()["components"]["schemas"]["ChatBody"]["anyOf"]
    assert form["properties"]["model"]["enum"] == ["turns"]


def test_without_a_model_that_chats_no_conversation_is_described():
    service = Service(served_model("letters"))
    service.socket.close()
    described = service.app.openapi()
    assert "ChatBody" not in described["components"]["schemas"]
    assert "/v1/chat/completions" not in described["paths"]
    assert "/v1/completions" in described["paths"]
