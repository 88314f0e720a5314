"""Reads a C++ file for the style test: its code without comments and literals, its includes, its functions."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*|/\*.*?\*/)"
    r'|(?P<raw>R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)")'
    r'|(?P<text>"(?:\\.|[^"\\\n])*")'
    r"|(?P<number>\b[0-9][0-9a-zA-Z_]*(?:'[0-9a-zA-Z_]+)+)"
    r"|(?P<character>'(?:\\.|[^'\\\n])+')",
    re.DOTALL,
)
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"][^>"\n]+[>"])', re.MULTILINE)
_CONTAINER = re.compile(r'\b(?:namespace|class|struct|union|enum)\b|^extern ""$')
_NAME = r"[\w:~]+(?:\s*<[^{}]*>)?"
_FUNCTION = re.compile(
    r"@P(?:\s|const\b|noexcept\b|override\b|final\b|mutable\b|&|@P|->[\w\s:<>,*&]+)*"
    rf"(?::\s*{_NAME}\s*@[PB](?:\s*,\s*{_NAME}\s*@[PB])*\s*)?$"
)


def code_of(text):
    """The text without comments, directives and what literals hold, and with every line where it was."""
    emptied = {"comment": " ", "number": "0", "character": "' '"}

    def replace(match):
        return emptied.get(match.lastgroup, '""') + "\n" * match.group().count("\n")

    return _DIRECTIVE.sub(lambda match: "\n" * match.group().count("\n"), _TOKEN.sub(replace, text))


def tokens(text):
    """The comments and literals of the text, as matches whose lastgroup is the kind."""
    return _TOKEN.finditer(text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def includes(text):
    """(line, '<vector>' or '"pg/pool.hpp"') of each include."""
    return [(line_of(text, match.start(1)), match.group(1)) for match in _INCLUDE.finditer(text)]


@dataclass
class TypeDefinition:
    name: str  # with its namespaces and the types around it
    line: int


_TYPE = re.compile(r"(?:^|[^\w:,(<])(?:struct|class|union|enum(?:\s+(?:class|struct))?)\s+([\w:]+)(?:\s+final)?\s*(?::[^:].*)?$", re.DOTALL)
_NAMESPACE = re.compile(r"\b(?:inline\s+)?namespace\s*([\w:]*)\s*$")


def types(code):
    """The types that are defined outside of functions, nested ones too. Specialisations have no name of their own."""
    found, around, start = [], [], 0
    for match in re.finditer(r"[{};]", code):
        offset, mark = match.start(), match.group()
        if mark == "{":
            name = _name_of(code[start:offset])
            is_type = name is not None and not _NAMESPACE.search(code[start:offset])
            if is_type and None not in around:
                found.append(TypeDefinition("::".join([*around, name]), line_of(code, offset)))
            around.append(name)
        elif mark == "}" and around:
            around.pop()
        start = offset + 1
    return found


def _name_of(head):
    """The name of the namespace or type that the braces behind these words define, or None."""
    words = _collapse(head).strip()
    named = _NAMESPACE.search(words) or _TYPE.search(words)
    return named.group(1) if named else None


@dataclass
class Function:
    head: str
    first_line: int
    last_line: int

    @property
    def lines(self):
        return self.last_line - self.first_line + 1


def functions(code):
    """The functions defined at namespace or class scope; a lambda belongs to the function around it."""
    found, open_braces, start = [], [], 0
    for match in re.finditer(r"[{};]", code):
        offset, mark = match.start(), match.group()
        in_function = any(kind == "function" for kind, _ in open_braces)
        if mark == "{":
            open_braces.append(("block" if in_function else _kind(code[start:offset]), start))
        elif mark == "}" and open_braces:
            kind, opened_at = open_braces.pop()
            if kind == "function":
                head_at = re.compile(r"\s*").match(code, opened_at).end()
                head = " ".join(code[head_at:offset].split("{")[0].split())
                found.append(Function(head, line_of(code, head_at), line_of(code, offset)))
            if kind in ("block", "value"):
                continue
        if not in_function or mark == "}":
            start = offset + 1
        if mark == "{" and open_braces[-1][0] == "value":
            start = open_braces[-1][1]  # the statement goes on behind its braces
    return found


def _kind(head):
    words = _collapse(head).strip()
    if _FUNCTION.search(words):
        return "function"
    return "container" if _CONTAINER.search(words) else "value"


def collapse(text, pattern, sign):
    """The text with every match of the pattern, from the innermost out, made a sign."""
    previous = None
    while previous != text:
        previous, text = text, re.sub(pattern, sign, text)
    return text


def _collapse(text):
    """Every (…) as @P, every {…} as @B and every <…> of a template head gone."""
    text = collapse(collapse(text, r"\([^()]*\)", "@P"), r"\{[^{}]*\}", "@B")
    return re.sub(r"\btemplate\s*<[^@{}]*?>(?=\s+[\w\[])", "", text)
