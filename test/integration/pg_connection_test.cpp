#include <optional>
#include <string>

#include <boost/asio/detached.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <doctest/doctest.h>

#include "net/within.hpp"
#include "pg/connection.hpp"
#include "pg/options.hpp"
#include "support/database.hpp"

namespace socialsync::pg {
namespace {

using namespace std::chrono_literals;
using Story = asio::awaitable<void> (*)(Connection& connection);

asio::awaitable<void> tell(Story story) {
  const std::unique_ptr<Connection> connection = co_await test::connect();
  co_await story(*connection);
}

// Runs the story over a connection that is only for it.
void with_connection(Story story) { test::run(tell(story)); }

// The statement's error; nothing when it has none.
asio::awaitable<std::optional<Error>> error_of(Connection& connection, std::span<const Statement> batch) {
  std::optional<Error> failure;
  try {
    co_await connection.run(batch);
  } catch (const Error& error) {
    failure = error;
  }
  co_return failure;
}

asio::awaitable<std::string> value_of(Connection& connection, Statement statement) {
  const ResultSet rows = co_await connection.run(statement);
  REQUIRE(rows.rows() == 1);
  co_return std::string(rows.text(0, 0));
}

Statement echo(std::string text) {
  Statement statement{.name = "echo", .sql = "SELECT $1::text"};
  return statement.with(std::move(text));
}

Statement divide(std::string by) {
  Statement statement{.name = "divide", .sql = "SELECT 12 / $1::integer"};
  return statement.with(std::move(by));
}

const Statement make_table{.name = "make_table", .sql = "CREATE TEMPORARY TABLE t (v integer)"};
const Statement insert_one{.name = "insert_one", .sql = "INSERT INTO t VALUES (1)"};
const Statement count_rows{.name = "count_rows", .sql = "SELECT count(*) FROM t"};

TEST_CASE("pg connection: results come in the order of their statements") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    std::vector<Statement> batch;
    for (int i = 0; i < 500; ++i) batch.push_back(echo(std::to_string(i)));
    const std::vector<ResultSet> results = co_await connection.run(batch);
    REQUIRE(results.size() == 500);
    for (std::size_t i = 0; i < results.size(); ++i) CHECK(results[i].text(0, 0) == std::to_string(i));
    const std::vector<ResultSet> none = co_await connection.run(std::span<const Statement>());
    CHECK(none.empty());
  });
}

TEST_CASE("pg connection: rows, nulls and affected rows") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    co_await connection.run(make_table);
    const Statement insert{.name = "insert", .sql = "INSERT INTO t VALUES (1), (NULL), (3)"};
    const ResultSet inserted = co_await connection.run(insert);
    CHECK(inserted.affected() == 3);
    CHECK(inserted.rows() == 0);
    const Statement select{.name = "select", .sql = "SELECT v, '' FROM t"};
    const ResultSet rows = co_await connection.run(select);
    REQUIRE(rows.rows() == 3);
    CHECK(rows.text(0, 0) == "1");
    CHECK(rows.is_null(1, 0));
    CHECK(rows.text(1, 0) == "");
    CHECK_FALSE(rows.is_null(1, 1));
    CHECK(rows.text(2, 0) == "3");
  });
}

TEST_CASE("pg connection: null, empty and binary parameters") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    Statement texts{.name = "texts", .sql = "SELECT $1::text IS NULL, $2::text = ''"};
    texts.with_null().with("");
    const ResultSet answer = co_await connection.run(texts);
    CHECK(answer.text(0, 0) == "t");
    CHECK(answer.text(0, 1) == "t");

    const std::string bytes("\0\xff{,\"}\\\0", 8);
    Array blobs(Type::bytea);
    blobs.add(bytes);
    blobs.add_null();
    Statement unnest{.name = "unnest", .sql = "SELECT unnest($1::bytea[])", .binary_results = true};
    unnest.with(std::move(blobs));
    const ResultSet rows = co_await connection.run(unnest);
    REQUIRE(rows.rows() == 2);
    CHECK(rows.text(0, 0) == bytes);
    CHECK(rows.is_null(1, 0));
  });
}

TEST_CASE("pg connection: arrays of every type arrive as they were") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    Array ids(Type::uuid), texts(Type::text), documents(Type::jsonb), times(Type::timestamptz),
        none(Type::text);
    ids.add(*parse_uuid("00112233-4455-6677-8899-aabbccddeeff"));
    texts.add("é,{}\"NULL\"");
    documents.add_jsonb(R"({"a":[1,"é"]})");
    times.add_timestamp(1'760'000'000'123);
    Statement statement{.name = "arrays",
                        .sql =
                            "SELECT ($1::uuid[])[1], ($2::text[])[1], ($3::jsonb[])[1] #>> '{a,1}', "
                            "extract(epoch FROM ($4::timestamptz[])[1]), $5::text[]"};
    statement.with(std::move(ids)).with(std::move(texts)).with(std::move(documents));
    statement.with(std::move(times)).with(std::move(none));
    const ResultSet row = co_await connection.run(statement);
    CHECK(row.text(0, 0) == "00112233-4455-6677-8899-aabbccddeeff");
    CHECK(row.text(0, 1) == "é,{}\"NULL\"");
    CHECK(row.text(0, 2) == "é");
    CHECK(row.text(0, 3) == "1760000000.123000");
    CHECK(row.text(0, 4) == "{}");
  });
}

TEST_CASE("pg connection: an error in the middle undoes the whole pipeline") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    co_await connection.run(make_table);
    const std::vector<Statement> batch{insert_one, divide("0"), insert_one};
    const std::optional<Error> error = co_await error_of(connection, batch);
    REQUIRE(error);
    CHECK(error->sqlstate() == "22012");
    CHECK(error->kind() == ErrorKind::data);
    CHECK(std::string(error->what()) == "division by zero");
    const std::string count = co_await value_of(connection, count_rows);
    CHECK(count == "0");
  });
}

TEST_CASE("pg connection: of several errors the first is told") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const std::vector<Statement> batch{divide("zero"), divide("0")};
    const std::optional<Error> error = co_await error_of(connection, batch);
    REQUIRE(error);
    CHECK(error->sqlstate() == "22P02");
  });
}

TEST_CASE("pg connection: a prepared statement works again after its error") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      const std::vector<Statement> bad{divide("0")};
      const std::optional<Error> error = co_await error_of(connection, bad);
      CHECK(error);
      const std::string four = co_await value_of(connection, divide("3"));
      CHECK(four == "4");
    }
  });
}

TEST_CASE("pg connection: a statement that could not be prepared is prepared again") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const std::vector<Statement> too_early{count_rows};
    const std::optional<Error> error = co_await error_of(connection, too_early);
    REQUIRE(error);
    CHECK(error->sqlstate() == "42P01");
    CHECK(error->kind() == ErrorKind::other);
    co_await connection.run(make_table);
    const std::string count = co_await value_of(connection, count_rows);
    CHECK(count == "0");
  });
}

TEST_CASE("pg connection: what an error has skipped is prepared the next time") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    co_await connection.run(make_table);
    const std::vector<Statement> batch{divide("0"), insert_one, count_rows};
    const std::optional<Error> error = co_await error_of(connection, batch);
    CHECK(error);
    const std::vector<Statement> again{divide("1"), insert_one, count_rows};
    const std::vector<ResultSet> results = co_await connection.run(again);
    CHECK(results.back().text(0, 0) == "1");
  });
}

TEST_CASE("pg connection: what is much larger than every buffer goes both ways") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const std::string large(50'000'000, 'x');
    const std::string back = co_await value_of(connection, echo(large));
    CHECK((back == large));
  });
}

TEST_CASE("pg connection: many large statements in one pipeline do not block each other") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    std::vector<Statement> batch;
    for (char c = 'a'; c < 'k'; ++c) batch.push_back(echo(std::string(5'000'000, c)));
    const std::vector<ResultSet> results = co_await connection.run(batch);
    REQUIRE(results.size() == batch.size());
    for (std::size_t i = 0; i < batch.size(); ++i)
      CHECK((results[i].text(0, 0) == *batch[i].parameters[0].value));
  });
}

TEST_CASE("pg connection: waits for notifications, and swallows all that are there") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const Statement listen{.name = "listen", .sql = "LISTEN pg_connection_test"};
    co_await connection.run(listen);
    bool any = co_await connection.notified(30ms);
    CHECK_FALSE(any);
    test::query("SELECT pg_notify('pg_connection_test', n::text) FROM generate_series(1, 3) n");
    any = co_await connection.notified(5s);
    CHECK(any);
    any = co_await connection.notified(30ms);
    CHECK_FALSE(any);
    const std::string still_good = co_await value_of(connection, echo("good"));
    CHECK(still_good == "good");
  });
}

TEST_CASE("pg connection: a notification that came with other answers is not lost") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const Statement listen{.name = "listen", .sql = "LISTEN pg_connection_test"};
    co_await connection.run(listen);
    test::query("NOTIFY pg_connection_test");
    co_await value_of(connection, echo("meanwhile"));
    const bool any = co_await connection.notified(0ms);
    CHECK(any);
  });
}

TEST_CASE("pg connection: other channels' notifications are none of ours") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const Statement listen{.name = "listen", .sql = "LISTEN pg_connection_test"};
    co_await connection.run(listen);
    test::query("NOTIFY another_channel");
    const bool any = co_await connection.notified(50ms);
    CHECK_FALSE(any);
  });
}

TEST_CASE("pg connection: knows the server's version") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    CHECK(connection.server_version() >= 140'000);
    co_return;
  });
}

std::optional<Error> refusal_of(ConnectionOptions options) {
  try {
    test::run(Connection::open(std::move(options)));
  } catch (const Error& error) {
    return error;
  }
  return std::nullopt;
}

TEST_CASE("pg connection: a server that is not there is a lost connection") {
  ConnectionOptions elsewhere = test::database_options();
  elsewhere.insert(elsewhere.end(), {{"host", "/nonexistent"}, {"password", "hunter2"}});
  for (const ConnectionOptions& options :
       {elsewhere, ConnectionOptions{{"host", "127.0.0.1"}, {"port", "1"}, {"password", "hunter2"}}}) {
    const auto error = refusal_of(options);
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::connection);
    CHECK(std::string_view(error->what()).find("hunter2") == std::string_view::npos);
  }
}

TEST_CASE("pg connection: a database that is not there, and options that mean nothing") {
  ConnectionOptions options = test::database_options();
  options.emplace_back("dbname", "there_is_no_such_database");
  const auto error = refusal_of(options);
  REQUIRE(error);
  CHECK(std::string_view(error->what()).find("does not exist") != std::string_view::npos);
  CHECK(refusal_of({{"no_such_keyword", "1"}}));
}

// Once the other connection sleeps in a statement.
asio::awaitable<void> terminate_sleeper(std::string pid) {
  const std::string is_asleep =
      "SELECT state = 'active' AND wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = ";
  auto waiting = test::until([&] { return test::query(is_asleep + pid).front() == "t"; });
  const bool asleep = co_await std::move(waiting);
  REQUIRE(asleep);
  test::query("SELECT pg_terminate_backend(" + pid + ")");
}

const Statement own_pid{.name = "own_pid", .sql = "SELECT pg_backend_pid()"};
const Statement sleep_long{.name = "sleep_long", .sql = "SELECT pg_sleep(600)"};

TEST_CASE("pg connection: a server process that ends in a statement is a lost connection") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    std::string pid = co_await value_of(connection, own_pid);
    asio::co_spawn(executor, terminate_sleeper(std::move(pid)), asio::detached);
    const std::vector<Statement> batch{sleep_long, echo("never")};
    const std::optional<Error> error = co_await error_of(connection, batch);
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::connection);
    CHECK(error->sqlstate() == "57P01");
  });
}

TEST_CASE("pg connection: an ended server process is a lost connection") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const std::string pid = co_await value_of(connection, own_pid);
    test::query("SELECT pg_terminate_backend(" + pid + ", 5000)");
    const std::vector<Statement> batch{echo("too late")};
    const std::optional<Error> error = co_await error_of(connection, batch);
    REQUIRE(error);
    CHECK(error->kind() == ErrorKind::connection);
  });
}

TEST_CASE("pg connection: so it is while waiting for notifications") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const std::string pid = co_await value_of(connection, own_pid);
    test::query("SELECT pg_terminate_backend(" + pid + ", 5000)");
    std::optional<ErrorKind> kind;
    try {
      co_await connection.notified(5s);
    } catch (const Error& error) {
      kind = error.kind();
    }
    CHECK(kind == ErrorKind::connection);
  });
}

TEST_CASE("pg connection: a statement may be cut off by a deadline") {
  with_connection([](Connection& connection) -> asio::awaitable<void> {
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<Statement> batch{sleep_long};
    boost::system::error_code code;
    try {
      auto work = connection.run(batch);
      co_await net::within(50ms, std::move(work));
    } catch (const boost::system::system_error& error) {
      code = error.code();
    }
    CHECK(code == asio::error::timed_out);
    CHECK(std::chrono::steady_clock::now() - begin < 60s);
  });
}

// The database of the tests, behind a host that refuses.
ConnectionOptions with_dead_host_first() {
  ConnectionOptions options = expanded(test::database_options());
  for (auto& [keyword, value] : options) {
    if (keyword == "host") value.insert(0, "127.0.0.1,");
    if (keyword == "port") value.insert(0, "1,");
  }
  return options;
}

asio::awaitable<void> connect_past_dead_host() {
  auto opening = Connection::open(with_dead_host_first());
  const std::unique_ptr<Connection> connection = co_await net::within(5s, std::move(opening));
  const std::string answer = co_await value_of(*connection, echo("here"));
  CHECK(answer == "here");
}

TEST_CASE("pg connection: the next host is tried when one refuses") { test::run(connect_past_dead_host()); }

}  // namespace
}  // namespace socialsync::pg
