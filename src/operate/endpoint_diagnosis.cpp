#include "operate/endpoint_diagnosis.hpp"

#include <utility>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "base/failure.hpp"
#include "base/text.hpp"
#include "deliver/answer.hpp"
#include "deliver/signing.hpp"
#include "operate/endpoints.hpp"
#include "store/endpoints.hpp"

namespace socialsync::operate {
namespace {

namespace asio = boost::asio;
using Reasons = std::vector<std::string>;

std::string owner_of(const store::EndpointRecord& endpoint) {
  return endpoint.account_id.empty() ? "the app" : "its account";
}

std::string subscriptions_of(const store::EndpointRecord& endpoint) {
  if (!endpoint.webhook_events) return "all";
  return printable(fmt::format("{}", fmt::join(*endpoint.webhook_events, ",")));
}

// Reasons why no events are queued.
void add_events(const EndpointFindings& findings, Reasons& reasons) {
  const store::EndpointRecord& endpoint = findings.endpoint;
  const store::EndpointHealth& health = findings.health;
  if (!health.is_account_active)
    reasons.push_back(fmt::format(
        "its account is inactive, webhooks for it are quarantined: socialsync accounts set {} --active",
        endpoint.account_id));
  if (health.events_of_a_day == 0) {
    reasons.push_back(
        fmt::format("no event of {} in the last 24 h (last one: {}){}", owner_of(endpoint),
                    health.event_at.empty() ? "none" : health.event_at,
                    endpoint.account_id.empty() ? "" : ": socialsync accounts check " + endpoint.account_id));
  } else if (health.wanted_of_a_day == 0) {
    const bool is_accounts = health.ignored_of_a_day == health.events_of_a_day;
    reasons.push_back(fmt::format("not subscribed to any of the {} events of {} in the last 24 h: {}",
                                  readable_count(health.events_of_a_day), owner_of(endpoint),
                                  is_accounts ? "the account's own webhook_events exclude them"
                                              : "its webhook_events are " + subscriptions_of(endpoint)));
  }
}

// Reasons why nothing can be sent.
void add_sending(const EndpointFindings& findings, Reasons& reasons) {
  const store::EndpointRecord& endpoint = findings.endpoint;
  if (!endpoint.is_enabled)
    reasons.push_back(fmt::format(
        "it is {}, and new events are not queued for it: socialsync endpoints test {}, then enable, then "
        "deliveries retry --replay",
        state_of(endpoint), short_id(endpoint.id)));
  if (!findings.signing_fault.empty())
    reasons.push_back("deliveries cannot be signed: " + findings.signing_fault);
  if (endpoint.url.starts_with("http://") && !findings.allows_http)
    reasons.emplace_back("its URL is plain http, which needs SOCIALSYNC_EGRESS_HTTP=1");
}

// Reasons why due deliveries are not sent.
void add_overdue(const EndpointFindings& findings, Reasons& reasons) {
  const store::EndpointRecord& endpoint = findings.endpoint;
  const store::EndpointHealth& health = findings.health;
  const bool is_late = health.is_overdue && endpoint.is_enabled && endpoint.failing_since.empty();
  if (!is_late || endpoint.url.empty()) return;
  const std::string due =
      fmt::format("{} deliveries are due since {}", readable_count(health.due), health.due_since);
  if (!health.is_tried)
    reasons.push_back(due + ", and no attempt is made: is serve running, without --ingest-only?");
  else
    reasons.push_back(
        due + ": more events arrive than concurrent_max, per_second_max or the receiver's speed allow");
}

// The receiver's answers.
void add_failing(const EndpointFindings& findings, Reasons& reasons) {
  const store::EndpointRecord& endpoint = findings.endpoint;
  const bool has_failed = !findings.attempts.empty() && !findings.attempts.front().error.empty() &&
                          findings.attempts.front().error != store::cancelled;
  if (endpoint.failing_since.empty() && !has_failed) return;
  std::string reason = endpoint.failing_since.empty()
                           ? std::string("the last attempt failed")
                           : "every attempt has failed since " + endpoint.failing_since;
  if (has_failed) {
    const store::PastAttempt& last = findings.attempts.front();
    reason += ": " + result_of(last);
    const std::string_view advice =
        deliver::advice_on(last.error, static_cast<int>(last.http_status.value_or(0)));
    if (!advice.empty()) reason += fmt::format("; {}", advice);
  }
  reasons.push_back(reason);
}

// Deliveries that wait for the operator or the application.
void add_waiting(const EndpointFindings& findings, Reasons& reasons) {
  const store::EndpointRecord& endpoint = findings.endpoint;
  const store::EndpointHealth& health = findings.health;
  if (endpoint.dead_lettered > 0)
    reasons.push_back(
        fmt::format("{} deliveries are dead-lettered: socialsync deliveries retry --endpoint {}",
                    readable_count(endpoint.dead_lettered), short_id(endpoint.id)));
  if (endpoint.url.empty() && health.due > 0)
    reasons.push_back(
        fmt::format("{} events wait to be pulled, the oldest since {}: socialsync events next --endpoint {}",
                    readable_count(health.due), health.waiting_since, short_id(endpoint.id)));
}

}  // namespace

asio::awaitable<EndpointFindings> examine(pg::Connection& connection, store::EndpointRecord endpoint,
                                          const config::Config& config, std::uint64_t attempts_max) {
  EndpointFindings findings{.endpoint = std::move(endpoint), .allows_http = config.egress.http};
  const Uuid id = findings.endpoint.id;
  const auto health = co_await store::find_endpoint_health(connection, id, findings.endpoint.account_id);
  const auto state = co_await store::select_endpoint(connection, id, config.secrets.keys);
  if (!health || !state) throw Failure(Exit::not_found, "the endpoint was removed");
  findings.health = *health;
  if (!state->is_readable) {
    findings.signing_fault = "no configured key (SOCIALSYNC_SECRETS_KEY) decrypts its encrypted secret";
  } else if (const auto signer = deliver::Signer::of(state->endpoint); !signer) {
    findings.signing_fault = to_string(signer.error());
  }
  const store::DeliveryFilter filter{.endpoint = id};
  findings.attempts = co_await store::list_attempts(connection, filter, std::nullopt, "", attempts_max);
  co_return findings;
}

Reasons reasons_of(const EndpointFindings& findings) {
  Reasons reasons;
  add_events(findings, reasons);
  add_sending(findings, reasons);
  add_overdue(findings, reasons);
  add_failing(findings, reasons);
  add_waiting(findings, reasons);
  return reasons;
}

std::string result_of(const store::PastAttempt& attempt) {
  const std::string result = attempt.error.empty() ? "delivered" : printable(attempt.error);
  return attempt.http_status ? fmt::format("{} {}", result, *attempt.http_status) : result;
}

}  // namespace socialsync::operate
