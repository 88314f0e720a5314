// A whole history: processes, the database, receivers and faults in virtual time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "simulation/invariants.hpp"
#include "simulation/plan.hpp"

namespace socialsync::simulation {

struct History {
  std::optional<Violation> violation;
  TimePoint::duration lasted{};  // virtual time until the end, or the violation
  std::uint64_t steps = 0;
  std::uint64_t sent = 0;
  std::uint64_t events = 0;  // stored
};

// Plays the plan until everything has ended, or an invariant is broken. The same plan gives the same history.
History play(const Plan& plan);

}  // namespace socialsync::simulation
