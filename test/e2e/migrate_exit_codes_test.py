"""Each exit code of `socialsync migrate`, made by one command: scripts rely on the numbers."""

import contextlib
import signal

import psycopg2
import pytest

from migration import make_legacy
from waiting import eventually

APPLY = ("apply", "--yes", "--no-backup")
RAISE = """CREATE FUNCTION no_columns() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
           CREATE EVENT TRIGGER no_columns ON ddl_command_start WHEN TAG IN ('ALTER TABLE') EXECUTE FUNCTION no_columns()"""
DUPLICATES = "ALTER TABLE social_accounts ADD page_id varchar(100); UPDATE social_accounts SET page_id = 'same'"

CODES = [
    (0, ("plan",), "SELECT 1", ""),
    (1, APPLY, RAISE, "not today"),
    (2, ("apply", "--no-such-option"), "SELECT 1", "no-such-option"),
    (3, APPLY, "ALTER DATABASE {name} SET default_transaction_read_only = on", "read-only"),
    (5, APPLY, "CREATE VIEW active_webhook_accounts AS SELECT 1 AS id", "active_webhook_accounts"),
    (6, ("verify",), "SELECT 1", "FAIL"),
    (8, ("apply", "--yes"), "SELECT 1", "--no-backup"),
    (9, APPLY, DUPLICATES, "is the same for accounts"),
    (10, ("plan", "--exit-code"), "SELECT 1", "to do"),
]


@pytest.fixture
def legacy(cluster):
    return make_legacy(cluster)


@pytest.mark.parametrize("code, command, prepare, said", CODES, ids=[str(row[0]) for row in CODES])
def test_exit_code(legacy, code, command, prepare, said):
    legacy.sql(prepare.format(name=legacy.name))
    done = legacy.migrate(*command)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stdout + done.stderr


@contextlib.contextmanager
def blocked_apply(legacy):
    """An apply that waits for a reader; yields its process."""
    with contextlib.closing(psycopg2.connect(legacy.cluster.dsn(legacy.name))) as reader:
        reader.cursor().execute("SELECT 1 FROM social_accounts")
        run = legacy.start(*APPLY, "--lock-budget", "60")
        eventually(lambda: legacy.sql("SELECT to_regclass('socialsync.migration_steps') IS NOT NULL") == "t")
        try:
            yield run
        finally:
            run.kill()
            run.communicate()


def test_exit_code_4(legacy):
    with contextlib.closing(psycopg2.connect(legacy.cluster.dsn(legacy.name))) as reader:
        reader.cursor().execute("SELECT 1 FROM social_accounts")
        done = legacy.apply("--lock-budget", "0")
    assert done.returncode == 4, done.stderr
    assert "run this again later" in done.stderr


def test_exit_code_7(legacy):
    with blocked_apply(legacy):
        done = legacy.apply()
    assert done.returncode == 7
    assert "another run" in done.stderr


def test_exit_code_130(legacy):
    with blocked_apply(legacy) as run:
        run.send_signal(signal.SIGINT)
        _, error = run.communicate(timeout=30)
        assert run.returncode == 130
        assert "interrupted" in error
