// Decides how results are written to the database: attempts, endpoint health, released deliveries, and lease
// renewals.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "deliver/events.hpp"
#include "deliver/leases.hpp"

namespace socialsync::deliver {

struct RecorderCoreLimits {
  std::size_t results_per_commit_max = 500;
  std::size_t results_waiting_max = 5'000;         // beyond that nothing new is sent: the database is behind
  std::chrono::milliseconds gap_min{20};           // between two rounds: results gather for one commit
  std::chrono::milliseconds blocked_pause{2'000};  // before rows that are locked are written again
  std::size_t hidden_locks_max =
      4;  // groups halved to find the row of a lock that locked_deliveries() cannot see
  std::size_t refused_news_max = 5;  // then the remaining health updates wait for the next round
};

// Works in rounds on one connection: renews leases, writes results, health updates and releases, then rests
// for a moment. A row that the database refuses, or that another transaction has locked, does not delay the
// others: groups are halved until it is alone, locked rows are put aside.
class RecorderCore {
 public:
  struct Connected {};
  struct Lost {};
  struct Poll {};  // time has passed, or something was added
  using Input = std::variant<Connected, Lost, Poll, event::Committed, event::LockedFound, event::Refused>;

  // Outputs. Spans stay valid until the next call of resume().
  struct Written {  // these results are committed, their leases have ended
    std::span<const store::AttemptRow> rows;
  };
  struct Released {  // others may claim them
    std::span<const store::DeliveryKey> keys;
  };
  struct EndpointDisabled {};
  using Output =
      std::variant<record::Statement, action::DropRecorder, Written, Released, EndpointDisabled, Warning>;

  // `leases` outlives this.
  explicit RecorderCore(Leases& leases, RecorderCoreLimits limits = {});

  // To be written when the connection is free. A lease is held until its result is written.
  void add(store::AttemptRow result);
  void add(store::EndpointNews news);
  // Drops this endpoint's unwritten health updates (its URL has changed).
  void forget_news(const Uuid& endpoint_id);
  // Ends the lease; others may claim the delivery as soon as that is written.
  void release(const store::DeliveryKey& key, TimePoint now);
  // Shutdown: rounds follow one another without a rest.
  void finish();

  // Appends to `outputs`; at most one statement, and none while one is running.
  void resume(Input input, TimePoint now, std::vector<Output>& outputs);
  // When Poll is due, if nothing else happens before. Nothing while a statement runs or there is no
  // connection.
  std::optional<TimePoint> wake_at() const;

  // Whether nothing more may be sent until some of it is written.
  bool is_full() const;
  // Results that are not committed, whether waiting, being written, or locked.
  std::size_t results() const;
  // Whether a round has ended and nothing is left to be written now.
  bool is_idle() const;
};

}  // namespace socialsync::deliver
