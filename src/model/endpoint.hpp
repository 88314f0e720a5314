// Where a tenant wants its events: a row of webhook_endpoints, as deliver needs it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/uuid.hpp"

namespace socialsync::model {

// What a delivery's body looks like. The names are those of webhook_endpoints.format.
enum class DeliveryFormat : std::uint8_t {
  meta,      // as Meta would have sent it: the envelope of that one event
  standard,  // as Standard Webhooks advises: {"type", "timestamp", "data"}
};
std::string_view to_string(DeliveryFormat format);
std::optional<DeliveryFormat> delivery_format_of(std::string_view name);

// Whether a header is ours to set, or HTTP's, and so not an endpoint's own.
bool is_reserved_header(std::string_view name);

struct Endpoint {
  Uuid id;
  std::optional<Uuid> account_id;  // nothing: the operator's own, for what is no account's
  std::string url;                 // empty: its events are pulled, not sent
  DeliveryFormat format = DeliveryFormat::meta;
  // The key of X-Hub-Signature-256, by its bytes, as Meta's app secret is for a bot. Never Meta's own.
  std::string app_secret;
  // The keys of webhook-signature, "whsec_" and base64, newest first. Several while one is being rotated.
  std::vector<std::string> signing_secrets;
  std::vector<std::pair<std::string, std::string>> headers;  // sent with each delivery
  std::optional<std::vector<std::string>> webhook_events;    // nothing: all that its account wants
  bool is_enabled = true;
  bool is_ordered = false;  // events of one conversation go out one after another
  std::uint32_t concurrent_max = 16;
  std::optional<std::uint32_t> per_second_max;
};

}  // namespace socialsync::model
