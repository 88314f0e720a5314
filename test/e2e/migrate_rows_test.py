"""Blocking rows: named by plan and doctor, awaited by apply, resolved on the operator's request."""

import json

import pytest

from migration import changed_lines, make_legacy

BAD_ROWS = """
    ALTER TABLE social_accounts DROP CONSTRAINT social_accounts_user_id_fkey, DROP CONSTRAINT social_accounts_user_id_platform_key,
      ADD phone_number_id varchar(100), ADD page_id varchar(100);
    INSERT INTO social_accounts (id, platform, account_id, username, user_id, phone_number_id, created_at, is_active)
    SELECT ('10000000-0000-4000-8000-00000000000' || n)::uuid, platform::social_platform, 'bad' || n, 'x',
           coalesce(nobody, (SELECT min(id::text) FROM users))::uuid, phone, now() - n * interval '1 day', active
    FROM (VALUES (1, 'whatsapp', NULL, '4711', true), (2, 'whatsapp', NULL, '4711', true), (3, 'youtube', NULL, '4711', false),
                 (4, 'whatsapp', NULL, '', true), (5, 'whatsapp', NULL, NULL, true), (6, 'instagram', NULL, NULL, true),
                 (7, 'youtube', '99999999-0000-4000-8000-000000000000', NULL, true))
      AS bad (n, platform, nobody, phone, active)"""
ROWS = "SELECT id, platform, account_id, user_id, phone_number_id, page_id, is_active FROM social_accounts ORDER BY id"


def account(number):
    return f"10000000-0000-4000-8000-00000000000{number}"


@pytest.fixture
def legacy(cluster):
    made = make_legacy(cluster)
    made.sql(BAD_ROWS)
    return made


def change_every_row(legacy):
    """An update as the application makes all the time."""
    legacy.sql("UPDATE social_accounts SET username = username || '!'")


@pytest.mark.every_version
def test_plan_and_doctor_name_each_with_its_key(legacy):
    before = legacy.dump()
    rows = json.loads(legacy.migrate("plan", "--output", "json").stdout)["rows"]
    named = {
        f"phone_number_id 4711 is the same for accounts {account(1)}, {account(2)}, {account(3)}": [],
        "of platform whatsapp have no phone_number_id: ": [account(5)],
        "of platform instagram have no page_id: ": [account(6)],
        "have the empty text as their phone_number_id: ": [account(4)],
        "belong to a user that does not exist, so their webhooks cannot be logged: ": [account(7)],
    }
    assert len(rows) == len(named)
    for text, accounts in named.items():
        (row,) = [row for row in rows if text in row]
        assert all(one in row for one in accounts)
    shown = legacy.migrate("plan").stdout
    assert all(f"rows: {row}" in shown for row in rows)
    doctor = legacy.migrate("doctor")
    assert doctor.returncode == 3
    assert all(row in doctor.stdout for row in rows)
    assert legacy.dump() == before


def test_a_plan_by_a_role_that_may_not_read_them_says_so(legacy):
    legacy.sql("DROP ROLE IF EXISTS stranger; CREATE ROLE stranger LOGIN")
    done = legacy.migrate("plan", "--output", "json", user="stranger")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["rows"] == [
        "this role may not read the accounts: run socialsync migrate doctor as their owner"]
    legacy.sql("DROP ROLE stranger")


def test_apply_stops_before_their_index_and_checks_and_every_row_can_be_changed(legacy):
    rows = legacy.sql(ROWS)
    for point in ("after:columns", "before:index.phone_number_id", "after:index.page_id", "none:"):
        legacy.apply("--fault", point)
        change_every_row(legacy)
    done = legacy.apply()
    assert done.returncode == 9
    assert f"phone_number_id 4711 is the same for accounts {account(1)}, {account(2)}, {account(3)}" in done.stdout
    assert account(5) in done.stdout and account(6) in done.stdout
    states = legacy.steps()
    waiting = {"index.phone_number_id", "check.social_accounts_whatsapp_has_phone_number_id",
               "check.social_accounts_instagram_has_page_id"}
    assert {step for step, state in states.items() if state == "todo"} == waiting
    change_every_row(legacy)
    legacy.sql("UPDATE social_accounts SET username = 'x' WHERE account_id LIKE 'bad%'")
    assert legacy.sql(ROWS) == rows


def quarantine(legacy):
    return legacy.apply("--duplicates", "quarantine", "--output", "json")


@pytest.mark.every_version
def test_quarantined_the_oldest_active_one_keeps_its_key_and_the_others_can_have_it_back(legacy):
    legacy.sql("UPDATE social_accounts SET phone_number_id = '' WHERE account_id = 'bad7'")
    legacy.sql("UPDATE social_accounts SET page_id = 'page ' || id WHERE platform = 'instagram'; "
               "UPDATE social_accounts SET phone_number_id = 'phone ' || id WHERE platform = 'whatsapp' AND phone_number_id IS NULL")
    done = quarantine(legacy)
    assert done.returncode == 0, done.stdout + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    (told,) = [event for event in events if event.get("id") == "index.phone_number_id.rows"]
    assert told["note"].splitlines()[:-1] == [
        f"account {account(4)} loses phone_number_id ''",
        f"account {account(7)} loses phone_number_id ''",
        f"account {account(1)} loses phone_number_id '4711', which account {account(2)} keeps",
        f"account {account(3)} loses phone_number_id '4711', which account {account(2)} keeps"]
    run = events[-1]["run"]
    assert told["note"].endswith(f"backfill --undo {run}")
    assert legacy.sql("SELECT phone_number_id, webhook_status FROM social_accounts WHERE account_id = 'bad3'") == \
        f"duplicate:{account(3)}|error"
    assert set(legacy.steps().values()) == {"done"}
    # One of them gets another number, so that its own can be another's.
    legacy.sql("UPDATE social_accounts SET phone_number_id = '4712' WHERE account_id = 'bad2'")
    undone = json.loads(legacy.migrate("backfill", "--undo", run, "--yes", "--output", "json").stdout)
    assert undone["changed"] == 2 and len(undone["refused"]) == 2, undone
    assert legacy.sql("SELECT phone_number_id, webhook_status FROM social_accounts WHERE phone_number_id = '4711'") == "4711|inactive"


@pytest.mark.every_version
def test_a_rollback_gives_everybody_its_key_back(legacy):
    before, rows = legacy.dump(), legacy.sql(ROWS)
    assert quarantine(legacy).returncode == 9, "those without a key still wait"
    assert legacy.sql(ROWS) != rows
    assert legacy.apply("--duplicates", "quarantine").stdout.count(" loses ") == 0
    done = legacy.migrate("rollback", "--yes", "--no-export", "--rebuild-enum")
    assert done.returncode == 0, done.stderr
    assert changed_lines(before, legacy.dump()) == []
    assert legacy.sql(ROWS) == rows


def test_there_are_two_ways(legacy):
    assert legacy.apply("--duplicates", "drop").returncode == 2


# --- Found by attacking it

TWINS = """
    ALTER TABLE social_accounts ADD phone_number_id varchar(100);
    INSERT INTO social_accounts (platform, account_id, username, user_id, phone_number_id)
    SELECT 'x', 'twin ' || id, 'x', id, '4711' FROM users"""
# The update of an application that writes a row from its memory.
REVERT = """
    CREATE OR REPLACE FUNCTION revert() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF NEW.phone_number_id LIKE 'duplicate:%' AND (SELECT count(*) FROM public.done) < times THEN
        INSERT INTO public.done VALUES (1);
        NEW.phone_number_id := OLD.phone_number_id;
      END IF;
      RETURN NEW;
    END $$;
    CREATE TABLE done (n int);
    CREATE TRIGGER revert BEFORE UPDATE ON social_accounts FOR EACH ROW EXECUTE FUNCTION revert()"""


@pytest.fixture
def twins(cluster):
    made = make_legacy(cluster)
    made.sql(TWINS)
    return made


def test_a_status_that_was_none_comes_back(twins):
    twins.sql("ALTER TABLE social_accounts ADD webhook_status varchar(50)")
    rows = "SELECT id, phone_number_id, webhook_status FROM social_accounts ORDER BY id"
    before = twins.sql(rows)
    assert " loses " in quarantine(twins).stdout
    done = twins.migrate("rollback", "--yes", "--no-export")
    assert done.returncode == 0, done.stderr
    assert twins.sql(rows) == before


def test_an_account_that_claims_its_key_again_loses_it_again(twins):
    twins.sql(REVERT.replace("times", "1"))
    done = quarantine(twins)
    assert twins.steps()["index.phone_number_id"] == "done", done.stdout + done.stderr
    assert done.stdout.count(" loses ") == 2
    assert twins.sql("SELECT count(*) FROM socialsync.backfill_preimages WHERE old_value = '4711'") == "1"


def test_accounts_that_always_claim_it_again_are_no_lock(twins):
    twins.sql(REVERT.replace("times", "1000000"))
    done = twins.apply("--duplicates", "quarantine", "--lock-budget", "1")
    assert done.returncode == 9
    assert "go on getting the same value" in done.stderr


def test_a_trigger_that_refuses_the_change_stops_only_that_step(twins):
    twins.sql("""CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'hands off'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON social_accounts FOR EACH ROW EXECUTE FUNCTION refuse()""")
    done = twins.apply("--duplicates", "quarantine")
    assert done.returncode == 9, done.stderr
    assert "hands off" in done.stdout
    assert twins.steps()["index.page_id"] == "done"


def test_only_the_first_of_many_rows_are_named(twins):
    twins.sql("""ALTER TABLE social_accounts DROP CONSTRAINT social_accounts_user_id_platform_key;
        INSERT INTO social_accounts (platform, account_id, username, user_id, phone_number_id)
        SELECT 'x', 'empty ' || n, 'x', (SELECT id FROM users LIMIT 1), '' FROM generate_series(1, 500) AS n""")
    (shared,) = [row for row in json.loads(twins.migrate("plan", "--output", "json").stdout)["rows"] if "'' is the same" in row]
    assert shared.count(", ") == 20 and shared.endswith("… (500 in all)")
    told = quarantine(twins).stdout
    assert told.count(" loses ") == 100
    assert "these are the first 100 of 501 account(s)" in told
    assert twins.sql("SELECT count(*) FROM social_accounts WHERE phone_number_id = ''") == "0"
