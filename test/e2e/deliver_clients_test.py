"""Deliveries, received by libraries that many use: they believe the signatures, and see what was sent to us.

clients_test.py explains the differences between a library's view and ours.
"""

import base64
import fnmatch
import json
import os
from dataclasses import dataclass

import pytest

import meta
import program
from clients_test import EXCEPTIONS, GOLDEN, expected_of
from gateway import Gateway
from libraries import LibraryServer
from tenants import SHARED_SECRET, new_secret
from waiting import eventually

PATH = "/api/whatsapp/webhook"
KEYS = ("200000000000001", "200000000000002")  # the numbers of test/golden
# A library, and the format of its endpoint.
OF_WHATSAPP = [("whatsapp-api-js", "meta"), ("@kapso/whatsapp-cloud-api", "meta")]
OF_STANDARD_WEBHOOKS = [(library, form) for library in ("standardwebhooks", "svix") for form in ("meta", "standard")]
RECEIVERS = OF_WHATSAPP + OF_STANDARD_WEBHOOKS

OF_NO_ACCOUNT = ["partner_added", "partner_certified"]  # bodies of test/golden that are not delivered
ROTATED_KEY = "200000000000003"
DURING, AFTER = "/during", "/after"  # a rotation: the paths of its two endpoints

TEXTS = [
    "àéîõü ÿ ß ñ ŁŠ", "日本語 العربية हिन्दी", "🙂 👩‍👩‍👧‍👦 🇫🇷 𝒳", "\u2028 between \u2029", "~ \x7f \x80 \x9f \xa0",
    "\x01\x08\x0b\x1f\x1b[31m", "\n\r\t", "\"quoted\" \\ / \\u0041 \\\\u00e9", "</script>&<!-- '", "\ufeff\ufffd\uffff\U0010ffff",
    "e\u0301 is not \u00e9", "é" * 4096,
]
ONLY_ESCAPED = ["nothing \0", "half an emoji \ud83d", "the other half \ude42"]  # UTF-8 or jsonb cannot hold them


def path_of(library, form, key):
    return f"/{library}/{form}/{key}"


@dataclass
class House:
    """A gateway whose tenants' servers are these libraries."""
    database: object
    client: object
    server: LibraryServer

    def send(self, body):
        assert self.client.post(PATH, body, SHARED_SECRET).status == 200

    def deliveries(self, path, event_ids):
        """The first of each of these events, when all have come; by the event's id."""
        def arrived():
            found = {}
            for delivery in self.server.of(path):
                found.setdefault(delivery.event_id, delivery)
            return found if event_ids <= found.keys() else None
        arrived.__doc__ = f"{len(event_ids)} deliveries to {path}"
        return eventually(arrived)


def add_endpoint(database, account, place, form, previous=None, previous_until=None):
    return database.rows(
        "INSERT INTO webhook_endpoints (social_account_id, place, format, previous_signing_secret, previous_signing_secret_until) "
        "VALUES (%s, %s, %s, %s, now() + %s::interval) RETURNING *", account.id, place, form, previous, previous_until)[0]


def add_endpoints(database):
    """By their paths; none has a URL yet."""
    endpoints = {}
    for key in KEYS:
        account = database.add_account(key=key, webhook_metadata='{"waba_id": "100000000000001"}')
        for place, (library, form) in enumerate(RECEIVERS):
            endpoints[path_of(library, form, key)] = library, add_endpoint(database, account, place, form)
    rotated = database.add_account(key=ROTATED_KEY)
    for place, (path, until) in enumerate([(DURING, "1 hour"), (AFTER, "-1 second")]):
        previous = "whsec_" + base64.b64encode(os.urandom(64)).decode()  # as long as may be
        endpoints[path] = "standardwebhooks", add_endpoint(database, rotated, place, "meta", previous, until)
    return endpoints


def paths_of(endpoints):
    """Which library with which secret answers where: with the current one, and in a rotation each with each."""
    paths = {}
    for path, (library, endpoint) in endpoints.items():
        kind = "app_secret" if (library, "meta") in OF_WHATSAPP else "signing_secret"
        paths[path] = library, endpoint[kind]
    for path in (DURING, AFTER):
        for library in ("standardwebhooks", "svix"):
            paths[f"{path}/{library}/new"] = library, endpoints[path][1]["signing_secret"]
            paths[f"{path}/{library}/old"] = library, endpoints[path][1]["previous_signing_secret"]
    return paths


@pytest.fixture(scope="module")
def house(database, database_url):
    endpoints = add_endpoints(database)
    settings = {"META_APP_SECRET": SHARED_SECRET, "SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1"}
    with LibraryServer(paths_of(endpoints)) as server:
        for path, (_, endpoint) in endpoints.items():
            database.rows("UPDATE webhook_endpoints SET url = %s WHERE id = %s", server.url(path), endpoint["id"])
        with Gateway(database_url, **settings) as gateway:
            client = gateway.client()
            yield House(database, client, server)
            client.close()


@pytest.fixture(scope="module")
def golden(house):
    """The rows that each body of test/golden became, with the number whose they are."""
    def new_rows():
        rows = house.database.rows(
            "SELECT l.*, a.phone_number_id FROM webhook_logs AS l JOIN social_accounts AS a ON a.id = l.social_account_id "
            "WHERE l.id <> ALL(%s::uuid[])", list(known))
        known.update(row["id"] for row in rows)
        return rows
    known, stored = set(), {}
    new_rows()
    for body in sorted(GOLDEN.glob("*.json")):
        house.send(body.read_bytes())
        stored[body.stem] = new_rows()
    assert [name for name, rows in stored.items() if not rows] == OF_NO_ACCOUNT
    return stored


@pytest.fixture(scope="module")
def texts(house):
    """Messages of one number, by their ids: in bodies of UTF-8, and of ASCII as Meta writes them."""
    sent = {}
    for is_ascii, texts in ((False, TEXTS), (True, TEXTS + ONLY_ESCAPED)):
        for message in map(meta.message, texts):
            value = meta.entry(KEYS[0], meta.change(KEYS[0], [message]))
            house.send(json.dumps({"object": "whatsapp_business_account", "entry": [value]}, ensure_ascii=is_ascii).encode())
            sent[message["id"]] = message
    return sent


def deliveries_of(house, library, form, rows):
    """With each row its delivery."""
    found = {}
    for key in KEYS:
        wanted = {row["id"] for row in rows if row["phone_number_id"] == key}
        found |= house.deliveries(path_of(library, form, key), wanted)
    return [(row, found[row["id"]]) for row in rows]


def deliveries_of_texts(house, texts, library, form):
    """With each message its delivery."""
    rows = house.database.rows("SELECT id, external_message_id FROM webhook_logs WHERE external_message_id = ANY(%s)", list(texts))
    assert len(rows) == len(texts)
    found = house.deliveries(path_of(library, form, KEYS[0]), {row["id"] for row in rows})
    return [(texts[row["external_message_id"]], found[row["id"]]) for row in rows]


# ---- Libraries for WhatsApp


@pytest.mark.parametrize("library, form", OF_WHATSAPP)
def test_a_whatsapp_library_sees_each_event(house, golden, library, form):
    names = {row["id"]: name for name, rows in golden.items() for row in rows}
    pairs = deliveries_of(house, library, form, [row for rows in golden.values() for row in rows])
    assert [names[row["id"]] for row, delivery in pairs if not delivery.is_accepted] == []
    different = {names[row["id"]]: (delivery.seen, expected_of(row)) for row, delivery in pairs
                 if delivery.failure or delivery.seen != [expected_of(row)]}
    assert {name: what for name, what in different.items()
            if not any(fnmatch.fnmatch(name, pattern) for pattern in EXCEPTIONS[library])} == {}


@pytest.mark.parametrize("library, form", OF_WHATSAPP)
def test_a_whatsapp_library_sees_each_text(house, texts, library, form):
    for message, delivery in deliveries_of_texts(house, texts, library, form):
        assert delivery.is_accepted, message
        assert delivery.seen == [
            {"id": message["id"], "sender": meta.CUSTOMER, "type": "text", "text": message["text"]["body"]}]


@pytest.mark.parametrize("library, form", OF_WHATSAPP)
def test_a_whatsapp_library_refuses_what_is_not_ours(house, texts, library, form):
    _, delivery = deliveries_of_texts(house, texts, library, form)[0]
    accepts = house.server.accepts
    changed = delivery.body.replace(meta.PRIVATE.encode(), meta.PRIVATE.title().encode(), 1)
    assert changed != delivery.body
    assert accepts(delivery)
    assert not accepts(delivery, body=changed)
    assert not accepts(delivery, path=path_of(library, form, KEYS[1]))


# ---- Standard Webhooks


@pytest.mark.parametrize("library, form", OF_STANDARD_WEBHOOKS)
def test_standard_webhooks_verify_each_event(house, golden, library, form):
    for row, delivery in deliveries_of(house, library, form, [row for rows in golden.values() for row in rows]):
        assert delivery.is_accepted, (row["payload"], delivery.failure)
        payload = delivery.seen
        if form == "standard":
            assert (payload["type"], payload["data"]["id"]) == (row["webhook_type"], row["id"])
            payload = payload["data"]["payload"]
        assert payload == row["payload"]


@pytest.mark.parametrize("library, form", OF_STANDARD_WEBHOOKS)
def test_standard_webhooks_verify_each_text(house, texts, library, form):
    for message, delivery in deliveries_of_texts(house, texts, library, form):
        assert delivery.is_accepted, (message, delivery.failure)
        payload = delivery.seen["data"]["payload"] if form == "standard" else delivery.seen
        assert payload["entry"][0]["changes"][0]["value"]["messages"] == [message]


@pytest.mark.parametrize("library, form", OF_STANDARD_WEBHOOKS)
def test_standard_webhooks_refuse_what_is_not_ours(house, texts, library, form):
    _, delivery = deliveries_of_texts(house, texts, library, form)[0]
    accepts = house.server.accepts
    assert accepts(delivery)
    for place in (0, len(delivery.body) // 2, len(delivery.body) - 1):
        changed = bytearray(delivery.body)
        changed[place] ^= 1
        assert not accepts(delivery, body=bytes(changed))
    assert not accepts(delivery, body=delivery.body + b" ")
    assert not accepts(delivery, webhook_id="msg_00000000-0000-4000-8000-000000000000")
    assert not accepts(delivery, webhook_timestamp=str(int(delivery.headers["webhook-timestamp"]) + 1))
    assert not accepts(delivery, path=path_of(library, form, KEYS[1]))


@pytest.mark.parametrize("library, form", OF_STANDARD_WEBHOOKS)
def test_standard_webhooks_refuse_what_is_old(house, texts, library, form):
    _, delivery = deliveries_of_texts(house, texts, library, form)[0]
    assert house.server.accepts(delivery, ahead_s=120)
    assert not house.server.accepts(delivery, ahead_s=360)


@pytest.mark.parametrize("library", ["standardwebhooks", "svix"])
def test_a_rotation_is_signed_with_both_secrets_until_its_end(house, library):
    house.send(meta.whatsapp_messages(ROTATED_KEY))
    during, after = (eventually(lambda: house.server.of(path))[0] for path in (DURING, AFTER))
    accepts = house.server.accepts
    assert accepts(during, path=f"{DURING}/{library}/new")
    assert accepts(during, path=f"{DURING}/{library}/old")
    assert accepts(after, path=f"{AFTER}/{library}/new")
    assert not accepts(after, path=f"{AFTER}/{library}/old")


# ---- The commands


def test_a_whatsapp_library_passes_the_handshake_and_accepts_a_test(database, database_url, tmp_path):
    account = database.add_account()
    secret = new_secret()
    for name, text in (("token", secret), ("wrong", "wrong")):
        (tmp_path / name).write_text(text)
    egress = {"SOCIALSYNC_EGRESS_ALLOW": "127.0.0.0/8", "SOCIALSYNC_EGRESS_HTTP": "1", "DATABASE_URL": database_url}
    with LibraryServer({"/bot": ("whatsapp-api-js", secret)}) as server:
        add = ["endpoints", "add", "--account", account.key, "--url", server.url("/bot"), "--app-secret-file", tmp_path / "token",
               "--verify-token-file"]
        assert program.run(*add, tmp_path / "wrong", **egress).returncode == 6
        assert program.run(*add, tmp_path / "token", **egress).returncode == 0
        tested = program.run("endpoints", "test", "--account", account.key, **egress)
        assert tested.returncode == 0, tested.stdout
        delivery = eventually(lambda: server.of("/bot"))[0]
        assert delivery.is_accepted and delivery.seen[0]["text"] == "A test message of SocialSync Webhooks"
