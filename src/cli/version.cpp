#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/commands.hpp"

namespace socialsync::cli {

void add_version(Command app) {
  Command command = app.add_subcommand("version", "Print the version");
  command.runs([] {
    fmt::print("socialsync {}\n", SOCIALSYNC_VERSION);
    return Exit::done;
  });
}

}  // namespace socialsync::cli
