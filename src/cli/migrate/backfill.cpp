// `socialsync migrate backfill`.
#include "operate/backfill.hpp"

#include <chrono>
#include <fstream>
#include <iostream>
#include <memory>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/json.hpp"
#include "cli/text/terminal.hpp"
#include "migrate/backfill/session.hpp"
#include "migrate/session.hpp"
#include "process/interruption.hpp"

namespace socialsync::cli::migration {
namespace {

namespace json = boost::json;
using migrate::BackfillReport;
using operate::BackfillResult;

struct BackfillCommandOptions {
  operate::BackfillForm form;
  std::string path;  // the CSV file; - is standard input
  std::ifstream file;
  bool dry_run = false;
  bool skip_bad = false;
  bool yes = false;
  double lag_max_s = 5;
  int batch_max_ms = 100;

  void check() {
    if (!path.empty()) form.csv = &std::cin;
    if (!path.empty() && path != "-") {
      file.open(path, std::ios::binary);
      form.csv = &file;
    }
    form.check();
    if (form.csv == &file && !file) throw Failure(Exit::wrong_usage, fmt::format("cannot read {}", path));
  }
};

json::object columns_of(const BackfillResult& result) {
  json::object columns;
  for (std::size_t i = 0; i < result.columns.size() && i < result.report.changed_by_column.size(); ++i)
    columns[result.columns[i]] = result.report.changed_by_column[i];
  return columns;
}

json::object json_of(const BackfillReport::Value& value) {
  return {{"id", value.id}, {"column", value.column}};
}
json::object change_json(const BackfillReport::Value& value) {
  return {{"id", value.id}, {"column", value.column}, {"from", or_null(value.from)}, {"to", value.to}};
}
json::object refusal_json(const BackfillReport::Refusal& refusal) {
  return {{"id", refusal.id}, {"message", refusal.message}};
}
json::object bad_line_json(const migrate::BadLine& bad) {
  return {{"line", bad.line}, {"message", bad.message}};
}

void print_backfill_document(const BackfillResult& result) {
  const BackfillReport& report = result.report;
  print_json({{"run", or_null(result.run)},
              {"dry_run", result.is_preview},
              {"changed", report.changed},
              {"columns", columns_of(result)},
              {"same", report.same},
              {"kept", array_of(report.kept, [](const auto& value) { return json_of(value); })},
              {"kept_count", report.kept_count},
              {"locked", array_of(report.locked)},
              {"locked_count", report.locked_count},
              {"refused", array_of(report.refused, refusal_json)},
              {"refused_count", report.refused_count},
              {"came_meanwhile", report.added_during_run},
              {"bad_lines", array_of(result.bad_lines, bad_line_json)},
              {"bad_line_count", result.bad_line_count},
              {"preview", array_of(report.preview, change_json)},
              {"notes", array_of(result.notes)},
              {"batches", report.batches},
              {"max_batch_ms", report.batch_longest.count()},
              {"throttled_ms", report.throttled.count()},
              {"interrupted", report.interrupted}});
}

void print_line(const std::string& line) { fmt::print("{}\n", fitted(line, 4)); }

void print_rest(std::uint64_t count, std::size_t listed) {
  if (count > listed) print_line(fmt::format("  and {} more", readable_count(count - listed)));
}

void print_bad_lines(const BackfillResult& result) {
  if (result.bad_line_count == 0) return;
  print_line(coloured(Colour::red, fmt::format("{} bad line(s)", readable_count(result.bad_line_count))));
  for (const migrate::BadLine& bad : result.bad_lines)
    print_line(fmt::format("  line {}: {}", bad.line, bad.message));
  if (result.bad_line_count > result.bad_lines.size()) print_line("  and more");
}

void print_changes(const BackfillResult& result) {
  const BackfillReport& report = result.report;
  const std::string batches =
      fmt::format(" in {} batch(es), the longest of {}", readable_count(report.batches),
                  readable_duration(report.batch_longest));
  print_line(fmt::format("{} account(s) {}{}; {} were complete", readable_count(report.changed),
                         result.is_preview ? "would change" : "changed", report.batches > 0 ? batches : "",
                         readable_count(report.same)));
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    if (report.changed_by_column[i] > 0)
      print_line(
          fmt::format("  {:<22}{:>10}", result.columns[i], readable_count(report.changed_by_column[i])));
  }
  for (const BackfillReport::Value& value : report.preview)
    print_line(fmt::format("  {}  {}: {} -> {}", value.id, value.column,
                           value.from.empty() ? "nothing" : value.from, value.to));
}

void print_unchanged(const BackfillReport& report) {
  if (report.kept_count > 0)
    print_line(fmt::format("kept, since they have another value (--overwrite replaces it): {}",
                           readable_count(report.kept_count)));
  for (const BackfillReport::Value& value : report.kept)
    print_line(fmt::format("  {}  {}", value.id, value.column));
  print_rest(report.kept_count, report.kept.size());
  if (report.locked_count > 0) print_line("not changed, since the row is locked: run it again later");
  for (const std::string& id : report.locked) print_line(fmt::format("  {}", id));
  print_rest(report.locked_count, report.locked.size());
  if (report.refused_count > 0) print_line("not changed, since PostgreSQL refuses the value");
  for (const BackfillReport::Refusal& refusal : report.refused)
    print_line(fmt::format("  {}: {}", refusal.id, refusal.message));
  print_rest(report.refused_count, report.refused.size());
  if (report.added_during_run > 0)
    fmt::print(
        "{} account(s) were added or changed during the run and have no value: run it again for them\n",
        readable_count(report.added_during_run));
}

void print_backfill(const BackfillResult& result) {
  for (const std::string& note : result.notes) print_line(note);
  print_bad_lines(result);
  if (result.report.changed_by_column.empty()) return;
  print_changes(result);
  print_unchanged(result.report);
  if (result.can_undo)
    print_line(fmt::format("To restore replaced values:  socialsync migrate backfill --undo {}", result.run));
  if (result.report.interrupted) fmt::print("interrupted: run it again to continue\n");
}

Exit report(const BackfillResult& result, const Common& common) {
  common.wants_json() ? print_backfill_document(result) : print_backfill(result);
  if (result.report.interrupted) return Exit::interrupted;
  if (result.bad_line_count > 0 || result.report.refused_count > 0) return Exit::data_blocks;
  return result.report.locked_count > 0 ? Exit::lock_budget_spent : Exit::done;
}

std::string question(const operate::BackfillForm& form, const BackfillResult& result,
                     std::uint64_t accounts) {
  if (!form.undo.empty()) return fmt::format("Restore the values that run {} replaced?", form.undo);
  return fmt::format("{} {} of up to {} account(s)?", form.overwrite ? "Set" : "Fill",
                     fmt::join(result.columns, ", "), readable_count(accounts));
}

Exit backfill(const BackfillCommandOptions& options, const Common& common) {
  // A server notices the end of a killed run within client_connection_check_interval.
  constexpr std::chrono::seconds run_lock_wait{3};
  const std::unique_ptr<pg::Session> session = migrate::open_backfill_session(database_of(common));
  BackfillResult result;
  result.is_preview = options.dry_run;
  migrate::BackfillSource source = operate::load_backfill(*session, options.form, settings(), result);
  if (result.bad_line_count > 0 && !options.skip_bad) return report(result, common);
  if (!options.dry_run) {
    migrate::take_run_lock(*session, run_lock_wait);
    if (!confirmed(question(options.form, result, source.total), options.yes)) return Exit::done;
  }
  const process::Interruption interruption;  // stops after the current batch
  ProgressLine progress;
  const migrate::BackfillOptions running{
      .batch_max = std::chrono::milliseconds(options.batch_max_ms),
      .lag_max = std::chrono::milliseconds(static_cast<std::int64_t>(options.lag_max_s * 1000)),
      .run = "",
      .interrupted = [&interruption] { return interruption.requested(); },
      .show = progress.shower()};
  if (options.dry_run)
    result.report = migrate::preview_backfill(*session, source, running);
  else
    operate::run_backfill(*session, options.form, source, running, result);
  progress.clear();
  return report(result, common);
}

void add_sources(Command command, BackfillCommandOptions& options) {
  operate::BackfillForm& form = options.form;
  command.add_flag("--from-env", form.from_env,
                   "Copy the single-tenant settings (WHATSAPP_PHONE_NUMBER_ID, …) into their account");
  command.add_option("--account", form.account, "With --from-env: the account, by id or account_id")
      .type_name("ID");
  command.add_option("--csv", options.path, "Read values from a file; - is standard input").type_name("FILE");
  command.add_flag("--business-name-from-display-name", form.business_name,
                   "Copy display_name into business_name");
  command.add_option("--undo", form.undo, "Restore the values that a run with --overwrite replaced")
      .type_name("RUN");
  command.add_flag("--overwrite", form.overwrite, "Replace existing values too, and keep them for --undo");
}

}  // namespace

void add_backfill(Command migrate) {
  Command command = migrate.add_subcommand("backfill", "Fill the new columns of social_accounts");
  command.help(
      {.notes =
           "Fills only columns without a value (webhook_status 'inactive' and webhook_metadata '{}' count as "
           "none), in short batches while the application runs. A second run changes nothing; an interrupted "
           "run is continued.\n"
           "The header of the CSV file names the columns: id, or account_id and optionally platform; then "
           "the "
           "columns to fill, such as phone_number_id. Separated by commas, semicolons or tabs; UTF-8.",
       .examples = {"socialsync migrate backfill --from-env --dry-run",
                    "socialsync migrate backfill --csv accounts.csv",
                    "socialsync migrate backfill --business-name-from-display-name --yes"},
       .exits = {{Exit::done, "done, nothing to do, or not confirmed"},
                 {Exit::lock_budget_spent, "rows stayed locked: run it again"},
                 {Exit::other_run},
                 {Exit::data_blocks, "bad lines, or rows that PostgreSQL refuses"},
                 {Exit::interrupted}}});
  const auto options = std::make_shared<BackfillCommandOptions>();
  add_sources(command, *options);
  command.add_flag("--dry-run", options->dry_run, "Print the changes without making them");
  command.add_flag("--skip-bad", options->skip_bad, "Use the good lines of a file with bad ones");
  command.add_flag("--yes", options->yes, "Do not ask for confirmation");
  command.add_option("--max-lag", options->lag_max_s, "Pause while a standby is further behind (default 5)")
      .positive()
      .type_name("SECONDS");
  command.add_option("--max-batch", options->batch_max_ms, "Longest time of a batch (default 100)")
      .between(1, 60'000)
      .type_name("MS");
  with_common(command, options, backfill, migration_session);
}

}  // namespace socialsync::cli::migration
