#include "migrate/backfill/preimages.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "migrate/query.hpp"
#include "migrate/sql_files.hpp"

namespace socialsync::migrate {
namespace {

// A rollback drops the new columns, unless they existed before the migration.
constexpr const char* select_stays = R"(
SELECT EXISTS (SELECT FROM socialsync.preimages WHERE object = 'column ' || $1))";

bool has_table(pg::Session& session) {
  return !session.query("SELECT to_regclass('socialsync.backfill_preimages')").is_null(0, 0);
}

// The cast from text to the column's type.
std::string cast_of(const BackfillColumn& column) {
  if (column.kind == BackfillColumn::Kind::events) return "::text[]";
  return column.kind == BackfillColumn::Kind::json ? "::jsonb" : "";
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
  for (BackfillAssignment& assignment : source.assignments) {
    const std::string name(assignment.column->name);
    assignment.stays = !assignment.column->is_new || is_true(session.query(select_stays, {name}));
    any = any || assignment.stays;
  }
  return any;
}

void make_preimages(pg::Session& session) {
  if (has_table(session)) return;
  session.execute("SET check_function_bodies = off");  // the bodies name objects of later steps
  session.execute(std::string(update_definitions()));
  session.query("SELECT pg_temp.make_backfill_preimages()");
}

BackfillSource load_preimages(pg::Session& session, const std::string& run) {
  BackfillSource source;
  std::vector<const BackfillColumn*> columns;
  if (has_table(session)) {
    const std::vector<std::string> names = lines_of(session.query(
        "SELECT column_name FROM socialsync.backfill_preimages WHERE run = $1 AND old_value IS NOT NULL "
        "GROUP BY 1",
        {run}));
    for (const std::string& name : names) columns.push_back(&backfill_column(name));
  }
  if (columns.empty())
    throw Failure(Exit::wrong_usage,
                  fmt::format("nothing to undo of run {}: it replaced no value, or was undone before", run));
  make_wanted(session, run, columns);
  source.keys = "pg_temp.backfill_wanted";
  source.joined = "JOIN pg_temp.backfill_wanted AS w ON w.id = a.id";
  source.total = first_number(session.query("SELECT count(*) FROM pg_temp.backfill_wanted"));
  for (const BackfillColumn* column : columns)
    source.assignments.push_back(
        {.column = column,
         .value = fmt::format("w.{}", column->name),
         .may_write = fmt::format("w.{0}_written = sha256(convert_to(a.{0}::text, 'UTF8'))", column->name)});
  return source;
}

bool has_preimages(pg::Session& session, const std::string& run) {
  return is_true(session.query(
      "SELECT EXISTS (SELECT FROM socialsync.backfill_preimages WHERE run = $1 AND old_value IS NOT NULL)",
      {run}));
}

void drop_preimages(pg::Session& session, const std::string& run) {
  session.query("DELETE FROM socialsync.backfill_preimages WHERE run = $1 AND old_value IS NOT NULL", {run});
}

}  // namespace socialsync::migrate
