"""An account gets another owner: pending deliveries and secrets of the former owner are deleted."""

import program
from gateway import Gateway
from receiver import Receiver, answer
from sending import send
from tenants import SHARED_SECRET
from waiting import eventually

SETTINGS = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}


def primary(database, account):
    return database.rows("SELECT * FROM webhook_endpoints WHERE social_account_id = %s AND place = 0", account.id)[0]


def test_pending_deliveries_of_a_former_owner_are_deleted(database, database_url):
    """In the outbox, in a worker's memory, and by a replay."""
    with Receiver(answer(503)) as former, Receiver() as present, Gateway(database_url, **SETTINGS) as gateway:
        account = database.add_account(webhook_url=former.url())
        before = primary(database, account)
        database.rows("UPDATE webhook_endpoints SET per_second_max = 1, headers = '{\"authorization\": \"theirs\"}' WHERE id = %s", before["id"])
        gateway.settle(database)
        send(gateway, account, 20)  # one is tried, some wait in memory, the others in the outbox
        eventually(lambda: former.received)
        heir = database.add_user()
        database.rows("UPDATE social_accounts SET user_id = %s, webhook_url = %s WHERE id = %s", heir, present.url(), account.id)
        after = primary(database, account)
        assert not {before[name] for name in ("id", "app_secret", "signing_secret")} & {
            after[name] for name in ("id", "app_secret", "signing_secret")}
        assert after["headers"] == {}
        gateway.settle(database)
        [mine] = send(gateway, account)
        eventually(lambda: present.received)
        eventually(lambda: database.value("SELECT count(*) FROM webhook_deliveries") == 0)
        replayed = program.run("deliveries", "retry", "--replay", "--account", account.key, "--since", "2020-01-01", "--yes",
                               "--output", "json", DATABASE_URL=database_url)
        assert replayed.returncode == 0, replayed.stdout + replayed.stderr
        eventually(lambda: len(present.received) == 2)
        got = [one.json()["entry"][0]["changes"][0]["value"]["messages"][0]["id"] for one in present.received]
        assert got == [mine, mine], "its own, and that once more"
        assert "authorization" not in present.received[0].headers
        assert database.value("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = %s", before["id"]) == 0
