#include "deliver/outbox.hpp"

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

TEST_CASE("leases: what was not renewed is due still") {
  const Leases::TimePoint beginning;
  Leases leases = holding(3, beginning);
  CHECK(leases.due(beginning + 30s, 2) == Keys{key(1), key(2)});
  CHECK(leases.due(beginning + 31s, 2) == Keys{key(1), key(2)});
  leases.renewed(Keys{key(1), key(2)}, beginning + 31s);
  CHECK(leases.due(beginning + 31s, 2) == Keys{key(3)});
}

TEST_CASE("leases: what ended before or meanwhile is not renewed") {
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

}  // namespace
}  // namespace socialsync::deliver
