#include <algorithm>
#include <memory>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/accounts/commands.hpp"
#include "cli/accounts/draft_options.hpp"

namespace socialsync::cli::accounts {
namespace {

struct SetOptions : Options {
  std::shared_ptr<DraftOptions> draft = std::make_shared<DraftOptions>();
  std::string name;
};

// NOT NULL in the table that was found.
bool is_needed(const std::string& field) { return field == "account_id" || field == "username"; }

void check_cleared(const Draft& draft) {
  for (const std::string& name : draft.cleared) {
    if (!find_field(name)) throw Failure(Exit::wrong_usage, fmt::format("--clear: there is no {}", name));
    if (is_needed(name))
      throw Failure(Exit::wrong_usage, fmt::format("--clear: an account needs its {}", name));
    if (draft.has(name)) throw Failure(Exit::wrong_usage, fmt::format("{} is both set and cleared", name));
  }
  if (draft.values.empty() && draft.cleared.empty() && !draft.is_active)
    throw Failure(Exit::wrong_usage, "nothing to set: see --help");
}

std::vector<std::string> names_of(const Draft& draft) {
  std::vector<std::string> names = draft.cleared;
  for (const auto& [name, value] : draft.values) names.push_back(name);
  if (draft.is_active) names.emplace_back("is_active");
  std::ranges::sort(names);
  return names;
}

void report(const SetOptions& options, const store::AccountRecord& account) {
  const std::vector<std::string> names = names_of(options.draft->draft);
  if (options.common.output == Output::json) {
    print_json({{"set", boost::json::array(names.begin(), names.end())}, {"account", json_of(account)}});
    return;
  }
  fmt::print("set");
  for (const std::string& name : names) fmt::print(" {}", name);
  fmt::print(" of {}\n", described(account));
}

int set(const SetOptions& options) {
  finish_draft(*options.draft, false);
  check_cleared(options.draft->draft);
  const config::Config settings = settings_of(options.common);
  store::AccountRecord account;
  ask_database(settings, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
    account = co_await the_account(connection, options.name);
    std::vector<store::AccountWrite> writes = {
        write_of(options.draft->draft, account.id, std::nullopt, settings.secrets)};
    std::vector<store::NewUser> nobody;
    const std::size_t written = co_await write(connection, std::move(nobody), std::move(writes));
    if (written == 0)
      throw Failure(
          Exit::data_blocks,
          "the account has gone meanwhile, row-level security hides it, or its webhook_metadata is no "
          "JSON object to put ids in");
    account = co_await the_account(connection, to_string(account.id));
  });
  report(options, account);
  return 0;
}

}  // namespace

void add_set(Command accounts) {
  Command command = accounts.add_subcommand("set", "Change an account; gateways know it at once");
  command.footer(std::string("To rotate a secret, set the list \"new,old\", and later \"new\".\n"
                             "Examples:\n"
                             "  socialsync accounts set 683178638221369 --app-secret-file - <secret\n"
                             "  socialsync accounts set 683178638221369 --inactive\n"
                             "  socialsync accounts set 683178638221369 --clear webhook_events") +
                 exit_codes);
  const auto options = std::make_shared<SetOptions>();
  Draft& draft = options->draft->draft;
  add_account_name(command, options->name, true);
  add_draft_options(command, options->draft);
  command.add_option("--clear", draft.cleared, "Take this value away: page_id, app_secret, webhook_events, …")
      .separated_by(',')
      .type_name("NAME");
  Option active = command.add_flag("--active", [&draft] { draft.is_active = true; }, "Switch it on");
  command
      .add_flag(
          "--inactive", [&draft] { draft.is_active = false; }, "Switch it off: its events go to quarantine")
      .excludes(active);
  add_common(command, options->common, true);
  command.runs([options] { return guarded(options->common, [&] { return set(*options); }); });
}

}  // namespace socialsync::cli::accounts
