#include "cli/text/printable.hpp"

#include <doctest/doctest.h>

namespace socialsync::cli {
namespace {

TEST_CASE("printable: JSON with a line for each member") {
  CHECK(indented_json(R"({"a":[1,{"b":"x,\"}"}],"c":{},"d":[ ]})") ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"x,\\\"}\"\n    }\n  ],\n  \"c\": {},\n  \"d\": []\n}");
  CHECK(indented_json("[1e400000]") == "[\n  1e400000\n]");
}

TEST_CASE("printable: what is no JSON container is not indented") {
  for (const char* text : {"", "hello", "{", "}", "[}", "{\"a\":\"}", "]["}) CHECK_FALSE(indented_json(text));
  CHECK_FALSE(indented_json(std::string(300, '[') + std::string(300, ']')));
}

TEST_CASE("printable: columns") {
  CHECK(aligned({{"A", "B"}, {"é", ""}, {"long", "x"}}) == "A     B\né\nlong  x\n");
}

TEST_CASE("columns: characters count, bytes and colours do not") {
  CHECK(columns_of("") == 0);
  CHECK(columns_of("≤100 é") == 6);
  CHECK(columns_of("\033[31mbad\033[0m") == 3);
  CHECK(first_columns("██░ 40%", 2) == "██");
  CHECK(first_columns("\033[1mab\033[0m", 1) == "\033[1ma");
  CHECK(first_columns("ab", 9) == "ab");
}

TEST_CASE("a text is broken between words, and its rest indented") {
  CHECK(wrapped("D05  one two three", 5, 12) == "D05  one two\n    three");
  CHECK(wrapped("short", 5, 40) == "short");
  CHECK(wrapped("", 5, 40).empty());
  CHECK(wrapped("a\nb c", 2, 40) == "a\n  b c");
  CHECK(wrapped("\033[1mone\033[0m two", 0, 7) == "\033[1mone\033[0m two");
}

TEST_CASE("a word that is too long stays whole") {
  CHECK(wrapped("a social_accounts_has_page_id b", 2, 10) == "a\n  social_accounts_has_page_id\n  b");
}

TEST_CASE("the rest of a line goes under its second column") {
  CHECK(wrapped_lines("  --yes   Do not ask\n  x", 18) == "  --yes   Do not\n      ask\n  x");
  CHECK(wrapped_lines("Usage: a bc\n", 9) == "Usage: a\n  bc\n");
}

}  // namespace
}  // namespace socialsync::cli
