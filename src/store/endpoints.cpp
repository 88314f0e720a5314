#include "store/endpoints.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "base/text.hpp"

namespace socialsync::store {
namespace {

constexpr const char* select_routes = R"(
SELECT id::text, social_account_id::text, webhook_events IS NULL, array_to_string(webhook_events, ','), is_ordered
FROM public.webhook_endpoints
WHERE is_enabled
ORDER BY social_account_id, place, id)";

enum RouteColumn { route_id, route_account, route_all_events, route_events, route_ordered };

// Headers as name, U+001F, value, U+001E: headers cannot contain these characters.
const std::string target_columns = R"(
SELECT id::text, social_account_id::text, url, format, app_secret, signing_secret,
       CASE WHEN previous_signing_secret_until > now() THEN previous_signing_secret END,
       (SELECT string_agg(key || E'\x1f' || value, E'\x1e') FROM jsonb_each_text(headers)),
       is_ordered, concurrent_max, per_second_max,
       CASE WHEN isfinite(failing_since) THEN floor(extract(epoch FROM failing_since) * 1000)::bigint END, warned_percent
FROM public.webhook_endpoints
)";
const std::string select_targets = target_columns + "WHERE is_enabled AND url IS NOT NULL ORDER BY id";
const std::string select_target = target_columns + "WHERE id = $1::uuid";

constexpr const char* count_disabled =
    "SELECT count(*) FROM public.webhook_endpoints WHERE NOT is_enabled AND url IS NOT NULL";

namespace endpoint_column {
enum Index : int {
  id,
  account_id,
  url,
  format,
  app_secret,
  signing_secret,
  previous_signing_secret,
  headers,
  is_ordered,
  concurrent_max,
  per_second_max,
  failing_since,
  warned_percent
};
}  // namespace endpoint_column

constexpr const char* record_news = R"(
SELECT socialsync.record_endpoint_news(id, failing = 1, warned::smallint, because)
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[]) AS n (id, failing, warned, because))";

Uuid uuid_of(std::string_view text) {
  const std::optional<Uuid> id = parse_uuid(text);
  if (!id) throw std::runtime_error("webhook_endpoints holds an id that is not a UUID");
  return *id;
}

template <class Number>
std::optional<Number> number_of(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc()) return std::nullopt;
  return number;
}

std::vector<std::pair<std::string, std::string>> headers_of(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> headers;
  while (!text.empty()) {
    const std::string_view header = text.substr(0, text.find('\x1e'));
    text.remove_prefix(std::min(text.size(), header.size() + 1));
    const std::size_t end = header.find('\x1f');
    if (end == std::string_view::npos || model::is_reserved_header(header.substr(0, end))) continue;
    headers.emplace_back(header.substr(0, end), header.substr(end + 1));
  }
  return headers;
}

// Reads one row and decrypts its secrets.
class Row {
 public:
  Row(const pg::ResultSet& rows, std::size_t row, const crypto::SecretKeys& keys)
      : rows_(rows), row_(row), keys_(keys) {}

  std::string_view text(endpoint_column::Index column) const { return rows_.text(row_, column); }
  bool is_null(endpoint_column::Index column) const { return rows_.is_null(row_, column); }

  std::string secret(endpoint_column::Index column, std::string_view name) {
    const std::string_view value = text(column);
    if (!crypto::is_sealed(value)) return std::string(value);
    auto opened = keys_.open(value, crypto::endpoint_place(text(endpoint_column::id), name));
    is_readable_ = is_readable_ && opened.has_value();
    return opened ? std::move(*opened) : std::string();
  }
  bool is_readable() const { return is_readable_; }

 private:
  const pg::ResultSet& rows_;
  std::size_t row_;
  const crypto::SecretKeys& keys_;
  bool is_readable_ = true;
};

model::Endpoint endpoint_of(Row& row) {
  model::Endpoint endpoint;
  endpoint.id = uuid_of(row.text(endpoint_column::id));
  if (!row.is_null(endpoint_column::account_id))
    endpoint.account_id = uuid_of(row.text(endpoint_column::account_id));
  endpoint.url = row.text(endpoint_column::url);
  endpoint.format =
      model::delivery_format_of(row.text(endpoint_column::format)).value_or(model::DeliveryFormat::meta);
  endpoint.app_secret = row.secret(endpoint_column::app_secret, "app_secret");
  endpoint.signing_secrets.push_back(row.secret(endpoint_column::signing_secret, "signing_secret"));
  if (!row.is_null(endpoint_column::previous_signing_secret))
    endpoint.signing_secrets.push_back(
        row.secret(endpoint_column::previous_signing_secret, "signing_secret"));
  endpoint.headers = headers_of(row.text(endpoint_column::headers));
  endpoint.is_ordered = row.text(endpoint_column::is_ordered) == "t";
  endpoint.concurrent_max = number_of<std::uint32_t>(row.text(endpoint_column::concurrent_max)).value_or(1);
  endpoint.per_second_max = number_of<std::uint32_t>(row.text(endpoint_column::per_second_max));
  return endpoint;
}

EndpointState state_of(const pg::ResultSet& rows, std::size_t at, const crypto::SecretKeys& keys) {
  Row row(rows, at, keys);
  EndpointState state{.endpoint = endpoint_of(row), .failing_since_ms = {}};
  state.failing_since_ms = number_of<std::int64_t>(row.text(endpoint_column::failing_since));
  state.warned_percent = number_of<int>(row.text(endpoint_column::warned_percent)).value_or(0);
  state.is_readable = row.is_readable();
  return state;
}

}  // namespace

boost::asio::awaitable<void> listen_for_endpoint_changes(pg::Connection& connection) {
  const pg::Statement listen{.name = "listen_endpoints", .sql = "LISTEN socialsync_endpoints"};
  co_await connection.run(listen);
}

boost::asio::awaitable<pg::ResultSet> select_endpoint_routes(pg::Connection& connection) {
  const pg::Statement select{.name = "select_endpoint_routes", .sql = select_routes};
  co_return co_await connection.run(select);
}

EndpointRoutes read_endpoint_routes(const pg::ResultSet& rows) {
  EndpointRoutes routes;
  for (std::size_t row = 0; row < rows.rows(); ++row) {
    model::AccountEndpoint endpoint{.id = uuid_of(rows.text(row, route_id)),
                                    .webhook_events = std::nullopt,
                                    .is_ordered = rows.text(row, route_ordered) == "t"};
    if (rows.text(row, route_all_events) == "f")
      endpoint.webhook_events = split_list(rows.text(row, route_events));
    if (rows.is_null(row, route_account)) {
      routes.of_app.push_back(std::move(endpoint));
    } else {
      routes.of_accounts.emplace_back(uuid_of(rows.text(row, route_account)), std::move(endpoint));
    }
  }
  return routes;
}

boost::asio::awaitable<std::vector<EndpointState>> select_endpoints(pg::Connection& connection,
                                                                    const crypto::SecretKeys& keys) {
  const pg::Statement select{.name = "select_endpoints", .sql = select_targets.c_str()};
  const pg::ResultSet rows = co_await connection.run(select);
  std::vector<EndpointState> endpoints;
  endpoints.reserve(rows.rows());
  for (std::size_t i = 0; i < rows.rows(); ++i) endpoints.push_back(state_of(rows, i, keys));
  co_return endpoints;
}

boost::asio::awaitable<std::size_t> count_disabled_endpoints(pg::Connection& connection) {
  const pg::Statement select{.name = "count_disabled_endpoints", .sql = count_disabled};
  const pg::ResultSet rows = co_await connection.run(select);
  co_return number_of<std::size_t>(rows.text(0, 0)).value_or(0);
}

boost::asio::awaitable<std::optional<EndpointState>> select_endpoint(pg::Connection& connection,
                                                                     const Uuid& endpoint_id,
                                                                     const crypto::SecretKeys& keys) {
  pg::Statement select{.name = "select_endpoint", .sql = select_target.c_str()};
  select.with(to_string(endpoint_id));
  const pg::ResultSet rows = co_await connection.run(select);
  if (rows.rows() == 0) co_return std::nullopt;
  co_return state_of(rows, 0, keys);
}

EndpointNews combined(EndpointNews older, EndpointNews newer) {
  newer.was_well = newer.was_well || older.was_well || !older.is_failing;
  if (newer.disabled_because.empty()) newer.disabled_because = std::move(older.disabled_because);
  return newer;
}

boost::asio::awaitable<void> record_endpoint_news(pg::Connection& connection,
                                                  std::span<const EndpointNews> news) {
  pg::Array ids(pg::Type::uuid), failing(pg::Type::bigint), warned(pg::Type::bigint), because(pg::Type::text);
  // Sorted, as everywhere: two workers can then not deadlock.
  std::vector<EndpointNews> sorted(news.begin(), news.end());
  std::ranges::sort(sorted, {}, &EndpointNews::endpoint_id);
  const auto add = [&](const EndpointNews& one) {
    ids.add(one.endpoint_id);
    failing.add(std::int64_t{one.is_failing ? 1 : 0});
    warned.add(std::int64_t{one.warned_percent});
    if (one.disabled_because.empty())
      because.add_null();
    else
      because.add(one.disabled_because);
  };
  for (const EndpointNews& one : sorted) {
    if (one.is_failing && one.was_well) add({.endpoint_id = one.endpoint_id, .disabled_because = {}});
    add(one);
  }
  pg::Statement record{.name = "record_endpoint_news", .sql = record_news};
  record.with(std::move(ids)).with(std::move(failing)).with(std::move(warned)).with(std::move(because));
  co_await connection.run(record);
}

}  // namespace socialsync::store
