// The headers that prove to a receiver who sent a delivery.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "base/uuid.hpp"
#include "crypto/digest.hpp"
#include "model/endpoint.hpp"

namespace socialsync::deliver {

// How long a key is, as the specification has it.
inline constexpr std::size_t signing_key_bytes_min = 24;
inline constexpr std::size_t signing_key_bytes_max = 64;

enum class SigningError {
  no_prefix,     // it does not begin with whsec_
  not_base64,    // what follows is not padded base64
  wrong_length,  // the key has fewer bytes than allowed, or more
};
// For the operator: what is wrong with the secret, nothing of the secret itself.
std::string_view to_string(SigningError error);

// The key that a signing secret, "whsec_" and base64, stands for.
Result<std::string, SigningError> signing_key_of(std::string_view secret);

// A fresh signing secret of 32 random bytes.
std::string make_signing_secret(const std::array<std::uint8_t, 32>& random_bytes);

// Signs one endpoint's deliveries; its keys are expanded once. One thread.
class Signer {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // An error when one of the endpoint's signing secrets is none.
  static Result<Signer, SigningError> of(const model::Endpoint& endpoint);

  // webhook-id and webhook-timestamp; webhook-signature with one signature for each signing secret, unless
  // there is none; in the meta format, unless the endpoint has no app secret, X-Hub-Signature-256. All of
  // them over exactly `body`. `now_seconds`: Unix time of this attempt.
  Headers headers(const Uuid& event_id, std::int64_t now_seconds, std::string_view body) const;

 private:
  Signer() = default;

  std::vector<crypto::HmacKey> signing_keys_;
  std::optional<crypto::HmacKey> app_key_;
};

// The value of webhook-id: the same for each attempt and each endpoint, the receiver's idempotency key.
std::string message_id(const Uuid& event_id);

// The value of webhook-signature under these keys; `id` is that of webhook-id.
std::string webhook_signature(const std::vector<crypto::HmacKey>& keys, std::string_view id,
                              std::int64_t now_seconds, std::string_view body);

}  // namespace socialsync::deliver
