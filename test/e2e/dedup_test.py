"""The same body again: at once from many connections, and after a restart. One row for each event."""

import threading

import pytest

import meta
from load import PATH
from tenants import SHARED_SECRET, new_key

COPIES = 50

pytestmark = pytest.mark.every_version


@pytest.fixture(scope="module")
def accounts(database):
    return [database.add_account() for _ in range(2)]


@pytest.fixture(scope="module")
def gateway(accounts, gateway):
    """Started after the accounts exist."""
    return gateway


def webhook(accounts, dated):
    """Events of two tenants, and an unroutable one: the body, and the ids of the events."""
    messages = [meta.message(timestamp=dated) for _ in range(5)]
    stranger = new_key()
    keys = [accounts[0].key, accounts[0].key, accounts[1].key, accounts[1].key, stranger]
    body = meta.whatsapp(*(meta.entry(key, meta.change(key, [message])) for key, message in zip(keys, messages)))
    return body, [message["id"] for message in messages[:-1]], stranger


def send_all_at_once(gateway, body):
    """The statuses of the answers to as many copies, each on a connection that is already open."""
    barrier, statuses = threading.Barrier(COPIES), []

    def send():
        client = gateway.client()
        client.get("/healthz")
        barrier.wait()
        statuses.append(client.post(PATH, body, SHARED_SECRET).status)
        client.close()

    threads = [threading.Thread(target=send) for _ in range(COPIES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


@pytest.mark.parametrize("dated", [True, False], ids=["dated", "undated"])
def test_one_row_for_each_event(database, gateway, accounts, dated):
    body, ids, stranger = webhook(accounts, dated)
    assert send_all_at_once(gateway, body) == [200] * COPIES
    gateway.stop()
    gateway.start()
    assert send_all_at_once(gateway, body) == [200] * COPIES
    assert [database.log_count(message_id) for message_id in ids] == [1] * len(ids)
    assert len(database.quarantined(stranger)) == 1


def test_the_same_event_in_another_body(database, gateway, accounts):
    """Meta puts a repeated event beside other events."""
    message, account = meta.message(), accounts[0]
    client = gateway.client()
    for company in ([], [meta.message()], [message]):
        assert client.post(PATH, meta.whatsapp_messages(account.key, message, *company), SHARED_SECRET).status == 200
    assert database.log_count(message["id"]) == 1


def test_each_tenant_has_its_own(database, gateway, accounts):
    """One message id under two accounts is two events."""
    message = meta.message()
    client = gateway.client()
    for account in accounts:
        assert client.post(PATH, meta.whatsapp_messages(account.key, message), SHARED_SECRET).status == 200
    assert database.log_count(message["id"]) == 2


def test_each_status_of_a_message_is_an_event(database, gateway, accounts):
    message_id, account = meta.new_id(), accounts[0]
    client = gateway.client()
    for _ in range(2):
        for word in ("sent", "delivered", "read"):
            fixed = {**meta.status(word, message_id), "timestamp": "1760000000"}
            assert client.post(PATH, meta.whatsapp_statuses(account.key, fixed), SHARED_SECRET).status == 200
    assert database.log_count(message_id) == 3
