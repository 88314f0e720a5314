#include <cstdio>
#include <cstring>
#include <exception>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <unistd.h>

#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/terminal.hpp"
#include "pg/error.hpp"
#include "pg/options.hpp"

namespace socialsync::cli {
namespace {

constexpr const char* description =
    "SocialSync Webhooks: one Meta webhook URL in, every tenant's events committed in PostgreSQL.";

constexpr const char* examples =
    "Examples:\n"
    "  socialsync up                                   try it, with a private database\n"
    "  DATABASE_URL=… socialsync serve                 production\n"
    "  socialsync send whatsapp --text 'hello'         a signed test webhook\n"
    "  socialsync migrate sql | psql -X socialsync     make the tables\n"
    "\n"
    "Exit codes: 0 done · 1 internal error · 2 wrong usage or setting · 3 database not migrated · "
    "4 send: not accepted; there is no such thing";

// libpq's own complaint about one that it cannot read quotes it, password and all.
bool is_readable(const config::Database& database) {
  try {
    pg::expanded(database.options);
    return true;
  } catch (const pg::Error&) {
    return false;
  }
}

// The help that was asked for, or what is wrong with the arguments.
int explain(const CLI::App& app, const CLI::ParseError& error) {
  std::ostringstream help, complaint;
  const int status = app.exit(error, help, complaint);
  fmt::print("{}", fitted_lines(help.str(), STDOUT_FILENO));
  fmt::print(stderr, "{}", fitted_lines(complaint.str(), STDERR_FILENO));
  return status == 0 ? ExitCode::done : ExitCode::usage_error;
}

// Everybody can see arguments in the list of processes.
void hide_secrets(int argument_count, char** arguments) {
  for (const std::string_view option : {"--dsn", "--secret", "--header"}) {
    for (int i = 1; i < argument_count; ++i) {
      const std::string_view argument = arguments[i];
      const bool is_value = std::string_view(arguments[i - 1]) == option;
      const bool has_value = argument.starts_with(option) && argument.substr(option.size()).starts_with('=');
      const std::size_t from = has_value ? option.size() + 1 : 0;
      if (is_value || has_value) std::memset(arguments[i] + from, '*', argument.size() - from);
    }
  }
}

}  // namespace

std::optional<config::Config> load_config() {
  config::Loaded loaded = config::load_from_environment();
  if (!is_readable(loaded.config.database))
    loaded.problems.push_back({"DATABASE_URL", "must be like postgresql://user:password@host:5432/database"});
  for (const config::Problem& problem : loaded.problems)
    fmt::print(stderr, "socialsync: {}: {}\n", problem.setting, problem.message);
  if (!loaded.problems.empty()) return std::nullopt;
  log::configure(loaded.config.log_json, loaded.config.log_debug);
  return std::move(loaded.config);
}

int run(int argument_count, char** arguments) {
  CLI::App app(description, "socialsync");
  app.footer(examples);
  app.require_subcommand(1);
  Action chosen;
  const Command program(app, chosen);
  add_up(program);
  add_serve(program);
  add_send(program);
  add_migrate(program);
  add_accounts(program);
  add_events(program);
  add_secrets(program);
  add_quarantine(program);
  add_customers(program);
  add_endpoints(program);
  add_deliveries(program);
  add_version(program);
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    return explain(app, error);
  }
  hide_secrets(argument_count, arguments);
  try {
    return chosen();
  } catch (const std::exception& error) {
    fmt::print(stderr, "socialsync: {}\n", error.what());
    return ExitCode::internal_error;
  }
}

}  // namespace socialsync::cli
