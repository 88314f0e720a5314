// When a delivery that failed is tried again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "deliver/exchange.hpp"

namespace socialsync::deliver {

inline constexpr std::uint32_t attempts_max = 10;
// What a receiver's Retry-After counts for at most.
inline constexpr std::chrono::hours retry_after_max{10};
// The share of a delay that jitter adds at most.
inline constexpr double jitter_share = 0.1;

// How long to wait after the attempt of that number, from 1 on, which got this reply. Nothing after the last:
// the delivery is dead. `jitter`, random in [0, 1), only adds. A Retry-After that came with 429 or 503 may
// make it longer, never shorter.
std::optional<std::chrono::milliseconds> delay_after(std::uint32_t attempt, const Reply& reply,
                                                     double jitter);

}  // namespace socialsync::deliver
