// X-Hub-Signature-256: Meta's proof that the bytes come from an app whose secret we know.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "crypto/digest.hpp"

namespace socialsync::verify {

enum class SignatureError {
  missing,    // no header
  malformed,  // not "sha256=" and 64 hex digits
};

// The code in the 401 answer and in the metrics.
std::string_view to_string(SignatureError error);

// The digest a header carries. Never throws, whatever the bytes.
Result<crypto::Digest, SignatureError> parse_signature(std::string_view header);

// "sha256=…" over exactly these bytes, as Meta would send it.
std::string sign(const crypto::HmacKey& key, std::string_view body);

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
