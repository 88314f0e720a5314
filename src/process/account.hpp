#pragma once

#include <string>

namespace socialsync::process {

// Creates `directory` (mode 0700). Started as root, gives it to the system user `user` and becomes that user
// permanently, because PostgreSQL refuses to run as root. `directory` must be new, empty, or from an earlier
// call (it contains `lock`). Throws std::runtime_error.
void settle_in(const std::string& directory, const char* user);

// The name of the current user.
std::string user_name();

}  // namespace socialsync::process
