"""200 means committed: through kill -9 of the server and of PostgreSQL, and through a shutdown."""

import os
import signal
import threading
import time

import pytest

import meta
from client import Client
from load import PATH, Load
from tenants import SHARED_SECRET
from waiting import eventually

pytestmark = pytest.mark.sanitizers

ROUNDS = 20
STOP_CAP_S = 30


@pytest.fixture(scope="module")
def account(database):
    return database.add_account()


@pytest.fixture(scope="module")
def gateway(account, gateway):
    """Started after the account exists."""
    return gateway


def assert_kept(open_database, account, load):
    """Every acknowledged event is in the table exactly once."""
    rows = [row["external_message_id"] for row in open_database().logs(account)]
    assert load.acknowledged and not set(load.acknowledged) - set(rows)
    assert len(rows) == len(set(rows))


def test_the_server_is_killed(gateway, account, open_database):
    with Load(gateway, account, SHARED_SECRET) as load:
        for _ in range(ROUNDS):
            load.wait_for_more()
            gateway.kill()
            gateway.start(until_ready=False)
        load.wait_for_more()
    assert load.unanswered, "no kill met a request: the test shows nothing"
    assert_kept(open_database, account, load)


def test_postgresql_restarts_immediately(cluster, gateway, account, open_database):
    with Load(gateway, account, SHARED_SECRET) as load:
        for _ in range(ROUNDS):
            load.wait_for_more()
            cluster.restart(immediate=True)
        load.wait_for_more()
    assert not load.unanswered
    assert_kept(open_database, account, load)


def test_a_shutdown_answers_accepted_requests(gateway, account, open_database):
    with Load(gateway, account, SHARED_SECRET, resends=False) as load:
        load.wait_for_more(100)
        began = time.monotonic()
        assert gateway.stop() == 0
        assert time.monotonic() - began < STOP_CAP_S
    rows = {row["external_message_id"] for row in open_database().logs(account)}
    assert not set(load.acknowledged) - rows
    assert not set(load.unanswered) & rows, "stored, but its sender was not told"
    assert set(load.statuses) == {200}
    gateway.start()


def test_a_shutdown_waits_for_the_commit(gateway, account, open_database):
    """Requests whose commit hangs when the signal comes are answered, on connections that then close."""
    backends = [row["pid"] for row in open_database().rows(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'socialsync' AND datname = current_database()")]
    signal_all(backends, signal.SIGSTOP)
    answers = []
    threads = [threading.Thread(target=send_one, args=(gateway.port, account, answers)) for _ in range(10)]
    for thread in threads:
        thread.start()
    eventually(lambda: gateway.metric("socialsync_http_connections") > len(threads))
    time.sleep(0.2)  # until their bytes are read
    gateway.send_signal(15)
    eventually(lambda: refuses(gateway.port))
    assert not answers
    signal_all(backends, signal.SIGCONT)
    for thread in threads:
        thread.join()
    assert gateway.wait() == 0
    assert [(answer.status, answer.headers["Connection"]) for answer in answers] == [(200, "close")] * len(threads)
    gateway.start()


def signal_all(pids, number):
    assert pids
    for pid in pids:
        os.kill(pid, number)


def send_one(port, account, answers):
    client = Client(port)
    answers.append(client.post(PATH, meta.whatsapp_messages(account.key), SHARED_SECRET))
    client.close()


def refuses(port):
    """Or resets connections that the kernel had accepted and the server had not."""
    try:
        Client(port).get("/healthz")
    except ConnectionError:
        return True
    return False
