#include "store/deliveries.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

namespace socialsync::store {
namespace {

constexpr const char* set_plans = R"(
SELECT set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
       set_config('enable_mergejoin', 'off', false), set_config('enable_bitmapscan', 'off', false),
       set_config('jit', 'off', false))";

// From one endpoint to the next by the index, whatever lies between.
constexpr const char* select_due_endpoints = R"(
WITH RECURSIVE first AS (
  (SELECT endpoint_id, due_at FROM public.webhook_deliveries ORDER BY endpoint_id, due_at LIMIT 1)
  UNION ALL
  SELECT next.* FROM first,
    LATERAL (SELECT d.endpoint_id, d.due_at FROM public.webhook_deliveries AS d WHERE d.endpoint_id > first.endpoint_id
             ORDER BY d.endpoint_id, d.due_at LIMIT 1) AS next)
SELECT endpoint_id::text, ceil(extract(epoch FROM greatest(due_at, '2000-01-01') - now()) * 1000)::bigint
FROM first WHERE due_at < 'infinity')";

constexpr const char* claim = R"(
WITH due AS (
  SELECT d.event_id, d.endpoint_id
  FROM unnest($1::uuid[], $2::bigint[]) AS room (endpoint_id, rows),
    LATERAL (SELECT x.event_id, x.endpoint_id FROM public.webhook_deliveries AS x
             WHERE x.endpoint_id = room.endpoint_id AND x.due_at <= now()
               AND (x.conversation IS NULL OR NOT EXISTS (
                 SELECT FROM public.webhook_deliveries AS before
                 WHERE before.endpoint_id = x.endpoint_id AND before.conversation = x.conversation
                   AND before.position < x.position AND before.due_at < 'infinity'
                   AND before.created_at > now() - $4::bigint * interval '1 ms'))
             ORDER BY x.due_at LIMIT room.rows FOR UPDATE SKIP LOCKED) AS d),
claimed AS (
  UPDATE public.webhook_deliveries AS d SET due_at = now() + $3::bigint * interval '1 ms'
  FROM due WHERE d.event_id = due.event_id AND d.endpoint_id = due.endpoint_id
  RETURNING d.event_id, d.endpoint_id, d.attempts)
SELECT c.event_id::text, c.endpoint_id::text, c.attempts, coalesce(l.exact_payload, convert_to(l.payload::text, 'UTF8')),
       l.webhook_type, l.platform::text, floor(extract(epoch FROM CASE WHEN isfinite(l.created_at) THEN l.created_at ELSE now() END) * 1000)::bigint
FROM claimed AS c LEFT JOIN public.webhook_logs AS l ON l.id = c.event_id)";

enum ClaimColumn { event_id, endpoint_id, attempts, payload, type, platform, received };

constexpr const char* select_next = R"(
SELECT room.endpoint_id::text, ceil(extract(epoch FROM greatest(next.due_at, '2000-01-01') - now()) * 1000)::bigint
FROM unnest($1::uuid[]) AS room (endpoint_id),
  LATERAL (SELECT d.due_at FROM public.webhook_deliveries AS d WHERE d.endpoint_id = room.endpoint_id
           ORDER BY d.due_at LIMIT 1) AS next
WHERE next.due_at < 'infinity')";

constexpr const char* renew = R"(
UPDATE public.webhook_deliveries AS d SET due_at = now() + $3::bigint * interval '1 ms'
FROM unnest($1::uuid[], $2::uuid[]) AS k (event_id, endpoint_id)
WHERE d.event_id = k.event_id AND d.endpoint_id = k.endpoint_id AND d.due_at < 'infinity')";

constexpr const char* insert_attempts = R"(
INSERT INTO public.webhook_delivery_attempts (event_id, endpoint_id, attempt, http_status, took_ms, error, detail,
                                              response_head)
SELECT unnest($1::uuid[]), unnest($2::uuid[]), unnest($3::bigint[]), unnest($4::bigint[]), unnest($5::bigint[]),
       unnest($6::text[]), unnest($7::text[]), unnest($8::bytea[]))";

constexpr const char* delete_delivered = R"(
DELETE FROM public.webhook_deliveries AS d USING unnest($1::uuid[], $2::uuid[]) AS k (event_id, endpoint_id)
WHERE d.event_id = k.event_id AND d.endpoint_id = k.endpoint_id)";

constexpr const char* update_processed = R"(
UPDATE public.webhook_logs AS l SET status = 'processed', processing_time_ms = least(k.age_ms, 2147483647), error_message = NULL
FROM (SELECT id, min(age_ms) FROM unnest($1::uuid[], $2::bigint[]) AS given (id, age_ms) GROUP BY id ORDER BY id) AS k (id, age_ms)
WHERE l.id = k.id AND l.status IN ('received', 'error'))";

// No time: given up. Written twice it does not take back what another worker has done since.
constexpr const char* update_again = R"(
UPDATE public.webhook_deliveries AS d
SET attempts = k.attempts,
    due_at = CASE WHEN k.again_ms IS NULL THEN 'infinity' ELSE now() + k.again_ms * interval '1 ms' END
FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) AS k (event_id, endpoint_id, attempts, again_ms)
WHERE d.event_id = k.event_id AND d.endpoint_id = k.endpoint_id AND (d.attempts < k.attempts OR k.again_ms IS NULL))";

constexpr const char* update_given_up = R"(
UPDATE public.webhook_logs AS l SET status = 'error', error_message = k.why
FROM (SELECT id, min(why) FROM unnest($1::uuid[], $2::text[]) AS given (id, why) GROUP BY id ORDER BY id) AS k (id, why)
WHERE l.id = k.id AND l.status = 'received')";

// Whatever somebody wrote there by hand.
int smallint(int attempts) { return std::clamp(attempts, 0, 32'767); }

template <class Number>
Number number_of(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Uuid uuid_of(std::string_view text) {
  const std::optional<Uuid> id = parse_uuid(text);
  if (!id) throw std::runtime_error("webhook_deliveries holds an id that is not a UUID");
  return *id;
}

std::vector<Due> due_of(const pg::ResultSet& rows) {
  std::vector<Due> due;
  due.reserve(rows.rows());
  for (std::size_t row = 0; row < rows.rows(); ++row)
    due.push_back(
        {uuid_of(rows.text(row, 0)), std::chrono::milliseconds(number_of<std::int64_t>(rows.text(row, 1)))});
  return due;
}

// bytea as text: \x and two hex digits a byte.
std::string bytes_of(std::string_view hex) {
  const auto digit = [](char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); };
  std::string bytes;
  bytes.reserve(hex.size() / 2);
  for (std::size_t at = 2; at + 1 < hex.size(); at += 2)
    bytes.push_back(static_cast<char>(digit(hex[at]) << 4U | digit(hex[at + 1])));
  return bytes;
}

std::vector<Claimed> claimed_of(const pg::ResultSet& rows) {
  std::vector<Claimed> claimed;
  claimed.reserve(rows.rows());
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    Claimed one{.key = {uuid_of(rows.text(row, event_id)), uuid_of(rows.text(row, endpoint_id))},
                .attempts = number_of<int>(rows.text(row, attempts)),
                .payload = std::nullopt,
                .type = std::string(rows.text(row, type)),
                .platform = std::string(rows.text(row, platform)),
                .received_ms = number_of<std::int64_t>(rows.text(row, received))};
    if (!rows.is_null(row, payload)) one.payload = bytes_of(rows.text(row, payload));
    claimed.push_back(std::move(one));
  }
  return claimed;
}

// Two columns of keys.
class Keys {
 public:
  void add(const DeliveryKey& key) {
    events_.add(key.event_id);
    endpoints_.add(key.endpoint_id);
    is_empty_ = false;
  }
  bool empty() const { return is_empty_; }
  pg::Statement statement(const char* name, const char* sql) && {
    pg::Statement statement{.name = name, .sql = sql};
    statement.with(std::move(events_)).with(std::move(endpoints_));
    return statement;
  }

 private:
  pg::Array events_{pg::Type::uuid}, endpoints_{pg::Type::uuid};
  bool is_empty_ = true;
};

void add_text(pg::Array& array, std::string_view text) {
  if (text.empty()) {
    array.add_null();
  } else {
    array.add(text);
  }
}

pg::Statement attempts_statement(std::span<const AttemptRow* const> rows) {
  Keys keys;
  pg::Array attempt(pg::Type::bigint), status(pg::Type::bigint), took(pg::Type::bigint),
      error(pg::Type::text), detail(pg::Type::text), head(pg::Type::bytea);
  for (const AttemptRow* row : rows) {
    keys.add(row->key);
    attempt.add(std::int64_t{smallint(row->attempt)});
    if (row->http_status > 0) {
      status.add(std::int64_t{row->http_status});
    } else {
      status.add_null();
    }
    took.add(std::int64_t{row->took.count()});
    add_text(error, row->error);
    add_text(detail, row->detail);
    add_text(head, row->response_head);
  }
  pg::Statement statement = std::move(keys).statement("insert_attempts", insert_attempts);
  for (pg::Array* column : {&attempt, &status, &took, &error, &detail, &head})
    statement.with(std::move(*column));
  return statement;
}

void add_delivered(std::span<const AttemptRow* const> rows, std::vector<pg::Statement>& batch) {
  Keys keys;
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
  Keys keys;
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

std::vector<DeliveryKey> sorted(std::span<const DeliveryKey> keys) {
  std::vector<DeliveryKey> all(keys.begin(), keys.end());
  std::ranges::sort(all);
  return all;
}

boost::asio::awaitable<void> set_due(pg::Connection& connection, std::span<const DeliveryKey> keys,
                                     std::chrono::milliseconds in) {
  Keys columns;
  for (const DeliveryKey& key : sorted(keys)) columns.add(key);
  pg::Statement statement = std::move(columns).statement("renew_leases", renew);
  statement.with(std::to_string(in.count()));
  co_await connection.run(statement);
}

}  // namespace

boost::asio::awaitable<void> plan_by_keys(pg::Connection& connection) {
  const pg::Statement statement{.name = "set_plans_by_keys", .sql = set_plans};
  co_await connection.run(statement);
}

boost::asio::awaitable<void> listen_for_deliveries(pg::Connection& connection) {
  const pg::Statement listen{.name = "listen_deliveries", .sql = "LISTEN socialsync_deliveries"};
  co_await connection.run(listen);
}

boost::asio::awaitable<std::vector<Due>> select_due(pg::Connection& connection) {
  const pg::Statement select{.name = "select_due", .sql = select_due_endpoints};
  const pg::ResultSet rows = co_await connection.run(select);
  co_return due_of(rows);
}

boost::asio::awaitable<Claim> claim_deliveries(pg::Connection& connection, std::span<const Room> rooms,
                                               const ClaimTerms& terms) {
  pg::Array ids(pg::Type::uuid), counts(pg::Type::bigint), asked(pg::Type::uuid);
  for (const Room& room : rooms) {
    ids.add(room.endpoint_id);
    asked.add(room.endpoint_id);
    counts.add(static_cast<std::int64_t>(room.rows));
  }
  std::vector<pg::Statement> batch{{.name = "claim_deliveries", .sql = claim},
                                   {.name = "select_next_due", .sql = select_next}};
  batch[0].with(std::move(ids)).with(std::move(counts));
  batch[0].with(std::to_string(terms.lease.count())).with(std::to_string(terms.head_blocks_max.count()));
  batch[1].with(std::move(asked));
  const std::vector<pg::ResultSet> results = co_await connection.run(batch);
  co_return Claim{.rows = claimed_of(results[0]), .next = due_of(results[1])};
}

boost::asio::awaitable<void> renew_leases(pg::Connection& connection, std::span<const DeliveryKey> keys,
                                          std::chrono::milliseconds lease) {
  co_await set_due(connection, keys, lease);
}

boost::asio::awaitable<void> release_deliveries(pg::Connection& connection,
                                                std::span<const DeliveryKey> keys) {
  co_await set_due(connection, keys, std::chrono::milliseconds(0));
}

boost::asio::awaitable<void> record_attempts(pg::Connection& connection,
                                             std::span<const AttemptRow> attempts) {
  // In one order everywhere: two workers then never wait for each other.
  std::vector<const AttemptRow*> rows;
  for (const AttemptRow& row : attempts) rows.push_back(&row);
  std::ranges::sort(rows, {}, [](const AttemptRow* row) { return row->key; });
  std::vector<pg::Statement> batch{attempts_statement(rows)};
  add_delivered(rows, batch);
  add_failed(rows, batch);
  co_await connection.run(batch);
}

}  // namespace socialsync::store
