"""A tenant's server that is made of npm libraries: they check and read each delivery as they do for anybody."""

import base64
import http.client
import json
import subprocess
import threading
from dataclasses import dataclass

from program import TIMEOUT_S
from suite import ROOT

INSTALLED = ROOT / "build/clients"

# Headers of the HTTP connection, not of the delivery.
OF_THE_CONNECTION = {"host", "connection", "content-length"}


@dataclass
class Delivery:
    path: str
    headers: dict  # names in lower case
    body: bytes
    is_accepted: bool  # the library believes its signature
    seen: object = None  # the object that the library parsed
    failure: object = None

    @property
    def event_id(self):
        return self.headers["webhook-id"].removeprefix("msg_")


class LibraryServer:
    """`paths` says for each path which library answers there, and with which secret: {path: (library, secret)}."""

    def __init__(self, paths):
        self.received = []
        self._process = subprocess.Popen(
            ["node", ROOT / "test/clients/serve.mjs", INSTALLED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        described = {path: {"library": library, "secret": secret} for path, (library, secret) in paths.items()}
        print(json.dumps(described), file=self._process.stdin, flush=True)
        self._port = int(self._process.stdout.readline())
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(TIMEOUT_S)

    def url(self, path):
        return f"http://127.0.0.1:{self._port}{path}"

    def of(self, path):
        return [delivery for delivery in self.received if delivery.path == path]

    def accepts(self, delivery, path=None, body=None, ahead_s=0, **headers):
        """Sends it once more, but for what is given otherwise; underscores in a header's name stand for hyphens."""
        kept = {name: value for name, value in delivery.headers.items() if name not in OF_THE_CONNECTION}
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        target = f"{path or delivery.path}?ahead_s={ahead_s}"
        connection.request("POST", target, delivery.body if body is None else body, {**kept, **changed})
        status = connection.getresponse().status
        connection.close()
        assert status in (200, 401)
        return status == 200

    def _listen(self):
        for line in self._process.stdout:
            received = json.loads(line)
            self.received.append(Delivery(**{**received, "body": base64.b64decode(received["body"])}))
