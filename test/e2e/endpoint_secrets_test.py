"""Encrypted secrets of endpoints: by `socialsync secrets` and by the commands that create and rotate them."""

import json

import pytest
from nacl.exceptions import CryptoError

import meta
import program
from gateway import Gateway
from receiver import Receiver, verifies_standard
from sending import send
from sealing import key_id, new_key, seal, unseal
from tenants import SHARED_SECRET
from waiting import eventually

SETTINGS = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}
KEY, OTHER_KEY = new_key(), new_key()
COLUMNS = ("app_secret", "signing_secret", "previous_signing_secret")


@pytest.fixture(autouse=True)
def nothing_before(database):
    database.rows("DELETE FROM social_accounts")
    database.rows("DELETE FROM webhook_endpoints")


@pytest.fixture
def run(database_url):
    """Runs a command with KEY; returns its report."""
    def run(*arguments, code=0, key=KEY):
        done = program.run(*arguments, "--output", "json", DATABASE_URL=database_url, SOCIALSYNC_SECRETS_KEY=key)
        assert done.returncode == code, done.stdout + done.stderr
        return json.loads(done.stdout)
    return run


def stored(database, endpoint_id):
    return database.rows("SELECT * FROM webhook_endpoints WHERE id = %s", endpoint_id)[0]


def opened(database, endpoint_id, key=KEY):
    """The endpoint's secrets; a value that is not encrypted with the key for this endpoint is omitted."""
    def plain(column, value):
        return value and unseal(value, key, endpoint_id, "signing_secret" if "signing" in column else column, "webhook_endpoints")
    row = stored(database, endpoint_id)
    return {column: plain(column, row[column]) for column in COLUMNS}


def primary(database, account):
    return database.value("SELECT id FROM webhook_endpoints WHERE social_account_id = %s AND place = 0", account.id)


def test_encrypt_and_decrypt_while_deliveries_go_out(database, database_url, run):
    with Receiver() as receiver, Gateway(database_url, SOCIALSYNC_SECRETS_KEY=KEY, **SETTINGS) as gateway:
        account = database.add_account(webhook_url=receiver.url())
        endpoint = primary(database, account)
        database.rows("UPDATE webhook_endpoints SET previous_signing_secret = socialsync.new_signing_secret(), "
                      "previous_signing_secret_until = now() + interval '1 day' WHERE id = %s", endpoint)
        plain = {column: stored(database, endpoint)[column] for column in COLUMNS}
        assert run("secrets", "status")["columns"]["endpoints.app_secret"] == {
            "plain": 1, "sealed": {}, "unknown_key": {}, "tampered": 0}
        wanted = {f"endpoints.{column}": 1 for column in COLUMNS}
        assert run("secrets", "encrypt", "--dry-run")["changed"] == wanted
        assert {column: stored(database, endpoint)[column] for column in COLUMNS} == plain
        assert run("secrets", "encrypt", "--yes")["changed"] == wanted
        assert run("secrets", "encrypt", "--yes")["changed"] == {}
        assert opened(database, endpoint) == plain
        assert run("secrets", "status")["columns"]["endpoints.previous_signing_secret"]["sealed"] == {key_id(KEY): 1}
        gateway.settle(database)
        send(gateway, account)
        [received] = eventually(lambda: receiver.received)
        assert received.headers["x-hub-signature-256"] == meta.sign(received.body, plain["app_secret"])
        assert verifies_standard(received, plain["signing_secret"])
        assert verifies_standard(received, plain["previous_signing_secret"])
        both = f"{OTHER_KEY},{KEY}"
        assert run("secrets", "rotate", "--yes", key=both)["changed"] == wanted
        assert opened(database, endpoint, OTHER_KEY) == plain
        assert run("secrets", "decrypt", "--yes", key=both)["changed"] == wanted
        assert {column: stored(database, endpoint)[column] for column in COLUMNS} == plain


def test_a_value_copied_to_another_endpoint_cannot_be_decrypted(database, database_url, run):
    with Receiver() as receiver:
        accounts = [database.add_account(webhook_url=receiver.url(f"/{n}")) for n in range(2)]
        first, second = (primary(database, account) for account in accounts)
        copied = seal("theirs", KEY, first, "app_secret", table="webhook_endpoints")
        database.rows("UPDATE webhook_endpoints SET app_secret = %s WHERE id = %s", copied, second)
        report = run("secrets", "encrypt", "--yes")
        assert report["changed"] == {"endpoints.app_secret": 1, "endpoints.signing_secret": 2}
        status = run("secrets", "status", code=5)["columns"]["endpoints.app_secret"]
        assert (status["sealed"], status["tampered"]) == ({key_id(KEY): 1}, 1)
        [left] = run("secrets", "decrypt", "--yes", code=5)["left"]
        assert left == {"id": second, "column": "endpoints.app_secret", "why": "tampered"}
        with Gateway(database_url, SOCIALSYNC_SECRETS_KEY=KEY, **SETTINGS) as gateway:
            for account in reversed(accounts):
                send(gateway, account)
            eventually(lambda: receiver.of("/0"))
            assert receiver.of("/1") == [] and "cannot be signed for" in gateway.log()


def test_secrets_written_by_commands_are_encrypted(database, run, tmp_path):
    account = database.add_account()
    first = run("endpoints", "add", "--account", account.key, "--url", "https://bot.example/hook", "--header", "X-Key: mine",
                "--skip-handshake")
    second = run("endpoints", "add", "--account", account.key, "--pull")
    operators = run("endpoints", "add", "--operator", "--url", "https://ops.example/", "--events", "partner_solutions",
                    "--skip-handshake")
    for made, place in ((first, 0), (second, 1), (operators, 0)):
        endpoint = made["added"]["id"]
        assert opened(database, endpoint) == {**made["secrets"], "previous_signing_secret": None}
        assert stored(database, endpoint)["place"] == made["added"]["place"] == place
    assert stored(database, first["added"]["id"])["headers"] == {"X-Key": "mine"}
    assert database.value("SELECT webhook_url FROM social_accounts WHERE id = %s", account.id) == "https://bot.example/hook"

    endpoint = first["added"]["id"]
    given = tmp_path / "secret"
    given.write_text("the receiver's own")
    run("endpoints", "set", endpoint, "--app-secret-file", str(given), "--description", "bot")
    assert opened(database, endpoint)["app_secret"] == "the receiver's own"
    rotated = run("endpoints", "rotate-secret", endpoint)["secrets"]
    assert opened(database, endpoint) == {"app_secret": "the receiver's own", **rotated,
                                          "previous_signing_secret": first["secrets"]["signing_secret"]}
    rotated = run("endpoints", "rotate-secret", endpoint, "--app-secret")["secrets"]
    assert opened(database, endpoint)["app_secret"] == rotated["app_secret"]
    assert run("secrets", "encrypt", "--yes")["changed"] == {}


def test_secrets_created_by_sql_are_plaintext_until_encrypted(database, database_url, run):
    """A gateway with SOCIALSYNC_SECRETS_SEAL encrypts them; a key alone does not."""
    account = database.add_account(webhook_url="https://bot.example/hook")
    with pytest.raises((CryptoError, AssertionError, ValueError)):
        opened(database, primary(database, account))
    with Gateway(database_url, SOCIALSYNC_SECRETS_KEY=KEY, SOCIALSYNC_SECRETS_SEAL="endpoints.app_secret,endpoints.signing_secret",
                 **SETTINGS):
        eventually(lambda: run("secrets", "status")["columns"]["endpoints.signing_secret"]["plain"] == 0)
        other = database.add_account(webhook_url="https://bot.example/hook")
        eventually(lambda: stored(database, primary(database, other))["signing_secret"].startswith("enc:v1:"))
        eventually(lambda: stored(database, primary(database, other))["app_secret"].startswith("enc:v1:"))
