
#include "cli/commands.hpp"
#include "cli/migrate/commands.hpp"

namespace socialsync::cli {

void add_migrate(Command app) {
  Command command = app.add_subcommand("migrate", "Take a database to the multi-tenant schema, or back");
  command.require_subcommand();
  command.footer(
      "Exit codes: 0 done or nothing to do · 1 internal error · 2 wrong usage or setting · 3 refused, "
      "nothing changed · "
      "4 lock budget spent, safe to run again · 5 an object of that name has another definition · 6 verify "
      "failed · "
      "7 another run is active · 8 backup missing or unverified · 9 data blocks a step · 10 plan "
      "--exit-code: changes "
      "pending · 130 interrupted, safe to run again");
  migration::add_doctor(command);
  migration::add_backup(command);
  migration::add_plan(command);
  migration::add_apply(command);
  migration::add_backfill(command);
  migration::add_verify(command);
  migration::add_route_test(command);
  migration::add_status(command);
  migration::add_rollback(command);
  migration::add_contract(command);
  migration::add_sql(command);
}

}  // namespace socialsync::cli
