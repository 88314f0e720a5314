"""`socialsync migrate verify`: passes on a migrated database, finds each thing that is wrong, changes nothing."""

import itertools
import json
import re

import psycopg2
import pytest

import program
from document import Document
from schema import make_database

IDS = [f"V{number:02}" for number in range(1, 26)]
BEHAVIOUR = {"V10", "V14", "V15", "V22", "V23"}
OUTSIDE = {"V24", "V25"}  # skipped unless asked for
FILLED_IN = """
    UPDATE social_accounts SET phone_number_id = '683178638221369', app_secret = 'a', verify_token = 'a'
    WHERE platform = 'whatsapp';
    UPDATE social_accounts SET page_id = '17841400000000000', app_secret = 'b', verify_token = 'b'
    WHERE platform = 'instagram'"""
ROUTING = "public.get_whatsapp_user_by_phone_number_id(varchar)"
numbers = itertools.count()


@pytest.fixture(scope="module")
def legacy(cluster):
    """A legacy database, migrated, its accounts given what webhooks need."""
    database = make_database(cluster, "verify_legacy")
    database.must_update()
    database.sql(FILLED_IN)
    database.must_update()
    return database


@pytest.fixture(scope="module")
def unasked(cluster):
    """The probes that are always skipped: before PostgreSQL 15 no view obeys its caller's rights."""
    return OUTSIDE | ({"V12"} if cluster.version < 15 else set())


@pytest.fixture
def copy(cluster, legacy):
    name = f"verify_{next(numbers)}"
    cluster.create_database(name, template=legacy.name)
    yield type(legacy)(cluster, name)
    cluster.drop_database(name)


def verify(database, *arguments, user=None, **settings):
    return program.run("migrate", "verify", "--dsn", database.cluster.dsn(database.name, user), *arguments, **settings)


def probes(database, *arguments, **options):
    """The finding of each probe, by its id."""
    done = verify(database, "--output", "json", *arguments, **options)
    assert done.stderr == ""
    document = json.loads(done.stdout)
    found = {probe["id"]: probe for probe in document["probes"]}
    states = [probe["state"] for probe in document["probes"]]
    assert list(found) == IDS
    assert document["v"] == 1
    assert [document[word] for word in ("passed", "failed", "skipped")] == [states.count(s) for s in ("PASS", "FAIL", "SKIP")]
    assert done.returncode == (6 if "FAIL" in states else 0)
    return found


def with_state(found, state):
    return {key for key, probe in found.items() if probe["state"] == state}


def test_a_migrated_database_passes_all(legacy, unasked):
    found = probes(legacy)
    assert with_state(found, "SKIP") == unasked
    assert with_state(found, "PASS") == set(IDS) - unasked
    assert found["V01"]["found"] == "11 of 11 columns"
    assert {found[key]["todo"] for key in set(IDS) - unasked} == {None}


def test_an_empty_database_that_was_migrated_passes_all(cluster, database_name, unasked):
    done = program.run("migrate", "verify", DATABASE_URL=cluster.url(database_name))
    assert done.returncode == 0
    assert done.stdout.endswith(f"{25 - len(unasked)} passed, 0 failed, {len(unasked)} skipped\n")


SABOTAGE = {
    "column of another type": (
        "DO $$ DECLARE made text := (SELECT string_agg(pg_get_triggerdef(oid), ';') FROM pg_trigger "
        "WHERE tgname LIKE 'socialsync_webhook_url_%'); BEGIN "
        "DROP TRIGGER socialsync_webhook_url_given ON social_accounts; "
        "DROP TRIGGER socialsync_webhook_url_changed ON social_accounts; "
        "ALTER TABLE social_accounts ALTER webhook_url TYPE text; EXECUTE made; END $$", "V01 V08"),
    "default gone": ("ALTER TABLE social_accounts ALTER webhook_status DROP DEFAULT", "V01"),
    "label renamed": ("ALTER TYPE social_platform RENAME VALUE 'facebook' TO 'meta'", "V02"),
    "CHECK dropped": ("ALTER TABLE social_accounts DROP CONSTRAINT social_accounts_webhook_status_known", "V03"),
    "CHECK not validated": (
        "ALTER TABLE social_accounts DROP CONSTRAINT social_accounts_instagram_has_page_id;"
        "ALTER TABLE social_accounts ADD CONSTRAINT social_accounts_instagram_has_page_id"
        " CHECK (platform::text <> 'instagram' OR page_id IS NOT NULL) NOT VALID", "V03"),
    "CHECK of another condition": (
        "ALTER TABLE social_accounts DROP CONSTRAINT social_accounts_instagram_has_page_id;"
        "ALTER TABLE social_accounts ADD CONSTRAINT social_accounts_instagram_has_page_id CHECK (true)", "V03"),
    "unique index dropped": ("DROP INDEX idx_social_accounts_page_id", "V04"),
    "index not unique": (
        "DROP INDEX idx_social_accounts_phone_number_id;"
        "CREATE INDEX idx_social_accounts_phone_number_id ON social_accounts (phone_number_id)", "V04"),
    "index of another predicate": (
        "DROP INDEX idx_social_accounts_phone_number_id;"
        "CREATE UNIQUE INDEX idx_social_accounts_phone_number_id ON social_accounts (phone_number_id) WHERE is_active", "V04"),
    "index of webhook_logs dropped": ("DROP INDEX idx_webhook_logs_user", "V04"),
    "index invalid": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'idx_social_accounts_page_id'::regclass", "V04 V05"),
    "left over by REINDEX": ("CREATE INDEX idx_social_accounts_page_id_ccnew ON social_accounts (page_id)", "V05"),
    "account without its id": (
        "ALTER TABLE social_accounts DROP CONSTRAINT social_accounts_whatsapp_has_phone_number_id;"
        "UPDATE social_accounts SET phone_number_id = NULL", "V03 V06"),
    "blank id": ("UPDATE social_accounts SET phone_number_id = '' WHERE platform = 'whatsapp'", "V06"),
    "id with a blank": ("UPDATE social_accounts SET page_id = ' 17841400000000000' WHERE platform = 'instagram'", "V06"),
    "account of nobody": (
        "SET session_replication_role = replica;"
        "UPDATE social_accounts SET user_id = gen_random_uuid() WHERE platform = 'youtube'", "V07"),
    "foreign key dropped": ("ALTER TABLE webhook_logs DROP CONSTRAINT webhook_logs_user_id_fkey", "V07"),
    "trigger disabled": ("ALTER TABLE social_accounts DISABLE TRIGGER socialsync_accounts_changed", "V08"),
    "trigger of an account given away dropped": ("DROP TRIGGER socialsync_account_given ON social_accounts", "V08"),
    "trigger dropped": ("DROP TRIGGER socialsync_accounts_changed ON social_accounts", "V08"),
    "trigger of fewer columns": (
        "CREATE OR REPLACE TRIGGER socialsync_accounts_changed AFTER INSERT ON social_accounts"
        " FOR EACH STATEMENT EXECUTE FUNCTION socialsync.notify_accounts_changed()", "V08"),
    "row security off": ("ALTER TABLE webhook_logs DISABLE ROW LEVEL SECURITY", "V09 V10"),
    "row security of a partition off": ("ALTER TABLE socialsync.webhook_logs_default DISABLE ROW LEVEL SECURITY", "V09"),
    "policy dropped": ("DROP POLICY webhooks_own_rows ON social_accounts", "V09 V10"),
    "restrictive policy dropped": ("DROP POLICY webhooks_not_for_anon ON webhook_logs", "V09"),
    "policy rewritten": (
        "ALTER POLICY webhooks_own_rows ON webhook_logs USING (true);"
        "ALTER POLICY webhooks_only_own_rows ON webhook_logs USING (true)", "V09 V10"),
    "a further policy for all rows": ("CREATE POLICY all_of_it ON webhook_logs USING (true)", "V09"),
    "anon may read logs": ("GRANT SELECT ON webhook_logs TO anon", "V11"),
    "anon may log": ("GRANT EXECUTE ON FUNCTION log_webhook TO PUBLIC", "V11 V16"),
    "view with its owner's rights": ("ALTER VIEW active_webhook_accounts RESET (security_invoker)", "V10 V12"),
    "anon sees through a view": (
        "ALTER VIEW webhook_stats_by_user RESET (security_invoker); GRANT SELECT ON webhook_stats_by_user TO anon",
        "V10 V11 V12 V22"),
    "view of other columns": (
        "DROP VIEW webhook_stats_by_user;"
        "CREATE VIEW webhook_stats_by_user WITH (security_invoker = true) AS SELECT user_id FROM social_accounts;"
        "GRANT SELECT ON webhook_stats_by_user TO authenticated", "V12"),
    "definer without search_path": ("ALTER FUNCTION socialsync.maintain_partitions RESET search_path", "V13"),
    "function made a definer": ("ALTER FUNCTION log_webhook SECURITY DEFINER", "V13 V19"),
    "routing finds inactive accounts": (
        """CREATE OR REPLACE FUNCTION get_whatsapp_user_by_phone_number_id(p_phone_number_id varchar)
            RETURNS TABLE (user_id uuid, social_account_id uuid, access_token text, app_secret varchar,
                           verify_token varchar, display_phone_number varchar, business_name varchar,
                           username varchar, is_active boolean) LANGUAGE sql STABLE AS $$
              SELECT a.user_id, a.id, a.access_token, a.app_secret, a.verify_token, a.display_phone_number,
                     a.business_name, a.username, a.is_active
              FROM public.social_accounts AS a WHERE a.phone_number_id = p_phone_number_id $$""", "V14"),
    "logs are not marked": (
        """CREATE OR REPLACE FUNCTION mark_webhook_processed(p_log_id uuid, p_processing_time_ms integer DEFAULT NULL,
                                                             p_error_message text DEFAULT NULL)
           RETURNS void LANGUAGE sql AS 'SELECT'""", "V15"),
    "secret readable": ("GRANT SELECT (app_secret) ON social_accounts TO authenticated", "V16 V23"),
    "routing callable": (f"GRANT EXECUTE ON FUNCTION {ROUTING} TO authenticated", "V16"),
    "column of webhook_logs gone": ("ALTER TABLE webhook_logs DROP COLUMN exact_payload", "V17"),
    "week without partition": (
        "DO $$ BEGIN EXECUTE (SELECT format('DROP TABLE %s', inhrelid::regclass) FROM pg_inherits"
        " WHERE inhparent = 'webhook_logs'::regclass AND inhrelid::regclass::text = 'socialsync.webhook_logs_p' ||"
        " to_char(date_trunc('week', now() AT TIME ZONE 'UTC') + interval '1 week', 'YYYYMMDD')); END $$", "V18"),
    "function gone": ("DROP FUNCTION mark_webhook_processed(uuid, integer, text)", "V15 V19"),
    "function there twice": (
        "CREATE FUNCTION log_webhook(uuid, social_platform, varchar, jsonb) RETURNS uuid LANGUAGE sql AS"
        " 'SELECT NULL::uuid'; REVOKE ALL ON FUNCTION log_webhook(uuid, social_platform, varchar, jsonb) FROM PUBLIC",
        "V19"),
    "service may not call": (f"REVOKE EXECUTE ON FUNCTION {ROUTING} FROM service_role", "V19"),
    "key claimed twice": (
        "DROP INDEX idx_social_accounts_page_id;"
        "UPDATE social_accounts SET page_id = '17841400000000000'", "V04 V20"),
    "account without a secret": ("UPDATE social_accounts SET app_secret = NULL", "V21"),
    "no verify token": ("UPDATE social_accounts SET verify_token = NULL", "V21"),
}


@pytest.mark.parametrize("sabotage", SABOTAGE)
def test_each_defect_fails_its_own_probe(copy, unasked, sabotage):
    sql, expected = SABOTAGE[sabotage]
    if "security_invoker" in sql and "V12" in unasked:
        pytest.skip("no such view option before PostgreSQL 15")
    copy.sql(sql)
    found = probes(copy)
    assert with_state(found, "FAIL") == set(expected.split())
    assert with_state(found, "SKIP") == unasked - set(expected.split())
    assert all(found[key]["todo"] for key in expected.split())


def test_before_postgresql_15_views_are_closed_to_tenants(copy, unasked):
    if "V12" not in unasked:
        pytest.skip("views obey their caller since PostgreSQL 15")
    assert "needs PostgreSQL 15" in probes(copy)["V12"]["found"]
    copy.sql("GRANT SELECT ON active_webhook_accounts, socialsync.user_emails TO authenticated")
    assert {"V10", "V12"} <= with_state(probes(copy), "FAIL")


def test_violating_rows_are_counted_and_how_to_list_them_is_told(copy):
    copy.sql("ALTER TABLE social_accounts DROP CONSTRAINT social_accounts_whatsapp_has_phone_number_id;"
             "UPDATE social_accounts SET phone_number_id = NULL")
    found = probes(copy)
    assert "1 row(s) violate it" in found["V03"]["found"]
    listing = re.search(r"SELECT .*", found["V03"]["todo"])[0]
    assert "wa_aline" in copy.sql(listing)
    assert "socialsync migrate backfill --csv" in found["V06"]["todo"]


def test_the_settings_stand_behind_accounts(copy):
    copy.sql("UPDATE social_accounts SET app_secret = NULL, verify_token = NULL")
    assert with_state(probes(copy, INSTAGRAM_APP_SECRET="s", WHATSAPP_VERIFY_TOKEN="t"), "FAIL") == {"V21"}
    assert with_state(probes(copy, META_APP_SECRET="s", WHATSAPP_VERIFY_TOKEN="t"), "FAIL") == set()


def test_a_foreign_wide_policy_and_view_are_named_and_bounded_by_ours(copy, unasked):
    copy.sql("CREATE POLICY everybody ON social_accounts FOR SELECT USING (true);"
             "GRANT SELECT ON account_names TO authenticated")
    found = probes(copy)
    assert with_state(found, "PASS") == set(IDS) - unasked
    assert "policy everybody" in found["V09"]["found"]
    assert "public.account_names" in found["V12"]["found"]


def test_a_database_that_is_not_migrated_fails(cluster):
    database = make_database(cluster, "verify_unmigrated")
    found = probes(database)
    assert {"V01", "V03", "V04", "V06", "V08", "V09", "V12", "V17", "V18", "V19", "V21"} <= with_state(found, "FAIL")
    assert BEHAVIOUR <= with_state(found, "SKIP")
    assert "socialsync migrate apply" in found["V01"]["todo"]


# ---- Questions beyond the database


def manifest(copied, **changes):
    oid = copied.sql("SELECT oid FROM pg_database WHERE datname = current_database()")
    return {"v": 1, "database": copied.name, "database_oid": oid, "started_at": "2026-03-01T12:00:00Z",
            "verified": "restored", **changes}


@pytest.mark.parametrize("changes, state", [
    ({}, "PASS"),
    ({"verified": "read"}, "FAIL"),
    ({"database_oid": "1"}, "FAIL"),
    ({"database": "another"}, "FAIL"),
])
def test_a_backup_is_asked_about_by_its_manifest(legacy, tmp_path, changes, state):
    (tmp_path / "manifest.json").write_text(json.dumps(manifest(legacy, **changes)))
    found = probes(legacy, "--no-behaviour", "--backup", tmp_path)
    assert found["V24"]["state"] == state
    assert ("2026-03-01" in found["V24"]["found"]) == (state == "PASS")


@pytest.mark.parametrize("text", [None, "{", "[]"])
def test_a_directory_without_a_manifest_is_no_backup(legacy, tmp_path, text):
    if text:
        (tmp_path / "manifest.json").write_text(text)
    assert with_state(probes(legacy, "--no-behaviour", "--backup", tmp_path), "FAIL") == {"V24"}


def test_a_gateway_is_asked_whether_it_is_ready(legacy, gateway):
    address = f"http://127.0.0.1:{gateway.port}"
    assert probes(legacy, "--gateway", address)["V25"]["state"] == "PASS"
    assert with_state(probes(legacy, "--gateway", address + "/nowhere"), "FAIL") == {"V25"}
    assert with_state(probes(legacy, "--gateway", "http://127.0.0.1:1"), "FAIL") == {"V25"}


# ---- Harmless


STATE = """SELECT (SELECT count(*) FROM users), (SELECT count(*) FROM social_accounts), (SELECT count(*) FROM webhook_logs),
                  (SELECT max(last_webhook_at) FROM social_accounts), (SELECT json_agg(xmin) FROM social_accounts)"""


def test_nothing_is_changed_and_no_gateway_is_notified(cluster, copy, unasked):
    listener = psycopg2.connect(cluster.dsn(copy.name))
    listener.autocommit = True
    listener.cursor().execute("LISTEN socialsync_accounts")
    before = copy.dump(), copy.sql(STATE)
    assert with_state(probes(copy), "PASS") == set(IDS) - unasked
    assert (copy.dump(), copy.sql(STATE)) == before
    listener.poll()
    assert listener.notifies == []
    listener.close()


def test_it_does_not_wait_for_a_lock_for_long(cluster, copy):
    holder = psycopg2.connect(cluster.dsn(copy.name))
    holder.cursor().execute("LOCK TABLE social_accounts")
    done = verify(copy)
    assert done.returncode == 4
    assert "lock timeout" in done.stderr
    holder.close()


@pytest.fixture
def role(cluster):
    """role(name, sql): a login role, gone after the test."""
    made = []

    def make(name, database, sql):
        database.sql(f"CREATE ROLE {name} LOGIN; {sql}")
        made.append((name, database))
        return name
    yield make
    for name, database in made:
        database.sql(f"DROP OWNED BY {name}; DROP ROLE {name}")


def test_a_read_only_role_runs_all_probes_that_only_read(copy, role, unasked):
    reader = role("verify_reader", copy, "GRANT SELECT ON users, social_accounts, webhook_logs TO verify_reader;"
                  "CREATE POLICY reader ON social_accounts FOR SELECT TO verify_reader USING (true);"
                  "ALTER ROLE verify_reader SET default_transaction_read_only = on")
    found = probes(copy, user=reader)
    assert with_state(found, "SKIP") == BEHAVIOUR | unasked
    assert with_state(found, "FAIL") == set()
    assert "--no-behaviour" in found["V10"]["todo"]
    assert with_state(probes(copy, "--no-behaviour", user=reader), "SKIP") == BEHAVIOUR | unasked


def test_hidden_rows_do_not_count_as_none(copy, role, unasked):
    reader = role("verify_blind", copy, "GRANT SELECT ON users, social_accounts TO verify_blind;"
                  "UPDATE social_accounts SET app_secret = NULL")
    found = probes(copy, user=reader)
    assert with_state(found, "SKIP") == BEHAVIOUR | unasked | {"V06", "V07", "V20", "V21"}
    assert "row-level security" in found["V21"]["found"]


def test_a_role_that_may_not_become_a_tenant_gets_the_grant(copy, role, unasked):
    writer = role("verify_writer", copy, "GRANT service_role TO verify_writer;"
                  "GRANT INSERT, SELECT ON users TO verify_writer")
    found = probes(copy, user=writer)
    assert with_state(found, "SKIP") == {"V10", "V22", "V23"} | unasked
    assert "GRANT authenticated TO verify_writer" in found["V10"]["todo"]


# ---- Output


@pytest.mark.parametrize("guide", ["docs/operations.md", "docs/operations.fr.md"])
def test_the_guides_name_every_probe(guide):
    assert [row[0].strip("`") for row in Document(guide).table("`V01`")] == IDS


def test_text_is_aligned_and_fits(copy, unasked):
    copy.sql("DROP INDEX idx_social_accounts_page_id; UPDATE social_accounts SET app_secret = NULL")
    done = verify(copy)
    lines = done.stdout.splitlines()
    assert [line[6:9] for line in lines if re.match("PASS|FAIL|SKIP", line)] == IDS
    assert all(len(line) <= 80 for line in lines)
    assert "FAIL  V04  indexes are valid and correct: 17 of 18 indexes" in lines
    assert "           → socialsync migrate apply" in lines
    assert lines[-1] == f"{23 - len(unasked)} passed, 2 failed, {len(unasked)} skipped"
    assert "\033" not in done.stdout


def test_json_keeps_names_whatever_they_hold(copy, unasked):
    copy.sql("""CREATE POLICY "<&"" # SKIP \\ ]]>\t'é" ON webhook_logs USING (true)""")
    document = json.loads(verify(copy, "--output", "json", "--no-behaviour").stdout)
    assert [probe["id"] for probe in document["probes"]] == IDS
    assert (document["failed"], document["skipped"]) == (1, 5 + len(unasked))
    [failure] = [probe for probe in document["probes"] if probe["state"] == "FAIL"]
    assert failure["id"] == "V09" and """"<&"" # SKIP \\ ]]>\t'é\"""" in failure["found"]
    assert {probe["id"] for probe in document["probes"] if probe["state"] == "SKIP"} == BEHAVIOUR | unasked


@pytest.mark.parametrize("arguments, code", [
    (["--dsn", "host=/nonexistent dbname=x"], 3),
    (["--output", "csv"], 2),
    ([], 3),
])
def test_exit_codes(arguments, code):
    assert program.run("migrate", "verify", *arguments).returncode == code
