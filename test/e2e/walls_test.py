"""Attacks of one tenant on another. The attacker has its own app secret and knows all ids."""

import json
from dataclasses import dataclass

import pytest

import meta
from gateway import Gateway
from tenants import SHARED_SECRET, Account, new_key, new_secret
from waiting import eventually

PATH = "/api/meta/webhook"
APP = new_secret()  # a second Meta app of the operator's own


@dataclass
class Tenant:
    """A number and a Page, under one app."""

    number: Account
    page: Account
    waba: str
    secret: str


@pytest.fixture(scope="module")
def gateway(database_url):
    with Gateway(database_url, META_APP_SECRET=f"{SHARED_SECRET},{APP}", INSTAGRAM_APP_SECRET=new_secret()) as running:
        yield running


def make(database, secret, **columns):
    waba = new_key()
    number = database.add_account(secret=secret, webhook_metadata=json.dumps({"waba_id": waba}), **columns)
    return Tenant(number, database.add_account("instagram", secret=secret), waba, secret or SHARED_SECRET)


@pytest.fixture(params=["a secret of its own", "the environment's secret"])
def tenants(database, gateway, request):
    """The attacker, and its victim."""
    made = make(database, new_secret()), make(database, None if "environment" in request.param else new_secret())
    gateway.settle(database)
    return made


def accepted(client, body, secret):
    answer = client.post(PATH, body, secret)
    assert (answer.status, answer.json()) == (200, {"status": "ok"})


def template(waba):
    return meta.whatsapp(meta.entry(waba, meta.account_change(
        "message_template_status_update", event="APPROVED", message_template_id=new_key())))


def counted(database, *accounts):
    return [len(database.logs(account)) for account in accounts]


def seen(database, account):
    return database.rows("SELECT last_webhook_at, webhook_status, webhook_metadata, display_phone_number "
                         "FROM social_accounts WHERE id = %s", account.id)


def test_another_s_number_or_page_under_my_secret(client, gateway, database, tenants):
    mine, theirs = tenants
    before = seen(database, theirs.number), seen(database, theirs.page)
    for body, key in ((meta.whatsapp_messages(theirs.number.key), theirs.number.key),
                      (meta.instagram_message(theirs.page.key), theirs.page.key),
                      (meta.instagram_comment(theirs.page.key), theirs.page.key),
                      (template(theirs.waba), theirs.waba)):
        accepted(client, body, mine.secret)
        assert database.quarantined(key)[-1]["reason"] == "secret_mismatch"
    assert counted(database, theirs.number, theirs.page, mine.number, mine.page) == [0, 0, 0, 0]
    accepted(client, meta.whatsapp_messages(mine.number.key), mine.secret)
    eventually(lambda: seen(database, mine.number)[0]["webhook_status"] == "active")
    assert (seen(database, theirs.number), seen(database, theirs.page)) == before


def test_mine_and_another_s_in_one_body(client, database, tenants):
    mine, theirs = tenants
    good, bad = meta.message(), meta.message()
    accepted(client, meta.whatsapp(
        meta.entry(theirs.waba, meta.change(theirs.number.key, [bad]), meta.change(mine.number.key, [good]))), mine.secret)
    assert [row["external_message_id"] for row in database.logs(mine.number)] == [good["id"]]
    [row] = database.quarantined(theirs.number.key)
    assert (row["reason"], good["id"].encode() in row["body"]) == ("secret_mismatch", False)
    assert theirs.number.key not in database.logs(mine.number)[0]["payload_text"]


def test_an_event_under_my_account_does_not_replace_another_s(client, database, tenants):
    """Ids that an attacker has seen, or guesses, sent to its own account first."""
    mine, theirs = tenants
    for timestamp in (True, False):
        message = meta.message(timestamp=timestamp)
        for tenant in (mine, theirs):
            accepted(client, meta.whatsapp_messages(tenant.number.key, message), tenant.secret)
    accepted(client, meta.whatsapp_messages(theirs.number.key, stolen := meta.message()), mine.secret)
    accepted(client, meta.whatsapp_messages(theirs.number.key, stolen), theirs.secret)
    assert counted(database, mine.number, theirs.number) == [2, 3]


def test_another_s_waba_learned_by_mine(client, gateway, database, tenants):
    mine, theirs = tenants
    accepted(client, meta.whatsapp(meta.entry(theirs.waba, meta.change(mine.number.key, [meta.message()]))), mine.secret)
    eventually(lambda: seen(database, mine.number)[0]["webhook_metadata"] == {"waba_id": theirs.waba})
    gateway.settle(database)
    accepted(client, template(theirs.waba), theirs.secret)
    assert counted(database, theirs.number, mine.number) == [1, 1]  # mine: the message


def test_another_s_number_as_my_display_number(client, gateway, database, tenants):
    mine, theirs = tenants
    digits = new_key()
    database.rows("UPDATE social_accounts SET display_phone_number = %s WHERE id = %s", f"+{digits}", theirs.number.id)
    claim = meta.change(mine.number.key, [meta.message()])
    claim["value"]["metadata"]["display_phone_number"] = digits
    accepted(client, meta.whatsapp(meta.entry(theirs.waba, claim)), mine.secret)
    gateway.settle(database)
    about = meta.whatsapp(meta.entry(theirs.waba, meta.account_change(
        "phone_number_quality_update", display_phone_number=digits, event="FLAGGED", current_limit="TIER_1K")))
    accepted(client, about, theirs.secret)
    assert [row["webhook_type"] for row in database.logs(theirs.number)] == ["phone_number_quality_update"]
    assert [row["webhook_type"] for row in database.logs(mine.number)] == ["messages"]


def test_my_secret_and_the_app_s_own_events(client, database, tenants):
    mine, _ = tenants
    waba = new_key()
    body = meta.whatsapp(meta.entry(new_key(), meta.account_change(
        "account_update", event="PARTNER_ADDED", waba_info={"waba_id": waba})))
    accepted(client, body, mine.secret)
    assert [row["reason"] for row in database.quarantined(waba)] != []
    assert database.value("SELECT count(*) FROM webhook_logs WHERE social_account_id IS NULL AND payload::text LIKE %s",
                          f"%{waba}%") == 0


@pytest.mark.parametrize("disguise", [
    lambda key: f" {key}", lambda key: f"{key}\u0000", lambda key: f"0{key}", lambda key: f"+{key}",
    lambda key: "".join(chr(0xFF10 + int(digit)) for digit in key), lambda key: [key], lambda key: {"id": key},
    lambda key: float(key) + 0.5,
])
def test_a_key_in_disguise_is_unroutable(client, database, tenants, disguise):
    mine, theirs = tenants
    for key in (mine.number.key, theirs.number.key):
        body = {"object": "whatsapp_business_account", "entry": [meta.entry(new_key(), {"field": "messages", "value": {
            "metadata": {"phone_number_id": disguise(key)}, "messages": [meta.message()]}})]}
        accepted(client, json.dumps(body).encode(), mine.secret)
    assert counted(database, mine.number, theirs.number) == [0, 0]


def test_a_key_twice_is_read_as_it_is_stored(client, database, tenants):
    """A reader of the payload sees the same owner as the router: the last of two, as PostgreSQL keeps it."""
    mine, theirs = tenants
    for first, last in ((mine, theirs), (theirs, mine)):
        message = meta.message()
        keys = f'{{"phone_number_id": "{first.number.key}", "phone_number_id": "{last.number.key}"}}'
        body = meta.whatsapp_messages("OWNER", message)
        body = body.replace(b'{"display_phone_number": "15550000000", "phone_number_id": "OWNER"}', keys.encode())
        assert keys.encode() in body
        accepted(client, body, mine.secret)
    assert counted(database, mine.number, theirs.number) == [1, 0]
    [row] = database.logs(mine.number)
    assert row["payload"]["entry"][0]["changes"][0]["value"]["metadata"]["phone_number_id"] == mine.number.key


def test_a_replayed_genuine_body(client, database, tenants):
    _, theirs = tenants
    body = meta.whatsapp_messages(theirs.number.key, meta.message(), meta.message(timestamp=False))
    for _ in range(3):
        accepted(client, body, theirs.secret)
    assert counted(database, theirs.number) == [2]


def test_each_app_of_the_operator_signs(client, database, gateway):
    shared = make(database, None)
    gateway.settle(database)
    for secret in (SHARED_SECRET, APP):
        accepted(client, meta.whatsapp_messages(shared.number.key), secret)
    assert counted(database, shared.number) == [2]


def test_a_secret_that_was_rotated_away_signs_nothing_more(client, database, gateway):
    old, new = new_secret(), new_secret()
    account = database.add_account(secret=f"{new},{old}")
    gateway.settle(database)
    for secret in (old, new):
        accepted(client, meta.whatsapp_messages(account.key), secret)
    database.rows("UPDATE social_accounts SET app_secret = %s WHERE id = %s", new, account.id)
    gateway.settle(database)
    assert client.post(PATH, meta.whatsapp_messages(account.key), old).status == 401
    accepted(client, meta.whatsapp_messages(account.key), new)
    assert counted(database, account) == [3]


TENANTS, SECRETS = 10_000, 500


def test_a_request_costs_few_hmacs_however_many_secrets_there_are(client, database, gateway):
    database.rows(f"""
        WITH owner AS (INSERT INTO users (email) VALUES ('many@example.com') RETURNING id)
        INSERT INTO social_accounts (platform, account_id, username, user_id, phone_number_id, app_secret)
        SELECT 'whatsapp', 'many' || i, 'many', owner.id, 9000000 + i, '{meta.SECRET}-many-' || i % {SECRETS}
        FROM owner, generate_series(1, {TENANTS}) AS i""")
    gateway.settle(database)
    assert gateway.metric("socialsync_directory_accounts") >= TENANTS

    def cost(body, secret, status=200):
        before = gateway.metric("socialsync_signature_checks_total")
        assert client.post(PATH, body, secret).status == status
        return gateway.metric("socialsync_signature_checks_total") - before

    shared = 3  # META_APP_SECRET has two, INSTAGRAM_APP_SECRET one
    for i in range(1, TENANTS, 997):
        assert cost(meta.whatsapp_messages(str(9_000_000 + i)), f"{meta.SECRET}-many-{i % SECRETS}") <= shared + 1
    entries = [meta.entry(new_key(), meta.change(str(9_000_000 + 7 + SECRETS * i), [meta.message()])) for i in range(10)]
    assert cost(meta.whatsapp(*entries), f"{meta.SECRET}-many-7") <= shared + 1
    known = database.value("SELECT count(DISTINCT app_secret) FROM social_accounts")
    assert cost(meta.whatsapp_messages("9000001"), new_secret(), 401) <= shared + known
