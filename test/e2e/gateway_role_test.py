"""The roles of sql/gateway_role.sql: they allow the gateway's work, and nothing else. (Its partitions:
docs_sql_test.py.)"""

import json
import urllib.parse

import psycopg2
import pytest

import meta
import program
from gateway import Gateway
from receiver import Receiver, answer
from suite import ROOT
from tenants import SHARED_SECRET, new_key, new_secret
from waiting import eventually

pytestmark = pytest.mark.every_version
WHATSAPP, INSTAGRAM, META = (f"/api/{name}/webhook" for name in ("whatsapp", "instagram", "meta"))


@pytest.fixture(scope="module")
def role_url(cluster, database_name):
    """The URL of a login that is in socialsync_gateway only."""
    cluster.psql(database_name, file=ROOT / "sql/gateway_role.sql")
    printed = program.run("migrate", "sql", "--gateway-role")
    assert printed.stdout == (ROOT / "sql/gateway_role.sql").read_text()
    cluster.psql(database_name, "GRANT SELECT (url) ON webhook_endpoints TO socialsync_gateway")  # as an earlier version
    cluster.psql(database_name, file=ROOT / "sql/gateway_role.sql")  # again, without harm
    cluster.psql(database_name, "CREATE ROLE gateway_login LOGIN PASSWORD 'long' IN ROLE socialsync_gateway")
    yield cluster.url(database_name).replace(f"postgres:{urllib.parse.quote(cluster.password)}@", "gateway_login:long@")
    cluster.psql(database_name, "DROP OWNED BY socialsync_gateway, socialsync_deliverer; DROP ROLE gateway_login")


@pytest.fixture(scope="module")
def gateway(role_url):
    with Gateway(role_url, META_APP_SECRET=SHARED_SECRET, SOCIALSYNC_RETENTION_DAYS="30").start("--ingest-only") as running:
        yield running
        assert "warning" not in running.log() and "denied" not in running.log(), running.log()


@pytest.fixture
def as_gateway(role_url, gateway):
    connection = psycopg2.connect(role_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


def test_it_does_all_its_work(gateway, client, database):
    number, page = database.add_account(), database.add_account("instagram", secret=new_secret())
    gateway.settle(database)
    waba, undated, known = new_key(), meta.message(timestamp=False), meta.message()
    entry = meta.entry(waba, meta.change(number.key, [known, undated]))
    for _ in range(2):
        assert client.post(WHATSAPP, meta.whatsapp(entry), SHARED_SECRET).status == 200
    assert client.post(INSTAGRAM, meta.instagram_message(page.key), page.secret).status == 200
    assert client.post(META, b"no webhook", SHARED_SECRET).status == 200
    assert client.post(WHATSAPP, meta.whatsapp_messages(page.key), SHARED_SECRET).status == 200
    assert [database.log_count(message["id"]) for message in (known, undated)] == [1, 1]
    assert len(database.logs(page)) == 1
    assert [row["reason"] for row in database.quarantined(page.key)] == ["unknown_account"]
    eventually(lambda: database.rows("SELECT id FROM social_accounts WHERE id = %s AND webhook_status = 'active' "
                                     "AND webhook_metadata ->> 'waba_id' = %s", number.id, waba))


@pytest.mark.parametrize("statement", [
    "SELECT access_token FROM social_accounts",
    "SELECT refresh_token FROM social_accounts",
    "SELECT * FROM users",
    "SELECT payload FROM webhook_logs",
    "SELECT exact_payload FROM webhook_logs",
    "DELETE FROM webhook_logs",
    "UPDATE webhook_logs SET status = 'processed'",
    "SELECT app_secret FROM webhook_endpoints",
    "SELECT signing_secret FROM webhook_endpoints",
    "SELECT headers FROM webhook_endpoints",
    "SELECT url FROM webhook_endpoints",  # its query may hold a key
    "UPDATE webhook_endpoints SET url = 'https://mine.example/'",
    "DELETE FROM webhook_endpoints",
    "SELECT socialsync.record_endpoint_news(id, true, 100::smallint, 'mine') FROM webhook_endpoints",
    "SELECT * FROM webhook_deliveries",
    "DELETE FROM webhook_deliveries",
    "SELECT * FROM webhook_delivery_attempts",
    "DELETE FROM social_accounts",
    "INSERT INTO social_accounts (platform, account_id, username, user_id) "
    "SELECT 'website', 'a', 'b', user_id FROM social_accounts",
    "UPDATE social_accounts SET app_secret = 'mine'",
    "UPDATE social_accounts SET phone_number_id = '1'",
    "UPDATE social_accounts SET is_active = false",
    "UPDATE webhook_quarantine SET reason = 'unreadable'",
    "DELETE FROM socialsync.webhook_event_keys",
    "SELECT * FROM socialsync.preimages",
    "TRUNCATE webhook_quarantine",
    "DROP TABLE webhook_quarantine",
    "CREATE TABLE socialsync.mine ()",
    "SET ROLE service_role",
])
def test_it_may_do_nothing_else(as_gateway, statement):
    with pytest.raises(psycopg2.Error) as refused:
        as_gateway.execute(statement)
    assert refused.value.pgcode == "42501"


def test_it_fills_the_outbox(as_gateway, database):
    account = database.add_account(webhook_url="https://bot.example/hook")
    as_gateway.execute("SELECT id, webhook_events, is_enabled, is_ordered FROM webhook_endpoints "
                       "WHERE social_account_id = %s", (account.id,))
    [[endpoint, *_]] = as_gateway.fetchall()
    as_gateway.execute("INSERT INTO webhook_deliveries (event_id, endpoint_id, conversation, position) "
                       "VALUES (gen_random_uuid(), %s, 1, nextval('webhook_delivery_position'))", (endpoint,))
    assert database.value("SELECT count(*) FROM webhook_deliveries WHERE endpoint_id = %s", endpoint) == 1


@pytest.fixture(scope="module")
def deliverer_url(role_url, cluster, database_name):
    """The URL of a login that is in socialsync_deliverer only."""
    cluster.psql(database_name, "CREATE ROLE deliverer_login LOGIN PASSWORD 'long' IN ROLE socialsync_deliverer")
    yield role_url.replace("gateway_login", "deliverer_login")
    cluster.psql(database_name, "DROP ROLE deliverer_login")


def test_two_processes_of_a_role_each(gateway, deliverer_url, database):
    """One receives an event, the other delivers it, and retries a failure."""
    with Receiver(answer(500), answer()) as receiver, \
            Gateway(deliverer_url, SOCIALSYNC_EGRESS_ALLOW="127.0.0.0/8", SOCIALSYNC_EGRESS_HTTP="1").start("--deliver-only") as delivering:
        account = database.add_account(webhook_url=receiver.url())
        gateway.settle(database)
        client = gateway.client()
        assert client.post(WHATSAPP, meta.whatsapp_messages(account.key, meta.message()), SHARED_SECRET).status == 200
        client.close()
        eventually(lambda: [row["status"] for row in database.logs(account)] == ["processed"])
        assert "warning" not in delivering.log() and "denied" not in delivering.log(), delivering.log()


@pytest.fixture(scope="module")
def deliverer(deliverer_url):
    """A cursor of that login."""
    connection = psycopg2.connect(deliverer_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        yield cursor
    connection.close()


def test_the_deliverer_does_its_work(deliverer, database):
    account = database.add_account(webhook_url="https://bot.example/hook")
    event = database.value("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}')", account.id)
    deliverer.execute("SELECT id, app_secret, signing_secret, headers FROM webhook_endpoints WHERE social_account_id = %s",
                      (account.id,))
    endpoint = deliverer.fetchone()[0]
    row = {"event": event, "endpoint": endpoint}
    for statement in (
            "INSERT INTO webhook_deliveries (event_id, endpoint_id) VALUES (%(event)s, %(endpoint)s)",
            "UPDATE webhook_deliveries SET due_at = now() + interval '1 minute', attempts = attempts + 1 "
            "WHERE (event_id, endpoint_id) IN (SELECT event_id, endpoint_id FROM webhook_deliveries "
            "WHERE endpoint_id = %(endpoint)s FOR UPDATE SKIP LOCKED)",
            "INSERT INTO webhook_delivery_attempts (event_id, endpoint_id, attempt, took_ms) "
            "VALUES (%(event)s, %(endpoint)s, 1, 12)",
            "UPDATE webhook_logs SET status = 'processed', processing_time_ms = 12, error_message = NULL "
            "WHERE id = %(event)s",
            "SELECT socialsync.record_endpoint_news(%(endpoint)s, true, 50::smallint, 'x')",
            "DELETE FROM webhook_deliveries WHERE event_id = %(event)s"):
        deliverer.execute(statement, row)
        assert deliverer.rowcount == 1, statement
    deliverer.execute("SELECT payload, exact_payload, webhook_type, platform, created_at, status, customer_identifier "
                      "FROM webhook_logs WHERE id = %s AND social_account_id = %s", (event, account.id))
    assert deliverer.fetchone()[5] == "processed"
    assert database.rows("SELECT is_enabled, disabled_because, warned_percent FROM webhook_endpoints WHERE id = %s", endpoint) == [
        {"is_enabled": False, "disabled_because": "x", "warned_percent": 50}]


@pytest.mark.parametrize("statement", [
    "SELECT id FROM social_accounts",
    "SELECT * FROM users",
    "SELECT user_id FROM webhook_logs",
    "INSERT INTO webhook_logs (platform, webhook_type, payload) VALUES ('whatsapp', 'messages', '{}')",
    "UPDATE webhook_logs SET payload = '{}'",
    "DELETE FROM webhook_logs",
    "UPDATE webhook_endpoints SET url = 'https://mine.example/'",
    "UPDATE webhook_endpoints SET is_enabled = false",
    "SELECT socialsync.tell_operator('endpoint_failing', id, NULL) FROM webhook_endpoints",
    "UPDATE webhook_endpoints SET signing_secret = 'mine'",
    "INSERT INTO webhook_endpoints (url) VALUES ('https://mine.example/')",
    "DELETE FROM webhook_endpoints",
    "SELECT * FROM webhook_delivery_attempts",
    "DELETE FROM webhook_delivery_attempts",
    "SELECT * FROM webhook_quarantine",
    "SELECT * FROM socialsync.webhook_event_keys",
    "SET ROLE service_role",
])
def test_the_deliverer_may_do_nothing_else(deliverer, statement):
    with pytest.raises(psycopg2.Error) as refused:
        deliverer.execute(statement)
    assert refused.value.pgcode == "42501"


def test_a_superuser_is_warned(database_url, role_url):
    for url, is_warned in ((database_url, True), (role_url, False)):
        with Gateway(url, SOCIALSYNC_LOG="json").start("--ingest-only") as running:
            warnings = [json.loads(line)["message"] for line in running.log().splitlines() if '"warning"' in line]
            assert any("superuser" in warning for warning in warnings) == is_warned


def test_the_role_leaves_nothing_to_migrate(role_url, database_url):
    done = program.run("migrate", "plan", "--exit-code", DATABASE_URL=database_url)
    assert done.returncode == 0, done.stdout
