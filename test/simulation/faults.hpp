// Which faults are in force at a moment, and whom they hit.
#pragma once

#include <chrono>
#include <optional>
#include <vector>

#include "base/uuid.hpp"
#include "simulation/plan.hpp"
#include "simulation/schedule.hpp"

namespace socialsync::simulation {

class Faults {
 public:
  Faults(const Schedule& schedule, std::vector<FaultPlan> plans)
      : schedule_(schedule), began_(schedule.now()), plans_(std::move(plans)) {}

  // The amount of a fault that is in force; 0: none is.
  std::int64_t amount(FaultKind kind) const {
    std::int64_t most = 0;
    for (const FaultPlan& plan : plans_)
      if (plan.kind == kind && is_in_force(plan)) most = std::max(most, plan.amount);
    return most;
  }
  // True when that percentage of rows includes this one: the same rows as long as the fault lasts.
  static bool hits(std::int64_t percent, const Uuid& id) {
    return static_cast<std::int64_t>(std::hash<Uuid>{}(id) % 101) < percent;
  }
  // How far the database's clock is from the true one.
  std::chrono::seconds database_offset() const { return offset(FaultKind::database_clock_set, std::nullopt); }
  std::chrono::seconds system_offset(std::size_t process) const {
    return offset(FaultKind::system_clock_set, process);
  }
  // True when a fault since `from` could have made a worker lose a lease: leases are not renewed while the
  // database is unreachable or slow, rows are locked, or its clock is set.
  bool excuse_lost_leases(TimePoint from) const {
    constexpr std::chrono::seconds aftermath{200};
    for (const FaultPlan& plan : plans_) {
      const bool is_of_database = plan.kind != FaultKind::process_killed &&
                                  plan.kind != FaultKind::process_stopped &&
                                  plan.kind != FaultKind::system_clock_set;
      if (is_of_database && began_ + plan.from <= schedule_.now() && from <= began_ + plan.until + aftermath)
        return true;
    }
    return false;
  }

 private:
  bool is_in_force(const FaultPlan& plan) const {
    const auto now = schedule_.now() - began_;
    return plan.from <= now && now < plan.until;
  }
  std::chrono::seconds offset(FaultKind kind, std::optional<std::size_t> process) const {
    std::chrono::seconds sum{0};
    for (const FaultPlan& plan : plans_) {
      const bool is_of_it = plan.kind == kind && (!process || plan.process == *process);
      if (is_of_it && is_in_force(plan)) sum += std::chrono::seconds(plan.amount);
    }
    return sum;
  }

  const Schedule& schedule_;
  TimePoint began_;
  std::vector<FaultPlan> plans_;
};

}  // namespace socialsync::simulation
