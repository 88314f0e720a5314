// list and show.
#include <memory>

#include <fmt/core.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "cli/app/commands.hpp"
#include "cli/app/runner.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/text/columns.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "operate/accounts.hpp"
#include "operate/endpoint_diagnosis.hpp"

namespace socialsync::cli {
namespace endpoints {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using operate::EndpointFindings;
using store::EndpointRecord;

struct ListOptions {
  std::string account;
  store::EndpointFilter filter;
};

struct ShowOptions {
  operate::EndpointChoice choice;
  std::uint64_t attempts_max = 5;

  void check() const { endpoints::check(choice); }
};

void print_list(const std::vector<EndpointRecord>& found) {
  std::vector<std::vector<std::string>> rows = {
      {"ID", "ACCOUNT", "PLACE", "URL", "FORMAT", "STATE", "PENDING", "DEAD-LETTERED"}};
  for (const EndpointRecord& endpoint : found)
    rows.push_back({operate::short_id(endpoint.id),
                    endpoint.account_id.empty()
                        ? "(operator)"
                        : printable(fmt::format("{} {}", endpoint.account_name, endpoint.account_key)),
                    std::to_string(endpoint.place), shown_url(endpoint.url), endpoint.format,
                    operate::state_of(endpoint), readable_count(endpoint.pending),
                    readable_count(endpoint.dead_lettered)});
  fmt::print("{}", found.empty() ? "no endpoints\n" : aligned(rows));
}

asio::awaitable<Exit> list(const ListOptions& options, Context& context) {
  store::EndpointFilter filter = options.filter;
  if (!options.account.empty()) {
    const store::AccountRecord account = co_await operate::find_account(context.connection, options.account);
    filter.account = account.id;
  }
  const std::vector<EndpointRecord> found = co_await store::find_endpoints(context.connection, filter);
  if (context.wants_json())
    print_json({{"endpoints", array_of(found, [](const EndpointRecord& endpoint) {
                   return json_of(store::endpoint_columns(), endpoint);
                 })}});
  else
    print_list(found);
  co_return Exit::done;
}

void print_line(const std::string& title, const std::string& value) {
  fmt::print("{:<23} {}\n", title, value.empty() ? "-" : printable(value));
}

std::string pending_of(const EndpointFindings& findings) {
  const store::EndpointHealth& health = findings.health;
  std::string text = readable_count(findings.endpoint.pending);
  if (findings.endpoint.pending == 0) return text;
  text += fmt::format(", the oldest since {}; {} due now", health.waiting_since, readable_count(health.due));
  if (!health.next_due_at.empty()) text += ", the next at " + health.next_due_at;
  return text;
}

void print_attempt(const store::PastAttempt& attempt) {
  fmt::print("  {}  event {}, attempt {}: {}, {} ms\n", attempt.attempted_at, to_string(attempt.event_id),
             attempt.attempt, operate::result_of(attempt), attempt.took_ms);
  if (!attempt.detail.empty()) fmt::print("    {}\n", printable(attempt.detail));
  if (!attempt.error.empty() && !attempt.response_head.empty())
    fmt::print("    response: {}\n", printable(attempt.response_head));
}

void print_findings(const EndpointFindings& findings) {
  for (const auto& column : store::endpoint_columns())
    if (column.title != nullptr) print_line(column.title, text_of(column, findings.endpoint));
  print_line("state", operate::state_of(findings.endpoint));
  print_line("pending", pending_of(findings));
  print_line("last event", findings.health.event_at);
  print_line("last success", findings.health.delivered_at);
  if (!findings.attempts.empty()) fmt::print("\nLast attempts, newest first\n");
  for (const store::PastAttempt& attempt : findings.attempts) print_attempt(attempt);
  const std::vector<std::string> reasons = operate::reasons_of(findings);
  fmt::print("\n{}\n", reasons.empty() ? "No problem found." : "Why events do not arrive, or arrive late");
  for (const std::string& reason : reasons) fmt::print("{}\n", fitted("  - " + reason, 4));
}

json::object document_of(const EndpointFindings& findings) {
  const store::EndpointHealth& health = findings.health;
  return {{"endpoint", json_of(store::endpoint_columns(), findings.endpoint)},
          {"health",
           {{"due", health.due},
            {"waiting_since", or_null(health.waiting_since)},
            {"due_since", or_null(health.due_since)},
            {"next_due_at", or_null(health.next_due_at)},
            {"last_success_at", or_null(health.delivered_at)},
            {"last_event_at", or_null(health.event_at)},
            {"events_of_a_day", health.events_of_a_day},
            {"wanted_of_a_day", health.wanted_of_a_day},
            {"is_account_active", health.is_account_active}}},
          {"attempts", array_of(findings.attempts,
                                [](const store::PastAttempt& attempt) {
                                  return json_of(store::attempt_columns(), attempt);
                                })},
          {"reasons", array_of(operate::reasons_of(findings))}};
}

asio::awaitable<Exit> show(const ShowOptions& options, Context& context) {
  std::vector<EndpointRecord> chosen = co_await operate::choose_endpoints(context.connection, options.choice);
  json::array documents;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    EndpointRecord endpoint = std::move(chosen[i]);
    const EndpointFindings findings = co_await operate::examine(context.connection, std::move(endpoint),
                                                                context.config, options.attempts_max);
    if (context.wants_json()) {
      documents.push_back(document_of(findings));
    } else {
      if (i > 0) fmt::print("\n");
      print_findings(findings);
    }
  }
  if (!context.wants_json()) co_return Exit::done;
  const bool is_one = options.choice.account.empty();
  print_json(is_one ? std::move(documents.front().as_object())
                    : json::object{{"endpoints", std::move(documents)}});
  co_return Exit::done;
}

void add_list(Command endpoints) {
  Command command =
      endpoints.add_subcommand("list", "List endpoints with their state and pending deliveries");
  const auto options = std::make_shared<ListOptions>();
  command.add_option("--account", options->account, "Only this account: id, phone number id or page id")
      .type_name("ACCOUNT");
  command.add_flag("--failing", options->filter.is_failing, "Failing endpoints only");
  command.add_flag("--disabled", options->filter.is_disabled, "Disabled endpoints only");
  command.help({.examples = {"socialsync endpoints list --failing"},
                .exits = {{Exit::not_found, "account not found"}}});
  on_database(command, options, list);
}

void add_show(Command endpoints) {
  Command command = endpoints.add_subcommand("show", "Show an endpoint, and why its events do not arrive");
  const auto options = std::make_shared<ShowOptions>();
  add_choice(command, options->choice);
  command.add_option("--attempts", options->attempts_max, "Number of last attempts to show")
      .between(1, 1'000)
      .shows_default();
  command.help({.examples = {"socialsync endpoints show 0b8c2f4e",
                             "socialsync endpoints show --account 683178638221369"},
                .exits = {{Exit::not_found, "endpoint or account not found"}}});
  on_database(command, options, show);
}

}  // namespace

void add_endpoint_name(Command command, std::string& name) {
  command.add_option("ENDPOINT", name, "Its id, or the first 8 digits")
      .required()
      .check(operate::endpoint_name_fault);
}

void add_choice(Command command, operate::EndpointChoice& choice) {
  command.add_option("ENDPOINT", choice.endpoint, "Its id, or the first 8 digits")
      .check(operate::endpoint_name_fault);
  command
      .add_option("--account", choice.account,
                  "All endpoints of this account: id, phone number id or page id")
      .type_name("ACCOUNT");
}

void check(const operate::EndpointChoice& choice) {
  if (choice.endpoint.empty() == choice.account.empty())
    throw Failure(Exit::wrong_usage, "give either ENDPOINT or --account");
}

std::string described(const EndpointRecord& endpoint) {
  const std::string owner = endpoint.account_id.empty()
                                ? "the operator's own"
                                : fmt::format("{} {}", endpoint.account_name, endpoint.account_key);
  return fmt::format("{}  {}  place {}  {}", operate::short_id(endpoint.id), printable(owner), endpoint.place,
                     shown_url(endpoint.url));
}

void add_reading(Command endpoints) {
  add_list(endpoints);
  add_show(endpoints);
}

}  // namespace endpoints

void add_endpoints(Command app) {
  const Command command =
      app.add_subcommand("endpoints", "Manage where the events of accounts are delivered");
  endpoints::add_reading(command);
  endpoints::add_changing(command);
  endpoints::add_test(command);
}

}  // namespace socialsync::cli
