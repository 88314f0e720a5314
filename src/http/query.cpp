#include "http/query.hpp"

#include <array>
#include <cstdint>

#include "base/hex.hpp"

namespace socialsync::http {
namespace {

std::string decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::array<std::uint8_t, 1> byte{};
    if (text[i] == '%' && decode_hex(text.substr(i + 1, 2), byte)) {
      out.push_back(static_cast<char>(byte[0]));
      i += 2;
    } else {
      out.push_back(text[i] == '+' ? ' ' : text[i]);
    }
  }
  return out;
}

// Cuts `text` at the first `separator`: what stands before is returned, what stands after is left.
std::string_view take_until(std::string_view& text, char separator) {
  const std::string_view head = text.substr(0, text.find(separator));
  text.remove_prefix(head.size() < text.size() ? head.size() + 1 : head.size());
  return head;
}

}  // namespace

std::optional<std::string> query_parameter(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    std::string_view value = take_until(query, '&');
    const std::string_view raw_name = take_until(value, '=');
    if (decode(raw_name) == name) return decode(value);
  }
  return std::nullopt;
}

}  // namespace socialsync::http
