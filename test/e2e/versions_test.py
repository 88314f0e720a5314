"""The way from an old database to a stored webhook, on one server. script/test runs this file on each version."""

import urllib.error
import urllib.request

import pytest

import meta
from schema import make_database
from tenants import SHARED_SECRET, Database, new_secret
from up import Home
from waiting import eventually

PATH = "/api/meta/webhook"

pytestmark = pytest.mark.every_version


@pytest.fixture
def legacy(cluster):
    """A database from before webhooks."""
    made = make_database(cluster, "legacy")
    opened = Database(cluster.dsn(made.name))
    opened.url = cluster.url(made.name)
    yield opened
    opened.close()
    cluster.drop_database(made.name)


def status_of(*request):
    try:
        with urllib.request.urlopen(urllib.request.Request(*request)) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def post(url, body):
    return status_of(url, body, {"X-Hub-Signature-256": meta.sign(body, SHARED_SECRET)})


def test_from_an_old_database_to_a_stored_webhook(legacy):
    """`up` migrates it and serves: webhooks of an old and of a new account become rows of theirs, once each."""
    token = new_secret()
    with Home() as home:
        home.up(DATABASE_URL=legacy.url, META_APP_SECRET=SHARED_SECRET)
        old = legacy.value("UPDATE social_accounts SET page_id = '17841' WHERE platform = 'instagram' RETURNING id")
        new = legacy.add_account(verify_token=token)
        url = home.url.rstrip("/") + PATH
        eventually(lambda: status_of(f"{url}?hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}") == 200)
        bodies = [meta.whatsapp_messages(new.key), meta.instagram_message("17841")]
        assert [post(url, body) for body in bodies * 2] == [200] * 4
        rows = legacy.rows("SELECT social_account_id FROM webhook_logs")
    assert sorted(row["social_account_id"] for row in rows) == sorted([new.id, old])
