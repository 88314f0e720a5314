"""`socialsync quarantine list|show|purge`: lists rows, shows one row, removes rows."""

import json
import subprocess

import pytest

import meta
import program
from tenants import SHARED_SECRET, Database, new_key

ESCAPE = "\x1b[2J"


@pytest.fixture
def filled(cluster, request):
    """A database with a row of each of four kinds, a day apart, the newest last."""
    name = f"quarantine_{abs(hash(request.node.name)):x}"
    cluster.create_database(name, template="migrated")
    database = Database(cluster.dsn(name))
    database.url = cluster.url(name)
    rows = [("unknown_account", "whatsapp", "111", "messages", b'{"a":[1e400000,{"b":"\xc3\xa9"}],"c":{}}'),
            ("rejected_by_database", "whatsapp_business", None, "messages", b"{}"),
            ("secret_mismatch", "instagram", f"k{ESCAPE}", "comments", b"{}"),
            ("not_json", None, None, None, b"\xff\x00hello\x1b[2J")]
    database.ids = [database.value(
        "INSERT INTO webhook_quarantine (reason, platform, routing_key, webhook_type, body, created_at) "
        "VALUES (%s, %s, %s, %s, %s, '2026-11-10 12:00Z'::timestamptz + %s * interval '1 day') RETURNING id",
        *row, number) for number, row in enumerate(rows)]
    yield database
    database.close()
    cluster.drop_database(name)


def run(database, *arguments):
    return program.run("quarantine", *arguments, DATABASE_URL=database.url)


def listed(database, *arguments):
    done = run(database, "list", "--output", "json", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.parametrize("arguments, expected", [
    ([], [3, 2, 1, 0]),
    (["--limit", "2"], [3, 2]),
    (["--reason", "not_json", "--reason", "secret_mismatch"], [3, 2]),
    (["--platform", "whatsapp"], [1, 0]),
    (["--routing-key", "111"], [0]),
    (["--since", "2026-11-11 12:00Z", "--until", "2026-11-13 12:00Z"], [2, 1]),
    (["--reason", "not_json", "--platform", "whatsapp"], []),
])
def test_filters(filled, arguments, expected):
    answer = listed(filled, *arguments)
    assert [row["id"] for row in answer["rows"]] == [filled.ids[number] for number in expected]
    if "--limit" not in arguments:
        assert sum(of["rows"] for of in answer["summary"]) == len(expected)


def test_the_text_output(filled):
    done = run(filled, "list")
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["ID", "TIME", "REASON", "PLATFORM", "TYPE", "ROUTING", "KEY", "DETAIL"]
    assert [line.split()[0] for line in lines[1:5]] == filled.ids[::-1]
    assert "\x1b" not in done.stdout and r"k\x1b[2J" in done.stdout
    assert run(filled, "list", "--id", filled.ids[0], "--reason", "not_json").stdout == "no rows match\n"
    assert filled.ids[0] not in run(filled, "list", "--summary").stdout


def test_all_of_one_row(filled):
    shown = run(filled, "show", filled.ids[0]).stdout
    assert '{\n  "a": [\n    1e400000,\n    {\n      "b": "é"\n    }\n  ],\n  "c": {}\n}\n' in shown
    assert "unknown_account" in shown and "111" in shown
    assert r"\xff\x00hello\x1b[2J" in run(filled, "show", filled.ids[3]).stdout
    assert run(filled, "show", "00000000-0000-4000-8000-000000000000").returncode == 9
    assert run(filled, "show", "x").returncode == 2


def test_the_exact_bytes(filled):
    done = subprocess.run([program.binary(), "quarantine", "show", filled.ids[3], "--raw"], check=True,
                          env=program.environment({"DATABASE_URL": filled.url}), capture_output=True)
    assert done.stdout == b"\xff\x00hello\x1b[2J"


def left(database):
    return [row["id"] for row in database.rows("SELECT id FROM webhook_quarantine ORDER BY created_at")]


@pytest.mark.parametrize("arguments, kept", [
    (["--reason", "not_json"], [0, 1, 2]),
    (["--until", "2026-11-12"], [2, 3]),
    (["--platform", "whatsapp"], [2, 3]),
    (["--all"], []),
])
def test_purge(filled, arguments, kept):
    gone = 4 - len(kept)
    said = run(filled, "purge", *arguments, "--dry-run")
    assert (said.returncode, said.stdout.splitlines()[-1]) == (0, f"Would remove {gone} rows.")
    refused = run(filled, "purge", *arguments)
    assert refused.returncode == 2 and "--yes" in refused.stderr
    assert left(filled) == filled.ids
    done = run(filled, "purge", *arguments, "--yes", "--output", "json")
    answer = json.loads(done.stdout)
    assert (answer["removed"], sum(answer["matching"].values())) == (gone, gone)
    assert left(filled) == [filled.ids[number] for number in kept]


def test_purge_ends_if_a_row_cannot_be_deleted(filled):
    """A policy or a trigger of the operator keeps it."""
    filled.rows("CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
                "CREATE TRIGGER kept BEFORE DELETE ON webhook_quarantine FOR EACH ROW "
                "WHEN (OLD.reason = 'not_json') EXECUTE FUNCTION keep()")
    done = run(filled, "purge", "--all", "--yes", "--output", "json")
    assert json.loads(done.stdout)["removed"] == 3
    assert left(filled) == [filled.ids[3]]


def test_purge_needs_a_filter_or_all(filled):
    done = run(filled, "purge", "--yes")
    assert done.returncode == 2 and "--all" in done.stderr
    assert left(filled) == filled.ids


def test_a_bad_time_is_the_operator_s(filled):
    done = run(filled, "list", "--since", "yesteryear", "--output", "json")
    assert done.returncode == 2 and json.loads(done.stdout)["error"]["code"] == "wrong_usage"


def test_a_database_that_is_not_migrated(cluster):
    cluster.create_database("bare_quarantine")
    done = program.run("quarantine", "list", DATABASE_URL=cluster.url("bare_quarantine"))
    cluster.drop_database("bare_quarantine")
    assert done.returncode == 3 and "migrate" in done.stderr


def test_rows_quarantined_by_the_gateway_are_listed(client, database, database_url):
    key = new_key()
    body = meta.whatsapp_messages(key)
    assert client.post("/api/whatsapp/webhook", body, SHARED_SECRET).status == 200
    done = program.run("quarantine", "list", "--routing-key", key, DATABASE_URL=database_url)
    [row] = database.quarantined(key)
    assert row["id"] in done.stdout and "unknown_account" in done.stdout
