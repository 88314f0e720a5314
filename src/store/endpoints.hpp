// webhook_endpoints, as routing and delivery use it.
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

// The channel on which a change of any endpoint is announced, without a payload.
inline constexpr const char* endpoints_channel = "socialsync_endpoints";
boost::asio::awaitable<void> listen_for_endpoint_changes(pg::Connection& connection);

// Those that are switched on, for routing. Throws pg::Error.
boost::asio::awaitable<pg::ResultSet> select_endpoint_routes(pg::Connection& connection);

struct EndpointRoutes {
  std::vector<std::pair<Uuid, model::AccountEndpoint>> of_accounts;  // by account, sorted
  std::vector<model::AccountEndpoint> of_app;                        // the operator's own
};
EndpointRoutes read_endpoint_routes(const pg::ResultSet& rows);

// An endpoint with how it has been doing.
struct EndpointState {
  model::Endpoint endpoint;
  std::optional<std::int64_t> failing_since_ms;  // Unix time; nothing: the last attempt was a success
  int warned_percent = 0;
  bool is_readable = true;  // false: a secret of it is sealed, and not for us to open
};

// Those that are sent to, switched on. Throws pg::Error.
boost::asio::awaitable<std::vector<EndpointState>> select_endpoints(pg::Connection& connection,
                                                                    const crypto::SecretKeys& keys);

// How many are switched off of those that would be sent to. Throws pg::Error.
boost::asio::awaitable<std::size_t> count_disabled_endpoints(pg::Connection& connection);

// One of them, whether it is switched on or not, and sent to or pulled.
boost::asio::awaitable<std::optional<EndpointState>> select_endpoint(pg::Connection& connection,
                                                                     const Uuid& endpoint_id,
                                                                     const crypto::SecretKeys& keys);

// What delivery learns of an endpoint.
struct EndpointNews {
  Uuid endpoint_id;
  bool is_failing = false;       // since now, unless it was before; else it is well again
  int warned_percent = 0;        // of the way to being disabled
  std::string disabled_because;  // not empty: it is switched off
  bool was_well = false;         // meanwhile: its failing begins anew
};
// What there is to write when nothing was written between the two.
EndpointNews combined(EndpointNews older, EndpointNews newer);

// Written once, however many workers have learned it; the operator's endpoints are told of what is written:
// model::own_events. Throws pg::Error.
boost::asio::awaitable<void> record_endpoint_news(pg::Connection& connection,
                                                  std::span<const EndpointNews> news);

}  // namespace socialsync::store
