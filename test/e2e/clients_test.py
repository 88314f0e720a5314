"""The payloads that we store, shown to libraries that many use: they see the ids, people and texts that our rows say."""

import fnmatch
import json
import os
import re
import subprocess

import pytest

import meta
from libraries import INSTALLED
from program import TIMEOUT_S
from suite import ROOT
from tenants import SHARED_SECRET

GOLDEN = ROOT / "test/golden/whatsapp"

NO_MESSAGE = "neither a message, a status nor a call: the library has no word for it, or hands the value on as it is"
A_WHOLE_CHUNK = "many messages in one event, which the library does not look into"

# Bodies of test/golden that a library reads in another way than we do, or not at all; with the reason.
OF_EVERY_LIBRARY = {
    **dict.fromkeys([
        "account_*", "automatic_event", "business_*", "consumer_profile", "contact_of_the_business_app", "errors_alone",
        "field_of_the_future", "flow", "group_*", "messaging_handover", "number_*", "partner_*", "payment_configuration",
        "preference", "security", "template_*", "user_id_changed"], NO_MESSAGE),
    **dict.fromkeys(["history_chunk", "history_declined", "history_of_several_threads"], A_WHOLE_CHUNK),
}
EXCEPTIONS = {
    "whatsapp-api-js": {
        **OF_EVERY_LIBRARY,
        "history_media": "it knows the fields messages and calls only",
        "echo*": "it knows the fields messages and calls only",
        "call_by_the_business": "it takes whoever the call is from for the customer, who is called here",
    },
    "@kapso/whatsapp-cloud-api": OF_EVERY_LIBRARY,
}


@pytest.fixture(scope="module")
def stored(database, gateway):
    """Each body's name, and the rows that the gateway made of it."""
    bodies = {path.stem: path.read_bytes() for path in sorted(GOLDEN.glob("*.json"))}
    for key in ("200000000000001", "200000000000002"):
        database.add_account(key=key, webhook_metadata='{"waba_id": "100000000000001"}')
    gateway.settle(database)
    client, rows = gateway.client(), {}
    for name, body in bodies.items():
        database.rows("TRUNCATE webhook_logs, socialsync.webhook_event_keys")
        assert client.post("/api/whatsapp/webhook", body, SHARED_SECRET).status == 200
        rows[name] = database.rows("SELECT DISTINCT ON (payload) *, payload::text AS payload_text FROM webhook_logs")
    client.close()
    return rows


def as_meta_writes(payload):
    """In ASCII: whatsapp-api-js takes a signature for that of the escaped text, as Meta's bodies are escaped already."""
    return re.sub(r"[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], payload)


def read_by(library, payloads):
    """The events that the library sees in each payload."""
    bodies = [as_meta_writes(payload) for payload in payloads]
    webhooks = [{"library": library, "body": body, "signature": meta.sign(body.encode(), SHARED_SECRET)} for body in bodies]
    done = subprocess.run(
        ["node", ROOT / "test/clients/read.mjs", INSTALLED], input=json.dumps(webhooks),
        env={**os.environ, "SECRET": SHARED_SECRET}, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def event_in(payload):
    """The message, status or call; empty for other events."""
    [change] = payload["entry"][0]["changes"]
    lists = [change["value"].get(name) for name in ("messages", "message_echoes", "statuses", "calls")]
    return next((found[0] for found in lists if found), {})


def expected_of(row):
    event = event_in(row["payload"])
    return {"id": row["external_message_id"], "sender": row["customer_identifier"] or "",
            "type": event.get("event") or event.get("status") or event.get("type") or "",
            "text": event.get("text", {}).get("body") or event.get("button", {}).get("text") or ""}


@pytest.mark.parametrize("library", EXCEPTIONS)
def test_a_library_sees_what_our_rows_say(stored, library):
    rows = [(name, row) for name, rows in stored.items() for row in rows]
    seen = read_by(library, [row["payload_text"] for _, row in rows])
    different = {name: (found, expected_of(row)) for (name, row), found in zip(rows, seen) if found != [expected_of(row)]}
    unexplained = {name: what for name, what in different.items()
                   if not any(fnmatch.fnmatch(name, pattern) for pattern in EXCEPTIONS[library])}
    assert unexplained == {}
    for pattern in EXCEPTIONS[library]:
        names = fnmatch.filter(stored, pattern)
        assert names and names == fnmatch.filter(different, pattern), f"{pattern}: {library} agrees with us, no exception"
