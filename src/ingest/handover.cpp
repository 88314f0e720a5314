#include "ingest/handover.hpp"

namespace socialsync::ingest {

void lease_deliveries(Submission& submission, Handover& handover) {
  for (store::EventRow& row : submission.events) {
    for (store::QueuedDelivery& delivery : row.deliveries) {
      delivery.is_announced = false;
      // Ordered deliveries wait for the earlier ones of their conversation, which only the outbox knows.
      const bool is_taken = !delivery.is_ordered && handover.takes(delivery.endpoint_id);
      if (is_taken) delivery.lease = handover.lease();
    }
  }
}

}  // namespace socialsync::ingest
