"""`socialsync migrate route-test`: which tenant would get an event, and why not. The gateway agrees."""

import json

import pytest

import meta
import program
from tenants import SHARED_SECRET, Database, new_key


@pytest.fixture
def fresh(cluster, request):
    """A migrated database without accounts."""
    name = f"route_{abs(hash(request.node.name)):x}"
    cluster.create_database(name, template="migrated")
    database = Database(cluster.dsn(name))
    database.url = cluster.url(name)
    yield database
    database.close()
    cluster.drop_database(name)


def route_test(url, *arguments, **settings):
    done = program.run("migrate", "route-test", *arguments, "--output", "json", DATABASE_URL=url, **settings)
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert answer["v"] == 1
    return done.returncode, answer


def ids(answer):
    return [account["id"] for account in answer["accounts"]]


@pytest.mark.parametrize("platform, option, product", [
    ("whatsapp", "--phone-number-id", "whatsapp"),
    ("whatsapp_business", "--phone-number-id", "whatsapp"),
    ("instagram", "--page-id", "instagram"),
    ("facebook", "--page-id", "messenger"),
])
def test_a_key_leads_to_its_account(database, database_url, platform, option, product):
    account = database.add_account(platform, secret="its own")
    for more in ([], ["--platform", product]):
        code, answer = route_test(database_url, option, account.key, *more)
        assert (code, answer["result"], ids(answer), answer["warnings"]) == (0, "routed", [account.id], [])
        found = answer["accounts"][0]
        assert (found["matched_by"], found["platform"]) == (option[2:].replace("-", "_"), platform)
        assert found["email"].endswith("@example.com")
        assert (found["business_name"], found["webhook_status"]) == (f"Business {account.key}", "inactive")
        assert answer["key"] == {"kind": found["matched_by"], "value": account.key}


def test_an_account_id_and_a_linked_id_lead_there_too(database, database_url):
    linked, connected = new_key(), new_key()
    account = database.add_account("instagram", secret="s", account_id=connected,
                                   webhook_metadata=json.dumps({"ids": [linked]}))
    code, answer = route_test(database_url, "--account-id", connected)
    assert (code, ids(answer), answer["accounts"][0]["matched_by"]) == (0, [account.id], "account_id")
    code, answer = route_test(database_url, "--page-id", linked)
    assert (code, ids(answer)) == (0, [account.id])


def test_a_waba_id_leads_to_its_account(database, database_url):
    waba = new_key()
    account = database.add_account(secret="s", webhook_metadata=json.dumps({"waba_id": waba}))
    code, answer = route_test(database_url, "--waba-id", waba)
    assert (code, ids(answer), answer["accounts"][0]["matched_by"]) == (0, [account.id], "waba_id")


def test_a_display_number_leads_to_its_account_by_its_digits(database, database_url):
    digits = new_key()
    account = database.add_account(secret="s", display_phone_number=f"+{digits[:3]} {digits[3:]}")
    code, answer = route_test(database_url, "--display-phone-number", f"+{digits}")
    assert (code, ids(answer), answer["accounts"][0]["matched_by"]) == (0, [account.id], "display_phone_number")
    code, answer = route_test(database_url, "--display-phone-number", new_key())
    assert (code, answer["result"], ids(answer)) == (9, "unknown_account", [])


def test_an_inactive_account_gets_nothing(database, database_url):
    account = database.add_account(secret="s", is_active=False)
    code, answer = route_test(database_url, "--phone-number-id", account.key)
    assert (code, answer["result"], ids(answer)) == (9, "inactive_account", [account.id])
    assert "inactive" in answer["warnings"][0]


def test_accounts_of_several_users_are_all_listed(database, database_url):
    key = new_key()
    accounts = [database.add_account("instagram", account_id=f"ig_{n}{key}",
                                     webhook_metadata=json.dumps({"ids": [key]})) for n in range(2)]
    code, answer = route_test(database_url, "--page-id", key, META_APP_SECRET="s")
    assert (code, answer["result"]) == (9, "ambiguous_account")
    assert sorted(ids(answer)) == sorted(account.id for account in accounts)


def test_secrets_that_decide_make_it_ambiguous(database, database_url):
    key = new_key()
    for n in range(2):
        database.add_account("instagram", secret=f"secret {n}", account_id=f"sig_{n}{key}",
                             webhook_metadata=json.dumps({"ids": [key]}))
    code, answer = route_test(database_url, "--page-id", key)
    assert (code, answer["result"], len(ids(answer))) == (9, "ambiguous_account", 2)


def test_the_source_of_the_secret_is_named(database, database_url):
    account = database.add_account()
    code, answer = route_test(database_url, "--phone-number-id", account.key, META_APP_SECRET="s")
    assert code == 0
    assert "META_APP_SECRET is used" in answer["warnings"][0]
    code, answer = route_test(database_url, "--phone-number-id", account.key)
    assert "refused with 401" in answer["warnings"][0]


@pytest.mark.parametrize("asked, fact", [
    (["--page-id", "{phone}"], "is the phone_number_id of account {id} on whatsapp"),
    (["--phone-number-id", "{page}"], "is the page_id of account {other} on instagram"),
    (["--phone-number-id", "+{phone}"], "differs only by blanks, signs or leading zeros from the phone_number_id"),
    (["--phone-number-id", " {phone}"], "differs only by"),
    (["--phone-number-id", "00{phone}"], "differs only by"),
    (["--page-id", "{page}", "--platform", "messenger"], "is the page_id of account {other} on instagram"),
])
def test_an_unknown_key_is_told_its_nearest_facts(database, database_url, asked, fact):
    account, other = database.add_account(), database.add_account("instagram")
    names = {"phone": account.key, "page": other.key, "id": account.id, "other": other.id}
    code, answer = route_test(database_url, *(word.format(**names) for word in asked))
    assert (code, answer["result"], answer["accounts"]) == (9, "unknown_account", [])
    assert fact.format(**names) in answer["warnings"][0]


def test_an_unknown_key(database, database_url):
    database.add_account()
    assert route_test(database_url, "--page-id", "1")[1]["warnings"] == []


def test_the_gateway_routes_as_predicted(database, database_url, gateway, client):
    """The same code decides, and this is how it shows."""
    active, inactive = database.add_account(), database.add_account(is_active=False)
    gateway.settle(database)
    for account, code in ((active, 0), (inactive, 9)):
        assert route_test(database_url, "--phone-number-id", account.key, META_APP_SECRET=SHARED_SECRET)[0] == code
        assert client.post("/api/whatsapp/webhook", meta.whatsapp_messages(account.key), SHARED_SECRET).status == 200
        assert len(database.logs(account)) == (code == 0)


# ---- Every account


def test_without_a_key_every_active_account_is_tested(fresh):
    fresh.add_account(secret="a")
    fresh.add_account("instagram", secret="b")
    fresh.add_account("facebook", secret="c")
    fresh.add_account("facebook", is_active=False)
    assert route_test(fresh.url) == (0, {"v": 1, "tested": 3, "routed": 3, "faults": []})


def test_accounts_that_would_get_nothing_are_named(fresh):
    fresh.rows("ALTER TABLE social_accounts DROP CONSTRAINT social_accounts_whatsapp_has_phone_number_id")
    keyless = fresh.add_account(secret="a", phone_number_id=None)
    bare = fresh.add_account("instagram")
    key = new_key()
    # A linked id is a better match than an account id.
    fresh.add_account("facebook", secret="b", webhook_metadata=json.dumps({"ids": [key]}))
    robbed = fresh.add_account("facebook", secret="b", page_id=None, account_id=key)
    code, answer = route_test(fresh.url)
    reasons = {fault["id"]: fault["reason"] for fault in answer["faults"]}
    assert (code, answer["tested"], answer["routed"]) == (9, 4, 1)
    assert reasons[keyless.id] == "it has no phone_number_id"
    assert "no META_APP_SECRET" in reasons[bare.id]
    assert "its events go to" in reasons[robbed.id]


def test_no_account_is_said(fresh):
    assert "sees no account" in route_test(fresh.url, "--page-id", "1")[1]["warnings"][0]


# ---- Output


def test_text(database, database_url):
    account = database.add_account(secret="never shown")
    done = program.run("migrate", "route-test", "--phone-number-id", account.key, DATABASE_URL=database_url)
    lines = done.stdout.splitlines()
    assert lines[0] == f"phone_number_id {account.key} is routed to"
    assert f"  account   {account.id}" in lines
    assert "  matched   by phone_number_id" in lines
    assert "never shown" not in done.stdout + done.stderr


@pytest.mark.parametrize("arguments, code", [
    (["--dsn", "host=/nonexistent dbname=x"], 3),
    (["--page-id", "1", "--waba-id", "2"], 2),
    (["--platform", "reddit"], 2),
    ([], 3),
])
def test_exit_codes(arguments, code):
    assert program.run("migrate", "route-test", *arguments).returncode == code


def test_a_database_that_is_not_migrated_is_refused(cluster):
    done = program.run("migrate", "route-test", DATABASE_URL=cluster.url("postgres"))
    assert done.returncode == 3
    assert "socialsync migrate apply" in done.stderr


def test_a_role_without_access_to_users_sees_no_address(cluster, database, database_name):
    account = database.add_account(secret="s")
    database.rows("CREATE ROLE route_reader LOGIN; GRANT service_role TO route_reader")
    done = program.run("migrate", "route-test", "--phone-number-id", account.key, "--output", "json",
                       "--dsn", cluster.dsn(database_name, "route_reader"))
    assert json.loads(done.stdout)["accounts"][0]["email"] is None
    assert done.returncode == 0
    database.rows("DROP ROLE route_reader")
