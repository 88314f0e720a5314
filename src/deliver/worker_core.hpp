// Decides what a worker does: which rows of the outbox it claims, which delivery is sent next, and what the
// end of an attempt means for the delivery and its endpoint. Any number of workers, in any number of
// processes, share one outbox: a lease says who holds a row.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "deliver/admission.hpp"
#include "deliver/endpoints.hpp"
#include "deliver/events.hpp"
#include "deliver/lanes.hpp"
#include "deliver/outbox.hpp"
#include "deliver/recorder_core.hpp"
#include "pg/supervisor.hpp"

namespace socialsync::deliver {

struct WorkerLimits {
  LaneLimits lanes;
  AdmissionLimits admission;
  RecorderLimits recorder;
  store::ClaimTerms terms;
  std::size_t claim_rows_max = 500;
  std::chrono::milliseconds poll_interval{30'000};  // behind the notifications
  std::chrono::milliseconds claim_gap_min{5};
  std::chrono::milliseconds stop_patience{10'000};  // from the last result on, for an unreachable database
  std::chrono::milliseconds release_pause{200};     // before released rows are claimed again
  // Used by the driver.
  pg::Backoff::Limits reconnect;
  std::chrono::milliseconds statement_timeout{30'000};
  std::chrono::milliseconds notification_gap_min{200};  // between two events Notified
};

// One thread, except admission().
class WorkerCore {
 public:
  explicit WorkerCore(const WorkerLimits& limits = {});
  WorkerCore(const WorkerCore&) = delete;
  WorkerCore& operator=(const WorkerCore&) = delete;

  // Appends what is to be done now to `actions`, in order.
  void resume(WorkerEvent event, const Moment& moment, std::vector<WorkerAction>& actions);

  // Decides which deliveries may be reported as FreshTaken. Any thread.
  Admission& admission() { return admission_; }

  // Returns whether the endpoints are loaded, and the database was reachable when it was last used.
  bool is_ready() const { return is_ready_; }
  // Returns whether a lost connection of the listener or the claimer is to be opened again: until Stop.
  bool needs_claimer() const { return !is_stopping_; }
  // Returns whether a lost connection of the recorder is to be opened again: as long as results can be
  // written in time.
  bool needs_recorder(TimePoint now) const { return !is_stopping_ || is_worth_waiting(now); }

  // Deliveries whose Send is not answered; deliveries in memory that have not begun; results not committed.
  std::size_t in_flight() const { return lanes_.in_flight(); }
  std::size_t waiting() const { return lanes_.waiting(); }
  std::size_t waiting_bytes() const { return lanes_.waiting_bytes(); }
  std::size_t results() const { return recorder_.results(); }
  // Always in_flight() + waiting() + results().
  std::size_t leases() const { return leases_.size(); }
  const Lanes& lanes() const { return lanes_; }

 private:
  enum class Claimer { disconnected, resting, loading, scanning, claiming };
  struct Turn {
    const Moment& moment;
    TimePoint now;
    std::vector<WorkerAction>& actions;
  };

  void on(event::ListenerConnected&, Turn& turn);
  void on(event::ListenerLost&, Turn& turn);
  void on(event::Notified& notified, Turn& turn);
  void on(event::ClaimerConnected&, Turn& turn);
  void on(event::ClaimerLost&, Turn& turn);
  void on(event::EndpointsLoaded& loaded, Turn& turn);
  void on(event::DueFound& found, Turn& turn);
  void on(event::Claimed& claimed, Turn& turn);
  void on(event::RecorderConnected&, Turn& turn);
  void on(event::RecorderLost&, Turn& turn);
  void on(event::Committed& committed, Turn& turn);
  void on(event::LockedFound& found, Turn& turn);
  void on(event::Refused& refused, Turn& turn);
  void on(event::FreshTaken& fresh, Turn& turn);
  void on(event::OutboxChanged& changed, Turn& turn);
  void on(event::Replied& replied, Turn& turn);
  void on(event::NotSent& not_sent, Turn& turn);
  void on(event::Tick&, Turn& turn);
  void on(event::Stop&, Turn& turn);

  // Claiming.
  void expect_changes(bool are_endpoints_changed, TimePoint now);
  void want_claim(TimePoint now);
  void claim_when_due(Turn& turn);
  void use_claimer(Turn& turn);
  void claim_rows(Turn& turn);
  void rest_claimer(bool has_claimed, TimePoint now);
  std::vector<store::Room> wanted_rooms(TimePoint now);
  void accept(store::Claimed& row, Turn& turn);
  void close_endpoint(const Uuid& endpoint_id, TimePoint now);
  void repair_endpoint(const Uuid& endpoint_id, TimePoint now);
  void configure_endpoint(const Uuid& endpoint_id, TimePoint now);

  // Sending.
  void send_next(Turn& turn);
  void release(const std::vector<Delivery>& deliveries, TimePoint now);
  void release(const Delivery& delivery, TimePoint now);
  store::AttemptRow row_of(const Delivery& delivery, Reply& reply, const Moment& moment) const;
  bool is_current(const Target& target) const;
  void note_health(const Uuid& endpoint_id, Verdict verdict, Turn& turn);

  // Recording.
  void use_recorder(RecorderCore::Input input, Turn& turn);
  void take(record::Statement& statement, Turn& turn);
  void take(action::DropRecorder& drop, Turn& turn);
  void take(RecorderCore::Written& written, Turn& turn);
  void take(RecorderCore::Released& released, Turn& turn);
  void take(RecorderCore::EndpointDisabled&, Turn& turn);
  void take(Warning& warning, Turn& turn);

  bool is_worth_waiting(TimePoint now) const;
  void finish_when_done(Turn& turn);
  void wake_in_time(Turn& turn);

  WorkerLimits limits_;
  Admission admission_;
  Endpoints endpoints_;
  Lanes lanes_;
  Leases leases_;
  Backlog backlog_;
  RecorderCore recorder_;
  std::vector<RecorderCore::Output> recorder_outputs_;

  Claimer claimer_ = Claimer::disconnected;
  TimePoint claim_at_ = TimePoint::max();  // when the claimer is used again, while it rests
  TimePoint polled_at_{};
  std::vector<store::Room> rooms_;  // the rows asked for in the running claim
  bool are_endpoints_stale_ = true;
  bool is_scan_wanted_ = true;

  bool is_ready_ = false;
  bool is_stopping_ = false;
  bool is_finished_ = false;
  TimePoint stop_until_{};
  TimePoint wake_at_ = TimePoint::max();  // time of the last WakeAt, until Tick
};

}  // namespace socialsync::deliver
