"""`socialsync migrate contract`, and the roles of `apply --rls-role`."""

import json

import pytest

from migration import GIVE_IDS, make_legacy

KEY = "constraint.social_accounts_user_id_platform_key"
COUNT = "SELECT count(*) FROM social_accounts"

pytestmark = pytest.mark.every_version


@pytest.fixture
def legacy(cluster):
    return make_legacy(cluster)


def test_it_lists_and_drops_the_chosen_objects(legacy):
    legacy.must_apply()
    listed = json.loads(legacy.migrate("contract", "--output", "json").stdout)
    assert [leftover["id"] for leftover in listed["leftovers"]] == [KEY]
    assert legacy.migrate("contract", "--drop", KEY).returncode == 2
    dropped = legacy.migrate("contract", "--drop", KEY, "--yes")
    assert dropped.returncode == 0, dropped.stderr
    assert legacy.migrate("contract").stdout == "Nothing is left over.\n"


def test_dependent_objects_are_named_and_nothing_is_dropped(legacy):
    legacy.must_apply()
    legacy.sql("CREATE TABLE socialsync.backfill_preimages (id uuid); CREATE TABLE shops (u uuid, p social_platform, "
               "CONSTRAINT shops_account FOREIGN KEY (u, p) REFERENCES social_accounts (user_id, platform))")
    before = legacy.dump()
    done = legacy.migrate("contract", "--drop", "table.backfill_preimages", "--drop", KEY, "--yes")
    assert done.returncode == 3, done.stderr
    assert "constraint shops_account on table public.shops depends on" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert legacy.dump() == before


def test_a_rollback_names_dependent_objects(legacy):
    legacy.must_apply()
    legacy.sql("CREATE VIEW pages AS SELECT page_id FROM social_accounts")
    before = legacy.dump()
    done = legacy.migrate("rollback", "--yes", "--no-export")
    assert done.returncode == 3
    assert "view public.pages depends on column page_id" in done.stderr
    assert legacy.dump() == before


# --- Roles that see all accounts

@pytest.fixture
def auditors(legacy):
    """Roles that read everything by pg_read_all_data; the names are as odd as PostgreSQL allows."""
    names = ['au,di"tor', "Other Auditor"]
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        legacy.sql(f"CREATE ROLE {quoted} LOGIN; GRANT pg_read_all_data TO {quoted}")
    yield names
    legacy.sql("DROP POLICY IF EXISTS webhooks_application ON social_accounts")
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        legacy.sql(f"DROP ROLE {quoted}")


def seen(legacy, role):
    quoted = '"' + role.replace('"', '""') + '"'
    return legacy.sql(f"SET ROLE {quoted}; {COUNT}").removeprefix("SET\n")


def test_a_role_with_a_comma_in_its_name(legacy, auditors):
    legacy.must_apply("--rls-role", auditors[0], "--rls-role", auditors[1])
    assert [seen(legacy, role) for role in auditors] == ["3", "3"]


def test_a_role_that_is_named_when_row_security_is_on_joins_the_others(legacy, auditors):
    legacy.must_apply()
    assert [seen(legacy, role) for role in auditors] == ["0", "0"]
    legacy.sql(GIVE_IDS)
    legacy.must_apply()
    for number, role in enumerate(auditors, 1):
        done = legacy.apply("--rls-role", role)
        assert done.returncode == 0, done.stderr
        assert [seen(legacy, role) for role in auditors] == ["3"] * number + ["0"] * (2 - number)
    assert "Nothing to do" in legacy.apply("--rls-role", auditors[0]).stdout


def test_a_policy_that_was_found_gets_its_roles_back(legacy, auditors):
    legacy.sql("CREATE ROLE found_one; CREATE POLICY webhooks_application ON social_accounts TO found_one USING (true)")
    original = legacy.dump()
    legacy.must_apply("--rls-role", auditors[1])
    assert seen(legacy, auditors[1]) == "3"
    done = legacy.migrate("rollback", "--yes", "--no-export", "--rebuild-enum")
    assert done.returncode == 0, done.stderr
    assert legacy.dump() == original
    legacy.sql("DROP POLICY webhooks_application ON social_accounts; DROP ROLE found_one")
