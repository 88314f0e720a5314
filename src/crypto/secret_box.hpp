// The only libsodium code: secrets as they lie in the database. docs/decisions/0016-secrets-at-rest.md
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

// One key of 32 bytes, wiped from memory when it goes.
class SecretKey {
 public:
  using Bytes = std::array<std::uint8_t, 32>;

  explicit SecretKey(const Bytes& bytes);
  ~SecretKey();
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;

  // Eight hex digits that tell it from other keys, and nothing else of it.
  const std::string& id() const { return id_; }
  const Bytes& bytes() const { return bytes_; }

 private:
  Bytes bytes_;
  std::string id_;
};

// 64 hex digits, or base64 of either alphabet, padded or not. Nothing for any other text.
std::optional<SecretKey> parse_secret_key(std::string_view text);

// A fresh random key as 64 hex digits.
std::string new_secret_key();

// Why a value cannot be opened.
enum class OpenError {
  not_sealed,   // it is plain
  unknown_key,  // sealed under a key that is not one of these
  tampered      // changed, cut, or sealed for another place
};
std::string_view to_string(OpenError error);

// The keys of one installation: the first seals, all of them open. Cheap to copy: copies share the keys,
// which are wiped with the last.
class SecretKeys {
 public:
  SecretKeys() = default;
  explicit SecretKeys(std::vector<SecretKey> keys);

  bool empty() const { return !keys_; }
  // Newest first.
  std::vector<std::string> ids() const;

  // enc:v1:<key id>:<base64 of nonce, ciphertext and tag>: XChaCha20-Poly1305. It opens only for the same
  // `place`. There must be a key.
  std::string seal(std::string_view plain, std::string_view place) const;

  Result<std::string, OpenError> open(std::string_view value, std::string_view place) const;

  // The same of a list, separated by commas, in which sealed entries stand beside plain ones: as when a new
  // secret was put in front of a sealed one in SQL. All but the sealed entries stays as it is.
  Result<std::string, OpenError> open_list(std::string_view list, std::string_view place) const;

 private:
  std::shared_ptr<const std::vector<SecretKey>> keys_;
};

// Whether a value has the form of a sealed one; any other is plain. A cut one is sealed as long as its key id
// is there.
bool is_sealed(std::string_view value);
// Whether it is sealed as a whole: not a list with a sealed entry in front.
bool is_wholly_sealed(std::string_view value);
// The key that a sealed value names.
std::string_view key_id_of(std::string_view sealed);

// How many characters a plain value of so many bytes has when it is sealed.
std::size_t sealed_length(std::size_t plain_bytes);

// The place of a secret of social_accounts; `account_id` as PostgreSQL writes a UUID.
std::string account_place(std::string_view account_id, std::string_view column);

// The same of webhook_endpoints.
std::string endpoint_place(std::string_view endpoint_id, std::string_view column);

// Overwrites a text that held a secret, and empties it.
void wipe(std::string& text);

}  // namespace socialsync::crypto
