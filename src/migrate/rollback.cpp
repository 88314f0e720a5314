#include "migrate/rollback.hpp"

#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "migrate/interrupt.hpp"
#include "migrate/outcome.hpp"
#include "migrate/session.hpp"
#include "migrate/sql_files.hpp"
#include "migrate/watch.hpp"
#include "pg/error.hpp"

namespace socialsync::migrate {
namespace {

// What goes with its data: accounts with anything in a new column, and our tables with rows.
constexpr const char* select_exports = R"(
SELECT 'social_accounts',
       format('COPY (SELECT id, %s FROM public.social_accounts WHERE %s) TO STDOUT (FORMAT csv, HEADER)',
              string_agg(quote_ident(attname), ', ' ORDER BY attnum),
              string_agg(format('%I IS DISTINCT FROM %s', attname,
                                CASE attname WHEN 'webhook_status' THEN '''inactive''' WHEN 'webhook_metadata'
                                     THEN '''{}''::jsonb' ELSE 'NULL' END), ' OR '))
FROM pg_attribute
WHERE attrelid = to_regclass('public.social_accounts') AND NOT attisdropped AND NOT pg_temp.was_found('column ' || attname)
  AND attname IN ('phone_number_id', 'page_id', 'app_secret', 'verify_token', 'webhook_url', 'business_name',
                  'display_phone_number', 'webhook_events', 'webhook_status', 'last_webhook_at', 'webhook_metadata')
HAVING count(*) > 0
UNION ALL
SELECT relname, format('COPY (SELECT * FROM %s) TO STDOUT (FORMAT csv, HEADER)', oid::regclass)
FROM pg_class
WHERE oid IN (to_regclass('public.webhook_logs'), to_regclass('public.webhook_quarantine'))
  AND pg_temp.is_ours(obj_description(oid, 'pg_class'))
UNION ALL
-- Partitions that were detached, and what backfill has overwritten.
SELECT relname, format('COPY (SELECT * FROM %s) TO STDOUT (FORMAT csv, HEADER)', oid::regclass)
FROM pg_class
WHERE relnamespace = to_regnamespace('socialsync') AND relkind = 'r' AND NOT relispartition
  AND (relname LIKE 'webhook\_logs\_%' OR relname = 'backfill_preimages'))";

// What came while the first files were written, and before the locks were had.
constexpr const char* select_late_exports = R"(
SELECT relname || '.late', format('COPY (SELECT * FROM %s WHERE created_at >= %L) TO STDOUT (FORMAT csv, HEADER)',
                                  oid::regclass, $1::timestamptz)
FROM pg_class
WHERE oid IN (to_regclass('public.webhook_logs'), to_regclass('public.webhook_quarantine'))
  AND pg_temp.is_ours(obj_description(oid, 'pg_class')))";

constexpr const char* select_residue = R"(
SELECT format('label %s of type social_platform', enumlabel) FROM pg_enum
WHERE enumtypid = to_regtype('public.social_platform') AND enumlabel = 'whatsapp_business')";

// Only we may read it: it holds secrets.
void write_private(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) throw Failure(Outcome::refused, fmt::format("cannot write {}", path.string()));
  close(file);
}

RollbackReport::Export export_table(pg::Session& session, const std::filesystem::path& folder,
                                    const std::string& table, const std::string& copy,
                                    const ShowProgress& show) {
  RollbackReport::Export made{.table = table, .file = (folder / (table + ".csv")).string()};
  write_private(made.file);
  std::ofstream out(made.file, std::ios::binary);
  session.copy_out(copy, [&](std::string_view piece) {
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    made.bytes += piece.size();
    if (show) show({.what = "export of " + table, .done = made.bytes, .unit = "bytes"});
  });
  out.flush();
  if (!out) throw Failure(Outcome::refused, fmt::format("cannot write {}: is the disk full?", made.file));
  return made;
}

void export_those(pg::Session& session, const pg::ResultSet& copies, const std::filesystem::path& folder,
                  RollbackReport& report, const ShowProgress& show) {
  for (std::size_t row = 0; row < copies.rows(); ++row)
    report.exports.push_back(export_table(session, folder, std::string(copies.text(row, 0)),
                                          std::string(copies.text(row, 1)), show));
}

// In one snapshot, so that the files agree with each other. Gives the snapshot's time.
std::string export_all(pg::Session& session, const std::filesystem::path& folder, RollbackReport& report,
                       const ShowProgress& show) {
  if (std::filesystem::create_directories(folder))
    std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
  session.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  // A row's time is that of its transaction's begin, which may be older than we are.
  const pg::ResultSet since = session.query(
      "SELECT least(now(), min(xact_start)) FROM pg_stat_activity WHERE datname = current_database()");
  const pg::ResultSet copies = session.query(select_exports);
  export_those(session, copies, folder, report, show);
  session.execute("COMMIT");
  return std::string(since.text(0, 0));
}

Failure failure_of(const pg::Error& error) {
  constexpr std::string_view dependent_objects = "2BP01";
  constexpr std::string_view lock_not_available = "55P03";
  constexpr std::string_view canceled = "57014";
  if (error.sqlstate() == dependent_objects)
    return {Outcome::refused,
            fmt::format("{}:\n{}\nNothing was changed: drop what depends on it, or change it", error.what(),
                        error.detail())};
  if (error.sqlstate() == lock_not_available) return {Outcome::lock_budget_spent, error.what()};
  if (error.sqlstate() == canceled) return {Outcome::interrupted, "interrupted: nothing was changed"};
  return {Outcome::internal_error,
          fmt::format("{} ({}). Nothing was changed", error.what(), error.sqlstate())};
}

}  // namespace

RollbackReport roll_back(const pg::ConnectionOptions& options, const RollbackOptions& rollback_options,
                         const ShowProgress& show) {
  const std::unique_ptr<pg::Session> session = open_session(options);
  take_run_lock(*session, rollback_options.run_lock_wait);
  const Interrupt interrupt([&] { session->cancel(); });
  RollbackReport report;
  session->execute(std::string(rollback_definitions()));
  const bool full = rollback_options.depth == RollbackOptions::Depth::full;
  try {
    std::string exported_since;
    if (full && !rollback_options.export_folder.empty())
      exported_since = export_all(*session, rollback_options.export_folder, report, show);
    const Watch watch(options, session->backend_pid(), "rollback", show);
    session->execute("BEGIN");
    session->query("SELECT pg_temp.lock_tables_patiently()");
    if (!exported_since.empty())
      export_those(*session, session->query(select_late_exports, {exported_since}),
                   rollback_options.export_folder, report, show);
    const pg::ResultSet lines = full ? session->query("SELECT pg_temp.roll_back($1)",
                                                      {rollback_options.rebuild_enum ? "true" : "false"})
                                     : session->query("SELECT pg_temp.roll_back_softly()");
    session->execute("COMMIT");
    for (std::size_t row = 0; row < lines.rows(); ++row) report.lines.emplace_back(lines.text(row, 0));
  } catch (const pg::Error& error) {
    throw failure_of(error);
  }
  const pg::ResultSet residue = session->query(select_residue);
  for (std::size_t row = 0; full && row < residue.rows(); ++row)
    report.residue.emplace_back(residue.text(row, 0));
  return report;
}

}  // namespace socialsync::migrate
