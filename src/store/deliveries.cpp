#include "store/deliveries.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "store/delivery_keys.hpp"

namespace socialsync::store {
namespace {

// Joins as store/claims.cpp does, for the same reason.

constexpr const char* insert_attempts = R"(
INSERT INTO public.webhook_delivery_attempts (event_id, endpoint_id, attempt, http_status, took_ms, error, detail,
                                              response_head, attempted_at)
SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::bigint[]),
       unnest($6::text[]), unnest($7::text[]), unnest($8::bytea[]), now() - unnest($9::bigint[]) * interval '1 ms')";

constexpr const char* delete_delivered = R"(
DELETE FROM public.webhook_deliveries AS d USING unnest($1::uuid[], $2::uuid[]) AS k (event_id, endpoint_id)
WHERE d.event_id = ANY (ARRAY[k.event_id]) AND uuid_eq(d.endpoint_id, k.endpoint_id))";

constexpr const char* update_processed = R"(
UPDATE public.webhook_logs AS l SET status = 'processed', processing_time_ms = least(k.age_ms, 2147483647), error_message = NULL
FROM (SELECT id, min(age_ms) FROM unnest($1::uuid[], $2::bigint[]) AS given (id, age_ms) GROUP BY id ORDER BY id) AS k (id, age_ms)
WHERE l.id = ANY (ARRAY[k.id]) AND l.status IN ('received', 'error'))";

// Without a time: dead-lettered. Written twice, it does not undo a later result of another worker.
constexpr const char* update_again = R"(
UPDATE public.webhook_deliveries AS d
SET attempts = k.attempts,
    due_at = CASE WHEN k.again_ms IS NULL THEN 'infinity' ELSE now() + k.again_ms * interval '1 ms' END
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS k (event_id, endpoint_id, attempts, again_ms)
WHERE d.event_id = ANY (ARRAY[k.event_id]) AND uuid_eq(d.endpoint_id, k.endpoint_id)
  AND (d.attempts < k.attempts OR k.again_ms IS NULL))";

constexpr const char* update_given_up = R"(
UPDATE public.webhook_logs AS l SET status = 'error', error_message = k.why
FROM (SELECT id, min(why) FROM unnest($1::uuid[], $2::text[]) AS given (id, why) GROUP BY id ORDER BY id) AS k (id, why)
WHERE l.id = ANY (ARRAY[k.id]) AND l.status = 'received')";

constexpr const char* select_locked = R"(
SELECT k.event_id, k.endpoint_id FROM unnest($1::uuid[], $2::uuid[]) AS k (event_id, endpoint_id)
WHERE EXISTS (SELECT FROM public.webhook_deliveries AS d
              WHERE d.event_id = ANY (ARRAY[k.event_id]) AND uuid_eq(d.endpoint_id, k.endpoint_id))
  AND NOT EXISTS (SELECT FROM public.webhook_deliveries AS d
                  WHERE d.event_id = ANY (ARRAY[k.event_id]) AND uuid_eq(d.endpoint_id, k.endpoint_id) FOR UPDATE SKIP LOCKED)
  OR EXISTS (SELECT FROM public.webhook_logs AS l WHERE l.id = ANY (ARRAY[k.event_id]))
  AND NOT EXISTS (SELECT FROM public.webhook_logs AS l WHERE l.id = ANY (ARRAY[k.event_id]) FOR NO KEY UPDATE SKIP LOCKED))";

// due_at may hold any value that was set by hand.
int smallint(int attempts) { return std::clamp(attempts, 0, 32'767); }

pg::Statement attempts_statement(std::span<const AttemptRow* const> rows) {
  DeliveryKeys keys;
  pg::Array attempt(pg::Type::bigint), status(pg::Type::bigint), took(pg::Type::bigint),
      error(pg::Type::text), detail(pg::Type::text), head(pg::Type::bytea), ago(pg::Type::bigint);
  const auto now = std::chrono::steady_clock::now();
  for (const AttemptRow* row : rows) {
    keys.add(row->key);
    attempt.add(std::int64_t{smallint(row->attempt)});
    if (row->http_status > 0) {
      status.add(std::int64_t{row->http_status});
    } else {
      status.add_null();
    }
    took.add(std::int64_t{row->took.count()});
    error.add_or_null(row->error);
    detail.add_or_null(row->detail);
    head.add_or_null(row->response_head);
    ago.add(std::int64_t{std::chrono::duration_cast<std::chrono::milliseconds>(now - row->began).count()});
  }
  pg::Statement statement = std::move(keys).statement("insert_attempts", insert_attempts);
  for (pg::Array* column : {&attempt, &status, &took, &error, &detail, &head, &ago})
    statement.with(std::move(*column));
  return statement;
}

void add_delivered(std::span<const AttemptRow* const> rows, std::vector<pg::Statement>& batch) {
  DeliveryKeys keys;
  pg::Array ids(pg::Type::uuid), ages(pg::Type::bigint);
  for (const AttemptRow* row : rows) {
    if (row->result != AttemptRow::Result::delivered) continue;
    keys.add(row->key);
    ids.add(row->key.event_id);
    ages.add(std::int64_t{row->age.count()});
  }
  if (keys.empty()) return;
  batch.push_back(std::move(keys).statement("delete_delivered", delete_delivered));
  batch.push_back({.name = "update_processed", .sql = update_processed});
  batch.back().with(std::move(ids)).with(std::move(ages));
}

void add_failed(std::span<const AttemptRow* const> rows, std::vector<pg::Statement>& batch) {
  DeliveryKeys keys;
  pg::Array made(pg::Type::bigint), again(pg::Type::bigint), ids(pg::Type::uuid), why(pg::Type::text);
  bool any_given_up = false;
  for (const AttemptRow* row : rows) {
    if (row->result == AttemptRow::Result::delivered) continue;
    keys.add(row->key);
    made.add(std::int64_t{smallint(row->attempt)});
    if (row->result == AttemptRow::Result::again) {
      again.add(std::int64_t{row->again_in.count()});
      continue;
    }
    again.add_null();
    ids.add(row->key.event_id);
    why.add("not delivered after " + std::to_string(row->attempt) + " attempts: " + std::string(row->error));
    any_given_up = true;
  }
  if (keys.empty()) return;
  batch.push_back(std::move(keys).statement("update_again", update_again));
  batch.back().with(std::move(made)).with(std::move(again));
  if (!any_given_up) return;
  batch.push_back({.name = "update_given_up", .sql = update_given_up});
  batch.back().with(std::move(ids)).with(std::move(why));
}

}  // namespace

boost::asio::awaitable<void> record_attempts(pg::Connection& connection,
                                             std::span<const AttemptRow> attempts) {
  // Sorted, as everywhere: two workers can then not deadlock.
  std::vector<const AttemptRow*> rows;
  for (const AttemptRow& row : attempts) rows.push_back(&row);
  std::ranges::sort(rows, {}, [](const AttemptRow* row) { return row->key; });
  std::vector<pg::Statement> batch{attempts_statement(rows)};
  add_delivered(rows, batch);
  add_failed(rows, batch);
  co_await connection.run(batch);
}

boost::asio::awaitable<std::vector<DeliveryKey>> locked_deliveries(pg::Connection& connection,
                                                                   std::span<const DeliveryKey> keys) {
  const pg::ResultSet rows =
      co_await connection.run(DeliveryKeys(keys).statement("select_locked", select_locked));
  std::vector<DeliveryKey> locked;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    locked.push_back({parse_uuid(rows.text(row, 0)).value(), parse_uuid(rows.text(row, 1)).value()});
  co_return locked;
}

}  // namespace socialsync::store
