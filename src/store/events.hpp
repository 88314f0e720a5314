// Writing what ingest has decided: webhook_logs and webhook_quarantine.
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

// A row of the outbox, webhook_deliveries: an event that is to go to an endpoint.
struct QueuedDelivery {
  Uuid endpoint_id;
  // How long nobody else may take it: we deliver it from memory. Zero: it is there for any worker.
  std::chrono::milliseconds lease{0};
  bool is_announced = false;  // workers of other processes are told
  bool is_ordered = false;    // after what its endpoint is still to get of the same customer
  std::int64_t arrival = 0;   // the order in which they came, within this process
};

// A row of webhook_logs. Views: whoever asks for the write keeps what they point at until it ends.
struct EventRow {
  Uuid id;
  std::optional<Uuid> undated_key;  // set when the event has no time of its own: its identity without time
  std::optional<Uuid> account_id;   // nothing for an event of the app's own business
  std::optional<Uuid> user_id;
  std::string_view platform;  // the account's label
  std::string_view type;
  std::string_view status;  // received, ignored
  std::string_view payload;
  std::optional<std::string_view> exact_payload;
  std::string_view external_message_id;    // empty: null. Longer than the column: cut, on a whole character
  std::string_view customer;               // the same
  std::int64_t received_ms = 0;            // Unix time, when its request was complete
  std::vector<QueuedDelivery> deliveries;  // queued in the same transaction, if the event is new
  bool is_new = false;                     // set by write_batch(): false when it was there before
  bool is_refused = false;                 // the database would not have it: it went to quarantine instead
};

// A row of webhook_quarantine: signed, and kept although it has no tenant.
struct QuarantineRow {
  Uuid id;
  std::string_view reason;
  std::string_view platform;  // empty: null, as are the next three
  std::string_view routing_key;
  std::string_view type;
  std::string detail;
  std::string_view signed_by;  // fingerprint of the secret that signed it
  std::string_view body;       // the exact bytes
  std::optional<std::int64_t> event_time_ms;
};

// The channel on which new deliveries are announced to workers, without a payload.
inline constexpr const char* deliveries_channel = "socialsync_deliveries";

// Writes both lists in one transaction, committed when this returns. What is there already (the same id, or
// for an undated event the same key) is left as it is; is_new of each event tells. Rows go in in the order
// given: sort them by id, so that two batches cannot wait for each other. Throws pg::Error.
boost::asio::awaitable<void> write_batch(pg::Connection& connection, std::span<EventRow* const> events,
                                         std::span<const QuarantineRow* const> quarantined);

}  // namespace socialsync::store
