// The commands of the program. Each function adds one, with its options and subcommands.
#pragma once

#include "cli/app/command.hpp"

namespace socialsync::cli {

void add_up(Command app);
void add_serve(Command app);
void add_send(Command app);
void add_migrate(Command app);
void add_accounts(Command app);
void add_events(Command app);
void add_secrets(Command app);
void add_quarantine(Command app);
void add_customers(Command app);
void add_endpoints(Command app);
void add_deliveries(Command app);
void add_settings(Command app);

// Runs the command that the arguments name; returns the exit code.
int run(int argument_count, char** arguments);

}  // namespace socialsync::cli
