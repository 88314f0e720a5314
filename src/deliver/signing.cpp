#include "deliver/signing.hpp"

#include <fmt/core.h>

#include "base/text.hpp"
#include "crypto/base64.hpp"

namespace socialsync::deliver {
namespace {

constexpr std::string_view secret_prefix = "whsec_";

template <class Bytes>
std::string_view text_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string hub_signature(const crypto::HmacKey& key, std::string_view body) {
  std::string value = "sha256=";
  append_hex(value, key.sign(body));
  return value;
}

}  // namespace

std::string_view to_string(SigningError error) {
  switch (error) {
    case SigningError::no_prefix: return "a signing secret begins with whsec_";
    case SigningError::not_base64: return "a signing secret is whsec_ followed by padded base64";
    case SigningError::wrong_length: break;
  }
  return "the key of a signing secret has 24 to 64 bytes, before base64";
}

Result<std::string, SigningError> signing_key_of(std::string_view secret) {
  if (!secret.starts_with(secret_prefix)) return SigningError::no_prefix;
  auto key = crypto::from_base64(secret.substr(secret_prefix.size()));
  if (!key) return SigningError::not_base64;
  if (key->size() < signing_key_bytes_min || key->size() > signing_key_bytes_max)
    return SigningError::wrong_length;
  return std::move(*key);
}

std::string message_id(const Uuid& event_id) { return "msg_" + to_string(event_id); }

std::string webhook_signature(const std::vector<crypto::HmacKey>& keys, std::string_view id,
                              std::int64_t now_seconds, std::string_view body) {
  const std::string signed_text = fmt::format("{}.{}.{}", id, now_seconds, body);
  std::string value;
  for (const crypto::HmacKey& key : keys) {
    if (!value.empty()) value += ' ';
    value += "v1," + crypto::to_base64(text_of(key.sign(signed_text)));
  }
  return value;
}

Result<Signer, SigningError> Signer::of(const model::Endpoint& endpoint) {
  Signer signer;
  for (const std::string& secret : endpoint.signing_secrets) {
    const auto key = signing_key_of(secret);
    if (!key) return key.error();
    signer.signing_keys_.emplace_back(*key);
  }
  if (endpoint.format == model::DeliveryFormat::meta && !endpoint.app_secret.empty())
    signer.app_key_.emplace(endpoint.app_secret);
  return signer;
}

Signer::Headers Signer::headers(const Uuid& event_id, std::int64_t now_seconds, std::string_view body) const {
  const std::string id = message_id(event_id);
  Headers headers{{"webhook-id", id}, {"webhook-timestamp", std::to_string(now_seconds)}};
  if (!signing_keys_.empty())
    headers.emplace_back("webhook-signature", webhook_signature(signing_keys_, id, now_seconds, body));
  if (app_key_) headers.emplace_back("X-Hub-Signature-256", hub_signature(*app_key_, body));
  return headers;
}

}  // namespace socialsync::deliver
