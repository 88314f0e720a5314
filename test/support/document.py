"""A Markdown document as its tests read it: code blocks, tables, names, links."""

import re
from dataclasses import dataclass
from functools import cached_property

from suite import ROOT

NOT_RUN = re.compile(r"<!-- not run: .+ -->")
UNITS = {
    "": 1, "KiB": 1 << 10, "Kio": 1 << 10, "MiB": 1 << 20, "Mio": 1 << 20,
    "ms": 1, "s": 1000, "min": 60_000,
}


@dataclass(frozen=True)
class Block:
    document: str
    line: int
    language: str
    text: str
    is_run: bool  # no comment says why not

    def __str__(self):
        return f"{self.document}:{self.line}"


class Document:
    def __init__(self, path):
        self.path = path  # from the repository's root
        self.text = (ROOT / path).read_text(encoding="utf8")

    def __str__(self):
        return self.path

    @cached_property
    def blocks(self):
        """Every fenced block, in order."""
        found, lines = [], self.text.splitlines()
        fences = [number for number, line in enumerate(lines) if line.startswith("```")]
        for begin, end in zip(fences[::2], fences[1::2]):
            is_run = not (begin and NOT_RUN.fullmatch(lines[begin - 1]))
            text = "\n".join(lines[begin + 1:end])
            found.append(Block(self.path, begin + 2, lines[begin][3:], text, is_run))
        return found

    @cached_property
    def prose(self):
        """The text without its blocks."""
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.M | re.S)

    @cached_property
    def headings(self):
        """Level and title of each."""
        return [(len(marks), title) for marks, title in re.findall(r"^(#+) (.+)$", self.prose, re.M)]

    @cached_property
    def tables(self):
        """Each a list of its rows, without headings; a row is a list of cells."""
        found = []
        for text in re.findall(r"(?:^\|.*\n)+", self.prose, re.M):
            found.append([[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in text.splitlines()[2:]])
        return found

    def table(self, first_cell):
        """The rows of the table that begins with this cell."""
        return next(table for table in self.tables if table[0][0] == first_cell)

    @cached_property
    def links(self):
        """Targets of links and pictures."""
        return re.findall(r"\]\(([^)\s]+)\)", self.prose)

    @cached_property
    def anchors(self):
        """The fragments that its headings make, as GitHub makes them."""
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for _, title in self.headings}


def quantity(text):
    """A number with its unit as people write it, in bytes or milliseconds: 4 MiB, 5,000, 5 000, 60 min."""
    number, unit = re.fullmatch(r"(\d[\d, \u00a0\u202f]*?)\s?([A-Za-z]*)", text).groups()
    return int(re.sub(r"\D", "", number)) * UNITS[unit]
