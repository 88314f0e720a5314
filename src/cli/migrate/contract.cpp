#include "migrate/contract.hpp"

#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "cli/exit_code.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/terminal.hpp"

namespace socialsync::cli::migration {
namespace {

using migrate::Leftover;

struct Options {
  Common common;
  std::vector<std::string> drop;
  bool yes = false;
};

int contract(const Options& options) {
  const pg::ConnectionOptions database = database_of(options.common);
  if (options.drop.empty()) {
    const std::vector<Leftover> found = migrate::leftovers(database);
    for (const Leftover& leftover : found) fmt::print("{}\n    {}\n", leftover.id, leftover.why);
    fmt::print("{}", found.empty() ? "Nothing is left over.\n"
                                   : "Drop one: socialsync migrate contract --drop ID\n");
    return ExitCode::done;
  }
  if (!confirmed("Drop this for good? A rollback does not bring it back", options.yes)) return ExitCode::done;
  for (const Leftover& dropped : migrate::drop_leftovers(database, options.drop))
    fmt::print("  done   {}\n", dropped.statement);
  return ExitCode::done;
}

}  // namespace

void add_contract(CLI::App& migrate, Action& chosen) {
  CLI::App* command = migrate.add_subcommand("contract", "Drop what the new schema does not need any more");
  command->footer("Without --drop it only lists.\nExample:  socialsync migrate contract --drop ID --yes");
  const auto options = std::make_shared<Options>();
  add_common(*command, options->common, false);
  command->add_option("--drop", options->drop, "What to drop; may be repeated")->type_name("ID");
  command->add_flag("--yes", options->yes, "Do not ask");
  command->callback([&chosen, options] {
    chosen = [options] { return guarded(options->common, [&] { return contract(*options); }); };
  });
}

}  // namespace socialsync::cli::migration
