// Virtual time: what is to happen, in order of time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace socialsync::simulation {

using TimePoint = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

class Schedule {
 public:
  TimePoint now() const { return now_; }
  // Things of one moment happen in the order in which they were scheduled.
  void at(TimePoint time, std::function<void()> act) {
    queue_.push({time < now_ ? now_ : time, ++count_, std::move(act)});
  }
  void after(std::chrono::nanoseconds delay, std::function<void()> act) {
    at(now_ + std::chrono::duration_cast<TimePoint::duration>(delay), std::move(act));
  }
  bool empty() const { return queue_.empty(); }
  TimePoint next_at() const { return queue_.top().time; }

  // Runs the next thing. Returns how many have run at this very moment: a hot loop shows.
  std::uint64_t step() {
    const Entry next = std::move(const_cast<Entry&>(queue_.top()));
    queue_.pop();
    at_once_ = next.time == now_ ? at_once_ + 1 : 0;
    now_ = next.time;
    ++steps_;
    next.act();
    return at_once_;
  }
  std::uint64_t steps() const { return steps_; }

 private:
  struct Entry {
    TimePoint time;
    std::uint64_t number;
    std::function<void()> act;
    bool operator<(const Entry& other) const {
      return std::pair(time, number) > std::pair(other.time, other.number);
    }
  };

  TimePoint now_ = TimePoint(std::chrono::hours(1));
  std::priority_queue<Entry> queue_;
  std::uint64_t count_ = 0;
  std::uint64_t at_once_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace socialsync::simulation
