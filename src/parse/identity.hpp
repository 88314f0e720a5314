// Paths to the members that identify an event, and the values read through them. The tables in kinds.cpp are
// written in these paths.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parse/json.hpp"

namespace socialsync::parse {

// Paths within an element: "read.mid" is the member mid of the member read, "mids.0" the first element of the
// array mids, "." the element itself, "@time" its entry's time. The first empty path ends the list.
using Paths = std::array<std::string_view, 6>;

Value at_path(Value element, std::string_view path);

// Returns the first value of `paths` that has text; absent, null and "" are skipped.
Value first_with_text(Value element, const Paths& paths);
std::string first_text(Value element, const Paths& paths);

// Appends the values of all `paths`, each prefixed with its length, so that different lists give different
// results. A string is appended unescaped; any other value, and a string that loses characters as text, is
// appended as its raw bytes.
void append_parts(std::string& out, Value element, const Paths& paths, Value entry_time = {});
void append_part(std::string& out, std::string_view part);
// Appends the raw bytes of an id that loses characters as text, so that two such ids stay different.
void append_lost_characters(std::string& out, Value id);

// Cuts a word from the body to the 50 characters of webhook_logs.webhook_type, a varchar(50).
std::string event_type(std::string word);

// Reads a time as Meta writes it, a string or a number, as Unix milliseconds. Values below 1e11 are seconds
// (1e11 seconds would be the year 5138). Returns nothing for any other value, for 0, and beyond the 48 bits
// that an event id has for its time.
std::optional<std::int64_t> unix_time_ms(Value value);

}  // namespace socialsync::parse
