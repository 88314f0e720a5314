// `socialsync events …`: kinds is in cli/events.cpp.
#pragma once

#include "cli/commands.hpp"

namespace socialsync::cli::events {

void add_next(CLI::App& events, Action& chosen);

}  // namespace socialsync::cli::events
