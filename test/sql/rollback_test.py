"""schema_rollback_webhooks.sql: afterwards the database is as it was, but for the label that cannot be taken away."""

import difflib

import pytest
from cluster import Cluster
from schema import STEPS, updates_up_to, make_database

MAKE_ROLES = """
    DO $$ BEGIN CREATE ROLE kept_app; CREATE ROLE kept_report; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"""
# The remaining differences, in a dump and in test/support/catalogue.sql.
LABEL = [["-    'website'", "+    'website',", "+    'whatsapp_business'"],
         ["+label 11 of social_platform: whatsapp_business"]]


def changes(before, after):
    """The lines of a schema that differ, as diff shows them."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


@pytest.fixture(params=["legacy", "supabase"])
def found(request):
    return request.getfixturevalue(request.param)


GRANTS = {
    "as it is": "",
    "grants in an order of their own": """GRANT SELECT ON social_accounts TO kept_app WITH GRANT OPTION;
        GRANT SELECT (id, username), UPDATE (username) ON social_accounts TO kept_report;
        REVOKE ALL ON social_accounts FROM CURRENT_USER; GRANT INSERT ON social_accounts TO PUBLIC;
        GRANT ALL ON social_accounts TO CURRENT_USER; GRANT DELETE ON social_accounts TO kept_report""",
    "row-level security": """ALTER TABLE social_accounts ENABLE ROW LEVEL SECURITY;
        CREATE POLICY mine ON social_accounts USING (username = CURRENT_USER)""",
}


def test_privileges_that_were_passed_on_stay(found):
    """They cannot be taken and given again in their order, so the order may change, and nothing else."""
    found.sql(MAKE_ROLES + """GRANT SELECT ON social_accounts TO kept_app WITH GRANT OPTION; SET ROLE kept_app;
        GRANT SELECT ON social_accounts TO kept_report""")
    before = found.dump()
    found.must_update()
    found.must_roll_back()
    grants = [sorted(line for line in dump.splitlines() if line.startswith("GRANT")) for dump in (before, found.dump())]
    assert grants[0] == grants[1]


@pytest.mark.every_version
@pytest.mark.parametrize("grants", GRANTS.values(), ids=GRANTS.keys())
def test_brings_back_what_was_found(found, grants):
    found.sql(MAKE_ROLES + grants)
    before = found.dump()
    rows = "SELECT * FROM social_accounts ORDER BY id"
    data = found.sql(rows)
    found.must_update()
    found.must_update()
    found.must_roll_back()
    assert changes(before, found.dump()) in LABEL
    assert found.sql(rows) == data


def test_again_there_is_nothing_to_do(updated):
    updated.must_roll_back()
    before = updated.dump()
    assert "done" not in updated.must_roll_back().replace("role", "")
    assert updated.dump() == before


def test_touches_nothing_that_was_never_updated(legacy, empty):
    legacy.sql("""ALTER TABLE social_accounts ADD business_name text;
        CREATE INDEX idx_social_accounts_page_id ON social_accounts (username);
        CREATE TABLE webhook_logs (id int); CREATE VIEW active_webhook_accounts AS SELECT 1 AS id;
        CREATE FUNCTION log_webhook(jsonb) RETURNS void LANGUAGE sql AS '';
        ALTER TABLE social_accounts ADD CONSTRAINT social_accounts_instagram_has_page_id CHECK (true) NOT VALID;
        CREATE POLICY webhooks_own_rows ON social_accounts USING (true)""")
    for database in (legacy, empty):
        before = database.dump()
        database.must_roll_back()
        assert database.dump() == before


@pytest.mark.parametrize("done_steps", range(1, STEPS, 5))
def test_undoes_an_update_that_stopped(legacy, tmp_path, done_steps):
    before = legacy.dump()
    stopped = tmp_path / "stopped.sql"
    stopped.write_text(updates_up_to(done_steps))
    assert legacy.cluster.run_psql(legacy.name, file=stopped).returncode == 0
    legacy.must_roll_back()
    assert changes(before, legacy.dump()) in ([], *LABEL)


@pytest.mark.every_version
def test_the_update_works_again_afterwards(updated):
    after_update = updated.dump()
    updated.must_roll_back()
    updated.must_update()
    assert updated.dump() == after_update


def test_columns_that_were_found_stay_with_their_data(legacy):
    legacy.sql("""ALTER TABLE social_accounts ADD phone_number_id varchar(100), ADD webhook_status varchar(50);
        CREATE UNIQUE INDEX idx_social_accounts_phone_number_id ON social_accounts (phone_number_id)
          WHERE phone_number_id IS NOT NULL;
        UPDATE social_accounts SET phone_number_id = 'mine' WHERE platform = 'whatsapp'""")
    before = legacy.dump()
    legacy.must_update()
    legacy.must_roll_back()
    assert changes(before, legacy.dump()) in LABEL
    assert legacy.sql("SELECT phone_number_id FROM social_accounts WHERE platform = 'whatsapp'") == "mine"


def test_stops_at_what_depends_on_it_and_changes_nothing(updated):
    updated.sql("CREATE VIEW my_report AS SELECT business_name FROM social_accounts")
    before = updated.dump()
    done = updated.roll_back()
    assert done.returncode == 3
    assert "view public.my_report depends on column business_name" in done.stderr
    assert updated.dump() == before


def test_comes_after_the_block_of_the_guide(legacy):
    """Its first statements fail, since views use the columns; in psql the others are done all the same."""
    before = legacy.dump()
    legacy.must_update()
    block = """ALTER TABLE social_accounts DROP COLUMN IF EXISTS phone_number_id, DROP COLUMN IF EXISTS page_id;
        DROP TABLE IF EXISTS webhook_logs;
        DROP FUNCTION IF EXISTS get_whatsapp_user_by_phone_number_id(VARCHAR);
        DROP FUNCTION IF EXISTS get_instagram_user_by_page_id(VARCHAR);
        DROP FUNCTION IF EXISTS log_webhook(UUID, social_platform, VARCHAR, JSONB, VARCHAR, VARCHAR);
        DROP FUNCTION IF EXISTS mark_webhook_processed(UUID, INTEGER, TEXT);"""
    assert "depends on" in legacy.cluster.run_psql(legacy.name, block).stderr
    legacy.must_roll_back()
    assert changes(before, legacy.dump()) in LABEL


def test_partitions_that_were_detached_go_too(legacy):
    before = legacy.dump()
    legacy.must_update()
    partition = legacy.sql("SELECT min(name) FROM socialsync.weekly_partitions()")
    legacy.sql(f"ALTER TABLE webhook_logs DETACH PARTITION socialsync.{partition}")
    legacy.must_roll_back()
    assert changes(before, legacy.dump()) in LABEL


def test_waits_for_readers_without_stopping_them(updated, connect):
    reader = connect(updated).cursor()
    reader.execute("SELECT count(*) FROM users")
    reader.execute("SET LOCAL idle_in_transaction_session_timeout = '1s'")
    updated.must_roll_back()
    assert updated.sql("SELECT to_regclass('webhook_logs') IS NULL") == "t"


# ---- roles, which all databases of a server share

ROLES = "SELECT count(*) FROM pg_roles WHERE rolname IN ('anon', 'authenticated', 'service_role')"


def test_roles_go_with_the_last_database_that_uses_them():
    with Cluster() as cluster:
        first, second = make_database(cluster, "first"), make_database(cluster, "second")
        first.must_update()
        second.must_update()
        assert "stays  role anon" in first.must_roll_back()
        assert first.sql(ROLES) == "3"
        second.must_roll_back()
        assert second.sql(ROLES) == "0"


def test_roles_that_have_members_stay():
    with Cluster() as cluster:
        database = make_database(cluster, "shop")
        database.must_update()
        database.sql("CREATE ROLE web LOGIN; GRANT authenticated TO web")
        assert "stays  role authenticated: it has members" in database.must_roll_back()
        assert database.sql("SELECT pg_has_role('web', 'authenticated', 'MEMBER')") == "t"


def test_roles_that_were_found_stay(supabase):
    supabase.must_update()
    supabase.must_roll_back()
    assert supabase.sql(ROLES) == "3"
    assert supabase.sql("SELECT to_regprocedure('auth.uid()') IS NOT NULL") == "t"


def test_an_empty_database_keeps_its_base(empty):
    empty.must_update()
    empty.sql("INSERT INTO users (email) VALUES ('first@example.org')")
    empty.must_roll_back()
    assert empty.sql("SELECT email FROM users") == "first@example.org"
    assert empty.sql("SELECT count(*) FROM social_accounts") == "0"
