#include "cli/deliveries/ending.hpp"

#include <algorithm>

#include "cli/deliveries/rows.hpp"

namespace socialsync::cli::deliveries {
namespace {

Ending::Result result_of_last(const store::PastAttempt& last) {
  if (last.error.empty()) return Ending::Result::delivered;
  return last.error == cancelled ? Ending::Result::cancelled : Ending::Result::dropped;
}

}  // namespace

std::vector<Ending> endings_of(const std::vector<store::PastAttempt>& attempts,
                               const std::vector<store::OutboxRow>& waiting) {
  std::vector<Ending> endings;
  for (const store::PastAttempt& attempt : attempts) {
    const bool is_waiting =
        std::ranges::count(waiting, attempt.endpoint_id, &store::OutboxRow::endpoint_id) > 0;
    const bool is_known = std::ranges::count(endings, attempt.endpoint_id, &Ending::endpoint_id) > 0;
    if (!is_waiting && !is_known)
      endings.push_back(
          {.endpoint_id = attempt.endpoint_id, .url = attempt.url, .result = result_of_last(attempt)});
  }
  return endings;
}

const char* name_of(Ending::Result result) {
  switch (result) {
    case Ending::Result::delivered: return "delivered";
    case Ending::Result::cancelled: return "cancelled";
    case Ending::Result::dropped: return "dropped";
  }
  return "";
}

const char* described(Ending::Result result) {
  switch (result) {
    case Ending::Result::delivered: return "delivered";
    case Ending::Result::cancelled: return "not delivered, it was cancelled";
    case Ending::Result::dropped: return "not delivered, it is no longer in the outbox";
  }
  return "";
}

}  // namespace socialsync::cli::deliveries
