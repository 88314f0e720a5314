#include <doctest/doctest.h>

#include "migrate/backfill/pace.hpp"

using namespace socialsync::migrate;
using namespace std::chrono_literals;

TEST_CASE("a batch that takes too long is followed by one of half its size") {
  BackfillPace pace(100ms);
  CHECK(pace.size() == 500);
  pace.took(101ms);
  CHECK(pace.size() == 250);
  for (int i = 0; i < 20; ++i) pace.took(1s);
  CHECK(pace.size() == 1);
}

TEST_CASE("quick batches grow, up to a limit") {
  BackfillPace pace(100ms);
  pace.took(49ms);
  CHECK(pace.size() == 1000);
  for (int i = 0; i < 20; ++i) pace.took(1ms);
  CHECK(pace.size() == BackfillPace::size_max);
}

TEST_CASE("one that takes as long as it should keeps its size") {
  BackfillPace pace(100ms);
  pace.took(100ms);
  pace.took(50ms);
  CHECK(pace.size() == 500);
}
