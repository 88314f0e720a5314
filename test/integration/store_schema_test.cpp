#include <algorithm>
#include <string>

#include <doctest/doctest.h>

#include "store/schema.hpp"
#include "support/database.hpp"

namespace socialsync::store {
namespace {

namespace asio = boost::asio;
using Lines = std::vector<std::string>;

constexpr const char* count_partitions =
    "SELECT count(*) FROM pg_inherits WHERE inhparent = 'public.webhook_logs'::regclass";
constexpr const char* last_partition =
    "SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'public.webhook_logs'::regclass "
    "AND inhrelid::regclass::text LIKE '%_p20%'";

asio::awaitable<Lines> maintain_once(std::optional<int> retention_days) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  Lines lines = co_await maintain_partitions(*connection, retention_days);
  co_return lines;
}

Lines maintain(std::optional<int> retention_days = std::nullopt) {
  return test::run(maintain_once(retention_days));
}

TEST_CASE("schema: partitions are made where they are missing") {
  test::clear_database();
  maintain();
  CHECK(maintain().empty());
  const std::string count = test::query(count_partitions).front();
  const std::string last = test::query(last_partition).front();
  test::query("DROP TABLE " + last);
  CHECK(maintain() == Lines{"created " + last});
  CHECK(test::query(count_partitions).front() == count);
}

TEST_CASE("schema: retention drops partitions that are over as a whole, and nothing else") {
  test::clear_database();
  maintain();
  const std::string last = test::query(last_partition).front();
  const Lines done = maintain(1);
  CHECK_FALSE(done.empty());
  for (const std::string& line : done) CHECK(line.starts_with("dropped socialsync.webhook_logs_p20"));
  CHECK(test::query(last_partition).front() == last);
  CHECK(maintain(1).empty());
  const Lines again = maintain();
  CHECK(again.size() == done.size());
  for (const std::string& line : again) CHECK(line.starts_with("created socialsync.webhook_logs_p20"));
}

TEST_CASE("schema: days that mean nothing are refused") { CHECK_THROWS_AS(maintain(0), pg::Error); }

asio::awaitable<bool> answer(pg::ConnectionOptions options,
                             asio::awaitable<bool> (*question)(pg::Connection& connection)) {
  const std::unique_ptr<pg::Connection> connection = co_await pg::Connection::open(std::move(options));
  const bool yes = co_await question(*connection);
  co_return yes;
}

pg::ConnectionOptions with(const std::string& keyword, const std::string& value) {
  pg::ConnectionOptions options = test::database_options();
  options.emplace_back(keyword, value);
  return options;
}

TEST_CASE("schema: whether a database is migrated") {
  CHECK(test::run(answer(test::database_options(), is_migrated)));
  CHECK_FALSE(test::run(answer(with("dbname", "postgres"), is_migrated)));
}

TEST_CASE("schema: whether a database takes writes") {
  CHECK(test::run(answer(test::database_options(), is_writable)));
  CHECK_FALSE(test::run(answer(with("options", "-c default_transaction_read_only=on"), is_writable)));
}

asio::awaitable<std::string> commit_mode(pg::ConnectionOptions options) {
  const std::unique_ptr<pg::Connection> connection = co_await pg::Connection::open(std::move(options));
  co_await prepare_session(*connection);
  const pg::Statement show{.name = "show", .sql = "SHOW synchronous_commit"};
  const pg::ResultSet rows = co_await connection->run(show);
  co_return std::string(rows.text(0, 0));
}

TEST_CASE("schema: a commit is durable in the mode that the server is set to") {
  CHECK(test::run(commit_mode(with("options", "-c synchronous_commit=off"))) == "on");
  CHECK(test::run(commit_mode(with("options", "-c synchronous_commit=local"))) == "local");
  CHECK(test::run(commit_mode(test::database_options())) == "on");
}

}  // namespace
}  // namespace socialsync::store
