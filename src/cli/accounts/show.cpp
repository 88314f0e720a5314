#include <memory>
#include <utility>

#include <fmt/core.h>

#include "cli/accounts/commands.hpp"
#include "cli/text/printable.hpp"

namespace socialsync::cli::accounts {
namespace {

struct ShowOptions : Options {
  std::string name;
};

void print_text(const store::AccountRecord& account) {
  const auto is_set = [](bool has) { return has ? std::string("set") : std::string(); };
  const std::pair<const char*, std::string> lines[] = {
      {"id", to_string(account.id)},
      {"user", fmt::format("{} {}", to_string(account.user_id), account.email)},
      {"platform", account.platform},
      {"active", account.is_active ? "yes" : "no"},
      {"phone_number_id", account.phone_number_id},
      {"page_id", account.page_id},
      {"account_id", account.account_id},
      {"waba_id", account.waba_id},
      {"linked_ids", account.linked_ids},
      {"display_phone_number", account.display_phone_number},
      {"username", account.username},
      {"display_name", account.display_name},
      {"business_name", account.business_name},
      {"app_secret", account.has_app_secret ? "its own" : "META_APP_SECRET"},
      {"verify_token", is_set(account.has_verify_token)},
      {"access_token", is_set(account.has_access_token)},
      {"refresh_token", is_set(account.has_refresh_token)},
      {"webhook_events", account.webhook_events.value_or("all")},
      {"webhook_url", account.webhook_url},
      {"webhook_status", account.webhook_status},
      {"last_webhook_at", account.last_webhook_at},
      {"created_at", account.created_at}};
  for (const auto& [name, value] : lines)
    fmt::print("{:<21} {}\n", name, value.empty() ? "-" : printable(value));
}

int show(const ShowOptions& options) {
  const config::Config settings = settings_of(options.common);
  store::AccountRecord account;
  ask_database(settings, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
    account = co_await the_account(connection, options.name);
  });
  if (options.common.output == Output::text)
    print_text(account);
  else
    print_json({{"account", json_of(account)}});
  return 0;
}

}  // namespace

void add_show(Command accounts) {
  Command command = accounts.add_subcommand("show", "All that is known of an account, save its secrets");
  command.footer(std::string("Example:  socialsync accounts show 683178638221369") + exit_codes);
  const auto options = std::make_shared<ShowOptions>();
  add_account_name(command, options->name, true);
  add_common(command, options->common, true);
  command.runs([options] { return guarded(options->common, [&] { return show(*options); }); });
}

}  // namespace socialsync::cli::accounts
