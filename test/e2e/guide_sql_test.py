"""The SQL blocks of the migration guide (guide/*.sql, word for word), each run by psql as a reader would run it."""

import pathlib
import re

import pytest
from schema import make_database

GUIDE = pathlib.Path(__file__).parent / "guide"
PHONE = "683178638221369"
UUID_8 = "[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


class Reader:
    """Pastes blocks of the guide into psql; gives what it prints, fields joined by |."""

    def __init__(self, database):
        self.database = database

    def run(self, block):
        return self.database.cluster.psql(self.database.name, file=GUIDE / f"{block}.sql")

    def rows(self, block):
        return [tuple(line.split("|")) for line in self.run(block).splitlines()]


@pytest.fixture(scope="module")
def updated(cluster):
    """A legacy database with rows, after `psql -f schema_updates_webhooks.sql`."""
    database = make_database(cluster, "guide_template", "legacy")
    database.must_update()
    return database


@pytest.fixture
def reader(cluster, updated, request):
    name = re.sub(r"\W", "_", request.node.name)[:60]
    cluster.create_database(name, template=updated.name)
    return Reader(type(updated)(cluster, name))


@pytest.fixture
def migrated(reader):
    """After the section "Migration des Données Existantes"."""
    reader.run("migrate_whatsapp")
    reader.run("migrate_instagram")
    return reader


# ---- "Vérifier les Nouvelles Tables", "Vérifier les Index"


def test_the_new_tables_are_described(reader):
    described = reader.run("verify_tables")
    for column in ("phone_number_id|character varying(100)", "webhook_metadata|jsonb",
                   "external_message_id|character varying(255)"):
        assert f"\n{column}|" in described
    for function in ("get_whatsapp_user_by_phone_number_id", "get_instagram_user_by_page_id", "log_webhook"):
        assert len(re.findall(rf"^public\|{function}\|", described, re.M)) == 1


def test_the_indexes_are_listed(reader):
    lines = reader.run("verify_indexes").splitlines()
    assert lines[0].startswith("idx_social_accounts_phone_number_id|CREATE UNIQUE INDEX")
    assert set(lines[1:]) == {"webhook_logs_pkey", "idx_webhook_logs_account", "idx_webhook_logs_user",
                              "idx_webhook_logs_created_at", "idx_webhook_logs_external_message_id"}


# ---- "Migration des Données Existantes"


def test_existing_accounts_get_their_ids(migrated):
    assert migrated.database.sql(
        "SELECT platform, phone_number_id, page_id, app_secret, business_name, webhook_events, webhook_status "
        "FROM social_accounts WHERE platform IN ('whatsapp', 'instagram') ORDER BY platform").splitlines() == [
            "instagram||your_page_id_here|your_app_secret_here||{messages,comments,mentions}|inactive",
            f"whatsapp|{PHONE}||your_app_secret_here|Chez Aline|{{messages,message_deliveries,message_reads}}|inactive"]
    assert "made   CHECK social_accounts_whatsapp_has_phone_number_id" in migrated.database.must_update()


# ---- "Tester la Migration"


def test_routing_finds_the_account(migrated):
    (row,) = migrated.rows("test_routing")
    assert row[2:] == ("token-aline", "your_app_secret_here", "your_verify_token", "", "Chez Aline", "aline", "t")


def test_logging_writes_a_row(migrated):
    lines = migrated.run("test_logging").splitlines()
    assert re.fullmatch(UUID_8, lines[0])
    (logged,) = lines[1:]
    assert logged.startswith(lines[0])
    assert '|whatsapp|test_message|{"test": true}|received||' in logged
    assert "|msg_test_123|33765540003|00000000-0000-4000-8000-00000000000a|" in logged


def test_the_views_show_accounts_and_counts(migrated):
    migrated.run("test_logging")
    rows = migrated.run("test_views").splitlines()
    active, statistics = rows[:2], rows[2:]
    assert [line.split("|")[2:4] for line in active] == [["aline@example.org", "whatsapp"],
                                                         ["bruno@example.org", "instagram"]]
    assert sorted(line.split("|")[1:7] for line in statistics) == [
        ["aline@example.org", "whatsapp", "Chez Aline", "1", "0", "0"],
        ["bruno@example.org", "instagram", "", "0", "0", "0"]]


# ---- "Vérifications Post-Migration"


def test_the_columns_are_there(reader):
    assert sorted(reader.rows("check_structure")) == [
        ("app_secret", "character varying", "YES"), ("page_id", "character varying", "YES"),
        ("phone_number_id", "character varying", "YES"), ("verify_token", "character varying", "YES"),
        ("webhook_status", "character varying", "YES")]


def test_constraints_and_indexes_are_there(migrated):
    migrated.database.must_update()
    listed = migrated.run("check_constraints").splitlines()
    for name in ("social_accounts_pkey|PRIMARY KEY", "social_accounts_whatsapp_has_phone_number_id|CHECK",
                 "social_accounts_instagram_has_page_id|CHECK", "idx_social_accounts_phone_number_id",
                 "idx_social_accounts_page_id", "idx_webhook_logs_account"):
        assert name in listed


def test_row_level_security_is_on(reader):
    rows = reader.rows("check_rls")
    assert sorted(rows[:2]) == [("public", "social_accounts", "t"), ("public", "webhook_logs", "t")]
    own = "(user_id = ( SELECT auth.uid() AS uid))"
    for table in ("social_accounts", "webhook_logs"):
        assert ("public", table, "webhooks_own_rows", "{authenticated}", "SELECT", own) in rows
        assert ("public", table, "webhooks_only_own_rows", "{authenticated}", "ALL", own) in rows
        assert ("public", table, "webhooks_not_for_anon", "{anon}", "ALL", "false") in rows


# ---- "Test End-to-End"


def test_the_test_account_is_made_and_made_again(reader):
    for _ in range(2):
        reader.run("end_to_end_account")
    assert reader.database.sql(
        "SELECT business_name, display_phone_number, is_active "
        f"FROM get_whatsapp_user_by_phone_number_id('{PHONE}')") == "Mon Business Test|+33765540003|t"


def test_the_logs_are_joined_with_account_and_user(reader):
    reader.run("end_to_end_account")
    reader.run("test_logging")
    (line,) = reader.run("end_to_end_logs").splitlines()
    assert "|msg_test_123|33765540003|" in line
    assert line.endswith("|Mon Business Test|aline@example.org")


def test_one_phone_number_id_for_two_accounts_is_refused(migrated):
    """The guide's example account has the number that its data migration gave to the existing one."""
    done = migrated.database.cluster.run_psql(migrated.database.name, file=GUIDE / "end_to_end_account.sql")
    assert 'violates unique constraint "idx_social_accounts_phone_number_id"' in done.stderr


# ---- "Rollback en Cas de Problème"


def test_the_rollback_works_before_and_after_the_guide_s(migrated):
    """The guide's block drops columns that views use, which PostgreSQL refuses; the rollback file goes in order."""
    done = migrated.database.cluster.run_psql(migrated.database.name, file=GUIDE / "rollback.sql")
    assert "view active_webhook_accounts depends on" in done.stderr
    migrated.database.must_roll_back()
    columns = "SELECT count(*) FROM information_schema.columns WHERE table_name = 'social_accounts'"
    assert migrated.database.sql(columns) == "13"
    migrated.run("rollback")
