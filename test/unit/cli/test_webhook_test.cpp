#include "cli/test_webhook.hpp"

#include <set>

#include <doctest/doctest.h>

#include "parse/split.hpp"

namespace socialsync::cli {
namespace {

using model::Platform;

constexpr std::int64_t time_ms = 1'760'000'000'123;

std::vector<model::Event> events_of(const TestWebhook& webhook) {
  std::string body = test_webhook(webhook);
  const auto split = parse::Splitter().split(body, std::nullopt);
  REQUIRE_MESSAGE(split.has_value(), body);
  CHECK(split->unreadable.empty());
  return split->events;
}

TEST_CASE("test webhook: a WhatsApp message to a number") {
  const auto events = events_of({.platform = Platform::whatsapp,
                                 .to = "683178638221369",
                                 .text = "Bonjour",
                                 .run = "r",
                                 .first = 7,
                                 .count = 1,
                                 .time_ms = time_ms});
  REQUIRE(events.size() == 1);
  const model::Event& event = events.front();
  CHECK(event.platform == Platform::whatsapp);
  CHECK(event.key.phone_number_id == "683178638221369");
  CHECK(event.key.entry_id == "683178638221369");
  CHECK(event.type == "messages");
  CHECK(event.natural_id == "wamid.TESTr7");
  CHECK(event.customer == "33765540003");
  CHECK(event.time_ms == time_ms / 1000 * 1000);
  CHECK(event.payload.find("Bonjour") != std::string::npos);
}

TEST_CASE("test webhook: Instagram and Messenger messages") {
  for (const Platform platform : {Platform::instagram, Platform::messenger}) {
    const auto events = events_of({.platform = platform,
                                   .to = "17841400000000000",
                                   .text = "x",
                                   .run = "r",
                                   .first = 0,
                                   .count = 1,
                                   .time_ms = time_ms});
    REQUIRE(events.size() == 1);
    CHECK(events.front().platform == platform);
    CHECK(events.front().key.entry_id == "17841400000000000");
    CHECK(events.front().type == "messages");
    CHECK(events.front().natural_id == "m_TESTr0");
    CHECK(events.front().time_ms == time_ms);
  }
}

TEST_CASE("test webhook: every message of a run has an id of its own") {
  for (const Platform platform : {Platform::whatsapp, Platform::instagram, Platform::messenger}) {
    std::set<std::string> ids;
    for (const std::uint64_t first : {0U, 10U}) {
      const auto events = events_of({.platform = platform,
                                     .to = "1",
                                     .text = "x",
                                     .run = "r",
                                     .first = first,
                                     .count = 10,
                                     .time_ms = time_ms});
      CHECK(events.size() == 10);
      for (const model::Event& event : events) ids.insert(event.natural_id);
    }
    CHECK(ids.size() == 20);
  }
}

TEST_CASE("test webhook: any text and receiver stay themselves") {
  for (const Platform platform : {Platform::whatsapp, Platform::instagram}) {
    const auto events = events_of({.platform = platform,
                                   .to = R"(a"b)",
                                   .text = "\"},{\\\n{} é",
                                   .run = "r",
                                   .first = 0,
                                   .count = 1,
                                   .time_ms = time_ms});
    REQUIRE(events.size() == 1);
    CHECK(events.front().key.entry_id == R"(a"b)");
    CHECK(events.front().payload.find(R"("\"},{\\\u000a{} é")") != std::string::npos);
  }
}

}  // namespace
}  // namespace socialsync::cli
