#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/endpoints/draft.hpp"
#include "cli/endpoints/handshake.hpp"
#include "cli/endpoints/sealing.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "store/endpoints.hpp"

namespace socialsync::cli::endpoints {
namespace {

namespace asio = boost::asio;

struct Options {
  std::string name;
  Draft draft;
  bool wants_json = false;
};

// What is wrong with the URL that is to be set, if it is asked.
asio::awaitable<std::optional<std::string>> url_fault(const Options& options, const std::string& values,
                                                      const store::EndpointRecord& endpoint,
                                                      const config::Config& config,
                                                      pg::Connection& connection) {
  const auto token = verify_token_of(options.draft, options.draft.format.value_or(endpoint.format));
  if (!token) co_return std::nullopt;
  std::optional<Headers> headers = headers_in(values);
  if (!headers) {
    const auto stored = co_await store::select_endpoint(connection, endpoint.id, config.secrets.keys);
    if (stored) headers = stored->endpoint.headers;
  }
  Headers sent = headers.value_or(Headers());
  co_return co_await shake_hands(config, *options.draft.url, *token, std::move(sent));
}

asio::awaitable<int> set(const Options& options, const config::Config& config, pg::Connection& connection) {
  const std::string values = values_of(options.draft);
  const boost::json::value parsed = boost::json::parse(values);
  std::vector<std::string> names;
  for (const auto& member : parsed.as_object()) names.emplace_back(member.key());
  if (names.empty()) throw Failure(Exit::wrong_usage, "nothing to set: see --help");
  store::EndpointRecord endpoint = co_await the_endpoint(connection, options.name);
  if (options.draft.is_pulled && endpoint.place == 0 && !endpoint.account_id.empty())
    throw Failure(
        Exit::data_blocks,
        "place 0 is the account's webhook_url, which is sent: add --pull makes an endpoint beside it");
  const auto fault = co_await url_fault(options, values, endpoint, config, connection);
  if (fault) co_return complain(options.wants_json, ExitCode::not_answered, "handshake_failed", *fault);
  std::string sealed = sealed_values(values, endpoint.id, config.secrets.keys);
  const bool is_changed = co_await store::change_endpoint(connection, endpoint.id, std::move(sealed));
  if (!is_changed) throw Failure(Exit::data_blocks, "the endpoint has gone meanwhile");
  endpoint = co_await the_endpoint(connection, to_string(endpoint.id));
  if (options.wants_json)
    print_json({{"set", boost::json::array(names.begin(), names.end())}, {"endpoint", json_of(endpoint)}});
  else
    fmt::print("set {} of {}\n", fmt::join(names, " "), described(endpoint));
  co_return ExitCode::done;
}

}  // namespace

void add_set(Command endpoints) {
  Command command = endpoints.add_subcommand("set", "Change an endpoint; workers know it at once");
  const auto options = std::make_shared<Options>();
  add_endpoint_name(command, options->name);
  add_draft_options(command, options->draft);
  command
      .add_option("--clear", options->draft.cleared,
                  "Take this away: description, webhook_events, per_second_max, headers")
      .separated_by(',')
      .type_name("NAME");
  add_output(command, options->wants_json);
  command.footer(
      std::string(
          "Headers that are given take the place of all it had. Another URL is asked for Meta's handshake\n"
          "first, as add does, and tried anew: the endpoint of place 0 is then enabled.\n"
          "Examples:\n"
          "  socialsync endpoints set 0b8c2f4e --url https://new.example/ --verify-token-file token\n"
          "  socialsync endpoints set 0b8c2f4e --events messages,message_reads --per-second-max 50\n"
          "  socialsync endpoints set 0b8c2f4e --headers-file - <headers") +
      exit_codes);
  command.runs([options] {
    return on_database(options->wants_json,
                       [options](const config::Config& config, pg::Connection& connection) {
                         return set(*options, config, connection);
                       });
  });
}

}  // namespace socialsync::cli::endpoints
