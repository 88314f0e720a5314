#include "migrate/backfill_preimages.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "migrate/outcome.hpp"

namespace socialsync::migrate {
namespace {

using Kind = BackfillColumn::Kind;

// `written` is a digest, since what the run wrote is in the account. Default privileges may have opened the
// table to others.
constexpr const char* make_table = R"(
DO $do$
DECLARE
  owner text := (SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = 'public.social_accounts'::regclass);
  role  text;
BEGIN
  IF to_regclass('socialsync.backfill_preimages') IS NOT NULL THEN
    RETURN;
  END IF;
  CREATE TABLE socialsync.backfill_preimages (
    run         text,
    id          uuid,
    column_name text,
    old_value   text NOT NULL,
    written     bytea NOT NULL,
    at          timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run, id, column_name)
  );
  COMMENT ON TABLE socialsync.backfill_preimages IS
    'SocialSync Webhooks: values that migrate backfill --overwrite replaced, for --undo; secrets among them';
  IF owner <> current_user THEN
    EXECUTE format('ALTER TABLE socialsync.backfill_preimages OWNER TO %I', owner);
  END IF;
  REVOKE ALL ON socialsync.backfill_preimages FROM PUBLIC;
  FOR role IN SELECT DISTINCT pg_get_userbyid(grantee) FROM pg_class, aclexplode(relacl)
              WHERE oid = 'socialsync.backfill_preimages'::regclass AND grantee NOT IN (0, relowner) LOOP
    EXECUTE format('REVOKE ALL ON socialsync.backfill_preimages FROM %I', role);
  END LOOP;
END $do$)";

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
  session.query(fmt::format("CREATE TEMPORARY TABLE backfill_wanted AS SELECT id, {} FROM "
                            "socialsync.backfill_preimages WHERE run = $1 GROUP BY id",
                            fmt::join(parts, ", ")),
                {run});
  session.execute(
      "ALTER TABLE pg_temp.backfill_wanted ADD PRIMARY KEY (id); ANALYZE pg_temp.backfill_wanted");
}

}  // namespace

void make_preimages(pg::Session& session) {
  if (!has_table(session)) session.execute(make_table);
}

BackfillSource load_preimages(pg::Session& session, const std::string& run) {
  BackfillSource source;
  std::vector<const BackfillColumn*> columns;
  if (has_table(session)) {
    const pg::ResultSet rows = session.query(
        "SELECT column_name FROM socialsync.backfill_preimages WHERE run = $1 GROUP BY 1", {run});
    for (std::size_t row = 0; row < rows.rows(); ++row)
      columns.push_back(&backfill_column(rows.text(row, 0)));
  }
  if (columns.empty())
    throw Failure(
        Outcome::wrong_usage,
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

void drop_preimages(pg::Session& session, const std::string& run) {
  session.query("DELETE FROM socialsync.backfill_preimages WHERE run = $1", {run});
}

}  // namespace socialsync::migrate
