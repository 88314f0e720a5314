// X-Hub-Signature-256: Meta's proof that the bytes come from an app whose secret we know.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#validate-payloads
#pragma once

#include <string>
#include <string_view>

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

}  // namespace socialsync::verify
