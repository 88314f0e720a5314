// The words in which the tables of this folder say where an event keeps what identifies it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "parse/json.hpp"

namespace socialsync::parse {

// Where in an element to look: "read.mid" is the member mid of the member read, "mids.0" the first of the
// array mids, "." the element itself, "@time" its entry's time. The first empty path ends a list.
using Paths = std::array<std::string_view, 6>;

Value at_path(Value element, std::string_view path);

// The first of `paths` that has any text: absent, null and "" are alike.
Value first_with_text(Value element, const Paths& paths);
std::string first_text(Value element, const Paths& paths);

// Appends what is at all of `paths`, each with its length before it, so that no two lists read the same.
// Strings count by their characters, all else by its bytes, as do strings whose text is not all of them.
void append_parts(std::string& out, Value element, const Paths& paths, Value entry_time = {});
void append_part(std::string& out, std::string_view part);
// Appends the bytes of an id whose text is not all of it: it is not that of another with the same text.
void append_lost_characters(std::string& out, Value id);

// A foreign word cut to webhook_logs.webhook_type, a varchar(50): PostgreSQL counts characters.
std::string event_type(std::string word);

// Unix milliseconds of a time as Meta writes it: a string or a number, of seconds or (from 1e11 on, which as
// seconds would be the year 5138) of milliseconds. Nothing for all else, for 0, and beyond the 48 bits that
// an event id has for it.
std::optional<std::int64_t> unix_time_ms(Value value);

}  // namespace socialsync::parse
