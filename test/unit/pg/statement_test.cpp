#include "pg/statement.hpp"

#include <string>

#include <doctest/doctest.h>

#include "base/text.hpp"

namespace socialsync::pg {
namespace {

std::string hex(Array array) {
  const std::string bytes = std::move(array).encoded();
  std::string text;
  append_hex(text, {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
  return text;
}

// dimensions, nulls flag, element type, then size and lower bound, then each element with its length:
// array_send() in PostgreSQL's src/backend/utils/adt/arrayfuncs.c.
TEST_CASE("pg array: an empty array has no dimension") {
  CHECK(hex(Array(Type::text)) ==
        "00000000"
        "00000000"
        "00000019");
  CHECK(hex(Array(Type::uuid)) ==
        "00000000"
        "00000000"
        "00000b86");
}

TEST_CASE("pg array: text") {
  Array array(Type::text);
  array.add("ab");
  array.add("");
  CHECK(hex(std::move(array)) ==
        "00000001"
        "00000000"
        "00000019"
        "00000002"
        "00000001"
        "00000002"
        "6162"
        "00000000");
}

TEST_CASE("pg array: a null has no length and raises the flag") {
  Array array(Type::text);
  array.add_null();
  array.add("a");
  CHECK(hex(std::move(array)) ==
        "00000001"
        "00000001"
        "00000019"
        "00000002"
        "00000001"
        "ffffffff"
        "00000001"
        "61");
}

TEST_CASE("pg array: bytes are sent as they are") {
  Array array(Type::bytea);
  array.add(std::string_view("\0\xff{,\"", 5));
  CHECK(hex(std::move(array)) ==
        "00000001"
        "00000000"
        "00000011"
        "00000001"
        "00000001"
        "00000005"
        "00ff7b2c22");
}

TEST_CASE("pg array: jsonb carries its version before its text") {
  Array array(Type::jsonb);
  array.add_jsonb("{}");
  CHECK(hex(std::move(array)) ==
        "00000001"
        "00000000"
        "00000eda"
        "00000001"
        "00000001"
        "00000003"
        "01"
        "7b7d");
}

TEST_CASE("pg array: a uuid is its sixteen bytes") {
  Array array(Type::uuid);
  array.add(*parse_uuid("00112233-4455-6677-8899-aabbccddeeff"));
  CHECK(hex(std::move(array)) ==
        "00000001"
        "00000000"
        "00000b86"
        "00000001"
        "00000001"
        "00000010"
        "00112233445566778899aabbccddeeff");
}

TEST_CASE("pg array: times are microseconds since 2000") {
  Array array(Type::timestamptz);
  array.add_timestamp(946'684'800'000);
  array.add_timestamp(946'684'800'001);
  array.add_timestamp(946'684'799'999);
  array.add_timestamp(0);
  CHECK(hex(std::move(array)) ==
        "00000001"
        "00000000"
        "000004a0"
        "00000004"
        "00000001"
        "00000008"
        "0000000000000000"
        "00000008"
        "00000000000003e8"
        "00000008"
        "fffffffffffffc18"
        "00000008"
        "fffca2fec4c82000");
}

TEST_CASE("pg array: sizes beyond one byte") {
  Array array(Type::text);
  for (int i = 0; i < 300; ++i) array.add(std::string(300, 'x'));
  const std::string bytes = hex(std::move(array));
  CHECK(bytes.substr(24, 8) == "0000012c");
  CHECK(bytes.substr(40, 8) == "0000012c");
  CHECK(bytes.size() == 2 * (20 + 300 * 304));
}

TEST_CASE("pg statement: parameters in order, with their formats") {
  Array array(Type::text);
  Statement statement{.name = "n", .sql = "SELECT $1, $2, $3"};
  statement.with("text").with_null().with(std::move(array));
  REQUIRE(statement.parameters.size() == 3);
  CHECK(statement.parameters[0].value == "text");
  CHECK_FALSE(statement.parameters[0].binary);
  CHECK_FALSE(statement.parameters[1].value);
  CHECK(statement.parameters[2].binary);
  CHECK(statement.parameters[2].value->size() == 12);
}

}  // namespace
}  // namespace socialsync::pg
