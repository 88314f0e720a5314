#include "deliver/lane.hpp"

#include <algorithm>
#include <string>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint noon{1h};

Breaker opened() {
  Breaker breaker;
  for (std::uint32_t i = 0; i < breaker_failures_max; ++i) breaker.failed(noon, 0);
  return breaker;
}

TEST_CASE("breaker: opens after five failures in a row") {
  Breaker breaker;
  for (std::uint32_t i = 1; i < breaker_failures_max; ++i) breaker.failed(noon, 0);
  CHECK(breaker.is_closed());
  CHECK(breaker.allows(noon));
  CHECK_FALSE(breaker.probe_at());
  breaker.failed(noon, 0);
  CHECK_FALSE(breaker.is_closed());
  CHECK_FALSE(breaker.allows(noon));
  CHECK(breaker.probe_at() == noon + 30s);
}

TEST_CASE("breaker: a success resets the count") {
  Breaker breaker;
  for (std::uint32_t i = 0; i < 10 * breaker_failures_max; ++i) {
    breaker.failed(noon, 0);
    if (i % 4 == 3) breaker.succeeded();
  }
  CHECK(breaker.is_closed());
}

TEST_CASE("breaker: after a pause one probe at a time") {
  Breaker breaker = opened();
  CHECK_FALSE(breaker.allows(noon + 30s - 1ns));
  CHECK(breaker.allows(noon + 30s));
  CHECK_FALSE(breaker.is_closed());
  breaker.began();
  CHECK_FALSE(breaker.allows(noon + 30s));
  CHECK_FALSE(breaker.allows(noon + 1h));
  CHECK_FALSE(breaker.probe_at());
}

TEST_CASE("breaker: a successful probe closes it and resets the count") {
  Breaker breaker = opened();
  breaker.began();
  breaker.succeeded();
  CHECK(breaker.is_closed());
  for (std::uint32_t i = 1; i < breaker_failures_max; ++i) breaker.failed(noon, 0);
  CHECK(breaker.is_closed());
  breaker.failed(noon, 0);
  CHECK(breaker.probe_at() == noon + 30s);
}

TEST_CASE("breaker: each failed probe doubles the open time, up to five minutes") {
  Breaker breaker = opened();
  auto now = noon;
  for (const std::chrono::seconds pause : {30s, 60s, 120s, 240s, 300s, 300s, 300s}) {
    REQUIRE(breaker.probe_at() == now + pause);
    now += pause;
    breaker.began();
    breaker.failed(now, 0);
  }
}

TEST_CASE("breaker: jitter only adds") {
  Breaker breaker;
  for (std::uint32_t i = 0; i < breaker_failures_max; ++i) breaker.failed(noon, 0.5);
  CHECK(breaker.probe_at() == noon + 31500ms);
}

TEST_CASE("breaker: while open, deliveries that began earlier may close it") {
  Breaker breaker = opened();
  breaker.failed(noon + 20s, 0);
  CHECK(breaker.probe_at() == noon + 30s);
  breaker.succeeded();
  CHECK(breaker.is_closed());
}

TEST_CASE("breaker: while half-open, any failure counts as the probe's") {
  Breaker breaker = opened();
  breaker.began();
  breaker.failed(noon + 31s, 0);
  CHECK(breaker.probe_at() == noon + 91s);
  breaker.failed(noon + 45s, 0);
  CHECK(breaker.probe_at() == noon + 91s);
}

TEST_CASE(
    "breaker: a delivery that was not sent changes nothing, and a probe not sent may be repeated at once") {
  Breaker closed;
  for (std::uint32_t i = 0; i < 2 * breaker_failures_max; ++i) closed.not_sent(noon);
  CHECK(closed.is_closed());
  Breaker breaker = opened();
  breaker.not_sent(noon + 1s);
  CHECK(breaker.probe_at() == noon + 30s);
  breaker.began();
  breaker.not_sent(noon + 31s);
  CHECK_FALSE(breaker.is_closed());
  CHECK(breaker.allows(noon + 31s));
  breaker.began();
  breaker.failed(noon + 32s, 0);
  CHECK(breaker.probe_at() == noon + 92s);
}

int taken_at(Rate& rate, TimePoint now) {
  int taken = 0;
  for (; taken < 10'000 && rate.allowed_from() <= now; ++taken) rate.take(now);
  return taken;
}

TEST_CASE("rate: a second's worth at once, then evenly") {
  Rate rate(10);
  CHECK(taken_at(rate, noon) == 10);
  CHECK(rate.allowed_from() == noon + 100ms);
  CHECK(taken_at(rate, noon + 99ms) == 0);
  CHECK(taken_at(rate, noon + 100ms) == 1);
  CHECK(taken_at(rate, noon + 500ms) == 4);
  CHECK(taken_at(rate, noon + 1h) == 10);
}

TEST_CASE("rate: one a second, zero counts as one") {
  for (const std::uint32_t per_second_max : {0U, 1U}) {
    Rate rate(per_second_max);
    CHECK(taken_at(rate, noon) == 1);
    CHECK(taken_at(rate, noon + 999ms) == 0);
    CHECK(taken_at(rate, noon + 1s) == 1);
  }
}

TEST_CASE("rate: no number, no limit") {
  Rate rate(std::nullopt);
  CHECK(taken_at(rate, noon) == 10'000);
}

TEST_CASE("rate: over a long time exactly as many as allowed, at times that do not divide evenly") {
  Rate rate(7);
  int taken = 0;
  for (auto now = noon; now < noon + 100s; now = std::max(now + 1ns, rate.allowed_from()))
    taken += taken_at(rate, now);
  CHECK(taken == 706);
}

Delivery waiting_delivery(std::string payload, bool is_fresh) {
  Event event;
  event.payload = std::move(payload);
  return {.event = std::make_shared<const Event>(std::move(event)), .endpoint_id = {}, .is_fresh = is_fresh};
}

// F and o for the fresh and the others, in the order in which they go.
std::string all_turns(Waiting& waiting) {
  std::string turns;
  while (!waiting.empty()) turns += waiting.pop().is_fresh ? 'F' : 'o';
  return turns;
}

void push(Waiting& waiting, int fresh, int others) {
  for (int i = 0; i < others; ++i) waiting.push(waiting_delivery("o", false));
  for (int i = 0; i < fresh; ++i) waiting.push(waiting_delivery("f", true));
}

TEST_CASE("waiting: three fresh ones alternate with one other, while both wait") {
  Waiting waiting;
  push(waiting, 7, 3);
  CHECK(all_turns(waiting) == "FFFoFFFoFo");
  push(waiting, 1, 4);
  CHECK(all_turns(waiting) == "Foooo");
}

TEST_CASE("waiting: a late other one does not wait for all fresh ones") {
  Waiting waiting;
  push(waiting, 10, 0);
  for (int i = 0; i < 5; ++i) waiting.pop();
  waiting.push(waiting_delivery("o", false));
  CHECK_FALSE(waiting.pop().is_fresh);
}

TEST_CASE("waiting: each queue in its order") {
  Waiting waiting;
  for (const char* payload : {"1", "2", "3"}) waiting.push(waiting_delivery(payload, true));
  for (const char* payload : {"1", "2", "3"}) CHECK(waiting.pop().event->payload == payload);
}

TEST_CASE("waiting: counts itself and its bytes") {
  Waiting waiting;
  waiting.push(waiting_delivery("12345", true));
  waiting.push(waiting_delivery("123", false));
  CHECK(waiting.size() == 2);
  CHECK(waiting.bytes() == 8);
  waiting.pop();
  CHECK(waiting.bytes() == 3);
  waiting.push(waiting_delivery("1", true));
  CHECK(waiting.drain().size() == 2);
  CHECK(waiting.empty());
  CHECK(waiting.size() == 0);
  CHECK(waiting.bytes() == 0);
}

}  // namespace
}  // namespace socialsync::deliver
