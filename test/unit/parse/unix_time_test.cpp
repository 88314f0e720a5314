#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "parse/identity.hpp"
#include "parse/json_check.hpp"

using namespace socialsync::parse;

namespace {

std::optional<std::int64_t> time_of(std::string json) {
  JsonChecker checker;
  const auto root = checker.check(json, 4);
  REQUIRE_MESSAGE(root.has_value(), json);
  return unix_time_ms(*root);
}

}  // namespace

TEST_CASE("seconds and milliseconds, as numbers and as strings") {
  CHECK(time_of("1760000000") == 1760000000000);
  CHECK(time_of("\"1760000000\"") == 1760000000000);
  CHECK(time_of("1760000000123") == 1760000000123);
  CHECK(time_of("\"1760000000123\"") == 1760000000123);
}

TEST_CASE("milliseconds begin at 1e11") {
  CHECK(time_of("99999999999") == 99999999999000);
  CHECK(time_of("100000000000") == 100000000000);
}

TEST_CASE("only 48 bits are a time") {
  CHECK(time_of("281474976710655") == 281474976710655);
  CHECK(!time_of("281474976710656"));
  CHECK(!time_of("99999999999999999999999999"));
}

TEST_CASE("only a whole positive number is a time") {
  for (const char* json : {"0", "-5", "\"\"", "\"TIMESTAMP\"", "\" 1760000000\"", "\"1760000000x\"", "1.5",
                           "1e9", "null", "true", "{}", "[1760000000]", "\"+1\""}) {
    CHECK_MESSAGE(!time_of(json), json);
  }
}
