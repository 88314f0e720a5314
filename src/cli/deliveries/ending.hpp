// How an event's way to an endpoint ended.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/delivery_admin.hpp"

namespace socialsync::cli::deliveries {

struct Ending {
  enum class Result : std::uint8_t {
    delivered,
    cancelled,  // an operator took it out of the outbox
    dropped,    // it failed, and is no longer in the outbox: its event or its endpoint has gone
  };

  Uuid endpoint_id;
  std::string url;
  Result result = Result::delivered;
};

// One for each endpoint that has been tried and has nothing waiting any more, the newest first. `attempts`
// are those of one event, the newest first. Pure.
std::vector<Ending> endings_of(const std::vector<store::PastAttempt>& attempts,
                               const std::vector<store::OutboxRow>& waiting);

// For programs: "delivered", "cancelled", "dropped".
const char* name_of(Ending::Result result);
// For people.
const char* described(Ending::Result result);

}  // namespace socialsync::cli::deliveries
