// Decides how results are written to the database: attempts, endpoint health, released deliveries, and lease
// renewals.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "deliver/events.hpp"
#include "deliver/outbox.hpp"
#include "pg/write_apart.hpp"

namespace socialsync::deliver {

struct RecorderLimits {
  std::size_t results_per_commit_max = 500;
  std::size_t results_waiting_max = 5'000;  // beyond that nothing new is sent: the database is behind
  std::size_t keys_per_renewal_max = 1'000;
  std::chrono::milliseconds gap_min{20};           // between two rounds: results gather for one commit
  std::chrono::milliseconds blocked_pause{2'000};  // before rows that are locked are written again
  std::size_t hidden_locks_max = 4;  // groups halved to find the row of a lock that FindLocked does not see
  std::size_t refused_news_max = 5;  // then the remaining health updates wait for a later round
};

// Works in rounds over one connection: renews leases, writes results, health updates and releases, then
// rests. A row that the database refuses, or that another transaction has locked, does not delay the others:
// a group is halved until that row is alone, locked rows are put aside for a while. One thread.
class RecorderCore {
 public:
  struct Connected {};
  struct Lost {};
  struct Poll {};  // time has passed, or something was added
  using Input = std::variant<Connected, Lost, Poll, event::Committed, event::LockedFound, event::Refused>;

  // Spans stay valid until the next call of resume().
  struct Written {  // these results are committed, and their leases have ended
    std::span<const store::AttemptRow> rows;
  };
  struct Released {  // these rows may be claimed again
    std::span<const store::DeliveryKey> keys;
  };
  struct EndpointDisabled {};
  using Output =
      std::variant<record::Statement, action::DropRecorder, Written, Released, EndpointDisabled, Warning>;

  // `leases` outlives this.
  explicit RecorderCore(Leases& leases, RecorderLimits limits = {}) : leases_(leases), limits_(limits) {}

  // Queues a result. Its lease is held until it is written.
  void add(store::AttemptRow result) { results_.push_back(std::move(result)); }
  // Queues a health update.
  void add(store::EndpointNews news);
  // Drops the unwritten health updates of an endpoint whose URL has changed, even while they are being
  // written.
  void forget_news(const Uuid& endpoint_id);
  // Ends a lease and queues the row's release.
  void release(const store::DeliveryKey& key, TimePoint now);
  // Shutdown: from now on rounds follow one another without a rest.
  void finish() { is_finishing_ = true; }

  // Appends to `outputs`: at most one statement, and none while one is running.
  void resume(Input input, TimePoint now, std::vector<Output>& outputs);
  // Returns whether Poll would begin a round now, and when it would otherwise. Nothing while a round runs.
  bool is_round_due(TimePoint now) const;
  std::optional<TimePoint> wake_at() const;

  // Returns whether nothing more may be sent until some of it is written.
  bool is_full() const { return results() >= limits_.results_waiting_max; }
  // Results that are not committed: waiting, being written, or locked.
  std::size_t results() const { return results_.size() + blocked_.size() + unsettled_; }
  bool is_connected() const { return phase_ != Phase::disconnected; }
  // Connected with nothing to write now; results may still be locked.
  bool is_idle(TimePoint now) const { return phase_ == Phase::resting && !has_work(now); }

 private:
  enum class Phase { disconnected, resting, renewing, writing, finding_locked, writing_news, releasing };
  struct Turn {
    TimePoint now;
    std::vector<Output>& outputs;
  };

  void on(const Connected&, Turn& turn);
  void on(const Lost&, Turn& turn);
  void on(const Poll&, Turn& turn);
  void on(const event::Committed&, Turn& turn);
  void on(const event::LockedFound& found, Turn& turn);
  void on(const event::Refused& refused, Turn& turn);
  void lose();
  void drop(Turn& turn);
  void ask(Phase phase, record::Statement statement, Turn& turn);

  void renew(Turn& turn);
  void write_blocked(Turn& turn);
  void write_results(Turn& turn);
  void begin_group(std::deque<store::AttemptRow>& rows);
  void write_part(Turn& turn);
  std::span<store::AttemptRow> part();
  void part_written(Turn& turn);
  void part_refused(const pg::Error& error, Turn& turn);
  void find_locked(Turn& turn);
  void part_locked(std::span<const store::DeliveryKey> locked, Turn& turn);
  void settle_part(pg::WriteApart::Outcome outcome);
  void put_aside(std::span<store::AttemptRow> rows, TimePoint now);
  void end_group(Turn& turn);

  void write_news(Turn& turn);
  void news_written(Turn& turn);
  void news_refused(const pg::Error& error, Turn& turn);
  void write_news_apart(Turn& turn);
  void end_news();
  void write_released(Turn& turn);
  void rest(TimePoint now);

  bool has_news(TimePoint now) const { return !news_.empty() && now >= news_blocked_until_; }
  bool has_work(TimePoint now) const { return !results_.empty() || !released_.empty() || has_news(now); }

  struct PendingRelease {
    store::DeliveryKey key;
    TimePoint since;
  };

  Leases& leases_;
  RecorderLimits limits_;
  Phase phase_ = Phase::disconnected;
  bool is_finishing_ = false;
  TimePoint round_from_{};  // start of the next round, with work to do
  TimePoint renewal_at_{};  // start of the next round, without work

  std::deque<store::AttemptRow> results_;
  std::deque<store::AttemptRow> blocked_;  // put aside: their rows are locked by other transactions
  TimePoint blocked_until_{};
  std::vector<store::AttemptRow> group_;      // being written
  std::vector<store::AttemptRow> old_group_;  // keeps the span of Written valid
  pg::WriteApart parts_{0};                   // the ranges of group_ to write
  std::size_t unsettled_ = 0;  // rows of group_ that are neither committed, refused nor put aside
  std::optional<std::size_t>
      untried_blocked_;             // while a group of blocked rows is written: how many are not of it
  std::size_t blocked_before_ = 0;  // blocked rows when that group began
  std::size_t hidden_locks_ = 0;    // that this group has met

  std::vector<store::DeliveryKey> keys_;  // the keys in the running statement
  TimePoint asked_at_{};
  std::vector<PendingRelease> released_;

  std::unordered_map<Uuid, store::EndpointNews> news_;
  std::vector<store::EndpointNews> writing_news_;
  std::optional<std::size_t> news_at_;       // written one by one: the index of the running one
  std::unordered_set<Uuid> forgotten_news_;  // while news are being written
  std::unordered_set<Uuid> refused_news_;    // endpoints whose last update was refused
  TimePoint news_blocked_until_{};
};

}  // namespace socialsync::deliver
