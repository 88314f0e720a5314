#include <CLI/CLI.hpp>

#include "cli/commands.hpp"
#include "cli/migrate/commands.hpp"

namespace socialsync::cli {

void add_migrate(CLI::App& app, Action& chosen) {
  CLI::App* command = app.add_subcommand("migrate", "Take a database to the multi-tenant schema, or back");
  command->require_subcommand(1);
  command->footer(
      "Exit codes: 0 done or nothing to do · 1 internal error · 2 wrong usage or setting · 3 refused, "
      "nothing changed · "
      "4 lock budget spent, safe to run again · 5 an object of that name has another definition · 6 verify "
      "failed · "
      "7 another run is active · 8 backup missing or unverified · 9 data blocks a step · 10 plan "
      "--exit-code: changes "
      "pending · 130 interrupted, safe to run again");
  migration::add_doctor(*command, chosen);
  migration::add_backup(*command, chosen);
  migration::add_plan(*command, chosen);
  migration::add_apply(*command, chosen);
  migration::add_backfill(*command, chosen);
  migration::add_verify(*command, chosen);
  migration::add_route_test(*command, chosen);
  migration::add_status(*command, chosen);
  migration::add_rollback(*command, chosen);
  migration::add_contract(*command, chosen);
  migration::add_sql(*command, chosen);
}

}  // namespace socialsync::cli
