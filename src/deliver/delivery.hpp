// One event on its way to one endpoint: a row of the outbox, in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/uuid.hpp"

namespace socialsync::deliver {

// What is delivered: shared by the deliveries of one event.
struct Event {
  Uuid id;
  std::string type;              // webhook_type
  std::string platform;          // the account's label
  std::int64_t received_ms = 0;  // Unix time
  std::string payload;           // a Meta-shaped body of just this event, valid JSON
};

struct Delivery {
  std::shared_ptr<const Event> event;
  Uuid endpoint_id;
  std::uint16_t attempts = 0;  // made before
  bool is_fresh = false;       // its event came a moment ago, and this is the first attempt
  bool is_admitted = false;    // counted by Admission, until it no longer waits
};

}  // namespace socialsync::deliver
