#include "crypto/base64.hpp"

#include <algorithm>

#include <sodium.h>

namespace socialsync::crypto {
namespace {

int sodium_variant(Base64 variant) {
  switch (variant) {
    case Base64::padded: return sodium_base64_VARIANT_ORIGINAL;
    case Base64::unpadded: return sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
    case Base64::url_padded: return sodium_base64_VARIANT_URLSAFE;
    case Base64::url_unpadded: break;
  }
  return sodium_base64_VARIANT_URLSAFE_NO_PADDING;
}

}  // namespace

std::string to_base64(std::string_view bytes, Base64 variant) {
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_variant(variant)), '\0');
  const auto* const begin = reinterpret_cast<const unsigned char*>(bytes.data());
  sodium_bin2base64(text.data(), text.size(), begin, bytes.size(), sodium_variant(variant));
  text.pop_back();  // its terminating zero
  return text;
}

std::optional<std::string> from_base64(std::string_view text, Base64 variant) {
  std::string bytes(text.size(), '\0');
  const std::span out(reinterpret_cast<std::uint8_t*>(bytes.data()), bytes.size());
  const auto length = from_base64(text, variant, out);
  if (!length) return std::nullopt;
  bytes.resize(*length);
  return bytes;
}

std::optional<std::size_t> from_base64(std::string_view text, Base64 variant, std::span<std::uint8_t> out) {
  // libsodium 1.0.18 takes some bytes beyond ASCII for digits.
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x80; }))
    return std::nullopt;
  std::size_t length = 0;
  const int status = sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr, &length,
                                       nullptr, sodium_variant(variant));
  return status == 0 ? std::optional(length) : std::nullopt;
}

}  // namespace socialsync::crypto
