#include "ingest/batch_core.hpp"

#include <algorithm>
#include <utility>

#include "base/assert.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::ingest {
namespace {

constexpr std::chrono::milliseconds expiry_tick{50};
constexpr std::chrono::milliseconds pause_min{50};
constexpr std::chrono::milliseconds pause_max{2'000};

std::size_t bytes_of(const Submission& submission) {
  std::size_t bytes = 0;
  for (const store::EventRow& row : submission.events)
    bytes += row.payload.size() + (row.exact_payload ? row.exact_payload->size() : 0);
  for (const store::QuarantineRow& row : submission.quarantined) bytes += row.body.size();
  return bytes;
}

// Returns the row of quarantine for an event that the database refused.
store::QuarantineRow refused_row(const store::EventRow& event, const Submission& submission,
                                 const std::string& sqlstate) {
  // foreign_key_violation: the account was deleted a moment ago.
  return {
      .id = event.id,
      .reason = sqlstate == pg::sqlstate::foreign_key_violation ? "unknown_account" : "rejected_by_database",
      .platform = event.platform,
      .routing_key = "",
      .type = event.type,
      .detail = "SQLSTATE " + sqlstate,
      .signed_by = submission.signed_by,
      .body = event.exact_payload.value_or(event.payload),
      .event_time_ms = std::nullopt};
}

}  // namespace

BatchCore::BatchCore(BatchLimits limits) : limits_(limits), writers_(limits.writers) {}

void BatchCore::resume(batch::Event event, TimePoint now, Actions& actions) {
  if (auto* submit = std::get_if<batch::Submit>(&event)) {
    this->submit(*submit, now, actions);
    return;
  }
  if (const auto* connected = std::get_if<batch::Connected>(&event))
    connection_opened(connected->writer);
  else if (auto* failed = std::get_if<batch::ConnectFailed>(&event))
    connection_failed(failed->writer, {true, "", std::move(failed->error)}, now, actions);
  else if (auto* written = std::get_if<batch::Written>(&event))
    end_write(*written, now, actions);
  else if (std::holds_alternative<batch::Stop>(event))
    is_stopping_ = true;
  if (now >= expire_at_) expire(now, actions);
  proceed(now, actions);
}

std::optional<BatchCore::TimePoint> BatchCore::wake_at(TimePoint now) const {
  if (writer_for_next_batch(now)) return now;
  std::optional<TimePoint> earliest;
  const auto consider = [&](TimePoint at) { earliest = earliest ? std::min(*earliest, at) : at; };
  if (!queue_.empty() || !in_flight_.empty()) consider(expire_at_);
  for (const auto& batch : in_flight_) {
    const bool waits = batch->write == 0 && writers_[batch->writer].state == Writer::State::connected;
    if (waits) consider(batch->retry_at);
  }
  for (const Writer& writer : writers_) {
    if (writer.state == Writer::State::disconnected && is_connection_wanted()) consider(writer.connect_at);
  }
  return earliest;
}

// --- The queue

bool BatchCore::is_full(const Submission& submission, std::size_t bytes) const {
  // A submission larger than the whole queue is accepted when it is alone.
  if (queue_.empty()) return false;
  return queued_events_ + submission.rows() > limits_.queue_events_max ||
         queued_bytes_ + bytes > limits_.queue_bytes_max;
}

void BatchCore::submit(batch::Submit& event, TimePoint now, Actions& actions) {
  SOCIALSYNC_ASSERT(!is_finished_);
  const std::size_t bytes = bytes_of(*event.submission);
  if (is_full(*event.submission, bytes)) {
    actions.emplace_back(batch::Answer{event.request, CommitError::overloaded});
    return;
  }
  if (queue_.empty() && in_flight_.empty()) expire_at_ = now + expiry_tick;
  queued_events_ += event.submission->rows();
  queued_bytes_ += bytes;
  ++unanswered_;
  queue_.push_back({.id = event.request,
                    .submission = std::move(event.submission),
                    .deadline = now + limits_.commit_deadline,
                    .bytes = bytes});
}

BatchCore::Request BatchCore::dequeue() {
  Request request = std::move(queue_.front());
  queue_.pop_front();
  SOCIALSYNC_ASSERT(queued_events_ >= request.submission->rows() && queued_bytes_ >= request.bytes);
  queued_events_ -= request.submission->rows();
  queued_bytes_ -= request.bytes;
  return request;
}

// The requests of the next batch.
std::vector<BatchCore::Request> BatchCore::take() {
  std::vector<Request> requests;
  std::size_t events = 0;
  std::size_t bytes = 0;
  while (!queue_.empty()) {
    const Request& next = queue_.front();
    events += next.submission->rows();
    bytes += next.bytes;
    if (!requests.empty() && (events > limits_.batch_events_max || bytes > limits_.batch_bytes_max)) break;
    requests.push_back(dequeue());
  }
  return requests;
}

void BatchCore::answer(Request& request, CommitOutcome outcome, Actions& actions) {
  if (request.is_answered) return;
  SOCIALSYNC_ASSERT(unanswered_ > 0);
  request.is_answered = true;
  --unanswered_;
  actions.emplace_back(batch::Answer{request.id, outcome});
}

void BatchCore::expire(TimePoint now, Actions& actions) {
  expire_at_ = now + expiry_tick;
  while (!queue_.empty() && queue_.front().deadline <= now) {
    Request request = dequeue();
    answer(request, CommitError::timed_out, actions);
  }
  for (const auto& batch : in_flight_) {
    for (Request& request : batch->requests) {
      if (request.deadline <= now) answer(request, CommitError::timed_out, actions);
    }
  }
}

// --- Batches

// The idle connection, or one with a batch that is not delayed when the queue fills a batch behind it.
std::optional<std::size_t> BatchCore::writer_for_next_batch(TimePoint now) const {
  if (queue_.empty()) return std::nullopt;
  std::optional<std::size_t> idle;
  for (std::size_t i = 0; i < writers_.size(); ++i) {
    const Writer& writer = writers_[i];
    if (writer.state != Writer::State::connected) continue;
    if (writer.batches == 0) {
      if (!idle) idle = i;
    } else if (writer.moved > now - limits_.held_up_after) {
      const bool has_room = writer.batches < limits_.pipelined_batches;
      return has_room && queued_events_ >= limits_.pipelined_events_min ? std::optional(i) : std::nullopt;
    }
  }
  return idle;
}

void BatchCore::proceed(TimePoint now, Actions& actions) {
  continue_batches(now, actions);
  while (const auto writer = writer_for_next_batch(now)) {
    in_flight_.push_back(std::make_unique<Batch>(*writer, take()));
    if (writers_[*writer].batches++ == 0) writers_[*writer].moved = now;
    begin(*in_flight_.back(), actions);
  }
  const bool is_connecting = connect(now, actions);
  if (is_finished_ || is_connecting || is_connection_wanted()) return;
  is_finished_ = true;
  actions.emplace_back(batch::Finished{});
}

void BatchCore::continue_batches(TimePoint now, Actions& actions) {
  for (const auto& batch : in_flight_) {
    if (batch->write != 0 || !has_more(*batch) || !may_begin(*batch, now)) continue;
    begin(*batch, actions);
  }
  std::erase_if(in_flight_, [&](const auto& batch) {
    if (batch->write != 0 || has_more(*batch)) return false;
    Writer& writer = writers_[batch->writer];
    SOCIALSYNC_ASSERT(writer.batches > 0);
    --writer.batches;
    writer.moved = now;
    return true;
  });
}

// Returns false when every request of the batch is answered.
bool BatchCore::has_more(Batch& batch) {
  if (batch.row_by_row) {
    if (!batch.requests[batch.row_by_row->request].is_answered) return true;
    batch.row_by_row.reset();
  }
  while (const auto range = batch.apart.next()) {
    const auto requests = std::span(batch.requests).subspan(range->first, range->size);
    if (!std::ranges::all_of(requests, &Request::is_answered)) return true;
    batch.apart.tell(pg::WriteApart::Outcome::skipped);
  }
  return false;
}

bool BatchCore::may_begin(const Batch& batch, TimePoint now) const {
  return writers_[batch.writer].state == Writer::State::connected && batch.retry_at <= now;
}

// Requires has_more().
void BatchCore::begin(Batch& batch, Actions& actions) {
  batch.events.clear();
  batch.quarantined.clear();
  if (batch.row_by_row) {
    Submission& submission = *batch.requests[batch.row_by_row->request].submission;
    const std::size_t row = batch.row_by_row->row;
    if (batch.row_by_row->instead)
      batch.quarantined.push_back(&*batch.row_by_row->instead);
    else if (row < submission.events.size())
      batch.events.push_back(&submission.events[row]);
    else
      batch.quarantined.push_back(&submission.quarantined[row - submission.events.size()]);
  } else {
    const pg::WriteApart::Range range = *batch.apart.next();
    for (Request& request : std::span(batch.requests).subspan(range.first, range.size)) {
      if (request.is_answered) continue;
      for (store::EventRow& row : request.submission->events) batch.events.push_back(&row);
      for (const store::QuarantineRow& row : request.submission->quarantined)
        batch.quarantined.push_back(&row);
    }
  }
  // One order for all: two batches with the same ids then never deadlock.
  std::ranges::sort(batch.events, {}, [](const store::EventRow* row) { return row->id; });
  std::ranges::sort(batch.quarantined, {}, [](const store::QuarantineRow* row) { return row->id; });
  batch.write = ++writes_;
  batch.connection = writers_[batch.writer].connection;
  actions.emplace_back(batch::Write{batch.writer, batch.write, batch.events, batch.quarantined});
}

void BatchCore::end_write(batch::Written& done, TimePoint now, Actions& actions) {
  const auto found =
      std::ranges::find(in_flight_, done.write, [](const auto& batch) { return batch->write; });
  SOCIALSYNC_ASSERT(found != in_flight_.end());
  Batch& batch = **found;
  Writer& writer = writers_[batch.writer];
  batch.write = 0;
  if (done.outcome == batch::Outcome::lost) {
    // Several writes on one connection lose it once. A commit is possible: the rows are written again, and
    // their ids deduplicate.
    const bool is_known = batch.connection != writer.connection || writer.state != Writer::State::connected;
    if (is_known) return;
    actions.emplace_back(batch::Disconnect{batch.writer});
    connection_failed(batch.writer, {true, std::move(done.sqlstate), std::move(done.error)}, now, actions);
    return;
  }
  if (done.outcome == batch::Outcome::committed) {
    writer.pause = {};
    is_connected_ = true;
  } else if (done.outcome == batch::Outcome::failed || batch.events.size() + batch.quarantined.size() == 1) {
    actions.emplace_back(
        batch::Report{.is_lost = false, .sqlstate = done.sqlstate, .error = std::move(done.error)});
  }
  if (done.outcome == batch::Outcome::failed) {
    batch.retry_at = back_off(writer, now);
  } else if (batch.row_by_row) {
    settle_row(batch, done, actions);
  } else {
    settle(batch, done, actions);
  }
}

// A row that the database refuses, or that another transaction has locked, does not delay other requests.
void BatchCore::settle(Batch& batch, const batch::Written& done, Actions& actions) {
  const pg::WriteApart::Range range = *batch.apart.next();
  const auto requests = std::span(batch.requests).subspan(range.first, range.size);
  if (done.outcome == batch::Outcome::committed) {
    for (Request& request : requests) answer(request, CommitOutcome(), actions);
    batch.apart.tell(pg::WriteApart::Outcome::written);
    return;
  }
  const bool is_alone = batch.apart.tell(pg::WriteApart::Outcome::refused);
  if (!is_alone) return;
  if (done.outcome == batch::Outcome::blocked)
    answer(requests.front(), CommitError::timed_out, actions);
  else
    batch.row_by_row = RowByRow{.request = range.first, .instead = std::nullopt};
}

void BatchCore::settle_row(Batch& batch, const batch::Written& done, Actions& actions) {
  RowByRow& now_at = *batch.row_by_row;
  Request& request = batch.requests[now_at.request];
  Submission& submission = *request.submission;
  const bool is_event = now_at.row < submission.events.size();
  if (done.outcome == batch::Outcome::committed) {
    if (now_at.instead) submission.events[now_at.row].is_refused = true;
    now_at.instead.reset();
    if (++now_at.row == submission.rows()) answer(request, CommitOutcome(), actions);
  } else if (done.outcome == batch::Outcome::refused && is_event && !now_at.instead) {
    now_at.instead = refused_row(submission.events[now_at.row], submission, done.sqlstate);
  } else {
    // Quarantine refuses the row too, or it is locked: the request is not acknowledged.
    answer(request, CommitError::timed_out, actions);
  }
}

// --- Connections

// Opens the connections that are due. Returns true while one is being opened.
bool BatchCore::connect(TimePoint now, Actions& actions) {
  bool is_connecting = false;
  for (std::size_t i = 0; i < writers_.size(); ++i) {
    Writer& writer = writers_[i];
    const bool is_due = writer.state == Writer::State::disconnected && writer.connect_at <= now;
    if (is_due && is_connection_wanted()) {
      writer.state = Writer::State::connecting;
      actions.emplace_back(batch::Connect{i});
    }
    is_connecting |= writer.state == Writer::State::connecting;
  }
  return is_connecting;
}

bool BatchCore::is_connection_wanted() const {
  return !is_stopping_ || !queue_.empty() || !in_flight_.empty();
}

void BatchCore::connection_opened(std::size_t index) {
  writers_[index].state = Writer::State::connected;
  ++writers_[index].connection;
  is_connected_ = true;
}

void BatchCore::connection_failed(std::size_t index, batch::Report report, TimePoint now, Actions& actions) {
  Writer& writer = writers_[index];
  writer.state = Writer::State::disconnected;
  // Not at once: other writes on the lost connection still have to end, and to close it.
  writer.pause = std::max(writer.pause, pause_min);
  writer.connect_at = back_off(writer, now);
  is_connected_ = false;
  actions.emplace_back(std::move(report));
}

// Returns the time of the next attempt: the pauses grow until a commit succeeds.
BatchCore::TimePoint BatchCore::back_off(Writer& writer, TimePoint now) {
  const TimePoint at = now + writer.pause;
  writer.pause = std::clamp(writer.pause * 2, pause_min, pause_max);
  return at;
}

}  // namespace socialsync::ingest
