#pragma once

#include <string>

namespace socialsync::cli::accounts {

// A secret from a file, or from standard input for "-", where it is not shown while it is typed; without the
// line's end. `what` is asked for on a terminal. Throws Failure (wrong_usage) when it cannot be
// read.
std::string read_secret(const std::string& path, const std::string& what);

}  // namespace socialsync::cli::accounts
