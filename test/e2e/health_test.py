"""/healthz, /readyz and /metrics. Their answers while the database is unreachable: outage_test.py."""

import meta
from tenants import SHARED_SECRET, new_key

PATH = "/api/whatsapp/webhook"


def test_alive_and_ready(client):
    for path in ("/healthz", "/readyz"):
        assert client.get(path).status == 200
        assert client.request("HEAD", path).body == b""


def test_metrics_are_prometheus_text(client):
    answer = client.get("/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = [line for line in answer.body.decode().splitlines() if line and not line.startswith("#")]
    assert samples and all(float(line.rpartition(" ")[2]) >= 0 for line in samples)


def test_metrics_follow_the_traffic(client, gateway, database):
    account, stranger = database.add_account(webhook_events=["messages"]), new_key()
    gateway.settle(database)
    message = meta.message()
    bodies = [meta.whatsapp_messages(account.key, message)] * 2 + [
        meta.whatsapp_statuses(account.key, meta.status()), meta.whatsapp_messages(stranger)]
    for body in bodies:
        assert client.post(PATH, body, SHARED_SECRET).status == 200
    client.post(PATH, bodies[0])

    def events(**labels):
        return gateway.metric("socialsync_events_total", platform="whatsapp", **labels)

    assert events(type="messages", result="received") == 1
    assert events(type="messages", result="duplicate") == 1
    assert events(type="message_deliveries", result="ignored") == 1
    assert events(type="messages", result="unknown_account") == 1
    assert gateway.metric("socialsync_requests_total", result="committed") == 4
    assert gateway.metric("socialsync_requests_total", result="signature_missing") == 1
    assert gateway.metric("socialsync_batch_events_count") == 4
    assert gateway.metric("socialsync_commit_seconds_count") == 4
    assert gateway.metric("socialsync_queue_events") == 0
    assert gateway.metric("socialsync_directory_accounts") == database.value("SELECT count(*) FROM social_accounts")
    assert gateway.metric("socialsync_http_connections") >= 1
