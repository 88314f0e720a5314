#include "migrate/backfill/source.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

namespace socialsync::migrate {
namespace {

std::string differs(const BackfillAssignment& assignment) {
  return fmt::format("({1} IS NOT NULL AND a.{0} IS DISTINCT FROM {1})", assignment.column->name,
                     assignment.value);
}

std::string is_written(const BackfillAssignment& assignment) {
  return fmt::format("({} AND ({}))", differs(assignment), assignment.may_write);
}

std::string is_kept(const BackfillAssignment& assignment) {
  return fmt::format("({} AND NOT coalesce({}, false))", differs(assignment), assignment.may_write);
}

// Joins one expression for each assignment.
template <class F>
std::string each(const BackfillSource& source, std::string_view separator, F expression) {
  std::vector<std::string> parts;
  for (std::size_t i = 0; i < source.assignments.size(); ++i)
    parts.push_back(expression(source.assignments[i], i));
  return fmt::format("{}", fmt::join(parts, separator));
}

// Restores the role's search_path for the application's triggers. It takes effect at execution: the names of
// the statement itself are resolved before.
constexpr const char* path_of_triggers =
    "(SELECT set_config('search_path', reset_val, true) FROM pg_settings WHERE name = 'search_path') IS NOT "
    "NULL";

std::string shown(const BackfillAssignment& assignment, const std::string& value) {
  if (!assignment.column->is_secret) return value + "::text";
  return fmt::format("CASE WHEN nullif({}::text, '') IS NOT NULL THEN '••••' END", value);
}

}  // namespace

BackfillSql::BackfillSql(const BackfillSource& source) : source_(source) {
  any_write_ = each(source, " OR ",
                    [](const BackfillAssignment& assignment, std::size_t) { return is_written(assignment); });
}

// Selects by an array of ids: for a join or a condition the planner could expect many rows.
std::string BackfillSql::accounts() const {
  return fmt::format("public.social_accounts AS a {} WHERE a.id = ANY ($1::uuid[])", source_.joined);
}

std::string BackfillSql::survey(const std::string& keys) const {
  const std::string any_kept = each(
      source_, " OR ", [](const BackfillAssignment& assignment, std::size_t) { return is_kept(assignment); });
  const std::string kept_values = each(source_, " + ", [](const BackfillAssignment& assignment, std::size_t) {
    return is_kept(assignment) + "::int";
  });
  const std::string any_wish = each(source_, " OR ", [](const BackfillAssignment& assignment, std::size_t) {
    return fmt::format("{} IS NOT NULL", assignment.value);
  });
  const std::string writes = each(source_, ", ", [](const BackfillAssignment& assignment, std::size_t i) {
    return fmt::format("{} AS writes{}", is_written(assignment), i);
  });
  const std::string counts = each(source_, ", ", [](const BackfillAssignment&, std::size_t i) {
    return fmt::format("count(*) FILTER (WHERE writes{})", i);
  });
  return fmt::format(
      "WITH picked AS MATERIALIZED (SELECT id FROM {} WHERE ($1::uuid IS NULL OR id > $1::uuid)"
      "  AND id <= $2::uuid ORDER BY id LIMIT $3::bigint),"
      " seen AS (SELECT a.id, ({}) AS writes, ({}) AS keeps, {} AS kept_values, {}"
      "  FROM picked JOIN public.social_accounts AS a USING (id) {} WHERE ({})"
      "  AND (a.created_at BETWEEN $4::timestamptz AND clock_timestamp()) IS NOT TRUE)"
      " SELECT (SELECT id FROM picked ORDER BY id DESC LIMIT 1), (SELECT count(*) FROM picked),"
      "  count(*) FILTER (WHERE NOT writes AND NOT keeps), count(*) FILTER (WHERE writes),"
      "  coalesce(sum(kept_values), 0), array_agg(id) FILTER (WHERE writes),"
      "  array_agg(id) FILTER (WHERE keeps), {} FROM seen",
      keys, any_write_, any_kept, kept_values, writes, source_.joined, any_wish, counts);
}

std::string BackfillSql::left() const {
  return fmt::format("SELECT count(*) FROM public.social_accounts AS a {} WHERE ({})", source_.joined,
                     any_write_);
}

std::string BackfillSql::kept() const {
  const std::string parts =
      each(source_, " UNION ALL ", [&](const BackfillAssignment& assignment, std::size_t) {
        return fmt::format("SELECT a.id, '{}' FROM {} AND {}", assignment.column->name, accounts(),
                           is_kept(assignment));
      });
  return fmt::format("SELECT * FROM ({}) AS kept (id, name) ORDER BY id, name LIMIT $2::bigint", parts);
}

std::string BackfillSql::preview() const {
  const std::string parts =
      each(source_, " UNION ALL ", [&](const BackfillAssignment& assignment, std::size_t) {
        return fmt::format("SELECT a.id, '{}', {}, {} FROM {} AND {}", assignment.column->name,
                           shown(assignment, fmt::format("a.{}", assignment.column->name)),
                           shown(assignment, assignment.value), accounts(), is_written(assignment));
      });
  return fmt::format("SELECT * FROM ({}) AS changes (id, name) ORDER BY id, name LIMIT $2::bigint", parts);
}

// Stores replaced values, and empty ones where a rollback keeps the column.
std::string BackfillSql::saved_values(const std::string& run) const {
  if (run.empty()) return {};
  const std::string parts =
      each(source_, " UNION ALL ", [](const BackfillAssignment& assignment, std::size_t i) {
        return fmt::format(
            "SELECT id, '{0}', old{1}, sha256(convert_to(new{1}::text, 'UTF8')) FROM locked"
            " WHERE writes{1}{2}",
            assignment.column->name, i, assignment.stays ? "" : fmt::format(" AND NOT unset{}", i));
      });
  return fmt::format(
      " saved AS (INSERT INTO socialsync.backfill_preimages (run, id, column_name, old_value, written)"
      " SELECT '{}', * FROM ({}) AS replaced),",
      run, parts);
}

std::string BackfillSql::write(const std::string& skipped, const std::string& run) const {
  const std::string seen = each(source_, ", ", [](const BackfillAssignment& assignment, std::size_t i) {
    return fmt::format(
        "coalesce({1}, false) AS writes{0}, {2} AS new{0}, a.{3}::text AS old{0}, {4} AS unset{0}", i,
        is_written(assignment), assignment.value, assignment.column->name, is_unset(*assignment.column));
  });
  const std::string set = each(source_, ", ", [](const BackfillAssignment& assignment, std::size_t i) {
    return fmt::format("{0} = CASE WHEN locked.writes{1} THEN locked.new{1} ELSE a.{0} END",
                       assignment.column->name, i);
  });
  const std::string counts = each(source_, ", ", [](const BackfillAssignment&, std::size_t i) {
    return fmt::format("(SELECT count(*) FROM locked WHERE writes{})", i);
  });
  return fmt::format(
      "WITH locked AS MATERIALIZED (SELECT a.id, {} FROM {} AND ({}) AND {}"
      "  ORDER BY a.id FOR NO KEY UPDATE OF a SKIP LOCKED),"
      " written AS (UPDATE public.social_accounts AS a SET {} FROM locked WHERE a.id = locked.id RETURNING "
      "a.id),{}"
      " skipped AS (INSERT INTO {} SELECT unnest($1::uuid[]) EXCEPT SELECT id FROM locked RETURNING id)"
      " SELECT (SELECT count(*) FROM written), (SELECT count(*) FROM skipped), {}",
      seen, accounts(), any_write_, path_of_triggers, set, saved_values(run), skipped, counts);
}

std::string BackfillSql::rival(const BackfillAssignment& assignment) const {
  return fmt::format(
      "SELECT other.id FROM public.social_accounts AS a {0} JOIN public.social_accounts AS other"
      " ON other.{1} = {2} AND other.id <> a.id WHERE a.id = $1::uuid",
      source_.joined, assignment.column->name, assignment.value);
}

}  // namespace socialsync::migrate
