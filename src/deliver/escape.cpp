#include "deliver/escape.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace socialsync::deliver {
namespace {

constexpr char last_plain = '~';

bool is_plain(char byte) { return static_cast<unsigned char>(byte) <= last_plain; }

// How many bytes at the beginning are plain. Eight at a time: nearly all of nearly all bodies is.
std::size_t plain_length(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101, high_bits = 0x8080808080808080;
  std::size_t at = 0;
  for (std::uint64_t word = 0; at + sizeof word <= text.size(); at += sizeof word) {
    std::memcpy(&word, text.data() + at, sizeof word);
    // One more, so that DEL gets its high bit as well.
    if (((word | (word + ones)) & high_bits) != 0) break;
  }
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

struct Character {
  char32_t value = 0;
  std::size_t bytes = 0;  // 0: no UTF-8
};

// How many bytes the character has that begins with this one; 0 when none does.
std::size_t bytes_announced(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2U : lead < 0xf0 ? 3U : 4U;
}

// The character that `text`, which is not empty, begins with.
Character first_character(std::string_view text) {
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t bytes = bytes_announced(lead);
  if (bytes == 1) return {lead, 1};
  if (bytes == 0 || bytes > text.size()) return {};
  char32_t value = lead & (0x7fU >> bytes);
  for (const char byte : text.substr(1, bytes - 1)) {
    const auto next = static_cast<unsigned char>(byte);
    if ((next & 0xc0U) != 0x80U) return {};
    value = value << 6U | (next & 0x3fU);
  }
  const bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
  if (value < smallest[bytes] || value > 0x10ffff || is_surrogate) return {};
  return {value, bytes};
}

void append_unit(std::string& out, std::uint32_t unit) {
  constexpr std::string_view digits = "0123456789abcdef";
  const char escape[] = {'\\',
                         'u',
                         digits[unit >> 12U & 15U],
                         digits[unit >> 8U & 15U],
                         digits[unit >> 4U & 15U],
                         digits[unit & 15U]};
  out.append(escape, sizeof escape);
}

void append_escape(std::string& out, char32_t character) {
  if (character < 0x10000) return append_unit(out, character);
  const std::uint32_t rest = character - 0x10000;
  append_unit(out, 0xd800 + (rest >> 10U));
  append_unit(out, 0xdc00 + (rest & 0x3ffU));
}

}  // namespace

std::size_t escaped_length(std::string_view json) {
  // At most, 2 bytes become 6.
  const auto others = std::ranges::count_if(json, [](char byte) { return !is_plain(byte); });
  return json.size() + 2 * static_cast<std::size_t>(others);
}

void append_escaped(std::string& out, std::string_view json) {
  while (true) {
    const std::size_t plain = plain_length(json);
    out.append(json.substr(0, plain));
    json.remove_prefix(plain);
    if (json.empty()) return;
    const Character character = first_character(json);
    if (character.bytes == 0)
      out += json.front();
    else
      append_escape(out, character.value);
    json.remove_prefix(std::max<std::size_t>(character.bytes, 1));
  }
}

}  // namespace socialsync::deliver
