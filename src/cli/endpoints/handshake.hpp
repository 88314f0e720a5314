// Meta's handshake with a URL before an endpoint has it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "cli/endpoints/draft.hpp"
#include "config/config.hpp"
#include "deliver/wire/exchange.hpp"

namespace socialsync::cli::endpoints {

using Headers = std::vector<std::pair<std::string, std::string>>;

// The receiver's verify token, when the draft's URL wants a handshake: one of the meta format that does not
// go without. Reads the file. Throws Failure (wrong_usage) when the token is missing, or given in
// vain.
std::optional<std::string> verify_token_of(const Draft& draft, const std::string& format);

// The headers that `values`, as values_of() gives them, set; nothing: they leave them as they are.
std::optional<Headers> headers_in(const std::string& values);

// Asks the URL what Meta would ask it, with the headers that deliveries have, within what the settings allow.
// What the receiver did wrong and what to do about it, without its token; nothing: it has passed.
boost::asio::awaitable<std::optional<std::string>> shake_hands(const config::Config& config, std::string url,
                                                               std::string verify_token, Headers headers);

// The words for an answer that has not passed. Pure.
std::string handshake_fault(const deliver::Reply& reply, const std::string& verify_token);

}  // namespace socialsync::cli::endpoints
