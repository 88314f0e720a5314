// webhook_quarantine, as an operator and the gateway's upkeep see it.
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

// Every reason there is, as the table's CHECK has them.
inline constexpr std::array<std::string_view, 10> quarantine_reasons = {
    "unknown_account", "inactive_account", "ambiguous_account", "secret_mismatch", "unreadable",
    "not_json",        "not_a_webhook",    "too_deep",          "too_many_events", "rejected_by_database"};

// Which rows are meant. Each list that is not empty, and each time that is there, must match.
struct QuarantineFilter {
  std::vector<Uuid> ids{};
  std::vector<std::string> reasons{};
  std::vector<std::string> platforms{};  // as the rows have them
  std::vector<std::string> routing_keys{};
  std::vector<std::string> signers{};  // fingerprints
  std::optional<std::string> since{};  // times as PostgreSQL reads them; created_at >= since
  std::optional<std::string> until{};  // created_at < until

  bool is_everything() const;
};

// A row but its body. What it has not is empty.
struct Quarantined {
  Uuid id;
  std::string created_at;       // as PostgreSQL prints it, to the microsecond
  std::int64_t created_ms = 0;  // Unix milliseconds
  std::string reason;
  std::string platform;
  std::string type;
  std::string routing_key;
  std::string detail;
  std::string signed_by;
  std::string event_time;
  std::uint64_t bytes = 0;  // of its body
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

// Rows that routing would treat alike, but for what their bodies say more.
struct QuarantineGroup {
  std::string routing_key;
  std::string platform;
  std::string signed_by;
};

// The place of a row in the order of arrival.
struct QuarantinePlace {
  std::string created_at;
  Uuid id;
  std::uint64_t bytes = 0;
};

// From here on each statement is planned for the values that it has: a filter's absent parts then cost
// nothing, and its indexes are used. For connections that run what is declared here. Throws pg::Error, as all
// of these do.
boost::asio::awaitable<void> plan_for_values(pg::Connection& connection);

// The newest rows, newest first.
boost::asio::awaitable<std::vector<Quarantined>> list_quarantined(pg::Connection& connection,
                                                                  const QuarantineFilter& filter,
                                                                  std::uint64_t rows_max);

// How many there are of each reason, the most frequent first.
boost::asio::awaitable<std::vector<QuarantineCount>> count_quarantined(pg::Connection& connection,
                                                                       const QuarantineFilter& filter);

// The groups that the rows are of.
boost::asio::awaitable<std::vector<QuarantineGroup>> group_quarantined(pg::Connection& connection,
                                                                       const QuarantineFilter& filter);

// The next places behind `after` in the order of arrival.
boost::asio::awaitable<std::vector<QuarantinePlace>> find_quarantined(
    pg::Connection& connection, const QuarantineFilter& filter, const std::optional<QuarantinePlace>& after,
    std::uint64_t rows_max);

// Those of the rows that are there, with their bodies, in the order of arrival.
boost::asio::awaitable<std::vector<QuarantinedBody>> read_quarantined(pg::Connection& connection,
                                                                      std::span<const Uuid> ids);

// Removes them; gives those that were there.
boost::asio::awaitable<std::vector<Uuid>> delete_quarantined(pg::Connection& connection,
                                                             std::span<const Uuid> ids);

// What trim_quarantine() removed, by reason.
struct Trimmed {
  std::string reason;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::string oldest;
  std::string newest;
};

// Removes of the oldest thousand rows as few as it takes to be rid of so many rows and so many bytes.
boost::asio::awaitable<std::vector<Trimmed>> trim_quarantine(pg::Connection& connection, std::uint64_t rows,
                                                             std::uint64_t bytes);

// Removes up to a thousand rows that are older than that.
boost::asio::awaitable<std::vector<Trimmed>> trim_quarantine(pg::Connection& connection,
                                                             std::chrono::days older_than);

// Whether this connection may trim now: one at a time does. It holds the place until leave_trimming().
boost::asio::awaitable<bool> enter_trimming(pg::Connection& connection);
boost::asio::awaitable<void> leave_trimming(pg::Connection& connection);

}  // namespace socialsync::store
