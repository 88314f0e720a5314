"""The style rules. Each takes the files and yields its problems as (path, line, what is wrong)."""

import ast
import re
from collections import defaultdict, deque
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

import co_await
import source

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 60


@dataclass
class File:
    path: str  # from the repository's root, with slashes
    text: str

    @property
    def is_cpp(self):
        return self.path.endswith((".cpp", ".hpp"))

    @property
    def layer(self):
        """The folder under src that the file belongs to; src/main.cpp is a layer of its own."""
        parts = PurePosixPath(self.path).parts
        if parts[0] != "src":
            return None
        return parts[1] if len(parts) > 2 else PurePosixPath(parts[1]).stem

    @cached_property
    def code(self):
        return source.code_of(self.text)


class Layers:
    """layers.txt: who may include whom, and where each foreign library lives."""

    def __init__(self, text):
        self.allowed, self.libraries = {}, {}
        for line in text.splitlines():
            words = line.split("#")[0].split()
            if words and words[0].endswith(":"):
                self.allowed[words[0][:-1]] = words[1:]
            elif words:
                self.libraries[words[0]] = words[1:]

    def permits(self, layer, header):
        """True if a file of this layer may include this header of ours."""
        folder = header.split("/")[0]
        if folder in (layer, "base"):
            return True
        allowed = self.allowed.get(layer, [])
        return folder in allowed or header.rsplit(".", 1)[0] in allowed

    def homes(self, header):
        """Where a foreign header may be included; nothing when anywhere."""
        for prefix, homes in self.libraries.items():
            if header.startswith(prefix):
                return homes
        return None


def layers(files, table):
    """An include stays within the layer table."""
    for file in files:
        for line, header in source.includes(file.text) if file.layer else ():
            if header.startswith('"') and not table.permits(file.layer, header.strip('"')):
                yield file.path, line, f"{file.layer} may not include {header}: test/tidy/layers.txt"


def folders(files, table):
    """Every folder under src is a row of the layer table, and every row is a folder."""
    present = {file.layer: file.path for file in files if file.layer}
    for layer, path in present.items():
        if layer not in table.allowed:
            yield path, 1, f"{layer} is not in test/tidy/layers.txt"
    for layer in table.allowed.keys() - present.keys():
        yield "test/tidy/layers.txt", 1, f"{layer} is not a folder of src"


def libraries(files, table):
    """A foreign library is included only where it lives."""
    for file in files:
        for line, header in source.includes(file.text) if file.layer else ():
            homes = table.homes(header)
            place = file.path.removeprefix("src/").rsplit(".", 1)[0]
            if homes is not None and not {file.layer, place} & set(homes):
                yield file.path, line, f"{header} belongs to {', '.join(homes)}: test/tidy/layers.txt"


def include_paths(files, _table):
    """Headers of ours are named by their path from src, and each has #pragma once."""
    for file in files:
        if file.layer and file.path.endswith(".hpp") and "#pragma once" not in file.text:
            yield file.path, 1, "no #pragma once"
        for line, header in source.includes(file.text) if file.layer else ():
            if header.startswith('"') and ("/" not in header or ".." in header):
                yield file.path, line, f"{header} is not a path from src"


def circles(files, _table):
    """No circle of includes: neither between files (a header and its source count as one) nor between folders."""
    first = {}
    by_file, by_folder = defaultdict(set), defaultdict(set)
    for file in files:
        node = _node_of(file.path.removeprefix("src/")) if file.layer and file.is_cpp else None
        for line, header in source.includes(file.text) if node else ():
            target = _node_of(header.strip('"'))
            if not header.startswith('"') or target == node:
                continue
            by_file[node].add(target)
            first.setdefault((node, target), (file.path, line))
            folder, other = str(PurePosixPath(node).parent), str(PurePosixPath(target).parent)
            if folder != other:
                by_folder[folder].add(other)
                first.setdefault((folder, other), (file.path, line))
    for graph in (by_file, by_folder):
        for circle in _circles_of(graph):
            yield *first[circle[0], circle[1]], f"a circle of includes: {' -> '.join([*circle, circle[0]])}"


def _node_of(path):
    return path.rsplit(".", 1)[0]


def _circles_of(graph):
    """One circle through each node that is part of one, shortest first; each set of nodes once."""
    seen = set()
    for start in sorted(graph):
        circle = _way_back(graph, start)
        if circle and frozenset(circle) not in seen:
            seen.add(frozenset(circle))
            yield circle


def _way_back(graph, start):
    """The shortest way from `start` back to it, without the end; nothing when there is none."""
    ways, known = deque([[start]]), set()
    while ways:
        way = ways.popleft()
        for target in sorted(graph.get(way[-1], ())):
            if target == start:
                return way
            if target not in known:
                known.add(target)
                ways.append([*way, target])
    return None


def awaits(files, _table):
    """co_await is a whole statement with named arguments."""
    for file in files:
        for line, statement in co_await.offences(file.code) if file.is_cpp else ():
            yield file.path, line, f"co_await is not a statement of its own: {statement[:120]}"


def file_length(files, _table):
    """A file has at most 500 lines; the migration is one file because psql runs it as one."""
    for file in files:
        lines = file.text.count("\n")
        if lines > FILE_LINES_MAX and not file.path.endswith(".sql"):
            yield file.path, lines, f"{lines} lines, over {FILE_LINES_MAX}"


def function_length(files, _table):
    """A function has at most 60 lines."""
    for file in files:
        for name, first_line, lines in _function_sizes(file):
            if lines > FUNCTION_LINES_MAX:
                yield file.path, first_line, f"{lines} lines, over {FUNCTION_LINES_MAX}: {name[:80]}"


def _function_sizes(file):
    if file.is_cpp:
        return [(function.head, function.first_line, function.lines) for function in source.functions(file.code)]
    if file.path.endswith(".py"):
        nodes = [n for n in ast.walk(ast.parse(file.text)) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
        return [(node.name, node.lineno, node.end_lineno - node.lineno + 1) for node in nodes]
    return []


def environment(files, _table):
    """Only config reads the environment; process hands it on to children."""
    for file in files:
        if file.layer in (None, "config", "process"):
            continue
        for match in re.finditer(r"\b(?:(?:secure_)?getenv|environ)\b", file.code):
            yield file.path, source.line_of(file.code, match.start()), "only config reads the environment"


def one_definition(files, _table):
    """A type is defined once: of two with one name in one namespace the linker keeps one's functions for both."""
    first = {}
    for file in files:
        for found in source.types(file.code) if file.layer and file.is_cpp else ():
            if "::::" in found.name:  # in an anonymous namespace
                continue
            if found.name in first:
                yield file.path, found.line, f"{found.name} is defined in {first[found.name]} too"
            first.setdefault(found.name, f"{file.path}:{found.line}")


def unfinished(files, _table):
    """Nothing is left to do in the code: what is known to be missing is written where users read it."""
    for file in files:
        for match in re.finditer(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b", file.text):
            yield file.path, source.line_of(file.text, match.start()), f"{match.group()} left"


RULES = [
    layers,
    folders,
    libraries,
    include_paths,
    circles,
    awaits,
    file_length,
    function_length,
    environment,
    one_definition,
    unfinished,
]
