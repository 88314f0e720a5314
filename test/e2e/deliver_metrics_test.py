"""Metrics for alerts: endpoints by state, and overdue deliveries."""

import pytest

from gateway import Gateway
from waiting import eventually


@pytest.fixture(scope="module")
def gateway(database_url):
    with Gateway(database_url).start("--deliver-only") as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_before(database):
    database.rows("DELETE FROM webhook_endpoints")


def add_endpoint(database):
    account = database.add_account(webhook_url="https://bot.example/")
    return database.value("SELECT id FROM webhook_endpoints WHERE social_account_id = %s", account.id)


def test_how_endpoints_do(gateway, database):
    def states():
        return [gateway.metric("socialsync_endpoints", state=state) for state in ("ok", "failing", "disabled")]

    eventually(lambda: states() == [0, 0, 0])
    ids = [add_endpoint(database) for _ in range(4)]
    eventually(lambda: states() == [4, 0, 0])
    database.rows("UPDATE webhook_endpoints SET failing_since = now(), concurrent_max = 2 WHERE id = %s", ids[0])
    database.rows("UPDATE webhook_endpoints SET signing_secret = 'broken' WHERE id = %s", ids[1])
    eventually(lambda: states() == [2, 2, 0])
    database.rows("UPDATE webhook_endpoints SET is_enabled = false WHERE id IN (%s, %s)", ids[0], ids[2])
    database.rows("UPDATE webhook_endpoints SET url = NULL WHERE id = %s", ids[3])
    eventually(lambda: states() == [0, 1, 2])


def test_overdue_deliveries(gateway, database):
    def overdue():
        database.rows("NOTIFY socialsync_deliveries")
        return gateway.metric("socialsync_deliveries_overdue_seconds")

    sent, pulled = add_endpoint(database), add_endpoint(database)
    database.rows("UPDATE webhook_endpoints SET signing_secret = 'broken' WHERE id = %s", sent)
    database.rows("UPDATE webhook_endpoints SET url = NULL WHERE id = %s", pulled)
    eventually(lambda: gateway.metric("socialsync_endpoints", state="failing") == 1 and overdue() == 0)
    for endpoint, age in ((sent, "1 hour"), (pulled, "2 hours")):
        database.rows("INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at) "
                      "VALUES (gen_random_uuid(), %s, now() - %s::interval)", endpoint, age)
    assert 3600 <= eventually(overdue) < 7200
    database.rows("UPDATE webhook_endpoints SET signing_secret = socialsync.new_signing_secret() WHERE id = %s", sent)
    eventually(lambda: overdue() == 0)
    assert database.value("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = %s", pulled) == 1
