
#include "cli/endpoints/commands.hpp"

namespace socialsync::cli {

void add_endpoints(Command app) {
  Command command = app.add_subcommand("endpoints", "Where each account's events are sent");
  command.require_subcommand();
  command.footer(std::string("ENDPOINT is an id, or its first 8 digits.") + endpoints::exit_codes);
  endpoints::add_list(command);
  endpoints::add_show(command);
  endpoints::add_add(command);
  endpoints::add_set(command);
  endpoints::add_test(command);
  endpoints::add_rotate_secret(command);
  endpoints::add_enable(command);
  endpoints::add_disable(command);
  endpoints::add_remove(command);
}

}  // namespace socialsync::cli
