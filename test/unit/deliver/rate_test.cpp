#include "deliver/rate.hpp"

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;

constexpr Rate::TimePoint start{1h};

int taken_at(Rate& rate, Rate::TimePoint now) {
  int taken = 0;
  for (; taken < 10'000 && rate.allowed_from() <= now; ++taken) rate.take(now);
  return taken;
}

TEST_CASE("rate: a second's worth at once, then evenly") {
  Rate rate(10);
  CHECK(taken_at(rate, start) == 10);
  CHECK(rate.allowed_from() == start + 100ms);
  CHECK(taken_at(rate, start + 99ms) == 0);
  CHECK(taken_at(rate, start + 100ms) == 1);
  CHECK(taken_at(rate, start + 500ms) == 4);
  CHECK(taken_at(rate, start + 1h) == 10);
}

TEST_CASE("rate: one a second, and none counts as one") {
  for (const std::uint32_t per_second_max : {0U, 1U}) {
    Rate rate(per_second_max);
    CHECK(taken_at(rate, start) == 1);
    CHECK(taken_at(rate, start + 999ms) == 0);
    CHECK(taken_at(rate, start + 1s) == 1);
  }
}

TEST_CASE("rate: no number, no limit") {
  Rate rate(std::nullopt);
  CHECK(taken_at(rate, start) == 10'000);
}

TEST_CASE("rate: over a long time exactly as many as allowed, at times that do not divide evenly") {
  Rate rate(7);
  int taken = 0;
  for (auto now = start; now < start + 100s; now = std::max(now + 1ns, rate.allowed_from()))
    taken += taken_at(rate, now);
  CHECK(taken == 706);
}

}  // namespace
}  // namespace socialsync::deliver
