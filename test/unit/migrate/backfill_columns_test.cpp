#include <doctest/doctest.h>

#include "base/failure.hpp"
#include "migrate/backfill/columns.hpp"

using namespace socialsync::migrate;

TEST_CASE("a header is read in any order and case") {
  const BackfillHeader header = read_backfill_header("Page_ID; \"ACCOUNT_ID\" ;webhook_events", true, false);
  CHECK(header.delimiter == ';');
  CHECK(header.names == std::vector<std::string>{"page_id", "account_id", "webhook_events"});
  REQUIRE(header.columns.size() == 2);
  CHECK(header.columns[0]->name == "page_id");
}

TEST_CASE("a header of constants names no account") {
  CHECK(read_backfill_header("webhook_status", false, false).columns.size() == 1);
  CHECK_THROWS_AS(read_backfill_header("id,webhook_status", false, false), socialsync::Failure);
}
