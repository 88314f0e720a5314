#include "base/text.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>

#include <fmt/core.h>
#include <sodium.h>

namespace socialsync {
namespace {

bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

std::uint8_t byte_at(std::string_view text, std::size_t at) { return static_cast<std::uint8_t>(text[at]); }

// The bytes of the character that begins there; 0 where none does.
// https://www.unicode.org/versions/Unicode15.0.0/ table 3-7.
std::size_t character_bytes(std::string_view text, std::size_t at) {
  const std::uint8_t first = byte_at(text, at);
  if (first < 0x80) return 1;
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || at + size > text.size()) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte_at(text, at + i) & 0xc0) != 0x80) return 0;
  }
  const std::uint8_t second = byte_at(text, at + 1);
  const bool is_wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return is_wrong ? 0 : size;
}

bool is_control(std::string_view character) {
  const std::uint8_t first = byte_at(character, 0);
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && byte_at(character, 1) < 0xa0;
}

}  // namespace

std::string_view first_characters(std::string_view text, std::size_t characters_max) {
  if (text.size() <= characters_max) return text;
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (continues_a_character(text[i])) continue;
    if (characters++ == characters_max) return text.substr(0, i);
  }
  return text;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> entries;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    std::string_view entry = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    while (entry.starts_with(' ')) entry.remove_prefix(1);
    while (entry.ends_with(' ')) entry.remove_suffix(1);
    if (!entry.empty()) entries.emplace_back(entry);
  }
  return entries;
}

std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

std::string_view nearest_word(std::string_view text, std::span<const std::string_view> words) {
  const auto nearer = [text](std::string_view one, std::string_view other) {
    return edit_distance(text, one) < edit_distance(text, other);
  };
  const auto nearest = std::ranges::min_element(words, nearer);
  return nearest == words.end() ? std::string_view() : *nearest;
}

void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (static_cast<unsigned char>(c) < 0x20) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", c);
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void append_hex(std::string& out, std::span<const std::uint8_t> bytes) {
  const std::size_t before = out.size();
  out.resize(before + bytes.size() * 2 + 1);  // libsodium writes a terminating zero
  sodium_bin2hex(out.data() + before, bytes.size() * 2 + 1, bytes.data(), bytes.size());
  out.pop_back();
}

bool decode_hex(std::string_view text, std::span<std::uint8_t> out) {
  std::size_t length = 0;
  const int status =
      sodium_hex2bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length, nullptr);
  return status == 0 && length == out.size();
}

std::string printable(std::string_view text, bool keeps_lines) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t size = character_bytes(text, at);
    const std::string_view character = text.substr(at, std::max<std::size_t>(size, 1));
    const bool is_line_end = keeps_lines && character == "\n";
    if (character == "\t") {
      out += ' ';
    } else if (size > 0 && (is_line_end || !is_control(character))) {
      out += character;
    } else {
      for (const char byte : character) out += fmt::format("\\x{:02x}", static_cast<std::uint8_t>(byte));
    }
    at += character.size();
  }
  return out;
}

std::string readable_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string quoted_json(std::string_view text) {
  std::string json;
  append_json_string(json, text);
  return json;
}

}  // namespace socialsync
