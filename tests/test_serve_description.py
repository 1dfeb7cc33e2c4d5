"""The description keeps its word: whatever it allows is accepted, what it does not is refused, and
every answer is one that it names."""

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace

import pytest

pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
if importlib.util.find_spec("schemathesis") is None:  # which takes long to import
    pytest.skip("schemathesis is not installed", allow_module_level=True)
from serving import Service, byte_pairs, served_model  # noqa: E402

from minigrad.serve import writer  # noqa: E402


@pytest.mark.slow
def test_schemathesis_finds_nothing(tmp_path, monkeypatch):
    write_tokens = writer.write_tokens

    def few_tokens(served, ids, options):  # it asks for 100,000 tokens more than once
        few = min(options.max_new_tokens, 20)
        return write_tokens(served, ids, replace(options, max_new_tokens=few))

    monkeypatch.setattr(writer, "write_tokens", few_tokens)
    models = [served_model("letters"), served_model("other", characters=NO_CHINESE)]
    models.append(served_model("pairs", tokenizer=byte_pairs()))
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
    service = Service(served_model("letters"), key="sesame")
    service.socket.close()
    paths = service.app.openapi()["paths"]
    statuses = {
        path: {int(status) for each in methods.values() for status in each["responses"]}
        for path, methods in paths.items()
    }
    ours = {200, 400, 401, 404, 405, 413, 421, 422, 503}
    assert statuses["/generate"] == statuses["/attention"] == ours
    assert statuses["/v1/completions"] == ours - {422} | {429}
    for path in ("/generate", "/v1/completions"):
        success = paths[path]["post"]["responses"]["200"]["content"]
        assert set(success) == {"application/json", "text/event-stream"}
    for methods in paths.values():
        for operation in methods.values():
            for response in operation["responses"].values():
                assert "$ref" in response["content"]["application/json"]["schema"]
