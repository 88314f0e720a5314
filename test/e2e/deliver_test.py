"""Each tenant's events go to the tenant's own URL, signed with its own secret, and to no other."""

import json

import pytest

import meta
from gateway import Gateway
from receiver import Receiver, answer, endless, garbage, reset, verifies_standard
from tenants import SHARED_SECRET
from waiting import eventually

PATH = "/api/whatsapp/webhook"
EGRESS = {"SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}


@pytest.fixture(scope="module")
def gateway(database_url):
    with Gateway(database_url, META_APP_SECRET=SHARED_SECRET, **EGRESS) as running:
        yield running


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def endpoint_of(database, account):
    return database.rows("SELECT * FROM webhook_endpoints WHERE social_account_id = %s ORDER BY place", account.id)[0]


def pending(database, account):
    return database.rows("SELECT d.* FROM webhook_deliveries AS d JOIN webhook_endpoints AS e ON e.id = d.endpoint_id "
                         "WHERE e.social_account_id = %s", account.id)


def attempts(database, account):
    return database.rows("SELECT a.* FROM webhook_delivery_attempts AS a JOIN webhook_logs AS l ON l.id = a.event_id "
                         "WHERE l.social_account_id = %s ORDER BY a.attempted_at", account.id)


def make_due(database, account):
    database.rows("UPDATE webhook_deliveries SET due_at = now() WHERE endpoint_id = %s", endpoint_of(database, account)["id"])
    database.rows("NOTIFY socialsync_deliveries")


def send(client, body, secret=SHARED_SECRET):
    assert client.post(PATH, body, secret).status == 200


# ---- Routing and contents


def test_each_tenant_gets_its_own_event(client, gateway, database, receiver):
    first = database.add_account(webhook_url=receiver.url("/first"))
    second = database.add_account(webhook_url=receiver.url("/second"))
    gateway.settle(database)
    messages = [meta.message(), meta.message("héé 🙂")]
    send(client, meta.encode({"object": "whatsapp_business_account", "entry": [
        {"id": "1", "changes": [meta.change(first.key, [messages[0]]), meta.change(second.key, [messages[1]])]}]}))
    eventually(lambda: len(receiver.received) == 2)
    for path, account, message in (("/first", first, messages[0]), ("/second", second, messages[1])):
        received = receiver.of(path)[0]
        value = received.json()["entry"][0]["changes"][0]["value"]
        assert value["messages"] == [message]
        assert value["metadata"]["phone_number_id"] == account.key
        endpoint = endpoint_of(database, account)
        assert received.headers["x-hub-signature-256"] == meta.sign(received.body, endpoint["app_secret"])
        assert verifies_standard(received, endpoint["signing_secret"])
        assert received.event_id == database.logs(account)[0]["id"]
        assert received.headers["content-type"] == "application/json"
        assert received.body.isascii()


def test_the_status_of_a_delivered_event(client, gateway, database, receiver):
    account = database.add_account(webhook_url=receiver.url())
    gateway.settle(database)
    send(client, meta.whatsapp_messages(account.key, meta.message()))
    eventually(lambda: [row["status"] for row in database.logs(account)] == ["processed"])
    assert 0 <= database.logs(account)[0]["processing_time_ms"] < 30_000
    assert pending(database, account) == []
    attempt, = attempts(database, account)
    assert (attempt["attempt"], attempt["http_status"], attempt["error"]) == (1, 200, None)
    assert bytes(attempt["response_head"]) == b"ok"
    assert gateway.metric("socialsync_delivery_attempts_total", result="delivered") > 0


def test_the_same_event_again_is_not_delivered_again(client, gateway, database, receiver):
    account = database.add_account(webhook_url=receiver.url())
    gateway.settle(database)
    body = meta.whatsapp_messages(account.key, meta.message())
    for _ in range(3):
        send(client, body)
    marker = meta.whatsapp_messages(account.key, meta.message())
    send(client, marker)
    eventually(lambda: len(receiver.received) >= 2)
    eventually(lambda: pending(database, account) == [])
    assert len(receiver.received) == 2


def test_events_that_the_account_did_not_select_are_not_delivered(client, gateway, database, receiver):
    account = database.add_account(webhook_url=receiver.url(), webhook_events=["messages"])
    gateway.settle(database)
    send(client, meta.encode({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        meta.change(account.key, [meta.message()], [meta.status("read")])]}]}))
    eventually(lambda: len(receiver.received) == 1)
    assert sorted(row["status"] for row in database.logs(account)) in (["ignored", "processed"], ["ignored", "received"])
    assert "messages" in receiver.received[0].json()["entry"][0]["changes"][0]["value"]


def test_further_endpoints_have_filters_formats_and_headers_of_their_own(client, gateway, database, receiver):
    account = database.add_account(webhook_url=receiver.url("/primary"))
    database.rows("INSERT INTO webhook_endpoints (social_account_id, place, url, format, headers, webhook_events) "
                  "VALUES (%s, 1, %s, 'standard', %s, %s)", account.id, receiver.url("/other"),
                  json.dumps({"Authorization": "Bearer abc"}), ["message_reads"])
    gateway.settle(database)
    read = meta.status("read")
    send(client, meta.encode({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        meta.change(account.key, [meta.message()], [read])]}]}))
    eventually(lambda: len(receiver.received) == 3)
    other, = receiver.of("/other")
    assert other.json()["type"] == "message_reads"
    assert other.json()["data"]["payload"]["entry"][0]["changes"][0]["value"]["statuses"] == [read]
    assert other.headers["authorization"] == "Bearer abc"
    assert "x-hub-signature-256" not in other.headers
    assert len(receiver.of("/primary")) == 2


def test_events_are_queued_for_endpoints_that_exist_on_arrival(client, gateway, database, receiver):
    """SQL sets, changes and removes a URL."""
    account = database.add_account()
    gateway.settle(database)
    send(client, meta.whatsapp_messages(account.key, meta.message()))
    assert pending(database, account) == []
    database.rows("UPDATE social_accounts SET webhook_url = %s WHERE id = %s", receiver.url("/late"), account.id)
    gateway.settle(database)
    send(client, meta.whatsapp_messages(account.key, meta.message()))
    eventually(lambda: len(receiver.of("/late")) == 1)
    database.rows("UPDATE social_accounts SET webhook_url = NULL WHERE id = %s", account.id)
    gateway.settle(database)
    send(client, meta.whatsapp_messages(account.key, meta.message()))
    assert len(receiver.received) == 1
    assert database.value("SELECT count(*) FROM webhook_endpoints WHERE social_account_id = %s", account.id) == 0


# ---- Failures


@pytest.mark.parametrize("act, status, error", [
    (answer(500), 500, "http_status"), (answer(302, location="http://169.254.169.254/"), 302, "http_status"),
    (answer(404), 404, "http_status"), (reset, None, "connection_lost"), (garbage, None, "protocol_error")])
def test_a_failure_is_recorded_and_retried(client, gateway, database, act, status, error):
    with Receiver(act, answer()) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        gateway.settle(database)
        send(client, meta.whatsapp_messages(account.key, meta.message()))
        eventually(lambda: len(attempts(database, account)) == 1)
        first, = attempts(database, account)
        assert (first["http_status"], first["error"], first["attempt"]) == (status, error, 1)
        waiting, = pending(database, account)
        assert waiting["attempts"] == 1
        assert database.logs(account)[0]["status"] == "received"
        assert 3 < database.value("SELECT extract(epoch FROM due_at - now())::float8 FROM webhook_deliveries "
                                  "WHERE event_id = %s", database.logs(account)[0]["id"]) <= 5.5
        make_due(database, account)
        eventually(lambda: [row["status"] for row in database.logs(account)] == ["processed"])
        assert receiver.received[0].headers["webhook-id"] == receiver.received[1].headers["webhook-id"]
        assert pending(database, account) == []


def test_an_answer_without_end_is_read_to_its_beginning(client, gateway, database):
    with Receiver(endless) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        gateway.settle(database)
        send(client, meta.whatsapp_messages(account.key, meta.message()))
        eventually(lambda: [row["status"] for row in database.logs(account)] == ["processed"])
        attempt, = attempts(database, account)
        assert bytes(attempt["response_head"]) == b"x" * 4096


def test_after_the_last_attempt_a_delivery_is_dead_lettered(client, gateway, database):
    with Receiver(answer(500)) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        gateway.settle(database)
        send(client, meta.whatsapp_messages(account.key, meta.message()))
        eventually(lambda: len(attempts(database, account)) == 1)
        eventually(lambda: pending(database, account)[0]["attempts"] == 1)
        database.rows("UPDATE webhook_deliveries SET attempts = 9, due_at = now()")
        database.rows("NOTIFY socialsync_deliveries")
        eventually(lambda: len(attempts(database, account)) == 2)
        eventually(lambda: [row["status"] for row in database.logs(account)] == ["error"])
        assert database.logs(account)[0]["error_message"] == "not delivered after 10 attempts: http_status"
        assert database.value("SELECT due_at = 'infinity' FROM webhook_deliveries WHERE event_id = %s",
                              database.logs(account)[0]["id"])


def test_gone_switches_the_endpoint_off(client, gateway, database):
    with Receiver(answer(410)) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        gateway.settle(database)
        send(client, meta.whatsapp_messages(account.key, meta.message()))
        eventually(lambda: not endpoint_of(database, account)["is_enabled"])
        assert endpoint_of(database, account)["disabled_because"] == "the receiver answered 410 Gone"
        assert len(pending(database, account)) == 1  # for when it is switched on again
        receiver.acts = [answer()]
        database.rows("UPDATE webhook_endpoints SET is_enabled = true WHERE social_account_id = %s", account.id)
        make_due(database, account)
        eventually(lambda: [row["status"] for row in database.logs(account)] == ["processed"])
