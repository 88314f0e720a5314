#!/usr/bin/python3
"""Every test of the project, stage by stage; script/test calls it. The last line counts what passed and failed."""

import argparse
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from servers import OTHER_VERSIONS  # noqa: E402
from suite import (  # noqa: E402
    ROOT,
    Stage,
    Suite,
    count_doctest,
    count_failure,
    count_pytest,
    count_rules,
    count_tap,
)

PYTHON = "/usr/bin/python3"
PYTEST = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
SIDE_BY_SIDE = ["-n", "3", "--dist", "loadfile"]  # each side on a PostgreSQL of its own; tests wait more than they compute
IN_CLUSTER = [PYTHON, ROOT / "test/support/cluster.py", "run", "--file", ROOT / "sql/schema_updates_webhooks.sql", "--"]
SANITIZER_SETTINGS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:external_symbolizer_path=/usr/bin/llvm-symbolizer-19",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1:external_symbolizer_path=/usr/bin/llvm-symbolizer-19",
}
CHOSEN = {
    "release": [],
    "asan": ["-m", "not release_only"],
    # What has threads: of the migration two commands, and neither documents nor what only prints.
    "tsan": ["-m", "not release_only", "-k", "migrate_apply or migrate_backup or not (migrate_ or command or guide or docs)"],
}
FIXTURES = ROOT.parent / "shared/fixtures"  # real webhook bodies, where somebody keeps some beside the repository
FUZZERS_AT_ONCE = 2


def check_style(suite, with_clang_tidy):
    suite.run(Stage("style", [PYTHON, "test/tidy/tidy.py"], count_rules))
    suite.run(Stage("the tests' own tools", [*PYTEST, "test/tidy", "test/support"], count_pytest))
    if with_clang_tidy:
        build(suite, "dev", ["all"])
        sources = r"/(src|test|bench)/.*\.cpp$"
        suite.run(Stage("clang-tidy", ["run-clang-tidy-19", "-quiet", "-p", "build/dev", sources]))


def build(suite, preset, targets):
    return suite.run(Stage(f"build {preset}", ["script/build", preset, *targets], count_failure))


def check_behaviour(suite, preset):
    """The unit, integration and end-to-end tests on one build."""
    if not build(suite, preset, ["socialsync", "unit_tests", "integration_tests", "send_each"]):
        return
    folder = ROOT / "build" / preset
    run_with = {**SANITIZER_SETTINGS, "SOCIALSYNC_BIN": str(folder / "socialsync"), "SOCIALSYNC_PRESET": preset}
    suite.run(Stage(f"unit, {preset}", [folder / "unit_tests"], count_doctest, run_with))
    suite.run(Stage(f"integration, {preset}", [*IN_CLUSTER, folder / "integration_tests"], count_doctest, run_with))
    tests = [*PYTEST, *SIDE_BY_SIDE, *CHOSEN[preset], "test/e2e"]
    suite.run(Stage(f"end to end, {preset}", tests, count_pytest, run_with))


def check_schema(suite):
    tests = sorted((ROOT / "test/sql").glob("*_test.sql"))
    suite.run(Stage("schema (pgTAP)", [*IN_CLUSTER, "pg_prove", "--verbose", *tests], count_tap))
    suite.run(Stage("schema (update and rollback)", [*PYTEST, *SIDE_BY_SIDE, "test/sql"], count_pytest))


def check_versions(suite, versions):
    """Tests of all sorts on other PostgreSQLs than Debian's, with the release build."""
    for version in versions:
        tests = [*PYTEST, *SIDE_BY_SIDE, "-m", "every_version", "test/sql", "test/e2e", "--postgresql", version]
        suite.run(Stage(f"PostgreSQL {version}", tests, count_pytest))


def fuzz(suite, seconds):
    names = [source.stem for source in sorted((ROOT / "fuzz").glob("*_fuzz.cpp"))]
    if build(suite, "asan", names):
        suite.run_side_by_side([fuzz_stage(name, seconds) for name in names], FUZZERS_AT_ONCE)


def fuzz_stage(name, seconds):
    """New inputs go to build/asan; the seeds of the repository are only read."""
    found = ROOT / "build/asan/corpus" / name
    found.mkdir(parents=True, exist_ok=True)
    noun = name.removesuffix("_fuzz")
    reads_bodies = noun in ("parse", "place")
    words = "parse" if reads_bodies else noun
    options = [f"-max_total_time={seconds}", "-timeout=10", "-print_final_stats=1", f"-artifact_prefix={found}-"]
    dictionary = ROOT / "fuzz" / f"{words}.dict"
    if dictionary.exists():
        options.append(f"-dict={dictionary}")
    folders = [found, ROOT / "fuzz/corpus" / words, *([ROOT / "test/golden"] if reads_bodies else [])]
    return Stage(f"fuzz {noun}, {seconds} s", [ROOT / "build/asan" / name, *options, *folders],
                 environment=SANITIZER_SETTINGS)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/test", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the release build only: no sanitizers, no fuzzing")
    parser.add_argument("--fuzz-seconds", type=int, default=30, metavar="N", help="for each target (default 30)")
    parser.add_argument("--all-versions", action="store_true",
                        help="each PostgreSQL, not the oldest, Debian's and the newest alone: some minutes more")
    parser.add_argument("--tidy", action="store_true", help="clang-tidy too: some minutes")
    return parser.parse_args()


def main():
    options = parse_arguments()
    # A shell that starts us in the background has Ctrl-C ignored, and what we start would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if FIXTURES.is_dir():
        os.environ.setdefault("SOCIALSYNC_FIXTURES", str(FIXTURES))
    suite = Suite()
    check_style(suite, options.tidy)
    check_behaviour(suite, "release")
    check_schema(suite)
    check_versions(suite, OTHER_VERSIONS if options.all_versions else [OTHER_VERSIONS[0], OTHER_VERSIONS[-1]])
    if not options.quick:
        for preset in ("asan", "tsan"):
            check_behaviour(suite, preset)
        fuzz(suite, options.fuzz_seconds)
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
