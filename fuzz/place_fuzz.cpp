// For any body: each of its events gets a row, only for the accounts it names and only under their secrets;
// and it gets the same id when Meta delivers it again, alone or with others.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>

#include "base/text.hpp"
#include "ingest/place.hpp"
#include "parse/split.hpp"

namespace {

using namespace socialsync;
using namespace socialsync::ingest;
using model::Platform;

constexpr parse::Limits limits;
// A payload may lie a little deeper than the part of the body it came from.
constexpr parse::Limits payload_limits{.depth_max = limits.depth_max + 8};
constexpr std::int64_t received_ms = 1'770'000'000'000;
constexpr route::SecretIndex of_the_app = 0;
constexpr route::SecretIndex of_one_account = 1;

void require(bool holds) {
  if (!holds) std::abort();
}

model::Account account(std::uint8_t number, Platform platform) {
  model::Account made;
  made.id.bytes[15] = number;
  made.user_id.bytes[15] = number;
  made.platform = platform;
  made.platform_label = to_string(platform);
  return made;
}

model::Account whatsapp(std::uint8_t number, const std::string& phone_number_id, const std::string& display) {
  model::Account made = account(number, Platform::whatsapp);
  made.phone_number_id = phone_number_id;
  made.display_phone_number = display;
  made.waba_id = "100000000000001";
  return made;
}

// Named as in test/golden: two numbers of a WABA, the second under a secret of its own; an Instagram account;
// a Page, which wants messages only.
std::shared_ptr<const Tenants> make_tenants() {
  std::vector<model::Account> accounts = {whatsapp(1, "200000000000001", "33155500101"),
                                          whatsapp(2, "200000000000002", "1"),
                                          account(3, Platform::instagram), account(4, Platform::messenger)};
  accounts[1].app_secrets = {"of one account"};
  accounts[2].page_id = "17840000000000001";
  accounts[3].page_id = "104000000000001";
  accounts[3].webhook_events = std::vector<std::string>{"messages"};
  route::SharedSecrets shared;
  shared.whatsapp = shared.instagram = shared.messenger = {"of the app"};
  return std::make_shared<Tenants>(route::Directory(std::move(accounts), shared));
}

std::shared_ptr<Submission> placed(model::Webhook webhook, const route::SecretIndex& secret) {
  static const std::shared_ptr<const Tenants> tenants = make_tenants();
  static Placer placer;
  return placer.place(tenants, "body", std::move(webhook), {.secrets = std::span(&secret, 1)}, received_ms);
}

void check_row(const store::EventRow& row, route::SecretIndex secret) {
  require(!row.type.empty() && !row.payload.empty());
  require(first_characters(row.type, 50) == row.type);
  require((row.account_id && row.account_id->bytes[15] == 2) == (secret == of_one_account));
}

// All rows by their identity.
std::vector<Uuid> ids_of(const Submission& submission) {
  std::vector<Uuid> ids;
  for (const store::EventRow& row : submission.events) ids.push_back(row.undated_key.value_or(row.id));
  for (const store::QuarantineRow& row : submission.quarantined) ids.push_back(row.id);
  std::ranges::sort(ids);
  return ids;
}

// The event's payload, as a body of its own, makes the rows that the event makes.
void check_alone(const model::Event& event, route::SecretIndex secret) {
  std::string payload = event.exact_payload.value_or(event.payload);
  auto again = parse::Splitter(payload_limits).split(payload, std::nullopt);
  require(again.has_value());
  const auto first = placed(model::Webhook{.events = {event}, .unreadable = {}}, secret);
  require(first->rows() > 0);
  require(ids_of(*first) == ids_of(*placed(std::move(*again), secret)));
}

void check(const model::Webhook& webhook, route::SecretIndex secret) {
  const auto submission = placed(webhook, secret);
  require(submission->events.size() == submission->event_of.size());
  require(submission->events.size() == submission->tenant_of.size());
  require(submission->rows() >= webhook.events.size() + webhook.unreadable.size());
  for (const store::EventRow& row : submission->events) check_row(row, secret);
  for (const store::QuarantineRow& row : submission->quarantined) require(!row.reason.empty());
  for (const model::Event& event : webhook.events) check_alone(event, secret);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string body(reinterpret_cast<const char*>(data), size);
  const auto webhook = parse::Splitter(limits).split(body, Platform::whatsapp);
  if (webhook.has_error()) return 0;
  check(*webhook, of_the_app);
  check(*webhook, of_one_account);
  return 0;
}
