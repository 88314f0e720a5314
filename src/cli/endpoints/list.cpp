#include <fmt/core.h>

#include "cli/endpoints/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"

namespace socialsync::cli::endpoints {
namespace {

namespace asio = boost::asio;

struct Options {
  std::string account;
  store::EndpointFilter filter;
  bool wants_json = false;
};

std::string account_of(const store::EndpointRecord& endpoint) {
  if (endpoint.account_id.empty()) return "(operator)";
  return printable(fmt::format("{} {}", endpoint.account_name, endpoint.account_key));
}

void print_text(const std::vector<store::EndpointRecord>& found) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "ACCOUNT", "PLACE", "URL", "FORMAT", "STATE", "PENDING", "GIVEN UP"}};
  for (const store::EndpointRecord& endpoint : found)
    rows.push_back({short_id(endpoint.id), account_of(endpoint), std::to_string(endpoint.place),
                    shown_url(endpoint.url), endpoint.format, state_of(endpoint),
                    readable_count(endpoint.pending), readable_count(endpoint.given_up)});
  fmt::print("{}", found.empty() ? "no endpoints\n" : aligned(rows));
}

asio::awaitable<int> list(const Options& options, pg::Connection& connection) {
  store::EndpointFilter filter = options.filter;
  if (!options.account.empty()) filter.account = co_await the_account_id(connection, options.account);
  const std::vector<store::EndpointRecord> found = co_await store::find_endpoints(connection, filter);
  if (!options.wants_json) {
    print_text(found);
    co_return ExitCode::done;
  }
  boost::json::array all;
  for (const store::EndpointRecord& endpoint : found) all.push_back(json_of(endpoint));
  print_json({{"endpoints", std::move(all)}});
  co_return ExitCode::done;
}

}  // namespace

void add_list(Command endpoints) {
  Command command = endpoints.add_subcommand("list", "The endpoints, and how it goes with them");
  const auto options = std::make_shared<Options>();
  command.add_option("--account", options->account, "Only of this one: its id, phone number id or page id")
      .type_name("ACCOUNT");
  command.add_flag("--failing", options->filter.is_failing, "Only those whose deliveries fail");
  command.add_flag("--disabled", options->filter.is_disabled, "Only those switched off");
  add_output(command, options->wants_json);
  command.footer(std::string("Example:  socialsync endpoints list --failing") + exit_codes);
  command.runs([options] {
    return on_database(options->wants_json, [options](const config::Config&, pg::Connection& connection) {
      return list(*options, connection);
    });
  });
}

}  // namespace socialsync::cli::endpoints
