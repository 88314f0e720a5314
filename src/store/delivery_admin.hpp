// The outbox and the attempts, as an operator sees and changes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"

namespace socialsync::store {

// Which are meant. Each that is there must match.
struct DeliveryFilter {
  std::optional<Uuid> event{};
  std::optional<Uuid> endpoint{};
  std::optional<Uuid> account{};
  std::optional<bool> is_dead{};       // given up
  std::optional<std::string> since{};  // times as PostgreSQL reads them: put into the outbox then or later
  std::optional<std::string> until{};  // before

  bool is_everything() const;
};

// A row of the outbox. What it has not is empty.
struct OutboxRow {
  Uuid event_id;
  Uuid endpoint_id;
  std::string url;
  std::string type;
  std::string due_at;  // ISO 8601, UTC; empty: given up
  bool is_due = false;
  std::uint64_t attempts = 0;
  std::string created_at;
  bool is_enabled = true;  // its endpoint
};

struct PastAttempt {
  std::string attempted_at;
  Uuid event_id;
  Uuid endpoint_id;
  std::string url;
  std::uint64_t attempt = 0;
  std::string http_status;
  std::uint64_t took_ms = 0;
  std::string error;  // empty: delivered
  std::string detail;
  std::string response_head;
};

// The newest events first; after `after` (event/endpoint) where that is not empty. Throws pg::Error, as all
// of these do.
boost::asio::awaitable<std::vector<OutboxRow>> list_outbox(pg::Connection& connection,
                                                           const DeliveryFilter& filter,
                                                           const std::string& after, std::uint64_t rows_max);

// The newest attempts first; `after` is time/event/endpoint. since and until are of the attempt.
boost::asio::awaitable<std::vector<PastAttempt>> list_attempts(pg::Connection& connection,
                                                               const DeliveryFilter& filter,
                                                               std::optional<bool> is_delivered,
                                                               const std::string& after,
                                                               std::uint64_t rows_max);

struct DeliveredEvent {
  std::string account_id;
  std::string type;
  std::string customer;
  std::string received_at;
  std::string status;
  std::string took_ms;
  std::string error;
};
boost::asio::awaitable<std::optional<DeliveredEvent>> find_delivered_event(pg::Connection& connection,
                                                                           const Uuid& id);

boost::asio::awaitable<std::uint64_t> count_outbox(pg::Connection& connection, const DeliveryFilter& filter);

// A batch of a bulk change: how many rows, and after which to go on; empty: that was all.
struct BatchDone {
  std::uint64_t rows = 0;
  std::string last{};
};
// Makes them due at once, as if never tried, and wakes the workers.
boost::asio::awaitable<BatchDone> retry_batch(pg::Connection& connection, const DeliveryFilter& filter,
                                              const std::string& after, std::uint64_t rows_max);
// Takes them out of the outbox, and keeps an attempt that says "cancelled".
boost::asio::awaitable<BatchDone> cancel_batch(pg::Connection& connection, const DeliveryFilter& filter,
                                               const std::string& after, std::uint64_t rows_max);

// Events of the past, of since to until, for the enabled endpoints that want them and have them not in the
// outbox: counts them, or puts them there.
boost::asio::awaitable<BatchDone> replay_batch(pg::Connection& connection, const DeliveryFilter& filter,
                                               const std::string& after, std::uint64_t rows_max,
                                               bool is_rehearsal);

}  // namespace socialsync::store
