"""`socialsync migrate` where something else is at the other end: a pooler, a standby, Supabase's roles."""

import pathlib
import shutil
import subprocess
import tempfile
import threading
import time

import psycopg2
import pytest

import program
from cluster import Cluster, free_port, scratch_folder
from migration import LegacyDatabase, make_legacy
from schema import FIXTURES, ROOT
from servers import SERVER_USER, unprivileged
from waiting import eventually

PGBOUNCER = ROOT / "build/poolers/usr/sbin/pgbouncer"  # from test/poolers/install


@pytest.fixture(scope="module")
def cluster(server_version):
    """Its own, without the databases of other files: a standby copies all of them."""
    with Cluster(tcp=True, version=server_version) as running:
        yield running


@pytest.fixture
def folder():
    """A folder of the server's user."""
    with tempfile.TemporaryDirectory(prefix="socialsync-", dir=scratch_folder(durable=False)) as made:
        if unprivileged():
            shutil.chown(made, SERVER_USER, SERVER_USER)
        yield pathlib.Path(made)


def answers(dsn):
    try:
        psycopg2.connect(dsn).close()
        return True
    except psycopg2.OperationalError:
        return False


def migrate_at(dsn, *arguments):
    return program.run("migrate", *arguments, "--dsn", dsn)


@pytest.fixture
def pooler(cluster, folder):
    """PgBouncer, which gives out its servers for a transaction: gives the dsn of a database through it."""
    port = free_port()
    (folder / "users").write_text(f'"{cluster.user}" "{cluster.password}"\n')
    (folder / "pgbouncer.ini").write_text(
        f"[databases]\n* = host={cluster.host} port={cluster.port}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nunix_socket_dir =\nauth_type = trust\nauth_file = {folder}/users\npool_mode = transaction\n"
        "ignore_startup_parameters = extra_float_digits\n")
    program = shutil.copy(PGBOUNCER, folder)  # the repository may be where the server's user cannot go
    running = subprocess.Popen([program, "-q", folder / "pgbouncer.ini"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **unprivileged())
    yield lambda name: f"host=127.0.0.1 port={port} user={cluster.user} dbname={name}"
    running.terminate()
    running.wait(10)


@pytest.mark.every_version
@pytest.mark.parametrize("command", [("doctor",), ("plan",), ("apply", "--yes", "--no-backup"), ("rollback", "--yes")],
                         ids=lambda command: command[0])
def test_a_pooler_in_between_is_refused(cluster, pooler, command):
    legacy = make_legacy(cluster)
    before = legacy.dump()
    eventually(lambda: answers(pooler(legacy.name)))
    done = migrate_at(pooler(legacy.name), *command)
    assert done.returncode == 3
    assert "a connection pooler is in between" in done.stdout + done.stderr
    assert legacy.dump() == before


@pytest.fixture
def standby(cluster, folder):
    """A hot standby of the cluster: gives the dsn of a database on it."""
    port = free_port()
    data = folder / "standby"
    copied = subprocess.run([cluster.tool("pg_basebackup"), "-d", cluster.dsn(), "-D", data, "-R", "-X", "stream", "-c", "fast"],
                            capture_output=True, text=True, check=False, **unprivileged())
    assert copied.returncode == 0, copied.stderr
    running = subprocess.Popen(
        [cluster.bin_dir / "postgres", "-D", data, "-c", f"port={port}", "-c", f"unix_socket_directories={folder}"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **unprivileged())

    def dsn(name):
        return f"host=127.0.0.1 port={port} user={cluster.user} password={cluster.password} dbname={name}"

    eventually(lambda: answers(dsn("postgres")))
    yield dsn
    running.terminate()
    running.wait(20)


def test_a_standby_is_refused_and_of_two_hosts_the_primary_is_taken(cluster, request):
    legacy = make_legacy(cluster)
    standby = request.getfixturevalue("standby")
    for command in ("doctor", "plan"):
        done = migrate_at(standby(legacy.name), command)
        assert done.returncode == 3
        assert "standby" in done.stdout + done.stderr
    refused = migrate_at(standby(legacy.name), "apply", "--yes", "--no-backup")
    assert (refused.returncode, "25006" in refused.stderr) == (3, False)
    port_of_standby = standby(legacy.name).split("port=")[1].split()[0]
    both = (f"postgresql://{cluster.user}:{cluster.password}@127.0.0.1:{port_of_standby},127.0.0.1:{cluster.port}/"
            f"{legacy.name}?target_session_attrs=read-write")
    done = migrate_at(both, "apply", "--yes", "--no-backup")
    assert done.returncode == 9, done.stdout + done.stderr


class Anonymous(threading.Thread):
    """Reads as anon, again and again, whatever it can read; notes what it ever sees."""

    def __init__(self, dsn):
        super().__init__()
        self._connection = psycopg2.connect(dsn)
        self._connection.autocommit = True
        self._ended = threading.Event()
        self.tries, self.seen = 0, set()

    def run(self):
        cursor = self._connection.cursor()
        cursor.execute("SET ROLE anon; SET lock_timeout = '5s'")
        while not self._ended.is_set():
            for table in ("webhook_logs", "webhook_quarantine", "active_webhook_accounts", "webhook_stats_by_user"):
                try:
                    cursor.execute(f"SELECT count(*) FROM public.{table}")
                    self.seen.add((table, cursor.fetchone()[0]))
                except psycopg2.Error as error:
                    self.seen.add((table, type(error).__name__))
            self.tries += 1
            time.sleep(0.001)

    def stop(self):
        self._ended.set()
        self.join()
        self._connection.close()


def test_on_supabase_anon_sees_nothing_at_any_moment():
    """Default privileges open new tables to anon there, until row-level security is on."""
    with Cluster() as running:
        running.create_database("project")
        running.psql("project", file=FIXTURES / "supabase.sql")
        project = LegacyDatabase(running, "project", user="project_owner")
        anonymous = Anonymous(running.dsn("project"))
        anonymous.start()
        done = project.migrate("apply", "--yes", "--no-backup", user="project_owner")
        project.sql("SELECT log_webhook(id, platform, 'messages', '{}') FROM social_accounts")
        again = project.migrate("rollback", "--yes", "--no-export", user="project_owner")
        anonymous.stop()
    assert done.returncode in (0, 9), done.stderr
    assert again.returncode == 0, again.stderr
    assert anonymous.tries > 20
    allowed = {"UndefinedTable", "InsufficientPrivilege", 0}
    assert {what for _, what in anonymous.seen} <= allowed, anonymous.seen
