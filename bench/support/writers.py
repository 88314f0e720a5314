"""Many who use social_accounts all the time (pgbench), and how long each of their transactions took."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from database import WrongAnswer

# Writes the stored values again: the columns' checksum stays, and touch_updated_at() shows that it was written.
UPDATE = r"""\set n random(1, {accounts})
UPDATE social_accounts SET username = 'user' || :n
WHERE id = ('bbbbbbbb-0000-4000-8000-' || lpad(:n::text, 12, '0'))::uuid;
"""
READ = r"""\set n random(1, {accounts})
SELECT a.username, u.email FROM social_accounts AS a JOIN users AS u ON u.id = a.user_id
WHERE a.id = ('bbbbbbbb-0000-4000-8000-' || lpad(:n::text, 12, '0'))::uuid;
"""
INSERT = r"""WITH u AS (INSERT INTO users (email) VALUES (gen_random_uuid() || '@example.net') RETURNING id)
INSERT INTO social_accounts (platform, account_id, username, display_name, user_id)
SELECT 'facebook', 'new ' || id, 'new', 'New', id FROM u;
"""


@dataclass(frozen=True)
class Transaction:
    """From when it was due, which is when its writer may still have waited with the one before, to its commit."""

    due_s: float
    end_s: float

    @property
    def latency_ms(self):
        return (self.end_s - self.due_s) * 1000


class Writers:
    """`count` connections that commit `per_second` transactions together, for `seconds`: each of one of the `scripts`,
    which are (text, share)."""

    def __init__(self, cluster, database, folder, accounts, count, per_second, seconds, scripts=((UPDATE, 1),)):
        files = []
        for number, (text, share) in enumerate(scripts):
            script = Path(folder) / f"{number}.sql"
            script.write_text(text.format(accounts=accounts))
            files.append(f"--file={script}@{share}")
        self._logs = Path(folder) / f"transactions-{database}"
        self._command = [
            cluster.tool("pgbench"), "--no-vacuum", f"--client={count}", "--jobs=2", f"--rate={per_second}",
            f"--time={seconds}", "--progress=1", *files, "--log", f"--log-prefix={self._logs}"]
        self._environment = cluster.environment(database)

    def __enter__(self):
        """Returns when all are connected and the first second is over."""
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        said = ""
        for line in self._process.stderr:
            if line.startswith("progress: "):
                return self
            said += line
        raise WrongAnswer(f"pgbench ended with {self._process.wait()}:\n{said}")

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()

    def finish(self):
        """Waits for their end. Gives their transactions, and how many failed."""
        said = self._process.stderr.read()
        self._process.wait()
        failed = len(re.findall(r"ERROR:|FATAL:|connection .* lost", said))
        lines = [line.split() for log in self._logs.parent.glob(self._logs.name + ".*") for line in log.open()]
        done = [_transaction(line) for line in lines if line[2].isdigit()]
        return done, failed + len(lines) - len(done)


def _transaction(line):
    """client, number, µs since it was due, script, end as s and µs: pgbench's log."""
    end_s = int(line[4]) + int(line[5]) / 1e6
    return Transaction(end_s - int(line[2]) / 1e6, end_s)
