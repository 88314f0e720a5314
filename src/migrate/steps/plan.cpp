#include "migrate/steps/plan.hpp"

#include <algorithm>

#include "migrate/catalogue.hpp"
#include "migrate/query.hpp"
#include "migrate/session.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::migrate {
namespace {

constexpr const char* select_server = R"(
SELECT current_database(), current_user, split_part(current_setting('server_version'), ' ', 1),
       coalesce((SELECT greatest(reltuples, 0)::bigint FROM pg_class
                 WHERE oid = to_regclass('public.social_accounts')), 0))";

// A role without pg_read_all_stats sees that other roles have transactions, and no details.
constexpr const char* select_blockers = R"(
SELECT DISTINCT ON (a.xact_start, a.pid)
       format('pid %s %s for %s (app=%s) holds %s on %s', a.pid, coalesce(a.state, 'active'),
              date_trunc('second', clock_timestamp() - a.xact_start),
              coalesce(nullif(a.application_name, ''), 'unnamed'), l.mode, l.relation::regclass)
FROM pg_locks AS l JOIN pg_stat_activity AS a USING (pid)
WHERE l.relation IN (to_regclass('public.users'), to_regclass('public.social_accounts'),
                     to_regclass('public.webhook_logs'))
  AND l.granted AND l.pid <> pg_backend_pid() AND clock_timestamp() - a.xact_start > interval '1 second'
ORDER BY a.xact_start, a.pid)";

constexpr const char* select_wraparound = R"(
SELECT line FROM pg_temp.wraparound_vacuum('{public.social_accounts,public.users,public.webhook_logs}') AS line
WHERE line IS NOT NULL)";

constexpr const char* select_published = R"(
SELECT 1 FROM pg_publication_tables WHERE schemaname = 'public' AND tablename = 'social_accounts' LIMIT 1)";

// Rows per second of a sequential scan with a condition and of an index build: half of the measured speed.
constexpr std::uint64_t scanned_per_s = 2'000'000;
constexpr std::uint64_t indexed_per_s = 500'000;

// Returns one line instead of the rows when the tables are too large or this role may not read them.
std::vector<std::string> look_at_rows(Catalogue& catalogue) {
  pg::Session& session = catalogue.session();
  std::vector<std::string> lines;
  session.execute("SAVEPOINT rows");
  limit_scan_time(session);
  try {
    for (BlockingRows& rows : catalogue.blocking_rows()) lines.push_back(std::move(rows.found));
  } catch (const pg::Error& error) {
    const bool is_long = error.sqlstate() == pg::sqlstate::query_canceled;
    if (!is_long && error.sqlstate() != pg::sqlstate::insufficient_privilege) throw;
    lines.emplace_back(
        is_long ? "too many accounts to check them all here: run socialsync migrate doctor"
                : "this role may not read the accounts: run socialsync migrate doctor as their owner");
  }
  session.execute("ROLLBACK TO rows");
  return lines;
}

// NULL: the ledger does not exist.
constexpr const char* select_may_read = R"(
SELECT pg_temp.may_read('socialsync.migration_steps'),
       format('privilege missing to see earlier runs: GRANT USAGE ON SCHEMA socialsync TO %1$I; '
              'GRANT SELECT ON socialsync.migration_steps TO %1$I', current_user))";

constexpr const char* select_runs = R"(
SELECT run, date_trunc('second', min(began_at)), date_trunc('second', max(ended_at)), count(*),
       coalesce(string_agg(step, ', ') FILTER (WHERE state = 'later'), '')
FROM socialsync.migration_steps GROUP BY run ORDER BY max(ended_at) DESC LIMIT 10)";

}  // namespace

std::size_t Plan::todo() const {
  return static_cast<std::size_t>(std::ranges::count(steps, false, &Step::present));
}

Plan make_plan(const pg::ConnectionOptions& options) {
  Catalogue catalogue(options, Catalogue::Use::read);
  Plan plan;
  const pg::ResultSet server = catalogue.session().query(select_server);
  plan.database = server.text(0, 0);
  plan.role = server.text(0, 1);
  plan.server_version = server.text(0, 2);
  plan.accounts = number_in(server, 0, 3);
  plan.missing_rights = catalogue.missing_rights();
  plan.conflicts = catalogue.conflicts();
  plan.steps = catalogue.steps();
  plan.hash = hash_of(plan.steps, catalogue.session());
  plan.warnings = catalogue.warnings();
  const bool adds_columns =
      std::ranges::any_of(plan.steps, [](const Step& step) { return step.id == "columns" && !step.present; });
  if (adds_columns) {
    plan.warnings.emplace_back(
        "a prepared SELECT * or RETURNING * on social_accounts fails with 0A000 until its client "
        "reconnects");
    if (catalogue.session().query(select_published).rows() > 0)
      plan.warnings.emplace_back(
          "social_accounts is published: add the new columns to the subscribers first, or replication stops");
  }
  for (const char* select : {select_blockers, select_wraparound})
    for (std::string& line : lines_of(catalogue.session().query(select)))
      plan.blockers.push_back(std::move(line));
  if (plan.conflicts.empty()) plan.rows = look_at_rows(catalogue);
  return plan;
}

std::chrono::milliseconds estimate(const Step& step, std::uint64_t accounts) {
  constexpr std::uint64_t least_ms = 10;
  const bool builds_index = step.id.starts_with("index.") && step.alone;
  const bool scans = step.id.starts_with("check.");
  const std::uint64_t per_s = builds_index ? indexed_per_s : scanned_per_s;
  const std::uint64_t work = builds_index || scans ? accounts * 1000 / per_s : 0;
  return std::chrono::milliseconds(std::max(least_ms, work));
}

std::string blocks(const Step& step) {
  if (step.lock == "ACCESS EXCLUSIVE") return "all, ≤100 ms";
  if (step.lock == "SHARE ROW EXCLUSIVE") return "writers, ≤100 ms";
  return "none";
}

Status read_status(const pg::ConnectionOptions& options) {
  Catalogue catalogue(options, Catalogue::Use::read);
  Status status;
  for (const Step& step : catalogue.steps()) {
    if (step.present)
      ++status.done;
    else
      status.todo.push_back(step.id);
  }
  pg::Session& session = catalogue.session();
  status.active = run_lock_holder(session);
  const pg::ResultSet ledger = session.query(select_may_read);
  if (ledger.text(0, 0) == "f") status.hidden = ledger.text(0, 1);
  if (ledger.text(0, 0) != "t") return status;
  const pg::ResultSet runs = session.query(select_runs);
  for (std::size_t row = 0; row < runs.rows(); ++row) {
    status.runs.push_back({.run = std::string(runs.text(row, 0)),
                           .began_at = std::string(runs.text(row, 1)),
                           .ended_at = std::string(runs.text(row, 2)),
                           .steps = number_in(runs, row, 3),
                           .later = std::string(runs.text(row, 4))});
  }
  return status;
}

}  // namespace socialsync::migrate
