"""Databases for the tests of `socialsync migrate backfill`: migrated, their new columns empty."""

import itertools
import json
import subprocess
import tempfile

import pytest

import program
from schema import ALINE, make_database
from tenants import Database

TEMPLATE = "backfill_legacy"
SECRETS = APP_SECRET, VERIFY, TOKEN, OLD_TOKEN = "s3cret-of-app", "s3cret-to-verify", "s3cret-token", "s3cret-old"
COLUMNS = ("phone_number_id, page_id, app_secret, verify_token, webhook_url, business_name, display_phone_number, "
           "webhook_events, webhook_status, webhook_metadata, access_token")


@pytest.fixture(scope="module")
def template(cluster):
    made = make_database(cluster, TEMPLATE)
    made.must_update()
    made.sql("ALTER TABLE social_accounts DROP CONSTRAINT social_accounts_user_id_platform_key")
    yield TEMPLATE
    cluster.drop_database(TEMPLATE)


class Accounts:
    """A migrated database of its own, and the program on it."""

    def __init__(self, cluster, name):
        self.url = cluster.url(name)
        self.name = name
        self.database = Database(cluster.dsn(name))
        self.rows, self.value = self.database.rows, self.database.value

    def run(self, *arguments, **settings):
        return checked(program.run("migrate", "backfill", *arguments, DATABASE_URL=self.url, **settings))

    def must(self, *arguments, exit_code=0, **settings):
        """Its report."""
        done = self.run(*arguments, "--yes", "--output", "json", **settings)
        assert done.returncode == exit_code, done.stdout + done.stderr
        return json.loads(done.stdout)

    def csv(self, text, *arguments, exit_code=0):
        with tempfile.NamedTemporaryFile(suffix=".csv") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
            file.flush()
            return self.must("--csv", file.name, *arguments, exit_code=exit_code)

    def id(self, account_id):
        return self.value("SELECT id FROM social_accounts WHERE account_id = %s", account_id)

    def account(self, account_id):
        return self.rows(f"SELECT {COLUMNS} FROM social_accounts WHERE account_id = %s", account_id)[0]

    def add(self, account_id, platform="whatsapp", **columns):
        names, values = ", ".join(["", *columns]), ", ".join(["", *["%s"] * len(columns)])
        return self.value(f"INSERT INTO social_accounts (platform, account_id, username, user_id{names}) "
                          f"VALUES (%s, %s, 'x', %s{values}) RETURNING id", platform, account_id, ALINE, *columns.values())

    def add_many(self, count):
        self.rows("INSERT INTO social_accounts (platform, account_id, username, display_name, user_id) "
                  "SELECT 'x', 'many_' || n, 'many', 'Shop ' || n, %s FROM generate_series(1, %s) AS n", ALINE, count)

    def slow_down(self):
        """Each changed row takes a millisecond."""
        self.rows("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                  "$$ BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END $$")
        self.rows("CREATE TRIGGER slow BEFORE UPDATE ON social_accounts FOR EACH ROW EXECUTE FUNCTION slow()")

    def start(self, *arguments):
        return subprocess.Popen([program.binary(), "migrate", "backfill", *arguments, "--yes", "--output", "json"],
                                env=program.environment({"DATABASE_URL": self.url}), cwd="/tmp", stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def versions(self):
        return self.rows("SELECT id, xmin::text, ctid::text FROM social_accounts ORDER BY id")


def checked(done):
    """No secret is ever printed."""
    for secret in SECRETS:
        assert secret not in done.stdout + done.stderr
    return done


numbers = itertools.count()


@pytest.fixture
def accounts(cluster, template):
    name = f"backfill{next(numbers)}"
    cluster.create_database(name, template=template)
    opened = Accounts(cluster, name)
    yield opened
    opened.database.close()
    cluster.drop_database(name)
