#include "simulation/shrink.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace socialsync::simulation {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds patience{10};

class Shrinker {
 public:
  Shrinker(const Plan& plan, const Violation& violation)
      : invariant_(violation.invariant), best_{.plan = plan, .history = play(plan)} {}

  Shrunk run() {
    std::size_t before = 0;
    do {
      before = size();
      drop_some(&Plan::faults);
      drop_some(&Plan::requests);
      drop_endpoints();
      make_simpler();
    } while (size() < before && !is_late());
    return std::move(best_);
  }

 private:
  bool is_late() const { return Clock::now() - began_ > patience; }

  std::size_t size() const {
    const Plan& plan = best_.plan;
    std::size_t deliveries = 0;
    for (const RequestPlan& request : plan.requests)
      deliveries += request.rows.size() + request.endpoints.size();
    return plan.faults.size() + plan.endpoints.size() + deliveries + plan.processes;
  }

  // Keeps the plan if it breaks the same invariant.
  bool try_plan(Plan plan) {
    if (is_late()) return false;
    ++best_.replays;
    History history = play(plan);
    if (!history.violation || history.violation->invariant != invariant_) return false;
    best_.plan = std::move(plan);
    best_.history = std::move(history);
    return true;
  }

  // Leaves out runs of parts: half of them, then a quarter, and so on down to single ones.
  template <class Part>
  void drop_some(std::vector<Part> Plan::* parts) {
    for (std::size_t length = (best_.plan.*parts).size(); length > 0; length /= 2) {
      for (std::size_t at = 0; at < (best_.plan.*parts).size();) {
        Plan plan = best_.plan;
        auto& all = plan.*parts;
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(at);
        const std::size_t end = std::min(all.size(), at + length);
        all.erase(begin, all.begin() + static_cast<std::ptrdiff_t>(end));
        if (!try_plan(std::move(plan))) at += length;
      }
    }
  }

  // Endpoints stay in their places: requests lose them.
  void drop_endpoints() {
    for (std::size_t endpoint = 0; endpoint < best_.plan.endpoints.size(); ++endpoint) {
      Plan plan = best_.plan;
      for (RequestPlan& request : plan.requests) std::erase(request.endpoints, endpoint);
      try_plan(std::move(plan));
    }
    while (!best_.plan.endpoints.empty()) {
      Plan plan = best_.plan;
      const std::size_t last = plan.endpoints.size() - 1;
      for (RequestPlan& request : plan.requests) std::erase(request.endpoints, last);
      plan.endpoints.pop_back();
      if (!try_plan(std::move(plan))) break;
    }
  }

  void make_simpler() {
    while (best_.plan.processes > 1) {
      Plan plan = best_.plan;
      --plan.processes;
      if (!try_plan(std::move(plan))) break;
    }
    for (std::size_t i = 0; i < best_.plan.requests.size(); ++i) {
      Plan plan = best_.plan;
      plan.requests[i].rows.resize(1);
      plan.requests[i].is_repeated = false;
      if (best_.plan.requests[i].rows.size() > 1) try_plan(std::move(plan));
    }
    for (std::size_t i = 0; i < best_.plan.endpoints.size(); ++i) {
      Plan plan = best_.plan;
      if (std::exchange(plan.endpoints[i].behaviour, Behaviour::fast) != Behaviour::fast)
        try_plan(std::move(plan));
    }
  }

  std::string invariant_;
  Clock::time_point began_ = Clock::now();
  Shrunk best_;
};

}  // namespace

Shrunk shrink(const Plan& plan, const Violation& violation) { return Shrinker(plan, violation).run(); }

}  // namespace socialsync::simulation
