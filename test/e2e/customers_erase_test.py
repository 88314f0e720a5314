"""`socialsync customers erase`: all data of one customer is erased, and none of others."""

import base64
import json

import pytest

import meta
import program
from tenants import SHARED_SECRET, new_key
from waiting import eventually

PATH = "/api/whatsapp/webhook"


class People:
    """Each test has numbers of its own; `longer` and `shorter` begin with the person's, or are the beginning of it."""

    def __init__(self):
        self.person = f"33{new_key()[-9:]}"
        self.longer, self.shorter, self.other = self.person + "7", self.person[:-1], f"44{new_key()[-9:]}"
        self.bsuid, self.other_bsuid = f"FR.{new_key()}", f"FR.{new_key()}"


@pytest.fixture
def people():
    return People()


@pytest.fixture
def account(database, gateway):
    made = database.add_account(webhook_metadata=f'{{"waba_id": "{new_key()}"}}', display_phone_number="15550000000")
    gateway.settle(database)
    return made


def wamid(number):
    """As WhatsApp makes them: the number is in it."""
    unique = new_key().encode()
    return "wamid." + base64.b64encode(b"\x1c\x18" + bytes([len(number)]) + number.encode() + b"\x15\x02\x00" + unique).decode()


def message(sender, **more):
    return {"from": sender, "id": meta.new_id(), "timestamp": meta.now_s(), "type": "text",
            "text": {"body": f"{meta.PRIVATE} text"}, **more}


def send(client, account, contacts=(), key=None, field="messages", **lists):
    key = key or account.key
    value = {"messaging_product": "whatsapp", "metadata": meta.metadata(key), "contacts": list(contacts), **lists}
    body = meta.whatsapp(meta.entry(key, {"field": field, "value": value}))
    assert client.post(PATH, body, SHARED_SECRET).status == 200


def erase(url, account, customer, *arguments):
    done = program.run("customers", "erase", "--account", account, "--customer", customer, "--output", "json",
                       *arguments, DATABASE_URL=url)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def theirs(client, account, people):
    """Stores events that belong to the customer in each possible way; returns their number."""
    send(client, account, messages=[message(people.person)])
    send(client, account, messages=[message("", from_user_id=people.bsuid)])
    send(client, account, contacts=[{"wa_id": people.person, "user_id": people.bsuid}],
         messages=[message(people.person, from_user_id=people.bsuid)])
    send(client, account, messages=[message(people.person, group_id="Y2FwaQ==")])
    send(client, account, field="smb_message_echoes", message_echoes=[message(meta.metadata("")["display_phone_number"], to=people.person)])
    send(client, account, statuses=[{"id": meta.new_id(), "status": "read", "timestamp": meta.now_s(), "recipient_id": people.person}])
    send(client, account, statuses=[{"id": meta.new_id(), "status": "delivered", "timestamp": meta.now_s(), "recipient_id": "Y2FwaQ==",
                                     "recipient_type": "group", "recipient_participant_user_id": people.bsuid}])
    send(client, account, statuses=[{"id": wamid(people.person), "status": "sent", "timestamp": meta.now_s(),
                                     "errors": [{"code": 131026}]}])
    undated = message(people.person)
    del undated["timestamp"]
    send(client, account, messages=[undated])
    odd = message(people.person)
    odd["text"] = {"body": "\ud83d" + meta.PRIVATE}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [meta.entry(account.key, {
        "field": "messages", "value": {"metadata": meta.metadata(account.key), "messages": [odd]}})]}).encode()
    assert client.post(PATH, body, SHARED_SECRET).status == 200
    return 10


def of_others(client, account, people):
    for number in (people.longer, people.shorter, people.other):
        send(client, account, contacts=[{"wa_id": number, "user_id": people.other_bsuid + number}],
             messages=[message(number, id=wamid(number))])
        send(client, account, statuses=[{"id": wamid(number), "status": "sent", "timestamp": meta.now_s(), "recipient_id": number}])
    send(client, account, messages=[message(people.other, text={"body": f"{meta.PRIVATE} call {people.person}"})])
    return 7


def test_all_data_of_one_customer_is_erased(client, database, database_url, account, people):
    mine, others = theirs(client, account, people), of_others(client, account, people)
    elsewhere = database.add_account()
    database.rows("INSERT INTO webhook_logs (social_account_id, platform, webhook_type, payload, customer_identifier) "
                  "VALUES (%s, 'whatsapp', 'messages', '{}', %s)", elsewhere.id, people.person)
    assert len(database.logs(account)) == mine + others
    assert any(row["exact_payload"] for row in database.logs(account))
    keys = database.value("SELECT count(*) FROM socialsync.webhook_event_keys")
    said = erase(database_url, account.key, f"+{people.person}", "--dry-run")
    assert said["identifiers"] == sorted([people.person, people.bsuid])
    assert sum(said["events"].values()) == mine and said["left"] == []
    assert len(database.logs(account)) == mine + others
    for table, columns, values in (("webhook_deliveries", "", ""), ("webhook_delivery_attempts", ", attempt, took_ms", ", 1, 1")):
        database.rows(f"INSERT INTO {table} (event_id, endpoint_id{columns}) SELECT id, %s{values} FROM webhook_logs "
                      "WHERE social_account_id = %s", account.id, account.id)
    done = erase(database_url, account.id, people.bsuid, "--yes")
    assert done["events"] == said["events"]
    assert done["removed"] == {"events": mine, "identity_keys": 1, "quarantined": 0, "deliveries": mine, "attempts": mine}
    for table in ("webhook_deliveries", "webhook_delivery_attempts"):
        assert database.value(f"SELECT count(*) FROM {table} WHERE endpoint_id = %s", account.id) == others
    left = database.logs(account)
    assert len(left) == others
    assert database.value("SELECT count(*) FROM socialsync.webhook_event_keys") == keys - 1
    assert len(database.logs(elsewhere)) == 1
    again = erase(database_url, account.id, people.person, "--yes")
    assert (again["removed"]["events"], again["events"]) == (0, {})


def test_quarantined_rows_are_erased(client, database, database_url, account, people):
    database.rows("UPDATE social_accounts SET is_active = false WHERE id = %s", account.id)
    stranger = new_key()

    def is_off():
        send(client, account, messages=[message(people.other)])
        return database.quarantined(account.key)

    eventually(is_off)
    before = len(database.quarantined(account.key))
    send(client, account, messages=[message(people.person)])
    send(client, account, messages=[message(people.longer)])
    send(client, account, key=stranger, messages=[message(people.person)])
    done = erase(database_url, account.id, people.person, "--yes")
    assert done["removed"]["quarantined"] == 1 and done["quarantined"] == {"inactive_account": 1}
    assert len(database.quarantined(account.key)) == before + 1
    assert len(database.quarantined(stranger)) == 1


def test_rows_that_the_database_refused_are_erased(database, database_url, account, people):
    """Such a row has no routing key: its body names the account."""
    other = database.add_account()
    made = [database.value("INSERT INTO webhook_quarantine (reason, platform, body) VALUES ('rejected_by_database', 'whatsapp', %s) "
                           "RETURNING id", meta.whatsapp_messages(key, message(people.person))) for key in (account.key, other.key)]
    assert erase(database_url, account.id, people.person, "--yes")["quarantined"] == {"rejected_by_database": 1}
    assert [row["id"] for row in database.rows("SELECT id FROM webhook_quarantine WHERE id = ANY (%s::uuid[])", made)] == [made[1]]


def test_shared_events_stay_and_are_listed(client, database, database_url, account, people):
    send(client, account, messages=[message(people.other, group_id="g", context={"from": people.person, "id": wamid(people.person)})])
    threads = [{"id": number, "messages": [message(number)]} for number in (people.person, people.other)]
    send(client, account, field="history", history=[{"metadata": {"phase": 0, "chunk_order": 1}, "threads": threads}])
    whole = database.value("INSERT INTO webhook_quarantine (reason, routing_key, body) VALUES ('not_json', %s, %s) RETURNING id",
                           account.key, f'{{"from":"{people.person}"'.encode())
    done = erase(database_url, account.id, people.person, "--yes")
    assert done["events"] == done["quarantined"] == {}
    assert sorted(row["why"] for row in done["left"]) == ["among_others", "mentioned", "mentioned"]
    assert whole in [row["id"] for row in done["left"]]
    assert len(database.logs(account)) == 2


@pytest.mark.parametrize("platform, path, shapes", [
    ("instagram", "/api/instagram/webhook", [meta.instagram_message, meta.instagram_comment]),
    ("facebook", "/api/messenger/webhook", [meta.messenger_message]),
])
def test_other_platforms(client, gateway, database, database_url, platform, path, shapes):
    page = database.add_account(platform)
    gateway.settle(database)
    other = f"{meta.CUSTOMER}1".encode()
    for shape in shapes:
        body = shape(page.key)
        for sent in (body, shape(page.key).replace(meta.CUSTOMER.encode(), other)):
            assert client.post(path, sent, SHARED_SECRET).status == 200
    done = erase(database_url, page.key, meta.CUSTOMER, "--yes")
    assert done["removed"]["events"] == len(shapes) and done["left"] == []
    assert {row["customer_identifier"].encode() for row in database.logs(page)} == {other}


def test_many_events_are_erased_in_batches(database, database_url, account, people):
    """Some without a time of arrival, which no order has."""
    payload = meta.whatsapp_messages(account.key, message(people.person)).decode()
    database.rows("INSERT INTO webhook_logs (social_account_id, platform, webhook_type, payload, customer_identifier, created_at) "
                  "SELECT %s, 'whatsapp', 'messages', %s, CASE WHEN n %% 2 = 0 THEN %s ELSE %s END, "
                  "CASE WHEN n %% 10 > 1 THEN now() END FROM generate_series(1, 6000) AS n",
                  account.id, meta.whatsapp_messages(account.key, message(people.other)).decode(), people.person, people.other)
    database.rows("UPDATE webhook_logs SET payload = %s WHERE social_account_id = %s AND customer_identifier = %s",
                  payload, account.id, people.person)
    assert erase(database_url, account.id, people.person, "--yes")["removed"]["events"] == 3000
    assert {row["customer_identifier"] for row in database.logs(account)} == {people.other}


def test_times_as_the_database_writes_them(database, database_url, account, people):
    """CST is China's time zone for the writer, and America's for the reader."""
    name = database.value("SELECT current_database()")
    database.rows("INSERT INTO webhook_logs (social_account_id, platform, webhook_type, payload, customer_identifier, created_at) "
                  "SELECT %s, 'whatsapp', 'messages', '{}', %s, now() - n * interval '1 second' FROM generate_series(1, 2500) AS n",
                  account.id, people.person)
    database.rows(f"ALTER DATABASE {name} SET datestyle = 'SQL, DMY'; ALTER DATABASE {name} SET timezone = 'Asia/Shanghai'")
    try:
        done = erase(database_url, account.id, people.person, "--yes")
    finally:
        database.rows(f"ALTER DATABASE {name} RESET datestyle; ALTER DATABASE {name} RESET timezone")
    assert done["removed"]["events"] == 2500


def test_it_asks(database_url, account, client, people, database):
    send(client, account, messages=[message(people.person)])
    done = program.run("customers", "erase", "--account", account.id, "--customer", people.person, DATABASE_URL=database_url)
    assert done.returncode == 2 and "--yes" in done.stderr
    assert people.person in done.stdout and len(database.logs(account)) == 1


@pytest.mark.parametrize("account_text, customer, code", [
    ("00000000-0000-4000-8000-000000000000", "33600000001", 9),
    ("", "33", 2),
    ("", "+1 555 000 0000", 2),
])
def test_invalid_arguments_are_refused(database_url, account, account_text, customer, code):
    done = program.run("customers", "erase", "--account", account_text or account.id, "--customer", customer, "--yes",
                       DATABASE_URL=database_url)
    assert done.returncode == code and done.stderr


def test_the_business_is_no_customer(client, database, database_url, account, people):
    """Even if the account has no number: its received events name it."""
    send(client, account, field="smb_message_echoes", message_echoes=[message("15550000000", to=people.person)])
    database.rows("UPDATE social_accounts SET display_phone_number = NULL WHERE id = %s", account.id)
    done = program.run("customers", "erase", "--account", account.id, "--customer", "+1 555 000 0000", "--yes",
                       DATABASE_URL=database_url)
    assert done.returncode == 2 and "the account itself" in done.stderr
    assert len(database.logs(account)) == 1
