#include "crypto/secret_box.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include <fmt/core.h>
#include <sodium.h>

#include "base/text.hpp"
#include "crypto/base64.hpp"

namespace socialsync::crypto {
namespace {

constexpr std::string_view version = "enc:v1:";
constexpr std::size_t id_digits = 8;
constexpr std::size_t header_length = version.size() + id_digits + 1;
constexpr std::string_view id_label = "socialsync secrets key id v1";
constexpr std::size_t nonce_bytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t tag_bytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(crypto_aead_xchacha20poly1305_ietf_KEYBYTES == std::tuple_size_v<SecretKey::Bytes>);

// sodium_init() may be called again and again, from any thread.
void require_sodium() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot be set up");
}

const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* octets(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

std::string id_of(const SecretKey::Bytes& key) {
  require_sodium();
  crypto_hash_sha256_state state;
  crypto_hash_sha256_init(&state);
  crypto_hash_sha256_update(&state, octets(id_label), id_label.size());
  crypto_hash_sha256_update(&state, key.data(), key.size());
  std::array<std::uint8_t, crypto_hash_sha256_BYTES> digest;
  crypto_hash_sha256_final(&state, digest.data());
  std::string id;
  append_hex(id, std::span(digest).first(id_digits / 2));
  return id;
}

Base64 base64_variant_of(std::string_view text) {
  const bool is_padded = text.ends_with('=');
  if (text.find_first_of("-_") != std::string_view::npos)
    return is_padded ? Base64::url_padded : Base64::url_unpadded;
  return is_padded ? Base64::padded : Base64::unpadded;
}

// Nonce, ciphertext and tag.
std::optional<std::string> box_of(std::string_view sealed) {
  std::optional<std::string> box = from_base64(sealed.substr(header_length), Base64::url_unpadded);
  const bool is_whole = box && box->size() >= nonce_bytes + tag_bytes;
  return is_whole ? std::move(box) : std::nullopt;
}

std::optional<std::string> opened(const SecretKey& key, std::string_view box, std::string_view place) {
  const std::string_view sealed = box.substr(nonce_bytes);
  std::string plain(sealed.size() - tag_bytes, '\0');
  const int status = crypto_aead_xchacha20poly1305_ietf_decrypt(
      octets(plain), nullptr, nullptr, octets(sealed), sealed.size(), octets(place), place.size(),
      octets(box), key.bytes().data());
  if (status != 0) return std::nullopt;
  return plain;
}

}  // namespace

SecretKey::SecretKey(const Bytes& bytes) : bytes_(bytes), id_(id_of(bytes)) {}

SecretKey::~SecretKey() { sodium_memzero(bytes_.data(), bytes_.size()); }

std::optional<SecretKey> parse_secret_key(std::string_view text) {
  SecretKey::Bytes bytes;
  bool is_right = decode_hex(text, bytes);
  if (!is_right) is_right = from_base64(text, base64_variant_of(text), bytes) == bytes.size();
  std::optional<SecretKey> key;
  if (is_right) key.emplace(bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return key;
}

std::string new_secret_key() {
  require_sodium();
  SecretKey::Bytes bytes;
  randombytes_buf(bytes.data(), bytes.size());
  std::string text;
  append_hex(text, bytes);
  sodium_memzero(bytes.data(), bytes.size());
  return text;
}

std::string_view to_string(OpenError error) {
  switch (error) {
    case OpenError::not_sealed: return "not_sealed";
    case OpenError::unknown_key: return "unknown_key";
    case OpenError::tampered: break;
  }
  return "tampered";
}

SecretKeys::SecretKeys(std::vector<SecretKey> keys) {
  if (!keys.empty()) keys_ = std::make_shared<const std::vector<SecretKey>>(std::move(keys));
}

std::vector<std::string> SecretKeys::ids() const {
  std::vector<std::string> ids;
  if (!keys_) return ids;
  for (const SecretKey& key : *keys_) ids.push_back(key.id());
  return ids;
}

std::string SecretKeys::seal(std::string_view plain, std::string_view place) const {
  if (!keys_) throw std::logic_error("no key to encrypt with");
  const SecretKey& key = keys_->front();
  std::string box(nonce_bytes + plain.size() + tag_bytes, '\0');
  randombytes_buf(box.data(), nonce_bytes);
  crypto_aead_xchacha20poly1305_ietf_encrypt(octets(box) + nonce_bytes, nullptr, octets(plain), plain.size(),
                                             octets(place), place.size(), nullptr, octets(box),
                                             key.bytes().data());
  return fmt::format("{}{}:{}", version, key.id(), to_base64(box, Base64::url_unpadded));
}

Result<std::string, OpenError> SecretKeys::open(std::string_view value, std::string_view place) const {
  if (!is_sealed(value)) return OpenError::not_sealed;
  const auto is_named = [&](const SecretKey& key) { return key.id() == key_id_of(value); };
  if (!keys_ || std::ranges::none_of(*keys_, is_named)) return OpenError::unknown_key;
  const std::optional<std::string> box = box_of(value);
  if (!box) return OpenError::tampered;
  // Ids are short, so two keys may have the same id.
  for (const SecretKey& key : *keys_) {
    if (!is_named(key)) continue;
    if (std::optional<std::string> plain = opened(key, *box, place)) return std::move(*plain);
  }
  return OpenError::tampered;
}

Result<std::string, OpenError> SecretKeys::open_list(std::string_view list, std::string_view place) const {
  constexpr std::string_view blanks = " \t\r\n";
  std::string plain;
  bool any_sealed = false;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view entry = list.substr(begin, end - begin);
    const std::size_t first = std::min(entry.find_first_not_of(blanks), entry.size());
    const std::string_view word = entry.substr(first, entry.find_last_not_of(blanks) + 1 - first);
    const auto opened = open(word, place);
    if (!opened && opened.error() != OpenError::not_sealed) return opened.error();
    any_sealed = any_sealed || opened;
    plain += opened ? std::string_view(*opened) : entry;
    if (end < list.size()) plain += ',';
    begin = end + 1;
  }
  if (!any_sealed) return OpenError::not_sealed;
  return plain;
}

bool is_wholly_sealed(std::string_view value) {
  return is_sealed(value) && value.find(',') == std::string_view::npos;
}

bool is_sealed(std::string_view value) {
  constexpr auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  return value.size() >= header_length && value.starts_with(version) && value[header_length - 1] == ':' &&
         std::ranges::all_of(key_id_of(value), is_digit);
}

std::string_view key_id_of(std::string_view sealed) { return sealed.substr(version.size(), id_digits); }

std::size_t sealed_length(std::size_t plain_bytes) {
  constexpr std::size_t bits_per_byte = 8, bits_per_character = 6;
  const std::size_t bits = (nonce_bytes + plain_bytes + tag_bytes) * bits_per_byte;
  return header_length + (bits + bits_per_character - 1) / bits_per_character;
}

std::string account_place(std::string_view account_id, std::string_view column) {
  return fmt::format("socialsync|social_accounts|{}|{}", account_id, column);
}

std::string endpoint_place(std::string_view endpoint_id, std::string_view column) {
  return fmt::format("socialsync|webhook_endpoints|{}|{}", endpoint_id, column);
}

void wipe(std::string& text) {
  sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace socialsync::crypto
