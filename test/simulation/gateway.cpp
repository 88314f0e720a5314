#include "simulation/gateway.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "simulation/receivers.hpp"

namespace socialsync::simulation {
namespace {

using namespace std::chrono_literals;
namespace event = deliver::event;
namespace action = deliver::action;
namespace record = deliver::record;

constexpr milliseconds pause_min = 100ms;
constexpr milliseconds pause_max = 5s;

// Small limits, so that histories of some hundred events reach them.
ingest::BatchLimits batch_limits() {
  return {.queue_events_max = 400, .batch_events_max = 40, .pipelined_events_min = 8};
}

deliver::WorkerLimits worker_limits() {
  deliver::WorkerLimits limits;
  limits.lanes.in_flight_max = 16;
  limits.lanes.slow_in_flight_max = 12;
  limits.lanes.waiting_max = 200;
  limits.lanes.lane_waiting_max = 40;
  limits.admission.waiting_max = 150;
  limits.admission.endpoint_waiting_max = 20;
  limits.recorder.results_per_commit_max = 20;
  limits.recorder.results_waiting_max = 60;
  limits.recorder.keys_per_renewal_max = 30;
  limits.claim_rows_max = 64;
  return limits;
}

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};

}  // namespace

Gateway::Gateway(Shared& shared, std::size_t process, std::uint64_t life)
    : shared_(shared),
      process_(process),
      life_(life),
      random_(shared.plan.seed * 1'000 + life),
      batch_limits_(batch_limits()),
      batch_(batch_limits_),
      writers_(batch_limits_.writers),
      worker_limits_(worker_limits()),
      worker_(worker_limits_) {}

void Gateway::after(std::chrono::nanoseconds delay, std::function<void()> act) {
  shared_.schedule.after(delay, [self = shared_from_this(), act = std::move(act)] {
    if (self->is_alive_) act();
  });
}

void Gateway::start() {
  report(ingest::batch::Tick());
  for (const Task task : {Task::listen, Task::claim, Task::record}) open(task);
}

void Gateway::stop() {
  is_stopping_ = true;
  report(ingest::batch::Stop());
}

void Gateway::kill() {
  is_alive_ = false;
  shared_.invariants.killed(life_);
  for (const auto& session : writers_)
    if (session) shared_.database.lose(session, false);
  for (const Connection& connection : connections_)
    if (connection.session) shared_.database.lose(connection.session, false);
}

// --- The worker

// An action may end at once and report another event: that waits for the other actions.
void Gateway::handle(deliver::WorkerEvent event) {
  worker_events_.push_back(std::move(event));
  if (is_handling_) return;
  is_handling_ = true;
  std::vector<deliver::WorkerAction> actions;
  while (!worker_events_.empty() && !is_finished_) {
    const deliver::Moment moment{
        .now = shared_.schedule.now(),
        .system_now = std::chrono::system_clock::time_point(
            std::chrono::duration_cast<std::chrono::system_clock::duration>(
                shared_.schedule.now().time_since_epoch() + shared_.faults.system_offset(process_))),
        .random = random_.real()};
    worker_.resume(std::move(worker_events_.front()), moment, actions);
    worker_events_.pop_front();
    for (deliver::WorkerAction& one : actions) std::visit([this](auto& each) { act(each); }, one);
    actions.clear();
    check_worker();
  }
  is_handling_ = false;
}

void Gateway::check_worker() const {
  const deliver::LaneLimits& lanes = worker_limits_.lanes;
  require(worker_.in_flight() == all_in_flight_, "the count in flight is what is in flight",
          fmt::format("{} counted, {} in flight", worker_.in_flight(), all_in_flight_));
  const std::size_t in_memory = worker_.in_flight() + worker_.waiting() + worker_.results();
  require(worker_.leases() == in_memory, "a lease is held for each delivery in memory, and for no other",
          fmt::format("{} leases, {} in flight, {} waiting, {} results", worker_.leases(),
                      worker_.in_flight(), worker_.waiting(), worker_.results()));
  require(worker_.in_flight() <= lanes.in_flight_max, "deliveries in flight are bounded");
  require(worker_.waiting() <= lanes.waiting_max, "waiting deliveries are bounded");
  require(worker_.results() <= worker_limits_.recorder.results_waiting_max + lanes.in_flight_max,
          "unwritten results are bounded");
}

// --- Its connections

void Gateway::open(Task task) {
  Connection& connection = connections_[static_cast<std::size_t>(task)];
  const bool is_wanted =
      task == Task::record ? worker_.needs_recorder(shared_.schedule.now()) : worker_.needs_claimer();
  if (connection.is_opening || !is_wanted || is_finished_) return;
  connection.is_opening = true;
  shared_.database.open([self = shared_from_this(), task](std::shared_ptr<Session> session) {
    if (self->is_alive_) self->opened(task, std::move(session));
  });
}

void Gateway::opened(Task task, std::shared_ptr<Session> session) {
  Connection& connection = connections_[static_cast<std::size_t>(task)];
  connection.is_opening = false;
  if (is_finished_) return;
  connection.session = std::move(session);
  if (!connection.session) return lost(task);
  connection.pause = 0ms;
  if (task == Task::listen) {
    shared_.database.when_lost(*connection.session, [self = weak_from_this()] {
      if (const auto gateway = self.lock(); gateway && gateway->is_alive_) gateway->lost(Task::listen);
    });
    handle(event::ListenerConnected{});
  }
  if (task == Task::claim) handle(event::ClaimerConnected{});
  if (task == Task::record) handle(event::RecorderConnected{});
}

void Gateway::lost(Task task) {
  Connection& connection = connections_[static_cast<std::size_t>(task)];
  connection.session.reset();
  connection.pause = std::clamp(connection.pause * 2, pause_min, pause_max);
  after(connection.pause, [this, task] { open(task); });
  if (task == Task::listen) handle(event::ListenerLost{});
  if (task == Task::claim) handle(event::ClaimerLost{});
  if (task == Task::record) handle(event::RecorderLost{});
}

void Gateway::notify(bool are_endpoints_changed) {
  const auto& session = connections_[static_cast<std::size_t>(Task::listen)].session;
  if (session && session->is_open())
    after(1ms, [this, are_endpoints_changed] {
      handle(event::Notified{.are_endpoints_changed = are_endpoints_changed});
    });
}

// Any failure costs the claimer its connection.
void Gateway::run_claimer(std::function<std::string()> apply, std::function<void()> answered) {
  const auto session = connections_[static_cast<std::size_t>(Task::claim)].session;
  require(session != nullptr, "claims need a connection");
  auto on_answer = [this, session, answered = std::move(answered)](const Answer& answer) {
    if (!answer.is_lost && !answer.error) return answered();
    shared_.database.lose(session, false);
    lost(Task::claim);
  };
  if (!session->is_open()) return on_answer({.is_lost = true, .error = {}});
  shared_.database.run(session, {.apply = std::move(apply), .answered = std::move(on_answer)});
}

void Gateway::act(action::LoadEndpoints&) {
  auto loaded = std::make_shared<event::EndpointsLoaded>();
  run_claimer(
      [this, loaded] { return shared_.database.select_endpoints(loaded->endpoints, loaded->disabled); },
      [this, loaded] { handle(std::move(*loaded)); });
}

void Gateway::act(action::Scan&) {
  auto found = std::make_shared<event::DueFound>();
  run_claimer([this, found] { return shared_.database.select_due(found->due); },
              [this, found] { handle(std::move(*found)); });
}

void Gateway::act(action::Claim& claim) {
  auto claimed = std::make_shared<event::Claimed>();
  run_claimer(
      [this, claimed, rooms = std::move(claim.rooms)] {
        return shared_.database.claim(rooms, worker_limits_.terms, claimed->claim);
      },
      [this, claimed] { handle(std::move(*claimed)); });
}

void Gateway::act(action::Record& action) {
  const auto session = connections_[static_cast<std::size_t>(Task::record)].session;
  require(session != nullptr, "results need a connection");
  auto locked = std::make_shared<event::LockedFound>();
  const bool is_finding = std::holds_alternative<record::FindLocked>(action.statement);
  auto apply = [this, locked, statement = action.statement] {
    Database& database = shared_.database;
    return std::visit(
        Overloaded{
            [&](const record::WriteResults& one) { return database.record(one.rows); },
            [&](const record::FindLocked& one) { return database.find_locked(one.keys, locked->keys); },
            [&](const record::WriteNews& one) { return database.record(one.news); },
            [&](const record::Release& one) { return database.set_due(one.keys, 0ms); },
            [&](const record::Renew& one) { return database.set_due(one.keys, worker_limits_.terms.lease); }},
        statement);
  };
  auto answered = [this, session, locked, is_finding](const Answer& answer) {
    if (answer.is_lost) return lost(Task::record);
    if (answer.error) return handle(event::Refused{*answer.error});
    if (is_finding) return handle(std::move(*locked));
    handle(event::Committed{});
  };
  if (!session->is_open()) return answered({.is_lost = true, .error = {}});
  shared_.database.run(session, {.apply = std::move(apply), .answered = std::move(answered)});
}

void Gateway::act(action::DropRecorder&) {
  shared_.database.lose(connections_[static_cast<std::size_t>(Task::record)].session, false);
  lost(Task::record);
}

// --- Sending

void Gateway::act(action::Send& action) {
  const Uuid id = action.delivery.endpoint_id;
  const store::DeliveryKey key{action.delivery.event->id, id};
  const EndpointPlan& endpoint = shared_.plan.endpoints[shared_.endpoints.at(id)];
  shared_.invariants.sending(key, life_);
  ++all_in_flight_;
  require(++in_flight_[id] <= endpoint.concurrent_max, "an endpoint's concurrency limit is kept");
  const auto since = std::chrono::duration_cast<milliseconds>(shared_.schedule.now() - shared_.began);
  deliver::Reply reply = reply_of(endpoint, since, random_);
  const auto takes = reply.took;
  after(takes, [this, key, reply = std::move(reply), delivery = std::move(action.delivery),
                target = std::move(action.target)]() mutable {
    --all_in_flight_;
    --in_flight_[key.endpoint_id];
    shared_.invariants.replied(key);
    handle(event::Replied{std::move(delivery), std::move(target), std::move(reply)});
  });
}

void Gateway::act(action::WakeAt& action) {
  require(action.time >= shared_.schedule.now(), "nothing is scheduled in the past");
  after(action.time - shared_.schedule.now(), [this, wake = ++wakes_] {
    if (wake == wakes_) handle(event::Tick{});
  });
}

void Gateway::act(action::Finished&) {
  is_finished_ = true;
  for (Connection& connection : connections_)
    if (connection.session) shared_.database.lose(std::exchange(connection.session, nullptr), false);
}

}  // namespace socialsync::simulation
