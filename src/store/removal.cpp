#include "store/removal.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace socialsync::store {
namespace {

// Runs before each batch, in its transaction, so that no other session waits for ours.
constexpr const char* set_lock_timeout = "SELECT set_config('lock_timeout', '2s', true)";

constexpr const char* switch_off =
    "UPDATE public.social_accounts SET is_active = false WHERE id = $1::uuid AND is_active IS NOT FALSE";

// The routing keys of the account's events in quarantine, without keys that another account has too, such as
// a shared WABA.
constexpr const char* select_own_keys = R"(
WITH keys AS (
  SELECT a.id, k.key
  FROM public.social_accounts AS a,
       LATERAL (SELECT a.phone_number_id::text WHERE a.platform::text LIKE 'whatsapp%'
                UNION SELECT a.webhook_metadata ->> 'waba_id' WHERE a.platform::text LIKE 'whatsapp%'
                UNION SELECT unnest(ARRAY[a.page_id, a.account_id]::text[]) WHERE a.platform::text NOT LIKE 'whatsapp%'
                UNION SELECT linked FROM jsonb_array_elements_text(
                  CASE WHEN jsonb_typeof(a.webhook_metadata -> 'ids') = 'array' AND a.platform::text NOT LIKE 'whatsapp%'
                       THEN a.webhook_metadata -> 'ids' ELSE '[]' END) AS linked) AS k (key)
  WHERE a.platform::text IN ('whatsapp', 'whatsapp_business', 'instagram', 'facebook') AND k.key <> '')
SELECT key FROM keys WHERE id = $1::uuid
EXCEPT SELECT key FROM keys WHERE id <> $1::uuid)";

// Identities are kept for eight days, so they are not searched for an older event.
constexpr const char* delete_logs = R"(
WITH gone AS (
  DELETE FROM public.webhook_logs
  WHERE id IN (SELECT id FROM public.webhook_logs WHERE social_account_id = $1::uuid LIMIT 2000)
  RETURNING id, created_at),
undelivered AS (
  DELETE FROM public.webhook_deliveries WHERE event_id IN (SELECT id FROM gone) RETURNING 1),
tried AS (
  DELETE FROM public.webhook_delivery_attempts WHERE event_id IN (SELECT id FROM gone) RETURNING 1),
recent AS MATERIALIZED (SELECT id FROM gone WHERE created_at IS NULL OR created_at > now() - interval '9 days'),
forgotten AS (
  DELETE FROM socialsync.webhook_event_keys WHERE log_id IN (SELECT id FROM recent) RETURNING 1)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM forgotten), (SELECT count(*) FROM undelivered),
       (SELECT count(*) FROM tried))";

constexpr const char* delete_quarantined_by_key = R"(
WITH gone AS (
  DELETE FROM public.webhook_quarantine
  WHERE id IN (SELECT id FROM public.webhook_quarantine WHERE routing_key = ANY ($1::text[]) LIMIT 500)
  RETURNING octet_length(body) AS bytes)
SELECT count(*), coalesce(sum(bytes), 0) FROM gone)";

constexpr const char* delete_account = "DELETE FROM public.social_accounts WHERE id = $1::uuid";

std::uint64_t number(const pg::ResultSet& rows, int column) {
  return std::stoull(std::string(rows.text(0, column)));
}

// Runs a statement in a transaction with a lock timeout, and returns its result.
boost::asio::awaitable<pg::ResultSet> run_briefly(pg::Connection& connection, pg::Statement statement) {
  std::vector<pg::Statement> both;
  both.push_back({.name = "set_lock_timeout", .sql = set_lock_timeout});
  both.push_back(std::move(statement));
  std::vector<pg::ResultSet> results = co_await connection.run(both);
  co_return std::move(results.back());
}

boost::asio::awaitable<void> remove_logs(pg::Connection& connection, std::string id,
                                         RemovedAccount& removed) {
  for (;;) {
    pg::Statement statement{.name = "delete_logs_of_account", .sql = delete_logs};
    statement.with(id);
    const pg::ResultSet gone = co_await run_briefly(connection, std::move(statement));
    removed.logs += number(gone, 0);
    removed.identity_keys += number(gone, 1);
    removed.deliveries += number(gone, 2);
    removed.attempts += number(gone, 3);
    if (number(gone, 0) == 0) co_return;
  }
}

boost::asio::awaitable<void> remove_quarantined(pg::Connection& connection, std::vector<std::string> keys,
                                                RemovedAccount& removed) {
  for (;;) {
    pg::Array array(pg::Type::text);
    for (const std::string& key : keys) array.add(std::string_view(key));
    pg::Statement statement{.name = "delete_quarantined_by_key", .sql = delete_quarantined_by_key};
    statement.with(std::move(array));
    const pg::ResultSet gone = co_await run_briefly(connection, std::move(statement));
    removed.quarantined += number(gone, 0);
    removed.quarantine_bytes += number(gone, 1);
    if (number(gone, 0) == 0) co_return;
  }
}

boost::asio::awaitable<std::vector<std::string>> own_keys(pg::Connection& connection, std::string id) {
  pg::Statement statement{.name = "select_own_keys", .sql = select_own_keys};
  statement.with(std::move(id));
  const pg::ResultSet rows = co_await connection.run(statement);
  std::vector<std::string> keys;
  for (std::size_t row = 0; row < rows.rows(); ++row) keys.emplace_back(rows.text(row, 0));
  co_return keys;
}

}  // namespace

boost::asio::awaitable<RemovedAccount> remove_account(pg::Connection& connection, Uuid id) {
  RemovedAccount removed;
  const std::string text = to_string(id);
  pg::Statement off{.name = "switch_account_off", .sql = switch_off};
  off.with(text);
  co_await run_briefly(connection, std::move(off));
  co_await remove_logs(connection, text, removed);
  std::vector<std::string> keys = co_await own_keys(connection, text);
  if (!keys.empty()) co_await remove_quarantined(connection, std::move(keys), removed);
  // Rows that a gateway has written since the account was deactivated.
  co_await remove_logs(connection, text, removed);
  pg::Statement last{.name = "delete_account", .sql = delete_account};
  last.with(text);
  const pg::ResultSet gone = co_await run_briefly(connection, std::move(last));
  removed.found = gone.affected() > 0;
  co_return removed;
}

}  // namespace socialsync::store
