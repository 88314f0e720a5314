"""No log tells a message's text or a secret, at any level or format. (Every gateway of every test is looked at when
it ends: support/gateway.py. Here each kind of trouble is made on purpose.)"""

import json

import pytest

import meta
from gateway import Gateway
from tenants import SHARED_SECRET, new_key, new_secret
from waiting import eventually

TOKEN = new_secret()
PATH = "/api/whatsapp/webhook"


def make_trouble(client, database, account):
    """Everything that could tempt a server to say too much."""
    signed = meta.whatsapp_messages(account.key)
    client.post(PATH, signed, SHARED_SECRET)
    client.post(PATH, signed)
    client.post(PATH, signed, account.secret)
    client.post(PATH, signed, new_secret())
    client.post(PATH, meta.whatsapp_messages(new_key()), account.secret)
    client.post(PATH, meta.PRIVATE.encode(), account.secret)
    client.post(PATH, meta.whatsapp_messages(account.key, meta.message("\x00")), account.secret)
    client.post(PATH, meta.whatsapp(meta.PRIVATE, meta.entry(meta.PRIVATE)), account.secret)
    for token in (TOKEN, account.secret, new_secret()):
        client.get(f"{PATH}?hub.mode=subscribe&hub.challenge={meta.PRIVATE}&hub.verify_token={token}")
    client.get(f"/{meta.PRIVATE}?access_token={account.secret}")
    database.rows("DELETE FROM social_accounts WHERE id = %s", account.id)
    client.post(PATH, signed, account.secret)


@pytest.mark.parametrize("level, form", [("info", "text"), ("debug", "text"), ("debug", "json")])
def test_the_log_is_discreet(database, database_url, level, form):
    account = database.add_account(secret=new_secret(), access_token=new_secret(), verify_token=new_secret())
    settings = {"META_APP_SECRET": SHARED_SECRET, "WHATSAPP_VERIFY_TOKEN": TOKEN, "WHATSAPP_ACCESS_TOKEN": new_secret(),
                "SOCIALSYNC_LOG": form, "SOCIALSYNC_LOG_LEVEL": level}
    with Gateway(database_url, **settings) as gateway:
        make_trouble(gateway.client(), database, account)
        assert gateway.stop() == 0
        log = gateway.log()
        assert ("debug" in log) == (level == "debug")
        assert [json.loads(line)["level"] for line in log.splitlines()] if form == "json" else "listening" in log


def test_a_password_that_postgresql_refuses_is_not_told(cluster, database_url):
    wrong = database_url.replace(cluster.password, new_secret())
    gateway = Gateway(wrong, SOCIALSYNC_LOG_LEVEL="debug")
    with gateway.start(until_ready=False):
        eventually(lambda: "password authentication failed" in gateway.log())
        assert gateway.stop() == 0
