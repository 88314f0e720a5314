// The outbox and the attempts for operators.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/uuid.hpp"
#include "pg/connection.hpp"
#include "store/columns.hpp"

namespace socialsync::store {

// A filter for deliveries. Every given member must match.
struct DeliveryFilter {
  std::optional<Uuid> event{};
  std::optional<Uuid> endpoint{};
  std::optional<Uuid> account{};
  std::optional<bool> is_dead_lettered{};
  std::optional<std::string> since{};  // times as PostgreSQL reads them; queued at or after
  std::optional<std::string> until{};  // queued before

  bool is_everything() const;
};

// A row of the outbox. A text is empty where its column is NULL.
struct OutboxRow {
  Uuid event_id{};
  Uuid endpoint_id{};
  std::string url{};
  std::string type{};
  std::string status{};  // pending, or dead: dead-lettered
  std::string due_at{};  // ISO 8601, UTC; empty: dead-lettered
  bool is_due = false;
  std::uint64_t attempts = 0;
  std::string created_at{};
  bool is_enabled = true;  // the endpoint
};

struct PastAttempt {
  std::string attempted_at{};
  Uuid event_id{};
  Uuid endpoint_id{};
  std::string url{};
  std::uint64_t attempt = 0;
  std::optional<std::uint64_t> http_status{};
  std::uint64_t took_ms = 0;
  std::string error{};  // empty: delivered
  std::string detail{};
  std::string response_head{};  // bytes of the receiver, not escaped
};

std::span<const Column<OutboxRow>> outbox_columns();
std::span<const Column<PastAttempt>> attempt_columns();

// The value of webhook_delivery_attempts.error for a delivery that an operator has cancelled: no attempt was
// made.
inline constexpr const char* cancelled = "cancelled";

// Returns the newest events first, from after `after` (event/endpoint) where it is not empty. Throws
// pg::Error, as all functions here do.
boost::asio::awaitable<std::vector<OutboxRow>> list_outbox(pg::Connection& connection,
                                                           const DeliveryFilter& filter,
                                                           const std::string& after, std::uint64_t rows_max);

// Returns the newest attempts first; `after` is time/event/endpoint. The filter's times are those of
// attempts.
boost::asio::awaitable<std::vector<PastAttempt>> list_attempts(pg::Connection& connection,
                                                               const DeliveryFilter& filter,
                                                               std::optional<bool> is_delivered,
                                                               const std::string& after,
                                                               std::uint64_t rows_max);

// An event of webhook_logs.
struct DeliveredEvent {
  std::string account_id{};
  std::string type{};
  std::string customer{};
  std::string received_at{};
  std::string status{};
  std::optional<std::uint64_t> took_ms{};
  std::string error{};
};
std::span<const Column<DeliveredEvent>> event_columns();
// Returns nothing for an unknown event.
boost::asio::awaitable<std::optional<DeliveredEvent>> find_delivered_event(pg::Connection& connection,
                                                                           const Uuid& id);

boost::asio::awaitable<std::uint64_t> count_outbox(pg::Connection& connection, const DeliveryFilter& filter);

// A batch of a bulk change.
struct BatchDone {
  std::uint64_t rows = 0;
  std::string last{};  // where the next batch begins; empty: no rows are left
};
// Makes deliveries due now with a fresh attempt count, and wakes the workers. A delivery that is due within a
// minute may be leased, and stays as it is.
boost::asio::awaitable<BatchDone> retry_batch(pg::Connection& connection, const DeliveryFilter& filter,
                                              const std::string& after, std::uint64_t rows_max);
// Deletes deliveries and records an attempt with the error "cancelled" for each.
boost::asio::awaitable<BatchDone> cancel_batch(pg::Connection& connection, const DeliveryFilter& filter,
                                               const std::string& after, std::uint64_t rows_max);

// Queues logged events again, for enabled endpoints that are subscribed to them and have no such delivery in
// the outbox; only counts them where `is_preview`.
boost::asio::awaitable<BatchDone> replay_batch(pg::Connection& connection, const DeliveryFilter& filter,
                                               const std::string& after, std::uint64_t rows_max,
                                               bool is_preview);

}  // namespace socialsync::store
