// webhook_quarantine for operators and the gateway's upkeep.
#pragma once

#include <array>
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

// All reasons, as in the table's CHECK.
inline constexpr std::array<std::string_view, 10> quarantine_reasons = {
    "unknown_account", "inactive_account", "ambiguous_account", "secret_mismatch", "unreadable",
    "not_json",        "not_a_webhook",    "too_deep",          "too_many_events", "rejected_by_database"};

// A filter for rows. Every non-empty list and every given time must match.
struct QuarantineFilter {
  std::vector<Uuid> ids{};
  std::vector<std::string> reasons{};
  std::vector<std::string> platforms{};  // as stored
  std::vector<std::string> routing_keys{};
  std::vector<std::string> signers{};  // fingerprints
  std::optional<std::string> since{};  // times as PostgreSQL reads them; created_at >= since
  std::optional<std::string> until{};  // created_at < until

  bool is_everything() const;
};

// A row without its body; NULL is empty.
struct Quarantined {
  Uuid id;
  std::string created_at;       // as PostgreSQL prints it, in microseconds
  std::int64_t created_ms = 0;  // Unix milliseconds
  std::string reason;
  std::string platform;
  std::string type;
  std::string routing_key;
  std::string detail;
  std::string signed_by;
  std::string event_time;
  std::uint64_t bytes = 0;  // size of the body
};

struct QuarantinedBody {
  Quarantined row;
  std::string body;
};

struct QuarantineCount {
  std::string reason;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::string oldest;
  std::string newest;
};

// Rows with equal platform, routing key, type and signer: routing treats them alike.
struct QuarantineGroup {
  std::string routing_key;
  std::string platform;
  std::string signed_by;
};

// A row's position in the order of arrival.
struct QuarantinePlace {
  std::string created_at;
  Uuid id;
  std::uint64_t bytes = 0;
};

// The functions below are for a session of plan_by_values(). They throw pg::Error.

// Returns the newest rows, newest first.
boost::asio::awaitable<std::vector<Quarantined>> list_quarantined(pg::Connection& connection,
                                                                  const QuarantineFilter& filter,
                                                                  std::uint64_t rows_max);

// Counts rows by reason, the most frequent first.
boost::asio::awaitable<std::vector<QuarantineCount>> count_quarantined(pg::Connection& connection,
                                                                       const QuarantineFilter& filter);

// Returns the groups of the matching rows.
boost::asio::awaitable<std::vector<QuarantineGroup>> group_quarantined(pg::Connection& connection,
                                                                       const QuarantineFilter& filter);

// Returns the next positions after `after` in the order of arrival.
boost::asio::awaitable<std::vector<QuarantinePlace>> find_quarantined(
    pg::Connection& connection, const QuarantineFilter& filter, const std::optional<QuarantinePlace>& after,
    std::uint64_t rows_max);

// Returns the existing rows of `ids` with their bodies, in the order of arrival.
boost::asio::awaitable<std::vector<QuarantinedBody>> read_quarantined(pg::Connection& connection,
                                                                      std::span<const Uuid> ids);

// Deletes rows; returns the ids of those that existed.
boost::asio::awaitable<std::vector<Uuid>> delete_quarantined(pg::Connection& connection,
                                                             std::span<const Uuid> ids);

// Rows that trim_quarantine() has deleted, by reason.
struct Trimmed {
  std::string reason;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::string oldest;
  std::string newest;
};

// Deletes the fewest of the oldest thousand rows that free this many rows and bytes.
boost::asio::awaitable<std::vector<Trimmed>> trim_quarantine(pg::Connection& connection, std::uint64_t rows,
                                                             std::uint64_t bytes);

// Deletes up to a thousand rows that are older than this.
boost::asio::awaitable<std::vector<Trimmed>> trim_quarantine(pg::Connection& connection,
                                                             std::chrono::days older_than);

// Takes the lock for trimming, which one connection holds until leave_trimming(). False when it is taken.
boost::asio::awaitable<bool> enter_trimming(pg::Connection& connection);
boost::asio::awaitable<void> leave_trimming(pg::Connection& connection);

}  // namespace socialsync::store
