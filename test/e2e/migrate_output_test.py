"""The output of `socialsync migrate`: on terminals of every width, in pipes, for programs; and never a password."""

import fcntl
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import termios

import jsonschema
import psycopg2
import pytest

import program
from migration import make_legacy
from schema import ROOT
from waiting import eventually

SCHEMA = json.loads((ROOT / "docs/migrate.schema.json").read_text())
ESCAPE = re.compile(r"\033\[[0-9;]*[A-Za-z]")
COLOUR = re.compile(r"\033\[[0-9;]*m")
LOOKING = [("doctor",), ("plan",), ("status",), ("contract",), ("verify",), ("route-test",), ("--help",), ("apply", "--help")]
BACKFILL = ("backfill", "--business-name-from-display-name", "--yes")


def check(document, name):
    """The document is as docs/migrate.schema.json says of that name."""
    jsonschema.validate(document, {**SCHEMA, "$ref": f"#/$defs/{name}"}, cls=jsonschema.Draft202012Validator)
    return document


@pytest.fixture(scope="module")
def legacy(cluster):
    made = make_legacy(cluster)
    yield made
    cluster.drop_database(made.name)


@pytest.fixture(scope="module")
def applied(cluster):
    made = make_legacy(cluster)
    made.must_apply()
    yield made
    cluster.drop_database(made.name)


def on_terminal(database, command, columns, **settings):
    """The output on a terminal of this width."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen([program.binary(), "migrate", *command], stdin=subprocess.DEVNULL, stdout=its, stderr=its,
                             env=program.environment({"DATABASE_URL": database.url(), **settings}), cwd="/tmp")
    os.close(its)
    seen = b""
    while chunk := read(ours):
        seen += chunk
    os.close(ours)
    child.wait(program.TIMEOUT_S)
    return seen.decode()


def read(descriptor):
    """The next piece; nothing when the other end is closed."""
    try:
        return os.read(descriptor, 65536)
    except OSError:
        return b""


def lines_of(seen):
    """As they stand in the end: a progress line is written over from its beginning, or erased."""
    return [ESCAPE.sub("", line.rpartition("\r")[2]) for line in seen.replace("\r\n", "\n").removesuffix("\n").split("\n")]


def is_too_wide(line, columns):
    """A single word is not ours to break."""
    return len(line) > columns and len(line.split()) > 1


# --- People

@pytest.mark.parametrize("columns", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(legacy, applied, columns):
    for database in (legacy, applied):
        for command in LOOKING:
            lines = lines_of(on_terminal(database, command, columns))
            assert lines[0], command
            assert [line for line in lines if is_too_wide(line, columns)] == [], command


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_nor_while_it_changes_something(cluster, columns):
    database = make_legacy(cluster)
    for command in (("apply", "--yes", "--no-backup"), ("apply", "--yes"), BACKFILL, ("rollback", "--yes", "--no-export")):
        seen = on_terminal(database, command, columns)
        assert [line for line in lines_of(seen) if is_too_wide(line, columns)] == [], command
        drawn = [ESCAPE.sub("", piece) for piece in re.split(r"[\r\n]", seen)]
        assert [piece for piece in drawn if is_too_wide(piece, columns)] == [], command
    cluster.drop_database(database.name)


def test_colour_is_for_terminals_that_want_it(legacy):
    assert COLOUR.search(on_terminal(legacy, ("doctor",), 80))
    assert not COLOUR.search(on_terminal(legacy, ("doctor",), 80, NO_COLOR="1"))


@pytest.mark.parametrize("command", [*LOOKING, ("apply", "--yes"), ("rollback", "--no-such-option")], ids=" ".join)
def test_a_pipe_gets_neither_colour_nor_progress(legacy, command):
    done = legacy.migrate(*command)
    assert "\033" not in done.stdout + done.stderr
    assert "\r" not in done.stdout + done.stderr


# --- Programs

def documents(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("name", ["doctor", "plan", "status", "contract", "verify"])
def test_json_is_as_its_schema_says(legacy, applied, name):
    for database in (legacy, applied):
        check(*documents(database.migrate(name, "--output", "json")), name)


def test_json_of_commands_that_change_something(cluster, tmp_path):
    database = make_legacy(cluster)
    *steps, summary = documents(database.apply("--output", "json"))
    for step in steps:
        check(step, "apply_step")
    check(summary, "apply_summary")
    check(*documents(database.migrate(*BACKFILL, "--output", "json")), "backfill")
    check(*documents(database.migrate("route-test", "--output", "json")), "route_test")
    check(*documents(database.migrate("route-test", "--page-id", "1", "--output", "json")), "route_test")
    key = "constraint.social_accounts_user_id_platform_key"
    check(*documents(database.migrate("contract", "--drop", key, "--yes", "--output", "json")), "contract")
    check(*documents(database.migrate("rollback", "--yes", "--export", tmp_path / "kept", "--output", "json")), "rollback")


def test_json_of_a_backup(legacy, server_version, tmp_path):
    if (server_version or 15) <= 15:  # the age of Debian's pg_dump
        done = legacy.migrate("backup", "--dir", tmp_path / "backup", "--output", "json")
        check(*documents(done), "backup")


@pytest.mark.parametrize("command", [("apply",), ("plan",), ("status",), ("verify",), ("rollback",), ("backup",)], ids=" ".join)
def test_an_error_is_json_too(legacy, command):
    done = legacy.migrate(*command, "--output", "json", "--dsn", "host=/nowhere dbname=x")
    assert done.returncode in (2, 3, 8)
    check(*documents(done), "error")


def test_ids_are_stable(legacy, applied):
    """They are for scripts: changed only with a word in CHANGELOG.md."""
    ids = {step for database in (legacy, applied) for step in database.steps()}
    weeks = {step for step in ids if re.fullmatch(r"partition\.\d{8}", step)}
    assert len(weeks) == 7
    assert sorted(ids - weeks) == STEP_IDS
    found = json.loads(applied.migrate("doctor", "--output", "json").stdout)["findings"]
    assert sorted({finding["id"] for finding in found}) == [f"D{number:02}" for number in range(1, 14) if number != 4]


STEP_IDS = sorted("""
    base.social_accounts base.type base.users columns defaults grants ledger owner schema.auth schema.socialsync trigger views
    check.social_accounts_instagram_has_page_id check.social_accounts_webhook_status_known
    check.social_accounts_webhook_status_known.valid check.social_accounts_whatsapp_has_phone_number_id
    function.auth_uid function.ids function.notify function.partitions function.public index.page_id index.phone_number_id
    label.facebook label.instagram label.whatsapp label.whatsapp_business role.anon role.authenticated role.service_role
    row_security.social_accounts row_security.webhook_logs row_security.webhook_quarantine
    table.webhook_event_keys table.webhook_logs table.webhook_quarantine
    endpoints.primary function.endpoint_news function.endpoint_secrets function.endpoints partition.attempts
    row_security.webhook_deliveries row_security.webhook_delivery_attempts row_security.webhook_endpoints
    table.webhook_deliveries table.webhook_delivery_attempts table.webhook_endpoints
    trigger.socialsync_account_given trigger.socialsync_endpoint_given trigger.socialsync_endpoint_removed
    trigger.socialsync_endpoint_renewed trigger.socialsync_endpoints_changed
    trigger.socialsync_webhook_url_changed trigger.socialsync_webhook_url_given""".split())


# --- Secrets

def arguments_of(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")


def test_a_password_is_nowhere_to_be_seen(cluster, tmp_path):
    database = make_legacy(cluster)
    dsn = cluster.url(database.name)
    password = cluster.password
    said = []
    for command in (("doctor",), ("plan",), ("status",), ("contract",), ("verify", "--output", "json"), ("apply", "--yes"),
                    ("backup", "--dir", str(tmp_path / "backup"), "--output", "json")):
        for options in ({"DATABASE_URL": dsn}, {}):
            done = program.run("migrate", *command, *(() if options else ("--dsn", dsn)), **options)
            said.append(done.stdout + done.stderr)
    blocker = psycopg2.connect(cluster.dsn(database.name))
    blocker.cursor().execute("SELECT 1 FROM social_accounts")
    run = subprocess.Popen([program.binary(), "migrate", "apply", "--yes", "--no-backup", f"--dsn={dsn}"], text=True,
                           env=program.environment({}), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE)
    eventually(lambda: database.sql("SELECT to_regclass('socialsync.migration_steps') IS NOT NULL") == "t")
    said.append(" ".join(arguments_of(run.pid)))
    said.append(database.sql("SELECT a::text FROM pg_stat_activity AS a WHERE application_name <> 'psql'"))
    assert "socialsync migrate" in said[-1]
    blocker.close()
    said += run.communicate(timeout=program.TIMEOUT_S)
    said.append(database.sql("SELECT s::text FROM socialsync.migration_steps AS s"))
    said += [path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file()]
    assert [text for text in said if password in text] == []
    cluster.drop_database(database.name)
