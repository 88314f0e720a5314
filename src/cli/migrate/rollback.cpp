#include "migrate/steps/rollback.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

#include <boost/json.hpp>
#include <fmt/chrono.h>
#include <fmt/core.h>

#include "cli/exit_code.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::RollbackOptions;
using migrate::RollbackReport;

struct Options {
  Common common;
  bool yes = false;
  bool soft = false;
  bool rebuild_enum = false;
  bool no_export = false;
  std::string export_folder;
};

void print_report(const RollbackReport& report, bool soft) {
  constexpr std::size_t indent = 9;
  for (const migrate::ExportedTable& made : report.exports)
    fmt::print("{}\n", fitted(fmt::format("  kept   {} in {} ({})", made.table, made.file,
                                          readable_bytes(made.bytes)),
                              indent));
  for (const std::string& line : report.lines) fmt::print("{}\n", fitted(line, indent));
  for (const std::string& thing : report.residue) fmt::print("{}\n", fitted("  stays  " + thing, indent));
  const bool any_done =
      std::ranges::any_of(report.lines, [](const std::string& line) { return line.starts_with("  done"); });
  if (!any_done) {
    fmt::print("{}\n",
               fitted(fmt::format("Nothing to do: {}",
                                  soft ? "no gateway starts on this database as it is."
                                       : "this database was never updated, or is rolled back already."),
                      2));
    return;
  }
  if (soft) {
    fmt::print("{}\n",
               fitted("Rolled back softly: columns, tables and data are there, and socialsync migrate apply "
                      "goes on from here. Stop gateways that run.",
                      2));
  } else {
    fmt::print("Rolled back.\n");
  }
}

void print_json(const RollbackReport& report) {
  json::array exports;
  for (const migrate::ExportedTable& made : report.exports)
    exports.push_back(json::object{{"table", made.table}, {"file", made.file}, {"bytes", made.bytes}});
  const json::object document{{"v", 1},
                              {"exports", exports},
                              {"done", json::array(report.lines.begin(), report.lines.end())},
                              {"residue", json::array(report.residue.begin(), report.residue.end())}};
  fmt::print("{}\n", json::serialize(document));
}

std::string default_folder() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("rollback-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now));
}

int roll_back(const Options& options) {
  const pg::ConnectionOptions database = database_of(options.common);
  RollbackOptions rollback_options{.rebuild_enum = options.rebuild_enum,
                                   .export_folder = options.export_folder};
  if (options.soft) rollback_options.depth = RollbackOptions::Depth::soft;
  if (options.export_folder.empty() && !options.no_export) rollback_options.export_folder = default_folder();
  const bool sure =
      confirmed(options.soft ? "Take back the views, functions and the trigger, so that no gateway starts?"
                             : "Undo the update, and drop the columns and tables it made?",
                options.yes);
  if (!sure) return ExitCode::done;
  ProgressLine line;
  const RollbackReport report = migrate::roll_back(database, rollback_options, line.shower());
  line.clear();
  options.common.output == Output::json ? print_json(report) : print_report(report, options.soft);
  return ExitCode::done;
}

}  // namespace

void add_rollback(Command migrate) {
  Command command = migrate.add_subcommand("rollback", "Bring back the database as it was before the update");
  command.footer(
      "Afterwards pg_dump --schema-only gives what it gave before, but for the label of the enum, which only "
      "--rebuild-enum takes away. What would be lost is written to CSV files first.\n"
      "Example:  socialsync migrate rollback --yes");
  const auto options = std::make_shared<Options>();
  add_common(command, options->common, true);
  command.add_flag("--yes", options->yes, "Do not ask");
  command.add_flag("--soft", options->soft,
                   "Keep columns, tables, data and policies; take back the views, the functions and the "
                   "trigger, so that no gateway starts");
  command.add_flag(
      "--rebuild-enum", options->rebuild_enum,
      "Also take the added labels away: rewrites social_accounts, which nobody can use meanwhile");
  command
      .add_option("--export", options->export_folder, "Folder for what would be lost (default rollback-TIME)")
      .type_name("DIR");
  command.add_flag("--no-export", options->no_export, "Do not write it");
  command.runs([options] { return guarded(options->common, [&] { return roll_back(*options); }); });
}

}  // namespace socialsync::cli::migration
