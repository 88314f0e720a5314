#pragma once

#include <string>

namespace socialsync::cli {

// Reads a secret from a file, or from standard input for "-", without the final line end. On a terminal, asks
// for `name` and does not echo the input. Throws Failure (wrong_usage) when the file cannot be read.
std::string read_secret(const std::string& path, const std::string& name);

}  // namespace socialsync::cli
