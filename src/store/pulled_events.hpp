// Pulled events: claim_webhooks() and mark_webhook_processed().
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
  std::string payload;       // JSON on one line
  std::string message_id;    // Meta's; may be empty
  std::string customer;      // may be empty
  std::string received_at;   // ISO 8601, UTC
  std::uint64_t claims = 0;  // including this one
};

// Claims the next events of the account (nothing: of the operator), oldest first, until the lease ends.
// Throws pg::Error, with SQLSTATE P0002 when the account has no endpoint to pull from.
boost::asio::awaitable<std::vector<PulledEvent>> claim_events(pg::Connection& connection,
                                                              const std::optional<Uuid>& account,
                                                              std::uint64_t events_max,
                                                              std::chrono::seconds lease);

// Marks the events processed in one transaction; an event deleted from webhook_logs is skipped. Throws
// pg::Error.
boost::asio::awaitable<void> end_events(pg::Connection& connection, const std::vector<PulledEvent>& events);

}  // namespace socialsync::store
