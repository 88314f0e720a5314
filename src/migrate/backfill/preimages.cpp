#include "migrate/backfill/preimages.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "migrate/sql_files.hpp"

namespace socialsync::migrate {
namespace {

using Kind = BackfillColumn::Kind;

// New columns go with a rollback, unless they were found.
constexpr const char* select_stays = R"(
SELECT EXISTS (SELECT FROM socialsync.preimages WHERE object = 'column ' || $1))";

bool has_table(pg::Session& session) {
  return !session.query("SELECT to_regclass('socialsync.backfill_preimages')").is_null(0, 0);
}

// The text of a value as its own type.
std::string cast_of(const BackfillColumn& column) {
  if (column.kind == Kind::events) return "::text[]";
  return column.kind == Kind::json ? "::jsonb" : "";
}

std::string pivoted(const BackfillColumn& column) {
  return fmt::format(
      "(array_agg(old_value) FILTER (WHERE column_name = '{0}'))[1]{1} AS {0}, "
      "(array_agg(written) FILTER (WHERE column_name = '{0}'))[1] AS {0}_written",
      column.name, cast_of(column));
}

void make_wanted(pg::Session& session, const std::string& run,
                 const std::vector<const BackfillColumn*>& columns) {
  std::vector<std::string> parts;
  for (const BackfillColumn* column : columns) parts.push_back(pivoted(*column));
  session.query(
      fmt::format("CREATE TEMPORARY TABLE backfill_wanted AS SELECT id, {} FROM "
                  "socialsync.backfill_preimages WHERE run = $1 AND old_value IS NOT NULL GROUP BY id",
                  fmt::join(parts, ", ")),
      {run});
  session.execute(
      "ALTER TABLE pg_temp.backfill_wanted ADD PRIMARY KEY (id); ANALYZE pg_temp.backfill_wanted");
}

}  // namespace

bool mark_columns_that_stay(pg::Session& session, BackfillSource& source) {
  bool any = false;
  for (BackfillWish& wish : source.wishes) {
    const std::string name(wish.column->name);
    wish.stays = !wish.column->is_new || session.query(select_stays, {name}).text(0, 0) == "t";
    any = any || wish.stays;
  }
  return any;
}

void make_preimages(pg::Session& session) {
  if (has_table(session)) return;
  session.execute("SET check_function_bodies = off");  // they name what is not there yet
  session.execute(std::string(update_definitions()));
  session.query("SELECT pg_temp.make_backfill_preimages()");
}

BackfillSource load_preimages(pg::Session& session, const std::string& run) {
  BackfillSource source;
  std::vector<const BackfillColumn*> columns;
  if (has_table(session)) {
    const pg::ResultSet rows = session.query(
        "SELECT column_name FROM socialsync.backfill_preimages WHERE run = $1 AND old_value IS NOT NULL "
        "GROUP BY 1",
        {run});
    for (std::size_t row = 0; row < rows.rows(); ++row)
      columns.push_back(&backfill_column(rows.text(row, 0)));
  }
  if (columns.empty())
    throw Failure(
        Exit::wrong_usage,
        fmt::format("there is nothing to undo of a run {}: it replaced no value, or is undone already", run));
  make_wanted(session, run, columns);
  source.keys = "pg_temp.backfill_wanted";
  source.joined = "JOIN pg_temp.backfill_wanted AS w ON w.id = a.id";
  source.total =
      std::stoull(std::string(session.query("SELECT count(*) FROM pg_temp.backfill_wanted").text(0, 0)));
  for (const BackfillColumn* column : columns)
    source.wishes.push_back(
        {.column = column,
         .value = fmt::format("w.{}", column->name),
         .may_write = fmt::format("w.{0}_written = sha256(convert_to(a.{0}::text, 'UTF8'))", column->name)});
  return source;
}

bool has_preimages(pg::Session& session, const std::string& run) {
  return session
             .query(
                 "SELECT EXISTS (SELECT FROM socialsync.backfill_preimages WHERE run = $1 AND old_value IS "
                 "NOT NULL)",
                 {run})
             .text(0, 0) == "t";
}

void drop_preimages(pg::Session& session, const std::string& run) {
  session.query("DELETE FROM socialsync.backfill_preimages WHERE run = $1 AND old_value IS NOT NULL", {run});
}

}  // namespace socialsync::migrate
