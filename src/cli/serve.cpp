#include <cstdio>
#include <memory>

#include <fmt/core.h>

#include "app/gateway.hpp"
#include "base/log.hpp"
#include "cli/app/runner.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace socialsync::cli {
namespace {

int serve(app::Duty duty) {
  const config::Config config = settings();
  if (!config.database.given()) {
    fmt::print(stderr,
               "socialsync: serve needs DATABASE_URL or DB_HOST (socialsync up brings a database along)\n");
    return ExitCode::usage_error;
  }
  try {
    app::run_gateway(config, app::DatabaseOwner::operators, duty,
                     [](const std::string& url) { log::info("ready", {{"url", url}}); });
    return ExitCode::done;
  } catch (const app::NotMigrated& error) {
    fmt::print(stderr, "socialsync: {}\n", error.what());
    return ExitCode::not_migrated;
  } catch (const app::WrongSecretsKey& error) {
    fmt::print(stderr, "socialsync: {}\n", error.what());
    return ExitCode::usage_error;
  }
}

}  // namespace

void add_serve(Command app) {
  Command command = app.add_subcommand("serve", "Serve webhooks for a migrated database, until SIGTERM");
  command.footer(
      "Example:  DATABASE_URL=postgresql://user@localhost/socialsync META_APP_SECRET=… socialsync serve\n"
      "Exit codes: 0 stopped · 1 internal error · 2 a setting is wrong · 3 the database is not migrated");
  const auto duty = std::make_shared<app::Duty>(app::Duty::all);
  Option ingest = command.add_flag(
      "--ingest-only", [duty] { *duty = app::Duty::ingest_only; },
      "Take webhooks and deliver none: other processes do");
  command
      .add_flag(
          "--deliver-only", [duty] { *duty = app::Duty::deliver_only; },
          "Deliver events and take no webhooks: other processes do")
      .excludes(ingest);
  command.runs([duty] { return serve(*duty); });
}

}  // namespace socialsync::cli
