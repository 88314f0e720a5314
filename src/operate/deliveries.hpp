// Bulk changes of deliveries, and how the deliveries of an event ended.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "pg/connection.hpp"
#include "store/delivery_admin.hpp"

namespace socialsync::operate {

enum class BulkKind : std::uint8_t {
  retry,   // make deliveries due now
  replay,  // queue logged events again
  cancel,  // delete deliveries
};

struct BulkChange {
  BulkKind kind = BulkKind::retry;
  store::DeliveryFilter filter{};
  std::uint64_t rows_per_second = 0;                   // 0: no limit
  std::function<void(std::uint64_t rows)> progress{};  // rows changed so far
};

// Counts the deliveries that the change would affect. Throws pg::Error.
boost::asio::awaitable<std::uint64_t> count_affected(pg::Connection& connection, const BulkChange& change);

// Changes them in batches, each a transaction of its own; returns how many. Throws pg::Error.
boost::asio::awaitable<std::uint64_t> run_bulk(pg::Connection& connection, const BulkChange& change);

// The outcomes of an event's deliveries to one endpoint.
struct Ending {
  enum class Result : std::uint8_t {
    delivered,
    cancelled,  // by an operator
    dropped,    // failed, and no longer in the outbox: the event or the endpoint was removed
  };

  Uuid endpoint_id{};
  std::string url{};
  Result result = Result::delivered;
};

// Returns one ending for each endpoint that was attempted and has nothing in the outbox, newest first.
// `attempts` are those of one event, newest first. Pure.
std::vector<Ending> endings_of(const std::vector<store::PastAttempt>& attempts,
                               const std::vector<store::OutboxRow>& waiting);

// In JSON: "delivered", "cancelled", "dropped".
const char* name_of(Ending::Result result);

}  // namespace socialsync::operate
