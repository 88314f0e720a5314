"""Encrypted secrets in the database: `serve` and `socialsync secrets`, while webhooks come in."""

import json
import threading

import pytest
from nacl.exceptions import CryptoError

import meta
import program
from gateway import Gateway
from sealing import key_id, new_key, seal, unseal
from tenants import SHARED_SECRET, new_secret
from waiting import eventually

COLUMNS = ("app_secret", "verify_token", "access_token", "refresh_token")
KEY, OTHER_KEY = new_key(), new_key()


@pytest.fixture(scope="module")
def gateway(database, database_url):
    database.rows("DELETE FROM social_accounts")  # or it would not start: it has no key for their secrets
    with Gateway(database_url, META_APP_SECRET=SHARED_SECRET, SOCIALSYNC_SECRETS_KEY=KEY) as running:
        yield running


@pytest.fixture(autouse=True)
def no_accounts_before(database):
    database.rows("DELETE FROM social_accounts")


@pytest.fixture
def secrets_command(database_url):
    """`socialsync secrets …`, which never shows a secret or a key; returns its report."""

    def run(*arguments, exit_code=0, key=KEY):
        done = program.run("secrets", *arguments, "--output", "json", DATABASE_URL=database_url, SOCIALSYNC_SECRETS_KEY=key)
        assert done.returncode == exit_code, done.stdout + done.stderr
        for hidden in (meta.SECRET, *filter(None, key.split(","))):
            assert hidden not in done.stdout + done.stderr
        return json.loads(done.stdout) if done.stdout else done.stderr

    return run


def full_account(database, **columns):
    """An account with a secret in each of the columns."""
    return database.add_account(secret=new_secret(), **{column: new_secret() for column in COLUMNS[1:]}, **columns)


def stored(database, account):
    return database.rows(f"SELECT {', '.join(COLUMNS)} FROM social_accounts WHERE id = %s", account.id)[0]


def seal_in_place(database, account, key=KEY, column="app_secret", at=None, value=None):
    """Writes a value encrypted for the account (or for another row and column) as another program would."""
    sealed = seal(value or account.secret, key, at or account.id, column)
    database.rows(f"UPDATE social_accounts SET {column} = %s WHERE id = %s", sealed, account.id)
    return sealed


def send(gateway, account, secret=None):
    """The answer to one webhook of the account, and its message's id."""
    message = meta.message()
    client = gateway.client()
    answer = client.post("/api/whatsapp/webhook", meta.whatsapp_messages(account.key, message), secret or account.secret)
    client.close()
    return answer.status, message["id"]


def test_encrypted_and_plaintext_values_side_by_side(gateway, database):
    """Encrypted by PyNaCl: the format is that of decision 0016."""
    plain, sealed = database.add_account(secret=new_secret()), database.add_account(secret=f"{new_secret()},{new_secret()}")
    seal_in_place(database, sealed)
    seal_in_place(database, sealed, column="verify_token", value=f"{meta.SECRET}-token")
    gateway.settle(database)
    for account in (plain, sealed):
        for secret in account.secret.split(","):
            status, message_id = send(gateway, account, secret)
            assert (status, database.log_count(message_id)) == (200, 1)
    client = gateway.client()
    question = "/api/whatsapp/webhook?hub.mode=subscribe&hub.challenge=7&hub.verify_token="
    assert client.get(f"{question}{meta.SECRET}-token").body == b"7"
    stored_token = stored(database, sealed)["verify_token"]
    assert client.get(question + stored_token).status == 403
    client.close()
    assert gateway.metric("socialsync_unreadable_secrets") == 0


def test_encrypt_and_decrypt_while_webhooks_come_in(gateway, database, secrets_command):
    accounts = [full_account(database) for _ in range(20)]
    before = {account.id: stored(database, account) for account in accounts}
    gateway.settle(database)
    is_over, sent, refused = threading.Event(), [], []

    def deliver(mine):
        while not is_over.is_set():
            for account in mine:
                status, message_id = send(gateway, account)
                (sent if status == 200 else refused).append((status, message_id))

    senders = [threading.Thread(target=deliver, args=(accounts[n::2],)) for n in range(2)]
    for sender in senders:
        sender.start()
    try:
        preview = secrets_command("encrypt", "--dry-run")
        assert {account.id: stored(database, account) for account in accounts} == before
        first = secrets_command("encrypt", "--yes")
        # settle() adds one account, with a verify token alone.
        assert preview["changed"] == first["changed"] == {
            "app_secret": 20, "verify_token": 21, "access_token": 20, "refresh_token": 20}
        assert secrets_command("encrypt", "--yes")["changed"] == {}
        for account in accounts:
            for column, value in stored(database, account).items():
                assert unseal(value, KEY, account.id, column) == before[account.id][column]
        gateway.settle(database)
        so_far = len(sent)
        eventually(lambda: len(sent) > so_far + 40)
        assert secrets_command("decrypt", "--yes")["changed"] == first["changed"]
        assert {account.id: stored(database, account) for account in accounts} == before
        assert secrets_command("decrypt", "--yes")["changed"] == {}
        gateway.settle(database)
    finally:
        is_over.set()
        for sender in senders:
            sender.join()
    assert refused == []
    ids = [message_id for _, message_id in sent]
    assert database.value("SELECT count(DISTINCT external_message_id) FROM webhook_logs WHERE external_message_id = ANY (%s)",
                          ids) == len(ids)


def test_only_the_columns_that_are_named(database, secrets_command):
    account = full_account(database)
    before = stored(database, account)
    secrets_command("encrypt", "--column", "app_secret", "--column", "verify_token", "--yes")
    after = stored(database, account)
    assert [after[column] == before[column] for column in COLUMNS] == [False, False, True, True]
    # The guide's SQL writes plaintext, encrypted by the next run.
    database.rows("UPDATE social_accounts SET app_secret = %s WHERE id = %s", before["app_secret"], account.id)
    assert secrets_command("encrypt", "--column", "app_secret", "--yes")["changed"] == {"app_secret": 1}


def test_the_guide_s_rotation_works_beside_an_encrypted_app_secret(gateway, database, secrets_command):
    """SQL puts a new secret in front of an encrypted list."""
    old, new = f"{new_secret()},{new_secret()}", new_secret()
    account = database.add_account(secret=old)
    secrets_command("encrypt", "--yes")
    database.rows("UPDATE social_accounts SET app_secret = concat_ws(', ', %s::text, app_secret) WHERE id = %s", new, account.id)
    gateway.settle(database)
    assert [send(gateway, account, secret)[0] for secret in (new, *old.split(","))] == [200] * 3
    assert len(database.logs(account)) == 3
    assert secrets_command("status")["columns"]["app_secret"]["plain"] == 1
    secrets_command("encrypt", "--yes")
    assert unseal(stored(database, account)["app_secret"], KEY, account.id, "app_secret") == f"{new},{old}"
    database.rows("UPDATE social_accounts SET app_secret = concat_ws(',', 'x', app_secret) WHERE id = %s", account.id)
    secrets_command("decrypt", "--column", "app_secret", "--yes")
    assert stored(database, account)["app_secret"] == f"x,{new},{old}"


def test_encrypted_text_among_blanks_is_no_plaintext_secret(gateway, database):
    """Otherwise a reader of the table could sign with it."""
    account = database.add_account(secret=new_secret())
    text = f"\r\n\t{seal_in_place(database, account)}\n"
    token = f" {seal_in_place(database, account, column='verify_token', value=meta.SECRET)}"
    database.rows("UPDATE social_accounts SET app_secret = %s, verify_token = %s WHERE id = %s", text, token, account.id)
    gateway.settle(database)
    assert [send(gateway, account, secret)[0] for secret in (text, text.strip(), account.secret)] == [401, 401, 200]
    client = gateway.client()
    question = "/api/whatsapp/webhook?hub.mode=subscribe&hub.challenge=7&hub.verify_token="
    assert client.get(question + token.replace(" ", "%20")).status == 403
    assert client.get(question + meta.SECRET).body == b"7"
    client.close()


def test_a_value_copied_to_another_account_cannot_be_decrypted(gateway, database):
    """A role that may write the table cannot make one tenant's secret sign for another tenant."""
    victim, attacker = database.add_account(secret=new_secret()), database.add_account(secret=new_secret())
    seal_in_place(database, victim)
    seal_in_place(database, attacker)
    gateway.settle(database)
    swapped = stored(database, attacker)["app_secret"]
    database.rows("UPDATE social_accounts SET app_secret = %s WHERE id = %s", swapped, victim.id)
    gateway.settle(database)
    assert gateway.metric("socialsync_unreadable_secrets") == 1
    assert send(gateway, victim, attacker.secret)[0] == 200
    # Nor does it fall back to the environment's secret.
    assert send(gateway, victim, SHARED_SECRET)[0] == 200
    assert database.logs(victim) == []
    assert [row["reason"] for row in database.quarantined(victim.key)] == ["secret_mismatch"] * 2
    assert send(gateway, victim, victim.secret)[0] == 401
    [line] = [line for line in gateway.log().splitlines() if victim.id in line]
    assert "encrypted secret unreadable" in line and "app_secret" in line and "tampered" in line
    # Once it is right again, so is everything.
    seal_in_place(database, victim)
    gateway.settle(database)
    assert send(gateway, victim)[0] == 200
    assert len(database.logs(victim)) == 1
    assert gateway.metric("socialsync_unreadable_secrets") == 0


@pytest.mark.parametrize("wrong", ["another column's", "another key's", "cut"])
def test_a_value_that_cannot_be_read_is_no_secret(gateway, database, wrong):
    account, neighbour = database.add_account(secret=new_secret()), database.add_account(secret=new_secret())
    sealed = seal_in_place(database, account, key=OTHER_KEY if wrong == "another key's" else KEY)
    if wrong == "another column's":
        database.rows("UPDATE social_accounts SET app_secret = %s WHERE id = %s",
                      seal(account.secret, KEY, account.id, "verify_token"), account.id)
    if wrong == "cut":
        database.rows("UPDATE social_accounts SET app_secret = %s WHERE id = %s", sealed[:-5], account.id)
    gateway.settle(database)
    assert send(gateway, account, SHARED_SECRET)[0] == 200
    assert [row["reason"] for row in database.quarantined(account.key)] == ["secret_mismatch"]
    assert send(gateway, account)[0] == 401
    assert send(gateway, neighbour)[0] == 200 and len(database.logs(neighbour)) == 1
    assert gateway.metric("socialsync_unreadable_secrets") == 1


@pytest.mark.parametrize("keys", ["", new_key()], ids=["no key", "another key"])
def test_a_wrong_key_is_a_start_up_error(database, database_url, keys):
    for _ in range(2):
        seal_in_place(database, database.add_account(secret=new_secret()))
    done = program.run("serve", DATABASE_URL=database_url, SOCIALSYNC_LISTEN="127.0.0.1:0", SOCIALSYNC_SECRETS_KEY=keys)
    assert done.returncode == 2
    assert f"2 account(s) have secrets encrypted under key {key_id(KEY)}" in done.stderr
    assert "SOCIALSYNC_SECRETS_KEY" in done.stderr
    for hidden in (KEY, OTHER_KEY, meta.SECRET, "enc:v1:", *filter(None, [keys])):
        assert hidden not in done.stdout + done.stderr


def test_one_undecryptable_value_does_not_prevent_the_start(database, database_url):
    """The value names an unknown key, others can be decrypted: an application may let tenants type their tokens."""
    good, bad = database.add_account(secret=new_secret()), database.add_account(secret=new_secret())
    seal_in_place(database, good)
    seal_in_place(database, bad, key=new_key())
    with Gateway(database_url, META_APP_SECRET=SHARED_SECRET, SOCIALSYNC_SECRETS_KEY=KEY) as gateway:
        assert send(gateway, good)[0] == 200 and len(database.logs(good)) == 1
        assert send(gateway, bad, SHARED_SECRET)[0] == 200 and database.logs(bad) == []
        assert bad.id in gateway.log()
    database.rows("DELETE FROM social_accounts WHERE id = %s", bad.id)


def test_a_tampered_value_does_not_keep_it_from_starting(database, database_url):
    account = database.add_account(secret=new_secret())
    seal_in_place(database, account, at="00000000-0000-4000-8000-000000000000")
    with Gateway(database_url, SOCIALSYNC_SECRETS_KEY=KEY) as gateway:
        assert gateway.metric("socialsync_unreadable_secrets") == 1


def test_rotation_with_two_keys_live(database, database_url, secrets_command):
    account = full_account(database)
    before = stored(database, account)
    secrets_command("encrypt", "--yes")
    both = f"{OTHER_KEY},{KEY}"
    with Gateway(database_url, SOCIALSYNC_SECRETS_KEY=both) as gateway:
        assert send(gateway, account)[0] == 200
        assert secrets_command("rotate", "--yes", key=both)["changed"] == dict.fromkeys(COLUMNS, 1)
        assert secrets_command("rotate", "--yes", key=both)["changed"] == {}
        for column, value in stored(database, account).items():
            assert unseal(value, OTHER_KEY, account.id, column) == before[column]
            with pytest.raises((CryptoError, AssertionError)):
                unseal(value, KEY, account.id, column)
        gateway.settle(database)
        assert send(gateway, account)[0] == 200
    with Gateway(database_url, SOCIALSYNC_SECRETS_KEY=OTHER_KEY) as gateway:
        assert send(gateway, account)[0] == 200
    assert len(database.logs(account)) == 3


def test_new_plaintext_secrets_are_encrypted_at_once(database, database_url):
    old = full_account(database)
    with Gateway(database_url, SOCIALSYNC_SECRETS_KEY=KEY, SOCIALSYNC_SECRETS_SEAL="app_secret,access_token") as gateway:
        new = full_account(database)
        for account in (old, new):
            eventually(lambda account=account: all(
                stored(database, account)[column].startswith("enc:v1:") for column in ("app_secret", "access_token")))
            assert unseal(stored(database, account)["app_secret"], KEY, account.id, "app_secret") == account.secret
            assert stored(database, account)["verify_token"].startswith(meta.SECRET)
        gateway.settle(database)
        assert [send(gateway, account)[0] for account in (old, new)] == [200, 200]


def test_status_counts(database, secrets_command):
    for _ in range(3):
        full_account(database)
    secrets_command("encrypt", "--column", "app_secret", "--yes")
    seal_in_place(database, database.add_account(secret=new_secret()), key=OTHER_KEY)
    stranger = database.add_account(secret=new_secret())
    seal_in_place(database, stranger, at="00000000-0000-4000-8000-000000000000")
    status = secrets_command("status", exit_code=5)
    assert status["keys"] == [key_id(KEY)]
    assert status["columns"]["app_secret"] == {
        "plain": 0, "sealed": {key_id(KEY): 3}, "unknown_key": {key_id(OTHER_KEY): 1}, "tampered": 1}
    assert status["columns"]["refresh_token"] == {"plain": 3, "sealed": {}, "unknown_key": {}, "tampered": 0}
    left = secrets_command("rotate", "--yes", key=f"{OTHER_KEY},{KEY}", exit_code=5)["left"]
    assert left == [{"id": stranger.id, "column": "app_secret", "why": "tampered"}]


def test_a_narrow_column_keeps_long_values_as_plaintext(database, secrets_command):
    """A column of an older database; the printed statements are run unchanged."""
    database.rows("DROP TRIGGER socialsync_accounts_changed ON social_accounts")
    definition = ("CREATE TRIGGER socialsync_accounts_changed AFTER INSERT OR DELETE OR UPDATE OF platform, account_id, user_id, "
                  "is_active, phone_number_id, page_id, app_secret, verify_token, display_phone_number, webhook_events, "
                  "webhook_metadata OR TRUNCATE ON public.social_accounts FOR EACH STATEMENT "
                  "EXECUTE FUNCTION socialsync.notify_accounts_changed()")
    database.rows("ALTER TABLE social_accounts ALTER app_secret TYPE varchar(255)")
    database.rows(definition)
    short, long = database.add_account(secret="a" * 32), database.add_account(secret="b" * 140)
    report = secrets_command("encrypt", "--column", "app_secret", "--yes", exit_code=5)
    assert report["changed"] == {"app_secret": 1}
    assert report["left"] == [{"id": long.id, "column": "app_secret", "why": "too_narrow"}]
    assert unseal(stored(database, short)["app_secret"], KEY, short.id, "app_secret") == short.secret
    assert stored(database, long)["app_secret"] == long.secret
    for statement in report["widen"]:
        database.rows(statement)
    assert database.value("SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = 'socialsync_accounts_changed'") == definition
    assert secrets_command("encrypt", "--column", "app_secret", "--yes")["changed"] == {"app_secret": 1}
    assert unseal(stored(database, long)["app_secret"], KEY, long.id, "app_secret") == long.secret


def test_a_locked_row_is_skipped_and_reported(database, open_database, secrets_command):
    held, free = database.add_account(secret=new_secret()), database.add_account(secret=new_secret())
    holder = open_database()
    holder.rows("BEGIN")
    holder.rows("SELECT FROM social_accounts WHERE id = %s FOR UPDATE", held.id)
    report = secrets_command("encrypt", "--yes", exit_code=5)
    assert (report["changed"], report["busy"]) == ({"app_secret": 1}, 1)
    assert stored(database, free)["app_secret"].startswith("enc:v1:")
    holder.rows("COMMIT")
    assert secrets_command("encrypt", "--yes")["changed"] == {"app_secret": 1}


def test_nothing_is_encrypted_while_a_migration_runs(database, open_database, secrets_command):
    """A rollback that has found no encrypted value must find none later."""
    database.add_account(secret=new_secret())
    migration = open_database()
    migration.rows("SELECT pg_advisory_lock(hashtextextended('socialsync webhooks migration', 0))")
    report = secrets_command("encrypt", "--yes", exit_code=7)
    assert (report["changed"], report["held_off"]) == ({}, True)


def test_no_secret_is_in_a_statement(database, cluster, database_name, secrets_command):
    """As pg_stat_activity and a log of statements show them: values are parameters, and those are not logged."""
    accounts = [full_account(database) for _ in range(3)]
    database.rows("CREATE TABLE IF NOT EXISTS seen (query text)")
    database.rows("CREATE OR REPLACE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen SELECT query "
                  "FROM pg_stat_activity WHERE pid = pg_backend_pid(); RETURN NULL; END $$")
    database.rows("CREATE TRIGGER note AFTER UPDATE ON social_accounts FOR EACH STATEMENT EXECUTE FUNCTION public.note()")
    try:
        secrets_command("encrypt", "--yes")
        secrets_command("decrypt", "--yes")
        seen = [row["query"] for row in database.rows("SELECT query FROM seen")]
    finally:
        database.rows("DROP TRIGGER note ON social_accounts; DROP FUNCTION note(); DROP TABLE seen")
    assert len(seen) >= 8  # four columns, there and back; a slow batch makes the next ones smaller
    for query in seen:
        assert meta.SECRET not in query and not any(account.secret in query for account in accounts)


def test_a_server_that_logs_parameters_logs_no_plaintext_secret(cluster, database, database_name, secrets_command):
    account = full_account(database)
    database.rows(f"ALTER DATABASE {database_name} SET log_statement = 'all'")
    try:
        secrets_command("encrypt", "--yes")
        secrets_command("rotate", "--yes", key=f"{OTHER_KEY},{KEY}")
    finally:
        database.rows(f"ALTER DATABASE {database_name} RESET ALL")
    assert stored(database, account)["app_secret"].startswith(f"enc:v1:{key_id(OTHER_KEY)}")
    log = cluster.log_file.read_text()
    assert "SET app_secret = w.new" in log and f"enc:v1:{key_id(OTHER_KEY)}" in log
    assert account.secret not in log


def test_send_decrypts_the_account_s_secret(gateway, database, database_url):
    account = database.add_account(secret=f"{new_secret()},{new_secret()}")
    seal_in_place(database, account)
    gateway.settle(database)
    arguments = ["send", "whatsapp", "--to", account.key, "--url", f"http://127.0.0.1:{gateway.port}"]
    assert program.run(*arguments, DATABASE_URL=database_url, SOCIALSYNC_SECRETS_KEY=KEY).returncode == 0
    assert len(database.logs(account)) == 1
    for keys in ("", OTHER_KEY):
        done = program.run(*arguments, DATABASE_URL=database_url, SOCIALSYNC_SECRETS_KEY=keys, META_APP_SECRET=SHARED_SECRET)
        assert done.returncode == 2
        assert f"encrypted under key {key_id(KEY)}" in done.stderr


def test_route_test_reports_an_undecryptable_secret(database, database_url):
    account = database.add_account(secret=new_secret())
    seal_in_place(database, account)

    def route_test(*arguments, **settings):
        return program.run("migrate", "route-test", *arguments, DATABASE_URL=database_url, **settings)

    assert route_test(SOCIALSYNC_SECRETS_KEY=KEY).returncode == 0
    done = route_test(META_APP_SECRET=SHARED_SECRET)
    assert done.returncode == 9 and "cannot be decrypted here" in done.stdout
    done = route_test("--phone-number-id", account.key, "--output", "json", META_APP_SECRET=SHARED_SECRET)
    assert json.loads(done.stdout)["accounts"][0]["has_app_secret"] is True


def test_bulk_changes_need_yes_and_a_key(secrets_command):
    for verb in ("encrypt", "rotate", "decrypt"):
        assert "--yes" in secrets_command(verb, exit_code=2)["error"]["message"]
        assert "SOCIALSYNC_SECRETS_KEY" in secrets_command(verb, "--yes", exit_code=2, key="")["error"]["message"]


def test_a_fresh_key():
    keys = [program.run("secrets", "key").stdout.strip() for _ in range(2)]
    assert keys[0] != keys[1] and all(len(bytes.fromhex(key)) == 32 for key in keys)
