// The subcommands: one file each. Each adds its options to the parser and says what to run.
#pragma once

#include <functional>

#include "config/config.hpp"

namespace CLI {
class App;
}

namespace socialsync::cli {

// Runs the chosen command; the result is the program's exit code.
using Action = std::function<int()>;

void add_up(CLI::App& app, Action& chosen);
void add_serve(CLI::App& app, Action& chosen);
void add_send(CLI::App& app, Action& chosen);
void add_migrate(CLI::App& app, Action& chosen);
void add_accounts(CLI::App& app, Action& chosen);
void add_events(CLI::App& app, Action& chosen);
void add_secrets(CLI::App& app, Action& chosen);
void add_quarantine(CLI::App& app, Action& chosen);
void add_customers(CLI::App& app, Action& chosen);
void add_endpoints(CLI::App& app, Action& chosen);
void add_deliveries(CLI::App& app, Action& chosen);
void add_version(CLI::App& app, Action& chosen);

// Parses the arguments and runs what they ask for.
int run(int argument_count, char** arguments);

// The settings, or nothing after each problem has been printed with the setting's name. Sets up the log.
std::optional<config::Config> load_config();

}  // namespace socialsync::cli
