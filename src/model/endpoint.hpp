// An endpoint: the columns of webhook_endpoints that deliver needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/uuid.hpp"

namespace socialsync::model {

// The format of a delivery's body. The names are those of webhook_endpoints.format.
enum class DeliveryFormat : std::uint8_t {
  meta,      // Meta's shape: the envelope of this one event
  standard,  // the shape of Standard Webhooks: {"type", "timestamp", "data"}
};
std::string_view to_string(DeliveryFormat format);
std::optional<DeliveryFormat> delivery_format_of(std::string_view name);

// True for headers that the sender or HTTP sets; an endpoint cannot set them.
bool is_reserved_header(std::string_view name);

struct Endpoint {
  Uuid id;
  std::optional<Uuid> account_id;  // nullopt: an endpoint of the operator, for events of no account
  std::string url;                 // empty: the tenant pulls the events
  DeliveryFormat format = DeliveryFormat::meta;
  // The key of X-Hub-Signature-256, as raw bytes. For the bot it replaces Meta's app secret.
  std::string app_secret;
  // The keys of webhook-signature, "whsec_" and base64, newest first. Two during a rotation.
  std::vector<std::string> signing_secrets;
  std::vector<std::pair<std::string, std::string>> headers;  // sent with each delivery
  std::optional<std::vector<std::string>> webhook_events;    // nullopt: all that its account selects
  bool is_enabled = true;
  bool is_ordered = false;  // the events of one conversation are delivered one after another
  std::uint32_t concurrent_max = 16;
  std::optional<std::uint32_t> per_second_max;
};

}  // namespace socialsync::model
