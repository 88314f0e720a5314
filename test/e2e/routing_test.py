"""The account of an event, while accounts are added, changed and removed; and the effect of traffic on their rows."""

import time

import pytest

import meta
from tenants import SHARED_SECRET, new_key, new_secret
from waiting import eventually

PATH = "/api/whatsapp/webhook"
FRESH_WITHIN_S = 1
SEEN_WITHIN_S = 2
SLACK_S = 2  # for a sanitizer's build on a busy machine


def is_routed(client, database, body):
    """Sends it, and tells whether the event became a row of webhook_logs."""
    before = database.value("SELECT count(*) FROM webhook_logs")
    assert client.post(PATH, body, SHARED_SECRET).status == 200
    return database.value("SELECT count(*) FROM webhook_logs") > before


def seconds_until(condition):
    began = time.monotonic()
    eventually(condition)
    return time.monotonic() - began


def test_a_new_account_routes_within_a_second(client, database):
    account = database.add_account()
    assert seconds_until(lambda: is_routed(client, database, meta.whatsapp_messages(account.key))) < FRESH_WITHIN_S + SLACK_S


@pytest.mark.parametrize("statement", ["UPDATE social_accounts SET is_active = false WHERE id = %s",
                                       "DELETE FROM social_accounts WHERE id = %s",
                                       "UPDATE social_accounts SET phone_number_id = 'another' WHERE id = %s"])
def test_a_disabled_or_deleted_account_stops_within_a_second(client, gateway, database, statement):
    account = database.add_account()
    gateway.settle(database)
    assert is_routed(client, database, meta.whatsapp_messages(account.key))
    database.rows(statement, account.id)
    took = seconds_until(lambda: not is_routed(client, database, meta.whatsapp_messages(account.key)))
    assert took < FRESH_WITHIN_S + SLACK_S


def test_the_keys_of_an_instagram_account(client, gateway, database):
    account = database.add_account("instagram", account_id=(own := new_key()),
                                   webhook_metadata=f'{{"ids": ["{(linked := new_key())}"]}}')
    gateway.settle(database)
    for key in (account.key, own, linked):
        assert is_routed(client, database, meta.instagram_comment(key))
    assert [row["webhook_type"] for row in database.logs(account)] == ["comments"] * 3


def test_an_entry_that_names_the_number_itself(client, gateway, database):
    """The guide's body: no metadata."""
    account = database.add_account()
    gateway.settle(database)
    assert is_routed(client, database, meta.whatsapp(
        meta.entry(account.key, {"field": "messages", "value": {"messages": [meta.message()]}})))


@pytest.mark.parametrize("wanted, statuses", [
    (None, {"messages": "received", "message_deliveries": "received", "message_reads": "received"}),
    (["messages", "message_reads"],
     {"messages": "received", "message_deliveries": "ignored", "message_reads": "received"}),
    ([], {"messages": "ignored", "message_deliveries": "ignored", "message_reads": "ignored"}),
])
def test_events_that_an_account_did_not_select_are_ignored(client, gateway, database, wanted, statuses):
    account = database.add_account(webhook_events=wanted)
    gateway.settle(database)
    body = meta.whatsapp(meta.entry(account.key, meta.change(
        account.key, [meta.message()], [meta.status("delivered"), meta.status("read")])))
    assert is_routed(client, database, body)
    assert {row["webhook_type"]: row["status"] for row in database.logs(account)} == statuses


def test_an_account_with_a_webhook_turns_active(client, gateway, database):
    account = database.add_account()
    gateway.settle(database)
    before = database.value("SELECT now()")
    assert is_routed(client, database, meta.whatsapp_messages(account.key))

    def seen():
        [row] = database.rows("SELECT webhook_status, last_webhook_at FROM social_accounts WHERE id = %s", account.id)
        return row["webhook_status"] == "active" and row["last_webhook_at"] and row["last_webhook_at"] >= before

    assert seconds_until(seen) < SEEN_WITHIN_S + SLACK_S


def test_a_waba_is_learned_from_routed_events(client, gateway, database):
    account, waba = database.add_account(), new_key()
    gateway.settle(database)

    def about_the_account():
        template = {"event": "APPROVED", "message_template_id": new_key()}
        return meta.whatsapp(meta.entry(waba, meta.account_change("message_template_status_update", **template)))

    assert not is_routed(client, database, about_the_account())
    assert is_routed(client, database, meta.whatsapp(meta.entry(waba, meta.change(account.key, [meta.message()]))))
    eventually(lambda: is_routed(client, database, about_the_account()))
    assert database.logs(account)[-1]["webhook_type"] == "message_template_status_update"
    assert database.value("SELECT webhook_metadata ->> 'waba_id' FROM social_accounts WHERE id = %s", account.id) == waba


def test_an_unknown_number_is_not_routed_to_another_tenant_of_its_waba(client, gateway, database):
    account, waba = database.add_account(webhook_metadata=f'{{"waba_id": "{(waba := new_key())}"}}'), waba
    gateway.settle(database)
    assert not is_routed(client, database, meta.whatsapp(meta.entry(waba, meta.change(new_key(), [meta.message()]))))
    assert database.logs(account) == []


def about_number(waba, field, **value):
    return meta.whatsapp(meta.entry(waba, meta.account_change(field, **value)))


def test_an_event_of_a_waba_goes_to_each_of_its_accounts(client, gateway, database):
    waba = new_key()
    shared = f'{{"waba_id": "{waba}"}}'
    one, two = (database.add_account(webhook_metadata=shared) for _ in range(2))
    off = database.add_account(webhook_metadata=shared, is_active=False)
    gateway.settle(database)
    body = about_number(waba, "message_template_status_update", event="APPROVED", message_template_id=new_key())
    for _ in range(2):
        assert client.post(PATH, body, SHARED_SECRET).status == 200
    assert [len(database.logs(account)) for account in (one, two, off)] == [1, 1, 0]


def test_a_number_named_by_its_digits(client, gateway, database):
    waba = new_key()
    one = database.add_account(webhook_metadata=f'{{"waba_id": "{waba}"}}', display_phone_number="+33 1 55 00 01 01")
    two = database.add_account(webhook_metadata=f'{{"waba_id": "{waba}"}}', display_phone_number="+33 1 55 00 01 02")
    gateway.settle(database)
    assert is_routed(client, database, about_number(waba, "security", display_phone_number="33155000102", event="PIN_CHANGED"))
    assert [len(database.logs(account)) for account in (one, two)] == [0, 1]


def test_a_display_number_is_learned_from_routed_events(client, gateway, database):
    """From a body signed for the account; not over a number that is set, and not another account's."""
    digits, waba = new_key(), new_key()
    number = f"+{digits[:3]} {digits[3:]}"
    usual, told, own = (database.add_account(**columns) for columns in (
        {}, {"display_phone_number": "15559999999"}, {"secret": new_secret()}))
    gateway.settle(database)

    def say(account, text, secret=SHARED_SECRET):
        body = meta.whatsapp(meta.entry(account.key, meta.change(account.key, [meta.message()])))
        assert client.post(PATH, body.replace(b'"15550000000"', meta.encode(text)), secret).status == 200

    def number_of(account):
        return database.value("SELECT display_phone_number FROM social_accounts WHERE id = %s", account.id)

    say(own, number)  # under a secret that is not its own
    say(told, number)
    say(usual, "not a number")
    say(usual, number)
    eventually(lambda: number_of(usual) == number)
    eventually(lambda: is_routed(client, database, about_number(waba, "security", display_phone_number=digits, event=new_key())))
    assert database.logs(usual)[-1]["webhook_type"] == "security"

    late = database.add_account()
    gateway.settle(database)
    say(late, digits)
    seen = "SELECT last_webhook_at IS NOT NULL FROM social_accounts WHERE id = %s"
    eventually(lambda: database.value(seen, late.id))
    assert [number_of(account) for account in (told, own, late)] == ["15559999999", None, None]


def test_an_event_of_a_partner_s_client_goes_to_the_accounts_of_its_business(client, gateway, database):
    business = new_key()
    one, two = (database.add_account(webhook_metadata=f'{{"ids": ["{business}"]}}') for _ in range(2))
    gateway.settle(database)
    for info in ({"partner_client_certification_info": {"client_business_id": business, "status": "APPROVED"}},
                 {"waba_info": {"waba_id": new_key(), "owner_business_id": int(business)}}):
        assert is_routed(client, database, about_number(new_key(), "account_update", **info))
    assert [len(database.logs(account)) for account in (one, two)] == [2, 2]


def test_an_event_of_the_app_goes_to_no_account(client, gateway, database):
    database.add_account()
    gateway.settle(database)
    body = about_number(new_key(), "account_update", event="PARTNER_ADDED", waba_info={"waba_id": new_key()})
    assert is_routed(client, database, body)
    assert not is_routed(client, database, body)
    assert database.value("SELECT count(*) FROM webhook_logs WHERE social_account_id IS NULL AND user_id IS NULL "
                          "AND webhook_type = 'account_update'") == 1


def test_a_locked_account_delays_no_other(client, gateway, database, open_database):
    """A transaction locks its row: its own events get 503, the others are committed."""
    held, other = database.add_account(), database.add_account()
    gateway.settle(database)
    holder = open_database()
    holder.rows("BEGIN")
    holder.rows("SELECT id FROM social_accounts WHERE id = %s FOR UPDATE", held.id)
    answer = client.post(PATH, meta.whatsapp_messages(held.key), SHARED_SECRET)
    assert (answer.status, answer.error_code()) == (503, "not_committed")
    assert is_routed(client, database, meta.whatsapp_messages(other.key))
    holder.rows("ROLLBACK")
    assert is_routed(client, database, meta.whatsapp_messages(held.key))


def test_an_account_id_does_not_inherit_the_events_of_a_disabled_page(client, gateway, database):
    """The page_id of a disabled account still decides."""
    page = new_key()
    database.add_account("instagram", page_id=page, is_active=False)
    database.add_account("instagram", account_id=page)
    gateway.settle(database)
    body = meta.encode({"object": "instagram", "entry": [{"id": page, "time": 1763800000, "messaging": [
        {"sender": {"id": "1"}, "recipient": {"id": page}, "timestamp": 1763800000000,
         "message": {"mid": new_key(), "text": "t"}}]}]})
    assert not is_routed(client, database, body)
    [row] = database.quarantined(page)
    assert row["reason"] == "inactive_account"
