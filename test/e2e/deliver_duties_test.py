"""Processes that only take webhooks, and processes that only deliver, on one database; and conversations in order."""

import signal
import threading
import time

import psycopg2

import meta
from gateway import Gateway
from receiver import Receiver, answer
from tenants import SHARED_SECRET
from waiting import eventually

PATH = "/api/whatsapp/webhook"
SETTINGS = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}


def message_ids(received):
    return [one.json()["entry"][0]["changes"][0]["value"]["messages"][0]["id"] for one in received]


def test_one_takes_webhooks_and_others_deliver(database_url, database):
    with Receiver() as receiver:
        account = database.add_account(webhook_url=receiver.url())
        with Gateway(database_url, **SETTINGS).start("--ingest-only") as taking:
            client = taking.client()
            messages = [meta.message() for _ in range(30)]
            for message in messages[:10]:
                assert client.post(PATH, meta.whatsapp_messages(account.key, message), SHARED_SECRET).status == 200
            assert receiver.received == []
            with Gateway(database_url, **SETTINGS).start("--deliver-only") as first, \
                    Gateway(database_url, **SETTINGS).start("--deliver-only") as second:
                eventually(lambda: len(receiver.received) == 10)
                for message in messages[10:]:  # they are told: the next look would be in 30 s
                    assert client.post(PATH, meta.whatsapp_messages(account.key, message), SHARED_SECRET).status == 200
                eventually(lambda: len(receiver.received) == 30, timeout_s=10)
                eventually(lambda: database.value("SELECT count(*) FROM webhook_deliveries") == 0)
                for delivering in (first, second):
                    away = delivering.client()
                    assert away.post(PATH, b"{}", SHARED_SECRET).status == 404
                    assert away.get("/healthz").status == 200
                    away.close()
            client.close()
        assert sorted(message_ids(receiver.received)) == sorted(message["id"] for message in messages)
        assert {row["status"] for row in database.logs(account)} == {"processed"}


def test_an_orderly_stop_gives_back_what_it_has(database_url, database):
    """No delivery waits for the end of a lease."""
    with Receiver(answer(), answer(), answer()) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        database.rows("UPDATE webhook_endpoints SET per_second_max = 1 WHERE social_account_id = %s", account.id)
        with Gateway(database_url, **SETTINGS) as gateway:
            client = gateway.client()
            for _ in range(10):
                assert client.post(PATH, meta.whatsapp_messages(account.key, meta.message()), SHARED_SECRET).status == 200
            client.close()
            eventually(lambda: receiver.received)
        left = database.rows("SELECT due_at <= now() AS is_due FROM webhook_deliveries AS d JOIN webhook_endpoints AS e "
                             "ON e.id = d.endpoint_id WHERE e.social_account_id = %s", account.id)
        assert len(left) == 10 - len(receiver.received)
        assert all(row["is_due"] for row in left)
        database.rows("DELETE FROM webhook_endpoints WHERE social_account_id = %s", account.id)


def test_results_during_a_shutdown_are_written_after_the_database_was_unreachable(database_url, database, cluster, database_name):
    """One is on its way, another waits: it cannot be released, and writing continues."""
    released = threading.Event()

    def later(handler):
        released.wait()
        answer()(handler)

    with Receiver(later) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        database.rows("UPDATE webhook_endpoints SET concurrent_max = 1 WHERE social_account_id = %s", account.id)
        with Gateway(database_url, **SETTINGS) as gateway:
            client = gateway.client()
            for _ in range(2):
                assert client.post(PATH, meta.whatsapp_messages(account.key, meta.message()), SHARED_SECRET).status == 200
            client.close()
            eventually(lambda: receiver.received and gateway.metric("socialsync_deliveries_waiting") == 1)
            cluster.psql("postgres", f"ALTER DATABASE {database_name} ALLOW_CONNECTIONS false; SELECT pg_terminate_backend(pid) "
                         f"FROM pg_stat_activity WHERE datname = '{database_name}' AND application_name = 'socialsync'")
            gateway.send_signal(signal.SIGTERM)
            eventually(lambda: gateway.log().count("delivery results") >= 2)  # its connection, and the attempt at another
            cluster.psql("postgres", f"ALTER DATABASE {database_name} ALLOW_CONNECTIONS true")
            released.set()
            assert gateway.wait() == 0
        assert sorted(row["status"] for row in database.logs(account)) == ["processed", "received"]
        database.rows("DELETE FROM webhook_endpoints WHERE social_account_id = %s", account.id)


def test_locked_results_during_a_shutdown_are_written_after_the_lock(database_url, database, cluster, database_name):
    released = threading.Event()

    def later(handler):
        released.wait()
        answer()(handler)

    with Receiver(later) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        with Gateway(database_url, **SETTINGS) as gateway:
            client = gateway.client()
            assert client.post(PATH, meta.whatsapp_messages(account.key, meta.message()), SHARED_SECRET).status == 200
            client.close()
            eventually(lambda: receiver.received)
            holder = psycopg2.connect(cluster.dsn(database_name))
            holder.cursor().execute("SELECT FROM webhook_logs WHERE social_account_id = %s FOR UPDATE", (account.id,))
            gateway.send_signal(signal.SIGTERM)
            released.set()
            # The locked rows are queried once the write was refused.
            eventually(lambda: database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'socialsync' "
                                              "AND query LIKE '%FOR NO KEY UPDATE SKIP LOCKED%'"))
            holder.rollback()
            holder.close()
            assert gateway.wait() == 0
        assert [row["status"] for row in database.logs(account)] == ["processed"]
        database.rows("DELETE FROM webhook_endpoints WHERE social_account_id = %s", account.id)


def test_an_endpoint_gets_no_more_at_once_than_it_allows(database_url, database):
    active, most = [0], [0]

    def slowly(handler):
        active[0] += 1
        most[0] = max(most[0], active[0])
        time.sleep(0.1)
        active[0] -= 1
        answer()(handler)

    with Receiver(slowly) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        database.rows("UPDATE webhook_endpoints SET concurrent_max = 3 WHERE social_account_id = %s", account.id)
        with Gateway(database_url, **SETTINGS) as gateway:
            client = gateway.client()
            body = meta.encode({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
                meta.change(account.key, [meta.message() for _ in range(20)])]}]})
            assert client.post(PATH, body, SHARED_SECRET).status == 200
            client.close()
            eventually(lambda: len(receiver.received) == 20)
        assert most[0] == 3


def test_a_body_of_many_goes_out_in_its_order(database_url, database):
    """Meta's times are whole seconds: what came first in the body is first. And one waits for the last, not for a clock."""
    with Receiver() as receiver:
        account = database.add_account(webhook_url=receiver.url())
        database.rows("UPDATE webhook_endpoints SET is_ordered = true WHERE social_account_id = %s", account.id)
        with Gateway(database_url, **SETTINGS) as gateway:
            client = gateway.client()
            messages = [meta.message() for _ in range(40)]
            body = meta.encode({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
                meta.change(account.key, messages)]}]})
            assert client.post(PATH, body, SHARED_SECRET).status == 200
            client.close()
            eventually(lambda: len(receiver.received) == 40, timeout_s=20)
        assert message_ids(receiver.received) == [message["id"] for message in messages]


def test_a_conversation_goes_out_in_order(database_url, database):
    """One failure holds up what follows in its conversation, and no other conversation."""
    with Receiver(answer(500), answer()) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        database.rows("UPDATE webhook_endpoints SET is_ordered = true WHERE social_account_id = %s", account.id)
        with Gateway(database_url, **SETTINGS) as gateway:
            client = gateway.client()
            mine, other = [meta.message() for _ in range(8)], {**meta.message(), "from": "4915112345678"}
            for message in [*mine, other]:
                assert client.post(PATH, meta.whatsapp_messages(account.key, message), SHARED_SECRET).status == 200
                eventually(lambda: receiver.received)  # the first message fails
            client.close()
            eventually(lambda: len(receiver.received) == 2)
            eventually(lambda: database.value("SELECT max(attempts) FROM webhook_deliveries") == 1)
            database.rows("UPDATE webhook_deliveries SET due_at = now() WHERE attempts = 1")
            database.rows("NOTIFY socialsync_deliveries")
            eventually(lambda: len(receiver.received) == 10)
        got = message_ids(receiver.received)
        wanted = [message["id"] for message in mine]
        assert [one for one in got if one in wanted] == [wanted[0], *wanted]
        assert got.index(other["id"]) < got.index(wanted[1])


def test_a_private_address_is_not_called(database_url, database):
    """Unless it is allowed: the egress policy applies by default."""
    with Receiver() as receiver, Gateway(database_url, META_APP_SECRET=SHARED_SECRET, SOCIALSYNC_EGRESS_HTTP="1") as gateway:
        account = database.add_account(webhook_url=receiver.url())
        gateway.settle(database)
        client = gateway.client()
        assert client.post(PATH, meta.whatsapp_messages(account.key, meta.message()), SHARED_SECRET).status == 200
        client.close()
        eventually(lambda: database.rows("SELECT 1 FROM webhook_delivery_attempts WHERE error = 'address_refused'"))
        assert receiver.received == []
        database.rows("DELETE FROM webhook_endpoints")
