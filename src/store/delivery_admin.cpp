#include "store/delivery_admin.hpp"

#include <utility>

namespace socialsync::store {
namespace {

// Takes parameters 1 to 6.
const std::string filtered_deliveries = R"(
FROM public.webhook_deliveries AS d
WHERE ($1::uuid IS NULL OR d.event_id = $1) AND ($2::uuid IS NULL OR d.endpoint_id = $2)
  AND ($3::uuid IS NULL OR d.endpoint_id IN (SELECT id FROM public.webhook_endpoints WHERE social_account_id = $3))
  AND ($4::boolean IS NULL OR (d.due_at = 'infinity') = $4)
  AND ($5::timestamptz IS NULL OR d.created_at >= $5) AND ($6::timestamptz IS NULL OR d.created_at < $6)
)";

constexpr Column<OutboxRow> all_outbox_columns[] = {
    {"event_id", &OutboxRow::event_id, "p.event_id"},
    {"endpoint_id", &OutboxRow::endpoint_id, "p.endpoint_id"},
    {"url", &OutboxRow::url, "e.url"},
    {"webhook_type", &OutboxRow::type, "l.webhook_type"},
    {"status", &OutboxRow::status, "CASE WHEN p.due_at < 'infinity' THEN 'pending' ELSE 'dead' END"},
    utc<OutboxRow>({"due_at", &OutboxRow::due_at, "(CASE WHEN p.due_at < 'infinity' THEN p.due_at END)"}),
    {"is_due", &OutboxRow::is_due, "p.due_at <= now()"},
    {"attempts", &OutboxRow::attempts, "p.attempts"},
    utc<OutboxRow>({"created_at", &OutboxRow::created_at, "p.created_at"}),
    {"is_endpoint_enabled", &OutboxRow::is_enabled, "coalesce(e.is_enabled, true)"},
};

constexpr Column<PastAttempt> all_attempt_columns[] = {
    utc<PastAttempt>({"attempted_at", &PastAttempt::attempted_at, "t.attempted_at"}, true),
    {"event_id", &PastAttempt::event_id, "t.event_id"},
    {"endpoint_id", &PastAttempt::endpoint_id, "t.endpoint_id"},
    {"url", &PastAttempt::url, "e.url"},
    {"attempt", &PastAttempt::attempt, "t.attempt"},
    {"http_status", &PastAttempt::http_status, "t.http_status"},
    {"took_ms", &PastAttempt::took_ms, "t.took_ms"},
    {"error", &PastAttempt::error, "t.error"},
    {"detail", &PastAttempt::detail, "t.detail"},
    {.name = "response_head",
     .member = &PastAttempt::response_head,
     .sql = "t.response_head",
     .is_bytes = true},
};

constexpr Column<DeliveredEvent> all_event_columns[] = {
    {"account_id", &DeliveredEvent::account_id, "social_account_id", "  account", "none: the app's own"},
    {"webhook_type", &DeliveredEvent::type, "webhook_type", "  type"},
    {"customer", &DeliveredEvent::customer, "customer_identifier", "  customer"},
    utc<DeliveredEvent>({"received_at", &DeliveredEvent::received_at, "created_at", "  received"}),
    {"status", &DeliveredEvent::status, "status", "  status"},
    {"processing_time_ms", &DeliveredEvent::took_ms, "processing_time_ms"},
    {"error_message", &DeliveredEvent::error, "error_message", "  error"},
};

// Parameters 7 and 8: the place to begin after, and the number of rows.
const std::string outbox_page = "WITH page AS (SELECT d.*" + filtered_deliveries + R"(
  AND ($7 = '' OR (d.event_id, d.endpoint_id) < (split_part($7, '/', 1)::uuid, split_part($7, '/', 2)::uuid))
  ORDER BY d.event_id DESC, d.endpoint_id DESC LIMIT $8::bigint)
)";

constexpr const char* outbox_tables = R"(
FROM page AS p LEFT JOIN public.webhook_endpoints AS e ON e.id = p.endpoint_id
     LEFT JOIN public.webhook_logs AS l ON l.id = p.event_id
ORDER BY p.event_id DESC, p.endpoint_id DESC)";

constexpr const char* attempts_page = R"(
FROM public.webhook_delivery_attempts AS t LEFT JOIN public.webhook_endpoints AS e ON e.id = t.endpoint_id
WHERE ($1::uuid IS NULL OR t.event_id = $1) AND ($2::uuid IS NULL OR t.endpoint_id = $2)
  AND ($3::uuid IS NULL OR e.social_account_id = $3) AND ($4::boolean IS NULL OR (t.error IS NULL) = $4)
  AND ($5::timestamptz IS NULL OR t.attempted_at >= $5) AND ($6::timestamptz IS NULL OR t.attempted_at < $6)
  AND ($7 = '' OR (t.attempted_at, t.event_id, t.endpoint_id)
                  < (split_part($7, '/', 1)::timestamptz, split_part($7, '/', 2)::uuid, split_part($7, '/', 3)::uuid))
ORDER BY t.attempted_at DESC, t.event_id DESC, t.endpoint_id DESC LIMIT $8::bigint)";

const std::string count_rows = "SELECT count(*)" + filtered_deliveries;

const std::string page_of_rows = "WITH page AS (SELECT d.event_id, d.endpoint_id" + filtered_deliveries + R"(
  AND ($7 = '' OR (d.event_id, d.endpoint_id) > (split_part($7, '/', 1)::uuid, split_part($7, '/', 2)::uuid))
  ORDER BY d.event_id, d.endpoint_id LIMIT $8::bigint FOR UPDATE),
)";

// Counts the changed rows; where the page was full, returns its last row.
constexpr const char* end_of_batch = R"(
SELECT (SELECT count(*) FROM changed),
       CASE WHEN (SELECT count(*) FROM page) = $8::bigint
            THEN (SELECT concat(event_id, '/', endpoint_id) FROM page ORDER BY event_id DESC, endpoint_id DESC LIMIT 1) END)";

const std::string retry_rows = page_of_rows + R"(
changed AS (
  -- A delivery that is due within a minute may be leased to a worker.
  UPDATE public.webhook_deliveries AS d SET due_at = now(), attempts = 0 FROM page
  WHERE d.event_id = page.event_id AND d.endpoint_id = page.endpoint_id
    AND NOT (d.due_at > now() AND d.due_at <= now() + interval '1 minute') RETURNING 1))" +
                               end_of_batch;

const std::string cancel_rows = page_of_rows + R"(
gone AS (
  DELETE FROM public.webhook_deliveries AS d USING page
  WHERE d.event_id = page.event_id AND d.endpoint_id = page.endpoint_id RETURNING d.*),
changed AS (
  INSERT INTO public.webhook_delivery_attempts (event_id, endpoint_id, attempt, took_ms, error)
  SELECT event_id, endpoint_id, attempts, 0, 'cancelled' FROM gone RETURNING 1))" +
                                end_of_batch;

constexpr const char* replay_rows = R"(
WITH page AS MATERIALIZED (
  SELECT id, created_at, social_account_id, user_id, webhook_type, status, customer_identifier
  FROM public.webhook_logs
  WHERE ($1::uuid IS NULL OR id = $1)
    AND ($2::uuid IS NULL OR social_account_id IS NOT DISTINCT FROM
                             (SELECT social_account_id FROM public.webhook_endpoints WHERE id = $2))
    AND ($3::uuid IS NULL OR social_account_id = $3) AND $4::boolean IS NULL
    AND ($5::timestamptz IS NULL OR created_at >= $5) AND ($6::timestamptz IS NULL OR created_at < $6)
    AND ($7 = '' OR (created_at, id) > (split_part($7, '/', 1)::timestamptz, split_part($7, '/', 2)::uuid))
  ORDER BY created_at, id LIMIT $8::bigint),
wanted AS MATERIALIZED (
  SELECT p.id AS event_id, e.id AS endpoint_id, p.created_at,
         CASE WHEN e.is_ordered THEN coalesce(p.customer_identifier, '') END AS customer
  FROM page AS p JOIN public.webhook_endpoints AS e ON e.social_account_id IS NOT DISTINCT FROM p.social_account_id
       LEFT JOIN public.social_accounts AS a ON a.id = p.social_account_id
  -- Events of a former owner of the account are not for the present one.
  WHERE (p.social_account_id IS NULL OR p.user_id = a.user_id) AND p.status IS DISTINCT FROM 'ignored' AND e.is_enabled
    AND ($2::uuid IS NULL OR e.id = $2)
    AND (e.webhook_events IS NULL OR p.webhook_type = ANY (e.webhook_events))
    AND NOT EXISTS (SELECT FROM public.webhook_deliveries AS d WHERE d.event_id = p.id AND d.endpoint_id = e.id)),
changed AS (
  INSERT INTO public.webhook_deliveries (event_id, endpoint_id, conversation, position)
  SELECT event_id, endpoint_id, hashtextextended(customer, 0),
         CASE WHEN customer IS NOT NULL THEN nextval('public.webhook_delivery_position') END
  FROM (SELECT * FROM wanted WHERE NOT $9::boolean ORDER BY created_at, event_id) AS in_order
  ON CONFLICT DO NOTHING RETURNING 1)
SELECT CASE WHEN $9::boolean THEN (SELECT count(*) FROM wanted) ELSE (SELECT count(*) FROM changed) END,
       CASE WHEN (SELECT count(*) FROM page) = $8::bigint
            THEN (SELECT concat(created_at, '/', id) FROM page ORDER BY created_at DESC, id DESC LIMIT 1) END)";

constexpr const char* notify = "SELECT pg_notify('socialsync_deliveries', '')";

void add(pg::Statement& statement, const std::optional<Uuid>& id) {
  id ? statement.with(to_string(*id)) : statement.with_null();
}

void add(pg::Statement& statement, const std::optional<bool>& flag) {
  flag ? statement.with(*flag ? "true" : "false") : statement.with_null();
}

void add(pg::Statement& statement, const std::optional<std::string>& time) {
  time ? statement.with(*time) : statement.with_null();
}

pg::Statement filtered(const char* name, const char* sql, const DeliveryFilter& filter) {
  pg::Statement statement{.name = name, .sql = sql};
  add(statement, filter.event);
  add(statement, filter.endpoint);
  add(statement, filter.account);
  add(statement, filter.is_dead_lettered);
  add(statement, filter.since);
  add(statement, filter.until);
  return statement;
}

boost::asio::awaitable<BatchDone> run_batch(pg::Connection& connection, pg::Statement change) {
  std::vector<pg::Statement> both;
  both.push_back(std::move(change));
  both.push_back({.name = "notify_deliveries", .sql = notify});
  const std::vector<pg::ResultSet> results = co_await connection.run(both);
  co_return BatchDone{.rows = results.front().number(0, 0), .last = std::string(results.front().text(0, 1))};
}

pg::Statement of_page(const char* name, const char* sql, const DeliveryFilter& filter,
                      const std::string& after, std::uint64_t rows_max) {
  pg::Statement statement = filtered(name, sql, filter);
  statement.with(after).with(std::to_string(rows_max));
  return statement;
}

}  // namespace

bool DeliveryFilter::is_everything() const {
  return !event && !endpoint && !account && !is_dead_lettered && !since && !until;
}

std::span<const Column<OutboxRow>> outbox_columns() { return all_outbox_columns; }
std::span<const Column<PastAttempt>> attempt_columns() { return all_attempt_columns; }
std::span<const Column<DeliveredEvent>> event_columns() { return all_event_columns; }

boost::asio::awaitable<std::vector<OutboxRow>> list_outbox(pg::Connection& connection,
                                                           const DeliveryFilter& filter,
                                                           const std::string& after, std::uint64_t rows_max) {
  static const std::string sql = outbox_page + select_list(outbox_columns()) + outbox_tables;
  pg::Statement select = of_page("select_outbox", sql.c_str(), filter, after, rows_max);
  select.binary_results = true;
  const pg::ResultSet rows = co_await connection.run(select);
  co_return read_rows(outbox_columns(), rows);
}

boost::asio::awaitable<std::vector<PastAttempt>> list_attempts(pg::Connection& connection,
                                                               const DeliveryFilter& filter,
                                                               std::optional<bool> is_delivered,
                                                               const std::string& after,
                                                               std::uint64_t rows_max) {
  static const std::string sql = select_list(attempt_columns()) + attempts_page;
  DeliveryFilter of_attempts = filter;
  of_attempts.is_dead_lettered = is_delivered;  // parameter 4
  pg::Statement select = of_page("select_attempts", sql.c_str(), of_attempts, after, rows_max);
  select.binary_results = true;
  const pg::ResultSet rows = co_await connection.run(select);
  co_return read_rows(attempt_columns(), rows);
}

boost::asio::awaitable<std::optional<DeliveredEvent>> find_delivered_event(pg::Connection& connection,
                                                                           const Uuid& id) {
  static const std::string sql =
      select_list(event_columns()) + " FROM public.webhook_logs WHERE id = $1::uuid";
  pg::Statement select{.name = "select_delivered_event", .sql = sql.c_str()};
  select.with(to_string(id)).binary_results = true;
  const pg::ResultSet rows = co_await connection.run(select);
  if (rows.rows() == 0) co_return std::nullopt;
  co_return read_row(event_columns(), rows, 0);
}

boost::asio::awaitable<std::uint64_t> count_outbox(pg::Connection& connection, const DeliveryFilter& filter) {
  const pg::Statement select = filtered("count_outbox", count_rows.c_str(), filter);
  const pg::ResultSet rows = co_await connection.run(select);
  co_return rows.number(0, 0);
}

boost::asio::awaitable<BatchDone> retry_batch(pg::Connection& connection, const DeliveryFilter& filter,
                                              const std::string& after, std::uint64_t rows_max) {
  pg::Statement statement = of_page("retry_deliveries", retry_rows.c_str(), filter, after, rows_max);
  const BatchDone done = co_await run_batch(connection, std::move(statement));
  co_return done;
}

boost::asio::awaitable<BatchDone> cancel_batch(pg::Connection& connection, const DeliveryFilter& filter,
                                               const std::string& after, std::uint64_t rows_max) {
  pg::Statement statement = of_page("cancel_deliveries", cancel_rows.c_str(), filter, after, rows_max);
  const BatchDone done = co_await run_batch(connection, std::move(statement));
  co_return done;
}

boost::asio::awaitable<BatchDone> replay_batch(pg::Connection& connection, const DeliveryFilter& filter,
                                               const std::string& after, std::uint64_t rows_max,
                                               bool is_preview) {
  pg::Statement statement = of_page("replay_events", replay_rows, filter, after, rows_max);
  statement.with(is_preview ? "true" : "false");
  const BatchDone done = co_await run_batch(connection, std::move(statement));
  co_return done;
}

}  // namespace socialsync::store
