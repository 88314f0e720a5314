// Claiming rows of the outbox, webhook_deliveries, to send them. due_at is the time from which a worker may
// claim a row; while a worker has the row, it is the end of its lease.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"
#include "store/delivery_keys.hpp"

namespace socialsync::store {

// Every statement below and in store/deliveries.hpp finds rows by key: call plan_by_keys() before.

boost::asio::awaitable<void> listen_for_deliveries(pg::Connection& connection);

// Returns the endpoints with rows, and the time until the first of each is due; zero or less: due now.
// Dead-lettered rows do not count. The cost grows with the endpoints that have rows, not with the rows.
struct Due {
  Uuid endpoint_id;
  std::chrono::milliseconds in{0};
};
boost::asio::awaitable<std::vector<Due>> select_due(pg::Connection& connection);

struct Room {
  Uuid endpoint_id;
  std::size_t rows = 0;     // at most
  bool is_ordered = false;  // only the first row of each conversation
};
struct Claimed {
  DeliveryKey key;
  int attempts = 0;  // before this one
  // From the event. Without payload: the event was deleted, and the row with it.
  std::optional<std::string> payload;
  std::string type;
  std::string platform;
  std::int64_t received_ms = 0;
};
struct Claim {
  std::vector<Claimed> rows;
  bool is_cut = false;  // more rows were due than fit into one claim's bytes
  // The time of the next due row of each requested endpoint that has one.
  std::vector<Due> next;
};
struct ClaimTerms {
  std::chrono::milliseconds lease{60'000};
  // At an ordered endpoint a row waits for the earlier rows of its conversation, at most this long.
  std::chrono::milliseconds head_blocks_max{600'000};
  // Bytes of payloads in one claim; a larger payload is claimed alone.
  std::size_t bytes_max = 16 * 1024 * 1024;
};
// Claims due rows: for an endpoint the oldest first; for an ordered one from the conversation
// `first_conversation` on, wrapping around, so that none is always last. Rows that other workers claim at the
// same moment are skipped. The cost grows with the claimed rows and, for an ordered endpoint without a row to
// claim, with its waiting conversations. Throws pg::Error.
boost::asio::awaitable<Claim> claim_deliveries(pg::Connection& connection, std::span<const Room> rooms,
                                               const ClaimTerms& terms, std::int64_t first_conversation);

// Extends the leases of `keys`; locked rows are skipped.
boost::asio::awaitable<void> renew_leases(pg::Connection& connection, std::span<const DeliveryKey> keys,
                                          std::chrono::milliseconds lease);

// Ends the leases of `keys` now; locked rows are skipped.
boost::asio::awaitable<void> release_deliveries(pg::Connection& connection,
                                                std::span<const DeliveryKey> keys);

}  // namespace socialsync::store
