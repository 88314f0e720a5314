#include "deliver/leases.hpp"

namespace socialsync::deliver {

bool Leases::add(const store::DeliveryKey& key, TimePoint now) {
  if (!held_.insert(key).second) return false;
  leases_.push_back({key, now});
  return true;
}

std::vector<store::DeliveryKey> Leases::due(TimePoint now, std::size_t most) {
  while (!leases_.empty() && !held_.contains(leases_.front().key)) leases_.pop_front();
  std::vector<store::DeliveryKey> keys;
  for (const Lease& lease : leases_) {
    const bool has_ended = !held_.contains(lease.key);
    if (keys.size() == most || (!has_ended && now - lease.from < length_ / 2)) break;
    if (!has_ended) keys.push_back(lease.key);
  }
  return keys;
}

// What was in front of one of them had ended when they were asked for.
void Leases::renewed(std::span<const store::DeliveryKey> keys, TimePoint now) {
  for (const store::DeliveryKey& key : keys) {
    while (leases_.front().key != key) leases_.pop_front();
    leases_.pop_front();
    if (held_.contains(key)) leases_.push_back({key, now});
  }
}

}  // namespace socialsync::deliver
