#include "migrate/backfill/environment.hpp"

#include <optional>
#include <sstream>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "migrate/backfill/csv.hpp"

namespace socialsync::migrate {
namespace {

constexpr std::size_t named_max = 20;

struct FoundAccount {
  std::string id;
  std::string display_name;
};

const char* platform_name(const EnvironmentAccount& settings) {
  return settings.is_instagram ? "Instagram" : "WhatsApp";
}

// The subscription in the migration guide's UPDATE.
const char* wanted_events(const EnvironmentAccount& settings) {
  return settings.is_instagram ? "messages,comments,mentions" : "messages,message_deliveries,message_reads";
}

pg::ResultSet best_accounts(pg::Session& session, const EnvironmentAccount& settings,
                            const std::string& account) {
  const char* platforms = settings.is_instagram ? "'instagram'" : "'whatsapp', 'whatsapp_business'";
  const char* key = settings.is_instagram ? "page_id" : "phone_number_id";
  return session.query(
      fmt::format("SELECT id, display_name, account_id FROM (SELECT *, rank() OVER (ORDER BY CASE WHEN {0} = "
                  "$1 THEN 0 "
                  "WHEN coalesce({0}, '') = '' THEN 1 ELSE 2 END) AS place FROM public.social_accounts "
                  "WHERE platform::text IN ({1}) AND $2 IN ('', id::text, account_id)) AS a "
                  "WHERE place = 1 ORDER BY id LIMIT {2}",
                  key, platforms, named_max + 1),
      {settings.key, account});
}

[[noreturn]] void refuse_several(const EnvironmentAccount& settings, const pg::ResultSet& rows) {
  std::vector<std::string> names;
  for (std::size_t row = 0; row < std::min(rows.rows(), named_max); ++row)
    names.push_back(fmt::format("  {} ({})", rows.text(row, 0), rows.text(row, 2)));
  if (rows.rows() > named_max) names.emplace_back("  and more");
  throw Failure(Exit::refused, fmt::format("several {} accounts match, choose one with --account ID:\n{}",
                                           platform_name(settings), fmt::join(names, "\n")));
}

std::optional<FoundAccount> find_account(pg::Session& session, const EnvironmentAccount& settings,
                                         const std::string& account) {
  const pg::ResultSet rows = best_accounts(session, settings, account);
  if (rows.rows() > 1) refuse_several(settings, rows);
  if (rows.rows() == 0) return std::nullopt;
  return FoundAccount{.id = std::string(rows.text(0, 0)), .display_name = std::string(rows.text(0, 1))};
}

std::string csv_line(const EnvironmentAccount& settings, const FoundAccount& account) {
  const std::string none;
  const std::string fields[] = {account.id,
                                settings.is_instagram ? none : settings.key,
                                settings.is_instagram ? settings.key : none,
                                settings.app_secret,
                                settings.verify_token,
                                settings.access_token,
                                settings.is_instagram ? none : account.display_name,
                                wanted_events(settings)};
  std::vector<std::string> quoted;
  for (const std::string& field : fields) quoted.push_back(csv_quoted(field));
  return fmt::format("{}\n", fmt::join(quoted, ","));
}

constexpr const char* csv_header =
    "id,phone_number_id,page_id,app_secret,verify_token,access_token,business_name,webhook_events\n";

void refuse_bad_settings(const WantedValues& wanted) {
  if (wanted.bad_lines.empty()) return;
  std::vector<std::string> messages;
  for (const BadLine& bad : wanted.bad_lines) messages.push_back(bad.message);
  throw Failure(Exit::data_blocks, fmt::format("unusable settings: {}", fmt::join(messages, "; ")));
}

}  // namespace

EnvironmentValues load_environment(pg::Session& session, const std::vector<EnvironmentAccount>& settings,
                                   const std::string& account) {
  EnvironmentValues values;
  std::stringstream csv;
  csv << csv_header;
  bool any = false;
  for (const EnvironmentAccount& one : settings) {
    const std::optional<FoundAccount> found = find_account(session, one, account);
    if (found) csv << csv_line(one, *found);
    if (!found && account.empty())
      values.notes.push_back(fmt::format("no {} account to fill", platform_name(one)));
    any = any || found;
  }
  if (!any)
    throw Failure(Exit::refused, account.empty()
                                     ? fmt::format("{}: add the account first", fmt::join(values.notes, "; "))
                                     : fmt::format("no account {} of a platform with settings", account));
  values.wanted = load_accounts(session, csv, Columns::all);
  refuse_bad_settings(values.wanted);
  return values;
}

}  // namespace socialsync::migrate
