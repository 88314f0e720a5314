// A minute of virtual time: healthy endpoints beside slow and dead ones.
#include <map>
#include <queue>
#include <set>

#include <doctest/doctest.h>

#include "deliver/lanes.hpp"

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr int healthy_count = 90, bad_count = 10;
constexpr auto between_arrivals = 100ms;
constexpr auto healthy_time = 20ms;
constexpr auto duration = 60s;
constexpr Lanes::TimePoint start{1h};

// How the bad ones answer. Their outbox is full: whenever there is room, more comes.
struct Bad {
  milliseconds time;
  bool is_delivered;
};
constexpr Bad black_hole{15s, false};
constexpr Bad slow{10s, true};

Uuid endpoint(int number) {
  Uuid id;
  id.bytes[15] = static_cast<std::uint8_t>(number);
  return id;
}

class Simulation {
 public:
  Simulation(LaneLimits limits, std::optional<Bad> bad) : lanes_(limits), bad_(bad) {
    for (int number = 0; number < healthy_count + bad_count; ++number)
      lanes_.configure(endpoint(number), LaneCaps(), start);
    for (int number = 0; number < healthy_count; ++number) moments_.emplace(start + number * 1ms);
    for (int number = 0; number < healthy_count; ++number)
      arrives_at_[endpoint(number)] = start + number * 1ms;
  }

  void run() {
    for (Lanes::TimePoint now = start; now < start + duration; now = next_moment(now)) {
      end_all(now);
      arrive_all(now);
      if (bad_) fill_bad(now);
      begin_all(now);
    }
  }

  // The number of healthy endpoints' deliveries by their waiting time.
  std::map<Lanes::TimePoint::duration, int> waits;
  int refused = 0;  // deliveries of healthy endpoints
  int bad_begun = 0;

 private:
  static bool is_healthy(const Uuid& id) { return id.bytes[15] < healthy_count; }

  // Each moment at which something happens, in order.
  Lanes::TimePoint next_moment(Lanes::TimePoint now) {
    if (const auto at = lanes_.next_at()) moments_.insert(*at);
    moments_.erase(moments_.begin(), moments_.upper_bound(now));
    return *moments_.begin();
  }

  void end_all(Lanes::TimePoint now) {
    while (!ends_.empty() && ends_.begin()->first <= now) {
      const Uuid id = ends_.begin()->second;
      ends_.erase(ends_.begin());
      const bool is_delivered = is_healthy(id) || bad_->is_delivered;
      static_cast<void>(lanes_.ended(id,
                                     {.how = is_delivered ? Ended::delivered : Ended::failed,
                                      .took = is_healthy(id) ? healthy_time : bad_->time},
                                     now, 0));
    }
  }

  void arrive_all(Lanes::TimePoint now) {
    for (auto& [id, at] : arrives_at_) {
      if (at > now) continue;
      if (lanes_.offer(delivery(id), now))
        arrived_[id].push(now);
      else
        ++refused;
      at += between_arrivals;
      moments_.insert(at);
    }
  }

  void fill_bad(Lanes::TimePoint now) {
    for (int number = healthy_count; number < healthy_count + bad_count; ++number)
      while (lanes_.offer(delivery(endpoint(number)), now)) continue;
  }

  void begin_all(Lanes::TimePoint now) {
    while (const auto next = lanes_.next(now)) {
      const Uuid id = next->endpoint_id;
      const Lanes::TimePoint end = now + (is_healthy(id) ? healthy_time : bad_->time);
      ends_.emplace(end, id);
      moments_.insert(end);
      if (!is_healthy(id)) {
        ++bad_begun;
        continue;
      }
      ++waits[now - arrived_[id].front()];
      arrived_[id].pop();
    }
  }

  Delivery delivery(const Uuid& id) const { return {.event = event_, .endpoint_id = id, .attempts = 0}; }

  Lanes lanes_;
  std::optional<Bad> bad_;
  std::shared_ptr<const Event> event_ = std::make_shared<const Event>(Event());
  std::set<Lanes::TimePoint> moments_;
  std::map<Uuid, Lanes::TimePoint> arrives_at_;
  std::map<Uuid, std::queue<Lanes::TimePoint>> arrived_;
  std::multimap<Lanes::TimePoint, Uuid> ends_;
};

// The healthy ones alone would fit in 18 places; the bad ones could fill 160.
constexpr LaneLimits tight{.in_flight_max = 128, .waiting_max = 600};

TEST_CASE("lanes: dead and slow endpoints do not delay the others by a moment") {
  Simulation alone(tight, std::nullopt);
  alone.run();
  REQUIRE(alone.refused == 0);
  REQUIRE(alone.waits[0ms] == healthy_count * (duration / between_arrivals));
  for (const Bad& bad : {black_hole, slow}) {
    Simulation together(tight, bad);
    together.run();
    CHECK(together.waits == alone.waits);
    CHECK(together.refused == 0);
    CHECK(together.bad_begun >= bad_count);
  }
}

TEST_CASE("lanes: slow endpoints use free places, dead ones are soon only probed") {
  Simulation with_slow(LaneLimits(), slow), with_dead(LaneLimits(), black_hole);
  with_slow.run();
  with_dead.run();
  // All of their 16 at a time, for a minute of ten seconds each.
  CHECK(with_slow.bad_begun == bad_count * 16 * 6);
  // The 16 that went before the first timeouts, and a probe at 45 s.
  CHECK(with_dead.bad_begun == bad_count * (16 + 1));
}

}  // namespace
}  // namespace socialsync::deliver
