"""`migrate backup`: one that is good while others write, and each way in which one is not."""

import json
import os
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import threading
import time

import psycopg2
import pytest

import program
from waiting import eventually

pytestmark = pytest.mark.sanitizers

OLD = "2020-01-01T00:00:00Z"
SECRET = "token-that-nobody-may-see"
FILE_BYTES_MAX = 64 << 10  # stands for a disk that is full


def backup(folder, database_url, *arguments, **options):
    """Runs it in that folder to its end; gives the CompletedProcess."""
    return subprocess.run([program.binary(), "migrate", "backup", *arguments],
                          env=program.environment({"DATABASE_URL": database_url}), cwd=folder,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=program.TIMEOUT_S,
                          check=False, **options)


def made(folder, database_url, *arguments):
    """Makes one that must be good; gives its JSON."""
    done = backup(folder, database_url, "--output", "json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def rows_of(report, table):
    return next(found["rows"] for found in report["tables"] if found["name"] == table)


@pytest.fixture(scope="module", autouse=True)
def content(database):
    account = database.add_account(secret=SECRET)
    database.rows("INSERT INTO users (email, full_name) SELECT n || '@example.org', md5(n::text) "
                  "FROM generate_series(1, 5000) AS n")
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{\"a\": [1.10, \"é\\n\"]}') "
                  "FROM generate_series(1, 100)", account.id)


@pytest.fixture(scope="module")
def good(database_url, content, tmp_path_factory):
    """A folder with a good backup in it, and its report."""
    folder = tmp_path_factory.mktemp("good")
    return folder, made(folder, database_url)


@pytest.fixture
def nothing_left(cluster, tmp_path):
    """After the test there is no scratch database, and no unfinished directory."""
    yield
    assert cluster.psql("postgres", "SELECT datname FROM pg_database WHERE datname LIKE 'socialsync_verify%'") == ""
    assert list(tmp_path.rglob("*.partial")) == []


@pytest.fixture
def owned(cluster, request):
    """A small database of an ordinary role; returns the role's dsn."""
    name = re.sub(r"\W", "_", request.node.name)[:50]
    cluster.psql("postgres", f"CREATE ROLE {name} LOGIN")
    cluster.create_database(name, owner=name)
    cluster.psql(name, f"CREATE TABLE kept AS SELECT 1 AS number, '{SECRET}' AS token", user=name)
    yield cluster.dsn(name, user=name)
    cluster.drop_database(name)
    cluster.psql("postgres", f"DROP ROLE {name}")


@pytest.fixture
def may_restore(owned, cluster):
    """The same of a role that may create databases."""
    name = owned.split("dbname=")[1].split()[0]
    cluster.psql("postgres", f"ALTER ROLE {name} CREATEDB")
    return owned


def sql(dsn, statement):
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else []


# ---- A good one


def write_all_the_time(dsn, end):
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        while not end.is_set():
            cursor.execute("UPDATE users SET full_name = md5(random()::text) WHERE email LIKE '1%'")
            cursor.execute("INSERT INTO users (email) VALUES (gen_random_uuid()::text)")
    connection.close()


@pytest.mark.usefixtures("nothing_left")
def test_it_is_verified_while_others_write(cluster, database_name, database_url, database, tmp_path):
    end = threading.Event()
    writer = threading.Thread(target=write_all_the_time, args=(cluster.dsn(database_name), end))
    before = database.value("SELECT count(*) FROM users")
    writer.start()
    try:
        eventually(lambda: database.value("SELECT count(*) FROM users") > before)
        report = made(tmp_path, database_url)
    finally:
        end.set()
        writer.join()
    assert report["verified"] == "restored"
    assert before < rows_of(report, "public.users") < database.value("SELECT count(*) FROM users")


def test_the_files_of_a_backup(good, cluster, database_name):
    folder, report = good
    directory = pathlib.Path(report["directory"])
    assert directory.parent == folder / "backups" and directory.name.startswith(f"{database_name}-20")
    assert directory.stat().st_mode & 0o777 == 0o700
    manifest = json.loads((directory / "manifest.json").read_text())
    assert manifest == {key: value for key, value in report.items() if key != "directory"}
    assert (manifest["v"], manifest["database"], manifest["schema_only"]) == (1, database_name, False)
    assert manifest["bytes"] == sum(path.stat().st_size for path in (directory / "dump").iterdir())
    assert int(manifest["pg_dump_version"].split(".")[0]) >= cluster.version
    assert cluster.password not in json.dumps(manifest)


HASH = """SELECT count(*), sum(hashtextextended(ROW(created_at, email, full_name, id, is_active, updated_at)::text, 0))
          FROM public.users"""


def test_its_counts_and_hashes_are_those_of_the_dump(good, cluster):
    """pg_restore by hand, and the documented formula."""
    _, report = good
    dsn = cluster.create_database("seen")
    subprocess.run([cluster.tool("pg_restore"), "-d", dsn, f"{report['directory']}/dump"], check=True)
    rows, value = sql(f"{dsn} options='-c TimeZone=UTC'", HASH)[0]
    cluster.drop_database("seen")
    assert {"name": "public.users", "rows": rows, "hash": str(value)} in report["tables"]
    assert rows > 5000 and rows_of(report, "public.social_accounts") == 1


@pytest.mark.usefixtures("nothing_left")
def test_the_schema_alone(database_url, tmp_path):
    report = made(tmp_path, database_url, "--schema-only", "--dir", "schema")
    assert (report["schema_only"], report["verified"], report["tables"]) == (True, "restored", [])
    assert [file["name"] for file in report["files"]] == ["dump/toc.dat"]
    refused = backup(tmp_path, database_url, "--check", "schema")
    assert refused.returncode == 8 and "schema only" in refused.stderr


@pytest.mark.usefixtures("nothing_left")
def test_a_role_that_may_not_create_databases(owned, tmp_path):
    report = made(tmp_path, owned, "--dir", "read")
    assert report["verified"] == "read" and "may not create databases" in report["verified_note"]
    assert rows_of(report, "public.kept") == 1
    refused = backup(tmp_path, owned, "--check", "read")
    assert refused.returncode == 8 and "only read" in refused.stderr


def test_tables_of_odd_names_and_shapes(may_restore, tmp_path):
    sql(may_restore, """CREATE SCHEMA "Odd one"; CREATE TABLE "Odd one"."tab""le" ("a b" float8, "C" timestamptz, m money);
                  INSERT INTO "Odd one"."tab""le" VALUES (0.1::float8 + 0.2, now(), 1.5), ('NaN', NULL, NULL);
                  CREATE TABLE nothing (); CREATE TABLE parent (z int); CREATE TABLE child (a int) INHERITS (parent);
                  ALTER TABLE parent ADD COLUMN b int; INSERT INTO child VALUES (1, 2, 3); INSERT INTO parent VALUES (9)""")
    report = made(tmp_path, may_restore)
    assert report["verified"] == "restored"
    assert rows_of(report, '"Odd one"."tab""le"') == 2
    assert (rows_of(report, "public.parent"), rows_of(report, "public.child")) == (1, 1)


# ---- No password where others can look


def command_lines():
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_bytes().decode(errors="replace")
        except OSError:
            pass


def test_no_argument_holds_the_password(cluster, database_url, tmp_path):
    seen = set()
    with subprocess.Popen([program.binary(), "migrate", "backup"], cwd=tmp_path, stdout=subprocess.DEVNULL,
                          env=program.environment({"DATABASE_URL": database_url})) as running:
        while running.poll() is None:
            seen.update(command_lines())
    assert running.returncode == 0
    for name in ("pg_dump", "pg_restore"):
        assert any(re.search(rf"{name}\0--", line) for line in seen), f"{name} was not seen"
    assert [line for line in seen if cluster.password in line] == []


# ---- Refused


@pytest.mark.usefixtures("nothing_left")
@pytest.mark.parametrize("statement, complaint", [
    ("ALTER TABLE kept ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY", "row-level security"),
    ("REVOKE SELECT ON kept FROM CURRENT_USER", "may not read"),
], ids=["row security", "no right"])
def test_rows_that_the_role_cannot_see(owned, tmp_path, statement, complaint):
    sql(owned, statement)
    done = backup(tmp_path, owned, "--dir", "hidden")
    assert done.returncode == 3
    assert complaint in done.stderr and "public.kept" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("nothing_left")
def test_a_table_that_stays_locked(owned, tmp_path):
    holder = psycopg2.connect(owned)
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE kept IN ACCESS EXCLUSIVE MODE")
        done = backup(tmp_path, owned)
    holder.close()
    assert done.returncode == 4 and "a table stayed locked" in done.stderr


def test_no_connection(tmp_path):
    assert backup(tmp_path, "host=/nonexistent dbname=nothing").returncode == 3


def test_an_existing_directory_is_refused(good, database_url, tmp_path):
    folder, report = good
    done = backup(folder, database_url, "--dir", report["directory"])
    assert done.returncode == 3 and "exists already" in done.stderr
    (tmp_path / "other.partial").mkdir()
    done = backup(tmp_path, database_url, "--dir", "other")
    assert done.returncode == 3 and "other.partial" in done.stderr
    assert (tmp_path / "other.partial").exists()


# ---- The copy is not what it should be


@pytest.mark.usefixtures("nothing_left")
def test_a_copy_with_other_values(may_restore, tmp_path):
    sql(may_restore, "CREATE FUNCTION moment() RETURNS timestamptz IMMUTABLE LANGUAGE plpgsql AS "
                     "'BEGIN RETURN clock_timestamp(); END'; "
                     "CREATE TABLE shaky (a int, at timestamptz GENERATED ALWAYS AS (public.moment()) STORED); "
                     "INSERT INTO shaky VALUES (1), (2)")
    done = backup(tmp_path, may_restore, "--dir", "shaky", "--output", "json")
    assert done.returncode == 8
    assert "public.shaky: 2 rows in both, with other values" in done.stderr and "public.kept" not in done.stderr
    assert json.loads(done.stdout)["error"]["code"] == "no_backup"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("nothing_left")
def test_a_dump_that_cannot_be_restored(may_restore, tmp_path):
    sql(may_restore, "CREATE FUNCTION is_fine(int) RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; "
                     "ALTER TABLE kept ADD CHECK (public.is_fine(number)); CREATE OR REPLACE FUNCTION is_fine(int) "
                     "RETURNS bool IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN false; END'")
    done = backup(tmp_path, may_restore)
    assert done.returncode == 8
    assert "pg_restore" in done.stderr and '"kept"' in done.stderr and "violates check constraint" in done.stderr
    assert SECRET not in done.stderr


def limit_files():
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES_MAX, FILE_BYTES_MAX))
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


@pytest.mark.usefixtures("nothing_left")
def test_no_room_for_the_dump(database_url, tmp_path):
    done = backup(tmp_path, database_url, "--dir", "full", preexec_fn=limit_files, restore_signals=False)
    assert done.returncode == 8, done.stderr
    assert "pg_dump failed" in done.stderr
    assert list(tmp_path.iterdir()) == []


# ---- Interrupted


class Interrupted:
    """A backup that is told to stop once it has come to a certain point."""

    def __init__(self, folder, dsn, database):
        self._process = subprocess.Popen(
            [program.binary(), "migrate", "backup"], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=program.environment({"DATABASE_URL": dsn}), text=True)
        self._database = database

    def stop_when(self, application, with_signal):
        """Gives exit code and complaint."""
        eventually(lambda: self._process.poll() is not None or self._database.value(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND state = 'active'", application))
        self._process.send_signal(with_signal)
        _, complaint = self._process.communicate(timeout=program.TIMEOUT_S)
        return self._process.returncode, complaint


@pytest.mark.usefixtures("nothing_left")
def test_interrupted_while_it_dumps(cluster, database_name, database_url, database, tmp_path):
    holder = psycopg2.connect(cluster.dsn(database_name))
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE ONLY webhook_logs IN ACCESS EXCLUSIVE MODE")  # pg_dump waits for it, counting does not
        stopped = Interrupted(tmp_path, database_url, database).stop_when("pg_dump", signal.SIGINT)
    holder.close()
    assert stopped == (130, "socialsync: interrupted; nothing is left behind\n")
    eventually(lambda: not database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pg_dump'"))


@pytest.mark.usefixtures("nothing_left")
def test_interrupted_while_it_restores(may_restore, database, tmp_path):
    sql(may_restore, "CREATE TABLE slow (a int); INSERT INTO slow VALUES (1); CREATE FUNCTION wait() RETURNS bool "
                     "IMMUTABLE LANGUAGE plpgsql AS 'BEGIN RETURN true; END'; ALTER TABLE slow ADD CHECK (public.wait()); "
                     "CREATE OR REPLACE FUNCTION wait() RETURNS bool IMMUTABLE LANGUAGE plpgsql AS "
                     "'BEGIN PERFORM pg_sleep(60); RETURN true; END'")
    started = time.monotonic()
    code, complaint = Interrupted(tmp_path, may_restore, database).stop_when("pg_restore", signal.SIGTERM)
    assert (code, complaint) == (130, "socialsync: interrupted; nothing is left behind\n")
    assert time.monotonic() - started < 30


# ---- --check


def check(good, database_url, damage=lambda directory: None):
    """Damages a copy of the good one, and checks that."""
    folder, report = good
    copy = folder / "damaged"
    shutil.copytree(report["directory"], copy)
    try:
        damage(copy)
        return backup(folder, database_url, "--check", str(copy))
    finally:
        shutil.rmtree(copy)


def data_file(directory):
    return max((directory / "dump").glob("*.dat.gz"), key=lambda path: path.stat().st_size)


def truncate(directory):
    os.truncate(data_file(directory), data_file(directory).stat().st_size - 1)


def flip(directory):
    path = data_file(directory)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def edit(**changes):
    def change(directory):
        path = directory / "manifest.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return change


DAMAGES = {
    "truncated": (truncate, "has changed"),
    "flipped bit": (flip, "has changed"),
    "deleted": (lambda directory: data_file(directory).unlink(), "is missing"),
    "no manifest": (lambda directory: (directory / "manifest.json").unlink(), "manifest.json"),
    "half a manifest": (lambda directory: os.truncate(directory / "manifest.json", 100), "invalid manifest.json"),
    "too old": (edit(started_at=OLD), f"is of {OLD}, older than 24 h"),
    "not verified": (edit(verified="no"), "not verified"),
    "only read": (edit(verified="read", verified_note="no right"), "only read"),
    "another cluster": (edit(system_identifier="1"), "another database"),
}


def test_a_good_one_passes_the_check(good, database_url):
    assert check(good, database_url).returncode == 0


@pytest.mark.parametrize("damage, reason", DAMAGES.values(), ids=DAMAGES)
def test_a_bad_one_does_not(good, database_url, damage, reason):
    done = check(good, database_url, damage)
    assert done.returncode == 8
    assert reason in done.stderr and "socialsync migrate backup" in done.stderr


def test_one_of_another_database_does_not(good, owned):
    done = check(good, owned)
    assert done.returncode == 8 and "another database" in done.stderr


def test_the_newest_of_this_database_is_found(good, owned, database_url, tmp_path):
    folder, report = good
    found = backup(folder, database_url, "--check", "--output", "json")
    assert json.loads(found.stdout)["directory"] == f"backups/{pathlib.Path(report['directory']).name}"
    for elsewhere in (backup(folder, owned, "--check"), backup(tmp_path, database_url, "--check")):
        assert elsewhere.returncode == 8 and "no backup of the database" in elsewhere.stderr


def test_how_old_it_may_be(good, database_url):
    folder, _ = good
    time.sleep(1.1)
    assert backup(folder, database_url, "--check", "--max-age-hours", "0").returncode == 8
    assert backup(folder, database_url, "--check", "--max-age-hours", "1").returncode == 0


def test_help_has_an_example():
    assert "socialsync migrate backup --dir" in program.run("migrate", "backup", "--help").stdout
