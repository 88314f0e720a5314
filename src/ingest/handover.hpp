// Committed events need not be read back: whoever delivers in this process takes them from memory.
#pragma once

#include <chrono>

#include "base/uuid.hpp"
#include "ingest/submission.hpp"

namespace socialsync::ingest {

class Handover {
 public:
  virtual ~Handover() = default;

  // Before the commit: whether a delivery to this endpoint would be taken. Else it is left in the outbox,
  // where this process's own workers look when they have room.
  virtual bool takes(const Uuid& endpoint_id) = 0;

  // How long the outbox says that somebody has what is taken.
  virtual std::chrono::milliseconds lease() const = 0;

  // After the commit: new events' deliveries that have a lease are the taker's.
  virtual void take(const Submission& submission) = 0;

  // Instead of it: what was promised to be taken will not come.
  virtual void forget(const Submission& submission) = 0;
};

// Gives the deliveries that `handover` takes its lease, before the commit.
void lease_deliveries(Submission& submission, Handover& handover);

}  // namespace socialsync::ingest
