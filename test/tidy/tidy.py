#!/usr/bin/python3
"""The style test: checks every rule on every file. The last line counts the rules that hold.

tidy.py --words [PATH…]: lists the offences against plain words in files whose path begins so, and counts them by folder.
"""

import subprocess
import sys
from pathlib import Path

import words
from rules import RULES, File, Layers

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ["src", "test", "fuzz", "bench", "script", "cmake", "sql", ".ci"]
SUFFIXES = {".cpp", ".hpp", ".py", ".sql", ".cmake", ".txt", ".lua", ".sh", ""}
WRITTEN_FOLDERS = ["docs", "packaging"]
WRITTEN_SUFFIXES = {".md", ".example", ".service", ".py"}


def read_files():
    paths = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*")) if _is_ours(path)]
    return [File(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]


def read_documents():
    paths = [path for folder in WRITTEN_FOLDERS for path in sorted((ROOT / folder).rglob("*"))]
    paths = [*sorted(ROOT.glob("*.md")), *(path for path in paths if path.suffix in WRITTEN_SUFFIXES)]
    return [File(path.relative_to(ROOT).as_posix(), path.read_text()) for path in paths]


def _is_ours(path):
    inside = path.relative_to(ROOT).parts
    if {"__pycache__", ".pytest_cache", "corpus"} & set(inside) or inside[:2] == ("bench", "data"):
        return False
    return path.is_file() and path.suffix in SUFFIXES


def run_rule(rule, files, table):
    """True if no file breaks the rule; prints the offences."""
    problems = list(rule(files, table))
    for path, line, what in problems:
        print(f"{path}:{line}: {what}")
    return not problems


def has_plain_subjects():
    """True if the newest commits' subjects are `area: imperative`; prints the others."""
    faults = list(words.subject_faults(words.new_subjects(ROOT)))
    for subject, fault in faults:
        print(f"commit: {subject}: {fault}")
    return not faults


def is_formatted(paths):
    """True if clang-format would change none of these files; prints the others."""
    options = ["--dry-run", "--Werror", "--ferror-limit=1"]
    said = _output(["clang-format-19", *options, *paths]) if paths else ""
    wrong = sorted({line.split(":")[0] for line in said.splitlines() if ": error: " in line})
    for path in wrong:
        print(f"{path}:1: not formatted: clang-format-19 -i {path}")
    return not wrong


def is_sound_bash(paths):
    """True if shellcheck accepts these scripts; prints its messages."""
    said = _output(["shellcheck", "--format=gcc", "--external-sources", "--source-path=SCRIPTDIR", *paths])
    print(said, end="")
    return not said


def _output(command):
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


def main():
    files = read_files()
    if sys.argv[1:2] == ["--words"]:
        return 1 if words.report(files + read_documents(), ROOT, sys.argv[2:]) else 0
    table = Layers((ROOT / "test/tidy/layers.txt").read_text())
    results = [run_rule(rule, files, table) for rule in RULES]
    results.append(run_rule(words.plain_words, files + read_documents(), table))
    results.append(has_plain_subjects())
    results.append(is_formatted([file.path for file in files if file.is_cpp]))
    results.append(is_sound_bash([file.path for file in files if file.text.startswith("#!/usr/bin/env bash")]))
    print(f"{sum(results)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
