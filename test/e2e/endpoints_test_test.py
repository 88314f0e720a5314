"""`socialsync endpoints test`: a signed test delivery, and its result."""

import json

import pytest

import meta
import program
from receiver import Receiver, answer, garbage, reset, verifies_standard
from tenants import new_secret

EGRESS = {"SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}


@pytest.fixture
def run(database_url):
    def run_it(*arguments, code=0, egress=EGRESS):
        done = program.run("endpoints", "test", *arguments, DATABASE_URL=database_url, **egress)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout
    return run_it


def endpoint_of(database, account):
    return database.rows("SELECT * FROM webhook_endpoints WHERE social_account_id = %s ORDER BY place", account.id)[0]


def written(database):
    return database.rows("SELECT (SELECT count(*) FROM webhook_logs), (SELECT count(*) FROM webhook_deliveries), "
                         "(SELECT count(*) FROM webhook_delivery_attempts), (SELECT max(failing_since) FROM webhook_endpoints)")


@pytest.mark.parametrize("platform", ["whatsapp", "instagram", "facebook"])
def test_it_is_a_delivery_like_any_other_and_leaves_no_trace(run, database, platform):
    with Receiver(answer(200, b"thanks")) as receiver:
        account = database.add_account(platform, webhook_url=receiver.url())
        stored = endpoint_of(database, account)
        database.rows("UPDATE webhook_endpoints SET headers = %s, is_enabled = false WHERE id = %s", '{"X-Key": "k"}', stored["id"])
        before = written(database)
        shown = run(stored["id"][:8])
        received, = receiver.received
        port = receiver.server_address[1]
    assert "200 in" in shown and f"127.0.0.1:{port}" in shown and "thanks" in shown
    assert received.headers["x-hub-signature-256"] == meta.sign(received.body, stored["app_secret"])
    assert verifies_standard(received, stored["signing_secret"])
    assert received.headers["x-key"] == "k" and received.headers["content-type"] == "application/json"
    body = received.body.decode()
    assert account.key in body and "A test message of SocialSync" in body and "15555550100" in body
    assert received.json()["object"] == {"whatsapp": "whatsapp_business_account", "instagram": "instagram", "facebook": "page"}[platform]
    assert written(database) == before


def test_all_of_an_account(run, database):
    with Receiver(answer(204, b"")) as good, Receiver(answer(500, b"oh no")) as bad:
        account = database.add_account(webhook_url=good.url())
        for place, url, form in ((1, bad.url(), "standard"), (2, None, "meta")):
            database.rows("INSERT INTO webhook_endpoints (social_account_id, place, url, format) VALUES (%s, %s, %s, %s)",
                          account.id, place, url, form)
        first, second = json.loads(run("--account", account.key, "--output", "json", code=6))["tests"]
        assert bad.received[0].json()["type"] == "messages" and bad.received[0].json()["data"]["platform"] == "whatsapp"
    assert (first["is_delivered"], first["http_status"], first["error"], first["advice"]) == (True, 204, None, None)
    assert (second["is_delivered"], second["http_status"], second["error"], second["response_head"]) == (
        False, 500, "http_status", "oh no")
    assert first["webhook_id"] != second["webhook_id"]


@pytest.mark.parametrize("act, error, advice", [
    (answer(401), "401", "signature"), (answer(302), "302", "redirects"), (answer(410), "410", "disabled"),
    (reset, "connection_lost", "closed"), (garbage, "protocol_error", "does not speak HTTP")])
def test_each_error_is_named_with_its_remedy(run, database, act, error, advice):
    with Receiver(act) as receiver:
        account = database.add_account(webhook_url=receiver.url())
        shown = run(endpoint_of(database, account)["id"], code=6)
    assert error in shown and advice in shown


def test_an_address_that_the_egress_policy_refuses(run, database):
    with Receiver() as receiver:
        account = database.add_account(webhook_url=receiver.url("/?key=hidden"))
        endpoint = endpoint_of(database, account)["id"]
        refused = run(endpoint, code=6, egress={"SOCIALSYNC_EGRESS_HTTP": "1"})
        assert "address_refused" in refused and "127.0.0.1" in refused and "SOCIALSYNC_EGRESS_ALLOW" in refused
        assert "hidden" not in refused
        assert "SOCIALSYNC_EGRESS_HTTP" in run(endpoint, code=6, egress={})
        assert receiver.received == []
    closed = run(endpoint, code=6)
    assert "not_connected" in closed and "nothing listens there" in closed


def test_an_endpoint_that_cannot_be_tested(run, database):
    account = database.add_account()
    run("--account", account.key, code=9)
    database.rows("INSERT INTO webhook_endpoints (social_account_id, place) VALUES (%s, 1)", account.id)
    run("--account", account.key, code=9)
    run("00000000", code=9)
    run(code=2)
    run("00000000", "--account", account.key, code=2)
    sealed = database.add_account(webhook_url="https://bot.example/")
    database.rows("UPDATE webhook_endpoints SET app_secret = 'enc:v1:00000000:AAAA' WHERE social_account_id = %s", sealed.id)
    run("--account", sealed.key, code=2)
    database.rows("UPDATE webhook_endpoints SET app_secret = %s, signing_secret = 'none' WHERE social_account_id = %s",
                  new_secret(), sealed.id)
    run("--account", sealed.key, code=9)


def test_the_operator_s_own(run, database):
    with Receiver() as receiver:
        endpoint = database.value("INSERT INTO webhook_endpoints (url) VALUES (%s) RETURNING id", receiver.url())
        run(endpoint)
        assert receiver.received[0].json()["object"] == "whatsapp_business_account"
