#include "deliver/leases.hpp"

namespace socialsync::deliver {

bool Leases::add(const store::DeliveryKey& key, TimePoint now) {
  if (!held_.insert(key).second) return false;
  leases_.push_back({key, now});
  return true;
}

std::vector<store::DeliveryKey> Leases::take_due(TimePoint now, std::size_t most) {
  std::vector<store::DeliveryKey> due;
  while (!leases_.empty() && due.size() < most) {
    const Lease oldest = leases_.front();
    const bool has_ended = !held_.contains(oldest.key);
    if (!has_ended && now - oldest.from < length_ / 2) break;
    leases_.pop_front();
    if (has_ended) continue;
    due.push_back(oldest.key);
    leases_.push_back({oldest.key, now});
  }
  return due;
}

}  // namespace socialsync::deliver
