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
#include "net/rethrow.hpp"
#include "net/within.hpp"

namespace socialsync::ingest {
namespace {

constexpr std::chrono::milliseconds expiry_tick{50};
constexpr std::string_view lock_not_available = "55P03";
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
  constexpr std::string_view foreign_key_violation = "23503";  // the account was deleted a moment ago
  return {.id = event.id,
          .reason = sqlstate == foreign_key_violation ? "unknown_account" : "rejected_by_database",
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
      wake_(executor_, asio::steady_timer::time_point::max()),
      ended_(executor_, asio::steady_timer::time_point::max()) {}

void Batcher::start() {
  for (std::size_t i = 0; i < limits_.writers; ++i) {
    writers_.push_back(std::make_unique<Writer>());
    ++running_;
    asio::co_spawn(executor_, write_until_stopped(*writers_.back()), net::rethrow);
  }
  ++running_;
  asio::co_spawn(executor_, expire_until_stopped(), net::rethrow);
}

asio::awaitable<void> Batcher::stop() {
  stopping_ = true;
  wake_.cancel();
  while (running_ > 0) co_await ended_.async_wait(net::as_result);
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

bool Batcher::is_batch_due() const {
  if (queue_.empty()) return false;
  if (writing_ == 0 || stopping_ || queued_events_ >= limits_.parallel_events_min) return true;
  // The writer at work may be held up: few events do not wait for it longer than this.
  const auto waited_since = queue_.front()->deadline - limits_.commit_deadline;
  return std::chrono::steady_clock::now() - waited_since >= limits_.parallel_delay_max;
}

void Batcher::enqueue(std::shared_ptr<Pending> pending) {
  queued_events_ += pending->submission->rows();
  queued_bytes_ += pending->bytes;
  queue_.push_back(std::move(pending));
  if (is_batch_due()) wake_.cancel_one();
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

asio::awaitable<void> Batcher::write_until_stopped(Writer& writer) {
  co_await ensure_connected(writer);
  while (!stopping_ || !queue_.empty()) {
    if (!is_batch_due()) {
      co_await wake_.async_wait(net::as_result);
      continue;
    }
    writer.batch = take();
    ++writing_;
    co_await write(writer, writer.batch);
    --writing_;
    writer.batch.clear();
  }
  --running_;
  ended_.cancel();
}

asio::awaitable<void> Batcher::write(Writer& writer, Batch batch) {
  for (;;) {
    std::erase_if(batch, [](const auto& pending) { return !pending->handler; });
    if (batch.empty()) co_return;  // all timed out: nobody was told that they are stored
    const Attempt outcome = co_await attempt(writer, batch);
    if (outcome == Attempt::committed) co_return;
    if (outcome == Attempt::failed) {
      co_await back_off(writer);
      continue;
    }
    co_await take_apart(writer, std::move(batch), outcome);
    co_return;
  }
}

asio::awaitable<void> Batcher::write_rows(Writer& writer, std::span<store::EventRow* const> events,
                                          std::span<const store::QuarantineRow* const> quarantined) {
  const auto began = std::chrono::steady_clock::now();
  auto work = store::write_batch(*writer.connection, events, quarantined);
  co_await net::within(limits_.statement_timeout, std::move(work));
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
  metrics_.batch(events.size() + quarantined.size(), spent.count());
  writer.pause = {};
  connected_ = true;
}

asio::awaitable<Batcher::Attempt> Batcher::attempt(Writer& writer, const Batch& batch) {
  const bool ready = co_await ensure_connected(writer);
  if (!ready) co_return Attempt::failed;

  std::vector<store::EventRow*> events;
  std::vector<const store::QuarantineRow*> quarantined;
  for (const auto& pending : batch) {
    for (store::EventRow& row : pending->submission->events) events.push_back(&row);
    for (const store::QuarantineRow& row : pending->submission->quarantined) quarantined.push_back(&row);
  }
  // In one order everywhere: two batches that hold the same ids then never wait for each other.
  std::ranges::sort(events, {}, [](const store::EventRow* row) { return row->id; });
  std::ranges::sort(quarantined, {}, [](const store::QuarantineRow* row) { return row->id; });

  try {
    co_await write_rows(writer, events, quarantined);
    for (const auto& pending : batch) answer(*pending, Outcome());
    co_return Attempt::committed;
  } catch (const pg::Error& error) {
    if (error.kind() == pg::ErrorKind::data) co_return Attempt::refused;
    if (error.sqlstate() == lock_not_available) co_return Attempt::blocked;
    failed(writer, error.what(), error.sqlstate());
  } catch (const boost::system::system_error& error) {
    failed(writer, error.what(), "");
  }
  co_return Attempt::failed;
}

// A row that the database refuses, or that waits for a lock, must not hold up the others.
asio::awaitable<void> Batcher::take_apart(Writer& writer, Batch batch, Attempt why) {
  if (batch.size() == 1 && why == Attempt::blocked) {
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
  const bool ready = co_await ensure_connected(writer);
  if (!ready) co_return Attempt::failed;
  const std::span events(&event, event ? 1 : 0);
  const std::span kept(&quarantined, quarantined ? 1 : 0);
  try {
    co_await write_rows(writer, events, kept);
    co_return Attempt::committed;
  } catch (const pg::Error& error) {
    failed(writer, error.what(), error.sqlstate());
    if (error.kind() == pg::ErrorKind::data) co_return Attempt::refused;
    if (error.sqlstate() == lock_not_available) co_return Attempt::blocked;
  } catch (const boost::system::system_error& error) {
    failed(writer, error.what(), "");
  }
  co_return Attempt::failed;
}

asio::awaitable<void> Batcher::write_row_by_row(Writer& writer, Pending& pending) {
  Submission& submission = *pending.submission;
  std::size_t at = 0;
  while (at < submission.rows() && pending.handler) {
    const bool is_event = at < submission.events.size();
    store::EventRow* event = is_event ? &submission.events[at] : nullptr;
    const store::QuarantineRow* kept =
        is_event ? nullptr : &submission.quarantined[at - submission.events.size()];
    Attempt outcome = co_await attempt_row(writer, event, kept);
    const bool refused = outcome == Attempt::refused && is_event;
    if (refused) {
      const store::QuarantineRow row = refused_row(*event, submission, writer.sqlstate);
      outcome = co_await attempt_row(writer, nullptr, &row);
    }
    if (outcome == Attempt::refused || outcome == Attempt::blocked)
      break;  // not even quarantine takes it: nobody is told that it is stored
    if (outcome == Attempt::failed) {
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

asio::awaitable<bool> Batcher::ensure_connected(Writer& writer) {
  if (writer.connection) co_return true;
  try {
    writer.connection = co_await connect_();
    connected_ = true;
    co_return true;
  } catch (const std::exception& error) {
    failed(writer, error.what(), "");
  }
  co_return false;
}

void Batcher::failed(Writer& writer, const char* what, std::string_view sqlstate) {
  writer.sqlstate = sqlstate;
  const bool lost = pg::classify(sqlstate) == pg::ErrorKind::connection;
  metrics_.database_error(sqlstate);
  log::warning(lost ? "database connection lost" : "database refused a batch",
               {{"sqlstate", sqlstate}, {"error", what}});
  connected_ = connected_ && !lost;
  // Whether the commit happened is unknown: the batch is written again, which its ids make safe.
  if (lost) writer.connection.reset();
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
    if (is_batch_due()) wake_.cancel_one();
  }
  --running_;
  ended_.cancel();
}

void Batcher::expire(std::chrono::steady_clock::time_point now) {
  while (!queue_.empty() && queue_.front()->deadline <= now) answer(*dequeue(), CommitError::timed_out);
  for (const auto& writer : writers_) {
    for (const auto& pending : writer->batch) {
      if (pending->deadline <= now) answer(*pending, CommitError::timed_out);
    }
  }
}

}  // namespace socialsync::ingest
