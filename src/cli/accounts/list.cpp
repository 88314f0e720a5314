#include <memory>

#include <fmt/core.h>

#include "cli/accounts/commands.hpp"
#include "cli/accounts/fields.hpp"
#include "cli/text/printable.hpp"

namespace socialsync::cli::accounts {
namespace {

struct ListOptions : Options {
  store::AccountFilter filter{
      .name = "", .platform = "", .user = "", .is_active = std::nullopt, .limit = 1000};
};

std::string or_dash(const std::string& text) { return text.empty() ? "-" : printable(text); }

void print_text(const std::vector<store::AccountRecord>& found, std::uint64_t limit) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "PLATFORM", "KEY", "BUSINESS", "USER", "ACTIVE", "SECRET", "LAST WEBHOOK"}};
  for (const store::AccountRecord& account : found)
    rows.push_back({to_string(account.id), account.platform, or_dash(account.key()),
                    or_dash(account.business_name.empty() ? account.username : account.business_name),
                    or_dash(account.email), account.is_active ? "yes" : "no",
                    account.has_app_secret ? "own" : "shared", or_dash(account.last_webhook_at)});
  if (found.empty()) fmt::print("no accounts\n");
  if (!found.empty()) fmt::print("{}", aligned(rows));
  if (found.size() == limit) fmt::print("the newest {}: --limit shows more\n", limit);
}

int list(const ListOptions& options) {
  const config::Config settings = settings_of(options.common);
  std::vector<store::AccountRecord> found;
  ask_database(settings, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
    found = co_await store::find_accounts(connection, options.filter);
  });
  if (options.common.output == Output::text) {
    print_text(found, options.filter.limit);
    return 0;
  }
  boost::json::array all;
  for (const store::AccountRecord& account : found) all.push_back(json_of(account));
  print_json({{"accounts", std::move(all)}});
  return 0;
}

}  // namespace

void add_list(Command accounts) {
  Command command = accounts.add_subcommand("list", "The accounts, newest first");
  command.footer(std::string("Examples:\n"
                             "  socialsync accounts list --inactive\n"
                             "  socialsync accounts list --user owner@example.com --output json") +
                 exit_codes);
  const auto options = std::make_shared<ListOptions>();
  add_common(command, options->common, true);
  command
      .add_option_function(
          "--platform",
          [options](const std::string& word) { options->filter.platform = *platform_label(word); },
          "whatsapp, whatsapp_business, instagram or messenger")
      .check([](const std::string& word) {
        return platform_label(word) ? "" : "whatsapp, whatsapp_business, instagram or messenger";
      })
      .type_name("PLATFORM");
  command.add_option("--user", options->filter.user, "E-mail address or id").type_name("USER");
  Option active = command.add_flag("--active", [options] { options->filter.is_active = true; }, "Only these");
  command.add_flag(
             "--inactive", [options] { options->filter.is_active = false; }, "Only those switched off")
      .excludes(active);
  command.add_option("--limit", options->filter.limit, "Rows at most (default 1000)")
      .between(1, 1'000'000'000);
  command.runs([options] { return guarded(options->common, [&] { return list(*options); }); });
}

}  // namespace socialsync::cli::accounts
