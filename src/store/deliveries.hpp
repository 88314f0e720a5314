// What becomes of the deliveries of the outbox, webhook_deliveries. A row is there until its event is
// delivered.
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

// An attempt, and what became of the delivery with it.
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
  std::chrono::milliseconds age{0};  // of the event when it was delivered
  std::chrono::milliseconds again_in{0};
};
// Writes the attempts, and takes what is delivered out of the outbox, in one transaction. The first success
// of an event makes it `processed`, with the milliseconds since it was received; what is given up makes one
// that was never delivered an `error`. Throws pg::Error.
boost::asio::awaitable<void> record_attempts(pg::Connection& connection,
                                             std::span<const AttemptRow> attempts);

// Of these, those that cannot be written now, since somebody holds a lock on the delivery or its event. Waits
// for nobody, unless a whole table is locked. Throws pg::Error.
boost::asio::awaitable<std::vector<DeliveryKey>> locked_deliveries(pg::Connection& connection,
                                                                   std::span<const DeliveryKey> keys);

}  // namespace socialsync::store
