#include "cli/migrate/backfill_form.hpp"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <iostream>
#include <sstream>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "migrate/backfill/csv.hpp"
#include "migrate/backfill/encrypted.hpp"
#include "migrate/backfill/environment.hpp"
#include "migrate/backfill/preimages.hpp"

namespace socialsync::cli::migration {
namespace {

using migrate::BackfillSource;

[[noreturn]] void refuse(const std::string& message) { throw Failure(Exit::wrong_usage, message); }

BackfillSource take(migrate::WantedValues&& values, BackfillStory& story) {
  story.bad_lines = std::move(values.bad_lines);
  story.bad_line_count = values.bad_line_count;
  return std::move(values.source);
}

std::string joined(const std::vector<std::string>& secrets) {
  return fmt::format("{}", fmt::join(secrets, ","));
}

BackfillSource from_environment(pg::Session& session, const std::string& account,
                                const config::Config& config, BackfillStory& story) {
  std::vector<migrate::EnvironmentAccount> settings;
  for (const config::PlatformDefaults* platform : {&config.whatsapp, &config.instagram}) {
    if (platform->account_key.empty()) continue;
    settings.push_back({.is_instagram = platform == &config.instagram,
                        .key = platform->account_key,
                        .app_secret = joined(platform->app_secrets),
                        .verify_token = platform->verify_token,
                        .access_token = platform->access_token});
  }
  if (settings.empty()) refuse("neither WHATSAPP_PHONE_NUMBER_ID nor INSTAGRAM_PAGE_ID is set");
  migrate::EnvironmentValues values = migrate::load_environment(session, settings, account);
  story.notes = std::move(values.notes);
  return take(std::move(values.wanted), story);
}

BackfillSource from_csv(pg::Session& session, const std::string& path, BackfillStory& story) {
  if (path == "-") return take(load_accounts(session, std::cin, migrate::Columns::of_the_migration), story);
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(fmt::format("cannot read {}", path));
  return take(load_accounts(session, file, migrate::Columns::of_the_migration), story);
}

struct Assignment {
  std::string name;
  std::string value;
};

bool is_name(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::islower(c) || c == '_'; });
}

// name=value,name=value: a comma that no name follows belongs to the value.
std::vector<Assignment> assignments(const std::string& text) {
  std::vector<Assignment> all;
  std::stringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t equals = part.find('=');
    const bool begins = equals != std::string::npos && is_name(part.substr(0, equals));
    if (!begins && all.empty()) refuse(fmt::format("--set: '{}' is not column=value", part));
    if (begins)
      all.push_back({.name = part.substr(0, equals), .value = part.substr(equals + 1)});
    else
      all.back().value += "," + part;
  }
  return all;
}

void check_constant(const Assignment& assignment) {
  const migrate::BackfillColumn* column = migrate::find_new_column(assignment.name);
  if (!column) return;  // the header's check names the nearest
  if (column->is_secret)
    refuse(
        fmt::format("--set: {} is a secret, and everybody can read a command line: use --csv", column->name));
  if (column->is_unique)
    refuse(fmt::format("--set: {} is one account's alone, not a whole platform's: use --csv", column->name));
}

// The platform's condition; its name is one of the type's.
std::string platform_filter(pg::Session& session, const std::string& platform) {
  const pg::ResultSet rows = session.query(
      "SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder), bool_or(enumlabel = $1), "
      "quote_literal($1::text) "
      "FROM pg_enum WHERE enumtypid = 'public.social_platform'::regtype",
      {platform});
  if (rows.text(0, 1) != "t")
    refuse(fmt::format("--set: '{}' is not a platform: {}", platform, rows.text(0, 0)));
  return fmt::format("a.platform = {}", rows.text(0, 2));
}

// Rows by the planner's statistics: for progress only.
std::uint64_t estimated_accounts(pg::Session& session) {
  return std::stoull(std::string(session
                                     .query("SELECT greatest(reltuples, 0)::bigint FROM pg_class "
                                            "WHERE oid = 'public.social_accounts'::regclass")
                                     .text(0, 0)));
}

BackfillSource from_constants(pg::Session& session, const std::string& set, BackfillStory& story) {
  std::string platform;
  std::vector<std::string> names;
  std::vector<std::string> values;
  for (const Assignment& assignment : assignments(set)) {
    check_constant(assignment);
    if (assignment.name == "platform") {
      platform = assignment.value;
      continue;
    }
    names.push_back(assignment.name);
    values.push_back(migrate::csv_quoted(assignment.value));
  }
  if (platform.empty()) refuse("--set: say for which accounts, such as platform=whatsapp");
  if (names.empty()) refuse("--set: say what to set, such as platform=whatsapp,webhook_status=active");
  std::stringstream csv(fmt::format("{}\n{}\n", fmt::join(names, ","), fmt::join(values, ",")));
  BackfillSource source =
      take(migrate::load_constants(session, csv, platform_filter(session, platform)), story);
  if (!story.bad_lines.empty()) refuse("--set: " + story.bad_lines.front().message);
  source.total = estimated_accounts(session);
  return source;
}

void settle(pg::Session& session, const BackfillSource& source, const BackfillForm& form,
            const config::Config& config, BackfillStory& story) {
  const auto unknown = form.overwrite ? migrate::SealedUnknown::are_replaced : migrate::SealedUnknown::stay;
  for (std::string& note : migrate::settle_sealed_values(session, source, config.secrets.keys, unknown))
    story.notes.push_back(std::move(note));
}

BackfillSource from_display_name(pg::Session& session) {
  BackfillSource source;
  source.total = estimated_accounts(session);
  source.wishes.push_back({.column = &migrate::backfill_column("business_name"),
                           .value = "nullif(btrim(a.display_name), '')",
                           .may_write = {}});
  return source;
}

}  // namespace

void check_form(const BackfillForm& form) {
  const int forms = int{form.from_env} + int{!form.csv.empty()} + int{!form.set.empty()} +
                    int{form.business_name} + int{!form.undo.empty()};
  if (forms != 1)
    refuse("say one of --from-env, --csv, --set, --business-name-from-display-name and --undo; see --help");
  if (!form.account.empty() && !form.from_env) refuse("--account goes with --from-env");
  if (form.overwrite && !form.undo.empty()) refuse("--overwrite does not go with --undo");
}

BackfillSource load_source(pg::Session& session, const BackfillForm& form, const config::Config& config,
                           BackfillStory& story) {
  if (!form.undo.empty()) {
    BackfillSource source = migrate::load_preimages(session, form.undo);
    settle(session, source, form, config, story);
    return source;
  }
  BackfillSource source = form.from_env       ? from_environment(session, form.account, config, story)
                          : !form.csv.empty() ? from_csv(session, form.csv, story)
                          : !form.set.empty() ? from_constants(session, form.set, story)
                                              : from_display_name(session);
  settle(session, source, form, config, story);
  migrate::allow_writes(source, form.overwrite);
  return source;
}

}  // namespace socialsync::cli::migration
