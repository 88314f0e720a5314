"""Runs the stages of script/test: each is one command, told in one line, its output shown when it fails."""

import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Settings of the program that a developer's shell may hold, and that no test may see.
SETTINGS = ("DATABASE_URL", "DB_", "META_", "WHATSAPP_", "INSTAGRAM_", "SOCIALSYNC_", "PG")
_KEPT = {"SOCIALSYNC_FIXTURES", "SOCIALSYNC_PG_BIN"}


@dataclass
class Counts:
    passed: int
    failed: int


def count_doctest(output, _status):
    cases = re.search(r"test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed", output)
    return Counts(int(cases[1]), int(cases[2])) if cases else Counts(0, 0)


def count_pytest(output, _status):
    summary = output.strip().rpartition("\n")[2]
    numbers = {word: int(number) for number, word in re.findall(r"(\d+) (passed|failed|error)", summary)}
    return Counts(numbers.get("passed", 0), numbers.get("failed", 0) + numbers.get("error", 0))


def count_tap(output, _status):
    return Counts(len(re.findall(r"^ok\b", output, re.M)), len(re.findall(r"^not ok\b", output, re.M)))


def count_rules(output, _status):
    rules = re.search(r"^(\d+) passed, (\d+) failed$", output, re.M)
    return Counts(int(rules[1]), int(rules[2])) if rules else Counts(0, 0)


def count_command(_output, status):
    """The command is one test."""
    return Counts(int(status == 0), int(status != 0))


def count_failure(_output, status):
    """The command is no test, such as a build, but its failure is one."""
    return Counts(0, int(status != 0))


@dataclass
class Stage:
    name: str
    command: list
    count: object = count_command  # output and exit status to Counts
    environment: dict = field(default_factory=dict)


class Suite:
    def __init__(self):
        self.total = Counts(0, 0)
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def run(self, stage):
        """Whether all of it passed."""
        began = time.monotonic()
        if sys.stdout.isatty():
            print(f"{stage.name} …", end="\r", flush=True)
        status, output = _run(stage)
        counts = stage.count(output, status)
        if status != 0 and counts.failed == 0:
            counts.failed = 1  # it died before it could count
        with self._lock:
            self.total.passed += counts.passed
            self.total.failed += counts.failed
            _tell(stage, counts, status, output, time.monotonic() - began)
        return status == 0

    def run_side_by_side(self, stages, workers):
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(self.run, stages))

    def finish(self):
        """Says how many passed and failed; gives the exit code."""
        print(f"in {time.monotonic() - self._began:.0f} s")
        print(f"{self.total.passed} passed, {self.total.failed} failed", flush=True)
        return 1 if self.total.failed or not self.total.passed else 0


def _tell(stage, counts, status, output, seconds):
    said = [f"{number} {word}" for number, word in ((counts.passed, "passed"), (counts.failed, "FAILED")) if number]
    lines = [f"{stage.name:<28}{', '.join(said) or 'ok':<24}{seconds:>7.1f} s"]
    if status != 0:
        lines += [f"  {' '.join(map(str, stage.command))}", *("  " + line for line in output.splitlines())]
    print("\n".join(lines), flush=True)


def _run(stage):
    inherited = {name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith(SETTINGS)}
    done = subprocess.run(
        [str(word) for word in stage.command],
        cwd=ROOT,
        env={**inherited, "PYTHONDONTWRITEBYTECODE": "1", **stage.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout
