// Base64, RFC 4648 sections 4 and 5.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace socialsync::crypto {

enum class Base64 { padded, unpadded, url_padded, url_unpadded };

std::string to_base64(std::string_view bytes, Base64 variant = Base64::padded);

// Strict: returns nothing for any text that to_base64() does not write, such as one with blanks, missing
// padding or stray bits at its end.
std::optional<std::string> from_base64(std::string_view text, Base64 variant = Base64::padded);

// The same into `out`. Returns the number of bytes; nothing also when there are more than fit.
std::optional<std::size_t> from_base64(std::string_view text, Base64 variant, std::span<std::uint8_t> out);

}  // namespace socialsync::crypto
