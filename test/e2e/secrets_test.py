"""Effective secrets: an account's own, or those of the environment; each may be a list, for rotation."""

import pytest

import meta
from gateway import Gateway
from tenants import new_key, new_secret

SHARED_NEW, SHARED_OLD, INSTAGRAM, OWN_NEW, OWN_OLD = (new_secret() for _ in range(5))
MAKERS = {
    "whatsapp": lambda key: meta.whatsapp_messages(key),
    "whatsapp_business": lambda key: meta.whatsapp_messages(key),
    "instagram": meta.instagram_message,
    "facebook": meta.messenger_message,
}


@pytest.fixture(scope="module")
def accounts(database):
    """By platform, and by whether they have secrets of their own."""
    return {(platform, own): database.add_account(platform, secret=f"{OWN_NEW}, {OWN_OLD}" if own else None)
            for platform in MAKERS for own in (False, True)}


@pytest.fixture(scope="module")
def gateway(accounts, database_url):
    secrets = {"META_APP_SECRET": f"{SHARED_NEW},{SHARED_OLD}", "INSTAGRAM_APP_SECRET": INSTAGRAM}
    with Gateway(database_url, **secrets) as running:
        yield running


SHARED = [(platform, False, secret) for platform in MAKERS for secret in (SHARED_NEW, SHARED_OLD)]
OWN = [(platform, True, secret) for platform in MAKERS for secret in (OWN_NEW, OWN_OLD)]
FOREIGN = [(platform, True, SHARED_NEW) for platform in MAKERS] + [
    ("whatsapp", False, INSTAGRAM), ("facebook", False, INSTAGRAM), ("instagram", True, INSTAGRAM),
    ("instagram", False, OWN_NEW)]


@pytest.mark.parametrize("path", ["own", "meta"])
@pytest.mark.parametrize("platform, own, secret", [*SHARED, *OWN, ("instagram", False, INSTAGRAM)])
def test_each_effective_secret_is_accepted(client, database, accounts, platform, own, secret, path):
    account = accounts[platform, own]
    before = len(database.logs(account))
    name = {"facebook": "messenger", "whatsapp_business": "whatsapp"}.get(platform, platform) if path == "own" else "meta"
    assert client.post(f"/api/{name}/webhook", MAKERS[platform](account.key), secret).status == 200
    assert len(database.logs(account)) == before + 1
    assert database.logs(account)[-1]["platform"] == platform


@pytest.mark.parametrize("platform, own, secret", FOREIGN)
def test_no_other_secret_is_accepted(client, database, accounts, platform, own, secret):
    account = accounts[platform, own]
    before, kept = len(database.logs(account)), len(database.quarantined(account.key))
    assert client.post("/api/meta/webhook", MAKERS[platform](account.key), secret).status == 200
    assert len(database.logs(account)) == before
    assert [row["reason"] for row in database.quarantined(account.key)[kept:]] == ["secret_mismatch"]


def test_an_unknown_secret(client, database):
    before = database.row_count()
    assert client.post("/api/meta/webhook", meta.whatsapp_messages(new_key()), new_secret()).status == 401
    assert database.row_count() == before
