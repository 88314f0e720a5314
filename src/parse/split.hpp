// Bytes to events: a webhook's body is checked, then cut into its smallest parts.
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

// Why a whole body is set aside.
enum class ParseError : std::uint8_t { not_json, too_deep, not_a_webhook };

// The error's name in snake_case: the reason that quarantine keeps.
std::string_view to_string(ParseError error);

// Splits bodies, one after another: one per thread, as it keeps its buffers.
class Splitter {
 public:
  explicit Splitter(Limits limits = {}) : limits_(limits) {}

  // The body's events, in its order, and the parts that are none, up to the limits. Both are empty for a
  // webhook without entries. `body` keeps its content, but may be moved when it lacks `padding_bytes` of
  // spare capacity. `fallback` is the platform of a body that does not name its `object`. Ids are as long as
  // Meta makes them, of any characters but NUL: the caller cuts them to its columns.
  Result<model::Webhook, ParseError> split(std::string& body, std::optional<model::Platform> fallback);

 private:
  Limits limits_;
  JsonChecker checker_;
};

}  // namespace socialsync::parse
