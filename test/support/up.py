"""`socialsync up` with a private database, in a folder under /tmp that PostgreSQL's user can reach."""

import json
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile

import program
from waiting import eventually


class Home:
    """The data directory, and the `up` that runs in it; goes away with its processes at the end of `with`.

    `user` runs the program, where the test is root and that is another.
    """

    def __init__(self, user=None):
        self._user = user
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="socialsync-e2e-", dir="/tmp"))
        self._folder.chmod(0o755)
        if user:
            shutil.chown(self._folder, user)
        self.data_dir = self._folder / "data"
        self._process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._end()
        eventually(lambda: not self.postgresql_pid())
        shutil.rmtree(self._folder)

    def up(self, **settings):
        """Starts it, instead of the one before; returns when it has said where it is."""
        self._end()
        with open(self._output_path(), "w", encoding="utf8") as output:
            self._process = self._start(settings, output)
        eventually(self._is_up)
        return self

    def up_refused(self):
        """A further one in the same folder; gives its exit code and what it said."""
        with tempfile.TemporaryFile("w+") as output:
            code = self._start({}, output).wait(program.TIMEOUT_S)
            output.seek(0)
            return code, output.read()

    def stop(self, with_signal=signal.SIGINT):
        """Gives the exit code."""
        self._process.send_signal(with_signal)
        return self._process.wait(program.TIMEOUT_S)

    @property
    def url(self):
        return re.search(r"is up at (\S+)", self.output())[1]

    def printed(self, start):
        """The command in the welcome that begins so."""
        return next(line.strip() for line in self.output().splitlines() if line.strip().startswith(start))

    def output(self):
        return self._output_path().read_text()

    def shell(self, command):
        """Runs it as a person would who pastes it; gives its output."""
        done = subprocess.run(["bash", "-c", command], env=program.environment({}), capture_output=True, text=True,
                              cwd="/", timeout=program.TIMEOUT_S, check=False, **self._run_as())
        assert done.returncode == 0, done.stderr
        return done.stdout

    def rows(self, sql):
        """The rows of a query, each a dict, by the printed psql command."""
        query = f"SELECT coalesce(json_agg(found), '[]') FROM ({sql.rstrip().rstrip(';')}\n) AS found"
        return json.loads(self.psql(query))

    def psql(self, sql):
        command = [*self.printed("psql").split(), "-X", "-At", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(command, input=sql, env=program.environment({}), capture_output=True, text=True,
                              timeout=program.TIMEOUT_S, check=False, **self._run_as())
        assert done.returncode == 0, done.stderr
        return done.stdout

    def pid(self):
        return self._process.pid

    def postgresql_pid(self):
        """The process id of the running server; None if none runs."""
        try:
            pid = int((self.data_dir / "postgresql/postmaster.pid").read_text().split()[0])
            return pid if "postgres" in pathlib.Path(f"/proc/{pid}/cmdline").read_text() else None
        except (FileNotFoundError, ProcessLookupError, IndexError):
            return None

    def _start(self, settings, output):
        environment = {"SOCIALSYNC_DATA_DIR": self.data_dir, "SOCIALSYNC_LISTEN": "127.0.0.1:0", **settings}
        return subprocess.Popen([program.binary(), "up"], env=program.environment(environment), cwd=self._folder,
                                stdin=subprocess.DEVNULL, stdout=output, stderr=output, **self._run_as())

    def _end(self):
        if self._process and self._process.poll() is None:
            self.stop(signal.SIGKILL)

    def _run_as(self):
        return {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}

    def _is_up(self):
        """up has printed its welcome"""
        assert self._process.poll() is None, self.output()
        return "Ctrl-C stops" in self.output()

    def _output_path(self):
        return self._folder / "output"
