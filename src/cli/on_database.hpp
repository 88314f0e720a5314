// Until every command has adopted cli/app/runner.hpp.
#pragma once

#include "cli/app/runner.hpp"

namespace socialsync::cli {

void add_output(Command command, bool& wants_json);
int on_database(bool wants_json,
                const std::function<boost::asio::awaitable<int>(const config::Config& config,
                                                                pg::Connection& connection)>& work);
int complain(bool wants_json, int exit_code, const char* code, const std::string& message);

}  // namespace socialsync::cli
