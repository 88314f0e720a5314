#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "cli/exit_code.hpp"
#include "cli/migrate/commands.hpp"
#include "migrate/sql_files.hpp"

namespace socialsync::cli::migration {
namespace {

int print_sql(bool rollback) {
  const std::string_view text = rollback ? migrate::schema_rollback() : migrate::schema_updates();
  std::fwrite(text.data(), 1, text.size(), stdout);
  return ExitCode::done;
}

}  // namespace

void add_sql(CLI::App& migrate, Action& chosen) {
  CLI::App* sql = migrate.add_subcommand("sql", "Print the migration as one file for psql");
  sql->footer("Example:  socialsync migrate sql | psql -X -d socialsync");
  const auto rollback = std::make_shared<bool>(false);
  sql->add_flag("--rollback", *rollback, "Print the file that undoes it");
  sql->callback([&chosen, rollback] { chosen = [rollback] { return print_sql(*rollback); }; });
}

}  // namespace socialsync::cli::migration
