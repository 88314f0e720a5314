// Several statements in flight on one connection.
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/detached.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "net/within.hpp"
#include "pg/connection.hpp"
#include "support/database.hpp"

namespace socialsync::pg {
namespace {

using namespace std::chrono_literals;

Statement echo(std::string text) {
  Statement statement{.name = "echo", .sql = "SELECT $1::text"};
  return statement.with(std::move(text));
}

Statement divide(std::string by) {
  Statement statement{.name = "divide", .sql = "SELECT 12 / $1::integer"};
  return statement.with(std::move(by));
}

Statement nap(std::string seconds) {
  Statement statement{.name = "nap", .sql = "SELECT $1 FROM pg_sleep($1::float8)"};
  return statement.with(std::move(seconds));
}

// The result of a run() beside its caller: none yet, the value or the error.
struct Told {
  std::optional<std::string> value;
  std::optional<Error> error;
  bool cut_off = false;
  bool ended() const { return value || error || cut_off; }
};

asio::awaitable<void> value_into(Connection& connection, Statement statement, std::shared_ptr<Told> told) {
  try {
    const ResultSet rows = co_await connection.run(statement);
    told->value = rows.text(0, 0);
  } catch (const Error& error) {
    told->error = error;
  } catch (const boost::system::system_error&) {
    told->cut_off = true;
  }
}

// A connection that has prepared echo and nap, and statements that run on it at once.
class Beside {
 public:
  Beside(asio::any_io_executor executor, Connection& connection)
      : executor_(executor), connection_(connection) {}

  Told& run(Statement statement) {
    all_.push_back(std::make_shared<Told>());
    asio::co_spawn(executor_, value_into(connection_, std::move(statement), all_.back()), asio::detached);
    return *all_.back();
  }

  asio::awaitable<void> all_ended() {
    auto waiting = test::until(
        [this] { return std::ranges::all_of(all_, [](const auto& told) { return told->ended(); }); });
    const bool ended = co_await std::move(waiting);
    REQUIRE(ended);
  }

 private:
  asio::any_io_executor executor_;
  Connection& connection_;
  std::vector<std::shared_ptr<Told>> all_;
};

using Story = asio::awaitable<void> (*)(Connection& connection, Beside& beside);

asio::awaitable<void> tell(Story story) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const std::unique_ptr<Connection> connection = co_await test::connect();
  const std::vector<Statement> prepare{echo(""), nap("0")};
  co_await connection->run(prepare);
  Beside beside(executor, *connection);
  co_await story(*connection, beside);
}

void with_connection(Story story) { test::run(tell(story)); }

TEST_CASE("pg pipeline: each statement gets its own answer") {
  with_connection([](Connection&, Beside& beside) -> asio::awaitable<void> {
    std::vector<const Told*> told;
    for (int i = 0; i < 40; ++i)
      told.push_back(&beside.run(i % 4 == 3 ? divide("0") : echo(std::to_string(i))));
    co_await beside.all_ended();
    for (std::size_t i = 0; i < told.size(); ++i) {
      if (i % 4 == 3) {
        REQUIRE(told[i]->error);
        CHECK(told[i]->error->sqlstate() == "22012");
      } else {
        CHECK(told[i]->value == std::to_string(i));
      }
    }
  });
}

TEST_CASE("pg pipeline: the next statement is with the server while the last one runs") {
  with_connection([](Connection&, Beside& beside) -> asio::awaitable<void> {
    beside.run(nap("0.3"));
    const Told& behind = beside.run(echo("behind"));
    co_await test::pause(0ms);
    // The client waits: both answers have arrived when it reads.
    std::this_thread::sleep_for(600ms);
    const auto began = std::chrono::steady_clock::now();
    co_await beside.all_ended();
    CHECK(std::chrono::steady_clock::now() - began < 200ms);
    CHECK(behind.value == "behind");
  });
}

TEST_CASE("pg pipeline: large statements do not block each other") {
  with_connection([](Connection&, Beside& beside) -> asio::awaitable<void> {
    std::vector<const Told*> told;
    for (char c = 'a'; c < 'g'; ++c) told.push_back(&beside.run(echo(std::string(9'000'000, c))));
    co_await beside.all_ended();
    for (std::size_t i = 0; i < told.size(); ++i) {
      REQUIRE(told[i]->value);
      CHECK((*told[i]->value == std::string(9'000'000, static_cast<char>('a' + i))));
    }
  });
}

TEST_CASE("pg pipeline: a statement that is cut off takes those at its side with it") {
  with_connection([](Connection& connection, Beside& beside) -> asio::awaitable<void> {
    const Told& long_one = beside.run(nap("5"));
    const auto late = std::make_shared<Told>();
    auto limited = net::within(30ms, value_into(connection, echo("late"), late));
    co_await std::move(limited);
    CHECK(late->cut_off);
    co_await beside.all_ended();
    REQUIRE(long_one.error);
    CHECK(long_one.error->kind() == ErrorKind::connection);
    const Told& after = beside.run(echo("after"));
    co_await beside.all_ended();
    REQUIRE(after.error);
    CHECK(after.error->kind() == ErrorKind::connection);
  });
}

asio::awaitable<void> nap_within(std::chrono::milliseconds limit, Connection& connection,
                                 std::shared_ptr<Told> told) {
  auto limited = net::within(limit, value_into(connection, nap("5"), told));
  co_await std::move(limited);
}

TEST_CASE("pg pipeline: so does one that reads for the others") {
  with_connection([](Connection& connection, Beside& beside) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    const auto late = std::make_shared<Told>();
    asio::co_spawn(executor, nap_within(50ms, connection, late), asio::detached);
    co_await test::pause(10ms);
    const Told& behind = beside.run(echo("behind"));
    co_await beside.all_ended();
    CHECK(late->cut_off);
    REQUIRE(behind.error);
    CHECK(behind.error->kind() == ErrorKind::connection);
  });
}

TEST_CASE("pg pipeline: all hear of the connection's end") {
  with_connection([](Connection& connection, Beside& beside) -> asio::awaitable<void> {
    const Statement own_pid{.name = "own_pid", .sql = "SELECT pg_backend_pid()"};
    const ResultSet pid = co_await connection.run(own_pid);
    std::vector<const Told*> told{&beside.run(nap("600")), &beside.run(echo("never")),
                                  &beside.run(divide("3"))};
    co_await test::pause(100ms);
    test::query("SELECT pg_terminate_backend(" + std::string(pid.text(0, 0)) + ")");
    co_await beside.all_ended();
    for (const Told* one : told) {
      REQUIRE(one->error);
      CHECK(one->error->kind() == ErrorKind::connection);
    }
  });
}

}  // namespace
}  // namespace socialsync::pg
