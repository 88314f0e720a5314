#include "verify/signature.hpp"

#include <span>

#include "base/text.hpp"

namespace socialsync::verify {
namespace {

constexpr std::string_view prefix = "sha256=";

}  // namespace

std::string_view to_string(SignatureError error) {
  switch (error) {
    case SignatureError::missing: return "signature_missing";
    case SignatureError::malformed: return "signature_malformed";
  }
  return "signature_unknown";
}

Result<crypto::Digest, SignatureError> parse_signature(std::string_view header) {
  if (header.empty()) return SignatureError::missing;
  if (!header.starts_with(prefix)) return SignatureError::malformed;
  crypto::Digest digest;
  if (!decode_hex(header.substr(prefix.size()), digest)) return SignatureError::malformed;
  return digest;
}

std::string sign(const crypto::HmacKey& key, std::string_view body) {
  std::string header(prefix);
  append_hex(header, key.sign(body));
  return header;
}

std::string fingerprint_of(std::string_view secret) {
  constexpr std::size_t fingerprint_bytes = 8;
  crypto::Sha256 hash;
  hash.add(secret);
  const crypto::Digest digest = hash.finish();
  std::string text;
  append_hex(text, std::span(digest).first(fingerprint_bytes));
  return text;
}

const Keyring::Key& Keyring::key(std::uint32_t secret) const {
  std::optional<Key>& known = keys_[secret];
  if (!known) known.emplace(Key{crypto::HmacKey(secrets_[secret]), fingerprint_of(secrets_[secret])});
  return *known;
}

bool Keyring::signed_by(std::uint32_t secret, const crypto::Digest& digest, std::string_view bytes) const {
  return crypto::equal_in_constant_time(key(secret).hmac.sign(bytes), digest);
}

const std::string& Keyring::fingerprint(std::uint32_t secret) const { return key(secret).fingerprint; }

}  // namespace socialsync::verify
