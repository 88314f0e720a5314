// The fair queue of deliveries in memory: decides which endpoint's delivery is sent next.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/uuid.hpp"
#include "deliver/delivery.hpp"
#include "deliver/lane.hpp"

namespace socialsync::deliver {

struct LaneLimits {
  std::size_t in_flight_max = 512;
  std::size_t slow_in_flight_max = 384;  // the part of in_flight_max that slow lanes may use
  std::chrono::milliseconds slow_from{1'000};
  std::size_t waiting_max = 20'000;
  std::size_t waiting_bytes_max = 64 * 1024 * 1024;
  std::size_t lane_waiting_max = 512;
};

// An endpoint's own limits.
struct LaneCaps {
  std::size_t concurrent_max = 16;  // 0 counts as 1
  std::optional<std::uint32_t> per_second_max = std::nullopt;
};

struct AttemptEnd {
  Ended how = Ended::failed;
  std::chrono::microseconds took{0};
  bool is_outdated = false;  // the endpoint's URL has changed since: says nothing about the endpoint
};

// One lane per endpoint. A delivery is offered, begins when next() returns it, and ends.
//
// Fair: the lane with the fewest deliveries in flight is next; among equals, the one whose turn is longest
// ago. A lane may use one place of each shared limit (in flight, waiting, bytes), or else a third of what the
// other lanes leave. Lanes whose last delivery was slow share a lower limit in flight: however many endpoints
// are slow or dead, places stay free for the others.
//
// One thread. Each call costs the logarithm of the number of lanes at most; a lane in which nothing may begin
// is not looked at until that changes.
class Lanes {
 public:
  using TimePoint = deliver::TimePoint;

  explicit Lanes(LaneLimits limits = {}) : limits_(limits) {}
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // Adds a lane, or changes the caps of an existing one.
  void configure(const Uuid& endpoint_id, const LaneCaps& caps, TimePoint now);
  // Begins nothing more; returns the deliveries that waited. Deliveries in flight are still to be ended. When
  // it is configured again, its breaker is closed.
  [[nodiscard]] std::vector<Delivery> remove(const Uuid& endpoint_id);
  // Closes the breaker: the endpoint was repaired.
  void repaired(const Uuid& endpoint_id, TimePoint now);

  // Returns the number of deliveries that would be accepted now for this endpoint alone, if their bytes fit:
  // none while its breaker is open, one when a probe is due, none when the endpoint is unknown.
  std::size_t room(const Uuid& endpoint_id, TimePoint now) const;
  // False, with nothing taken, when there is no room.
  bool offer(const Delivery& delivery, TimePoint now);

  // Takes the delivery that is to begin now, if any. Call until there is none.
  std::optional<Delivery> next(TimePoint now);
  // When next() or room() may change without a call, because of a rate limit or a breaker. Call next() first.
  std::optional<TimePoint> next_at() const;

  // Ends a delivery that next() returned. Returns the deliveries that waited, if this opened the breaker.
  // `jitter`: random in [0, 1).
  [[nodiscard]] std::vector<Delivery> ended(const Uuid& endpoint_id, const AttemptEnd& end, TimePoint now,
                                            double jitter);

  // Returns whether the breaker is open or half-open. False when the endpoint is unknown.
  bool is_open(const Uuid& endpoint_id) const;
  std::size_t waiting() const { return waiting_; }
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  std::size_t in_flight() const { return in_flight_; }
  // The number of lanes examined so far: the cost of all calls.
  std::uint64_t looks() const { return looks_; }
  // Counts everything again and compares: for tests. Takes time in proportion to the number of lanes.
  bool are_counts_right() const;

 private:
  struct Lane;
  // Deliveries in flight, and the number of the last turn, which no two lanes share.
  using Ready = std::map<std::pair<std::size_t, std::uint64_t>, Lane*>;
  using Sleeping = std::map<std::pair<TimePoint, std::uint64_t>, Lane*>;

  struct Lane {
    LaneCaps caps;
    Rate rate;
    Breaker breaker;
    Waiting waiting;
    std::size_t in_flight = 0;
    std::uint64_t turn = 0;
    bool is_removed = false;  // kept until nothing is in flight
    bool is_slow = false;
    // Its place in ready_ or slow_ready_, or in sleeping_.
    std::optional<Ready::iterator> ready;
    std::optional<Sleeping::iterator> sleeping;
  };

  const Lane* find(const Uuid& endpoint_id) const;
  bool has_bytes_for(const Lane& lane, std::size_t bytes) const;
  // Puts a lane among the ready, the sleeping, or neither until something is offered or ends.
  void settle(Lane& lane, TimePoint now);
  void unsettle(Lane& lane);
  Ready& ready_among(const Lane& lane) { return lane.is_slow ? slow_ready_ : ready_; }
  Lane* next_lane();
  void learn(Lane& lane, const AttemptEnd& end, TimePoint now, double jitter);
  void set_slow(Lane& lane, bool is_slow);
  void sleep(Lane& lane, TimePoint until);
  void wake(TimePoint now);
  Delivery begin(Lane& lane, TimePoint now);
  std::vector<Delivery> drain(Lane& lane);

  LaneLimits limits_;
  std::unordered_map<Uuid, Lane> lanes_;
  Ready ready_;
  Ready slow_ready_;
  Sleeping sleeping_;
  std::uint64_t turns_ = 0;
  std::size_t waiting_ = 0;
  std::size_t waiting_bytes_ = 0;
  std::size_t in_flight_ = 0;
  std::size_t slow_in_flight_ = 0;
  std::uint64_t looks_ = 0;
};

}  // namespace socialsync::deliver
