// Events that are pulled: claim_webhooks() and mark_webhook_processed().
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

struct PulledEvent {
  std::string id;
  std::string type;
  std::string payload;       // JSON, on one line
  std::string message_id;    // Meta's; empty: it has none
  std::string customer;      // empty: nobody's
  std::string received_at;   // ISO 8601, UTC
  std::uint64_t claims = 0;  // how often it has been claimed, this time with it
};

// The next events of the account (nothing: of the operator), the oldest first, nobody else's until the lease
// is over. Throws pg::Error, with SQLSTATE P0002 when there is no endpoint to pull from.
boost::asio::awaitable<std::vector<PulledEvent>> claim_events(pg::Connection& connection,
                                                              const std::optional<Uuid>& account,
                                                              std::uint64_t events_max,
                                                              std::chrono::seconds lease);

// Ends them, in one transaction; one that is gone from webhook_logs has ended. Throws pg::Error.
boost::asio::awaitable<void> end_events(pg::Connection& connection, const std::vector<PulledEvent>& events);

}  // namespace socialsync::store
