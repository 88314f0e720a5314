#include "deliver/recorder_core.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <utility>

#include "base/assert.hpp"

namespace socialsync::deliver {

void RecorderCore::add(store::EndpointNews news) {
  const auto [older, is_alone] = news_.try_emplace(news.endpoint_id, news);
  if (!is_alone) older->second = store::combined(std::move(older->second), std::move(news));
}

void RecorderCore::forget_news(const Uuid& endpoint_id) {
  news_.erase(endpoint_id);
  forgotten_news_.insert(endpoint_id);
}

void RecorderCore::release(const store::DeliveryKey& key, TimePoint now) {
  leases_.end(key);
  released_.push_back({key, now});
}

void RecorderCore::resume(Input input, TimePoint now, std::vector<Output>& outputs) {
  Turn turn{now, outputs};
  old_group_.clear();
  if (unsettled_ == 0) group_.clear();
  std::visit([&](const auto& each) { on(each, turn); }, input);
}

bool RecorderCore::is_round_due(TimePoint now) const {
  if (phase_ != Phase::resting) return false;
  const bool has_rested = is_finishing_ || now >= round_from_;
  return has_rested && (has_work(now) || now >= renewal_at_ || (!blocked_.empty() && now >= blocked_until_));
}

std::optional<TimePoint> RecorderCore::wake_at() const {
  if (phase_ != Phase::resting) return std::nullopt;
  if (!results_.empty() || !released_.empty()) return round_from_;
  TimePoint at = renewal_at_;
  if (!news_.empty()) at = std::min(at, news_blocked_until_);
  if (!blocked_.empty()) at = std::min(at, blocked_until_);
  return std::max(at, round_from_);
}

void RecorderCore::on(const Connected&, Turn& turn) {
  SOCIALSYNC_ASSERT(phase_ == Phase::disconnected);
  renew(turn);
}

void RecorderCore::on(const Lost&, Turn&) { lose(); }

void RecorderCore::on(const Poll&, Turn& turn) {
  if (is_round_due(turn.now)) renew(turn);
}

void RecorderCore::on(const event::Committed&, Turn& turn) {
  switch (phase_) {
    case Phase::renewing: leases_.renewed(keys_, asked_at_); return renew(turn);
    case Phase::writing: return part_written(turn);
    case Phase::writing_news: return news_written(turn);
    case Phase::releasing: turn.outputs.emplace_back(Released{keys_}); return rest(turn.now);
    default: SOCIALSYNC_ASSERT(false);  // no such statement is running
  }
}

void RecorderCore::on(const event::LockedFound& found, Turn& turn) {
  SOCIALSYNC_ASSERT(phase_ == Phase::finding_locked);
  part_locked(found.keys, turn);
}

void RecorderCore::on(const event::Refused& refused, Turn& turn) {
  const pg::Error& error = refused.error;
  if (error.kind() == pg::ErrorKind::connection) return drop(turn);
  switch (phase_) {
    case Phase::writing: return part_refused(error, turn);
    case Phase::finding_locked:
      // A lock on the whole table.
      return error.is_lock_conflict() ? part_locked(keys_, turn) : drop(turn);
    case Phase::writing_news: return news_refused(error, turn);
    case Phase::releasing:
      turn.outputs.emplace_back(
          Warning{"deliveries not released, their leases will expire", {{"error", error.what()}}});
      turn.outputs.emplace_back(Released{keys_});
      return rest(turn.now);
    default: return drop(turn);
  }
}

// The running statement may have been committed or not. Results are written again: an attempt may be
// recorded twice, and none is lost.
void RecorderCore::lose() {
  while (parts_.next()) {
    std::ranges::move(part(), std::back_inserter(results_));
    settle_part(pg::WriteApart::Outcome::skipped);
  }
  untried_blocked_.reset();
  end_news();
  phase_ = Phase::disconnected;
}

void RecorderCore::drop(Turn& turn) {
  lose();
  turn.outputs.emplace_back(action::DropRecorder{});
}

void RecorderCore::ask(Phase phase, record::Statement statement, Turn& turn) {
  phase_ = phase;
  turn.outputs.emplace_back(std::in_place_type<record::Statement>, statement);
}

// --- A round, in this order

void RecorderCore::renew(Turn& turn) {
  keys_ = leases_.due(turn.now, limits_.keys_per_renewal_max);
  if (keys_.empty()) return write_blocked(turn);
  asked_at_ = turn.now;
  ask(Phase::renewing, record::Renew{keys_}, turn);
}

void RecorderCore::write_blocked(Turn& turn) {
  if (blocked_.empty() || turn.now < blocked_until_) return write_results(turn);
  blocked_until_ = turn.now + limits_.blocked_pause;
  blocked_before_ = blocked_.size();
  begin_group(blocked_);
  untried_blocked_ = blocked_.size();
  write_part(turn);
}

void RecorderCore::write_results(Turn& turn) {
  if (results_.empty()) return write_news(turn);
  begin_group(results_);
  write_part(turn);
}

void RecorderCore::begin_group(std::deque<store::AttemptRow>& rows) {
  const std::size_t count = std::min(rows.size(), limits_.results_per_commit_max);
  const auto end = rows.begin() + static_cast<std::ptrdiff_t>(count);
  std::swap(group_, old_group_);
  group_.assign(std::make_move_iterator(rows.begin()), std::make_move_iterator(end));
  rows.erase(rows.begin(), end);
  parts_ = pg::WriteApart(count);
  unsettled_ = count;
  hidden_locks_ = 0;
}

void RecorderCore::end_group(Turn& turn) {
  if (!untried_blocked_) return write_news(turn);
  // Some were written: the lock is gone, and the others are worth a try at once.
  const std::size_t untried = *std::exchange(untried_blocked_, std::nullopt);
  if (blocked_.size() < blocked_before_) {
    const auto end = blocked_.begin() + static_cast<std::ptrdiff_t>(untried);
    std::move(blocked_.begin(), end, std::back_inserter(results_));
    blocked_.erase(blocked_.begin(), end);
  }
  write_results(turn);
}

void RecorderCore::rest(TimePoint now) {
  phase_ = Phase::resting;
  round_from_ = now + limits_.gap_min;
  renewal_at_ = now + leases_.length() / 8;
}

// --- Results

std::span<store::AttemptRow> RecorderCore::part() {
  const pg::WriteApart::Range range = *parts_.next();
  return std::span(group_).subspan(range.first, range.size);
}

void RecorderCore::settle_part(pg::WriteApart::Outcome outcome) {
  unsettled_ -= part().size();
  parts_.tell(outcome);
}

void RecorderCore::write_part(Turn& turn) {
  if (!parts_.next()) return end_group(turn);
  ask(Phase::writing, record::WriteResults{part()}, turn);
}

void RecorderCore::part_written(Turn& turn) {
  const std::span<store::AttemptRow> rows = part();
  for (const store::AttemptRow& row : rows) leases_.end(row.key);
  turn.outputs.emplace_back(Written{rows});
  settle_part(pg::WriteApart::Outcome::written);
  write_part(turn);
}

void RecorderCore::part_refused(const pg::Error& error, Turn& turn) {
  if (error.is_lock_conflict()) return find_locked(turn);
  if (error.kind() == pg::ErrorKind::transient) return drop(turn);
  const store::DeliveryKey& key = part().front().key;
  const bool is_alone = parts_.tell(pg::WriteApart::Outcome::refused);
  if (!is_alone) return write_part(turn);
  turn.outputs.emplace_back(Warning{"delivery result refused by the database, will be sent again",
                                    {{"event", to_string(key.event_id)},
                                     {"endpoint", to_string(key.endpoint_id)},
                                     {"sqlstate", error.sqlstate()},
                                     {"error", error.what()}}});
  leases_.end(key);
  --unsettled_;
  write_part(turn);
}

// Each write of a locked row waits for the lock timeout: the database is asked for all locked rows at once.
void RecorderCore::find_locked(Turn& turn) {
  keys_.clear();
  for (const store::AttemptRow& row : part()) keys_.push_back(row.key);
  ask(Phase::finding_locked, record::FindLocked{keys_}, turn);
}

void RecorderCore::part_locked(std::span<const store::DeliveryKey> locked, Turn& turn) {
  const std::unordered_set<store::DeliveryKey, DeliveryKeyHash> keys(locked.begin(), locked.end());
  const std::span<store::AttemptRow> rows = part();
  const auto aside = std::ranges::partition(rows, [&](const auto& row) { return !keys.contains(row.key); });
  if (!aside.empty()) {
    put_aside(aside, turn.now);
    parts_.shrink(rows.size() - aside.size());
    unsettled_ -= aside.size();
    return write_part(turn);
  }
  // A lock that FindLocked does not see: on a table, or on a row that a trigger writes. Each costs a wait.
  const bool is_halved = ++hidden_locks_ <= limits_.hidden_locks_max && rows.size() > 1;
  if (is_halved) {
    parts_.tell(pg::WriteApart::Outcome::refused);
  } else {
    put_aside(rows, turn.now);
    settle_part(pg::WriteApart::Outcome::skipped);
  }
  write_part(turn);
}

void RecorderCore::put_aside(std::span<store::AttemptRow> rows, TimePoint now) {
  if (blocked_.empty()) blocked_until_ = now + limits_.blocked_pause;
  std::ranges::move(rows, std::back_inserter(blocked_));
}

// --- Health updates

void RecorderCore::write_news(Turn& turn) {
  if (!has_news(turn.now)) return write_released(turn);
  for (auto& [id, one] : std::exchange(news_, {})) writing_news_.push_back(std::move(one));
  forgotten_news_.clear();
  ask(Phase::writing_news, record::WriteNews{writing_news_}, turn);
}

void RecorderCore::news_written(Turn& turn) {
  const auto begin = writing_news_.begin() + static_cast<std::ptrdiff_t>(news_at_.value_or(0));
  const auto end = news_at_ ? begin + 1 : writing_news_.end();
  const auto is_disabled = [](const auto& one) { return !one.disabled_because.empty(); };
  if (std::any_of(begin, end, is_disabled)) turn.outputs.emplace_back(EndpointDisabled{});
  writing_news_.erase(begin, end);
  if (!news_at_) refused_news_.clear();
  write_news_apart(turn);
}

// One by one: a locked row of one endpoint does not delay the updates of the others. Each that is locked
// waits for the lock timeout, so those that were refused last time come last.
void RecorderCore::news_refused(const pg::Error& error, Turn& turn) {
  const bool is_alone = news_at_.has_value() || writing_news_.size() == 1;
  if (!news_at_) {
    std::ranges::partition(writing_news_,
                           [this](const auto& one) { return !refused_news_.contains(one.endpoint_id); });
    refused_news_.clear();
    news_blocked_until_ = turn.now + limits_.blocked_pause;
    news_at_ = 0;
  }
  if (is_alone) {
    const Uuid& id = writing_news_[*news_at_].endpoint_id;
    turn.outputs.emplace_back(Warning{"endpoint health not recorded, will retry",
                                      {{"endpoint", to_string(id)}, {"error", error.what()}}});
    refused_news_.insert(id);
    ++*news_at_;
  }
  write_news_apart(turn);
}

void RecorderCore::write_news_apart(Turn& turn) {
  const bool is_more = news_at_ && *news_at_ < writing_news_.size();
  if (is_more && refused_news_.size() < limits_.refused_news_max)
    return ask(Phase::writing_news, record::WriteNews{std::span(writing_news_).subspan(*news_at_, 1)}, turn);
  end_news();
  write_released(turn);
}

// Keeps the updates that were not written, merged with newer ones of the same endpoint.
void RecorderCore::end_news() {
  for (store::EndpointNews& older : writing_news_) {
    if (forgotten_news_.contains(older.endpoint_id)) continue;
    const auto [newer, is_alone] = news_.try_emplace(older.endpoint_id, older);
    if (!is_alone) newer->second = store::combined(std::move(older), std::move(newer->second));
  }
  writing_news_.clear();
  news_at_.reset();
}

// --- Releases

// A release that waited for a connection for too long is dropped: the lease may have expired, and another
// worker may hold the next one.
void RecorderCore::write_released(Turn& turn) {
  keys_.clear();
  for (const PendingRelease& each : std::exchange(released_, {})) {
    const bool is_ours = turn.now - each.since < leases_.length() / 2 && !leases_.holds(each.key);
    if (is_ours) keys_.push_back(each.key);
  }
  if (keys_.empty()) return rest(turn.now);
  ask(Phase::releasing, record::Release{keys_}, turn);
}

}  // namespace socialsync::deliver
