#include "store/endpoint_admin.hpp"

#include <utility>

#include <fmt/core.h>

#include "base/text.hpp"
#include "store/endpoints.hpp"

namespace socialsync::store {
namespace {

using Endpoint = EndpointRecord;

constexpr Column<EndpointRecord> all_endpoint_columns[] = {
    {"id", &Endpoint::id, "e.id", "id"},
    {"account_id", &Endpoint::account_id, "e.social_account_id", "account", "none: the operator's own"},
    {"account_name", &Endpoint::account_name, "coalesce(nullif(a.business_name, ''), a.username)",
     "business"},
    {"account_key", &Endpoint::account_key, "coalesce(a.phone_number_id, a.page_id, a.account_id)",
     "account key"},
    {"platform", &Endpoint::platform, "a.platform", "platform"},
    {"place", &Endpoint::place, "e.place", "place"},
    {"url", &Endpoint::url, "e.url", "url", "none: events are pulled"},
    {"description", &Endpoint::description, "e.description", "description"},
    {"format", &Endpoint::format, "e.format", "format"},
    {"header_names", &Endpoint::header_names,
     "(SELECT string_agg(name, ',' ORDER BY name) FROM jsonb_object_keys(e.headers) AS name)", "headers"},
    {"webhook_events", &Endpoint::webhook_events, "array_to_string(e.webhook_events, ',')", "events",
     "all of the account's"},
    {"is_enabled", &Endpoint::is_enabled, "e.is_enabled"},
    {"disabled_because", &Endpoint::disabled_because, "e.disabled_because"},
    utc<Endpoint>({"failing_since", &Endpoint::failing_since, "e.failing_since"}),
    {"is_ordered", &Endpoint::is_ordered, "e.is_ordered", "ordered", "no",
     "yes: one at a time per conversation"},
    {"concurrent_max", &Endpoint::concurrent_max, "e.concurrent_max", "concurrent_max"},
    {"per_second_max", &Endpoint::per_second_max, "e.per_second_max", "per_second_max", "no limit"},
    utc<Endpoint>(
        {"previous_signing_secret_until", &Endpoint::previous_signing_secret_until,
         "(CASE WHEN e.previous_signing_secret IS NOT NULL AND e.previous_signing_secret_until > now() "
         "THEN e.previous_signing_secret_until END)",
         "old secret signs until"}),
    utc<Endpoint>({"created_at", &Endpoint::created_at, "e.created_at", "created_at"}),
    {"pending", &Endpoint::pending,
     "(SELECT count(*) FROM public.webhook_deliveries AS d WHERE d.endpoint_id = e.id AND d.due_at < "
     "'infinity')"},
    {"given_up", &Endpoint::dead_lettered,
     "(SELECT count(*) FROM public.webhook_deliveries AS d WHERE d.endpoint_id = e.id AND d.due_at = "
     "'infinity')",
     "dead-lettered"},
};

constexpr const char* found_endpoints = R"(
FROM public.webhook_endpoints AS e LEFT JOIN public.social_accounts AS a ON a.id = e.social_account_id
WHERE starts_with(e.id::text, $1) AND ($2::uuid IS NULL OR e.social_account_id = $2)
  AND (NOT $3::boolean OR e.failing_since IS NOT NULL) AND (NOT $4::boolean OR NOT e.is_enabled)
ORDER BY e.social_account_id NULLS FIRST, e.place, e.id)";

// Place 0 of an account is its webhook_url: the first endpoint with a URL, and the last one that is free.
constexpr const char* select_free_place = R"(
WITH taken AS (SELECT place FROM public.webhook_endpoints WHERE social_account_id IS NOT DISTINCT FROM $1::uuid),
free AS (SELECT p FROM generate_series(0, 9) AS p WHERE p NOT IN (SELECT place FROM taken)),
ranked AS (
  SELECT p, $1::uuid IS NOT NULL AND p = 0 AS is_webhook_url FROM free
  WHERE NOT ($1::uuid IS NOT NULL AND p = 0 AND $2::boolean)
  ORDER BY CASE WHEN $1::uuid IS NOT NULL AND p = 0 AND EXISTS (SELECT FROM taken) THEN 10 ELSE p END LIMIT 1)
SELECT p, is_webhook_url FROM ranked)";

// An empty webhook_url is none.
constexpr const char* set_first_url = R"(
UPDATE public.social_accounts SET webhook_url = CAST($2 AS jsonb) ->> 'url'
WHERE id = $1::uuid AND coalesce(webhook_url, '') !~ '[^[:space:]]')";

constexpr const char* insert_endpoint = R"(
INSERT INTO public.webhook_endpoints (id, social_account_id, place, url)
SELECT coalesce((v ->> 'id')::uuid, gen_random_uuid()), $1::uuid, $3::smallint, v ->> 'url' FROM CAST($2 AS jsonb) AS v)";

// Before the row's own values: the trigger switches the endpoint of a new URL on.
constexpr const char* change_primary_url = R"(
UPDATE public.social_accounts AS a SET webhook_url = v ->> 'url'
FROM CAST($2 AS jsonb) AS v, public.webhook_endpoints AS e
WHERE e.id = $1::uuid AND e.place = 0 AND a.id = e.social_account_id AND v ? 'url'
  AND a.webhook_url IS DISTINCT FROM v ->> 'url')";

// A name that the object does not have leaves its column as it is.
const std::string update_columns = R"(
UPDATE public.webhook_endpoints AS e
SET id               = coalesce((v ->> 'id')::uuid, e.id),
    url              = CASE WHEN v ? 'url' THEN v ->> 'url' ELSE e.url END,
    description      = CASE WHEN v ? 'description' THEN v ->> 'description' ELSE e.description END,
    format           = coalesce(v ->> 'format', e.format),
    app_secret       = coalesce(v ->> 'app_secret', e.app_secret),
    signing_secret   = coalesce(v ->> 'signing_secret', e.signing_secret),
    headers          = CASE WHEN jsonb_typeof(v -> 'headers') = 'object' THEN v -> 'headers'
                            WHEN v ? 'headers' THEN '{}' ELSE e.headers END,
    webhook_events   = CASE WHEN jsonb_typeof(v -> 'webhook_events') = 'array'
                            THEN ARRAY(SELECT jsonb_array_elements_text(v -> 'webhook_events'))
                            WHEN v ? 'webhook_events' THEN NULL ELSE e.webhook_events END,
    concurrent_max   = coalesce((v ->> 'concurrent_max')::integer, e.concurrent_max),
    per_second_max   = CASE WHEN v ? 'per_second_max' THEN (v ->> 'per_second_max')::integer ELSE e.per_second_max END,
    is_ordered       = coalesce((v ->> 'is_ordered')::boolean, e.is_ordered),
    is_enabled       = coalesce((v ->> 'is_enabled')::boolean, e.is_enabled),
    disabled_because = CASE WHEN v ? 'is_enabled' THEN v ->> 'disabled_because' ELSE e.disabled_because END,
    failing_since    = CASE WHEN (v ->> 'is_enabled')::boolean THEN NULL ELSE e.failing_since END,
    warned_percent   = CASE WHEN (v ->> 'is_enabled')::boolean THEN 0 ELSE e.warned_percent END
FROM CAST($2 AS jsonb) AS v
)";

const std::string update_endpoint = update_columns + "WHERE e.id = $1::uuid";

// The one that this transaction has made.
const std::string complete_endpoint = update_columns + R"(
WHERE e.social_account_id IS NOT DISTINCT FROM $1::uuid AND e.place = $3::smallint AND e.created_at = now()
RETURNING e.id)";

constexpr const char* new_signing_secret = R"(
UPDATE public.webhook_endpoints
SET signing_secret = coalesce(nullif($3, ''), socialsync.new_signing_secret()),
    previous_signing_secret = CASE WHEN $2::bigint > 0 THEN signing_secret END,
    previous_signing_secret_until = CASE WHEN $2::bigint > 0 THEN now() + $2::bigint * interval '1 second' END
WHERE id = $1::uuid
  AND ($4::boolean OR previous_signing_secret IS NULL OR NOT coalesce(previous_signing_secret_until > now(), false)))";

constexpr const char* new_app_secret = R"(
UPDATE public.webhook_endpoints SET app_secret = coalesce(nullif($2, ''), socialsync.new_app_secret())
WHERE id = $1::uuid)";

constexpr const char* select_new_id = "SELECT gen_random_uuid()";
constexpr const char* select_new_secrets =
    "SELECT socialsync.new_app_secret(), socialsync.new_signing_secret()";

constexpr const char* clear_primary_url = R"(
UPDATE public.social_accounts AS a SET webhook_url = NULL FROM public.webhook_endpoints AS e
WHERE e.id = $1::uuid AND e.place = 0 AND a.id = e.social_account_id)";

constexpr const char* delete_endpoint = "DELETE FROM public.webhook_endpoints WHERE id = $1::uuid";

// The JSON object that the statements take: a member for each column that has a value.
class EndpointValues {
 public:
  template <class T>
  void add(const char* name, const std::optional<T>& value) {
    if (value) append(name, json_of(*value));
  }

  std::string text() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  void append(const char* name, const std::string& json) {
    text_ += fmt::format("{}\"{}\":{}", text_.empty() ? "{" : ",", name, json);
  }
  static std::string quoted(std::string_view text) {
    std::string json;
    append_json_string(json, text);
    return json;
  }
  static std::string json_of(const std::string& text) { return quoted(text); }
  static std::string json_of(bool flag) { return flag ? "true" : "false"; }
  static std::string json_of(std::uint64_t number) { return std::to_string(number); }
  static std::string json_of(const Uuid& id) { return quoted(to_string(id)); }
  static std::string json_of(const std::vector<std::string>& list) {
    std::string json;
    for (const std::string& item : list) json += (json.empty() ? "" : ",") + quoted(item);
    return "[" + json + "]";
  }
  static std::string json_of(const std::vector<std::pair<std::string, std::string>>& headers) {
    std::string json;
    for (const auto& [name, value] : headers)
      json += (json.empty() ? "" : ",") + quoted(name) + ":" + quoted(value);
    return "{" + json + "}";
  }
  template <class T>
  static std::string json_of(const std::optional<T>& value) {
    return value ? json_of(*value) : "null";
  }

  std::string text_;
};

std::string values_of(const EndpointChange& change) {
  EndpointValues values;
  values.add("id", change.id);
  values.add("url", change.url);
  values.add("webhook_events", change.webhook_events);
  values.add("format", change.format);
  values.add("headers", change.headers);
  values.add("is_ordered", change.is_ordered);
  values.add("concurrent_max", change.concurrent_max);
  values.add("per_second_max", change.per_second_max);
  values.add("description", change.description);
  values.add("app_secret", change.app_secret);
  values.add("signing_secret", change.signing_secret);
  values.add("is_enabled", change.is_enabled);
  values.add("disabled_because", change.disabled_because);
  return values.text();
}

pg::Statement& with_account(pg::Statement& statement, const std::optional<Uuid>& account) {
  return account ? statement.with(to_string(*account)) : statement.with_null();
}

pg::Statement of_id(const char* name, const char* sql, const Uuid& id) {
  pg::Statement statement{.name = name, .sql = sql};
  statement.with(to_string(id));
  return statement;
}

boost::asio::awaitable<bool> change_one(pg::Connection& connection, pg::Statement statement) {
  const pg::ResultSet changed = co_await connection.run(statement);
  co_return changed.affected() > 0;
}

}  // namespace

std::span<const Column<EndpointRecord>> endpoint_columns() { return all_endpoint_columns; }

std::vector<std::string> EndpointChange::names() const {
  std::vector<std::string> names;
  const auto add = [&names](const char* name, bool is_set) {
    if (is_set) names.emplace_back(name);
  };
  add("url", url.has_value());
  add("webhook_events", webhook_events.has_value());
  add("format", format.has_value());
  add("headers", headers.has_value());
  add("is_ordered", is_ordered.has_value());
  add("concurrent_max", concurrent_max.has_value());
  add("per_second_max", per_second_max.has_value());
  add("description", description.has_value());
  add("app_secret", app_secret.has_value());
  return names;
}

boost::asio::awaitable<std::vector<EndpointRecord>> find_endpoints(pg::Connection& connection,
                                                                   const EndpointFilter& filter) {
  static const std::string sql = select_list(endpoint_columns()) + found_endpoints;
  pg::Statement select{.name = "select_found_endpoints", .sql = sql.c_str()};
  select.with(filter.id_begins);
  with_account(select, filter.account)
      .with(filter.is_failing ? "true" : "false")
      .with(filter.is_disabled ? "true" : "false")
      .binary_results = true;
  const pg::ResultSet rows = co_await connection.run(select);
  co_return read_rows(endpoint_columns(), rows);
}

boost::asio::awaitable<FreePlace> find_free_place(pg::Connection& connection,
                                                  const std::optional<Uuid>& account, bool is_pulled) {
  pg::Statement select{.name = "select_free_place", .sql = select_free_place};
  with_account(select, account).with(is_pulled ? "true" : "false");
  const pg::ResultSet rows = co_await connection.run(select);
  if (rows.rows() == 0) co_return FreePlace{.place = std::nullopt};
  co_return FreePlace{.place = rows.number(0, 0), .is_webhook_url = rows.text(0, 1) == "t"};
}

boost::asio::awaitable<std::optional<Uuid>> add_endpoint(pg::Connection& connection,
                                                         const std::optional<Uuid>& account, FreePlace where,
                                                         const EndpointChange& change) {
  const std::string values = values_of(change);
  const std::string place = std::to_string(where.place.value_or(0));
  std::vector<pg::Statement> both(2);
  both[0] = {.name = "insert_endpoint", .sql = insert_endpoint};
  if (where.is_webhook_url) both[0] = {.name = "set_first_url", .sql = set_first_url};
  with_account(both[0], account).with(values);
  if (!where.is_webhook_url) both[0].with(place);
  both[1] = {.name = "complete_endpoint", .sql = complete_endpoint.c_str()};
  with_account(both[1], account).with(values).with(place).binary_results = true;
  const std::vector<pg::ResultSet> results = co_await connection.run(both);
  if (results.back().rows() == 0) co_return std::nullopt;
  co_return results.back().uuid(0, 0);
}

boost::asio::awaitable<bool> change_endpoint(pg::Connection& connection, const Uuid& id,
                                             const EndpointChange& change) {
  std::string values = values_of(change);
  std::vector<pg::Statement> both;
  both.push_back(of_id("change_primary_url", change_primary_url, id));
  both.back().with(values);
  both.push_back(of_id("update_endpoint", update_endpoint.c_str(), id));
  both.back().with(std::move(values));
  const std::vector<pg::ResultSet> results = co_await connection.run(both);
  co_return results.back().affected() > 0;
}

boost::asio::awaitable<Uuid> new_endpoint_id(pg::Connection& connection) {
  const pg::Statement select{.name = "select_new_endpoint_id", .sql = select_new_id, .binary_results = true};
  const pg::ResultSet rows = co_await connection.run(select);
  co_return rows.uuid(0, 0);
}

boost::asio::awaitable<EndpointSecrets> new_endpoint_secrets(pg::Connection& connection) {
  const pg::Statement select{.name = "select_new_endpoint_secrets", .sql = select_new_secrets};
  const pg::ResultSet rows = co_await connection.run(select);
  co_return EndpointSecrets{.app_secret = std::string(rows.text(0, 0)),
                            .signing_secret = std::string(rows.text(0, 1))};
}

boost::asio::awaitable<bool> rotate_signing_secret(pg::Connection& connection, const Uuid& id,
                                                   const Rotation& rotation, std::string secret) {
  pg::Statement statement = of_id("new_signing_secret", new_signing_secret, id);
  statement.with(std::to_string(rotation.grace_s)).with(std::move(secret));
  statement.with(rotation.ends_previous ? "true" : "false");
  const bool is_changed = co_await change_one(connection, std::move(statement));
  co_return is_changed;
}

boost::asio::awaitable<bool> rotate_app_secret(pg::Connection& connection, const Uuid& id,
                                               std::string secret) {
  pg::Statement statement = of_id("new_app_secret", new_app_secret, id);
  statement.with(std::move(secret));
  const bool is_changed = co_await change_one(connection, std::move(statement));
  co_return is_changed;
}

boost::asio::awaitable<EndpointSecrets> read_endpoint_secrets(pg::Connection& connection, const Uuid& id,
                                                              const crypto::SecretKeys& keys) {
  const std::optional<EndpointState> found = co_await select_endpoint(connection, id, keys);
  if (!found) co_return EndpointSecrets{};
  co_return EndpointSecrets{.app_secret = found->endpoint.app_secret,
                            .signing_secret = found->endpoint.signing_secrets.front()};
}

boost::asio::awaitable<bool> remove_endpoint(pg::Connection& connection, const Uuid& id) {
  std::vector<pg::Statement> both;
  both.push_back(of_id("clear_primary_url", clear_primary_url, id));
  both.push_back(of_id("delete_endpoint", delete_endpoint, id));
  const std::vector<pg::ResultSet> results = co_await connection.run(both);
  co_return results.front().affected() + results.back().affected() > 0;
}

}  // namespace socialsync::store
