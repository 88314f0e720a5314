#include "migrate/backfill/session.hpp"

#include <fmt/core.h>

#include "base/failure.hpp"
#include "migrate/backfill/columns.hpp"
#include "migrate/query.hpp"
#include "migrate/session.hpp"

namespace socialsync::migrate {
namespace {

constexpr const char* select_obstacle = R"(
SELECT CASE
  WHEN row_security_active('public.social_accounts')
  THEN format('row-level security would hide accounts from role %I: connect as %I, who owns social_accounts',
              current_user, pg_get_userbyid(relowner))
  WHEN NOT relrowsecurity
       OR has_column_privilege('anon', oid, 'app_secret', 'SELECT')
       OR has_column_privilege('authenticated', oid, 'app_secret', 'SELECT')
  THEN 'the migration is not finished: secrets would be readable by the roles of the web API. Run: socialsync migrate apply'
  WHEN NOT has_table_privilege('public.social_accounts', 'SELECT, UPDATE')
  THEN format('privilege missing: GRANT SELECT, UPDATE ON public.social_accounts TO %I', current_user)
END FROM pg_class WHERE oid = 'public.social_accounts'::regclass)";

void refuse_session(const std::string& message) { throw Failure(Exit::refused, message); }

// Returns the first missing object; empty when the database is migrated.
std::string missing_object(pg::Session& session) {
  if (session.query("SELECT to_regclass('public.social_accounts')").is_null(0, 0))
    return "table social_accounts";
  for (const BackfillColumn& column : backfill_columns()) {
    const pg::ResultSet rows = session.query(
        "SELECT FROM pg_attribute WHERE attrelid = 'public.social_accounts'::regclass AND NOT "
        "attisdropped AND attname = $1",
        {std::string(column.name)});
    if (rows.rows() == 0) return fmt::format("column {} of social_accounts", column.name);
  }
  return session.query("SELECT to_regclass('socialsync.preimages')").is_null(0, 0) ? "schema socialsync" : "";
}

}  // namespace

std::unique_ptr<pg::Session> open_backfill_session(const pg::ConnectionOptions& options) {
  auto opened = open_session(options);
  pg::Session& session = *opened;
  session.execute("SET lock_timeout = '100ms'");
  if (const std::string missing = missing_object(session); !missing.empty())
    refuse_session(
        fmt::format("the database is not migrated, {} is missing. Run: socialsync migrate apply", missing));
  const pg::ResultSet rows = session.query(select_obstacle);
  if (!rows.is_null(0, 0)) refuse_session(std::string(rows.text(0, 0)));
  return opened;
}

void plan_by_index(pg::Session& session) {
  session.execute(
      "SET enable_seqscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; SET jit = off");
}

std::string lock_holders(pg::Session& session) {
  const pg::ResultSet rows = session.query(R"(
SELECT string_agg(DISTINCT format('pid %s (%s, %s)', pid, a.state, coalesce(nullif(a.application_name, ''), 'unnamed')), '; ')
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.relation = 'public.social_accounts'::regclass AND l.granted AND pid <> pg_backend_pid()
  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))");
  return rows.is_null(0, 0) ? "a session that has ended" : first_value(rows);
}

std::string new_run_name(pg::Session& session) {
  return first_value(
      session.query("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD\"T\"HH24MISS\"Z-\"') || "
                    "left(replace(gen_random_uuid()::text, '-', ''), 6)"));
}

}  // namespace socialsync::migrate
