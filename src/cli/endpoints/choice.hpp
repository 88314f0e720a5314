// Which endpoints a command is about: one, or all of an account.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "cli/app/command.hpp"
#include "store/endpoint_admin.hpp"

namespace socialsync::cli::endpoints {

struct Choice {
  std::string endpoint;  // an id, or its first digits
  std::string account;
};

// ENDPOINT, or --account.
void add_choice(Command command, Choice& choice);

// At least one, by place. Throws Failure: wrong_usage unless exactly one of the two is said,
// data_blocks when there is no such endpoint or account, or the account has no endpoint.
boost::asio::awaitable<std::vector<store::EndpointRecord>> the_endpoints(pg::Connection& connection,
                                                                         const Choice& choice);

}  // namespace socialsync::cli::endpoints
