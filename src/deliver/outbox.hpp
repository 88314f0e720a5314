// A worker's knowledge of the outbox: which of its rows it holds a lease on, and for which endpoints rows
// are due.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
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

// The rows that this worker holds a lease on. One thread.
class Leases {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Leases(std::chrono::milliseconds length) : length_(length) {}

  // False when the lease is held already.
  bool add(const store::DeliveryKey& key, TimePoint now);
  void end(const store::DeliveryKey& key) { held_.erase(key); }
  bool holds(const store::DeliveryKey& key) const { return held_.contains(key); }
  std::size_t size() const { return held_.size(); }
  std::chrono::milliseconds length() const { return length_; }

  // The keys of at most `most` leases that are half over, oldest first: they are to be renewed now.
  std::vector<store::DeliveryKey> due(TimePoint now, std::size_t most);
  // Renews leases that due() returned.
  void renewed(std::span<const store::DeliveryKey> keys, TimePoint now);

 private:
  struct Lease {
    store::DeliveryKey key;
    TimePoint from;
  };

  std::chrono::milliseconds length_;
  std::unordered_set<store::DeliveryKey, DeliveryKeyHash> held_;
  std::deque<Lease> leases_;  // the oldest first; may contain leases that have ended
};

// When rows of each endpoint are due, as far as this worker knows. One thread.
class Backlog {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  // Forgets everything: the whole outbox is about to be read.
  void clear() { due_.clear(); }
  // A row of the endpoint is due at that time, or earlier.
  void note(const Uuid& endpoint_id, TimePoint due_at);
  void note(std::span<const store::Due> due, TimePoint now);
  // Rows of the endpoint are not to be claimed before that time.
  void put_off(const Uuid& endpoint_id, TimePoint until);

  // Chooses which rows to claim: of each endpoint that has rows due, at most `room`; endpoints take turns
  // from call to call. Forgets what was known about these endpoints, until note_claim().
  std::vector<store::Room> take_wanted(TimePoint now, const std::function<std::size_t(const Uuid&)>& room,
                                       std::size_t rows_max);
  // Notes when the next rows of the requested endpoints are due, after the claim.
  void note_claim(std::span<const store::Room> asked, const store::Claim& claim, TimePoint now);

  bool is_due(const Uuid& endpoint_id, TimePoint now) const;
  // The earliest due time after `now`.
  std::optional<TimePoint> next_at(TimePoint now) const;

 private:
  std::map<Uuid, TimePoint> due_;
  Uuid last_asked_;
};

}  // namespace socialsync::deliver
