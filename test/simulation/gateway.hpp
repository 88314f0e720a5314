// One life of a process: drives a BatchCore and a WorkerCore as ingest/batch.cpp and deliver/worker.cpp do,
// over the model of the database and of receivers, in virtual time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "deliver/worker_core.hpp"
#include "ingest/batch_core.hpp"
#include "ingest/handover.hpp"
#include "simulation/database.hpp"
#include "simulation/invariants.hpp"
#include "simulation/plan.hpp"
#include "simulation/random.hpp"
#include "simulation/schedule.hpp"

namespace socialsync::simulation {

// All gateways of a history share this.
struct Shared {
  Schedule& schedule;
  Faults& faults;
  Database& database;
  Invariants& invariants;
  const Plan& plan;
  TimePoint began;
  std::unordered_map<Uuid, std::size_t> endpoints;  // their indexes in the plan
  std::uint64_t requests = 0;                       // counts requests
};

class Gateway : public std::enable_shared_from_this<Gateway>, private ingest::Handover {
 public:
  Gateway(Shared& shared, std::size_t process, std::uint64_t life);

  void start();
  void submit(std::shared_ptr<ingest::Submission> submission);
  void notify(bool are_endpoints_changed);
  // Shuts down as the program does: writes the queue, and drains deliveries in flight.
  void stop();
  void kill();

  bool is_stopping() const { return is_stopping_; }
  bool is_finished() const { return is_finished_; }
  std::uint64_t life() const { return life_; }

 private:
  enum class Task : std::uint8_t { listen, claim, record };
  struct Connection {
    std::shared_ptr<Session> session;
    milliseconds pause{0};
    bool is_opening = false;
  };

  // Ingest.
  void report(ingest::batch::Event event);
  void set_tick();
  void act(ingest::batch::Connect& action);
  void act(ingest::batch::Disconnect& action);
  void act(ingest::batch::Write& action);
  void act(ingest::batch::Answer& action);
  void act(ingest::batch::Report&) {}
  void act(ingest::batch::Finished&);
  void check_batch() const;
  bool takes(const Uuid& endpoint_id) override;
  milliseconds lease() const override;
  void take(const ingest::Submission& submission) override;
  void forget(const ingest::Submission& submission) override;

  // Delivery.
  void handle(deliver::WorkerEvent event);
  void open(Task task);
  void opened(Task task, std::shared_ptr<Session> session);
  void lost(Task task);
  void run_claimer(std::function<std::string()> apply, std::function<void()> answered);
  void act(deliver::action::LoadEndpoints&);
  void act(deliver::action::Scan&);
  void act(deliver::action::Claim& action);
  void act(deliver::action::Record& action);
  void act(deliver::action::DropRecorder&);
  void act(deliver::action::Send& action);
  void act(deliver::action::WakeAt& action);
  void act(deliver::action::CountAttempt&) {}
  void act(deliver::action::ReportOverdue&) {}
  void act(deliver::action::ReportEndpoints&) {}
  void act(deliver::Warning&) {}
  void act(deliver::action::Finished&);
  void check_worker() const;

  // Calls `act` unless this life is over by then.
  void after(std::chrono::nanoseconds delay, std::function<void()> act);

  Shared& shared_;
  std::size_t process_;
  std::uint64_t life_;
  Random random_;
  bool is_alive_ = true;
  bool is_stopping_ = false;
  bool is_finished_ = false;

  ingest::BatchLimits batch_limits_;
  ingest::BatchCore batch_;
  std::vector<std::shared_ptr<Session>> writers_;
  struct Request {
    std::shared_ptr<ingest::Submission> submission;
    bool is_queued = true;
  };
  std::unordered_map<std::uint64_t, Request> requests_;
  std::unordered_map<const store::EventRow*, std::uint64_t> request_of_;
  std::size_t queued_events_ = 0;
  std::deque<ingest::batch::Event> batch_events_;
  bool is_reporting_ = false;
  std::optional<TimePoint> tick_;

  deliver::WorkerLimits worker_limits_;
  deliver::WorkerCore worker_;
  Connection connections_[3];
  std::deque<deliver::WorkerEvent> worker_events_;
  bool is_handling_ = false;
  std::uint64_t wakes_ = 0;
  std::unordered_map<Uuid, std::size_t> in_flight_;  // by endpoint
  std::size_t all_in_flight_ = 0;
};

}  // namespace socialsync::simulation
