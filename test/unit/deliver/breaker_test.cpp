#include "deliver/breaker.hpp"

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;

constexpr Breaker::TimePoint start{1h};

Breaker opened() {
  Breaker breaker;
  for (std::uint32_t i = 0; i < breaker_failures_max; ++i) breaker.failed(start, 0);
  return breaker;
}

TEST_CASE("breaker: opens after five failures in a row") {
  Breaker breaker;
  for (std::uint32_t i = 1; i < breaker_failures_max; ++i) breaker.failed(start, 0);
  CHECK(breaker.is_closed());
  CHECK(breaker.allows(start));
  CHECK_FALSE(breaker.probe_at());
  breaker.failed(start, 0);
  CHECK_FALSE(breaker.is_closed());
  CHECK_FALSE(breaker.allows(start));
  CHECK(breaker.probe_at() == start + 30s);
}

TEST_CASE("breaker: a success in between begins the count anew") {
  Breaker breaker;
  for (std::uint32_t i = 0; i < 10 * breaker_failures_max; ++i) {
    breaker.failed(start, 0);
    if (i % 4 == 3) breaker.succeeded();
  }
  CHECK(breaker.is_closed());
}

TEST_CASE("breaker: after a pause one probe at a time") {
  Breaker breaker = opened();
  CHECK_FALSE(breaker.allows(start + 30s - 1ns));
  CHECK(breaker.allows(start + 30s));
  CHECK_FALSE(breaker.is_closed());
  breaker.began();
  CHECK_FALSE(breaker.allows(start + 30s));
  CHECK_FALSE(breaker.allows(start + 1h));
  CHECK_FALSE(breaker.probe_at());
}

TEST_CASE("breaker: a probe that succeeds closes it, with all forgotten") {
  Breaker breaker = opened();
  breaker.began();
  breaker.succeeded();
  CHECK(breaker.is_closed());
  for (std::uint32_t i = 1; i < breaker_failures_max; ++i) breaker.failed(start, 0);
  CHECK(breaker.is_closed());
  breaker.failed(start, 0);
  CHECK(breaker.probe_at() == start + 30s);
}

TEST_CASE("breaker: each probe that fails doubles the pause, to five minutes") {
  Breaker breaker = opened();
  auto now = start;
  for (const std::chrono::seconds pause : {30s, 60s, 120s, 240s, 300s, 300s, 300s}) {
    REQUIRE(breaker.probe_at() == now + pause);
    now += pause;
    breaker.began();
    breaker.failed(now, 0);
  }
}

TEST_CASE("breaker: jitter only adds") {
  Breaker breaker;
  for (std::uint32_t i = 0; i < breaker_failures_max; ++i) breaker.failed(start, 0.5);
  CHECK(breaker.probe_at() == start + 31500ms);
}

TEST_CASE("breaker: while it is open, what began before") {
  Breaker breaker = opened();
  breaker.failed(start + 20s, 0);
  CHECK(breaker.probe_at() == start + 30s);
  breaker.succeeded();
  CHECK(breaker.is_closed());
}

TEST_CASE("breaker: while a probe is under way, a failure stands for the probe's") {
  Breaker breaker = opened();
  breaker.began();
  breaker.failed(start + 31s, 0);
  CHECK(breaker.probe_at() == start + 91s);
  breaker.failed(start + 45s, 0);
  CHECK(breaker.probe_at() == start + 91s);
}

}  // namespace
}  // namespace socialsync::deliver
