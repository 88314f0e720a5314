
#include "cli/accounts/commands.hpp"

namespace socialsync::cli {

void add_accounts(Command app) {
  Command command = app.add_subcommand("accounts", "The tenants' accounts: list, add, change, check");
  command.require_subcommand();
  command.footer(
      std::string("ACCOUNT is an id, a phone number id, a page id, an account id or a phone number.") +
      accounts::exit_codes);
  accounts::add_list(command);
  accounts::add_show(command);
  accounts::add_check(command);
  accounts::add_add(command);
  accounts::add_set(command);
  accounts::add_import(command);
  accounts::add_remove(command);
}

}  // namespace socialsync::cli
