// Decides what a worker does: which rows of the outbox it claims, which delivery is sent next, what an
// attempt's end means for the delivery and its endpoint. Any number of workers, in any number of processes,
// share one outbox: a lease says who holds a row.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <vector>

#include "deliver/admission.hpp"
#include "deliver/backlog.hpp"
#include "deliver/events.hpp"
#include "deliver/lanes.hpp"
#include "deliver/leases.hpp"
#include "deliver/recorder_core.hpp"
#include "deliver/repairs.hpp"
#include "deliver/targets.hpp"

namespace socialsync::deliver {

struct WorkerCoreLimits {
  LaneLimits lanes;
  AdmissionLimits admission;
  RecorderCoreLimits recorder;
  store::ClaimTerms terms;
  std::size_t claim_rows_max = 500;
  std::chrono::milliseconds poll_interval{30'000};  // behind the notifications
  std::chrono::milliseconds claim_gap_min{5};
  std::chrono::milliseconds stop_patience{10'000};  // from the last result on, for an unreachable database
  std::chrono::milliseconds release_pause{200};     // before released rows are claimed again
};

// One thread, except admission().
class WorkerCore {
 public:
  explicit WorkerCore(const WorkerCoreLimits& limits = {});

  // Appends what is to be done now to `actions`, in order.
  void resume(WorkerEvent event, const Moment& moment, std::vector<WorkerAction>& actions);

  // Which deliveries may be reported as FreshTaken. Any thread.
  Admission& admission() { return admission_; }

  // Whether the endpoints are loaded, and the database was reachable when it was last used.
  bool is_ready() const;
  // Whether a lost connection is to be opened again. The listener's and the claimer's: until Stop. The
  // recorder's: as long as results can still be written in time.
  bool needs_claimer() const;
  bool needs_recorder(TimePoint now) const;

  // Deliveries with Send not yet answered, in memory and not begun, and with results that are not committed.
  std::size_t in_flight() const;
  std::size_t waiting() const;
  std::size_t waiting_bytes() const;
  std::size_t results() const;
  // in_flight() + waiting() + results(), unless rows of removed endpoints are in flight.
  std::size_t leases() const;

 private:
  Admission admission_;
};

}  // namespace socialsync::deliver
