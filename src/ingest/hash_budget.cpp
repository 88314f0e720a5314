#include "ingest/hash_budget.hpp"

#include <algorithm>

namespace socialsync::ingest {

bool HashBudget::take(std::uint64_t bytes, TimePoint now) {
  const std::chrono::duration<double> passed = now - refilled_at_;
  const double refill = std::clamp(passed.count(), 0.0, 1.0) * static_cast<double>(bytes_per_second_);
  available_ = std::min(bytes_per_second_, available_ + static_cast<std::uint64_t>(refill));
  refilled_at_ = now;
  if (available_ < bytes) return false;
  available_ -= bytes;
  return true;
}

}  // namespace socialsync::ingest
