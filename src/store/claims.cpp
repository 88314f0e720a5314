#include "store/claims.hpp"

#include <charconv>
#include <utility>

namespace socialsync::store {
namespace {

// Skips from one endpoint to the next in the index, however many rows each has.
constexpr const char* select_due_endpoints = R"(
WITH RECURSIVE first AS (
  (SELECT endpoint_id, due_at FROM public.webhook_deliveries ORDER BY endpoint_id, due_at LIMIT 1)
  UNION ALL
  SELECT next.* FROM first,
    LATERAL (SELECT d.endpoint_id, d.due_at FROM public.webhook_deliveries AS d WHERE d.endpoint_id > first.endpoint_id
             ORDER BY d.endpoint_id, d.due_at LIMIT 1) AS next)
SELECT endpoint_id, ceil(extract(epoch FROM greatest(due_at, '2000-01-01') - now()) * 1000)::bigint::text
FROM first WHERE due_at < 'infinity')";

// Parameters 1 and 2: the endpoints, and the number of rows for each.
constexpr const char* due_in_any_order = R"(
WITH due AS (
  SELECT d.event_id, d.endpoint_id, d.attempts
  FROM unnest($1::uuid[], $2::bigint[]) AS room (endpoint_id, rows),
    LATERAL (SELECT x.event_id, x.endpoint_id, x.attempts FROM public.webhook_deliveries AS x
             WHERE x.endpoint_id = room.endpoint_id AND x.due_at <= now()
             ORDER BY x.due_at LIMIT room.rows FOR UPDATE SKIP LOCKED) AS d))";

// Skips from one conversation to the next in the index and takes the first due row of each, unless an earlier
// row of the conversation is undelivered. Parameter 5: how long a row waits for earlier ones; 6: the
// conversation to begin with, wrapping around after the last.
constexpr const char* due_in_order = R"(
WITH heads AS (
  SELECT head.event_id, room.endpoint_id
  FROM unnest($1::uuid[], $2::bigint[]) AS room (endpoint_id, rows), LATERAL (
    SELECT first.event_id
    FROM (VALUES ($6::bigint, 9223372036854775807), (-9223372036854775808, $6)) AS part (low, high), LATERAL (
      WITH RECURSIVE walk AS (
        (SELECT d.conversation FROM public.webhook_deliveries AS d
         WHERE d.endpoint_id = room.endpoint_id AND d.conversation BETWEEN part.low AND part.high AND d.due_at < 'infinity'
         ORDER BY d.conversation LIMIT 1)
        UNION ALL
        SELECT next.conversation FROM walk, LATERAL (
          SELECT d.conversation FROM public.webhook_deliveries AS d
          WHERE d.endpoint_id = room.endpoint_id AND d.conversation > walk.conversation AND d.conversation <= part.high
            AND d.due_at < 'infinity'
          ORDER BY d.conversation LIMIT 1) AS next)
      SELECT conversation FROM walk) AS waiting, LATERAL (
      SELECT x.event_id, x.position FROM public.webhook_deliveries AS x
      WHERE x.endpoint_id = room.endpoint_id AND x.conversation = waiting.conversation AND x.due_at < 'infinity'
        AND x.due_at <= now()
      ORDER BY x.position LIMIT 1) AS first
    WHERE NOT EXISTS (
      SELECT FROM public.webhook_deliveries AS before
      WHERE before.endpoint_id = room.endpoint_id AND before.conversation = waiting.conversation
        AND before.position < first.position AND before.due_at < 'infinity'
        -- A leased row always blocks; a failed one until parameter 5 has passed.
        AND (before.created_at > now() - $5::bigint * interval '1 ms'
             OR before.due_at > now() AND before.due_at <= now() + $3::bigint * interval '1 ms')
      OFFSET 0)
    LIMIT room.rows) AS head
  UNION ALL
  -- Rows from before the endpoint was ordered. More are found once the rows due before them are gone.
  SELECT alone.event_id, room.endpoint_id
  FROM unnest($1::uuid[], $2::bigint[]) AS room (endpoint_id, rows), LATERAL (
    SELECT event_id FROM (
      SELECT x.event_id, x.conversation FROM public.webhook_deliveries AS x
      WHERE x.endpoint_id = room.endpoint_id AND x.due_at <= now() ORDER BY x.due_at LIMIT 1000) AS oldest
    WHERE conversation IS NULL LIMIT room.rows) AS alone),
due AS (
  SELECT x.event_id, x.endpoint_id, x.attempts
  FROM heads, public.webhook_deliveries AS x
  WHERE x.event_id = ANY (ARRAY[heads.event_id]) AND uuid_eq(x.endpoint_id, heads.endpoint_id)
    AND greatest(x.due_at, x.due_at) <= now() FOR UPDATE OF x SKIP LOCKED))";

// Takes as many due rows as fit into one claim, the first of each endpoint before any second. Parameter 3:
// the lease; 4: the bytes of one claim. A payload stored in more than 2,000 bytes may be compressed, and its
// real length would have to be read: it counts sixteen times its stored size.
constexpr const char* take_due = R"(,
found AS (
  SELECT due.*, l.exact_payload, l.payload, l.webhook_type, l.platform, l.created_at,
         row_number() OVER (PARTITION BY due.endpoint_id) AS turn,
         CASE WHEN l.exact_payload IS NOT NULL THEN octet_length(l.exact_payload)
              WHEN pg_column_size(l.payload) > 2000 THEN 16 * pg_column_size(l.payload)
              ELSE pg_column_size(l.payload) END AS bytes
  FROM due LEFT JOIN public.webhook_logs AS l ON l.id = ANY (ARRAY[due.event_id])),
measured AS (
  SELECT found.*, sum(bytes) OVER (ORDER BY turn, endpoint_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS bytes_before,
         count(*) OVER () AS all_found
  FROM found)
UPDATE public.webhook_deliveries AS d SET due_at = now() + $3::bigint * interval '1 ms'
FROM measured AS m
WHERE d.event_id = ANY (ARRAY[m.event_id]) AND uuid_eq(d.endpoint_id, m.endpoint_id)
  AND coalesce(m.bytes_before, 0) < $4::bigint
RETURNING d.event_id, d.endpoint_id, m.attempts::text, coalesce(m.exact_payload, convert_to(m.payload::text, 'UTF8')),
          m.webhook_type, m.platform::text,
          floor(extract(epoch FROM CASE WHEN isfinite(m.created_at) THEN m.created_at ELSE now() END) * 1000)::bigint::text,
          m.all_found::text)";

const std::string claim_in_any_order = std::string(due_in_any_order) + take_due;
const std::string claim_in_order = std::string(due_in_order) + take_due;

namespace claim_column {
enum Index : int { event_id, endpoint_id, attempts, payload, type, platform, received, found };
}

constexpr const char* select_next = R"(
SELECT room.endpoint_id, ceil(extract(epoch FROM greatest(next.due_at, '2000-01-01') - now()) * 1000)::bigint::text
FROM unnest($1::uuid[]) AS room (endpoint_id),
  LATERAL (SELECT d.due_at FROM public.webhook_deliveries AS d WHERE d.endpoint_id = room.endpoint_id
           ORDER BY d.due_at LIMIT 1) AS next
WHERE next.due_at < 'infinity')";

// A locked row must not block the others.
constexpr const char* renew = R"(
WITH free AS (
  SELECT x.event_id, x.endpoint_id
  FROM unnest($1::uuid[], $2::uuid[]) AS k (event_id, endpoint_id), public.webhook_deliveries AS x
  WHERE x.event_id = ANY (ARRAY[k.event_id]) AND uuid_eq(x.endpoint_id, k.endpoint_id) AND x.due_at <> 'infinity'
  FOR UPDATE OF x SKIP LOCKED)
UPDATE public.webhook_deliveries AS d SET due_at = now() + $3::bigint * interval '1 ms'
FROM free WHERE d.event_id = ANY (ARRAY[free.event_id]) AND uuid_eq(d.endpoint_id, free.endpoint_id))";

template <class Number>
Number number_in(std::string_view text) {
  Number number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::vector<Due> due_of(const pg::ResultSet& rows) {
  std::vector<Due> due;
  due.reserve(rows.rows());
  for (std::size_t row = 0; row < rows.rows(); ++row)
    due.push_back({rows.uuid(row, 0), std::chrono::milliseconds(number_in<std::int64_t>(rows.text(row, 1)))});
  return due;
}

Claimed claimed_of(const pg::ResultSet& rows, std::size_t row) {
  Claimed one{.key = {rows.uuid(row, claim_column::event_id), rows.uuid(row, claim_column::endpoint_id)},
              .attempts = number_in<int>(rows.text(row, claim_column::attempts)),
              .payload = std::nullopt,
              .type = std::string(rows.text(row, claim_column::type)),
              .platform = std::string(rows.text(row, claim_column::platform)),
              .received_ms = number_in<std::int64_t>(rows.text(row, claim_column::received))};
  if (!rows.is_null(row, claim_column::payload))
    one.payload = std::string(rows.text(row, claim_column::payload));
  return one;
}

void add(const pg::ResultSet& rows, Claim& claim) {
  for (std::size_t row = 0; row < rows.rows(); ++row) claim.rows.push_back(claimed_of(rows, row));
  if (rows.rows() > 0)
    claim.is_cut = claim.is_cut || number_in<std::size_t>(rows.text(0, claim_column::found)) > rows.rows();
}

// Claims for the ordered endpoints of `rooms`, or for the others. Returns nothing when there are none.
std::optional<pg::Statement> claim_of(std::span<const Room> rooms, const ClaimTerms& terms, bool is_ordered) {
  pg::Array ids(pg::Type::uuid), counts(pg::Type::bigint);
  bool any = false;
  for (const Room& room : rooms) {
    if (room.is_ordered != is_ordered) continue;
    ids.add(room.endpoint_id);
    counts.add(static_cast<std::int64_t>(room.rows));
    any = true;
  }
  if (!any) return std::nullopt;
  pg::Statement claim{.name = "claim_deliveries", .sql = claim_in_any_order.c_str(), .binary_results = true};
  if (is_ordered)
    claim = {.name = "claim_deliveries_in_order", .sql = claim_in_order.c_str(), .binary_results = true};
  claim.with(std::move(ids)).with(std::move(counts));
  claim.with(std::to_string(terms.lease.count())).with(std::to_string(terms.bytes_max));
  return claim;
}

pg::Statement next_of(std::span<const Room> rooms) {
  pg::Array ids(pg::Type::uuid);
  for (const Room& room : rooms) ids.add(room.endpoint_id);
  pg::Statement select{.name = "select_next_due", .sql = select_next, .binary_results = true};
  select.with(std::move(ids));
  return select;
}

boost::asio::awaitable<void> set_due(pg::Connection& connection, std::span<const DeliveryKey> keys,
                                     std::chrono::milliseconds in) {
  pg::Statement statement = DeliveryKeys(keys).statement("renew_leases", renew);
  statement.with(std::to_string(in.count()));
  co_await connection.run(statement);
}

}  // namespace

boost::asio::awaitable<void> listen_for_deliveries(pg::Connection& connection) {
  const pg::Statement listen{.name = "listen_deliveries", .sql = "LISTEN socialsync_deliveries"};
  co_await connection.run(listen);
}

boost::asio::awaitable<std::vector<Due>> select_due(pg::Connection& connection) {
  const pg::Statement select{.name = "select_due", .sql = select_due_endpoints, .binary_results = true};
  const pg::ResultSet rows = co_await connection.run(select);
  co_return due_of(rows);
}

boost::asio::awaitable<Claim> claim_deliveries(pg::Connection& connection, std::span<const Room> rooms,
                                               const ClaimTerms& terms, std::int64_t first_conversation) {
  std::vector<pg::Statement> batch;
  if (auto claim = claim_of(rooms, terms, false)) batch.push_back(std::move(*claim));
  if (auto claim = claim_of(rooms, terms, true)) {
    claim->with(std::to_string(terms.head_blocks_max.count())).with(std::to_string(first_conversation));
    batch.push_back(std::move(*claim));
  }
  batch.push_back(next_of(rooms));
  const std::vector<pg::ResultSet> results = co_await connection.run(batch);
  Claim claim;
  for (std::size_t i = 0; i + 1 < results.size(); ++i) add(results[i], claim);
  claim.next = due_of(results.back());
  co_return claim;
}

boost::asio::awaitable<void> renew_leases(pg::Connection& connection, std::span<const DeliveryKey> keys,
                                          std::chrono::milliseconds lease) {
  co_await set_due(connection, keys, lease);
}

boost::asio::awaitable<void> release_deliveries(pg::Connection& connection,
                                                std::span<const DeliveryKey> keys) {
  co_await set_due(connection, keys, std::chrono::milliseconds(0));
}

}  // namespace socialsync::store
