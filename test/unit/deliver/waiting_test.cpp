#include "deliver/waiting.hpp"

#include <string>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

Delivery delivery(std::string payload, bool is_fresh) {
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
  for (int i = 0; i < others; ++i) waiting.push(delivery("o", false));
  for (int i = 0; i < fresh; ++i) waiting.push(delivery("f", true));
}

TEST_CASE("waiting: three that are fresh for one other, while both wait") {
  Waiting waiting;
  push(waiting, 7, 3);
  CHECK(all_turns(waiting) == "FFFoFFFoFo");
  push(waiting, 1, 4);
  CHECK(all_turns(waiting) == "Foooo");
}

TEST_CASE("waiting: another that comes late does not wait for all that are fresh") {
  Waiting waiting;
  push(waiting, 10, 0);
  for (int i = 0; i < 5; ++i) waiting.pop();
  waiting.push(delivery("o", false));
  CHECK_FALSE(waiting.pop().is_fresh);
}

TEST_CASE("waiting: each queue in its order") {
  Waiting waiting;
  for (const char* payload : {"1", "2", "3"}) waiting.push(delivery(payload, true));
  for (const char* payload : {"1", "2", "3"}) CHECK(waiting.pop().event->payload == payload);
}

TEST_CASE("waiting: counts itself and its bytes") {
  Waiting waiting;
  waiting.push(delivery("12345", true));
  waiting.push(delivery("123", false));
  CHECK(waiting.size() == 2);
  CHECK(waiting.bytes() == 8);
  waiting.pop();
  CHECK(waiting.bytes() == 3);
  waiting.push(delivery("1", true));
  CHECK(waiting.drain().size() == 2);
  CHECK(waiting.empty());
  CHECK(waiting.size() == 0);
  CHECK(waiting.bytes() == 0);
}

}  // namespace
}  // namespace socialsync::deliver
