#include <doctest/doctest.h>

#include "migrate/backup/manifest.hpp"

namespace socialsync::migrate {
namespace {

BackupManifest example() {
  return {.database = {.name = "shop \"1\"", .oid = "16384", .system_identifier = ""},
          .host = "db.example.org",
          .port = "5432",
          .server_version = "15.20",
          .pg_dump_version = "15.20",
          .started_at = 1'767'225'600,
          .finished_at = 1'767'225'661,
          .schema_only = false,
          .verified = Verified::read,
          .verified_note = "the role x may not create databases",
          .tables = {{.name = "public.users", .rows = 3, .hash = "-12345678901234567890123"}},
          .files = {{.name = "dump/toc.dat", .bytes = 7, .sha256 = "00ff"}}};
}

TEST_CASE("backup: a manifest survives a round trip through JSON") {
  const std::string text = to_json(example());
  CHECK(to_json(manifest_of(text)) == text);
  const BackupManifest read = manifest_of(text);
  CHECK(read.database.name == "shop \"1\"");
  CHECK(read.started_at == 1'767'225'600);
  CHECK(read.verified == Verified::read);
  CHECK(read.tables == example().tables);
  CHECK(read.files == example().files);
  CHECK(text.find("\"started_at\":\"2026-01-01T00:00:00Z\"") != std::string::npos);
}

TEST_CASE("backup: text that is not a manifest is refused") {
  for (const char* text : {"", "[]", "{}", R"({"v":2})", R"({"v":1,"database":"x"})"})
    CHECK_THROWS_AS(manifest_of(text), std::exception);
}

TEST_CASE("backup: another database of the same name is recognized as different") {
  const DatabaseIdentity here{.name = "shop", .oid = "1", .system_identifier = "77"};
  CHECK(here.matches({.name = "shop", .oid = "1", .system_identifier = "77"}));
  CHECK(here.matches({.name = "shop", .oid = "1", .system_identifier = ""}));
  CHECK_FALSE(here.matches({.name = "shop", .oid = "1", .system_identifier = "78"}));
  CHECK_FALSE(here.matches({.name = "shop", .oid = "2", .system_identifier = "77"}));
}

TEST_CASE("backup: the difference names each table") {
  const std::vector<TableDigest> original{{"a", 1, "5"}, {"b", 2, "6"}, {"c", 3, "7"}, {"d", 4, "8"}};
  CHECK(difference(original, original).empty());
  CHECK(difference(original, {{"a", 1, "5"}, {"b", 1, "6"}, {"c", 3, "0"}, {"e", 0, "0"}}) ==
        "b: 2 rows, 1 in the copy\n"
        "c: 3 rows in both, with other values in the copy\n"
        "d: 4 rows, not in the copy\n"
        "e: only in the copy\n");
}

}  // namespace
}  // namespace socialsync::migrate
