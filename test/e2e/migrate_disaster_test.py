"""`socialsync migrate` when its session is ended, or the server crashes, in the middle of its work."""

import contextlib
import signal

import psycopg2
import pytest

from cluster import Cluster
from gate import Gate
from migration import GIVE_IDS, ORIGINAL_ROWS, changed_lines, dump_of_psql_update, make_legacy
from waiting import eventually

MANY = """
    INSERT INTO users (email) SELECT 'user' || n || '@example.org' FROM generate_series(1, 1200) AS n;
    INSERT INTO social_accounts (platform, account_id, username, display_name, user_id)
    SELECT 'youtube', 'account ' || id, 'name', 'Shop', id FROM users WHERE email LIKE 'user%'"""
FILLED = "SELECT count(*) FROM social_accounts WHERE business_name IS NOT NULL"
HALF_BUILT = "SELECT count(*) FROM pg_class JOIN pg_index ON indexrelid = oid WHERE NOT indisvalid OR relname LIKE '%ccnew%'"
PHASE = "SELECT coalesce(max(phase), '') FROM pg_stat_progress_create_index WHERE datname = current_database()"


@pytest.fixture(scope="module")
def cluster(server_version):
    """One that may crash."""
    with Cluster(version=server_version) as running:
        yield running


@pytest.fixture(scope="module")
def undisturbed(cluster):
    """The schema after a whole update."""
    return dump_of_psql_update(cluster, with_ids=True)


@pytest.fixture
def legacy(cluster):
    return make_legacy(cluster)


def end_session(legacy):
    legacy.sql("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
               "WHERE datname = current_database() AND application_name = 'socialsync migrate'")


def crash(legacy):
    legacy.cluster.restart(immediate=True)


disasters = pytest.mark.parametrize("disaster", [end_session, crash], ids=lambda disaster: disaster.__name__)


@contextlib.contextmanager
def writer_in_the_way(legacy):
    """A build waits for it before it begins."""
    with contextlib.closing(psycopg2.connect(legacy.cluster.dsn(legacy.name))) as connection:
        connection.cursor().execute("UPDATE social_accounts SET username = username")
        yield "waiting for writers before build"


@contextlib.contextmanager
def snapshot_in_the_way(legacy):
    """A build waits for it at its very end, when the index exists and is not yet valid."""
    with contextlib.closing(psycopg2.connect(legacy.cluster.dsn(legacy.name))) as connection:
        connection.set_session(isolation_level="REPEATABLE READ")
        connection.cursor().execute("SELECT 1 FROM pg_class")
        yield "waiting for old snapshots"


def check_complete(legacy, undisturbed, rows):
    """A plain run again does the rest, and nothing tells that there was a disaster."""
    legacy.sql(GIVE_IDS)
    done = legacy.apply()
    assert done.returncode == 0, done.stderr
    assert legacy.sql(HALF_BUILT) == "0"
    assert legacy.dump() == undisturbed
    assert legacy.sql(ORIGINAL_ROWS) == rows


def disturb_index_build(legacy, gate, disaster, in_the_way):
    gate.wait()
    with in_the_way(legacy) as phase:
        gate.open("index build")
        eventually(lambda: legacy.sql(PHASE) == phase)
        assert legacy.sql(HALF_BUILT) == "1"
        gate.close("index build")
        disaster(legacy)


@pytest.mark.every_version
@disasters
def test_apply_goes_on_by_itself(legacy, undisturbed, disaster):
    """The same index is left half-built twice."""
    rows, gate = legacy.sql(ORIGINAL_ROWS), Gate(legacy)
    gate.close("index build")
    points = ["ALTER TABLE", "CREATE POLICY"]
    for point in points:
        gate.close(point)
    run = legacy.start("apply", "--yes", "--no-backup")
    for point in points:
        gate.wait()
        disaster(legacy)
        gate.wait()
        gate.open(point)
    disturb_index_build(legacy, gate, disaster, writer_in_the_way)
    disturb_index_build(legacy, gate, disaster, snapshot_in_the_way)
    gate.open("index build")
    out, error = run.communicate(timeout=60)
    assert run.returncode == 9, out + error
    assert out.count("drop of invalid index") == 2
    gate.remove()
    check_complete(legacy, undisturbed, rows)


def test_while_the_server_is_unreachable_it_can_be_interrupted(legacy, undisturbed):
    rows, gate = legacy.sql(ORIGINAL_ROWS), Gate(legacy)
    gate.close("CREATE VIEW")
    run = legacy.start("apply", "--yes", "--no-backup")
    gate.wait()
    legacy.cluster.kill()
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=60)
    legacy.cluster.start()
    assert run.returncode == 130
    assert "run this again" in error
    gate.remove()
    check_complete(legacy, undisturbed, rows)


@disasters
def test_a_backfill_goes_on_when_it_is_run_again(legacy, disaster):
    legacy.sql(MANY)
    legacy.must_apply()
    gate = Gate(legacy)
    gate.at_row(legacy.sql("SELECT id FROM social_accounts ORDER BY id LIMIT 1 OFFSET 800"))
    gate.close("row")
    run = legacy.start("backfill", "--business-name-from-display-name", "--yes")
    gate.wait()
    disaster(legacy)
    out, error = run.communicate(timeout=60)
    assert run.returncode == 4, out + error
    assert "run this again" in error
    gate.open("row")
    filled = int(legacy.sql(FILLED))
    assert 0 < filled < 1203
    again = legacy.migrate("backfill", "--business-name-from-display-name", "--yes")
    assert f"{1203 - filled} account(s) changed" in again.stdout.replace(",", ""), again.stdout + again.stderr
    assert legacy.sql(FILLED) == "1203"


@disasters
def test_a_rollback_is_whole_or_has_not_been(legacy, disaster):
    before, rows = legacy.dump(), legacy.sql(ORIGINAL_ROWS)
    legacy.must_apply()
    applied, gate = legacy.dump(), Gate(legacy)
    gate.close("DROP FUNCTION")
    run = legacy.start("rollback", "--yes", "--no-export", "--rebuild-enum")
    gate.wait()
    disaster(legacy)
    out, error = run.communicate(timeout=60)
    assert run.returncode == 4, out + error
    assert "run this again" in error
    gate.remove()
    assert legacy.dump() == applied
    done = legacy.migrate("rollback", "--yes", "--no-export", "--rebuild-enum")
    assert done.returncode == 0, done.stderr
    assert changed_lines(before, legacy.dump()) == []
    assert legacy.sql(ORIGINAL_ROWS) == rows
