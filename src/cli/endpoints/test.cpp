#include <chrono>
#include <random>

#include <boost/asio/this_coro.hpp>
#include <fmt/core.h>

#include "app/egress.hpp"
#include "base/clock.hpp"
#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/app/runner.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/test_webhook.hpp"
#include "cli/text/json.hpp"
#include "cli/text/terminal.hpp"
#include "deliver/answer.hpp"
#include "deliver/message.hpp"
#include "deliver/wire/sender.hpp"
#include "store/endpoints.hpp"

namespace socialsync::cli::endpoints {
namespace {

namespace asio = boost::asio;

constexpr std::size_t shown_characters_max = 500;

struct TestOptions {
  operate::EndpointChoice choice;

  void check() const { endpoints::check(choice); }
};

struct Trial {
  store::EndpointRecord endpoint;
  std::string message_id;  // webhook-id
  deliver::Reply reply;

  bool is_delivered() const { return verdict_of(reply) == deliver::Verdict::delivered; }
  std::string_view error() const { return error_of(reply); }
  std::int64_t took_ms() const { return reply.took.count() / 1000; }
};

// Version 8, as the ids of events; no event has it.
Uuid random_event_id() {
  std::random_device entropy;
  Uuid id;
  for (std::uint8_t& byte : id.bytes) byte = static_cast<std::uint8_t>(entropy());
  id.bytes[6] = static_cast<std::uint8_t>((id.bytes[6] & 0x0fU) | 0x80U);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3fU) | 0x80U);
  return id;
}

model::Platform platform_of(const std::string& label) {
  if (label == "instagram") return model::Platform::instagram;
  return label == "facebook" ? model::Platform::messenger : model::Platform::whatsapp;
}

// A text message to the account from a fictitious number, so that a bot may answer it.
deliver::Event test_event(const store::EndpointRecord& endpoint, const std::string& platform) {
  deliver::Event event;
  event.id = random_event_id();
  event.type = "messages";
  event.platform = platform;
  event.received_ms = now_ms();
  const std::string run = to_string(event.id).substr(0, 8);
  event.payload = test_webhook({.platform = platform_of(platform),
                                .to = endpoint.account_key.empty() ? "0" : endpoint.account_key,
                                .text = "A test message of SocialSync Webhooks",
                                .run = run,
                                .time_ms = event.received_ms,
                                .customer = nobodys_number});
  return event;
}

asio::awaitable<Trial> try_one(store::EndpointRecord endpoint, const config::Config& config,
                               deliver::Sender& sender, pg::Connection& connection) {
  const auto state = co_await store::select_endpoint(connection, endpoint.id, config.secrets.keys);
  if (!state) throw Failure(Exit::not_found, "the endpoint was removed");
  if (!state->is_readable)
    throw Failure(Exit::wrong_usage,
                  "no configured key (SOCIALSYNC_SECRETS_KEY) decrypts its encrypted secret");
  const auto signer = deliver::Signer::of(state->endpoint);
  if (!signer)
    throw Failure(Exit::data_blocks,
                  fmt::format("deliveries cannot be signed: {}", to_string(signer.error())));
  const deliver::Event event =
      test_event(endpoint, endpoint.platform.empty() ? "whatsapp" : endpoint.platform);
  Trial trial{.endpoint = std::move(endpoint), .message_id = deliver::message_id(event.id), .reply = {}};
  deliver::Request request = deliver::request_of(event, state->endpoint, *signer, event.received_ms / 1000);
  request.wants_address = true;
  trial.reply = co_await sender.send(std::move(request));
  co_return trial;
}

void print_trial(const Trial& trial) {
  const deliver::Reply& reply = trial.reply;
  fmt::print("{}\n", described(trial.endpoint));
  fmt::print("  message       {}\n", trial.message_id);
  fmt::print("  connected to  {}\n", reply.address.empty() ? "-" : reply.address);
  if (reply.error == deliver::SendError::none)
    fmt::print("  answer        {} in {} ms\n", reply.status, trial.took_ms());
  else
    fmt::print("  answer        none in {} ms: {}\n", trial.took_ms(), to_string(reply.error));
  if (!reply.detail.empty()) fmt::print("  detail        {}\n", fitted(printable(reply.detail), 16));
  if (!reply.body_head.empty())
    fmt::print("  response      {}\n", printable(first_characters(reply.body_head, shown_characters_max)));
  const std::string_view advice = deliver::advice_on(trial.error(), reply.status);
  if (!advice.empty()) fmt::print("  remedy        {}\n", fitted(advice, 16));
}

boost::json::object document_of(const Trial& trial) {
  const deliver::Reply& reply = trial.reply;
  const std::string error(trial.error()), advice(deliver::advice_on(error, reply.status));
  return {{"endpoint_id", to_string(trial.endpoint.id)},
          {"url", trial.endpoint.url},
          {"webhook_id", trial.message_id},
          {"is_delivered", trial.is_delivered()},
          {"address", or_null(reply.address)},
          {"http_status", reply.status == 0 ? boost::json::value(nullptr) : boost::json::value(reply.status)},
          {"took_ms", trial.took_ms()},
          {"error", or_null(error)},
          {"detail", or_null(reply.detail)},
          {"response_head", or_null(printable(reply.body_head, true))},
          {"advice", or_null(advice)}};
}

asio::awaitable<Exit> test(const TestOptions& options, Context& context) {
  std::vector<store::EndpointRecord> chosen =
      co_await operate::choose_endpoints(context.connection, options.choice);
  std::erase_if(chosen, [](const store::EndpointRecord& endpoint) { return endpoint.url.empty(); });
  if (chosen.empty())
    throw Failure(Exit::data_blocks, "its events are pulled, nothing is sent: socialsync events next");
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  deliver::Sender sender(executor, app::egress_policy_of(context.config.egress));
  boost::json::array documents;
  bool is_all_delivered = true;
  for (store::EndpointRecord& endpoint : chosen) {
    const Trial trial = co_await try_one(std::move(endpoint), context.config, sender, context.connection);
    is_all_delivered = is_all_delivered && trial.is_delivered();
    if (context.wants_json())
      documents.push_back(document_of(trial));
    else
      print_trial(trial);
  }
  if (context.wants_json()) print_json({{"tests", std::move(documents)}});
  co_return is_all_delivered ? Exit::done : Exit::not_answered;
}

}  // namespace

void add_test(Command endpoints) {
  Command command = endpoints.add_subcommand("test", "Send a signed test message now and show the answer");
  const auto options = std::make_shared<TestOptions>();
  add_choice(command, options->choice);
  command.help(
      {.notes =
           "Sends a text message from a fictitious number, in the endpoint's format, with its secrets and "
           "headers, also to a disabled endpoint. Nothing is written to the database or retried. The "
           "egress policy is that of this environment (SOCIALSYNC_EGRESS_*): use the environment of serve.",
       .examples = {"socialsync endpoints test 0b8c2f4e",
                    "socialsync endpoints test --account 683178638221369 --output json"},
       .exits = {{Exit::not_answered, "an endpoint did not accept the message"},
                 {Exit::not_found, "endpoint or account not found, or events are pulled"}}});
  on_database(command, options, test);
}

}  // namespace socialsync::cli::endpoints
