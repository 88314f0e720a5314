#include "verify/signature.hpp"

#include "base/hex.hpp"

namespace socialsync::verify {
namespace {

constexpr std::string_view prefix = "sha256=";

}  // namespace

std::string_view to_string(SignatureError error) {
  switch (error) {
    case SignatureError::missing: return "signature_missing";
    case SignatureError::malformed: return "signature_malformed";
  }
  return "signature_unknown";
}

Result<crypto::Digest, SignatureError> parse_signature(std::string_view header) {
  if (header.empty()) return SignatureError::missing;
  if (!header.starts_with(prefix)) return SignatureError::malformed;
  crypto::Digest digest;
  if (!decode_hex(header.substr(prefix.size()), digest)) return SignatureError::malformed;
  return digest;
}

std::string sign(const crypto::HmacKey& key, std::string_view body) {
  std::string header(prefix);
  append_hex(header, key.sign(body));
  return header;
}

}  // namespace socialsync::verify
