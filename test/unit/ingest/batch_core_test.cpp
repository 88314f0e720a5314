#include "ingest/batch_core.hpp"

#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

namespace socialsync::ingest {
namespace {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

// One line for each action.
std::string line_of(const batch::Action& action) {
  if (const auto* connect = std::get_if<batch::Connect>(&action))
    return fmt::format("connect {}", connect->writer);
  if (const auto* lost = std::get_if<batch::Disconnect>(&action))
    return fmt::format("disconnect {}", lost->writer);
  if (const auto* answer = std::get_if<batch::Answer>(&action)) {
    if (answer->outcome.has_value()) return fmt::format("answer {} committed", answer->request);
    const bool is_full = answer->outcome.error() == CommitError::overloaded;
    return fmt::format("answer {} {}", answer->request, is_full ? "overloaded" : "timed out");
  }
  if (const auto* report = std::get_if<batch::Report>(&action))
    return fmt::format("report {}{}", report->is_lost ? "lost " : "", report->error);
  if (std::holds_alternative<batch::Finished>(action)) return "finished";
  const auto& write = std::get<batch::Write>(action);
  std::string line = fmt::format("write {} on {}:", write.write, write.writer);
  for (const store::EventRow* row : write.events) line += fmt::format(" {}", row->id.bytes[15]);
  for (const store::QuarantineRow* row : write.quarantined)
    line += fmt::format(" quarantine {} {} {}", row->id.bytes[15], row->reason, row->detail);
  return line;
}

// A core, and a clock that only the test moves.
struct Bench {
  explicit Bench(const BatchLimits& limits) : core(limits) {}

  Lines report(batch::Event event) {
    std::vector<batch::Action> actions;
    core.resume(std::move(event), now, actions);
    Lines lines;
    for (const batch::Action& action : actions) lines.push_back(line_of(action));
    return lines;
  }
  Lines tick(std::chrono::milliseconds later = 0ms) {
    now += later;
    return report(batch::Tick());
  }
  Lines submit(std::uint64_t request, const std::vector<std::uint8_t>& events) {
    auto submission = std::make_shared<Submission>();
    for (const std::uint8_t number : events) {
      store::EventRow row;
      row.id.bytes[15] = number;
      row.payload = "{}";
      submission->events.push_back(row);
    }
    submissions.push_back(submission);
    return report(batch::Submit{request, submission});
  }
  Lines written(std::uint64_t write) { return report(batch::Written{.write = write}); }
  Lines failed(std::uint64_t write, batch::Outcome outcome, std::string sqlstate = "22P05") {
    return report(batch::Written{write, outcome, std::move(sqlstate), "why"});
  }

  batch::TimePoint now{1h};
  BatchCore core;
  std::vector<std::shared_ptr<Submission>> submissions;
};

// With its connections open.
Bench connected(BatchLimits limits = {.writers = 1}) {
  Bench bench(limits);
  bench.tick();
  for (std::size_t writer = 0; writer < limits.writers; ++writer) bench.report(batch::Connected{writer});
  return bench;
}

TEST_CASE("batch core: requests that arrive together are written together, in order of their ids") {
  Bench bench({.writers = 1});
  CHECK(bench.tick() == Lines{"connect 0"});
  CHECK_FALSE(bench.core.connected());
  CHECK(bench.report(batch::Connected{0}).empty());
  CHECK(bench.core.connected());
  CHECK(bench.submit(1, {5, 2}).empty());
  CHECK(bench.submit(2, {3}).empty());
  CHECK(bench.core.queued_events() == 3);
  CHECK(bench.core.wake_at(bench.now) == bench.now);
  CHECK(bench.tick() == Lines{"write 1 on 0: 2 3 5"});
  CHECK(bench.core.queued_events() == 0);
  CHECK(bench.core.queued_bytes() == 0);
  CHECK(bench.written(1) == Lines{"answer 1 committed", "answer 2 committed"});
  CHECK_FALSE(bench.core.wake_at(bench.now));
}

TEST_CASE("batch core: a full queue refuses at once, but takes a large request that is alone") {
  Bench bench({.queue_events_max = 2, .writers = 1});
  CHECK(bench.submit(1, {1, 2, 3}).empty());
  CHECK(bench.submit(2, {4}) == Lines{"answer 2 overloaded"});
  CHECK(bench.core.unanswered() == 1);
  CHECK(bench.core.queued_events() == 3);
}

TEST_CASE("batch core: a batch follows another one only when enough events wait") {
  Bench bench = connected({.writers = 1, .pipelined_batches = 2, .pipelined_events_min = 2});
  bench.submit(1, {1});
  CHECK(bench.tick() == Lines{"write 1 on 0: 1"});
  bench.submit(2, {2});
  CHECK(bench.tick().empty());
  bench.submit(3, {3});
  CHECK(bench.tick() == Lines{"write 2 on 0: 2 3"});
  bench.submit(4, {4, 5});
  CHECK(bench.tick().empty());
  CHECK(bench.written(1) == Lines{"answer 1 committed", "write 3 on 0: 4 5"});
}

TEST_CASE("batch core: the second connection is used while the first is slow") {
  Bench bench = connected({.writers = 2, .held_up_after = 50ms});
  bench.submit(1, {1});
  CHECK(bench.tick() == Lines{"write 1 on 0: 1"});
  bench.submit(2, {2});
  CHECK(bench.tick(49ms).empty());
  CHECK(bench.tick(1ms) == Lines{"write 2 on 1: 2"});
}

TEST_CASE("batch core: a batch is no larger than its limit") {
  Bench bench = connected({.batch_events_max = 2, .writers = 1});
  bench.submit(1, {1});
  bench.submit(2, {2});
  bench.submit(3, {3});
  CHECK(bench.tick() == Lines{"write 1 on 0: 1 2"});
  CHECK(bench.written(1) == Lines{"answer 1 committed", "answer 2 committed", "write 2 on 0: 3"});
}

TEST_CASE("batch core: a refused row is quarantined, and delays no other request") {
  Bench bench = connected();
  bench.submit(1, {1});
  bench.submit(2, {2, 3});
  CHECK(bench.tick() == Lines{"write 1 on 0: 1 2 3"});
  CHECK(bench.failed(1, batch::Outcome::refused) == Lines{"write 2 on 0: 1"});
  CHECK(bench.written(2) == Lines{"answer 1 committed", "write 3 on 0: 2 3"});
  CHECK(bench.failed(3, batch::Outcome::refused) == Lines{"write 4 on 0: 2"});
  CHECK(bench.failed(4, batch::Outcome::refused, "23503") ==
        Lines{"report why", "write 5 on 0: quarantine 2 unknown_account SQLSTATE 23503"});
  CHECK(bench.written(5) == Lines{"write 6 on 0: 3"});
  CHECK(bench.written(6) == Lines{"answer 2 committed"});
  CHECK(bench.submissions[1]->events[0].is_refused);
  CHECK_FALSE(bench.submissions[1]->events[1].is_refused);
}

TEST_CASE("batch core: a request that quarantine refuses too is not acknowledged") {
  Bench bench = connected();
  bench.submit(1, {1});
  bench.tick();
  bench.failed(1, batch::Outcome::refused);
  CHECK(bench.failed(2, batch::Outcome::refused) ==
        Lines{"report why", "write 3 on 0: quarantine 1 rejected_by_database SQLSTATE 22P05"});
  CHECK(bench.failed(3, batch::Outcome::refused) == Lines{"report why", "answer 1 timed out"});
}

TEST_CASE("batch core: a locked row delays only its own request") {
  Bench bench = connected();
  bench.submit(1, {1});
  bench.submit(2, {2});
  bench.tick();
  CHECK(bench.failed(1, batch::Outcome::blocked, "55P03") == Lines{"write 2 on 0: 1"});
  CHECK(bench.failed(2, batch::Outcome::blocked, "55P03") ==
        Lines{"report why", "answer 1 timed out", "write 3 on 0: 2"});
  CHECK(bench.written(3) == Lines{"answer 2 committed"});
}

TEST_CASE("batch core: a batch that failed is written again after growing pauses") {
  Bench bench = connected();
  bench.submit(1, {1});
  bench.tick();
  CHECK(bench.failed(1, batch::Outcome::failed, "40P01") == Lines{"report why", "write 2 on 0: 1"});
  CHECK(bench.failed(2, batch::Outcome::failed, "40P01") == Lines{"report why"});
  CHECK(bench.tick(49ms).empty());
  CHECK(bench.tick(1ms) == Lines{"write 3 on 0: 1"});
  CHECK(bench.failed(3, batch::Outcome::failed, "40P01") == Lines{"report why"});
  CHECK(bench.tick(99ms).empty());
  CHECK(bench.tick(1ms) == Lines{"write 4 on 0: 1"});
}

TEST_CASE("batch core: two batches on one connection lose it once, and are written again on the next") {
  Bench bench = connected({.writers = 1, .pipelined_events_min = 1});
  bench.submit(1, {1});
  bench.tick();
  bench.submit(2, {2});
  CHECK(bench.tick() == Lines{"write 2 on 0: 2"});
  CHECK(bench.failed(1, batch::Outcome::lost, "") == Lines{"disconnect 0", "report lost why"});
  CHECK_FALSE(bench.core.connected());
  CHECK(bench.failed(2, batch::Outcome::lost, "").empty());
  CHECK(bench.tick(50ms) == Lines{"connect 0"});
  CHECK(bench.report(batch::ConnectFailed{0, "refused"}) == Lines{"report lost refused"});
  CHECK(bench.tick(100ms) == Lines{"connect 0"});
  CHECK(bench.report(batch::Connected{0}) == Lines{"write 3 on 0: 1", "write 4 on 0: 2"});
}

TEST_CASE("batch core: requests are answered at their deadline, queued or in flight") {
  Bench bench = connected({.writers = 1, .commit_deadline = 200ms});
  bench.submit(1, {1});
  bench.tick();
  bench.submit(2, {2});
  CHECK(bench.tick(199ms).empty());
  CHECK(bench.tick(51ms) == Lines{"answer 2 timed out", "answer 1 timed out"});
  CHECK(bench.core.queued_events() == 0);
  CHECK(bench.core.unanswered() == 0);
  CHECK(bench.written(1).empty());
}

TEST_CASE("batch core: a batch whose requests are all answered is not written again") {
  Bench bench = connected({.writers = 1, .commit_deadline = 200ms});
  bench.submit(1, {1});
  bench.tick();
  bench.failed(1, batch::Outcome::lost, "");
  CHECK(bench.tick(300ms) == Lines{"answer 1 timed out", "connect 0"});
  CHECK(bench.report(batch::Connected{0}).empty());
}

TEST_CASE("batch core: stopping writes what is queued, and finishes once") {
  Bench bench = connected();
  bench.submit(1, {1});
  CHECK(bench.report(batch::Stop()) == Lines{"write 1 on 0: 1"});
  CHECK(bench.written(1) == Lines{"answer 1 committed", "finished"});
  CHECK(bench.tick(1s).empty());
}

TEST_CASE("batch core: stopping waits for a connection that is being opened") {
  Bench bench({.writers = 1});
  bench.tick();
  CHECK(bench.report(batch::Stop()).empty());
  CHECK(bench.report(batch::ConnectFailed{0, "refused"}) == Lines{"report lost refused", "finished"});
}

}  // namespace
}  // namespace socialsync::ingest
