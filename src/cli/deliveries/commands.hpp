// `socialsync deliveries …`: one file per subcommand. What they share is here.
#pragma once

#include <string>

#include <boost/asio/awaitable.hpp>

#include "cli/commands.hpp"
#include "store/delivery_admin.hpp"

namespace socialsync::cli::deliveries {

void add_list(Command deliveries);
void add_show(Command deliveries);
void add_retry(Command deliveries);
void add_cancel(Command deliveries);

// What --help says of the exit codes, with a line end before it.
extern const char* const exit_codes;

// The filter as it is said.
struct Names {
  std::string event;
  std::string endpoint;  // an id, or its first digits
  std::string account;
  store::DeliveryFilter times{};
};

// --event, --endpoint, --account, --since and --until.
void add_filter(Command command, Names& names);
// Finds what is named. Throws Failure (data_blocks) where it is not there.
boost::asio::awaitable<store::DeliveryFilter> filter_of(const Names& names, pg::Connection& connection);

// "due now", "waiting until …", "given up", "waits: its endpoint is disabled".
std::string state_of(const store::OutboxRow& row);

}  // namespace socialsync::cli::deliveries
