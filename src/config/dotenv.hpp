#pragma once

#include <map>
#include <string>
#include <string_view>

namespace socialsync::config {

// The assignments of a .env file: NAME=value lines, with or without `export`, values bare, in single quotes
// (taken as they are) or in double quotes (\n, \" and \\ known; another backslash stands for itself); # at
// the start or after a blank starts a comment. Other lines are skipped.
std::map<std::string, std::string> parse_dotenv(std::string_view text);

}  // namespace socialsync::config
