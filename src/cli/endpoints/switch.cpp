// enable and disable.
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
  std::string because = "by the operator";
  bool wants_json = false;
};

asio::awaitable<int> switch_to(bool is_enabled, const Options& options, pg::Connection& connection) {
  store::EndpointRecord endpoint = co_await the_endpoint(connection, options.name);
  boost::json::object values{{"is_enabled", is_enabled}};
  if (!is_enabled) values["disabled_because"] = options.because;
  const bool is_changed =
      co_await store::change_endpoint(connection, endpoint.id, boost::json::serialize(values));
  if (!is_changed) throw Failure(Exit::data_blocks, "the endpoint has gone meanwhile");
  endpoint = co_await the_endpoint(connection, to_string(endpoint.id));
  if (options.wants_json) {
    print_json({{is_enabled ? "enabled" : "disabled", json_of(endpoint)}});
    co_return ExitCode::done;
  }
  fmt::print("{} {}\n  {} deliveries wait, {} were given up\n", is_enabled ? "enabled" : "disabled",
             described(endpoint), readable_count(endpoint.pending), readable_count(endpoint.given_up));
  if (is_enabled && endpoint.given_up > 0)
    fmt::print("  to try these again: socialsync deliveries retry --endpoint {}\n", short_id(endpoint.id));
  co_return ExitCode::done;
}

void add_switch(Command command, const std::shared_ptr<Options>& options, bool is_enabled) {
  add_endpoint_name(command, options->name);
  add_output(command, options->wants_json);
  command.runs([options, is_enabled] {
    return on_database(options->wants_json,
                       [options, is_enabled](const config::Config&, pg::Connection& connection) {
                         return switch_to(is_enabled, *options, connection);
                       });
  });
}

}  // namespace

void add_enable(Command endpoints) {
  Command command = endpoints.add_subcommand("enable", "Send to it again, as if it had never failed");
  command.footer(std::string("Example:  socialsync endpoints enable 0b8c2f4e") + exit_codes);
  add_switch(command, std::make_shared<Options>(), true);
}

void add_disable(Command endpoints) {
  Command command = endpoints.add_subcommand("disable", "Send nothing to it; what waits for it stays");
  const auto options = std::make_shared<Options>();
  command.add_option("--because", options->because, "Shown by list and show").type_name("TEXT");
  command.footer(
      std::string("Example:  socialsync endpoints disable 0b8c2f4e --because 'moves to another host'") +
      exit_codes);
  add_switch(command, options, false);
}

}  // namespace socialsync::cli::endpoints
