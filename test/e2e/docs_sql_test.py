"""Every SQL block of the documents runs, and finds what it looks for."""

import re

import psycopg2
import pytest

import meta
from document import Document
from gateway import Gateway
from suite import ROOT
from tenants import SHARED_SECRET
from waiting import eventually

GUIDE = Document("docs/operations.md")
BLOCKS = [block for document in (Document("README.md"), GUIDE, Document("docs/operations.fr.md"))
          for block in document.blocks if block.language == "sql"]
NOT_RUN_MAX = 2  # pg_cron, in both languages

PHONE, PAGE, LATE = "683178638221369", "17841400000000000", "683178638221399"
NEW_PHONE = "683178638221300"  # in place of PHONE, where a block adds a tenant
USER, MESSAGE, FINGERPRINT = "00000000-0000-4000-8000-000000000001", "wamid.DOCUMENTED", "0123456789abcdef"
PLACEHOLDERS = {"wamid.…": MESSAGE, "…": USER}
NUMBERS = ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"]


@pytest.fixture(scope="module")
def lived_in(database, cluster, database_name):
    """The gateway's role; tenants on WhatsApp and Instagram, an event of one and one of the app itself, and one in quarantine that came before
    its account."""
    cluster.psql(database_name, file=ROOT / "sql/gateway_role.sql")
    database.rows("INSERT INTO users (id, email) VALUES (%s, 'someone@example.org')", USER)
    for platform, key in (("whatsapp_business", PHONE), ("instagram", PAGE), ("whatsapp", LATE)):
        database.add_account(platform, key=key, user_id=USER, secret="new,old")
    database.rows("SELECT log_webhook(id, platform, 'messages', '{}', %s, %s) FROM social_accounts WHERE phone_number_id = %s",
                  MESSAGE, meta.CUSTOMER, PHONE)
    database.rows("INSERT INTO webhook_logs (platform, webhook_type, payload) VALUES ('whatsapp', 'partner_solutions', '{}'), "
                  "('whatsapp', 'endpoint_failing', '{}')")
    body = meta.whatsapp_messages(LATE, meta.message(message_id=MESSAGE))
    database.rows("INSERT INTO webhook_quarantine (reason, platform, routing_key, webhook_type, signed_by, body) "
                  "VALUES ('unknown_account', 'whatsapp', %s, 'messages', %s, %s)", LATE, FINGERPRINT, psycopg2.Binary(body))
    return database


def runnable(block):
    """The block with its placeholders filled in, leaving nothing behind."""
    text = block.text.replace("COMMIT;", "ROLLBACK;")
    for placeholder, value in PLACEHOLDERS.items():
        text = text.replace(placeholder, value)
    if "INSERT INTO social_accounts" in text:
        text = text.replace(PHONE, NEW_PHONE)
    return f"BEGIN;\n{text}\nROLLBACK;\n"


@pytest.mark.parametrize("block", [block for block in BLOCKS if block.is_run], ids=str)
def test_it_runs_and_finds_something(lived_in, cluster, database_name, block):
    done = cluster.run_psql(database_name, runnable(block), args=["-v", "ON_ERROR_STOP=1"])
    assert done.returncode == 0, done.stderr
    nothing = re.findall(r"^(?:\(0 rows\)|UPDATE 0|DELETE 0|INSERT 0 0)$", done.stdout, re.M)
    is_idle = "maintain_partitions" in block.text  # all are there
    assert is_idle or not nothing, done.stdout


def test_few_blocks_are_not_run():
    assert sum(not block.is_run for block in BLOCKS) <= NOT_RUN_MAX


@pytest.fixture
def gateway_role(database):
    """Made by the guide's own block; gives its name and password."""
    block = next(block.text for block in GUIDE.blocks if "CREATE ROLE" in block.text)
    name, password = re.search(r"CREATE ROLE (\w+) LOGIN PASSWORD '(.*)'", block).groups()
    database.rows(block)
    yield name, password
    database.rows(f"DROP ROLE {name}")


@pytest.fixture
def missing_partition(database):
    """The newest is gone: gives the name under which the gateway has to make it again."""
    name = database.value("SELECT max(name) FROM socialsync.weekly_partitions()")
    database.rows(f"DROP TABLE socialsync.{name}")
    return name


def test_the_gateway_s_role_has_the_rights_it_needs(lived_in, cluster, database_name, gateway_role, missing_partition):
    name, password = gateway_role
    account = lived_in.add_account()
    body = meta.whatsapp(meta.entry("102290129340398", meta.change(account.key, [meta.message(), meta.message(timestamp=False)])))
    with Gateway("", META_APP_SECRET=SHARED_SECRET, DB_HOST="127.0.0.1", DB_PORT=cluster.port, DB_NAME=database_name,
                 DB_USER=name, DB_PASSWORD=password) as gateway:
        client = gateway.client()
        for sent in (body, body, b"{}"):
            assert client.post("/api/meta/webhook", sent, SHARED_SECRET).status == 200
        client.close()
        eventually(lambda: f"created socialsync.{missing_partition}" in gateway.log())
        # Some are still on their way, or going.
        held = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
        eventually(lambda: f"A gateway holds {NUMBERS[lived_in.value(held, name)]} connections" in GUIDE.text)
        gateway.stop()
        assert " warning " not in gateway.log()
    assert len(lived_in.logs(account)) == 2
    seen = lived_in.rows("SELECT webhook_status, webhook_metadata FROM social_accounts WHERE id = %s", account.id)
    assert seen == [{"webhook_status": "active", "webhook_metadata": {"waba_id": "102290129340398"}}]
