// Delivery in this process: a worker on its own thread, which receives committed events from ingest in
// memory.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "config/config.hpp"
#include "deliver/delivery.hpp"
#include "deliver/wire/sender.hpp"
#include "deliver/worker.hpp"
#include "ingest/handover.hpp"
#include "metrics/metrics.hpp"
#include "pg/supervisor.hpp"

namespace socialsync::app {

class Deliveries : public ingest::Handover {
 public:
  // All functions but is_ready() are called on the `ingest` executor. `connect` is called on the worker's
  // thread.
  Deliveries(const config::Config& config, boost::asio::any_io_executor ingest, pg::Connect connect,
             metrics::Metrics& metrics);
  ~Deliveries() override;

  void start();
  // True once the worker has loaded the endpoints and its connections work. Any thread.
  bool is_ready() const { return worker_.is_ready(); }
  // Resolves when the requests in flight have ended and their results are written. No take() may follow.
  boost::asio::awaitable<void> stop();

  bool takes(const Uuid& endpoint_id) override { return worker_.admission().admit(endpoint_id); }
  std::chrono::milliseconds lease() const override { return worker_.limits().terms.lease; }
  void take(const ingest::Submission& submission) override;
  void forget(const ingest::Submission& submission) override;

 private:
  // The deliveries of committed bodies.
  struct Handed {
    std::vector<deliver::Delivery> deliveries;
    std::vector<Uuid> endpoints;  // with deliveries that are in the outbox only
    bool empty() const { return deliveries.empty() && endpoints.empty(); }
  };
  void add(const store::EventRow& row);
  void hand_over();

  boost::asio::any_io_executor ingest_;
  Handed handed_;  // not yet given to the worker; not empty: hand_over() is posted
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keeps_running_;
  deliver::Sender sender_;
  deliver::Worker worker_;
  std::thread thread_;
};

}  // namespace socialsync::app
