// Base64 as RFC 4648 section 4 has it: the alphabet with + and /, padded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace socialsync::crypto {

std::string to_base64(std::string_view bytes);

// Strict: what to_base64() writes, and nothing for any other text. No blanks, no missing padding, no stray
// bits at the end.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace socialsync::crypto
