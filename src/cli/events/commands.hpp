// `socialsync events …`: kinds is in cli/events.cpp.
#pragma once

#include "cli/commands.hpp"

namespace socialsync::cli::events {

void add_next(Command events);

}  // namespace socialsync::cli::events
