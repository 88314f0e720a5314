"""Quarantined events are rerouted once their account exists: by the gateway, and by `quarantine reroute`."""

import json

import pytest

import meta
import program
from gateway import Gateway
from tenants import SHARED_SECRET, new_key, new_secret
from waiting import eventually

pytestmark = pytest.mark.sanitizers

PATH = "/api/whatsapp/webhook"
RACE_ROUNDS = 6


@pytest.fixture(scope="module")
def keeper(database):
    """A number that has an account from the start, so that the directory is not empty."""
    return database.add_account()


def send(client, body, secret=SHARED_SECRET):
    assert client.post(PATH, body, secret).status == 200


def ids(rows):
    return sorted(row["external_message_id"] for row in rows)


def reroute(url, *arguments, **settings):
    done = program.run("quarantine", "reroute", "--output", "json", *arguments, DATABASE_URL=url,
                       **{"META_APP_SECRET": SHARED_SECRET, **settings})
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)["reasons"]


# ---- By itself


def test_a_new_account_gets_its_quarantined_events(client, gateway, database):
    key, messages = new_key(), [meta.message(), meta.message(timestamp=False)]
    for message in messages:
        send(client, meta.whatsapp_messages(key, message))
    assert len(database.quarantined(key)) == 2
    moved = gateway.metric("socialsync_quarantine_rerouted_total")
    account = database.add_account(key=key)
    eventually(lambda: len(database.logs(account)) == 2)
    assert database.quarantined(key) == []
    assert ids(database.logs(account)) == sorted(message["id"] for message in messages)
    eventually(lambda: gateway.metric("socialsync_quarantine_rerouted_total") == moved + 2)
    eventually(lambda: "quarantine rerouted" in gateway.log())
    eventually(lambda: database.value("SELECT webhook_status FROM social_accounts WHERE id = %s", account.id) == "active")
    for message in messages:  # Meta sends them again
        send(client, meta.whatsapp_messages(key, message))
    assert len(database.logs(account)) == 2


def test_an_account_that_is_enabled_gets_its_quarantined_events(client, gateway, database):
    account = database.add_account(is_active=False)
    gateway.settle(database)
    send(client, meta.whatsapp_messages(account.key))
    assert [row["reason"] for row in database.quarantined(account.key)] == ["inactive_account"]
    database.rows("UPDATE social_accounts SET is_active = true WHERE id = %s", account.id)
    eventually(lambda: len(database.logs(account)) == 1)


def test_events_of_another_secret_stay_until_the_account_has_it(client, gateway, database):
    account = database.add_account(secret=new_secret())
    other = database.add_account(secret=new_secret())
    gateway.settle(database)
    send(client, meta.whatsapp_messages(account.key), other.secret)
    send(client, meta.whatsapp_messages(account.key, forged := meta.message()), SHARED_SECRET)
    database.rows("UPDATE social_accounts SET app_secret = %s WHERE id = %s", other.secret, account.id)
    eventually(lambda: len(database.logs(account)) == 1)
    [stays] = database.quarantined(account.key)
    assert forged["id"].encode() in stays["body"]


def test_an_ambiguous_key_becomes_unique(client, gateway, database):
    key = new_key()
    one, two = (database.add_account("instagram", webhook_metadata=f'{{"ids": ["{key}"]}}') for _ in range(2))
    gateway.settle(database)
    assert client.post("/api/instagram/webhook", meta.instagram_message(key), SHARED_SECRET).status == 200
    assert [row["reason"] for row in database.quarantined(key)] == ["ambiguous_account"]
    database.rows("DELETE FROM social_accounts WHERE id = %s", two.id)
    eventually(lambda: len(database.logs(one)) == 1)


def test_a_waba_is_learned_from_rerouted_events(client, gateway, database):
    key, waba = new_key(), new_key()
    template = meta.account_change("message_template_status_update", event="APPROVED", message_template_id=new_key())
    send(client, meta.whatsapp(meta.entry(waba, template)))
    send(client, meta.whatsapp(meta.entry(waba, meta.change(key, [meta.message()]))))
    account = database.add_account(key=key)
    eventually(lambda: {row["webhook_type"] for row in database.logs(account)}
               == {"messages", "message_template_status_update"})


def test_at_the_start(database, database_url, gateway, client):
    key = new_key()
    send(client, meta.whatsapp_messages(key))
    database.rows("ALTER TABLE social_accounts DISABLE TRIGGER socialsync_accounts_changed")
    account = database.add_account(key=key)
    database.rows("ALTER TABLE social_accounts ENABLE TRIGGER socialsync_accounts_changed")
    with Gateway(database_url, META_APP_SECRET=SHARED_SECRET):
        eventually(lambda: len(database.logs(account)) == 1)


def test_a_bare_change_as_deep_as_a_body_may_be(client, gateway, database):
    """The stored row has a webhook around it, and so is deeper."""
    key = new_key()
    change = meta.change(key, [{**meta.message(), "nested": "NESTED"}])
    body = meta.encode(change).replace(b'"NESTED"', b"[" * 60 + b"]" * 60)
    send(client, body)
    assert len(database.quarantined(key)) == 1
    account = database.add_account(key=key)
    eventually(lambda: len(database.logs(account)) == 1)


def test_events_of_many_accounts_are_rerouted_in_several_transactions(gateway, database):
    """An event of a WABA is an event of each of its accounts: a batch of them must not delay new webhooks."""
    waba, accounts, count = new_key(), 100, 25
    template = meta.account_change("message_template_status_update", event="APPROVED", message_template_id="NUMBER")
    database.rows(
        "INSERT INTO webhook_quarantine (reason, platform, routing_key, webhook_type, signed_by, body) "
        "SELECT 'unknown_account', 'whatsapp', %s, 'messages', left(encode(sha256(%s), 'hex'), 16), "
        "convert_to(replace(%s, 'NUMBER', n::text), 'UTF8') FROM generate_series(1, %s) AS n",
        waba, SHARED_SECRET.encode(), meta.whatsapp(meta.entry(waba, template)).decode(), count)
    database.rows(
        "INSERT INTO social_accounts (platform, account_id, username, user_id, phone_number_id, webhook_metadata) "
        "SELECT 'whatsapp', %s || n, 'someone', %s, %s || n, jsonb_build_object('waba_id', %s) FROM generate_series(1, %s) AS n",
        waba, database.add_user(), waba, waba, accounts)
    eventually(lambda: database.quarantined(waba) == [])
    written = [row["count"] for row in database.rows(
        "SELECT count(*) FROM webhook_logs WHERE payload #>> '{entry,0,id}' = %s GROUP BY xmin ORDER BY 1", waba)]
    assert written == [500, 1000, 1000]


@pytest.mark.release_only
def test_locked_rows_are_retried(client, gateway, database, open_database):
    """However long they were locked."""
    key = new_key()
    send(client, meta.whatsapp_messages(key))
    holder = open_database()
    holder.rows("BEGIN")
    holder.rows("SELECT FROM webhook_quarantine WHERE routing_key = %s FOR UPDATE", key)

    account = database.add_account(key=key)
    attempts = set()

    def more_attempts_than_looks():
        """the gateway skips the locked row each time: two searches are for this account, one may follow its start"""
        attempts.update(row["query_start"] for row in database.rows(
            "SELECT query_start FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE %s", "DELETE%webhook_quarantine%"))
        return len(attempts) > 3

    eventually(more_attempts_than_looks, timeout_s=60)
    holder.rows("ROLLBACK")
    eventually(lambda: len(database.logs(account)) == 1)


# ---- By command


@pytest.fixture
def nobody_routes(gateway):
    """The gateway is stopped."""
    gateway.stop()
    yield
    gateway.start()


def waiting(client, database, count=1, **account):
    """An account that came after its messages, and those."""
    key = new_key()
    messages = [meta.message(timestamp=bool(number % 2)) for number in range(count)]
    for message in messages:
        send(client, meta.whatsapp_messages(key, message))
    return key, messages


def test_rerouted_events_have_the_ids_of_direct_routing(client, gateway, database, database_url):
    """An event that Meta retried before is not stored twice."""
    key, messages = waiting(client, database, 6)
    gateway.stop()
    before = database.quarantined(key)
    account = database.add_account(key=key)
    database.rows("CREATE TABLE kept AS SELECT * FROM webhook_quarantine WHERE routing_key = %s", key)
    database.rows("DELETE FROM webhook_quarantine WHERE routing_key = %s", key)
    gateway.start()
    again = gateway.client()
    for message in messages[:3]:
        send(again, meta.whatsapp_messages(key, message))
    again.close()
    delivered = {row["external_message_id"]: row["id"] for row in database.logs(account)}
    gateway.stop()
    database.rows("INSERT INTO webhook_quarantine SELECT * FROM kept")
    rehearsed = reroute(database_url, "--routing-key", key, "--dry-run")["unknown_account"]
    assert (rehearsed["rows"], rehearsed["moved"], rehearsed["accounts"]) == (6, 6, {account.id: 6})
    assert len(database.quarantined(key)) == len(before)
    done = reroute(database_url, "--routing-key", key)["unknown_account"]
    assert (done["moved"], done["events"], done["duplicates"]) == (6, 3, 3)
    rows = database.logs(account)
    assert ids(rows) == sorted(message["id"] for message in messages)
    assert {row["external_message_id"]: row["id"] for row in rows}.items() >= delivered.items()
    assert database.quarantined(key) == []
    gateway.start()
    last = gateway.client()
    for message in messages:
        send(last, meta.whatsapp_messages(key, message))
    last.close()
    assert len(database.logs(account)) == 6


def test_why_the_others_stay(client, database, database_url, gateway, nobody_routes):
    rows = {
        "unknown_account": ("unknown_account", meta.whatsapp_messages(new_key()), SHARED_SECRET),
        "unknown_secret": ("secret_mismatch", meta.whatsapp_messages(new_key()), "of another time"),
        "unsigned": ("unknown_account", meta.whatsapp_messages(new_key()), None),
        "not_json": ("not_json", b"{", SHARED_SECRET),
        "unreadable": ("unreadable", b"17", SHARED_SECRET),
        "no_event": ("not_a_webhook", b'{"object":"whatsapp_business_account","entry":[]}', SHARED_SECRET),
    }
    made = {}
    for why, (reason, body, secret) in rows.items():
        made[why] = database.value(
            "INSERT INTO webhook_quarantine (reason, platform, body, signed_by) VALUES (%s, 'whatsapp', %s, "
            "left(encode(sha256(%s), 'hex'), 16)) RETURNING id", reason, body, secret and secret.encode())
    before = database.rows("SELECT *, xmin FROM webhook_quarantine ORDER BY id")
    found = reroute(database_url, *[word for row in made.values() for word in ("--id", row)])
    told = {}
    for of in found.values():
        assert of["moved"] == 0
        told.update(of["stays"])
    assert told == dict.fromkeys(rows, 1)
    assert database.rows("SELECT *, xmin FROM webhook_quarantine ORDER BY id") == before


def test_a_row_that_the_database_refuses_delays_no_other(client, database, database_url, gateway):
    key, messages = waiting(client, database, 5)
    gateway.stop()
    account = database.add_account(key=key)
    database.rows(f"ALTER TABLE webhook_logs ADD CONSTRAINT not_that_one CHECK (external_message_id <> '{messages[2]['id']}')")
    try:
        found = reroute(database_url, "--routing-key", key)["unknown_account"]
    finally:
        database.rows("ALTER TABLE webhook_logs DROP CONSTRAINT not_that_one")
    assert (found["moved"], found["stays"]) == (4, {"rejected_by_database": 1})
    assert len(database.logs(account)) == 4
    [stays] = database.quarantined(key)
    assert messages[2]["id"].encode() in stays["body"]
    gateway.start()
    eventually(lambda: len(database.logs(account)) == 5)


def test_a_body_with_several_events_is_split(database, database_url, gateway, nobody_routes):
    """A body that an older program could not read."""
    account, stranger = database.add_account(), new_key()
    body = meta.whatsapp(*(meta.entry(key, meta.change(key, [meta.message()])) for key in (account.key, stranger)))
    row = database.value("INSERT INTO webhook_quarantine (reason, body, signed_by) VALUES ('not_a_webhook', %s, "
                         "left(encode(sha256(%s), 'hex'), 16)) RETURNING id", body, SHARED_SECRET.encode())
    found = reroute(database_url, "--id", row)["not_a_webhook"]
    assert (found["moved"], found["events"]) == (1, 1)
    assert len(database.logs(account)) == 1
    assert [row["reason"] for row in database.quarantined(stranger)] == ["unknown_account"]
    assert database.value("SELECT count(*) FROM webhook_quarantine WHERE id = %s", row) == 0


def test_a_body_of_too_many_events_stays_as_it_is(database, database_url, gateway, nobody_routes):
    """Its first events were logged when it came; written again, it would be the newest row, and found again."""
    account = database.add_account()
    body = meta.whatsapp_messages(account.key, *(meta.message() for _ in range(5001)))
    row = database.value("INSERT INTO webhook_quarantine (reason, body, signed_by) VALUES ('too_many_events', %s, "
                         "left(encode(sha256(%s), 'hex'), 16)) RETURNING id", body, SHARED_SECRET.encode())
    before = database.rows("SELECT *, xmin FROM webhook_quarantine WHERE id = %s", row)
    found = reroute(database_url, "--reason", "too_many_events")["too_many_events"]
    assert (found["rows"], found["moved"], found["stays"]) == (1, 0, {"too_many_events": 1})
    assert database.rows("SELECT *, xmin FROM webhook_quarantine WHERE id = %s", row) == before


def test_select_insert_and_delete_privileges_are_enough(client, database, database_url, cluster, gateway):
    key, messages = waiting(client, database, 2)
    gateway.stop()
    account = database.add_account(key=key)
    database.rows("CREATE ROLE limited LOGIN PASSWORD 'limited'; GRANT service_role TO limited; "
                  "REVOKE UPDATE ON webhook_quarantine FROM service_role")
    try:
        limited = {"DB_HOST": "127.0.0.1", "DB_PORT": cluster.port, "DB_USER": "limited", "DB_PASSWORD": "limited",
                   "DB_NAME": database.value("SELECT current_database()")}
        assert reroute("", "--routing-key", key, **limited)["unknown_account"]["moved"] == 2
    finally:
        database.rows("GRANT UPDATE ON webhook_quarantine TO service_role; DROP ROLE limited")
        gateway.start()
    assert len(database.logs(account)) == 2


# ---- Killed


@pytest.mark.release_only
def test_killed_in_the_middle_nothing_is_lost_or_doubled(database, database_url, gateway):
    """The gateway is killed again and again while it reroutes some thousand rows."""
    gateway.stop()
    key, count = new_key(), 4000
    one = meta.whatsapp_messages(key, meta.message(message_id="wamid.NUMBER"))
    database.rows(
        "INSERT INTO webhook_quarantine (reason, platform, routing_key, webhook_type, signed_by, body, created_at) "
        "SELECT 'unknown_account', 'whatsapp', %s, 'messages', left(encode(sha256(%s), 'hex'), 16), "
        "convert_to(replace(%s, 'NUMBER', 'K' || n), 'UTF8'), now() - n * interval '1 second' FROM generate_series(1, %s) AS n",
        key, SHARED_SECRET.encode(), one.decode(), count)
    account = database.add_account(key=key)

    def left():
        return database.value("SELECT count(*) FROM webhook_quarantine WHERE routing_key = %s", key)

    interrupted = 0
    for _ in range(RACE_ROUNDS):
        at_start = left()
        gateway.start(until_ready=False)
        eventually(lambda: left() < at_start or not at_start)
        gateway.kill()
        interrupted += 0 < left() < count
    assert interrupted, "no kill met a batch: the test shows nothing"
    gateway.start()
    eventually(lambda: left() == 0)
    assert database.value("SELECT count(*) FROM webhook_logs WHERE social_account_id = %s", account.id) == count
    assert database.value("SELECT count(DISTINCT external_message_id) FROM webhook_logs WHERE social_account_id = %s",
                          account.id) == count
