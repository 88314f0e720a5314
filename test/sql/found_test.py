"""Objects that the update found and changed: the rollback restores them, or says why it cannot."""

import pytest
from schema import ALINE, ROLLBACK

PREIMAGES = """
    CREATE TABLE IF NOT EXISTS socialsync.backfill_preimages (run text, id uuid, column_name text, old_value text,
      written bytea NOT NULL, at timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (run, id, column_name));
    COMMENT ON TABLE socialsync.backfill_preimages IS 'SocialSync Webhooks: '"""


def overwrite(database, run, column, value, condition):
    """As `migrate backfill` does it."""
    database.sql(f"""{PREIMAGES}; INSERT INTO socialsync.backfill_preimages
        SELECT '{run}', id, '{column}', {column}::text, sha256(convert_to('{value}', 'UTF8')), clock_timestamp()
        FROM social_accounts WHERE {condition};
        UPDATE social_accounts SET {column} = '{value}' WHERE {condition}""")


def test_replaced_values_of_columns_that_stay_are_put_back(legacy):
    """Through several runs, of every type, and of values that were not there."""
    legacy.sql("""ALTER TABLE social_accounts ADD webhook_events text[], ADD webhook_metadata jsonb, ADD page_id varchar(100);
        UPDATE social_accounts SET webhook_events = '{a,"b,c"}', webhook_metadata = '{"old": [1, null]}', page_id = account_id""")
    rows = "SELECT account_id, access_token, webhook_events, webhook_metadata, page_id FROM social_accounts ORDER BY 1"
    before = legacy.sql(rows)
    legacy.must_update()
    overwrite(legacy, "1", "access_token", "first", "true")
    overwrite(legacy, "2", "access_token", "second", "platform <> 'youtube'")
    overwrite(legacy, "2", "webhook_events", "{messages}", "true")
    overwrite(legacy, "2", "webhook_metadata", '{"new": 1}', "true")
    # One after the other, each to the value that the other had.
    overwrite(legacy, "3", "page_id", "free", "platform = 'whatsapp'")
    overwrite(legacy, "4", "page_id", "wa_aline", "platform = 'youtube'")
    overwrite(legacy, "5", "business_name", "goes with its column", "true")
    report = legacy.must_roll_back()
    assert legacy.sql(rows) == before
    assert "done   2 value(s) of access_token restored that run 2 replaced" in report
    assert "done   3 value(s) of access_token restored that run 1 replaced" in report
    assert "stays  access_token" not in report and "value(s) of business_name" not in report


def test_a_value_that_changed_since_stays_and_is_said(updated):
    overwrite(updated, "1", "access_token", "written", "true")
    updated.sql(f"UPDATE social_accounts SET access_token = 'newer' WHERE user_id = '{ALINE}'")
    account = updated.sql(f"SELECT id FROM social_accounts WHERE user_id = '{ALINE}'")
    report = updated.must_roll_back()
    assert f"stays  access_token of these accounts, since it changed after run 1: {account}" in report
    assert updated.sql("SELECT access_token FROM social_accounts ORDER BY account_id") == "token-bruno\nnewer"


@pytest.mark.every_version
def test_a_value_that_cannot_be_put_back_stays_and_is_said(legacy):
    legacy.sql("ALTER TABLE social_accounts ADD page_id varchar(100) UNIQUE; UPDATE social_accounts SET page_id = account_id")
    legacy.must_update()
    overwrite(legacy, "1", "page_id", "new", "platform = 'whatsapp'")
    legacy.sql("UPDATE social_accounts SET page_id = 'wa_aline' WHERE platform = 'youtube'")
    report = legacy.must_roll_back()
    assert "stays  the values of page_id that run 1 wrote: duplicate key value" in report
    assert legacy.sql("SELECT page_id FROM social_accounts WHERE platform = 'whatsapp'") == "new"


def test_a_column_of_another_type_by_now_stays_and_is_said(updated):
    overwrite(updated, "1", "access_token", "17", "true")
    updated.sql("ALTER TABLE social_accounts ALTER access_token TYPE integer USING access_token::integer")
    assert "stays  the values of access_token that run 1 wrote: invalid input syntax" in updated.must_roll_back()


# ---- A CHECK that was NOT VALID

CHECK = """ALTER TABLE social_accounts ADD phone_number_id varchar(100);
    ALTER TABLE social_accounts ADD CONSTRAINT social_accounts_whatsapp_has_phone_number_id
      CHECK (platform::text NOT IN ('whatsapp', 'whatsapp_business') OR phone_number_id IS NOT NULL) NOT VALID;
    COMMENT ON CONSTRAINT social_accounts_whatsapp_has_phone_number_id ON social_accounts IS 'as ever'"""


@pytest.mark.every_version
@pytest.mark.parametrize("satisfied", [True, False], ids=["validated", "taken away"])
def test_a_check_that_was_not_valid_is_so_again(legacy, satisfied):
    legacy.sql("ALTER TYPE social_platform ADD VALUE 'whatsapp_business'")
    legacy.sql(("DELETE FROM social_accounts WHERE platform = 'whatsapp';" if satisfied else "") + CHECK)
    before = legacy.dump()
    legacy.must_update()
    legacy.must_roll_back()
    assert legacy.dump() == before


# ---- Objects unknown to the update


@pytest.mark.every_version
@pytest.mark.parametrize("make, named", [
    ("CREATE TABLE social_accounts (LIKE a) PARTITION BY HASH (id); ALTER TABLE social_accounts ADD PRIMARY KEY (id)",
     "public.social_accounts is partitioned: this update supports only a plain table"),
    ("CREATE TABLE parent (id uuid); CREATE TABLE social_accounts (LIKE a INCLUDING ALL) INHERITS (parent)",
     "public.social_accounts inherits from public.parent: this"),
    ("CREATE TABLE social_accounts (LIKE a INCLUDING ALL); CREATE TABLE child () INHERITS (social_accounts)",
     "public.social_accounts has children: public.child: this"),
    ("CREATE VIEW social_accounts AS SELECT * FROM a", "public.social_accounts exists but is not a plain table"),
    ("CREATE MATERIALIZED VIEW social_accounts AS SELECT * FROM a", "public.social_accounts exists but is not a plain table"),
    ("CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; CREATE FOREIGN TABLE social_accounts "
     "(id uuid, platform social_platform) SERVER s", "public.social_accounts exists but is not a plain table"),
    ("CREATE TYPE account AS (id uuid); CREATE TABLE social_accounts OF account (PRIMARY KEY (id))",
     "public.social_accounts is a table of type public.account: this"),
    ("CREATE UNLOGGED TABLE social_accounts (LIKE a INCLUDING ALL)", "public.social_accounts is not permanent"),
], ids=["partitioned", "inherits", "children", "view", "materialized view", "foreign table", "typed", "unlogged"])
def test_another_kind_of_table_is_refused(legacy, make, named):
    legacy.sql("DROP VIEW account_names; ALTER TABLE social_accounts RENAME TO a; " + make)
    before = legacy.dump()
    done = legacy.update()
    assert done.returncode == 3
    assert named in done.stderr and "nothing was changed" in done.stderr
    assert legacy.dump() == before


def test_rights_granted_by_others_are_named_with_their_revoke(updated):
    updated.sql("""DO $$ BEGIN CREATE ROLE "Shop.App"; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        GRANT SELECT ON social_accounts TO "Shop.App" WITH GRANT OPTION;
        GRANT INSERT (username) ON social_accounts TO "Shop.App" WITH GRANT OPTION; SET ROLE "Shop.App";
        GRANT SELECT ON social_accounts TO anon; GRANT INSERT (username) ON social_accounts TO anon""")
    done = updated.update()
    assert done.returncode == 3
    assert "anon can read public.social_accounts" in done.stderr
    assert 'later  privileges granted by other roles: role Shop.App granted privileges' in done.stdout
    assert 'WARNING:  role Shop.App granted privileges' in done.stderr
    updated.sql(done.stdout.partition("only this role can revoke them: ")[2].partition("\n")[0])
    assert "granted by other roles" not in updated.must_update()
    updated.sql('DROP OWNED BY "Shop.App"; DROP ROLE "Shop.App"')


# ---- Objects that stay and are named


def test_the_labels_that_stay_are_those_that_were_added(legacy, empty):
    legacy.sql("ALTER TYPE social_platform RENAME VALUE 'facebook' TO 'meta'; ALTER TYPE social_platform ADD VALUE 'whatsapp_business'")
    legacy.must_update()
    report = legacy.must_roll_back()
    assert "stays  label facebook of type social_platform" in report
    assert report.count("label") == 1
    assert "label" not in legacy.must_roll_back()
    empty.must_update()
    assert "stays  label" not in empty.must_roll_back()


# ---- The enum made anew

REBUILD = "SELECT pg_temp.roll_back(true);"
PRIVILEGES = {
    "none": "",
    "some": """REVOKE USAGE ON TYPE social_platform FROM PUBLIC; GRANT USAGE ON TYPE social_platform TO type_app WITH GRANT OPTION;
        SET ROLE type_app; GRANT USAGE ON TYPE social_platform TO type_report; RESET ROLE;
        COMMENT ON TYPE social_platform IS 'where from'""",
    "not the default ones": """ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE ON TYPES TO type_app;
        ALTER DEFAULT PRIVILEGES REVOKE USAGE ON TYPES FROM PUBLIC""",
    "of another owner": """ALTER TYPE social_platform OWNER TO type_app; GRANT USAGE ON TYPE social_platform TO type_report;
        ALTER TABLE social_accounts ALTER platform SET DEFAULT 'x'""",
}


@pytest.mark.every_version
@pytest.mark.parametrize("privileges", PRIVILEGES.values(), ids=PRIVILEGES.keys())
def test_a_type_made_anew_has_its_owner_privileges_and_comment(legacy, privileges, tmp_path):
    legacy.sql("""DO $$ BEGIN CREATE ROLE type_app; CREATE ROLE type_report; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"""
               + privileges)
    before = legacy.dump()
    legacy.must_update()
    anew = tmp_path / "anew.sql"
    anew.write_text(ROLLBACK.read_text().replace("SELECT pg_temp.roll_back();", REBUILD))
    done = legacy.cluster.run_psql(legacy.name, file=anew)
    assert done.returncode == 0, done.stderr
    assert legacy.dump() == before
