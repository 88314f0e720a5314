#include "verify/handshake.hpp"

#include "crypto/digest.hpp"

namespace socialsync::verify {

Result<std::string, HandshakeError> answer_handshake(const HandshakeQuery& query,
                                                     std::span<const std::string_view> tokens) {
  if (!query.mode || !query.token || !query.challenge) return HandshakeError::missing_parameter;
  if (query.token->empty() || query.challenge->size() > challenge_bytes_max)
    return HandshakeError::missing_parameter;
  if (*query.mode != "subscribe") return HandshakeError::wrong_mode;
  bool known = false;
  for (const std::string_view token : tokens) {
    known = crypto::equal_in_constant_time(token, *query.token) || known;
  }
  if (!known) return HandshakeError::wrong_token;
  return *query.challenge;
}

}  // namespace socialsync::verify
