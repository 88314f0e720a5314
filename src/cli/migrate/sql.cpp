#include <cstdio>
#include <memory>
#include <string_view>

#include "cli/exit_code.hpp"
#include "cli/migrate/commands.hpp"
#include "migrate/sql_files.hpp"

namespace socialsync::cli::migration {
namespace {

int print_sql(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return ExitCode::done;
}

}  // namespace

void add_sql(Command migrate) {
  Command sql = migrate.add_subcommand("sql", "Print the migration as one file for psql");
  sql.footer(
      "Examples:\n"
      "  socialsync migrate sql | psql -X -d socialsync\n"
      "  socialsync migrate sql --gateway-role | psql -X -d socialsync");
  const auto text = std::make_shared<std::string_view>(migrate::schema_updates());
  Option rollback = sql.add_flag(
      "--rollback", [text] { *text = migrate::schema_rollback(); }, "Print the file that undoes it");
  sql.add_flag(
         "--gateway-role", [text] { *text = migrate::gateway_role(); },
         "Print the file that makes the role which serve needs, with no right more")
      .excludes(rollback);
  sql.runs([text] { return print_sql(*text); });
}

}  // namespace socialsync::cli::migration
