#!/usr/bin/python3
"""The cost of the migration where social_accounts has ten million rows: each command's time and its largest memory.

A figure counts only when the schema exists afterwards, every line of the file has been written, and after the
rollback the old columns and the schema are what they were.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

import report  # noqa: E402
import size_report  # noqa: E402
from database import ROOT, WrongAnswer  # noqa: E402
from migrate import CHECKSUM, MIGRATED, say  # noqa: E402

from cluster import Cluster, PsqlError  # noqa: E402
from program import environment  # noqa: E402

DATABASE = "large"
PLATFORMS = 10  # accounts of each user: one on each
LOOK_INTERVAL_S = 0.01
SHOWN_OF_OUTPUT = 2000  # characters

# In the order of their ids, as those of UUIDv7 are. Foreign keys are not checked: they are right.
FILL = """
    TRUNCATE users, social_accounts;
    SET session_replication_role = replica;
    INSERT INTO users (id, email, full_name)
    SELECT ('aaaaaaaa-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'user' || n || '@example.com', 'User ' || n
    FROM generate_series(1, {rows} / {platforms} + 1) AS n;

    INSERT INTO social_accounts (id, user_id, platform, account_id, username, display_name, access_token)
    SELECT ('bbbbbbbb-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
           ('aaaaaaaa-0000-4000-8000-' || lpad((1 + n / {platforms})::text, 12, '0'))::uuid,
           (enum_range(NULL::social_platform))[1 + n % {platforms}], 'account' || n, 'user' || n, 'User ' || n, md5(n::text)
    FROM generate_series(1, {rows}) AS n;
    RESET session_replication_role;
    VACUUM ANALYZE;
"""
# Every account that must have an id to be routed by gets one, so that all CHECKs are made.
WRITE_CSV = """
    COPY (SELECT id, n AS phone_number_id, n AS page_id, 'Business ' || n AS business_name
          FROM (SELECT id, row_number() OVER (ORDER BY id) AS n, platform FROM social_accounts) AS a
          ORDER BY platform IN ('whatsapp', 'instagram') DESC, id LIMIT {lines}) TO STDOUT (FORMAT csv, HEADER)
"""
WRITTEN = "SELECT count(*) FROM social_accounts WHERE business_name LIKE 'Business %'"


@dataclass
class Run:
    """A command that has ended."""

    seconds: float
    peak_mb: float
    said: str


def largest_memory(pid):
    """The peak memory of a process so far, in bytes: proc(5), VmHWM. 0: the process has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


def run(cluster, *arguments, exits=(0,)):
    """`socialsync migrate …`; a run's memory is looked at until its end, and only grows."""
    say("migrate " + " ".join(arguments))
    url = f"postgresql:///{DATABASE}?host={cluster.host}&port={cluster.port}&user={cluster.user}"
    with tempfile.TemporaryFile("w+") as output:
        began_s = time.monotonic()
        process = subprocess.Popen(
            [ROOT / "build/release/socialsync", "migrate", *arguments], env=environment({"DATABASE_URL": url}),
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd="/")
        peak = 0
        while process.poll() is None:
            peak = max(peak, largest_memory(process.pid))
            time.sleep(LOOK_INTERVAL_S)
        seconds = time.monotonic() - began_s
        output.seek(0)
        said = output.read()
    if process.returncode not in exits:
        raise WrongAnswer(f"{arguments[0]} exited {process.returncode}:\n{said[-SHOWN_OF_OUTPUT:]}")
    return Run(round(seconds, 2), round(peak / 1e6, 1), said)


def write_csv(cluster, lines, file):
    say(f"a file of {lines:,} lines")
    subprocess.run([cluster.tool("psql"), "-X", "-d", cluster.dsn(DATABASE), "-c", WRITE_CSV.format(lines=lines)],
                   stdout=file, check=True)


def measure(cluster, options):
    """Each command with its run, in the order of a migration and back."""
    before, checksum = cluster.dump_schema(DATABASE), cluster.psql(DATABASE, CHECKSUM)
    yield "plan", run(cluster, "plan")
    yield "doctor", run(cluster, "doctor", exits=(0, 3))
    yield "apply", run(cluster, "apply", "--yes", "--no-backup", exits=(9,))
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        write_csv(cluster, options.lines, file)
        yield "backfill", run(cluster, "backfill", "--csv", file.name, "--yes")
    if int(cluster.psql(DATABASE, WRITTEN)) != options.lines:
        raise WrongAnswer("backfill has not written what the file says")
    yield "apply, CHECKs", run(cluster, "apply", "--yes", "--no-backup", exits=(0,))
    if cluster.psql(DATABASE, MIGRATED) != "t":
        raise WrongAnswer("the schema is not there")
    yield "plan, all done", run(cluster, "plan")
    yield "rollback", run(cluster, "rollback", "--yes", "--no-export")
    left = set(cluster.dump_schema(DATABASE).splitlines()) ^ set(before.splitlines())
    if any("website" not in line and "whatsapp_business" not in line for line in left):
        raise WrongAnswer("after the rollback the schema is another:\n" + "\n".join(left))
    if cluster.psql(DATABASE, CHECKSUM) != checksum:
        raise WrongAnswer("the old columns do not hold what they held")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/bench migrate_size", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--lines", type=int, help="of the file for backfill; a quarter of the rows unless given")
    parser.add_argument("--postgresql", type=int, metavar="N", help="version of the server; Debian's unless given")
    parser.add_argument("--json", action="store_true", help="figures for a program")
    options = parser.parse_args()
    options.lines = options.lines or options.rows // 4
    if options.lines < options.rows // PLATFORMS * 2 + 2:
        parser.error("--lines: at least a fifth of the rows must have an id to be routed by")
    return options


def main():
    options = parse_arguments()
    try:
        with Cluster(durable=True, version=options.postgresql) as cluster:
            say(f"{options.rows:,} accounts")
            cluster.create_database(DATABASE)
            cluster.psql(DATABASE, file=ROOT / "test/sql/legacy.sql")
            cluster.psql(DATABASE, FILL.format(rows=options.rows, platforms=PLATFORMS))
            runs = dict(measure(cluster, options))
            version = cluster.psql("postgres", "SHOW server_version").split()[0]
    except (WrongAnswer, PsqlError) as error:
        sys.exit(f"migrate_size: {error}")
    figures = size_report.figures(runs, options) | {
        "postgresql": version, "machine": report.machine(), "commit": report.commit()}
    print(json.dumps(figures, indent=1) if options.json else size_report.table(figures))


if __name__ == "__main__":
    main()
