#include "deliver/outbox.hpp"

#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;
using Keys = std::vector<store::DeliveryKey>;

constexpr auto length = 60s;

store::DeliveryKey key(std::uint8_t number) {
  store::DeliveryKey made{};
  made.event_id.bytes[0] = number;
  return made;
}

Leases holding(std::uint8_t count, Leases::TimePoint now) {
  Leases leases(length);
  for (std::uint8_t i = 1; i <= count; ++i) CHECK(leases.add(key(i), now));
  return leases;
}

TEST_CASE("leases: they are due when half is over, and again half a length after they were renewed") {
  const Leases::TimePoint beginning;
  Leases leases = holding(2, beginning);
  CHECK(leases.due(beginning + 29s, 10).empty());
  CHECK(leases.due(beginning + 30s, 10) == Keys{key(1), key(2)});
  leases.renewed(Keys{key(1), key(2)}, beginning + 30s);
  CHECK(leases.due(beginning + 59s, 10).empty());
  CHECK(leases.due(beginning + 60s, 10) == Keys{key(1), key(2)});
}

TEST_CASE("leases: a lease that was not renewed stays due") {
  const Leases::TimePoint beginning;
  Leases leases = holding(3, beginning);
  CHECK(leases.due(beginning + 30s, 2) == Keys{key(1), key(2)});
  CHECK(leases.due(beginning + 31s, 2) == Keys{key(1), key(2)});
  leases.renewed(Keys{key(1), key(2)}, beginning + 31s);
  CHECK(leases.due(beginning + 31s, 2) == Keys{key(3)});
}

TEST_CASE("leases: an ended lease is not renewed, even if it ended after due()") {
  const Leases::TimePoint beginning;
  Leases leases = holding(4, beginning);
  leases.end(key(2));
  const Keys due = leases.due(beginning + 30s, 10);
  CHECK(due == Keys{key(1), key(3), key(4)});
  leases.end(key(3));
  CHECK(leases.add(key(2), beginning + 30s));
  leases.renewed(due, beginning + 31s);
  CHECK(leases.due(beginning + 60s, 10) == Keys{key(2)});
  CHECK(leases.due(beginning + 61s, 10) == Keys{key(2), key(1), key(4)});
  CHECK(leases.size() == 3);
}

constexpr Backlog::TimePoint day{24h};

Uuid endpoint_of(std::uint8_t number) {
  Uuid id;
  id.bytes[15] = number;
  return id;
}

// "1:128 2:8"
std::string asked(const std::vector<store::Room>& rooms) {
  std::string text;
  for (const store::Room& room : rooms)
    text += (text.empty() ? "" : " ") + std::to_string(room.endpoint_id.bytes[15]) + ":" +
            std::to_string(room.rows);
  return text;
}

std::vector<store::Room> take(Backlog& backlog, std::size_t rows_max = 500, Backlog::TimePoint now = day) {
  return backlog.take_wanted(now, [](const Uuid&) { return 512; }, rows_max);
}

TEST_CASE("backlog: endpoints with rows due are asked for, the others wait") {
  Backlog backlog;
  backlog.note(endpoint_of(1), day);
  backlog.note(endpoint_of(2), day + 1s);
  backlog.note(endpoint_of(2), day + 5s);  // the earlier time counts
  CHECK(backlog.is_due(endpoint_of(1), day));
  CHECK_FALSE(backlog.is_due(endpoint_of(2), day));
  CHECK(backlog.next_at(day) == day + 1s);
  CHECK(asked(take(backlog)) == "1:128");
  CHECK(take(backlog).empty());
  CHECK(asked(take(backlog, 500, day + 1s)) == "2:128");
  CHECK_FALSE(backlog.next_at(day));
}

TEST_CASE("backlog: many endpoints share a claim, and take turns") {
  Backlog backlog;
  for (std::uint8_t number = 1; number <= 4; ++number) backlog.note(endpoint_of(number), day);
  CHECK(asked(take(backlog, 20)) == "1:8 2:8 3:4");
  for (std::uint8_t number = 1; number <= 4; ++number) backlog.note(endpoint_of(number), day);
  CHECK(asked(take(backlog, 20)) == "4:8 1:8 2:4");
}

TEST_CASE("backlog: an endpoint without room is not asked for, and stays due") {
  Backlog backlog;
  backlog.note(endpoint_of(1), day);
  CHECK(backlog.take_wanted(day, [](const Uuid&) { return 0; }, 500).empty());
  CHECK(backlog.is_due(endpoint_of(1), day));
  backlog.put_off(endpoint_of(1), day + 200ms);
  CHECK(take(backlog).empty());
  CHECK(backlog.next_at(day) == day + 200ms);
}

TEST_CASE("backlog: after a claim, what is due next is known; rows that others hold are asked for later") {
  Backlog backlog;
  const auto next_after = [&](std::size_t rows, std::chrono::milliseconds in, bool is_cut = false) {
    backlog.clear();
    backlog.note(endpoint_of(1), day);
    const std::vector<store::Room> rooms = backlog.take_wanted(day, [](const Uuid&) { return 2; }, 500);
    store::Claim claim;
    claim.is_cut = is_cut;
    for (std::size_t i = 0; i < rows; ++i) claim.rows.emplace_back().key.endpoint_id = endpoint_of(1);
    claim.next.push_back({endpoint_of(1), in});
    backlog.note_claim(rooms, claim, day);
    return backlog.next_at(day - 1h).value() - day;
  };
  CHECK(next_after(2, -5s) == -5s);  // more than asked for was due
  CHECK(next_after(0, -5s) == 1s);   // others hold it
  CHECK(next_after(1, 60s) == 60s);
  CHECK(next_after(1, -5s, true) == -5s);  // more bytes than one claim takes
}

}  // namespace
}  // namespace socialsync::deliver
