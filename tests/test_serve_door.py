"""Who may come in, and what every answer says: hosts, keys, other origins, HEAD."""

import pytest

pytest.importorskip("fastapi", reason="the service is not installed")
testclient = pytest.importorskip("fastapi.testclient", reason="httpx is not installed")
from serving import breaking_model, served_model  # noqa: E402

from minigrad.serve import create_app  # noqa: E402
from minigrad.serve.door import LOCAL_NAMES, host_name  # noqa: E402
from minigrad.serve.messages import MAX_BODY, POLICY  # noqa: E402

BODY = {"prompt": "a", "max_new_tokens": 1}
PATHS = [
    "/",
    "/docs",
    "/openapi.json",
    "/health",
    "/page/docs.css",
    "/v1/models",
    "/v1/models/letters",
]


def client_of(*models, base="http://localhost:8000", **options) -> testclient.TestClient:
    app = create_app(models or [served_model("letters")], **options)
    return testclient.TestClient(app, base, raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client():
    return client_of(breaking_model(), hosts=LOCAL_NAMES)


@pytest.mark.parametrize(
    "host, name",
    [
        ("localhost", "localhost"),
        ("LOCALHOST:8000", "localhost"),
        ("localhost.:80", "localhost"),
        ("127.0.0.1:1", "127.0.0.1"),
        ("[::1]", "[::1]"),
        ("[::1]:8000", "[::1]"),
        ("Example.Org", "example.org"),
        ("localhost:evil", ""),
        ("localhost:80:80", ""),
        ("evil@localhost", ""),
        ("localhost/evil", ""),
        ("localhost evil", ""),
        ("[::1", ""),
        ("::1", ""),
        ("", ""),
        (":80", ""),
        ("localhost:123456", ""),
    ],
)
def test_the_name_in_a_host(host, name):
    assert host_name(host) == name


@pytest.mark.parametrize("path", [*PATHS, "/generate", "/nowhere"])
def test_only_local_names_are_answered(client, path):
    method = "POST" if path == "/generate" else "GET"
    for host in ("localhost", "127.0.0.1:8000", "[::1]:9"):
        answer = client.request(method, path, json=BODY, headers={"Host": host})
        assert answer.status_code != 421
    for host in ("evil.example", "localhost.evil.example", "127.0.0.2", "evil.example:8000"):
        answer = client.request(method, path, json=BODY, headers={"Host": host})
        assert answer.status_code == 421 and "localhost" in answer.json()["error"]["message"]


def test_without_names_any_is_answered():
    assert client_of(base="http://testserver").get("/health").status_code == 200


def test_no_answer_leads_to_the_host_of_the_request(client):
    for path in ("/generate/", "/health/", "/docs/", "/v1/models/"):
        answer = client.get(path, follow_redirects=False)
        assert answer.status_code in (404, 405) and "location" not in answer.headers


def test_every_answer_carries_the_safe_headers(client):
    answers = [client.get(path) for path in (*PATHS, "/nowhere", "/generate")]
    answers += [client.head("/health"), client.get("/", headers={"Host": "evil"})]
    answers += [client.post("/generate", json=body) for body in ({}, {**BODY, "prompt": "Q"})]
    answers += [client.post("/generate", json=BODY | {"max_new_tokens": 9})]  # breaks
    answers += [client.post("/generate", content=b" " * (MAX_BODY + 1))]
    statuses = {answer.status_code for answer in answers}
    assert statuses == {200, 404, 405, 413, 421, 422, 500}
    for answer in answers:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == POLICY


@pytest.mark.parametrize("path", [*PATHS, "/nowhere", "/generate"])
def test_head_is_get_without_a_body(client, path):
    get, head = client.get(path), client.head(path)
    assert head.status_code == get.status_code and head.content == b""
    assert head.headers == get.headers


@pytest.mark.parametrize("path, allowed", [("/health", "GET"), ("/generate", "POST"), ("/", "GET")])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_another_method_is_told_which_one_is_allowed(client, path, allowed, method):
    answer = client.request(method, path)
    assert answer.status_code == 405 and answer.headers["Allow"] == allowed
    assert answer.json()["error"]["type"] == "invalid_request_error"


@pytest.fixture(scope="module")
def locked():
    return client_of(key="sesame", origins=["https://example.org"])


@pytest.mark.parametrize("path", ["/generate", "/attention", "/v1/completions", "/v1/models"])
@pytest.mark.parametrize(
    "given",
    [None, "", "sesame", "Bearer", "Bearer ", "Bearer semolina", "Basic sesame", "Bearer s\xe9"],
)
def test_without_the_key_nothing_is_computed(locked, path, given):
    headers = {} if given is None else {"Authorization": given.encode("latin-1")}
    method = "GET" if path == "/v1/models" else "POST"
    answer = locked.request(method, path, json=BODY, headers=headers)
    assert answer.status_code == 401 and answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.json()["error"]["code"] == "invalid_api_key"


def test_with_the_key(locked):
    for given in ("Bearer sesame", "bearer  sesame "):
        answer = locked.post("/generate", json=BODY, headers={"Authorization": given})
        assert answer.status_code == 200
    for path in ("/", "/docs", "/openapi.json", "/health", "/page/docs.css"):
        assert locked.get(path).status_code == 200
    description = locked.get("/openapi.json").json()
    for path, methods in description["paths"].items():
        for operation in methods.values():
            assert ("security" in operation) == ("401" in operation["responses"])
            assert ("security" in operation) == (path != "/health")


def test_pages_of_named_origins_may_read_the_answers(locked):
    origin = {"Origin": "https://example.org"}
    for answer in (
        locked.get("/health", headers=origin),
        locked.post("/generate", json=BODY, headers=origin),  # 401, but it may be read
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == "https://example.org"
        assert "Origin" in answer.headers["Vary"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "Access-Control-Allow-Credentials" not in answer.headers
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-a, b"}
    preflight = locked.options("/generate", headers=origin | asked)
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Headers"] == "x-a, b"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://example.org.evil"])
def test_pages_of_other_origins_may_not(locked, client, origin):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for answer in (locked.get("/health", headers=asked), client.get("/health", headers=asked)):
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert locked.options("/generate", headers=asked).status_code == 400
    assert client.options("/generate", headers=asked).status_code == 405


def test_any_origin_is_no_origin_with_credentials():
    answer = client_of(origins=["*"]).get("/health", headers={"Origin": "https://a.example"})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", None])
def test_what_a_page_can_send_without_asking_is_not_understood(client, kind):
    headers = {"Content-Type": kind} if kind else {}
    content = b'{"prompt": "a", "max_new_tokens": 1}'
    assert client.post("/generate", content=content, headers=headers).status_code == 422
