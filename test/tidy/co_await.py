"""The co_await rule: it is a whole statement with named arguments.

g++ 12 destroys some temporaries of a co_await expression twice, without a warning: lambdas that own what they
captured, braced aggregates, the arms of ?:, operands in an if or inside braces. A statement of one of these
forms, with no brace, lambda or ?: in it, is compiled right:

    co_await f(a, b);            co_return co_await f(a);              if (ready) co_await f(a);
    auto x = co_await f(a);      auto [error, n] = co_await f(a);      member_ = co_await f(a);
"""

import re

from source import collapse, line_of

_HEAD = r"(?:else |do |(?:if|while|for)(?: constexpr)? @ |case [\w:]+: |default: )*"
_TARGET = (
    r"(?:co_return |(?:const )?auto(?:&{1,2}|\*)? ?(?:\w+|\[[\w, ]+\]) = "
    r"|[\w:<>,&* ]+ [&*]*\w+ = |[\w.:\->\[\]*]+ = )?"
)
_ARGUMENTS = r"(?:<[\w:<>,&*@ ]*>)?"
_OPERAND = rf"\*?(?:[\w:]+{_ARGUMENTS})?(?:(?:\.|->)\w+{_ARGUMENTS}|@|\[\w+\])*"
_PLAIN = re.compile(f"{_HEAD}{_TARGET}co_await {_OPERAND}$")


def offences(code):
    """(line, statement) of each co_await that is not a statement of its own."""
    return [
        (line, statement)
        for line, statement, is_whole in _statements(code)
        if re.search(r"\bco_await\b", statement) and not (is_whole and _is_plain(statement))
    ]


def _is_plain(statement):
    if re.search(r"[{?]", statement) or statement.count("co_await") > 1:
        return False
    statement = statement.removeprefix("(void)")
    return bool(_PLAIN.match(collapse(statement, r"\([^()]*\)", "@")))


def _statements(code):
    """(first line, text, ended by a semicolon) of each statement; those inside braces on their own."""
    open_braces, text, begin, depth = [], "", 0, 0
    for offset, character in enumerate(code):
        if not text.strip():
            begin = offset
        if character == "{":
            if _is_block(text, depth):
                yield line_of(code, begin), " ".join(text.split()), False
            open_braces.append((text, begin, depth))
            text, depth = "", 0
        elif character == "}":
            yield line_of(code, begin), " ".join(text.split()), False
            text, begin, depth = open_braces.pop() if open_braces else ("", offset, 0)
            text = "" if _is_block(text, depth) else text + "{}"
        elif character == ";" and depth == 0:
            yield line_of(code, begin), " ".join(text.split()), True
            text = ""
        else:
            depth += {"(": 1, ")": -1}.get(character, 0)
            text += character


def _is_block(head, depth):
    """True if the braces behind these words end a statement; False if they belong to an expression."""
    words = head.strip()
    return depth == 0 and (not words or bool(re.search(r"(?:[):]|\b(?:else|do|try|const|noexcept))$", words)))
