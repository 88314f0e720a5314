#include "deliver/handshake.hpp"

#include <fmt/core.h>

namespace socialsync::deliver {
namespace {

constexpr std::uint64_t challenge_min = 1'000'000'000;
constexpr std::uint64_t challenge_max = 2'147'483'647;

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("-._~").find(c) != std::string_view::npos;
}

}  // namespace

std::string make_challenge(std::uint64_t random) {
  return std::to_string(challenge_min + random % (challenge_max - challenge_min + 1));
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

Request handshake_request(std::string_view url, std::string_view verify_token, std::string_view challenge,
                          std::vector<std::pair<std::string, std::string>> headers) {
  const char* separator = url.find('?') == std::string_view::npos ? "?" : "&";
  return {.url = fmt::format("{}{}hub.mode=subscribe&hub.challenge={}&hub.verify_token={}", url, separator,
                             challenge, percent_encoded(verify_token)),
          .is_get = true,
          .headers = std::move(headers)};
}

bool has_passed(const Reply& reply, std::string_view challenge) {
  return reply.error == SendError::none && reply.status == 200 && reply.body_head == challenge;
}

}  // namespace socialsync::deliver
