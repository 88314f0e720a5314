// Decides the group commit: which requests are written together, on which connection, and what is written
// again after a failure. Does no I/O and reads no clock: a driver (ingest/batch.cpp, or a simulation) reports
// events and carries out actions.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "ingest/submission.hpp"
#include "pg/write_apart.hpp"
#include "store/events.hpp"

namespace socialsync::ingest {

struct BatchLimits {
  std::size_t queue_events_max = 20'000;
  std::size_t queue_bytes_max = 256 * 1024 * 1024;
  std::size_t batch_events_max = 1000;
  std::size_t batch_bytes_max = 16 * 1024 * 1024;
  std::size_t writers = 2;            // connections; the second is used while the first is slow
  std::size_t pipelined_batches = 3;  // in flight on one connection
  // A batch follows another one on the same connection only when so many events wait: a few large commits
  // cost PostgreSQL less than many small ones.
  std::size_t pipelined_events_min = 16;
  std::chrono::milliseconds held_up_after{50};  // a batch that takes longer holds up its connection
  std::chrono::milliseconds commit_deadline{4'000};
  std::chrono::milliseconds statement_timeout{30'000};
};

enum class CommitError : std::uint8_t {
  overloaded,  // the queue is full: nothing was taken
  timed_out,   // not committed within the deadline; a later commit is possible and harmless, as event ids
               // deduplicate
};
using CommitOutcome = Result<void, CommitError>;

namespace batch {

using TimePoint = std::chrono::steady_clock::time_point;

// Events.

struct Submit {  // answered by Answer, once
  std::uint64_t request = 0;
  std::shared_ptr<Submission> submission;
};
struct Connected {  // answers Connect
  std::size_t writer = 0;
};
struct ConnectFailed {  // answers Connect
  std::size_t writer = 0;
  std::string error;
};
enum class Outcome : std::uint8_t {
  committed,  // each event's is_new is set
  refused,    // a row's values: the same row is refused again
  blocked,    // another transaction has a row locked
  failed,     // rolled back for another reason
  lost,       // the connection, or the statement's deadline: a commit is possible
};
struct Written {  // answers Write
  std::uint64_t write = 0;
  Outcome outcome = Outcome::committed;
  std::string sqlstate{};
  std::string error{};
};
struct Tick {};  // the time of wake_at() has come; harmless at any other time
struct Stop {};  // write what is queued, then finish; no Submit may follow

using Event = std::variant<Submit, Connected, ConnectFailed, Written, Tick, Stop>;

// Actions.

struct Connect {
  std::size_t writer = 0;
};
struct Disconnect {  // its connection is lost: close it. Writes that run on it still end with Written
  std::size_t writer = 0;
};
struct Write {  // one transaction, rows in order of id; the spans stay valid until Written
  std::size_t writer = 0;
  std::uint64_t write = 0;
  std::span<store::EventRow* const> events;
  std::span<const store::QuarantineRow* const> quarantined;
};
struct Answer {
  std::uint64_t request = 0;
  CommitOutcome outcome;
};
struct Report {  // for the log and the metrics: a failure of the database
  bool is_lost = false;
  std::string sqlstate;
  std::string error;
};
struct Finished {};  // after Stop: nothing is queued or running

using Action = std::variant<Connect, Disconnect, Write, Answer, Report, Finished>;

}  // namespace batch

class BatchCore {
 public:
  using TimePoint = batch::TimePoint;

  explicit BatchCore(BatchLimits limits);

  // Appends what is to be done now to `actions`, in order.
  void resume(batch::Event event, TimePoint now, std::vector<batch::Action>& actions);

  // When Tick is due; nothing while there is nothing to wait for. A batch begins with the Tick after its
  // first Submit, so that requests which arrive together are written together.
  std::optional<TimePoint> wake_at(TimePoint now) const;

  // True when the last contact with the database was a success.
  bool connected() const { return is_connected_; }
  std::size_t queued_events() const { return queued_events_; }
  std::size_t queued_bytes() const { return queued_bytes_; }
  // Requests without an answer.
  std::size_t unanswered() const { return unanswered_; }

 private:
  using Actions = std::vector<batch::Action>;

  struct Request {
    std::uint64_t id = 0;
    std::shared_ptr<Submission> submission;
    TimePoint deadline;
    std::size_t bytes = 0;
    bool is_answered = false;
  };

  struct Writer {
    enum class State : std::uint8_t { disconnected, connecting, connected };
    State state = State::disconnected;
    std::uint64_t connection = 0;        // counts connections
    TimePoint connect_at;                // while disconnected
    std::chrono::milliseconds pause{0};  // before the next attempt after a failure
    std::size_t batches = 0;             // in flight
    TimePoint moved;                     // when the first of them began or the last one ended
  };

  // Writes one request's rows, each in a transaction of its own.
  struct RowByRow {
    std::size_t request = 0;                      // its index in the batch
    std::size_t row = 0;                          // counts events, then quarantined
    std::optional<store::QuarantineRow> instead;  // the row of an event that was refused
  };

  struct Batch {
    Batch(std::size_t its_writer, std::vector<Request> its_requests)
        : writer(its_writer), requests(std::move(its_requests)), apart(requests.size()) {}

    std::size_t writer;
    std::vector<Request> requests;
    pg::WriteApart apart;
    std::optional<RowByRow> row_by_row;
    std::uint64_t write = 0;       // the running one; 0: none
    std::uint64_t connection = 0;  // used by that write
    TimePoint retry_at;
    std::vector<store::EventRow*> events;  // used by that write
    std::vector<const store::QuarantineRow*> quarantined;
  };

  void submit(batch::Submit& event, TimePoint now, Actions& actions);
  void end_write(batch::Written& done, TimePoint now, Actions& actions);

  bool is_full(const Submission& submission, std::size_t bytes) const;
  Request dequeue();
  std::vector<Request> take();
  void answer(Request& request, CommitOutcome outcome, Actions& actions);
  void expire(TimePoint now, Actions& actions);

  bool is_connection_wanted() const;
  std::optional<std::size_t> writer_for_next_batch(TimePoint now) const;
  void proceed(TimePoint now, Actions& actions);
  void continue_batches(TimePoint now, Actions& actions);
  static bool has_more(Batch& batch);
  bool may_begin(const Batch& batch, TimePoint now) const;
  void begin(Batch& batch, Actions& actions);
  void settle(Batch& batch, const batch::Written& done, Actions& actions);
  void settle_row(Batch& batch, const batch::Written& done, Actions& actions);
  bool connect(TimePoint now, Actions& actions);
  void connection_opened(std::size_t index);
  void connection_failed(std::size_t index, batch::Report report, TimePoint now, Actions& actions);
  static TimePoint back_off(Writer& writer, TimePoint now);

  BatchLimits limits_;
  std::deque<Request> queue_;  // in order of deadline
  std::size_t queued_events_ = 0;
  std::size_t queued_bytes_ = 0;
  std::size_t unanswered_ = 0;
  std::vector<Writer> writers_;
  std::vector<std::unique_ptr<Batch>> in_flight_;
  std::uint64_t writes_ = 0;
  TimePoint expire_at_;
  bool is_connected_ = false;
  bool is_stopping_ = false;
  bool is_finished_ = false;
};

}  // namespace socialsync::ingest
