#include <utility>
#include <variant>

#include <fmt/format.h>

#include "simulation/gateway.hpp"

namespace socialsync::simulation {
namespace {

using namespace std::chrono_literals;
namespace batch = ingest::batch;

constexpr milliseconds expiry_tick = 50ms;

batch::Outcome outcome_of(const pg::Error& error) {
  if (error.sqlstate() == "55P03") return batch::Outcome::blocked;
  return error.kind() == pg::ErrorKind::data ? batch::Outcome::refused : batch::Outcome::failed;
}

std::shared_ptr<const deliver::Event> event_of(const store::EventRow& row) {
  auto event = std::make_shared<deliver::Event>();
  event->id = row.id;
  event->type = row.type;
  event->payload = row.payload;
  return event;
}

}  // namespace

void Gateway::submit(std::shared_ptr<ingest::Submission> submission) {
  lease_deliveries(*submission, *this);
  const std::uint64_t request = ++shared_.requests;
  shared_.invariants.submitted(request, life_);
  shared_.schedule.after(batch_limits_.commit_deadline + expiry_tick + 1ms,
                         [&shared = shared_, request] { shared.invariants.due(request); });
  queued_events_ += submission->rows();
  for (const store::EventRow& row : submission->events) request_of_.insert_or_assign(&row, request);
  requests_.emplace(request, Request{.submission = submission});
  report(batch::Submit{request, std::move(submission)});
}

void Gateway::report(batch::Event event) {
  batch_events_.push_back(std::move(event));
  if (is_reporting_) return;
  is_reporting_ = true;
  std::vector<batch::Action> actions;
  while (!batch_events_.empty()) {
    batch_.resume(std::move(batch_events_.front()), shared_.schedule.now(), actions);
    batch_events_.pop_front();
    for (batch::Action& action : actions) std::visit([this](auto& one) { act(one); }, action);
    actions.clear();
    check_batch();
  }
  is_reporting_ = false;
  set_tick();
}

void Gateway::check_batch() const {
  require(batch_.queued_events() == queued_events_, "the queue's count is what is queued",
          fmt::format("{} counted, {} queued", batch_.queued_events(), queued_events_));
  require(batch_.unanswered() == requests_.size(), "the count of requests is that of unanswered ones",
          fmt::format("{} counted, {} unanswered", batch_.unanswered(), requests_.size()));
  require(queued_events_ <= batch_limits_.queue_events_max + 20, "the queue is bounded");
}

void Gateway::set_tick() {
  const auto wanted = batch_.wake_at(shared_.schedule.now());
  if (!wanted || (tick_ && *tick_ <= *wanted)) return;
  tick_ = wanted;
  after(*wanted - shared_.schedule.now(), [this, at = *wanted] {
    if (tick_ == at) tick_.reset();
    report(batch::Tick());
  });
}

void Gateway::act(batch::Connect& action) {
  shared_.database.open(
      [self = shared_from_this(), writer = action.writer](std::shared_ptr<Session> session) {
        if (!self->is_alive_) return;
        self->writers_[writer] = session;
        if (session) self->report(batch::Connected{writer});
        if (!session) self->report(batch::ConnectFailed{writer, "simulated"});
      });
}

void Gateway::act(batch::Disconnect& action) {
  const std::shared_ptr<Session> session = std::exchange(writers_[action.writer], nullptr);
  require(session != nullptr, "only what is connected is disconnected");
  shared_.database.lose(session);
}

void Gateway::act(batch::Write& action) {
  const std::shared_ptr<Session> session = writers_[action.writer];
  require(session != nullptr, "writes need a connection");
  for (const store::EventRow* row : action.events) {
    const auto found = requests_.find(request_of_.at(row));
    if (found == requests_.end() || !std::exchange(found->second.is_queued, false)) continue;
    queued_events_ -= found->second.submission->rows();
  }
  auto are_new = std::make_shared<std::vector<bool>>();
  auto apply = [this, action, are_new] {
    return shared_.database.insert(action.events, action.quarantined, *are_new);
  };
  auto answered = [this, action, are_new](const Answer& answer) {
    if (answer.is_lost) return report(batch::Written{action.write, batch::Outcome::lost, "", "lost"});
    if (answer.error)
      return report(
          batch::Written{action.write, outcome_of(*answer.error), answer.error->sqlstate(), "error"});
    for (std::size_t i = 0; i < action.events.size(); ++i) action.events[i]->is_new = (*are_new)[i];
    report(batch::Written{.write = action.write});
  };
  if (!session->is_open()) return answered({.is_lost = true, .error = {}});
  shared_.database.run(session, {.apply = std::move(apply), .answered = std::move(answered)});
}

void Gateway::act(batch::Answer& action) {
  const auto found = requests_.find(action.request);
  require(found != requests_.end(), "a request is answered once", fmt::format("request {}", action.request));
  const std::shared_ptr<ingest::Submission> submission = found->second.submission;
  if (found->second.is_queued) queued_events_ -= submission->rows();
  requests_.erase(found);
  const bool is_committed = action.outcome.has_value();
  shared_.invariants.answered(action.request, is_committed, *submission, shared_.database);
  after(0ms, [this, submission, is_committed] {
    if (is_committed) take(*submission);
    if (!is_committed) forget(*submission);
  });
}

void Gateway::act(batch::Finished&) {
  after(0ms, [this] { handle(deliver::event::Stop()); });
}

// --- New events go to the worker of this process from memory

bool Gateway::takes(const Uuid& endpoint_id) {
  return shared_.plan.hands_over && worker_.admission().admit(endpoint_id);
}

milliseconds Gateway::lease() const { return worker_limits_.terms.lease; }

void Gateway::take(const ingest::Submission& submission) {
  deliver::event::FreshTaken fresh;
  deliver::event::OutboxChanged changed;
  for (const store::EventRow& row : submission.events) {
    std::shared_ptr<const deliver::Event> event;
    for (const store::QueuedDelivery& delivery : row.deliveries) {
      const bool is_leased = delivery.lease.count() > 0;
      if (is_leased && !row.is_new) worker_.admission().leave(delivery.endpoint_id);
      if (!row.is_new) continue;
      if (!is_leased) {
        changed.endpoints.push_back(delivery.endpoint_id);
        continue;
      }
      if (!event) event = event_of(row);
      fresh.deliveries.push_back({.event = event, .endpoint_id = delivery.endpoint_id});
    }
  }
  if (!changed.endpoints.empty()) handle(std::move(changed));
  if (!fresh.deliveries.empty()) handle(std::move(fresh));
}

void Gateway::forget(const ingest::Submission& submission) {
  for (const store::EventRow& row : submission.events)
    for (const store::QueuedDelivery& delivery : row.deliveries)
      if (delivery.lease.count() > 0) worker_.admission().leave(delivery.endpoint_id);
}

}  // namespace socialsync::simulation
