#include "base/hex.hpp"

#include <sodium.h>

namespace socialsync {

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

}  // namespace socialsync
