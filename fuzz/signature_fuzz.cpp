// The input of unverified senders: the signature's header and the handshake's query.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.hpp"
#include "http/message.hpp"
#include "verify/handshake.hpp"
#include "verify/signature.hpp"

namespace {

using namespace socialsync;

void require(bool holds) {
  if (!holds) std::abort();
}

// A header that is taken says in lower case what it was taken for.
void check_signature(std::string_view header) {
  const auto digest = verify::parse_signature(header);
  if (digest.has_error()) {
    require((digest.error() == verify::SignatureError::missing) == header.empty());
    return;
  }
  std::string written = "sha256=";
  append_hex(written, *digest);
  require(header.size() == written.size());
  for (std::size_t i = 0; i < written.size(); ++i)
    require(header[i] == written[i] || (header[i] | 0x20) == written[i]);
}

// Only the token opens, and then the challenge comes back as it is.
void check_handshake(std::string_view query) {
  constexpr std::array<std::string_view, 2> tokens{"first", "second"};
  const verify::HandshakeQuery asked{.mode = http::query_parameter(query, "hub.mode"),
                                     .token = http::query_parameter(query, "hub.verify_token"),
                                     .challenge = http::query_parameter(query, "hub.challenge")};
  for (const auto* value : {&asked.mode, &asked.token, &asked.challenge})
    require(!*value || (*value)->size() <= query.size());
  const auto answer = verify::answer_handshake(asked, tokens);
  if (answer.has_error()) return;
  require(*asked.mode == "subscribe" && (*asked.token == "first" || *asked.token == "second"));
  require(*answer == *asked.challenge && answer->size() <= verify::challenge_bytes_max);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(data, data + size);
  check_signature(bytes);
  check_handshake(bytes);
  return 0;
}
