// Delivery in this process: a worker on a thread of its own, which takes what ingest has committed from
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
  // `ingest` runs what takes webhooks: all but is_ready() is called there. `connect` is called on the
  // worker's thread.
  Deliveries(const config::Config& config, boost::asio::any_io_executor ingest, pg::Connect connect,
             metrics::Metrics& metrics);
  ~Deliveries() override;

  void start();
  // Whether, as far as is known, events would be delivered now. Any thread.
  bool is_ready() const { return worker_.is_ready(); }
  // Resolves when what was in flight has ended and is written. Nothing may be handed over after.
  boost::asio::awaitable<void> stop();

  bool takes(const Uuid& endpoint_id) override { return worker_.admission().admit(endpoint_id); }
  std::chrono::milliseconds lease() const override { return worker_.limits().terms.lease; }
  void take(const ingest::Submission& submission) override;
  void forget(const ingest::Submission& submission) override;

 private:
  // What committed bodies have for the worker.
  struct Handed {
    std::vector<deliver::Delivery> deliveries;
    std::vector<Uuid> endpoints;  // whose deliveries are in the outbox only
    bool empty() const { return deliveries.empty() && endpoints.empty(); }
  };
  void add(const store::EventRow& row);
  void hand_over();

  boost::asio::any_io_executor ingest_;
  Handed handed_;  // since the worker was last told; something: it is about to be
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> keeps_running_;
  deliver::Sender sender_;
  deliver::Worker worker_;
  std::thread thread_;
};

}  // namespace socialsync::app
