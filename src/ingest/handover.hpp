// Passes committed events to the worker of this process in memory, without reading them back.
#pragma once

#include <chrono>

#include "base/uuid.hpp"
#include "ingest/submission.hpp"

namespace socialsync::ingest {

class Handover {
 public:
  virtual ~Handover() = default;

  // Before the commit: true if the worker takes a delivery to this endpoint. Otherwise it stays due in the
  // outbox, where workers with room claim it.
  virtual bool takes(const Uuid& endpoint_id) = 0;

  // The lease of taken deliveries.
  virtual std::chrono::milliseconds lease() const = 0;

  // After the commit: the deliveries of new events that have a lease belong to the worker.
  virtual void take(const Submission& submission) = 0;

  // Called instead of take() when the commit failed: releases the reserved room.
  virtual void forget(const Submission& submission) = 0;
};

// Before the commit: sets the lease of the deliveries that `handover` takes.
void lease_deliveries(Submission& submission, Handover& handover);

}  // namespace socialsync::ingest
