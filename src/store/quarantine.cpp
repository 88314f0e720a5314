#include "store/quarantine.hpp"

#include <string>
#include <utility>

namespace socialsync::store {
namespace {

// The filter's parameters, 1 to 7, in each statement that uses it.
const std::string quarantined_rows = R"(
FROM public.webhook_quarantine
WHERE ($1::uuid[] IS NULL OR id = ANY ($1)) AND ($2::text[] IS NULL OR reason = ANY ($2))
  AND ($3::text[] IS NULL OR platform = ANY ($3)) AND ($4::text[] IS NULL OR routing_key = ANY ($4))
  AND ($5::text[] IS NULL OR signed_by = ANY ($5))
  AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)
)";

const std::string all_but_body = R"(
SELECT id, created_at::text, floor(extract(epoch FROM created_at) * 1000)::bigint::text, reason, platform,
       webhook_type, routing_key, detail, signed_by, event_time::text, octet_length(body)::text)";

const std::string select_newest =
    all_but_body + quarantined_rows + "ORDER BY created_at DESC, id DESC LIMIT $8::bigint";

const std::string select_counts =
    "SELECT reason, count(*), coalesce(sum(octet_length(body)), 0), min(created_at), max(created_at)" +
    quarantined_rows + "GROUP BY reason ORDER BY count(*) DESC, reason";

const std::string select_groups =
    "SELECT DISTINCT routing_key, platform, signed_by" + quarantined_rows + "ORDER BY 1, 2, 3";

const std::string select_places =
    "SELECT id, created_at::text, octet_length(body)::text" + quarantined_rows + R"(
  AND ($8::timestamptz IS NULL OR (created_at, id) > ($8, $9::uuid))
ORDER BY created_at, id LIMIT $10::bigint)";

const std::string select_bodies =
    all_but_body +
    ", body FROM public.webhook_quarantine WHERE id = ANY ($1::uuid[]) ORDER BY created_at, id";

constexpr const char* delete_rows =
    "DELETE FROM public.webhook_quarantine WHERE id = ANY ($1::uuid[]) RETURNING id";

constexpr const char* delete_oldest = R"(
WITH oldest AS MATERIALIZED (
  SELECT id, created_at, octet_length(body) AS bytes FROM public.webhook_quarantine
  ORDER BY created_at, id LIMIT 1000),
summed AS (
  SELECT id, row_number() OVER before - 1 AS rows_before, sum(bytes) OVER before - bytes AS bytes_before
  FROM oldest WINDOW before AS (ORDER BY created_at, id ROWS UNBOUNDED PRECEDING)),
gone AS (
  DELETE FROM public.webhook_quarantine
  WHERE id = ANY (ARRAY(SELECT id FROM summed WHERE rows_before < $1::bigint OR bytes_before < $2::bigint))
  RETURNING reason, octet_length(body) AS bytes, created_at)
SELECT reason, count(*), sum(bytes), min(created_at), max(created_at) FROM gone GROUP BY reason)";

constexpr const char* delete_expired = R"(
WITH gone AS (
  DELETE FROM public.webhook_quarantine
  WHERE id = ANY (ARRAY(SELECT id FROM public.webhook_quarantine
                        WHERE created_at < now() - make_interval(days => $1::integer)
                        ORDER BY created_at LIMIT 1000))
  RETURNING reason, octet_length(body) AS bytes, created_at)
SELECT reason, count(*), sum(bytes), min(created_at), max(created_at) FROM gone GROUP BY reason)";

// The advisory lock's key: "sosyquar" in ASCII.
constexpr const char* try_trimming_lock = "SELECT pg_try_advisory_lock(x'736f737971756172'::bigint)";
constexpr const char* release_trimming_lock = "SELECT pg_advisory_unlock(x'736f737971756172'::bigint)";

void add_list(pg::Statement& statement, std::span<const Uuid> ids) {
  if (ids.empty()) {
    statement.with_null();
    return;
  }
  pg::Array array(pg::Type::uuid);
  for (const Uuid& id : ids) array.add(id);
  statement.with(std::move(array));
}

void add_list(pg::Statement& statement, const std::vector<std::string>& texts) {
  if (texts.empty()) {
    statement.with_null();
    return;
  }
  pg::Array array(pg::Type::text);
  for (const std::string& text : texts) array.add(std::string_view(text));
  statement.with(std::move(array));
}

void add_time(pg::Statement& statement, const std::optional<std::string>& time) {
  if (time) {
    statement.with(*time);
  } else {
    statement.with_null();
  }
}

pg::Statement filtered(const char* name, const char* sql, const QuarantineFilter& filter) {
  pg::Statement statement{.name = name, .sql = sql};
  add_list(statement, filter.ids);
  add_list(statement, filter.reasons);
  add_list(statement, filter.platforms);
  add_list(statement, filter.routing_keys);
  add_list(statement, filter.signers);
  add_time(statement, filter.since);
  add_time(statement, filter.until);
  return statement;
}

pg::Statement of_ids(const char* name, const char* sql, std::span<const Uuid> ids) {
  pg::Statement statement{.name = name, .sql = sql, .parameters = {}, .binary_results = true};
  pg::Array array(pg::Type::uuid);
  for (const Uuid& id : ids) array.add(id);
  statement.with(std::move(array));
  return statement;
}

std::uint64_t number_at(const pg::ResultSet& rows, std::size_t row, int column) {
  return std::stoull(std::string(rows.text(row, column)));
}

Quarantined quarantined_at(const pg::ResultSet& rows, std::size_t row) {
  const auto text = [&](int column) { return std::string(rows.text(row, column)); };
  return {.id = rows.uuid(row, 0),
          .created_at = text(1),
          .created_ms = std::stoll(text(2)),
          .reason = text(3),
          .platform = text(4),
          .type = text(5),
          .routing_key = text(6),
          .detail = text(7),
          .signed_by = text(8),
          .event_time = text(9),
          .bytes = number_at(rows, row, 10)};
}

template <class Count>
std::vector<Count> counts_of(const pg::ResultSet& rows) {
  std::vector<Count> counts;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    counts.push_back({.reason = std::string(rows.text(row, 0)),
                      .rows = number_at(rows, row, 1),
                      .bytes = number_at(rows, row, 2),
                      .oldest = std::string(rows.text(row, 3)),
                      .newest = std::string(rows.text(row, 4))});
  return counts;
}

}  // namespace

bool QuarantineFilter::is_everything() const {
  return ids.empty() && reasons.empty() && platforms.empty() && routing_keys.empty() && signers.empty() &&
         !since && !until;
}

boost::asio::awaitable<std::vector<Quarantined>> list_quarantined(pg::Connection& connection,
                                                                  const QuarantineFilter& filter,
                                                                  std::uint64_t rows_max) {
  pg::Statement statement = filtered("select_newest_quarantined", select_newest.c_str(), filter);
  statement.with(std::to_string(rows_max));
  statement.binary_results = true;
  const pg::ResultSet rows = co_await connection.run(statement);
  std::vector<Quarantined> found;
  for (std::size_t row = 0; row < rows.rows(); ++row) found.push_back(quarantined_at(rows, row));
  co_return found;
}

boost::asio::awaitable<std::vector<QuarantineCount>> count_quarantined(pg::Connection& connection,
                                                                       const QuarantineFilter& filter) {
  const pg::Statement statement = filtered("count_quarantined", select_counts.c_str(), filter);
  const pg::ResultSet rows = co_await connection.run(statement);
  co_return counts_of<QuarantineCount>(rows);
}

boost::asio::awaitable<std::vector<QuarantineGroup>> group_quarantined(pg::Connection& connection,
                                                                       const QuarantineFilter& filter) {
  const pg::Statement statement = filtered("group_quarantined", select_groups.c_str(), filter);
  const pg::ResultSet rows = co_await connection.run(statement);
  std::vector<QuarantineGroup> groups;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    groups.push_back({.routing_key = std::string(rows.text(row, 0)),
                      .platform = std::string(rows.text(row, 1)),
                      .signed_by = std::string(rows.text(row, 2))});
  co_return groups;
}

boost::asio::awaitable<std::vector<QuarantinePlace>> find_quarantined(
    pg::Connection& connection, const QuarantineFilter& filter, const std::optional<QuarantinePlace>& after,
    std::uint64_t rows_max) {
  pg::Statement statement = filtered("find_quarantined", select_places.c_str(), filter);
  if (after) {
    statement.with(after->created_at).with(to_string(after->id));
  } else {
    statement.with_null().with_null();
  }
  statement.with(std::to_string(rows_max));
  statement.binary_results = true;
  const pg::ResultSet rows = co_await connection.run(statement);
  std::vector<QuarantinePlace> places;
  places.reserve(rows.rows());
  for (std::size_t row = 0; row < rows.rows(); ++row)
    places.push_back({.created_at = std::string(rows.text(row, 1)),
                      .id = rows.uuid(row, 0),
                      .bytes = number_at(rows, row, 2)});
  co_return places;
}

boost::asio::awaitable<std::vector<QuarantinedBody>> read_quarantined(pg::Connection& connection,
                                                                      std::span<const Uuid> ids) {
  const pg::Statement statement = of_ids("read_quarantined", select_bodies.c_str(), ids);
  const pg::ResultSet rows = co_await connection.run(statement);
  std::vector<QuarantinedBody> bodies;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    bodies.push_back({quarantined_at(rows, row), std::string(rows.text(row, 11))});
  co_return bodies;
}

boost::asio::awaitable<std::vector<Uuid>> delete_quarantined(pg::Connection& connection,
                                                             std::span<const Uuid> ids) {
  const pg::Statement statement = of_ids("delete_quarantined", delete_rows, ids);
  const pg::ResultSet rows = co_await connection.run(statement);
  std::vector<Uuid> gone;
  for (std::size_t row = 0; row < rows.rows(); ++row) gone.push_back(rows.uuid(row, 0));
  co_return gone;
}

boost::asio::awaitable<std::vector<Trimmed>> trim_quarantine(pg::Connection& connection, std::uint64_t rows,
                                                             std::uint64_t bytes) {
  pg::Statement statement{.name = "delete_oldest_quarantined", .sql = delete_oldest};
  statement.with(std::to_string(rows)).with(std::to_string(bytes));
  const pg::ResultSet gone = co_await connection.run(statement);
  co_return counts_of<Trimmed>(gone);
}

boost::asio::awaitable<std::vector<Trimmed>> trim_quarantine(pg::Connection& connection,
                                                             std::chrono::days older_than) {
  pg::Statement statement{.name = "delete_expired_quarantined", .sql = delete_expired};
  statement.with(std::to_string(older_than.count()));
  const pg::ResultSet gone = co_await connection.run(statement);
  co_return counts_of<Trimmed>(gone);
}

boost::asio::awaitable<bool> enter_trimming(pg::Connection& connection) {
  const pg::Statement statement{.name = "try_trimming_lock", .sql = try_trimming_lock};
  const pg::ResultSet answer = co_await connection.run(statement);
  co_return answer.text(0, 0) == "t";
}

boost::asio::awaitable<void> leave_trimming(pg::Connection& connection) {
  const pg::Statement statement{.name = "release_trimming_lock", .sql = release_trimming_lock};
  co_await connection.run(statement);
}

}  // namespace socialsync::store
