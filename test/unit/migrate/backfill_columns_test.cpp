#include <doctest/doctest.h>

#include "base/failure.hpp"
#include "migrate/backfill/columns.hpp"

using namespace socialsync::migrate;

TEST_CASE("a header is read in any order and case") {
  const BackfillHeader header =
      read_backfill_header("Page_ID; \"ACCOUNT_ID\" ;webhook_events", Columns::of_the_migration);
  CHECK(header.delimiter == ';');
  CHECK(header.names == std::vector<std::string>{"page_id", "account_id", "webhook_events"});
  REQUIRE(header.columns.size() == 2);
  CHECK(header.columns[0]->name == "page_id");
}

TEST_CASE("a file may not fill columns older than the migration") {
  CHECK(read_backfill_header("id,access_token", Columns::all).columns.size() == 1);
  CHECK_THROWS_AS(read_backfill_header("id,access_token", Columns::of_the_migration), socialsync::Failure);
}

TEST_CASE("a header without an account or a column is refused") {
  CHECK_THROWS_AS(read_backfill_header("webhook_status", Columns::all), socialsync::Failure);
  CHECK_THROWS_AS(read_backfill_header("id,platform", Columns::all), socialsync::Failure);
}
