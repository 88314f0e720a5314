// Runs a command's work on the database that the command line or the environment names.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "cli/app/command.hpp"
#include "config/config.hpp"
#include "pg/connection.hpp"
#include "pg/options.hpp"

namespace socialsync::cli {

// Options of every command that uses the database.
struct Common {
  std::string dsn;  // empty: the environment's
  Output output = Output::text;
  std::string application = "socialsync";  // application_name in pg_stat_activity

  bool wants_json() const { return output == Output::json; }
};

// A command at work on an open connection.
struct Context {
  const config::Config& config;  // database.options are those of the connection
  pg::Connection& connection;
  Output output;

  bool wants_json() const { return output == Output::json; }
};

using Check = std::function<void()>;
using Work = std::function<Exit(const Common& common)>;
using DatabaseWork = std::function<boost::asio::awaitable<Exit>(Context& context)>;

// Adds --dsn and --output; `work` opens the database itself, if at all. `check` throws Failure (wrong_usage).
void with_common(Command command, Common common, const Check& check, const Work& work);
// The same, and opens the database: that of `up` where none is named. Failure (refused) where it is
// unreachable or not migrated; a value that PostgreSQL refuses is wrong usage.
void on_database(Command command, const Check& check, const DatabaseWork& work);

// Both call Options::check() first, where there is one.
template <class Options>
Check check_of(const std::shared_ptr<Options>& options) {
  if constexpr (requires { options->check(); }) return [options] { options->check(); };
  return [] {};
}
template <class Options>
void with_common(Command command, const std::shared_ptr<Options>& options,
                 Exit (*work)(const Options& options, const Common& common), const Common& common = {}) {
  with_common(command, common, check_of(options),
              [options, work](const Common& given) { return work(*options, given); });
}
template <class Options>
void on_database(Command command, const std::shared_ptr<Options>& options,
                 boost::asio::awaitable<Exit> (*work)(const Options& options, Context& context)) {
  on_database(command, check_of(options),
              [options, work](Context& context) { return work(*options, context); });
}

// The settings of the environment; sets up the log. Throws Failure (wrong_usage), with a line for each
// problem.
config::Config settings();
// The settings with the database that is named, or else the private one of `up`. Throws Failure.
config::Config settings_of(const Common& common);
// The database that is named. Throws Failure (refused) where none is.
pg::ConnectionOptions database_of(const Common& common);

// Opens the database of these settings and does the work. Throws Failure (refused) where it is unreachable or
// not migrated, and what `work` throws.
void ask_database(const config::Config& settings,
                  const std::function<boost::asio::awaitable<void>(pg::Connection& connection)>& work);

// Runs the work; an error is printed to standard error, with Output::json as
// {"v":1,"error":{"code":…,"message":…}} to standard output too, and becomes an exit code.
Exit reported(const Action& action);

}  // namespace socialsync::cli
