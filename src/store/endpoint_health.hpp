// The state of one endpoint's deliveries.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// Times are ISO 8601, UTC; empty when absent.
struct EndpointHealth {
  std::uint64_t due = 0;      // pending deliveries that a worker may claim now
  std::string waiting_since;  // when the oldest pending delivery was queued
  std::string due_since;      // since when the first of the due ones is due
  std::string next_due_at;    // the next one after these
  bool is_overdue = false;    // one has been due for over a minute
  std::string delivered_at;   // the last success on record
  bool is_tried = false;      // an attempt was made in the last five minutes
  bool is_account_active = true;
  std::string event_at;                // the newest event of its account
  std::uint64_t events_of_a_day = 0;   // of its account
  std::uint64_t ignored_of_a_day = 0;  // of these, not in the account's webhook_events
  std::uint64_t wanted_of_a_day = 0;   // of these, subscribed by the account and the endpoint
};

// Returns nothing for an unknown endpoint. Throws pg::Error.
boost::asio::awaitable<std::optional<EndpointHealth>> find_endpoint_health(pg::Connection& connection,
                                                                           const Uuid& endpoint_id,
                                                                           const std::string& account_id);

}  // namespace socialsync::store
