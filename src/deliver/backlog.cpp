#include "deliver/backlog.hpp"

#include <algorithm>
#include <unordered_map>

namespace socialsync::deliver {
namespace {

// Of one endpoint in one claim: a lane's worth.
constexpr std::size_t endpoint_rows_max = 128;
// Rows are due, and were not to be had: others have them in hand this moment, or they wait for the one
// before.
constexpr std::chrono::milliseconds pause_after_none{1'000};

}  // namespace

void Backlog::replace(std::span<const store::Due> due, TimePoint now) {
  due_.clear();
  for (const store::Due& one : due) due_.emplace(one.endpoint_id, now + one.in);
}

void Backlog::note(const Uuid& endpoint_id, TimePoint due_at) {
  const auto [at, is_new] = due_.emplace(endpoint_id, due_at);
  if (!is_new) at->second = std::min(at->second, due_at);
}

void Backlog::note_claim(std::span<const store::Room> asked, const store::Claim& claim, TimePoint now) {
  std::unordered_map<Uuid, std::size_t> got;
  for (const store::Claimed& row : claim.rows) ++got[row.key.endpoint_id];
  std::unordered_map<Uuid, std::chrono::milliseconds> next;
  for (const store::Due& due : claim.next) next.emplace(due.endpoint_id, due.in);
  for (const store::Room& room : asked) {
    due_.erase(room.endpoint_id);
    const auto found = next.find(room.endpoint_id);
    if (found == next.end()) continue;
    const bool has_more = got[room.endpoint_id] >= room.rows;
    due_.emplace(room.endpoint_id,
                 now + (has_more ? found->second : std::max(found->second, pause_after_none)));
  }
}

std::vector<store::Room> Backlog::wanted(TimePoint now, const std::function<std::size_t(const Uuid&)>& room,
                                         std::size_t rows_max) {
  std::vector<store::Room> rooms;
  std::size_t rows = 0;
  auto at = due_.upper_bound(last_asked_);
  for (std::size_t seen = 0; seen < due_.size() && rows < rows_max; ++seen, ++at) {
    if (at == due_.end()) at = due_.begin();
    if (at->second > now) continue;
    const std::size_t most = std::min({room(at->first), endpoint_rows_max, rows_max - rows});
    if (most == 0) continue;
    rooms.push_back({at->first, most});
    rows += most;
    last_asked_ = at->first;
  }
  return rooms;
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
