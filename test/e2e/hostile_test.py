"""Hostile and odd bodies, signed: answered 200 and kept whole, without harm to the events beside them."""

import decimal
import json
import signal

import pytest

import hostile
import meta
from suite import ROOT
from tenants import SHARED_SECRET, new_key

pytestmark = pytest.mark.sanitizers

PATH = "/api/whatsapp/webhook"
EVENTS_MAX = 5000


@pytest.fixture(scope="module")
def account(database, gateway):
    made = database.add_account()
    gateway.settle(database)
    return made


@pytest.fixture
def deliver(client, database):
    """Posts a body signed; returns its rows: of the log and of the quarantine."""
    def post(body, path=PATH):
        begin = database.value("SELECT clock_timestamp()")
        answer = client.post(path, body, SHARED_SECRET)
        assert (answer.status, answer.json()) == (200, {"status": "ok"})
        logged = database.rows("SELECT *, payload::text AS payload_text FROM webhook_logs WHERE created_at >= %s", begin)
        kept = database.rows("SELECT * FROM webhook_quarantine WHERE created_at >= %s", begin)
        return logged, [{**row, "body": bytes(row["body"])} for row in kept]
    return post


def exactly(text):
    """Equal for the same JSON: numbers keep all digits, and of several members of one name the last counts."""
    return json.loads(text, parse_float=decimal.Decimal, parse_int=decimal.Decimal)


# ---- Values

@pytest.mark.parametrize("place", hostile.member_places().values(), ids=hostile.member_places())
def test_values_that_jsonb_refuses_are_kept_byte_for_byte(deliver, account, place):
    for name, odd in hostile.UNFIT_VALUES.items():
        beside = meta.message(name)
        logged, kept = deliver(place(odd, account.key, json.dumps(beside)))
        assert (len(logged), kept) == (2, []), name
        good, bad = sorted(logged, key=lambda row: row["external_message_id"] != beside["id"])
        assert odd.encode() in bytes(bad["exact_payload"]), name
        assert len(bad["payload_text"]) < len(bad["exact_payload"]) + 1000, name
        assert good["payload"]["entry"][0]["changes"][0]["value"]["messages"] == [beside], name


@pytest.mark.parametrize("place", hostile.member_places().values(), ids=hostile.member_places())
def test_values_that_jsonb_accepts_are_stored_unchanged(deliver, account, place):
    for name, odd in hostile.FIT_VALUES.items():
        logged, kept = deliver(place(odd, account.key, json.dumps(meta.message())))
        assert (len(logged), kept) == (2, []), name
        assert [row["exact_payload"] for row in logged] == [None, None], name
        payloads = [exactly(row["payload_text"]) for row in logged]
        assert exactly(odd) in [value for payload in payloads for value in values_of(payload)], name


def values_of(value):
    yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        yield from values_of(inner)


def test_ids_beyond_what_a_double_holds(deliver, account):
    for message_id in ("9007199254740993", "9007199254740992", '"9007199254740993x"', "12345678901234567890123"):
        [row], _ = deliver(meta.whatsapp_messages(account.key, meta.message()).replace(
            b'"id": "wamid.', b'"id": ' + message_id.encode() + b', "was": "wamid.', 1))
        assert row["external_message_id"] == message_id.strip('"')


def test_a_routing_key_beyond_what_a_double_holds(client, database, gateway, deliver):
    odd, even = (database.add_account(key=key) for key in ("9007199254740993", "9007199254740992"))
    gateway.settle(database)
    for account in (odd, even):
        body = meta.whatsapp_messages(account.key).replace(b'"%s"' % account.key.encode(), account.key.encode())
        [row], _ = deliver(body)
        assert row["social_account_id"] == account.id


@pytest.mark.parametrize("wrong_first", [True, False])
def test_the_last_of_two_members_of_one_name_counts(deliver, account, wrong_first):
    """We route and identify by the values that a reader of the payload sees."""
    message_id, stranger = meta.new_id(), new_key()
    numbers = [f'"phone_number_id": "{key}"' for key in (stranger, account.key)]
    ids = [r'"\u0069d": "wrong"', f'"id": "{message_id}"']
    senders = ['"from": "1"', '"from": "2"']
    if not wrong_first:
        numbers, ids, senders = numbers[::-1], ids[::-1], senders[::-1]
    body = ('{"object": "page", "object": "whatsapp_business_account", "entry": [{"id": "1", "changes": [{"field": "x", '
            '"field": "messages", "value": {"metadata": {%s}, "messages": [{%s, %s, "timestamp": "1760000001"}]}}]}]}'
            % tuple(", ".join(pair) for pair in (numbers, ids, senders))).encode()
    logged, kept = deliver(body)
    if not wrong_first:
        assert (logged, [row["routing_key"] for row in kept]) == ([], [stranger])
        return
    [row] = logged
    value = row["payload"]["entry"][0]["changes"][0]["value"]
    assert row["social_account_id"] == account.id
    assert row["external_message_id"] == value["messages"][0]["id"] == message_id
    assert row["customer_identifier"] == value["messages"][0]["from"] == "2"
    assert row["payload"]["entry"][0]["changes"][0]["field"] == row["webhook_type"] == "messages"


# ---- Bytes

def good_body(account):
    return meta.whatsapp_messages(account.key, meta.message())


def test_a_body_that_is_not_json_is_kept_byte_for_byte(deliver, account):
    for name, around in hostile.NO_JSON.items():
        body = around.replace(b"HERE", good_body(account))
        logged, [row] = deliver(body)
        assert (logged, row["reason"], row["body"]) == ([], "not_json", body), name


@pytest.mark.parametrize("opening, closing", [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_at_and_above_the_limit(deliver, account, opening, closing):
    def with_odd(depth):
        inside = opening * depth + (b"" if opening == b"[" else b"1") + closing * depth
        message = {**meta.message(), "odd": "ODD"}
        return meta.whatsapp_messages(account.key, message).replace(b'"ODD"', inside)

    around = 8  # containers of the body around a member of a message
    [row], kept = deliver(with_odd(64 - around))
    assert kept == [] and row["social_account_id"] == account.id
    for depth in (65 - around, 1000, 300_000):
        deep = with_odd(depth)
        logged, [row] = deliver(deep)
        assert (logged, row["reason"], row["body"]) == ([], "too_deep", deep)


# ---- Sizes

THREE_MB = 3_000_000


@pytest.mark.parametrize("fill", [b'"' + b"x" * THREE_MB + b'"', b'"' + rb"\ud83d\ude00" * (THREE_MB // 12) + b'"',
                                  b"[" + b"{}," * (THREE_MB // 3) + b"{}]"], ids=["text", "escapes", "objects"])
def test_three_megabytes_in_one_message(deliver, account, fill):
    message = {**meta.message(), "odd": "ODD"}
    [row], kept = deliver(meta.whatsapp_messages(account.key, message).replace(b'"ODD"', fill))
    assert kept == [] and row["exact_payload"] is None
    assert row["payload"]["entry"][0]["changes"][0]["value"]["messages"][0]["odd"] == json.loads(fill)


def test_three_megabytes_that_jsonb_cannot_hold(deliver, account):
    for fill in (b'"' + rb"\u0000" * (THREE_MB // 6) + b'"', b"9" * THREE_MB):
        message = {**meta.message(), "odd": "ODD"}
        [row], kept = deliver(meta.whatsapp_messages(account.key, message).replace(b'"ODD"', fill))
        assert kept == [] and fill in bytes(row["exact_payload"])


def test_three_megabytes_of_nothing(deliver):
    for body in (b"[" * THREE_MB, b'"' * THREE_MB, b"\xff" * THREE_MB, b"9" * THREE_MB, b"{}" + b" " * THREE_MB):
        logged, [row] = deliver(body)
        assert logged == [] and row["body"] == body


def test_a_thousand_updates_in_one_body(deliver, account):
    messages = [meta.message(str(number)) for number in range(1000)]
    logged, kept = deliver(meta.whatsapp_messages(account.key, *messages))
    assert kept == []
    assert {row["external_message_id"] for row in logged} == {message["id"] for message in messages}


@pytest.mark.parametrize("more", [0, 1])
def test_as_many_events_as_one_body_may_have_and_one_more(deliver, account, more):
    messages = [meta.message(str(number)) for number in range(EVENTS_MAX + more)]
    body = meta.whatsapp_messages(account.key, *messages)
    logged, kept = deliver(body)
    assert {row["external_message_id"] for row in logged} == {message["id"] for message in messages[:EVENTS_MAX]}
    assert [(row["reason"], row["body"]) for row in kept] == [("too_many_events", body)] * more


def test_a_thousand_entries_that_each_fail(deliver, account):
    bad = [{"id": new_key(), "odd": {"number": number}} for number in range(1000)]
    good = meta.message()
    body = meta.encode({"object": "whatsapp_business_account",
                        "entry": [*bad[:500], meta.entry(account.key, meta.change(account.key, [good])), *bad[500:]]})
    logged, kept = deliver(body)
    assert [row["external_message_id"] for row in logged] == [good["id"]]
    assert {row["reason"] for row in kept} == {"unreadable"}
    assert sorted(row["body"] for row in kept) == sorted(meta.encode(entry) for entry in bad)


# ---- Shapes

def test_webhooks_in_an_array(deliver, account):
    """The elements beside them are kept."""
    first, second = meta.message(), meta.message()
    others = [17, "x", None, [], {"hello": "world"}, [[1]]]
    bodies = [json.loads(meta.whatsapp_messages(account.key, message)) for message in (first, second)]
    logged, kept = deliver(meta.encode([bodies[0], *others, bodies[1]]))
    assert {row["external_message_id"] for row in logged} == {first["id"], second["id"]}
    assert sorted(row["body"] for row in kept) == sorted(meta.encode(other) for other in others)


def test_an_array_without_webhooks_is_kept_whole(deliver):
    for body in (b"[]", b"[[]]", b'[{"object": "page"}]', b"[[[{}]]]"):
        logged, [row] = deliver(body)
        assert (logged, row["reason"], row["body"]) == ([], "not_a_webhook", body)


def test_changed_fields_only(deliver, database, gateway):
    page = database.add_account("facebook")
    gateway.settle(database)
    entry = {"id": page.key, "time": 1760000000, "changed_fields": ["feed", "", 7, "mention"]}
    logged, kept = deliver(meta.encode({"object": "page", "entry": [entry]}))
    assert {row["webhook_type"]: row["payload"]["entry"][0]["changed_fields"] for row in logged} == {
        "feed": ["feed"], "mention": ["mention"]}
    assert sorted(row["body"] for row in kept) == [b'""', b"7"]


def test_empty_webhooks_leave_nothing_behind(deliver):
    """They contain nothing to keep."""
    for body in (b'{"object": "page", "entry": []}', b'{"object": "page", "entry": [{"id": "1", "changes": []}]}'):
        assert deliver(body) == ([], [])


GOLDEN = ROOT / "test/golden"


def places_in(value, path=()):
    """The path of each member below a value."""
    for name, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else []:
        if isinstance(value, dict):
            yield (*path, name)
        yield from places_in(inner, (*path, name))


def put(value, path, odd):
    for name in path[:-1]:
        value = value[name]
    value[path[-1]] = odd


@pytest.mark.release_only
@pytest.mark.parametrize("golden", ["whatsapp/messages_and_statuses", "instagram/comment", "messenger/message_with_a_file"])
def test_each_member_of_each_wrong_type(client, database, account, golden):
    """unit/parse/wrong_types_test.cpp does it for all bodies; here the rows are PostgreSQL's."""
    body = json.loads((GOLDEN / f"{golden}.json").read_text())
    neighbours = []
    for path in places_in(body["entry"], ("entry",)):
        for odd in hostile.WRONG_TYPES:
            odd_body = json.loads(json.dumps(body))
            put(odd_body, path, json.loads(odd))
            neighbours.append(meta.message())
            beside = json.loads(meta.whatsapp_messages(account.key, neighbours[-1]))
            assert client.post(PATH, meta.encode([odd_body, beside]), SHARED_SECRET).status == 200
    logged = database.rows("SELECT external_message_id FROM webhook_logs WHERE social_account_id = %s", account.id)
    assert {message["id"] for message in neighbours} <= {row["external_message_id"] for row in logged}
    assert database.rows("SELECT id FROM webhook_quarantine WHERE reason = 'rejected_by_database'") == []


# ---- Neighbours

@pytest.fixture
def refusing_database(database):
    """PostgreSQL refuses one sort of row, as a constraint of the operator would."""
    database.rows("ALTER TABLE webhook_logs ADD CONSTRAINT no_poison CHECK (payload::text NOT LIKE '%%POISON%%') NOT VALID")
    yield
    database.rows("ALTER TABLE webhook_logs DROP CONSTRAINT no_poison")


def test_neighbours_in_the_same_group_commit(gateway, database, account, refusing_database):
    """All that is hostile at once, each beside honest messages of the same commit, and one that PostgreSQL refuses."""
    place = hostile.member_places()["unknown member"]
    honest = [meta.message(str(number)) for number in range(80)]
    bodies = [place(odd, account.key, json.dumps(honest.pop())) for odd in hostile.UNFIT_VALUES.values()]
    bodies += [around.replace(b"HERE", b"{}") for around in hostile.NO_JSON.values()]
    bodies += [place('"POISON"', account.key, json.dumps(honest[-1]))]
    bodies += [meta.whatsapp_messages(account.key, message) for message in honest]
    before, commits = database.row_count(), gateway.metric("socialsync_batch_events_count")
    assert set(at_once(gateway, bodies)) == {200}
    assert gateway.metric("socialsync_batch_events_count") - commits < len(bodies), "nothing was committed together"
    for message in honest:
        assert database.log_count(message["id"]) == 1
    [refused] = database.rows("SELECT reason, body FROM webhook_quarantine WHERE position('POISON' in body) > 0")
    assert refused["reason"] == "rejected_by_database"
    assert database.row_count() == before + 2 * len(hostile.UNFIT_VALUES) + len(hostile.NO_JSON) + 1 + len(honest)


def at_once(gateway, bodies):
    """Posts them so that the gateway finds all of them waiting; returns the statuses."""
    clients = [gateway.raw_client() for _ in bodies]
    gateway.send_signal(signal.SIGSTOP)
    try:
        for client, body in zip(clients, bodies):
            client.send(b"POST %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Hub-Signature-256: %s\r\nContent-Length: %d\r\n\r\n"
                        % (PATH.encode(), meta.sign(body, SHARED_SECRET).encode(), len(body)) + body)
    finally:
        gateway.send_signal(signal.SIGCONT)
    statuses = [client.status() for client in clients]
    for client in clients:
        client.close()
    return statuses
