"""PostgreSQL is unreachable: never a 200, Meta is told to retry, and service resumes when PostgreSQL does."""

import threading
import time

import pytest

import meta
from gateway import Gateway
from load import PATH
from tenants import SHARED_SECRET, Database, new_secret
from waiting import eventually

pytestmark = pytest.mark.sanitizers

TOKEN = new_secret()
META_WAITS_S = 5
SLACK_S = 3
HANDSHAKE = f"/api/meta/webhook?hub.mode=subscribe&hub.challenge=42&hub.verify_token={TOKEN}"


@pytest.fixture(scope="module")
def account(database):
    return database.add_account(verify_token=TOKEN)


@pytest.fixture(scope="module")
def gateway(account, gateway):
    """Started after the account exists."""
    return gateway


@pytest.fixture
def outage(cluster):
    """PostgreSQL's processes are killed; call it to restart them."""
    cluster.kill()
    back = []

    def end():
        if not back:
            back.append(cluster.start())

    yield end
    end()


@pytest.fixture
def stored(cluster, database_name):
    """Counts the rows of an event, over a connection of its own."""

    def count(message):
        database = Database(cluster.dsn(database_name))
        found = database.log_count(message["id"])
        database.close()
        return found

    return count


def send(client, account, message):
    return client.post(PATH, meta.whatsapp_messages(account.key, message), SHARED_SECRET)


def test_database_unreachable_for_long(gateway, account, outage, client, stored):
    message = meta.message()
    began = time.monotonic()
    answer = send(client, account, message)
    assert time.monotonic() - began < META_WAITS_S + SLACK_S
    assert (answer.status, answer.error_code()) == (503, "not_committed")
    assert int(answer.headers["Retry-After"]) > 0
    assert client.get(HANDSHAKE).body == b"42"
    assert client.get("/healthz").status == 200
    eventually(lambda: client.get("/readyz").status == 503)

    outage()
    eventually(lambda: client.get("/readyz").status == 200)
    assert send(client, account, message).status == 200
    assert stored(message) == 1


def test_database_unreachable_for_a_moment(gateway, account, outage, stored):
    """Waiting requests get their 200."""
    message, answers = meta.message(), []
    sender = threading.Thread(target=lambda: answers.append(send(gateway.client(), account, message)))
    sender.start()
    time.sleep(0.3)
    outage()
    sender.join()
    assert answers[0].status == 200
    assert stored(message) == 1


def test_database_unreachable_at_the_start(database_url, account, outage, stored):
    message = meta.message()
    late = Gateway(database_url, META_APP_SECRET=SHARED_SECRET, WHATSAPP_VERIFY_TOKEN=TOKEN)
    with late.start(until_ready=False):
        client = late.client()
        answer = send(client, account, message)
        assert (answer.status, answer.error_code()) == (503, "starting")
        assert answer.headers["Retry-After"]
        assert client.get(HANDSHAKE).body == b"42"
        assert client.get("/readyz").status == 503
        outage()
        late.wait_until_ready()
        assert send(client, account, message).status == 200
    assert stored(message) == 1
