"""A locked or refused row in PostgreSQL delays no other delivery, and ends no process."""

import psycopg2
import pytest

import meta
from gateway import Gateway
from receiver import Receiver, answer
from tenants import SHARED_SECRET
from waiting import eventually

pytestmark = pytest.mark.sanitizers

PATH = "/api/whatsapp/webhook"
SETTINGS = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}


@pytest.fixture(scope="module")
def gateway(database_url):
    with Gateway(database_url, **SETTINGS) as running:
        yield running


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


@pytest.fixture
def account(database, gateway, receiver):
    made = database.add_account(webhook_url=receiver.url())
    gateway.settle(database)
    return made


def send(client, account, *messages):
    for message in messages or [meta.message()]:
        assert client.post(PATH, meta.whatsapp_messages(account.key, message), SHARED_SECRET).status == 200


def statuses(database, account):
    return sorted(row["status"] for row in database.logs(account))


def queue_again(database, account):
    database.rows("INSERT INTO webhook_deliveries (event_id, endpoint_id) SELECT l.id, e.id FROM webhook_logs AS l "
                  "JOIN webhook_endpoints AS e USING (social_account_id) WHERE l.social_account_id = %s", account.id)
    database.rows("NOTIFY socialsync_deliveries")


def undelivered(database, account):
    return database.value("SELECT count(*) FROM webhook_deliveries AS d JOIN webhook_endpoints AS e ON e.id = d.endpoint_id "
                          "WHERE e.social_account_id = %s", account.id)


@pytest.mark.parametrize("received", ["now() - interval '3 years'", "NULL", "'-infinity'", "'infinity'"])
def test_an_event_of_any_age_is_delivered(database, client, account, receiver, received):
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}')", account.id)
    database.rows(f"UPDATE webhook_logs SET created_at = {received} WHERE social_account_id = %s", account.id)
    queue_again(database, account)
    eventually(lambda: statuses(database, account) == ["processed"])
    assert undelivered(database, account) == 0


def test_a_replay_is_no_measure_of_how_long_deliveries_take(database, client, account, gateway):
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}')", account.id)
    database.rows("UPDATE webhook_logs SET created_at = now() - interval '1 week' WHERE social_account_id = %s", account.id)
    queue_again(database, account)
    eventually(lambda: statuses(database, account) == ["processed"])
    before = gateway.metric("socialsync_delivery_seconds_count")
    send(client, account)
    eventually(lambda: statuses(database, account) == ["processed"] * 2)
    assert gateway.metric("socialsync_delivery_seconds_count") == before + 1
    assert gateway.metric("socialsync_delivery_seconds_sum") < 3600


@pytest.mark.parametrize("attempts", [-1, 32767])
def test_any_number_of_attempts(database, client, account, receiver, attempts):
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}')", account.id)
    queue_again(database, account)
    database.rows("UPDATE webhook_deliveries SET attempts = %s", attempts)
    eventually(lambda: statuses(database, account) == ["processed"])


def test_a_due_time_of_minus_infinity(database, client, account, receiver):
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}')", account.id)
    queue_again(database, account)
    database.rows("UPDATE webhook_deliveries SET due_at = '-infinity'")
    eventually(lambda: statuses(database, account) == ["processed"])


def test_a_locked_event_holds_up_no_other(database, client, account, cluster, database_name):
    """A row is locked, for example by an open transaction in psql."""
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}')", account.id)
    locked = database.logs(account)[0]["id"]
    holder = psycopg2.connect(cluster.dsn(database_name))
    with holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM webhook_logs WHERE id = %s FOR UPDATE", (locked,))
        queue_again(database, account)
        send(client, account, *[meta.message() for _ in range(10)])
        eventually(lambda: statuses(database, account) == ["processed"] * 10 + ["received"])
    holder.rollback()
    holder.close()
    eventually(lambda: statuses(database, account) == ["processed"] * 11)
    assert undelivered(database, account) == 0


def test_many_locked_events_delay_other_results_little(database, client, account, cluster, database_name):
    """Each would cost a separate wait of 200 ms."""
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}') FROM generate_series(1, 400)", account.id)
    holder = psycopg2.connect(cluster.dsn(database_name))
    with holder.cursor() as cursor:
        cursor.execute("SELECT 1 FROM webhook_logs WHERE social_account_id = %s FOR UPDATE", (account.id,))
        queue_again(database, account)
        send(client, account, *[meta.message() for _ in range(10)])
        eventually(lambda: statuses(database, account).count("processed") == 10, timeout_s=20)
    holder.rollback()
    holder.close()
    eventually(lambda: statuses(database, account) == ["processed"] * 410)
    assert undelivered(database, account) == 0


@pytest.mark.parametrize("table", ["webhook_logs", "webhook_delivery_attempts"])
@pytest.mark.parametrize("mode", ["SHARE", "EXCLUSIVE"])
def test_a_locked_table_costs_no_result(database, client, account, cluster, database_name, receiver, gateway, mode, table):
    """CREATE INDEX blocks writes; ALTER TABLE also blocks the query for locked rows."""
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}') FROM generate_series(1, 700)", account.id)
    failures = gateway.log().count("database task failed")
    queue_again(database, account)
    eventually(lambda: receiver.received)
    holder = psycopg2.connect(cluster.dsn(database_name))
    with holder.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {table} IN {mode} MODE")
        eventually(lambda: len(receiver.received) == 700)
    holder.rollback()
    holder.close()
    eventually(lambda: statuses(database, account) == ["processed"] * 700, timeout_s=15)
    assert len(receiver.received) == 700 and undelivered(database, account) == 0
    assert gateway.log().count("database task failed") == failures


def test_an_invisible_lock_delays_few_results(database, client, account, cluster, database_name):
    """A trigger of the operator writes a row of another table, which is locked."""
    database.rows("CREATE TABLE theirs (id integer PRIMARY KEY, seen integer); INSERT INTO theirs VALUES (1, 0), (2, 0)")
    database.rows("""CREATE FUNCTION note_theirs() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        UPDATE theirs SET seen = seen + 1 WHERE id = CASE WHEN NEW.external_message_id = 'slow' THEN 1 ELSE 2 END;
        RETURN NEW; END $$; CREATE TRIGGER theirs AFTER UPDATE ON webhook_logs FOR EACH ROW EXECUTE FUNCTION note_theirs()""")
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}', CASE n WHEN 7 THEN 'slow' END) FROM generate_series(1, 40) AS n",
                  account.id)
    holder = psycopg2.connect(cluster.dsn(database_name))
    with holder.cursor() as cursor:
        cursor.execute("SELECT FROM theirs WHERE id = 1 FOR UPDATE")
        queue_again(database, account)
        eventually(lambda: statuses(database, account).count("processed") == 39)
    holder.rollback()
    holder.close()
    eventually(lambda: statuses(database, account) == ["processed"] * 40)
    database.rows("DROP TRIGGER theirs ON webhook_logs; DROP FUNCTION note_theirs(); DROP TABLE theirs")


def test_a_locked_endpoint_holds_up_no_other_s_news(database, client, gateway, cluster, database_name):
    with Receiver(answer(410)) as gone:
        first, second = (database.add_account(webhook_url=gone.url()) for _ in range(2))
        gateway.settle(database)
        disabled = "SELECT count(*) FROM webhook_endpoints WHERE social_account_id = %s AND NOT is_enabled"
        holder = psycopg2.connect(cluster.dsn(database_name))
        with holder.cursor() as cursor:
            cursor.execute("SELECT 1 FROM webhook_endpoints WHERE social_account_id = %s FOR UPDATE", (first.id,))
            send(client, first)
            send(client, second)
            eventually(lambda: database.value(disabled, second.id) == 1)
            assert database.value(disabled, first.id) == 0
        holder.rollback()
        holder.close()
        eventually(lambda: database.value(disabled, first.id) == 1)


def test_an_event_that_cannot_be_marked_holds_up_no_other(database, client, account, gateway):
    """A CHECK of the operator refuses it."""
    marked = meta.message()
    database.rows(f"ALTER TABLE webhook_logs ADD CONSTRAINT theirs CHECK (status <> 'processed' OR external_message_id <> '{marked['id']}')")
    send(client, account, marked, *[meta.message() for _ in range(10)])
    eventually(lambda: statuses(database, account) == ["processed"] * 10 + ["received"])
    eventually(lambda: "delivery result refused" in gateway.log())
    database.rows("ALTER TABLE webhook_logs DROP CONSTRAINT theirs")
    database.rows("UPDATE webhook_deliveries SET due_at = now()")
    database.rows("NOTIFY socialsync_deliveries")
    eventually(lambda: statuses(database, account) == ["processed"] * 11)


def test_the_recorder_s_session_is_ended_in_its_statement(database, client, account, gateway, cluster, database_name):
    database.rows("SELECT log_webhook(%s, 'whatsapp', 'messages', '{}')", account.id)
    holder = psycopg2.connect(cluster.dsn(database_name))
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE webhook_delivery_attempts IN ACCESS EXCLUSIVE MODE")
        queue_again(database, account)
        send(client, account, *[meta.message() for _ in range(5)])
        ended = 0
        while ended < 3:
            ended += database.value("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                                    "WHERE query LIKE '%webhook_delivery_attempts%' AND application_name = 'socialsync' AND state = 'active'")
    holder.rollback()
    holder.close()
    eventually(lambda: statuses(database, account) == ["processed"] * 6)
    assert undelivered(database, account) == 0


def test_one_event_twice_in_a_body(database, client, account, receiver):
    message = meta.message()
    body = meta.encode({"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [
        meta.change(account.key, [message, message])]}]})
    assert client.post(PATH, body, SHARED_SECRET).status == 200
    eventually(lambda: statuses(database, account) == ["processed"])
    assert len(receiver.received) == 1
    assert database.quarantined(account.key) == []


def test_an_event_that_was_removed_by_hand_may_be_repeated(database, client, account, receiver):
    message = meta.message()
    database.rows("UPDATE webhook_endpoints SET per_second_max = 1 WHERE social_account_id = %s", account.id)
    send(client, account, message)
    eventually(lambda: statuses(database, account) == ["processed"])
    queue_again(database, account)
    database.rows("UPDATE webhook_deliveries SET due_at = 'infinity'")
    database.rows("DELETE FROM webhook_logs WHERE social_account_id = %s", account.id)
    send(client, account, message)
    assert len(database.logs(account)) == 1
    assert database.quarantined(account.key) == []
    database.rows("DELETE FROM webhook_deliveries")
