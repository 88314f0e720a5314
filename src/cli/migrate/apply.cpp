// `socialsync migrate plan`, `apply` and `status`.
#include "migrate/steps/apply.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <sstream>

#include <fmt/core.h>
#include <unistd.h>

#include "base/failure.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/json.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "migrate/backup/recent.hpp"
#include "migrate/steps/plan.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::Plan;
using migrate::Status;
using migrate::Step;
using migrate::StepReport;

void print_fitted(const std::string& text, std::size_t indent) { fmt::print("{}\n", fitted(text, indent)); }

// plan

struct PlanOptions {
  bool exit_code = false;
  bool show_sql = false;
};

void print_lines(Colour colour, const char* title, const std::vector<std::string>& lines) {
  for (const std::string& line : lines) print_fitted(fmt::format("{} {}", coloured(colour, title), line), 2);
}

bool rows_fit() {
  constexpr std::size_t row_columns = 95;
  return isatty(STDOUT_FILENO) != 1 || terminal_width() >= row_columns;
}

// The initials of a lock's name: "AE" for ACCESS EXCLUSIVE.
std::string short_lock(const Step& step) {
  if (step.lock.empty()) return "none";
  std::string text;
  bool begins = true;
  for (const char c : step.lock) {
    if (begins) text += c;
    begins = c == ' ';
  }
  return text;
}

std::string state_of(const Step& step) {
  return step.present ? coloured(Colour::dim, "done") : coloured(Colour::bold, "todo");
}

void print_row(const Step& step, std::size_t number, const std::string& takes) {
  fmt::print("{:>3}  {:<52} {:<5} {:<17} {:>6}  {}\n", number, first_columns(step.title, 52),
             short_lock(step), migrate::blocks(step), takes, state_of(step));
}

// For narrow terminals.
void print_paragraph(const Step& step, std::size_t number, const std::string& takes) {
  print_fitted(fmt::format("{:>3}  {}: {}", number, step.title, state_of(step)), 5);
  if (step.present) return;
  print_fitted(
      fmt::format("     lock {}, blocks {}, est. {}", short_lock(step), migrate::blocks(step), takes), 5);
}

void print_planned_step(const Step& step, std::size_t number, const Plan& plan, bool show_sql) {
  const std::string takes = readable_duration(migrate::estimate(step, plan.accounts));
  rows_fit() ? print_row(step, number, takes) : print_paragraph(step, number, takes);
  if (step.present) return;
  if (!step.note.empty()) print_fitted("       " + coloured(Colour::dim, step.note), 7);
  if (show_sql) fmt::print("{}\n\n", step.statements);
}

void print_plan(const Plan& plan, bool show_sql) {
  print_fitted(fmt::format("{}  database={}  PostgreSQL {}  role={}  accounts≈{}  plan {}",
                           coloured(Colour::bold, "migrate plan"), plan.database, plan.server_version,
                           plan.role, readable_count(plan.accounts), plan.hash),
               2);
  fmt::print("\n");
  if (rows_fit())
    fmt::print("  #  {:<52} {:<5} {:<17} {:>6}  {}\n", "step", "lock", "blocks", "est.", "state");
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    print_planned_step(plan.steps[i], i + 1, plan, show_sql);
  fmt::print("\n");
  print_lines(Colour::red, "missing privilege:", plan.missing_rights);
  print_lines(Colour::red, "conflict:", plan.conflicts);
  print_lines(Colour::yellow, "warning:", plan.warnings);
  print_lines(Colour::yellow, "rows:", plan.rows);
  print_lines(Colour::yellow, "blocker:", plan.blockers);
  const char* next =
      plan.todo() > 0 ? "  Next: socialsync migrate backup, then socialsync migrate apply" : "";
  print_fitted(fmt::format("{} to do, {} done.{}", plan.todo(), plan.steps.size() - plan.todo(), next), 2);
}

void print_plan_document(const Plan& plan) {
  print_json({{"database", plan.database},
              {"server_version", plan.server_version},
              {"role", plan.role},
              {"accounts", plan.accounts},
              {"plan", plan.hash},
              {"todo", plan.todo()},
              {"steps", array_of(plan.steps,
                                 [&plan](const Step& step) {
                                   return json::object{
                                       {"id", step.id},
                                       {"title", step.title},
                                       {"lock", or_null(step.lock)},
                                       {"blocks", migrate::blocks(step)},
                                       {"estimate_ms", migrate::estimate(step, plan.accounts).count()},
                                       {"state", step.present ? "done" : "todo"},
                                       {"note", or_null(step.note)},
                                       {"sql", step.statements}};
                                 })},
              {"missing_rights", array_of(plan.missing_rights)},
              {"conflicts", array_of(plan.conflicts)},
              {"warnings", array_of(plan.warnings)},
              {"blockers", array_of(plan.blockers)},
              {"rows", array_of(plan.rows)}});
}

Exit plan(const PlanOptions& options, const Common& common) {
  const Plan made = migrate::make_plan(database_of(common));
  common.wants_json() ? print_plan_document(made) : print_plan(made, options.show_sql);
  if (!made.missing_rights.empty() && options.exit_code) return Exit::refused;
  if (!made.conflicts.empty()) return Exit::conflict;
  return options.exit_code && made.todo() > 0 ? Exit::pending : Exit::done;
}

// apply

struct ApplyCommandOptions {
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
  const bool is_later = step.state == StepReport::State::later;
  const std::size_t room = isatty(STDOUT_FILENO) == 1 ? terminal_width() : title_columns + other_columns;
  const std::size_t title_width = std::min(title_columns, room - std::min(room, other_columns));
  print_fitted(fmt::format("[{:>2}/{}] {:<{}} {}  {}", number, count, step.title, title_width,
                           coloured(is_later ? Colour::yellow : Colour::green, is_later ? "LATER" : "done "),
                           is_later ? "" : readable_duration(step.took)),
               indent);
  std::istringstream note(step.note);
  for (std::string line; std::getline(note, line);)
    print_fitted(std::string(indent, ' ') + coloured(Colour::dim, line), indent);
  std::fflush(stdout);
}

void print_step_document(const StepReport& step) {
  print_json({{"event", "step"},
              {"id", step.id},
              {"state", step.state == StepReport::State::later ? "later" : "done"},
              {"attempts", step.attempts},
              {"took_ms", step.took.count()},
              {"note", or_null(step.note)}});
  std::fflush(stdout);
}

std::size_t later_count(const migrate::ApplyReport& report) {
  return static_cast<std::size_t>(
      std::ranges::count(report.steps, StepReport::State::later, &StepReport::state));
}

void print_summary(const migrate::ApplyReport& report) {
  const std::size_t later = later_count(report);
  print_lines(Colour::yellow, "warning:", report.warnings);
  if (report.steps.empty()) {
    fmt::print("Nothing to do: all {} steps are done.\n", report.present);
    return;
  }
  fmt::print("{} done, {} done before, {} later.\n", report.steps.size() - later, report.present, later);
  if (later > 0)
    print_fitted("Rows block the later steps: fill them (socialsync migrate backfill), then run this again.",
                 2);
  if (std::ranges::count(report.steps, "columns", &StepReport::id) > 0)
    print_fitted("Clients with a prepared SELECT * on social_accounts get error 0A000 until they reconnect.",
                 2);
}

void print_summary_document(const migrate::ApplyReport& report, Exit exit) {
  const std::size_t later = later_count(report);
  print_json({{"run", report.run},
              {"event", "summary"},
              {"exit", static_cast<int>(exit)},
              {"done", report.steps.size() - later},
              {"present", report.present},
              {"later", later},
              {"warnings", array_of(report.warnings)}});
}

void require_backup(const ApplyCommandOptions& options, const pg::ConnectionOptions& database) {
  if (options.no_backup) return;
  try {
    const migrate::BackupReport found =
        migrate::require_recent_backup(database, options.backup, std::chrono::hours(options.backup_age_h));
    fmt::print(stderr, "Relying on the verified backup {}\n", found.directory.string());
  } catch (const Failure& failure) {
    throw Failure(
        failure.code(),
        fmt::format("{}. Make one with socialsync migrate backup, or give --no-backup", failure.what()));
  }
}

Exit apply(const ApplyCommandOptions& options, const Common& common) {
  const pg::ConnectionOptions database = database_of(common);
  require_backup(options, database);
  if (!confirmed("Change this database?", options.yes)) return Exit::done;
  ProgressLine progress;
  const auto step_ended = [&](const StepReport& step, std::size_t number, std::size_t count) {
    progress.clear();
    common.wants_json() ? print_step_document(step) : print_step(step, number, count);
  };
  const migrate::ApplyOptions apply_options{.lock_budget = std::chrono::seconds(options.lock_budget_s),
                                            .quarantine_duplicates = options.duplicates == "quarantine",
                                            .rls_roles = options.rls_roles,
                                            .fault = fault_of(options.fault)};
  const migrate::ApplyReport report =
      migrate::apply(database, apply_options, {.step_ended = step_ended, .progress = progress.shower()});
  progress.clear();
  const Exit exit = later_count(report) > 0 ? Exit::data_blocks : Exit::done;
  common.wants_json() ? print_summary_document(report, exit) : print_summary(report);
  return exit;
}

// status

void print_status(const Status& status) {
  fmt::print("{} steps done, {} to do.\n", status.done, status.todo.size());
  for (const std::string& id : status.todo) print_fitted("  todo  " + id, 8);
  if (!status.active.empty()) print_fitted("Running now: " + status.active, 2);
  if (!status.hidden.empty()) print_fitted(status.hidden, 2);
  for (const Status::Run& run : status.runs)
    print_fitted(fmt::format("run {}  {} to {}  {} steps{}{}", run.run, run.began_at, run.ended_at, run.steps,
                             run.later.empty() ? "" : ", later: ", run.later),
                 2);
}

void print_status_document(const Status& status) {
  print_json({{"done", status.done},
              {"todo", array_of(status.todo)},
              {"active", or_null(status.active)},
              {"hidden", or_null(status.hidden)},
              {"runs", array_of(status.runs, [](const Status::Run& run) {
                 return json::object{{"run", run.run},
                                     {"began_at", run.began_at},
                                     {"ended_at", run.ended_at},
                                     {"steps", run.steps},
                                     {"later", or_null(run.later)}};
               })}});
}

Exit status(const NoOptions&, const Common& common) {
  const Status found = migrate::read_status(database_of(common));
  common.wants_json() ? print_status_document(found) : print_status(found);
  return Exit::done;
}

}  // namespace

void add_plan(Command migrate) {
  Command command = migrate.add_subcommand("plan", "Show the steps of apply; changes nothing");
  command.help({.notes = "Locks: AE ACCESS EXCLUSIVE, SRE SHARE ROW EXCLUSIVE, SUE SHARE UPDATE EXCLUSIVE.",
                .examples = {"socialsync migrate plan --exit-code"},
                .exits = {{Exit::conflict}, {Exit::pending, "with --exit-code: changes are pending"}}});
  const auto options = std::make_shared<PlanOptions>();
  command.add_flag("--exit-code", options->exit_code, "Exit with 10 when there are changes to make");
  command.add_flag("--sql", options->show_sql, "Show the statements too");
  with_common(command, options, plan, migration_session);
}

void add_apply(Command migrate) {
  Command command = migrate.add_subcommand("apply", "Migrate the database while it is in use");
  command.help(
      {.notes = "Each step is one transaction. Each attempt at a lock takes at most 100 ms, so that no other "
                "session waits longer; the holder of the lock is named. Interrupted at any point, even by "
                "kill -9, "
                "it continues when it is run again.",
       .examples = {"socialsync migrate apply --yes"},
       .exits = {{Exit::done, "done, nothing to do, or not confirmed"},
                 {Exit::lock_budget_spent, "lock budget spent: run it again"},
                 {Exit::conflict},
                 {Exit::verify_failed, "a tenant could see another's rows after the last step"},
                 {Exit::other_run},
                 {Exit::no_backup},
                 {Exit::data_blocks, "rows block a step; all other steps are done"},
                 {Exit::interrupted}}});
  const auto options = std::make_shared<ApplyCommandOptions>();
  command.add_flag("--yes", options->yes, "Do not ask for confirmation");
  command.add_flag("--no-backup", options->no_backup, "Continue without a verified backup");
  command.add_option("--backup", options->backup, "Backup to rely on (default: the newest in ./backups)")
      .type_name("DIR");
  command.add_option("--backup-age", options->backup_age_h, "Greatest age of the backup (default 24)")
      .type_name("HOURS");
  command
      .add_option("--lock-budget", options->lock_budget_s,
                  "Longest time to try for a step's locks (default 600)")
      .type_name("SECONDS");
  command
      .add_option("--rls-role", options->rls_roles,
                  "Role that sees all accounts under row-level security; may be repeated")
      .type_name("ROLE");
  command
      .add_option(
          "--duplicates", options->duplicates,
          "For accounts that share a phone_number_id or page_id: report them (default), or quarantine: "
          "all but the oldest active one lose it")
      .one_of({"report", "quarantine"}, false)
      .type_name("HOW");
  command.add_option("--fault", options->fault, "Kill this program: before|during|after:STEP").hidden();
  with_common(command, options, apply, migration_session);
}

void add_status(Command migrate) {
  Command command = migrate.add_subcommand("status", "Show which steps are done, to do and running");
  command.help({.examples = {"socialsync migrate status"}});
  with_common(command, std::make_shared<NoOptions>(), status, migration_session);
}

}  // namespace socialsync::cli::migration
