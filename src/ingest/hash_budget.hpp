#pragma once

#include <chrono>
#include <cstdint>

namespace socialsync::ingest {

// A token bucket of bytes to hash. A body that none of its own accounts' secrets signed is tried under all
// others, which a stranger could abuse: beyond the budget such bodies are asked to come again later.
class HashBudget {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit HashBudget(std::uint64_t bytes_per_second)
      : bytes_per_second_(static_cast<double>(bytes_per_second)), available_(bytes_per_second_) {}

  // True, and taken, when that much is left. It refills evenly and never holds more than a second's worth.
  bool take(std::uint64_t bytes, TimePoint now);

 private:
  // Fractions count: a moment between two questions may be worth less than a byte.
  double bytes_per_second_;
  double available_;
  TimePoint refilled_at_{};
};

}  // namespace socialsync::ingest
