// `socialsync migrate route-test`.
#include <map>
#include <memory>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "cli/migrate/commands.hpp"
#include "cli/text/json.hpp"
#include "cli/text/terminal.hpp"
#include "operate/route_trace.hpp"
#include "store/accounts.hpp"

namespace socialsync::cli::migration {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using operate::KeyKind;
using operate::RouteAnswer;
using operate::RouteCandidate;
using operate::RouteDetails;
using operate::RouteResult;
using operate::RouteTracer;

struct RouteTestOptions {
  operate::RouteQuestion question;
  bool has_key = false;
};

struct Receiver {
  RouteCandidate candidate;
  RouteDetails details;
};

std::string receiver_text(const Receiver& receiver) {
  const model::Account& account = *receiver.candidate.account;
  const auto or_dash = [](const std::string& text) { return text.empty() ? "-" : text; };
  return fmt::format(
      "  account   {}\n  user      {} {}\n  platform  {}\n  business  {}\n  status    {}, {}\n  matched   by "
      "{}\n",
      to_string(account.id), to_string(account.user_id), receiver.details.email, account.platform_label,
      or_dash(receiver.details.business_name), account.active ? "active" : "inactive",
      or_dash(receiver.details.webhook_status), receiver.candidate.matched_by);
}

json::object receiver_json(const Receiver& receiver) {
  const model::Account& account = *receiver.candidate.account;
  return {{"id", to_string(account.id)},
          {"user_id", to_string(account.user_id)},
          {"email", or_null(receiver.details.email)},
          {"platform", account.platform_label},
          {"business_name", or_null(receiver.details.business_name)},
          {"is_active", account.active},
          {"webhook_status", or_null(receiver.details.webhook_status)},
          {"has_app_secret", !account.app_secrets.empty() || account.has_unreadable_secret},
          {"matched_by", receiver.candidate.matched_by}};
}

std::string headline(const operate::RouteQuestion& question, RouteResult result) {
  const Colour colour = result == RouteResult::routed ? Colour::green : Colour::red;
  const std::string key = fmt::format("{} {}", to_string(question.kind), question.key);
  switch (result) {
    case RouteResult::routed: return coloured(colour, key + " is routed to");
    case RouteResult::ambiguous_account:
      return coloured(colour, key + " matches several accounts; the secret that signs may decide");
    case RouteResult::inactive_account:
      return coloured(colour, key + " is not routed: the account is inactive");
    case RouteResult::unknown_account: break;
  }
  return coloured(colour, key + " is not routed: no account has this key");
}

void print_answer(const operate::RouteQuestion& question, const RouteAnswer& answer,
                  const std::vector<Receiver>& receivers) {
  std::string text = headline(question, answer.result) + "\n";
  for (const Receiver& receiver : receivers)
    text += (&receiver == &receivers.front() ? "" : "\n") + receiver_text(receiver);
  for (const std::string& warning : answer.warnings)
    text += coloured(Colour::yellow, "warning:") + " " + warning + "\n";
  fmt::print("{}", fitted_lines(text));
}

asio::awaitable<Exit> test_key(const RouteTestOptions& options, const RouteTracer& tracer, Context& context) {
  RouteAnswer answer = tracer.answer(options.question);
  if (tracer.accounts().empty())
    answer.warnings.emplace_back(
        "this role sees no account of a platform that sends webhooks (row-level security?)");
  std::vector<Receiver> receivers;
  for (const RouteCandidate& candidate : answer.candidates) {
    RouteDetails details = co_await operate::details_of(context.connection, *candidate.account);
    receivers.push_back({candidate, std::move(details)});
  }
  if (context.wants_json())
    print_json(
        {{"key", {{"kind", std::string(to_string(options.question.kind))}, {"value", options.question.key}}},
         {"result", std::string(to_string(answer.result))},
         {"accounts", array_of(receivers, receiver_json)},
         {"warnings", array_of(answer.warnings)}});
  else
    print_answer(options.question, answer, receivers);
  co_return answer.result == RouteResult::routed ? Exit::done : Exit::data_blocks;
}

struct Unrouted {
  const model::Account& account;
  std::string reason;
};

void print_unrouted(const std::vector<Unrouted>& faults, std::size_t tested) {
  for (const Unrouted& fault : faults)
    fmt::print("{}", fitted_lines(fmt::format("{} {} on {}: {}\n", coloured(Colour::red, "not routed:"),
                                              to_string(fault.account.id), fault.account.platform_label,
                                              fault.reason)));
  fmt::print("{} of {} active accounts get their events\n", readable_count(tested - faults.size()),
             readable_count(tested));
}

Exit test_all(const RouteTracer& tracer, const Context& context) {
  std::vector<Unrouted> faults;
  std::size_t tested = 0;
  for (const model::Account& account : tracer.accounts()) {
    if (!account.active) continue;
    ++tested;
    if (std::optional<std::string> fault = tracer.fault_of(account))
      faults.push_back({account, std::move(*fault)});
  }
  const auto fault_json = [](const Unrouted& fault) {
    return json::object{{"id", to_string(fault.account.id)},
                        {"platform", fault.account.platform_label},
                        {"reason", fault.reason}};
  };
  if (context.wants_json())
    print_json(
        {{"tested", tested}, {"routed", tested - faults.size()}, {"faults", array_of(faults, fault_json)}});
  else
    print_unrouted(faults, tested);
  return faults.empty() ? Exit::done : Exit::data_blocks;
}

asio::awaitable<Exit> route_test(const RouteTestOptions& options, Context& context) {
  const pg::ResultSet rows = co_await store::select_accounts(context.connection);
  const RouteTracer tracer(store::read_accounts(rows, context.config.secrets.keys).accounts, context.config);
  if (!options.has_key) co_return test_all(tracer, context);
  const Exit exit = co_await test_key(options, tracer, context);
  co_return exit;
}

void add_keys(Command command, const std::shared_ptr<RouteTestOptions>& options) {
  Command keys = command.add_alternatives(
      "key", "Routing key of an event (default: the own key of every active account)");
  const auto add = [&](const char* name, KeyKind kind, const char* description) {
    const auto take = [options, kind](const std::string& value) {
      options->question.kind = kind;
      options->question.key = value;
      options->has_key = true;
    };
    keys.add_option_function(name, take, description).type_name("ID");
  };
  add("--phone-number-id", KeyKind::phone_number_id, "WhatsApp: value.metadata.phone_number_id");
  add("--waba-id", KeyKind::waba_id, "WhatsApp: entry.id, the WhatsApp Business Account");
  add("--display-phone-number", KeyKind::display_phone_number,
      "WhatsApp: the phone number of an event without a phone number id; its digits are compared");
  add("--page-id", KeyKind::page_id, "Instagram, Messenger: entry.id");
  add("--account-id", KeyKind::account_id, "Instagram, Messenger: entry.id that is the account_id");
}

}  // namespace

void add_route_test(Command migrate) {
  Command command =
      migrate.add_subcommand("route-test", "Show which account would receive an event, and why");
  command.help(
      {.examples = {"socialsync migrate route-test --phone-number-id 683178638221369",
                    "socialsync migrate route-test"},
       .exits = {{Exit::done, "routed to one account; without a key: every active account is routed"},
                 {Exit::data_blocks, "routed to none, or several match"}}});
  const auto options = std::make_shared<RouteTestOptions>();
  add_keys(command, options);
  const std::map<std::string, model::Platform> platforms{{"whatsapp", model::Platform::whatsapp},
                                                         {"instagram", model::Platform::instagram},
                                                         {"messenger", model::Platform::messenger},
                                                         {"facebook", model::Platform::messenger}};
  command
      .add_choice("--platform", options->question.platform, platforms,
                  "whatsapp, instagram or messenger, when the key does not tell")
      .type_name("PLATFORM");
  on_database(command, options, route_test);
}

}  // namespace socialsync::cli::migration
