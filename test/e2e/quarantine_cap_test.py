"""The quarantine stays within its limits, and each removal is logged and counted."""

import datetime

import pytest

import meta
import program
from gateway import Gateway
from tenants import SHARED_SECRET, new_key
from waiting import eventually

PATH = "/api/whatsapp/webhook"
ROWS_MAX = 40


@pytest.fixture
def capped(database, database_url):
    """Starts a gateway with these settings on an empty quarantine; returns it."""
    started = []

    def start(**settings):
        gateway = Gateway(database_url, META_APP_SECRET=SHARED_SECRET,
                          **{f"SOCIALSYNC_QUARANTINE_{name}": value for name, value in settings.items()})
        started.append(gateway)
        return gateway.start()

    database.rows("DELETE FROM webhook_quarantine")
    yield start
    for gateway in started:
        gateway.stop()


def fill(database, count, size=10, hours=0, reason="not_json"):
    database.rows("INSERT INTO webhook_quarantine (reason, body, created_at) SELECT %s, convert_to(repeat('x', %s), 'UTF8'), "
                  "now() - %s * interval '1 hour' - n * interval '1 second' FROM generate_series(1, %s) AS n",
                  reason, size, hours, count)


def rows(database):
    return database.value("SELECT count(*) FROM webhook_quarantine")


def test_the_oldest_rows_go(database, capped):
    fill(database, 30, hours=2)
    fill(database, 30, hours=1, reason="unreadable")
    gateway = capped(ROWS_MAX=ROWS_MAX)
    eventually(lambda: rows(database) == ROWS_MAX)
    assert database.value("SELECT count(*) FROM webhook_quarantine WHERE reason = 'unreadable'") == 30
    eventually(lambda: gateway.metric("socialsync_quarantine_removed_total", why="rows") == 20)
    eventually(lambda: gateway.metric("socialsync_quarantine_rows", reason="not_json") == 10)
    [line] = [line for line in gateway.log().splitlines() if "over its limit" in line]
    assert " warning " in line and "not_json=20" in line
    assert datetime.date.today().isoformat()[:4] in line  # from when to when


def test_bytes_count_too(database, capped):
    fill(database, 10, size=1000)
    gateway = capped(BYTES_MAX=4500)
    eventually(lambda: rows(database) == 4)
    eventually(lambda: gateway.metric("socialsync_quarantine_bytes") == 4000)
    assert gateway.metric("socialsync_quarantine_removed_total", why="bytes") == 6


def test_rows_past_their_age_are_removed(database, capped):
    fill(database, 5, hours=49)
    fill(database, 5, hours=47)
    gateway = capped(DAYS=2)
    eventually(lambda: rows(database) == 5)
    assert gateway.metric("socialsync_quarantine_removed_total", why="age") == 5
    eventually(lambda: "past their age" in gateway.log())  # said once all are gone


def test_without_a_limit_age_does_not_matter(database, capped):
    fill(database, 5, hours=24 * 1000)
    gateway = capped()
    eventually(lambda: gateway.metric("socialsync_quarantine_rows", reason="not_json") == 5)
    assert rows(database) == 5


def test_a_flood_gets_503_and_routed_webhooks_do_not(database, open_database, capped):
    """While removal cannot keep up: the oldest row is locked."""
    account = database.add_account()
    fill(database, ROWS_MAX, hours=1)
    gateway = capped(ROWS_MAX=ROWS_MAX)
    gateway.settle(database)
    holder = open_database()
    holder.rows("BEGIN")
    holder.rows("SELECT id FROM webhook_quarantine ORDER BY created_at LIMIT 1 FOR UPDATE")
    client = gateway.client()

    def send_unknown():
        return client.post(PATH, meta.whatsapp_messages(new_key()), SHARED_SECRET)

    answer = eventually(lambda: (sent := send_unknown()).status != 200 and sent)
    assert (answer.status, answer.error_code()) == (503, "quarantine_full")
    assert "Retry-After" in answer.headers or "retry-after" in answer.headers
    assert rows(database) <= ROWS_MAX * 11 // 10 + 1
    mixed = meta.whatsapp(*(meta.entry(key, meta.change(key, [meta.message()])) for key in (account.key, new_key())))
    assert client.post(PATH, mixed, SHARED_SECRET).status == 503
    assert client.post(PATH, meta.whatsapp_messages(account.key), SHARED_SECRET).status == 200
    assert len(database.logs(account)) == 1
    assert gateway.metric("socialsync_requests_total", result="quarantine_full") >= 2
    holder.rows("ROLLBACK")
    eventually(lambda: send_unknown().status == 200)
    eventually(lambda: rows(database) <= ROWS_MAX)
    client.close()


def test_webhooks_that_meta_retries_do_not_fill_it(database, capped):
    body = meta.whatsapp_messages(new_key())
    gateway = capped(ROWS_MAX=ROWS_MAX)
    client = gateway.client()
    for _ in range(2 * ROWS_MAX):
        eventually(lambda: client.post(PATH, body, SHARED_SECRET).status == 200)
    client.close()
    assert rows(database) == 1


def test_no_longer_than_the_events(database_url):
    done = program.run("serve", DATABASE_URL=database_url, SOCIALSYNC_RETENTION_DAYS=5, SOCIALSYNC_QUARANTINE_DAYS=6)
    assert done.returncode == 2 and "SOCIALSYNC_QUARANTINE_DAYS" in done.stderr
