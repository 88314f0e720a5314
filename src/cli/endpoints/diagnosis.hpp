// Why does this customer get nothing?
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/delivery_admin.hpp"
#include "store/endpoint_admin.hpp"
#include "store/endpoint_health.hpp"

namespace socialsync::cli::endpoints {

// What is known of an endpoint.
struct Findings {
  store::EndpointRecord endpoint;
  store::EndpointHealth health{};
  std::vector<store::PastAttempt> attempts{};  // the newest first
  std::string signing_fault{};                 // why nothing can be signed for it; empty: it can
  bool allows_http = false;                    // SOCIALSYNC_EGRESS_HTTP, of this environment
};

// Each reason why its events do not arrive, or not at once, with what to do: the nearest to the receiver
// last. Empty when nothing is in their way. No secret, no query of a URL. Pure.
std::vector<std::string> reasons_of(const Findings& findings);

}  // namespace socialsync::cli::endpoints
