"""`socialsync accounts` with unintended input: empty names, foreign text, files that are half right, many lines."""

import pytest

import meta
from accounts_test import accounts, asked, user  # noqa: F401 (fixtures)
from sealing import new_key as new_secrets_key
from sealing import seal
from tenants import new_key

SEALED = f"enc:v1:00000000:{meta.SECRET}"


@pytest.mark.parametrize("command", ["show", "check", "set --inactive", "remove --yes"])
def test_an_empty_name_is_not_the_only_account(accounts, database, command):
    """As `accounts remove "$ACCOUNT" --yes` says it where ACCOUNT is not set."""
    database.rows("DELETE FROM social_accounts")
    account = database.add_account()
    verb, *options = command.split()
    done = accounts(verb, "", *options)
    assert (done.returncode, "ACCOUNT" in done.stderr) == (2, True), done.stderr
    assert database.rows("SELECT id, is_active FROM social_accounts") == [{"id": account.id, "is_active": True}]


def test_foreign_text_does_not_reach_a_terminal_raw(accounts, database):
    hostile = "\x1b]0;mine\x07\x1b[2J\x9b31m\rRoma\n"
    one = database.add_account(business_name=hostile, display_name=hostile, webhook_url=hostile, account_id=hostile)
    other = database.add_account("instagram", business_name=hostile, account_id=hostile)
    outputs = [accounts("list"), accounts("show", one.key), accounts("check", one.key), accounts("show", hostile),
               accounts("set", other.key, "--inactive"), accounts("remove", one.key, "--yes"),
               accounts("import", "-", "--dry-run", stdin=f"platform,user,page_id\ninstagram,{hostile.strip()}@x,1\n")]
    for done in outputs:
        text = done.stdout + done.stderr
        assert not [character for character in text if character != "\n" and not character.isprintable()], repr(text)
    assert r"\x1b]0;mine" in outputs[0].stdout and other.id in outputs[3].stderr


def test_other_keys_of_webhook_metadata_are_kept(accounts, asked, database):
    account = database.add_account(webhook_metadata='{"application": {"nothing": null}, "none": null, "ids": ["1"]}')

    def metadata():
        return database.value("SELECT webhook_metadata FROM social_accounts WHERE id = %s", account.id)

    kept = {"application": {"nothing": None}, "none": None}
    asked("set", account.key, "--waba-id", "778")
    assert metadata() == {**kept, "ids": ["1"], "waba_id": "778"}
    asked("set", account.key, "--clear", "linked_ids,waba_id")
    assert metadata() == kept
    database.rows("UPDATE social_accounts SET webhook_metadata = '[1]' WHERE id = %s", account.id)
    refused = accounts("set", account.key, "--waba-id", "778")
    assert (refused.returncode, "webhook_metadata" in refused.stderr, metadata()) == (9, True, [1])


def test_a_file_that_is_refused_leaves_no_user(accounts, asked, database, user):
    number = database.add_account(account_id=f"taken{new_key()}")
    taken = database.value("SELECT account_id FROM social_accounts WHERE id = %s", number.id)
    address = f"new{new_key()}@example.com"
    head = "platform,user,phone_number_id,account_id\n"
    first = f"whatsapp,{address},{new_key()},\nwhatsapp,{address},{new_key()},\n"
    refused = accounts("import", "-", "--create-user", "--yes", stdin=f"{head}{first}whatsapp,{user},{new_key()},{taken}\n")
    assert (refused.returncode, taken in refused.stderr) == (9, True), refused.stderr
    assert database.value("SELECT count(*) FROM users WHERE email = %s", address) == 0
    assert asked("import", "-", "--create-user", "--yes", stdin=head + first)["added"] == 2
    assert database.value("SELECT count(*) FROM users u JOIN social_accounts a ON a.user_id = u.id WHERE email = %s", address) == 2


def test_a_word_that_is_neither_yes_nor_no(asked, user):
    text = f"platform,user,phone_number_id,is_active\nwhatsapp,{user},{new_key()},off\n"
    [line] = asked("import", "-", "--yes", stdin=text, code=9)["bad_lines"]
    assert "is_active" in line["problem"]


def test_an_instagram_account_with_a_phone_number_is_found(asked, user):
    text = f"platform,user,page_id,phone_number_id\ninstagram,{user},{new_key()},{new_key()}\n"
    assert asked("import", "-", "--yes", stdin=text)["added"] == 1
    assert asked("import", "-", "--yes", "--update", stdin=text)["changed"] == 1


def test_many_lines_do_not_each_read_the_whole_table(asked, database):
    """Measured by PostgreSQL's statistics, not by time."""
    database.rows("INSERT INTO users (email) SELECT 'many' || n || '@example.com' FROM generate_series(1, 2000) AS n")
    lines = "".join(f"instagram,many{n}@example.com,{new_key()}\n" for n in range(1, 501))

    def scans():
        database.rows("SELECT pg_stat_clear_snapshot()")
        return database.value("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'users'")

    before = scans()
    assert asked("import", "-", "--yes", stdin="platform,user,page_id\n" + lines)["added"] == 500
    assert scans() - before < 10


@pytest.mark.parametrize("secret, said", [(SEALED, "encrypted"), (f"plain,{SEALED}", "encrypted"), (" , ", "empty")])
def test_text_that_is_no_secret_is_refused(accounts, database, secret, said):
    """Encrypted text would prevent every start of a gateway; blanks would make META_APP_SECRET valid."""
    account = database.add_account()
    done = accounts("set", account.key, "--app-secret-file", "-", stdin=secret)
    assert (done.returncode, said in done.stderr) == (2, True), done.stderr


def test_check_reports_an_undecryptable_verify_token(asked, database):
    account, key, other_key = database.add_account(secret="own"), new_secrets_key(), new_secrets_key()

    def store(token):
        database.rows("UPDATE social_accounts SET verify_token = %s WHERE id = %s", token, account.id)

    store(seal("token", key, account.id, "verify_token"))
    assert asked("check", account.key, SOCIALSYNC_SECRETS_KEY=key)["faulty"] == 0
    for arguments in ([account.key], []):
        answer = asked("check", *arguments, code=9, SOCIALSYNC_SECRETS_KEY=other_key)
        [finding] = [one for one in answer["findings"] if one["account"]["id"] == account.id]
        assert any("serve does not start" in fault for fault in finding["faults"]), finding
    store(seal("token", key, account.id, "app_secret"))
    [finding] = asked("check", account.key, SOCIALSYNC_SECRETS_KEY=key)["findings"]
    assert any("verify_token" in note and "cannot be decrypted" in note for note in finding["notes"])


def test_a_secret_that_must_be_unique_is_not_quoted(accounts, database):
    """By an index of the application's; `accounts` looks for the secret in all that is printed."""
    taken, other = database.add_account(access_token=meta.SECRET), database.add_account()
    database.rows("CREATE UNIQUE INDEX mine ON social_accounts (access_token)")
    done = accounts("set", other.key, "--access-token-file", "-", stdin=meta.SECRET)
    database.rows("DROP INDEX mine; DELETE FROM social_accounts WHERE id = %s", taken.id)
    assert (done.returncode, "has that access_token already" in done.stderr) == (9, True), done.stderr
