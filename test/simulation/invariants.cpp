#include "simulation/invariants.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace socialsync::simulation {
namespace {

using namespace std::chrono_literals;

constexpr milliseconds retry_min = 4'900ms;  // the first step of the retry schedule is 5 s
// A new event of an endpoint that answers quickly is sent within `share_patience`, and 200 ms for each of its
// own that wait, however other endpoints do.
constexpr milliseconds share_patience = 10s;
constexpr milliseconds share_for_each = 200ms;

std::string name_of(const store::DeliveryKey& key) {
  return fmt::format("event {} for endpoint {}", to_string(key.event_id), to_string(key.endpoint_id));
}

}  // namespace

void require(bool holds, const char* invariant, const std::string& detail) {
  if (!holds) throw Violation{invariant, detail};
}

// --- Requests

void Invariants::submitted(std::uint64_t request, std::uint64_t gateway) { open_.emplace(request, gateway); }

void Invariants::answered(std::uint64_t request, bool is_committed, const ingest::Submission& submission,
                          const Database& database) {
  require(open_.erase(request) == 1, "a request is answered once", fmt::format("request {}", request));
  if (!is_committed) return note_unacknowledged(submission);
  for (const store::EventRow& row : submission.events) {
    const bool is_stored = row.is_refused ? database.has_quarantined(row.id) : database.has_event(row.id);
    require(is_stored, "what is acknowledged is in the database", "event " + to_string(row.id));
  }
}

// Rows of it may be committed, with a lease that no worker holds.
void Invariants::note_unacknowledged(const ingest::Submission& submission) {
  for (const store::EventRow& row : submission.events) {
    for (const store::QueuedDelivery& delivery : row.deliveries) {
      const auto found = deliveries_.find({row.id, delivery.endpoint_id});
      if (found != deliveries_.end()) found->second.is_acknowledged = false;
    }
  }
}

void Invariants::due(std::uint64_t request) {
  const auto found = open_.find(request);
  const bool is_answered = found == open_.end() || killed_.contains(found->second);
  require(is_answered, "a request is answered by its deadline", fmt::format("request {}", request));
}

// --- Deliveries

void Invariants::queued(const Key& key, std::size_t endpoint, std::size_t waiting_before) {
  deliveries_.emplace(key, Delivery{.endpoint = endpoint,
                                    .waiting_before = waiting_before,
                                    .queued_at = schedule_.now(),
                                    .moved_at = schedule_.now()});
}

// True when a second worker may hold the delivery although the cores are right.
bool Invariants::is_excused(Delivery& delivery) const {
  delivery.is_excused = delivery.is_excused || killed_.contains(delivery.gateway) ||
                        faults_.excuse_lost_leases(delivery.queued_at);
  return delivery.is_excused;
}

void Invariants::sending(const Key& key, std::uint64_t gateway) {
  ++sent_;
  const auto found = deliveries_.find(key);
  require(found != deliveries_.end(), "what is sent is committed", name_of(key));
  Delivery& delivery = found->second;
  const auto since = schedule_.now() - delivery.moved_at;
  require(!delivery.is_delivered || is_excused(delivery), "what is recorded as delivered is not sent again",
          name_of(key));
  require(delivery.state == State::idle || is_excused(delivery), "a delivery is sent once under its lease",
          name_of(key));
  require(!delivery.has_failed || since >= retry_min || is_excused(delivery), "a retry waits for its time",
          name_of(key));
  if (!delivery.is_tried) check_share(delivery);
  delivery.is_tried = true;
  delivery.has_failed = false;
  delivery.state = State::in_flight;
  delivery.gateway = gateway;
  delivery.moved_at = schedule_.now();
}

bool Invariants::any_restart_since(TimePoint from) const {
  constexpr auto before = 150s;  // leases of a process that is gone end later
  return std::ranges::any_of(plan_.faults, [&](const FaultPlan& fault) {
    const bool is_restart =
        fault.kind == FaultKind::process_killed || fault.kind == FaultKind::process_stopped;
    return is_restart && began_ + fault.from <= schedule_.now() && from <= began_ + fault.until + before;
  });
}

void Invariants::check_share(const Delivery& delivery) const {
  const EndpointPlan& endpoint = plan_.endpoints[delivery.endpoint];
  const bool is_quick = endpoint.behaviour == Behaviour::fast && !endpoint.per_second_max;
  const bool is_quiet =
      !faults_.excuse_lost_leases(delivery.queued_at) && !any_restart_since(delivery.queued_at);
  if (!is_quick || !is_quiet || !delivery.is_acknowledged) return;
  const auto waited = std::chrono::duration_cast<milliseconds>(schedule_.now() - delivery.queued_at);
  const auto allowed =
      share_patience + share_for_each * static_cast<std::int64_t>(delivery.waiting_before + 1);
  require(waited <= allowed, "no endpoint delays another beyond its share",
          fmt::format("endpoint {} waited {} ms, {} of its own were before", delivery.endpoint,
                      waited.count(), delivery.waiting_before));
}

void Invariants::replied(const Key& key) {
  Delivery& delivery = deliveries_.at(key);
  delivery.state = State::unrecorded;
  delivery.moved_at = schedule_.now();
}

void Invariants::not_sent(const Key& key) { deliveries_.at(key).state = State::idle; }

void Invariants::recorded(const store::AttemptRow& row) {
  Delivery& delivery = deliveries_.at(row.key);
  const bool is_delivered = row.result == store::AttemptRow::Result::delivered;
  delivery.is_delivered = delivery.is_delivered || is_delivered;
  delivery.has_failed = !is_delivered;
  if (delivery.state == State::unrecorded) delivery.state = State::idle;
}

}  // namespace socialsync::simulation
