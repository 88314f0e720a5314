#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace socialsync {

// Appends two lower-case digits per byte. The time taken does not depend on the bytes.
void append_hex(std::string& out, std::span<const std::uint8_t> bytes);

// Fills `out` from exactly twice as many digits, of either case. Returns false, with `out` undefined,
// otherwise.
bool decode_hex(std::string_view text, std::span<std::uint8_t> out);

}  // namespace socialsync
