// The outbox, webhook_deliveries, as the workers use it. A row is there until its event is delivered; due_at
// says when somebody may take it, and is a lease while somebody has it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// Every statement below finds its rows by their keys. A session's plans are made once, maybe while the tables
// are small, and would read them whole: this one's go by the indexes, however large the tables become.
boost::asio::awaitable<void> plan_by_keys(pg::Connection& connection);

boost::asio::awaitable<void> listen_for_deliveries(pg::Connection& connection);

// A row's key.
struct DeliveryKey {
  Uuid event_id;
  Uuid endpoint_id;

  friend auto operator<=>(const DeliveryKey&, const DeliveryKey&) = default;
};

// Which endpoints have rows, and how long until the first of each is due; zero or less: it is. Rows that were
// given up do not count. The cost is that of the endpoints that have rows, not of the rows.
struct Due {
  Uuid endpoint_id;
  std::chrono::milliseconds in{0};
};
boost::asio::awaitable<std::vector<Due>> select_due(pg::Connection& connection);

struct Room {
  Uuid endpoint_id;
  std::size_t rows = 0;  // at most so many
};
struct Claimed {
  DeliveryKey key;
  int attempts = 0;  // made before
  // Of the event. No payload: the event is gone, and the row with it.
  std::optional<std::string> payload;
  std::string type;
  std::string platform;
  std::int64_t received_ms = 0;
};
struct Claim {
  std::vector<Claimed> rows;
  std::vector<Due>
      next;  // of the endpoints that were asked for: when the next row is due, where there is one
};
struct ClaimTerms {
  std::chrono::milliseconds lease{60'000};
  // At an ordered endpoint those of a conversation wait for the ones before them, until these are so old.
  std::chrono::milliseconds head_blocks_max{600'000};
};
// Takes rows that are due, the oldest first; those that others take at the same moment are left to them.
// Throws pg::Error.
boost::asio::awaitable<Claim> claim_deliveries(pg::Connection& connection, std::span<const Room> rooms,
                                               const ClaimTerms& terms);

// Has them for longer.
boost::asio::awaitable<void> renew_leases(pg::Connection& connection, std::span<const DeliveryKey> keys,
                                          std::chrono::milliseconds lease);

// An attempt, and what became of the delivery with it.
struct AttemptRow {
  enum class Result { delivered, again, given_up };

  DeliveryKey key;
  Result result = Result::delivered;
  int attempt = 1;  // its number
  int http_status = 0;
  std::chrono::milliseconds took{0};
  std::string_view error;  // empty: delivered
  std::string detail;
  std::string response_head;
  std::chrono::milliseconds age{0};  // of the event when it was delivered
  std::chrono::milliseconds again_in{0};
};
// Writes the attempts, and takes what is delivered out of the outbox, in one transaction. The first success
// of an event makes it `processed`, with the milliseconds since it was received; what is given up makes one
// that was never delivered an `error`. Throws pg::Error.
boost::asio::awaitable<void> record_attempts(pg::Connection& connection,
                                             std::span<const AttemptRow> attempts);

// Lets others have them at once.
boost::asio::awaitable<void> release_deliveries(pg::Connection& connection,
                                                std::span<const DeliveryKey> keys);

}  // namespace socialsync::store
