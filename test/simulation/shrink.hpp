// Shortens a history that breaks an invariant: leaves parts out as long as the same invariant is broken.
#pragma once

#include <cstddef>

#include "simulation/plan.hpp"
#include "simulation/world.hpp"

namespace socialsync::simulation {

struct Shrunk {
  Plan plan;
  History history;
  std::size_t replays = 0;
};

// Stops after some seconds.
Shrunk shrink(const Plan& plan, const Violation& violation);

}  // namespace socialsync::simulation
