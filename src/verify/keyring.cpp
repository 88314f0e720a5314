#include "verify/keyring.hpp"

#include <span>

#include "base/hex.hpp"

namespace socialsync::verify {

bool Keyring::signed_by(std::uint32_t secret, const crypto::Digest& digest, std::string_view bytes) const {
  std::optional<crypto::HmacKey>& key = keys_[secret];
  if (!key) key.emplace(secrets_[secret]);
  return crypto::equal_in_constant_time(key->sign(bytes), digest);
}

std::string Keyring::fingerprint(std::uint32_t secret) const {
  constexpr std::size_t fingerprint_bytes = 8;
  crypto::Sha256 hash;
  hash.add(secrets_[secret]);
  const crypto::Digest digest = hash.finish();
  std::string text;
  append_hex(text, std::span(digest).first(fingerprint_bytes));
  return text;
}

}  // namespace socialsync::verify
