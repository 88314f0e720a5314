// Any bytes are split or refused, as JSON itself would have it; and each event's payload is a webhook that
// splits into that event alone.
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>

#include <simdjson.h>

#include "parse/json_check.hpp"
#include "parse/json_text.hpp"
#include "parse/split.hpp"

namespace {

using namespace socialsync;
using namespace socialsync::parse;

constexpr parse::Limits limits;
// A payload may lie a little deeper than the part of the body it came from.
constexpr parse::Limits payload_limits{.depth_max = limits.depth_max + 8};

void require(bool holds) {
  if (!holds) std::abort();
}

bool is_valid_for_simdjson(std::string_view json) {
  simdjson::dom::parser parser;
  const auto error = parser.parse(json.data(), json.size()).error();
  // It refuses numbers that it has no type for.
  return error == simdjson::SUCCESS || error == simdjson::NUMBER_ERROR;
}

// Our checker agrees with simdjson's own parser, which refuses lone surrogates besides.
void check_validity(std::string& body) {
  JsonChecker checker;
  const auto root = checker.check(body, limits.depth_max);
  if (root.has_value()) {
    require(is_valid_for_simdjson(repaired(body).value_or(body)));
    require(checker.fit_for_jsonb() == !repaired(body));
  } else if (root.error() == JsonError::not_json) {
    simdjson::dom::parser parser;
    require(parser.parse(body.data(), body.size()).error() != simdjson::SUCCESS);
  }
}

bool is_same(const model::Event& left, const model::Event& right) {
  return left.platform == right.platform && left.key.entry_id == right.key.entry_id &&
         left.key.phone_number_id == right.key.phone_number_id && left.type == right.type &&
         left.kind == right.kind && left.natural_id == right.natural_id && left.time_ms == right.time_ms &&
         left.customer == right.customer;
}

model::Event split_alone(std::string payload) {
  auto webhook = Splitter(payload_limits).split(payload, std::nullopt);
  require(webhook.has_value() && webhook->events.size() == 1 && webhook->unreadable.empty());
  return std::move(webhook->events.front());
}

void check_event(const model::Event& event) {
  require(event.type.find('\0') == std::string::npos && event.natural_id.find('\0') == std::string::npos);
  const model::Event again = split_alone(event.exact_payload.value_or(event.payload));
  require(is_same(event, again) && event.discriminator == again.discriminator);
  require(event.payload == again.payload && event.exact_payload == again.exact_payload);
  if (!event.exact_payload) return;
  const model::Event repaired = split_alone(event.payload);
  require(is_same(event, repaired) && !repaired.exact_payload);
}

void check_split(std::string& body, std::optional<model::Platform> fallback) {
  const auto webhook = Splitter(limits).split(body, fallback);
  if (webhook.has_error()) return;
  require(webhook->events.size() + webhook->unreadable.size() <= limits.events_max);
  for (const model::Event& event : webhook->events) check_event(event);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string body(reinterpret_cast<const char*>(data), size);
  body.shrink_to_fit();
  check_validity(body);
  check_split(body, std::nullopt);
  check_split(body, model::Platform::whatsapp);
  require(body == std::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
