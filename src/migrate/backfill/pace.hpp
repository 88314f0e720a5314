#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace socialsync::migrate {

// How many accounts the next batch looks at, so that each takes about `target`: row locks are held that long.
class BackfillPace {
 public:
  static constexpr std::size_t size_at_first = 500;
  static constexpr std::size_t size_max = 5000;

  explicit BackfillPace(std::chrono::milliseconds target) : target_(target) {}

  std::size_t size() const { return size_; }

  // A batch of that size took so long.
  void took(std::chrono::milliseconds duration) {
    if (duration > target_) halve();
    if (duration < target_ / 2) size_ = std::min(size_max, size_ * 2);
  }

  void halve() { size_ = std::max<std::size_t>(1, size_ / 2); }

 private:
  std::chrono::milliseconds target_;
  std::size_t size_ = size_at_first;
};

}  // namespace socialsync::migrate
