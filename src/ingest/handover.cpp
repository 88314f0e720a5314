#include "ingest/handover.hpp"

namespace socialsync::ingest {

void lease_deliveries(Submission& submission, Handover& handover) {
  for (store::EventRow& row : submission.events) {
    for (store::QueuedDelivery& delivery : row.deliveries) {
      delivery.is_announced = false;
      // One of a conversation waits for those before it: only the outbox knows them all.
      const bool is_taken = !delivery.is_ordered && handover.takes(delivery.endpoint_id);
      if (is_taken) delivery.lease = handover.lease();
    }
  }
}

}  // namespace socialsync::ingest
