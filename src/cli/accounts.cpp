#include <CLI/CLI.hpp>

#include "cli/accounts/commands.hpp"

namespace socialsync::cli {

void add_accounts(CLI::App& app, Action& chosen) {
  CLI::App* command = app.add_subcommand("accounts", "The tenants' accounts: list, add, change, check");
  command->require_subcommand(1);
  command->footer(
      std::string("ACCOUNT is an id, a phone number id, a page id, an account id or a phone number.") +
      accounts::exit_codes);
  accounts::add_list(*command, chosen);
  accounts::add_show(*command, chosen);
  accounts::add_check(*command, chosen);
  accounts::add_add(*command, chosen);
  accounts::add_set(*command, chosen);
  accounts::add_import(*command, chosen);
  accounts::add_remove(*command, chosen);
}

}  // namespace socialsync::cli
