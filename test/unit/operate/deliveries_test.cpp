#include "operate/deliveries.hpp"

#include <doctest/doctest.h>

using namespace socialsync;
using operate::Ending;
using operate::endings_of;

namespace {

Uuid endpoint(std::uint8_t number) {
  Uuid id;
  id.bytes[0] = number;
  return id;
}

store::PastAttempt attempt(std::uint8_t to, std::string error) {
  store::PastAttempt made;
  made.endpoint_id = endpoint(to);
  made.error = std::move(error);
  return made;
}

}  // namespace

TEST_CASE("endings: the newest attempt of each endpoint without a pending delivery") {
  store::OutboxRow waiting;
  waiting.endpoint_id = endpoint(4);
  const auto endings = endings_of({attempt(1, ""), attempt(2, "cancelled"), attempt(1, "http_status"),
                                   attempt(3, "timed_out"), attempt(4, "timed_out"), attempt(2, "timed_out")},
                                  {waiting});
  REQUIRE(endings.size() == 3);
  CHECK(endings[0].result == Ending::Result::delivered);
  CHECK(endings[1].result == Ending::Result::cancelled);
  CHECK(endings[2].result == Ending::Result::dropped);
  CHECK(endings[2].endpoint_id == endpoint(3));
}
