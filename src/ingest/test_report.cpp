#include "ingest/test_report.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/core.h>

#include "base/text.hpp"

namespace socialsync::ingest {
namespace {

void append_member(std::string& json, std::string_view name, std::string_view value) {
  json += json.ends_with('{') ? "" : ",";
  append_json_string(json, name);
  json += ':';
  append_json_string(json, value);
}

void append_event(std::string& json, const store::EventRow& row) {
  json += json.ends_with('[') ? "{" : ",{";
  append_member(json, "id", to_string(row.id));
  if (row.account_id) append_member(json, "social_account_id", to_string(*row.account_id));
  if (row.user_id) append_member(json, "user_id", to_string(*row.user_id));
  append_member(json, "webhook_type", row.type);
  append_member(json, "status", row.status);
  json += row.is_new ? ",\"new\":true}" : ",\"new\":false}";
}

void append_quarantined(std::string& json, const store::QuarantineRow& row) {
  json += json.ends_with('[') ? "{" : ",{";
  append_member(json, "id", to_string(row.id));
  append_member(json, "reason", row.reason);
  append_member(json, "routing_key", row.routing_key);
  json += '}';
}

}  // namespace

std::string test_report(const Submission& submission) {
  const auto logged = std::ranges::count(submission.events, true, &store::EventRow::is_new);
  const auto seen = static_cast<std::ptrdiff_t>(submission.events.size());
  std::string json =
      fmt::format(R"({{"status":"success","logged":{},"duplicates":{},"quarantined":{},"events":[)", logged,
                  seen - logged, submission.quarantined.size());
  for (const store::EventRow& row : submission.events) append_event(json, row);
  json += R"(],"quarantine":[)";
  for (const store::QuarantineRow& row : submission.quarantined) append_quarantined(json, row);
  json += "]}";
  return json;
}

}  // namespace socialsync::ingest
