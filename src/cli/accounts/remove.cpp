#include <memory>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/accounts/commands.hpp"
#include "cli/text/terminal.hpp"
#include "store/erasure.hpp"

namespace socialsync::cli::accounts {
namespace {

struct RemoveOptions : Options {
  std::string name;
  bool yes = false;
};

void report(const RemoveOptions& options, const store::AccountRecord& account,
            const store::RemovedAccount& removed) {
  if (options.common.output == Output::json) {
    print_json({{"removed",
                 {{"account", json_of(account)},
                  {"events", removed.logs},
                  {"quarantined", removed.quarantined},
                  {"identity_keys", removed.identity_keys},
                  {"deliveries", removed.deliveries},
                  {"attempts", removed.attempts}}}});
    return;
  }
  fmt::print(
      "removed {}\n  {} events, {} parts in quarantine ({}), {} identity keys, {} deliveries, {} attempts\n",
      described(account), readable_count(removed.logs), readable_count(removed.quarantined),
      readable_bytes(removed.quarantine_bytes), readable_count(removed.identity_keys),
      readable_count(removed.deliveries), readable_count(removed.attempts));
}

int remove(const RemoveOptions& options) {
  const config::Config settings = settings_of(options.common);
  store::AccountRecord account;
  ask_database(settings, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
    account = co_await the_account(connection, options.name);
  });
  if (!confirmed(fmt::format("Remove {} and all of its events?", described(account)), options.yes))
    return static_cast<int>(Exit::done);
  store::RemovedAccount removed;
  ask_database(settings, [&](pg::Connection& connection) -> boost::asio::awaitable<void> {
    removed = co_await store::remove_account(connection, account.id);
  });
  if (!removed.found)
    throw Failure(Exit::data_blocks, "the account has gone meanwhile, or row-level security hides it");
  report(options, account, removed);
  return 0;
}

}  // namespace

void add_remove(Command accounts) {
  Command command = accounts.add_subcommand("remove", "Remove an account and all that is kept because of it");
  command.footer(std::string("Its events go, and what waits in quarantine for it; the user stays. There is "
                             "no way back: to stop\n"
                             "an account for a while, accounts set --inactive.\n"
                             "Example:  socialsync accounts remove 683178638221369 --yes") +
                 exit_codes);
  const auto options = std::make_shared<RemoveOptions>();
  add_account_name(command, options->name, true);
  command.add_flag("--yes", options->yes, "Do not ask");
  add_common(command, options->common, true);
  command.runs([options] { return guarded(options->common, [&] { return remove(*options); }); });
}

}  // namespace socialsync::cli::accounts
