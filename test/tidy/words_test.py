"""The rule of plain words sees all that is written for people, and leaves code alone."""

import pytest

import words
from rules import File


def faults(path, text):
    passages = words.passages_of(File(path, text))
    return sorted((line, fault.split(":")[0]) for _, line, fault in words.offences(passages))


@pytest.mark.parametrize(
    "path, text, found",
    [
        ("src/a/b.hpp", "// Renews the leases of `keys`.\nint renew();\n", []),
        ("src/a/b.hpp", "// Those that due() gave are.\n", [(1, "begins with “Those”")]),
        ("src/a/b.hpp", "// A lease ends.\n// Of two,\n// the first wins.\n", [(2, "begins with “Of”")]),
        ("src/a/b.hpp", "int a;  // whether it is due\n", [(1, "begins with “whether”")]),
        ("src/a/b.hpp", "int a;  // of a\nint b;  // a\n        // meanwhile\n", [(3, "“meanwhile”")]),
        ("src/a/b.hpp", "// Held by\n// somebody else.\n", [(2, "“somebody”")]),
        ("src/a/b.cpp", 'log("the event waits "\n    "meanwhile");\n', [(1, "“meanwhile”")]),
        ("src/a/b.cpp", 'log("what arrives is not encrypted");\n', [(1, "begins with “what”")]),
        ("src/a/b.cpp", 'auto s = " of nobody";\n', [(1, "“nobody”")]),
        ("src/a/b.cpp", 'constexpr auto given_up = "given_up";\n', []),
        ("test/unit/a_test.cpp", 'TEST_CASE("what is refused") {\n  send("somebody else");\n', [(1, "begins with “what”")]),
        ("test/e2e/a_test.py", "def test_what_is_refused():\n    pass\n", [(1, "begins with “what”")]),
        ("test/e2e/a_test.py", 'def f():\n    """Whoever asks."""\n    # meanwhile\n', [(2, "begins with “Whoever”"), (3, "“meanwhile”")]),
        ("sql/a.sql", "-- Leases held up by\n-- a lock.\nSELECT 1;\n", [(1, "“held up”")]),
        ("script/a", "set -e\n# is there a compiler\n", [(2, "“is there”")]),
        ("a.md", "# What is it?\n\n```\nnobody\n```\n\nA `nobody` here.\n", []),
        ("a.md", "| a | What waits |\n", [(1, "begins with “What”")]),
        ("a.md", "One " * 26 + "end.\n", [(1, "27 words, over 25")]),
        ("a.fr.md", "Un " * 26 + "mot. Celui qui lit.\n", [(1, "begins with “Celui”")]),
    ],
)
def test_passages(path, text, found):
    assert faults(path, text) == found


@pytest.mark.parametrize(
    "subject, is_right",
    [
        ("deliver: on shutdown, retry results whose rows are locked", True),
        ("Merge the two", False),
        ("deliver: what is locked during a stop is waited for", False),
        ("deliver: " + "a" * 64, False),
    ],
)
def test_subjects(subject, is_right):
    assert (not list(words.subject_faults([subject]))) == is_right


def test_subjects_of_an_unknown_clone(tmp_path):
    assert words.new_subjects(tmp_path) == []
