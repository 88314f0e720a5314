// Sends the events of the outbox to their endpoints. Any number of workers, in any number of processes, share
// one outbox: a lease says who has a row in hand.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "crypto/secret_box.hpp"
#include "deliver/admission.hpp"
#include "deliver/backlog.hpp"
#include "deliver/delivery.hpp"
#include "deliver/exchange.hpp"
#include "deliver/lanes.hpp"
#include "deliver/leases.hpp"
#include "deliver/recorder.hpp"
#include "deliver/repairs.hpp"
#include "deliver/sender.hpp"
#include "deliver/targets.hpp"
#include "metrics/metrics.hpp"
#include "net/wakeup.hpp"
#include "pg/connection.hpp"
#include "store/claims.hpp"
#include "store/deliveries.hpp"

namespace socialsync::deliver {

namespace asio = boost::asio;

struct WorkerLimits {
  LaneLimits lanes;
  AdmissionLimits admission;
  RecorderLimits recorder;
  store::ClaimTerms terms;
  std::size_t claim_rows_max = 500;
  std::chrono::milliseconds poll_interval{30'000};  // behind the notifications
  std::chrono::milliseconds claim_gap_min{5};
  std::chrono::milliseconds scan_gap_min{200};
  std::chrono::milliseconds reload_gap_min{200};
  std::chrono::milliseconds statement_timeout{30'000};
  std::chrono::milliseconds stop_patience{10'000};  // from the last result on, for a database that is away
  std::chrono::milliseconds release_pause{200};     // before what there was no room for is claimed again
};

// Opens a connection, or throws pg::Error or boost::system::system_error.
using Connect = std::function<asio::awaitable<std::unique_ptr<pg::Connection>>()>;

// One thread, but for what says otherwise.
class Worker {
 public:
  Worker(asio::any_io_executor executor, Connect connect, Sender& sender, crypto::SecretKeys keys,
         metrics::Metrics& metrics, WorkerLimits limits = {});

  void start();
  // Begins nothing more; resolves when what was in flight has ended and is written, and the rest is given
  // back.
  asio::awaitable<void> stop();

  // Which deliveries may be handed to take(). Any thread.
  Admission& admission() { return admission_; }
  const WorkerLimits& limits() const { return limits_; }
  // Whether the endpoints are loaded, and the database was there a moment ago. Any thread.
  bool is_ready() const { return is_ready_; }

  // Committed a moment ago, with a lease, and admitted.
  void take(std::vector<Delivery> deliveries);
  // There is something in the outbox for them.
  void nudge(const std::vector<Uuid>& endpoints);

 private:
  using Clock = std::chrono::steady_clock;
  using Task = std::function<asio::awaitable<void>(pg::Connection&)>;

  void spawn(asio::awaitable<void> work);
  asio::awaitable<void> keep_running(const char* name, Task task, std::function<bool()> is_wanted);
  bool is_worth_waiting() const;

  asio::awaitable<void> listen(pg::Connection& connection);
  asio::awaitable<void> claim(pg::Connection& connection);
  asio::awaitable<void> load_endpoints(pg::Connection& connection);
  asio::awaitable<bool> claim_some(pg::Connection& connection);
  bool is_ordered(const Uuid& endpoint_id) const;
  void accept(store::Claim claim, Clock::time_point now);
  Clock::time_point next_look(Clock::time_point now) const;

  void dispatch();
  void arm_timer();
  asio::awaitable<void> attempt(Delivery delivery);
  void withdraw(const Delivery& delivery, bool is_well);
  void finish(const Delivery& delivery, const Target& target, Reply reply);
  bool is_current(const Target& target) const;
  void note_health(const Uuid& endpoint_id, bool is_delivered, bool is_gone);
  void give_back(const std::vector<Delivery>& deliveries);
  void begin_anew(const Uuid& endpoint_id);
  void close_endpoint(const Uuid& endpoint_id);

  void written(std::span<const store::AttemptRow> rows);
  void given_back(std::span<const store::DeliveryKey> keys);

  double jitter() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  asio::any_io_executor executor_;
  Connect connect_;
  Sender& sender_;
  crypto::SecretKeys keys_;
  metrics::Metrics& metrics_;
  WorkerLimits limits_;

  Admission admission_;
  Targets targets_;
  Repairs repairs_;
  Lanes lanes_;
  Leases leases_;
  Backlog backlog_;
  Recorder recorder_;

  net::Wakeup claims_wanted_;
  net::Wakeup ended_;
  asio::steady_timer dispatch_timer_;
  std::mt19937 random_{std::random_device{}()};
  std::atomic<bool> is_ready_ = false;
  bool are_endpoints_stale_ = true;
  bool is_scan_wanted_ = true;
  bool is_stopping_ = false;
  Clock::time_point stop_until_;
  std::size_t running_ = 0;  // coroutines of ours
};

}  // namespace socialsync::deliver
