"""Unsigned webhooks and invalid HTTP are refused with their status, and leave nothing behind."""

import pytest

import meta
from tenants import SHARED_SECRET, new_secret

PATH = "/api/whatsapp/webhook"
BODY_BYTES_MAX = 4 * 1024 * 1024
HEADER_TIMEOUT_S = 10


@pytest.fixture(scope="module")
def account(database):
    return database.add_account()


@pytest.fixture(scope="module", autouse=True)
def slow_client(account, gateway):
    """Half a head, sent when this file begins, so that its deadline passes during the other tests."""
    slow = gateway.raw_client()
    slow.send(b"POST /api/whatsapp/webhook HTTP/1.1\r\nHost: a\r\n")
    yield slow
    slow.close()


@pytest.fixture
def nothing_is_stored(database):
    before = database.row_count()
    yield
    assert database.row_count() == before


def signature(value):
    return {"X-Hub-Signature-256": value}


@pytest.mark.parametrize("header, code", [
    (None, "signature_missing"),
    ("", "signature_missing"),
    ("sha256=", "signature_malformed"),
    ("sha1=" + 40 * "a", "signature_malformed"),
    ("sha256=" + 63 * "a", "signature_malformed"),
    ("sha256=" + 65 * "a", "signature_malformed"),
    ("sha256=" + 64 * "g", "signature_malformed"),
    (64 * "a", "signature_malformed"),
    ("sha256=" + 64 * "0", "signature_wrong"),
])
@pytest.mark.usefixtures("nothing_is_stored")
def test_a_bad_signature(client, gateway, account, header, code):
    counted = gateway.metric("socialsync_requests_total", result=code)
    body = meta.whatsapp_messages(account.key)
    answer = client.post(PATH, body, headers=signature(header) if header is not None else {})
    assert (answer.status, answer.error_code()) == (401, code)
    assert gateway.metric("socialsync_requests_total", result=code) == counted + 1


@pytest.mark.usefixtures("nothing_is_stored")
def test_a_signature_under_a_stranger_s_secret(client, account):
    assert client.post(PATH, meta.whatsapp_messages(account.key), new_secret()).status == 401


@pytest.mark.usefixtures("nothing_is_stored")
def test_a_signature_of_another_body(client, account):
    signed, sent = (meta.whatsapp_messages(account.key) for _ in range(2))
    assert client.post(PATH, sent, headers=signature(meta.sign(signed, SHARED_SECRET))).status == 401


@pytest.mark.usefixtures("nothing_is_stored")
def test_two_signatures(gateway, account):
    body = meta.whatsapp_messages(account.key)
    good, bad = (f"X-Hub-Signature-256: {value}\r\n" for value in (meta.sign(body, SHARED_SECRET), "sha256=" + 64 * "0"))
    raw = gateway.raw_client()
    raw.send(f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n{good}{bad}\r\n".encode() + body)
    assert raw.status() == 401
    raw.close()


def padded(account, size):
    """A body of one message, as long as asked."""
    empty = meta.whatsapp_messages(account.key, meta.message(""))
    message = meta.message("x" * (size - len(empty)))
    body = meta.whatsapp_messages(account.key, message)
    return body + b" " * (size - len(body)), message["id"]


def test_a_body_of_the_greatest_size(client, database, account):
    body, message_id = padded(account, BODY_BYTES_MAX)
    assert client.post(PATH, body, SHARED_SECRET).status == 200
    assert database.log_count(message_id) == 1


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.usefixtures("nothing_is_stored")
def test_a_greater_body(gateway, account, chunked):
    body, _ = padded(account, BODY_BYTES_MAX + 1)
    raw = gateway.raw_client()
    length = b"Transfer-Encoding: chunked" if chunked else b"Content-Length: %d" % len(body)
    raw.send(b"POST %s HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n" % (PATH.encode(), length))
    if chunked:
        raw.send(b"%x\r\n" % len(body))
    assert raw.status() == 413
    raw.close()


@pytest.mark.parametrize("method, path, allowed", [
    ("PUT", PATH, "GET, POST"), ("DELETE", "/api/meta/webhook", "GET, POST"), ("POST", "/healthz", "GET, HEAD"),
])
def test_another_method(client, method, path, allowed):
    answer = client.request(method, path, b"")
    assert (answer.status, answer.error_code(), answer.headers["Allow"]) == (405, "method_not_allowed", allowed)


@pytest.mark.parametrize("path", ["/", "/api/whatsapp", "/api/whatsapp/webhook/", "/api/telegram/webhook", "/..%2f"])
def test_another_path(client, path):
    assert client.get(path).status == 404


@pytest.mark.parametrize("path", ["/api/whatsapp/webhook-test", "/api/instagram/webhook-test"])
@pytest.mark.usefixtures("nothing_is_stored")
def test_there_is_no_unsigned_route(client, account, path):
    assert client.post(path, meta.whatsapp_messages(account.key)).status == 404


@pytest.mark.parametrize("headers", [
    {"X-Long": 17_000 * "a"},
    {f"X-{number}": "a" for number in range(101)},
], ids=["long", "many"])
def test_too_many_headers(client, headers):
    assert client.request("GET", "/healthz", headers=headers).status == 431


def test_a_chunked_body(client, database, account):
    message = meta.message()
    body = meta.whatsapp_messages(account.key, message)
    chunks = (body[start:start + 7] for start in range(0, len(body), 7))
    headers = {"Transfer-Encoding": "chunked", **signature(meta.sign(body, SHARED_SECRET))}
    assert client.request("POST", PATH, chunks, headers, encode_chunked=True).status == 200
    assert database.log_count(message["id"]) == 1


def test_a_client_that_waits_to_be_told(gateway, account):
    body = meta.whatsapp_messages(account.key)
    raw = gateway.raw_client()
    raw.send(f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n"
             f"X-Hub-Signature-256: {meta.sign(body, SHARED_SECRET)}\r\n\r\n".encode())
    assert raw.status() == 100
    raw.send(body)
    assert raw.status() == 200
    raw.close()


def test_a_client_that_is_too_slow(slow_client):
    assert slow_client.status() == 408


MARKER = "reflectedmarker"


@pytest.mark.parametrize("method, path, headers", [
    ("GET", "/healthz", {}),
    ("GET", f"/{MARKER}?{MARKER}=<script>", {}),
    ("GET", f"{PATH}?hub.mode={MARKER}&hub.challenge={MARKER}&hub.verify_token={MARKER}", {}),
    ("GET", f"{PATH}?hub.mode=subscribe&hub.challenge={MARKER}&hub.verify_token={MARKER}", {}),
    ("DELETE", PATH, {"X-Marker": MARKER}),
    ("BREW", PATH, {}),
    ("POST", PATH, {"X-Hub-Signature-256": f"sha256={MARKER}"}),
    ("POST", PATH, {"X-Hub-Signature-256": "sha256=" + 64 * "0"}),
    ("POST", PATH, {"Transfer-Encoding": MARKER}),
    ("POST", PATH, {"Content-Length": str(BODY_BYTES_MAX + 1)}),
    ("POST", PATH, {"Expect": MARKER}),
])
@pytest.mark.usefixtures("nothing_is_stored")
def test_no_answer_is_a_page_or_repeats_the_request(client, gateway, method, path, headers):
    answer = client.request(method, path, MARKER.encode() if method == "POST" and "Content-Length" not in headers else None,
                            headers)
    assert {name: answer.headers[name] for name in (
        "X-Content-Type-Options", "Content-Security-Policy", "Referrer-Policy", "Cache-Control")} == {
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}
    assert MARKER.encode() not in answer.body
    assert "Server" not in answer.headers
