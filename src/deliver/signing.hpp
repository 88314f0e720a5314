// The signature headers, by which a receiver verifies the sender of a delivery.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#pragma once

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

// The length of a key, by the specification.
inline constexpr std::size_t signing_key_bytes_min = 24;
inline constexpr std::size_t signing_key_bytes_max = 64;

enum class SigningError {
  no_prefix,     // does not begin with whsec_
  not_base64,    // the rest is not padded base64
  wrong_length,  // the key is too short or too long
};
// For the operator: the fault of the secret, without any part of the secret.
std::string_view to_string(SigningError error);

// Decodes the key from a signing secret: "whsec_" and base64.
Result<std::string, SigningError> signing_key_of(std::string_view secret);

// Signs one endpoint's deliveries; its keys are expanded once. One thread.
class Signer {
 public:
  using Headers = std::vector<std::pair<std::string, std::string>>;

  // An error when one of the endpoint's signing secrets is malformed.
  static Result<Signer, SigningError> of(const model::Endpoint& endpoint);

  // Returns webhook-id and webhook-timestamp; webhook-signature with one signature for each signing secret,
  // if there is any; in the meta format X-Hub-Signature-256, if the endpoint has an app secret. Signatures
  // are over exactly `body`. `now_seconds`: Unix time of this attempt.
  Headers headers(const Uuid& event_id, std::int64_t now_seconds, std::string_view body) const;

 private:
  Signer() = default;

  std::vector<crypto::HmacKey> signing_keys_;
  std::optional<crypto::HmacKey> app_key_;
};

// The value of webhook-id: the same for each attempt and each endpoint, the receiver's idempotency key.
std::string message_id(const Uuid& event_id);

// The value of webhook-signature under these keys; `id` is the value of webhook-id.
std::string webhook_signature(const std::vector<crypto::HmacKey>& keys, std::string_view id,
                              std::int64_t now_seconds, std::string_view body);

}  // namespace socialsync::deliver
