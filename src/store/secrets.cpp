#include "store/secrets.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "crypto/digest.hpp"
#include "crypto/secret_box.hpp"
#include "model/secret_columns.hpp"

namespace socialsync::store {
namespace {

constexpr std::string_view accounts_table = "social_accounts";

// Reads one page of rows by id, so that no statement scans the whole table, however few values match. The
// last row returns the page's last id.
constexpr const char* select_page = R"(
WITH page AS MATERIALIZED (
  SELECT id, {0} FROM public.{2}
  WHERE id >= $1::uuid AND (id > $1::uuid OR $2::boolean) ORDER BY id LIMIT 1000)
SELECT p.id::text, s.name, s.value
FROM page AS p, LATERAL (VALUES {1}) AS s (name, value)
WHERE s.value ~ '[^ ,]'
  AND CASE $3 WHEN 'plain' THEN s.value !~ '^enc:v1:[0-9a-f]{{8}}:[^,]*$'
              WHEN 'sealed' THEN s.value ~ '^enc:v1:[0-9a-f]{{8}}:[^,]*$'
              ELSE s.value ~ '(^|,)\s*enc:v1:[0-9a-f]{{8}}:' END
UNION ALL
SELECT (SELECT id::text FROM page ORDER BY id DESC LIMIT 1), NULL, count(*)::text FROM page)";

// A migration holds this lock exclusively: a rollback that found no encrypted value must not meet one later.
// The old value is passed as a digest, because a server may log parameters.
constexpr const char* update_column = R"(
WITH permit AS MATERIALIZED (
  SELECT pg_try_advisory_xact_lock_shared(hashtextextended('socialsync webhooks migration', 0)) AS granted),
changed AS (
  UPDATE public.{1} AS a SET {0} = w.new
  FROM unnest($1::uuid[], $2::bytea[], $3::text[]) AS w (id, old, new), permit
  WHERE permit.granted AND a.id = w.id AND sha256(convert_to(a.{0}::text, 'UTF8')) = w.old
    AND a.id IN (SELECT id FROM public.{1} WHERE id = ANY ($1::uuid[])
                 FOR NO KEY UPDATE SKIP LOCKED)
  RETURNING a.id)
SELECT (SELECT granted FROM permit), (SELECT count(*) FROM changed))";

constexpr const char* count_plain = R"(
SELECT s.name, count(*) FROM public.{0} AS p, LATERAL (VALUES {1}) AS s (name, value)
WHERE s.value ~ '[^ ,]' AND s.value !~ '^enc:v1:[0-9a-f]{{8}}:[^,]*$' GROUP BY s.name)";

constexpr const char* select_widths = R"(
SELECT given.name, atttypmod - 4
FROM unnest($1::text[], $2::text[], $3::text[]) AS given (name, tbl, col)
JOIN pg_attribute ON attrelid = to_regclass('public.' || tbl) AND attname = col
WHERE NOT attisdropped AND atttypmod > 0)";

// PostgreSQL refuses to alter a column that a trigger names.
constexpr const char* select_triggers = R"(
SELECT format('DROP TRIGGER %I ON public.%I', t.tgname, $2::text), pg_get_triggerdef(t.oid)
FROM pg_trigger AS t JOIN pg_attribute AS a ON a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::int2[])
WHERE t.tgrelid = to_regclass('public.' || $2) AND NOT t.tgisinternal AND a.attname = $1
ORDER BY t.tgname)";

// Column privileges are enough, and so is a policy that hides no row: the gateway's role has no more.
constexpr const char* select_obstacle = R"(
SELECT CASE
  WHEN row_security_active(t.oid) AND NOT coalesce(policies.hide_nothing, false)
  THEN format('row-level security would hide %s from role %I: connect as %I, who owns %I, or as a role that bypasses it',
              CASE t.relname WHEN 'social_accounts' THEN 'accounts' ELSE 'endpoints' END, current_user, pg_get_userbyid(t.relowner), t.relname)
  WHEN missing.rights <> ''
  THEN format('missing right: GRANT %s ON public.%I TO %I', missing.rights, t.relname, current_user)
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
WHERE t.oid = to_regclass('public.' || $3))";

constexpr const char* set_session_lock_timeout = "SELECT set_config('lock_timeout', '1s', false)";

const model::SecretColumn& column_of(std::string_view name) {
  const model::SecretColumn* found = model::find_secret_column(name);
  if (!found) throw std::logic_error("no column of secrets: " + std::string(name));
  return *found;
}

struct NamedSql {
  std::string name;
  std::string sql;
};

// One statement per column: the application may have a trigger on one of them.
const NamedSql& update_of(const model::SecretColumn& column) {
  static std::map<std::string_view, NamedSql> all;
  if (const auto found = all.find(column.name); found != all.end()) return found->second;
  NamedSql made{.name = fmt::format("update_{}", column.name),
                .sql = fmt::format(fmt::runtime(update_column), column.column, column.table)};
  return all.emplace(column.name, std::move(made)).first->second;
}

// Returns a row of VALUES for each column, with its name.
std::string values_of(std::span<const std::string> names) {
  std::string values;
  for (const std::string& name : names)
    values += fmt::format("{}('{}', p.{}::text)", values.empty() ? "" : ", ", name, column_of(name).column);
  return values;
}

// Names no other columns: this role may lack the privilege for them. Each set of columns is one prepared
// statement of a connection.
const NamedSql& page_of(std::span<const std::string> names) {
  static std::map<std::string, NamedSql> all;
  const std::string chosen = fmt::format("{}", fmt::join(names, ", "));
  if (const auto found = all.find(chosen); found != all.end()) return found->second;
  std::vector<std::string_view> columns;
  for (const std::string& name : names) columns.push_back(column_of(name).column);
  NamedSql made{.name = "select_secrets " + chosen,
                .sql = fmt::format(fmt::runtime(select_page), fmt::join(columns, ", "), values_of(names),
                                   column_of(names.front()).table)};
  return all.emplace(chosen, std::move(made)).first->second;
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

std::vector<std::string> all_columns() {
  std::vector<std::string> names;
  for (const model::SecretColumn& column : model::secret_columns) names.emplace_back(column.name);
  return names;
}

namespace asio = boost::asio;
using Kind = SecretChange::Kind;

constexpr std::chrono::milliseconds pause_between_passes{500};
constexpr std::size_t batch_values_max = 200;  // rows locked together

class Walk {
 public:
  Walk(pg::Connection& connection, const SecretChange& change) : connection_(connection), change_(change) {
    const std::vector<std::string> ids = change.keys.ids();
    if (!ids.empty()) newest_ = ids.front();
  }

  asio::awaitable<SecretReport> run() {
    widths_ = co_await secret_widths(connection_);
    const asio::any_io_executor executor = co_await asio::this_coro::executor;
    asio::steady_timer pause(executor);
    for (int pass = 1; pass <= change_.passes_max; ++pass) {
      co_await walk();
      const bool is_over = report_.busy == 0 || report_.held_off || report_.interrupted;
      if (is_over || pass == change_.passes_max) break;
      pause.expires_after(pause_between_passes);
      co_await pause.async_wait(asio::use_awaitable);
    }
    co_return std::move(report_);
  }

 private:
  // Counted anew in each pass.
  void begin_pass() {
    report_.busy = 0;
    report_.left.clear();
    report_.left_count = 0;
    report_.too_narrow.clear();
    rows_ = 0;
  }

  bool is_ended() {
    report_.interrupted = change_.interrupted && change_.interrupted();
    return report_.interrupted || report_.held_off;
  }

  asio::awaitable<void> walk() {
    begin_pass();
    for (const std::vector<std::string>& columns : by_table(change_.columns)) co_await walk_table(columns);
  }

  asio::awaitable<void> walk_table(const std::vector<std::string>& columns) {
    const SecretForm form = change_.kind == Kind::seal ? SecretForm::plain : SecretForm::any_sealed;
    std::optional<std::string> after;
    while (!is_ended()) {
      SecretPage page = co_await select_secrets(connection_, form, columns, after);
      if (!page.last_id) co_return;
      co_await change_page(page);
      after = std::move(page.last_id);
      rows_ += page.rows;
      if (change_.looked_at) change_.looked_at(rows_);
    }
  }

  asio::awaitable<void> change_page(SecretPage& page) {
    std::map<std::string, std::vector<SecretReplacement>> batches;
    for (StoredSecret& secret : page.secrets) {
      std::optional<std::string> changed = changed_value(secret);
      if (!changed) continue;
      std::vector<SecretReplacement>& batch = batches[secret.column];
      batch.push_back({.id = secret.id, .from = std::move(secret.value), .to = std::move(*changed)});
      if (batch.size() < batch_values_max) continue;
      co_await write(secret.column, batch);
      if (is_ended()) co_return;
    }
    for (auto& [column, batch] : batches) {
      if (!batch.empty() && !report_.held_off) co_await write(column, batch);
    }
  }

  // Returns nothing when the value stays unchanged.
  std::optional<std::string> changed_value(const StoredSecret& secret) {
    const std::string place = place_of(secret);
    const bool is_newest =
        crypto::is_wholly_sealed(secret.value) && crypto::key_id_of(secret.value) == newest_;
    if (change_.kind == Kind::reseal && is_newest) return std::nullopt;
    auto opened = change_.keys.open_list(secret.value, place);
    if (!opened && opened.error() == crypto::OpenError::not_sealed)
      return change_.kind == Kind::seal ? sealed(secret, secret.value, place) : std::nullopt;
    if (!opened) {
      leave(secret, std::string(to_string(opened.error())));
      return std::nullopt;
    }
    if (change_.kind == Kind::open) return std::move(*opened);
    std::optional<std::string> anew = sealed(secret, *opened, place);
    crypto::wipe(*opened);
    return anew;
  }

  std::optional<std::string> sealed(const StoredSecret& secret, const std::string& plain,
                                    const std::string& place) {
    const auto width = widths_.find(secret.column);
    const std::size_t length = crypto::sealed_length(plain.size());
    if (width == widths_.end() || length <= width->second) return change_.keys.seal(plain, place);
    SecretReport::TooNarrow& too_narrow = report_.too_narrow[secret.column];
    ++too_narrow.values;
    too_narrow.longest = std::max(too_narrow.longest, length);
    leave(secret, "too_narrow");
    return std::nullopt;
  }

  void leave(const StoredSecret& secret, std::string why) {
    ++report_.left_count;
    if (report_.left.size() < SecretReport::left_listed_max)
      report_.left.push_back({.id = secret.id, .column = secret.column, .why = std::move(why)});
  }

  asio::awaitable<void> write(const std::string& column, std::vector<SecretReplacement>& batch) {
    Replaced replaced{.count = batch.size()};
    if (!change_.is_preview) replaced = co_await replace_secrets(connection_, column, batch);
    if (replaced.count > 0) report_.changed[column] += replaced.count;
    report_.held_off = report_.held_off || replaced.is_held_off;
    report_.busy += batch.size() - replaced.count;
    for (SecretReplacement& replacement : batch) {
      crypto::wipe(replacement.from);
      crypto::wipe(replacement.to);
    }
    batch.clear();
  }

  pg::Connection& connection_;
  const SecretChange& change_;
  std::string newest_;
  std::map<std::string, std::size_t> widths_;
  SecretReport report_;
  std::uint64_t rows_ = 0;
};

}  // namespace

std::string place_of(const StoredSecret& secret) {
  const model::SecretColumn& column = column_of(secret.column);
  return column.table == accounts_table ? crypto::account_place(secret.id, column.sealed_as)
                                        : crypto::endpoint_place(secret.id, column.sealed_as);
}

std::vector<std::vector<std::string>> by_table(std::span<const std::string> columns) {
  std::map<std::string_view, std::vector<std::string>> tables;
  for (const std::string& name : columns) tables[column_of(name).table].push_back(name);
  std::vector<std::vector<std::string>> groups;
  for (auto& [table, names] : tables) groups.push_back(std::move(names));
  return groups;
}

boost::asio::awaitable<SecretPage> select_secrets(pg::Connection& connection, SecretForm form,
                                                  std::span<const std::string> columns,
                                                  const std::optional<std::string>& after) {
  const NamedSql& found = page_of(columns);
  pg::Statement select{.name = found.name.c_str(), .sql = found.sql.c_str()};
  select.with(after.value_or(to_string(Uuid()))).with(after ? "false" : "true");
  select.with(std::string(word_of(form)));
  const pg::ResultSet rows = co_await connection.run(select);
  SecretPage page;
  const std::size_t last = rows.rows() - 1;
  for (std::size_t row = 0; row < last; ++row)
    page.secrets.push_back({.id = std::string(rows.text(row, 0)),
                            .column = std::string(rows.text(row, 1)),
                            .value = std::string(rows.text(row, 2))});
  page.rows = number(rows, last, 2);
  if (page.rows > 0) page.last_id = rows.text(last, 0);
  co_return page;
}

boost::asio::awaitable<Replaced> replace_secrets(pg::Connection& connection, std::string_view column,
                                                 std::span<const SecretReplacement> replacements) {
  pg::Array ids(pg::Type::uuid), old_values(pg::Type::bytea), new_values(pg::Type::text);
  for (const SecretReplacement& replacement : replacements) {
    const std::optional<Uuid> id = parse_uuid(replacement.id);
    if (!id) throw std::runtime_error("a row of secrets has an id that is not a UUID");
    ids.add(*id);
    crypto::Sha256 digest;
    digest.add(replacement.from);
    const crypto::Digest old = digest.finish();
    old_values.add(std::string_view(reinterpret_cast<const char*>(old.data()), old.size()));
    new_values.add(replacement.to);
  }
  const NamedSql& found = update_of(column_of(column));
  pg::Statement update{.name = found.name.c_str(), .sql = found.sql.c_str()};
  update.with(std::move(ids)).with(std::move(old_values)).with(std::move(new_values));
  const pg::ResultSet rows = co_await connection.run(update);
  co_return Replaced{.count = number(rows, 0, 1), .is_held_off = rows.text(0, 0) != "t"};
}

boost::asio::awaitable<std::map<std::string, std::uint64_t>> count_plain_secrets(pg::Connection& connection) {
  std::map<std::string, std::uint64_t> counts;
  for (const std::vector<std::string>& names : by_table(all_columns())) {
    const std::string sql =
        fmt::format(fmt::runtime(count_plain), column_of(names.front()).table, values_of(names));
    const std::string name = fmt::format("count_plain_secrets {}", column_of(names.front()).table);
    const pg::Statement count{.name = name.c_str(), .sql = sql.c_str()};
    const pg::ResultSet rows = co_await connection.run(count);
    for (std::size_t row = 0; row < rows.rows(); ++row)
      counts[std::string(rows.text(row, 0))] = number(rows, row, 1);
  }
  co_return counts;
}

boost::asio::awaitable<std::map<std::string, std::size_t>> secret_widths(pg::Connection& connection) {
  pg::Array names(pg::Type::text), tables(pg::Type::text), columns(pg::Type::text);
  for (const model::SecretColumn& column : model::secret_columns) {
    names.add(column.name);
    tables.add(column.table);
    columns.add(column.column);
  }
  pg::Statement select{.name = "select_secret_widths", .sql = select_widths};
  select.with(std::move(names)).with(std::move(tables)).with(std::move(columns));
  const pg::ResultSet rows = co_await connection.run(select);
  std::map<std::string, std::size_t> widths;
  for (std::size_t row = 0; row < rows.rows(); ++row)
    widths[std::string(rows.text(row, 0))] = number(rows, row, 1);
  co_return widths;
}

boost::asio::awaitable<std::vector<std::string>> widening_statements(pg::Connection& connection,
                                                                     const std::string& column,
                                                                     std::size_t characters) {
  const model::SecretColumn& found = column_of(column);
  pg::Statement select{.name = "select_triggers", .sql = select_triggers};
  select.with(std::string(found.column)).with(std::string(found.table));
  const pg::ResultSet triggers = co_await connection.run(select);
  std::vector<std::string> statements{"BEGIN", "SET LOCAL lock_timeout = '2s'"};
  for (std::size_t row = 0; row < triggers.rows(); ++row) statements.emplace_back(triggers.text(row, 0));
  statements.push_back(fmt::format("ALTER TABLE public.{} ALTER COLUMN {} TYPE varchar({})", found.table,
                                   found.column, characters));
  for (std::size_t row = 0; row < triggers.rows(); ++row) statements.emplace_back(triggers.text(row, 1));
  statements.emplace_back("COMMIT");
  co_return statements;
}

boost::asio::awaitable<std::string> secrets_obstacle(pg::Connection& connection,
                                                     std::span<const std::string> columns, bool writes) {
  for (const std::vector<std::string>& names : by_table(columns)) {
    const std::string table(column_of(names.front()).table);
    pg::Array wanted(pg::Type::text);
    for (const std::string& name : names) wanted.add(column_of(name).column);
    pg::Statement question{.name = "select_secrets_obstacle", .sql = select_obstacle};
    question.with(std::move(wanted)).with(writes ? "true" : "false").with(table);
    const pg::ResultSet rows = co_await connection.run(question);
    if (!rows.is_null(0, 0)) co_return std::string(rows.text(0, 0));
  }
  co_return std::string();
}

boost::asio::awaitable<void> limit_lock_waits(pg::Connection& connection) {
  const pg::Statement statement{.name = "limit_lock_waits", .sql = set_session_lock_timeout};
  co_await connection.run(statement);
}

asio::awaitable<SecretReport> change_secrets(pg::Connection& connection, const SecretChange& change) {
  Walk walk(connection, change);
  SecretReport report = co_await walk.run();
  co_return report;
}

}  // namespace socialsync::store
