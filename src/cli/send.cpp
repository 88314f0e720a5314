#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include <fmt/core.h>

#include "app/private_cluster.hpp"
#include "base/clock.hpp"
#include "cli/app/runner.hpp"
#include "cli/commands.hpp"
#include "cli/database.hpp"
#include "cli/exit_code.hpp"
#include "cli/http_client.hpp"
#include "cli/test_webhook.hpp"
#include "store/first_tenant.hpp"
#include "verify/signature.hpp"

namespace socialsync::cli {
namespace {

namespace asio = boost::asio;

struct Options {
  model::Platform platform = model::Platform::whatsapp;
  std::string to;
  std::string text = "Hello from socialsync send";
  std::string secret;
  std::string url;
  std::uint64_t count = 1;
  std::uint64_t batch = 1;
};

const config::PlatformDefaults& defaults_of(const config::Config& config, model::Platform platform) {
  switch (platform) {
    case model::Platform::instagram: return config.instagram;
    case model::Platform::messenger: return config.messenger;
    case model::Platform::whatsapp: break;
  }
  return config.whatsapp;
}

// What the command line leaves open is asked of the database: ours, when none is named.
void complete_from_database(Options& options, config::Config& config) {
  if (!config.database.given()) config.database.options = app::PrivateCluster::options(config.data_dir);
  with_database(config, [&](pg::Connection& connection) -> asio::awaitable<bool> {
    std::optional<std::string> number;
    const bool any = options.to.empty() && options.platform == model::Platform::whatsapp;
    if (any) number = co_await store::any_phone_number_id(connection);
    if (number) options.to = *number;
    std::optional<std::string> secret;
    if (options.secret.empty())
      secret = co_await store::find_app_secret(connection, options.to, config.secrets.keys);
    if (secret) options.secret = *secret;
    co_return true;
  });
}

void complete(Options& options, config::Config& config) {
  const config::PlatformDefaults& defaults = defaults_of(config, options.platform);
  if (options.to.empty()) options.to = defaults.account_key;
  if (options.to.empty() || options.secret.empty()) {
    try {
      complete_from_database(options, config);
    } catch (const store::SealedAppSecret&) {
      throw;
    } catch (const std::exception& error) {
      fmt::print(stderr, "socialsync: no help from the database: {}\n", error.what());
    }
  }
  if (options.secret.empty() && !defaults.app_secrets.empty()) options.secret = defaults.app_secrets.front();
  if (!options.url.empty()) return;
  const bool v6 = config.listen_host.find(':') != std::string::npos;
  options.url =
      fmt::format("http://{}{}{}:{}", v6 ? "[" : "", config.listen_host, v6 ? "]" : "", config.listen_port);
}

std::string new_run_name() {
  std::random_device entropy;
  return fmt::format("{:08x}{:08x}", entropy(), entropy());
}

// Sends all; counts the answers by status.
std::map<long, std::uint64_t> send_all(const Options& options) {
  const crypto::HmacKey key(options.secret);
  const std::string run = new_run_name();
  HttpClient client(fmt::format("{}/api/{}/webhook", options.url, to_string(options.platform)));
  std::map<long, std::uint64_t> answers;
  for (std::uint64_t request = 0; request < options.count; ++request) {
    const std::string body = test_webhook({.platform = options.platform,
                                           .to = options.to,
                                           .text = options.text,
                                           .run = run,
                                           .first = request * options.batch,
                                           .count = options.batch,
                                           .time_ms = now_ms()});
    ++answers[client.post(body, verify::sign(key, body))];
  }
  return answers;
}

int report(const Options& options, const std::map<long, std::uint64_t>& answers) {
  for (const auto& [status, count] : answers)
    fmt::print("{} × {} ({} event{} each) to {}\n", count, status, options.batch,
               options.batch == 1 ? "" : "s", options.to);
  const bool all_accepted = answers.size() == 1 && answers.begin()->first == 200;
  return all_accepted ? ExitCode::done : ExitCode::not_accepted;
}

int send(Options options) {
  config::Config config = settings();
  try {
    complete(options, config);
  } catch (const store::SealedAppSecret& error) {
    fmt::print(stderr, "socialsync: {}\n", error.what());
    return ExitCode::usage_error;
  }
  if (options.to.empty() || options.secret.empty()) {
    fmt::print(stderr, "socialsync: {} is not known: give --{}\n",
               options.to.empty() ? "the receiver" : "the secret",
               options.to.empty() ? "to" : "secret, or META_APP_SECRET");
    return ExitCode::usage_error;
  }
  return report(options, send_all(options));
}

}  // namespace

void add_send(Command app) {
  Command command = app.add_subcommand("send", "Send signed test webhooks, shaped like Meta's");
  const auto options = std::make_shared<Options>();
  const std::map<std::string, model::Platform> platforms{{"whatsapp", model::Platform::whatsapp},
                                                         {"instagram", model::Platform::instagram},
                                                         {"messenger", model::Platform::messenger}};
  command.add_choice("platform", options->platform, platforms, "whatsapp, instagram or messenger").required();
  command.add_option("--to", options->to, "Phone number id, Instagram account id or Page id");
  command.add_option("--text", options->text, "Text of the messages");
  command.add_option("--secret", options->secret, "App secret to sign with; better left to the environment");
  command.add_option("--url", options->url, "Where the gateway is; default: SOCIALSYNC_LISTEN");
  command.add_option("--count", options->count, "Requests").between(1, 1'000'000);
  command.add_option("--batch", options->batch, "Events in each request").between(1, 1000);
  command.footer(
      "What is not given is taken from the environment or the database.\n"
      "Examples:\n"
      "  socialsync send whatsapp\n"
      "  socialsync send instagram --to 17841400000000000 --text 'Bonjour'\n"
      "  socialsync send whatsapp --count 100 --batch 10\n"
      "Exit codes: 0 all answered 200 · 1 internal error · 2 wrong usage · 4 one was not accepted");
  command.runs([options] { return send(*options); });
}

}  // namespace socialsync::cli
