#include "operate/backfill.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "migrate/backfill/encrypted.hpp"
#include "migrate/backfill/environment.hpp"
#include "migrate/backfill/preimages.hpp"
#include "migrate/backfill/session.hpp"

namespace socialsync::operate {
namespace {

using migrate::BackfillSource;

[[noreturn]] void refuse(const std::string& message) { throw Failure(Exit::wrong_usage, message); }

BackfillSource take(migrate::WantedValues&& values, BackfillResult& result) {
  result.bad_lines = std::move(values.bad_lines);
  result.bad_line_count = values.bad_line_count;
  return std::move(values.source);
}

BackfillSource from_environment(pg::Session& session, const std::string& account,
                                const config::Config& config, BackfillResult& result) {
  std::vector<migrate::EnvironmentAccount> settings;
  for (const config::PlatformDefaults* platform : {&config.whatsapp, &config.instagram}) {
    if (platform->account_key.empty()) continue;
    settings.push_back({.is_instagram = platform == &config.instagram,
                        .key = platform->account_key,
                        .app_secret = fmt::format("{}", fmt::join(platform->app_secrets, ",")),
                        .verify_token = platform->verify_token,
                        .access_token = platform->access_token});
  }
  if (settings.empty()) refuse("neither WHATSAPP_PHONE_NUMBER_ID nor INSTAGRAM_PAGE_ID is set");
  migrate::EnvironmentValues values = migrate::load_environment(session, settings, account);
  result.notes = std::move(values.notes);
  return take(std::move(values.wanted), result);
}

// From the planner's statistics, for progress only.
std::uint64_t estimated_accounts(pg::Session& session) {
  const pg::ResultSet rows = session.query(
      "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'public.social_accounts'::regclass");
  return std::stoull(std::string(rows.text(0, 0)));
}

BackfillSource from_display_name(pg::Session& session) {
  BackfillSource source;
  source.total = estimated_accounts(session);
  source.assignments.push_back({.column = &migrate::backfill_column("business_name"),
                                .value = "nullif(btrim(a.display_name), '')",
                                .may_write = {}});
  return source;
}

BackfillSource source_of(pg::Session& session, const BackfillForm& form, const config::Config& config,
                         BackfillResult& result) {
  if (!form.undo.empty()) return migrate::load_preimages(session, form.undo);
  if (form.from_env) return from_environment(session, form.account, config, result);
  if (form.business_name) return from_display_name(session);
  return take(migrate::load_accounts(session, *form.csv, migrate::Columns::of_the_migration), result);
}

// True when replaced values are kept. Filled values are kept where their column outlives a rollback.
bool keeps_values(pg::Session& session, BackfillSource& source, const BackfillForm& form) {
  if (!form.undo.empty()) return false;
  const bool may_keep =
      session.query("SELECT has_schema_privilege('socialsync', 'CREATE')").text(0, 0) == "t";
  const bool any_stays = may_keep && migrate::mark_columns_that_stay(session, source);
  return form.overwrite || any_stays;
}

}  // namespace

void BackfillForm::check() const {
  const int sources = int{from_env} + int{csv != nullptr} + int{business_name} + int{!undo.empty()};
  if (sources != 1)
    refuse("give one of --from-env, --csv, --business-name-from-display-name and --undo; see --help");
  if (!account.empty() && !from_env) refuse("--account needs --from-env");
  if (overwrite && !undo.empty()) refuse("--overwrite excludes --undo");
}

BackfillSource load_backfill(pg::Session& session, const BackfillForm& form, const config::Config& config,
                             BackfillResult& result) {
  BackfillSource source = source_of(session, form, config, result);
  const auto unknown = form.overwrite ? migrate::UnknownKey::replace : migrate::UnknownKey::keep;
  for (std::string& note : migrate::match_encrypted_values(session, source, config.secrets.keys, unknown))
    result.notes.push_back(std::move(note));
  if (form.undo.empty()) migrate::allow_writes(source, form.overwrite);
  for (const migrate::BackfillAssignment& assignment : source.assignments)
    result.columns.emplace_back(assignment.column->name);
  return source;
}

void run_backfill(pg::Session& session, const BackfillForm& form, BackfillSource& source,
                  migrate::BackfillOptions options, BackfillResult& result) {
  result.run = migrate::new_run_name(session);
  if (keeps_values(session, source, form)) {
    migrate::make_preimages(session);
    options.run = result.run;
  }
  result.report = migrate::run_backfill(session, source, options);
  result.can_undo = !options.run.empty() && migrate::has_preimages(session, options.run);
  const migrate::BackfillReport& report = result.report;
  const bool is_complete =
      report.kept_count + report.locked_count + report.refused_count == 0 && !report.interrupted;
  if (!form.undo.empty() && is_complete) migrate::drop_preimages(session, form.undo);
}

}  // namespace socialsync::operate
