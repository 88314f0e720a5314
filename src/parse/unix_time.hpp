#pragma once

#include <cstdint>
#include <optional>

#include "parse/json.hpp"

namespace socialsync::parse {

// Unix milliseconds of a time as Meta writes it: a string or a number, of seconds or (from 1e11 on, which as
// seconds would be the year 5138) of milliseconds. Nothing for all else, for 0, and beyond the 48 bits that
// an event id has for it.
std::optional<std::int64_t> unix_time_ms(Value value);

}  // namespace socialsync::parse
