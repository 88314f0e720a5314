"""The built program: SOCIALSYNC_BIN, else the release build."""

import os
import pathlib
import subprocess
import tempfile

from suite import ROOT, SETTINGS

TIMEOUT_S = 60  # for whatever should end by itself; generous, for a sanitizer's build on a busy machine


def binary():
    return pathlib.Path(os.environ.get("SOCIALSYNC_BIN", ROOT / "build/release/socialsync")).resolve()


def environment(settings):
    """The shell's environment without the program's settings, and then these."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    return {**inherited, **{name: str(value) for name, value in settings.items()}}


def run(*arguments, timeout_s=TIMEOUT_S, **settings):
    """Runs the program to its end, away from any .env; gives its CompletedProcess with text."""
    with tempfile.TemporaryDirectory() as folder:
        return subprocess.run(
            [binary(), *arguments], env=environment(settings), cwd=folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout_s, check=False)
