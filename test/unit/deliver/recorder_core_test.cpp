#include "deliver/recorder_core.hpp"

#include <doctest/doctest.h>

#include "unit/deliver/cores.hpp"

namespace socialsync::deliver {
namespace {

using namespace std::chrono_literals;
using namespace testing;
using Committed = event::Committed;

// A recorder core with its leases, at a time of its own.
class Desk {
 public:
  explicit Desk(RecorderLimits limits = {}) : core(leases, limits) {
    CHECK(report(RecorderCore::Connected{}).empty());
  }

  void add(char endpoint, int event) {
    CHECK(leases.add(row_key(endpoint, event), now));
    core.add(store::AttemptRow{
        .key = row_key(endpoint, event), .began = now, .error = {}, .detail = {}, .response_head = {}});
  }
  void add(char endpoint, std::string disabled_because = {}) {
    core.add(store::EndpointNews{.endpoint_id = endpoint_id(endpoint),
                                 .is_failing = true,
                                 .disabled_because = std::move(disabled_because)});
  }
  // The outputs, as "write A1 A2, written A3".
  std::string report(RecorderCore::Input input) {
    std::vector<RecorderCore::Output> outputs;
    core.resume(std::move(input), now, outputs);
    std::string text;
    for (const RecorderCore::Output& output : outputs)
      append_text(text, std::visit([](const auto& each) { return of(each); }, output));
    return text;
  }
  std::string after(std::chrono::milliseconds time) {
    now += time;
    return report(RecorderCore::Poll{});
  }
  std::string found_locked(std::vector<store::DeliveryKey> keys) {
    return report(event::LockedFound{std::move(keys)});
  }

  TimePoint now{1h};
  Leases leases{60s};
  RecorderCore core;

 private:
  static std::string of(const record::Statement& statement) { return text_of(statement); }
  static std::string of(const action::DropRecorder&) { return "drop"; }
  static std::string of(const RecorderCore::Written& written) { return "written " + names_of(written.rows); }
  static std::string of(const RecorderCore::Released& released) {
    return "released " + names_of(released.keys);
  }
  static std::string of(const RecorderCore::EndpointDisabled&) { return "disabled"; }
  static std::string of(const Warning& warning) { return "warning: " + std::string(warning.message); }
};

constexpr std::chrono::milliseconds gap = 20ms, pause = 2s;

TEST_CASE("recorder: results gather between two commits, and end their leases when they are written") {
  Desk desk;
  desk.add('A', 1);
  CHECK(desk.after(gap - 1ms).empty());
  CHECK(desk.core.wake_at() == desk.now + 1ms);
  desk.add('A', 2);
  CHECK(desk.after(1ms) == "write A1 A2");
  CHECK(desk.after(1s).empty());  // one statement at a time
  desk.add('B', 3);
  CHECK(desk.leases.size() == 3);
  CHECK(desk.core.results() == 3);
  CHECK(desk.report(Committed{}) == "written A1 A2");
  CHECK(desk.leases.size() == 1);
  CHECK(desk.core.results() == 1);
  CHECK(desk.after(gap) == "write B3");
  CHECK(desk.report(Committed{}) == "written B3");
  CHECK(desk.core.is_idle(desk.now));
}

TEST_CASE("recorder: a commit has a limit, and the rest waits for the next round") {
  Desk desk({.results_per_commit_max = 2, .results_waiting_max = 3});
  for (int event : {1, 2, 3}) desk.add('A', event);
  CHECK(desk.core.is_full());
  CHECK(desk.after(gap) == "write A1 A2");
  CHECK(desk.core.is_full());
  CHECK(desk.report(Committed{}) == "written A1 A2");
  CHECK_FALSE(desk.core.is_full());
  CHECK(desk.after(gap) == "write A3");
}

TEST_CASE("recorder: a refused row is found by halving, and the others are written") {
  Desk desk;
  for (int event : {1, 2, 3, 4}) desk.add('A', event);
  CHECK(desk.after(gap) == "write A1 A2 A3 A4");
  CHECK(desk.report(refused(bad_value)) == "write A1 A2");
  CHECK(desk.report(Committed{}) == "written A1 A2, write A3 A4");
  CHECK(desk.report(refused(bad_value)) == "write A3");
  CHECK(desk.report(refused(bad_value)) ==
        "warning: delivery result refused by the database, will be sent again, write A4");
  CHECK(desk.report(Committed{}) == "written A4");
  CHECK(desk.core.results() == 0);
  CHECK(desk.leases.size() == 0);
}

TEST_CASE("recorder: locked rows are put aside and written again after a pause") {
  Desk desk;
  for (int event : {1, 2, 3}) desk.add('A', event);
  CHECK(desk.after(gap) == "write A1 A2 A3");
  CHECK(desk.report(refused(lock_timeout)) == "find locked A1 A2 A3");
  CHECK(desk.found_locked({row_key('A', 2)}) == "write A1 A3");
  CHECK(desk.report(Committed{}) == "written A1 A3");
  CHECK(desk.core.results() == 1);
  CHECK(desk.leases.holds(row_key('A', 2)));
  CHECK(desk.after(pause - 1ms).empty());
  desk.add('B', 4);
  CHECK(desk.after(1ms) == "write A2");
  CHECK(desk.report(refused(lock_timeout)) == "find locked A2");
  CHECK(desk.found_locked({row_key('A', 2)}) == "write B4");
  CHECK(desk.report(Committed{}) == "written B4");
  CHECK(desk.core.wake_at() == desk.now + pause);
  CHECK(desk.after(pause) == "write A2");
  CHECK(desk.report(Committed{}) == "written A2");
}

TEST_CASE("recorder: when one locked row could be written, the others that were put aside follow at once") {
  Desk desk({.results_per_commit_max = 2});
  for (int event : {1, 2, 3, 4}) desk.add('A', event);
  for (int round = 0; round < 2; ++round) {
    CHECK(desk.after(gap).starts_with("write"));
    CHECK(desk.report(refused(lock_timeout)).starts_with("find locked"));
    CHECK(desk.found_locked({row_key('A', 1), row_key('A', 2), row_key('A', 3), row_key('A', 4)}).empty());
  }
  CHECK(desk.after(pause) == "write A1 A2");
  CHECK(desk.report(Committed{}) == "written A1 A2, write A3 A4");
}

TEST_CASE("recorder: a lock on the whole table puts all rows aside") {
  Desk desk;
  for (int event : {1, 2}) desk.add('A', event);
  CHECK(desk.after(gap) == "write A1 A2");
  CHECK(desk.report(refused(lock_timeout)) == "find locked A1 A2");
  CHECK(desk.report(refused(lock_timeout)).empty());
  CHECK(desk.core.results() == 2);
  CHECK(desk.after(pause) == "write A1 A2");
}

TEST_CASE("recorder: a lock that cannot be seen is looked for by halving, a few times") {
  Desk desk({.hidden_locks_max = 2});
  for (int event : {1, 2, 3, 4}) desk.add('A', event);
  CHECK(desk.after(gap) == "write A1 A2 A3 A4");
  const auto locked = [&] {
    CHECK(desk.report(refused(lock_timeout)).starts_with("find locked"));
    return desk.found_locked({});
  };
  CHECK(locked() == "write A1 A2");
  CHECK(locked() == "write A1");
  CHECK(locked() == "write A2");  // A1 is put aside
  CHECK(desk.report(Committed{}) == "written A2, write A3 A4");
  CHECK(locked().empty());  // the limit: both are put aside
  CHECK(desk.core.results() == 3);
  CHECK(desk.after(pause) == "write A1 A3 A4");
}

TEST_CASE("recorder: after a lost connection only what may not be committed is written again") {
  Desk desk;
  for (int event : {1, 2, 3, 4}) desk.add('A', event);
  CHECK(desk.after(gap) == "write A1 A2 A3 A4");
  CHECK(desk.report(refused(bad_value)) == "write A1 A2");
  CHECK(desk.report(Committed{}) == "written A1 A2, write A3 A4");
  CHECK(desk.report(RecorderCore::Lost{}).empty());
  CHECK(desk.core.results() == 2);
  CHECK_FALSE(desk.core.wake_at());
  desk.add('A', 5);
  CHECK(desk.after(1h).empty());
  desk.leases.renewed(desk.leases.due(desk.now, 9), desk.now);
  CHECK(desk.report(RecorderCore::Connected{}) == "write A3 A4 A5");
}

TEST_CASE("recorder: a lost connection writes no row twice that was put aside") {
  Desk desk;
  for (int event : {1, 2}) desk.add('A', event);
  CHECK(desk.after(gap) == "write A1 A2");
  CHECK(desk.report(refused(lock_timeout)) == "find locked A1 A2");
  CHECK(desk.found_locked({row_key('A', 1)}) == "write A2");
  CHECK(desk.report(RecorderCore::Lost{}).empty());
  CHECK(desk.core.results() == 2);
  CHECK(desk.report(RecorderCore::Connected{}) == "write A2");
}

TEST_CASE("recorder: a server that cannot write now is left for another connection, with all rows kept") {
  for (const char* sqlstate : {disk_full, shutdown}) {
    Desk desk;
    for (int event : {1, 2}) desk.add('A', event);
    desk.add('B');
    CHECK(desk.after(gap) == "write A1 A2");
    CHECK(desk.report(refused(sqlstate)) == "drop");
    CHECK(desk.core.results() == 2);
    CHECK(desk.report(RecorderCore::Connected{}) == "write A1 A2");
    CHECK(desk.report(Committed{}) == "written A1 A2, write news B");
    CHECK(desk.report(refused(shutdown)) == "drop");
    CHECK(desk.report(RecorderCore::Connected{}) == "write news B");
  }
}

TEST_CASE("recorder: health updates that are refused together are written one by one, after a pause") {
  Desk desk;
  desk.add('A');
  desk.add('B', "it failed for five days");
  const std::string both = desk.after(gap);
  const bool is_a_first = both == "write news A B";
  CHECK((is_a_first || both == "write news B A"));
  const std::string first = is_a_first ? "A" : "B", second = is_a_first ? "B" : "A";
  CHECK(desk.report(refused(lock_timeout)) == "write news " + first);
  CHECK(desk.report(refused(lock_timeout)) ==
        "warning: endpoint health not recorded, will retry, write news " + second);
  CHECK(desk.report(Committed{}) == (is_a_first ? "disabled" : ""));
  CHECK(desk.after(pause - 1ms).empty());
  CHECK(desk.core.wake_at() == desk.now + 1ms);
  CHECK(desk.after(1ms) == "write news " + first);
  CHECK(desk.report(Committed{}) == (is_a_first ? "" : "disabled"));
  CHECK(desk.after(1s).empty());
}

TEST_CASE("recorder: of health updates a few refused ones end the round, and come last in the next") {
  Desk desk({.refused_news_max = 1});
  for (const char endpoint : {'A', 'B', 'C'}) desk.add(endpoint);
  CHECK(desk.after(gap).starts_with("write news "));
  const std::string first = desk.report(refused(lock_timeout));
  CHECK(desk.report(refused(lock_timeout)) == "warning: endpoint health not recorded, will retry");
  CHECK(desk.after(pause).size() == std::string("write news A B C").size());
  CHECK(desk.report(refused(lock_timeout)) != first);
}

TEST_CASE("recorder: health updates of a repaired endpoint are dropped, even while they are being written") {
  Desk desk;
  desk.add('A');
  desk.core.forget_news(endpoint_id('A'));
  CHECK(desk.after(gap).empty());
  desk.add('A');
  CHECK(desk.after(gap) == "write news A");
  desk.core.forget_news(endpoint_id('A'));
  CHECK(desk.report(refused(lock_timeout)) == "warning: endpoint health not recorded, will retry");
  CHECK(desk.after(pause).empty());
}

TEST_CASE("recorder: releases end leases at once, and are written in the next round") {
  Desk desk;
  CHECK(desk.leases.add(row_key('A', 1), desk.now));
  desk.core.release(row_key('A', 1), desk.now);
  CHECK(desk.leases.size() == 0);
  CHECK(desk.after(gap) == "release A1");
  CHECK(desk.report(Committed{}) == "released A1");
  desk.core.release(row_key('A', 2), desk.now);
  CHECK(desk.after(gap) == "release A2");
  CHECK(desk.report(refused(lock_timeout)) ==
        "warning: deliveries not released, their leases will expire, released A2");
}

TEST_CASE("recorder: a release that waited too long, or whose row is held again, is not written") {
  Desk desk;
  CHECK(desk.report(RecorderCore::Lost{}).empty());
  desk.core.release(row_key('A', 1), desk.now);
  desk.now += 30s;
  desk.core.release(row_key('A', 2), desk.now);
  desk.core.release(row_key('A', 3), desk.now);
  CHECK(desk.leases.add(row_key('A', 3), desk.now));
  CHECK(desk.report(RecorderCore::Connected{}) == "release A2");
}

TEST_CASE("recorder: leases are renewed when half of them is over, before anything is written") {
  Desk desk({.keys_per_renewal_max = 1});
  CHECK(desk.leases.add(row_key('A', 1), desk.now));
  CHECK(desk.leases.add(row_key('A', 2), desk.now));
  CHECK(desk.after(29s).empty());
  CHECK(desk.core.wake_at() > desk.now);
  desk.now += 1s;
  desk.add('B', 3);
  CHECK(desk.after(gap) == "renew A1");
  CHECK(desk.report(Committed{}) == "renew A2");
  CHECK(desk.report(Committed{}) == "write B3");
  CHECK(desk.report(Committed{}) == "written B3");
  CHECK(desk.after(29s).empty());
  CHECK(desk.after(8s) == "renew A1");
  CHECK(desk.report(refused(lock_timeout)) == "drop");
}

TEST_CASE("recorder: during shutdown rounds follow one another without a rest") {
  Desk desk;
  desk.core.finish();
  desk.add('A', 1);
  CHECK(desk.after(0ms) == "write A1");
  desk.core.release(row_key('A', 2), desk.now);
  CHECK(desk.report(Committed{}) == "written A1, release A2");
  CHECK(desk.report(Committed{}) == "released A2");
  CHECK(desk.core.is_idle(desk.now));
}

}  // namespace
}  // namespace socialsync::deliver
