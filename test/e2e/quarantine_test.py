"""Signed webhooks that cannot be read or routed are kept whole, with the reason, and answered with 200."""

import json

import pytest

import meta
from tenants import SHARED_SECRET, new_key, new_secret

PATH = "/api/whatsapp/webhook"


@pytest.fixture(scope="module")
def accounts(database, gateway):
    """One under the shared secret, one that is disabled, and two with secrets of their own."""
    made = {
        "usual": database.add_account(),
        "inactive": database.add_account(is_active=False),
        "first": database.add_account(secret=new_secret()),
        "second": database.add_account(secret=new_secret()),
    }
    gateway.settle(database)
    return made


def accepted(answer):
    return (answer.status, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("body, reason", [
    (b"", "not_json"),
    (b"hello", "not_json"),
    (b'{"entry": [', "not_json"),
    (b'{"a": "\xff\xfe"}', "not_json"),
    (b'{"hello": "world", "n": 1}', "not_a_webhook"),
    (b"[1, 2]", "not_a_webhook"),
    (b"null", "not_a_webhook"),
    (b"[" * 65 + b"]" * 65, "too_deep"),
])
def test_a_body_that_is_no_webhook_is_kept_byte_for_byte(client, database, gateway, body, reason):
    counted = gateway.metric("socialsync_events_total", result=reason)
    assert accepted(client.post(PATH, body, SHARED_SECRET))
    [row] = database.quarantined_body(body)
    assert row["reason"] == reason
    assert gateway.metric("socialsync_events_total", result=reason) == counted + 1


def test_an_unknown_account(client, database):
    key = new_key()
    assert accepted(client.post(PATH, meta.whatsapp_messages(key), SHARED_SECRET))
    [row] = database.quarantined(key)
    assert (row["reason"], row["platform"], row["webhook_type"]) == ("unknown_account", "whatsapp", "messages")
    assert json.loads(row["body"])["object"] == "whatsapp_business_account"


def test_a_disabled_account(client, database, accounts):
    assert accepted(client.post(PATH, meta.whatsapp_messages(accounts["inactive"].key), SHARED_SECRET))
    assert [row["reason"] for row in database.quarantined(accounts["inactive"].key)] == ["inactive_account"]
    assert database.logs(accounts["inactive"]) == []


def test_another_platform_s_account(client, database, accounts):
    key = accounts["usual"].key
    assert accepted(client.post("/api/instagram/webhook", meta.instagram_message(key), SHARED_SECRET))
    assert [row["reason"] for row in database.quarantined(key)] == ["unknown_account"]


def test_a_secret_of_another_tenant(client, database, accounts):
    first, second = accounts["first"], accounts["second"]
    body = meta.whatsapp_messages(second.key)
    assert accepted(client.post(PATH, body, first.secret))
    assert database.logs(second) == []
    [row] = database.quarantined(second.key)
    assert row["reason"] == "secret_mismatch"
    assert row["signed_by"] and first.secret not in row["signed_by"]


def test_the_shared_secret_is_not_that_of_an_account_with_its_own(client, database, accounts):
    lone = accounts["first"]
    before = len(database.quarantined(lone.key))
    assert accepted(client.post(PATH, meta.whatsapp_messages(lone.key), SHARED_SECRET))
    assert [row["reason"] for row in database.quarantined(lone.key)[before:]] == ["secret_mismatch"]
    assert database.logs(lone) == []


def test_a_mixed_body_is_split(client, database, accounts):
    good, bad = meta.message("good"), meta.message("bad")
    stranger, mine = new_key(), accounts["usual"]
    body = meta.whatsapp(
        meta.entry(stranger, meta.change(stranger, [bad])), meta.entry(mine.key, meta.change(mine.key, [good])))
    assert accepted(client.post(PATH, body, SHARED_SECRET))
    assert [row["external_message_id"] for row in database.logs(mine)] == [good["id"]]
    [row] = database.quarantined(stranger)
    assert bad["id"].encode() in row["body"]
    assert good["id"].encode() not in row["body"] and mine.key.encode() not in row["body"]


def test_an_unreadable_part_does_not_delay_the_rest(client, database, accounts):
    good, mine = meta.message(), accounts["usual"]
    body = meta.encode({"object": "whatsapp_business_account", "entry": [
        17, meta.entry(mine.key, meta.change(mine.key, [good]))]})
    before = database.value("SELECT count(*) FROM webhook_quarantine WHERE reason = 'unreadable'")
    assert accepted(client.post(PATH, body, SHARED_SECRET))
    assert database.log_count(good["id"]) == 1
    assert database.value("SELECT count(*) FROM webhook_quarantine WHERE reason = 'unreadable'") == before + 1


@pytest.mark.parametrize("odd", [r"\u0000", r"\ud83d", r"\ude00\ud83d", r"a\u0000\ud800b"])
def test_an_event_that_jsonb_refuses_is_repaired_and_kept_byte_for_byte(client, database, accounts, odd):
    message = meta.message("ODD")
    body = meta.whatsapp_messages(accounts["usual"].key, message).replace(b"ODD", odd.encode())
    assert accepted(client.post(PATH, body, SHARED_SECRET))
    [row] = database.rows("SELECT payload, exact_payload FROM webhook_logs WHERE external_message_id = %s", message["id"])
    assert odd.encode() in bytes(row["exact_payload"])
    assert row["payload"]["entry"][0]["changes"][0]["value"]["messages"][0]["id"] == message["id"]


def test_exact_bytes_are_kept_only_where_needed(client, database, accounts):
    message = meta.message("😀 \\ud83d\\ude00 déjà")
    assert accepted(client.post(PATH, meta.whatsapp_messages(accounts["usual"].key, message), SHARED_SECRET))
    [row] = database.rows("SELECT payload, exact_payload FROM webhook_logs WHERE external_message_id = %s", message["id"])
    assert row["exact_payload"] is None
    assert row["payload"]["entry"][0]["changes"][0]["value"]["messages"][0]["text"] == message["text"]


@pytest.fixture
def nobody_is_told(database):
    """The gateway hears of no change of accounts."""
    database.rows("ALTER TABLE social_accounts DISABLE TRIGGER socialsync_accounts_changed")
    yield
    database.rows("ALTER TABLE social_accounts ENABLE TRIGGER socialsync_accounts_changed")


@pytest.mark.parametrize("statement", ["DELETE FROM social_accounts WHERE id = %s",
                                       "DELETE FROM users WHERE id = (SELECT user_id FROM social_accounts WHERE id = %s)"])
@pytest.mark.parametrize("dated", [True, False])
def test_an_account_that_is_deleted_before_the_commit(client, database, gateway, accounts, statement, dated, nobody_is_told):
    gone, stays = database.add_account(), accounts["usual"]
    database.rows("NOTIFY socialsync_accounts")
    gateway.settle(database)
    database.rows(statement, gone.id)
    lost, kept = (meta.message(timestamp=dated) for _ in range(2))
    body = meta.whatsapp(*(meta.entry(account.key, meta.change(account.key, [message]))
                           for account, message in ((gone, lost), (stays, kept))))
    assert accepted(client.post(PATH, body, SHARED_SECRET))
    assert database.log_count(kept["id"]) == 1
    [row] = database.rows("SELECT reason, body FROM webhook_quarantine WHERE position(%s in body) > 0",
                          lost["id"].encode())
    assert row["reason"] == "unknown_account"
    assert kept["id"].encode() not in bytes(row["body"])


def test_events_of_two_accounts_that_look_the_same_are_two(client, database):
    first, second = new_key(), new_key()
    entries = [{"id": key, "time": 1763800000, "changed_fields": ["feed"]} for key in (first, second)]
    assert accepted(client.post("/api/messenger/webhook", meta.encode({"object": "page", "entry": entries}), SHARED_SECRET))
    assert [len(database.quarantined(key)) for key in (first, second)] == [1, 1]
