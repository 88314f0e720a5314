#include "deliver/rate.hpp"

#include <algorithm>

namespace socialsync::deliver {
namespace {

constexpr std::int64_t second_ns = 1'000'000'000;

}  // namespace

Rate::Rate(std::optional<std::uint32_t> per_second_max) {
  if (!per_second_max) return;
  const std::uint32_t burst = std::max(*per_second_max, 1U);
  // Rounded up: never more than allowed.
  interval_ = std::chrono::nanoseconds((second_ns + burst - 1) / burst);
  slack_ = interval_ * (burst - 1);
}

void Rate::take(TimePoint now) {
  if (interval_.count() > 0) full_at_ = std::max(full_at_, now) + interval_;
}

}  // namespace socialsync::deliver
