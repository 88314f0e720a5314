#include "base/uuid.hpp"

#include <cstring>

#include "base/text.hpp"

namespace socialsync {
namespace {

constexpr std::size_t text_length = 36;
constexpr std::size_t hyphens_at[] = {8, 13, 18, 23};

}  // namespace

std::string to_string(const Uuid& id) {
  std::string text;
  text.reserve(text_length + 1);
  append_hex(text, id.bytes);
  for (const std::size_t at : hyphens_at) text.insert(at, 1, '-');
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != text_length) return std::nullopt;
  std::string digits;
  std::size_t begin = 0;
  for (const std::size_t at : hyphens_at) {
    if (text[at] != '-') return std::nullopt;
    digits += text.substr(begin, at - begin);
    begin = at + 1;
  }
  digits += text.substr(begin);
  Uuid id;
  return decode_hex(digits, id.bytes) ? std::optional(id) : std::nullopt;
}

}  // namespace socialsync

std::size_t std::hash<socialsync::Uuid>::operator()(const socialsync::Uuid& id) const noexcept {
  // The last eight bytes of an id are random, or part of a digest.
  std::size_t value = 0;
  std::memcpy(&value, id.bytes.data() + 8, sizeof value);
  return value;
}
