// What the commands share that work on the gateway's tables.
#pragma once

#include <functional>

#include <boost/asio/awaitable.hpp>

#include "cli/command.hpp"
#include "config/config.hpp"
#include "pg/connection.hpp"

namespace socialsync::cli {

// --output text|json.
void add_output(Command command, bool& wants_json);

using DatabaseWork =
    std::function<boost::asio::awaitable<int>(const config::Config& config, pg::Connection& connection)>;

// Opens the configured database (the private one of `up` where none is named), does the work and gives its
// exit code. What goes wrong is printed, with `wants_json` as {"v":1,"error":{"code":…,"message":…}} too, and
// becomes an exit code.
int on_database(bool wants_json, const DatabaseWork& work);

// Says what is wrong, in the same way, and gives `exit_code`.
int complain(bool wants_json, int exit_code, const char* code, const std::string& message);

}  // namespace socialsync::cli
