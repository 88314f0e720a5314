// The parts of one endpoint's lane: its circuit breaker, its rate limit, and its queue in memory.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "deliver/delivery.hpp"

namespace socialsync::deliver {

using TimePoint = std::chrono::steady_clock::time_point;

// The end of an attempt.
enum class Ended : std::uint8_t {
  delivered,
  failed,    // no success reply, timeouts included
  not_sent,  // this process did not send it: says nothing about the endpoint
};

inline constexpr std::uint32_t breaker_failures_max = 5;  // in a row
inline constexpr std::chrono::seconds breaker_open_min{30};
inline constexpr std::chrono::minutes breaker_open_max{5};
// The share of the open time that jitter adds at most: endpoints that failed together are not probed
// together.
inline constexpr double breaker_jitter_share = 0.1;

// The circuit breaker of one endpoint. Closed: deliveries begin. Failures in a row open it: nothing begins
// for a while. Half-open: one delivery, the probe, begins; its success closes the breaker, its failure opens
// it for twice as long.
//
// Deliveries that began before it opened end later. A success closes the breaker. A failure changes nothing,
// except in half-open state, where it counts as the probe's.
class Breaker {
 public:
  bool is_closed() const { return !probe_at_ && !is_probing_; }
  // Returns whether a delivery may begin.
  bool allows(TimePoint now) const { return is_closed() || (probe_at_ && *probe_at_ <= now); }
  // When the next probe may begin. Nothing when closed, or while a probe is in flight.
  std::optional<TimePoint> probe_at() const { return probe_at_; }

  // A delivery that was allowed began.
  void began();
  // A delivery ended. `jitter`: random in [0, 1).
  void succeeded() { *this = Breaker(); }
  void failed(TimePoint now, double jitter);
  void not_sent(TimePoint now);

 private:
  void open(TimePoint now, double jitter);

  std::uint32_t failures_ = 0;  // in a row, while closed
  std::chrono::milliseconds pause_ = breaker_open_min;
  bool is_probing_ = false;
  std::optional<TimePoint> probe_at_;
};

// A rate limit: a token bucket for one second's deliveries, at least one, full at first. Kept as the time at
// which it is full again, in whole nanoseconds, so that no fraction is lost.
class Rate {
 public:
  // Without a number there is no limit. 0 counts as 1.
  explicit Rate(std::optional<std::uint32_t> per_second_max = std::nullopt);

  // The first time at which one more may begin.
  TimePoint allowed_from() const { return full_at_ - slack_; }
  void take(TimePoint now);

 private:
  std::chrono::nanoseconds interval_{0};
  std::chrono::nanoseconds slack_{0};
  TimePoint full_at_{};
};

// The deliveries of one endpoint that wait in memory: fresh ones, and others (retries, replays, a backlog).
// Where both wait, three fresh ones alternate with one other, so that neither starves.
class Waiting {
 public:
  bool empty() const { return fresh_.empty() && others_.empty(); }
  std::size_t size() const { return fresh_.size() + others_.size(); }
  std::size_t bytes() const { return bytes_; }

  void push(Delivery delivery);
  // Takes the next in turn. Requires that one waits.
  Delivery pop();
  // Takes all, the fresh ones first.
  std::vector<Delivery> drain();

 private:
  bool is_turn_of_others() const;

  std::deque<Delivery> fresh_;
  std::deque<Delivery> others_;
  std::uint32_t fresh_in_a_row_ = 0;  // since the last other one
  std::size_t bytes_ = 0;
};

// The bytes that count for the limit of waiting memory: the payload's.
std::size_t bytes_of(const Delivery& delivery);

}  // namespace socialsync::deliver
