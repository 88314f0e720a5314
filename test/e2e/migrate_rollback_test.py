"""`socialsync migrate rollback`: the database as it was, to the byte."""

import csv
import io
import json
import subprocess
import time

import psycopg2
import pytest

import program
from migration import GIVE_IDS, ORIGINAL_ROWS, changed_lines, make_legacy
from waiting import eventually

# In a dump, and in test/support/catalogue.sql.
LABEL = ["    'whatsapp_business'", "    'website'", "    'website',", "label 11 of social_platform: whatsapp_business"]


@pytest.fixture
def legacy(cluster):
    return make_legacy(cluster)


def roll_back(legacy, *arguments):
    return legacy.migrate("rollback", "--yes", "--no-export", *arguments)


@pytest.mark.every_version
def test_only_the_label_stays_and_it_is_said(legacy):
    before, rows = legacy.dump(), legacy.sql(ORIGINAL_ROWS)
    legacy.must_apply()
    done = roll_back(legacy)
    assert done.returncode == 0, done.stderr
    assert "stays  label whatsapp_business" in done.stdout
    assert set(changed_lines(before, legacy.dump())) <= set(LABEL)
    assert legacy.sql(ORIGINAL_ROWS) == rows
    assert "Nothing to do" in roll_back(legacy).stdout


@pytest.mark.every_version
def test_with_the_enum_made_anew_not_a_byte_differs(legacy):
    before, rows = legacy.dump(), legacy.sql(ORIGINAL_ROWS)
    legacy.must_apply()
    legacy.sql(GIVE_IDS)
    legacy.must_apply()
    done = roll_back(legacy, "--rebuild-enum")
    assert done.returncode == 0, done.stderr
    assert "stays  label" not in done.stdout
    assert legacy.dump() == before
    assert legacy.sql(ORIGINAL_ROWS) == rows


def test_a_label_in_use_is_not_removed(legacy):
    legacy.must_apply()
    legacy.sql("UPDATE social_accounts SET platform = 'whatsapp_business', phone_number_id = '1' WHERE platform = 'whatsapp'")
    before = legacy.dump()
    done = roll_back(legacy, "--rebuild-enum")
    assert done.returncode == 3
    assert "1 account(s) have the platform whatsapp_business" in done.stderr
    assert legacy.dump() == before


@pytest.mark.parametrize("step", ["ledger", "columns", "table.webhook_logs", "trigger", "row_security.social_accounts",
                                  "views", "index.phone_number_id"])
def test_an_update_that_stopped_is_undone_too(legacy, step):
    before = legacy.dump()
    legacy.apply("--fault", f"after:{step}")
    assert roll_back(legacy, "--rebuild-enum").returncode == 0
    assert legacy.dump() == before
    legacy.must_apply()


@pytest.mark.every_version
def test_softly_it_keeps_the_data_and_apply_brings_it_back(legacy):
    legacy.must_apply()
    legacy.sql(GIVE_IDS)
    legacy.must_apply()
    after_apply, rows = legacy.dump(), legacy.sql("SELECT id, phone_number_id, page_id FROM social_accounts ORDER BY id")
    done = roll_back(legacy, "--soft")
    assert done.returncode == 0, done.stderr
    assert legacy.sql("SELECT to_regproc('log_webhook') IS NULL AND to_regclass('webhook_logs') IS NOT NULL") == "t"
    assert legacy.sql("SELECT has_column_privilege('authenticated', 'social_accounts', 'app_secret', 'SELECT')") == "f"
    assert legacy.sql("SELECT relrowsecurity FROM pg_class WHERE oid = 'social_accounts'::regclass") == "t"
    assert legacy.sql("SELECT id, phone_number_id, page_id FROM social_accounts ORDER BY id") == rows
    again = roll_back(legacy, "--soft")
    assert (again.returncode, again.stdout) == (0, "Nothing to do: gateways do not start on this database in its present state.\n")
    assert legacy.apply().returncode == 0
    assert legacy.dump() == after_apply


def test_data_that_would_be_lost_is_exported_first(legacy, tmp_path):
    legacy.must_apply()
    legacy.sql("UPDATE social_accounts SET phone_number_id = '4711', app_secret = 'a, \"secret\"' WHERE platform = 'whatsapp'")
    legacy.sql("SELECT log_webhook(id, platform, 'messages', '{}') FROM social_accounts WHERE platform = 'whatsapp'")
    folder = tmp_path / "kept"
    done = legacy.migrate("rollback", "--yes", "--export", str(folder))
    assert done.returncode == 0, done.stderr
    with open(folder / "social_accounts.csv", encoding="utf8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["phone_number_id"], row["app_secret"]) == ("4711", 'a, "secret"')
    assert len((folder / "webhook_logs.csv").read_text().splitlines()) == 2
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


@pytest.mark.every_version
def test_dependent_objects_stop_a_rollback(legacy):
    legacy.must_apply()
    legacy.sql("CREATE VIEW mine AS SELECT phone_number_id FROM social_accounts")
    before = legacy.dump()
    done = roll_back(legacy)
    assert done.returncode == 3
    assert "Nothing was changed" in done.stderr
    assert legacy.dump() == before


def test_a_reader_delays_a_rollback_but_no_session_behind_it(legacy):
    legacy.must_apply()
    reader = psycopg2.connect(legacy.cluster.dsn(legacy.name))
    reader.cursor().execute("SELECT 1 FROM social_accounts")
    run = legacy.start("rollback", "--yes", "--no-export")
    for _ in range(20):
        legacy.sql("SET statement_timeout = '1s'; SELECT count(*) FROM social_accounts")
    assert run.poll() is None
    reader.close()
    out, error = run.communicate(timeout=60)
    assert run.returncode == 0, out + error


def test_contract_drops_only_the_chosen_objects(legacy):
    constraint = legacy.sql("""SELECT 'constraint.' || conname FROM pg_constraint
        WHERE conrelid = 'social_accounts'::regclass AND pg_get_constraintdef(oid) = 'UNIQUE (user_id, platform)'""")
    before = legacy.dump()
    assert constraint in legacy.migrate("contract").stdout
    assert legacy.migrate("contract", "--drop", "constraint.nothing", "--yes").returncode == 2
    assert legacy.dump() == before
    assert legacy.migrate("contract", "--drop", constraint, "--yes").returncode == 0
    assert "Nothing is left over" in legacy.migrate("contract").stdout


# --- Found by attacking it

def test_rows_that_arrive_while_it_waits_for_locks_are_exported(legacy, tmp_path):
    legacy.must_apply()
    reader = psycopg2.connect(legacy.cluster.dsn(legacy.name))
    reader.cursor().execute("SELECT 1 FROM users")
    run = legacy.start("rollback", "--yes", "--export", str(tmp_path / "kept"))
    eventually(lambda: (tmp_path / "kept" / "webhook_quarantine.csv").exists())
    time.sleep(0.5)
    log_id = legacy.sql("SELECT log_webhook(id, platform, 'messages', '{}') FROM social_accounts WHERE platform = 'whatsapp'")
    legacy.sql("UPDATE social_accounts SET business_name = 'Late', phone_number_id = NULL WHERE platform = 'instagram'")
    reader.close()
    out, error = run.communicate(timeout=60)
    assert run.returncode == 0, out + error
    assert log_id in (tmp_path / "kept" / "webhook_logs.late.csv").read_text()
    late = list(csv.DictReader(io.StringIO((tmp_path / "kept" / "social_accounts.late.csv").read_text())))
    assert [row["business_name"] for row in late if row["webhook_status"] == "inactive"] == ["Late"]
    assert len(late) == 2, "log_webhook changes its account too"


def test_a_detached_partition_is_kept_too(legacy, tmp_path):
    legacy.must_apply()
    log_id = legacy.sql("SELECT log_webhook(id, platform, 'messages', '{}') FROM social_accounts WHERE platform = 'whatsapp'")
    partition = legacy.sql(f"SELECT tableoid::regclass FROM webhook_logs WHERE id = '{log_id}'")
    legacy.sql(f"ALTER TABLE webhook_logs DETACH PARTITION {partition}")
    done = legacy.migrate("rollback", "--yes", "--export", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert log_id in (tmp_path / (partition.removeprefix("socialsync.") + ".csv")).read_text()


def test_a_folder_that_was_there_keeps_its_mode(legacy, tmp_path):
    legacy.must_apply()
    tmp_path.chmod(0o755)
    assert legacy.migrate("rollback", "--yes", "--export", str(tmp_path)).returncode == 0
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_rights_given_after_the_update_stay(legacy):
    legacy.must_apply()
    legacy.sql("DROP ROLE IF EXISTS newcomer; CREATE ROLE newcomer; GRANT SELECT ON social_accounts TO newcomer")
    assert roll_back(legacy).returncode == 0
    assert legacy.sql("SELECT has_table_privilege('newcomer', 'social_accounts', 'SELECT')") == "t"
    legacy.sql("DROP OWNED BY newcomer; DROP ROLE newcomer")


def test_a_column_that_is_gone_does_not_stop_it(legacy):
    legacy.sql("DROP ROLE IF EXISTS looker; CREATE ROLE looker; GRANT SELECT (profile_url) ON social_accounts TO looker")
    legacy.must_apply()
    legacy.sql("ALTER TABLE social_accounts DROP profile_url")
    done = roll_back(legacy)
    assert done.returncode == 0, done.stderr
    assert "not restored: GRANT SELECT (profile_url)" in done.stdout
    legacy.sql("DROP OWNED BY looker; DROP ROLE looker")


def test_with_nothing_to_undo_the_enum_stays_too(legacy):
    before = legacy.dump()
    assert roll_back(legacy, "--rebuild-enum").returncode == 0
    assert legacy.dump() == before


def test_a_reader_of_the_ledger_blocks_no_session(legacy):
    legacy.must_apply()
    reader = psycopg2.connect(legacy.cluster.dsn(legacy.name))
    reader.cursor().execute("SELECT 1 FROM socialsync.migration_steps")
    run = legacy.start("rollback", "--yes", "--no-export")
    for _ in range(20):
        legacy.sql("SET statement_timeout = '1s'; SELECT count(*) FROM users")
    reader.close()
    assert run.wait(60) == 0


def test_the_labels_that_stay_are_those_that_were_added(legacy):
    legacy.sql("ALTER TYPE social_platform RENAME VALUE 'instagram' TO 'insta'; ALTER TYPE social_platform ADD VALUE 'whatsapp_business'")
    legacy.must_apply()
    report = json.loads(roll_back(legacy, "--output", "json").stdout)
    assert report["residue"] == ["label instagram of type social_platform"]
    assert json.loads(roll_back(legacy, "--output", "json").stdout)["residue"] == []


def test_a_view_of_the_platform_stops_the_enum_from_being_made_anew(legacy):
    legacy.must_apply()
    legacy.sql("CREATE VIEW mine AS SELECT platform FROM social_accounts")
    before = legacy.dump()
    done = roll_back(legacy, "--rebuild-enum")
    assert done.returncode == 3
    assert "used by a view" in done.stderr and "Nothing was changed" in done.stderr
    assert legacy.dump() == before


ENVIRONMENT = {"WHATSAPP_PHONE_NUMBER_ID": "4711", "WHATSAPP_ACCESS_TOKEN": "new token", "META_APP_SECRET": "secret"}


@pytest.mark.every_version
def test_backfilled_values_in_remaining_columns_are_undone(legacy, tmp_path):
    """Replaced values, and values of empty columns."""
    legacy.sql("""ALTER TABLE social_accounts ADD phone_number_id varchar(100), ADD business_name varchar(255),
          ADD webhook_status varchar(50), ADD webhook_events text[];
        UPDATE social_accounts SET phone_number_id = 'old', business_name = '', webhook_events = '{comments}'
        WHERE platform = 'whatsapp'; UPDATE social_accounts SET webhook_status = 'error' WHERE platform = 'youtube';
        UPDATE social_accounts SET access_token = NULL WHERE platform = 'instagram'""")
    columns = "SELECT id, phone_number_id, business_name, webhook_status, webhook_events, access_token FROM social_accounts ORDER BY id"
    before = legacy.sql(columns), legacy.sql(ORIGINAL_ROWS)
    legacy.must_apply()
    replaced, filled = tmp_path / "replaced.csv", tmp_path / "filled.csv"
    replaced.write_text("account_id,business_name,webhook_status\nyt_bruno,B,active\n")
    filled.write_text("account_id,webhook_status\nig_bruno,active\n")
    for backfill in (["--from-env", "--overwrite"], ["--business-name-from-display-name"],
                     ["--csv", str(replaced), "--overwrite"], ["--csv", str(filled)]):
        done = legacy.migrate("backfill", *backfill, "--yes", **ENVIRONMENT)
        assert done.returncode == 0, done.stdout + done.stderr
    assert "new token" in legacy.sql(columns)
    done = roll_back(legacy)
    assert done.returncode == 0, done.stderr
    assert (legacy.sql(columns), legacy.sql(ORIGINAL_ROWS)) == before


def test_an_undone_run_leaves_the_rest_to_the_rollback(legacy):
    legacy.sql("ALTER TABLE social_accounts ADD business_name varchar(255); "
               "UPDATE social_accounts SET business_name = 'Old' WHERE platform = 'youtube'")
    names = "SELECT id, business_name FROM social_accounts ORDER BY id"
    before = legacy.sql(names)
    legacy.must_apply()
    done = legacy.migrate("backfill", "--business-name-from-display-name", "--overwrite", "--yes", "--output", "json")
    undone = legacy.migrate("backfill", "--undo", json.loads(done.stdout)["run"], "--yes", "--output", "json")
    assert json.loads(undone.stdout)["changed"] == 1
    assert legacy.sql("SELECT count(*) FROM social_accounts WHERE business_name = 'Old'") == "1"
    assert roll_back(legacy).returncode == 0
    assert legacy.sql(names) == before


@pytest.mark.parametrize("user", ["CREATE INDEX mine ON social_accounts (username) WHERE platform = 'whatsapp'",
                                  "ALTER TABLE social_accounts ADD CONSTRAINT mine CHECK (platform <> 'x')"])
def test_objects_that_compare_labels_prevent_a_rebuild_of_the_enum(legacy, user):
    legacy.sql(user)
    before = legacy.dump()
    legacy.must_apply()
    done = roll_back(legacy, "--rebuild-enum")
    assert done.returncode == 3
    assert "mine: " in done.stderr and "platform::text" in done.stderr
    assert roll_back(legacy).returncode == 0
    assert set(changed_lines(before, legacy.dump())) <= set(LABEL)


def test_another_role_s_transaction_that_began_before_is_kept_too(legacy, tmp_path):
    """A role without pg_read_all_stats sees none of other roles' times."""
    legacy.sql("""DROP ROLE IF EXISTS plain_owner; CREATE ROLE plain_owner LOGIN; GRANT CREATE ON SCHEMA public TO plain_owner;
        ALTER TABLE social_accounts OWNER TO plain_owner; ALTER TABLE users OWNER TO plain_owner;
        ALTER TYPE social_platform OWNER TO plain_owner""")
    legacy.must_apply()
    gateway = psycopg2.connect(legacy.cluster.dsn(legacy.name))
    cursor = gateway.cursor()
    cursor.execute("SELECT log_webhook(id, platform, 'messages', '{}') FROM social_accounts WHERE platform = 'whatsapp'")
    (log_id,) = cursor.fetchone()
    run = subprocess.Popen([program.binary(), "migrate", "rollback", "--yes", "--export", tmp_path / "kept"],
                           env=program.environment({"DATABASE_URL": legacy.url("plain_owner")}), text=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    eventually(lambda: (tmp_path / "kept" / "webhook_quarantine.csv").exists())
    gateway.commit()
    gateway.close()
    out, error = run.communicate(timeout=60)
    assert run.returncode == 0, out + error
    assert log_id in (tmp_path / "kept" / "webhook_logs.late.csv").read_text()
    legacy.sql("DROP OWNED BY plain_owner CASCADE; DROP ROLE plain_owner")


def test_triggers_find_their_tables(legacy):
    """Triggers of backfill, of quarantined duplicates, and of restored values."""
    legacy.sql("""CREATE TABLE audit (id uuid); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO audit VALUES (NEW.id); RETURN NEW; END $$;
        CREATE TRIGGER note AFTER INSERT OR UPDATE ON social_accounts FOR EACH ROW EXECUTE FUNCTION note();
        ALTER TABLE social_accounts ADD business_name varchar(255), ADD phone_number_id varchar(100);
        UPDATE social_accounts SET phone_number_id = 'same'; DELETE FROM audit""")
    names = "SELECT id, business_name, phone_number_id FROM social_accounts ORDER BY id"
    before = legacy.sql(names)
    done = legacy.apply("--duplicates", "quarantine")
    assert done.returncode == 9 and done.stdout.count(" loses ") == 2, done.stdout + done.stderr
    done = legacy.migrate("backfill", "--business-name-from-display-name", "--yes")
    assert done.returncode == 0, done.stderr
    assert legacy.sql("SELECT count(*) FROM audit") == "5"
    done = roll_back(legacy)
    assert done.returncode == 0, done.stderr
    assert legacy.sql(names) == before
    assert legacy.sql("SELECT count(*) > 5 FROM audit") == "t"


def test_filled_values_are_not_reported_as_undone(legacy):
    legacy.must_apply()
    filled = legacy.migrate("backfill", "--business-name-from-display-name", "--yes")
    assert filled.returncode == 0 and "--undo" not in filled.stdout
    legacy.sql("UPDATE social_accounts SET business_name = 'Other'")
    assert "--undo" in legacy.migrate("backfill", "--business-name-from-display-name", "--overwrite", "--yes").stdout


def test_a_folder_that_cannot_be_written_stops_it_before(legacy, tmp_path):
    legacy.must_apply()
    before = legacy.dump()
    (tmp_path / "social_accounts.csv").touch()
    for folder in (tmp_path, "/proc/nothing"):
        done = legacy.migrate("rollback", "--yes", "--export", str(folder))
        assert done.returncode == 3
        assert "nothing was changed" in done.stderr
    assert legacy.dump() == before
