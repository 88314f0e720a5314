"""A pytest plugin: the files that took longest last time begin first, and a slow test that is not marked slow fails.

pytest --limit-s N: a test whose own call takes more than N seconds fails unless it is marked `slow`. On a busy machine the
limit grows with the load: N for each process that waits for a core, as the load average of the last minute counts them.
"""

import json
import os
from collections import defaultdict
from pathlib import Path

import pytest

RECORD = Path("build/test_durations.json").absolute()  # file → seconds, of its last run; only where there is such a folder


def pytest_addoption(parser):
    parser.addoption("--limit-s", type=float, metavar="N", help="for a test that is not marked slow, on an idle machine")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: may take longer than pytest --limit-s allows")
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder())


def busy():
    """How many processes want each core, at least 1."""
    return max(1.0, os.getloadavg()[0] / len(os.sched_getaffinity(0)))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    limit_s = item.config.getoption("--limit-s")
    if limit_s and call.when == "call" and not item.get_closest_marker("slow"):
        report, allowed_s = outcome.get_result(), limit_s * busy()
        if report.passed and call.duration > allowed_s:
            report.outcome = "failed"
            report.longrepr = f"took {call.duration:.1f} s of {allowed_s:.0f} s: make it faster, or mark it slow and say why"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """The longest file first: one that begins last would run alone in the end. The same order on each worker."""
    recorded = _recorded()
    sizes = defaultdict(int)
    for item in items:
        sizes[_file(item.nodeid)] += 1
    # A file without a record is as long as it has tests.
    items.sort(key=lambda item: -recorded.get(_file(item.nodeid), sizes[_file(item.nodeid)]))


class Recorder:
    """Writes how long each file took, when all workers have ended."""

    def __init__(self):
        self._seconds = defaultdict(float)

    def pytest_runtest_logreport(self, report):
        self._seconds[_file(report.nodeid)] += report.duration

    def pytest_sessionfinish(self):
        if RECORD.parent.is_dir() and self._seconds:
            RECORD.write_text(json.dumps({**_recorded(), **self._seconds}, indent=1))


def _file(node_id):
    return node_id.partition("::")[0]


def _recorded():
    try:
        return json.loads(RECORD.read_text())
    except (FileNotFoundError, ValueError):
        return {}
