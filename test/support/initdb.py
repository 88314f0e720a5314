"""New data directories of PostgreSQL: initdb runs once for each server, and each cluster gets a copy of what it made.

A copy costs a tenth of initdb's time. The copied directories stay under build/clusters; deleting them is harmless.
"""

import os
import pathlib
import secrets
import shutil
import subprocess
import tempfile

from servers import unprivileged

TEMPLATES = pathlib.Path(__file__).resolve().parents[2] / "build/clusters"
SUPERUSER = "postgres"
OPTIONS = ["--username", SUPERUSER, "--encoding", "UTF8", "--locale", "C.UTF-8",
           "--auth-local", "trust", "--auth-host", "scram-sha-256", "--no-sync"]


def copy_to(data_dir, bin_dir):
    """Makes that data directory, for the server of these programs. Returns the superuser's password."""
    template = _template(bin_dir)
    subprocess.run(["cp", "-a", template / "data", data_dir], check=True)
    return (template / "password").read_text()


def _template(bin_dir):
    version = subprocess.run([bin_dir / "postgres", "--version"], capture_output=True, text=True, cwd="/", check=True,
                             **unprivileged()).stdout
    name = "".join(letter if letter.isalnum() else "_" for letter in version.strip())
    template = TEMPLATES / f"{name}-user{os.geteuid()}"
    if not template.exists():
        _make(template, bin_dir)
    return template


def _make(template, bin_dir):
    """Several may do so at once: the first that ends is used."""
    TEMPLATES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="socialsync-initdb-") as folder:
        made = pathlib.Path(folder)
        if os.geteuid() == 0:
            shutil.chown(made, **{key: value for key, value in unprivileged().items() if key in ("user", "group")})
        (made / "password").write_text(secrets.token_urlsafe(12))
        (made / "password").chmod(0o644)
        done = subprocess.run([bin_dir / "initdb", "--pgdata", made / "data", "--pwfile", made / "password", *OPTIONS],
                              capture_output=True, text=True, cwd=made, check=False, **unprivileged())
        if done.returncode != 0:
            raise RuntimeError(f"initdb exited {done.returncode}:\n{done.stderr}")
        beside = pathlib.Path(tempfile.mkdtemp(prefix="unfinished-", dir=TEMPLATES))
        subprocess.run(["cp", "-a", made / "data", made / "password", beside], check=True)
    try:
        beside.rename(template)
    except OSError:  # another process has made it
        shutil.rmtree(beside)
