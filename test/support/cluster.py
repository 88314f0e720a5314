#!/usr/bin/python3
"""A throwaway PostgreSQL for tests.

    with Cluster() as cluster:
        cluster.create_database("shop")
        cluster.psql("shop", "select 1")

From a shell, a command with PGHOST, PGPORT, PGUSER, PGDATABASE and SOCIALSYNC_TEST_DSN set:

    cluster.py run [--version N] [--tcp] [--durable] [--file SQL]... -- COMMAND...

It listens on a unix socket in its own folder, trusts whoever may open it, and goes away with its folder.
"""

import argparse
import atexit
import functools
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import initdb
from initdb import SUPERUSER
from servers import SERVER_USER, bin_folder, unprivileged

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30
CATALOGUE = pathlib.Path(__file__).with_name("catalogue.sql")
MEMORY_FOLDER = pathlib.Path("/dev/shm")
MEMORY_WANTED_BYTES = 4 << 30


class PsqlError(Exception):
    """psql ended with a status other than zero; the message is what it wrote to stderr."""

    def __init__(self, status, stderr):
        super().__init__(f"psql exited {status}:\n{stderr}")
        self.status = status
        self.stderr = stderr


@functools.cache
def _major_version(tool):
    """The major version of a client program, such as 15."""
    said = subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout
    return int(re.search(r"(\d+)\.", said)[1])


def free_port():
    """A free TCP port of 127.0.0.1."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def scratch_folder(durable):
    """Where a cluster's files go: into memory where there is plenty: making databases is most of a test's time."""
    roomy = MEMORY_FOLDER.is_dir() and shutil.disk_usage(MEMORY_FOLDER).free > MEMORY_WANTED_BYTES
    return MEMORY_FOLDER if roomy and not durable else tempfile.gettempdir()


class Cluster:
    """One server: made by `start()` or `with`, gone after `stop()`, at the latest when Python ends.

    tcp       listen on 127.0.0.1:`port` too, where passwords are asked (scram); the superuser's is `password`
    durable   fsync on, as in production; off otherwise, which still survives a killed server
    settings  further lines of postgresql.conf, as a dict
    version   of the server; Debian's unless said otherwise. Client programs are always Debian's
    """

    def __init__(self, tcp=False, durable=False, settings=None, version=None):
        self.bin_dir = bin_folder(version)
        self.tcp = tcp
        self.port = free_port()
        self.password = None  # the superuser's, once created
        self.user = SUPERUSER
        self._durable = durable
        self._settings = self._all_settings(durable, settings or {})
        self._folder = None
        self._server = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    @property
    def host(self):
        """The folder of the socket: what libpq calls the host."""
        return str(self._folder)

    @property
    def data_dir(self):
        return self._folder / "data"

    @property
    def log_file(self):
        return self._folder / "log"

    @property
    def version(self):
        """The major version: 15."""
        return int((self.data_dir / "PG_VERSION").read_text())

    def start(self):
        """Makes the cluster where there is none yet, starts it and waits until it answers. Gives itself."""
        if self._folder is None:
            self._make()
        with open(self.log_file, "a", encoding="utf8") as log:
            self._server = subprocess.Popen(
                [self.bin_dir / "postgres", "-D", self.data_dir], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self._folder, start_new_session=True, **unprivileged())
        _wait_until(self._is_ready, START_TIMEOUT_S)
        return self

    def stop(self):
        """Stops the server and deletes everything. Harmless when there is nothing left."""
        if self._folder is None:
            return
        self._end(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None
        atexit.unregister(self.stop)

    def restart(self, immediate=False):
        """Stops (immediately: sessions are cut off, nothing is flushed) and starts again, on the same port."""
        self._end(signal.SIGQUIT if immediate else signal.SIGINT)
        self.start()

    def kill(self):
        """Ends every process of the server with SIGKILL; `start()` brings it back, after crash recovery."""
        children = _children(self._server.pid)
        self._end(signal.SIGKILL)
        for child in children:
            _kill_if_alive(child)
        _wait_until(lambda: not any(map(_alive, children)))

    def postmaster_pid(self):
        return self._server.pid

    def create_database(self, name, owner=None, template=None):
        """Makes a database and gives its dsn."""
        owned = f' owner "{owner}"' if owner else ""
        copied = f' template "{template}"' if template else ""
        self.psql("postgres", f'create database "{name}"{owned}{copied}')
        return self.dsn(name)

    def drop_database(self, name):
        self.psql("postgres", f'drop database if exists "{name}" with (force)')

    def dsn(self, database="postgres", user=None, tcp=False):
        """A connection string for libpq: by the socket, or by TCP with the superuser's password."""
        common = f"port={self.port} dbname={database} user={user or self.user}"
        if not tcp:
            return f"host={self.host} {common}"
        return f"host=127.0.0.1 {common} password={self.password}"

    def url(self, database="postgres"):
        """The same by TCP, as a URL (DATABASE_URL)."""
        return f"postgresql://{self.user}:{self.password}@127.0.0.1:{self.port}/{database}"

    def environment(self, database="postgres"):
        """os.environ with libpq's variables pointing here."""
        return {
            **os.environ,
            "PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user, "PGDATABASE": database,
            "SOCIALSYNC_TEST_DSN": self.dsn(database),
        }

    def psql(self, database, sql=None, file=None, user=None, args=()):
        """Runs real psql and gives its standard output, unaligned and without headings.

        Raises PsqlError where the exit status is not 0; `sql` stops at its first error.
        """
        done = self.run_psql(database, sql, file, user, ("-At", "-v", "ON_ERROR_STOP=1", *args))
        if done.returncode != 0:
            raise PsqlError(done.returncode, done.stderr)
        return done.stdout.rstrip("\n")

    def run_psql(self, database, sql=None, file=None, user=None, args=()):
        """Runs real psql with just these arguments and gives its CompletedProcess."""
        command = [self.tool("psql"), "-X", "-d", self.dsn(database, user), *args]
        if file:
            command += ["-f", str(file)]
        return subprocess.run(command, input=sql, capture_output=True, text=True, check=False)

    def dump_schema(self, database):
        """The schema as text that differs when the schema does: pg_dump's where it is no older than the server."""
        if self.version > _major_version(self.tool("pg_dump")):
            return self.psql(database, file=CATALOGUE)
        done = subprocess.run(
            [self.tool("pg_dump"), "--schema-only", "-d", self.dsn(database)],
            capture_output=True, text=True, check=True)
        noise = ("\\restrict", "\\unrestrict", "-- Dumped")
        return "\n".join(line for line in done.stdout.splitlines() if not line.startswith(noise))

    def tool(self, name):
        """The full path of a client program, this server's own where it has one."""
        own = [folder / name for folder in (self.bin_dir, bin_folder())]
        return next((str(path) for path in own if path.exists()), None) or shutil.which(name)

    @staticmethod
    def _all_settings(durable, extra):
        flag = "on" if durable else "off"
        return {"fsync": flag, "full_page_writes": flag, "max_connections": "200", **extra}

    def _make(self):
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="socialsync-pg-", dir=scratch_folder(self._durable)))
        atexit.register(self.stop)
        if os.geteuid() == 0:
            shutil.chown(self._folder, SERVER_USER, SERVER_USER)
        self._folder.chmod(0o755)
        self.password = self._make_data()
        with open(self.data_dir / "postgresql.conf", "a", encoding="utf8") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in self._conf().items())

    def _make_data(self):
        """Makes the data directory; returns the superuser's password."""
        return initdb.copy_to(self.data_dir, self.bin_dir)

    def _conf(self):
        return {
            "port": self.port,
            "unix_socket_directories": self._folder,
            "listen_addresses": "127.0.0.1" if self.tcp else "",
            **self._settings,
        }

    def _is_ready(self):
        if self._server.poll() is not None:
            raise RuntimeError(f"the server ended at once:\n{self._log_tail()}")
        done = subprocess.run([self.tool("psql"), "-X", "-d", self.dsn(), "-c", ""], capture_output=True, check=False)
        return done.returncode == 0

    def _end(self, with_signal):
        if self._server is None:
            return
        if self._server.poll() is None:
            self._server.send_signal(with_signal)
        self._server.wait(STOP_TIMEOUT_S)

    def _log_tail(self):
        return self.log_file.read_text()[-2000:] if self.log_file.exists() else ""


def _children(pid):
    path = pathlib.Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()]


def _alive(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _kill_if_alive(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _wait_until(condition, timeout_s=20):
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the server did not end in time")
        time.sleep(0.01)


def _run(options):
    with Cluster(tcp=options.tcp, durable=options.durable, version=options.version) as cluster:
        cluster.create_database(options.database)
        for file in options.file:
            cluster.psql(options.database, file=file)
        return subprocess.run(options.command, env=cluster.environment(options.database), check=False).returncode


def main():
    parser = argparse.ArgumentParser(description="Run a command beside a throwaway PostgreSQL.")
    actions = parser.add_subparsers(required=True)
    run = actions.add_parser("run")
    run.add_argument("--tcp", action="store_true", help="listen on 127.0.0.1 too")
    run.add_argument("--durable", action="store_true", help="fsync on")
    run.add_argument("--version", type=int, help="of PostgreSQL; Debian's unless given")
    run.add_argument("--database", default="test")
    run.add_argument("--file", action="append", default=[], help="SQL to run first; may be repeated")
    run.add_argument("command", nargs="+")
    return _run(parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
