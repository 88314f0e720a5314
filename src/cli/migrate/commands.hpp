// `socialsync migrate …`: one file per subcommand. What they share is here.
#pragma once

#include <functional>
#include <string>

#include "cli/commands.hpp"
#include "pg/options.hpp"

namespace socialsync::cli::migration {

void add_doctor(CLI::App& migrate, Action& chosen);
void add_plan(CLI::App& migrate, Action& chosen);
void add_apply(CLI::App& migrate, Action& chosen);
void add_rollback(CLI::App& migrate, Action& chosen);
void add_status(CLI::App& migrate, Action& chosen);
void add_contract(CLI::App& migrate, Action& chosen);
void add_backup(CLI::App& migrate, Action& chosen);
void add_backfill(CLI::App& migrate, Action& chosen);
void add_sql(CLI::App& migrate, Action& chosen);
void add_verify(CLI::App& migrate, Action& chosen);
void add_route_test(CLI::App& migrate, Action& chosen);

enum class Output { text, json };

// Options of every subcommand that needs the database.
struct Common {
  std::string dsn;  // empty: the environment's
  Output output = Output::text;
};

// --dsn; and --output, where `has_json`.
void add_common(CLI::App& command, Common& common, bool has_json);

// The database that the command line or else the environment names, with an application_name of ours. Throws
// migrate::Failure (refused) when none is named, or a setting is bad.
pg::ConnectionOptions database_of(const Common& common);

// Runs a subcommand's work and gives the exit code that its failure stands for, the message printed to
// standard error; with Output::json as {"v":1,"error":{"code":…,"message":…}} on standard output too.
int guarded(const Common& common, const std::function<int()>& work);

}  // namespace socialsync::cli::migration
