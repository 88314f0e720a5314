#include "store/secrets.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "crypto/digest.hpp"
#include "model/secret_columns.hpp"

namespace socialsync::store {
namespace {

// Of a page of accounts by id, so that however few values there are, no statement reads the whole table. The
// last row tells how far it went.
constexpr const char* select_page = R"(
WITH page AS MATERIALIZED (
  SELECT id, {0} FROM public.social_accounts
  WHERE id >= $1::uuid AND (id > $1::uuid OR $2::boolean) ORDER BY id LIMIT 1000)
SELECT p.id::text, s.name, s.value
FROM page AS p, LATERAL (VALUES {1}) AS s (name, value)
WHERE s.value ~ '[^ ,]'
  AND CASE $3 WHEN 'plain' THEN s.value !~ '^enc:v1:[0-9a-f]{{8}}:[^,]*$'
              WHEN 'sealed' THEN s.value ~ '^enc:v1:[0-9a-f]{{8}}:[^,]*$'
              ELSE s.value ~ '(^|,)\s*enc:v1:[0-9a-f]{{8}}:' END
UNION ALL
SELECT (SELECT id::text FROM page ORDER BY id DESC LIMIT 1), NULL, count(*)::text FROM page)";

// A migration holds the lock alone: a rollback that has found no sealed value must find none later. The old
// value is named by its digest, since a server may log parameters.
constexpr const char* update_column = R"(
WITH permit AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock_shared(hashtextextended('socialsync webhooks migration', 0)) AS granted),
changed AS (
  UPDATE public.social_accounts AS a SET {0} = w.new
  FROM unnest($1::uuid[], $2::bytea[], $3::text[]) AS w (id, old, new), permit
  WHERE permit.granted AND a.id = w.id AND sha256(convert_to(a.{0}::text, 'UTF8')) = w.old
    AND a.id IN (SELECT id FROM public.social_accounts WHERE id = ANY ($1::uuid[])
                 FOR NO KEY UPDATE SKIP LOCKED)
  RETURNING a.id)
SELECT (SELECT granted FROM permit), (SELECT count(*) FROM changed))";

constexpr const char* count_plain = R"(
SELECT s.name, count(*) FROM public.social_accounts AS a,
  LATERAL (VALUES ('app_secret', a.app_secret::text), ('verify_token', a.verify_token::text),
                  ('access_token', a.access_token::text), ('refresh_token', a.refresh_token::text))
    AS s (name, value)
WHERE s.value ~ '[^ ,]' AND s.value !~ '^enc:v1:[0-9a-f]{8}:[^,]*$' GROUP BY s.name)";

constexpr const char* select_widths = R"(
SELECT attname, atttypmod - 4 FROM pg_attribute
WHERE attrelid = 'public.social_accounts'::regclass AND attname = ANY ($1::text[]) AND NOT attisdropped
  AND atttypmod > 0)";

// PostgreSQL alters no column that a trigger names.
constexpr const char* select_triggers = R"(
SELECT format('DROP TRIGGER %I ON public.social_accounts', t.tgname), pg_get_triggerdef(t.oid)
FROM pg_trigger AS t JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::int2[])
WHERE t.tgrelid = 'public.social_accounts'::regclass AND NOT t.tgisinternal AND a.attname = $1
ORDER BY t.tgname)";

// Rights on the columns are enough, and so is a policy that hides nothing: the gateway's role has no others.
constexpr const char* select_obstacle = R"(
SELECT CASE
  WHEN row_security_active(t.oid) AND NOT coalesce(policies.hide_nothing, false)
  THEN format('row-level security would hide accounts from role %I: connect as %I, who owns social_accounts, or as a '
              'role that bypasses it', current_user, pg_get_userbyid(t.relowner))
  WHEN missing.rights <> ''
  THEN format('missing right: GRANT %s ON public.social_accounts TO %I', missing.rights, current_user)
END
FROM pg_class AS t,
  LATERAL (SELECT bool_and(polpermissive)
                  AND bool_or(polcmd = '*' AND pg_get_expr(polqual, t.oid) = 'true' AND polwithcheck IS NULL)
           FROM pg_policy WHERE polrelid = t.oid AND EXISTS (
             SELECT FROM unnest(polroles) AS role
             WHERE CASE role WHEN 0 THEN true ELSE pg_has_role(role, 'USAGE') END)) AS policies (hide_nothing),
  LATERAL (SELECT concat_ws(', ',
                    'SELECT (' || string_agg(name, ', ') FILTER (WHERE NOT has_column_privilege(t.oid, name, 'SELECT')) || ')',
                    'UPDATE (' || string_agg(name, ', ') FILTER (WHERE name <> 'id' AND $2::boolean
                                                  AND NOT has_column_privilege(t.oid, name, 'UPDATE')) || ')')
           FROM unnest('{id}' || $1::text[]) AS name) AS missing (rights)
WHERE t.oid = 'public.social_accounts'::regclass)";

constexpr const char* set_lock_timeout = "SELECT set_config('lock_timeout', '1s', false)";

// One statement for each column: a trigger of the application's may be about one of them.
struct ColumnSql {
  std::string_view column;
  std::string name;
  std::string sql;
};

const ColumnSql& update_of(std::string_view column) {
  static const std::vector<ColumnSql> all = [] {
    std::vector<ColumnSql> made;
    for (const std::string_view one : model::secret_columns)
      made.push_back({one, fmt::format("update_{}", one), fmt::format(fmt::runtime(update_column), one)});
    return made;
  }();
  const auto found = std::ranges::find(all, column, &ColumnSql::column);
  if (found == all.end()) throw std::logic_error("no column of secrets: " + std::string(column));
  return *found;
}

// It names no column but those: the others may be closed to this role. Of each connection one statement for
// each choice of columns.
const ColumnSql& page_of(std::span<const std::string> columns) {
  static std::map<std::string, ColumnSql> all;
  const std::string names = fmt::format("{}", fmt::join(columns, ", "));
  if (const auto found = all.find(names); found != all.end()) return found->second;
  std::string values;
  for (const std::string& column : columns) {
    update_of(column);  // it is one of secrets
    values += fmt::format("{}('{}', p.{}::text)", values.empty() ? "" : ", ", column, column);
  }
  ColumnSql made{.column = {},
                 .name = "select_secrets " + names,
                 .sql = fmt::format(fmt::runtime(select_page), names, values)};
  return all.emplace(names, std::move(made)).first->second;
}

std::string_view word_of(SecretForm form) {
  switch (form) {
    case SecretForm::plain: return "plain";
    case SecretForm::sealed: return "sealed";
    case SecretForm::any_sealed: break;
  }
  return "any_sealed";
}

std::uint64_t number(const pg::ResultSet& rows, std::size_t row, int column) {
  return std::stoull(std::string(rows.text(row, column)));
}

}  // namespace

boost::asio::awaitable<SecretPage> select_secrets(pg::Connection& connection, SecretForm form,
                                                  std::span<const std::string> columns,
                                                  const std::optional<std::string>& after) {
  const ColumnSql& found = page_of(columns);
  pg::Statement select{.name = found.name.c_str(), .sql = found.sql.c_str()};
  select.with(after.value_or(to_string(Uuid()))).with(after ? "false" : "true");
  select.with(std::string(word_of(form)));
  const pg::ResultSet rows = co_await connection.run(select);
  SecretPage page;
  const std::size_t last = rows.rows() - 1;
  for (std::size_t row = 0; row < last; ++row)
    page.secrets.push_back({.account_id = std::string(rows.text(row, 0)),
                            .column = std::string(rows.text(row, 1)),
                            .value = std::string(rows.text(row, 2))});
  page.accounts = number(rows, last, 2);
  if (page.accounts > 0) page.last_account = rows.text(last, 0);
  co_return page;
}

boost::asio::awaitable<Replaced> replace_secrets(pg::Connection& connection, std::string_view column,
                                                 std::span<const SecretReplacement> replacements) {
  pg::Array ids(pg::Type::uuid), old_values(pg::Type::bytea), new_values(pg::Type::text);
  for (const SecretReplacement& replacement : replacements) {
    const std::optional<Uuid> id = parse_uuid(replacement.account_id);
    if (!id) throw std::runtime_error("social_accounts holds an id that is not a UUID");
    ids.add(*id);
    crypto::Sha256 digest;
    digest.add(replacement.from);
    const crypto::Digest old = digest.finish();
    old_values.add(std::string_view(reinterpret_cast<const char*>(old.data()), old.size()));
    new_values.add(replacement.to);
  }
  const ColumnSql& found = update_of(column);
  pg::Statement update{.name = found.name.c_str(), .sql = found.sql.c_str()};
  update.with(std::move(ids)).with(std::move(old_values)).with(std::move(new_values));
  const pg::ResultSet rows = co_await connection.run(update);
  co_return Replaced{.count = number(rows, 0, 1), .is_held_off = rows.text(0, 0) != "t"};
}

boost::asio::awaitable<std::map<std::string, std::uint64_t>> count_plain_secrets(pg::Connection& connection) {
  const pg::Statement count{.name = "count_plain_secrets", .sql = count_plain};
  const pg::ResultSet rows = co_await connection.run(count);
  std::map<std::string, std::uint64_t> counts;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    counts[std::string(rows.text(row, 0))] = number(rows, row, 1);
  co_return counts;
}

boost::asio::awaitable<std::map<std::string, std::size_t>> secret_widths(pg::Connection& connection) {
  pg::Array names(pg::Type::text);
  for (const std::string_view column : model::secret_columns) names.add(column);
  pg::Statement select{.name = "select_secret_widths", .sql = select_widths};
  select.with(std::move(names));
  const pg::ResultSet rows = co_await connection.run(select);
  std::map<std::string, std::size_t> widths;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    widths[std::string(rows.text(row, 0))] = number(rows, row, 1);
  co_return widths;
}

boost::asio::awaitable<std::vector<std::string>> widening_statements(pg::Connection& connection,
                                                                     const std::string& column,
                                                                     std::size_t characters) {
  pg::Statement select{.name = "select_triggers", .sql = select_triggers};
  select.with(column);
  const pg::ResultSet triggers = co_await connection.run(select);
  std::vector<std::string> statements{"BEGIN", "SET LOCAL lock_timeout = '2s'"};
  for (std::size_t row = 0; row < triggers.rows(); ++row) statements.emplace_back(triggers.text(row, 0));
  statements.push_back(
      fmt::format("ALTER TABLE public.social_accounts ALTER COLUMN {} TYPE varchar({})", column, characters));
  for (std::size_t row = 0; row < triggers.rows(); ++row) statements.emplace_back(triggers.text(row, 1));
  statements.emplace_back("COMMIT");
  co_return statements;
}

boost::asio::awaitable<std::string> secrets_obstacle(pg::Connection& connection,
                                                     std::span<const std::string> columns, bool writes) {
  pg::Array names(pg::Type::text);
  for (const std::string& column : columns) names.add(column);
  pg::Statement question{.name = "select_secrets_obstacle", .sql = select_obstacle};
  question.with(std::move(names)).with(writes ? "true" : "false");
  const pg::ResultSet rows = co_await connection.run(question);
  co_return std::string(rows.text(0, 0));
}

boost::asio::awaitable<void> limit_lock_waits(pg::Connection& connection) {
  const pg::Statement statement{.name = "limit_lock_waits", .sql = set_lock_timeout};
  co_await connection.run(statement);
}

}  // namespace socialsync::store
