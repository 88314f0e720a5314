// `socialsync migrate backup` and `rollback`.
#include <algorithm>
#include <chrono>
#include <memory>

#include <fmt/chrono.h>
#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/json.hpp"
#include "cli/text/terminal.hpp"
#include "migrate/backup/recent.hpp"
#include "migrate/steps/rollback.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::RollbackReport;

struct BackupCommandOptions {
  migrate::BackupOptions backup;
  std::function<bool()> wants_check;
  std::string checked_directory;
  int age_max_hours = 24;
};

std::string verdict(const migrate::BackupManifest& manifest) {
  const bool is_restored = manifest.verified == migrate::Verified::restored;
  if (!is_restored)
    return coloured(Colour::yellow, fmt::format("read back only, not restored: {}", manifest.verified_note));
  return coloured(Colour::green, manifest.schema_only
                                     ? "restored into a scratch database: identical schema"
                                     : "restored into a scratch database: identical counts and hashes");
}

void print_fact(const char* name, const std::string& text) {
  constexpr std::size_t indent = 10;
  fmt::print("{}\n", fitted(fmt::format("{:<{}}{}", name, indent, text), indent));
}

void print_backup(const migrate::BackupReport& report) {
  const migrate::BackupManifest& manifest = report.manifest;
  const std::string content = manifest.schema_only ? "schema only"
                                                   : fmt::format("{} tables, {} rows", manifest.tables.size(),
                                                                 readable_count(manifest.rows()));
  print_fact("backup", report.directory.string());
  print_fact("database",
             fmt::format("{}, as of {}", manifest.database.name, migrate::utc_text(manifest.started_at)));
  print_fact("holds", fmt::format("{}, {}", content, readable_bytes(manifest.bytes())));
  print_fact("verified", verdict(manifest));
}

void print_backup_document(const migrate::BackupReport& report) {
  json::object object = json::parse(migrate::to_json(report.manifest)).as_object();
  object["directory"] = report.directory.string();
  fmt::print("{}\n", json::serialize(object));
}

Exit back_up(const BackupCommandOptions& options, const Common& common) {
  const pg::ConnectionOptions database = database_of(common);
  ProgressLine progress;
  const migrate::BackupReport report =
      options.wants_check() ? migrate::require_recent_backup(database, options.checked_directory,
                                                             std::chrono::hours(options.age_max_hours))
                            : migrate::back_up(database, options.backup, progress.shower());
  progress.clear();
  common.wants_json() ? print_backup_document(report) : print_backup(report);
  return Exit::done;
}

struct RollbackCommandOptions {
  bool yes = false;
  bool soft = false;
  bool rebuild_enum = false;
  bool no_export = false;
  std::string export_folder;
};

void print_rollback(const RollbackReport& report, bool is_soft) {
  const auto print = [](const std::string& text, std::size_t indent) {
    fmt::print("{}\n", fitted(text, indent));
  };
  constexpr std::size_t indent = 9;
  for (const migrate::ExportedTable& table : report.exports)
    print(fmt::format("  kept   {} in {} ({})", table.table, table.file, readable_bytes(table.bytes)),
          indent);
  for (const std::string& line : report.lines) print(line, indent);
  for (const std::string& thing : report.residue) print("  stays  " + thing, indent);
  const bool any_done =
      std::ranges::any_of(report.lines, [](const std::string& line) { return line.starts_with("  done"); });
  if (!any_done)
    print(is_soft ? "Nothing to do: gateways do not start on this database in its present state."
                  : "Nothing to do: this database was never migrated, or is rolled back already.",
          2);
  else if (is_soft)
    print(
        "Rolled back softly: columns, tables and data are kept, and socialsync migrate apply continues from "
        "here. Stop running gateways.",
        2);
  else
    print("Rolled back.", 2);
}

void print_rollback_document(const RollbackReport& report) {
  print_json({{"exports", array_of(report.exports,
                                   [](const migrate::ExportedTable& table) {
                                     return json::object{{"table", table.table},
                                                         {"file", table.file},
                                                         {"bytes", table.bytes}};
                                   })},
              {"done", array_of(report.lines)},
              {"residue", array_of(report.residue)}});
}

std::string default_export_folder() {
  const auto now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  return fmt::format("rollback-{:%Y%m%dT%H%M%SZ}", fmt::gmtime(now));
}

Exit roll_back(const RollbackCommandOptions& options, const Common& common) {
  const pg::ConnectionOptions database = database_of(common);
  migrate::RollbackOptions rollback{.rebuild_enum = options.rebuild_enum,
                                    .export_folder = options.export_folder};
  if (options.soft) rollback.depth = migrate::RollbackOptions::Depth::soft;
  if (options.export_folder.empty() && !options.no_export) rollback.export_folder = default_export_folder();
  const char* question = options.soft
                             ? "Drop the views, the functions and the trigger, so that no gateway starts?"
                             : "Undo the migration, and drop the columns and tables it made?";
  if (!confirmed(question, options.yes)) return Exit::done;
  ProgressLine progress;
  const RollbackReport report = migrate::roll_back(database, rollback, progress.shower());
  progress.clear();
  common.wants_json() ? print_rollback_document(report) : print_rollback(report, options.soft);
  return Exit::done;
}

}  // namespace

void add_backup(Command migrate) {
  Command command =
      migrate.add_subcommand("backup", "Dump the database, and verify the dump by restoring it");
  command.help(
      {.notes =
           "The dump is restored into a scratch database on the same server, which needs room for a second "
           "copy, and all tables are compared; the scratch database is dropped at the end. For a role "
           "without "
           "CREATEDB, the dump is only read back.",
       .examples = {"socialsync migrate backup --dir /var/backups/socialsync",
                    "socialsync migrate backup --check /var/backups/socialsync"},
       .exits = {{Exit::refused, "database unreachable, no matching pg_dump, or privilege missing"},
                 {Exit::no_backup, "the dump failed or differs; --check: no acceptable backup"},
                 {Exit::interrupted, "interrupted; nothing is left behind"}}});
  const auto options = std::make_shared<BackupCommandOptions>();
  command
      .add_option("--dir", options->backup.directory,
                  "Directory to create (default: backups/DATABASE-TIME, in UTC)")
      .type_name("DIR");
  command.add_flag("--schema-only", options->backup.schema_only, "Dump and compare the schema only");
  command.add_option("--jobs", options->backup.jobs, "Connections that dump and restore (default 2)")
      .between(1, 64);
  Option check = command.add_option(
      "--check", options->checked_directory,
      "Only check that apply accepts this backup (default: the newest of this database in ./backups)");
  check.value_optional().type_name("[DIR]");
  command.add_option("--max-age-hours", options->age_max_hours, "With --check (default 24)")
      .between(0, 24 * 366)
      .needs(check);
  options->wants_check = [check] { return check.is_given(); };
  with_common(command, options, back_up, migration_session);
}

void add_rollback(Command migrate) {
  Command command =
      migrate.add_subcommand("rollback", "Restore the database's schema from before the migration");
  command.help(
      {.notes = "Afterwards pg_dump --schema-only prints the same as before the migration, except for the "
                "labels of "
                "the enum, which only --rebuild-enum removes. Data that would be lost is first written to "
                "CSV files.",
       .examples = {"socialsync migrate rollback --yes"},
       .exits = {{Exit::done, "done, nothing to do, or not confirmed"},
                 {Exit::refused, "other objects depend on ours, database unreachable, or privilege missing"},
                 {Exit::lock_budget_spent, "lock budget spent: run it again"},
                 {Exit::other_run},
                 {Exit::interrupted}}});
  const auto options = std::make_shared<RollbackCommandOptions>();
  command.add_flag("--yes", options->yes, "Do not ask for confirmation");
  command.add_flag(
      "--soft", options->soft,
      "Keep columns, tables, data and policies; drop the views, the functions and the trigger, so "
      "that no gateway starts");
  command.add_flag("--rebuild-enum", options->rebuild_enum,
                   "Remove the added enum labels too: rewrites social_accounts under an exclusive lock");
  command
      .add_option("--export", options->export_folder,
                  "Folder for data that would be lost (default rollback-TIME)")
      .type_name("DIR");
  command.add_flag("--no-export", options->no_export, "Do not write these files");
  with_common(command, options, roll_back, migration_session);
}

}  // namespace socialsync::cli::migration
