"""`socialsync endpoints show`: why does this tenant receive nothing?"""

import json

import pytest

import program


@pytest.fixture
def show(database_url):
    def show_it(*arguments, code=0, **settings):
        done = program.run("endpoints", "show", *arguments, DATABASE_URL=database_url, **settings)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout
    return show_it


@pytest.fixture
def customer(database):
    """An account with an endpoint and an event of just now."""
    account = database.add_account(webhook_url="https://bot.example/hook")
    account.endpoint = database.value("SELECT id FROM webhook_endpoints WHERE social_account_id = %s", account.id)
    account.event = database.value("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}')", account.id)
    return account


def change(database, customer, assignments):
    database.rows(f"UPDATE webhook_endpoints SET {assignments} WHERE id = %s", customer.endpoint)


def attempt(database, customer, error=None, status=None, head=None, when="now()"):
    database.rows("INSERT INTO webhook_delivery_attempts (attempted_at, event_id, endpoint_id, attempt, http_status, took_ms, error, "
                  f"response_head) VALUES ({when}, %s, %s, 1, %s, 12, %s, %s)", customer.event, customer.endpoint, status, error, head)


def queue(database, customer, due, since="now()"):
    database.rows("INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at, created_at) VALUES "
                  f"(gen_random_uuid(), %s, {due}, {since})", customer.endpoint)


def test_no_problem_is_found(show, database, customer):
    attempt(database, customer, status=200)
    shown = show(customer.endpoint)
    assert "No problem found" in shown and "delivered 200" in shown and customer.event in shown
    answer = json.loads(show(customer.endpoint[:8], "--output", "json"))
    assert answer["v"] == 1 and answer["reasons"] == [] and answer["endpoint"]["id"] == customer.endpoint
    assert (answer["health"]["events_of_a_day"], answer["health"]["wanted_of_a_day"]) == (1, 1)
    assert answer["attempts"][0]["http_status"] == 200 and answer["health"]["last_success_at"]


def test_the_last_attempts_and_pending_deliveries(show, database, customer):
    for n in range(7):
        attempt(database, customer, "http_status", 500, b"oh\x1b[2Jno %d" % n, f"now() - interval '{n} minutes'")
    attempt(database, customer, status=200, when="now() - interval '1 h'")
    change(database, customer, "failing_since = '2026-11-20 10:00Z'")
    queue(database, customer, "now() - interval '10 s'", "'2026-11-20 10:00Z'")
    queue(database, customer, "'2100-01-01Z'")
    queue(database, customer, "'infinity'")
    shown = show(customer.endpoint)
    assert shown.count("response: ") == 5 and r"oh\x1b[2Jno 0" in shown
    assert "every attempt has failed since 2026-11-20T10:00:00Z: http_status 500; the receiver failed" in shown
    assert "2, the oldest since 2026-11-20T10:00:00Z; 1 due now, the next at 2100-01-01T00:00:00Z" in shown
    assert f"1 deliveries are dead-lettered: socialsync deliveries retry --endpoint {customer.endpoint[:8]}" in shown
    assert show(customer.endpoint, "--attempts", "2").count("response: ") == 2


@pytest.mark.parametrize("broken, told", [
    ("UPDATE webhook_endpoints SET is_enabled = false, disabled_because = 'it moves' WHERE id = %(endpoint)s", "disabled (it moves)"),
    ("UPDATE social_accounts SET is_active = false WHERE id = %(account)s", "its account is inactive"),
    ("UPDATE webhook_endpoints SET webhook_events = '{comments}' WHERE id = %(endpoint)s", "its webhook_events are comments"),
    ("UPDATE webhook_logs SET status = 'ignored' WHERE social_account_id = %(account)s", "account's own webhook_events"),
    ("DELETE FROM webhook_logs WHERE social_account_id = %(account)s", "no event of its account in the last 24 h (last one: none)"),
    ("UPDATE social_accounts SET webhook_url = 'http://bot.example/' WHERE id = %(account)s", "SOCIALSYNC_EGRESS_HTTP=1"),
    ("UPDATE webhook_endpoints SET app_secret = 'enc:v1:00000000:AAAA' WHERE id = %(endpoint)s", "decrypts its encrypted secret"),
    ("UPDATE webhook_endpoints SET signing_secret = 'x' WHERE id = %(endpoint)s", "deliveries cannot be signed"),
    ("INSERT INTO webhook_deliveries (event_id, endpoint_id, due_at) VALUES (gen_random_uuid(), %(endpoint)s, now() - interval '2 h')",
     "is serve running"),
])
def test_each_problem_is_named_with_its_remedy(show, database, customer, broken, told):
    cursor_values = {"endpoint": customer.endpoint, "account": customer.id}
    for name, value in cursor_values.items():
        broken = broken.replace(f"%({name})s", f"'{value}'")
    database.rows(broken)
    reason, = json.loads(show(customer.endpoint, "--output", "json"))["reasons"]
    assert told in reason
    assert told in show(customer.endpoint)


def test_deliveries_of_a_pulled_endpoint_wait(show, database, customer):
    change(database, customer, "url = NULL")
    queue(database, customer, "now() - interval '1 h'")
    reason, = json.loads(show(customer.endpoint, "--output", "json"))["reasons"]
    assert f"socialsync events next --endpoint {customer.endpoint[:8]}" in reason


def test_all_of_an_account(show, database, customer):
    database.rows("INSERT INTO webhook_endpoints (social_account_id, place, url) VALUES (%s, 4, 'https://crm.example/')", customer.id)
    assert [one["endpoint"]["place"] for one in json.loads(show("--account", customer.key, "--output", "json"))["endpoints"]] == [0, 4]
    shown = show("--account", customer.key)
    assert "https://bot.example/hook" in shown and "https://crm.example/" in shown
    show("--account", database.add_account().key, code=9)
    show(code=2)


def test_the_operator_s_own(show, database):
    endpoint = database.value("INSERT INTO webhook_endpoints (url) VALUES ('https://ops.example/') RETURNING id")
    assert "no event of the app in the last 24 h" in show(endpoint)
    database.rows("INSERT INTO webhook_logs (platform, webhook_type, payload) VALUES ('whatsapp', 'partner_solutions', '{}')")
    assert "No problem found" in show(endpoint)
