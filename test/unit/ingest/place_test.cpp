#include "ingest/place.hpp"

#include <algorithm>

#include <doctest/doctest.h>

#include "ingest/test_report.hpp"
#include "unit/route/accounts.hpp"

namespace socialsync::ingest {
namespace {

using model::Account;
using model::Event;
using model::Platform;
using route::test::event;
using route::test::instagram;
using route::test::whatsapp;

constexpr std::int64_t received_ms = 1'770'000'000'000;

// Account 1 wants messages only; account 2 signs with a secret of its own, as does account 5; 3 to 5 are of
// WABA 910.
std::shared_ptr<const Tenants> some_tenants() {
  Account one = whatsapp(1, "111");
  one.platform_label = "whatsapp_business";
  one.webhook_events = std::vector<std::string>{"messages"};
  Account two = instagram(2, "222");
  two.app_secrets = {"of two"};
  Account five = whatsapp(5, "666", "910");
  five.app_secrets = {"of five"};
  route::SharedSecrets shared;
  shared.whatsapp = {"test_app_secret"};
  return std::make_shared<Tenants>(
      route::Directory({one, two, whatsapp(3, "444", "910"), whatsapp(4, "555", "910"), five}, shared));
}

// Signed under the app's secret, which is that of account 1.
std::shared_ptr<Submission> placed(Result<model::Webhook, parse::ParseError> split, std::string body = "body",
                                   std::int64_t at_ms = received_ms) {
  static constexpr route::SecretIndex first = 0;
  Placer placer;
  return placer.place(some_tenants(), std::move(body), std::move(split), {.secrets = std::span(&first, 1)},
                      at_ms);
}

std::shared_ptr<Submission> placed_event(const Event& event, std::int64_t at_ms = received_ms) {
  return placed(model::Webhook{.events = {event}, .unreadable = {}}, "body", at_ms);
}

std::string text_id(const Uuid& id) { return to_string(id); }

TEST_CASE("place: a body that was cut short is kept whole beside its first events") {
  const Event message = event(Platform::whatsapp, "900", "111");
  const auto submission =
      placed(model::Webhook{.events = {message}, .unreadable = {}, .is_cut_short = true}, "the whole body");
  CHECK(submission->events.size() == 1);
  REQUIRE(submission->quarantined.size() == 1);
  CHECK(submission->quarantined.front().reason == "too_many_events");
  CHECK(submission->quarantined.front().body == "the whole body");
}

TEST_CASE("place: a body is not multiplied without bound by the accounts of a WABA") {
  Event large = event(Platform::whatsapp, "910");
  large.kind = "change";
  large.payload = std::string(std::size_t{33} << 20, 'x');
  Event small = large;
  small.natural_id = "2";
  small.payload = "{}";
  const auto submission =
      placed(model::Webhook{.events = {large, small}, .unreadable = {}}, "the whole body");
  REQUIRE(submission->events.size() == 2);
  for (const store::EventRow& row : submission->events) CHECK(row.payload == "{}");
  REQUIRE(submission->quarantined.size() == 1);
  CHECK(submission->quarantined.front().reason == "too_many_events");
}

TEST_CASE("place: an event of a known account becomes a row of its log") {
  Event message = event(Platform::whatsapp, "900", "111");
  message.customer = "33765540003";
  message.payload = R"({"object":"whatsapp_business_account"})";
  const auto submission = placed_event(message);
  REQUIRE(submission->events.size() == 1);
  CHECK(submission->quarantined.empty());
  CHECK(submission->rows() == 1);
  const store::EventRow& row = submission->events.front();
  CHECK(row.id == EventIds().make(message, route::test::numbered(1), *message.time_ms));
  CHECK_FALSE(row.undated_key);
  CHECK(row.account_id == route::test::numbered(1));
  CHECK(row.user_id == route::test::numbered(101));
  CHECK(row.platform == "whatsapp_business");
  CHECK(row.type == "messages");
  CHECK(row.status == "received");
  CHECK(row.received_ms == received_ms);
  CHECK(row.payload == message.payload);
  CHECK_FALSE(row.exact_payload);
  CHECK(row.external_message_id == "wamid.1");
  CHECK(row.customer == "33765540003");
  CHECK(submission->tenant_of.front()->account.phone_number_id == "111");
  CHECK(submission->event_of.front()->natural_id == "wamid.1");
}

TEST_CASE("place: rows point into the submission, not into what was handed over") {
  auto webhook = std::make_unique<model::Webhook>();
  webhook->events.push_back(event(Platform::whatsapp, "900", "111"));
  webhook->events.back().payload = std::string(100, 'p');
  const auto submission = placed(*webhook);
  webhook.reset();
  CHECK(submission->events.front().payload == std::string(100, 'p'));
  CHECK(submission->events.front().payload.data() == submission->webhook.events.front().payload.data());
}

TEST_CASE("place: what the account did not ask for is kept as ignored") {
  Event status = event(Platform::whatsapp, "900", "111");
  status.type = "message_reads";
  CHECK(placed_event(status)->events.front().status == "ignored");
}

TEST_CASE("place: exact bytes go along where there are any") {
  Event message = event(Platform::whatsapp, "900", "111");
  message.exact_payload = R"({"\u0000":1})";
  CHECK(placed_event(message)->events.front().exact_payload == R"({"\u0000":1})");
  message.key.phone_number_id = "333";
  CHECK(placed_event(message)->quarantined.front().body == R"({"\u0000":1})");
}

TEST_CASE("place: an event without a time takes the receipt's, and a key that does not depend on it") {
  Event undated = event(Platform::whatsapp, "900", "111");
  undated.time_ms = std::nullopt;
  const auto now = placed_event(undated);
  const auto later = placed_event(undated, received_ms + 5'000);
  const store::EventRow& row = now->events.front();
  CHECK(row.id == EventIds().make(undated, *row.account_id, received_ms));
  REQUIRE(row.undated_key);
  CHECK(*row.undated_key == EventIds().make(undated, *row.account_id, 0));
  CHECK(later->events.front().id != row.id);
  CHECK(later->events.front().undated_key == row.undated_key);
}

TEST_CASE("place: a time that no id can hold is no time") {
  Event odd = event(Platform::whatsapp, "900", "111");
  odd.time_ms = -5;
  CHECK(placed_event(odd)->events.front().undated_key);
}

TEST_CASE("place: an unknown account's event goes to quarantine alone") {
  const Event good = event(Platform::whatsapp, "900", "111");
  Event stranger = event(Platform::whatsapp, "900", "333");
  stranger.payload = R"({"of":"a stranger"})";
  const auto submission = placed(model::Webhook{.events = {stranger, good}, .unreadable = {}});
  REQUIRE(submission->events.size() == 1);
  REQUIRE(submission->quarantined.size() == 1);
  const store::QuarantineRow& row = submission->quarantined.front();
  CHECK(row.reason == "unknown_account");
  CHECK(row.platform == "whatsapp");
  CHECK(row.routing_key == "333");
  CHECK(row.type == "messages");
  CHECK(row.signed_by == "458b45812b68b3c7");
  CHECK(row.body == R"({"of":"a stranger"})");
  CHECK(row.event_time_ms == stranger.time_ms);
}

TEST_CASE("place: an event under another account's secret goes to quarantine") {
  const auto submission = placed_event(event(Platform::instagram, "222"));
  CHECK(submission->events.empty());
  REQUIRE(submission->quarantined.size() == 1);
  CHECK(submission->quarantined.front().reason == "secret_mismatch");
  CHECK(submission->quarantined.front().routing_key == "222");
}

TEST_CASE("place: quarantine has an event once, dated or not") {
  Event stranger = event(Platform::whatsapp, "900", "333");
  CHECK(placed_event(stranger)->quarantined.front().id ==
        placed_event(stranger, received_ms + 1)->quarantined.front().id);
  stranger.time_ms = std::nullopt;
  const auto undated = placed_event(stranger);
  CHECK(undated->quarantined.front().id == placed_event(stranger, received_ms + 1)->quarantined.front().id);
  CHECK_FALSE(undated->quarantined.front().event_time_ms);
}

TEST_CASE("place: an unreadable part is kept with its bytes") {
  const model::Unreadable part{
      .platform = Platform::instagram, .entry_id = "222", .bytes = R"({"id":"222"})"};
  const model::Unreadable other{.platform = Platform::instagram, .entry_id = "", .bytes = "7"};
  const auto submission = placed(model::Webhook{.events = {}, .unreadable = {part, other}});
  REQUIRE(submission->quarantined.size() == 2);
  const store::QuarantineRow& row = submission->quarantined.front();
  CHECK(row.reason == "unreadable");
  CHECK(row.platform == "instagram");
  CHECK(row.routing_key == "222");
  CHECK(row.type == "");
  CHECK(row.body == part.bytes);
  CHECK(row.id != submission->quarantined.back().id);
}

TEST_CASE("place: a body that is no webhook is kept whole") {
  const auto submission = placed(parse::ParseError::not_json, "{nothing");
  CHECK(submission->events.empty());
  REQUIRE(submission->quarantined.size() == 1);
  const store::QuarantineRow& row = submission->quarantined.front();
  CHECK(row.reason == "not_json");
  CHECK(row.platform == "");
  CHECK(row.body == "{nothing");
  CHECK(row.signed_by == "458b45812b68b3c7");
  CHECK(row.id == placed(parse::ParseError::not_json, "{nothing", received_ms + 1)->quarantined.front().id);
  CHECK(row.id != placed(parse::ParseError::not_json, "{nothing else")->quarantined.front().id);
}

TEST_CASE("place: an unsigned test is accepted for every account, without a fingerprint") {
  Placer placer;
  const auto submission = placer.place(
      some_tenants(), "body", model::Webhook{.events = {event(Platform::instagram, "222")}, .unreadable = {}},
      {.secrets = {}, .any_account = true}, received_ms);
  CHECK(submission->events.size() == 1);
  CHECK(submission->signed_by == "");
}

TEST_CASE("place: an empty webhook gives no rows") { CHECK(placed(model::Webhook())->rows() == 0); }

TEST_CASE("test report: what was logged and what was not") {
  Event stranger = event(Platform::whatsapp, "900", "say \"hi\"");
  Event status = event(Platform::whatsapp, "900", "111");
  status.type = "message_reads";
  const auto submission = placed(model::Webhook{
      .events = {event(Platform::whatsapp, "900", "111"), status, stranger}, .unreadable = {}});
  submission->events[0].is_new = true;
  const std::string id = text_id(submission->events[0].id);
  const std::string account = "00000000-0000-0000-0000-000000000001";
  const std::string user = "00000000-0000-0000-0000-000000000065";
  CHECK(test_report(*submission) ==
        R"({"status":"success","logged":1,"duplicates":1,"quarantined":1,"events":[{"id":")" + id +
            R"(","social_account_id":")" + account + R"(","user_id":")" + user +
            R"(","webhook_type":"messages","status":"received","new":true},{"id":")" +
            text_id(submission->events[1].id) + R"(","social_account_id":")" + account + R"(","user_id":")" +
            user +
            R"(","webhook_type":"message_reads","status":"ignored","new":false}],"quarantine":[{"id":")" +
            text_id(submission->quarantined[0].id) +
            R"(","reason":"unknown_account","routing_key":"say \"hi\""}]})");
}

TEST_CASE("test report: nothing at all") {
  CHECK(test_report(Submission()) ==
        R"({"status":"success","logged":0,"duplicates":0,"quarantined":0,"events":[],"quarantine":[]})");
}

TEST_CASE("place: what is about a WABA is logged for each account of it that the secret may sign for") {
  const auto submission = placed_event(event(Platform::whatsapp, "910"));
  CHECK(submission->quarantined.empty());
  REQUIRE(submission->events.size() == 2);
  CHECK(submission->tenant_of[0]->account.phone_number_id == "444");
  CHECK(submission->tenant_of[1]->account.phone_number_id == "555");
  CHECK(submission->events[0].id != submission->events[1].id);
}

TEST_CASE("place: an event of the app's own business is logged without account") {
  Event partner = event(Platform::whatsapp, "2949", "");
  partner.key.waba_id = "977";
  partner.key.is_app_level = true;
  const auto submission = placed_event(partner);
  CHECK(submission->quarantined.empty());
  REQUIRE(submission->events.size() == 1);
  CHECK_FALSE(submission->events.front().account_id);
  CHECK_FALSE(submission->events.front().user_id);
  CHECK(submission->events.front().platform == "whatsapp");
  CHECK(submission->tenant_of.front() == nullptr);

  partner.key.waba_id = "910";
  CHECK(placed_event(partner)->events.size() == 2);
}

TEST_CASE("place: a tenant's own app does not write to the stream of ours") {
  Event partner = event(Platform::whatsapp, "2949", "");
  partner.key.is_app_level = true;
  const auto tenants = some_tenants();
  const auto& secrets = tenants->directory.secrets();
  const auto own = static_cast<route::SecretIndex>(std::ranges::find(secrets, "of two") - secrets.begin());
  Placer placer;
  const auto submission = placer.place(tenants, "body", model::Webhook{.events = {partner}, .unreadable = {}},
                                       {.secrets = std::span(&own, 1)}, received_ms);
  CHECK(submission->events.empty());
  REQUIRE(submission->quarantined.size() == 1);
  CHECK(submission->quarantined.front().reason == "unknown_account");
}

}  // namespace
}  // namespace socialsync::ingest
