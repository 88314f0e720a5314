// Why an endpoint's events do not arrive.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "config/config.hpp"
#include "pg/connection.hpp"
#include "store/delivery_admin.hpp"
#include "store/endpoint_admin.hpp"
#include "store/endpoint_health.hpp"

namespace socialsync::operate {

struct EndpointFindings {
  store::EndpointRecord endpoint{};
  store::EndpointHealth health{};
  std::vector<store::PastAttempt> attempts{};  // newest first
  std::string signing_fault{};                 // why deliveries cannot be signed; empty: they can
  bool allows_http = false;                    // SOCIALSYNC_EGRESS_HTTP of this process
};

// Reads health and the newest attempts of an endpoint. Throws Failure (not_found) when it was removed.
boost::asio::awaitable<EndpointFindings> examine(pg::Connection& connection, store::EndpointRecord endpoint,
                                                 const config::Config& config, std::uint64_t attempts_max);

// Each reason why events do not arrive, or arrive late, and its remedy; empty when there is no reason. Holds
// no secret and no query string; fit for a terminal. Pure.
std::vector<std::string> reasons_of(const EndpointFindings& findings);

// "delivered 200", "http_status 500", "timed_out".
std::string result_of(const store::PastAttempt& attempt);

}  // namespace socialsync::operate
