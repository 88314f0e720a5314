"""`socialsync deliveries …`: list pending deliveries, show an event's attempts, retry, replay, cancel."""

import json

import pytest

import program


def run(url, *arguments, code=0):
    done = program.run("deliveries", *arguments, DATABASE_URL=url)
    assert done.returncode == code, done.stdout + done.stderr
    return done


def answer(url, *arguments):
    return json.loads(run(url, *arguments, "--output", "json").stdout)


@pytest.fixture
def filled(database):
    """An account with an endpoint and five events: one never queued, two pending, two dead-lettered."""
    account = database.add_account(webhook_url="https://bot.example/hook")
    account.endpoint = database.value("SELECT id FROM webhook_endpoints WHERE social_account_id = %s", account.id)
    account.events = [database.value("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}')", account.id) for _ in range(5)]
    for event, due in zip(account.events[1:], ("now", "2100-01-01", "infinity", "infinity")):
        database.rows("INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at, attempts) VALUES (%s, %s, %s, 3)",
                      event, account.endpoint, due)
    database.rows("INSERT INTO webhook_delivery_attempts (event_id, endpoint_id, attempt, http_status, took_ms, error, response_head) "
                  "VALUES (%s, %s, 3, 500, 12, 'http_status', %s)", account.events[3], account.endpoint, b"oh\x1b[2Jno")
    return account


def test_pages_and_filters(filled, database_url):
    def events(*arguments):
        return {row["event_id"] for row in answer(database_url, "list", "--account", filled.key, *arguments)["rows"]}
    assert events() == set(filled.events[1:])
    assert events("--status", "dead") == set(filled.events[3:])
    assert events("--status", "pending", "--endpoint", filled.endpoint[:8]) == set(filled.events[1:3])
    assert events("--status", "failed") == {filled.events[3]} and events("--status", "delivered") == set()
    seen, page = [], ["--limit", "3"]
    while True:
        got = answer(database_url, "list", "--account", filled.key, *page)
        seen += [row["event_id"] for row in got["rows"]]
        if not got["next"]:
            break
        page = ["--limit", "3", "--after", got["next"]]
    assert sorted(seen) == sorted(filled.events[1:])
    run(database_url, "list", "--after", "nonsense", code=2)


def test_where_did_that_message_go(filled, database_url):
    shown = run(database_url, "show", filled.events[3]).stdout
    assert "http_status 500, 12 ms" in shown and r"oh\x1b[2Jno" in shown and "dead-lettered, after 3 attempts" in shown
    assert "waiting until 2100-01-01" in run(database_url, "show", filled.events[2]).stdout
    assert "no deliveries, and no attempts" in run(database_url, "show", filled.events[0]).stdout
    run(database_url, "show", "00000000-0000-8000-8000-000000000000", code=9)


def test_retry_replay_and_cancel(filled, database, database_url):
    of = ["--account", filled.key]
    assert answer(database_url, "retry", *of, "--dry-run") == {"v": 1, "dry_run": True, "matching": 2, "changed": 0}
    run(database_url, "retry", *of, code=2)
    assert answer(database_url, "retry", *of, "--yes", "--rate", "1000")["changed"] == 2
    assert database.value("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = %s AND due_at <= now() AND attempts = 0",
                          filled.endpoint) == 2
    run(database_url, "retry", "--replay", *of, "--yes", code=2)
    replay = ["retry", "--replay", *of, "--since", "2020-01-01"]
    assert answer(database_url, *replay, "--dry-run")["matching"] == 1
    assert answer(database_url, *replay, "--yes")["changed"] == 1
    assert answer(database_url, *replay, "--yes")["matching"] == 0
    run(database_url, "cancel", "--yes", code=2)
    assert answer(database_url, "cancel", *of, "--yes")["changed"] == 5
    assert database.value("SELECT count(*) FROM webhook_delivery_attempts WHERE endpoint_id = %s AND error = 'cancelled'",
                          filled.endpoint) == 5
    assert answer(database_url, "list", *of)["rows"] == []


def test_leased_deliveries_are_left_to_their_worker(filled, database, database_url):
    for in_hand in filled.events[1], filled.events[2]:
        database.rows("UPDATE webhook_deliveries SET due_at = now() + interval '55 s' WHERE event_id = %s", in_hand)
    assert answer(database_url, "retry", "--account", filled.key, "--status", "any", "--yes")["changed"] == 2
    assert database.value("SELECT array_agg(attempts ORDER BY event_id) FROM webhook_deliveries WHERE endpoint_id = %s "
                          "AND due_at > now()", filled.endpoint) == [3, 3]


def test_a_cancelled_delivery_does_not_look_delivered(filled, database, database_url):
    delivered, cancelled = filled.events[0], filled.events[4]
    database.rows("INSERT INTO webhook_delivery_attempts (event_id, endpoint_id, attempt, http_status, took_ms) VALUES (%s, %s, 1, 200, 5)",
                  delivered, filled.endpoint)
    run(database_url, "cancel", "--event", cancelled, "--yes")
    shown = run(database_url, "show", cancelled).stdout
    assert "cancelled by the operator after 3 attempts" in shown and "not delivered: cancelled" in shown
    assert "hook: delivered" in run(database_url, "show", delivered).stdout
    assert [end["result"] for end in answer(database_url, "show", cancelled)["ended"]] == ["cancelled"]
    assert [end["result"] for end in answer(database_url, "show", delivered)["ended"]] == ["delivered"]
    assert answer(database_url, "show", filled.events[3])["ended"] == []
    database.rows("DELETE FROM webhook_deliveries WHERE event_id = %s", filled.events[3])
    assert "not delivered: no longer in the outbox" in run(database_url, "show", filled.events[3]).stdout
