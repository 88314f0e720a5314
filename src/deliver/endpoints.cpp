#include "deliver/endpoints.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace socialsync::deliver {
namespace {

constexpr std::uint32_t failures_to_disable_min = 10;

FailingMark mark_of(int percent) {
  if (percent >= 90) return FailingMark::nearly_all;
  if (percent >= 70) return FailingMark::most;
  return percent >= 50 ? FailingMark::half : FailingMark::none;
}

}  // namespace

FailingMark failing_mark(std::chrono::system_clock::time_point failing_since,
                         std::chrono::system_clock::time_point now, FailingMark marked) {
  constexpr std::array highest_first = {FailingMark::all, FailingMark::nearly_all, FailingMark::most,
                                        FailingMark::half};
  for (const FailingMark mark : highest_first) {
    const bool is_passed = now - failing_since >= failing_max * static_cast<int>(mark) / 100;
    if (is_passed) return mark > marked ? mark : FailingMark::none;
  }
  return FailingMark::none;
}

std::vector<Uuid> Endpoints::repaired_since_last(std::span<const store::EndpointState> endpoints) {
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

Endpoints::Changes Endpoints::replace(std::vector<store::EndpointState> endpoints) {
  Changes changes;
  changes.repaired = repaired_since_last(endpoints);
  std::unordered_map<Uuid, Known> before = std::exchange(targets_, {});
  const std::unordered_set<Uuid> unsignable_before = std::exchange(unsignable_, {});
  for (store::EndpointState& state : endpoints) {
    const Uuid id = state.endpoint.id;
    auto signer = Signer::of(state.endpoint);
    if (!state.is_readable || !signer) {
      unsignable_.insert(id);
      if (!unsignable_before.contains(id))
        changes.unsignable.push_back(
            {id, state.is_readable ? to_string(signer.error()) : "one of its secrets cannot be decrypted"});
      continue;
    }
    Known known;
    known.mark = mark_of(state.warned_percent);
    if (state.failing_since_ms)
      known.failing_since = SystemTime(std::chrono::milliseconds(*state.failing_since_ms));
    known.target = std::make_shared<const Target>(std::move(state.endpoint), std::move(*signer));
    if (const auto old = before.find(id); old != before.end()) {
      known.failures = old->second.failures;
      before.erase(old);
    }
    changes.added.push_back(id);
    targets_.emplace(id, std::move(known));
  }
  for (const auto& [id, known] : before) changes.removed.push_back(id);
  return changes;
}

Endpoints::Health Endpoints::health() const {
  const auto failing = std::ranges::count_if(
      targets_, [](const auto& target) { return target.second.failing_since.has_value(); });
  const auto failing_count = static_cast<std::size_t>(failing);
  return {.ok = targets_.size() - failing_count, .failing = failing_count + unsignable_.size()};
}

std::chrono::milliseconds Endpoints::overdue(std::span<const store::Due> due) const {
  std::chrono::milliseconds oldest{0};
  for (const store::Due& one : due) {
    const bool has_url = targets_.contains(one.endpoint_id) || unsignable_.contains(one.endpoint_id);
    if (has_url) oldest = std::max(oldest, -one.in);
  }
  return oldest;
}

std::shared_ptr<const Target> Endpoints::find(const Uuid& endpoint_id) const {
  const auto found = targets_.find(endpoint_id);
  return found == targets_.end() ? nullptr : found->second.target;
}

bool Endpoints::is_ordered(const Uuid& endpoint_id) const {
  const auto found = targets_.find(endpoint_id);
  return found != targets_.end() && found->second.target->endpoint.is_ordered;
}

std::vector<Uuid> Endpoints::ids() const {
  std::vector<Uuid> ids;
  for (const auto& [id, known] : targets_) ids.push_back(id);
  return ids;
}

std::optional<store::EndpointNews> Endpoints::succeeded(const Uuid& endpoint_id) {
  const auto found = targets_.find(endpoint_id);
  if (found == targets_.end() || !found->second.failing_since) return std::nullopt;
  found->second.failing_since.reset();
  found->second.mark = FailingMark::none;
  found->second.failures = 0;
  return store::EndpointNews{.endpoint_id = endpoint_id, .disabled_because = {}};
}

std::optional<store::EndpointNews> Endpoints::failed(const Uuid& endpoint_id, SystemTime now) {
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
