#include "base/uuid.hpp"

#include <cstring>

#include "base/hex.hpp"

namespace socialsync {
namespace {

constexpr bool hyphen_follows(std::size_t byte) { return byte == 3 || byte == 5 || byte == 7 || byte == 9; }

}  // namespace

std::string to_string(const Uuid& id) {
  std::string text;
  text.reserve(36);
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    append_hex(text, {&id.bytes[i], 1});
    if (hyphen_follows(i)) text.push_back('-');
  }
  return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
  if (text.size() != 36) return std::nullopt;
  Uuid id;
  std::size_t at = 0;
  for (std::size_t i = 0; i < id.bytes.size(); ++i) {
    if (!decode_hex(text.substr(at, 2), {&id.bytes[i], 1})) return std::nullopt;
    at += 2;
    if (hyphen_follows(i) && text[at++] != '-') return std::nullopt;
  }
  return id;
}

}  // namespace socialsync

std::size_t std::hash<socialsync::Uuid>::operator()(const socialsync::Uuid& id) const noexcept {
  // Ids are digests or random at this end.
  std::size_t value = 0;
  std::memcpy(&value, id.bytes.data() + 8, sizeof value);
  return value;
}
