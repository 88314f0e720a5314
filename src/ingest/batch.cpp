#include "ingest/batch.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "net/result.hpp"
#include "net/within.hpp"
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

// An event that the database will not have, as a row of quarantine.
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

Batcher::Batcher(asio::any_io_executor executor, Connect connect, metrics::Metrics& metrics,
                 BatchLimits limits)
    : executor_(std::move(executor)),
      connect_(std::move(connect)),
      metrics_(metrics),
      limits_(limits),
      changed_(executor_, asio::steady_timer::time_point::max()) {}

void Batcher::start() {
  for (std::size_t i = 0; i < limits_.writers; ++i) {
    writers_.push_back(std::make_unique<Writer>());
    spawn(keep_connected(*writers_.back()));
  }
  spawn(dispatch_until_stopped());
  spawn(expire_until_stopped());
}

void Batcher::spawn(asio::awaitable<void> work) {
  ++running_;
  asio::co_spawn(executor_, std::move(work), [this](const std::exception_ptr& failure) {
    --running_;
    changed_.cancel();
    net::rethrow(failure);
  });
}

asio::awaitable<void> Batcher::changed() { co_await changed_.async_wait(net::as_result); }

asio::awaitable<void> Batcher::stop() {
  stopping_ = true;
  changed_.cancel();
  while (running_ > 0) co_await changed();
}

// --- The queue

bool Batcher::is_full(const Submission& submission, std::size_t bytes) const {
  // A submission larger than the whole queue is let in when it is alone.
  if (queue_.empty()) return false;
  return queued_events_ + submission.rows() > limits_.queue_events_max ||
         queued_bytes_ + bytes > limits_.queue_bytes_max;
}

asio::awaitable<Result<void, CommitError>> Batcher::commit(std::shared_ptr<Submission> submission) {
  const std::size_t bytes = bytes_of(*submission);
  if (is_full(*submission, bytes)) co_return CommitError::overloaded;
  auto pending = std::make_shared<Pending>();
  pending->submission = std::move(submission);
  pending->bytes = bytes;
  pending->deadline = std::chrono::steady_clock::now() + limits_.commit_deadline;
  const auto initiate = [this, &pending](auto handler) {
    // emplace: in Boost 1.81 the assignment of a handler calls itself for ever.
    pending->handler.emplace(std::move(handler));
    enqueue(std::move(pending));
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Outcome)>(initiate,
                                                                                        asio::use_awaitable);
}

void Batcher::enqueue(std::shared_ptr<Pending> pending) {
  queued_events_ += pending->submission->rows();
  queued_bytes_ += pending->bytes;
  queue_.push_back(std::move(pending));
  if (writer_for_next_batch()) changed_.cancel();
}

std::shared_ptr<Batcher::Pending> Batcher::dequeue() {
  std::shared_ptr<Pending> pending = std::move(queue_.front());
  queue_.pop_front();
  queued_events_ -= pending->submission->rows();
  queued_bytes_ -= pending->bytes;
  return pending;
}

void Batcher::answer(Pending& pending, Outcome outcome) {
  if (!pending.handler) return;
  // Not from here: the waiting request may call commit() again at once.
  asio::post(executor_,
             [handler = std::move(*pending.handler), outcome]() mutable { std::move(handler)(outcome); });
  pending.handler.reset();
}

Batcher::Batch Batcher::take() {
  Batch batch;
  std::size_t events = 0;
  std::size_t bytes = 0;
  while (!queue_.empty()) {
    const Pending& next = *queue_.front();
    events += next.submission->rows();
    bytes += next.bytes;
    if (!batch.empty() && (events > limits_.batch_events_max || bytes > limits_.batch_bytes_max)) break;
    batch.push_back(dequeue());
  }
  return batch;
}

// --- Writing

// Who is to write what waits, now. Nobody: it waits on, for a connection or a fuller batch.
Batcher::Writer* Batcher::writer_for_next_batch() const {
  if (queue_.empty()) return nullptr;
  const auto held_up_before = std::chrono::steady_clock::now() - limits_.held_up_after;
  Writer* idle = nullptr;
  for (const auto& writer : writers_) {
    if (!writer->connection) continue;
    if (writer->batches == 0) {
      idle = idle ? idle : writer.get();
    } else if (writer->moved > held_up_before) {
      const bool has_room = writer->batches < limits_.pipelined_batches;
      return has_room && queued_events_ >= limits_.pipelined_events_min ? writer.get() : nullptr;
    }
  }
  return idle;
}

asio::awaitable<void> Batcher::dispatch_until_stopped() {
  while (!stopping_ || !queue_.empty()) {
    Writer* writer = writer_for_next_batch();
    if (!writer) {
      co_await changed();
      continue;
    }
    in_flight_.push_back(take());
    if (writer->batches++ == 0) writer->moved = std::chrono::steady_clock::now();
    spawn(write_in_flight(*writer, std::prev(in_flight_.end())));
  }
}

asio::awaitable<void> Batcher::write_in_flight(Writer& writer, std::list<Batch>::iterator batch) {
  co_await write(writer, *batch);
  in_flight_.erase(batch);
  --writer.batches;
  writer.moved = std::chrono::steady_clock::now();
}

asio::awaitable<void> Batcher::write(Writer& writer, Batch batch) {
  for (;;) {
    std::erase_if(batch, [](const auto& pending) { return !pending->handler; });
    if (batch.empty()) co_return;  // all timed out: nobody was told that they are stored
    if (!writer.connection) {
      co_await changed();
      continue;
    }
    const Attempt done = co_await attempt(writer, batch);
    if (done.outcome == Attempt::Outcome::committed) co_return;
    if (done.outcome == Attempt::Outcome::failed) {
      co_await back_off(writer);
      continue;
    }
    co_await take_apart(writer, std::move(batch), done.outcome);
    co_return;
  }
}

asio::awaitable<Batcher::Attempt> Batcher::attempt(Writer& writer, const Batch& batch) {
  std::vector<store::EventRow*> events;
  std::vector<const store::QuarantineRow*> quarantined;
  for (const auto& pending : batch) {
    for (store::EventRow& row : pending->submission->events) events.push_back(&row);
    for (const store::QuarantineRow& row : pending->submission->quarantined) quarantined.push_back(&row);
  }
  // In one order everywhere: two batches that hold the same ids then never wait for each other.
  std::ranges::sort(events, {}, [](const store::EventRow* row) { return row->id; });
  std::ranges::sort(quarantined, {}, [](const store::QuarantineRow* row) { return row->id; });

  const Attempt done = co_await attempt_rows(writer, events, quarantined);
  if (done.outcome == Attempt::Outcome::committed) {
    for (const auto& pending : batch) answer(*pending, Outcome());
  }
  co_return done;
}

asio::awaitable<Batcher::Attempt> Batcher::attempt_rows(
    Writer& writer, std::span<store::EventRow* const> events,
    std::span<const store::QuarantineRow* const> quarantined) {
  const std::shared_ptr<pg::Connection> connection = writer.connection;
  if (!connection) co_return Attempt{};
  const auto began = std::chrono::steady_clock::now();
  try {
    auto work = store::write_batch(*connection, events, quarantined);
    co_await net::within(limits_.statement_timeout, std::move(work));
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
    metrics_.batch(events.size() + quarantined.size(), spent.count());
    writer.pause = {};
    connected_ = true;
    co_return Attempt{.outcome = Attempt::Outcome::committed};
  } catch (const pg::Error& error) {
    Attempt done{.sqlstate = error.sqlstate()};
    if (error.kind() == pg::ErrorKind::data) done.outcome = Attempt::Outcome::refused;
    if (error.sqlstate() == pg::sqlstate::lock_not_available) done.outcome = Attempt::Outcome::blocked;
    const bool comes_apart =
        done.outcome != Attempt::Outcome::failed && events.size() + quarantined.size() > 1;
    if (!comes_apart) failed(writer, connection.get(), error.what(), error.sqlstate());
    co_return done;
  } catch (const boost::system::system_error& error) {
    failed(writer, connection.get(), error.what(), "");
  }
  co_return Attempt{};
}

// A row that the database refuses, or that waits for a lock, must not hold up the others.
asio::awaitable<void> Batcher::take_apart(Writer& writer, Batch batch, Attempt::Outcome why) {
  if (batch.size() == 1 && why == Attempt::Outcome::blocked) {
    answer(*batch.front(), CommitError::timed_out);
    co_return;
  }
  if (batch.size() == 1) {
    co_await write_row_by_row(writer, *batch.front());
    co_return;
  }
  const auto middle = batch.begin() + static_cast<std::ptrdiff_t>(batch.size() / 2);
  Batch second(middle, batch.end());
  batch.erase(middle, batch.end());
  co_await write(writer, std::move(batch));
  co_await write(writer, std::move(second));
}

asio::awaitable<Batcher::Attempt> Batcher::attempt_row(Writer& writer, store::EventRow* event,
                                                       const store::QuarantineRow* quarantined) {
  const std::span events(&event, event ? 1 : 0);
  const std::span kept(&quarantined, quarantined ? 1 : 0);
  const Attempt done = co_await attempt_rows(writer, events, kept);
  co_return done;
}

asio::awaitable<void> Batcher::write_row_by_row(Writer& writer, Pending& pending) {
  Submission& submission = *pending.submission;
  std::size_t at = 0;
  while (at < submission.rows() && pending.handler) {
    const bool is_event = at < submission.events.size();
    store::EventRow* event = is_event ? &submission.events[at] : nullptr;
    const store::QuarantineRow* kept =
        is_event ? nullptr : &submission.quarantined[at - submission.events.size()];
    Attempt done = co_await attempt_row(writer, event, kept);
    const bool refused = done.outcome == Attempt::Outcome::refused && is_event;
    if (refused) {
      const store::QuarantineRow row = refused_row(*event, submission, done.sqlstate);
      done = co_await attempt_row(writer, nullptr, &row);
    }
    if (done.outcome == Attempt::Outcome::refused || done.outcome == Attempt::Outcome::blocked)
      break;  // not even quarantine takes it: nobody is told that it is stored
    if (done.outcome == Attempt::Outcome::failed) {
      co_await back_off(writer);
      continue;
    }
    if (refused) event->is_refused = true;
    ++at;
  }
  const bool all_kept = at == submission.rows();
  answer(pending, all_kept ? Outcome() : Outcome(CommitError::timed_out));
}

// --- The connection

asio::awaitable<void> Batcher::keep_connected(Writer& writer) {
  while (!stopping_ || !queue_.empty() || !in_flight_.empty()) {
    if (writer.connection) {
      co_await changed();
      continue;
    }
    co_await back_off(writer);
    try {
      writer.connection = co_await connect_();
      connected_ = true;
      changed_.cancel();
    } catch (const std::exception& error) {
      failed(writer, nullptr, error.what(), "");
    }
  }
}

void Batcher::failed(Writer& writer, const pg::Connection* connection, const char* what,
                     std::string_view sqlstate) {
  // Two batches on one connection lose it once.
  const bool lost = pg::classify(sqlstate) == pg::ErrorKind::connection;
  if (lost && connection != writer.connection.get()) return;
  metrics_.database_error(sqlstate);
  log::warning(lost ? "database connection lost" : "database refused a batch",
               {{"sqlstate", sqlstate}, {"error", what}});
  connected_ = connected_ && !lost;
  // Whether the commit happened is unknown: the batch is written again, which its ids make safe.
  if (lost) writer.connection.reset();
  changed_.cancel();
}

asio::awaitable<void> Batcher::back_off(Writer& writer) {
  asio::steady_timer timer(executor_, writer.pause);
  writer.pause = std::clamp(writer.pause * 2, pause_min, pause_max);
  co_await timer.async_wait(net::as_result);
}

// --- Deadlines

asio::awaitable<void> Batcher::expire_until_stopped() {
  asio::steady_timer tick(executor_);
  while (!stopping_ || running_ > 1) {
    tick.expires_after(expiry_tick);
    co_await tick.async_wait(net::as_result);
    expire(std::chrono::steady_clock::now());
    changed_.cancel();
  }
}

void Batcher::expire(std::chrono::steady_clock::time_point now) {
  while (!queue_.empty() && queue_.front()->deadline <= now) answer(*dequeue(), CommitError::timed_out);
  for (const Batch& batch : in_flight_) {
    for (const auto& pending : batch) {
      if (pending->deadline <= now) answer(*pending, CommitError::timed_out);
    }
  }
}

}  // namespace socialsync::ingest
