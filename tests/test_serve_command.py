"""The command: what it serves, how it ends, and what it says when it cannot begin."""

import importlib.resources
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
import urllib.parse
from contextlib import contextmanager

import pytest

from conftest import ROOT

pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
from serving import (  # noqa: E402
    CHARACTERS,
    Client,
    Service,
    all_events,
    checkpoint,
    next_event,
    reference,
    served_model,
    wait_until,
)

from minigrad.serve import __main__ as command  # noqa: E402
from minigrad.serve import load_models  # noqa: E402
from minigrad.serve.completions import model_card  # noqa: E402
from minigrad.serve.door import LOCAL_NAMES  # noqa: E402

pytestmark = pytest.mark.timeout(120)
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
needs_signals = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM")


@contextmanager
def running_command(*arguments, code: str = ""):
    """A client of the command, which runs in a process of its own; `code` runs before it."""
    program = f"import sys\nfrom minigrad.serve.__main__ import main\n{code}\nsys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-X", "utf8", "-c", program, "--port", "0", *map(str, arguments)],
        cwd=ROOT,
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    too_late = threading.Timer(100, process.kill)
    too_late.start()
    try:
        for line in process.stdout:
            if match := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
                break
        else:
            raise AssertionError("the server did not start")
        client = Client(int(match[1]))
        client.process = process
        yield client
    finally:
        too_late.cancel()
        process.kill()
        process.communicate()


# A model that writes two tokens, and the next when a line comes from standard input.
GATED = """
import threading
from minigrad.gpt import GPT
read, gate = GPT.read, threading.Event()
def wait_for_gate(model, texts):
    if any(cache[0].length > 1 for _, cache in texts):
        gate.wait()
    return read(model, texts)
GPT.read = wait_for_gate
threading.Thread(target=lambda: (sys.stdin.readline(), gate.set()), daemon=True).start()
"""


@needs_signals
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_finishes_what_runs_and_refuses_what_is_new(tmp_path, number):
    path = checkpoint(tmp_path / "letters.pkl")
    limits = ("--max-running", 1, "--max-waiting", 1)
    with running_command("--model", path, *limits, code=GATED) as service:
        body = {"prompt": "a", "max_new_tokens": 20, "seed": 1}
        stream = service.begin("/generate", {**body, "stream": True}).getresponse()
        assert "prompt_tokens" in next_event(stream)
        first = next_event(stream)
        waiting = service.begin("/generate", body)
        wait_until(lambda: service.busy() == (1, 1))
        service.process.send_signal(number)
        wait_until(lambda: service.ask("/health", method="GET")[0] == 503)
        response = service.begin("/generate", body).getresponse()
        assert response.status == 503 and response.headers["Retry-After"]
        assert "about to stop" in json.load(response)["error"]["message"]
        assert service.process.poll() is None
        service.process.stdin.write("\n")
        service.process.stdin.flush()
        *tokens, ending, done = [first, *all_events(stream)]
        assert done == "[DONE]" and ending["finish_reason"] == "length" and len(tokens) == 20
        text = "".join(token["text"] for token in tokens)
        assert json.load(waiting.getresponse())["text"] == text
        assert service.process.wait(60) == 0


# A model that needs 200 seconds for 2,000 tokens.
SLOW = """
import time
from minigrad.gpt import GPT
read = GPT.read
def slow(model, texts):
    time.sleep(0.1)
    return read(model, texts)
GPT.read = slow
"""


@needs_signals
@pytest.mark.slow
@pytest.mark.parametrize("numbers", [["TERM"], ["TERM", "INT"], ["INT", "later", "TERM", "INT"]])
def test_everybody_is_told_and_it_ends_in_time(tmp_path, numbers):
    path = checkpoint(tmp_path / "letters.pkl")
    grace = 60 if "later" in numbers else 2
    limits = ("--max-running", 3, "--grace", grace)
    with running_command("--model", path, *limits, code=SLOW) as service:
        body = {"prompt": "a", "max_new_tokens": 2000}
        begun = [service.begin("/generate", {**body, "stream": True}) for _ in range(5)]
        plain = service.begin(
            "/v1/completions", {"prompt": "a", "model": "letters", "max_tokens": 99}
        )
        half = socket.create_connection(("127.0.0.1", service.port))
        half.sendall(b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        streams = [connection.getresponse() for connection in begun]
        wait_until(lambda: service.busy() == (3, 3))
        start = time.monotonic()
        for number in numbers:
            if number == "later":  # the same wish within a second of the first
                time.sleep(1.1)
            else:
                service.process.send_signal(getattr(signal, f"SIG{number}"))
        for stream in streams:  # those that ran, and those that waited
            assert all_events(stream)[-1]["error"]["message"] == "this server has been stopped"
        response = plain.getresponse()
        assert response.status == 503 and "stopped" in json.load(response)["error"]["message"]
        assert service.process.wait(30) == 0
        assert time.monotonic() - start < 30  # to write all would take 200 s
        half.close()
        log = service.process.stdout.read()
        assert "Traceback" not in log and "ERROR" not in log


@pytest.mark.slow
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
    for option in (
        "--model",
        "--host",
        "--port",
        "--max-running",
        "--grace",
        "--api-key",
        "--cors",
    ):
        assert option in process.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--model", "nowhere.pkl"], "no checkpoint at nowhere.pkl"),
        (["--model", "no\n\x1b[31mwhere.pkl"], "no checkpoint at no\\n\\x1b[31mwhere.pkl"),
        (["--model", "ids.pkl"], "ids.pkl holds no tokenizer, only token ids"),
        (["--model", "a.pkl", "--model", "a.pkl"], "two models are called a"),
        (["--max-running", "0"], "--max-running must be at least 1"),
        (["--max-waiting", "-1"], "--max-waiting at least 0"),
        (["--port", "70000"], "--port must be a number from 0 to 65535"),
        (["--grace", "0"], "--grace must be a number of seconds above 0"),
        (["--grace", "nan"], "--grace must be a number of seconds above 0"),
        (["--api-key", ""], "--api-key must be letters"),
        (["--api-key", "two words"], "--api-key must be letters"),
        (["--api-key", "schl\xfcssel"], "--api-key must be letters"),
        (["--cors", "example.org"], "--cors must be an origin such as https://example.org"),
        (["--cors", "https://example.org/"], "--cors must be an origin"),
        (["--cors", "null"], "--cors must be an origin"),
        (["--allowed-host", "a/b"], "--allowed-host must be a name"),
        (["--model", "two\nlines.pkl"], "a model cannot be called 'two\\nlines': rename the file"),
        (["--model", "half.pkl"], "half writes '\\udc80', which is not one character"),
        (["--model", "nan.pkl"], "nan cannot write: its weights or logits are not finite numbers"),
        (["--model", "huge.pkl"], "huge cannot write"),
    ],
)
def test_what_the_command_refuses(tmp_path, monkeypatch, capsys, arguments, message):
    checkpoint(tmp_path / "ids.pkl", characters=None)
    checkpoint(tmp_path / "half.pkl", characters=CHARACTERS[:-1] + "\udc80")
    for name, value in (("nan", math.nan), ("huge", 1e38)):
        state = served_model("any").model.collect_state_dict()
        state["transformer.wte.weight"][3] = value
        state["transformer.ln_f.weight"][:] = value  # the logits have their product
        checkpoint(tmp_path / f"{name}.pkl", model=state)
    for name in ("a", "two\nlines"):
        checkpoint(tmp_path / f"{name}.pkl")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    message_there = capsys.readouterr().err
    assert ended.value.code == 2 and message in message_there
    assert message_there.splitlines()[-1].startswith(("error: ", "python -m minigrad.serve: error"))


ODD = ["constructor", "__proto__", "toString", "a b", 'it\'s "x"', "静夜", "a%2Fb", "a\\b", "..."]


def test_odd_names_work(tmp_path):
    models = load_models([checkpoint(tmp_path / f"{name}.pkl") for name in ODD])
    with Service(*models) as service:
        assert service.health()["models"] == ODD
        for name in ODD:
            path = f"/v1/models/{urllib.parse.quote(name, safe='')}"
            assert service.ask(path, method="GET") == (200, {**model_card(name)})
            _, answer = service.ask(
                "/generate", {"prompt": "a", "model": name, "max_new_tokens": 1}
            )
            assert answer["model"] == name


def test_odd_characters_work(tmp_path):
    characters = '\0\x01\t\r\n\x1b\x7f\x85\u2028\ufeff\ufffe\u0301"\\</😀' + "abcdefghijkl"
    assert len(characters) == len(CHARACTERS)
    (served,) = load_models([checkpoint(tmp_path / "odd.pkl", characters=characters)])
    with Service(served) as service:
        text = reference(served, characters, 300, 1, temperature=10.0)
        body = {"prompt": characters, "max_new_tokens": 300, "seed": 1, "temperature": 10.0}
        assert service.ask("/generate", body)[1]["text"] == text
        _, *tokens, _, _ = all_events(
            service.begin("/generate", {**body, "stream": True}).getresponse()
        )
        assert "".join(token["text"] for token in tokens) == text and set(text) == set(characters)


@pytest.mark.parametrize(
    "arguments, hosts, warned",
    [
        ([], LOCAL_NAMES, False),
        (["--host", "localhost"], LOCAL_NAMES, False),
        (["--host", "::1"], LOCAL_NAMES, False),
        (["--host", "127.0.0.5"], LOCAL_NAMES | {"127.0.0.5"}, False),
        (["--host", "127.1"], LOCAL_NAMES | {"127.1"}, False),
        (["--host", "LOCALHOST"], LOCAL_NAMES, False),
        (["--allowed-host", "Mine.example"], LOCAL_NAMES | {"mine.example"}, False),
        (["--host", "0.0.0.0"], None, True),
        (["--host", "0.0.0.0", "--allowed-host", "a.b"], LOCAL_NAMES | {"a.b", "0.0.0.0"}, True),
    ],
)
def test_who_may_ask_depends_on_the_address(
    tmp_path, monkeypatch, capsys, arguments, hosts, warned
):
    path, found = checkpoint(tmp_path / "a.pkl"), {}

    def no_app(models, running, waiting, hosts, key, origins):
        found.update(hosts=hosts, key=key, waiting=waiting, origins=origins)
        raise SystemExit

    monkeypatch.setattr(command, "create_app", no_app)
    monkeypatch.setattr(command, "most_connections", lambda: 192)
    monkeypatch.setenv("MINIGRAD_API_KEY", "sesame")
    with pytest.raises(SystemExit):
        command.main(["--model", str(path), *arguments])
    assert found["hosts"] == hosts
    assert found["key"] == "sesame" and found["waiting"] == 192 - 128 - 32
    assert ("warning: 0.0.0.0 lets other machines in" in capsys.readouterr().err) == warned


def test_the_package_gives_its_names_without_fastapi():
    code = """
import sys
sys.modules["fastapi"] = sys.modules["uvicorn"] = None
from minigrad.serve import load_models, shipped_models
from minigrad import serve
try:
    serve.nothing
except AttributeError as error:
    print(error)
try:
    serve.create_app
except ImportError as error:
    print("needs", error.name)
"""
    process = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, timeout=60
    )
    lines = ["module 'minigrad.serve' has no attribute 'nothing'", "needs fastapi"]
    assert process.stdout.splitlines() == lines


def test_without_shipped_models_the_command_asks_for_one(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.resources, "files", lambda _: tmp_path)
    with pytest.raises(FileNotFoundError, match="--model"):
        command.shipped_models()
    (tmp_path / "pretrained").mkdir()
    path = checkpoint(tmp_path / "pretrained" / "poems.pkl")
    assert command.shipped_models() == [path]


def test_a_port_that_is_taken_is_an_error(tmp_path, run_module):
    path = checkpoint(tmp_path / "letters.pkl")
    with Service(served_model("letters")) as service:
        process = run_module("serve", "--model", path, "--port", service.port)
    assert process.returncode == 2 and "address already in use" in process.stderr.lower()
    assert f"cannot listen on 127.0.0.1 at port {service.port}" in process.stderr


@pytest.mark.parametrize("missing", ["fastapi", "uvicorn"])
def test_without_fastapi_one_line_says_what_to_install(missing):
    code = f"import sys, runpy\nsys.modules[{missing!r}] = None\n"
    process = subprocess.run(
        [sys.executable, "-c", code + "runpy.run_module('minigrad.serve', None, '__main__')"],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        env=ENVIRONMENT,
        timeout=60,
    )
    (line,) = process.stderr.splitlines()
    assert process.returncode == 1
    assert "minigrad.serve needs FastAPI and uvicorn: pip install" in line and missing in line


@pytest.mark.slow
def test_the_load_measurement(tmp_path):
    process = subprocess.run(
        [sys.executable, "benchmarks/serve.py", "--clients", "1", "3", "--requests", "1"]
        + ["--tokens", "4", "--model", str(checkpoint(tmp_path / "x.pkl")), "--prompt", "abc"],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        env=ENVIRONMENT,
        timeout=100,
    )
    assert process.returncode == 0, process.stderr
    rows = [line.split() for line in process.stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == ["1", "3"] and all(float(row[1]) > 0 for row in rows)


@pytest.mark.skipif(os.name == "nt", reason="a shell closes the output")
def test_nobody_need_read_what_it_prints(tmp_path):
    """Without an output it starts; with one that is full it answers, and ends when told."""
    command = [sys.executable, "-m", "minigrad.serve", "--port", "0"]
    quiet = subprocess.Popen(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command],
        cwd=ROOT, env=ENVIRONMENT, stderr=subprocess.PIPE, encoding="utf-8",
    )  # fmt: skip
    try:
        assert any("running on" in line for line in quiet.stderr)
    finally:
        quiet.kill()
        quiet.communicate()
    with running_command() as client:
        for _ in range(1500):  # lines that would fill the pipe
            client.health()
        for _ in range(2000):  # and warnings of uvicorn's
            with socket.create_connection(("127.0.0.1", client.port), 30) as odd:
                odd.sendall(b"x\r\n\r\n")
                assert odd.recv(100).startswith(b"HTTP/1.1 400")
        client.health()
        client.process.terminate()
        assert client.process.wait(timeout=30) == 0


def test_an_empty_name_is_no_model(capsys):
    with pytest.raises(SystemExit):
        command.main(["--model", ""])
    assert "a model must be named, but the name is empty" in capsys.readouterr().err
