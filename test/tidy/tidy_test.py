"""Every style rule must be able to fail, and must not fail on what is right."""

import pytest

import co_await
import rules
import source
from rules import File, Layers

TABLE = Layers(
    """
    # a comment
    base:
    pg:
    http:    net
    ingest:  http/message pg
    <libpq   pg
    <spdlog/ base/log
    """
)


def problems(rule, *files):
    return [(path, line) for path, line, _ in rule(list(files), TABLE)]


def cpp(path, text):
    return File(path, text)


@pytest.mark.parametrize(
    "path, header, allowed",
    [
        ("src/pg/pool.cpp", '"pg/pool.hpp"', True),
        ("src/pg/pool.cpp", '"base/hex.hpp"', True),
        ("src/pg/pool.cpp", '"http/message.hpp"', False),
        ("src/base/hex.cpp", '"pg/pool.hpp"', False),
        ("src/ingest/receive.cpp", '"http/message.hpp"', True),
        ("src/ingest/receive.cpp", '"http/server.hpp"', False),
        ("test/unit/pg/pool_test.cpp", '"http/server.hpp"', True),
        ("src/pg/pool.cpp", "<vector>", True),
    ],
)
def test_layers(path, header, allowed):
    file = cpp(path, f"#pragma once\n#include {header}\n")
    assert problems(rules.layers, file) == ([] if allowed else [(path, 2)])


def test_a_commented_include_counts_for_nothing():
    assert not problems(rules.layers, cpp("src/pg/pool.cpp", '// #include "http/server.hpp"\n'))


def test_folders_and_rows_agree():
    files = [cpp(f"src/{name}/a.cpp", "") for name in ("base", "pg", "http", "ingest")]
    assert not problems(rules.folders, *files)
    assert problems(rules.folders, *files, cpp("src/cellar/a.cpp", "")) == [("src/cellar/a.cpp", 1)]
    assert problems(rules.folders, *files[:3]) == [("test/tidy/layers.txt", 1)]


@pytest.mark.parametrize(
    "includes, are_in_a_circle",
    [
        ({"pg/a.hpp": "pg/b.hpp", "pg/b.cpp": "pg/b.hpp"}, False),
        ({"pg/a.hpp": "pg/b.hpp", "pg/b.cpp": "pg/a.hpp"}, True),  # a header and its source are one
        ({"pg/a.hpp": "pg/b.hpp", "pg/b.hpp": "pg/c.hpp", "pg/c.hpp": "pg/a.hpp"}, True),
        ({"cli/one/a.hpp": "cli/two/b.hpp", "cli/two/c.hpp": "cli/one/d.hpp"}, True),  # the folders
        ({"cli/one/a.hpp": "cli/two/b.hpp", "cli/two/c.hpp": "cli/d.hpp"}, False),
    ],
)
def test_circles(includes, are_in_a_circle):
    files = [cpp(f"src/{path}", f'#include "{header}"\n') for path, header in includes.items()]
    assert bool(problems(rules.circles, *files)) == are_in_a_circle


@pytest.mark.parametrize(
    "path, header, allowed",
    [
        ("src/pg/connection.cpp", "<libpq-fe.h>", True),
        ("src/http/codec.cpp", "<libpq-fe.h>", False),
        ("src/base/log.cpp", "<spdlog/spdlog.h>", True),
        ("src/base/hex.cpp", "<spdlog/spdlog.h>", False),
        ("bench/ceiling.cpp", "<libpq-fe.h>", True),
    ],
)
def test_libraries(path, header, allowed):
    assert problems(rules.libraries, cpp(path, f"#include {header}\n")) == ([] if allowed else [(path, 1)])


def test_include_paths():
    assert problems(rules.include_paths, cpp("src/pg/a.hpp", "int a();\n")) == [("src/pg/a.hpp", 1)]
    assert problems(rules.include_paths, cpp("src/pg/a.cpp", '#include "a.hpp"\n')) == [("src/pg/a.cpp", 1)]
    assert problems(rules.include_paths, cpp("src/pg/a.cpp", '#include "../pg/a.hpp"\n')) == [("src/pg/a.cpp", 1)]
    assert not problems(rules.include_paths, cpp("src/pg/a.hpp", '#pragma once\n#include "pg/b.hpp"\n'))


@pytest.mark.parametrize(
    "statement",
    [
        "co_await f(x);",
        "co_await f(a, std::move(b), g(c));",
        "auto [ec, n] = co_await stream.async_read_some(buffer, as_result);",
        "const auto rows = co_await connection.run(batch);",
        "pg::Result rows = co_await connection->run(batch);",
        "std::vector<int> rows = co_await read<int>(connection);",
        "rows_ = co_await connection_.run(batch);",
        "rows[i] = co_await connections_[i].run(batch);",
        "co_return co_await f(x);",
        "(void)co_await f(x);",
        "co_return co_await start<const Token<>, void(Error)>(operation, token);",
        "if (ready) co_await f(x);",
        "if (a) { b(); } else { co_await f(x); }",
        "for (auto& batch : batches) co_await write(batch);",
        "switch (kind) { case Kind::a: co_await f(x); break; default: co_await g(); }",
        "try { co_await f(x); } catch (const Error&) { g(); }",
        'co_await f("{?}");  // co_await f({}) ? 1 : 2',
        "spawn(context, [&]() -> awaitable<void> { co_await f(x); }, token);",
        "co_await (readable(socket) || writable(socket));",
    ],
)
def test_plain_awaits(statement):
    assert co_await.offences(source.code_of("awaitable<void> run() {\n" + statement + "\n}\n")) == []


@pytest.mark.parametrize(
    "statement",
    [
        "co_await f({a, b});",
        "co_await f(Options{.a = b});",
        "co_await f([owned = std::move(x)] { g(owned); });",
        "auto x = ready ? co_await f() : y;",
        "co_await f(ready ? a : b);",
        "if (co_await f()) g();",
        "if ((co_await f()).size() == 64) { g(); }",
        "while (co_await next()) { g(); }",
        "auto x = (co_await f()).size();",
        "auto x = co_await f() + 1;",
        "g(co_await f());",
        "co_await f(co_await g());",
        "co_return Agg{.a = co_await f()};",
        "return_value(co_await f(), co_await g());",
        "for (auto x : co_await f()) g(x);",
    ],
)
def test_other_awaits(statement):
    offences = co_await.offences(source.code_of("awaitable<void> run() {\n" + statement + "\n}\n"))
    assert [line for line, _ in offences] == [2]


def test_awaits_rule():
    assert problems(rules.awaits, cpp("src/pg/a.cpp", "void f() { g(co_await h()); }\n")) == [("src/pg/a.cpp", 1)]


def test_file_length():
    assert not problems(rules.file_length, cpp("src/pg/a.cpp", "\n" * 500))
    assert problems(rules.file_length, cpp("src/pg/a.cpp", "\n" * 501)) == [("src/pg/a.cpp", 501)]
    assert not problems(rules.file_length, cpp("sql/a.sql", "\n" * 501))


HEADS = [
    "void f()",
    "std::vector<int> Pool::take(std::function<void()> done) const noexcept",
    "auto f() -> std::optional<int>",
    "template <typename T>\nT f(T x)",
    "Pool::Pool(int size) : size_{size}, free_(size), name_{}",
    "Pool::~Pool()",
    "bool operator()(int a)",
    'extern "C" int run(const char* text)',
    'TEST_CASE("a thing")',
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("wrap", ["{}", "namespace a::b {{\n{}\n}}", "class Pool : public Base {{\n int x{{0}};\n{}\n}};"])
def test_function_length(head, wrap):
    lines_of_body = rules.FUNCTION_LINES_MAX - head.count("\n") - 2
    for extra in (0, 1):
        body = "  if (x) {{\n  }}".format() + "\n" * (lines_of_body - 1 + extra)
        file = cpp("src/pg/a.cpp", wrap.format(head + " {\n" + body + "}"))
        assert len(problems(rules.function_length, file)) == extra


def test_functions_stand_apart():
    code = source.code_of("#define A {\nconstexpr int table[] = {1,\n2};\nvoid f() {\n  g([] { h(); });\n}\nvoid g() {}\n")
    found = [(function.head, function.first_line, function.last_line) for function in source.functions(code)]
    assert found == [("void f()", 4, 6), ("void g()", 7, 7)]


def test_python_function_length():
    body = "    x = 1\n" * rules.FUNCTION_LINES_MAX
    assert problems(rules.function_length, File("test/a.py", "def f():\n" + body)) == [("test/a.py", 1)]


def test_environment():
    assert problems(rules.environment, cpp("src/pg/a.cpp", 'auto x = std::getenv("X");')) == [("src/pg/a.cpp", 1)]
    assert problems(rules.environment, cpp("src/pg/a.cpp", "extern char** environ;")) == [("src/pg/a.cpp", 1)]
    assert not problems(rules.environment, cpp("src/config/a.cpp", 'auto x = std::getenv("X");'))
    assert not problems(rules.environment, cpp("src/pg/a.cpp", "// getenv is for config\n"))


def header(folder, name, types):
    return cpp(f"src/{folder}/{name}.hpp", f"#pragma once\nnamespace socialsync::{folder} {{\n{types}\n}}\n")


@pytest.mark.parametrize(
    "definition",
    ["struct Row {\n};", "class Row final : public Base {\n};", "enum class Row : std::uint8_t { a };", "union Row { int a; };",
     "enum Row { a, b };", "template <class T>\nstruct Row {\n  T value;\n};", "struct Row { struct Inner {}; };"],
)
def test_one_definition(definition):
    twice = [header("pg", "a", definition), header("pg", "b", "\nstruct Row { int b = 0; };")]
    assert problems(rules.one_definition, *twice)[0] == ("src/pg/b.hpp", 4)
    assert not problems(rules.one_definition, header("pg", "a", definition), header("http", "b", "struct Row {};"))


@pytest.mark.parametrize(
    "types",
    ["struct Row;\nclass Other;", "void f(struct Row& row) {\n}", "inline int f() {\n  struct Row {};\n  return 0;\n}", "// struct Row {};",
     "struct Page { struct Row {}; };", "namespace detail { struct Row {}; }", "struct Rows { Row row{}; };", "template <class Row>\nvoid f() {}"],
)
def test_types_that_are_defined_once(types):
    assert not problems(rules.one_definition, header("pg", "a", "struct Row {};"), header("pg", "b", types))


def test_files_of_their_own_may_name_a_type_alike():
    once = header("pg", "a", "struct Row {};")
    assert not problems(rules.one_definition, once, cpp("src/pg/b.cpp", "namespace socialsync::pg { namespace { struct Row {}; } }"))
    assert problems(rules.one_definition, once, cpp("src/pg/b.cpp", "namespace socialsync::pg { struct Row {}; }"))
    assert not problems(rules.one_definition, once, cpp("test/support/b.hpp", "namespace socialsync::pg { struct Row {}; }"))


def test_unfinished():
    assert problems(rules.unfinished, cpp("src/pg/a.cpp", "\n// TO" "DO: more\n")) == [("src/pg/a.cpp", 2)]
    assert not problems(rules.unfinished, cpp("src/pg/a.cpp", "// Todos los santos\n"))


def test_tools_can_fail(tmp_path):
    import tidy

    bad_cpp, bad_bash = tmp_path / "a.cpp", tmp_path / "a"
    bad_cpp.write_text("int  a ;\n")
    bad_bash.write_text("#!/usr/bin/env bash\nrm $1\n")
    assert not tidy.is_formatted([str(bad_cpp)])
    assert not tidy.is_sound_bash([str(bad_bash)])
    bad_cpp.write_text("int a;\n")
    bad_bash.write_text('#!/usr/bin/env bash\nrm "$1"\n')
    assert tidy.is_formatted([str(bad_cpp)])
    assert tidy.is_sound_bash([str(bad_bash)])
