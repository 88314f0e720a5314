#pragma once

#include <map>
#include <string>
#include <string_view>

namespace socialsync::config {

// Returns the assignments of a .env file: lines NAME=value, with or without `export`. A value is bare, in
// single quotes (literal) or in double quotes (with the escapes \n, \" and \\). # at the start or after a
// blank begins a comment. Other lines are skipped.
std::map<std::string, std::string> parse_dotenv(std::string_view text);

}  // namespace socialsync::config
