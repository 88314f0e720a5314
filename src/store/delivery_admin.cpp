#include "store/delivery_admin.hpp"

#include <utility>

namespace socialsync::store {
namespace {

// Parameters 1 to 6 of each statement that has it.
const std::string filtered_deliveries = R"(
FROM public.webhook_deliveries AS d
WHERE ($1::uuid IS NULL OR d.event_id = $1) AND ($2::uuid IS NULL OR d.endpoint_id = $2)
  AND ($3::uuid IS NULL OR d.endpoint_id IN (SELECT id FROM public.webhook_endpoints WHERE social_account_id = $3))
  AND ($4::boolean IS NULL OR (d.due_at = 'infinity') = $4)
  AND ($5::timestamptz IS NULL OR d.created_at >= $5) AND ($6::timestamptz IS NULL OR d.created_at < $6)
)";

const std::string select_outbox = R"(
WITH page AS (SELECT d.*)" + filtered_deliveries +
                                  R"(
  AND ($7 = '' OR (d.event_id, d.endpoint_id) < (split_part($7, '/', 1)::uuid, split_part($7, '/', 2)::uuid))
  ORDER BY d.event_id DESC, d.endpoint_id DESC LIMIT $8::bigint)
SELECT p.event_id, p.endpoint_id, e.url, l.webhook_type,
       CASE WHEN p.due_at < 'infinity' THEN to_char(p.due_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END,
       (p.due_at <= now())::text, p.attempts::text,
       to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), coalesce(e.is_enabled, true)::text
FROM page AS p LEFT JOIN public.webhook_endpoints AS e ON e.id = p.endpoint_id
     LEFT JOIN public.webhook_logs AS l ON l.id = p.event_id
ORDER BY p.event_id DESC, p.endpoint_id DESC)";

constexpr const char* select_attempts = R"(
SELECT to_char(t.attempted_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), t.event_id, t.endpoint_id, e.url,
       t.attempt::text, t.http_status::text, t.took_ms::text, t.error, t.detail, t.response_head
FROM public.webhook_delivery_attempts AS t LEFT JOIN public.webhook_endpoints AS e ON e.id = t.endpoint_id
WHERE ($1::uuid IS NULL OR t.event_id = $1) AND ($2::uuid IS NULL OR t.endpoint_id = $2)
  AND ($3::uuid IS NULL OR e.social_account_id = $3) AND ($4::boolean IS NULL OR (t.error IS NULL) = $4)
  AND ($5::timestamptz IS NULL OR t.attempted_at >= $5) AND ($6::timestamptz IS NULL OR t.attempted_at < $6)
  AND ($7 = '' OR (t.attempted_at, t.event_id, t.endpoint_id)
                  < (split_part($7, '/', 1)::timestamptz, split_part($7, '/', 2)::uuid, split_part($7, '/', 3)::uuid))
ORDER BY t.attempted_at DESC, t.event_id DESC, t.endpoint_id DESC LIMIT $8::bigint)";

constexpr const char* select_event = R"(
SELECT social_account_id::text, webhook_type, customer_identifier,
       to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), status, processing_time_ms::text, error_message
FROM public.webhook_logs WHERE id = $1::uuid)";

const std::string count_rows = "SELECT count(*)" + filtered_deliveries;

const std::string page_of_rows = "WITH page AS (SELECT d.event_id, d.endpoint_id" + filtered_deliveries + R"(
  AND ($7 = '' OR (d.event_id, d.endpoint_id) > (split_part($7, '/', 1)::uuid, split_part($7, '/', 2)::uuid))
  ORDER BY d.event_id, d.endpoint_id LIMIT $8::bigint FOR UPDATE),
)";

// What changed, and the last of the page where it was full.
constexpr const char* end_of_batch = R"(
SELECT (SELECT count(*) FROM changed),
       CASE WHEN (SELECT count(*) FROM page) = $8::bigint
            THEN (SELECT concat(event_id, '/', endpoint_id) FROM page ORDER BY event_id DESC, endpoint_id DESC LIMIT 1) END)";

const std::string retry_rows = page_of_rows + R"(
changed AS (
  -- What is due within a minute is in somebody's hands, or soon will be.
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
  -- What came for a former owner of the account is not for the present one.
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
  add(statement, filter.is_dead);
  add(statement, filter.since);
  add(statement, filter.until);
  return statement;
}

std::uint64_t number_at(const pg::ResultSet& rows, std::size_t row, int column) {
  return std::stoull(std::string(rows.text(row, column)));
}

boost::asio::awaitable<BatchDone> run_batch(pg::Connection& connection, pg::Statement change) {
  std::vector<pg::Statement> both;
  both.push_back(std::move(change));
  both.push_back({.name = "notify_deliveries", .sql = notify});
  const std::vector<pg::ResultSet> results = co_await connection.run(both);
  co_return BatchDone{.rows = number_at(results.front(), 0, 0),
                      .last = std::string(results.front().text(0, 1))};
}

pg::Statement of_page(const char* name, const char* sql, const DeliveryFilter& filter,
                      const std::string& after, std::uint64_t rows_max) {
  pg::Statement statement = filtered(name, sql, filter);
  statement.with(after).with(std::to_string(rows_max));
  return statement;
}

}  // namespace

bool DeliveryFilter::is_everything() const {
  return !event && !endpoint && !account && !is_dead && !since && !until;
}

boost::asio::awaitable<std::vector<OutboxRow>> list_outbox(pg::Connection& connection,
                                                           const DeliveryFilter& filter,
                                                           const std::string& after, std::uint64_t rows_max) {
  pg::Statement select = of_page("select_outbox", select_outbox.c_str(), filter, after, rows_max);
  select.binary_results = true;
  const pg::ResultSet rows = co_await connection.run(select);
  std::vector<OutboxRow> found;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const auto text = [&](int column) { return std::string(rows.text(row, column)); };
    found.push_back({.event_id = rows.uuid(row, 0),
                     .endpoint_id = rows.uuid(row, 1),
                     .url = text(2),
                     .type = text(3),
                     .due_at = text(4),
                     .is_due = text(5) == "true",
                     .attempts = number_at(rows, row, 6),
                     .created_at = text(7),
                     .is_enabled = text(8) == "true"});
  }
  co_return found;
}

boost::asio::awaitable<std::vector<PastAttempt>> list_attempts(pg::Connection& connection,
                                                               const DeliveryFilter& filter,
                                                               std::optional<bool> is_delivered,
                                                               const std::string& after,
                                                               std::uint64_t rows_max) {
  DeliveryFilter of_attempts = filter;
  of_attempts.is_dead = is_delivered;  // the same place in the statement
  pg::Statement select = of_page("select_attempts", select_attempts, of_attempts, after, rows_max);
  select.binary_results = true;
  const pg::ResultSet rows = co_await connection.run(select);
  std::vector<PastAttempt> found;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    const auto text = [&](int column) { return std::string(rows.text(row, column)); };
    found.push_back({.attempted_at = text(0),
                     .event_id = rows.uuid(row, 1),
                     .endpoint_id = rows.uuid(row, 2),
                     .url = text(3),
                     .attempt = number_at(rows, row, 4),
                     .http_status = text(5),
                     .took_ms = number_at(rows, row, 6),
                     .error = text(7),
                     .detail = text(8),
                     .response_head = text(9)});
  }
  co_return found;
}

boost::asio::awaitable<std::optional<DeliveredEvent>> find_delivered_event(pg::Connection& connection,
                                                                           const Uuid& id) {
  pg::Statement select{.name = "select_delivered_event", .sql = select_event};
  select.with(to_string(id));
  const pg::ResultSet rows = co_await connection.run(select);
  if (rows.rows() == 0) co_return std::nullopt;
  const auto text = [&](int column) { return std::string(rows.text(0, column)); };
  co_return DeliveredEvent{.account_id = text(0),
                           .type = text(1),
                           .customer = text(2),
                           .received_at = text(3),
                           .status = text(4),
                           .took_ms = text(5),
                           .error = text(6)};
}

boost::asio::awaitable<std::uint64_t> count_outbox(pg::Connection& connection, const DeliveryFilter& filter) {
  const pg::Statement select = filtered("count_outbox", count_rows.c_str(), filter);
  const pg::ResultSet rows = co_await connection.run(select);
  co_return number_at(rows, 0, 0);
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
                                               bool is_rehearsal) {
  pg::Statement statement = of_page("replay_events", replay_rows, filter, after, rows_max);
  statement.with(is_rehearsal ? "true" : "false");
  const BatchDone done = co_await run_batch(connection, std::move(statement));
  co_return done;
}

}  // namespace socialsync::store
