// The group commit: waiting requests are written together. The next batch is formed and sent while the last
// one commits: no timer adds latency when the server is idle, and PostgreSQL never waits for this process
// under load.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "ingest/batch_core.hpp"
#include "metrics/metrics.hpp"
#include "pg/supervisor.hpp"

namespace socialsync::ingest {

namespace asio = boost::asio;

// Carries out the actions of a BatchCore. All calls on one thread. Outlives every coroutine that waits in
// commit().
class Batcher {
 public:
  Batcher(asio::any_io_executor executor, pg::Connect connect, metrics::Metrics& metrics, BatchLimits limits);

  // Connects, and from here on writes what is submitted.
  void start() { report(batch::Tick()); }

  // Resolves once every row is committed: as an event, or in quarantine where the database refused the row.
  // is_new is then set in each event.
  asio::awaitable<CommitOutcome> commit(std::shared_ptr<Submission> submission);

  // Writes what is queued, then ends; no commit() may follow. Resolves when all coroutines have ended.
  asio::awaitable<void> stop();

  // True if the last contact with the database was a success.
  bool connected() const { return core_.connected(); }
  std::size_t queued_events() const { return core_.queued_events(); }
  std::size_t queued_bytes() const { return core_.queued_bytes(); }

 private:
  using TimePoint = batch::TimePoint;
  using Handler = asio::any_completion_handler<void(CommitOutcome)>;

  void report(batch::Event event);
  void set_tick(TimePoint now);

  void carry_out(batch::Connect& action);
  void carry_out(batch::Disconnect& action) { connections_[action.writer].reset(); }
  void carry_out(batch::Write& action);
  void carry_out(batch::Answer& action);
  void carry_out(batch::Report& action);
  void carry_out(batch::Finished&) { is_finished_ = true; }

  void spawn(asio::awaitable<void> work);
  asio::awaitable<void> open(std::size_t writer);
  asio::awaitable<void> write(batch::Write action, std::shared_ptr<pg::Connection> connection);
  asio::awaitable<batch::Written> attempt(const batch::Write& action, pg::Connection& connection);

  asio::any_io_executor executor_;
  pg::Connect connect_;
  metrics::Metrics& metrics_;
  std::chrono::milliseconds statement_timeout_;

  BatchCore core_;
  std::vector<std::shared_ptr<pg::Connection>> connections_;  // by writer
  std::unordered_map<std::uint64_t, Handler> handlers_;       // by request
  std::uint64_t requests_ = 0;

  std::deque<batch::Event> events_;  // not yet taken by the core
  std::vector<batch::Action> actions_;
  bool is_reporting_ = false;
  asio::steady_timer tick_;
  std::optional<TimePoint> tick_time_;  // when a Tick comes; it is posted if that is not after now
  asio::steady_timer ended_;            // cancelled when a coroutine ends
  std::size_t running_ = 0;             // coroutines
  bool is_finished_ = false;
};

}  // namespace socialsync::ingest
