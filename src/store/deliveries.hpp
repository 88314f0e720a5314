// Results of deliveries in the outbox, webhook_deliveries. A row exists until its event is delivered.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "pg/connection.hpp"
#include "store/claims.hpp"

namespace socialsync::store {

// One attempt, and the delivery's state after it.
struct AttemptRow {
  enum class Result { delivered, again, given_up };

  DeliveryKey key;
  Result result = Result::delivered;
  int attempt = 1;  // its number
  std::chrono::steady_clock::time_point began;
  int http_status = 0;
  std::chrono::milliseconds took{0};
  std::string_view error;  // empty: delivered
  std::string detail;
  std::string response_head;
  std::chrono::milliseconds age{0};  // the event's age at its delivery
  std::chrono::milliseconds again_in{0};
};
// Writes the attempts and deletes delivered rows from the outbox, in one transaction. An event's first
// success marks it `processed`, with the milliseconds since its receipt; a dead-lettered delivery marks an
// event that was never delivered as `error`. Throws pg::Error.
boost::asio::awaitable<void> record_attempts(pg::Connection& connection,
                                             std::span<const AttemptRow> attempts);

// Returns those of `keys` whose delivery or event is locked by another session. Waits only while a whole
// table is locked. Throws pg::Error.
boost::asio::awaitable<std::vector<DeliveryKey>> locked_deliveries(pg::Connection& connection,
                                                                   std::span<const DeliveryKey> keys);

}  // namespace socialsync::store
