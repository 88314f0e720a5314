#include "crypto/base64.hpp"

#include <openssl/evp.h>

namespace socialsync::crypto {
namespace {

constexpr std::size_t group_bytes = 3;
constexpr std::size_t group_characters = 4;

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::size_t padding_of(std::string_view text) {
  const std::size_t last = text.find_last_not_of('=');
  return last == std::string_view::npos ? text.size() : text.size() - last - 1;
}

}  // namespace

std::string to_base64(std::string_view bytes) {
  const std::size_t characters = (bytes.size() + group_bytes - 1) / group_bytes * group_characters;
  std::string text(characters + 1, '\0');  // OpenSSL ends it with a zero
  EVP_EncodeBlock(octets(text), octets(bytes), static_cast<int>(bytes.size()));
  text.resize(characters);
  return text;
}

std::optional<std::string> from_base64(std::string_view text) {
  const std::size_t padding = padding_of(text);
  if (text.size() % group_characters != 0 || padding >= group_bytes) return std::nullopt;
  std::string bytes(text.size() / group_characters * group_bytes, '\0');
  if (EVP_DecodeBlock(octets(bytes), octets(text), static_cast<int>(text.size())) < 0) return std::nullopt;
  bytes.resize(bytes.size() - padding);
  // OpenSSL skips blanks around it and reads any padding as zeros: the canonical text is the same again.
  if (to_base64(bytes) != text) return std::nullopt;
  return bytes;
}

}  // namespace socialsync::crypto
