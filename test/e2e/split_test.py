"""One POST of two tenants' events: each tenant gets its own and nothing else, committed before the 200."""

import pytest

import meta
from tenants import SHARED_SECRET, new_key

def entries_of(account, texts, *rest):
    """An entry of one tenant; each text becomes a message, in one change."""
    messages = [meta.message(text, message_id=f"wamid.{text}") for text in texts]
    return meta.entry(new_key(), meta.change(account.key, messages), *rest)


@pytest.fixture(scope="module")
def tenants(database):
    return [database.add_account() for _ in range(2)]


@pytest.fixture(scope="module")
def rows(database, gateway, tenants):
    """The rows of each tenant, read by another connection at once after the 200 to one POST of three changes with
    five messages."""
    first, second = tenants
    body = meta.whatsapp(
        entries_of(first, ["first-1", "first-2"], meta.change(first.key, [meta.message("first-3", "wamid.first-3")])),
        entries_of(second, ["second-1", "second-2"]))
    gateway.settle(database)
    answer = gateway.client().post("/api/whatsapp/webhook", body, SHARED_SECRET)
    found = [database.logs(account) for account in tenants]
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    return found


def test_each_event_is_a_row_of_its_tenant(rows):
    texts = [[row["payload"]["entry"][0]["changes"][0]["value"]["messages"][0]["id"] for row in own] for own in rows]
    assert [sorted(own) for own in texts] == [
        ["wamid.first-1", "wamid.first-2", "wamid.first-3"], ["wamid.second-1", "wamid.second-2"]]


def test_a_payload_holds_one_event_only(rows):
    for row in [row for own in rows for row in own]:
        [entry] = row["payload"]["entry"]
        [change] = entry["changes"]
        [message] = change["value"]["messages"]
        assert message["id"] == row["external_message_id"]
        assert change["value"]["contacts"][0]["wa_id"] == meta.CUSTOMER == row["customer_identifier"]


def test_nothing_of_the_other_tenant_shows(rows, tenants):
    for own, other, name in ((rows[0], tenants[1], "second"), (rows[1], tenants[0], "first")):
        for row in own:
            assert name not in row["payload_text"]
            assert other.key not in row["payload_text"]
            assert str(row["user_id"]) != str(other.user_id)
