"""Workers, PostgreSQL and receivers fail: no event is lost, and every result is recorded."""

import random
import threading

import pytest

import meta
from gateway import Gateway
from receiver import Receiver, answer, drip, endless, garbage, hang, reset
from tenants import SHARED_SECRET
from waiting import eventually

pytestmark = pytest.mark.sanitizers

PATH = "/api/whatsapp/webhook"
SETTINGS = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}
KILLS = 50
WRITTEN_TWICE = """
    SELECT event_id FROM webhook_delivery_attempts WHERE error IS NULL GROUP BY event_id, endpoint_id HAVING count(*) > 1
"""
LEASE_OVER = "UPDATE webhook_deliveries SET due_at = now() WHERE due_at < 'infinity'; NOTIFY socialsync_deliveries"


class Source:
    """Sends events of some accounts until it is stopped; `accepted` are the ids that were answered with 200."""

    def __init__(self, gateway, accounts):
        self._gateway, self._accounts = gateway, accounts
        self.accepted = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()

    def _run(self):
        while not self._stopped.is_set():
            client = self._gateway.client()
            try:
                while not self._stopped.is_set():
                    account, message = random.choice(self._accounts), meta.message()
                    if client.post(PATH, meta.whatsapp_messages(account.key, message), SHARED_SECRET).status == 200:
                        self.accepted[message["id"]] = account
            except OSError:
                self._stopped.wait(0.01)  # it was killed, and is being started
            finally:
                client.close()


def message_id(received):
    return received.json()["entry"][0]["changes"][0]["value"]["messages"][0]["id"]


@pytest.mark.slow  # fifty kills
def test_workers_that_are_killed_lose_nothing(database_url, open_database):
    database = open_database()
    with Receiver() as receiver:
        accounts = [database.add_account(webhook_url=receiver.url(f"/{n}")) for n in range(20)]
        gateway = Gateway(database_url, **SETTINGS).start()
        with Source(gateway, accounts) as source:
            for round_number in range(KILLS):
                seen = len(receiver.received)
                eventually(lambda: len(receiver.received) >= seen + 20)
                gateway.kill()
                gateway.start(until_ready=round_number % 5 == 0)
        with gateway:
            database.rows(LEASE_OVER)  # no worker is left that held a lease
            eventually(lambda: database.value("SELECT count(*) FROM webhook_deliveries") == 0)
        delivered = [message_id(received) for received in receiver.received]
        assert set(source.accepted) <= set(delivered)
        stored = {row["external_message_id"] for row in database.rows("SELECT external_message_id FROM webhook_logs")}
        assert set(delivered) == stored  # committed events whose 200 was not received are delivered too
        twice = len(delivered) - len(set(delivered))
        print(f"{len(delivered)} deliveries, {twice} of them twice, in {KILLS} kills")
        # Repeated are only deliveries in flight, or without a written result: a written one is never sent again.
        assert database.rows(WRITTEN_TWICE) == []
        assert database.rows("SELECT DISTINCT status FROM webhook_logs") == [{"status": "processed"}]
        for received in receiver.received:
            assert source.accepted.get(message_id(received), accounts[int(received.path[1:])]) is accounts[int(received.path[1:])]


def test_a_database_that_goes_away(cluster, database_url, open_database):
    with Receiver() as receiver:
        account = open_database().add_account(webhook_url=receiver.url())
        with Gateway(database_url, **SETTINGS) as gateway:
            with Source(gateway, [account]) as source:
                for _ in range(5):
                    seen = len(receiver.received)
                    eventually(lambda: len(receiver.received) >= seen + 20)
                    cluster.restart(immediate=True)
            reopened = open_database()
            eventually(lambda: reopened.value("SELECT count(*) FROM webhook_deliveries") == 0, timeout_s=90)
        delivered = {message_id(received) for received in receiver.received}
        assert set(source.accepted) <= delivered
        assert reopened.value("SELECT count(*) FROM webhook_logs WHERE status <> 'processed'") == 0


@pytest.mark.slow  # two attempts to a receiver that hangs, of 15 s each
def test_receivers_of_every_kind_beside_a_good_one(database_url, open_database):
    database = open_database()
    acts = {"hang": hang, "reset": reset, "drip": drip, "500": answer(500), "302": answer(302, location="/elsewhere"),
            "100MB": endless, "garbage": garbage, "good": answer()}
    ends = {"100MB": "processed", "good": "processed"}
    with Receiver() as receiver:
        receiver.by_path = {f"/{name}": [act] for name, act in acts.items()}
        accounts = {name: database.add_account(webhook_url=receiver.url(f"/{name}")) for name in acts}
        with Gateway(database_url, **SETTINGS) as gateway:
            client = gateway.client()
            for account in accounts.values():
                assert client.post(PATH, meta.whatsapp_messages(account.key, meta.message()), SHARED_SECRET).status == 200
            client.close()

            def statuses(name):
                return [row["status"] for row in database.logs(accounts[name])]

            for name in ends:
                eventually(lambda name=name: statuses(name) == ["processed"])
            for name in acts.keys() - ends.keys():
                eventually(lambda name=name: database.value(
                    "SELECT count(DISTINCT a.event_id) FROM webhook_delivery_attempts AS a JOIN webhook_logs AS l ON l.id = a.event_id "
                    "WHERE l.social_account_id = %s", accounts[name].id) == 1)
                assert statuses(name) == ["received"]
            # Failing deliveries reach their last attempt.
            eventually(lambda: database.value("SELECT min(attempts) FROM webhook_deliveries") >= 1)
            database.rows("UPDATE webhook_deliveries SET attempts = 9, due_at = now(); NOTIFY socialsync_deliveries")
            for name in acts.keys() - ends.keys():
                eventually(lambda name=name: statuses(name) == ["error"], timeout_s=60)
        assert "/elsewhere" not in {received.path for received in receiver.received}
        assert database.value("SELECT count(*) FROM webhook_deliveries WHERE due_at < 'infinity'") == 0
