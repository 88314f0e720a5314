"""`socialsync serve` as a child process, on a free port."""

import pathlib
import re
import signal
import subprocess
import tempfile

import meta
import program
from client import Client, RawClient
from tenants import new_secret
from waiting import eventually


class Gateway:
    """Started by `start()` or `with`. Whenever it ends, its log is searched for texts and secrets.

    `settings` are environment variables. After `kill()` or `stop()`, `start()` serves again on the same port.
    """

    def __init__(self, database_url, **settings):
        self._settings = {"DATABASE_URL": database_url, "SOCIALSYNC_LISTEN": "127.0.0.1:0", **settings}
        self._folder = tempfile.TemporaryDirectory(prefix="socialsync-e2e-")
        self._log_path = pathlib.Path(self._folder.name) / "log"
        self._process = None
        self._arguments = ()
        self.port = None

    def __enter__(self):
        return self if self._process else self.start()

    def __exit__(self, *_):
        if self._process.poll() is None:
            self.stop()
        self._folder.cleanup()

    def start(self, *arguments, until_ready=True):
        """Returns when it listens, and normally when it could commit. `arguments` are of `serve`."""
        self._arguments = arguments or self._arguments
        self._log_path.write_text("")
        with open(self._log_path, "a", encoding="utf8") as log:
            self._process = subprocess.Popen(
                [program.binary(), "serve", *self._arguments], env=program.environment(self._settings), cwd=self._folder.name,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.port = eventually(self._listening_port)
        self._settings["SOCIALSYNC_LISTEN"] = f"127.0.0.1:{self.port}"
        if until_ready:
            self.wait_until_ready()
        return self

    def wait_until_ready(self):
        client = self.client()
        try:
            eventually(lambda: client.get("/readyz").status == 200)
        except BaseException as error:
            self._process.kill()
            raise AssertionError(f"not ready ({error!r}), exit code {self._process.wait()}, log:\n{self.log()}") from error
        client.close()

    def settle(self, database):
        """Returns when its directory holds all that the database does: the youngest account's token opens."""
        token = new_secret()
        database.add_account(verify_token=token)
        client = self.client()
        question = f"/api/meta/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}"
        eventually(lambda: client.get(question).status == 200)
        client.close()

    def stop(self, with_signal=signal.SIGTERM):
        """Asks it to end; gives the exit code."""
        self._process.send_signal(with_signal)
        return self.wait()

    def send_signal(self, which):
        self._process.send_signal(which)

    def wait(self):
        code = self._process.wait(program.TIMEOUT_S)
        self.assert_discreet()
        return code

    def kill(self):
        self.stop(signal.SIGKILL)

    def client(self, **options):
        return Client(self.port, **options)

    def raw_client(self):
        return RawClient(self.port)

    def log(self):
        return self._log_path.read_text(encoding="utf8", errors="replace")

    def metric(self, name, **labels):
        """The value of one sample; 0 where there is none yet."""
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        client = self.client()
        text = client.get("/metrics").body.decode()
        client.close()
        for found, described, value in re.findall(r"^(\w+)(?:\{(.*)\})? (\S+)$", text, re.M):
            if found == name and wanted <= set(described.split(",")):
                return float(value)
        return 0.0

    def pid(self):
        return self._process.pid

    def assert_discreet(self):
        """No text of a message and no secret is in the log, at whatever level it is written."""
        for line in self.log().splitlines():
            assert meta.SECRET not in line and meta.PRIVATE not in line, line

    def _listening_port(self):
        """the gateway listens"""
        assert self._process.poll() is None, f"it ended with {self._process.returncode}:\n{self.log()}"
        found = re.search(r"listening.*http://127\.0\.0\.1:(\d+)", self.log())
        return int(found[1]) if found else None
