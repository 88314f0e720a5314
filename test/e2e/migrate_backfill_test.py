"""`socialsync migrate backfill`: new columns are filled, and nothing else happens to a database."""

import subprocess

import pytest

import program
import schema
from backfill import APP_SECRET, OLD_TOKEN, TOKEN, VERIFY, accounts, template  # noqa: F401: fixtures

WHATSAPP = {"WHATSAPP_PHONE_NUMBER_ID": "683178638221369", "WHATSAPP_VERIFY_TOKEN": VERIFY, "META_APP_SECRET": APP_SECRET,
            "WHATSAPP_ACCESS_TOKEN": TOKEN}
INSTAGRAM = {"INSTAGRAM_PAGE_ID": "17841400000000000", "INSTAGRAM_VERIFY_TOKEN": VERIFY}
NOBODY = "00000000-0000-4000-8000-0000000000ff"


# ---- From the environment


def test_the_settings_of_the_single_tenant_become_its_account_s(accounts):
    report = accounts.must("--from-env", **WHATSAPP, **INSTAGRAM)
    assert (report["changed"], report["batches"]) == (2, 1)
    assert report["kept"] == [{"id": accounts.id("wa_aline"), "column": "access_token"}]
    assert accounts.account("wa_aline") == {  # as the guide's UPDATE makes it
        "phone_number_id": "683178638221369", "page_id": None, "app_secret": APP_SECRET, "verify_token": VERIFY,
        "webhook_url": None, "business_name": "Chez Aline", "display_phone_number": None,
        "webhook_events": ["messages", "message_deliveries", "message_reads"], "webhook_status": "inactive",
        "webhook_metadata": {}, "access_token": "token-aline"}
    bruno = accounts.account("ig_bruno")
    assert bruno["page_id"] == "17841400000000000" and bruno["phone_number_id"] is None
    assert bruno["webhook_events"] == ["messages", "comments", "mentions"]


def test_a_second_run_touches_no_row(accounts):
    accounts.must("--from-env", **WHATSAPP, **INSTAGRAM)
    before = accounts.versions()
    report = accounts.must("--from-env", **WHATSAPP, **INSTAGRAM)
    assert (report["changed"], report["batches"]) == (0, 0)
    assert accounts.versions() == before


def test_several_that_could_be_meant_are_named(accounts):
    other = accounts.add("wa_other", "whatsapp_business")
    done = accounts.run("--from-env", "--yes", **WHATSAPP)
    assert done.returncode == 3
    assert other in done.stderr and accounts.id("wa_aline") in done.stderr and "--account" in done.stderr
    assert accounts.account("wa_aline")["phone_number_id"] is None
    accounts.must("--from-env", "--account", "wa_other", **WHATSAPP)
    assert accounts.account("wa_other")["phone_number_id"] == "683178638221369"
    accounts.must("--from-env", **WHATSAPP)  # it is clear now
    assert accounts.account("wa_aline")["phone_number_id"] is None


def test_one_without_a_number_is_the_one(accounts):
    accounts.add("wa_other", phone_number_id="111")
    accounts.must("--from-env", **WHATSAPP)
    assert accounts.account("wa_aline")["phone_number_id"] == "683178638221369"


def test_settings_without_an_account(accounts):
    accounts.rows("DELETE FROM social_accounts WHERE platform = 'instagram'")
    assert accounts.must("--from-env", **WHATSAPP, **INSTAGRAM)["notes"] == ["no Instagram account to fill"]
    assert accounts.run("--from-env", "--yes", **INSTAGRAM).returncode == 3
    nothing = accounts.run("--from-env", "--yes")
    assert nothing.returncode == 2 and "WHATSAPP_PHONE_NUMBER_ID" in nothing.stderr


def test_a_setting_that_is_too_long_is_not_cut(accounts):
    done = accounts.run("--from-env", "--yes", **{**WHATSAPP, "META_APP_SECRET": APP_SECRET * 80})
    assert done.returncode == 9 and "app_secret is 1040 characters long, its limit is 1000" in done.stderr


# ---- From a file


def test_a_file_as_a_spreadsheet_writes_it(accounts):
    text = ('\ufeff"Platform";ACCOUNT_ID ;"phone_number_id";app_secret;business_name;webhook_events;webhook_metadata\r\n'
            f'whatsapp;wa_aline;683178638221369;{APP_SECRET};"Chez ""Aline""; café\r\nà Paris";{{messages,message_reads}};'
            '"{""waba_id"": ""1""}"\r\n\r\n'
            'instagram;ig_bruno;;"";  ;"comments, mentions";')
    report = accounts.csv(text)
    assert (report["changed"], report["bad_line_count"]) == (2, 0)
    aline = accounts.account("wa_aline")
    assert (aline["phone_number_id"], aline["app_secret"]) == ("683178638221369", APP_SECRET)
    assert aline["business_name"] == 'Chez "Aline"; café\r\nà Paris'
    assert aline["webhook_events"] == ["messages", "message_reads"] and aline["webhook_metadata"] == {"waba_id": "1"}
    bruno = accounts.account("ig_bruno")
    assert bruno["webhook_events"] == ["comments", "mentions"] and bruno["app_secret"] is None
    before = accounts.versions()
    assert accounts.csv(text)["same"] == 2
    assert accounts.versions() == before


def test_from_standard_input(accounts):
    text = f"id\tpage_id\n{accounts.id('ig_bruno')}\t17841400000000000\n"
    done = subprocess.run([program.binary(), "migrate", "backfill", "--csv", "-", "--yes"], input=text, text=True,
                          env=program.environment({"DATABASE_URL": accounts.url}), cwd="/tmp", capture_output=True, check=True)
    assert "1 account(s) changed" in done.stdout
    assert accounts.account("ig_bruno")["page_id"] == "17841400000000000"


def test_each_bad_line_is_told_and_nothing_written(accounts):
    accounts.add("taken", phone_number_id="999")
    accounts.add("double", "x")
    accounts.add("double", "reddit")
    header = "account_id,phone_number_id,display_phone_number,webhook_status,webhook_metadata,app_secret,webhook_events\n"
    text = header + "\n".join([
        'wa_aline,"683178638221369",,,,,',         # 2: good
        f"{NOBODY},1,,,,,",                        # 3
        "double,2,,,,,",                           # 4
        f'yt_bruno,,{"1" * 21},,,"{APP_SECRET}\n",',  # 5 and 6
        "ig_bruno,,,asleep,,,",                    # 7
        "ig_bruno,,,,[1],,",                       # 8: the same account
        "taken,683178638221369,,,,,",              # 9: wa_aline's
        ",3,,,,,", "taken,4", f'x,5,"{APP_SECRET},,,,'])  # 10, 11, 12
    report = accounts.csv(text, exit_code=9)
    double = sorted(accounts.database.value("SELECT array_agg(id) FROM social_accounts WHERE account_id = 'double'")
                    .strip("{}").split(","))
    assert [(bad["line"], bad["message"]) for bad in report["bad_lines"]] == [
        (2, "phone_number_id 683178638221369 is on line 9 too"),
        (3, f"no account {NOBODY}"),
        (4, f"double is the account_id of several accounts, say the platform too, or the id: {', '.join(double)}"),
        (5, "display_phone_number is 21 characters long, its limit is 20"),
        (7, f"account {accounts.id('ig_bruno')} is on line 8 too"),
        (7, "webhook_status is inactive, active or error, not asleep"),
        (8, f"account {accounts.id('ig_bruno')} is on line 7 too"),
        (8, "webhook_metadata is not a JSON object"),
        (9, "phone_number_id 683178638221369 is on line 2 too"),
        (10, "it names no account"),
        (11, "2 fields, but the header has 7"),
        (12, "a quote is opened and never closed")]
    assert report["bad_line_count"] == 10 and report["changed"] == 0
    assert accounts.account("wa_aline")["phone_number_id"] is None


def test_the_good_lines_alone(accounts):
    taken = accounts.add("taken", phone_number_id="999")
    text = "account_id,phone_number_id,webhook_metadata\nwa_aline,1,\nyt_bruno,999,\nig_bruno,,{x\n"
    assert accounts.csv(text, exit_code=9)["changed"] == 0
    report = accounts.csv(text, "--skip-bad", exit_code=9)
    assert report["changed"] == 1 and accounts.account("wa_aline")["phone_number_id"] == "1"
    assert report["bad_lines"] == [
        {"line": 3, "message": f"phone_number_id 999 belongs to account {taken} already"},
        {"line": 4, "message": "webhook_metadata is not a JSON object"}]


@pytest.mark.parametrize("header, message", [
    ("id,phone_numbr_id", "'phone_numbr_id' in the header is not a column to fill: phone_number_id perhaps?"),
    ("id,access_token", "'access_token' in the header is not a column to fill"),
    ("id,page_id,Page_ID", "the header names page_id twice"),
    ("id,page_id,", "column 3 of the header has no name"),
    ("page_id", "neither id nor account_id"),
    ("id", "names no column to fill"),
    ("", "the file is empty"),
])
def test_a_header_that_cannot_be_used(accounts, header, message):
    assert message in accounts.csv(header, exit_code=2)["error"]["message"]


def test_other_encodings_are_refused(accounts):
    latin = "account_id,business_name\nwa_aline,Café\n".encode("cp1252")
    assert "iconv" in accounts.csv(latin, exit_code=9)["error"]["message"]
    assert "UTF-16" in accounts.csv("account_id,page_id\n".encode("utf-16"), exit_code=2)["error"]["message"]


# ---- display_name


def test_business_name_from_display_name(accounts):
    accounts.rows("UPDATE social_accounts SET business_name = 'Mine' WHERE account_id = 'yt_bruno'")
    report = accounts.must("--business-name-from-display-name")
    assert (report["changed"], report["kept"]) == (2, [{"id": accounts.id("yt_bruno"), "column": "business_name"}])
    assert accounts.account("wa_aline")["business_name"] == "Chez Aline"
    assert accounts.account("yt_bruno")["business_name"] == "Mine"


# ---- Looking first, overwriting, undoing


def test_a_dry_run_shows_and_changes_nothing(accounts):
    before = accounts.versions()
    report = accounts.must("--from-env", "--dry-run", "--overwrite", **WHATSAPP)
    assert (report["changed"], report["columns"]["app_secret"], report["batches"]) == (1, 1, 0)
    changes = {change["column"]: (change["from"], change["to"]) for change in report["preview"]}
    assert changes["phone_number_id"] == (None, "683178638221369")
    assert changes["app_secret"] == (None, "••••") and changes["access_token"] == ("••••", "••••")
    text = accounts.run("--from-env", "--dry-run", **WHATSAPP)
    assert text.returncode == 0 and "1 account(s) would change" in text.stdout
    assert accounts.versions() == before
    assert accounts.value("SELECT to_regclass('socialsync.backfill_preimages')") is None


def test_overwritten_values_can_be_restored(accounts):
    accounts.rows("UPDATE social_accounts SET app_secret = %s, webhook_events = '{comments}', business_name = 'Old' "
                  "WHERE account_id = 'wa_aline'", OLD_TOKEN)
    before = accounts.account("wa_aline")
    text = (f"account_id,app_secret,webhook_events,business_name,verify_token\n"
            f"wa_aline,{APP_SECRET},messages,New,{VERIFY}\nig_bruno,,messages,,\n")
    kept = accounts.csv(text)["kept"]
    assert sorted(value["column"] for value in kept) == ["app_secret", "business_name", "webhook_events"]
    assert accounts.account("wa_aline") == {**before, "verify_token": VERIFY}
    run = accounts.csv(text, "--overwrite")["run"]
    assert accounts.account("wa_aline")["app_secret"] == APP_SECRET
    assert accounts.value("SELECT count(*) FROM socialsync.backfill_preimages WHERE run = %s", run) == 3
    accounts.rows("UPDATE social_accounts SET business_name = 'Newer' WHERE account_id = 'wa_aline'")
    undone = accounts.must("--undo", run)
    assert undone["kept"] == [{"id": accounts.id("wa_aline"), "column": "business_name"}]
    assert accounts.account("wa_aline") == {**before, "verify_token": VERIFY, "business_name": "Newer"}
    accounts.rows("UPDATE social_accounts SET business_name = 'New' WHERE account_id = 'wa_aline'")
    accounts.must("--undo", run)
    assert accounts.account("wa_aline") == {**before, "verify_token": VERIFY}
    assert accounts.run("--undo", run, "--yes").returncode == 2  # forgotten


def test_a_number_that_another_account_got_since_is_refused(accounts):
    accounts.csv("account_id,phone_number_id\nwa_aline,1\n")
    accounts.must("--business-name-from-display-name")
    run = accounts.csv("account_id,phone_number_id,business_name\nwa_aline,2,A\nyt_bruno,,B\nig_bruno,,C\n",
                       "--overwrite")["run"]
    other = accounts.add("other", phone_number_id="1")
    report = accounts.must("--undo", run, exit_code=9)
    assert report["refused"] == [
        {"id": accounts.id("wa_aline"), "message": f"account {other} has this phone_number_id already"}]
    assert report["changed"] == 2 and accounts.account("ig_bruno")["business_name"] == "Bruno Photo"


def test_replaced_values_are_the_owner_s_alone_and_go_with_the_rollback(cluster, accounts):
    accounts.rows("ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO PUBLIC, anon, authenticated, service_role")
    accounts.csv("account_id,business_name\nwa_aline,A\n")
    accounts.csv("account_id,business_name\nwa_aline,B\n", "--overwrite")
    for role in ("anon", "authenticated", "service_role"):
        assert not accounts.value("SELECT has_any_column_privilege(%s, 'socialsync.backfill_preimages', 'SELECT')", role)
    migrated = schema.Database(cluster, accounts.name)
    migrated.must_update()
    migrated.must_roll_back()
    assert accounts.value("SELECT to_regnamespace('socialsync')") is None


# ---- Refusals


def test_without_a_terminal_yes_is_needed(accounts):
    done = accounts.run("--business-name-from-display-name")
    assert done.returncode == 2 and "--yes" in done.stderr
    assert accounts.account("wa_aline")["business_name"] is None


@pytest.mark.parametrize("arguments", [[], ["--csv", "x", "--from-env"], ["--account", "x", "--csv", "x"], ["--csv", "/none"],
                                       ["--undo", "never"], ["--overwrite", "--undo", "x"]])
def test_wrong_usage(accounts, arguments):
    assert accounts.run(*arguments, "--yes").returncode == 2


def test_a_database_that_is_not_migrated(cluster, accounts):
    accounts.rows("DROP VIEW active_webhook_accounts; DROP TRIGGER socialsync_webhook_url_given ON social_accounts;"
                  "DROP TRIGGER socialsync_webhook_url_changed ON social_accounts;"
                  "ALTER TABLE social_accounts DROP COLUMN webhook_url")
    done = accounts.run("--from-env", "--yes", **WHATSAPP)
    assert done.returncode == 3 and "Run: socialsync migrate apply" in done.stderr


def test_no_statement_holds_a_secret(cluster, accounts):
    accounts.rows(f'ALTER DATABASE "{accounts.name}" SET log_min_duration_statement = 0')
    accounts.must("--from-env", **WHATSAPP)
    log = cluster.log_file.read_text()
    assert "FOR NO KEY UPDATE" in log
    assert not any(secret in log for secret in (APP_SECRET, TOKEN))
