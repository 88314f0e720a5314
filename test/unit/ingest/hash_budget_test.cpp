#include "ingest/hash_budget.hpp"

#include <doctest/doctest.h>

namespace socialsync::ingest {
namespace {

using namespace std::chrono_literals;

constexpr HashBudget::TimePoint start{1h};

TEST_CASE("hash budget: a second's worth, then no more") {
  HashBudget budget(1000);
  CHECK(budget.take(600, start));
  CHECK(budget.take(400, start));
  CHECK_FALSE(budget.take(1, start));
  CHECK(budget.take(0, start));
}

TEST_CASE("hash budget: what is refused takes nothing") {
  HashBudget budget(1000);
  CHECK_FALSE(budget.take(1001, start));
  CHECK(budget.take(1000, start));
}

TEST_CASE("hash budget: refills as time passes") {
  HashBudget budget(1000);
  REQUIRE(budget.take(1000, start));
  CHECK_FALSE(budget.take(501, start + 500ms));
  CHECK(budget.take(500, start + 500ms));
  CHECK_FALSE(budget.take(1, start + 500ms));
}

TEST_CASE("hash budget: never holds more than a second's worth") {
  HashBudget budget(1000);
  REQUIRE(budget.take(1000, start));
  CHECK(budget.take(1000, start + 1h));
  CHECK_FALSE(budget.take(1, start + 1h));
}

TEST_CASE("hash budget: many questions do not slow the refill") {
  HashBudget budget(100);
  REQUIRE(budget.take(100, start));
  for (auto at = start; at < start + 500ms; at += 1ms) REQUIRE_FALSE(budget.take(100, at));
  CHECK(budget.take(49, start + 500ms));
}

TEST_CASE("hash budget: a clock that stands still or goes back gives nothing") {
  HashBudget budget(1000);
  REQUIRE(budget.take(1000, start));
  CHECK_FALSE(budget.take(1, start - 10s));
  CHECK_FALSE(budget.take(1, start - 10s));
}

}  // namespace
}  // namespace socialsync::ingest
