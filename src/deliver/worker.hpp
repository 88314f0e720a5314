// The driver of a WorkerCore: runs its statements over three connections to the database, sends its
// deliveries, keeps its time, and reports back. Decides nothing itself.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <random>
#include <variant>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "crypto/secret_box.hpp"
#include "deliver/wire/sender.hpp"
#include "deliver/worker_core.hpp"
#include "metrics/metrics.hpp"
#include "net/wakeup.hpp"
#include "pg/supervisor.hpp"

namespace socialsync::deliver {

namespace asio = boost::asio;

// One thread, except where a member says otherwise.
class Worker {
 public:
  Worker(asio::any_io_executor executor, pg::Connect connect, Sender& sender, crypto::SecretKeys keys,
         metrics::Metrics& metrics, WorkerLimits limits = {});

  void start();
  // Begins nothing more; resolves when the deliveries in flight have ended and are recorded, and the others
  // are released.
  asio::awaitable<void> stop();

  // Decides which deliveries may be handed to take(). Any thread.
  Admission& admission() { return core_.admission(); }
  const WorkerLimits& limits() const { return limits_; }
  // Returns whether the endpoints are loaded, and the database was reachable when it was last used. Any
  // thread.
  bool is_ready() const { return is_ready_; }

  // Takes deliveries that were committed a moment ago with a lease, and admitted.
  void take(std::vector<Delivery> deliveries);
  // Rows were committed to the outbox for these endpoints, without a lease.
  void outbox_changed(std::vector<Uuid> endpoints);

 private:
  using ClaimerStatement = std::variant<action::LoadEndpoints, action::Scan, action::Claim>;

  // A statement on its way from the core to a connection's coroutine.
  template <class Statement>
  struct Slot {
    explicit Slot(const asio::any_io_executor& executor) : changed(executor) {}
    void put(Statement next) {
      statement = std::move(next);
      changed.wake();
    }

    std::optional<Statement> statement;
    net::Wakeup changed;
  };

  void handle(WorkerEvent event);
  Moment moment();
  void act(action::LoadEndpoints& load) { claimer_.put(load); }
  void act(action::Scan& scan) { claimer_.put(scan); }
  void act(action::Claim& claim) { claimer_.put(std::move(claim)); }
  void act(action::Record& record) { recorder_.put(record.statement); }
  void act(action::DropRecorder&) { is_recorder_dropped_ = true; }
  void act(action::Send& send);
  void act(action::WakeAt& wake);
  void act(action::CountAttempt& count);
  void act(action::ReportOverdue& report);
  void act(action::ReportEndpoints& report);
  void act(Warning& warning);
  void act(action::Finished&);

  void spawn(asio::awaitable<void> work);
  // Runs the task over one connection after another; reports `lost` after each failure.
  void keep_running(const char* name, asio::awaitable<void> (Worker::*task)(pg::Connection&),
                    std::function<bool()> is_wanted, WorkerEvent lost);
  asio::awaitable<void> listen(pg::Connection& connection);
  asio::awaitable<void> claim(pg::Connection& connection);
  asio::awaitable<WorkerEvent> run(pg::Connection& connection, const ClaimerStatement& statement);
  asio::awaitable<void> record(pg::Connection& connection);
  asio::awaitable<WorkerEvent> run(pg::Connection& connection, const record::Statement& statement);
  asio::awaitable<void> attempt(action::Send send);

  asio::any_io_executor executor_;
  pg::Connect connect_;
  Sender& sender_;
  crypto::SecretKeys keys_;
  metrics::Metrics& metrics_;
  WorkerLimits limits_;

  WorkerCore core_;
  std::vector<WorkerAction> actions_;
  std::mt19937_64 random_{std::random_device{}()};
  asio::steady_timer timer_;
  Slot<ClaimerStatement> claimer_;
  Slot<record::Statement> recorder_;
  bool is_recorder_dropped_ = false;
  bool is_stopping_ = false;
  bool is_finished_ = false;
  std::atomic<bool> is_ready_ = false;
  net::Wakeup ended_;
  std::size_t running_ = 0;  // coroutines
};

}  // namespace socialsync::deliver
