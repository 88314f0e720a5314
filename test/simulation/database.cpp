#include "simulation/database.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include "pg/sqlstate.hpp"

namespace socialsync::simulation {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds lock_timeout = 200ms;
constexpr milliseconds statement_timeout = 30s;  // the client's: it closes the connection
constexpr auto never = TimePoint::max();

pg::Error error_of(const std::string& sqlstate) { return {"simulated", sqlstate}; }

std::int64_t unix_ms(TimePoint time) {
  return std::chrono::duration_cast<milliseconds>(time.time_since_epoch()).count();
}

milliseconds until(TimePoint due, TimePoint now) { return std::chrono::ceil<milliseconds>(due - now); }

// The type of an event says what the database thinks of it.
std::string refusal_of(std::string_view type, bool is_quarantined) {
  if (type == "refused_everywhere") return std::string(pg::sqlstate::character_not_in_repertoire);
  if (is_quarantined) return {};
  if (type == "refused") return std::string(pg::sqlstate::character_not_in_repertoire);
  if (type == "unknown_account") return std::string(pg::sqlstate::foreign_key_violation);
  return {};
}

}  // namespace

void Database::add(model::Endpoint endpoint) {
  const Uuid id = endpoint.id;
  endpoints_.emplace(id, Endpoint{.endpoint = std::move(endpoint), .failing_since = {}, .due = {}});
}

// --- Sessions

void Database::open(std::function<void(std::shared_ptr<Session>)> opened) {
  schedule_.after(latency(), [this, opened = std::move(opened)] {
    if (faults_.amount(FaultKind::database_down) > 0) return opened(nullptr);
    auto session = std::make_shared<Session>();
    std::erase_if(sessions_, [](const auto& one) { return one.expired(); });
    sessions_.push_back(session);
    opened(std::move(session));
  });
}

std::chrono::nanoseconds Database::latency() {
  const std::chrono::microseconds quick(random_.between(100, 3'000));
  const milliseconds slow(faults_.amount(FaultKind::database_slow));
  return quick + slow;
}

void Database::run(const std::shared_ptr<Session>& session, Statement statement) {
  session->statements_.push_back(std::move(statement));
  begin(session);
}

void Database::begin(const std::shared_ptr<Session>& session) {
  if (session->is_running_ || session->statements_.empty() || !session->is_open_) return;
  session->is_running_ = true;
  const auto takes = latency();
  if (takes >= statement_timeout) {
    schedule_.after(statement_timeout, [this, session] { lose(session); });
    return;
  }
  schedule_.after(takes, [this, session] { end(session, false); });
}

void Database::end(const std::shared_ptr<Session>& session, bool has_waited) {
  if (!session->is_open_) return;
  const auto percent = static_cast<double>(faults_.amount(FaultKind::transient_errors));
  std::string sqlstate;
  if (random_.chance(percent / 100.0))
    sqlstate = random_.chance(0.5) ? pg::sqlstate::deadlock_detected : "53100";
  else
    sqlstate = session->statements_.front().apply();
  if (sqlstate == pg::sqlstate::lock_not_available && !has_waited) {
    schedule_.after(lock_timeout, [this, session] { end(session, true); });
    return;
  }
  // The answer is on its way: the connection may still be lost.
  session->statements_.front().apply = [] { return std::string(); };
  schedule_.after(std::chrono::microseconds(random_.between(20, 500)), [this, session, sqlstate] {
    if (!session->is_open_) return;
    const Statement done = std::move(session->statements_.front());
    session->statements_.pop_front();
    session->is_running_ = false;
    begin(session);
    done.answered({.error = sqlstate.empty() ? std::nullopt : std::optional(error_of(sqlstate))});
  });
}

void Database::lose(const std::shared_ptr<Session>& session, bool is_client_alive) {
  if (!std::exchange(session->is_open_, false)) return;
  bool is_reached = random_.chance(0.5);
  std::deque<Statement> statements = std::exchange(session->statements_, {});
  for (Statement& statement : statements) {
    if (is_reached) statement.apply();
    is_reached = is_reached && random_.chance(0.5);
  }
  if (!is_client_alive) return;
  for (Statement& statement : statements) statement.answered({.is_lost = true, .error = {}});
  if (session->on_lost_) session->on_lost_();
}

void Database::lose_all() {
  for (const auto& one : std::exchange(sessions_, {}))
    if (const auto session = one.lock()) lose(session);
}

// --- Ingest

std::string Database::insert(std::span<store::EventRow* const> events,
                             std::span<const store::QuarantineRow* const> quarantined,
                             std::vector<bool>& are_new) {
  const std::int64_t locked = faults_.amount(FaultKind::events_locked);
  for (const store::EventRow* row : events) {
    if (auto refusal = refusal_of(row->type, false); !refusal.empty()) return refusal;
    if (Faults::hits(locked, row->id)) return std::string(pg::sqlstate::lock_not_available);
  }
  for (const store::QuarantineRow* row : quarantined)
    if (auto refusal = refusal_of(row->type, true); !refusal.empty()) return refusal;
  bool is_announced = false;
  are_new.clear();
  for (const store::EventRow* row : events) {
    are_new.push_back(events_.insert(row->id).second);
    if (!are_new.back()) continue;
    const auto payload = std::make_shared<const std::string>(row->payload);
    for (const store::QueuedDelivery& delivery : row->deliveries) {
      const Key key{row->id, delivery.endpoint_id};
      const std::size_t waiting = endpoints_.at(key.endpoint_id).due.size();
      Row& queued = rows_[key] = {.due = never, .payload = payload};
      set_due(key, queued, now() + delivery.lease);
      is_announced |= delivery.is_announced;
      observer_.queued(key, waiting);
    }
  }
  for (const store::QuarantineRow* row : quarantined) quarantine_.insert(row->id);
  if (is_announced) observer_.notify(false);
  return {};
}

// --- The outbox

const Database::Row* Database::find(const Key& key) const {
  const auto found = rows_.find(key);
  return found == rows_.end() ? nullptr : &found->second;
}

std::size_t Database::pending() const {
  std::size_t rows = 0;
  for (const auto& [id, endpoint] : endpoints_)
    if (endpoint.endpoint.is_enabled) rows += endpoint.due.size();
  return rows;
}

bool Database::is_locked(const Key& key) const {
  const std::int64_t percent =
      std::max(faults_.amount(FaultKind::deliveries_locked), faults_.amount(FaultKind::hidden_locks));
  return Faults::hits(percent, key.event_id);
}

// `never`: it is no longer pending.
void Database::set_due(const Key& key, Row& row, TimePoint due) {
  auto& all = endpoints_.at(key.endpoint_id).due;
  if (row.due != never) all.erase({row.due, key.event_id});
  if (due != never) all.insert({due, key.event_id});
  row.due = due;
}

std::string Database::select_due(std::vector<store::Due>& due) {
  for (const auto& [id, endpoint] : endpoints_)
    if (!endpoint.due.empty()) due.push_back({id, until(endpoint.due.begin()->first, now())});
  return {};
}

std::string Database::claim(std::span<const store::Room> rooms, const store::ClaimTerms& terms,
                            store::Claim& claim) {
  std::size_t bytes = 0;
  for (const store::Room& room : rooms) {
    std::vector<Uuid> found;
    for (const auto& [due, event] : endpoints_.at(room.endpoint_id).due) {
      if (due > now() || found.size() == room.rows) break;
      if (!is_locked({event, room.endpoint_id})) found.push_back(event);
    }
    for (const Uuid& event : found) {
      const Key key{event, room.endpoint_id};
      Row& row = rows_.at(key);
      claim.is_cut |= bytes >= terms.bytes_max;
      if (bytes >= terms.bytes_max) break;
      bytes += row.payload->size();
      set_due(key, row, now() + terms.lease);
      claim.rows.push_back({.key = key,
                            .attempts = row.attempts,
                            .payload = *row.payload,
                            .type = "messages",
                            .platform = "whatsapp_business",
                            .received_ms = 0});
    }
  }
  for (const store::Room& room : rooms) {
    const auto& due = endpoints_.at(room.endpoint_id).due;
    if (!due.empty()) claim.next.push_back({room.endpoint_id, until(due.begin()->first, now())});
  }
  return {};
}

std::string Database::record(std::span<const store::AttemptRow> rows) {
  const std::int64_t refused = faults_.amount(FaultKind::results_refused);
  for (const store::AttemptRow& row : rows) {
    if (is_locked(row.key)) return std::string(pg::sqlstate::lock_not_available);
    if (Faults::hits(refused, row.key.event_id)) return "P0001";
  }
  for (const store::AttemptRow& attempt : rows) {
    observer_.recorded(attempt);
    Row& row = rows_.at(attempt.key);
    if (row.state == Row::State::delivered) continue;
    switch (attempt.result) {
      case store::AttemptRow::Result::delivered:
        row.state = Row::State::delivered;
        set_due(attempt.key, row, never);
        break;
      case store::AttemptRow::Result::given_up:
        row.state = Row::State::dead;
        set_due(attempt.key, row, never);
        break;
      case store::AttemptRow::Result::again:
        if (row.attempts >= attempt.attempt || row.state == Row::State::dead) break;
        row.attempts = attempt.attempt;
        set_due(attempt.key, row, now() + attempt.again_in);
    }
  }
  return {};
}

std::string Database::find_locked(std::span<const Key> keys, std::vector<Key>& locked) {
  const std::int64_t percent = faults_.amount(FaultKind::deliveries_locked);
  for (const Key& key : keys)
    if (Faults::hits(percent, key.event_id)) locked.push_back(key);
  return {};
}

std::string Database::set_due(std::span<const Key> keys, milliseconds in) {
  for (const Key& key : keys) {
    Row& row = rows_.at(key);
    if (row.state == Row::State::pending && !is_locked(key)) set_due(key, row, now() + in);
  }
  return {};
}

// --- Endpoints

std::string Database::select_endpoints(std::vector<store::EndpointState>& found, std::size_t& disabled) {
  for (const auto& [id, endpoint] : endpoints_) {
    if (!endpoint.endpoint.is_enabled) {
      ++disabled;
      continue;
    }
    store::EndpointState state{.endpoint = endpoint.endpoint, .failing_since_ms = std::nullopt};
    if (endpoint.failing_since) state.failing_since_ms = unix_ms(*endpoint.failing_since);
    state.warned_percent = endpoint.warned_percent;
    found.push_back(std::move(state));
  }
  return {};
}

std::string Database::record(std::span<const store::EndpointNews> news) {
  bool is_changed = false;
  for (const store::EndpointNews& one : news) {
    Endpoint& endpoint = endpoints_.at(one.endpoint_id);
    if (!one.is_failing || one.was_well) endpoint.failing_since.reset();
    if (one.is_failing && !endpoint.failing_since) endpoint.failing_since = now();
    endpoint.warned_percent = one.warned_percent;
    if (one.disabled_because.empty()) continue;
    endpoint.endpoint.is_enabled = false;
    is_changed = true;
  }
  if (is_changed) observer_.notify(true);
  return {};
}

}  // namespace socialsync::simulation
