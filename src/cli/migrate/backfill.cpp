#include "migrate/backfill/backfill.hpp"

#include <chrono>
#include <memory>
#include <string>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "cli/migrate/backfill_form.hpp"
#include "cli/migrate/backfill_report.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/terminal.hpp"
#include "migrate/backfill/preimages.hpp"
#include "migrate/backfill/session.hpp"
#include "migrate/session.hpp"
#include "process/interruption.hpp"

namespace socialsync::cli::migration {
namespace {

struct Options {
  Common common;
  BackfillForm form;
  bool dry_run = false;
  bool skip_bad = false;
  bool yes = false;
  double lag_max_s = 5;
  int batch_max_ms = 100;
};

// A server notices that our killed predecessor is gone after client_connection_check_interval.
constexpr std::chrono::seconds run_lock_wait{3};

migrate::BackfillOptions run_options(const Options& options, const process::Interruption& interruption,
                                     ProgressLine& progress) {
  return {.batch_max = std::chrono::milliseconds(options.batch_max_ms),
          .lag_max = std::chrono::milliseconds(static_cast<std::int64_t>(options.lag_max_s * 1000)),
          .run = "",
          .interrupted = [&interruption] { return interruption.requested(); },
          .show = progress.shower()};
}

std::string question(const Options& options, const BackfillStory& story,
                     const migrate::BackfillSource& source) {
  if (!options.form.undo.empty()) return fmt::format("Put back what run {} replaced?", options.form.undo);
  return fmt::format("{} {} of up to {} account(s)?", options.form.overwrite ? "Set" : "Fill",
                     fmt::join(story.columns, ", "), readable_count(source.total));
}

int exit_code_of(const Options& options, const BackfillStory& story) {
  const migrate::BackfillReport& report = story.report;
  Exit outcome = Exit::done;
  if (report.locked_count > 0) outcome = Exit::lock_budget_spent;
  if (story.bad_line_count > 0 || report.refused_count > 0) outcome = Exit::data_blocks;
  if (report.interrupted) outcome = Exit::interrupted;
  if (report.interrupted && options.common.output == Output::text)
    fmt::print("interrupted: run it again to continue\n");
  return static_cast<int>(outcome);
}

int tell(const Options& options, const BackfillStory& story) {
  options.common.output == Output::json ? print_json(story) : print_text(story);
  return exit_code_of(options, story);
}

// What is replaced can be put back; so can what is filled where the column outlives a rollback.
bool keeps_values(pg::Session& session, migrate::BackfillSource& source, const Options& options) {
  if (!options.form.undo.empty()) return false;
  const bool may_keep =
      session.query("SELECT has_schema_privilege('socialsync', 'CREATE')").text(0, 0) == "t";
  const bool any_stays = may_keep && migrate::mark_columns_that_stay(session, source);
  return options.form.overwrite || any_stays;
}

void write(pg::Session& session, migrate::BackfillSource& source, const Options& options,
           migrate::BackfillOptions running, BackfillStory& story) {
  story.run = migrate::new_run_name(session);
  if (keeps_values(session, source, options)) {
    migrate::make_preimages(session);
    running.run = story.run;
  }
  story.report = migrate::run_backfill(session, source, running);
  story.can_undo = !running.run.empty() && migrate::has_preimages(session, running.run);
  const migrate::BackfillReport& report = story.report;
  const bool is_complete =
      report.kept_count + report.locked_count + report.refused_count == 0 && !report.interrupted;
  if (!options.form.undo.empty() && is_complete) migrate::drop_preimages(session, options.form.undo);
}

int backfill(const Options& options) {
  check_form(options.form);
  const std::unique_ptr<pg::Session> opened = migrate::open_backfill_session(database_of(options.common));
  pg::Session& session = *opened;
  BackfillStory story;
  story.is_preview = options.dry_run;
  migrate::BackfillSource source = load_source(session, options.form, settings(), story);
  for (const migrate::BackfillWish& wish : source.wishes) story.columns.emplace_back(wish.column->name);
  if (story.bad_line_count > 0 && !options.skip_bad) return tell(options, story);
  if (!options.dry_run) {
    migrate::take_run_lock(session, run_lock_wait);
    if (!confirmed(question(options, story, source), options.yes)) return static_cast<int>(Exit::done);
  }
  const process::Interruption interruption;  // the work ends after the batch that runs
  ProgressLine progress;
  if (options.dry_run)
    story.report = migrate::preview_backfill(session, source, run_options(options, interruption, progress));
  else
    write(session, source, options, run_options(options, interruption, progress), story);
  progress.clear();
  return tell(options, story);
}

constexpr const char* footer =
    "Only what has no value is filled (webhook_status 'inactive' and webhook_metadata '{}' count as none), "
    "in\n"
    "short batches, while the application runs. A second run changes nothing; one that was stopped goes on.\n"
    "The file's header names the columns: id, or account_id and perhaps platform; then what to fill, such "
    "as\n"
    "phone_number_id. Commas, semicolons or tabulators; UTF-8.\n"
    "Examples:\n"
    "  socialsync migrate backfill --from-env --dry-run\n"
    "  socialsync migrate backfill --csv accounts.csv\n"
    "  socialsync migrate backfill --set platform=whatsapp,webhook_events=messages,message_reads --yes\n"
    "  socialsync migrate backfill --business-name-from-display-name --yes\n"
    "Exit codes: 0 done · 2 wrong usage · 3 refused, nothing changed (not migrated?) · 4 rows stayed locked, "
    "run\n"
    "it again · 7 another run is active · 9 bad lines, or rows that PostgreSQL refuses · 130 interrupted, "
    "run it\n"
    "again";

void add_forms(Command command, BackfillForm& form) {
  command.add_flag(
      "--from-env", form.from_env,
      "The single-tenant settings (WHATSAPP_PHONE_NUMBER_ID and its kin) into the account they are for");
  command.add_option("--account", form.account, "With --from-env: the account, by id or account_id")
      .type_name("ID");
  command.add_option("--csv", form.csv, "A file of values, - for standard input").type_name("FILE");
  command
      .add_option("--set", form.set,
                  "One value for all accounts of a platform: platform=whatsapp,webhook_status=active")
      .type_name("LIST");
  command.add_flag("--business-name-from-display-name", form.business_name,
                   "business_name from display_name");
  command.add_option("--undo", form.undo, "Put back what a run with --overwrite replaced").type_name("RUN");
  command.add_flag("--overwrite", form.overwrite, "Replace other values too, and keep them for --undo");
}

}  // namespace

void add_backfill(Command migrate) {
  Command command = migrate.add_subcommand("backfill", "Fill the new columns of social_accounts");
  command.footer(footer);
  const auto options = std::make_shared<Options>();
  add_forms(command, options->form);
  command.add_flag("--dry-run", options->dry_run, "Say what would change, and change nothing");
  command.add_flag("--skip-bad", options->skip_bad, "Use the good lines of a file that has bad ones");
  command.add_flag("--yes", options->yes, "Do not ask");
  command.add_option("--max-lag", options->lag_max_s, "Pause while a standby is further behind (default 5)")
      .positive()
      .type_name("SECONDS");
  command.add_option("--max-batch", options->batch_max_ms, "How long a batch may take (default 100)")
      .between(1, 60'000)
      .type_name("MS");
  add_common(command, options->common, true);
  command.runs([options] { return guarded(options->common, [options] { return backfill(*options); }); });
}

}  // namespace socialsync::cli::migration
