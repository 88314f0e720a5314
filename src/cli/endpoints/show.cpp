#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "cli/deliveries/rows.hpp"
#include "cli/endpoints/choice.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/endpoints/diagnosis.hpp"
#include "cli/exit_code.hpp"
#include "cli/on_database.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "deliver/signing.hpp"
#include "store/endpoints.hpp"

namespace socialsync::cli::endpoints {
namespace {

namespace asio = boost::asio;

struct Options {
  Choice choice;
  std::uint64_t attempts_max = 5;
  bool wants_json = false;
};

std::string waiting_of(const Findings& findings) {
  const store::EndpointHealth& health = findings.health;
  std::string text = readable_count(findings.endpoint.pending);
  if (findings.endpoint.pending == 0) return text;
  text += fmt::format(", the oldest since {}; {} due now", health.waiting_since, readable_count(health.due));
  if (!health.next_due_at.empty()) text += ", the next at " + health.next_due_at;
  return text;
}

void print_settings(const Findings& findings) {
  const store::EndpointRecord& endpoint = findings.endpoint;
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
      {"ordered", endpoint.is_ordered ? "yes: one after another in each conversation" : "no"},
      {"concurrent_max", std::to_string(endpoint.concurrent_max)},
      {"per_second_max", endpoint.per_second_max ? std::to_string(*endpoint.per_second_max) : "no limit"},
      {"created_at", endpoint.created_at},
      {"last event", findings.health.event_at},
      {"last success", findings.health.delivered_at},
      {"pending", waiting_of(findings)},
      {"given up", readable_count(endpoint.given_up)}};
  for (const auto& [name, value] : lines)
    fmt::print("{:<15} {}\n", name,
               value.find_first_not_of(' ') == std::string::npos ? "-" : printable(value));
}

void print_text(const Findings& findings) {
  print_settings(findings);
  if (!findings.attempts.empty()) fmt::print("\nThe last attempts, the newest first\n");
  for (const store::PastAttempt& attempt : findings.attempts) {
    fmt::print("  {}  event {}, attempt {}: {}, {} ms\n", attempt.attempted_at, to_string(attempt.event_id),
               attempt.attempt, deliveries::result_of(attempt), attempt.took_ms);
    if (!attempt.detail.empty()) fmt::print("    {}\n", printable(attempt.detail));
    if (!attempt.error.empty() && !attempt.response_head.empty())
      fmt::print("    it said: {}\n", printable(attempt.response_head));
  }
  const std::vector<std::string> reasons = reasons_of(findings);
  fmt::print("\n{}\n", reasons.empty() ? "Nothing is in the way of its events." : "In the way of its events");
  for (const std::string& reason : reasons) fmt::print("  - {}\n", fitted(reason, 4));
}

boost::json::object document_of(const Findings& findings) {
  const store::EndpointHealth& health = findings.health;
  const auto or_null = [](const std::string& text) {
    return text.empty() ? boost::json::value(nullptr) : boost::json::value(text);
  };
  boost::json::array attempts, reasons;
  for (const store::PastAttempt& attempt : findings.attempts)
    attempts.push_back(deliveries::json_of(attempt));
  for (const std::string& reason : reasons_of(findings)) reasons.emplace_back(reason);
  return {{"endpoint", json_of(findings.endpoint)},
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
          {"attempts", std::move(attempts)},
          {"reasons", std::move(reasons)}};
}

asio::awaitable<Findings> find(store::EndpointRecord endpoint, const config::Config& config,
                               std::uint64_t attempts_max, pg::Connection& connection) {
  Findings findings{.endpoint = std::move(endpoint), .allows_http = config.egress.http};
  const Uuid id = findings.endpoint.id;
  const auto health = co_await store::find_endpoint_health(connection, id, findings.endpoint.account_id);
  const auto state = co_await store::select_endpoint(connection, id, config.secrets.keys);
  if (!health || !state) throw Failure(Exit::data_blocks, "the endpoint has gone meanwhile");
  findings.health = *health;
  if (!state->is_readable) {
    findings.signing_fault = "a secret of it is sealed, and no key of this environment opens it";
  } else if (const auto signer = deliver::Signer::of(state->endpoint); !signer) {
    findings.signing_fault = to_string(signer.error());
  }
  const store::DeliveryFilter filter{.endpoint = id};
  findings.attempts = co_await store::list_attempts(connection, filter, std::nullopt, "", attempts_max);
  co_return findings;
}

asio::awaitable<int> show(const Options& options, const config::Config& config, pg::Connection& connection) {
  std::vector<store::EndpointRecord> chosen = co_await the_endpoints(connection, options.choice);
  boost::json::array documents;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const Findings findings = co_await find(std::move(chosen[i]), config, options.attempts_max, connection);
    if (options.wants_json) {
      documents.push_back(document_of(findings));
    } else {
      if (i > 0) fmt::print("\n");
      print_text(findings);
    }
  }
  if (!options.wants_json) co_return ExitCode::done;
  const bool is_one = options.choice.account.empty();
  print_json(is_one ? std::move(documents.front().as_object())
                    : boost::json::object{{"endpoints", std::move(documents)}});
  co_return ExitCode::done;
}

}  // namespace

void add_show(Command endpoints) {
  Command command = endpoints.add_subcommand(
      "show", "Why does this customer get nothing? All of an endpoint, save secrets");
  const auto options = std::make_shared<Options>();
  add_choice(command, options->choice);
  command.add_option("--attempts", options->attempts_max, "Of the last attempts, how many")
      .between(1, 1'000)
      .shows_default();
  add_output(command, options->wants_json);
  command.footer(std::string("Its settings, what waits, the last attempts, and what is in the way.\n"
                             "Examples:\n"
                             "  socialsync endpoints show 0b8c2f4e\n"
                             "  socialsync endpoints show --account 683178638221369") +
                 exit_codes);
  command.runs([options] {
    return on_database(options->wants_json,
                       [options](const config::Config& config, pg::Connection& connection) {
                         return show(*options, config, connection);
                       });
  });
}

}  // namespace socialsync::cli::endpoints
