"""A failing endpoint was repaired: former failures no longer count, and no delivery waits for the circuit breaker."""

import threading

import pytest

import meta
import program
from gateway import Gateway
from receiver import Receiver, answer
from tenants import SHARED_SECRET
from waiting import eventually

PATH = "/api/whatsapp/webhook"
SETTINGS = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}
BREAKER_FAILURES = 5
SOONER_THAN_A_PROBE_S = 25


@pytest.fixture(scope="module")
def gateway(database_url):
    with Gateway(database_url, **SETTINGS) as running:
        yield running


@pytest.fixture
def receiver():
    with Receiver() as running:
        running.by_path = {"/bad": [answer(500)], "/worse": [answer(500)]}
        yield running


def send(client, account):
    """Gives the message's id."""
    message = meta.message()
    assert client.post(PATH, meta.whatsapp_messages(account.key, message), SHARED_SECRET).status == 200
    return message["id"]


def ids(received):
    return {one.json()["entry"][0]["changes"][0]["value"]["messages"][0]["id"] for one in received}


def endpoint_of(database, account):
    return database.rows("SELECT * FROM webhook_endpoints WHERE social_account_id = %s AND place = 0", account.id)[0]


def statuses_of_attempts(database, account):
    return [row["http_status"] for row in database.rows(
        "SELECT a.http_status FROM webhook_delivery_attempts AS a JOIN webhook_endpoints AS e ON e.id = a.endpoint_id "
        "WHERE e.social_account_id = %s", account.id)]


def endpoints(database_url, *arguments):
    done = program.run("endpoints", *arguments, DATABASE_URL=database_url)
    assert done.returncode == 0, done.stdout + done.stderr


def break_down(client, database, gateway, receiver):
    """An account whose endpoint's breaker is open."""
    account = database.add_account(webhook_url=receiver.url("/bad"))
    gateway.settle(database)
    for _ in range(BREAKER_FAILURES):
        send(client, account)
    eventually(lambda: len(statuses_of_attempts(database, account)) >= BREAKER_FAILURES)
    eventually(lambda: endpoint_of(database, account)["failing_since"])
    return account


def reload(client, database, gateway, receiver):
    """Returns when the worker has read all endpoints anew."""
    account = database.add_account(webhook_url=receiver.url("/other"))
    gateway.settle(database)
    other = send(client, account)
    eventually(lambda: other in ids(receiver.of("/other")))


def test_a_new_url_gets_the_next_event_at_once(client, database, database_url, gateway, receiver):
    account = break_down(client, database, gateway, receiver)
    endpoints(database_url, "set", endpoint_of(database, account)["id"], "--url", receiver.url("/new"), "--skip-handshake")
    following = send(client, account)
    eventually(lambda: following in ids(receiver.of("/new")), timeout_s=SOONER_THAN_A_PROBE_S)


def test_failures_of_the_old_url_do_not_count_for_the_new(client, database, database_url, gateway, receiver):
    """Five days of failures would disable it."""
    account = break_down(client, database, gateway, receiver)
    database.rows("UPDATE webhook_endpoints SET place = 1, failing_since = now() - interval '4 days', warned_percent = 70 "
                  "WHERE social_account_id = %s AND place = 0", account.id)
    endpoint = database.value("SELECT id FROM webhook_endpoints WHERE social_account_id = %s", account.id)
    endpoints(database_url, "set", endpoint, "--url", receiver.url("/worse"), "--skip-handshake")
    eventually(lambda: database.value("SELECT warned_percent = 0 AND failing_since IS NULL OR failing_since > now() - interval '1 day' "
                                      "FROM webhook_endpoints WHERE id = %s", endpoint), timeout_s=SOONER_THAN_A_PROBE_S)


def test_one_that_is_enabled_again_gets_the_next_event_at_once(client, database, database_url, gateway, receiver):
    account = break_down(client, database, gateway, receiver)
    reload(client, database, gateway, receiver)
    waiting = send(client, account)
    receiver.by_path["/bad"] = [answer()]
    endpoints(database_url, "enable", endpoint_of(database, account)["id"])
    eventually(lambda: waiting in ids(receiver.of("/bad")), timeout_s=SOONER_THAN_A_PROBE_S)


def test_the_old_url_s_late_answer_does_not_count_against_the_new(client, database, database_url, gateway, receiver):
    released = threading.Event()

    def gone_later(handler):
        released.wait()
        answer(410)(handler)

    receiver.by_path["/old"] = [gone_later]
    account = database.add_account(webhook_url=receiver.url("/old"))
    gateway.settle(database)
    send(client, account)
    eventually(lambda: receiver.of("/old"))
    endpoints(database_url, "set", endpoint_of(database, account)["id"], "--url", receiver.url("/new"), "--skip-handshake")
    reload(client, database, gateway, receiver)
    released.set()
    eventually(lambda: 410 in statuses_of_attempts(database, account))
    # The endpoint's health is written before the next attempt.
    following = send(client, account)
    eventually(lambda: following in ids(receiver.of("/new")), timeout_s=SOONER_THAN_A_PROBE_S)
    eventually(lambda: 200 in statuses_of_attempts(database, account))
    stored = endpoint_of(database, account)
    assert (stored["is_enabled"], stored["failing_since"]) == (True, None)
