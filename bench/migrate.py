#!/usr/bin/python3
"""How long writers wait while a live database is migrated: by us, by one transaction, and by our rollback.

300,000 accounts, 200 writers, and reports that hold their locks: for six seconds when the migration begins, then
again and again. Two more runs of ours have others at work: while backfill fills the accounts, 200 readers and 50 who
insert some; while the schema is updated, an autovacuum that works as slowly as it can. A figure counts only when the
schema exists afterwards and the old columns hold what they held.
"""

import argparse
import contextlib
import json
import shlex
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

import migration_report  # noqa: E402
import psycopg2  # noqa: E402
from database import ROOT, WrongAnswer  # noqa: E402
from migration_report import Run  # noqa: E402
from writers import INSERT, READ, UPDATE, Writers  # noqa: E402

from cluster import Cluster, PsqlError  # noqa: E402

APPLY = f"{ROOT}/build/release/socialsync migrate apply --yes --no-backup"
ROLLBACK = f"{ROOT}/build/release/socialsync migrate rollback --yes --no-export"
BACKFILL = f"{ROOT}/build/release/socialsync migrate backfill --set platform=facebook,business_name=Filled --yes"
NAIVE = f"psql -X -v ON_ERROR_STOP=1 -f {ROOT}/bench/naive_migration.sql"

TEMPLATE = "bench_legacy"
REPORT_S = 6
SHORT_REPORT_S = 0.7
BETWEEN_REPORTS_S = 0.15
REPORT_LEAD_S = 0.5  # the first report has its lock that long before the migration begins
TAIL_S = 2  # writers go on that long after the migration

FILL = """
    TRUNCATE users, social_accounts;
    INSERT INTO users (id, email, full_name)
    SELECT ('aaaaaaaa-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user' || n || '@example.com', 'User ' || n
    FROM generate_series(1, {accounts}) AS n;

    INSERT INTO social_accounts (id, user_id, platform, account_id, username, display_name, access_token)
    SELECT ('bbbbbbbb-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
           ('aaaaaaaa-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
           (ARRAY['facebook', 'twitter', 'linkedin', 'youtube'])[1 + n % 4]::social_platform,
           'account' || n, 'user' || n, 'User ' || n, md5(n::text)
    FROM generate_series(1, {accounts}) AS n;

    VACUUM ANALYZE;
"""

# A quarter of the accounts is to fill. Accounts added during the run are left to the next one.
UNFILLED = "SELECT count(*) FROM social_accounts WHERE platform = 'facebook' AND business_name IS NULL AND username <> 'new'"
MORE_FOR_BACKFILL_S = 20
READERS, INSERTERS = 200, 50
MIXED = ((READ, READERS), (INSERT, INSERTERS))

# Autovacuum begins again a second after it was evicted.
THROTTLED_AUTOVACUUM = """
    ALTER TABLE social_accounts SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1,
                                     autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 0);
    UPDATE social_accounts SET username = username;
"""
VACUUMED = "SELECT count(*) FROM pg_stat_progress_vacuum WHERE relid = 'social_accounts'::regclass"
VACUUM_START_S = 90
MORE_FOR_EVICTIONS_S = 40  # each takes deadlock_timeout, a second

# All old columns but updated_at, which shows that there were writers.
CHECKSUM = """
    SELECT count(*), sum(hashtextextended(ROW(id, platform, account_id, username, display_name, profile_url,
                                              access_token, refresh_token, token_expires_at, is_active, user_id,
                                              created_at)::text, 0)::numeric)
    FROM social_accounts WHERE username <> 'new'
"""
WRITTEN = "SELECT count(*) FROM social_accounts WHERE updated_at <> created_at OR username = 'new'"
MIGRATED = """
    SELECT (SELECT count(*) FROM pg_attribute WHERE attrelid = 'social_accounts'::regclass AND NOT attisdropped
            AND attname IN ('phone_number_id', 'page_id', 'webhook_status', 'webhook_metadata')) = 4
       AND (SELECT count(*) FROM pg_index WHERE indrelid = 'social_accounts'::regclass AND indisvalid) = 5
       AND (SELECT count(*) FROM pg_constraint WHERE conrelid = 'social_accounts'::regclass AND contype = 'c'
            AND convalidated) = 3
       AND to_regclass('webhook_logs') IS NOT NULL
       AND (SELECT relrowsecurity FROM pg_class WHERE oid = 'social_accounts'::regclass)
"""


@contextlib.contextmanager
def server(options):
    """As PostgreSQL comes, but for the connections, and how often autovacuum looks for work."""
    with Cluster(durable=True, version=options.postgresql, settings={"max_connections": "300", "autovacuum_naptime": "1s"}) as cluster:
        cluster.create_database(TEMPLATE)
        cluster.psql(TEMPLATE, file=ROOT / "test/sql/legacy.sql")
        cluster.psql(TEMPLATE, FILL.format(accounts=options.accounts))
        yield cluster


@contextlib.contextmanager
def copy_of(cluster, template, name):
    cluster.create_database(name, template=template)
    cluster.psql(name, "CHECKPOINT")
    yield name
    cluster.drop_database(name)


class Reports(threading.Thread):
    """Transactions that have read both tables and take their time: one of six seconds, begun when this is made, then
    short ones until `finish()`, so that every step meets some."""

    def __init__(self, dsn):
        super().__init__()
        self._connection = psycopg2.connect(dsn)
        self._end = threading.Event()
        self._read()
        self.start()

    def run(self):
        self._end.wait(REPORT_S)
        while not self._end.is_set():
            self._connection.rollback()
            self._end.wait(BETWEEN_REPORTS_S)
            self._read()
            self._end.wait(SHORT_REPORT_S)
        self._connection.close()

    def finish(self):
        self._end.set()
        self.join()

    def _read(self):
        self._connection.cursor().execute("SELECT FROM social_accounts, users LIMIT 1")


@dataclass
class Migration:
    """A command that has ended: when it began and ended, and when it said what."""

    began_s: float
    ended_s: float
    said: list


def migrate(cluster, database, command):
    began_s = time.time()
    url = f"postgresql:///{database}?host={cluster.host}&port={cluster.port}&user={cluster.user}"
    environment = cluster.environment(database) | {"DATABASE_URL": url}
    del environment["SOCIALSYNC_TEST_DSN"]  # our program knows all settings of that name
    process = subprocess.Popen(
        shlex.split(command), env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
    said = [(time.time(), line.rstrip()) for line in process.stdout]
    if process.wait() != 0:
        raise WrongAnswer(f"{command} exited {process.returncode}:\n" + "\n".join(line for _, line in said))
    return Migration(began_s, time.time(), said)


@contextlib.contextmanager
def reporting(cluster, database):
    reports = Reports(cluster.dsn(database))
    time.sleep(REPORT_LEAD_S)
    try:
        yield
    finally:
        reports.finish()


def measure(cluster, database, name, command, options, scripts=((UPDATE, 1),), reports=True, more_s=0):
    """The writers before and during the command; checks that old columns are as they were."""
    say(name)
    checksum = cluster.psql(database, CHECKSUM)
    seconds = options.baseline + options.seconds + more_s
    count = sum(share for _, share in scripts) if len(scripts) > 1 else options.writers
    with tempfile.TemporaryDirectory() as folder:
        with Writers(cluster, database, folder, options.accounts, count, options.rate, seconds, scripts) as writers:
            writing_since_s = time.time()
            time.sleep(options.baseline)
            with reporting(cluster, database) if reports else contextlib.nullcontext():
                done = migrate(cluster, database, command)
            transactions, failed = writers.finish()
    if max(one.end_s for one in transactions) < done.ended_s + TAIL_S:
        raise WrongAnswer(f"{name} outlasted the writers: give more --seconds")
    if cluster.psql(database, CHECKSUM) != checksum or cluster.psql(database, WRITTEN) == "0":
        raise WrongAnswer(f"{name}: the old columns do not hold what they held, or nobody wrote")
    return Run.of(transactions, failed, writing_since_s, done)


def measure_ours(cluster, options):
    """The update, and its rollback."""
    with copy_of(cluster, TEMPLATE, "ours") as database:
        before = cluster.dump_schema(database)
        yield "ours", measure(cluster, database, "ours", options.apply, options)
        check_migrated(cluster, database)
        yield "backfill", measure_backfill(cluster, database, options)
        yield "rollback", measure(cluster, database, "rollback", options.rollback, options)
        left = set(cluster.dump_schema(database).splitlines()) ^ set(before.splitlines())
        if any("website" not in line and "whatsapp_business" not in line for line in left):
            raise WrongAnswer("after the rollback the schema is another:\n" + "\n".join(left))


def measure_backfill(cluster, database, options):
    run = measure(cluster, database, "backfill", BACKFILL, options, scripts=MIXED, more_s=MORE_FOR_BACKFILL_S)
    if cluster.psql(database, UNFILLED) != "0":
        raise WrongAnswer("backfill has left accounts that were there before it")
    return run


def measure_vacuumed(cluster, options):
    """While autovacuum works, without writers."""
    with copy_of(cluster, TEMPLATE, "vacuumed") as database:
        cluster.psql(database, THROTTLED_AUTOVACUUM)
        give_up_s = time.monotonic() + VACUUM_START_S
        while cluster.psql(database, VACUUMED) == "0":
            if time.monotonic() > give_up_s:
                raise WrongAnswer("there is no autovacuum")
            time.sleep(1)
        yield "vacuumed", measure(cluster, database, "vacuumed", options.apply, options, reports=False,
                                  more_s=MORE_FOR_EVICTIONS_S)
        check_migrated(cluster, database)
        evicted = cluster.log_file.read_text().count('automatic vacuum of table "vacuumed.public.social_accounts"')
        say(f"autovacuum was evicted {evicted} times")
        if evicted == 0:
            raise WrongAnswer("autovacuum was not in the way")


def measure_naive(cluster, options):
    with copy_of(cluster, TEMPLATE, "naive") as database:
        yield "one transaction", measure(cluster, database, "one transaction", NAIVE, options)
        check_migrated(cluster, database)


def check_migrated(cluster, database):
    if cluster.psql(database, MIGRATED) != "t":
        raise WrongAnswer(f"{database}: the schema is not there")


def say(what):
    print(what, file=sys.stderr, flush=True)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench migrate", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--accounts", type=int, default=300_000)
    parser.add_argument("--writers", type=int, default=200)
    parser.add_argument("--rate", type=int, default=600, help="updates a second, of all of them")
    parser.add_argument("--baseline", type=int, default=5, help="seconds of writing before each migration")
    parser.add_argument("--seconds", type=int, default=25, help="for each migration, and some after it")
    parser.add_argument("--apply", default=APPLY, metavar="COMMAND", help="ours; DATABASE_URL and PG… name the database")
    parser.add_argument("--rollback", default=ROLLBACK, metavar="COMMAND", help="what undoes it")
    parser.add_argument("--postgresql", type=int, metavar="N", help="version of the server; Debian's unless given")
    parser.add_argument("--json", action="store_true", help="figures for a program")
    return parser.parse_args()


def main():
    options = parse_arguments()
    try:
        with server(options) as cluster:
            runs = dict([*measure_ours(cluster, options), *measure_vacuumed(cluster, options),
                         *measure_naive(cluster, options)])
            version = cluster.psql("postgres", "SHOW server_version").split()[0]
    except (WrongAnswer, PsqlError) as error:
        sys.exit(f"migrate: {error}")
    result = migration_report.result(runs, version, options)
    print(json.dumps(result, indent=1) if options.json else migration_report.table(result))


if __name__ == "__main__":
    main()
