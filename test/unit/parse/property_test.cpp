// Properties of every body.
#include <algorithm>
#include <cstdlib>

#include "unit/parse/bodies.hpp"
#include "unit/parse/golden.hpp"
#include "unit/parse/support.hpp"

using namespace socialsync::parse;
using namespace socialsync::parse::test;

namespace {

// `payload` yields one event alone, which has all that the event it came from has but the payload.
Event check_alone(const std::string& payload, const Event& origin) {
  CAPTURE(payload);
  const Event event = only_event_of(payload);
  CHECK(event.platform == origin.platform);
  CHECK(event.key.entry_id == origin.key.entry_id);
  CHECK(event.key.phone_number_id == origin.key.phone_number_id);
  CHECK(event.type == origin.type);
  CHECK(event.kind == origin.kind);
  CHECK(event.natural_id == origin.natural_id);
  CHECK(event.time_ms == origin.time_ms);
  CHECK(event.customer == origin.customer);
  return event;
}

void check_events(const Webhook& webhook) {
  for (const Event& event : webhook.events) {
    const Event again = check_alone(event.exact_payload.value_or(event.payload), event);
    CHECK(again.discriminator == event.discriminator);
    CHECK(again.payload == event.payload);
    CHECK(again.exact_payload == event.exact_payload);
    if (event.exact_payload) CHECK(!check_alone(event.payload, event).exact_payload);
  }
}

}  // namespace

TEST_CASE("a payload splits into exactly its own event again") {
  for (const char* body : bodies) {
    CAPTURE(body);
    const Webhook webhook = webhook_of(body);
    CHECK(!webhook.events.empty());
    check_events(webhook);
  }
}

TEST_CASE("the payload of a golden body splits into exactly its own event again") {
  for (const auto& [path, body] : golden_bodies()) {
    CAPTURE(path);
    check_events(webhook_of(body));
  }
}

TEST_CASE("the payload of a public body splits into exactly its own event again" *
          doctest::skip(std::getenv("SOCIALSYNC_FIXTURES") == nullptr)) {
  for (const auto& [path, body] : bodies_in(std::getenv("SOCIALSYNC_FIXTURES"))) {
    CAPTURE(path);
    check_events(webhook_of(body, Platform::whatsapp));
  }
}

TEST_CASE("no two events of a body have the same identity") {
  for (const char* body : bodies) {
    CAPTURE(body);
    std::vector<std::string> identities;
    for (const Event& event : webhook_of(body).events) {
      identities.push_back(event.key.entry_id + '|' + event.key.phone_number_id + '|' + event.kind + '|' +
                           event.natural_id + '|' + event.discriminator);
    }
    std::ranges::sort(identities);
    CHECK(std::ranges::adjacent_find(identities) == identities.end());
  }
}

TEST_CASE("a body cut short anywhere is not JSON") {
  Splitter splitter;
  for (const std::string body : bodies) {
    for (std::size_t size = 0; size < body.size(); ++size) {
      std::string part = body.substr(0, size);
      part.shrink_to_fit();
      const auto webhook = splitter.split(part, Platform::whatsapp);
      REQUIRE_MESSAGE(webhook.has_error(), part);
      CHECK(webhook.error() == ParseError::not_json);
    }
  }
}

TEST_CASE("a body with any byte changed is read or refused, and its payloads still split alone") {
  Splitter splitter;
  for (const std::string body : bodies) {
    for (std::size_t at = 0; at < body.size(); ++at) {
      for (const char replacement : {'"', '{', ']', ',', '0', '\\'}) {
        std::string changed = body;
        changed[at] = replacement;
        const auto webhook = splitter.split(changed, Platform::whatsapp);
        if (webhook.has_value() && at % 16 == 0) check_events(*webhook);
      }
    }
  }
}
