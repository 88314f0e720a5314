"""Records a migration on a terminal of its own, as a person would do it: on a legacy database with 20,000 accounts.

Colours are left out. A progress line, which a terminal overwrites, is kept when it says something new.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test/support"))

from cluster import Cluster  # noqa: E402

COLUMNS = 110
PROGRESS_LINES_MAX = 4
ROWS = """
    INSERT INTO users (email) SELECT 'user' || n || '@example.org' FROM generate_series(1, 20000) AS n;
    INSERT INTO social_accounts (platform, account_id, username, user_id)
    SELECT 'youtube', 'channel ' || n, 'channel ' || n, id FROM (SELECT id, row_number() OVER () AS n FROM users) AS u
    WHERE NOT EXISTS (SELECT FROM social_accounts AS a WHERE a.user_id = u.id);
    ANALYZE"""
SETTINGS = {"META_APP_SECRET": "an app secret", "WHATSAPP_PHONE_NUMBER_ID": "683178638221369",
            "WHATSAPP_ACCESS_TOKEN": "a token", "WHATSAPP_VERIFY_TOKEN": "a verify token",
            "INSTAGRAM_PAGE_ID": "17841400000000000", "INSTAGRAM_VERIFY_TOKEN": "a verify token"}


class Recorder:
    def __init__(self, cluster, folder):
        self._cluster = cluster
        self._folder = folder
        self.text = ""

    def note(self, comment):
        self.text += f"\n# {comment}\n"

    def run(self, command):
        """Runs the command on a terminal, and appends it with its output to the text."""
        shown = readable(self._shown_by(command)).replace(f"{self._folder}/", "")
        self.text += f"$ {command}\n" + shown.rstrip("\n") + "\n"

    def _shown_by(self, command):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self._folder)
            os.execve("/bin/sh", ["sh", "-c", command], self._environment())
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
        os.close(terminal)
        os.waitpid(pid, 0)
        return shown.decode()

    def _environment(self):
        url = f"postgresql:///prod?host={self._cluster.host}&port={self._cluster.port}&user={self._cluster.user}"
        return {"PATH": f"{ROOT / 'build/release'}:{os.environ['PATH']}", "DATABASE_URL": url, "LANG": "C.UTF-8",
                "TERM": "xterm", **SETTINGS}


def readable(shown):
    """The output without colours. An overwritten line becomes a line of its own if it says something new."""
    shown = re.sub(r"\x1b\[\d+m", "", shown).replace("\r\n", "\n")
    lines = []
    for line in shown.split("\n"):
        *progress, last = line.split("\r\x1b[K")
        told = {}
        for one in progress:
            if " · " in one or "%" in one:  # more than the name of the step that begins
                told.setdefault(re.sub(r"[\d,.█░%]+", "#", one), one)
        lines += [f"  ~ {one}" for one in list(told.values())[:PROGRESS_LINES_MAX]] + [last]
    return "\n".join(lines)


def hold_lock(cluster, seconds):
    """A report that reads social_accounts and does not end its transaction."""
    sql = f"BEGIN; SELECT count(*) FROM social_accounts; SELECT pg_sleep({seconds}); COMMIT"
    environment = {**cluster.environment("prod"), "PGAPPNAME": "nightly report"}
    holder = threading.Thread(target=subprocess.run, args=(["psql", "-X", "-q", "-c", sql],),
                              kwargs={"env": environment, "stdout": subprocess.DEVNULL})
    holder.start()
    return holder


def record(recorder, cluster):
    recorder.note("Find problems first.")
    recorder.run("socialsync migrate doctor")
    recorder.note("Make a backup, restore it and compare.")
    recorder.run("socialsync migrate backup")
    recorder.note("Show the steps. Nothing is changed yet.")
    recorder.run("socialsync migrate plan")
    recorder.note("Apply the steps. A nightly report locks social_accounts for three seconds; lines with ~ are the progress line.")
    holder = hold_lock(cluster, 3)
    recorder.run("socialsync migrate apply --yes")
    holder.join()
    recorder.note("The single-tenant settings (WHATSAPP_PHONE_NUMBER_ID and so on) become the first tenants' rows.")
    recorder.run("socialsync migrate backfill --from-env --yes")
    recorder.note("The steps that waited for these rows.")
    recorder.run("socialsync migrate apply --yes")
    recorder.note("The checklist.")
    recorder.run("socialsync migrate verify --backup backups/*")
    recorder.run("socialsync migrate route-test --phone-number-id 683178638221369")
    recorder.run("socialsync migrate status")
    recorder.note("Roll back to the former schema.")
    recorder.run("socialsync migrate rollback --yes --rebuild-enum")


def main():
    with Cluster() as cluster, tempfile.TemporaryDirectory() as folder:
        cluster.create_database("prod")
        cluster.psql("prod", file=ROOT / "test/sql/legacy.sql")
        cluster.psql("prod", ROWS)
        recorder = Recorder(cluster, folder)
        before = cluster.dump_schema("prod")
        record(recorder, cluster)
        same = cluster.dump_schema("prod") == before
        recorder.note(f"pg_dump --schema-only before and now: {'the same' if same else 'NOT THE SAME'}.")
    if not same:
        sys.exit("the schema is not what it was")
    Path(sys.argv[1]).write_text(recorder.text.lstrip("\n"), encoding="utf8")


if __name__ == "__main__":
    main()
