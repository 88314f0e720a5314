#!/usr/bin/python3
"""The tests of the project, stage by stage. The last line counts those that passed and failed.

By default: style, the tests' own tools, a release build, unit, integration and simulation, schema, end to end, on Debian's
PostgreSQL. Where CI=true is in the environment, one part of --full is added, chosen by the date.
"""

import argparse
import datetime
import os
import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from parts import FUZZ_SHARES, PARTS, fuzz_share_of, parts_of  # noqa: E402
from servers import OTHER_VERSIONS  # noqa: E402
from suite import (  # noqa: E402
    ROOT,
    SLOWEST,
    Interrupted,
    Stage,
    Suite,
    count_doctest,
    count_failure,
    count_pytest,
    count_rules,
    count_tap,
)

PYTHON = "/usr/bin/python3"
PYTEST = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--durations={SLOWEST}"]
# Each side on a PostgreSQL of its own; tests wait more than they compute.
SIDE_BY_SIDE = ["-n", str(2 * len(os.sched_getaffinity(0))), "--dist", "loadfile"]
SLOW_S = 10
LIMITED = ["--limit-s", str(SLOW_S)]  # not for sanitizers and other servers, which are slower
IN_CLUSTER = [PYTHON, ROOT / "test/support/cluster.py", "run", "--file", ROOT / "sql/schema_updates_webhooks.sql", "--"]
SANITIZER_SETTINGS = {
    "ASAN_OPTIONS": "detect_stack_use_after_return=1:strict_string_checks=1:external_symbolizer_path=/usr/bin/llvm-symbolizer-19",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "second_deadlock_stack=1:external_symbolizer_path=/usr/bin/llvm-symbolizer-19",
}
FIXTURES = ROOT.parent / "shared/fixtures"  # real webhook bodies, on a machine that has some beside the repository
FUZZERS_AT_ONCE = 2
FUZZ_TARGETS = sorted(source.stem for source in (ROOT / "fuzz").glob("*_fuzz.cpp"))
SIMULATION_S = 20
SIMULATION_SEEDS = ROOT / "test/simulation/seeds.txt"


def check_style(suite, with_clang_tidy):
    suite.run(Stage("style", [PYTHON, "test/tidy/tidy.py"], count_rules))
    suite.run(Stage("the tests' own tools", [*PYTEST, "test/tidy", "test/support"], count_pytest))
    if with_clang_tidy:
        build(suite, "dev", ["all"])
        sources = r"/(src|test|bench)/.*\.cpp$"
        suite.run(Stage("clang-tidy", ["run-clang-tidy-19", "-quiet", "-p", "build/dev", sources]))


def build(suite, preset, targets):
    return suite.run(Stage(f"build {preset}", ["script/build", preset, *targets], count_failure))


def check_behaviour(suite, preset, chosen):
    """The unit, integration and end-to-end tests on one build; `chosen`: pytest's arguments for the last."""
    simulation = ["simulation"] if SIMULATION_SEEDS.exists() else []
    if not build(suite, preset, ["socialsync", "unit_tests", "integration_tests", "send_each", "event_kinds", *simulation]):
        return
    folder = ROOT / "build" / preset
    run_with = {**SANITIZER_SETTINGS, "SOCIALSYNC_BIN": str(folder / "socialsync")}
    suite.run(Stage(f"unit, {preset}", [folder / "unit_tests", "-d=true"], count_doctest, run_with))
    suite.run(Stage(f"integration, {preset}", [*IN_CLUSTER, folder / "integration_tests", "-d=true"], count_doctest, run_with))
    if simulation:
        simulate(suite, f"simulation, {preset}", folder / "simulation", run_with)
    suite.run(Stage(f"end to end, {preset}", [*PYTEST, *SIDE_BY_SIDE, *chosen, "test/e2e"], count_pytest, run_with))


def simulate(suite, name, binary, run_with):
    """With the seeds that once failed, and with new ones, the first of which is printed."""
    suite.run(Stage(f"{name}, known seeds", [binary, "--corpus", SIMULATION_SEEDS], environment=run_with))
    suite.run(Stage(name, [binary, "--seconds", SIMULATION_S], environment=run_with, shown="seed"))


def find_faults(suite):
    """Puts each fault of test/simulation/faults into a copy of the cores: the simulation must find it."""
    if build(suite, "release", ["simulation"]):
        suite.run(Stage("faults that the simulation finds", [PYTHON, "-B", "test/simulation/find_faults.py"], count_rules))


def check_schema(suite):
    tests = sorted((ROOT / "test/sql").glob("*_test.sql"))
    suite.run(Stage("schema (pgTAP)", [*IN_CLUSTER, "pg_prove", "--verbose", "--timer", *tests], count_tap))
    suite.run(Stage("schema (update and rollback)", [*PYTEST, *SIDE_BY_SIDE, *LIMITED, "test/sql"], count_pytest))


def check_version(suite, version):
    """Tests of all sorts on another PostgreSQL than Debian's, with the release build."""
    if build(suite, "release", ["socialsync", "send_each"]):
        tests = [*PYTEST, *SIDE_BY_SIDE, "-m", "every_version", "test/sql", "test/e2e", "--postgresql", version]
        suite.run(Stage(f"PostgreSQL {version}", tests, count_pytest))


def fuzz(suite, targets, seconds):
    if build(suite, "asan", targets):
        suite.run_side_by_side([fuzz_stage(name, seconds) for name in targets], FUZZERS_AT_ONCE)


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


def check_part(suite, part, fuzz_targets, fuzz_seconds):
    """One part of --full, by its name in support/parts.py."""
    if part == "fuzz":
        fuzz(suite, fuzz_targets, fuzz_seconds)
    elif part == "faults":
        find_faults(suite)
    elif part.startswith("postgresql-"):
        check_version(suite, int(part.removeprefix("postgresql-")))
    else:
        check_behaviour(suite, part, ["-m", "sanitizers and not release_only"])


def check_default(suite, with_clang_tidy):
    check_style(suite, with_clang_tidy)
    check_behaviour(suite, "release", LIMITED)
    check_schema(suite)


def run(suite, options, today):
    if options.part:
        for part in options.part:
            check_part(suite, part, FUZZ_TARGETS, options.fuzz_seconds)
        return
    check_default(suite, options.tidy)
    if options.full:
        left_out = [] if options.all_versions else [f"postgresql-{version}" for version in OTHER_VERSIONS[1:-1]]
        for part in [part for part in PARTS if part not in left_out]:
            check_part(suite, part, FUZZ_TARGETS, options.fuzz_seconds)
    elif os.environ.get("CI") == "true":
        parts = parts_of(today)
        print(f"parts of --full for {today}: {', '.join(parts)}", flush=True)
        for part in parts:
            check_part(suite, part, fuzz_share_of(today, FUZZ_TARGETS), options.fuzz_seconds)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="script/test", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    extent = parser.add_mutually_exclusive_group()
    extent.add_argument("--quick", action="store_true", help="the default, under its former name")
    extent.add_argument("--full", action="store_true",
                        help="also asan, tsan, fuzzing, and the oldest and newest PostgreSQL")
    extent.add_argument("--part", action="append", choices=PARTS, help="only this part of --full; may be repeated")
    parser.add_argument("--all-versions", action="store_true", help="with --full: each PostgreSQL")
    parser.add_argument("--fuzz-seconds", type=int, default=30, metavar="N",
                        help=f"for each target (default 30); CI fuzzes 1/{FUZZ_SHARES} of the targets a time")
    parser.add_argument("--tidy", action="store_true", help="clang-tidy too: some minutes")
    return parser.parse_args()


def main():
    options = parse_arguments()
    # A shell that starts us in the background has Ctrl-C ignored, and what we start would ignore it too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if FIXTURES.is_dir():
        os.environ.setdefault("SOCIALSYNC_FIXTURES", str(FIXTURES))
    suite = Suite()
    try:
        run(suite, options, datetime.date.today())
    except (Interrupted, KeyboardInterrupt):
        suite.print_totals()
        return 128 + signal.SIGINT
    return suite.finish()


if __name__ == "__main__":
    sys.exit(main())
