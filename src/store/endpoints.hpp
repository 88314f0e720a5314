// webhook_endpoints for routing and delivery.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "crypto/secret_box.hpp"
#include "model/account.hpp"
#include "model/endpoint.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// The NOTIFY channel for a change of any endpoint; without a payload.
inline constexpr const char* endpoints_channel = "socialsync_endpoints";
boost::asio::awaitable<void> listen_for_endpoint_changes(pg::Connection& connection);

// Selects enabled endpoints for routing. Throws pg::Error.
boost::asio::awaitable<pg::ResultSet> select_endpoint_routes(pg::Connection& connection);

struct EndpointRoutes {
  std::vector<std::pair<Uuid, model::AccountEndpoint>> of_accounts;  // by account, sorted
  std::vector<model::AccountEndpoint> of_app;                        // the operator's own
};
EndpointRoutes read_endpoint_routes(const pg::ResultSet& rows);

// An endpoint and its health.
struct EndpointState {
  model::Endpoint endpoint;
  std::optional<std::int64_t> failing_since_ms;  // Unix time; nothing: the last attempt succeeded
  int warned_percent = 0;
  bool is_readable = true;  // false: one of its secrets cannot be decrypted
};

// Selects the enabled endpoints with a URL. Throws pg::Error.
boost::asio::awaitable<std::vector<EndpointState>> select_endpoints(pg::Connection& connection,
                                                                    const crypto::SecretKeys& keys);

// Counts the disabled endpoints with a URL. Throws pg::Error.
boost::asio::awaitable<std::size_t> count_disabled_endpoints(pg::Connection& connection);

// Finds one endpoint: enabled or disabled, with a URL or pulled.
boost::asio::awaitable<std::optional<EndpointState>> select_endpoint(pg::Connection& connection,
                                                                     const Uuid& endpoint_id,
                                                                     const crypto::SecretKeys& keys);

// An update of an endpoint's health, from delivery.
struct EndpointNews {
  Uuid endpoint_id;
  bool is_failing = false;       // failing since now unless it was already; false: recovered
  int warned_percent = 0;        // of the time after which it is disabled
  std::string disabled_because;  // not empty: disable the endpoint
  bool was_well = false;         // it succeeded in between: failing starts anew
};
// Merges two unwritten health updates of one endpoint.
EndpointNews combined(EndpointNews older, EndpointNews newer);

// Writes health updates. Each change is written once, even when several workers report it; a written change
// is sent to the operator's own endpoints as one of model::own_events. Throws pg::Error.
boost::asio::awaitable<void> record_endpoint_news(pg::Connection& connection,
                                                  std::span<const EndpointNews> news);

}  // namespace socialsync::store
