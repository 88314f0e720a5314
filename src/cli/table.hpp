#pragma once

#include <string>
#include <vector>

namespace socialsync::cli {

// Rows of text in columns, each as wide as its widest value and two blanks from the next; the first row is
// the heading, bold on a terminal. The last column is as long as it is.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace socialsync::cli
