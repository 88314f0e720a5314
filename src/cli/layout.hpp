// Lines that fit where they are shown.
#pragma once

#include <string>
#include <string_view>

namespace socialsync::cli {

// How wide it is shown: one for each character of UTF-8, none for colours.
std::size_t columns_of(std::string_view text);

// The longest beginning that is no wider.
std::string_view first_columns(std::string_view text, std::size_t columns);

// The text broken between words, so that no line is wider unless a word alone is. All lines but the first are
// indented; where the width is small, not by more than a third of it.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

// Each line of a text for itself, its rest indented like the line's own second column ("  --option   text"),
// else by two more than the line.
std::string wrapped_lines(std::string_view text, std::size_t width);

}  // namespace socialsync::cli
