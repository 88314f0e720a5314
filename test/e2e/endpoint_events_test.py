"""The operator's own endpoints are notified of failing endpoints."""

import json

import pytest

import meta
import program
from gateway import Gateway
from receiver import Receiver, answer, hang, verifies_standard
from sending import send
from tenants import SHARED_SECRET
from waiting import eventually

SETTINGS = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}


@pytest.fixture(autouse=True)
def nothing_before(database):
    database.rows("DELETE FROM social_accounts")
    database.rows("DELETE FROM webhook_endpoints")
    database.rows("DELETE FROM webhook_logs")


@pytest.fixture
def gateway(database_url):
    with Gateway(database_url, **SETTINGS) as running:
        yield running


def add(url, *arguments):
    handshake = [] if "standard" in arguments else ["--skip-handshake"]
    done = program.run("endpoints", "add", *arguments, *handshake, "--output", "json", DATABASE_URL=url)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def own_events(database):
    return database.rows("SELECT * FROM webhook_logs WHERE social_account_id IS NULL ORDER BY id")


def primary(database, account):
    return database.rows("SELECT * FROM webhook_endpoints WHERE social_account_id = %s AND place = 0", account.id)[0]


def test_the_operator_is_notified_of_a_failing_endpoint(database, database_url, gateway):
    """Once for each percentage, and for the end; by a Meta-shaped, signed event."""
    with Receiver(answer(410)) as customers, Receiver() as operators:
        told = add(database_url, "--operator", "--url", operators.url("/all?key=hidden"))
        add(database_url, "--operator", "--url", operators.url("/end"), "--events", "endpoint_disabled", "--format", "standard")
        add(database_url, "--operator", "--url", operators.url("/other"), "--events", "partner_solutions")
        account = database.add_account(webhook_url=customers.url("/hook?key=hidden"))
        endpoint = primary(database, account)["id"]
        # It has failed for three days, without a notification so far.
        database.rows("UPDATE webhook_endpoints SET failing_since = now() - interval '3 days', is_ordered = true WHERE id = %s", endpoint)
        gateway.settle(database)
        send(gateway, account)
        [disabled] = eventually(lambda: operators.of("/end"))
        assert disabled.json()["type"] == "endpoint_disabled"
        [received] = eventually(lambda: operators.of("/all?key=hidden"))
        event = received.json()
        [change] = event["entry"][0]["changes"]
        assert (event["object"], event["entry"][0]["id"], change["field"]) == ("socialsync", endpoint, "endpoint_disabled")
        assert change["value"].pop("failing_since")
        assert change["value"] == {"endpoint_id": endpoint, "account_id": account.id, "place": 0, "host": "127.0.0.1",
                                   "percent": 0, "disabled_because": "the receiver answered 410 Gone"}
        assert received.headers["x-hub-signature-256"] == meta.sign(received.body, told["secrets"]["app_secret"])
        assert verifies_standard(received, told["secrets"]["signing_secret"])
        [row] = eventually(lambda: [row for row in own_events(database) if row["status"] == "processed"])
        assert (row["webhook_type"], row["external_message_id"], row["user_id"]) == ("endpoint_disabled", endpoint, None)
        shown = program.run("deliveries", "show", str(row["id"]), DATABASE_URL=database_url)
        assert shown.returncode == 0 and "endpoint_disabled" in shown.stdout, shown.stdout + shown.stderr
        assert operators.of("/other") == [] and "hidden" not in json.dumps(row["payload"])


def test_two_workers_notify_once(database, database_url):
    """Failures of the operator's own endpoint are not sent to it."""
    with Receiver(answer(500)) as customers, Receiver(hang) as operators, Receiver() as others:
        account = database.add_account(webhook_url=customers.url())
        add(database_url, "--operator", "--url", others.url())
        own = add(database_url, "--operator", "--url", operators.url())["added"]["id"]
        endpoint = primary(database, account)["id"]
        database.rows("UPDATE webhook_endpoints SET failing_since = now() - interval '3 days' WHERE id = ANY (%s::uuid[])", [endpoint, own])
        with Gateway(database_url, **SETTINGS) as first, Gateway(database_url, **SETTINGS) as second:
            for gateway in (first, second):
                gateway.settle(database)
                send(gateway, account, 3)
            eventually(lambda: len(customers.received) >= 6)
            [received] = eventually(lambda: others.received)
            assert received.json()["entry"][0]["changes"][0]["value"]["percent"] == 50
            assert database.value("SELECT warned_percent FROM webhook_endpoints WHERE id = %s", endpoint) == 50
            # The event waits for the endpoint that hangs, and is not about it.
            assert [row["external_message_id"] for row in own_events(database)] == [endpoint]
            assert database.value("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = %s", own) == 1
            operators.released.set()
