#include <algorithm>
#include <memory>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "integration/batcher_support.hpp"
#include "pg/error.hpp"

namespace socialsync::ingest {
namespace {

using namespace std::chrono_literals;
using socialsync::test::clear_database;
using socialsync::test::connect;
using socialsync::test::insert_account;
using socialsync::test::pause;
using socialsync::test::query;
using socialsync::test::until;
using test::AccountIds;
using test::commit_beside;
using test::event_id;
using test::submission;
using test::submission_of;
using test::with_batcher;
using Values = std::vector<std::string>;

constexpr const char* count_events = "SELECT count(*) FROM public.webhook_logs";

AccountIds new_account() {
  clear_database();
  return insert_account("whatsapp_business", {{"phone_number_id", "'111'"}});
}

std::vector<bool> newness(const Submission& rows) {
  std::vector<bool> all;
  for (const store::EventRow& row : rows.events) all.push_back(row.is_new);
  return all;
}

// Connections only once the gate is open, so that what is committed before goes into one batch.
class Gate {
 public:
  pg::Connect connector() {
    return [this] { return connect_when_open(); };
  }
  void open() { is_open_ = true; }

 private:
  asio::awaitable<std::unique_ptr<pg::Connection>> connect_when_open() {
    auto waiting = until([this] { return is_open_; });
    const bool opened = co_await std::move(waiting);
    REQUIRE(opened);
    auto connection = co_await connect();
    co_return connection;
  }

  bool is_open_ = false;
};

TEST_CASE("batcher: a commit resolves once its rows are there") {
  const AccountIds account = new_account();
  with_batcher({}, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const auto rows = submission(account, 1, 2, 3);
    const auto committed = co_await batcher.commit(rows);
    CHECK(committed.has_value());
    CHECK(query(count_events) == Values{"3"});
    CHECK(newness(*rows) == std::vector<bool>{true, true, true});
    CHECK(batcher.connected());
    CHECK(batcher.queued_events() == 0);
    CHECK(batcher.queued_bytes() == 0);
  });
}

TEST_CASE("batcher: what was there already is committed too, but not new") {
  const AccountIds account = new_account();
  with_batcher({}, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const auto first = submission(account, 1);
    const auto again = submission(account, 1, 2, 2);
    co_await batcher.commit(first);
    const auto committed = co_await batcher.commit(again);
    CHECK(committed.has_value());
    CHECK(newness(*again) == std::vector<bool>{false, true, false});
    CHECK(query(count_events) == Values{"2"});
  });
}

TEST_CASE("batcher: rows go in in the order of their ids") {
  const AccountIds account = new_account();
  Gate gate;
  with_batcher({.writers = 1}, gate.connector(), [&](Batcher& batcher) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto one = commit_beside(executor, batcher, submission(account, 9, 3, 6));
    const auto two = commit_beside(executor, batcher, submission(account, 8, 1, 5));
    co_await pause(20ms);
    gate.open();
    auto waiting = until([&] { return *one && *two; });
    const bool done = co_await std::move(waiting);
    CHECK(done);
    CHECK(query("SELECT bool_and(id > before) FROM (SELECT id, lag(id) OVER (ORDER BY ctid) AS before "
                "FROM public.webhook_logs) AS stored") == Values{"t"});
  });
}

TEST_CASE("batcher: beyond its limits the queue takes nothing") {
  const AccountIds account = new_account();
  Gate gate;
  with_batcher({.queue_events_max = 3}, gate.connector(), [&](Batcher& batcher) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto one = commit_beside(executor, batcher, submission(account, 1, 2));
    const auto two = commit_beside(executor, batcher, submission(account, 3));
    co_await pause(20ms);
    CHECK(batcher.queued_events() == 3);
    const auto refused = co_await batcher.commit(submission(account, 4));
    REQUIRE(refused.has_error());
    CHECK(refused.error() == CommitError::overloaded);
    CHECK_FALSE(one->has_value());
    gate.open();
    auto waiting = until([&] { return *one && *two; });
    const bool done = co_await std::move(waiting);
    CHECK(done);
    const auto accepted = co_await batcher.commit(submission(account, 5));
    CHECK(accepted.has_value());
    CHECK(query(count_events) == Values{"4"});
  });
}

TEST_CASE("batcher: bytes count too, but a submission that is alone is always let in") {
  const AccountIds account = new_account();
  Gate gate;
  with_batcher({.queue_bytes_max = 4}, gate.connector(), [&](Batcher& batcher) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto large = commit_beside(executor, batcher, submission(account, 1));
    co_await pause(20ms);
    const auto refused = co_await batcher.commit(submission(account, 2));
    REQUIRE(refused.has_error());
    CHECK(refused.error() == CommitError::overloaded);
    gate.open();
    auto waiting = until([&] { return large->has_value(); });
    const bool done = co_await std::move(waiting);
    CHECK(done);
    CHECK((*large)->has_value());
  });
}

TEST_CASE("batcher: without a database a commit ends at its deadline") {
  const pg::Connect refuse = []() -> asio::awaitable<std::unique_ptr<pg::Connection>> {
    const pg::ConnectionOptions nowhere{{"host", "/nonexistent"}};
    auto connection = co_await pg::Connection::open(nowhere);
    co_return connection;
  };
  with_batcher({.commit_deadline = 200ms}, refuse, [](Batcher& batcher) -> asio::awaitable<void> {
    const auto begin = std::chrono::steady_clock::now();
    const auto committed = co_await batcher.commit(submission(AccountIds(), 1));
    const auto spent = std::chrono::steady_clock::now() - begin;
    REQUIRE(committed.has_error());
    CHECK(committed.error() == CommitError::timed_out);
    CHECK(spent >= 200ms);
    CHECK(spent < 3s);
    CHECK_FALSE(batcher.connected());
  });
}

TEST_CASE("batcher: a commit that the database delays ends at its deadline, too") {
  const AccountIds account = new_account();
  with_batcher({.commit_deadline = 300ms}, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const std::unique_ptr<pg::Connection> blocker = co_await connect();
    const pg::Statement begin{.name = "begin", .sql = "BEGIN"};
    const pg::Statement lock{.name = "lock", .sql = "LOCK TABLE public.webhook_logs IN EXCLUSIVE MODE"};
    const pg::Statement rollback{.name = "rollback", .sql = "ROLLBACK"};
    co_await blocker->run(begin);
    co_await blocker->run(lock);
    const auto held_up = co_await batcher.commit(submission(account, 1));
    REQUIRE(held_up.has_error());
    CHECK(held_up.error() == CommitError::timed_out);
    co_await blocker->run(rollback);
    const auto sent_again = co_await batcher.commit(submission(account, 1));
    CHECK(sent_again.has_value());
    CHECK(query(count_events) == Values{"1"});
  });
}

TEST_CASE("batcher: a lost connection is made again") {
  const AccountIds account = new_account();
  with_batcher({}, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const auto before = co_await batcher.commit(submission(account, 1));
    CHECK(before.has_value());
    query(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()");
    const auto after = co_await batcher.commit(submission(account, 2));
    CHECK(after.has_value());
    CHECK(query(count_events) == Values{"2"});
  });
}

TEST_CASE("batcher: a batch that was cut off is written again, once") {
  const AccountIds account = new_account();
  with_batcher({}, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const std::unique_ptr<pg::Connection> blocker = co_await connect();
    const pg::Statement begin{.name = "begin", .sql = "BEGIN"};
    const pg::Statement lock{.name = "lock", .sql = "LOCK TABLE public.webhook_logs IN EXCLUSIVE MODE"};
    const pg::Statement rollback{.name = "rollback", .sql = "ROLLBACK"};
    co_await blocker->run(begin);
    co_await blocker->run(lock);
    const auto committed = commit_beside(executor, batcher, submission(account, 1, 2));
    const std::string blocked =
        "FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%webhook_logs%'";
    auto waiting = until([&] { return query("SELECT count(*) > 0 " + blocked).front() == "t"; });
    const bool held_up = co_await std::move(waiting);
    CHECK(held_up);
    query("SELECT pg_terminate_backend(pid, 5000) " + blocked);
    co_await blocker->run(rollback);
    waiting = until([&] { return committed->has_value(); });
    const bool done = co_await std::move(waiting);
    REQUIRE(done);
    CHECK((*committed)->has_value());
    CHECK(query(count_events) == Values{"2"});
  });
}

TEST_CASE("batcher: batches with the same ids do not wait for each other for ever") {
  const AccountIds account = new_account();
  std::vector<std::uint16_t> numbers;
  for (std::uint16_t number = 0; number < 50; ++number) numbers.push_back(number);
  const BatchLimits limits{.batch_events_max = 50, .writers = 4, .commit_deadline = 20s};
  with_batcher(limits, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::minstd_rand random(1);
    std::vector<std::shared_ptr<Submission>> all;
    std::vector<std::shared_ptr<test::Committed>> commits;
    for (int i = 0; i < 60; ++i) {
      std::ranges::shuffle(numbers, random);
      all.push_back(submission_of(account, numbers));
      commits.push_back(commit_beside(executor, batcher, all.back()));
    }
    auto waiting =
        until([&] { return std::ranges::all_of(commits, [](const auto& one) { return one->has_value(); }); });
    const bool done = co_await std::move(waiting);
    REQUIRE(done);
    std::ptrdiff_t new_events = 0;
    for (const auto& one : all) new_events += std::ranges::count(newness(*one), true);
    for (const auto& one : commits) CHECK((*one)->has_value());
    CHECK(new_events == 50);
    CHECK(query(count_events) == Values{"50"});
  });
}

TEST_CASE("batcher: stopping writes what is queued") {
  const AccountIds account = new_account();
  std::shared_ptr<test::Committed> committed;
  with_batcher({}, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    committed = commit_beside(executor, batcher, submission(account, 1, 2));
    co_await pause(0ms);
  });
  REQUIRE(committed->has_value());
  CHECK((*committed)->has_value());
  CHECK(query(count_events) == Values{"2"});
}

// --- Rows that the database refuses

TEST_CASE("batcher: an account that was just deleted delays no other") {
  const AccountIds account = new_account();
  const AccountIds deleted{.id = event_id(500), .user_id = account.user_id};
  Gate gate;
  with_batcher({.writers = 1}, gate.connector(), [&](Batcher& batcher) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::vector<std::shared_ptr<Submission>> all;
    std::vector<std::shared_ptr<test::Committed>> commits;
    for (std::uint16_t number = 0; number < 9; ++number) {
      all.push_back(submission(number == 5 ? deleted : account, number));
      commits.push_back(commit_beside(executor, batcher, all.back()));
    }
    co_await pause(20ms);
    gate.open();
    auto waiting =
        until([&] { return std::ranges::all_of(commits, [](const auto& one) { return one->has_value(); }); });
    const bool done = co_await std::move(waiting);
    REQUIRE(done);
    for (std::size_t i = 0; i < commits.size(); ++i) {
      CHECK((*commits[i])->has_value());
      CHECK(newness(*all[i]) == std::vector<bool>{i != 5});
    }
  });
  CHECK(query(count_events) == Values{"8"});
  CHECK(query("SELECT concat_ws('|', id, reason, platform, webhook_type, detail, convert_from(body, 'UTF8')) "
              "FROM public.webhook_quarantine") ==
        Values{to_string(event_id(5)) +
               R"(|unknown_account|whatsapp_business|messages|SQLSTATE 23503|{"a":1})"});
}

TEST_CASE("batcher: of one submission only the bad row goes to quarantine") {
  const AccountIds account = new_account();
  with_batcher({}, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const auto rows = submission(account, 1, 2, 3);
    const std::string long_type(51, 't');
    const std::string exact = "the exact bytes";
    rows->events[1].type = long_type;
    rows->events[1].exact_payload = exact;
    rows->signed_by = "458b45812b68b3c7";
    const auto committed = co_await batcher.commit(rows);
    CHECK(committed.has_value());
    CHECK(newness(*rows) == std::vector<bool>{true, false, true});
    CHECK(query("SELECT id FROM public.webhook_logs ORDER BY id") ==
          Values{to_string(event_id(1)), to_string(event_id(3))});
    CHECK(query("SELECT concat_ws('|', reason, detail, signed_by, convert_from(body, 'UTF8')) "
                "FROM public.webhook_quarantine") ==
          Values{"rejected_by_database|SQLSTATE 22001|458b45812b68b3c7|the exact bytes"});
  });
}

TEST_CASE("batcher: a payload that jsonb refuses goes to quarantine") {
  const AccountIds account = new_account();
  with_batcher({}, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const auto rows = submission(account, 1);
    rows->events[0].payload = R"({"a":"\u0000"})";
    const auto committed = co_await batcher.commit(rows);
    CHECK(committed.has_value());
    CHECK(query("SELECT concat_ws('|', detail, convert_from(body, 'UTF8')) FROM public.webhook_quarantine") ==
          Values{R"(SQLSTATE 22P05|{"a":"\u0000"})"});
  });
}

TEST_CASE("batcher: what not even quarantine takes is not called committed, and answered at once") {
  const AccountIds account = new_account();
  with_batcher({}, connect, [&](Batcher& batcher) -> asio::awaitable<void> {
    const auto rows = submission(account, 1);
    rows->events[0].type = std::string_view("a\0b", 3);
    const auto committed = co_await batcher.commit(rows);
    REQUIRE(committed.has_error());
    CHECK(committed.error() == CommitError::timed_out);
  });
}

}  // namespace
}  // namespace socialsync::ingest
