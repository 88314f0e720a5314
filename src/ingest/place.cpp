#include "ingest/place.hpp"

#include <utility>

namespace socialsync::ingest {
namespace {

// The key that operators search by: the number, else the WABA, the Instagram account or the Page.
std::string_view routing_key_of(const model::Event& event) {
  if (!event.key.phone_number_id.empty()) return event.key.phone_number_id;
  return event.key.waba_id.empty() ? event.key.entry_id : event.key.waba_id;
}

}  // namespace

std::shared_ptr<Submission> Placer::place(std::shared_ptr<const Tenants> tenants, std::string body,
                                          Result<model::Webhook, parse::ParseError> split,
                                          const route::Signers& signers, std::int64_t received_ms) {
  auto submission = std::make_shared<Submission>();
  submission->tenants = std::move(tenants);
  submission->body = std::move(body);
  if (!signers.secrets.empty())
    submission->signed_by = submission->tenants->keyring.fingerprint(signers.secrets.front());
  if (split.has_error()) {
    quarantine_body(*submission, to_string(split.error()));
    return submission;
  }
  submission->webhook = std::move(*split);
  logged_bytes_ = 0;
  for (const model::Event& event : submission->webhook.events)
    place_event(*submission, event, signers, received_ms);
  for (const model::Unreadable& part : submission->webhook.unreadable) quarantine(*submission, part);
  if (submission->webhook.is_cut_short) quarantine_body(*submission, "too_many_events");
  return submission;
}

void Placer::place_event(Submission& submission, const model::Event& event, const route::Signers& signers,
                         std::int64_t received_ms) {
  const route::Directory& directory = submission.tenants->directory;
  const auto routed = directory.find(event, signers, found_);
  if (routed && !has_room(submission, event)) {
    submission.webhook.is_cut_short = true;
  } else if (routed) {
    for (const route::Tenant* tenant : found_) log(submission, event, *tenant, received_ms);
  } else if (event.key.is_app_level && routed.error() == route::Refusal::unknown_account &&
             directory.is_apps(signers)) {
    log_app_level(submission, event, received_ms);
  } else {
    quarantine(submission, event, to_string(routed.error()));
  }
}

// True if each found account may get a row.
bool Placer::has_room(const Submission& submission, const model::Event& event) {
  const std::size_t bytes = found_.size() * event.payload.size();
  if (submission.rows() + found_.size() > limits_.rows_per_body_max ||
      logged_bytes_ + bytes > limits_.logged_bytes_per_body_max)
    return false;
  logged_bytes_ += bytes;
  return true;
}

store::EventRow Placer::row_of(const model::Event& event, const Uuid& account, std::int64_t received_ms) {
  const std::optional<std::int64_t> time_ms = usable_time_ms(event);
  store::EventRow row;
  row.id = ids_.make(event, account, time_ms.value_or(received_ms));
  if (!time_ms) row.undated_key = ids_.make(event, account, 0);
  row.type = event.type;
  row.status = "received";
  row.payload = event.payload;
  if (event.exact_payload) row.exact_payload = *event.exact_payload;
  row.external_message_id = event.natural_id;
  row.customer = event.customer;
  row.received_ms = received_ms;
  return row;
}

void Placer::log(Submission& submission, const model::Event& event, const route::Tenant& tenant,
                 std::int64_t received_ms) {
  const model::Account& account = tenant.account;
  store::EventRow row = row_of(event, account.id, received_ms);
  row.account_id = account.id;
  row.user_id = account.user_id;
  row.platform = account.platform_label;
  if (tenant.wants(event.type)) {
    queue(row, event, account.endpoints);
  } else {
    row.status = "ignored";
  }
  submission.events.push_back(std::move(row));
  submission.event_of.push_back(&event);
  submission.tenant_of.push_back(&tenant);
}

// Events of the app's own business belong to no account; only the operator sees them.
void Placer::log_app_level(Submission& submission, const model::Event& event, std::int64_t received_ms) {
  store::EventRow row = row_of(event, {}, received_ms);
  row.platform = to_string(event.platform);
  queue(row, event, submission.tenants->app_endpoints);
  submission.events.push_back(std::move(row));
  submission.event_of.push_back(&event);
  submission.tenant_of.push_back(nullptr);
}

void Placer::queue(store::EventRow& row, const model::Event& event,
                   std::span<const model::AccountEndpoint> endpoints) {
  for (const model::AccountEndpoint& endpoint : endpoints) {
    if (!route::wants(endpoint.webhook_events, event.type)) continue;
    row.deliveries.push_back({.endpoint_id = endpoint.id,
                              .is_announced = true,
                              .is_ordered = endpoint.is_ordered,
                              .arrival = ++arrivals_});
  }
}

void Placer::quarantine(Submission& submission, const model::Event& event, std::string_view reason) {
  store::QuarantineRow row;
  // The id also depends on the account's key and the secret: another tenant's equal event gets another id.
  row.id = ids_.make({"event", to_string(event.platform), event.key.entry_id, event.key.phone_number_id,
                      submission.signed_by, event.kind, event.natural_id, event.discriminator},
                     usable_time_ms(event).value_or(0));
  row.reason = reason;
  row.platform = to_string(event.platform);
  row.routing_key = routing_key_of(event);
  row.type = event.type;
  row.signed_by = submission.signed_by;
  row.body = event.exact_payload ? *event.exact_payload : event.payload;
  row.event_time_ms = usable_time_ms(event);
  submission.quarantined.push_back(std::move(row));
}

void Placer::quarantine(Submission& submission, const model::Unreadable& part) {
  store::QuarantineRow row;
  row.id =
      ids_.make({"unreadable", to_string(part.platform), part.entry_id, submission.signed_by, part.bytes}, 0);
  row.reason = "unreadable";
  row.platform = to_string(part.platform);
  row.routing_key = part.entry_id;
  row.signed_by = submission.signed_by;
  row.body = part.bytes;
  submission.quarantined.push_back(std::move(row));
}

void Placer::quarantine_body(Submission& submission, std::string_view reason) {
  store::QuarantineRow row;
  row.id = ids_.make({"body", submission.signed_by, submission.body}, 0);
  row.reason = reason;
  row.signed_by = submission.signed_by;
  row.body = submission.body;
  submission.quarantined.push_back(std::move(row));
}

}  // namespace socialsync::ingest
