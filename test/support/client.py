"""An HTTP client that keeps its connection, and one that writes bytes of the caller's choice."""

import http.client
import json
import socket
from dataclasses import dataclass

import meta

TIMEOUT_S = 30


@dataclass
class Answer:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    def json(self):
        return json.loads(self.body)

    def error_code(self):
        return self.json()["error"]["code"]


class Client:
    """One keep-alive connection to a gateway; after an exception the next request makes a new one."""

    def __init__(self, port, timeout_s=TIMEOUT_S):
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)

    def request(self, method, path, body=None, headers=None, **options):
        try:
            self._connection.request(method, path, body, headers or {}, **options)
            response = self._connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except BaseException:
            self.close()
            raise

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body, secret=None, headers=None):
        """Signed when there is a secret."""
        signature = {"X-Hub-Signature-256": meta.sign(body, secret)} if secret else {}
        return self.request("POST", path, body, {"Content-Type": "application/json", **signature, **(headers or {})})

    def close(self):
        self._connection.close()


class RawClient:
    """A socket, for what http.client would not say."""

    def __init__(self, port):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self._file = self._socket.makefile("rb")

    def send(self, data):
        self._socket.sendall(data)

    def head(self):
        """The status line and fields of the next answer, as bytes; empty at the end of the stream."""
        lines = []
        for line in self._file:
            if line == b"\r\n":
                break
            lines.append(line)
        return b"".join(lines)

    def status(self):
        return int(self.head().split()[1])

    def read(self, count):
        return self._file.read(count)

    def at_end(self):
        """Waits for the server to close."""
        return self._file.read() == b""

    def close(self):
        self._file.close()
        self._socket.close()
