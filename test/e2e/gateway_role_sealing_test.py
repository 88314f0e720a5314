"""The gateway's role, when it encrypts new plaintext secrets."""

import re

import meta
import sealing
from gateway import Gateway
from gateway_role_test import role_url  # noqa: F401 (a fixture)
from suite import ROOT
from tenants import new_secret
from waiting import eventually


def test_encryption_needs_the_privileges_of_the_guide(role_url, database):
    """Without them all else works, and the log names the GRANT once."""
    def seal(columns):
        return Gateway(role_url, SOCIALSYNC_SECRETS_KEY=sealing.new_key(), SOCIALSYNC_SECRETS_SEAL=columns).start("--ingest-only")

    def stored(account, column):
        return database.value(f"SELECT {column} FROM social_accounts WHERE id = %s", account.id)

    account = database.add_account(secret=new_secret(), access_token=new_secret(), verify_token=new_secret())
    with seal("app_secret,access_token") as running:
        [line] = eventually(lambda: [line for line in running.log().splitlines() if "secrets are not encrypted" in line])
        grant = re.search(r"GRANT .* TO gateway_login", line)[0]
        assert grant == ("GRANT SELECT (access_token), UPDATE (app_secret, access_token) ON public.social_accounts "
                         "TO gateway_login")
        assert running.log().count("warning") == 1
    guide = (ROOT / "docs/operations.md").read_text()
    database.rows(re.search(r"GRANT UPDATE \(app_secret, verify_token\).*;", guide)[0])
    with seal("app_secret,verify_token") as running:
        for column in ("app_secret", "verify_token"):
            eventually(lambda column=column: stored(account, column).startswith("enc:v1:"))
        assert stored(account, "access_token").startswith(meta.SECRET)
        assert "warning" not in running.log()
