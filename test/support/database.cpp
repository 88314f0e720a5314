#include "support/database.hpp"

#include <cstdlib>
#include <stdexcept>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

namespace socialsync::test {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::seconds patience{10};

asio::awaitable<std::vector<std::string>> query_over_own_connection(std::string sql) {
  const std::unique_ptr<pg::Connection> connection = co_await connect();
  const pg::Statement statement{.name = "query", .sql = sql.c_str()};
  const pg::ResultSet rows = co_await connection->run(statement);
  std::vector<std::string> values;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    values.emplace_back(rows.is_null(row, 0) ? "NULL" : rows.text(row, 0));
  co_return values;
}

}  // namespace

pg::ConnectionOptions database_options() {
  const char* dsn = std::getenv("SOCIALSYNC_TEST_DSN");
  if (!dsn) throw std::runtime_error("SOCIALSYNC_TEST_DSN is not set: see test/support/cluster.py");
  return {{"dbname", dsn}};
}

asio::awaitable<std::unique_ptr<pg::Connection>> connect() {
  auto connection = co_await pg::Connection::open(database_options());
  co_return connection;
}

std::vector<std::string> query(const std::string& sql) { return run(query_over_own_connection(sql)); }

void clear_database() {
  query(
      "TRUNCATE public.users, public.social_accounts, public.webhook_logs, public.webhook_quarantine, "
      "public.webhook_endpoints, public.webhook_deliveries, public.webhook_delivery_attempts, "
      "socialsync.webhook_event_keys");
}

AccountIds insert_account(const std::string& platform,
                          const std::vector<std::pair<std::string, std::string>>& columns) {
  std::string names;
  std::string values;
  for (const auto& [name, value] : columns) {
    names += ", " + name;
    values += ", " + value;
  }
  const std::string ids =
      query(fmt::format("WITH owner AS (INSERT INTO public.users (email) VALUES (gen_random_uuid()::text) "
                        "RETURNING id) "
                        "INSERT INTO public.social_accounts (platform, account_id, username, user_id{}) "
                        "SELECT '{}', gen_random_uuid()::text, 'name', owner.id{} FROM owner RETURNING id || "
                        "',' || user_id",
                        names, platform, values))
          .front();
  return {*parse_uuid(ids.substr(0, 36)), *parse_uuid(ids.substr(37))};
}

asio::awaitable<void> pause(std::chrono::milliseconds duration) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<bool> until(std::function<bool()> condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) co_return false;
    co_await pause(std::chrono::milliseconds(5));
  }
  co_return true;
}

}  // namespace socialsync::test
