// How it goes with the deliveries of one endpoint.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// Times are ISO 8601, UTC; empty: there is none.
struct EndpointHealth {
  std::uint64_t due = 0;      // of what waits, how many anybody may take now
  std::string waiting_since;  // when the oldest of what waits came into the outbox
  std::string due_since;      // of those due now, when the first was
  std::string next_due_at;    // of the others
  bool is_overdue = false;    // one has been due for a minute
  std::string delivered_at;   // the last success that is still known
  bool is_tried = false;      // there was an attempt in the last five minutes
  bool is_account_active = true;
  std::string event_at;                // the newest event of its account
  std::uint64_t events_of_a_day = 0;   // of its account
  std::uint64_t ignored_of_a_day = 0;  // of these, what the account does not want
  std::uint64_t wanted_of_a_day = 0;   // of these, what the account and the endpoint want
};

// Nothing when there is no such endpoint. Throws pg::Error.
boost::asio::awaitable<std::optional<EndpointHealth>> find_endpoint_health(pg::Connection& connection,
                                                                           const Uuid& endpoint_id,
                                                                           const std::string& account_id);

}  // namespace socialsync::store
