"""Servers under load: started on a free port, and how much CPU time they and their children took."""

import os
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 40
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Server:
    """A server process; it is ready when /readyz answers, and gone at the end of `with`."""

    def __init__(self, command, port, environment, folder):
        self._command = [str(word) for word in command]
        self._port = port
        self._environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **environment}
        self._folder = folder

    def __enter__(self):
        self._log = open(Path(self._folder) / "server.log", "w+", encoding="utf8")
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    @property
    def pid(self):
        return self._process.pid

    @property
    def url(self):
        return f"http://127.0.0.1:{self._port}"

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                with urllib.request.urlopen(self.url + "/readyz", timeout=1):
                    return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    self._log.seek(0)
                    raise RuntimeError(f"{' '.join(self._command)} did not start:\n{self._log.read()}") from None
                time.sleep(0.05)


def cpu_seconds(pid):
    """The CPU time of the process and its children, including ended ones."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return 0
    own = sum(int(ticks) for ticks in fields[11:15]) / TICKS_PER_S  # utime, stime, cutime, cstime: proc(5)
    return own + sum(cpu_seconds(int(child)) for child in children)
