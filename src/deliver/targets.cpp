#include "deliver/targets.hpp"

#include <algorithm>
#include <utility>

#include "base/log.hpp"

namespace socialsync::deliver {
namespace {

constexpr std::uint32_t failures_to_disable_min = 10;

FailingMark mark_of(int percent) {
  if (percent >= 90) return FailingMark::nearly_all;
  if (percent >= 70) return FailingMark::most;
  return percent >= 50 ? FailingMark::half : FailingMark::none;
}

// Null when it cannot be signed for: with a warning, unless somebody `was_told`.
std::shared_ptr<const Target> target_of(store::EndpointState& state, bool was_told) {
  const Uuid id = state.endpoint.id;
  auto signer = Signer::of(state.endpoint);
  if (state.is_readable && signer)
    return std::make_shared<const Target>(std::move(state.endpoint), std::move(*signer));
  if (!was_told)
    log::warning("an endpoint cannot be signed for: nothing is sent to it",
                 {{"endpoint", to_string(id)},
                  {"why", state.is_readable ? to_string(signer.error())
                                            : "a secret of it is sealed, not for us to open"}});
  return nullptr;
}

}  // namespace

Targets::Changes Targets::replace(std::vector<store::EndpointState> endpoints) {
  Changes changes;
  std::unordered_map<Uuid, Known> before = std::exchange(targets_, {});
  const std::unordered_set<Uuid> unsigned_before = std::exchange(unsigned_, {});
  for (store::EndpointState& state : endpoints) {
    Known known{.target = nullptr, .failing_since = {}};
    if (state.failing_since_ms)
      known.failing_since = SystemTime(std::chrono::milliseconds(*state.failing_since_ms));
    known.mark = mark_of(state.warned_percent);
    const Uuid id = state.endpoint.id;
    known.target = target_of(state, unsigned_before.contains(id));
    if (!known.target) {
      unsigned_.insert(id);
      continue;
    }
    if (const auto old = before.find(id); old != before.end()) {
      known.failures = old->second.failures;
      before.erase(old);
    }
    changes.added.push_back(id);
    targets_.emplace(id, std::move(known));
  }
  for (const auto& [id, gone] : before) changes.removed.push_back(id);
  return changes;
}

Targets::Health Targets::health() const {
  const auto failing = std::ranges::count_if(
      targets_, [](const auto& target) { return target.second.failing_since.has_value(); });
  const auto failing_count = static_cast<std::size_t>(failing);
  return {.ok = targets_.size() - failing_count, .failing = failing_count + unsigned_.size()};
}

std::chrono::milliseconds Targets::overdue(std::span<const store::Due> due) const {
  std::chrono::milliseconds oldest{0};
  for (const store::Due& one : due) {
    const bool is_sent_to = targets_.contains(one.endpoint_id) || unsigned_.contains(one.endpoint_id);
    if (is_sent_to) oldest = std::max(oldest, -one.in);
  }
  return oldest;
}

std::shared_ptr<const Target> Targets::find(const Uuid& endpoint_id) const {
  const auto found = targets_.find(endpoint_id);
  return found == targets_.end() ? nullptr : found->second.target;
}

std::vector<Uuid> Targets::ids() const {
  std::vector<Uuid> ids;
  for (const auto& [id, known] : targets_) ids.push_back(id);
  return ids;
}

std::optional<store::EndpointNews> Targets::succeeded(const Uuid& endpoint_id) {
  const auto found = targets_.find(endpoint_id);
  if (found == targets_.end() || !found->second.failing_since) return std::nullopt;
  found->second.failing_since.reset();
  found->second.mark = FailingMark::none;
  found->second.failures = 0;
  return store::EndpointNews{.endpoint_id = endpoint_id, .disabled_because = {}};
}

std::optional<store::EndpointNews> Targets::failed(const Uuid& endpoint_id, SystemTime now) {
  const auto found = targets_.find(endpoint_id);
  if (found == targets_.end()) return std::nullopt;
  Known& known = found->second;
  known.failures = known.failing_since ? known.failures + 1 : 1;
  store::EndpointNews news{.endpoint_id = endpoint_id, .is_failing = true, .disabled_because = {}};
  if (!known.failing_since) {
    known.failing_since = now;
    return news;
  }
  const FailingMark mark = failing_mark(*known.failing_since, now, known.mark);
  if (mark == FailingMark::none) return std::nullopt;
  // Two failures with days of silence between them say little.
  if (mark == FailingMark::all && known.failures < failures_to_disable_min) return std::nullopt;
  known.mark = mark;
  news.warned_percent = static_cast<int>(mark);
  if (mark == FailingMark::all) news.disabled_because = "it failed for five days";
  return news;
}

}  // namespace socialsync::deliver
