"""The rule of plain words: comments, messages, test names, documents and commit subjects, each as an operator reads it."""

import ast
import io
import re
import subprocess
import tokenize
from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

import source

SENTENCE_WORDS_MAX = {"en": 25, "fr": 30}  # per sentence of a document
SUBJECT_LENGTH_MAX = 72
COMMITS = 20  # the newest, of those that came after the rule
RULE_SINCE = "ea1382d8"

# The first word of a sentence: its subject is missing.
_OPENINGS = {
    "en": "what|whatever|whatsoever|those|of|whether|so|who|whoever|whose",
    "fr": "ceux|celles|celui|celle|quiconque|quoi",
}
# Expressions without a meaning of their own, with the field's term for each.
_BANNED = {
    "en": {
        r"somebody(?:'s)?|someone": "name the subject",
        r"nobody(?:'s)?": "name the subject, or: unroutable",
        r"meanwhile": "name the moment",
        r"in the way": "name the obstacle",
        r"is there|isn't there": "exists; reachable (of a database, an endpoint)",
        r"there is no such thing": "say what is refused",
        r"giv(?:es?|en|ing) up|gave up": "dead-lettered",
        r"(?:tri(?:es|ed)|try|trying) again": "retry, retried; attempt",
        r"told apart": "deduplicated by",
        r"(?:comes?|came) again": "repeated, delivered again by Meta",
        r"held up": "overloaded, delayed",
        r"in hand": "leased",
        r"stays? shut": "circuit breaker open",
        r"(?:is|are) waited for": "shutdown waits for …",
        r"(?:un)?sealed|sealing": "encrypted, encryption",
    },
    "fr": {
        r"entre-temps": "nommer le moment",
        r"quelqu[’']un": "nommer le sujet",
    },
}


@dataclass
class Passage:
    """A comment, a literal, a test's name or a document's paragraph: its lines, and where each begins in the file."""

    path: str
    first_line: int
    lines: list
    kind: str  # comment, trailing (behind code), message, name, prose or table
    language: str = "en"

    @property
    def text(self):
        return " ".join(self.lines)

    def line_at(self, offset):
        for number, line in enumerate(self.lines):
            if offset <= len(line):
                return self.first_line + number
            offset -= len(line) + 1
        return self.first_line + len(self.lines) - 1


def plain_words(files, _table):
    """Comments, messages, names of tests and documents are plain: see CONTRIBUTING.md."""
    yield from sorted(offences(passage for file in files for passage in passages_of(file)))


def offences(passages):
    """(path, line, the fault) of each."""
    for passage in passages:
        for offset, fault in _faults(passage):
            yield passage.path, passage.line_at(offset), fault


def _faults(passage):
    for expression, instead in _BANNED[passage.language].items():
        for match in re.finditer(rf"(?<![\w-])(?:{expression})(?![\w-])", passage.text, re.IGNORECASE):
            yield match.start(), f"“{match.group()}”: {instead}"
    for offset, sentence in _sentences(passage.text):
        yield from _sentence_faults(passage, offset, sentence)


def _sentence_faults(passage, offset, sentence):
    is_question = sentence.rstrip().endswith("?")
    opening = re.match(rf"\W*({_OPENINGS[passage.language]})\b(?!-)", sentence, re.IGNORECASE)
    goes_on = opening and passage.kind == "trailing" and opening.group(1) == "of"  # the code names the subject
    if opening and not is_question and not goes_on and (passage.kind != "message" or sentence[0].isalpha()):
        yield offset, f"begins with “{opening.group(1)}”: {sentence[:60]}"
    words, most = len(sentence.split()), SENTENCE_WORDS_MAX[passage.language]
    if passage.kind == "prose" and words > most:
        yield offset, f"{words} words, over {most}: {sentence[:60]}"


def _sentences(text):
    start = 0
    for match in re.finditer(r"(?<=[.!?:])[)\"”*]*\s+(?=[\"“(*`]*[A-ZÀ-Ý])|(?<=[.!?])\s*$| · ", text):
        yield start, text[start : match.start()]
        start = match.end()
    if text[start:].strip():
        yield start, text[start:]


def passages_of(file):
    """All that is written for people in a file."""
    suffix = PurePosixPath(file.path).suffix
    if file.is_cpp:
        return [*_cpp_comments(file), *_cpp_literals(file)]
    if suffix == ".py":
        return [*_line_comments(file, "#", _python_comments(file.text)), *_python_names(file)]
    if suffix == ".sql":
        return _line_comments(file, "--", _matches(file.text, r"--[^\n]*"))
    if suffix == ".md":
        return _document(file)
    return _line_comments(file, "#", _matches(file.text, r"(?:(?<=\s)|^)#[^\n]*"))


def _cpp_comments(file):
    comments = [(m.start(), m.group()) for m in source.tokens(file.text) if m.lastgroup == "comment"]
    return _line_comments(file, "/", comments)


def _cpp_literals(file):
    """Messages of src and names of tests; neighbours that the compiler joins are one."""
    name = re.compile(r"(?:TEST_CASE|SUBCASE|TEST_SUITE)(?:_FIXTURE)?\((?:\w+, *)?$|^\s*(?:TEST_CASE|SUBCASE)\($")
    is_source, end = file.path.startswith("src/"), -1
    literals, passages = [m for m in source.tokens(file.text) if m.lastgroup == "text"], []
    for match in literals:
        words = match.group()[1:-1].replace("\\n", " ")
        is_name = bool(name.search(file.text[max(0, match.start() - 40) : match.start()]))
        if end >= 0 and passages and not file.text[end : match.start()].strip():
            passages[-1].lines[-1] += words
        elif is_source or is_name:
            line = source.line_of(file.text, match.start())
            passages.append(Passage(file.path, line, [words], "name" if is_name else "message"))
        else:
            end = -1
            continue
        end = match.end()
    return [passage for passage in passages if " " in passage.text.strip()]


def _python_comments(text):
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield starts[token.start[0] - 1] + token.start[1], token.string


def _python_names(file):
    """Docstrings, and the names of tests."""
    for node in ast.walk(ast.parse(file.text)):
        if isinstance(node, (ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and ast.get_docstring(node):
            first = node.body[0]
            yield Passage(file.path, first.lineno, ast.get_docstring(node).splitlines(), "comment")
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name.startswith("test_"):
            yield Passage(file.path, node.lineno, [node.name[5:].replace("_", " ")], "name")


def _matches(text, pattern):
    return [(match.start(), match.group()) for match in re.finditer(pattern, text, re.MULTILINE)]


def _line_comments(file, mark, comments):
    """A comment, with those of the next lines that continue it in its column, is one passage."""
    passages, last = [], (-2, -1)
    for offset, text in comments:
        begin = file.text.rfind("\n", 0, offset) + 1
        line, column = source.line_of(file.text, offset), offset - begin
        lines = [part.strip().strip("*").strip(mark).strip() for part in text.splitlines()]
        is_trailing = bool(file.text[begin:offset].strip())
        if passages and last == (line - 1, column) and not is_trailing:
            passages[-1].lines += lines
        else:
            passages.append(Passage(file.path, line, lines, "trailing" if is_trailing else "comment"))
        last = (line + len(lines) - 1, column)
    return passages


def _document(file):
    """Paragraphs, list items and rows of a document, without its code; code within a line counts as one word."""
    language = "fr" if ".fr." in file.path else "en"
    passages, is_code, is_open = [], False, False
    for number, line in enumerate(file.text.splitlines(), 1):
        bare = line.strip()
        if bare.startswith("```"):
            is_code, is_open = not is_code, False
        elif is_code or not bare:
            is_open = False
        elif bare.startswith("|"):
            cells = [cell.strip() for cell in _plain(bare).strip("|").split("|")]
            passages += [Passage(file.path, number, [cell], "table", language) for cell in cells if " " in cell]
            is_open = False
        elif is_open and not re.match(r"[-*#>] |#+ |\d+\. ", bare):
            passages[-1].lines.append(_plain(bare))
        else:
            passages.append(Passage(file.path, number, [_plain(bare)], "prose", language))
            is_open = not bare.startswith("#")
    return passages


def _plain(line):
    line = re.sub(r"`[^`]*`", "CODE", line)
    line = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", line)
    return re.sub(r"^(?:[-*>]|\d+\.|#+) |\*\*|<[^>]*>", "", line)


def subject_faults(subjects):
    """(the subject, its fault) of each commit subject that is not `area: imperative` in 72 characters."""
    for subject in subjects:
        if len(subject) > SUBJECT_LENGTH_MAX:
            yield subject, f"{len(subject)} characters, over {SUBJECT_LENGTH_MAX}"
        area, colon, words = subject.partition(": ")
        if not colon or not re.fullmatch(r"[a-z0-9_./, -]+", area):
            yield subject, "not of the form area: imperative"
        else:
            for _, _, fault in offences([Passage("", 1, [words], "name")]):
                yield subject, fault


def new_subjects(root):
    """Subjects of the newest commits after the rule's introduction; none where that commit is unknown."""
    command = ["git", "log", "--no-merges", f"-{COMMITS}", "--format=%s", f"{RULE_SINCE}..HEAD"]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.splitlines() if done.returncode == 0 else []


def report(files, root, only):
    """Prints each offence of the paths that begin with one of `only` (all when none is given), and counts by folder."""
    chosen = [file for file in files if not only or file.path.startswith(tuple(only))]
    passages = [passage for file in chosen for passage in passages_of(file)]
    counts, whats = Counter(), Counter()
    for path, line, fault in sorted(offences(passages)):
        print(f"{path}:{line}: {fault}")
        counts[_folder(path)] += 1
    for passage in passages:
        if passage.kind in ("comment", "trailing"):
            whats[_folder(passage.path)] += sum(bool(re.search(r"\bwhat\b", line, re.IGNORECASE)) for line in passage.lines)
    for subject, fault in subject_faults(new_subjects(root)) if not only else ():
        print(f"commit: {subject}: {fault}")
        counts["commit subjects"] += 1
    print(f"\n{'offences':>8} {'what':>5}  folder   (what: comment lines with that word; no offence by itself)")
    for folder in sorted(counts.keys() | +whats):
        print(f"{counts[folder]:8} {whats[folder]:5}  {folder}")
    print(f"{counts.total():8} {whats.total():5}  in all")
    return counts.total()


def _folder(path):
    parts = PurePosixPath(path).parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0] if len(parts) == 2 else path
