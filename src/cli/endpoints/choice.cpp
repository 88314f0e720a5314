#include "cli/endpoints/choice.hpp"

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/endpoints/commands.hpp"

namespace socialsync::cli::endpoints {

void add_choice(Command command, Choice& choice) {
  command.add_option("ENDPOINT", choice.endpoint, "Its id, or the first 8 digits of it").check(name_fault);
  command
      .add_option("--account", choice.account,
                  "All of this account instead: its id, phone number id or page id")
      .type_name("ACCOUNT");
}

boost::asio::awaitable<std::vector<store::EndpointRecord>> the_endpoints(pg::Connection& connection,
                                                                         const Choice& choice) {
  if (choice.endpoint.empty() == choice.account.empty())
    throw Failure(Exit::wrong_usage, "say which: ENDPOINT, or --account");
  std::vector<store::EndpointRecord> found;
  if (choice.account.empty()) {
    store::EndpointRecord endpoint = co_await the_endpoint(connection, choice.endpoint);
    found.push_back(std::move(endpoint));
    co_return found;
  }
  store::EndpointFilter filter;
  filter.account = co_await the_account_id(connection, choice.account);
  found = co_await store::find_endpoints(connection, filter);
  if (found.empty())
    throw Failure(Exit::data_blocks,
                  fmt::format("account {} has no endpoint: its events stay in webhook_logs, until socialsync "
                              "endpoints add --account {} --url … gives it one",
                              choice.account, choice.account));
  co_return found;
}

}  // namespace socialsync::cli::endpoints
