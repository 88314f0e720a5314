#include "base/uuid.hpp"

#include <string>

#include <doctest/doctest.h>

namespace socialsync {
namespace {

constexpr std::string_view written = "0199c82c-c000-8dbb-a45c-2e8dffca5c5c";

TEST_CASE("uuid: there and back") {
  const auto id = parse_uuid(written);
  REQUIRE(id);
  CHECK(id->bytes[0] == 0x01);
  CHECK(id->bytes[15] == 0x5c);
  CHECK(to_string(*id) == written);
  CHECK(to_string(Uuid()) == "00000000-0000-0000-0000-000000000000");
}

TEST_CASE("uuid: either case is read, lower case is written") {
  const auto id = parse_uuid("0199C82C-C000-8DBB-A45C-2E8DFFCA5C5C");
  REQUIRE(id);
  CHECK(to_string(*id) == written);
}

TEST_CASE("uuid: only the usual form is read") {
  for (const std::string_view text :
       {"", "0199c82cc0008dbba45c2e8dffca5c5c", "{0199c82c-c000-8dbb-a45c-2e8dffca5c5c}",
        "0199c82c-c000-8dbb-a45c-2e8dffca5c5", "0199c82c-c000-8dbb-a45c-2e8dffca5c5c0",
        "0199c82c-c000-8dbb-a45c-2e8dffca5c5g", "0199c82cc-000-8dbb-a45c-2e8dffca5c5c",
        "0199c82c-c000-8dbb-a45c02e8dffca5c5c", " 199c82c-c000-8dbb-a45c-2e8dffca5c5c"})
    CHECK_MESSAGE(!parse_uuid(text), text);
}

TEST_CASE("uuid: sorts by its bytes, as PostgreSQL does") {
  const auto small = parse_uuid("0199c82c-c000-8fff-bfff-ffffffffffff");
  const auto large = parse_uuid("0199c82c-c001-8000-8000-000000000000");
  REQUIRE(small);
  REQUIRE(large);
  CHECK(*small < *large);
  CHECK(Uuid() < *small);
}

TEST_CASE("uuid: the hash tells ids of one moment apart") {
  const auto one = parse_uuid("0199c82c-c000-8000-8000-000000000001");
  const auto two = parse_uuid("0199c82c-c000-8000-8000-000000000002");
  CHECK(std::hash<Uuid>()(*one) != std::hash<Uuid>()(*two));
  CHECK(std::hash<Uuid>()(*one) == std::hash<Uuid>()(*parse_uuid("0199c82c-c000-8000-8000-000000000001")));
}

}  // namespace
}  // namespace socialsync
