// How often something may begin.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace socialsync::deliver {

// A token bucket that holds one second's worth, at least one, and is full at first. Kept as the time at which
// it would be full again, in whole nanoseconds: however often it is asked, no fraction gets lost.
class Rate {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Without a number, no limit. 0 counts as 1.
  explicit Rate(std::optional<std::uint32_t> per_second_max = std::nullopt);

  // From when on one more may begin: at that very time it may.
  TimePoint allowed_from() const { return full_at_ - slack_; }
  void take(TimePoint now);

 private:
  std::chrono::nanoseconds interval_{0};
  std::chrono::nanoseconds slack_{0};
  TimePoint full_at_{};
};

}  // namespace socialsync::deliver
