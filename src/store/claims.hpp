// What a worker takes out of the outbox, webhook_deliveries, to send it. due_at says when somebody may take a
// row, and is a lease while somebody has it.
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

namespace socialsync::store {

// A row's key.
struct DeliveryKey {
  Uuid event_id;
  Uuid endpoint_id;

  friend auto operator<=>(const DeliveryKey&, const DeliveryKey&) = default;
};

// Every statement below, and of store/deliveries.hpp, finds its rows by their keys. A session's plans are
// made once, maybe while the tables are small, and would read them whole: this one's go by the indexes,
// however large the tables become.
boost::asio::awaitable<void> plan_by_keys(pg::Connection& connection);

boost::asio::awaitable<void> listen_for_deliveries(pg::Connection& connection);

// Which endpoints have rows, and how long until the first of each is due; zero or less: it is. Rows that were
// given up do not count. The cost is that of the endpoints that have rows, not of the rows.
struct Due {
  Uuid endpoint_id;
  std::chrono::milliseconds in{0};
};
boost::asio::awaitable<std::vector<Due>> select_due(pg::Connection& connection);

struct Room {
  Uuid endpoint_id;
  std::size_t rows = 0;     // at most so many
  bool is_ordered = false;  // of each conversation only the first
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
  bool is_cut = false;  // more was there, and would have been too many bytes at once
  // Of the endpoints that were asked for: when the next row is due, where there is one.
  std::vector<Due> next;
};
struct ClaimTerms {
  std::chrono::milliseconds lease{60'000};
  // At an ordered endpoint those of a conversation wait for the ones before them, until these are so old.
  std::chrono::milliseconds head_blocks_max{600'000};
  // Of payloads in one claim; one that is larger comes alone.
  std::size_t bytes_max = 16 * 1024 * 1024;
};
// Takes rows that are due: of an endpoint the oldest first, of an ordered one from the conversation
// `first_conversation` on and round, so that none is always last. Those that others take at the same moment
// are left to them. The cost is that of the rows taken and, of an ordered endpoint that has nothing to take,
// of the conversations that wait. Throws pg::Error.
boost::asio::awaitable<Claim> claim_deliveries(pg::Connection& connection, std::span<const Room> rooms,
                                               const ClaimTerms& terms, std::int64_t first_conversation);

// Has them for longer, but for those that somebody has locked.
boost::asio::awaitable<void> renew_leases(pg::Connection& connection, std::span<const DeliveryKey> keys,
                                          std::chrono::milliseconds lease);

// Lets others have them at once, but for those that somebody has locked.
boost::asio::awaitable<void> release_deliveries(pg::Connection& connection,
                                                std::span<const DeliveryKey> keys);

}  // namespace socialsync::store
