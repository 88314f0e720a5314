#include "store/erasure.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.hpp"

namespace socialsync::store {
namespace {

constexpr const char* select_accounts_of = R"(
SELECT id, platform::text, coalesce(nullif(business_name, ''), nullif(display_name, ''), username),
       concat_ws(',', phone_number_id, page_id, account_id, webhook_metadata ->> 'waba_id',
                 CASE WHEN jsonb_typeof(webhook_metadata -> 'ids') = 'array'
                      THEN (SELECT string_agg(linked, ',')
                            FROM jsonb_array_elements_text(webhook_metadata -> 'ids') linked) END),
       regexp_replace(display_phone_number, '\D', '', 'g')
FROM public.social_accounts
WHERE id::text = $1 OR phone_number_id = $1 OR page_id = $1 ORDER BY id LIMIT 10)";

// Returns the rows of a page that contain a fragment.
const std::string naming_rows = R"(
  ORDER BY created_at, id LIMIT 2000),
texts AS (SELECT *, payload::text AS body FROM page OFFSET 0),
marked AS (
  SELECT *, body LIKE ANY ($4::text[]) OR coalesce(customer_identifier LIKE ANY ($4), false)
            OR coalesce(external_message_id LIKE ANY ($4), false) AS holds
  FROM texts OFFSET 0)
SELECT id, created_at::text, webhook_type, '', customer_identifier, external_message_id,
       CASE WHEN holds THEN body END, holds, NULL
FROM marked ORDER BY marked.created_at, id)";

const std::string events_of_account = R"(
WITH page AS MATERIALIZED (
  SELECT id, created_at, webhook_type, customer_identifier, external_message_id, payload FROM public.webhook_logs
  WHERE social_account_id = $1::uuid)";

const std::string select_naming_events = events_of_account + R"(
    AND created_at IS NOT NULL AND ($2::timestamptz IS NULL OR (created_at, id) > ($2, $3::uuid)))" +
                                         naming_rows;
const std::string select_undated_naming_events =
    events_of_account + " AND $2::timestamptz IS NULL AND created_at IS NULL AND id > $3::uuid" + naming_rows;

constexpr const char* select_naming_quarantined = R"(
WITH page AS MATERIALIZED (
  SELECT id, created_at, webhook_type, reason, routing_key, body FROM public.webhook_quarantine
  WHERE $1::timestamptz IS NULL OR (created_at, id) > ($1, $2::uuid)
  ORDER BY created_at, id LIMIT 2000),
texts AS (
  SELECT *, CASE WHEN routing_key IS NULL OR routing_key = ANY ($3::text[])
                 THEN encode(body, 'escape') LIKE ANY ($4::text[]) ELSE false END AS holds
  FROM page OFFSET 0)
SELECT id, created_at::text, webhook_type, reason, '', '', CASE WHEN holds THEN body END, holds, routing_key
FROM texts ORDER BY texts.created_at, id)";

// Deletes all that hangs on the events in `gone`. Identities are kept for eight days, so they are not
// searched for an older event.
const std::string delete_with_events = R"(,
undelivered AS (
  DELETE FROM public.webhook_deliveries WHERE event_id IN (SELECT id FROM gone) RETURNING 1),
tried AS (
  DELETE FROM public.webhook_delivery_attempts WHERE event_id IN (SELECT id FROM gone) RETURNING 1),
recent AS MATERIALIZED (SELECT id FROM gone WHERE created_at IS NULL OR created_at > now() - interval '9 days'),
forgotten AS (DELETE FROM socialsync.webhook_event_keys WHERE log_id IN (SELECT id FROM recent) RETURNING 1)
)";

const std::string delete_events = R"(
WITH gone AS (
  DELETE FROM public.webhook_logs WHERE id = ANY ($1::uuid[]) AND social_account_id = $2::uuid
  RETURNING id, created_at))" + delete_with_events +
                                  R"(
SELECT (SELECT count(*) FROM gone)::text, (SELECT count(*) FROM forgotten)::text,
       (SELECT count(*) FROM undelivered)::text, (SELECT count(*) FROM tried)::text)";

pg::Array array_of(const std::vector<std::string>& texts) {
  pg::Array array(pg::Type::text);
  for (const std::string& text : texts) array.add(std::string_view(text));
  return array;
}

// Returns %…% with LIKE's wildcards escaped.
pg::Array patterns_of(const std::vector<std::string>& fragments) {
  pg::Array array(pg::Type::text);
  for (const std::string& fragment : fragments) {
    std::string pattern = "%";
    for (const char character : fragment) {
      if (character == '%' || character == '_' || character == '\\') pattern += '\\';
      pattern += character;
    }
    pattern += '%';
    array.add(std::string_view(pattern));
  }
  return array;
}

void add_place(pg::Statement& statement, const std::optional<NamingPage>& after) {
  if (after) {
    statement.with(after->last_created_at).with(to_string(after->last_id));
  } else {
    statement.with_null().with_null();
  }
}

NamingPage page_of(const pg::ResultSet& rows) {
  NamingPage page{.looked_at = rows.rows()};
  const auto text = [&](std::size_t row, int column) { return std::string(rows.text(row, column)); };
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    page.last_id = rows.uuid(row, 0);
    page.last_created_at = text(row, 1);
    const bool holds = rows.text(row, 7) == std::string_view("\1", 1);
    if (!holds) continue;
    page.rows.push_back({.id = rows.uuid(row, 0),
                         .created_at = text(row, 1),
                         .type = text(row, 2),
                         .reason = text(row, 3),
                         .routing_key = text(row, 8),
                         .customer = text(row, 4),
                         .external_id = text(row, 5),
                         .body = text(row, 6)});
  }
  return page;
}

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

const std::string delete_logs = R"(
WITH gone AS (
  DELETE FROM public.webhook_logs
  WHERE id IN (SELECT id FROM public.webhook_logs WHERE social_account_id = $1::uuid LIMIT 2000)
  RETURNING id, created_at))" + delete_with_events +
                                R"(
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
    pg::Statement statement{.name = "delete_logs_of_account", .sql = delete_logs.c_str()};
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

boost::asio::awaitable<std::vector<CustomersAccount>> find_customers_accounts(pg::Connection& connection,
                                                                              std::string text) {
  pg::Statement statement{.name = "select_accounts_of", .sql = select_accounts_of};
  statement.with(std::move(text)).binary_results = true;
  const pg::ResultSet rows = co_await connection.run(statement);
  std::vector<CustomersAccount> accounts;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    accounts.push_back({.id = rows.uuid(row, 0),
                        .platform = std::string(rows.text(row, 1)),
                        .name = std::string(rows.text(row, 2)),
                        .keys = split_list(rows.text(row, 3)),
                        .number = std::string(rows.text(row, 4))});
  co_return accounts;
}

boost::asio::awaitable<NamingPage> find_naming_events(pg::Connection& connection, const Uuid& account,
                                                      const std::vector<std::string>& fragments,
                                                      const std::optional<NamingPage>& after) {
  const bool is_undated = after && after->is_undated;
  if (!is_undated) {
    pg::Statement dated{.name = "select_naming_events", .sql = select_naming_events.c_str()};
    dated.with(to_string(account));
    add_place(dated, after);
    dated.with(patterns_of(fragments)).binary_results = true;
    const pg::ResultSet rows = co_await connection.run(dated);
    if (rows.rows() > 0) co_return page_of(rows);
  }
  pg::Statement undated{.name = "select_undated_naming_events", .sql = select_undated_naming_events.c_str()};
  undated.with(to_string(account)).with_null().with(to_string(is_undated ? after->last_id : Uuid()));
  undated.with(patterns_of(fragments)).binary_results = true;
  const pg::ResultSet rows = co_await connection.run(undated);
  NamingPage page = page_of(rows);
  page.is_undated = true;
  co_return page;
}

boost::asio::awaitable<NamingPage> find_naming_quarantined(pg::Connection& connection,
                                                           const std::vector<std::string>& keys,
                                                           const std::vector<std::string>& fragments,
                                                           const std::optional<NamingPage>& after) {
  pg::Statement statement{.name = "select_naming_quarantined", .sql = select_naming_quarantined};
  add_place(statement, after);
  statement.with(array_of(keys)).with(patterns_of(fragments)).binary_results = true;
  const pg::ResultSet rows = co_await connection.run(statement);
  co_return page_of(rows);
}

boost::asio::awaitable<ErasedEvents> erase_events(pg::Connection& connection, const Uuid& account,
                                                  std::span<const Uuid> ids) {
  pg::Array array(pg::Type::uuid);
  for (const Uuid& id : ids) array.add(id);
  pg::Statement statement{.name = "delete_events", .sql = delete_events.c_str()};
  statement.with(std::move(array)).with(to_string(account));
  const pg::ResultSet rows = co_await connection.run(statement);
  co_return ErasedEvents{.events = std::stoull(std::string(rows.text(0, 0))),
                         .identity_keys = std::stoull(std::string(rows.text(0, 1))),
                         .deliveries = std::stoull(std::string(rows.text(0, 2))),
                         .attempts = std::stoull(std::string(rows.text(0, 3)))};
}

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
