// Encrypted secrets; the only libsodium code. Format: docs/decisions/0016-secrets-at-rest.md
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace socialsync::crypto {

// One key of 32 bytes; the destructor wipes it from memory.
class SecretKey {
 public:
  using Bytes = std::array<std::uint8_t, 32>;

  explicit SecretKey(const Bytes& bytes);
  ~SecretKey();
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;

  // Eight hex digits that identify the key and reveal nothing else.
  const std::string& id() const { return id_; }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::string id_;
};

// Parses 64 hex digits, or base64 of either alphabet, padded or not; nullopt for other text.
std::optional<SecretKey> parse_secret_key(std::string_view text);

// A fresh random key as 64 hex digits.
std::string new_secret_key();

// The reason why a value cannot be decrypted.
enum class OpenError {
  not_sealed,   // it is plaintext
  unknown_key,  // encrypted with a key that is not one of these
  tampered      // changed, cut, or encrypted for another place
};
std::string_view to_string(OpenError error);

// The keys of one installation: the first encrypts, all of them decrypt. Copies are cheap and share the keys,
// which are wiped with the last copy.
class SecretKeys {
 public:
  SecretKeys() = default;
  explicit SecretKeys(std::vector<SecretKey> keys);

  bool empty() const { return !keys_; }
  // Newest first.
  std::vector<std::string> ids() const;

  // enc:v1:<key id>:<base64 of nonce, ciphertext and tag>: XChaCha20-Poly1305. It can be
  // decrypted only for the same `place`. Precondition: not empty().
  std::string seal(std::string_view plain, std::string_view place) const;

  Result<std::string, OpenError> open(std::string_view value, std::string_view place) const;

  // Decrypts the encrypted entries of a comma-separated list; plaintext entries stay as they are. Such a list
  // arises when SQL puts a new secret in front of an encrypted one.
  Result<std::string, OpenError> open_list(std::string_view list, std::string_view place) const;

 private:
  std::shared_ptr<const std::vector<SecretKey>> keys_;
};

// True if a value has the form of an encrypted one; any other value is plaintext. A cut value counts as
// encrypted as long as it has its key id.
bool is_sealed(std::string_view value);
// True if the whole value is encrypted; false for a list that begins with an encrypted entry.
bool is_wholly_sealed(std::string_view value);
// The id of the key that an encrypted value names.
std::string_view key_id_of(std::string_view sealed);

// The number of characters of an encrypted value of `plain_bytes` bytes.
std::size_t sealed_length(std::size_t plain_bytes);

// The place of a secret of social_accounts. `account_id` is in PostgreSQL's text form of a UUID.
std::string account_place(std::string_view account_id, std::string_view column);

// The place of a secret of webhook_endpoints.
std::string endpoint_place(std::string_view endpoint_id, std::string_view column);

// Overwrites a text that held a secret, then empties it.
void wipe(std::string& text);

}  // namespace socialsync::crypto
