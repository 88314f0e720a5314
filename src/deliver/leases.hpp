// What this worker has in hand, and until when the outbox says so.
#pragma once

#include <chrono>
#include <deque>
#include <span>
#include <unordered_set>
#include <vector>

#include "store/claims.hpp"

namespace socialsync::deliver {

struct DeliveryKeyHash {
  std::size_t operator()(const store::DeliveryKey& key) const noexcept {
    return std::hash<Uuid>{}(key.event_id) ^ (std::hash<Uuid>{}(key.endpoint_id) << 1U);
  }
};

// One thread.
class Leases {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Leases(std::chrono::milliseconds length) : length_(length) {}

  // False when it is in hand already.
  bool add(const store::DeliveryKey& key, TimePoint now);
  void end(const store::DeliveryKey& key) { held_.erase(key); }
  bool holds(const store::DeliveryKey& key) const { return held_.contains(key); }
  std::size_t size() const { return held_.size(); }
  std::chrono::milliseconds length() const { return length_; }
  std::vector<store::DeliveryKey> all() const { return {held_.begin(), held_.end()}; }

  // Those whose lease is half over, at most so many: they are to be renewed now.
  std::vector<store::DeliveryKey> due(TimePoint now, std::size_t most);
  // Those that due() gave are.
  void renewed(std::span<const store::DeliveryKey> keys, TimePoint now);

 private:
  struct Lease {
    store::DeliveryKey key;
    TimePoint from;
  };

  std::chrono::milliseconds length_;
  std::unordered_set<store::DeliveryKey, DeliveryKeyHash> held_;
  std::deque<Lease> leases_;  // the oldest first; with those that ended meanwhile
};

}  // namespace socialsync::deliver
