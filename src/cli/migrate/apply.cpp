#include "migrate/steps/apply.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <boost/json.hpp>
#include <fmt/core.h>
#include <fmt/format.h>
#include <unistd.h>

#include "base/failure.hpp"
#include "cli/exit_code.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/terminal.hpp"
#include "migrate/backup/backup.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::StepReport;

struct Options {
  Common common;
  bool yes = false;
  bool no_backup = false;
  std::string backup;
  int backup_age_h = 24;
  std::uint64_t lock_budget_s = 600;
  std::vector<std::string> rls_roles;
  std::string duplicates = "report";
  std::string fault;
};

migrate::Fault fault_of(const std::string& text) {
  const std::size_t colon = text.find(':');
  const std::string moment = text.substr(0, colon);
  migrate::Fault fault;
  if (moment == "before") fault.moment = migrate::Fault::Moment::before;
  if (moment == "during") fault.moment = migrate::Fault::Moment::during;
  if (moment == "after") fault.moment = migrate::Fault::Moment::after;
  if (colon != std::string::npos) fault.step = text.substr(colon + 1);
  return fault;
}

void print_step(const StepReport& step, std::size_t number, std::size_t count) {
  constexpr std::size_t title_columns = 56, other_columns = 24, indent = 8;
  const bool later = step.state == StepReport::State::later;
  const std::size_t room = isatty(STDOUT_FILENO) == 1 ? terminal_width() : title_columns + other_columns;
  const std::string line =
      fmt::format("[{:>2}/{}] {:<{}} {}  {}", number, count, step.title,
                  std::min(title_columns, room - std::min(room, other_columns)),
                  coloured(later ? Colour::yellow : Colour::green, later ? "LATER" : "done "),
                  later ? "" : readable_duration(step.took));
  fmt::print("{}\n", fitted(line, indent));
  std::istringstream note(step.note);
  for (std::string each; std::getline(note, each);)
    fmt::print("{}\n", fitted(std::string(indent, ' ') + coloured(Colour::dim, each), indent));
  std::fflush(stdout);
}

void print_step_json(const StepReport& step) {
  const json::object event{{"v", 1},
                           {"event", "step"},
                           {"id", step.id},
                           {"state", step.state == StepReport::State::later ? "later" : "done"},
                           {"attempts", step.attempts},
                           {"took_ms", step.took.count()},
                           {"note", step.note}};
  fmt::print("{}\n", json::serialize(event));
  std::fflush(stdout);
}

std::size_t count_later(const migrate::ApplyReport& report) {
  std::size_t later = 0;
  for (const StepReport& step : report.steps) later += step.state == StepReport::State::later ? 1 : 0;
  return later;
}

void print_summary(const migrate::ApplyReport& report) {
  const std::size_t later = count_later(report);
  for (const std::string& warning : report.warnings)
    fmt::print("{}\n", fitted(coloured(Colour::yellow, "warning:") + ' ' + warning, 2));
  if (report.steps.empty()) {
    fmt::print("Nothing to do: all {} steps are done.\n", report.present);
    return;
  }
  fmt::print("{} done, {} were there, {} later.\n", report.steps.size() - later, report.present, later);
  if (later > 0)
    fmt::print(
        "{}\n",
        fitted("Rows are in the way of what comes later: fill them (socialsync migrate backfill), then "
               "run this again.",
               2));
  const bool added_columns =
      std::ranges::any_of(report.steps, [](const StepReport& step) { return step.id == "columns"; });
  if (added_columns)
    fmt::print("{}\n",
               fitted("Clients with a prepared SELECT * on social_accounts get 0A000 until they connect "
                      "again.",
                      2));
}

void print_summary_json(const migrate::ApplyReport& report, int exit_code) {
  json::array warnings(report.warnings.begin(), report.warnings.end());
  const std::size_t later = count_later(report);
  const json::object summary{{"v", 1},
                             {"run", report.run},
                             {"event", "summary"},
                             {"exit", exit_code},
                             {"done", report.steps.size() - later},
                             {"present", report.present},
                             {"later", later},
                             {"warnings", warnings}};
  fmt::print("{}\n", json::serialize(summary));
}

void require_backup(const Options& options, const pg::ConnectionOptions& database) {
  if (options.no_backup) return;
  try {
    const migrate::BackupReport found =
        migrate::require_recent_backup(database, options.backup, std::chrono::hours(options.backup_age_h));
    fmt::print(stderr, "Relying on the verified backup {}\n", found.directory.string());
  } catch (const Failure& failure) {
    throw Failure(
        failure.code(),
        fmt::format("{}. Make one with socialsync migrate backup, or say --no-backup", failure.what()));
  }
}

int apply(const Options& options) {
  const pg::ConnectionOptions database = database_of(options.common);
  require_backup(options, database);
  if (!confirmed("Change this database?", options.yes)) return ExitCode::done;
  const bool is_json = options.common.output == Output::json;
  ProgressLine line;
  const migrate::ApplyEvents events{.step_ended =
                                        [&](const StepReport& step, std::size_t number, std::size_t count) {
                                          line.clear();
                                          is_json ? print_step_json(step) : print_step(step, number, count);
                                        },
                                    .progress = line.shower()};
  const migrate::ApplyOptions apply_options{.lock_budget = std::chrono::seconds(options.lock_budget_s),
                                            .quarantine_duplicates = options.duplicates == "quarantine",
                                            .rls_roles = options.rls_roles,
                                            .fault = fault_of(options.fault)};
  const migrate::ApplyReport report = migrate::apply(database, apply_options, events);
  line.clear();
  const auto outcome = count_later(report) > 0 ? Exit::data_blocks : Exit::done;
  is_json ? print_summary_json(report, static_cast<int>(outcome)) : print_summary(report);
  return static_cast<int>(outcome);
}

}  // namespace

void add_apply(Command migrate) {
  Command command = migrate.add_subcommand("apply", "Bring the database up to date, while it is in use");
  command.footer(
      "Each step is a transaction of its own. A lock is tried for 100 ms at a time, so nobody waits longer "
      "for it; "
      "who holds it is named. Stopped anywhere, even by kill -9, it goes on when it is run again.\n"
      "Example:  socialsync migrate apply --yes");
  const auto options = std::make_shared<Options>();
  add_common(command, options->common, true);
  command.add_flag("--yes", options->yes, "Do not ask");
  command.add_flag("--no-backup", options->no_backup, "Go on without a verified backup");
  command.add_option("--backup", options->backup, "The backup to rely on (default: the newest in ./backups)")
      .type_name("DIR");
  command.add_option("--backup-age", options->backup_age_h, "Hours that it may be old (default 24)");
  command.add_option("--lock-budget", options->lock_budget_s,
                     "Seconds to try for one step's locks (default 600); then exit 4");
  command
      .add_option(
          "--rls-role", options->rls_roles,
          "A role that shall go on seeing all accounts once row-level security is on; may be repeated")
      .type_name("ROLE");
  command
      .add_option(
          "--duplicates", options->duplicates,
          "Where accounts share a phone_number_id or page_id: report (default) them, or quarantine all but "
          "the oldest active one, which lose it")
      .one_of({"report", "quarantine"})
      .type_name("HOW");
  command.add_option("--fault", options->fault, "Kill this program: before|during|after:STEP").hidden();
  command.runs([options] { return guarded(options->common, [&] { return apply(*options); }); });
}

}  // namespace socialsync::cli::migration
