#include "deliver/repairs.hpp"

#include <utility>

namespace socialsync::deliver {

std::vector<Uuid> Repairs::since_last(std::span<const store::EndpointState> endpoints) {
  std::vector<Uuid> repaired;
  const std::unordered_map<Uuid, Seen> before = std::exchange(seen_, {});
  for (const store::EndpointState& state : endpoints) {
    const Uuid& id = state.endpoint.id;
    const Seen now{.url = state.endpoint.url, .is_failing = state.failing_since_ms.has_value()};
    const auto old = before.find(id);
    const bool is_repaired =
        old != before.end() && (old->second.url != now.url || (old->second.is_failing && !now.is_failing));
    if (is_repaired) repaired.push_back(id);
    seen_.emplace(id, now);
  }
  return repaired;
}

}  // namespace socialsync::deliver
