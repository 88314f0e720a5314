#include "ingest/hash_budget.hpp"

#include <algorithm>

namespace socialsync::ingest {

bool HashBudget::take(std::uint64_t bytes, TimePoint now) {
  const std::chrono::duration<double> passed = now - refilled_at_;
  available_ += std::clamp(passed.count(), 0.0, 1.0) * bytes_per_second_;
  available_ = std::min(available_, bytes_per_second_);
  refilled_at_ = now;
  const auto wanted = static_cast<double>(bytes);
  if (available_ < wanted) return false;
  available_ -= wanted;
  return true;
}

}  // namespace socialsync::ingest
