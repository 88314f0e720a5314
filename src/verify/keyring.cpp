#include "verify/keyring.hpp"

#include <span>

#include "base/hex.hpp"

namespace socialsync::verify {

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
