// What the commands of operators share: the database they work on, the form of their output, their exit
// codes.
#pragma once

#include <functional>
#include <string>

#include <boost/asio/awaitable.hpp>

#include "cli/command.hpp"
#include "config/config.hpp"
#include "pg/connection.hpp"
#include "pg/options.hpp"

namespace socialsync::cli {

enum class Output { text, json };

// Options of every command that needs the database.
struct Common {
  std::string dsn;  // empty: the environment's
  Output output = Output::text;
  std::string application = "socialsync migrate";  // who it is, in pg_stat_activity
};

// --dsn; and --output, where `has_json`.
void add_common(Command command, Common& common, bool has_json);

// The database that the command line or else the environment names, with an application_name of ours. Throws
// Failure (refused) when none is named, or a setting is bad.
pg::ConnectionOptions database_of(const Common& common);

// The settings, with that database: where none is named, the private one of `up`. Throws the same.
config::Config settings_of(const Common& common);

// Opens the database of these settings and does the work. Throws what that throws, and Failure
// (refused) where the database does not answer or is not migrated.
void ask_database(const config::Config& settings,
                  const std::function<boost::asio::awaitable<void>(pg::Connection& connection)>& work);

// Runs a command's work and gives the exit code that its failure stands for, the message printed to
// standard error; with Output::json as {"v":1,"error":{"code":…,"message":…}} on standard output too.
int guarded(const Common& common, const std::function<int()>& work);

}  // namespace socialsync::cli
