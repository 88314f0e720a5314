#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace socialsync {

// Returns the first `characters_max` characters of UTF-8 text: the part that fits a varchar of that size.
std::string_view first_characters(std::string_view text, std::size_t characters_max);

// Returns the entries of a comma-separated list, without blanks around them and without empty ones.
std::vector<std::string> split_list(std::string_view text);

// Returns the Levenshtein distance in bytes.
std::size_t edit_distance(std::string_view from, std::string_view to);

// Returns the word with the smallest edit distance to `text`; empty if there are no words.
std::string_view nearest_word(std::string_view text, std::span<const std::string_view> words);

// Appends `text` as a JSON string, in quotes. Bytes that are not valid UTF-8 are passed on as they are.
void append_json_string(std::string& out, std::string_view text);
// Returns the text as a JSON string, with its quotes.
std::string quoted_json(std::string_view text);

// Appends two lower-case digits per byte. The time taken does not depend on the bytes.
void append_hex(std::string& out, std::span<const std::uint8_t> bytes);

// Fills `out` from exactly twice as many digits, of either case. Returns false, with `out` undefined,
// otherwise.
bool decode_hex(std::string_view text, std::span<std::uint8_t> out);

// Control characters and invalid UTF-8 as \xNN, tabs as spaces. Line ends are escaped too unless
// `keeps_lines`.
std::string printable(std::string_view text, bool keeps_lines = false);

// "1,284,201"
std::string readable_count(std::uint64_t count);

}  // namespace socialsync
