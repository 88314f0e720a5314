// The grammar of JSON strings and numbers (RFC 8259), and the parts of it that PostgreSQL's jsonb refuses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace socialsync::parse {

// One escape sequence of a string. A surrogate pair is one escape of twelve bytes.
struct Escape {
  std::size_t length = 0;  // bytes; 0 when invalid
  char32_t character = 0;  // for a lone surrogate, its own code

  bool valid() const { return length > 0; }
  // False for NUL and lone surrogates: jsonb refuses both.
  bool fit_for_jsonb() const { return character != 0 && (character < 0xD800 || character > 0xDFFF); }
};

// Reads the escape sequence at the start of `text`, which begins with a backslash.
Escape read_escape(std::string_view text);

// The number at the start of a text.
struct Number {
  std::size_t length = 0;  // bytes; 0 when invalid
  // False where PostgreSQL's numeric overflows, or where a few bytes print as very many: `1e131071` is valid
  // and prints as a hundred thousand characters.
  bool fit_for_jsonb = true;
};

Number read_number(std::string_view text);

inline constexpr std::size_t number_digits_max = 400;
inline constexpr int number_exponent_max = 400;

// Resolves the escapes of `content`, a valid string without its quotes. Characters that jsonb refuses become
// U+FFFD.
std::string unescaped(std::string_view content);

// True when jsonb takes every escape of `content`.
bool fits_text(std::string_view content);

// Returns a copy of `json`, which must be valid, that jsonb takes: \ufffd replaces NUL and lone surrogates,
// and huge numbers become strings. Returns nothing when jsonb takes `json` as it is.
std::optional<std::string> repaired(std::string_view json);

}  // namespace socialsync::parse
