"""The counting of script/test: a test that fails, crashes or never ran must show in its last line."""

import sys

import pytest

from suite import Counts, Stage, Suite, count_doctest, count_failure, count_pytest, count_rules, count_tap

DOCTEST = "[doctest] test cases: 12 | 10 passed | 2 failed | 1 skipped\n[doctest] assertions: 5 | 5 passed | 0 failed |\n"


@pytest.mark.parametrize(
    "count, output, expected",
    [
        (count_doctest, DOCTEST, Counts(10, 2)),
        (count_doctest, "Segmentation fault\n", Counts(0, 0)),
        (count_pytest, "F.\n1 failed, 31 passed, 2 skipped, 1 error in 0.12s\n", Counts(31, 2)),
        (count_pytest, "31 passed in 0.12s\n", Counts(31, 0)),
        (count_tap, "1..3\nok 1 - a\nnot ok 2 - b\nok 3\n# Looks like\n", Counts(2, 1)),
        (count_rules, "a.cpp:1: bad\n10 passed, 1 failed\n", Counts(10, 1)),
    ],
)
def test_counting(count, output, expected):
    assert count(output, 0) == expected


def run(script, count=count_doctest):
    suite = Suite()
    suite.run(Stage("a stage", [sys.executable, "-c", script], count))
    return suite


def test_what_passes_passes(capsys):
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
