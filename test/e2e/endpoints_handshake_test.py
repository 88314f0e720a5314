"""Meta's handshake with a URL, before an endpoint stores it."""

import json
import urllib.parse

import pytest

import meta
import program
from receiver import Receiver, answer, reset, verifies

TOKEN = f"{meta.SECRET} & token=1"
EGRESS = {"SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return str(path)


@pytest.fixture
def run(database_url, token_file):
    """Runs `endpoints …` with the token of the file."""
    def run_it(*arguments, code=0, egress=EGRESS, with_token=True):
        token = ["--verify-token-file", token_file] if with_token else []
        done = program.run("endpoints", *arguments, *token, DATABASE_URL=database_url, **egress)
        assert done.returncode == code, done.stdout + done.stderr
        assert TOKEN not in done.stdout + done.stderr and urllib.parse.quote(TOKEN) not in done.stdout + done.stderr
        return done
    return run_it


def endpoints(database, account):
    return database.rows("SELECT * FROM webhook_endpoints WHERE social_account_id = %s ORDER BY place", account.id)


def asked(receiver):
    """The parameters of the receiver's one request."""
    received, = receiver.received
    return urllib.parse.parse_qs(urllib.parse.urlsplit(received.path).query), received


def test_a_url_that_passes_the_handshake_is_stored(run, database):
    account = database.add_account()
    with Receiver(verifies(TOKEN)) as receiver:
        run("add", "--account", account.key, "--url", receiver.url("/hook?tenant=7"), "--header", "X-Key: topsecret")
        query, received = asked(receiver)
    assert query["tenant"] == ["7"] and query["hub.mode"] == ["subscribe"] and query["hub.verify_token"] == [TOKEN]
    assert query["hub.challenge"][0].isdigit() and len(query["hub.challenge"][0]) == 10
    assert received.headers["x-key"] == "topsecret" and "webhook-id" not in received.headers
    assert [row["url"] for row in endpoints(database, account)] == [receiver.url("/hook?tenant=7")]


def test_each_handshake_has_a_challenge_of_its_own(run, database):
    account = database.add_account()
    with Receiver(verifies(TOKEN)) as receiver:
        for _ in range(3):
            run("add", "--account", account.key, "--url", receiver.url())
        assert len({one.path for one in receiver.received}) == 3


@pytest.mark.parametrize("act, told", [
    (verifies("another"), "answered 403"), (verifies(TOKEN, lambda challenge: f'"{challenge}"'), "no quotes"),
    (verifies(TOKEN, lambda challenge: challenge + "\n"), "alone"), (verifies(TOKEN, lambda challenge: ""), "instead of"),
    (answer(200, b"ok"), "answered 200 with 'ok' instead of the challenge"), (answer(404, b"x" * 100_000), "path"),
    (answer(302, location="http://127.0.0.1/"), "redirects are not followed"), (reset, "connection_lost"),
    (answer(201), "answered 201"), (answer(500, b"\x1b[2Jno"), r"\x1b[2Jno")])
def test_a_url_that_fails_the_handshake_is_refused(run, database, act, told):
    account = database.add_account()
    with Receiver(act) as receiver:
        refused = run("add", "--account", account.key, "--url", receiver.url(), code=6)
    assert told in refused.stderr and "nothing was changed" in refused.stderr and "--skip-handshake" in refused.stderr
    assert len(refused.stderr) < 1200
    assert endpoints(database, account) == []
    assert database.value("SELECT webhook_url FROM social_accounts WHERE id = %s", account.id) is None


def test_a_forbidden_address_gets_no_handshake(run, database):
    account = database.add_account()
    with Receiver(verifies(TOKEN)) as receiver:
        for egress, told in (({"SOCIALSYNC_EGRESS_HTTP": "1"}, "SOCIALSYNC_EGRESS_ALLOW"), ({}, "SOCIALSYNC_EGRESS_HTTP")):
            refused = run("add", "--account", account.key, "--url", receiver.url(), "--output", "json", code=6, egress=egress)
            error = json.loads(refused.stdout)["error"]
            assert error["code"] == "handshake_failed" and told in error["message"]
        assert receiver.received == []


def test_another_url_of_an_endpoint_is_asked_too(run, database):
    account = database.add_account(webhook_url="https://old.example/")
    endpoint = endpoints(database, account)[0]["id"]
    database.rows("UPDATE webhook_endpoints SET headers = %s WHERE id = %s", json.dumps({"X-Key": "topsecret"}), endpoint)
    with Receiver(answer(403), verifies(TOKEN)) as receiver:
        run("set", endpoint, "--url", receiver.url(), code=6)
        assert endpoints(database, account)[0]["url"] == "https://old.example/"
        run("set", endpoint, "--url", receiver.url(), "--concurrent-max", "3")
        assert [one.headers.get("x-key") for one in receiver.received] == ["topsecret", "topsecret"]
        row, = endpoints(database, account)
        assert (row["url"], row["concurrent_max"]) == (receiver.url(), 3)
        run("set", endpoint, "--description", "bot", with_token=False)
        run("set", endpoint, "--description", "bot", code=2)
        assert len(receiver.received) == 2


def test_without_a_token_both_options_are_named(run, database):
    account = database.add_account()
    url = ["--account", account.key, "--url", "https://bot.example/"]
    refused = run("add", *url, with_token=False, code=2)
    assert "--verify-token-file" in refused.stderr and "--skip-handshake" in refused.stderr
    run("add", *url, "--skip-handshake", code=2)
    run("add", *url, "--format", "standard", code=2)
    run("add", "--account", account.key, "--pull", code=2)
    assert endpoints(database, account) == []
    run("add", *url, "--skip-handshake", with_token=False)
    run("add", *url, "--format", "standard", with_token=False)
    assert [row["format"] for row in endpoints(database, account)] == ["meta", "standard"]
    standard = endpoints(database, account)[1]["id"]
    run("set", standard, "--url", "https://bot.example/2", with_token=False)
    run("set", standard, "--url", "https://bot.example/3", "--format", "meta", with_token=False, code=2)


def test_an_empty_token_is_none(run, database, tmp_path):
    account = database.add_account()
    (tmp_path / "empty").write_text("\n")
    for path in (tmp_path / "empty", tmp_path / "missing"):
        run("add", "--account", account.key, "--url", "https://bot.example/", "--verify-token-file", str(path), with_token=False, code=2)


def test_warns_of_plain_http_only(run, database):
    account = database.add_account()
    for url, is_warned in (("https://bot.example/", False), ("http://bot.example/", True)):
        done = run("add", "--account", account.key, "--url", url, "--skip-handshake", with_token=False)
        assert ("not encrypted on its way" in done.stderr) == is_warned
    endpoint = endpoints(database, account)[1]["id"]
    assert run("set", endpoint, "--ordered", "yes", with_token=False).stderr == ""
