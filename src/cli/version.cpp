#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace socialsync::cli {

void add_version(CLI::App& app, Action& chosen) {
  CLI::App* command = app.add_subcommand("version", "Print the version");
  command->callback([&chosen] {
    chosen = [] {
      fmt::print("socialsync {}\n", SOCIALSYNC_VERSION);
      return ExitCode::done;
    };
  });
}

}  // namespace socialsync::cli
