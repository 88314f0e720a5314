#include "deliver/backoff.hpp"

#include <algorithm>
#include <array>

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::array<milliseconds, attempts_max - 1> delays = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};

// Other answers carry it too, and mean something else: with 3xx it is when to follow.
bool may_ask_to_wait(int status) { return status == 429 || status == 503; }

}  // namespace

std::optional<milliseconds> delay_after(std::uint32_t attempt, const Reply& reply, double jitter) {
  if (attempt > delays.size()) return std::nullopt;
  milliseconds delay = delays[std::max(attempt, 1U) - 1];
  if (reply.retry_after && may_ask_to_wait(reply.status))
    delay =
        std::max<milliseconds>(delay, std::min<std::chrono::seconds>(*reply.retry_after, retry_after_max));
  const double added_ms = static_cast<double>(delay.count()) * jitter_share * jitter;
  return delay + milliseconds(static_cast<std::int64_t>(added_ms));
}

}  // namespace socialsync::deliver
