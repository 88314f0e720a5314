#include "migrate/backup/backup.hpp"

#include <cstdio>
#include <memory>

#include <boost/json.hpp>
#include <fmt/core.h>

#include "cli/exit_code.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::migration {
namespace {

struct Options {
  Common common;
  migrate::BackupOptions backup;
  bool wants_check = false;
  std::string checked_directory;
  int age_max_hours = 24;
};

std::string verdict(const migrate::BackupManifest& manifest) {
  const bool restored = manifest.verified == migrate::Verified::restored;
  if (!restored)
    return coloured(Colour::yellow, fmt::format("only read back, not restored: {}", manifest.verified_note));
  return coloured(Colour::green,
                  manifest.schema_only
                      ? "restored into a scratch database: its schema is the same"
                      : "restored into a scratch database: all counts and hashes are the same");
}

void print_fact(const char* name, const std::string& text) {
  constexpr std::size_t indent = 10;
  fmt::print("{}\n", fitted(fmt::format("{:<{}}{}", name, indent, text), indent));
}

void print_text(const migrate::BackupReport& report) {
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

void print_json(const migrate::BackupReport& report) {
  boost::json::object object = boost::json::parse(migrate::to_json(report.manifest)).as_object();
  object["directory"] = report.directory.string();
  fmt::print("{}\n", boost::json::serialize(object));
}

int back_up(const Options& options) {
  return guarded(options.common, [&] {
    const pg::ConnectionOptions database = database_of(options.common);
    ProgressLine line;
    const migrate::BackupReport report =
        options.wants_check ? migrate::require_recent_backup(database, options.checked_directory,
                                                             std::chrono::hours(options.age_max_hours))
                            : migrate::back_up(database, options.backup, line.shower());
    line.clear();
    options.common.output == Output::json ? print_json(report) : print_text(report);
    return ExitCode::done;
  });
}

}  // namespace

void add_backup(Command migrate) {
  Command command = migrate.add_subcommand(
      "backup", "Dump the database, restore the dump into a scratch database, and compare all tables");
  const auto options = std::make_shared<Options>();
  add_common(command, options->common, true);
  command.add_option("--dir", options->backup.directory, "To be made. Default: backups/<database>-<UTC time>")
      .type_name("DIR");
  command.add_flag("--schema-only", options->backup.schema_only, "No rows; compares the text of the schema");
  command.add_option("--jobs", options->backup.jobs, "Connections that dump and restore (default 2)")
      .between(1, 64);
  Option check = command.add_option("--check", options->checked_directory,
                                    "Only say whether that backup (default: the newest of this database "
                                    "under ./backups) is one that apply accepts");
  check.value_optional().type_name("[DIR]");
  command.add_option("--max-age-hours", options->age_max_hours, "With --check (default 24)")
      .between(0, 24 * 366)
      .needs(check);
  command.footer(
      "The scratch database is on the same server, which needs room for a second copy meanwhile; it is "
      "dropped "
      "at the end. A role without CREATEDB gets a backup that was only read back.\n"
      "Example:  socialsync migrate backup --dir /var/backups/socialsync\n"
      "          socialsync migrate backup --check /var/backups/socialsync\n"
      "Exit codes: 0 done · 1 internal error · 2 wrong usage · 3 refused: no connection, no pg_dump that "
      "fits, a table that may not be read · 4 a table stays locked, run it again · 8 the dump failed, or "
      "the copy differs; --check: no backup that counts · 130 interrupted, nothing is left behind");
  command.runs([options, check] {
    options->wants_check = check.is_given();
    return back_up(*options);
  });
}

}  // namespace socialsync::cli::migration
