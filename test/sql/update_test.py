"""schema_updates_webhooks.sql as a user runs it: `psql -d DATABASE -f FILE`, on whatever it finds."""

import functools
import subprocess

import pytest
from schema import ALINE, BRUNO, FIXTURES, ROOT, STEPS, UPDATES, template, updates_up_to

FIRST_COLUMNS = "phone_number_id varchar(100), page_id varchar(100), app_secret varchar(1000), verify_token varchar(1000)"


def give_ids(database):
    """The operator sets the missing routing keys of accounts."""
    database.sql(f"""
        UPDATE social_accounts SET phone_number_id = 'phone-aline' WHERE user_id = '{ALINE}' AND platform = 'whatsapp';
        UPDATE social_accounts SET page_id = 'page-bruno' WHERE user_id = '{BRUNO}' AND platform = 'instagram';""")


def test_the_files_are_their_parts():
    for name, folder in (("updates", "updates"), ("rollback", "rollback")):
        parts = sorted((ROOT / "sql" / folder).glob("*.sql"))
        joined = "".join(part.read_text() for part in parts)
        assert (ROOT / f"sql/schema_{name}_webhooks.sql").read_text() == joined, "run sql/join"


@pytest.mark.every_version
def test_again_changes_nothing(database):
    first = database.must_update()
    assert "made   table webhook_logs" in first
    rows = "SELECT xmin, * FROM social_accounts ORDER BY id"
    before = database.dump(), database.sql(rows)
    for _ in range(2):
        again = database.must_update()
        assert "made" not in again
        assert (database.dump(), database.sql(rows)) == before


@pytest.mark.every_version
def test_every_schema_test_passes_on(database):
    database.must_update()
    tests = sorted(FIXTURES.glob("*_test.sql"))
    done = subprocess.run(["pg_prove", *tests], env=database.cluster.environment(database.name),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Result: PASS" in done.stdout


def test_legacy_rows_are_untouched(legacy):
    rows = """SELECT id, platform, account_id, username, display_name, access_token, is_active, user_id, created_at,
                     updated_at FROM social_accounts ORDER BY id"""
    before = legacy.sql(rows)
    legacy.must_update()
    assert legacy.sql(rows) == before
    assert legacy.sql("SELECT DISTINCT webhook_status, webhook_metadata FROM social_accounts") == "inactive|{}"


def test_refuses_a_single_transaction(legacy):
    before = legacy.dump()
    done = legacy.update("-1")
    assert done.returncode == 3
    assert "without -1" in done.stderr
    assert legacy.dump() == before


def test_stops_at_the_first_error_whatever_psql_is_told(legacy):
    legacy.sql("CREATE TABLE webhook_logs (id serial)")
    done = legacy.update("-v", "ON_ERROR_STOP=0", "-v", "AUTOCOMMIT=off")
    assert done.returncode == 3
    assert done.stderr.count("ERROR") == 1


def test_works_with_autocommit_off(legacy):
    assert legacy.update("-v", "AUTOCOMMIT=off").returncode == 0
    assert legacy.sql("SELECT count(*) FROM webhook_logs") == "0"


def test_refuses_beside_another_run(legacy, connect):
    before = legacy.dump()
    other = connect(legacy).cursor()
    other.execute("SELECT pg_advisory_lock(hashtextextended('socialsync webhooks migration', 0))")
    done = legacy.update()
    assert done.returncode == 3
    assert "another run" in done.stderr
    assert legacy.dump() == before


def test_two_at_once(legacy):
    command = [legacy.cluster.tool("psql"), "-X", "-d", legacy.cluster.dsn(legacy.name), "-f", UPDATES]
    runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    errors = [run.communicate(timeout=60)[1] for run in runs]
    assert 0 in [run.returncode for run in runs]
    assert all(run.returncode == 0 or "another run" in error for run, error in zip(runs, errors))
    assert "made" not in legacy.must_update()


@pytest.mark.parametrize("done_steps", range(1, STEPS, 5))
def test_goes_on_where_a_run_stopped(cluster, legacy, tmp_path, done_steps):
    stopped = tmp_path / "stopped.sql"
    stopped.write_text(updates_up_to(done_steps))
    assert cluster.run_psql(legacy.name, file=stopped).returncode == 0
    legacy.must_update()
    assert legacy.dump() == _clean_dump(cluster)


@functools.cache
def _clean_dump(cluster):
    return cluster.dump_schema(template(cluster, "updated"))


@pytest.mark.every_version
def test_half_applied_by_hand(cluster, legacy):
    legacy.sql("ALTER TYPE social_platform ADD VALUE 'whatsapp_business'")
    legacy.sql("ALTER TABLE social_accounts ADD " + FIRST_COLUMNS.replace(", ", ", ADD ").replace("(100, ADD", "(100,"))
    legacy.sql("UPDATE social_accounts SET phone_number_id = 'same'")
    failed = cluster.run_psql(legacy.name, "CREATE UNIQUE INDEX CONCURRENTLY idx_social_accounts_phone_number_id "
                              "ON social_accounts (phone_number_id) WHERE phone_number_id IS NOT NULL")
    assert "could not create unique index" in failed.stderr
    legacy.sql("UPDATE social_accounts SET phone_number_id = NULL")
    assert "made   drop of invalid index" in legacy.must_update()
    assert legacy.dump() == _clean_dump(cluster)


def test_endpoints_of_urls_that_are_there_already(legacy):
    legacy.sql("ALTER TABLE social_accounts ADD webhook_url varchar(500)")
    legacy.sql("UPDATE social_accounts SET webhook_url = CASE platform WHEN 'whatsapp' THEN 'https://bot.example/' "
               "WHEN 'instagram' THEN '' ELSE ' ' END")
    legacy.must_update()
    assert legacy.sql("SELECT string_agg(url, ',') FROM webhook_endpoints") == "https://bot.example/"
    # As an earlier version left them.
    legacy.sql("INSERT INTO webhook_endpoints (social_account_id, url) SELECT id, webhook_url FROM social_accounts "
               "WHERE webhook_url IN ('', ' '); UPDATE socialsync.fingerprints SET source = '' WHERE step = 'endpoints.primary'")
    assert "made   endpoints of accounts with a webhook_url" in legacy.must_update()
    assert legacy.sql("SELECT string_agg(url, ',') FROM webhook_endpoints") == "https://bot.example/"
    assert int(legacy.sql("SELECT count(*) FROM social_accounts WHERE webhook_url IN ('', ' ')")) > 0


@pytest.mark.every_version
def test_names_duplicate_values(legacy):
    legacy.sql(f"ALTER TABLE social_accounts ADD {FIRST_COLUMNS.split(', ')[0]}")
    legacy.sql("UPDATE social_accounts SET phone_number_id = '4711' WHERE platform <> 'youtube'")
    accounts = legacy.sql(
        "SELECT string_agg(id::text, ', ' ORDER BY id) FROM social_accounts WHERE platform <> 'youtube'")
    done = legacy.update()
    assert done.returncode == 3
    assert f"phone_number_id 4711 is the same for accounts {accounts}" in done.stderr
    legacy.sql("UPDATE social_accounts SET phone_number_id = NULL WHERE platform = 'instagram'")
    assert "made   index idx_social_accounts_phone_number_id" in legacy.must_update()


def test_settles_duplicate_values_where_it_may(legacy):
    legacy.sql(f"ALTER DATABASE {legacy.name} SET socialsync.duplicates = quarantine")
    legacy.sql("ALTER TABLE social_accounts ADD page_id varchar(100); UPDATE social_accounts SET page_id = '4711'")
    report = legacy.must_update()
    assert report.count(" loses page_id '4711', which account ") == 2
    assert legacy.sql("SELECT count(*), count(DISTINCT page_id) FROM social_accounts") == "3|3"
    legacy.must_roll_back()
    assert legacy.sql("SELECT count(*), count(DISTINCT page_id) FROM social_accounts") == "3|1"


def test_an_empty_database_gets_the_base(empty):
    empty.must_update()
    empty.sql("""INSERT INTO users (email) VALUES ('first@example.org');
        INSERT INTO social_accounts (platform, account_id, username, user_id, phone_number_id)
        SELECT 'whatsapp_business', 'wa', 'wa', id, '1' FROM users""")
    assert empty.sql("SELECT username, is_active FROM get_whatsapp_user_by_phone_number_id('1')") == "wa|t"


# ---- CHECKs


@pytest.mark.every_version
def test_legacy_rows_can_be_updated_at_all_times(legacy):
    update = "UPDATE social_accounts SET display_name = display_name || '!'"
    report = legacy.must_update()
    assert "later  CHECK social_accounts_whatsapp_has_phone_number_id: 1 account(s)" in report
    assert "later  CHECK social_accounts_instagram_has_page_id: 1 account(s)" in report
    legacy.sql(update)
    give_ids(legacy)
    assert "made   CHECK social_accounts_whatsapp_has_phone_number_id" in legacy.must_update()
    legacy.sql(update)
    assert legacy.sql("""SELECT count(*) FROM pg_constraint WHERE conrelid = 'social_accounts'::regclass
                         AND contype = 'c' AND convalidated""") == "3"


@pytest.mark.parametrize("platform", ["whatsapp", "whatsapp_business", "instagram"])
def test_a_new_account_needs_its_id(updated, platform):
    give_ids(updated)
    updated.must_update()
    done = updated.cluster.run_psql(updated.name, f"""INSERT INTO users (email) VALUES ('new@example.org');
        INSERT INTO social_accounts (platform, account_id, username, user_id)
        SELECT '{platform}', 'new', 'new', id FROM users WHERE email LIKE 'new%'""")
    assert "violates check constraint" in done.stderr


def test_a_check_left_half_made_is_taken_away_while_rows_violate_it(legacy):
    legacy.sql(f"ALTER TABLE social_accounts ADD {FIRST_COLUMNS.split(', ')[0]}")
    legacy.sql("""ALTER TABLE social_accounts ADD CONSTRAINT social_accounts_whatsapp_has_phone_number_id
        CHECK (platform::text NOT IN ('whatsapp', 'whatsapp_business') OR phone_number_id IS NOT NULL) NOT VALID""")
    legacy.must_update()
    legacy.sql("UPDATE social_accounts SET display_name = 'still here'")


# ---- Conflicts: an error that names the thing, and nothing changed


# The conflict, and the expected text of the message.
CONFLICTS = {
    "column of another type": (
        "ALTER TABLE social_accounts ADD page_id integer",
        "column public.social_accounts.page_id is integer"),
    "column that is too short": (
        "ALTER TABLE social_accounts ADD app_secret varchar(64)",
        "social_accounts.app_secret is character varying(64)"),
    "column with another default": (
        "ALTER TABLE social_accounts ADD webhook_status varchar(50) DEFAULT 'on'",
        "default 'on'"),
    "index on another column": (
        "CREATE UNIQUE INDEX idx_social_accounts_page_id ON social_accounts (account_id)",
        "idx_social_accounts_page_id is CREATE UNIQUE INDEX"),
    "index on another table": (
        "CREATE UNIQUE INDEX idx_social_accounts_page_id ON users (full_name)",
        "idx_social_accounts_page_id is CREATE UNIQUE INDEX"),
    "index that is not unique": (
        "ALTER TABLE social_accounts ADD page_id varchar(100);"
        "CREATE INDEX idx_social_accounts_page_id ON social_accounts (page_id) WHERE page_id IS NOT NULL",
        "wanted CREATE UNIQUE INDEX"),
    "table of an index's name": (
        "CREATE TABLE idx_social_accounts_page_id (id int)",
        "idx_social_accounts_page_id is another kind of object"),
    "CHECK with another condition": (
        "ALTER TABLE social_accounts ADD CONSTRAINT social_accounts_instagram_has_page_id CHECK (true)",
        "constraint social_accounts_instagram_has_page_id is CHECK (true)"),
    "webhook_logs not partitioned": (
        "CREATE TABLE webhook_logs (id uuid PRIMARY KEY)",
        "public.webhook_logs exists but is not a table partitioned"),
    "webhook_logs of other columns": (
        "CREATE TABLE webhook_logs (id uuid PRIMARY KEY, payload text) PARTITION BY RANGE (id)",
        "column public.webhook_logs.payload is text"),
    "quarantine of other columns": (
        "CREATE TABLE webhook_quarantine (id uuid PRIMARY KEY)",
        "column public.webhook_quarantine.body is missing"),
    "policy that allows more": (
        "CREATE POLICY webhooks_own_rows ON social_accounts USING (true)",
        "policy webhooks_own_rows on public.social_accounts"),
    "function of another result": (
        "CREATE FUNCTION get_instagram_user_by_page_id(varchar) RETURNS text LANGUAGE sql AS 'SELECT $1'",
        "get_instagram_user_by_page_id(character varying) returning text"),
    "function of other arguments": (
        "CREATE FUNCTION log_webhook(jsonb) RETURNS void LANGUAGE sql AS ''",
        "public.log_webhook(jsonb)"),
    "view of the same name": (
        "CREATE VIEW active_webhook_accounts AS SELECT 1 AS id",
        "public.active_webhook_accounts exists"),
    "schema of the same name": (
        "CREATE SCHEMA socialsync",
        "schema socialsync exists"),
    "trigger of the same name": (
        "CREATE TRIGGER socialsync_accounts_changed BEFORE UPDATE ON social_accounts "
        "FOR EACH ROW EXECUTE FUNCTION touch_updated_at()",
        "trigger socialsync_accounts_changed"),
    "auth.uid() of another result": (
        "CREATE SCHEMA auth; CREATE FUNCTION auth.uid() RETURNS text LANGUAGE sql AS 'SELECT $$x$$'",
        "function auth.uid() returns text"),
    "users without its key": (
        "ALTER TABLE users DROP CONSTRAINT users_pkey CASCADE",
        "public.users has no primary or unique key"),
    "platform of another type": (
        "ALTER TABLE social_accounts ALTER platform TYPE text",
        "column public.social_accounts.platform is text"),
}


@pytest.mark.parametrize("conflict", CONFLICTS.values(), ids=CONFLICTS.keys())
def test_names_what_is_something_else(legacy, conflict):
    made, named = conflict
    legacy.sql(made)
    before = legacy.dump()
    done = legacy.update()
    assert done.returncode == 3
    assert named in done.stderr
    assert "nothing was changed" in done.stderr
    assert legacy.dump() == before


@pytest.mark.every_version
def test_names_all_of_them_at_once(legacy):
    """Each compares definitions as this server writes them."""
    together = [conflict for name, conflict in CONFLICTS.items() if not name.startswith(("users", "platform", "auth"))]
    for made, _ in together:
        legacy.cluster.run_psql(legacy.name, made)  # some of them exclude each other
    before = legacy.dump()
    done = legacy.update()
    assert done.returncode == 3
    for kind in ("column", "idx_", "constraint", "policy", "trigger", "function", "schema"):
        assert f"\n  {kind}" in done.stderr
    assert legacy.dump() == before


def test_a_policy_of_ours_that_was_widened_is_a_conflict(updated):
    updated.sql("ALTER POLICY webhooks_only_own_rows ON webhook_logs USING (true)")
    done = updated.update()
    assert done.returncode == 3
    assert "policy webhooks_only_own_rows on public.webhook_logs" in done.stderr


def test_wider_secrets_stay(legacy):
    legacy.sql("ALTER TABLE social_accounts ADD app_secret varchar(1024), ADD verify_token varchar")
    legacy.must_update()
    assert legacy.sql("SELECT atttypmod - 4 FROM pg_attribute WHERE attrelid = 'social_accounts'::regclass "
                      "AND attname = 'app_secret'") == "1024"


def test_a_dump_of_it_restores(updated, cluster):
    give_ids(updated)
    updated.must_update()
    cluster.create_database("restored")
    cluster.psql("restored", updated.dump())
    assert cluster.dump_schema("restored") == updated.dump()
    # Without its rows the state of functions and views is unknown: they are created again.
    assert "made   table" not in cluster.psql("restored", file=UPDATES)
    assert "made" not in cluster.psql("restored", file=UPDATES)
    assert cluster.dump_schema("restored") == updated.dump()
