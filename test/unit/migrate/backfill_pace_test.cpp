#include <doctest/doctest.h>

#include "migrate/backfill/pace.hpp"

using namespace socialsync::migrate;
using namespace std::chrono_literals;

TEST_CASE("a slow batch halves the size of the next") {
  BackfillPace pace(100ms);
  CHECK(pace.size() == 500);
  pace.took(101ms);
  CHECK(pace.size() == 250);
  for (int i = 0; i < 20; ++i) pace.took(1s);
  CHECK(pace.size() == 1);
}

TEST_CASE("fast batches double the size, up to a limit") {
  BackfillPace pace(100ms);
  pace.took(49ms);
  CHECK(pace.size() == 1000);
  for (int i = 0; i < 20; ++i) pace.took(1ms);
  CHECK(pace.size() == BackfillPace::size_max);
}

TEST_CASE("a batch of the target duration keeps the size") {
  BackfillPace pace(100ms);
  pace.took(100ms);
  pace.took(50ms);
  CHECK(pace.size() == 500);
}
