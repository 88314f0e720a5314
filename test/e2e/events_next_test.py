"""`socialsync events next`: a shell script fetches events instead of receiving them."""

import json
import subprocess

import pytest

import meta
import program
from gateway import Gateway
from tenants import SHARED_SECRET
from waiting import eventually


@pytest.fixture
def run(database_url):
    def run_it(*arguments, code=0):
        done = program.run("events", "next", *arguments, DATABASE_URL=database_url)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout
    return run_it


@pytest.fixture
def fetch(run):
    def fetch_it(*arguments):
        return [json.loads(line) for line in run(*arguments, "--output", "json").splitlines()]
    return fetch_it


def pulled(database, account, place=1):
    return database.value("INSERT INTO webhook_endpoints (social_account_id, place) VALUES (%s, %s) RETURNING id", account, place)


def queued(database, account, endpoint, count):
    """Queues this many events for the endpoint; returns them, the oldest first."""
    ids = [database.value("SELECT log_webhook(%s, 'whatsapp', 'messages', %s, %s, %s)", account, json.dumps({"n": n, "é": "\n"}),
                          meta.new_id(), meta.CUSTOMER) for n in range(count)]
    for n, event in enumerate(ids):
        database.rows("INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at) VALUES (%s, %s, now() - interval '1 h' + %s * "
                      "interval '1 s')", event, endpoint, n)
    return ids


def test_claimed_until_the_lease_is_over(run, fetch, database):
    account = database.add_account()
    endpoint = pulled(database, account.id)
    ids = queued(database, account.id, endpoint, 3)
    first = fetch("--account", account.key, "--limit", "2")
    assert [event["id"] for event in first] == ids[:2]
    assert first[0] | {"received_at": "", "external_message_id": ""} == {
        "v": 1, "id": ids[0], "type": "messages", "received_at": "", "external_message_id": "", "customer": meta.CUSTOMER,
        "claims": 1, "payload": {"n": 0, "é": "\n"}}
    assert [event["id"] for event in fetch("--endpoint", endpoint[:8], "--lease", "1")] == ids[2:]
    assert fetch("--account", account.key) == [] and run("--account", account.key) == ""
    again, = fetch("--account", account.key, "--wait", "60")
    assert (again["id"], again["claims"]) == (ids[2], 2)
    assert {row["status"] for row in database.logs(account)} == {"received"}


def test_done_ends_the_printed_events(run, fetch, database):
    account = database.add_account()
    endpoint = pulled(database, account.id)
    queued(database, account.id, endpoint, 3)
    gone = queued(database, account.id, endpoint, 1)
    assert '"n": 0' in run("--account", account.key, "--limit", "1", "--done")
    assert len(fetch("--account", account.key, "--done")) == 3
    assert {row["status"] for row in database.logs(account)} == {"processed"} and gone
    assert database.value("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = %s", endpoint) == 0


def test_an_unwritten_event_is_not_ended(database, database_url):
    account = database.add_account()
    endpoint = pulled(database, account.id)
    queued(database, account.id, endpoint, 2)
    with open("/dev/full", "w", encoding="utf8") as full:
        for output in ("text", "json"):
            database.rows("UPDATE webhook_deliveries SET due_at = now() WHERE endpoint_id = %s", endpoint)
            done = subprocess.run([program.binary(), "events", "next", "--account", account.key, "--done", "--output", output],
                                  env=program.environment({"DATABASE_URL": database_url}), stdout=full, stderr=subprocess.PIPE,
                                  check=False, timeout=program.TIMEOUT_S)
            assert done.returncode == 1 and done.stderr
    assert {row["status"] for row in database.logs(account)} == {"received"}
    assert database.value("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = %s", endpoint) == 2


@pytest.mark.parametrize("role", ["--ingest-only", None])
def test_wait_returns_the_next_event(database, database_url, role):
    account = database.add_account()
    pulled(database, account.id)
    with Gateway(database_url, META_APP_SECRET=SHARED_SECRET).start(*([role] if role else [])) as gateway:
        gateway.settle(database)
        waiting = subprocess.Popen(
            [program.binary(), "events", "next", "--account", account.key, "--wait", "60", "--done", "--output", "json"],
            env=program.environment({"DATABASE_URL": database_url}), stdout=subprocess.PIPE)
        eventually(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%FROM public.claim_webhooks%' "
                                          "AND pid <> pg_backend_pid() AND datname = current_database()"))
        client = gateway.client()
        message = meta.message()
        assert client.post("/api/whatsapp/webhook", meta.whatsapp_messages(account.key, message), SHARED_SECRET).status == 200
        client.close()
        fetched, _ = waiting.communicate(timeout=program.TIMEOUT_S)
        assert json.loads(fetched)["external_message_id"] == message["id"]
        assert waiting.returncode == 0
        eventually(lambda: [row["status"] for row in database.logs(account)] == ["processed"])


def test_nothing_to_fetch_from(run, fetch, database):
    account = database.add_account(webhook_url="https://bot.example/")
    run("--account", account.key, code=9)
    run("--account", "nobody", code=9)
    run(code=2)
    run("--account", account.key, "--operator", code=2)
    sent = database.value("SELECT id FROM webhook_endpoints WHERE social_account_id = %s", account.id)
    run("--endpoint", sent, code=9)
    one, other = pulled(database, account.id), pulled(database, account.id, place=2)
    run("--endpoint", one, code=9)
    queued(database, account.id, one, 1)
    assert len(fetch("--account", account.key)) == 1
    database.rows("UPDATE webhook_endpoints SET is_enabled = false WHERE id = %s", other)
    assert fetch("--endpoint", one) == []


def test_the_operator_s_own(fetch, database):
    endpoint = pulled(database, None, place=0)
    event = database.value("INSERT INTO webhook_logs (platform, webhook_type, payload) VALUES ('whatsapp', 'partner_solutions', '{}') "
                           "RETURNING id")
    database.rows("INSERT INTO webhook_deliveries (event_id, endpoint_id) VALUES (%s, %s)", event, endpoint)
    assert [one["id"] for one in fetch("--operator")] == [event]
    assert fetch("--endpoint", endpoint) == []
