#include "deliver/worker_core.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/assert.hpp"

namespace socialsync::deliver {
namespace {

using std::chrono::milliseconds;

// As long as the first retry waits: an older event was delayed, or is replayed.
constexpr milliseconds fresh_max{5'000};
// An older event that is delivered by its first attempt was replayed: its age does not measure our latency.
constexpr std::chrono::hours measured_max{1};

store::DeliveryKey key_of(const Delivery& delivery) { return {delivery.event->id, delivery.endpoint_id}; }

std::int64_t unix_ms(const Moment& moment) {
  return std::chrono::duration_cast<milliseconds>(moment.system_now.time_since_epoch()).count();
}

Delivery delivery_of(store::Claimed& claimed, std::int64_t now_ms) {
  auto event = std::make_shared<Event>();
  event->id = claimed.key.event_id;
  event->type = std::move(claimed.type);
  event->platform = std::move(claimed.platform);
  event->received_ms = claimed.received_ms;
  event->payload = std::move(*claimed.payload);
  return {.event = std::move(event),
          .endpoint_id = claimed.key.endpoint_id,
          .attempts = static_cast<std::uint16_t>(claimed.attempts),
          .is_fresh = claimed.attempts == 0 && now_ms - claimed.received_ms < fresh_max.count()};
}

// Any conversation: `random` in [0, 1).
std::int64_t conversation_of(double random) {
  constexpr std::int64_t first = std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(first) +
                                   static_cast<std::uint64_t>(std::ldexp(random, 64)));
}

}  // namespace

WorkerCore::WorkerCore(const WorkerLimits& limits)
    : limits_(limits),
      admission_(limits.admission),
      lanes_(limits.lanes),
      leases_(limits.terms.lease),
      recorder_(leases_, limits.recorder) {}

void WorkerCore::resume(WorkerEvent event, const Moment& moment, std::vector<WorkerAction>& actions) {
  Turn turn{moment, moment.now, actions};
  if (is_finished_) return;
  std::visit([&](auto& each) { on(each, turn); }, event);
  send_next(turn);
  claim_when_due(turn);
  use_recorder(RecorderCore::Poll{}, turn);
  finish_when_done(turn);
  if (!is_finished_) wake_in_time(turn);
  SOCIALSYNC_ASSERT(leases() == in_flight() + waiting() + results());
}

// --- Claiming

void WorkerCore::on(event::ListenerConnected&, Turn& turn) {
  expect_changes(true, turn.now);  // notifications between two connections were not heard
}

void WorkerCore::on(event::ListenerLost&, Turn&) { is_ready_ = false; }

void WorkerCore::on(event::Notified& notified, Turn& turn) {
  expect_changes(notified.are_endpoints_changed, turn.now);
}

void WorkerCore::on(event::OutboxChanged& changed, Turn& turn) {
  for (const Uuid& endpoint : changed.endpoints) backlog_.note(endpoint, turn.now);
  want_claim(turn.now);
}

void WorkerCore::expect_changes(bool are_endpoints_changed, TimePoint now) {
  is_scan_wanted_ = true;
  are_endpoints_stale_ = are_endpoints_stale_ || are_endpoints_changed;
  want_claim(now);
}

// Not at once: what happens within a few milliseconds shares one claim.
void WorkerCore::want_claim(TimePoint now) { claim_at_ = std::min(claim_at_, now + limits_.claim_gap_min); }

void WorkerCore::on(event::ClaimerConnected&, Turn& turn) {
  SOCIALSYNC_ASSERT(claimer_ == Claimer::disconnected);
  claimer_ = Claimer::resting;
  are_endpoints_stale_ = is_scan_wanted_ = true;
  claim_at_ = turn.now;
}

// Rows that a lost claim has leased are claimed again when the lease has expired.
void WorkerCore::on(event::ClaimerLost&, Turn&) {
  is_ready_ = false;
  claimer_ = Claimer::disconnected;
}

void WorkerCore::claim_when_due(Turn& turn) {
  if (claimer_ != Claimer::resting || is_stopping_ || turn.now < claim_at_) return;
  claim_at_ = TimePoint::max();
  if (turn.now - polled_at_ >= limits_.poll_interval) are_endpoints_stale_ = is_scan_wanted_ = true;
  use_claimer(turn);
}

void WorkerCore::use_claimer(Turn& turn) {
  if (is_stopping_) return rest_claimer(false, turn.now);
  if (std::exchange(are_endpoints_stale_, false)) {
    claimer_ = Claimer::loading;
    turn.actions.emplace_back(action::LoadEndpoints{});
  } else if (std::exchange(is_scan_wanted_, false)) {
    claimer_ = Claimer::scanning;
    backlog_.clear();
    polled_at_ = turn.now;
    turn.actions.emplace_back(action::Scan{});
  } else {
    is_ready_ = true;
    claim_rows(turn);
  }
}

void WorkerCore::rest_claimer(bool has_claimed, TimePoint now) {
  claimer_ = Claimer::resting;
  if (has_claimed) return want_claim(now);  // more may be due
  const TimePoint poll_at = polled_at_ + limits_.poll_interval;
  const TimePoint look_at = std::min({claim_at_, poll_at, backlog_.next_at(now).value_or(poll_at)});
  claim_at_ = std::max(look_at, now + limits_.claim_gap_min);
}

void WorkerCore::on(event::EndpointsLoaded& loaded, Turn& turn) {
  SOCIALSYNC_ASSERT(claimer_ == Claimer::loading);
  const Endpoints::Changes changes = endpoints_.replace(std::move(loaded.endpoints));
  for (const Endpoints::Unsignable& one : changes.unsignable)
    turn.actions.emplace_back(Warning{"endpoint cannot be signed for, nothing is sent to it",
                                      {{"endpoint", to_string(one.endpoint_id)}, {"why", one.why}}});
  for (const Uuid& id : changes.removed) close_endpoint(id, turn.now);
  for (const Uuid& id : changes.repaired) repair_endpoint(id, turn.now);
  for (const Uuid& id : changes.added) configure_endpoint(id, turn.now);
  const auto [ok, failing] = endpoints_.health();
  turn.actions.emplace_back(action::ReportEndpoints{ok, failing, loaded.disabled});
  use_claimer(turn);
}

void WorkerCore::close_endpoint(const Uuid& endpoint_id, TimePoint now) {
  release(lanes_.remove(endpoint_id), now);
  admission_.remove(endpoint_id);
}

// Failures before the repair count no more, and nothing waits for a probe.
void WorkerCore::repair_endpoint(const Uuid& endpoint_id, TimePoint now) {
  lanes_.repaired(endpoint_id, now);
  backlog_.note(endpoint_id, now);
  recorder_.forget_news(endpoint_id);
  if (auto news = endpoints_.succeeded(endpoint_id)) recorder_.add(std::move(*news));
}

void WorkerCore::configure_endpoint(const Uuid& endpoint_id, TimePoint now) {
  if (is_stopping_) return;
  const model::Endpoint& endpoint = endpoints_.find(endpoint_id)->endpoint;
  lanes_.configure(endpoint_id,
                   {.concurrent_max = endpoint.concurrent_max, .per_second_max = endpoint.per_second_max},
                   now);
  admission_.set(endpoint_id, !lanes_.is_open(endpoint_id));
}

void WorkerCore::on(event::DueFound& found, Turn& turn) {
  SOCIALSYNC_ASSERT(claimer_ == Claimer::scanning);
  backlog_.note(found.due, turn.now);
  turn.actions.emplace_back(action::ReportOverdue{endpoints_.overdue(found.due)});
  use_claimer(turn);
}

void WorkerCore::claim_rows(Turn& turn) {
  rooms_.clear();
  if (!recorder_.is_full()) rooms_ = wanted_rooms(turn.now);
  if (rooms_.empty()) return rest_claimer(false, turn.now);
  claimer_ = Claimer::claiming;
  turn.actions.emplace_back(action::Claim{rooms_, conversation_of(turn.moment.random)});
}

std::vector<store::Room> WorkerCore::wanted_rooms(TimePoint now) {
  // Half of a lane is kept for fresh deliveries: retries must not fill it.
  const auto room = [&](const Uuid& id) {
    const std::size_t free = lanes_.room(id, now);
    const std::size_t kept = limits_.lanes.lane_waiting_max / 2;
    return lanes_.is_open(id) || free <= 1 ? free : free - std::min(kept, free - 1);
  };
  std::vector<store::Room> rooms = backlog_.take_wanted(now, room, limits_.claim_rows_max);
  for (store::Room& asked : rooms) asked.is_ordered = endpoints_.is_ordered(asked.endpoint_id);
  return rooms;
}

void WorkerCore::on(event::Claimed& claimed, Turn& turn) {
  SOCIALSYNC_ASSERT(claimer_ == Claimer::claiming);
  backlog_.note_claim(rooms_, claimed.claim, turn.now);
  for (store::Claimed& row : claimed.claim.rows) accept(row, turn);
  rest_claimer(!claimed.claim.rows.empty(), turn.now);
}

void WorkerCore::accept(store::Claimed& row, Turn& turn) {
  if (!leases_.add(row.key, turn.now)) return;  // held for so long that the lease expired
  if (!row.payload)
    return recorder_.add(store::AttemptRow{.key = row.key,
                                           .result = store::AttemptRow::Result::delivered,
                                           .attempt = row.attempts,
                                           .began = turn.now,
                                           .error = "event_gone",
                                           .detail = {},
                                           .response_head = {}});
  const Delivery delivery = delivery_of(row, unix_ms(turn.moment));
  if (lanes_.offer(delivery, turn.now)) return;
  backlog_.put_off(delivery.endpoint_id, turn.now + limits_.release_pause);
  release(delivery, turn.now);
}

void WorkerCore::on(event::FreshTaken& fresh, Turn& turn) {
  for (Delivery& delivery : fresh.deliveries) {
    delivery.is_admitted = delivery.is_fresh = true;
    if (!leases_.add(key_of(delivery), turn.now)) {
      admission_.leave(delivery.endpoint_id);  // claimed from the outbox in between
      continue;
    }
    if (is_stopping_ || !lanes_.offer(delivery, turn.now)) release(delivery, turn.now);
  }
}

// --- Sending

void WorkerCore::send_next(Turn& turn) {
  if (is_stopping_ || recorder_.is_full()) return;
  // A rate limit or a breaker lets something begin.
  if (const auto at = lanes_.next_at(); at && *at <= turn.now) want_claim(turn.now);
  while (std::optional<Delivery> delivery = lanes_.next(turn.now)) {
    if (std::exchange(delivery->is_admitted, false)) admission_.leave(delivery->endpoint_id);
    std::shared_ptr<const Target> target = endpoints_.find(delivery->endpoint_id);
    SOCIALSYNC_ASSERT(target != nullptr);
    turn.actions.emplace_back(action::Send{std::move(*delivery), std::move(target)});
  }
}

void WorkerCore::release(const std::vector<Delivery>& deliveries, TimePoint now) {
  for (const Delivery& delivery : deliveries) release(delivery, now);
}

// Other workers may claim it, or this one when there is room.
void WorkerCore::release(const Delivery& delivery, TimePoint now) {
  if (delivery.is_admitted) admission_.leave(delivery.endpoint_id);
  recorder_.release(key_of(delivery), now);
}

void WorkerCore::on(event::NotSent& not_sent, Turn& turn) {
  const Uuid& id = not_sent.delivery.endpoint_id;
  release(lanes_.ended(id, {.how = Ended::not_sent}, turn.now, turn.moment.random), turn.now);
  release(not_sent.delivery, turn.now);
  if (!not_sent.why.empty())
    turn.actions.emplace_back(Warning{"delivery not sent, will retry", {{"error", not_sent.why}}});
}

void WorkerCore::on(event::Replied& replied, Turn& turn) {
  const Uuid& id = replied.delivery.endpoint_id;
  const Verdict verdict = verdict_of(replied.reply);
  const bool is_delivered = verdict == Verdict::delivered;
  const AttemptEnd end{.how = is_delivered ? Ended::delivered : Ended::failed,
                       .took = replied.reply.took,
                       .is_outdated = !is_current(*replied.target)};
  store::AttemptRow row = row_of(replied.delivery, replied.reply, turn.moment);
  action::CountAttempt count{.result = row.result, .first_age = {}};
  if (is_delivered && replied.delivery.attempts == 0 && row.age < measured_max) count.first_age = row.age;
  if (row.result == store::AttemptRow::Result::again) {
    backlog_.note(id, turn.now + row.again_in);
    want_claim(turn.now);
  }
  recorder_.add(std::move(row));
  turn.actions.emplace_back(count);
  stop_until_ = turn.now + limits_.stop_patience;

  release(lanes_.ended(id, end, turn.now, turn.moment.random), turn.now);
  if (!end.is_outdated) note_health(id, verdict, turn);
  if (backlog_.is_due(id, turn.now)) want_claim(turn.now);
}

store::AttemptRow WorkerCore::row_of(const Delivery& delivery, Reply& reply, const Moment& moment) const {
  using Result = store::AttemptRow::Result;
  store::AttemptRow row{.key = key_of(delivery),
                        .attempt = delivery.attempts + 1,
                        .began = moment.now - reply.took,
                        .http_status = reply.status,
                        .took = std::chrono::duration_cast<milliseconds>(reply.took),
                        .error = error_of(reply),
                        .detail = {},
                        .response_head = {}};
  if (verdict_of(reply) == Verdict::delivered) {
    row.age = milliseconds(std::max<std::int64_t>(0, unix_ms(moment) - delivery.event->received_ms));
  } else if (const auto delay = delay_after(delivery.attempts + 1U, reply, moment.random)) {
    row.result = Result::again;
    row.again_in = *delay;
  } else {
    row.result = Result::given_up;
  }
  row.detail = std::move(reply.detail);
  row.response_head = std::move(reply.body_head);
  return row;
}

// Returns whether an attempt says something about the endpoint: its URL is still the same.
bool WorkerCore::is_current(const Target& target) const {
  const std::shared_ptr<const Target> current = endpoints_.find(target.endpoint.id);
  return current && current->endpoint.url == target.endpoint.url;
}

void WorkerCore::note_health(const Uuid& endpoint_id, Verdict verdict, Turn& turn) {
  if (!is_stopping_) admission_.set(endpoint_id, !lanes_.is_open(endpoint_id));
  auto news = verdict == Verdict::delivered ? endpoints_.succeeded(endpoint_id)
                                            : endpoints_.failed(endpoint_id, turn.moment.system_now);
  if (verdict == Verdict::gone)
    news = store::EndpointNews{
        .endpoint_id = endpoint_id, .is_failing = true, .disabled_because = "the receiver answered 410 Gone"};
  if (!news) return;
  const std::string id = to_string(endpoint_id);
  if (!news->disabled_because.empty())
    turn.actions.emplace_back(
        Warning{"endpoint disabled", {{"endpoint", id}, {"why", news->disabled_because}}});
  else if (news->warned_percent > 0)
    turn.actions.emplace_back(Warning{"endpoint keeps failing, will be disabled after five days",
                                      {{"endpoint", id}, {"percent", news->warned_percent}}});
  recorder_.add(std::move(*news));
}

// --- Recording

void WorkerCore::on(event::RecorderConnected&, Turn& turn) {
  use_recorder(RecorderCore::Connected{}, turn);
  want_claim(turn.now);  // ready again
}

void WorkerCore::on(event::RecorderLost&, Turn& turn) {
  is_ready_ = false;
  use_recorder(RecorderCore::Lost{}, turn);
}

void WorkerCore::on(event::Committed& committed, Turn& turn) { use_recorder(committed, turn); }
void WorkerCore::on(event::LockedFound& found, Turn& turn) { use_recorder(std::move(found), turn); }
void WorkerCore::on(event::Refused& refused, Turn& turn) { use_recorder(std::move(refused), turn); }

void WorkerCore::use_recorder(RecorderCore::Input input, Turn& turn) {
  if (std::holds_alternative<RecorderCore::Poll>(input) && !recorder_.is_round_due(turn.now)) return;
  recorder_outputs_.clear();
  recorder_.resume(std::move(input), turn.now, recorder_outputs_);
  for (RecorderCore::Output& output : recorder_outputs_)
    std::visit([&](auto& each) { take(each, turn); }, output);
  // Sending may have stopped for unwritten results.
  send_next(turn);
}

void WorkerCore::take(record::Statement& statement, Turn& turn) {
  turn.actions.emplace_back(action::Record{statement});
}

void WorkerCore::take(action::DropRecorder& drop, Turn& turn) {
  is_ready_ = false;
  turn.actions.emplace_back(drop);
}

void WorkerCore::take(RecorderCore::Written& written, Turn& turn) {
  for (const store::AttemptRow& row : written.rows) {
    // The next row of its conversation may have waited for this one.
    if (endpoints_.is_ordered(row.key.endpoint_id)) backlog_.note(row.key.endpoint_id, turn.now);
  }
  want_claim(turn.now);
}

// Not at once: there was no room for them.
void WorkerCore::take(RecorderCore::Released& released, Turn& turn) {
  const TimePoint later = turn.now + limits_.release_pause;
  for (const store::DeliveryKey& key : released.keys) backlog_.note(key.endpoint_id, later);
  want_claim(turn.now);
}

void WorkerCore::take(RecorderCore::EndpointDisabled&, Turn& turn) {
  are_endpoints_stale_ = true;
  want_claim(turn.now);
}

void WorkerCore::take(Warning& warning, Turn& turn) { turn.actions.emplace_back(std::move(warning)); }

// --- Time and shutdown

void WorkerCore::on(event::Tick&, Turn&) { wake_at_ = TimePoint::max(); }

void WorkerCore::on(event::Stop&, Turn& turn) {
  is_stopping_ = true;
  stop_until_ = turn.now + limits_.stop_patience;
  for (const Uuid& id : endpoints_.ids()) close_endpoint(id, turn.now);
  recorder_.finish();
}

// Returns whether results are to be written still, and the database may become reachable in time.
bool WorkerCore::is_worth_waiting(TimePoint now) const {
  return lanes_.in_flight() > 0 || (recorder_.results() > 0 && now < stop_until_);
}

void WorkerCore::finish_when_done(Turn& turn) {
  if (!is_stopping_ || is_worth_waiting(turn.now)) return;
  const bool is_claiming = claimer_ != Claimer::resting && claimer_ != Claimer::disconnected;
  const bool is_recorded = !recorder_.is_connected() || recorder_.is_idle(turn.now);
  is_finished_ = !is_claiming && is_recorded;
  if (is_finished_) turn.actions.emplace_back(action::Finished{});
}

void WorkerCore::wake_in_time(Turn& turn) {
  TimePoint at = wake_at_;
  if (claimer_ == Claimer::resting && !is_stopping_) at = std::min(at, claim_at_);
  if (const auto lane_at = lanes_.next_at(); lane_at && !is_stopping_ && !recorder_.is_full())
    at = std::min(at, *lane_at);
  if (const auto round_at = recorder_.wake_at()) at = std::min(at, *round_at);
  if (is_stopping_ && turn.now < stop_until_) at = std::min(at, stop_until_);
  if (at >= wake_at_) return;
  SOCIALSYNC_ASSERT(at > turn.now);
  wake_at_ = at;
  turn.actions.emplace_back(action::WakeAt{at});
}

}  // namespace socialsync::deliver
