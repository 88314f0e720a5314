#include "operate/endpoint_diagnosis.hpp"

#include <doctest/doctest.h>

using namespace socialsync;
using operate::EndpointFindings;
using operate::reasons_of;

namespace {

EndpointFindings healthy() {
  EndpointFindings findings;
  findings.endpoint.account_id = "20000000-0000-4000-8000-000000000001";
  findings.endpoint.url = "https://bot.example/?key=hidden";
  findings.health.events_of_a_day = findings.health.wanted_of_a_day = 3;
  return findings;
}

store::PastAttempt attempt_with(std::string error, std::optional<std::uint64_t> status) {
  store::PastAttempt attempt;
  attempt.error = std::move(error);
  attempt.http_status = status;
  return attempt;
}

bool says(const EndpointFindings& findings, std::string_view words) {
  const auto reasons = reasons_of(findings);
  REQUIRE(reasons.size() == 1);
  CHECK(reasons.front().find("hidden") == std::string::npos);
  return reasons.front().find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("diagnosis: a healthy endpoint has no reasons") {
  EndpointFindings findings = healthy();
  CHECK(reasons_of(findings).empty());
  findings.attempts.push_back(attempt_with("", 200));
  CHECK(reasons_of(findings).empty());
  findings.attempts.insert(findings.attempts.begin(), attempt_with("cancelled", std::nullopt));
  CHECK(reasons_of(findings).empty());
}

TEST_CASE("diagnosis: the last answer of the receiver, with advice") {
  EndpointFindings findings = healthy();
  findings.attempts.push_back(attempt_with("http_status", 401));
  CHECK(says(findings, "the last attempt failed: http_status 401; the receiver refuses the signature"));
  findings.endpoint.failing_since = "2026-11-22T10:00:00Z";
  CHECK(says(findings, "every attempt has failed since 2026-11-22T10:00:00Z: http_status 401"));
  findings.attempts.front() = attempt_with("a word of the future", std::nullopt);
  CHECK(says(findings, ": a word of the future"));
}

TEST_CASE("diagnosis: overdue deliveries") {
  EndpointFindings findings = healthy();
  findings.health.due = 5;
  findings.health.is_overdue = true;
  CHECK(says(findings, "is serve running"));
  findings.health.is_tried = true;
  CHECK(says(findings, "concurrent_max"));
  findings.endpoint.failing_since = "2026-11-22T10:00:00Z";  // its retry schedule explains the delay
  CHECK(says(findings, "every attempt has failed"));
}

TEST_CASE("diagnosis: plain http is a reason where it is not allowed") {
  EndpointFindings findings = healthy();
  findings.endpoint.url = "http://bot.example/";
  CHECK(says(findings, "SOCIALSYNC_EGRESS_HTTP=1"));
  findings.allows_http = true;
  CHECK(reasons_of(findings).empty());
}
