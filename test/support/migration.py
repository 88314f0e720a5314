"""Legacy databases, and `socialsync migrate` on them."""

import itertools
import json
import subprocess

import program
from schema import Database, UPDATES, template

GIVE_IDS = """
    UPDATE social_accounts SET phone_number_id = 'phone ' || id WHERE platform::text LIKE 'whatsapp%';
    UPDATE social_accounts SET page_id = 'page ' || id WHERE platform = 'instagram'"""
ORIGINAL_ROWS = """
    SELECT md5(string_agg(concat_ws('|', id, platform, account_id, username, display_name, access_token, refresh_token,
                                    is_active, user_id, created_at), ',' ORDER BY id)) FROM social_accounts"""
BUSY = """
    INSERT INTO users (email) SELECT 'user' || n || '@example.org' FROM generate_series(1, 2000) AS n;
    INSERT INTO social_accounts (platform, account_id, username, user_id)
    SELECT 'youtube', 'account ' || id, 'name', id FROM users WHERE email LIKE 'user%'"""
numbers = itertools.count()


class LegacyDatabase(Database):
    """A database of its own, as it is found: with the commands that a person would run on it."""

    def url(self, user=None):
        return f"postgresql:///{self.name}?host={self.cluster.host}&port={self.cluster.port}&user={user or self.cluster.user}"

    def migrate(self, *arguments, user=None, **settings):
        """`socialsync migrate …`, to its end: gives the CompletedProcess."""
        return program.run("migrate", *arguments, DATABASE_URL=self.url(user), **settings)

    def apply(self, *arguments, **settings):
        return self.migrate("apply", "--yes", "--no-backup", *arguments, **settings)

    def must_apply(self, *arguments):
        done = self.apply(*arguments)
        assert done.returncode in (0, 9), done.stdout + done.stderr
        return done.stdout

    def start(self, *arguments):
        """The same, beside the test: gives the Popen."""
        return subprocess.Popen(
            [program.binary(), "migrate", *arguments], env=program.environment({"DATABASE_URL": self.url()}),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def steps(self):
        """id → state, as plan tells them."""
        plan = json.loads(self.migrate("plan", "--output", "json").stdout)
        return {step["id"]: step["state"] for step in plan["steps"]}


def make_legacy(cluster):
    name = f"legacy{next(numbers)}"
    cluster.create_database(name, template=template(cluster, "legacy"))
    return LegacyDatabase(cluster, name)


def dump_of_psql_update(cluster, with_ids):
    """The result of the file for psql on the same database."""
    other = make_legacy(cluster)
    cluster.psql(other.name, file=UPDATES)
    if with_ids:
        other.sql(GIVE_IDS)
        cluster.psql(other.name, file=UPDATES)
    return other.dump()


def changed_lines(before, after):
    before, after = before.splitlines(), after.splitlines()
    return sorted(set(before) ^ set(after))
