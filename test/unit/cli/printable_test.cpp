#include "cli/printable.hpp"

#include <doctest/doctest.h>

namespace socialsync::cli {
namespace {

TEST_CASE("printable: text as it is, all else as bytes") {
  CHECK(printable("déjà 😀") == "déjà 😀");
  CHECK(printable("a\x1b[2J\n\x7f") == R"(a\x1b[2J\x0a\x7f)");
  CHECK(printable("a\n\tb", true) == "a\n\\x09b");
  CHECK(printable("\xc2\x9b") == R"(\xc2\x9b)");  // a control character of its own
  CHECK(printable("\xff\xc3(\xed\xa0\xbd\xc0\x80") == R"(\xff\xc3(\xed\xa0\xbd\xc0\x80)");
  CHECK(printable("\xf0\x9f\x98") == R"(\xf0\x9f\x98)");
  CHECK(printable(std::string_view("\0", 1)) == R"(\x00)");
}

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

}  // namespace
}  // namespace socialsync::cli
