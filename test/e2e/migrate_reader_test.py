"""A role that may only SELECT the application's tables: it can run every reading command, and blocks no session."""

import json
import re
from contextlib import closing

import psycopg2
import pytest

from cluster import Cluster
from migration import GIVE_IDS, LegacyDatabase, make_legacy
from schema import UPDATES

LOOKING = [("plan",), ("plan", "--sql"), ("status",), ("doctor",), ("contract",), ("verify", "--no-behaviour")]
ALLOWED = {"plan": {0}, "status": {0}, "doctor": {3}, "contract": {0}, "verify": {0, 6}}
CATALOGUES = ["pg_class", "pg_attribute", "pg_proc", "pg_policy", "pg_constraint", "pg_namespace", "pg_type", "pg_depend"]
NEWEST = " UNION ALL ".join(f"SELECT max(xmin::text::bigint) FROM {name}" for name in CATALOGUES)
SENT = re.compile(r"LOG:  (?:statement|execute [^:]*): (.*)", re.S)
HARMLESS = re.compile(r"(\s|--.*\n)*(SELECT|WITH|SET|BEGIN|SAVEPOINT|ROLLBACK|RELEASE)\b")
DISTURBING = ("advisory_lock(", "pg_temp.attempt(", "run_with_short_locks(")

pytestmark = pytest.mark.every_version


@pytest.fixture
def legacy(cluster):
    made = make_legacy(cluster)
    made.sql("CREATE ROLE reader LOGIN; GRANT SELECT ON users, social_accounts TO reader; "
             "CREATE SCHEMA auth; CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid'")
    yield made
    made.sql("DROP OWNED BY reader; DROP ROLE reader")


def look(legacy, *command, user="reader"):
    done = legacy.migrate(*command, user=user)
    assert done.returncode in ALLOWED[command[0]], done.stdout + done.stderr
    return done.stdout


def plan(legacy, user):
    return json.loads(look(legacy, "plan", "--output", "json", user=user))


def applied(legacy):
    legacy.must_apply()
    legacy.sql(GIVE_IDS)
    legacy.must_apply()


@pytest.mark.parametrize("prepare", [lambda legacy: None, applied], ids=["before", "after"])
def test_a_reader_sees_the_same_as_the_owner(legacy, prepare):
    prepare(legacy)
    mine, owners = plan(legacy, "reader"), plan(legacy, legacy.cluster.user)
    assert [(step["id"], step["state"], step["sql"]) for step in mine["steps"]] == \
           [(step["id"], step["state"], step["sql"]) for step in owners["steps"]]
    assert mine["plan"] == owners["plan"]
    for command in LOOKING:
        look(legacy, *command)


def test_after_apply_it_is_told_which_grants_show_more(legacy):
    applied(legacy)
    legacy.sql("DROP VIEW active_webhook_accounts; CREATE VIEW active_webhook_accounts AS SELECT 1 AS id; "
               "COMMENT ON VIEW active_webhook_accounts IS 'SocialSync Webhooks: changed by hand'")
    assert plan(legacy, "reader")["todo"] == 0
    hints = [warning for warning in plan(legacy, "reader")["warnings"] if "privilege missing" in warning]
    hints.append(json.loads(look(legacy, "status", "--output", "json"))["hidden"])
    assert len(hints) == 2
    for hint in hints:
        legacy.sql(hint.partition(": ")[2])
    assert [step["id"] for step in plan(legacy, "reader")["steps"] if step["state"] == "todo"] == ["views"]
    status = json.loads(look(legacy, "status", "--output", "json"))
    assert (len(status["runs"]), status["hidden"]) == (2, None)


@pytest.mark.parametrize("prepare", [lambda legacy: None, applied], ids=["before", "after"])
def test_it_takes_no_lock_that_anybody_waits_for_and_writes_nothing(legacy, prepare):
    """All tables are locked in EXCLUSIVE mode, which allows ACCESS SHARE only: no write either."""
    prepare(legacy)
    before = legacy.dump(), legacy.sql(NEWEST)
    with closing(psycopg2.connect(legacy.cluster.dsn(legacy.name))) as holder:
        hold_everything(holder.cursor())
        for command in LOOKING:
            look(legacy, *command)
    assert (legacy.dump(), legacy.sql(NEWEST)) == before


def hold_everything(cursor):
    cursor.execute("SELECT pg_advisory_lock(hashtextextended('socialsync webhooks migration', 0))")
    cursor.execute("SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relpersistence = 'p' "
                   "AND relnamespace::regnamespace::text IN ('public', 'socialsync')")
    cursor.execute("LOCK TABLE " + ", ".join(name for name, in cursor.fetchall()) + " IN EXCLUSIVE MODE")


def statements_of(log):
    """The statements of our sessions, from the server's log; without the definitions, which only make temporary functions."""
    entries = [entry for entry in re.split(r"(?m)^app=", log) if entry.startswith("socialsync migrate ")]
    sent = [SENT.search(entry)[1] for entry in entries if SENT.search(entry)]
    return [statement for statement in sent if "FUNCTION pg_temp.attempt" not in statement]


def disturbs(statement):
    return not HARMLESS.match(statement) or any(word in statement for word in DISTURBING)


def test_the_server_s_log_has_nothing_that_disturbs(server_version):
    settings = {"log_statement": "all", "log_lock_waits": "on", "log_line_prefix": "app=%a "}
    with Cluster(settings=settings, version=server_version) as running:
        legacy = LegacyDatabase(running, make_legacy(running).name)
        legacy.sql("CREATE ROLE reader LOGIN; GRANT SELECT ON users, social_accounts TO reader")
        for command in LOOKING:
            look(legacy, *command)
        looked = statements_of(running.log_file.read_text())
        legacy.must_apply()
        everything = statements_of(running.log_file.read_text())
    assert len(looked) > 20
    assert [statement for statement in looked if disturbs(statement)] == []
    assert any(disturbs(statement) for statement in everything), "the log does not tell what it should"


def test_plan_equals_apply_and_the_file_for_psql(legacy):
    planned = {step["id"]: step["sql"] for step in plan(legacy, "reader")["steps"] if step["state"] == "todo"}
    assert in_the_file(legacy) == planned
    legacy.must_apply()
    ledger = json.loads(legacy.sql("SELECT json_object_agg(step, statements) FROM socialsync.migration_steps"))
    # Validation is a step of its own, which comes into being with its CHECK.
    later = {step for step in ledger if step.startswith("check.") and step.endswith(".valid")}
    assert {step: sql for step, sql in ledger.items() if step not in later} == planned
    assert later == {"check.social_accounts_webhook_status_known.valid"}


def in_the_file(legacy):
    """The list of steps by the definitions in `migrate sql`."""
    text = legacy.migrate("sql").stdout
    assert text == UPDATES.read_text()
    definitions = text[text.index("-- @definitions"):text.index("-- @run")]
    listing = ("SELECT json_object_agg((step).id, coalesce((step).statements, '')) FROM pg_temp.steps() "
               "WHERE NOT (step).present")
    said = legacy.sql(f"SET search_path = pg_catalog, pg_temp; SET check_function_bodies = off; "
                                 f"SET client_min_messages = warning; {definitions} {listing}")
    return json.loads(said.splitlines()[-1])
