"""The stages of script/test: by default, in full, in parts, and in continuous integration."""

import datetime
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

import run  # noqa: E402
from parts import PARTS, parts_of  # noqa: E402

DEFAULT = ["style", "the tests' own tools", "build release", "unit, release", "integration, release",
           "end to end, release", "schema (pgTAP)", "schema (update and rollback)"]
SANITIZED = ["build {0}", "unit, {0}", "integration, {0}", "end to end, {0}"]
FUZZED = ["build asan", *(f"fuzz {name.removesuffix('_fuzz')}, 30 s" for name in run.FUZZ_TARGETS)]
FAULTS = ["build release", "faults that the simulation finds"]
TODAY = datetime.date(2026, 12, 1)


def stages(monkeypatch, *arguments, ci=False):
    """The names of the stages, in order; each succeeds."""
    names = []

    class Recorder:
        def run(self, stage):
            names.append(stage.name)
            return True

        def run_side_by_side(self, several, _):
            names.extend(stage.name for stage in several)

    monkeypatch.setattr(sys, "argv", ["script/test", *arguments])
    monkeypatch.setenv("CI", "true" if ci else "")
    run.run(Recorder(), run.parse_arguments(), TODAY)
    return [name for name in names if not name.startswith("simulation")]


def version(number):
    return ["build release", f"PostgreSQL {number}"]


def sanitized(preset):
    return [name.format(preset) for name in SANITIZED]


@pytest.mark.parametrize("arguments", [[], ["--quick"]])
def test_the_default_is_all_on_the_release_build(monkeypatch, arguments):
    assert stages(monkeypatch, *arguments) == DEFAULT


def test_full_adds_sanitizers_fuzzers_and_the_oldest_and_newest_server(monkeypatch):
    rest = stages(monkeypatch, "--full")[len(DEFAULT):]
    assert rest == [*sanitized("asan"), *FUZZED, *version(14), *version(18), *sanitized("tsan"), *FAULTS]
    rest = stages(monkeypatch, "--full", "--all-versions")[len(DEFAULT):]
    assert [name for name in rest if "PostgreSQL" in name] == [f"PostgreSQL {number}" for number in (14, 18, 16, 17)]


def test_a_part_runs_alone(monkeypatch):
    assert stages(monkeypatch, "--part", "tsan", "--part", "postgresql-17") == [*sanitized("tsan"), *version(17)]
    assert stages(monkeypatch, "--part", "fuzz") == FUZZED
    for part in PARTS:
        assert stages(monkeypatch, "--part", part)


def test_continuous_integration_adds_the_parts_of_the_day(monkeypatch):
    names = stages(monkeypatch, ci=True)
    assert names[:len(DEFAULT)] == DEFAULT
    expected = [name for part in parts_of(TODAY) for name in stages(monkeypatch, "--part", part)]
    assert set(names[len(DEFAULT):]) <= set(expected) and len(names) > len(DEFAULT)
