#pragma once

#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "parse/split.hpp"

namespace socialsync::parse::test {

using model::Event;
using model::Platform;
using model::Webhook;

inline Result<Webhook, ParseError> split(std::string body, std::optional<Platform> fallback = std::nullopt,
                                         Limits limits = {}) {
  return Splitter(limits).split(body, fallback);
}

inline Webhook webhook_of(const std::string& body, std::optional<Platform> fallback = std::nullopt) {
  const auto webhook = split(body, fallback);
  REQUIRE_MESSAGE(webhook.has_value(), body);
  return *webhook;
}

// The one event of a body in which there is nothing else.
inline Event only_event_of(const std::string& body, std::optional<Platform> fallback = std::nullopt) {
  const Webhook webhook = webhook_of(body, fallback);
  REQUIRE_MESSAGE(webhook.events.size() == 1, body);
  REQUIRE_MESSAGE(webhook.unreadable.empty(), body);
  return webhook.events.front();
}

// The one unreadable part of a body in which there is nothing else.
inline model::Unreadable only_unreadable_of(const std::string& body) {
  const Webhook webhook = webhook_of(body);
  REQUIRE_MESSAGE(webhook.events.empty(), body);
  REQUIRE_MESSAGE(webhook.unreadable.size() == 1, body);
  return webhook.unreadable.front();
}

// A webhook with one change in one entry.
inline std::string with_change(const std::string& object, const std::string& field,
                               const std::string& value) {
  return R"({"object":")" + object + R"(","entry":[{"id":"700","time":1760000000,"changes":[{"field":")" +
         field + R"(","value":)" + value + "}]}]}";
}

// A webhook with one element of messaging[] or standby[].
inline std::string with_messaging(const std::string& object, const std::string& element,
                                  const std::string& list = "messaging") {
  return R"({"object":")" + object + R"(","entry":[{"id":"700","time":1760000000123,")" + list + R"(":[)" +
         element + "]}]}";
}

inline std::string whatsapp(const std::string& value, const std::string& field = "messages") {
  return with_change("whatsapp_business_account", field, value);
}

}  // namespace socialsync::parse::test
