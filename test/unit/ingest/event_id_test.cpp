#include "ingest/event_id.hpp"

#include <limits>
#include <set>

#include <doctest/doctest.h>

#include "unit/route/accounts.hpp"

namespace socialsync::ingest {
namespace {

using model::Event;
using model::Platform;
using route::test::numbered;

constexpr std::int64_t time_ms = 1'760'000'000'000;

Event message() { return route::test::event(Platform::whatsapp, "900", "111"); }

Uuid id_of(const Event& event, std::uint8_t account = 1, std::int64_t at_ms = time_ms) {
  return EventIds().make(event, numbered(account), at_ms);
}

std::uint64_t time_in(const Uuid& id) {
  std::uint64_t time = 0;
  for (std::size_t i = 0; i < 6; ++i) time = time << 8 | id.bytes[i];
  return time;
}

// Computed apart from this program. It must never change: ids are in databases.
TEST_CASE("event id: known ids") {
  Event event = message();
  event.natural_id = "wamid.A";
  const auto account = parse_uuid("0a0b0c0d-0000-0000-0000-00000000000f");
  CHECK(to_string(EventIds().make(event, *account, time_ms)) == "0199c82c-c000-8dbb-a45c-2e8dffca5c5c");
  CHECK(to_string(EventIds().make({"body", "not json"}, 0)) == "00000000-0000-806b-8331-be126bd3dd05");
}

TEST_CASE("event id: version 8, variant 10, and the time in front") {
  Event event = message();
  for (int i = 0; i < 200; ++i) {
    event.natural_id = std::to_string(i);
    const Uuid id = id_of(event);
    CHECK((id.bytes[6] >> 4) == 8);
    CHECK((id.bytes[8] >> 6) == 2);
    CHECK(time_in(id) == time_ms);
  }
}

TEST_CASE("event id: the same event has the same id, whatever was asked before") {
  EventIds ids;
  const Uuid first = ids.make(message(), numbered(1), time_ms);
  ids.make({"body", "bytes"}, 0);
  CHECK(ids.make(message(), numbered(1), time_ms) == first);
  CHECK(EventIds().make(message(), numbered(1), time_ms) == first);
}

TEST_CASE("event id: what is no part of the identity does not change it") {
  Event event = message();
  const Uuid id = id_of(event);
  event.payload = R"({"another":"payload"})";
  event.type = "message_reads";
  event.customer = "337";
  event.key = {"other", "keys"};
  CHECK(id_of(event) == id);
}

TEST_CASE("event id: every part of the identity changes it") {
  const Event event = message();
  std::set<Uuid> ids{id_of(event), id_of(event, 2), id_of(event, 1, time_ms + 1)};
  Event other = event;
  other.platform = Platform::instagram;
  ids.insert(id_of(other));
  for (auto member : {&Event::kind, &Event::natural_id, &Event::discriminator}) {
    other = event;
    other.*member += "x";
    ids.insert(id_of(other));
  }
  CHECK(ids.size() == 7);
}

TEST_CASE("event id: another time changes nothing but the time") {
  const Uuid one = id_of(message(), 1, time_ms);
  Uuid two = id_of(message(), 1, time_ms + 1'000);
  CHECK(one < two);
  std::copy_n(one.bytes.begin(), 6, two.bytes.begin());
  CHECK(one == two);
}

TEST_CASE("event id: parts that give the same text together do not collide") {
  Event one = message();
  one.kind = "ab";
  one.natural_id = "c";
  Event two = message();
  two.kind = "a";
  two.natural_id = "bc";
  Event three = message();
  three.kind = "ab";
  three.natural_id = "";
  three.discriminator = "c";
  CHECK(id_of(one) != id_of(two));
  CHECK(id_of(one) != id_of(three));
  CHECK(EventIds().make({"ab", "c"}, 0) != EventIds().make({"a", "bc"}, 0));
}

TEST_CASE("event id: times beyond 48 bits are clamped") {
  constexpr std::int64_t last = (std::int64_t{1} << 48) - 1;
  CHECK(time_in(id_of(message(), 1, 0)) == 0);
  CHECK(time_in(id_of(message(), 1, -1)) == 0);
  CHECK(time_in(id_of(message(), 1, std::numeric_limits<std::int64_t>::min())) == 0);
  CHECK(time_in(id_of(message(), 1, last)) == last);
  CHECK(time_in(id_of(message(), 1, last + 1)) == last);
  CHECK(time_in(id_of(message(), 1, std::numeric_limits<std::int64_t>::max())) == last);
}

TEST_CASE("event id: a time that an id cannot hold is none") {
  constexpr std::int64_t last = (std::int64_t{1} << 48) - 1;
  Event event = message();
  for (const std::int64_t good : {std::int64_t{1}, time_ms, last}) {
    event.time_ms = good;
    CHECK(usable_time_ms(event) == good);
  }
  for (const std::int64_t bad : {std::int64_t{0}, std::int64_t{-1}, last + 1}) {
    event.time_ms = bad;
    CHECK_FALSE(usable_time_ms(event));
  }
  event.time_ms = std::nullopt;
  CHECK_FALSE(usable_time_ms(event));
}

}  // namespace
}  // namespace socialsync::ingest
