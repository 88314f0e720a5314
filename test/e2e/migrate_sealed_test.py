"""`socialsync migrate` with encrypted secrets: backfill, its undo, verify, and rollback."""

import json

import pytest

import program
from backfill import APP_SECRET, OLD_TOKEN, TOKEN, VERIFY, accounts, checked, template  # noqa: F401: fixtures
from migration import ORIGINAL_ROWS, make_legacy
from sealing import key_id, new_key, seal, unseal

KEY, OTHER_KEY = new_key(), new_key()
SETTINGS = {"WHATSAPP_PHONE_NUMBER_ID": "683178638221369", "WHATSAPP_VERIFY_TOKEN": VERIFY, "META_APP_SECRET": APP_SECRET}
KEYED = {"SOCIALSYNC_SECRETS_KEY": KEY}


def encrypt(url, verb="encrypt", key=KEY):
    done = checked(program.run("secrets", verb, "--yes", "--output", "json", DATABASE_URL=url, SOCIALSYNC_SECRETS_KEY=key))
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["changed"]


# ---- Filling columns


def test_an_encrypted_value_with_the_same_plaintext_is_no_conflict(accounts):
    accounts.must("--from-env", **SETTINGS)
    assert encrypt(accounts.url) == {"app_secret": 1, "verify_token": 1, "access_token": 2}
    before = accounts.versions()
    report = accounts.must("--from-env", **SETTINGS, **KEYED)
    assert (report["changed"], report["kept"], report["notes"]) == (0, [], [])
    assert accounts.must("--from-env", "--overwrite", **SETTINGS, **KEYED)["changed"] == 0
    assert accounts.versions() == before


def test_an_encrypted_value_with_another_plaintext_stays_unless_overwritten(accounts):
    accounts.must("--from-env", **SETTINGS)
    encrypt(accounts.url)
    other = {**SETTINGS, "WHATSAPP_ACCESS_TOKEN": TOKEN}
    report = accounts.must("--from-env", **other, **KEYED)
    assert report["kept"] == [{"id": accounts.id("wa_aline"), "column": "access_token"}]
    assert accounts.must("--from-env", "--overwrite", **other, **KEYED)["columns"]["access_token"] == 1
    assert accounts.account("wa_aline")["access_token"] == TOKEN


@pytest.mark.parametrize("settings", [{}, {"SOCIALSYNC_SECRETS_KEY": OTHER_KEY}], ids=["no key", "another key"])
def test_without_the_key_a_value_is_left_and_reported(accounts, settings):
    accounts.must("--from-env", **SETTINGS)
    encrypt(accounts.url)
    before = accounts.versions()
    report = accounts.must("--from-env", **SETTINGS, **settings)
    assert (report["changed"], report["kept"]) == (0, [])
    assert all("encrypted under a key that is not configured" in note for note in report["notes"])
    assert len(report["notes"]) == 2  # app_secret, verify_token
    assert accounts.versions() == before


def test_a_replaced_value_is_restored_although_it_was_encrypted_since(accounts):
    accounts.rows("UPDATE social_accounts SET access_token = %s WHERE account_id = 'wa_aline'", OLD_TOKEN)
    run = accounts.must("--from-env", "--overwrite", **{**SETTINGS, "WHATSAPP_ACCESS_TOKEN": TOKEN})["run"]
    encrypt(accounts.url)
    report = accounts.must("--undo", run, **KEYED)
    assert report["kept"] == []
    assert accounts.account("wa_aline")["access_token"] == OLD_TOKEN


def test_a_replaced_encrypted_value_is_restored_encrypted(accounts):
    account = accounts.id("wa_aline")
    accounts.rows("UPDATE social_accounts SET access_token = %s WHERE id = %s",
                  seal(OLD_TOKEN, KEY, account, "access_token"), account)
    run = accounts.must("--from-env", "--overwrite", **{**SETTINGS, "WHATSAPP_ACCESS_TOKEN": TOKEN}, **KEYED)["run"]
    accounts.must("--undo", run, **KEYED)
    assert unseal(accounts.account("wa_aline")["access_token"], KEY, account, "access_token") == OLD_TOKEN


def test_verify_and_doctor_work_with_encrypted_values(accounts):
    accounts.must("--from-env", **SETTINGS)
    accounts.rows("UPDATE social_accounts SET page_id = '17841400000000000' WHERE account_id = 'ig_bruno'")

    def look():
        runs = [program.run("migrate", command, "--output", "json", DATABASE_URL=accounts.url, **SETTINGS)
                for command in ("verify", "doctor")]
        return [(done.returncode, checked(done).stdout.count('"ok":false')) for done in runs]

    before = look()
    encrypt(accounts.url)
    assert look() == before


# ---- The way back


@pytest.fixture
def legacy(cluster):
    return make_legacy(cluster)


def roll_back_by_psql(legacy):
    return legacy.roll_back()


def roll_back_by_command(legacy):
    return legacy.migrate("rollback", "--yes", "--no-export")


@pytest.mark.every_version
@pytest.mark.parametrize("roll_back", [roll_back_by_psql, roll_back_by_command])
def test_a_rollback_leaves_no_encrypted_value(legacy, roll_back):
    rows = legacy.sql(ORIGINAL_ROWS)
    legacy.must_apply()
    encrypt(legacy.url())
    assert legacy.sql(ORIGINAL_ROWS) != rows
    before, sealed = legacy.dump(), legacy.sql("SELECT * FROM social_accounts ORDER BY id")
    done = roll_back(legacy)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "encrypted values (2 of access_token" in done.stderr and "socialsync secrets decrypt" in done.stderr
    assert "Nothing was changed" in done.stderr
    assert (legacy.dump(), legacy.sql("SELECT * FROM social_accounts ORDER BY id")) == (before, sealed)
    encrypt(legacy.url(), "decrypt")
    assert roll_back(legacy).returncode == 0
    assert legacy.sql(ORIGINAL_ROWS) == rows


@pytest.mark.parametrize("roll_back", [roll_back_by_psql, roll_back_by_command])
def test_only_remaining_columns_matter(legacy, roll_back):
    """Nor what endpoints hold, even where the webhook_url that made them stays."""
    legacy.sql("ALTER TABLE social_accounts ADD app_secret varchar(255), ADD webhook_url varchar(500)")
    legacy.must_apply()
    assert legacy.sql("SELECT atttypmod - 4 FROM pg_attribute WHERE attrelid = 'social_accounts'::regclass "
                      "AND attname IN ('app_secret', 'verify_token') ORDER BY attname") == "255\n1000"
    legacy.sql("UPDATE social_accounts SET app_secret = 'enc:v1:01234567:AAAA', verify_token = 'enc:v1:01234567:AAAA'")
    done = roll_back(legacy)
    assert done.returncode == 3 and "of app_secret) in columns that stay" in done.stderr
    legacy.sql("UPDATE social_accounts SET app_secret = 'enc: plain', webhook_url = 'https://bot.example/'; "
               "UPDATE webhook_endpoints SET app_secret = 'enc:v1:01234567:AAAA', signing_secret = 'enc:v1:01234567:AAAA'")
    done = roll_back(legacy)
    assert done.returncode == 0, done.stderr
    assert legacy.sql("SELECT DISTINCT webhook_url FROM social_accounts") == "https://bot.example/"
    assert "enc: plain" in legacy.sql("SELECT DISTINCT app_secret FROM social_accounts")


@pytest.mark.parametrize("roll_back", [roll_back_by_psql, roll_back_by_command])
def test_encrypted_values_that_a_rollback_would_restore(legacy, roll_back):
    legacy.must_apply()
    legacy.sql("UPDATE social_accounts SET access_token = 'enc:v1:01234567:AAAA' WHERE platform = 'whatsapp'")
    done = legacy.migrate("backfill", "--from-env", "--overwrite", "--yes", "--output", "json", WHATSAPP_ACCESS_TOKEN="new",
                          WHATSAPP_PHONE_NUMBER_ID="4711")
    run = json.loads(done.stdout)["run"]
    done = roll_back(legacy)
    assert done.returncode == 3
    assert f"backfill --undo {run}" in done.stderr and "secrets decrypt" in done.stderr


def test_a_soft_rollback_keeps_values_encrypted(legacy):
    legacy.must_apply()
    encrypt(legacy.url())
    done = legacy.migrate("rollback", "--soft", "--yes")
    assert done.returncode == 0, done.stderr
    assert legacy.sql("SELECT count(*) FROM social_accounts WHERE access_token LIKE 'enc:v1:%'") != "0"


def test_the_key_s_id_is_printed_and_never_the_key(accounts):
    accounts.must("--from-env", **SETTINGS)
    encrypt(accounts.url)
    done = checked(program.run("secrets", "status", DATABASE_URL=accounts.url, SOCIALSYNC_SECRETS_KEY=f"{OTHER_KEY},{KEY}"))
    assert done.returncode == 0 and f"under key {key_id(KEY)}: 4" in done.stdout
    assert KEY not in done.stdout
