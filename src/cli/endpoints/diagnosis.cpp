#include "cli/endpoints/diagnosis.hpp"

#include <charconv>

#include <fmt/core.h>

#include "cli/deliveries/rows.hpp"
#include "cli/endpoints/commands.hpp"
#include "cli/text/printable.hpp"
#include "cli/text/terminal.hpp"
#include "deliver/answer.hpp"

namespace socialsync::cli::endpoints {
namespace {

using Reasons = std::vector<std::string>;

int number_of(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

std::string whose(const store::EndpointRecord& endpoint) {
  return endpoint.account_id.empty() ? "of the app" : "of its account";
}

// Whether anything comes for it at all.
void add_coming(const Findings& findings, Reasons& reasons) {
  const store::EndpointRecord& endpoint = findings.endpoint;
  const store::EndpointHealth& health = findings.health;
  if (!health.is_account_active)
    reasons.push_back(fmt::format(
        "its account is switched off, what comes for it waits in quarantine: socialsync accounts set {} "
        "--active",
        endpoint.account_id));
  if (health.events_of_a_day == 0) {
    reasons.push_back(
        fmt::format("no event {} has come for a day ({}){}", whose(endpoint),
                    health.event_at.empty() ? "none is known" : "the last one " + health.event_at,
                    endpoint.account_id.empty() ? "" : ": socialsync accounts check " + endpoint.account_id));
  } else if (health.wanted_of_a_day == 0) {
    const bool is_accounts = health.ignored_of_a_day == health.events_of_a_day;
    reasons.push_back(fmt::format(
        "it wants none of the {} events {} of the last day: {}", readable_count(health.events_of_a_day),
        whose(endpoint),
        is_accounts ? "the account's own webhook_events leave them out"
                    : "its webhook_events are " + printable(endpoint.webhook_events.value_or("all"))));
  }
}

// Whether anything is sent.
void add_sending(const Findings& findings, Reasons& reasons) {
  const store::EndpointRecord& endpoint = findings.endpoint;
  if (!endpoint.is_enabled)
    reasons.push_back(fmt::format(
        "it is {}; what comes meanwhile is not kept for it: socialsync endpoints test {}, then enable, then "
        "deliveries retry --replay",
        state_of(endpoint), short_id(endpoint.id)));
  if (!findings.signing_fault.empty())
    reasons.push_back("nothing can be signed for it: " + findings.signing_fault);
  if (endpoint.url.starts_with("http://") && !findings.allows_http)
    reasons.emplace_back("its URL is plain http, which is sent only where SOCIALSYNC_EGRESS_HTTP=1");
}

// Nobody takes what is due, or not as fast as it comes.
void add_overdue(const Findings& findings, Reasons& reasons) {
  const store::EndpointRecord& endpoint = findings.endpoint;
  const store::EndpointHealth& health = findings.health;
  const bool is_held_up = health.is_overdue && endpoint.is_enabled && endpoint.failing_since.empty();
  if (!is_held_up || endpoint.url.empty()) return;
  const std::string what = fmt::format("{} are due since {}", readable_count(health.due), health.due_since);
  if (!health.is_tried)
    reasons.push_back(what + ", and nobody sends them: is serve running, and not with --ingest-only?");
  else
    reasons.push_back(what +
                      ": more comes than concurrent_max and per_second_max let through, or than it "
                      "answers");
}

// What the receiver did.
void add_receiving(const Findings& findings, Reasons& reasons) {
  const store::EndpointRecord& endpoint = findings.endpoint;
  const store::EndpointHealth& health = findings.health;
  const bool has_failed = !findings.attempts.empty() && !findings.attempts.front().error.empty() &&
                          findings.attempts.front().error != deliveries::cancelled;
  if (!endpoint.failing_since.empty() || has_failed) {
    std::string reason = endpoint.failing_since.empty()
                             ? std::string("the last attempt failed")
                             : "every attempt has failed since " + endpoint.failing_since;
    if (has_failed) {
      const store::PastAttempt& last = findings.attempts.front();
      reason += ": " + deliveries::result_of(last);
      const std::string_view advice = deliver::advice_on(last.error, number_of(last.http_status));
      if (!advice.empty()) reason += fmt::format("; {}", advice);
    }
    reasons.push_back(reason);
  }
  if (endpoint.given_up > 0)
    reasons.push_back(fmt::format("{} were given up: socialsync deliveries retry --endpoint {}",
                                  readable_count(endpoint.given_up), short_id(endpoint.id)));
  if (endpoint.url.empty() && health.due > 0)
    reasons.push_back(
        fmt::format("{} wait to be fetched, the first since {}: socialsync events next --endpoint {}",
                    readable_count(health.due), health.waiting_since, short_id(endpoint.id)));
}

}  // namespace

Reasons reasons_of(const Findings& findings) {
  Reasons reasons;
  add_coming(findings, reasons);
  add_sending(findings, reasons);
  add_overdue(findings, reasons);
  add_receiving(findings, reasons);
  return reasons;
}

}  // namespace socialsync::cli::endpoints
