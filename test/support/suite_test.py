"""The counting of script/test: a test that fails, crashes or never ran must show in its last line."""

import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest
import descendants
from suite import (
    Counts,
    Stage,
    Suite,
    count_doctest,
    count_failure,
    count_pytest,
    count_rules,
    count_tap,
    durations,
)

SUPPORT = pathlib.Path(__file__).parent

DOCTEST = "[doctest] test cases: 12 | 10 passed | 2 failed | 1 skipped\n[doctest] assertions: 5 | 5 passed | 0 failed |\n"


@pytest.mark.parametrize(
    "count, output, expected",
    [
        (count_doctest, DOCTEST, Counts(10, 2)),
        (count_doctest, "Segmentation fault\n", Counts(0, 0)),
        (count_pytest, "F.\n1 failed, 31 passed, 2 skipped, 1 error in 0.12s\n", Counts(31, 2)),
        (count_pytest, "31 passed in 0.12s\n", Counts(31, 0)),
        (count_tap, "1..3\nok 1 - a\nnot ok 2 - b\nok 3\n# Looks like\nok  12 ms ( 0.00 usr )\n", Counts(2, 1)),
        (count_rules, "a.cpp:1: bad\n10 passed, 1 failed\n", Counts(10, 1)),
    ],
)
def test_counting(count, output, expected):
    assert count(output, 0) == expected


def run(script, count=count_doctest):
    suite = Suite()
    suite.run(Stage("a stage", [sys.executable, "-c", script], count))
    return suite


def test_a_stage_that_passes(capsys):
    suite = run(f"print({DOCTEST!r}.replace('2 failed', '0 failed'))")
    assert suite.finish() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "10 passed, 0 failed"


def test_a_crash_is_a_failure(capsys):
    suite = run("print('about to'); import os; os.abort()")
    assert suite.finish() == 1
    out = capsys.readouterr().out
    assert "about to" in out
    assert out.splitlines()[-1] == "0 passed, 1 failed"


def test_a_bad_exit_after_good_tests_is_a_failure():
    suite = run(f"print({DOCTEST!r}.replace('2 failed', '0 failed')); raise SystemExit(23)")
    assert suite.finish() == 1
    assert suite.total == Counts(10, 1)


def test_a_build_counts_only_when_it_fails():
    assert run("", count_failure).total == Counts(0, 0)
    assert run("raise SystemExit(1)", count_failure).total == Counts(0, 1)


def test_nothing_tested_is_a_failure():
    assert Suite().finish() == 1


def test_settings_of_the_shell_stay_outside(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql:///somebodys")
    script = "import os; raise SystemExit('DATABASE_URL' in os.environ)"
    assert run(script, count_failure).total.failed == 0


def test_slowest_tests_are_named_slowest_first(capsys):
    printed = ("1.50s call     e2e/a_test.py::test_a\n0.70s setup    e2e/b_test.py::test_b\n"
               "2.500000 s: a case of doctest\n"
               "[15:04:05] sql/claim_test.sql .. \nok 1 - a\nok 2 - b\n1..2\nok     3500 ms ( 0.00 usr )\n"
               "[15:04:06]\nAll tests successful.\n")
    named = [(3.5, "sql/claim_test.sql"), (2.5, "a case of doctest"), (1.5, "e2e/a_test.py::test_a"),
             (0.7, "e2e/b_test.py::test_b (setup)")]
    assert durations(printed) == named
    run(f"print({printed!r})", count_failure)
    lines = capsys.readouterr().out.splitlines()[1:]
    assert [line.split(maxsplit=2)[2] for line in lines] == [name for _, name in named]


def test_lines_that_a_stage_shows_are_printed_when_it_passes(capsys):
    Suite().run(Stage("a stage", [sys.executable, "-c", "print('seed 17'); print('more')"], shown="seed"))
    out = capsys.readouterr().out
    assert "  seed 17\n" in out and "more" not in out


# ---- Ctrl-C

CONFTEST = """
import sys; sys.path.insert(0, {support!r})
import pytest, cluster as module
@pytest.fixture(scope="session")
def cluster():
    with module.Cluster() as running:
        yield running
"""
TESTS = """
import pathlib, time
def test_passes(): pass
def test_has_a_server(cluster):
    pathlib.Path(__file__).with_name("server").write_text(str(cluster.postmaster_pid()))
    time.sleep(60)
"""
RUNNER = """
import sys; sys.path.insert(0, {support!r})
import run, suite
run.run = lambda running, *_: running.run(suite.Stage("a stage", {command!r}, suite.count_pytest))
sys.argv = ["script/test"]
sys.exit(run.main())
"""


@pytest.mark.parametrize("sides", [[], ["-n", "2"]], ids=["one side", "two sides"])
@pytest.mark.parametrize("which", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_counts_what_has_passed_and_leaves_no_process(tmp_path, sides, which):
    (tmp_path / "conftest.py").write_text(CONFTEST.format(support=str(SUPPORT)))
    (tmp_path / "some_test.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sides, str(tmp_path)]
    runner = RUNNER.format(support=str(SUPPORT.parent), command=command)
    process = subprocess.Popen([sys.executable, "-c", runner], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 60
    while not (tmp_path / "server").exists() or not (tmp_path / "server").read_text():
        assert time.monotonic() < deadline and process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    started = descendants.alive(process.pid)
    assert int((tmp_path / "server").read_text()) in started
    process.send_signal(which)
    out = process.communicate(timeout=90)[0]
    assert process.returncode == 130, out
    assert "Traceback" not in out
    assert out.splitlines()[-1] == "1 passed, 0 failed"
    assert not [pid for pid in started if descendants.runs(pid)]
