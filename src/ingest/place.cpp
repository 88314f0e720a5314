#include "ingest/place.hpp"

#include <utility>

namespace socialsync::ingest {

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
  for (const model::Event& event : submission->webhook.events)
    place_event(*submission, event, signers, received_ms);
  for (const model::Unreadable& part : submission->webhook.unreadable) quarantine(*submission, part);
  return submission;
}

void Placer::place_event(Submission& submission, const model::Event& event, const route::Signers& signers,
                         std::int64_t received_ms) {
  const auto tenant = submission.tenants->directory.find(event, signers);
  if (tenant.has_error()) {
    quarantine(submission, event, to_string(tenant.error()));
  } else {
    log(submission, event, **tenant, received_ms);
  }
}

void Placer::log(Submission& submission, const model::Event& event, const route::Tenant& tenant,
                 std::int64_t received_ms) {
  const model::Account& account = tenant.account;
  const std::optional<std::int64_t> time_ms = usable_time_ms(event);
  store::EventRow row;
  row.id = ids_.make(event, account.id, time_ms.value_or(received_ms));
  if (!time_ms) row.undated_key = ids_.make(event, account.id, 0);
  row.account_id = account.id;
  row.user_id = account.user_id;
  row.platform = account.platform_label;
  row.type = event.type;
  row.status = tenant.wants(event.type) ? "received" : "ignored";
  row.payload = event.payload;
  if (event.exact_payload) row.exact_payload = *event.exact_payload;
  row.external_message_id = event.natural_id;
  row.customer = event.customer;
  submission.events.push_back(row);
  submission.event_of.push_back(&event);
  submission.tenant_of.push_back(&tenant);
}

void Placer::quarantine(Submission& submission, const model::Event& event, std::string_view reason) {
  store::QuarantineRow row;
  // Somebody else's event of the same looks, or the same under another secret, is another one.
  row.id = ids_.make({"event", to_string(event.platform), event.key.entry_id, event.key.phone_number_id,
                      submission.signed_by, event.kind, event.natural_id, event.discriminator},
                     usable_time_ms(event).value_or(0));
  row.reason = reason;
  row.platform = to_string(event.platform);
  row.routing_key = event.key.phone_number_id.empty() ? event.key.entry_id : event.key.phone_number_id;
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
