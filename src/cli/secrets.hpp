// What the subcommands of `socialsync secrets` share.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "base/failure.hpp"
#include "cli/commands.hpp"
#include "config/config.hpp"
#include "pg/connection.hpp"

namespace socialsync::cli::secrets {

// The settings; the private database's where none is named. Throws Failure.
config::Config settings();

// Does the work over a connection to a migrated database where this role may read (and write) those columns.
// Throws Failure.
void with_secrets(const config::Config& config, const std::vector<std::string>& columns, bool writes,
                  const std::function<boost::asio::awaitable<void>(pg::Connection& connection)>& work);

// The names of all columns of secrets.
std::vector<std::string> column_names();

// Runs the command; a Failure is told, and becomes the exit code.
int guarded(const std::function<int()>& work);

// --output text or json.
void add_output(Command command, std::string& output);

void add_status(Command secrets);
// encrypt, rotate, decrypt
void add_changes(Command secrets);

}  // namespace socialsync::cli::secrets
