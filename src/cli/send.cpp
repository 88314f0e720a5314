#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include <fmt/core.h>

#include "base/clock.hpp"
#include "base/failure.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/http_client.hpp"
#include "cli/test_webhook.hpp"
#include "cli/text/json.hpp"
#include "store/first_tenant.hpp"
#include "verify/signature.hpp"

namespace socialsync::cli {
namespace sending {
namespace {

namespace asio = boost::asio;

struct SendOptions {
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

void complete_from_database(SendOptions& options, const config::Config& config) {
  ask_database(config, [&](pg::Connection& connection) -> asio::awaitable<void> {
    const bool takes_any = options.to.empty() && options.platform == model::Platform::whatsapp;
    std::optional<std::string> number;
    if (takes_any) number = co_await store::any_phone_number_id(connection);
    if (number) options.to = *number;
    std::optional<std::string> secret;
    if (options.secret.empty())
      secret = co_await store::find_app_secret(connection, options.to, config.secrets.keys);
    if (secret) options.secret = *secret;
  });
}

// Fills in the receiver, the secret and the URL from the settings and the database.
void complete(SendOptions& options, const config::Config& config) {
  const config::PlatformDefaults& defaults = defaults_of(config, options.platform);
  if (options.to.empty()) options.to = defaults.account_key;
  if (options.to.empty() || options.secret.empty()) {
    try {
      complete_from_database(options, config);
    } catch (const store::SealedAppSecret&) {
      throw;
    } catch (const std::exception& error) {
      fmt::print(stderr, "socialsync: receiver and secret not read from the database: {}\n", error.what());
    }
  }
  if (options.secret.empty() && !defaults.app_secrets.empty()) options.secret = defaults.app_secrets.front();
  if (options.to.empty()) throw Failure(Exit::wrong_usage, "the receiver is not known: give --to");
  if (options.secret.empty())
    throw Failure(Exit::wrong_usage, "the secret is not known: give --secret, or META_APP_SECRET");
  if (!options.url.empty()) return;
  const bool is_v6 = config.listen_host.find(':') != std::string::npos;
  options.url = fmt::format("http://{}{}{}:{}", is_v6 ? "[" : "", config.listen_host, is_v6 ? "]" : "",
                            config.listen_port);
}

using Answers = std::map<long, std::uint64_t>;  // requests by HTTP status

Answers send_all(const SendOptions& options) {
  std::random_device entropy;
  const crypto::HmacKey key(options.secret);
  const std::string run = fmt::format("{:08x}{:08x}", entropy(), entropy());
  HttpClient client(fmt::format("{}/api/{}/webhook", options.url, to_string(options.platform)));
  Answers answers;
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

void print_answers(const SendOptions& options, const Answers& answers) {
  for (const auto& [status, count] : answers)
    fmt::print("{} × {} ({} event{} each) to {}\n", count, status, options.batch,
               options.batch == 1 ? "" : "s", options.to);
}

void print_document(const SendOptions& options, const Answers& answers) {
  const auto answer_of = [](const auto& answer) {
    return boost::json::object{{"status", answer.first}, {"requests", answer.second}};
  };
  print_json(
      {{"to", options.to}, {"events_per_request", options.batch}, {"answers", array_of(answers, answer_of)}});
}

Exit send(const SendOptions& given, const Common& common) {
  SendOptions options = given;
  complete(options, settings_of(common));
  const Answers answers = send_all(options);
  common.wants_json() ? print_document(options, answers) : print_answers(options, answers);
  const bool all_accepted = answers.size() == 1 && answers.begin()->first == 200;
  return all_accepted ? Exit::done : Exit::not_accepted;
}

}  // namespace
}  // namespace sending

void add_send(Command app) {
  Command command = app.add_subcommand("send", "Send signed test webhooks in the shape of Meta's");
  command.help(
      {.notes = "The receiver, the secret and the URL default to those of the environment or the database.",
       .examples = {"socialsync send whatsapp",
                    "socialsync send instagram --to 17841400000000000 --text 'Bonjour'",
                    "socialsync send whatsapp --count 100 --batch 10"},
       .exits = {{Exit::done, "all requests were answered with 200"},
                 {Exit::not_accepted, "a request was not answered with 200"}}});
  const auto options = std::make_shared<sending::SendOptions>();
  const std::map<std::string, model::Platform> platforms{{"whatsapp", model::Platform::whatsapp},
                                                         {"instagram", model::Platform::instagram},
                                                         {"messenger", model::Platform::messenger}};
  command.add_choice("platform", options->platform, platforms, "whatsapp, instagram or messenger").required();
  command.add_option("--to", options->to, "Phone number id, Instagram account id or Page id").type_name("ID");
  command.add_option("--text", options->text, "Text of the messages").type_name("TEXT");
  command.add_option("--secret", options->secret, "App secret that signs; prefer META_APP_SECRET")
      .type_name("SECRET");
  command.add_option("--url", options->url, "URL of the gateway (default: from SOCIALSYNC_LISTEN)")
      .type_name("URL");
  command.add_option("--count", options->count, "Number of requests (default 1)").between(1, 1'000'000);
  command.add_option("--batch", options->batch, "Events in each request (default 1)").between(1, 1000);
  with_common(command, options, sending::send);
}

}  // namespace socialsync::cli
