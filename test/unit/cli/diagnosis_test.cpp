#include "cli/endpoints/diagnosis.hpp"

#include <doctest/doctest.h>

using namespace socialsync;
using cli::endpoints::Findings;
using cli::endpoints::reasons_of;

namespace {

Findings well() {
  Findings findings;
  findings.endpoint.account_id = "20000000-0000-4000-8000-000000000001";
  findings.endpoint.url = "https://bot.example/?key=hidden";
  findings.health.events_of_a_day = findings.health.wanted_of_a_day = 3;
  return findings;
}

store::PastAttempt failed(std::string error, std::string status) {
  store::PastAttempt attempt;
  attempt.error = std::move(error);
  attempt.http_status = std::move(status);
  return attempt;
}

bool says(const Findings& findings, std::string_view words) {
  const auto reasons = reasons_of(findings);
  REQUIRE(reasons.size() == 1);
  CHECK(reasons.front().find("hidden") == std::string::npos);
  return reasons.front().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("diagnosis: one that is well has nothing in its way") {
  Findings findings = well();
  CHECK(reasons_of(findings).empty());
  findings.attempts.push_back(failed("", "200"));
  CHECK(reasons_of(findings).empty());
  findings.attempts.insert(findings.attempts.begin(), failed("cancelled", ""));
  CHECK(reasons_of(findings).empty());
}

TEST_CASE("diagnosis: what the receiver did last, and what to do") {
  Findings findings = well();
  findings.attempts.push_back(failed("http_status", "401"));
  CHECK(says(findings, "the last attempt failed: http_status 401; the receiver refuses the signature"));
  findings.endpoint.failing_since = "2026-11-22T10:00:00Z";
  CHECK(says(findings, "every attempt has failed since 2026-11-22T10:00:00Z: http_status 401"));
  findings.attempts.front() = failed("a word of the future", "");
  CHECK(says(findings, ": a word of the future"));
}

TEST_CASE("diagnosis: what is due and not sent") {
  Findings findings = well();
  findings.health.due = 5;
  findings.health.is_overdue = true;
  CHECK(says(findings, "is serve running"));
  findings.health.is_tried = true;
  CHECK(says(findings, "concurrent_max"));
  findings.endpoint.failing_since = "2026-11-22T10:00:00Z";  // it is waited for on purpose
  CHECK(says(findings, "every attempt has failed"));
}

TEST_CASE("diagnosis: http is in the way only where it is not allowed") {
  Findings findings = well();
  findings.endpoint.url = "http://bot.example/";
  CHECK(says(findings, "SOCIALSYNC_EGRESS_HTTP=1"));
  findings.allows_http = true;
  CHECK(reasons_of(findings).empty());
}
