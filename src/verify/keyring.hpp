#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/digest.hpp"

namespace socialsync::verify {

// Tells secrets apart without revealing them: the first 8 bytes of their SHA-256, as 16 hex digits.
std::string fingerprint_of(std::string_view secret);

// The app secrets, by their place in the tenant directory, ready to check signatures with. A key is expanded
// when it is first needed. One thread.
class Keyring {
 public:
  // `secrets` outlives the keyring.
  explicit Keyring(const std::vector<std::string>& secrets) : secrets_(secrets), keys_(secrets.size()) {}

  // Whether this digest is that secret's for these bytes; the comparison takes constant time.
  bool signed_by(std::uint32_t secret, const crypto::Digest& digest, std::string_view bytes) const;

  // fingerprint_of() that secret.
  const std::string& fingerprint(std::uint32_t secret) const;

  std::size_t size() const { return secrets_.size(); }

 private:
  struct Key {
    crypto::HmacKey hmac;
    std::string fingerprint;
  };
  const Key& key(std::uint32_t secret) const;

  const std::vector<std::string>& secrets_;
  mutable std::vector<std::optional<Key>> keys_;
};

}  // namespace socialsync::verify
