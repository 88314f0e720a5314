"""The two SQL files and the databases they are tried on."""

import functools
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
UPDATES = ROOT / "sql" / "schema_updates_webhooks.sql"
ROLLBACK = ROOT / "sql" / "schema_rollback_webhooks.sql"
STEPS = 41
FIXTURES = ROOT / "test" / "sql"

ALINE = "00000000-0000-4000-8000-00000000000a"
BRUNO = "00000000-0000-4000-8000-00000000000b"


def updates_up_to(step):
    """The update as it is when it ends after that many of its steps."""
    text = UPDATES.read_text()
    last = "ORDER BY place\n\\gexec"  # the first of them works through the list
    return text[:text.index(last)] + f"AND place <= {step} " + last + "\n"


class Database:
    """One database of a cluster, and who runs files in it (the superuser unless said otherwise)."""

    def __init__(self, cluster, name, user=None):
        self.cluster, self.name, self.user = cluster, name, user

    def sql(self, text):
        """Runs it as the superuser and gives the output; raises PsqlError when it fails."""
        return self.cluster.psql(self.name, text)

    def update(self, *args, user=None):
        """psql -f schema_updates_webhooks.sql and nothing else: gives the CompletedProcess."""
        return self.cluster.run_psql(self.name, file=UPDATES, user=user or self.user, args=args)

    def must_update(self):
        done = self.update()
        assert done.returncode == 0, done.stderr
        return done.stdout

    def roll_back(self):
        return self.cluster.run_psql(self.name, file=ROLLBACK, user=self.user)

    def must_roll_back(self):
        done = self.roll_back()
        assert done.returncode == 0, done.stderr
        return done.stdout

    def dump(self):
        return self.cluster.dump_schema(self.name)


@functools.cache
def template(cluster, shape):
    """The name of a database of that shape, legacy or updated, that others are copied from."""
    name = f"{shape}_template"
    cluster.create_database(name, template=template(cluster, "legacy") if shape == "updated" else None)
    cluster.psql(name, file=UPDATES if shape == "updated" else FIXTURES / "legacy.sql")
    return name


def make_database(cluster, name, shape="legacy"):
    """A new database: empty, legacy, updated (from legacy), or supabase (on a cluster of its own, since it makes roles)."""
    cluster.create_database(name, template=template(cluster, shape) if shape in ("legacy", "updated") else None)
    if shape == "supabase":
        cluster.psql(name, file=FIXTURES / "supabase.sql")
    return Database(cluster, name, user="project_owner" if shape == "supabase" else None)
