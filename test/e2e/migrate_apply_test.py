"""`socialsync migrate plan` and `apply` on a legacy database: what they do, and what they do when stopped."""

import json
import signal
import time

import psycopg2
import pytest

from cluster import Cluster
from migration import GIVE_IDS, ORIGINAL_ROWS, dump_of_psql_update, make_legacy
from waiting import eventually

pytestmark = pytest.mark.sanitizers


@pytest.fixture
def legacy(cluster):
    return make_legacy(cluster)


@pytest.fixture
def other(legacy, request):
    """The connection of another session, closed at the end."""
    connection = psycopg2.connect(legacy.cluster.dsn(legacy.name), application_name="report")
    request.addfinalizer(connection.close)
    return connection


def rows_of(legacy):
    return legacy.sql("SELECT xmin, * FROM social_accounts ORDER BY id")


@pytest.mark.every_version
def test_a_plan_changes_nothing_and_names_every_step(legacy):
    before = legacy.dump(), rows_of(legacy)
    done = legacy.migrate("plan", "--exit-code")
    assert done.returncode == 10
    assert "columns of social_accounts" in done.stdout
    assert "\033" not in done.stdout
    assert (legacy.dump(), rows_of(legacy)) == before


def test_a_plan_needs_the_right_to_look_and_no_more(legacy):
    legacy.sql("DROP ROLE IF EXISTS reader; CREATE ROLE reader LOGIN; GRANT SELECT ON social_accounts, users TO reader")
    done = legacy.migrate("plan", "--output", "json", user="reader")
    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert plan["todo"] > 20
    assert any("to own table public.social_accounts" in right for right in plan["missing_rights"])
    refused = legacy.apply(user="reader")
    assert refused.returncode == 3
    assert "to own table public.social_accounts" in refused.stderr
    legacy.sql("DROP OWNED BY reader; DROP ROLE reader")


@pytest.mark.every_version
@pytest.mark.release_only
def test_apply_makes_the_schema_of_the_file_for_psql(legacy):
    original = legacy.sql(ORIGINAL_ROWS)
    done = legacy.apply()
    assert done.returncode == 9, done.stderr
    assert "1 account(s) do not satisfy it yet" in done.stdout
    assert legacy.dump() == dump_of_psql_update(legacy.cluster, with_ids=False)
    legacy.sql(GIVE_IDS)
    assert legacy.apply().returncode == 0
    assert legacy.dump() == dump_of_psql_update(legacy.cluster, with_ids=True)
    assert legacy.sql(ORIGINAL_ROWS) == original
    assert set(legacy.steps().values()) == {"done"}


@pytest.mark.every_version
@pytest.mark.release_only
def test_applied_again_it_does_nothing(legacy):
    legacy.sql("SELECT 1")
    legacy.must_apply()
    legacy.sql(GIVE_IDS)
    legacy.must_apply()
    catalogue = "SELECT max(xmin::text::bigint) FROM (SELECT xmin FROM pg_class UNION ALL SELECT xmin FROM pg_proc) AS c"
    before = legacy.dump(), rows_of(legacy), legacy.sql(catalogue)
    for _ in range(2):
        done = legacy.apply()
        assert done.returncode == 0
        assert "Nothing to do" in done.stdout
        legacy.sql("ANALYZE")
    assert (legacy.dump(), rows_of(legacy)) == before[:2]
    assert legacy.migrate("plan", "--exit-code").returncode == 0
    assert legacy.update().stdout.count("  made ") == 0


def test_the_ledger_records_the_steps(legacy):
    legacy.must_apply()
    state = json.loads(legacy.migrate("status", "--output", "json").stdout)
    assert state["runs"][0]["steps"] > 20
    assert state["runs"][0]["later"].count("check.") == 2
    assert state["active"] is None
    assert legacy.sql("SELECT statements LIKE 'ALTER TABLE%' FROM socialsync.migration_steps WHERE step = 'columns'") == "t"


def test_json_events_end_with_a_summary(legacy):
    done = legacy.apply("--output", "json")
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["event"] for event in events[:-1]] == ["step"] * (len(events) - 1)
    assert events[-1] | {"run": "", "warnings": []} == {
        "v": 1, "run": "", "event": "summary", "exit": 9, "done": len(events) - 3, "present": events[-1]["present"],
        "later": 2, "warnings": []}


# --- Stopped

ALONE = ("label.", "index.")  # steps whose statement the server ends by itself when the program is gone


def fault_points(legacy):
    """Every moment of every step of a whole run, in order; a kill in the middle of some is one after them, too."""
    steps = [step for step, state in legacy.steps().items() if state == "todo"]
    checks = [step for step in steps if step.startswith("check.")]
    last = [step for step in steps if step.startswith("partition.")]
    steps = [step for step in steps if step not in checks + last]
    steps += [one for check in checks for one in (check, check + ".valid")] + last
    return [f"{moment}:{step}" for step in steps for moment in ("before", "during", "after")
            if not (moment == "after" and step.startswith(ALONE))]


@pytest.mark.every_version
@pytest.mark.release_only
@pytest.mark.slow  # a kill at each moment of each step
def test_killed_at_every_moment_of_every_step_it_goes_on(cluster, legacy):
    expected = dump_of_psql_update(cluster, with_ids=True)
    original = legacy.sql(ORIGINAL_ROWS)
    legacy.sql("ALTER TABLE social_accounts ADD phone_number_id varchar(100), ADD page_id varchar(100)")
    legacy.sql(GIVE_IDS)
    points = fault_points(legacy)
    assert len(points) > 60
    for point in points:
        done = legacy.apply("--fault", point)
        assert done.returncode == -signal.SIGKILL, (point, done.stdout, done.stderr)
    assert legacy.apply().returncode == 0
    assert legacy.sql(ORIGINAL_ROWS) == original
    assert sorted(legacy.dump().splitlines()) == sorted(expected.splitlines())
    assert legacy.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "0"


@pytest.mark.parametrize("step", ["label.whatsapp_business", "index.phone_number_id", "index.page_id"])
def test_killed_after_a_step_that_is_alone_it_goes_on(legacy, step):
    assert legacy.apply("--fault", f"after:{step}").returncode == -signal.SIGKILL
    legacy.must_apply()
    assert legacy.dump() == dump_of_psql_update(legacy.cluster, with_ids=False)


@pytest.mark.every_version
def test_an_index_that_was_half_built_is_built_anew(legacy):
    legacy.must_apply()
    legacy.sql("DROP INDEX idx_social_accounts_page_id; UPDATE social_accounts SET page_id = 'same'")
    failed = legacy.cluster.run_psql(legacy.name, "CREATE UNIQUE INDEX CONCURRENTLY idx_social_accounts_page_id "
                                     "ON social_accounts (page_id) WHERE page_id IS NOT NULL")
    assert "could not create unique index" in failed.stderr
    legacy.sql("UPDATE social_accounts SET page_id = NULL")
    assert "drop of invalid index idx_social_accounts_page_id" in legacy.must_apply()
    assert legacy.sql("SELECT indisvalid FROM pg_index WHERE indexrelid = 'idx_social_accounts_page_id'::regclass") == "t"


def test_interrupted_it_stops_and_says_so(legacy, other):
    other.cursor().execute("SELECT 1 FROM social_accounts")
    run = legacy.start("apply", "--yes", "--no-backup")
    eventually(lambda: legacy.sql("SELECT to_regnamespace('socialsync') IS NOT NULL") == "t")
    time.sleep(0.5)
    run.send_signal(signal.SIGINT)
    _, error = run.communicate(timeout=20)
    assert run.returncode == 130
    assert "run this again" in error
    other.rollback()
    legacy.must_apply()


@pytest.mark.every_version
def test_a_connection_that_is_lost_is_made_again(legacy, other):
    other.cursor().execute("SELECT 1 FROM social_accounts")
    run = legacy.start("apply", "--yes", "--no-backup")
    of_run = "FROM pg_stat_activity WHERE application_name = 'socialsync migrate' AND datname = current_database()"
    eventually(lambda: legacy.sql("SELECT to_regnamespace('socialsync') IS NOT NULL") == "t")
    for _ in range(2):
        legacy.sql("SELECT pg_terminate_backend(pid, 5000) " + of_run)
        eventually(lambda: legacy.sql("SELECT count(*) > 0 " + of_run) == "t")
    other.rollback()
    out, error = run.communicate(timeout=30)
    assert run.returncode == 9, out + error
    assert legacy.dump() == dump_of_psql_update(legacy.cluster, with_ids=False)


# --- Blocked

def test_a_blocking_reader_is_named_and_other_sessions_do_not_wait_long(legacy, other):
    other.cursor().execute("SELECT 1 FROM social_accounts")
    writer = psycopg2.connect(legacy.cluster.dsn(legacy.name))
    writer.autocommit = True
    run = legacy.start("apply", "--yes", "--no-backup", "--lock-budget", "3")
    waits = []
    while run.poll() is None:
        began = time.monotonic()
        writer.cursor().execute("UPDATE social_accounts SET username = username || '' WHERE platform = 'youtube'")
        writer.cursor().execute("SELECT count(*) FROM social_accounts")
        waits.append(time.monotonic() - began)
    _, error = run.communicate()
    writer.close()
    assert run.returncode == 4
    assert f"pid {other.get_backend_pid()} (idle in transaction" in error
    assert "app=report" in error
    print(f"{len(waits)} writes, the longest {max(waits) * 1000:.0f} ms")
    assert max(waits) < 1.5, "a lock was waited for with everybody behind it"
    assert legacy.sql("SELECT count(*) FROM pg_attribute WHERE attname = 'page_id'") == "0"
    other.rollback()
    legacy.must_apply()


def test_one_run_at_a_time(legacy, other):
    other.cursor().execute("SELECT 1 FROM social_accounts")
    first = legacy.start("apply", "--yes", "--no-backup")
    eventually(lambda: legacy.sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == "1")
    second = legacy.apply()
    assert second.returncode == 7
    assert "app=socialsync migrate" in second.stderr
    by_psql = legacy.update()
    assert by_psql.returncode == 3
    assert "another run" in by_psql.stderr
    other.rollback()
    first.communicate(timeout=30)
    assert first.returncode == 9


# --- Refused

@pytest.mark.parametrize("spoil, code, named", [
    ("ALTER TABLE social_accounts ADD phone_number_id integer", 5, "phone_number_id is integer"),
    ("CREATE INDEX idx_social_accounts_page_id ON users (email)", 5, "idx_social_accounts_page_id is CREATE INDEX"),
    ("CREATE TABLE webhook_logs (id serial)", 5, "webhook_logs exists but is not a table partitioned"),
    ("CREATE VIEW active_webhook_accounts AS SELECT 1 AS id", 5, "active_webhook_accounts exists and is not the view"),
    ("DROP VIEW account_names; ALTER TABLE social_accounts RENAME TO a; CREATE TABLE social_accounts (LIKE a) "
     "PARTITION BY HASH (id); ALTER TABLE social_accounts ADD PRIMARY KEY (id)", 5, "social_accounts is partitioned"),
    ("CREATE TABLE more () INHERITS (social_accounts)", 5, "social_accounts has children: public.more"),
    ("ALTER TABLE social_accounts RENAME TO a; CREATE VIEW social_accounts AS SELECT * FROM a", 5,
     "public.social_accounts exists but is not a plain table"),
    ("ALTER DATABASE {name} SET default_transaction_read_only = on", 3, "read-only"),
], ids=["column", "index", "table", "view", "partitioned", "children", "a view of accounts", "read-only"])
def test_a_refused_database_is_unchanged(legacy, spoil, code, named):
    legacy.sql(spoil.format(name=legacy.name))
    before = legacy.dump()
    done = legacy.apply()
    assert done.returncode == code, done.stderr
    assert named in done.stderr
    doctor = legacy.migrate("doctor")
    assert (doctor.returncode, named in doctor.stdout) == (3, True), doctor.stdout + doctor.stderr
    plan = legacy.migrate("plan")
    assert (plan.returncode, named in plan.stdout + plan.stderr) == (code, True), plan.stdout + plan.stderr
    assert legacy.dump() == before


def test_it_wants_to_be_told_yes_and_about_the_backup(legacy):
    assert legacy.migrate("apply", "--yes").returncode == 8
    assert legacy.migrate("apply", "--no-backup").returncode == 2
    assert legacy.migrate("apply", "--no-such-option").returncode == 2
    assert "columns" not in legacy.sql("SELECT string_agg(nspname, ' ') FROM pg_namespace")
    assert legacy.sql("SELECT to_regnamespace('socialsync') IS NULL") == "t"


def test_duplicates_hold_up_their_index_only(legacy):
    legacy.sql("ALTER TABLE social_accounts ADD page_id varchar(100); UPDATE social_accounts SET page_id = 'same'")
    done = legacy.apply()
    assert done.returncode == 9
    assert "page_id same is the same for accounts" in done.stdout
    states = legacy.steps()
    assert states["index.page_id"] == "todo"
    assert states["index.phone_number_id"] == states["function.partitions"] == "done"
    doctor = legacy.migrate("doctor")
    assert doctor.returncode == 3
    assert "page_id same is the same for accounts" in doctor.stdout


def test_a_role_that_is_named_goes_on_seeing_all_accounts(legacy):
    legacy.sql("DROP ROLE IF EXISTS auditor; CREATE ROLE auditor LOGIN; GRANT pg_read_all_data TO auditor")
    assert "role auditor can read all data, and would see no rows" in legacy.migrate("doctor").stdout
    legacy.must_apply("--rls-role", "auditor")
    assert legacy.cluster.psql(legacy.name, "SELECT count(*) FROM social_accounts", user="auditor") == "3"
    legacy.sql("DROP POLICY webhooks_application ON social_accounts; DROP ROLE auditor")


# --- Found by attacking it

def test_forced_row_security_is_refused_where_it_hides_rows(legacy):
    """Hidden rows cannot be checked."""
    legacy.sql("DROP ROLE IF EXISTS \"Shop.Owner\"; CREATE ROLE \"Shop.Owner\" LOGIN CREATEROLE")
    own = "; ".join(f'ALTER {kind} {name} OWNER TO "Shop.Owner"' for kind, name in [
        ("TABLE", "social_accounts"), ("TABLE", "users"), ("TYPE", "social_platform")])
    legacy.sql(f'{own}; GRANT CREATE, USAGE ON SCHEMA public TO "Shop.Owner"; '
               f'GRANT CREATE ON DATABASE {legacy.name} TO "Shop.Owner"')
    legacy.sql("ALTER TABLE social_accounts FORCE ROW LEVEL SECURITY")
    refused = legacy.apply(user="Shop.Owner")
    assert refused.returncode == 3
    assert "NO FORCE ROW LEVEL SECURITY" in refused.stderr
    assert legacy.migrate("doctor", user="Shop.Owner").returncode == 3
    legacy.sql("ALTER TABLE social_accounts NO FORCE ROW LEVEL SECURITY")
    assert legacy.apply(user="Shop.Owner").returncode == 9
    done = legacy.migrate("rollback", "--yes", "--no-export", user="Shop.Owner")
    assert done.returncode == 0, done.stderr
    legacy.sql(f'REASSIGN OWNED BY "Shop.Owner" TO {legacy.cluster.user}; DROP OWNED BY "Shop.Owner"; DROP ROLE "Shop.Owner"')


def test_row_security_that_was_switched_off_is_switched_on_again(legacy):
    legacy.sql("DROP ROLE IF EXISTS shop_app; CREATE ROLE shop_app; GRANT SELECT ON social_accounts TO shop_app")
    legacy.must_apply()
    legacy.sql("ALTER TABLE social_accounts DISABLE ROW LEVEL SECURITY")
    legacy.must_apply()
    assert legacy.sql("SELECT relrowsecurity FROM pg_class WHERE oid = 'social_accounts'::regclass") == "t"
    legacy.sql("DROP OWNED BY shop_app; DROP ROLE shop_app")


def test_rights_granted_by_others_are_named_with_their_revoke(legacy):
    legacy.sql("DROP ROLE IF EXISTS passer; CREATE ROLE passer")
    legacy.must_apply()
    legacy.sql("GRANT SELECT ON social_accounts TO passer WITH GRANT OPTION; SET ROLE passer; GRANT SELECT ON social_accounts TO anon")
    mends = "SET ROLE passer; REVOKE SELECT ON public.social_accounts FROM anon; RESET ROLE;"
    done = legacy.apply()
    assert done.returncode == 6
    assert "anon can read public.social_accounts" in done.stderr
    assert "LATER" in done.stdout and mends in done.stdout
    assert all(mends in legacy.migrate(command).stdout for command in ("plan", "doctor"))
    legacy.sql(mends)
    legacy.must_apply()
    legacy.sql("DROP OWNED BY passer; DROP ROLE passer")


def test_an_index_build_that_spends_its_budget_names_the_old_snapshot(legacy, other):
    """It waits for whoever could still see rows as they were, on whatever table."""
    legacy.apply("--fault", "before:index.phone_number_id")
    other.set_session(isolation_level="REPEATABLE READ")
    other.cursor().execute("SELECT count(*) FROM users")
    done = legacy.apply("--lock-budget", "2")
    assert done.returncode == 4
    assert f"held by pid {other.get_backend_pid()} (idle in transaction" in done.stderr
    other.rollback()
    legacy.must_apply()


def test_a_prepared_transaction_is_named(server_version):
    with Cluster(version=server_version, settings={"max_prepared_transactions": 2}) as cluster:
        legacy = make_legacy(cluster)
        legacy.sql("BEGIN; UPDATE social_accounts SET username = 'x'; PREPARE TRANSACTION 'left behind'")
        done = legacy.apply("--lock-budget", "1")
        assert done.returncode == 4
        assert "held by prepared transaction 'left behind', since" in done.stderr


def test_a_role_that_is_not_there_is_refused_at_once(legacy):
    before = legacy.dump()
    done = legacy.apply("--rls-role", "nobody_of_that_name")
    assert done.returncode == 3
    assert "there is no role nobody_of_that_name" in done.stderr
    assert legacy.dump() == before


def test_a_password_in_a_bad_url_is_not_shown(legacy):
    done = legacy.migrate("plan", "--dsn", "postgresql://u:hunter%zz2@127.0.0.1/db")
    assert done.returncode == 3
    assert "hunter" not in done.stdout + done.stderr


def test_secrets_are_not_filled_in_before_they_are_closed(legacy):
    legacy.apply("--fault", "after:table.webhook_event_keys")
    done = legacy.migrate("backfill", "--business-name-from-display-name", "--yes")
    assert done.returncode == 3
    assert "socialsync migrate apply" in done.stderr
