// The grammar of JSON's strings and numbers (RFC 8259), and what PostgreSQL's jsonb makes of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace socialsync::parse {

// One escape of a string. A surrogate pair is one escape of twelve bytes.
struct Escape {
  std::size_t length = 0;  // bytes; 0 when it is none
  char32_t character = 0;  // a lone surrogate stands for itself

  bool valid() const { return length > 0; }
  // False for NUL and lone surrogates: jsonb refuses both.
  bool fit_for_jsonb() const { return character != 0 && (character < 0xD800 || character > 0xDFFF); }
};

// The escape that starts with the backslash `text` starts with.
Escape read_escape(std::string_view text);

// The number that `text` starts with.
struct Number {
  std::size_t length = 0;  // bytes; 0 when there is none
  // False where PostgreSQL's numeric overflows, or where few bytes become very many when printed: `1e131071`
  // is legal, and a hundred thousand characters long.
  bool fit_for_jsonb = true;
};

Number read_number(std::string_view text);

inline constexpr std::size_t number_digits_max = 400;
inline constexpr int number_exponent_max = 400;

// `content`, a valid string without its quotes, with its escapes resolved; U+FFFD for what is unfit for
// jsonb.
std::string unescaped(std::string_view content);

// Whether all of its escapes are fit for jsonb.
bool fits_text(std::string_view content);

// A copy of `json`, which must be valid, that PostgreSQL's jsonb takes: \ufffd for NUL and lone surrogates,
// and absurd numbers as strings. Nothing when `json` is fit as it is.
std::optional<std::string> repaired(std::string_view json);

}  // namespace socialsync::parse
