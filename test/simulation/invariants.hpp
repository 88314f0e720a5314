// Invariants, checked at each step. Throws Violation when one is broken.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "deliver/outbox.hpp"
#include "ingest/submission.hpp"
#include "simulation/database.hpp"
#include "simulation/faults.hpp"
#include "simulation/schedule.hpp"

namespace socialsync::simulation {

struct Violation {
  std::string invariant;
  std::string detail;
};

// Throws Violation unless `holds`.
void require(bool holds, const char* invariant, const std::string& detail = {});

class Invariants {
 public:
  using Key = store::DeliveryKey;

  Invariants(const Schedule& schedule, const Faults& faults, const Plan& plan)
      : schedule_(schedule), faults_(faults), plan_(plan), began_(schedule.now()) {}

  // Requests. `gateway` is one life of a process.
  void submitted(std::uint64_t request, std::uint64_t gateway);
  void answered(std::uint64_t request, bool is_committed, const ingest::Submission& submission,
                const Database& database);
  // At the deadline, and a tick later.
  void due(std::uint64_t request);

  // Deliveries.
  void queued(const Key& key, std::size_t endpoint, std::size_t waiting_before);
  void sending(const Key& key, std::uint64_t gateway);
  void replied(const Key& key);
  void not_sent(const Key& key);
  void recorded(const store::AttemptRow& row);

  void killed(std::uint64_t gateway) { killed_.insert(gateway); }
  std::uint64_t sent() const { return sent_; }

 private:
  enum class State : std::uint8_t { idle, in_flight, unrecorded };
  struct Delivery {
    std::size_t endpoint = 0;
    std::size_t waiting_before = 0;
    TimePoint queued_at;
    State state = State::idle;
    std::uint64_t gateway = 0;  // that made the last attempt
    TimePoint moved_at;         // when that began or ended
    bool is_acknowledged = true;
    bool is_tried = false;
    bool has_failed = false;    // and that is recorded
    bool is_delivered = false;  // and that is recorded
    bool is_excused = false;    // several workers may have it
  };

  void note_unacknowledged(const ingest::Submission& submission);
  bool is_excused(Delivery& delivery) const;
  void check_share(const Delivery& delivery) const;
  bool any_restart_since(TimePoint from) const;

  const Schedule& schedule_;
  const Faults& faults_;
  const Plan& plan_;
  TimePoint began_;
  std::unordered_map<std::uint64_t, std::uint64_t> open_;  // unanswered requests: their gateways
  std::unordered_map<Key, Delivery, deliver::DeliveryKeyHash> deliveries_;
  std::unordered_set<std::uint64_t> killed_;
  std::uint64_t sent_ = 0;
};

}  // namespace socialsync::simulation
