"""The same events, in whatever bodies, order and number of deliveries, become the same rows of PostgreSQL."""

import random

import meta
from tenants import SHARED_SECRET, new_key

PATH = "/api/meta/webhook"
ROUNDS = 8


def add_person(value, customer):
    contact = {"profile": {"name": f"{meta.PRIVATE} {customer}"}, "wa_id": customer}
    contacts = value.setdefault("contacts", [])
    if contact not in contacts:
        contacts.append(contact)


class Bodies:
    """Puts events into bodies as a random number generator says."""

    def __init__(self, numbers):
        self._random = random.Random(numbers)

    def of(self, events):
        """Each event is (object, account's key, list, element)."""
        events = list(events)
        self._random.shuffle(events)
        bodies = []
        for kind, key, name, element in events:
            body = self._pick([body for body in bodies if body["object"] == kind]) or self._new(bodies, {
                "object": kind, "entry": []})
            entry = self._pick([entry for entry in body["entry"] if entry["id"] == key]) or self._new(body["entry"], {"id": key})
            if name == "messaging":
                entry.setdefault("messaging", []).append(element)
            else:
                self._add_to_change(entry.setdefault("changes", []), key, name, element)
        return [meta.encode(body) for body in bodies]

    def _add_to_change(self, changes, key, name, element):
        change = self._pick(changes) or self._new(changes, {
            "field": "messages", "value": {"messaging_product": "whatsapp", "metadata": meta.metadata(key)}})
        change["value"].setdefault(name, []).append(element)
        add_person(change["value"], element.get("from") or element["recipient_id"])

    def _pick(self, fitting):
        return self._random.choice(fitting) if fitting and self._random.random() < 0.7 else None

    @staticmethod
    def _new(things, thing):
        things.append(thing)
        return thing


def events_for(numbers, page, instagram):
    """Events of several customers, on several accounts and on an unknown one."""
    events = []
    for key in numbers:
        for person in ("33600000001", "33600000002", "33600000003"):
            message = {**meta.message(), "from": person}
            events.append(("whatsapp_business_account", key, "messages", message))
            for word in ("sent", "delivered", "read"):
                events.append(("whatsapp_business_account", key, "statuses",
                               {**meta.status(word, message["id"] + "="), "recipient_id": person}))
    for kind, key in (("page", page), ("instagram", instagram)):
        for number in range(5):
            mid = meta.new_id("mid.")
            parties = {"sender": {"id": f"55500{number}"}, "recipient": {"id": key}, "timestamp": 1760000000000 + number}
            events.append((kind, key, "messaging", {**parties, "message": {"mid": mid, "text": meta.PRIVATE}}))
            events.append((kind, key, "messaging", {**parties, "reaction": {"mid": mid, "action": "react", "emoji": "❤"}}))
    return events


def test_any_grouping_order_and_number_of_deliveries_gives_the_same_rows(client, gateway, database):
    accounts = [database.add_account(), database.add_account(), database.add_account("facebook"),
                database.add_account("instagram")]
    gateway.settle(database)
    *numbers, page, instagram = [account.key for account in accounts]
    events = events_for([*numbers, new_key()], page, instagram)

    def deliver(numbers):
        for body in Bodies(numbers).of(events):
            assert client.post(PATH, body, SHARED_SECRET).status == 200

    def rows():
        logged = database.rows(
            "SELECT id, social_account_id, user_id, platform, webhook_type, payload, exact_payload, status, external_message_id, "
            "customer_identifier FROM webhook_logs ORDER BY id")
        kept = database.rows("SELECT id, reason, routing_key, webhook_type, event_time FROM webhook_quarantine ORDER BY id")
        return logged, kept

    expected = None
    for first in range(ROUNDS):
        database.rows("TRUNCATE webhook_logs, webhook_quarantine")
        for again in range(1 + first % 3):
            deliver(100 * first + again)
        expected = expected or rows()
        assert rows() == expected
    logged, kept = expected
    assert len(logged) + len(kept) == len(events) and kept
