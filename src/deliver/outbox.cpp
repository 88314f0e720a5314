#include "deliver/outbox.hpp"

#include <algorithm>
#include <unordered_map>

namespace socialsync::deliver {
namespace {

// The share of one endpoint in one claim, when rows of many endpoints are due.
constexpr std::size_t endpoint_rows_min = 8;
constexpr std::size_t endpoint_rows_max = 128;
// Before the next claim when rows are due that could not be claimed: others have them locked, or they wait
// for an earlier row of their conversation.
constexpr std::chrono::milliseconds pause_after_none{1'000};

}  // namespace

bool Leases::add(const store::DeliveryKey& key, TimePoint now) {
  if (!held_.insert(key).second) return false;
  leases_.push_back({key, now});
  return true;
}

std::vector<store::DeliveryKey> Leases::due(TimePoint now, std::size_t most) {
  while (!leases_.empty() && !held_.contains(leases_.front().key)) leases_.pop_front();
  std::vector<store::DeliveryKey> keys;
  for (const Lease& lease : leases_) {
    const bool has_ended = !held_.contains(lease.key);
    if (keys.size() == most || (!has_ended && now - lease.from < length_ / 2)) break;
    if (!has_ended) keys.push_back(lease.key);
  }
  return keys;
}

// Leases in front of a renewed one had ended when due() was called.
void Leases::renewed(std::span<const store::DeliveryKey> keys, TimePoint now) {
  for (const store::DeliveryKey& key : keys) {
    while (leases_.front().key != key) leases_.pop_front();
    leases_.pop_front();
    if (held_.contains(key)) leases_.push_back({key, now});
  }
}

void Backlog::note(const Uuid& endpoint_id, TimePoint due_at) {
  const auto [at, is_new] = due_.emplace(endpoint_id, due_at);
  if (!is_new) at->second = std::min(at->second, due_at);
}

void Backlog::note(std::span<const store::Due> due, TimePoint now) {
  for (const store::Due& one : due) note(one.endpoint_id, now + one.in);
}

void Backlog::put_off(const Uuid& endpoint_id, TimePoint until) {
  const auto [at, is_new] = due_.emplace(endpoint_id, until);
  if (!is_new) at->second = std::max(at->second, until);
}

std::vector<store::Room> Backlog::take_wanted(TimePoint now,
                                              const std::function<std::size_t(const Uuid&)>& room,
                                              std::size_t rows_max) {
  std::vector<store::Room> rooms;
  std::size_t rows = 0;
  const auto due = static_cast<std::size_t>(
      std::ranges::count_if(due_, [now](const auto& entry) { return entry.second <= now; }));
  const std::size_t share =
      std::clamp(rows_max / std::max<std::size_t>(due, 1), endpoint_rows_min, endpoint_rows_max);
  const auto look = [&](auto begin, auto end) {
    for (auto at = begin; at != end && rows < rows_max; ++at) {
      if (at->second > now) continue;
      const std::size_t most = std::min({room(at->first), share, rows_max - rows});
      if (most == 0) continue;
      rooms.push_back({at->first, most});
      rows += most;
    }
  };
  const auto after_last = due_.upper_bound(last_asked_);
  look(after_last, due_.end());
  look(due_.begin(), after_last);
  for (const store::Room& asked : rooms) due_.erase(asked.endpoint_id);
  if (!rooms.empty()) last_asked_ = rooms.back().endpoint_id;
  return rooms;
}

void Backlog::note_claim(std::span<const store::Room> asked, const store::Claim& claim, TimePoint now) {
  std::unordered_map<Uuid, std::size_t> got;
  for (const store::Claimed& row : claim.rows) ++got[row.key.endpoint_id];
  std::unordered_map<Uuid, std::chrono::milliseconds> next;
  for (const store::Due& due : claim.next) next.emplace(due.endpoint_id, due.in);
  for (const store::Room& room : asked) {
    const auto found = next.find(room.endpoint_id);
    if (found == next.end()) continue;
    const bool has_more = claim.is_cut || got[room.endpoint_id] >= room.rows;
    note(room.endpoint_id, now + (has_more ? found->second : std::max(found->second, pause_after_none)));
  }
}

bool Backlog::is_due(const Uuid& endpoint_id, TimePoint now) const {
  const auto found = due_.find(endpoint_id);
  return found != due_.end() && found->second <= now;
}

std::optional<Backlog::TimePoint> Backlog::next_at(TimePoint now) const {
  std::optional<TimePoint> next;
  for (const auto& [endpoint, due_at] : due_) {
    if (due_at > now && (!next || due_at < *next)) next = due_at;
  }
  return next;
}

}  // namespace socialsync::deliver
