"""A tenant's server, at the other end of a delivery: a real one, on a free port, that does as it is told."""

import base64
import hashlib
import hmac
import http.server
import json
import socket
import struct
import threading
import time
import urllib.parse
from dataclasses import dataclass


@dataclass
class Received:
    path: str
    headers: dict  # names in lower case
    body: bytes
    at: float

    @property
    def event_id(self):
        return self.headers["webhook-id"].removeprefix("msg_")

    def json(self):
        return json.loads(self.body)


def answer(status=200, body=b"ok", **headers):
    """A receiver's action: answers, with these headers (underscores stand for hyphens)."""
    def act(handler):
        handler.send_response(status)
        for name, value in {"content-length": str(len(body)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)
    return act


def hang(handler):
    """Never answers."""
    handler.server.released.wait()
    handler.close_connection = True


def reset(handler):
    """Ends the connection with a RST."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def garbage(handler):
    handler.wfile.write(b"\x00\x01 this is not HTTP\r\n\r\n" * 3)
    handler.close_connection = True


def endless(handler):
    """200, and 100 MB of it."""
    handler.send_response(200)
    handler.send_header("content-length", str(100 * 1024 * 1024))
    handler.end_headers()
    try:
        for _ in range(1600):
            handler.wfile.write(b"x" * 65536)
    except OSError:
        pass
    handler.close_connection = True


def drip(handler):
    """Answers a byte at a time, and never comes to the end."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\nx: ":
            handler.wfile.write(bytes([byte]))
            time.sleep(0.01)
        while not handler.server.released.wait(0.2):
            handler.wfile.write(b"x")
    except OSError:
        pass
    handler.close_connection = True


def verifies(token, quirk=lambda challenge: challenge):
    """Does Meta's handshake as receivers do; `quirk` is what it makes of the challenge."""
    def act(handler):
        asked = urllib.parse.parse_qs(urllib.parse.urlsplit(handler.path).query)
        is_right = asked.get("hub.mode") == ["subscribe"] and asked.get("hub.verify_token") == [token]
        answer(*((200, quirk(asked["hub.challenge"][0]).encode()) if is_right else (403, f"not {asked}".encode())))(handler)
    return act


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        self._receive(self.rfile.read(int(self.headers["content-length"])))

    def do_GET(self):
        self._receive(b"")

    def _receive(self, body):
        headers = {name.lower(): value for name, value in self.headers.items()}
        act = self.server.receive(Received(self.path, headers, body, time.time()))
        act(self)

    def log_message(self, *_):
        pass


class Receiver(http.server.ThreadingHTTPServer):
    """`acts` are done one after another, the last one for ever; `by_path` are for one path each."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, *acts):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.acts = list(acts) or [answer()]
        self.by_path = {}
        self.received = []
        self.released = threading.Event()
        self._lock = threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.released.set()
        self.shutdown()
        self.server_close()

    def receive(self, received):
        with self._lock:
            self.received.append(received)
            acts = self.by_path.get(received.path, self.acts)
            return acts.pop(0) if len(acts) > 1 else acts[0]

    def handle_error(self, request, client_address):
        pass  # the other end has gone: its right

    def url(self, path="/hook"):
        return f"http://127.0.0.1:{self.server_address[1]}{path}"

    def of(self, path):
        return [one for one in self.received if one.path == path]


def verifies_standard(received, secret):
    """True if webhook-signature holds a signature with this secret, by Standard Webhooks."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = b".".join([received.headers["webhook-id"].encode(), received.headers["webhook-timestamp"].encode(), received.body])
    wanted = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return wanted in received.headers["webhook-signature"].split(" ")
