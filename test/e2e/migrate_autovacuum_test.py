"""`socialsync migrate` during a slow autovacuum of social_accounts."""

import json
import signal

import pytest

from clients import READ, UPDATE, Clients
from cluster import Cluster
from migration import make_legacy
from waiting import eventually

SETTINGS = {"autovacuum_naptime": "1s", "deadlock_timeout": "100ms"}
THROTTLED = """
    ALTER TABLE social_accounts SET (fillfactor = 10);  -- more pages, more to do
    INSERT INTO users (email) SELECT 'user' || n || '@example.org' FROM generate_series(1, 3000) AS n;
    INSERT INTO social_accounts (platform, account_id, username, display_name, user_id)
    SELECT 'youtube', 'account ' || id, 'name', 'Shop', id FROM users WHERE email LIKE 'user%';
    ALTER TABLE social_accounts SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
                                     autovacuum_vacuum_threshold = 0, autovacuum_analyze_scale_factor = 1)"""
VACUUM = """
    SELECT coalesce(max(a.pid), 0) FROM pg_stat_progress_vacuum AS p JOIN pg_stat_activity AS a USING (pid)
    WHERE p.relid = 'social_accounts'::regclass AND a.query LIKE 'autovacuum:%'"""
AGAINST_WRAPAROUND = """
    SELECT coalesce(max(format('pid %s, %s', a.pid, a.query)), '')
    FROM pg_stat_progress_vacuum AS p JOIN pg_stat_activity AS a USING (pid)
    WHERE p.relid = 'social_accounts'::regclass AND a.query LIKE 'autovacuum: %(to prevent wraparound)'"""
# Forces a vacuum although autovacuum is off: the smallest age; each transaction of the loop uses an id.
OLD = """
    ALTER TABLE social_accounts SET (autovacuum_enabled = false, autovacuum_freeze_max_age = 100000);
    DO $$ BEGIN FOR n IN 1..101000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"""

# Otherwise the next one could start before the setting is restored, and the test would wait for the whole freeze.
END_IT = """
    DO $$ BEGIN
      SET LOCAL lock_timeout = '100ms';
      LOOP
        PERFORM pg_stat_clear_snapshot();
        PERFORM pg_terminate_backend(a.pid, 5000) FROM pg_stat_progress_vacuum JOIN pg_stat_activity AS a USING (pid)
        WHERE relid = 'social_accounts'::regclass;
        BEGIN
          ALTER TABLE social_accounts RESET (autovacuum_freeze_max_age);
          EXIT;
        EXCEPTION WHEN lock_not_available THEN
        END;
      END LOOP;
    END $$"""


@pytest.fixture(scope="module")
def cluster(server_version):
    with Cluster(version=server_version, settings=SETTINGS) as running:
        yield running


@pytest.fixture
def legacy(cluster):
    made = make_legacy(cluster)
    made.sql(THROTTLED)
    yield made
    cluster.drop_database(made.name)


def vacuum_of(legacy):
    """Waits for an autovacuum of social_accounts and returns its process id."""
    return eventually(lambda: int(legacy.sql(VACUUM)))


def evictions(legacy):
    log = legacy.cluster.log_file.read_text()
    return log.count(f'automatic vacuum of table "{legacy.name}.public.social_accounts"')


@pytest.mark.every_version
def test_autovacuum_yields(legacy):
    legacy.sql("UPDATE social_accounts SET username = username")
    vacuum_of(legacy)
    with Clients(legacy, [UPDATE] * 3 + [READ]):
        done = legacy.apply("--lock-budget", "30", "--output", "json")
        assert done.returncode == 9, done.stdout + done.stderr
        by_apply = evictions(legacy)
        vacuum_of(legacy)
        undone = legacy.migrate("rollback", "--yes", "--no-export")
        assert undone.returncode == 0, undone.stdout + undone.stderr
    steps = [json.loads(line) for line in done.stdout.splitlines()[:-1]]
    print(f"{by_apply} times out of the way of apply, the longest step {max(step['took_ms'] for step in steps)} ms")
    assert 0 < by_apply < evictions(legacy)


def test_autovacuum_yields_after_deadlock_timeout(legacy):
    legacy.sql("UPDATE social_accounts SET username = username")
    vacuum_of(legacy)
    legacy.sql(f"ALTER DATABASE {legacy.name} SET deadlock_timeout = '2s'")
    done = legacy.apply("--lock-budget", "5", "--fault", "after:columns")
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert evictions(legacy) > 0


def vacuum_against_wraparound(legacy):
    """Waits for one against wraparound and returns its name in messages."""
    return eventually(lambda: legacy.sql(AGAINST_WRAPAROUND))


@pytest.mark.every_version
def test_a_wraparound_vacuum_is_named_without_waiting(legacy):
    legacy.sql(OLD)
    name = vacuum_against_wraparound(legacy)
    assert name in " ".join(json.loads(legacy.migrate("plan", "--output", "json").stdout)["blockers"])
    assert name in legacy.migrate("doctor").stdout
    for refused, code in ((legacy.apply(), 4), (legacy.update(), 3)):
        assert refused.returncode == code, refused.stdout
        assert name in refused.stderr
    legacy.sql(END_IT)
    legacy.must_apply()
    legacy.sql("ALTER TABLE social_accounts SET (autovacuum_freeze_max_age = 100000)")
    name = vacuum_against_wraparound(legacy)
    for refused, code in ((legacy.migrate("rollback", "--yes", "--no-export"), 4), (legacy.roll_back(), 3)):
        assert refused.returncode == code, refused.stdout
        assert name in refused.stderr
    assert legacy.sql("SELECT to_regclass('webhook_logs') IS NOT NULL") == "t"
