#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "base/log.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
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
    "4 send: not accepted";

// libpq's own complaint about one that it cannot read quotes it, password and all.
bool is_readable(const config::Database& database) {
  try {
    pg::expanded(database.options);
    return true;
  } catch (const pg::Error&) {
    return false;
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
  add_up(app, chosen);
  add_serve(app, chosen);
  add_send(app, chosen);
  add_migrate(app, chosen);
  add_version(app, chosen);
  try {
    app.parse(argument_count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? ExitCode::done : ExitCode::usage_error;
  }
  try {
    return chosen();
  } catch (const std::exception& error) {
    fmt::print(stderr, "socialsync: {}\n", error.what());
    return ExitCode::internal_error;
  }
}

}  // namespace socialsync::cli
