// Text for a terminal or a pipe: indented, wrapped, in columns.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.hpp"

namespace socialsync::cli {

// The JSON document with one member or element a line, its tokens unchanged; nothing where its brackets or
// quotes do not match, or it is no object or array.
std::optional<std::string> indented_json(std::string_view text);

// The columns that a terminal needs for it: one for each character of UTF-8, none for colour sequences.
std::size_t columns_of(std::string_view text);

// The longest prefix of at most that many columns.
std::string_view first_columns(std::string_view text, std::size_t columns);

// The text broken between words into lines of at most `width` columns, unless a single word is longer. All
// lines but the first are indented, by at most a third of `width`.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

// Wraps each line by itself. Its continuation lines are indented to the line's second column
// ("  --option   text"), else by two more than the line.
std::string wrapped_lines(std::string_view text, std::size_t width);

// A table: columns as wide as their widest cell, two spaces between, no trailing spaces.
std::string aligned(const std::vector<std::vector<std::string>>& rows);

// The URL without scheme and query string, which may hold a key; "(pull)" without a URL. Fit for a terminal.
std::string shown_url(const std::string& url);

}  // namespace socialsync::cli
