"""`socialsync migrate` while others read and write. How long they wait is measured by `script/bench migrate`."""

import json
import signal

import pytest

from clients import INSERT, READ, UPDATE, Clients
from gate import Gate
from migration import ORIGINAL_ROWS, changed_lines, make_legacy

MANY = """
    INSERT INTO users (email) SELECT 'user' || n || '@example.org' FROM generate_series(1, 1000) AS n;
    INSERT INTO social_accounts (platform, account_id, username, display_name, user_id)
    SELECT 'youtube', 'account ' || id, 'name', 'Shop', id FROM users WHERE email LIKE 'user%'"""
# Accounts that come where a backfill, which goes by id, has been or will come to, and after its end.
LATE = """
    WITH u AS (INSERT INTO users (email) VALUES ('{id}@example.org') RETURNING id)
    INSERT INTO social_accounts (id, platform, account_id, username, display_name, user_id)
    SELECT '{id}', 'youtube', '{id}', 'late', 'Late', id FROM u"""
BEHIND = "00000000-0000-0000-0000-000000000001"
AHEAD = "fffffff0-0000-0000-0000-000000000000"
BEYOND = "ffffffff-ffff-ffff-ffff-ffffffffffff"
SLOW = """
    CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END $$;
    CREATE TRIGGER slow BEFORE UPDATE ON social_accounts FOR EACH ROW EXECUTE FUNCTION slow()"""
BACKFILL = ["backfill", "--business-name-from-display-name", "--yes", "--output", "json"]
EMPTY = "SELECT count(*) FROM social_accounts WHERE business_name IS NULL"


@pytest.fixture
def legacy(cluster):
    made = make_legacy(cluster)
    made.sql(MANY)
    return made


def backfill(legacy):
    done = legacy.migrate(*BACKFILL)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_backfill_ends_though_others_insert_as_fast_as_it_fills(legacy):
    legacy.must_apply()
    legacy.sql(SLOW)
    with Clients(legacy, [INSERT] * 3 + [READ] * 3):
        report = backfill(legacy)
        new = int(legacy.sql("SELECT count(*) FROM social_accounts WHERE username = 'new'"))
    print(f"{report['changed']} filled while {new} came")
    assert legacy.sql(EMPTY + " AND username <> 'new'") == "0"
    assert 0 < report["came_meanwhile"] <= new
    legacy.sql("DROP TRIGGER slow ON social_accounts")
    assert backfill(legacy)["changed"] >= report["came_meanwhile"]
    assert legacy.sql(EMPTY) == "0"


@pytest.mark.every_version
def test_accounts_added_during_the_run_are_counted_and_left_to_the_next(legacy):
    legacy.must_apply()
    gate = Gate(legacy)
    gate.at_row(legacy.sql("SELECT id FROM social_accounts ORDER BY id LIMIT 1 OFFSET 800"))
    gate.close("row")
    run = legacy.start(*BACKFILL)
    gate.wait()
    for place in (BEHIND, AHEAD, BEYOND):
        legacy.sql(LATE.format(id=place))
    gate.open("row")
    out, error = run.communicate(timeout=60)
    assert run.returncode == 0, error
    assert (json.loads(out)["changed"], json.loads(out)["came_meanwhile"]) == (1003, 3)
    report = backfill(legacy)
    assert (report["changed"], report["came_meanwhile"], legacy.sql(EMPTY)) == (3, 0, "0")


# Where an update stops, or nowhere.
@pytest.mark.parametrize("step", ["columns", "row_security.social_accounts", "index.phone_number_id",
                                  pytest.param(None, marks=pytest.mark.every_version)])
def test_a_rollback_under_load_restores_the_schema(legacy, step):
    before, rows = legacy.dump(), legacy.sql(ORIGINAL_ROWS)
    with Clients(legacy, [UPDATE] * 3 + [READ]):
        done = legacy.apply(*(["--fault", f"after:{step}"] if step else []))
        assert done.returncode == (-signal.SIGKILL if step else 9), done.stderr
        undone = legacy.migrate("rollback", "--yes", "--no-export", "--rebuild-enum")
        assert undone.returncode == 0, undone.stdout + undone.stderr
    assert changed_lines(before, legacy.dump()) == []
    assert legacy.sql(ORIGINAL_ROWS) == rows
