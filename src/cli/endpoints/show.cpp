#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <fmt/ranges.h>

#include "cli/endpoints/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/printable.hpp"
#include "cli/terminal.hpp"

namespace socialsync::cli::endpoints {
namespace {

namespace asio = boost::asio;

struct Options {
  std::string name;
  bool wants_json = false;
};

void print_text(const store::EndpointRecord& endpoint) {
  const std::string& until = endpoint.previous_signing_secret_until;
  const std::pair<const char*, std::string> lines[] = {
      {"id", to_string(endpoint.id)},
      {"account", endpoint.account_id.empty() ? "none: the operator's own" : endpoint.account_id},
      {"business", fmt::format("{} {}", endpoint.account_name, endpoint.account_key)},
      {"place", std::to_string(endpoint.place)},
      {"url", endpoint.url},
      {"description", endpoint.description},
      {"state", state_of(endpoint)},
      {"format", endpoint.format},
      {"events", endpoint.webhook_events.value_or("all of the account's")},
      {"headers", fmt::format("{}", fmt::join(endpoint.header_names, ", "))},
      {"app_secret", "set"},
      {"signing_secret", until.empty() ? "set" : "set; the previous one signs as well until " + until},
      {"concurrent_max", std::to_string(endpoint.concurrent_max)},
      {"per_second_max", endpoint.per_second_max ? std::to_string(*endpoint.per_second_max) : "no limit"},
      {"pending", readable_count(endpoint.pending)},
      {"given up", readable_count(endpoint.given_up)},
      {"created_at", endpoint.created_at}};
  for (const auto& [name, value] : lines)
    fmt::print("{:<15} {}\n", name,
               value.find_first_not_of(' ') == std::string::npos ? "-" : printable(value));
}

asio::awaitable<int> show(const Options& options, pg::Connection& connection) {
  const store::EndpointRecord endpoint = co_await the_endpoint(connection, options.name);
  if (options.wants_json)
    print_json({{"endpoint", json_of(endpoint)}});
  else
    print_text(endpoint);
  co_return ExitCode::done;
}

}  // namespace

void add_show(CLI::App& endpoints, Action& chosen) {
  CLI::App* command = endpoints.add_subcommand("show", "All that is known of an endpoint, save its secrets");
  const auto options = std::make_shared<Options>();
  add_endpoint_name(*command, options->name);
  add_output(*command, options->wants_json);
  command->footer(std::string("Example:  socialsync endpoints show 0b8c2f4e") + exit_codes);
  command->callback([&chosen, options] {
    chosen = [options] {
      return on_database(options->wants_json, [options](const config::Config&, pg::Connection& connection) {
        return show(*options, connection);
      });
    };
  });
}

}  // namespace socialsync::cli::endpoints
