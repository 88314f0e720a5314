// Writes ingest's rows: webhook_logs, webhook_deliveries and webhook_quarantine.
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

// A row of the outbox, webhook_deliveries: one event for one endpoint.
struct QueuedDelivery {
  Uuid endpoint_id;
  // The lease of this process, which delivers the event from memory. Zero: any worker may claim the row.
  std::chrono::milliseconds lease{0};
  bool is_announced = false;  // NOTIFY workers of other processes
  bool is_ordered = false;    // delivered after earlier events of the same customer
  std::int64_t arrival = 0;   // order of arrival within this process
};

// A row of webhook_logs. The views point into memory that the caller keeps until the write ends.
struct EventRow {
  Uuid id;
  std::optional<Uuid> undated_key;  // the identity of an event without a time of its own
  std::optional<Uuid> account_id;   // nothing: an event of the app itself
  std::optional<Uuid> user_id;
  std::string_view platform;  // the account's label
  std::string_view type;
  std::string_view status;  // received, ignored
  std::string_view payload;
  std::optional<std::string_view> exact_payload;
  std::string_view external_message_id;    // empty: NULL; cut to the column at a whole character
  std::string_view customer;               // the same rule
  std::int64_t received_ms = 0;            // Unix time, when its request was complete
  std::vector<QueuedDelivery> deliveries;  // queued in the same transaction, if the event is new
  bool is_new = false;                     // set by write_batch(); false: a duplicate
  bool is_refused = false;                 // refused by the database, quarantined instead
};

// A row of webhook_quarantine: signed, but unreadable or unroutable.
struct QuarantineRow {
  Uuid id;
  std::string_view reason;
  std::string_view platform;  // empty: NULL, as in the next three
  std::string_view routing_key;
  std::string_view type;
  std::string detail;
  std::string_view signed_by;  // fingerprint of the secret that signed it
  std::string_view body;       // the exact bytes
  std::optional<std::int64_t> event_time_ms;
};

// The NOTIFY channel for new deliveries; without a payload.
inline constexpr const char* deliveries_channel = "socialsync_deliveries";

// Writes both lists in one transaction, committed when this returns. Duplicates (the same id or, for an
// undated event, the same key) are left unchanged; is_new tells. Rows are inserted in the given order: sort
// them by id, so that two batches cannot deadlock. Throws pg::Error.
boost::asio::awaitable<void> write_batch(pg::Connection& connection, std::span<EventRow* const> events,
                                         std::span<const QuarantineRow* const> quarantined);

}  // namespace socialsync::store
