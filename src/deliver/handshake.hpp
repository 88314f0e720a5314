// Meta's verification request to a callback URL, as Meta sends it.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deliver/wire/exchange.hpp"

namespace socialsync::deliver {

// The challenge that the receiver must return: ten digits that fit 31 bits, since receivers read it as a
// number.
std::string make_challenge(std::uint64_t random);

// The GET with hub.mode, hub.challenge and hub.verify_token after the URL's own query.
Request handshake_request(std::string_view url, std::string_view verify_token, std::string_view challenge,
                          std::vector<std::pair<std::string, std::string>> headers);

// Returns whether the receiver answered 200 with exactly the challenge.
bool has_passed(const Reply& reply, std::string_view challenge);

// Percent-encodes all bytes but letters, digits and -._~.
std::string percent_encoded(std::string_view text);

}  // namespace socialsync::deliver
