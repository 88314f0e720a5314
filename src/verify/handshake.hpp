// Meta's GET handshake, sent when a callback URL or its verify token is set.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace socialsync::verify {

// Meta's challenges are short; a longer one is an attempt to reflect text through this server.
inline constexpr std::size_t challenge_bytes_max = 4096;

struct HandshakeQuery {
  std::optional<std::string> mode;       // hub.mode
  std::optional<std::string> token;      // hub.verify_token
  std::optional<std::string> challenge;  // hub.challenge
};

enum class HandshakeError {
  missing_parameter,  // 400: one of the three is absent, the token is empty, or the challenge is over the
                      // limit
  wrong_mode,         // 400: hub.mode is not "subscribe"
  wrong_token,        // 403
};

// Returns the challenge, to be sent back byte for byte, when the token is one of `tokens`. Compares all
// tokens, each in constant time.
Result<std::string, HandshakeError> answer_handshake(const HandshakeQuery& query,
                                                     std::span<const std::string_view> tokens);

}  // namespace socialsync::verify
