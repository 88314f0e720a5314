// Bytes to events: checks a webhook's body, then splits it into its events.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "model/event.hpp"
#include "parse/json_check.hpp"
#include "parse/limits.hpp"

namespace socialsync::parse {

// The reason why a whole body is quarantined.
enum class ParseError : std::uint8_t { not_json, too_deep, not_a_webhook };

// The error's name in snake_case, as quarantine stores it.
std::string_view to_string(ParseError error);

// Splits bodies one after another and reuses its buffers. One per thread.
class Splitter {
 public:
  explicit Splitter(Limits limits = {}) : limits_(limits) {}

  // Returns the body's events in its order, and its unreadable parts, up to the limits. Both are empty for a
  // webhook without entries. `body` keeps its content, but is reallocated when it lacks `padding_bytes` of
  // spare capacity. `fallback` is the platform of a body without `object`. Ids have any length and any
  // characters but NUL: the caller cuts them to its columns.
  Result<model::Webhook, ParseError> split(std::string& body, std::optional<model::Platform> fallback);

 private:
  Limits limits_;
  JsonChecker checker_;
};

}  // namespace socialsync::parse
