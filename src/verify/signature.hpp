// X-Hub-Signature-256: proves that the sender knows an app secret of ours.
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

// Returns the code in the 401 answer and in the metrics.
std::string_view to_string(SignatureError error);

// Reads the digest from the header's value. Never throws.
Result<crypto::Digest, SignatureError> parse_signature(std::string_view header);

// Returns the header's value for these bytes, "sha256=…", as Meta would send it.
std::string sign(const crypto::HmacKey& key, std::string_view body);

// Returns the first 8 bytes of a secret's SHA-256 as 16 hex digits: names the secret without revealing it.
std::string fingerprint_of(std::string_view secret);

// The app secrets as HMAC keys, by their index in the tenant directory. A key is expanded on first use. One
// thread.
class Keyring {
 public:
  // `secrets` outlives the keyring.
  explicit Keyring(const std::vector<std::string>& secrets) : secrets_(secrets), keys_(secrets.size()) {}

  // True when `digest` is the HMAC of these bytes under that secret. Compares in constant time.
  bool signed_by(std::uint32_t secret, const crypto::Digest& digest, std::string_view bytes) const;

  // Returns fingerprint_of() that secret.
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
