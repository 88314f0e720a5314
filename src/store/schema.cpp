#include "store/schema.hpp"

#include <utility>

#include <fmt/core.h>

namespace socialsync::store {
namespace {

// "local" and the replicated modes are durable already, and the operator's choice. Generic plans are forced,
// because planning some statements for each batch costs more than writing its rows. Times are read and passed
// back as positions in an order: styles other than ISO abbreviate zones ambiguously.
constexpr const char* set_session = R"(
SELECT CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', false) END,
       set_config('plan_cache_mode', 'force_generic_plan', false),
       set_config('client_connection_check_interval', '2s', false),
       set_config('search_path', 'public, pg_temp', false),
       set_config('datestyle', 'ISO', false),
       set_config('lock_timeout', coalesce($1, current_setting('lock_timeout')), false))";

constexpr const char* set_plans_by_keys = R"(
SELECT set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false), set_config('enable_bitmapscan', 'off', false),
       set_config('jit', 'off', false))";

constexpr const char* select_migrated = R"(
SELECT to_regclass('public.webhook_logs') IS NOT NULL
   AND to_regclass('public.webhook_quarantine') IS NOT NULL
   AND to_regclass('socialsync.webhook_event_keys') IS NOT NULL
   AND to_regclass('public.webhook_endpoints') IS NOT NULL
   AND to_regclass('public.webhook_deliveries') IS NOT NULL
   AND to_regclass('public.webhook_delivery_attempts') IS NOT NULL
   AND to_regprocedure('socialsync.maintain_partitions(integer, integer)') IS NOT NULL
   AND to_regprocedure('socialsync.record_endpoint_news(uuid, boolean, smallint, text)') IS NOT NULL
   AND EXISTS (SELECT FROM pg_attribute
               WHERE attrelid = to_regclass('public.social_accounts') AND attname = 'webhook_metadata')
   AND EXISTS (SELECT FROM pg_trigger
               WHERE tgrelid = to_regclass('public.social_accounts') AND tgname = 'socialsync_accounts_changed')
   AND EXISTS (SELECT FROM pg_trigger
               WHERE tgrelid = to_regclass('public.webhook_endpoints') AND tgname = 'socialsync_endpoints_changed')
   AND 4 = (SELECT count(*) FROM pg_class
            WHERE relrowsecurity AND oid IN (to_regclass('public.social_accounts'),
                                             to_regclass('public.webhook_logs'),
                                             to_regclass('public.webhook_quarantine'),
                                             to_regclass('public.webhook_endpoints')))
   AND 2 = (SELECT count(*) FROM pg_index
            WHERE indisvalid AND indisunique
              AND indexrelid IN (to_regclass('public.idx_social_accounts_phone_number_id'),
                                 to_regclass('public.idx_social_accounts_page_id'))))";

constexpr const char* select_writable =
    "SELECT NOT pg_is_in_recovery() AND NOT current_setting('transaction_read_only')::boolean";

constexpr const char* select_superuser =
    "SELECT coalesce((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false)";

constexpr const char* call_maintain_partitions =
    "SELECT action, partition FROM socialsync.maintain_partitions(retention_days => $1::integer)";

boost::asio::awaitable<bool> ask(pg::Connection& connection, const pg::Statement& question) {
  const pg::ResultSet answer = co_await connection.run(question);
  co_return answer.text(0, 0) == "t";
}

}  // namespace

boost::asio::awaitable<void> prepare_session(pg::Connection& connection,
                                             std::optional<std::chrono::milliseconds> lock_timeout) {
  pg::Statement statement{.name = "set_session", .sql = set_session};
  if (lock_timeout) {
    statement.with(std::to_string(lock_timeout->count()));
  } else {
    statement.with_null();
  }
  co_await connection.run(statement);
}

boost::asio::awaitable<void> plan_by_values(pg::Connection& connection) {
  const pg::Statement statement{.name = "plan_by_values", .sql = "SET plan_cache_mode = force_custom_plan"};
  co_await connection.run(statement);
}

boost::asio::awaitable<void> plan_by_keys(pg::Connection& connection) {
  const pg::Statement statement{.name = "plan_by_keys", .sql = set_plans_by_keys};
  co_await connection.run(statement);
}

boost::asio::awaitable<bool> is_migrated(pg::Connection& connection) {
  const pg::Statement question{.name = "select_migrated", .sql = select_migrated};
  co_return co_await ask(connection, question);
}

boost::asio::awaitable<bool> is_writable(pg::Connection& connection) {
  const pg::Statement question{.name = "select_writable", .sql = select_writable};
  co_return co_await ask(connection, question);
}

boost::asio::awaitable<bool> is_superuser(pg::Connection& connection) {
  const pg::Statement question{.name = "select_superuser", .sql = select_superuser};
  co_return co_await ask(connection, question);
}

boost::asio::awaitable<std::vector<std::string>> maintain_partitions(pg::Connection& connection,
                                                                     std::optional<int> retention_days) {
  pg::Statement statement{.name = "maintain_partitions", .sql = call_maintain_partitions};
  if (retention_days) {
    statement.with(std::to_string(*retention_days));
  } else {
    statement.with_null();
  }
  const pg::ResultSet rows = co_await connection.run(statement);
  std::vector<std::string> done;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    done.push_back(fmt::format("{} {}", rows.text(row, 0), rows.text(row, 1)));
  co_return done;
}

}  // namespace socialsync::store
