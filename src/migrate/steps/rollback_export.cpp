#include "migrate/steps/rollback_export.hpp"

#include <fstream>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/failure.hpp"
#include "migrate/session.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::migrate {
namespace {

// Accounts with a value in a new column, and the tables of the migration.
constexpr const char* select_exports = R"(
SELECT 'social_accounts',
       format('COPY (SELECT id, %s FROM public.social_accounts WHERE %s) TO STDOUT (FORMAT csv, HEADER)',
              string_agg(quote_ident(name), ', ' ORDER BY place),
              string_agg(format('%I IS DISTINCT FROM %s', name,
                                CASE name WHEN 'webhook_status' THEN '''inactive''' WHEN 'webhook_metadata'
                                     THEN '''{}''::jsonb' ELSE 'NULL' END), ' OR '))
FROM pg_temp.our_columns()
HAVING count(*) > 0
UNION ALL
SELECT relname, format('COPY (SELECT * FROM %s) TO STDOUT (FORMAT csv, HEADER)', oid::regclass)
FROM pg_class
WHERE oid IN (to_regclass('public.webhook_logs'), to_regclass('public.webhook_quarantine'),
              to_regclass('public.webhook_endpoints'), to_regclass('public.webhook_deliveries'),
              to_regclass('public.webhook_delivery_attempts'))
  AND pg_temp.is_ours(obj_description(oid, 'pg_class'))
UNION ALL
-- Detached partitions, and the values that backfill replaced.
SELECT relname, format('COPY (SELECT * FROM %s) TO STDOUT (FORMAT csv, HEADER)', oid::regclass)
FROM pg_class
WHERE relnamespace = to_regnamespace('socialsync') AND relkind = 'r' AND NOT relispartition
  AND (relname LIKE 'webhook\_logs\_%' OR relname = 'backfill_preimages'))";

// The begin of the oldest transaction that may still commit. Only members of pg_read_all_stats see other
// roles' transactions; pg_stat_activity lists no prepared ones.
constexpr const char* select_oldest = R"(
SELECT least(now(), min(xact_start), (SELECT min(prepared) FROM pg_prepared_xacts WHERE database = current_database()),
             CASE WHEN bool_or(query = '<insufficient privilege>') THEN now() - interval '10 minutes' END),
       pg_snapshot_xmin(pg_current_snapshot())
FROM pg_stat_activity WHERE datname = current_database())";

// Rows added between the snapshot of the first files and the locks.
constexpr const char* select_late_exports = R"(
SELECT relname || '.late', format('COPY (SELECT * FROM %s WHERE %I >= %L AND age(xmin) <= %s) TO STDOUT (FORMAT csv, HEADER)',
                                  oid::regclass, made_at, $1::timestamptz, age($2::xid8::xid))
FROM pg_class
JOIN (VALUES ('webhook_logs', 'created_at'), ('webhook_quarantine', 'created_at'), ('webhook_endpoints', 'created_at'),
             ('webhook_deliveries', 'created_at'), ('webhook_delivery_attempts', 'attempted_at')) AS t (name, made_at)
  ON oid = to_regclass('public.' || name)
WHERE pg_temp.is_ours(obj_description(oid, 'pg_class')))";

// Accounts written by transactions that had not ended in the first snapshot. No index finds them.
constexpr const char* select_late_accounts = R"(
SELECT 'social_accounts.late',
       format('COPY (SELECT id, %s FROM public.social_accounts WHERE age(xmin) <= %s) TO STDOUT (FORMAT csv, HEADER)',
              string_agg(quote_ident(name), ', ' ORDER BY place), age($1::xid8::xid))
FROM pg_temp.our_columns()
HAVING count(*) > 0)";

// Creates the file with mode 0600: it holds secrets.
void make_private(const std::filesystem::path& path) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0)
    throw Failure(
        Exit::refused,
        fmt::format(
            "cannot create {} (does it exist? then name another folder with --export); nothing was changed",
            path.string()));
  close(file);
}

}  // namespace

RollbackExport::RollbackExport(pg::Session& session, std::filesystem::path folder, ShowProgress show)
    : session_(session), folder_(std::move(folder)), show_(std::move(show)) {}

std::filesystem::path RollbackExport::file_of(const std::string& table) const {
  return folder_ / (table + ".csv");
}

void RollbackExport::write(const std::string& table, const std::string& copy) {
  ExportedTable made{.table = table, .file = file_of(table).string()};
  make_private(made.file);
  std::ofstream out(made.file, std::ios::binary);
  session_.copy_out(copy, [&](std::string_view piece) {
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    made.bytes += piece.size();
    if (show_) show_({.what = "export of " + table, .done = made.bytes, .unit = "bytes"});
  });
  out.flush();
  if (!out) throw Failure(Exit::refused, fmt::format("cannot write {}: is the disk full?", made.file));
  tables_.push_back(std::move(made));
}

void RollbackExport::write_each(const pg::ResultSet& copies) {
  for (std::size_t row = 0; row < copies.rows(); ++row)
    write(std::string(copies.text(row, 0)), std::string(copies.text(row, 1)));
}

void RollbackExport::write_all() {
  std::error_code failed;
  if (std::filesystem::create_directories(folder_, failed))
    std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, failed);
  if (failed)
    throw Failure(Exit::refused, fmt::format("cannot create the folder {}: {}; nothing was changed",
                                             folder_.string(), failed.message()));
  session_.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ");
  // A row's time is the begin of its transaction, which may be before ours.
  const pg::ResultSet since = session_.query(select_oldest);
  oldest_begin_ = since.text(0, 0);
  oldest_transaction_ = since.text(0, 1);
  write_each(session_.query(select_exports));
  session_.execute("COMMIT");
}

bool RollbackExport::write_late() {
  write_each(session_.query(select_late_exports, {oldest_begin_, oldest_transaction_}));
  session_.execute("SAVEPOINT late");
  limit_scan_time(session_);  // writers wait for this statement
  try {
    write_each(session_.query(select_late_accounts, {oldest_transaction_}));
  } catch (const pg::Error& error) {
    if (error.sqlstate() != pg::sqlstate::query_canceled) throw;
    session_.execute("ROLLBACK TO late");
    std::filesystem::remove(file_of("social_accounts.late"));
    return false;
  }
  session_.execute("SET LOCAL statement_timeout = 0");
  return true;
}

}  // namespace socialsync::migrate
