"""The plugin of test/support/pace.py, in a pytest of its own."""

import subprocess
import sys
from pathlib import Path

TESTS = """
import time, pytest
def test_sleeps(): time.sleep(0.05)
@pytest.mark.slow
def test_is_marked(): time.sleep(0.05)
def test_is_fast(): pass
"""


def run(folder, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "pace", *arguments, folder],
        env={"PYTHONPATH": Path(__file__).parent, "PATH": "/usr/bin:/bin"}, cwd=folder, capture_output=True, text=True, check=False)
    return done.stdout


def test_a_test_over_the_limit_fails_unless_it_is_marked_slow(tmp_path):
    (tmp_path / "some_test.py").write_text(TESTS)
    out = run(tmp_path, "--limit-s", "0.0001")
    assert "2 failed, 1 passed" in out or "1 failed, 2 passed" in out  # the fast one, when the machine is very busy
    assert "test_sleeps" in out and "mark it slow" in out and "test_is_marked" not in out


def test_without_a_limit_none_fails(tmp_path):
    (tmp_path / "some_test.py").write_text(TESTS)
    assert "3 passed" in run(tmp_path)


def test_the_file_that_took_longest_last_time_begins_first(tmp_path):
    for name in "abc":
        (tmp_path / f"{name}_test.py").write_text(f"import time\ndef test(): time.sleep({0.2 if name == 'b' else 0})")
    assert [line[0] for line in run(tmp_path, "-v").splitlines() if "PASSED" in line] == ["a", "b", "c"]
    (tmp_path / "build").mkdir()
    run(tmp_path)
    assert [line[0] for line in run(tmp_path, "-vv").splitlines() if "PASSED" in line][0] == "b"
