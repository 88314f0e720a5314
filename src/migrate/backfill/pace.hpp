// The speed of a backfill: the size of its batches, and pauses for standbys.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include "pg/session.hpp"

namespace socialsync::migrate {

// The number of accounts in the next batch, so that a batch takes about `target` and holds row locks no
// longer.
class BackfillPace {
 public:
  static constexpr std::size_t size_at_first = 500;
  static constexpr std::size_t size_max = 5000;

  explicit BackfillPace(std::chrono::milliseconds target) : target_(target) {}

  std::size_t size() const { return size_; }

  // Reports the duration of a batch of size().
  void took(std::chrono::milliseconds duration) {
    if (duration > target_) halve();
    if (duration < target_ / 2) size_ = std::min(size_max, size_ * 2);
  }

  void halve() { size_ = std::max<std::size_t>(1, size_ / 2); }

 private:
  std::chrono::milliseconds target_;
  std::size_t size_ = size_at_first;
};

// Pauses while a standby lags more than `lag_max`. Sees standbys only with pg_monitor.
class BackfillThrottle {
 public:
  BackfillThrottle(pg::Session& session, std::chrono::milliseconds lag_max)
      : session_(session), lag_max_(lag_max) {}

  // Returns when the lag is small or `interrupted` is true; passes the reason of a pause to `tell`.
  void wait(const std::function<bool()>& interrupted, const std::function<void(const std::string&)>& tell);

  std::chrono::milliseconds paused() const { return paused_; }

 private:
  std::chrono::milliseconds lag();

  pg::Session& session_;
  std::chrono::milliseconds lag_max_;
  std::chrono::milliseconds paused_{0};
  std::chrono::steady_clock::time_point asked_{};
};

}  // namespace socialsync::migrate
