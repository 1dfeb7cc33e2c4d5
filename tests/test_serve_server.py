"""Connections: those who say nothing, half of it, or do not read; and how the service ends."""

import json
import socket
import time

import pytest

pytest.importorskip("uvicorn", reason="the service is not installed")
pytest.importorskip("fastapi", reason="the service is not installed")
from serving import Service, gated_service, served_model, wait_until  # noqa: E402

from minigrad.serve import server as server_module  # noqa: E402

pytestmark = pytest.mark.timeout(120)
HEAD = b"POST /generate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
HALVES = {
    "nothing": b"",
    "half a line": b"POST /gen",
    "half the headers": HEAD,
    "half the body": HEAD + b"Content-Length: 100\r\n\r\n{",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\n{",
}


def send(service, data: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", service.port), timeout=60)
    connection.sendall(data)
    return connection


def rest(connection: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    found = b""
    while data := connection.recv(65536):
        found += data
    return found


def is_closed(connection: socket.socket) -> bool:
    try:
        return rest(connection)[:13] in (b"", b"HTTP/1.1 503 ")
    except ConnectionResetError:
        return True


@pytest.mark.parametrize("half", HALVES)
def test_a_request_that_does_not_arrive_is_cut_off(monkeypatch, half):
    monkeypatch.setattr(server_module, "PATIENCE", 0.3)
    with Service(served_model("letters")) as service:
        with send(service, HALVES[half]) as connection:
            answer = rest(connection)
        if half == "nothing":
            assert answer == b""
        else:
            head, body = answer.split(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408 ") and b"nosniff" in head
            assert "has not arrived" in json.loads(body)["error"]["message"]
        assert service.ask("/generate", {"prompt": "a", "max_new_tokens": 1})[0] == 200


def test_one_byte_now_and_then_does_not_help(monkeypatch):
    monkeypatch.setattr(server_module, "PATIENCE", 0.5)
    with Service(served_model("letters")) as service, send(service, HEAD) as connection:
        connection.settimeout(0.05)
        answer, start = b"", time.monotonic()
        while not answer and time.monotonic() < start + 30:
            try:
                answer = connection.recv(1000)
            except TimeoutError:
                connection.sendall(b"x")
        assert answer.startswith(b"HTTP/1.1 408 ")


def test_who_has_asked_is_waited_for(monkeypatch):
    monkeypatch.setattr(server_module, "PATIENCE", 0.2)
    with gated_service() as service:
        asked = service.begin("/generate", {"prompt": "a", "max_new_tokens": 1})
        with send(service, b"") as silent:
            assert rest(silent) == b""  # it was cut off, so more than the patience has passed
        service.model.gate.release(1)
        assert asked.getresponse().status == 200


def test_a_second_request_of_a_connection_must_arrive_as_well(monkeypatch):
    monkeypatch.setattr(server_module, "PATIENCE", 0.3)
    with Service(served_model("letters")) as service:
        with send(service, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n") as connection:
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            connection.sendall(HEAD)
            assert b"HTTP/1.1 408 " in rest(connection)


def test_an_answer_that_is_not_read_is_given_up(monkeypatch):
    monkeypatch.setattr(server_module, "PATIENCE", 0.3)
    with Service(served_model("letters")) as service:
        with socket.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            connection.connect(("127.0.0.1", service.port))
            for _ in range(400):  # answers that fill all buffers, and nobody reads
                connection.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
            wait_until(lambda: not service.server.server_state.connections, 20)


@pytest.mark.parametrize(
    "raw", [b"\x00\x01\x02\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"HELLO\r\n\r\n"]
)
def test_what_is_no_request_is_answered_in_the_one_form(raw):
    with Service(served_model("letters")) as service, send(service, raw) as connection:
        head, body = rest(connection).split(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ") and b"application/json" in head
    assert json.loads(body)["error"]["type"] == "invalid_request_error"


def test_when_there_are_too_many_the_silent_ones_go_first(monkeypatch):
    monkeypatch.setattr(server_module, "most_connections", lambda: 10)
    with gated_service() as service:
        asked = [service.begin("/generate", {"prompt": "a", "max_new_tokens": 2}) for _ in range(5)]
        wait_until(lambda: len(service.desk.running) == 5)
        silent = [send(service, HALVES["half the body"]) for _ in range(40)]
        wait_until(lambda: len(service.server.server_state.connections) <= 10)
        service.model.gate.release(100)
        assert [connection.getresponse().status for connection in asked] == [200] * 5
        assert service.ask("/generate", {"prompt": "a", "max_new_tokens": 1})[0] == 200
        assert is_closed(silent[0])
        for connection in silent:
            connection.close()


def test_the_limit_leaves_files_for_other_purposes(monkeypatch):
    limit = lambda soft: monkeypatch.setattr(
        server_module, "resource", SimpleResource(soft) if soft is not None else None
    )
    for soft, most in ((256, 192), (1024, 960), (10, 16), (-1, 9936), (10**6, 9936), (None, 448)):
        limit(soft)
        assert server_module.most_connections() == most


class SimpleResource:
    RLIMIT_NOFILE = 7

    def __init__(self, soft):
        self.getrlimit = lambda which: (soft, soft)
