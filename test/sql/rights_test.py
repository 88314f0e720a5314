"""The role that runs the update, the owner of its objects, and the privileges of other roles."""

import pytest
from cluster import Cluster
from schema import make_database

CREATE_ROLE = "DO $$ BEGIN CREATE ROLE {0} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;"


@pytest.fixture
def role(legacy):
    """Makes a role, and takes it away with all it owns."""
    made = []

    def make(name):
        legacy.sql(CREATE_ROLE.format(name))
        made.append(name)
        return name

    yield make
    for name in made:
        legacy.sql(f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}")


def owned_by(legacy, name):
    """As an application's database often is: all of it belongs to a role that is no superuser."""
    legacy.sql(f"""ALTER TABLE users OWNER TO {name}; ALTER TABLE social_accounts OWNER TO {name};
        ALTER TYPE social_platform OWNER TO {name}; GRANT CREATE ON SCHEMA public TO {name};
        GRANT CREATE ON DATABASE {legacy.name} TO {name}""")


@pytest.mark.parametrize("spoil, named", [
    ("ALTER TABLE social_accounts OWNER TO postgres", "to own table public.social_accounts"),
    ("ALTER TYPE social_platform OWNER TO postgres", "to own type public.social_platform"),
    ("REVOKE CREATE ON SCHEMA public FROM shop_owner", "GRANT CREATE, USAGE ON SCHEMA public TO shop_owner"),
    ("DO $$ BEGIN EXECUTE format('REVOKE CREATE ON DATABASE %I FROM shop_owner', current_database()); END $$",
     "GRANT CREATE ON DATABASE"),
    ("ALTER TABLE users OWNER TO postgres", "GRANT SELECT, REFERENCES ON public.users TO shop_owner"),
    ("CREATE SCHEMA auth", "GRANT CREATE ON SCHEMA auth TO shop_owner"),
    ("DO $$ BEGIN EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database()); END $$",
     "GRANT TEMPORARY ON DATABASE"),
])
def test_names_the_missing_right(legacy, role, spoil, named):
    owned_by(legacy, role("shop_owner"))
    legacy.sql(spoil)
    before = legacy.dump()
    done = legacy.update(user="shop_owner")
    assert done.returncode == 3
    assert named in done.stderr
    assert legacy.dump() == before


def test_names_roles_that_are_missing():
    with Cluster() as cluster:
        shop = make_database(cluster, "shop")
        shop.sql(CREATE_ROLE.format("shop_owner"))
        owned_by(shop, "shop_owner")
        done = shop.update(user="shop_owner")
        assert done.returncode == 3
        assert "CREATE ROLE authenticated NOLOGIN" in done.stderr
        shop.sql("ALTER ROLE shop_owner CREATEROLE")
        assert shop.update(user="shop_owner").returncode == 0


@pytest.mark.every_version
def test_objects_made_by_an_administrator_belong_to_the_owner(legacy, role):
    owned_by(legacy, role("shop_owner"))
    legacy.must_update()
    foreign = legacy.sql("""
        SELECT relname FROM pg_class
        WHERE relkind IN ('r', 'p', 'v') AND NOT pg_has_role('shop_owner', relowner, 'USAGE')
          AND (relnamespace = 'socialsync'::regnamespace OR relname LIKE '%webhook%')
        UNION ALL
        SELECT proname FROM pg_proc WHERE NOT pg_has_role('shop_owner', proowner, 'USAGE')
          AND (pronamespace = 'socialsync'::regnamespace OR proname LIKE '%webhook%')""")
    assert foreign == ""
    read = legacy.cluster.psql(legacy.name, user="shop_owner", sql="""
        SELECT count(*) FROM webhook_logs; SELECT count(*) FROM active_webhook_accounts;
        SELECT email FROM webhook_stats_by_user ORDER BY 1 LIMIT 1""")
    assert read == "0\n0\naline@example.org"
    assert legacy.update(user="shop_owner").returncode == 0


@pytest.mark.every_version
def test_an_application_role_keeps_its_rows(legacy, role):
    legacy.sql(f"GRANT SELECT, UPDATE ON social_accounts TO {role('shop_app')};"
               f"GRANT SELECT (id, platform) ON social_accounts TO {role('shop_report')}")
    legacy.must_update()
    for user in ("shop_app", "shop_report"):
        assert legacy.cluster.psql(legacy.name, "SELECT count(id) FROM social_accounts", user=user) == "3"
    legacy.cluster.psql(legacy.name, "UPDATE social_accounts SET display_name = 'new'", user="shop_app")


def test_public_is_shut_out(legacy):
    legacy.sql("GRANT SELECT ON social_accounts TO PUBLIC")
    done = legacy.update()
    assert done.returncode == 0
    assert "social_accounts was open to PUBLIC" in done.stderr
    assert legacy.sql("SELECT has_any_column_privilege('anon', 'social_accounts', 'SELECT'), "
                      "has_column_privilege('authenticated', 'social_accounts', 'access_token', 'SELECT')") == "f|f"


def test_a_leak_through_another_role_is_an_error(legacy, role):
    legacy.sql(f"GRANT SELECT ON social_accounts TO {role('shop_app')}")
    legacy.must_update()
    legacy.sql("GRANT shop_app TO authenticated")
    done = legacy.update()
    assert done.returncode == 3
    assert "authenticated can read social_accounts.app_secret" in done.stderr


def test_an_open_table_of_users_is_warned_of(updated):
    updated.sql("GRANT SELECT ON users TO authenticated")
    done = updated.update()
    assert done.returncode == 0
    assert "WARNING:  public.users has no row-level security" in done.stderr


WEB_RIGHTS = """
    SELECT bool_or(has_any_column_privilege('anon', t, 'SELECT, INSERT, UPDATE')
                   OR has_table_privilege('anon', t, 'TRUNCATE')),
           bool_or(has_table_privilege('authenticated', t, 'TRUNCATE, TRIGGER, REFERENCES')),
           bool_or(has_column_privilege('authenticated', 'social_accounts', 'app_secret', 'SELECT, INSERT, UPDATE')),
           bool_or(has_table_privilege('authenticated', 'webhook_logs', 'INSERT, UPDATE, DELETE')),
           bool_or(has_any_column_privilege('authenticated', 'webhook_quarantine', 'SELECT, INSERT, UPDATE')),
           bool_or(has_function_privilege('authenticated', 'get_instagram_user_by_page_id(varchar)', 'EXECUTE')),
           bool_and(has_column_privilege('authenticated', 'social_accounts', 'webhook_status', 'SELECT')),
           bool_and(has_table_privilege('authenticated', 'webhook_logs', 'SELECT'))
    FROM unnest(ARRAY['social_accounts', 'webhook_logs', 'webhook_quarantine']) AS t"""


@pytest.mark.every_version
@pytest.mark.parametrize("shape", ["legacy", "supabase"])
def test_grants_on_everything_are_narrowed_again(shape, request):
    """The usual reaction to `permission denied` from a web API."""
    database = request.getfixturevalue(shape)
    database.must_update()
    assert database.sql(WEB_RIGHTS) == "f|f|f|f|f|f|t|t"
    database.sql("GRANT ALL ON ALL TABLES IN SCHEMA public TO anon, authenticated, service_role;"
                 "GRANT ALL ON ALL FUNCTIONS IN SCHEMA public TO anon, authenticated, service_role")
    assert database.sql(WEB_RIGHTS) == "t|t|t|t|t|t|t|t"
    database.must_update()
    assert database.sql(WEB_RIGHTS) == "f|f|f|f|f|f|t|t"


def test_writes_of_the_web_api_stay_and_reach_own_rows_only(supabase):
    """Before: everybody signed in may write any column of its own accounts. After: not ours, not others'."""
    supabase.must_update()
    as_aline = """SET request.jwt.claims = '{"sub": "00000000-0000-4000-8000-00000000000a"}'; SET ROLE authenticated;"""
    supabase.sql(as_aline + "UPDATE social_accounts SET display_name = 'mine', access_token = 'new'")
    assert supabase.sql("SELECT count(*) FROM social_accounts WHERE display_name = 'mine'") == "1"
    supabase.sql(as_aline + """INSERT INTO social_accounts (platform, account_id, username, user_id)
                               VALUES ('reddit', 'r', 'r', auth.uid())""")
    refused = supabase.cluster.run_psql(supabase.name, as_aline + """
        INSERT INTO social_accounts (platform, account_id, username, user_id)
        VALUES ('x', 'x', 'x', '00000000-0000-4000-8000-00000000000b')""")
    assert "row-level security" in refused.stderr
    supabase.sql(as_aline + "DELETE FROM social_accounts")
    assert supabase.sql("SELECT count(*) FROM social_accounts") == "2"


@pytest.mark.parametrize("claim, refusal", [
    ("UPDATE social_accounts SET account_id = '17841400000000001'", "permission denied"),
    ("UPDATE social_accounts SET platform = 'facebook'", "permission denied"),
    ("INSERT INTO social_accounts (platform, account_id, username, user_id) "
     "VALUES ('facebook', '17841400000000001', 'x', auth.uid())", "row-level security"),
])
def test_a_signed_in_user_cannot_write_routing_keys(supabase, claim, refusal):
    supabase.must_update()
    refused = supabase.cluster.run_psql(supabase.name, """SET ROLE authenticated;
        SET request.jwt.claims = '{"sub": "00000000-0000-4000-8000-00000000000a"}';""" + claim)
    assert refusal in refused.stderr


def test_writes_stay_where_there_was_no_row_security(supabase):
    supabase.sql("""DROP POLICY "everybody sees accounts" ON social_accounts;
        DROP POLICY "users edit their accounts" ON social_accounts;
        ALTER TABLE social_accounts DISABLE ROW LEVEL SECURITY""")
    supabase.must_update()
    supabase.sql("""SET request.jwt.claims = '{"sub": "00000000-0000-4000-8000-00000000000b"}'; SET ROLE authenticated;
        UPDATE social_accounts SET display_name = 'mine'""")
    assert supabase.sql("SELECT count(*) FROM social_accounts WHERE display_name = 'mine'") == "2"
