#include "store/account_admin.hpp"

#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>

namespace socialsync::store {
namespace {

using Account = AccountRecord;

constexpr const char* linked_ids_sql = R"(
    CASE WHEN jsonb_typeof(a.webhook_metadata -> 'ids') = 'array'
         THEN (SELECT string_agg(linked, ',') FROM jsonb_array_elements_text(a.webhook_metadata -> 'ids') linked) END)";

constexpr AccountColumn operator_columns[] = {
    {"id", &Account::id, "a.id::text"},
    {"user_id", &Account::user_id, "a.user_id::text"},
    {"email", &Account::email, "u.email"},
    {"platform", &Account::platform, "a.platform::text"},
    {.name = "is_active",
     .member = &Account::is_active,
     .sql = "a.is_active IS TRUE",
     .title = "active",
     .if_absent = "no"},
    {"account_id", &Account::account_id, "a.account_id"},
    {"username", &Account::username, "a.username"},
    {"display_name", &Account::display_name, "a.display_name"},
    {"business_name", &Account::business_name, "a.business_name"},
    {"phone_number_id", &Account::phone_number_id, "a.phone_number_id"},
    {"page_id", &Account::page_id, "a.page_id"},
    {"display_phone_number", &Account::display_phone_number, "a.display_phone_number"},
    {"waba_id", &Account::waba_id, "a.webhook_metadata ->> 'waba_id'"},
    {.name = "linked_ids", .member = &Account::linked_ids, .sql = linked_ids_sql, .is_list = true},
    {"webhook_url", &Account::webhook_url, "a.webhook_url"},
    {"webhook_status", &Account::webhook_status, "a.webhook_status"},
    {.name = "webhook_events",
     .member = &Account::webhook_events,
     .sql = "array_to_string(a.webhook_events, ',')",
     .if_absent = "all",
     .is_list = true},
    {"last_webhook_at", &Account::last_webhook_at,
     R"(to_char(a.last_webhook_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))"},
    {"created_at", &Account::created_at,
     R"(to_char(a.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))"},
    {"has_app_secret", &Account::has_app_secret, "coalesce(a.app_secret, '') <> ''", "app_secret", "its own",
     "META_APP_SECRET"},
    {"has_verify_token", &Account::has_verify_token, "coalesce(a.verify_token, '') <> ''", "verify_token",
     "set"},
    {"has_access_token", &Account::has_access_token, "coalesce(a.access_token, '') <> ''", "access_token",
     "set"},
    {"has_refresh_token", &Account::has_refresh_token, "coalesce(a.refresh_token, '') <> ''", "refresh_token",
     "set"},
};

constexpr const char* select_records_from = R"(
FROM public.social_accounts AS a LEFT JOIN public.users AS u ON u.id = a.user_id
WHERE a.platform::text IN ('whatsapp', 'whatsapp_business', 'instagram', 'facebook')
  AND ($1 = '' OR $1 IN (a.id::text, a.phone_number_id, a.page_id, a.account_id)
       OR a.webhook_metadata -> 'ids' ? $1
       OR regexp_replace(a.display_phone_number, '\D', '', 'g') = nullif(regexp_replace($1, '[\s()+.-]', '', 'g'), ''))
  AND ($2 = '' OR a.platform::text = $2)
  AND ($3 = '' OR u.email = $3 OR a.user_id::text = $3)
  AND ($4::boolean IS NULL OR a.is_active IS TRUE = $4::boolean)
ORDER BY a.created_at DESC, a.id
LIMIT $5::bigint)";

constexpr const char* select_users = R"(
SELECT email, id::text FROM public.users WHERE email = ANY ($1::text[])
UNION ALL SELECT id::text, id::text FROM public.users WHERE id = ANY ($2::uuid[]))";

constexpr const char* insert_user =
    "INSERT INTO public.users (id, email, full_name, is_active) VALUES ($1::uuid, $2, $2, true)";

constexpr const char* select_ids = "SELECT gen_random_uuid()::text FROM generate_series(1, $1::bigint)";

constexpr const char* insert_account = R"(
INSERT INTO public.social_accounts (id, user_id, platform, account_id, username, display_name, business_name,
                                    phone_number_id, page_id, display_phone_number, webhook_url, webhook_events,
                                    app_secret, verify_token, access_token, refresh_token, is_active, webhook_metadata)
SELECT $1::uuid, $2::uuid, (v ->> 'platform')::public.social_platform, v ->> 'account_id', v ->> 'username',
       v ->> 'display_name', v ->> 'business_name', v ->> 'phone_number_id', v ->> 'page_id',
       v ->> 'display_phone_number', v ->> 'webhook_url',
       CASE WHEN jsonb_typeof(v -> 'webhook_events') = 'array'
            THEN ARRAY(SELECT jsonb_array_elements_text(v -> 'webhook_events')) END,
       v ->> 'app_secret', v ->> 'verify_token', v ->> 'access_token', v ->> 'refresh_token',
       coalesce((v ->> 'is_active')::boolean, true),
       jsonb_strip_nulls(jsonb_build_object('waba_id', v -> 'waba_id', 'ids', v -> 'linked_ids'))
FROM CAST($3 AS jsonb) AS v)";

// A column without a member in the object keeps its value, and so do the other members of webhook_metadata.
constexpr const char* update_account = R"(
UPDATE public.social_accounts AS a
SET account_id           = CASE WHEN v ? 'account_id' THEN v ->> 'account_id' ELSE a.account_id END,
    username             = CASE WHEN v ? 'username' THEN v ->> 'username' ELSE a.username END,
    display_name         = CASE WHEN v ? 'display_name' THEN v ->> 'display_name' ELSE a.display_name END,
    business_name        = CASE WHEN v ? 'business_name' THEN v ->> 'business_name' ELSE a.business_name END,
    phone_number_id      = CASE WHEN v ? 'phone_number_id' THEN v ->> 'phone_number_id' ELSE a.phone_number_id END,
    page_id              = CASE WHEN v ? 'page_id' THEN v ->> 'page_id' ELSE a.page_id END,
    display_phone_number = CASE WHEN v ? 'display_phone_number' THEN v ->> 'display_phone_number'
                                ELSE a.display_phone_number END,
    webhook_url          = CASE WHEN v ? 'webhook_url' THEN v ->> 'webhook_url' ELSE a.webhook_url END,
    webhook_events       = CASE WHEN jsonb_typeof(v -> 'webhook_events') = 'array'
                                THEN ARRAY(SELECT jsonb_array_elements_text(v -> 'webhook_events'))
                                WHEN v ? 'webhook_events' THEN NULL ELSE a.webhook_events END,
    app_secret           = CASE WHEN v ? 'app_secret' THEN v ->> 'app_secret' ELSE a.app_secret END,
    verify_token         = CASE WHEN v ? 'verify_token' THEN v ->> 'verify_token' ELSE a.verify_token END,
    access_token         = CASE WHEN v ? 'access_token' THEN v ->> 'access_token' ELSE a.access_token END,
    refresh_token        = CASE WHEN v ? 'refresh_token' THEN v ->> 'refresh_token' ELSE a.refresh_token END,
    is_active            = CASE WHEN v ? 'is_active' THEN (v ->> 'is_active')::boolean ELSE a.is_active END,
    webhook_metadata     = CASE WHEN v ?| ARRAY['waba_id', 'linked_ids']
                                THEN coalesce(a.webhook_metadata, '{}')
                                     - CASE WHEN v ? 'waba_id' THEN ARRAY['waba_id'] ELSE '{}' END
                                     - CASE WHEN v ? 'linked_ids' THEN ARRAY['ids'] ELSE '{}' END
                                     || jsonb_strip_nulls(jsonb_build_object('waba_id', v -> 'waba_id',
                                                                             'ids', v -> 'linked_ids'))
                                ELSE a.webhook_metadata END
FROM CAST($2 AS jsonb) AS v
WHERE a.id = $1::uuid
  AND (NOT v ?| ARRAY['waba_id', 'linked_ids'] OR coalesce(jsonb_typeof(a.webhook_metadata), 'object') = 'object'))";

constexpr const char* select_waiting = R"(
SELECT reason, count(*) FROM public.webhook_quarantine WHERE routing_key = ANY ($1::text[])
GROUP BY reason ORDER BY count(*) DESC, reason)";

constexpr const char* select_events_of_a_day = R"(
SELECT webhook_type, count(*) FROM public.webhook_logs
WHERE social_account_id = $1::uuid AND created_at > now() - interval '1 day'
GROUP BY webhook_type ORDER BY count(*) DESC, webhook_type)";

Uuid uuid_at(const pg::ResultSet& rows, std::size_t row, int column) {
  const std::optional<Uuid> value = parse_uuid(rows.text(row, column));
  if (!value) throw std::runtime_error("an id that is not a UUID");
  return *value;
}

std::string select_records() {
  std::string sql;
  for (const AccountColumn& column : operator_columns)
    sql += (sql.empty() ? "SELECT " : ", ") + std::string(column.sql);
  return sql + select_records_from;
}

AccountRecord record_at(const pg::ResultSet& rows, std::size_t row) {
  AccountRecord record;
  int at = 0;
  for (const AccountColumn& column : operator_columns) {
    const auto read = [&]<class T>(T AccountRecord::* member) {
      if constexpr (std::is_same_v<T, Uuid>) record.*member = uuid_at(rows, row, at);
      if constexpr (std::is_same_v<T, bool>) record.*member = rows.text(row, at) == "t";
      if constexpr (std::is_same_v<T, std::string>) record.*member = rows.text(row, at);
      if constexpr (std::is_same_v<T, std::optional<std::string>>)
        if (!rows.is_null(row, at)) record.*member = rows.text(row, at);
    };
    std::visit(read, column.member);
    ++at;
  }
  return record;
}

std::vector<Count> counts_of(const pg::ResultSet& rows) {
  std::vector<Count> counts;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    counts.push_back({std::string(rows.text(row, 0)), std::stoull(std::string(rows.text(row, 1)))});
  return counts;
}

pg::Statement statement_of(const AccountWrite& write) {
  pg::Statement statement{.name = "update_account", .sql = update_account};
  if (write.new_for) statement = {.name = "insert_account", .sql = insert_account};
  statement.with(to_string(write.id));
  if (write.new_for) statement.with(to_string(*write.new_for));
  return std::move(statement.with(write.values));
}

}  // namespace

std::span<const AccountColumn> account_columns() { return operator_columns; }

const std::string& AccountRecord::key() const {
  const std::string& own = platform.starts_with("whatsapp") ? phone_number_id : page_id;
  return own.empty() ? account_id : own;
}

boost::asio::awaitable<std::vector<AccountRecord>> find_accounts(pg::Connection& connection,
                                                                 const AccountFilter& filter) {
  static const std::string sql = select_records();
  pg::Statement select{.name = "select_records", .sql = sql.c_str()};
  select.with(filter.name).with(filter.platform).with(filter.user);
  if (filter.is_active) {
    select.with(*filter.is_active ? "true" : "false");
  } else {
    select.with_null();
  }
  select.with(std::to_string(filter.limit));
  const pg::ResultSet rows = co_await connection.run(select);
  std::vector<AccountRecord> records;
  for (std::size_t row = 0; row < rows.rows(); ++row) records.push_back(record_at(rows, row));
  co_return records;
}

boost::asio::awaitable<std::map<std::string, Uuid>> find_users(pg::Connection& connection,
                                                               const std::vector<std::string>& names) {
  pg::Array emails(pg::Type::text), ids(pg::Type::uuid);
  for (const std::string& name : names) {
    emails.add(std::string_view(name));
    if (const std::optional<Uuid> id = parse_uuid(name)) ids.add(*id);
  }
  pg::Statement select{.name = "select_users", .sql = select_users};
  select.with(std::move(emails)).with(std::move(ids));
  const pg::ResultSet rows = co_await connection.run(select);
  std::map<std::string, Uuid> users;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    users.emplace(std::string(rows.text(row, 0)), uuid_at(rows, row, 1));
  co_return users;
}

boost::asio::awaitable<std::vector<Uuid>> new_ids(pg::Connection& connection, std::size_t count) {
  pg::Statement select{.name = "select_ids", .sql = select_ids};
  select.with(std::to_string(count));
  const pg::ResultSet rows = co_await connection.run(select);
  std::vector<Uuid> ids;
  for (std::size_t row = 0; row < rows.rows(); ++row) ids.push_back(uuid_at(rows, row, 0));
  co_return ids;
}

boost::asio::awaitable<std::size_t> write_accounts(pg::Connection& connection,
                                                   const std::vector<NewUser>& users,
                                                   const std::vector<AccountWrite>& writes) {
  std::vector<pg::Statement> statements;
  for (const NewUser& user : users) {
    statements.push_back({.name = "insert_user", .sql = insert_user});
    statements.back().with(to_string(user.id)).with(user.email);
  }
  for (const AccountWrite& write : writes) statements.push_back(statement_of(write));
  const std::vector<pg::ResultSet> results = co_await connection.run(statements);
  std::size_t written = 0;
  for (std::size_t i = users.size(); i < results.size(); ++i) written += results[i].affected();
  co_return written;
}

boost::asio::awaitable<std::vector<Count>> count_waiting(pg::Connection& connection,
                                                         const std::vector<std::string>& routing_keys) {
  pg::Array keys(pg::Type::text);
  for (const std::string& key : routing_keys) keys.add(key);
  pg::Statement select{.name = "select_waiting", .sql = select_waiting};
  select.with(std::move(keys));
  const pg::ResultSet rows = co_await connection.run(select);
  co_return counts_of(rows);
}

boost::asio::awaitable<std::vector<Count>> count_events_of_a_day(pg::Connection& connection,
                                                                 const Uuid& account_id) {
  pg::Statement select{.name = "select_events_of_a_day", .sql = select_events_of_a_day};
  select.with(to_string(account_id));
  const pg::ResultSet rows = co_await connection.run(select);
  co_return counts_of(rows);
}

}  // namespace socialsync::store
