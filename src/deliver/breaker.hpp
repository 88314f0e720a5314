// The circuit breaker of one endpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

namespace socialsync::deliver {

inline constexpr std::uint32_t breaker_failures_max = 5;  // in a row
inline constexpr std::chrono::seconds breaker_open_min{30};
inline constexpr std::chrono::minutes breaker_open_max{5};
// The share of a pause that jitter adds at most: or all that broke at once would be probed at once.
inline constexpr double breaker_jitter_share = 0.1;

// Closed, all may begin. A streak of failures opens it: nothing begins for a while; then one delivery, the
// probe, whose success closes it, and whose failure opens it again for twice as long.
//
// What began before it opened may end later. Its success closes the breaker, for the endpoint works; its
// failure is nothing new, except while a probe is under way, when it stands for the probe's.
class Breaker {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  bool is_closed() const { return !probe_at_ && !is_probing_; }
  // Whether a delivery may begin.
  bool allows(TimePoint now) const;
  // When the next probe may begin. Nothing when closed, or while a probe is under way.
  std::optional<TimePoint> probe_at() const { return probe_at_; }

  // A delivery that was allowed began.
  void began();
  // A delivery ended. Timeouts are failures. `jitter`: random in [0, 1).
  void succeeded();
  void failed(TimePoint now, double jitter);

 private:
  void open(TimePoint now, double jitter);

  std::uint32_t failures_ = 0;  // in a row, while closed
  std::chrono::milliseconds pause_ = breaker_open_min;
  bool is_probing_ = false;
  std::optional<TimePoint> probe_at_;
};

}  // namespace socialsync::deliver
