#include <sstream>

#include <doctest/doctest.h>

#include "base/failure.hpp"
#include "migrate/backfill/csv.hpp"

using namespace socialsync::migrate;

namespace {

std::vector<CsvRecord> records(const std::string& text) {
  std::istringstream input(text);
  CsvReader reader(input);
  std::vector<CsvRecord> all;
  while (std::optional<CsvRecord> record = reader.next()) all.push_back(*record);
  return all;
}

}  // namespace

TEST_CASE("a record ends at LF, CR LF or CR") {
  for (const char* text : {"a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2\r", "a,b\n1,2"}) {
    CAPTURE(text);
    const auto all = records(text);
    REQUIRE(all.size() == 2);
    CHECK(all[0].text == "a,b");
    CHECK(all[1].text == "1,2");
    CHECK(all[1].line == 2);
  }
}

TEST_CASE("a quoted field may contain line ends, which count as lines") {
  const auto all = records("a\r\n\"one\r\ntwo \"\"three\"\"\nfour\"\r\nb\r\n");
  REQUIRE(all.size() == 3);
  CHECK(all[1].text == "\"one\r\ntwo \"\"three\"\"\nfour\"");
  CHECK(all[2].line == 5);
}

TEST_CASE("blank lines are skipped, and count as lines") {
  const auto all = records("\n a\n\n \t\r\nb");
  REQUIRE(all.size() == 2);
  CHECK(all[0].line == 2);
  CHECK(all[1].line == 5);
}

TEST_CASE("a byte order mark is no part of the header") { CHECK(records("\xef\xbb\xbfid")[0].text == "id"); }

TEST_CASE("UTF-16 is refused") {
  CHECK_THROWS_AS(records(std::string("\xff\xfei\0", 4)), socialsync::Failure);
}

TEST_CASE("an unclosed quote is reported") {
  const auto all = records("a\n\"b\nc\n");
  CHECK(all[0].is_closed);
  CHECK_FALSE(all[1].is_closed);
}

TEST_CASE("a record over the limit is truncated") {
  const auto all = records("a\n\"" + std::string(2 * CsvReader::record_bytes_max, 'x') + "\"\nb\n");
  REQUIRE(all.size() == 3);
  CHECK_FALSE(all[1].is_whole);
  CHECK(all[1].text.size() == CsvReader::record_bytes_max);
  CHECK(all[2].text == "b");
}

TEST_CASE("the delimiter is the most frequent separator of the header") {
  CHECK(csv_delimiter("id,page_id") == ',');
  CHECK(csv_delimiter("id;page_id") == ';');
  CHECK(csv_delimiter("id\tpage_id\tx") == '\t');
  CHECK(csv_delimiter("\"a,b,c\";page_id") == ';');
  CHECK(csv_delimiter("id") == ',');
}

TEST_CASE("fields come without their quotes") {
  CHECK(csv_fields(R"(a;"b;c";"d ""e""";;"")", ';') ==
        std::vector<std::string>{"a", "b;c", "d \"e\"", "", ""});
  CHECK(count_csv_fields(R"(a;"b;c";"d ""e""";;"")", ';') == 5);
  CHECK(csv_fields(csv_quoted("a \"b\",\nc"), ',') == std::vector<std::string>{"a \"b\",\nc"});
}
