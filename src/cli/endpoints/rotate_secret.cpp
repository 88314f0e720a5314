#include <charconv>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/endpoints/sealing.hpp"
#include "cli/endpoints/secrets.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"

namespace socialsync::cli::endpoints {

void print_new(const NewSecrets& secrets) {
  if (!secrets.signing_secret.empty())
    fmt::print("  signing secret  {}\n    for webhook-signature: give it to a Standard Webhooks library\n",
               secrets.signing_secret);
  if (!secrets.app_secret.empty())
    fmt::print(
        "  app secret      {}\n    for X-Hub-Signature-256: put it where the receiver has Meta's app "
        "secret\n",
        secrets.app_secret);
  fmt::print("  They are shown this once; the receiver needs only the one that it checks.\n");
}

boost::json::object json_of(const NewSecrets& secrets) {
  boost::json::object object;
  if (!secrets.signing_secret.empty()) object["signing_secret"] = secrets.signing_secret;
  if (!secrets.app_secret.empty()) object["app_secret"] = secrets.app_secret;
  return object;
}

namespace {

namespace asio = boost::asio;

constexpr std::uint64_t day_s = 86'400;

struct Options {
  std::string name;
  store::Rotation rotation{.grace_s = day_s};
  bool is_app_secret = false;
  bool wants_json = false;
};

// "24h", "90m", "7d", "30s", "0".
std::optional<std::uint64_t> seconds_of(const std::string& text) {
  std::uint64_t count = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, count);
  const std::string_view unit(rest, static_cast<std::size_t>(end - rest));
  if (error != std::errc() || count > 7 * day_s) return std::nullopt;
  std::uint64_t unit_s = 0;
  if (unit == "s" || (unit.empty() && count == 0)) unit_s = 1;
  if (unit == "m") unit_s = 60;
  if (unit == "h") unit_s = 3'600;
  if (unit == "d") unit_s = day_s;
  if (unit_s == 0 || count * unit_s > 7 * day_s) return std::nullopt;
  return count * unit_s;
}

std::string grace_fault(const std::string& text) {
  return seconds_of(text) ? "" : "--grace must be like 24h, 90m or 7d, at most 7d; 0: none";
}

[[noreturn]] void refuse(const store::EndpointRecord& endpoint) {
  throw Failure(
      Exit::data_blocks,
      fmt::format("the secret before the present one signs until {}, and there is room for one: rotate after "
                  "that, or with --end-previous, where the receiver has the present one already",
                  endpoint.previous_signing_secret_until));
}

asio::awaitable<int> rotate(const Options& options, const crypto::SecretKeys& keys,
                            pg::Connection& connection) {
  store::EndpointRecord endpoint = co_await the_endpoint(connection, options.name);
  const Uuid id = endpoint.id;
  store::EndpointSecrets fresh = co_await new_sealed_secrets(connection, id, keys);
  bool is_changed = false;
  if (options.is_app_secret)
    is_changed = co_await store::rotate_app_secret(connection, id, std::move(fresh.app_secret));
  else
    is_changed = co_await store::rotate_signing_secret(connection, id, options.rotation,
                                                       std::move(fresh.signing_secret));
  endpoint = co_await the_endpoint(connection, to_string(id));
  if (!is_changed) refuse(endpoint);
  const store::EndpointSecrets secrets = co_await store::read_endpoint_secrets(connection, id, keys);
  const NewSecrets shown{.signing_secret = options.is_app_secret ? "" : secrets.signing_secret,
                         .app_secret = options.is_app_secret ? secrets.app_secret : ""};
  if (options.wants_json) {
    print_json({{"rotated", json_of(endpoint)}, {"secrets", json_of(shown)}});
    co_return ExitCode::done;
  }
  fmt::print("rotated {}\n", described(endpoint));
  if (!options.is_app_secret && options.rotation.grace_s > 0)
    fmt::print("  the old one signs as well until {}\n", endpoint.previous_signing_secret_until);
  else
    fmt::print("  the old one is no good from now on\n");
  print_new(shown);
  co_return ExitCode::done;
}

}  // namespace

void add_rotate_secret(Command endpoints) {
  Command command = endpoints.add_subcommand("rotate-secret", "A new secret for its signatures");
  const auto options = std::make_shared<Options>();
  add_endpoint_name(command, options->name);
  Option grace = command
                     .add_option_function(
                         "--grace",
                         [options](const std::string& text) {
                           options->rotation.grace_s = seconds_of(text).value_or(0);
                         },
                         "How long the old one signs as well (default 24h, at most 7d)")
                     .check(grace_fault)
                     .type_name("TIME");
  Option end_previous =
      command.add_flag("--end-previous", options->rotation.ends_previous,
                       "Also while the secret before the present one still signs, which ends then");
  command
      .add_flag("--app-secret", options->is_app_secret,
                "That of X-Hub-Signature-256 instead, at once: the header has room for one signature")
      .excludes(grace)
      .excludes(end_previous);
  add_output(command, options->wants_json);
  command.footer(
      std::string("Two secrets sign at most: while an old one does, another rotation is refused, with exit "
                  "code 9.\n"
                  "Example:  socialsync endpoints rotate-secret 0b8c2f4e --grace 48h") +
      exit_codes);
  command.runs([options] {
    return on_database(options->wants_json,
                       [options](const config::Config& config, pg::Connection& connection) {
                         return rotate(*options, config.secrets.keys, connection);
                       });
  });
}

}  // namespace socialsync::cli::endpoints
