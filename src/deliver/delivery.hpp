// One event to be delivered to one endpoint: a row of the outbox, in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/uuid.hpp"

namespace socialsync::deliver {

// Shared by the deliveries of one event.
struct Event {
  Uuid id;
  std::string type;              // webhook_type
  std::string platform;          // the account's label
  std::int64_t received_ms = 0;  // Unix time
  std::string payload;           // Meta's body with this event only, valid JSON
};

struct Delivery {
  std::shared_ptr<const Event> event;
  Uuid endpoint_id;
  std::uint16_t attempts = 0;  // made before
  bool is_fresh = false;       // the first attempt, a moment after the receipt
  bool is_admitted = false;    // counted by Admission while it waits
};

}  // namespace socialsync::deliver
