#include <CLI/CLI.hpp>

#include "cli/endpoints/commands.hpp"

namespace socialsync::cli {

void add_endpoints(CLI::App& app, Action& chosen) {
  CLI::App* command = app.add_subcommand("endpoints", "Where each account's events are sent");
  command->require_subcommand(1);
  command->footer(std::string("ENDPOINT is an id, or its first 8 digits.") + endpoints::exit_codes);
  endpoints::add_list(*command, chosen);
  endpoints::add_show(*command, chosen);
  endpoints::add_add(*command, chosen);
  endpoints::add_set(*command, chosen);
  endpoints::add_test(*command, chosen);
  endpoints::add_rotate_secret(*command, chosen);
  endpoints::add_enable(*command, chosen);
  endpoints::add_disable(*command, chosen);
  endpoints::add_remove(*command, chosen);
}

}  // namespace socialsync::cli
