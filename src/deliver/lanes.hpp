// Who is sent next: the fair queue of the deliveries that are in memory.
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
#include "deliver/breaker.hpp"
#include "deliver/delivery.hpp"
#include "deliver/rate.hpp"
#include "deliver/waiting.hpp"

namespace socialsync::deliver {

struct LaneLimits {
  std::size_t in_flight_max = 512;
  std::size_t slow_in_flight_max = 384;  // of these, for lanes that are slow
  std::chrono::milliseconds slow_from{1'000};
  std::size_t waiting_max = 20'000;
  std::size_t waiting_bytes_max = 64 * 1024 * 1024;
  std::size_t lane_waiting_max = 512;
};

// What an endpoint allows.
struct LaneCaps {
  std::size_t concurrent_max = 16;  // 0 counts as 1
  std::optional<std::uint32_t> per_second_max = std::nullopt;
};

// How a delivery ended.
struct Ended {
  bool is_delivered = false;
  std::chrono::microseconds took{0};
  bool is_outdated = false;  // it went where the endpoint no longer is: says nothing of it
};

// A lane for each endpoint. A delivery is offered, begins when next() gives it out, and has ended.
//
// Fair: the lane with the fewest in flight is next and, among these, the one whose turn is longest ago: lanes
// that are equally fast take turns. Of each limit that lanes share (in flight, waiting, bytes) a lane may use
// one, or else a third of what the others leave. Those whose last delivery was slow have a limit of their own
// in flight: however many are slow or dead, something stays free.
//
// One thread. Each call takes time that grows with the logarithm of the number of lanes at most; a lane that
// may not begin anything is not looked at until that has changed.
class Lanes {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit Lanes(LaneLimits limits = {}) : limits_(limits) {}
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  // A new lane, or other caps for one that is there.
  void configure(const Uuid& endpoint_id, const LaneCaps& caps, TimePoint now);
  // Nothing more begins; gives back what waited. What is in flight is still to be ended. If it is configured
  // again, its breaker is closed.
  [[nodiscard]] std::vector<Delivery> remove(const Uuid& endpoint_id);
  // It was repaired: its breaker is closed.
  void repaired(const Uuid& endpoint_id, TimePoint now);

  // How many more deliveries will be taken for it, as long as none is for another and their bytes find room:
  // none while its breaker is open, one when a probe is due, none when it is unknown.
  std::size_t room(const Uuid& endpoint_id, TimePoint now) const;
  // False, with nothing taken, when there is no room for it.
  bool offer(const Delivery& delivery, TimePoint now);

  // What is to begin now, if anything: to be called until there is nothing.
  std::optional<Delivery> next(TimePoint now);
  // When next() or room() may say more although nothing is offered or ends: because of a rate, or a breaker.
  // Call next() first.
  std::optional<TimePoint> next_at() const;

  // One that next() gave out is over. Gives back what waited, if this opened the breaker. `jitter`: random in
  // [0, 1).
  [[nodiscard]] std::vector<Delivery> ended(const Uuid& endpoint_id, const Ended& how, TimePoint now,
                                            double jitter);

  // Whether its breaker is not closed. False when it is unknown.
  bool is_open(const Uuid& endpoint_id) const;
  std::size_t waiting() const { return waiting_; }
  std::size_t waiting_bytes() const { return waiting_bytes_; }
  std::size_t in_flight() const { return in_flight_; }
  // How often a lane was looked at so far: what all of this costs.
  std::uint64_t looks() const { return looks_; }

 private:
  struct Lane;
  // In flight, and the number of the last turn: no two lanes have the same.
  using Ready = std::map<std::pair<std::size_t, std::uint64_t>, Lane*>;
  using Sleeping = std::map<std::pair<TimePoint, std::uint64_t>, Lane*>;

  struct Lane {
    LaneCaps caps;
    Rate rate;
    Breaker breaker;
    Waiting waiting;
    std::size_t in_flight = 0;
    std::uint64_t turn = 0;
    bool is_removed = false;  // stays until nothing is in flight
    bool is_slow = false;
    // Where it stands, if anywhere.
    std::optional<Ready::iterator> ready;
    std::optional<Sleeping::iterator> sleeping;
  };

  const Lane* find(const Uuid& endpoint_id) const;
  bool has_bytes_for(const Lane& lane, std::size_t bytes) const;
  // Puts a lane where it belongs: among the ready, the sleeping, or neither until something is offered or
  // ends.
  void settle(Lane& lane, TimePoint now);
  void unsettle(Lane& lane);
  Ready& ready_among(const Lane& lane) { return lane.is_slow ? slow_ready_ : ready_; }
  Lane* next_lane();
  void learn(Lane& lane, const Ended& how, TimePoint now, double jitter);
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
