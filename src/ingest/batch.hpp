// The group commit: waiting requests are written together. The next batch is formed and sent while the last
// one commits, so no timer adds latency when the server is idle, and PostgreSQL never waits for us under
// load.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/result.hpp"
#include "ingest/submission.hpp"
#include "metrics/metrics.hpp"
#include "pg/connection.hpp"

namespace socialsync::ingest {

namespace asio = boost::asio;

struct BatchLimits {
  std::size_t queue_events_max = 20'000;
  std::size_t queue_bytes_max = 256 * 1024 * 1024;
  std::size_t batch_events_max = 1000;
  std::size_t batch_bytes_max = 16 * 1024 * 1024;
  std::size_t writers = 2;            // connections; the second is used while the first is held up
  std::size_t pipelined_batches = 3;  // that one connection has been sent at once
  // A batch is not sent behind one that is being written before so many events wait: a few large commits cost
  // PostgreSQL less than many small ones.
  std::size_t pipelined_events_min = 16;
  std::chrono::milliseconds held_up_after{50};  // a batch that takes longer holds up its connection
  std::chrono::milliseconds commit_deadline{4'000};
  std::chrono::milliseconds statement_timeout{30'000};
};

enum class CommitError {
  overloaded,  // the queue is full: nothing was taken
  timed_out,   // not committed within the deadline; it may be yet, which the event ids make harmless
};

// Opens a connection, or throws pg::Error or boost::system::system_error.
using Connect = std::function<asio::awaitable<std::unique_ptr<pg::Connection>>()>;

// All calls on one thread. Outlives every coroutine that waits in commit().
class Batcher {
 public:
  Batcher(asio::any_io_executor executor, Connect connect, metrics::Metrics& metrics, BatchLimits limits);

  // Connects, and from here on writes what is committed.
  void start();

  // Resolves once every row is committed: as an event, or in quarantine where the database refused the row.
  // Each event's is_new then tells whether it was.
  asio::awaitable<Result<void, CommitError>> commit(std::shared_ptr<Submission> submission);

  // Writes what is queued, then ends; no commit() may follow. Resolves when all has ended.
  asio::awaitable<void> stop();

  // Whether the last contact with the database was a success.
  bool connected() const { return connected_; }
  std::size_t queued_events() const { return queued_events_; }
  std::size_t queued_bytes() const { return queued_bytes_; }

 private:
  using Outcome = Result<void, CommitError>;
  struct Pending {
    std::shared_ptr<Submission> submission;
    std::chrono::steady_clock::time_point deadline;
    std::size_t bytes = 0;
    std::optional<asio::any_completion_handler<void(Outcome)>> handler;  // nothing once answered
  };
  using Batch = std::vector<std::shared_ptr<Pending>>;

  struct Writer {
    std::shared_ptr<pg::Connection> connection;   // none while it is lost
    std::size_t batches = 0;                      // being written
    std::chrono::steady_clock::time_point moved;  // when the first of them began or the last one ended
    std::chrono::milliseconds pause{0};           // before the next attempt
  };
  struct Attempt {
    // Blocked: a row of the batch waits for somebody's lock, say on its account.
    enum class Outcome { committed, refused, blocked, failed };
    Outcome outcome = Outcome::failed;
    std::string sqlstate{};
  };

  bool is_full(const Submission& submission, std::size_t bytes) const;
  void enqueue(std::shared_ptr<Pending> pending);
  std::shared_ptr<Pending> dequeue();
  void answer(Pending& pending, Outcome outcome);
  Batch take();

  Writer* writer_for_next_batch() const;
  void spawn(asio::awaitable<void> work);
  asio::awaitable<void> changed();
  asio::awaitable<void> keep_connected(Writer& writer);
  asio::awaitable<void> dispatch_until_stopped();
  asio::awaitable<void> write_in_flight(Writer& writer, std::list<Batch>::iterator batch);
  asio::awaitable<void> write(Writer& writer, Batch batch);
  asio::awaitable<Attempt> attempt(Writer& writer, const Batch& batch);
  asio::awaitable<void> take_apart(Writer& writer, Batch batch, Attempt::Outcome why);
  asio::awaitable<Attempt> attempt_rows(Writer& writer, std::span<store::EventRow* const> events,
                                        std::span<const store::QuarantineRow* const> quarantined);
  asio::awaitable<Attempt> attempt_row(Writer& writer, store::EventRow* event,
                                       const store::QuarantineRow* quarantined);
  asio::awaitable<void> write_row_by_row(Writer& writer, Pending& pending);
  void failed(Writer& writer, const pg::Connection* connection, const char* what, std::string_view sqlstate);
  asio::awaitable<void> back_off(Writer& writer);

  asio::awaitable<void> expire_until_stopped();
  void expire(std::chrono::steady_clock::time_point now);

  asio::any_io_executor executor_;
  Connect connect_;
  metrics::Metrics& metrics_;
  BatchLimits limits_;

  std::deque<std::shared_ptr<Pending>> queue_;  // in order of deadline
  std::size_t queued_events_ = 0;
  std::size_t queued_bytes_ = 0;
  std::vector<std::unique_ptr<Writer>> writers_;
  std::list<Batch> in_flight_;
  asio::steady_timer changed_;  // cancelled when anything is that one of our coroutines may wait for
  std::size_t running_ = 0;     // coroutines of ours
  bool stopping_ = false;
  bool connected_ = false;
};

}  // namespace socialsync::ingest
