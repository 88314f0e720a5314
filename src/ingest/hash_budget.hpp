#pragma once

#include <chrono>
#include <cstdint>

namespace socialsync::ingest {

// A token bucket of bytes to hash. A body that no secret of its accounts signed is tried under all
// others, which a stranger could abuse: beyond the budget such bodies are answered 503.
class HashBudget {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit HashBudget(std::uint64_t bytes_per_second)
      : bytes_per_second_(static_cast<double>(bytes_per_second)), available_(bytes_per_second_) {}

  // Takes the bytes and returns true if they are left. The bucket refills evenly, up to one second's budget.
  bool take(std::uint64_t bytes, TimePoint now);

 private:
  // Fractions, because the time between two calls may be worth less than a byte.
  double bytes_per_second_;
  double available_;
  TimePoint refilled_at_{};
};

}  // namespace socialsync::ingest
