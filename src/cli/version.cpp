#include <fmt/core.h>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace socialsync::cli {

void add_version(Command app) {
  Command command = app.add_subcommand("version", "Print the version");
  command.runs([] {
    fmt::print("socialsync {}\n", SOCIALSYNC_VERSION);
    return ExitCode::done;
  });
}

}  // namespace socialsync::cli
