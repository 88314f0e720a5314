// The meaning of a receiver's reply for the delivery.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "deliver/wire/exchange.hpp"

namespace socialsync::deliver {

enum class Verdict : std::uint8_t {
  delivered,  // 2xx
  retry,      // all others: no answer, redirects (which are not followed), 4xx, 5xx
  gone,       // 410: the receiver wants no more, its endpoint is to be disabled
};
Verdict verdict_of(const Reply& reply);

// webhook_delivery_attempts.error: empty when delivered, "http_status" for any other answer, the name of the
// SendError when there was no answer.
std::string_view error_of(const Reply& reply);

inline constexpr std::uint32_t attempts_max = 10;
// A longer Retry-After counts as this.
inline constexpr std::chrono::hours retry_after_max{10};
// The share of a delay that jitter adds at most.
inline constexpr double jitter_share = 0.1;

// The retry schedule: how long to wait after attempt number `attempt`, from 1 on, which got this reply.
// Nothing after the last attempt: the delivery is dead-lettered. `jitter`, random in [0, 1), only adds. A
// Retry-After with 429 or 503 may make the delay longer, never shorter.
std::optional<std::chrono::milliseconds> delay_after(std::uint32_t attempt, const Reply& reply,
                                                     double jitter);

// For operators: how to fix a failed delivery, by webhook_delivery_attempts.error and http_status (0: none).
// Empty when it was delivered.
std::string_view advice_on(std::string_view error, int http_status);

}  // namespace socialsync::deliver
