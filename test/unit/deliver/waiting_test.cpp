#include "deliver/waiting.hpp"

#include <string>

#include <doctest/doctest.h>

namespace socialsync::deliver {
namespace {

Delivery delivery(std::string payload, std::uint16_t attempts) {
  Event event;
  event.payload = std::move(payload);
  return {.event = std::make_shared<const Event>(std::move(event)), .endpoint_id = {}, .attempts = attempts};
}

// F and R for first attempts and retries, in the order in which they go.
std::string all_turns(Waiting& waiting) {
  std::string turns;
  while (!waiting.empty()) turns += waiting.pop().attempts == 0 ? 'F' : 'R';
  return turns;
}

void push(Waiting& waiting, int firsts, int retries) {
  for (int i = 0; i < retries; ++i) waiting.push(delivery("r", 1));
  for (int i = 0; i < firsts; ++i) waiting.push(delivery("f", 0));
}

TEST_CASE("waiting: three first attempts for one retry, while both wait") {
  Waiting waiting;
  push(waiting, 7, 3);
  CHECK(all_turns(waiting) == "FFFRFFFRFR");
  push(waiting, 1, 4);
  CHECK(all_turns(waiting) == "FRRRR");
}

TEST_CASE("waiting: a retry that comes late does not wait for all first attempts") {
  Waiting waiting;
  push(waiting, 10, 0);
  for (int i = 0; i < 5; ++i) waiting.pop();
  waiting.push(delivery("r", 3));
  CHECK(waiting.pop().attempts == 3);
}

TEST_CASE("waiting: each queue in its order") {
  Waiting waiting;
  for (const char* payload : {"1", "2", "3"}) waiting.push(delivery(payload, 0));
  for (const char* payload : {"1", "2", "3"}) CHECK(waiting.pop().event->payload == payload);
}

TEST_CASE("waiting: counts itself and its bytes") {
  Waiting waiting;
  waiting.push(delivery("12345", 0));
  waiting.push(delivery("123", 2));
  CHECK(waiting.size() == 2);
  CHECK(waiting.bytes() == 8);
  waiting.pop();
  CHECK(waiting.bytes() == 3);
  waiting.push(delivery("1", 0));
  CHECK(waiting.drain().size() == 2);
  CHECK(waiting.empty());
  CHECK(waiting.size() == 0);
  CHECK(waiting.bytes() == 0);
}

}  // namespace
}  // namespace socialsync::deliver
