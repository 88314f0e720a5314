// Meta's handshake with a callback URL, from Meta's side: what it does before it takes one.
// https://developers.facebook.com/docs/graph-api/webhooks/getting-started#verification-requests
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deliver/exchange.hpp"

namespace socialsync::deliver {

// What the receiver has to send back: ten digits that fit 31 bits, since receivers read Meta's as a number.
std::string make_challenge(std::uint64_t random);

// The GET with hub.mode, hub.challenge and hub.verify_token behind what the URL asks already.
Request handshake_request(std::string_view url, std::string_view verify_token, std::string_view challenge,
                          std::vector<std::pair<std::string, std::string>> headers);

// Whether the receiver answered 200 with exactly the challenge.
bool has_passed(const Reply& reply, std::string_view challenge);

// Everything but letters, digits and -._~ as %XX.
std::string percent_encoded(std::string_view text);

}  // namespace socialsync::deliver
