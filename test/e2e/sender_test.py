"""The trust of deliveries: names whose addresses are private, or become so, and certificates of other names.

The names are of /etc/hosts, which each test has for itself in a mount namespace; that takes root.
"""

import contextlib
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import time

import pytest

from program import binary, environment

RESOLVER_TIMEOUT_S = 20
needs_namespace = pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount an /etc/hosts of its own")


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.server.requests += 1
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"fine")

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def receiver(context=None, host="127.0.0.1"):
    server = http.server.ThreadingHTTPServer((host, 0), Receiver)
    server.requests = 0
    server.handle_error = lambda *_: None  # a handshake that the client ends is no error of ours
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Sending:
    """test/support/send_each, in a namespace with these hosts when there are any."""

    def __init__(self, *options, hosts=None, resolver=None):
        command = [str(word) for word in [binary().parent / "send_each", *options]]
        files = [(path, target) for path, target in ((hosts, "/etc/hosts"), (resolver, "/etc/resolv.conf")) if path]
        if files:
            mounts = " && ".join(f"mount --bind '{path}' {target}" for path, target in files)
            command = ["unshare", "-m", "sh", "-c", f'{mounts} && exec "$@"', "sh", *command]
        self._process = subprocess.Popen(command, env=environment({}), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.stdout.close()
        self.status = self._process.wait(60)

    def get(self, url):
        self._process.stdin.write(url + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())


# ---- Names


@pytest.fixture
def hosts(tmp_path):
    """Writes what /etc/hosts says, into the file that is mounted there."""
    path = tmp_path / "hosts"
    path.touch()

    def say(*lines):
        path.write_text("".join(f"{line}\n" for line in lines))

    say.path = path
    return say


@needs_namespace
def test_a_name_that_becomes_private(hosts):
    """DNS rebinding: the checked address differs from the connected one."""
    with receiver() as server, receiver(host="127.0.0.2") as inside:
        options = ["--http", "--allow", "127.0.0.1", "--name-lifetime", 0]
        with Sending(*options, hosts=hosts.path) as sending:
            hosts("127.0.0.1 receiver.example")
            first = sending.get(f"http://receiver.example:{server.server_port}/")
            hosts("127.0.0.2 receiver.example")
            second = sending.get(f"http://receiver.example:{inside.server_port}/")
        assert (first["error"], first["status"], server.requests) == ("none", 200, 1)
        assert (second["error"], second["status"], inside.requests) == ("address_refused", 0, 0)
        assert "127.0.0.2" in second["detail"]


@needs_namespace
def test_a_name_with_one_address_that_is_private(hosts):
    """The private one is skipped, in any order."""
    hosts("127.0.0.2 receiver.example", "127.0.0.1 receiver.example", "127.0.0.2 inside.example", "::1 inside.example")
    with receiver() as server, Sending("--http", "--allow", "127.0.0.1", hosts=hosts.path) as sending:
        both = sending.get(f"http://receiver.example:{server.server_port}/")
        none = sending.get(f"http://inside.example:{server.server_port}/")
        assert (both["error"], both["status"]) == ("none", 200)
        assert none["error"] == "address_refused"
        assert server.requests == 1


@needs_namespace
def test_a_resolver_that_does_not_answer(tmp_path):
    """The timeout delays nothing else: libcurl's own resolver would wait for its thread."""
    resolver = tmp_path / "resolv.conf"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent, receiver() as server:
        silent.bind(("127.0.0.77", 53))
        resolver.write_text(f"nameserver 127.0.0.77\noptions timeout:{RESOLVER_TIMEOUT_S} attempts:1\n")
        with Sending("--http", "--allow", "127.0.0.1", "--timeout", 300, resolver=resolver) as sending:
            begin = time.monotonic()
            assert sending.get("http://receiver.example/")["error"] == "timed_out"
            assert time.monotonic() - begin < RESOLVER_TIMEOUT_S / 2
            assert sending.get(f"http://127.0.0.1:{server.server_port}/")["status"] == 200
        assert sending.status == 0


# ---- Certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Self-signed, for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem",
         "-out", folder / "certificate.pem"], check=True, capture_output=True)
    return folder


@pytest.fixture
def secure(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "certificate.pem", certificate / "key.pem")
    with receiver(context) as server:
        yield server


def test_a_certificate_of_an_unknown_authority(secure):
    with Sending("--allow", "127.0.0.1", "--allow", "::1") as sending:
        reply = sending.get(f"https://localhost:{secure.server_port}/?token=hunter2")
    assert (reply["error"], reply["status"], secure.requests) == ("tls_failed", 0, 0)
    assert "certificate" in reply["detail"] and "hunter2" not in reply["detail"]


def test_a_certificate_of_a_known_authority(secure, certificate):
    with Sending("--allow", "127.0.0.1", "--allow", "::1", "--ca", certificate / "certificate.pem") as sending:
        replies = [sending.get(f"https://localhost:{secure.server_port}/") for _ in range(3)]
    assert [(reply["error"], reply["status"], reply["body"]) for reply in replies] == [("none", 200, "fine")] * 3


def test_a_certificate_of_another_name(secure, certificate):
    with Sending("--allow", "127.0.0.1", "--ca", certificate / "certificate.pem") as sending:
        reply = sending.get(f"https://127.0.0.1:{secure.server_port}/")
    assert (reply["error"], secure.requests) == ("tls_failed", 0)


def test_a_receiver_that_speaks_no_tls():
    with receiver() as server, Sending("--allow", "127.0.0.1") as sending:
        assert sending.get(f"https://127.0.0.1:{server.server_port}/")["error"] == "tls_failed"
        assert sending.get(f"http://127.0.0.1:{server.server_port}/")["error"] == "bad_url"
        assert server.requests == 0
