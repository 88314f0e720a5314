#include "cli/commands.hpp"
#include "cli/events/commands.hpp"

namespace socialsync::cli {

void add_events(Command app) {
  Command command = app.add_subcommand("events", "Take events from a pull endpoint");
  events::add_next(command);
}

}  // namespace socialsync::cli
