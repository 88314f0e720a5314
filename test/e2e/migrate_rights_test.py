"""Rights that are missing: doctor names all of them with what gives each, nothing changes, and what it says is enough."""

import itertools
import json
import re

import pytest

from migration import make_legacy

STATEMENT = re.compile(r"(?:GRANT|ALTER|CREATE) [^(]*(?:\([^)]*\) [^(]*)?")
ROUNDS = 2  # without TEMP nothing else can be looked at
numbers = itertools.count()

pytestmark = pytest.mark.every_version


@pytest.fixture
def legacy(cluster):
    """Owned by an ordinary role; `owner` and `runner` are its roles."""
    made = make_legacy(cluster)
    number = next(numbers)
    made.owner, made.runner = f"Shop.Owner{number}", f"shop-Runner{number}"
    made.sql(f"""
        DO $$ BEGIN CREATE ROLE anon; CREATE ROLE authenticated; CREATE ROLE service_role;
        EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        CREATE ROLE "{made.owner}" LOGIN; CREATE ROLE "{made.runner}" LOGIN;
        ALTER TABLE users OWNER TO "{made.owner}"; ALTER TABLE social_accounts OWNER TO "{made.owner}";
        ALTER TYPE social_platform OWNER TO "{made.owner}"; GRANT ALL ON SCHEMA public TO "{made.owner}";
        GRANT ALL ON DATABASE {made.name} TO "{made.owner}" """)
    yield made
    cluster.psql("postgres", f'DROP DATABASE {made.name} WITH (FORCE)')
    cluster.psql("postgres", f'DROP ROLE "{made.runner}"; DROP ROLE "{made.owner}"')


def missing(legacy, user):
    """The problems that doctor reports."""
    done = legacy.migrate("doctor", "--output", "json", user=user)
    bad = [finding for finding in json.loads(done.stdout)["findings"] if finding["state"] == "bad"]
    assert done.returncode == (3 if bad else 0)
    return [finding["found"] for finding in bad]


def mend(legacy, user):
    """Does what doctor says, and nothing else, until it is content; gives all it said."""
    said = []
    for _ in range(ROUNDS):
        found = missing(legacy, user)
        said += found
        for line in found:
            legacy.sql(STATEMENT.search(line)[0])
    assert missing(legacy, user) == []
    return said


def needs(legacy, user, *named):
    """Refused as user, by each command, with nothing changed; mended it works."""
    before = legacy.dump()
    for command in (("apply", "--yes", "--no-backup"), ("doctor",)):
        done = legacy.migrate(*command, user=user)
        assert done.returncode == 3, done.stdout + done.stderr
    by_psql = legacy.update(user=user)
    assert by_psql.returncode == 3
    assert legacy.dump() == before
    said = mend(legacy, user)
    for part in named:
        assert any(part in line for line in said), (part, said)
    done = legacy.apply(user=user)
    assert done.returncode == 9, done.stdout + done.stderr
    assert legacy.update(user=user).returncode == 0


def test_a_role_without_privileges_gets_the_whole_list(legacy):
    runner = legacy.runner
    legacy.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE SCHEMA auth")
    needs(legacy, runner, "to own table public.social_accounts: ", "to own type public.social_platform: ",
          f'GRANT "{legacy.owner}" TO "{runner}"', f'GRANT CREATE, USAGE ON SCHEMA public TO "{runner}"',
          f'GRANT CREATE ON DATABASE {legacy.name} TO "{runner}"', f'GRANT CREATE ON SCHEMA auth TO "{runner}"',
          f'GRANT SELECT, REFERENCES ON public.users TO "{runner}"')


def test_an_owner_without_create_on_the_schema(legacy):
    legacy.sql(f'REVOKE CREATE ON SCHEMA public FROM PUBLIC, "{legacy.owner}"')
    needs(legacy, legacy.owner, f'GRANT CREATE, USAGE ON SCHEMA public TO "{legacy.owner}"')


def test_an_owner_without_temp(legacy):
    legacy.sql(f'REVOKE TEMP ON DATABASE {legacy.name} FROM PUBLIC, "{legacy.owner}"')
    needs(legacy, legacy.owner, f'GRANT TEMPORARY ON DATABASE {legacy.name} TO "{legacy.owner}"')


def test_an_owner_from_whom_forced_row_security_hides_rows(legacy):
    legacy.sql("ALTER TABLE social_accounts FORCE ROW LEVEL SECURITY; ALTER TABLE users FORCE ROW LEVEL SECURITY")
    needs(legacy, legacy.owner, "ALTER TABLE public.social_accounts NO FORCE ROW LEVEL SECURITY (or ALTER ROLE",
          "ALTER TABLE public.users NO FORCE ROW LEVEL SECURITY")


def test_objects_of_a_superuser_are_reassigned_without_granting_the_superuser(legacy):
    legacy.sql("ALTER TABLE social_accounts OWNER TO postgres; ALTER TYPE social_platform OWNER TO postgres")
    needs(legacy, legacy.owner, f'ALTER TABLE public.social_accounts OWNER TO "{legacy.owner}" (or run this as postgres)')


def give_rights(legacy):
    legacy.sql(f"""GRANT ALL ON SCHEMA public TO "{legacy.runner}"; GRANT ALL ON DATABASE {legacy.name} TO "{legacy.runner}";
                   GRANT SELECT, REFERENCES ON users TO "{legacy.runner}" """)


def test_a_member_that_does_not_inherit(legacy):
    give_rights(legacy)
    if legacy.cluster.version >= 16:
        legacy.sql(f'GRANT "{legacy.owner}" TO "{legacy.runner}" WITH INHERIT FALSE')
        needs(legacy, legacy.runner, f'GRANT "{legacy.owner}" TO "{legacy.runner}" WITH INHERIT TRUE')
    else:
        legacy.sql(f'ALTER ROLE "{legacy.runner}" NOINHERIT; GRANT "{legacy.owner}" TO "{legacy.runner}"')
        needs(legacy, legacy.runner, f'ALTER ROLE "{legacy.runner}" INHERIT')


def test_a_member_that_cannot_become_the_owner(legacy):
    """It could do every step but the last, which gives to the owner what was made."""
    if legacy.cluster.version < 16:
        return  # there every member can
    give_rights(legacy)
    legacy.sql(f'GRANT "{legacy.owner}" TO "{legacy.runner}" WITH INHERIT TRUE, SET FALSE')
    needs(legacy, legacy.runner, "to make the owner of public.social_accounts the owner of new objects: ", "SET TRUE")


def test_a_member_needs_nothing_more(legacy):
    give_rights(legacy)
    legacy.sql(f'GRANT "{legacy.owner}" TO "{legacy.runner}"')
    assert missing(legacy, legacy.runner) == []
    done = legacy.apply(user=legacy.runner)
    assert done.returncode == 9, done.stdout + done.stderr
    assert legacy.sql("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'socialsync'") == legacy.owner


def test_an_administrator_needs_one_run_only(legacy):
    """Functions of the owner, whose role is newer than service_role, are as they were made."""
    legacy.must_apply()
    steps = legacy.steps()
    assert {step for step, state in steps.items() if state != "done" and not step.startswith("check.")} == set()


def test_rows_hidden_from_the_owner_are_in_an_administrator_s_way_too(legacy):
    legacy.sql("ALTER TABLE social_accounts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    before = legacy.dump()
    done = legacy.apply()
    assert done.returncode == 3
    assert f'NO FORCE ROW LEVEL SECURITY (or ALTER ROLE "{legacy.owner}" BYPASSRLS)' in done.stderr
    assert legacy.dump() == before
    legacy.sql(f'ALTER ROLE "{legacy.owner}" BYPASSRLS')
    legacy.must_apply()


def test_a_rollback_without_privileges_changes_nothing(legacy):
    assert legacy.migrate("apply", "--yes", "--no-backup").returncode in (0, 9)
    before = legacy.dump()
    refused = legacy.migrate("rollback", "--yes", "--no-export", user=legacy.runner)
    assert refused.returncode == 3, refused.stderr
    assert "permission denied" in refused.stderr and "the role that ran apply" in refused.stderr
    assert legacy.dump() == before
