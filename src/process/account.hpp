#pragma once

#include <string>

namespace socialsync::process {

// PostgreSQL refuses to run as root. `directory` is new, empty, or was settled in before (it holds `lock`).
// When we are root: makes `directory` (mode 0700) for the system user `user`, and becomes that user for good.
// Otherwise only makes the directory. Throws std::runtime_error.
void settle_in(const std::string& directory, const char* user);

// The name of the user we run as.
std::string user_name();

}  // namespace socialsync::process
