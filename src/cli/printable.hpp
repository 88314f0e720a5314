// Foreign text on a terminal: nothing in it moves the cursor, and nothing is left out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync::cli {

// Control characters and bytes that are not UTF-8 as \xNN; line ends too unless `keeps_lines`.
std::string printable(std::string_view text, bool keeps_lines = false);

// A JSON text with a line for each member and element, its tokens as they are; nothing where brackets and
// quotes do not fit.
std::optional<std::string> indented_json(std::string_view text);

// The rows as columns of their widest cell, two blanks between; no blanks at the ends of lines.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

}  // namespace socialsync::cli
