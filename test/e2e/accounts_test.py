"""`socialsync accounts`: an added account is routed at once, invalid values are refused, and no secret is shown."""

import json
import secrets
import shlex
import subprocess

import pytest

import meta
import program
from document import Document
from tenants import SHARED_SECRET, new_key, new_secret
from waiting import eventually

PATH = "/api/meta/webhook"


@pytest.fixture
def accounts(database_url, tmp_path):
    """Runs a subcommand; keyword arguments in capitals are settings, `stdin` is what it reads."""
    def run(*arguments, stdin="", **settings):
        done = subprocess.run([program.binary(), "accounts", *arguments], input=stdin, text=True, capture_output=True,
                              env=program.environment({"DATABASE_URL": database_url, **settings}), cwd=tmp_path,
                              timeout=program.TIMEOUT_S, check=False)
        assert meta.SECRET not in done.stdout + done.stderr
        return done
    return run


@pytest.fixture
def asked(accounts):
    """The same, with its answer as JSON."""
    def run(*arguments, code=0, **more):
        done = accounts(*arguments, "--output", "json", **more)
        assert done.returncode == code, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        assert answer.pop("v") == 1
        return answer
    return run


@pytest.fixture
def user(database):
    return database.value("SELECT email FROM users WHERE id = %s", database.add_user())


def test_an_added_account_gets_its_events(accounts, asked, client, gateway, database, user):
    number, secret = new_key(), new_secret()
    added = asked("add", "whatsapp", "--phone-number-id", number, "--user", user, "--business-name", "Pizzeria «Roma»",
                  "--display-phone-number", "+33 7 65 54 00 03", "--app-secret-file", "-", stdin=f"{secret}\n")["added"]
    assert (added["platform"], added["phone_number_id"], added["account_id"], added["email"]) == (
        "whatsapp", number, number, user)
    assert (added["has_app_secret"], added["has_verify_token"], added["username"]) == (True, False, "Pizzeria «Roma»")
    gateway.settle(database)
    message = meta.message()
    assert client.post(PATH, meta.whatsapp_messages(number, message), secret).status == 200
    assert database.log_count(message["id"]) == 1
    for name in (added["id"], number):
        assert asked("show", name)["account"]["id"] == added["id"]
    assert number in accounts("list", "--user", user).stdout


def test_a_secret_s_line_end_is_not_a_part_of_it(asked, database, user, tmp_path):
    (tmp_path / "secret").write_text(f"{meta.SECRET}-new,{meta.SECRET}-old\r\n")
    (tmp_path / "token").write_text(meta.SECRET)
    added = asked("add", "instagram", "--page-id", new_key(), "--user", user, "--app-secret-file", "secret",
                  "--verify-token-file", "token", "--webhook-events", "messages,comments")["added"]
    assert database.rows("SELECT app_secret, verify_token, webhook_events FROM social_accounts WHERE id = %s", added["id"]) == [
        {"app_secret": f"{meta.SECRET}-new,{meta.SECRET}-old", "verify_token": meta.SECRET,
         "webhook_events": ["messages", "comments"]}]


@pytest.mark.parametrize("arguments, said", [
    (["whatsapp", "--user", "a@example.com"], "phone_number_id is missing"),
    (["instagram", "--user", "a@example.com", "--phone-number-id", "1"], "page_id is missing"),
    (["whatsapp", "--phone-number-id", "+33 7 65", "--user", "a@example.com"], "phone_number_id is digits only"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--webhook-events", "mesages"], "perhaps messages"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--webhook-url", "tenant.example"], "webhook_url is a URL"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--webhook-url", "https://a:b@c"], "webhook_url has a user"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--display-phone-number", "office"], "phone number such as"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--display-phone-number", 21 * "1"], "longer than 20"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--business-name", "two\nlines"], "control character"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--app-secret-file", "-"], "app_secret is empty"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--app-secret-file", "/nowhere"], "cannot read /nowhere"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--app-secret-file", "-", "--verify-token-file", "-"],
     "only one secret"),
    (["whatsapp", "--phone-number-id", "1", "--user", "a@example.com", "--app-secret", "x"], "--app-secret"),
    (["telegram", "--user", "a@example.com"], "telegram"),
])
def test_invalid_values_are_refused(accounts, database, arguments, said):
    before = database.value("SELECT count(*) FROM social_accounts")
    done = accounts("add", *arguments)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr
    assert database.value("SELECT count(*) FROM social_accounts") == before


def test_the_owner_of_an_account(accounts, asked, database):
    address, number = f"new{new_key()}@example.com", new_key()
    refused = accounts("add", "whatsapp", "--phone-number-id", number, "--user", address)
    assert (refused.returncode, "--create-user" in refused.stderr) == (9, True)
    added = asked("add", "whatsapp", "--phone-number-id", number, "--user", address, "--create-user")["added"]
    assert database.value("SELECT email FROM users WHERE id = %s", added["user_id"]) == address
    again = accounts("add", "whatsapp_business", "--phone-number-id", number, "--user", added["user_id"])
    assert (again.returncode, "already" in again.stderr, number in again.stderr) == (9, True, True)


def test_a_change_is_known_at_once(asked, client, gateway, database):
    account = database.add_account(secret=new_secret())
    newer = new_secret()
    answer = asked("set", account.key, "--app-secret-file", "-", "--waba-id", "778", "--webhook-events", "messages", stdin=newer)
    assert answer["set"] == ["app_secret", "waba_id", "webhook_events"]
    assert (answer["account"]["waba_id"], answer["account"]["webhook_events"]) == ("778", ["messages"])
    gateway.settle(database)
    assert client.post(PATH, meta.whatsapp_messages(account.key), newer).status == 200
    assert client.post(PATH, meta.whatsapp_messages(account.key), account.secret).status == 401
    assert len(database.logs(account)) == 1
    asked("set", account.key, "--clear", "webhook_events,app_secret", "--inactive")
    gateway.settle(database)
    assert client.post(PATH, meta.whatsapp_messages(account.key), SHARED_SECRET).status == 200
    assert [row["reason"] for row in database.quarantined(account.key)] == ["inactive_account"]
    shown = asked("show", account.key)["account"]
    assert (shown["webhook_events"], shown["has_app_secret"], shown["is_active"], shown["waba_id"]) == (None, False, False, "778")
    asked("set", account.key, "--active")
    assert database.value("SELECT is_active FROM social_accounts WHERE id = %s", account.id)


@pytest.mark.parametrize("arguments, code, said", [
    (["nobody", "--active"], 9, "account nobody not found"),
    (["{key}"], 2, "nothing to set"),
    (["{key}", "--clear", "username"], 2, "needs its username"),
    (["{key}", "--clear", "colour"], 2, "has no colour"),
    (["{key}", "--clear", "page_id", "--page-id", "1"], 2, "both set and cleared"),
    (["{key}", "--phone-number-id", "{other}"], 9, "another account has that already"),
    (["{key}", "--active", "--inactive"], 2, "excludes"),
])
def test_a_change_that_is_refused(accounts, database, arguments, code, said):
    mine, other = database.add_account(), database.add_account()
    done = accounts("set", *(argument.format(key=mine.key, other=other.key) for argument in arguments))
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr


def test_a_name_of_two_accounts(accounts, database):
    name = new_key()
    both = [database.add_account(platform, account_id=name) for platform in ("instagram", "facebook")]
    done = accounts("show", name)
    assert done.returncode == 9 and all(account.id in done.stderr for account in both)


def test_removal_reports_the_removed_rows(accounts, asked, client, gateway, database):
    gone, stays = database.add_account(), database.add_account()
    gateway.settle(database)
    for account in (gone, stays):
        assert client.post(PATH, meta.whatsapp_messages(account.key, meta.message(), meta.message(timestamp=False)),
                           SHARED_SECRET).status == 200
    asked("set", gone.key, "--inactive")
    gateway.settle(database)
    assert client.post(PATH, meta.whatsapp_messages(gone.key), SHARED_SECRET).status == 200
    assert accounts("remove", gone.key).returncode == 2  # no terminal to ask on
    for table, columns, values in (("webhook_deliveries", "", ""), ("webhook_delivery_attempts", ", attempt, took_ms", ", 1, 1")):
        database.rows(f"INSERT INTO {table} (event_id, endpoint_id{columns}) SELECT id, %s{values} FROM webhook_logs "
                      "WHERE social_account_id = %s", gone.id, gone.id)
    removed = asked("remove", gone.key, "--yes")["removed"]
    assert (removed["events"], removed["quarantined"], removed["identity_keys"]) == (2, 1, 1)
    assert (removed["deliveries"], removed["attempts"]) == (2, 2)
    assert removed["account"]["phone_number_id"] == gone.key
    assert (database.logs(gone), database.quarantined(gone.key), len(database.logs(stays))) == ([], [], 2)
    assert accounts("show", gone.key).returncode == 9


def test_a_file_is_imported_whole_or_not_at_all(asked, database, user):
    first, second, third = (new_key() for _ in range(3))
    head = "Platform;user;phone_number_id;page_id;business_name;app_secret;is_active\n".lower()
    good = f'whatsapp;{user};{first};;"Roma; the first";{meta.SECRET}-1;\ninstagram;{user};;{second};Due;;no\n'
    bad = f"whatsapp;nobody@example.com;{third};;;;\nwhatsapp;{user};{first};;;;\nwhatsapp;{user};;;;;\ntelegram;{user};1;;;;\n"
    answer = asked("import", "-", "--yes", stdin=head + good + bad, code=9)
    assert (answer["written"], [line["line"] for line in answer["bad_lines"]]) == (False, [4, 5, 6, 7])
    answer = asked("import", "-", "--yes", stdin=head + good + bad.splitlines()[0], code=9)
    assert [line["line"] for line in answer["bad_lines"]] == [4] and "nobody@example.com" in answer["bad_lines"][0]["problem"]
    assert database.value("SELECT count(*) FROM social_accounts WHERE phone_number_id IN (%s, %s)", first, third) == 0
    assert asked("import", "-", "--dry-run", stdin=head + good) == {"written": False, "added": 2, "changed": 0, "bad_lines": []}
    assert asked("import", "-", "--yes", stdin=head + good) == {"written": True, "added": 2, "changed": 0, "bad_lines": []}
    rows = database.rows("SELECT platform, business_name, app_secret, is_active FROM social_accounts "
                         "WHERE phone_number_id = %s OR page_id = %s ORDER BY platform::text", first, second)
    assert rows == [{"platform": "instagram", "business_name": "Due", "app_secret": None, "is_active": False},
                    {"platform": "whatsapp", "business_name": "Roma; the first", "app_secret": f"{meta.SECRET}-1", "is_active": True}]
    assert len(asked("import", "-", "--yes", stdin=head + good, code=9)["bad_lines"]) == 2
    again = head + good.replace("Due", "Due e mezzo")
    assert asked("import", "-", "--yes", "--update", stdin=again)["changed"] == 2
    assert database.value("SELECT business_name FROM social_accounts WHERE page_id = %s", second) == "Due e mezzo"


@pytest.mark.parametrize("text, said", [
    ("", "the file is empty"), ("platform,phone_numer_id\n", "perhaps phone_number_id"), ("user,user\n", "twice"),
])
def test_a_header_that_cannot_be_used(accounts, text, said):
    done = accounts("import", "-", "--yes", stdin=text)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_check_reports_missing_values_and_quarantined_events(accounts, asked, client, gateway, database):
    account = database.add_account(is_active=False)
    gateway.settle(database)
    assert client.post(PATH, meta.whatsapp_messages(account.key), SHARED_SECRET).status == 200
    answer = asked("check", account.key, code=9)
    [finding] = answer["findings"]
    assert (answer["faulty"], finding["gets_its_events"], finding["in_quarantine"]) == (1, False, {"inactive_account": 1})
    asked("set", account.key, "--active")
    without = asked("check", account.key, code=9)["findings"][0]["faults"]
    assert "META_APP_SECRET" in without[0]
    gateway.settle(database)
    assert client.post(PATH, meta.whatsapp_messages(account.key), SHARED_SECRET).status == 200
    eventually(lambda: database.value("SELECT last_webhook_at FROM social_accounts WHERE id = %s", account.id))
    [finding] = asked("check", account.key, META_APP_SECRET=SHARED_SECRET)["findings"]
    assert finding["events_of_the_last_day"]["messages"] >= 1 and finding["faults"] == []
    assert any("WABA" in note for note in finding["notes"])
    text = accounts("check", account.key, META_APP_SECRET=SHARED_SECRET)
    assert text.returncode == 0 and text.stdout.startswith("gets its events")
    everybody = accounts("check")
    assert everybody.returncode == 9 and "active accounts get their events" in everybody.stdout


@pytest.mark.parametrize("command", ["list", "show x", "check", "remove x --yes"])
def test_a_database_that_is_not_migrated(cluster, accounts, command):
    cluster.create_database("not_migrated")
    done = accounts(*command.split(), DATABASE_URL=cluster.url("not_migrated"))
    cluster.drop_database("not_migrated")
    assert (done.returncode, "not migrated" in done.stderr) == (3, True), done.stderr


@pytest.mark.parametrize("guide", ["docs/operations.md", "docs/operations.fr.md"])
def test_the_guide_s_commands_work_one_after_another(accounts, database, tmp_path, guide):
    database.rows("INSERT INTO users (email) VALUES ('someone@example.org') ON CONFLICT DO NOTHING")
    (tmp_path / "secret.txt").write_text(new_secret())
    (tmp_path / "tenants.csv").write_text(f"platform,user,page_id\nmessenger,someone@example.org,{new_key()}\n")
    lines = [line for block in Document(guide).blocks if block.language == "sh" for line in block.text.splitlines()
             if line.startswith("socialsync accounts ")]
    assert len(lines) == 7
    for line in lines:
        done = accounts(*shlex.split(line, comments=True)[2:])
        assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_with_a_key_new_secrets_are_encrypted(asked, database, user):
    key, number = secrets.token_hex(32), new_key()
    secret, token = new_secret(), new_secret()
    added = asked("add", "whatsapp", "--phone-number-id", number, "--user", user, "--app-secret-file", "-", stdin=secret,
                  SOCIALSYNC_SECRETS_KEY=key)["added"]
    asked("set", number, "--verify-token-file", "-", stdin=new_secret(), SOCIALSYNC_SECRETS_KEY=key)
    asked("set", number, "--access-token-file", "-", stdin=token, SOCIALSYNC_SECRETS_KEY=key)  # the application reads it
    [row] = database.rows("SELECT app_secret, verify_token, access_token FROM social_accounts WHERE id = %s", added["id"])
    assert row["app_secret"].startswith("enc:v1:") and row["verify_token"].startswith("enc:v1:")
    assert row["access_token"] == token
    assert asked("check", number, SOCIALSYNC_SECRETS_KEY=key)["faulty"] == 0
