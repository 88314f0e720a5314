#include "deliver/admission.hpp"

namespace socialsync::deliver {

bool Admission::admit(const Uuid& endpoint_id) {
  const std::lock_guard lock(mutex_);
  const auto found = doors_.find(endpoint_id);
  if (found == doors_.end() || !found->second.is_open) return false;
  if (found->second.waiting >= limits_.endpoint_waiting_max || waiting_ >= limits_.waiting_max) return false;
  ++found->second.waiting;
  ++waiting_;
  return true;
}

void Admission::leave(const Uuid& endpoint_id) {
  const std::lock_guard lock(mutex_);
  const auto found = doors_.find(endpoint_id);
  if (found == doors_.end() || found->second.waiting == 0) return;
  --found->second.waiting;
  --waiting_;
}

void Admission::set(const Uuid& endpoint_id, bool is_open) {
  const std::lock_guard lock(mutex_);
  doors_[endpoint_id].is_open = is_open;
}

// Deliveries that still wait are no longer counted.
void Admission::remove(const Uuid& endpoint_id) {
  const std::lock_guard lock(mutex_);
  const auto found = doors_.find(endpoint_id);
  if (found == doors_.end()) return;
  waiting_ -= found->second.waiting;
  doors_.erase(found);
}

}  // namespace socialsync::deliver
