"""Runs the stages of script/test. A stage is one command: one line for each, its slowest tests, its output when it fails."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import descendants

ROOT = Path(__file__).resolve().parents[2]

# Settings of the program that a developer's shell may hold, and that no test may see.
SETTINGS = ("DATABASE_URL", "DB_", "META_", "WHATSAPP_", "INSTAGRAM_", "SOCIALSYNC_", "PG")
_KEPT = {"SOCIALSYNC_FIXTURES", "SOCIALSYNC_PG_BIN"}

SLOWEST = 10  # tests that are named after each stage
NAMED_FROM_S = 0.5  # faster tests are not
END_TIMEOUT_S = 30  # for a stage that is interrupted: it stops its servers


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
    return Counts(len(re.findall(r"^ok \d", output, re.M)), len(re.findall(r"^not ok \d", output, re.M)))


def count_rules(output, _status):
    rules = re.search(r"^(\d+) passed, (\d+) failed$", output, re.M)
    return Counts(int(rules[1]), int(rules[2])) if rules else Counts(0, 0)


def count_command(_output, status):
    """The command is one test."""
    return Counts(int(status == 0), int(status != 0))


def count_failure(_output, status):
    """The command is no test, such as a build, but its failure is one."""
    return Counts(0, int(status != 0))


def durations(output):
    """(seconds, name) of each test, as pytest --durations, doctest --duration=true and pg_prove --timer print them."""
    found = [(float(seconds), f"{name} ({phase})" if phase != "call" else name) for seconds, phase, name in
             re.findall(r"^(\d+\.\d+)s (setup|call|teardown) +(\S.*)$", output, re.M)]
    found += [(float(seconds), name) for seconds, name in re.findall(r"^(\d+\.\d+) s: (\S.*)$", output, re.M)]
    found += [(int(milliseconds) / 1000, name) for name, milliseconds in
              re.findall(r"^\[[\d:]+\] (\S+) \.+ *\n(?:.*\n)*?(?:not )?ok +(\d+) ms\b", output, re.M)]
    return sorted(found, reverse=True)


@dataclass
class Stage:
    name: str
    command: list
    count: object = count_command  # output and exit status to Counts
    environment: dict = field(default_factory=dict)
    shown: str = ""  # a pattern: the lines of the output that are printed when it passes, too


class Interrupted(Exception):
    """Ctrl-C, or SIGTERM. Each running stage has ended, and its tests are counted."""


class Suite:
    def __init__(self):
        self.total = Counts(0, 0)
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._running = set()
        self._is_interrupted = False
        descendants.adopt()

    def run(self, stage):
        """True when all of it passed."""
        return self.run_side_by_side([stage], 1)[0]

    def run_side_by_side(self, stages, workers):
        with ThreadPoolExecutor(workers) as pool:
            try:
                results = [pool.submit(self._run, stage) for stage in stages]
                return [result.result() for result in results]
            except KeyboardInterrupt:
                self._end_running()
        raise Interrupted

    def finish(self):
        """Prints how many passed and failed; returns the exit code."""
        self.print_totals()
        return 1 if self.total.failed or not self.total.passed else 0

    def print_totals(self):
        minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
        print(f"in {minutes} min {seconds} s")
        print(f"{self.total.passed} passed, {self.total.failed} failed", flush=True)

    def _run(self, stage):
        with self._lock:
            if self._is_interrupted:
                return False
            if sys.stdout.isatty():
                print(f"{stage.name} …", end="\r", flush=True)
            began = time.monotonic()
            output_file = tempfile.TemporaryFile()
            process = _start(stage, output_file)
            self._running.add(process)
        status = process.wait()
        with self._lock, output_file:
            self._running.discard(process)
            output_file.seek(0)
            output = output_file.read().decode(errors="replace")
            self._report(stage, status, output, time.monotonic() - began)
        return status == 0

    def _report(self, stage, status, output, seconds):
        counts = stage.count(output, status)
        if self._is_interrupted:
            counts.failed = 0  # some failed since their servers were stopped
        elif status != 0 and counts.failed == 0:
            counts.failed = 1  # it died before it could count
        self.total.passed += counts.passed
        self.total.failed += counts.failed
        said = [f"{number} {word}" for number, word in ((counts.passed, "passed"), (counts.failed, "FAILED")) if number]
        words = ", ".join([*said, "interrupted"] if self._is_interrupted else said) or "ok"
        lines = [f"{stage.name:<30}{words:<24}{seconds:>7.1f} s"]
        if stage.shown:
            lines += [f"  {line}" for line in output.splitlines() if re.search(stage.shown, line)]
        if status != 0 and not self._is_interrupted:
            lines += [f"  {' '.join(map(str, stage.command))}", *(f"  {line}" for line in output.splitlines())]
        lines += [f"{taken:>9.1f} s  {name}" for taken, name in durations(output)[:SLOWEST] if taken >= NAMED_FROM_S]
        print("\n".join(lines), flush=True)

    def _end_running(self):
        with self._lock:
            self._is_interrupted = True
            running = list(self._running)
        try:
            descendants.interrupt(running, END_TIMEOUT_S)
        except KeyboardInterrupt:
            pass  # Ctrl-C again: at once
        descendants.kill_all()


def _start(stage, output):
    """In a session of its own: Ctrl-C reaches this process alone, which then ends the stages."""
    inherited = {name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith(SETTINGS)}
    return subprocess.Popen(
        [str(word) for word in stage.command],
        cwd=ROOT,
        env={**inherited, "PYTHONDONTWRITEBYTECODE": "1", **stage.environment},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
