#include "migrate/steps/rollback.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "base/failure.hpp"
#include "migrate/query.hpp"
#include "migrate/session.hpp"
#include "migrate/sql_files.hpp"
#include "migrate/steps/rollback_export.hpp"
#include "migrate/watch.hpp"
#include "pg/error.hpp"
#include "pg/sqlstate.hpp"
#include "process/interruption.hpp"

namespace socialsync::migrate {
namespace {

constexpr const char* nothing_changed = "interrupted: nothing was changed";
constexpr const char* select_residue = "SELECT pg_temp.residue()";
constexpr const char* too_many_accounts =
    "  lost   changes to social_accounts made while social_accounts.csv was written, if any: there are too "
    "many "
    "accounts to search them under the locks";

Failure failure_of(const pg::Error& error, const std::string& waited_for) {
  if (error.sqlstate() == pg::sqlstate::dependent_objects_still_exist ||
      error.sqlstate() == pg::sqlstate::feature_not_supported)
    return {Exit::refused, fmt::format("{}:\n{}\nNothing was changed: drop or change the dependent objects",
                                       error.what(), error.detail())};
  if (error.sqlstate() == pg::sqlstate::object_not_in_prerequisite_state)
    return {Exit::refused, error.what()};
  if (error.is_lock_conflict())
    return {Exit::lock_budget_spent,
            fmt::format("{}. Held by {}", error.what(),
                        waited_for.empty() ? "a session that has ended" : waited_for)};
  if (error.kind() == pg::ErrorKind::connection)
    return {Exit::lock_budget_spent, fmt::format("connection to the database lost: {}. The rollback is "
                                                 "complete or nothing was changed: run this again",
                                                 error.what())};
  if (error.sqlstate() == pg::sqlstate::query_canceled) return {Exit::interrupted, nothing_changed};
  if (error.sqlstate() == pg::sqlstate::insufficient_privilege)
    return {Exit::refused,
            fmt::format("{}. Nothing was changed: run this as the role that ran apply", error.what())};
  return {Exit::internal_error, fmt::format("{} ({}). Nothing was changed", error.what(), error.sqlstate())};
}

}  // namespace

RollbackReport roll_back(const pg::ConnectionOptions& options, const RollbackOptions& rollback_options,
                         const ShowProgress& show) {
  const std::unique_ptr<pg::Session> session = open_session(options);
  take_run_lock(*session, rollback_options.run_lock_wait);
  const process::Interruption interruption([&] { session->cancel(); });
  RollbackReport report;
  std::string waited_for;
  session->execute(std::string(rollback_definitions()));
  const bool full = rollback_options.depth == RollbackOptions::Depth::full;
  try {
    if (full) session->query("SELECT pg_temp.refuse_encrypted_values()");
    std::optional<RollbackExport> kept;
    if (full && !rollback_options.export_folder.empty())
      kept.emplace(*session, rollback_options.export_folder, show).write_all();
    const Watch watch(options, session->backend_pid(), "rollback", show,
                      [&waited_for](const std::string& blockers) { waited_for = blockers; });
    session->execute("BEGIN");
    session->query("SELECT pg_temp.lock_tables_patiently()");
    if (kept) {
      if (!kept->write_late()) report.lines.emplace_back(too_many_accounts);
      report.exports = kept->tables();
    }
    if (interruption.requested()) throw Failure(Exit::interrupted, nothing_changed);
    if (full && !rollback_options.rebuild_enum) report.residue = lines_of(session->query(select_residue));
    const pg::ResultSet lines = full ? session->query("SELECT pg_temp.roll_back($1)",
                                                      {rollback_options.rebuild_enum ? "true" : "false"})
                                     : session->query("SELECT pg_temp.roll_back_softly()");
    session->execute("COMMIT");
    std::ranges::copy(lines_of(lines), std::back_inserter(report.lines));
  } catch (const pg::Error& error) {
    throw failure_of(error, waited_for);
  }
  return report;
}

}  // namespace socialsync::migrate
