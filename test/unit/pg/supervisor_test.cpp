#include "pg/supervisor.hpp"

#include <stdexcept>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <doctest/doctest.h>

#include "net/result.hpp"

namespace socialsync::pg {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Backoff::Limits no_pause{.pause_min = milliseconds(0), .pause_max = milliseconds(0)};

// Cannot connect; counts the attempts.
Connect refused(int& attempts) {
  return [&attempts]() -> asio::awaitable<std::unique_ptr<Connection>> {
    ++attempts;
    throw std::runtime_error("connection refused");
    co_return nullptr;
  };
}

void run(Connect connect, Supervised task) {
  asio::io_context io;
  asio::co_spawn(io, supervise(std::move(connect), std::move(task), no_pause), net::rethrow);
  io.run();
}

TEST_CASE("backoff: pauses double from the shortest to the longest") {
  Backoff backoff({.pause_min = milliseconds(100), .pause_max = milliseconds(700)});
  CHECK(backoff.failed({}) == milliseconds(100));
  CHECK(backoff.failed({}) == milliseconds(200));
  CHECK(backoff.failed({}) == milliseconds(400));
  CHECK(backoff.failed({}) == milliseconds(700));
  CHECK(backoff.failed({}) == milliseconds(700));
}

TEST_CASE("backoff: pauses begin anew after a success or a connection that lasted") {
  Backoff backoff({.pause_min = milliseconds(100), .pause_max = milliseconds(700)});
  backoff.failed({});
  backoff.failed({});
  backoff.succeeded();
  CHECK(backoff.failed({}) == milliseconds(100));
  CHECK(backoff.failed(milliseconds(700)) == milliseconds(200));
  CHECK(backoff.failed(seconds(1)) == milliseconds(100));
}

TEST_CASE("supervise: reconnects until the task is no longer wanted") {
  int attempts = 0;
  int failures = 0;
  run(refused(attempts), {.name = "test",
                          .run = [](Connection&) -> asio::awaitable<void> { co_return; },
                          .is_wanted = [&] { return attempts < 3; },
                          .on_failure = [&](const std::exception&) { ++failures; }});
  CHECK(attempts == 3);
  CHECK(failures == 3);
}

TEST_CASE("supervise: ends when the task returns") {
  int connections = 0;
  int runs = 0;
  const Connect connect = [&]() -> asio::awaitable<std::unique_ptr<Connection>> {
    ++connections;
    co_return nullptr;
  };
  run(connect, {.name = "test", .run = [&](Connection&) -> asio::awaitable<void> {
                  if (++runs == 1) throw std::runtime_error("connection lost");
                  co_return;
                }});
  CHECK(runs == 2);
  CHECK(connections == 2);
}

TEST_CASE("supervise: an exception thrown by on_failure ends it") {
  int attempts = 0;
  const auto fatal = [](const std::exception&) { throw; };
  CHECK_THROWS_WITH(run(refused(attempts), {.name = "test", .run = {}, .on_failure = fatal}),
                    "connection refused");
  CHECK(attempts == 1);
}

}  // namespace
}  // namespace socialsync::pg
