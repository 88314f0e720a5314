#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::endpoints {
namespace {

namespace asio = boost::asio;

struct Options {
  std::string name;
  bool yes = false;
  bool wants_json = false;
};

asio::awaitable<int> remove(const Options& options, pg::Connection& connection) {
  const store::EndpointRecord endpoint = co_await the_endpoint(connection, options.name);
  const std::uint64_t deliveries = endpoint.pending + endpoint.given_up;
  const std::string question =
      fmt::format("Remove {}, and {} deliveries with it?", described(endpoint), readable_count(deliveries));
  if (!confirmed(question, options.yes)) {
    if (options.wants_json) print_json({{"removed", nullptr}, {"deliveries", 0}});
    co_return ExitCode::done;
  }
  const bool is_gone = co_await store::remove_endpoint(connection, endpoint.id);
  if (!is_gone) throw Failure(Exit::data_blocks, "the endpoint has gone meanwhile");
  if (options.wants_json)
    print_json({{"removed", json_of(endpoint)}, {"deliveries", deliveries}});
  else
    fmt::print("removed {}\n  {} deliveries went with it\n", described(endpoint), readable_count(deliveries));
  co_return ExitCode::done;
}

}  // namespace

void add_remove(Command endpoints) {
  Command command = endpoints.add_subcommand("remove", "Remove an endpoint and what waits for it");
  const auto options = std::make_shared<Options>();
  add_endpoint_name(command, options->name);
  command.add_flag("--yes", options->yes, "Do not ask");
  add_output(command, options->wants_json);
  command.footer(
      std::string("Of place 0 the account's webhook_url is cleared. The events stay in webhook_logs.\n"
                  "Example:  socialsync endpoints remove 0b8c2f4e --yes") +
      exit_codes);
  command.runs([options] {
    return on_database(options->wants_json, [options](const config::Config&, pg::Connection& connection) {
      return remove(*options, connection);
    });
  });
}

}  // namespace socialsync::cli::endpoints
