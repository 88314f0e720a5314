#include "deliver/lanes.hpp"

#include <string>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;

constexpr Lanes::TimePoint start{1h};
constexpr AttemptEnd delivered{.how = Ended::delivered, .took = 20ms};
constexpr AttemptEnd delivered_slowly{.how = Ended::delivered, .took = 10s};
constexpr AttemptEnd failed{.how = Ended::failed, .took = 20ms};

Uuid endpoint(int number) {
  Uuid id;
  id.bytes[14] = static_cast<std::uint8_t>(number / 256);
  id.bytes[15] = static_cast<std::uint8_t>(number % 256);
  return id;
}

int number_of(const Uuid& id) { return id.bytes[14] * 256 + id.bytes[15]; }

Delivery delivery(int number, std::size_t bytes = 1, int attempts = 0) {
  Event event;
  event.payload.assign(bytes, 'x');
  return {.event = std::make_shared<const Event>(std::move(event)),
          .endpoint_id = endpoint(number),
          .attempts = static_cast<std::uint16_t>(attempts),
          .is_fresh = attempts == 0};
}

void configure(Lanes& lanes, int count, const LaneCaps& caps = {}) {
  for (int number = 0; number < count; ++number) lanes.configure(endpoint(number), caps, start);
}

// How many of so many are taken.
int offer(Lanes& lanes, int number, int count, Lanes::TimePoint now = start, std::size_t bytes = 1) {
  int taken = 0;
  for (int i = 0; i < count; ++i) taken += lanes.offer(delivery(number, bytes), now) ? 1 : 0;
  return taken;
}

// The endpoints in the order of their turns, until nothing more may begin: "0 1 2 ".
std::string turns(Lanes& lanes, Lanes::TimePoint now = start) {
  std::string text;
  while (const auto next = lanes.next(now)) text += std::to_string(number_of(next->endpoint_id)) + " ";
  return text;
}

void fail(Lanes& lanes, int number, int times, Lanes::TimePoint now = start) {
  for (int i = 0; i < times; ++i) {
    REQUIRE(lanes.offer(delivery(number), now));
    REQUIRE(lanes.next(now));
    CHECK(lanes.ended(endpoint(number), failed, now, 0).empty());
  }
}

TEST_CASE("lanes: take turns, one delivery each") {
  Lanes lanes;
  configure(lanes, 3);
  CHECK(offer(lanes, 0, 4) == 4);
  CHECK(offer(lanes, 1, 2) == 2);
  CHECK(offer(lanes, 2, 1) == 1);
  CHECK(lanes.waiting() == 7);
  CHECK(turns(lanes) == "0 1 2 0 1 0 0 ");
  CHECK(lanes.waiting() == 0);
  CHECK(lanes.waiting_bytes() == 0);
  CHECK(lanes.in_flight() == 7);
}

TEST_CASE("lanes: turns continue when all deliveries end at once") {
  Lanes lanes;
  configure(lanes, 3, {.concurrent_max = 1});
  for (int number = 0; number < 3; ++number) offer(lanes, number, 3);
  for (int round = 0; round < 3; ++round) {
    CHECK(turns(lanes) == "0 1 2 ");
    for (int number : {2, 0, 1}) CHECK(lanes.ended(endpoint(number), delivered, start, 0).empty());
  }
  CHECK(lanes.in_flight() == 0);
}

TEST_CASE("lanes: take turns when only one may be in flight") {
  Lanes lanes({.in_flight_max = 1});
  configure(lanes, 3);
  for (int number = 0; number < 3; ++number) offer(lanes, number, 3);
  std::string order;
  for (int i = 0; i < 9; ++i) {
    const std::string turn = turns(lanes);
    REQUIRE(turn.size() == 2);
    order += turn;
    CHECK(lanes.ended(endpoint(turn[0] - '0'), delivered, start, 0).empty());
  }
  CHECK(order == "0 1 2 0 1 2 0 1 2 ");
}

TEST_CASE("lanes: the lane with fewer in flight comes first") {
  Lanes lanes;
  configure(lanes, 2);
  offer(lanes, 0, 3);
  CHECK(turns(lanes) == "0 0 0 ");
  offer(lanes, 0, 2);
  offer(lanes, 1, 3);
  CHECK(turns(lanes) == "1 1 1 0 0 ");
}

TEST_CASE("lanes: the concurrency limit of an endpoint") {
  Lanes lanes;
  configure(lanes, 1, {.concurrent_max = 2});
  offer(lanes, 0, 5);
  CHECK(turns(lanes) == "0 0 ");
  CHECK(lanes.ended(endpoint(0), delivered, start, 0).empty());
  CHECK(turns(lanes) == "0 ");
  lanes.configure(endpoint(0), {.concurrent_max = 4}, start);
  CHECK(turns(lanes) == "0 0 ");
  CHECK_FALSE(lanes.next_at());
}

TEST_CASE("lanes: the rate limit of an endpoint") {
  Lanes lanes;
  configure(lanes, 1, {.concurrent_max = 100, .per_second_max = 2});
  offer(lanes, 0, 5);
  CHECK(turns(lanes) == "0 0 ");
  CHECK(lanes.next_at() == start + 500ms);
  CHECK(turns(lanes, start + 499ms).empty());
  CHECK(turns(lanes, start + 500ms) == "0 ");
  CHECK(turns(lanes, start + 10s) == "0 0 ");
  CHECK_FALSE(lanes.next_at());
}

TEST_CASE("lanes: changed limits apply at once") {
  Lanes lanes;
  configure(lanes, 1, {.per_second_max = 1});
  offer(lanes, 0, 4);
  CHECK(turns(lanes) == "0 ");
  lanes.configure(endpoint(0), {.per_second_max = 1}, start);
  CHECK(turns(lanes).empty());
  lanes.configure(endpoint(0), {}, start);
  CHECK(turns(lanes) == "0 0 0 ");
}

TEST_CASE("lanes: an unknown endpoint has no room") {
  Lanes lanes;
  CHECK(lanes.room(endpoint(0), start) == 0);
  CHECK_FALSE(lanes.offer(delivery(0), start));
  CHECK_FALSE(lanes.is_open(endpoint(0)));
  CHECK(lanes.remove(endpoint(0)).empty());
  CHECK(lanes.ended(endpoint(0), delivered, start, 0).empty());
  CHECK_FALSE(lanes.next(start));
}

TEST_CASE("lanes: an opened breaker returns the waiting deliveries, and one probe follows later") {
  Lanes lanes;
  configure(lanes, 1, {.concurrent_max = 5});
  offer(lanes, 0, 8);
  CHECK(turns(lanes) == "0 0 0 0 0 ");
  for (int i = 0; i < 4; ++i) CHECK(lanes.ended(endpoint(0), failed, start, 0).empty());
  CHECK_FALSE(lanes.is_open(endpoint(0)));
  CHECK(lanes.ended(endpoint(0), failed, start, 0).size() == 3);
  CHECK(lanes.is_open(endpoint(0)));
  CHECK(lanes.waiting() == 0);
  CHECK(lanes.waiting_bytes() == 0);
  CHECK(lanes.room(endpoint(0), start) == 0);
  CHECK_FALSE(lanes.offer(delivery(0), start + 29s));
  CHECK(lanes.next_at() == start + 30s);

  CHECK(lanes.room(endpoint(0), start + 30s) == 1);
  CHECK(offer(lanes, 0, 3, start + 30s) == 1);
  CHECK(lanes.room(endpoint(0), start + 30s) == 0);
  CHECK(turns(lanes, start + 30s) == "0 ");
  CHECK(lanes.room(endpoint(0), start + 40s) == 0);
  CHECK_FALSE(lanes.next_at());
}

TEST_CASE("lanes: a probe closes or reopens the breaker") {
  Lanes lanes;
  configure(lanes, 1);
  fail(lanes, 0, 5);
  fail(lanes, 0, 1, start + 30s);
  CHECK(lanes.next_at() == start + 90s);
  CHECK(lanes.room(endpoint(0), start + 89s) == 0);
  CHECK(offer(lanes, 0, 1, start + 90s) == 1);
  CHECK(turns(lanes, start + 90s) == "0 ");
  CHECK(lanes.ended(endpoint(0), delivered, start + 91s, 0).empty());
  CHECK_FALSE(lanes.is_open(endpoint(0)));
  CHECK(lanes.room(endpoint(0), start + 91s) == LaneLimits().lane_waiting_max);
}

TEST_CASE("lanes: next_at() drops a time that has passed, after next()") {
  Lanes lanes;
  configure(lanes, 1);
  fail(lanes, 0, 5);
  CHECK(lanes.next_at() == start + 30s);
  CHECK_FALSE(lanes.next(start + 30s));
  CHECK_FALSE(lanes.next_at());
  CHECK(lanes.room(endpoint(0), start + 30s) == 1);
}

TEST_CASE("lanes: a removed lane returns the waiting deliveries, and those in flight still end") {
  Lanes lanes;
  configure(lanes, 1, {.concurrent_max = 2});
  offer(lanes, 0, 5);
  CHECK(turns(lanes) == "0 0 ");
  CHECK(lanes.remove(endpoint(0)).size() == 3);
  CHECK(lanes.in_flight() == 2);
  CHECK(lanes.room(endpoint(0), start) == 0);
  CHECK_FALSE(lanes.next(start));
  CHECK(lanes.ended(endpoint(0), delivered, start, 0).empty());
  CHECK(lanes.ended(endpoint(0), delivered, start, 0).empty());
  CHECK(lanes.in_flight() == 0);
}

TEST_CASE("lanes: a lane that is configured again keeps its deliveries in flight, and has a closed breaker") {
  Lanes lanes;
  configure(lanes, 1, {.concurrent_max = 2});
  offer(lanes, 0, 2);
  CHECK(turns(lanes) == "0 0 ");
  CHECK(lanes.ended(endpoint(0), delivered, start, 0).empty());
  CHECK(lanes.remove(endpoint(0)).empty());
  configure(lanes, 1, {.concurrent_max = 2});
  offer(lanes, 0, 2);
  CHECK(turns(lanes) == "0 ");

  Lanes other;
  configure(other, 1);
  offer(other, 0, 6);
  CHECK(turns(other) == "0 0 0 0 0 0 ");
  for (int i = 0; i < 5; ++i) CHECK(other.ended(endpoint(0), failed, start, 0).empty());
  CHECK(other.is_open(endpoint(0)));
  CHECK(other.remove(endpoint(0)).empty());
  CHECK_FALSE(other.is_open(endpoint(0)));
  configure(other, 1);
  CHECK_FALSE(other.is_open(endpoint(0)));
  CHECK(offer(other, 0, 2) == 2);
  CHECK(other.in_flight() == 1);
}

TEST_CASE("lanes: a repaired endpoint is sent to at once, with its breaker open or half-open") {
  for (const bool is_probing : {false, true}) {
    Lanes lanes;
    configure(lanes, 1);
    fail(lanes, 0, 5);
    const Lanes::TimePoint later = is_probing ? start + 30s : start + 1s;
    if (is_probing) {
      REQUIRE(offer(lanes, 0, 1, later) == 1);
      REQUIRE(turns(lanes, later) == "0 ");
    }
    CHECK(lanes.room(endpoint(0), later) == 0);
    lanes.repaired(endpoint(0), later);
    CHECK_FALSE(lanes.is_open(endpoint(0)));
    CHECK_FALSE(lanes.next_at());
    CHECK(offer(lanes, 0, 3, later) == 3);
    CHECK(turns(lanes, later) == "0 0 0 ");
  }
}

TEST_CASE("lanes: an outdated attempt changes neither breaker nor slowness") {
  constexpr AttemptEnd outdated{.how = Ended::failed, .took = 10s, .is_outdated = true};
  Lanes lanes({.slow_in_flight_max = 1});
  configure(lanes, 1);
  offer(lanes, 0, 12);
  turns(lanes);
  lanes.repaired(endpoint(0), start);
  for (int i = 0; i < 12; ++i) CHECK(lanes.ended(endpoint(0), outdated, start, 0).empty());
  CHECK_FALSE(lanes.is_open(endpoint(0)));
  CHECK(lanes.in_flight() == 0);
  CHECK(offer(lanes, 0, 2) == 2);
  CHECK(turns(lanes) == "0 0 ");  // nor is it slow
  fail(lanes, 0, 5);
  CHECK(lanes.ended(endpoint(0), {.how = Ended::delivered, .is_outdated = true}, start, 0).empty());
  CHECK(lanes.is_open(endpoint(0)));
}

TEST_CASE("lanes: room() is the number of deliveries that are accepted") {
  for (const std::size_t waiting_max : {1U, 2U, 3U, 4U, 10U, 11U, 12U, 100U, 10'000U}) {
    Lanes lanes({.waiting_max = waiting_max, .lane_waiting_max = 50});
    configure(lanes, 3);
    for (int number = 0; number < 3; ++number) {
      const auto room = static_cast<int>(lanes.room(endpoint(number), start));
      CHECK(offer(lanes, number, 200) == room);
      CHECK(room <= 50);
      CHECK(lanes.waiting() <= waiting_max);
    }
    if (waiting_max >= 3) CHECK(turns(lanes).starts_with("0 1 2 "));
  }
}

TEST_CASE("lanes: full lanes leave room for the others") {
  Lanes lanes({.waiting_max = 1000, .lane_waiting_max = 500});
  configure(lanes, 101);
  for (int round = 0; round < 500; ++round)
    for (int number = 0; number < 100; ++number) offer(lanes, number, 1);
  CHECK(lanes.room(endpoint(100), start) >= 1);
}

TEST_CASE("lanes: waiting deliveries are limited in bytes") {
  Lanes lanes({.waiting_bytes_max = 900});
  configure(lanes, 4);
  CHECK(offer(lanes, 0, 10, start, 100) == 3);
  CHECK(offer(lanes, 1, 10, start, 100) == 2);
  CHECK(offer(lanes, 2, 1, start, 500) == 0);
  CHECK(offer(lanes, 2, 1, start, 400) == 1);
  CHECK(lanes.waiting_bytes() == 900);
  CHECK(offer(lanes, 3, 1, start, 1) == 0);
  CHECK(lanes.room(endpoint(3), start) == 0);
  turns(lanes);
  CHECK(lanes.waiting_bytes() == 0);
  CHECK(lanes.room(endpoint(3), start) > 0);
}

TEST_CASE("lanes: the limit in flight, and a third of the rest for one lane") {
  Lanes lanes({.in_flight_max = 12});
  configure(lanes, 12);
  offer(lanes, 0, 100);
  CHECK(turns(lanes) == "0 0 0 0 ");
  for (int number = 1; number < 12; ++number) offer(lanes, number, 1);
  CHECK(turns(lanes) == "1 2 3 4 5 6 7 8 ");
  CHECK(lanes.in_flight() == 12);
  CHECK(lanes.ended(endpoint(0), delivered, start, 0).empty());
  CHECK(turns(lanes) == "9 ");
  CHECK(lanes.ended(endpoint(1), delivered, start, 0).empty());
  CHECK(lanes.ended(endpoint(2), delivered, start, 0).empty());
  CHECK(turns(lanes) == "10 11 ");
}

TEST_CASE("lanes: slow lanes leave a quarter of the places to the others") {
  Lanes lanes({.in_flight_max = 8, .slow_in_flight_max = 6});
  configure(lanes, 11);
  for (int number = 0; number < 10; ++number) {
    REQUIRE(offer(lanes, number, 1) == 1);
    REQUIRE(lanes.next(start));
    CHECK(lanes.ended(endpoint(number), delivered_slowly, start, 0).empty());
    REQUIRE(offer(lanes, number, 1) == 1);
  }
  CHECK(turns(lanes) == "0 1 2 3 4 5 ");
  CHECK(offer(lanes, 10, 1) == 1);
  CHECK(turns(lanes) == "10 ");

  SUBCASE("the next slow delivery begins when another has ended") {
    CHECK(lanes.ended(endpoint(3), delivered_slowly, start, 0).empty());
    CHECK(turns(lanes) == "6 ");
  }
  SUBCASE("a quick delivery makes its lane quick") {
    CHECK(lanes.ended(endpoint(3), delivered, start, 0).empty());
    CHECK(offer(lanes, 3, 1) == 1);
    CHECK(turns(lanes) == "6 3 ");
  }
  SUBCASE("all of them end") {
    for (int number : {0, 1, 2, 3, 4, 5})
      CHECK(lanes.ended(endpoint(number), delivered_slowly, start, 0).empty());
    CHECK(lanes.in_flight() == 1);
    CHECK(turns(lanes) == "6 7 8 9 ");
  }
}

TEST_CASE("lanes: retries and first attempts of one lane share its turns") {
  Lanes lanes;
  configure(lanes, 1);
  for (const int attempts : {1, 0, 0, 0, 0}) REQUIRE(lanes.offer(delivery(0, 1, attempts), start));
  std::string order;
  while (const auto next = lanes.next(start)) order += next->attempts == 0 ? 'F' : 'R';
  CHECK(order == "FFFRF");
}

TEST_CASE("lanes: ten thousand idle or blocked lanes cost nothing") {
  constexpr int count = 10'000, rounds = 1'000;
  Lanes lanes;
  configure(lanes, count, {.concurrent_max = 1, .per_second_max = 1});
  // A thousand wait for their rate, some for a probe; the rest is idle.
  for (int number = 1; number <= 1000; ++number) {
    offer(lanes, number, 2);
    REQUIRE(lanes.next(start));
    CHECK(lanes.ended(endpoint(number), number % 2 == 0 ? delivered : failed, start, 0).empty());
  }
  lanes.configure(endpoint(0), {}, start);
  const std::uint64_t before = lanes.looks();
  for (int round = 0; round < rounds; ++round) {
    offer(lanes, 0, 1);
    CHECK(turns(lanes) == "0 ");
    CHECK(lanes.ended(endpoint(0), delivered, start, 0).empty());
  }
  CHECK(lanes.looks() - before <= 4 * rounds);
}

TEST_CASE("lanes: lanes that wait for a free place are not looked at each time") {
  constexpr int count = 400, rounds = 1'000;
  Lanes lanes({.in_flight_max = 403});
  configure(lanes, count);
  for (int number = 0; number < count; ++number) offer(lanes, number, 3);
  turns(lanes);
  REQUIRE(lanes.in_flight() == 400);
  lanes.configure(endpoint(count), {}, start);
  const std::uint64_t before = lanes.looks();
  for (int round = 0; round < rounds; ++round) {
    offer(lanes, count, 1);
    CHECK(turns(lanes) == std::to_string(count) + " ");
    CHECK(lanes.ended(endpoint(count), delivered, start, 0).empty());
  }
  CHECK(lanes.looks() - before <= 5 * rounds);
}

}  // namespace
}  // namespace socialsync::deliver
