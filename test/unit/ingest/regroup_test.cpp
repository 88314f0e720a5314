// The same events give the same rows, however Meta puts them into bodies, in whatever order, however often.
#include "unit/ingest/regroup.hpp"

#include <map>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ingest/place.hpp"
#include "parse/split.hpp"
#include "unit/parse/golden.hpp"
#include "unit/route/accounts.hpp"

namespace socialsync::ingest::test {
namespace {

using model::Platform;

constexpr int rounds = 300;
constexpr std::int64_t first_receipt_ms = 1'780'000'000'000;

// Rows by their identity: the id, or the undated key of an event without a time.
using Rows = std::map<std::string, std::string>;

std::vector<model::Webhook> golden_webhooks() {
  std::vector<model::Webhook> webhooks;
  for (const parse::test::GoldenBody& golden : parse::test::golden_bodies()) {
    std::string body = golden.text;
    webhooks.push_back(*parse::Splitter().split(body, std::nullopt));
  }
  return webhooks;
}

// An account for each number, Instagram account and Page but one: its events go to quarantine.
std::shared_ptr<const Tenants> tenants_of(const std::vector<model::Webhook>& webhooks) {
  std::vector<model::Account> accounts;
  std::set<std::string> keys = {"200000000000002"};
  for (const model::Webhook& webhook : webhooks) {
    for (const model::Event& event : webhook.events) {
      const bool on_whatsapp = event.platform == Platform::whatsapp;
      const std::string key = on_whatsapp ? event.key.phone_number_id : event.key.entry_id;
      if (key.empty() || !keys.insert(key).second) continue;
      const auto number = static_cast<std::uint8_t>(keys.size());
      if (on_whatsapp) accounts.push_back(route::test::whatsapp(number, key, event.key.entry_id));
      if (event.platform == Platform::instagram) accounts.push_back(route::test::instagram(number, key));
      if (event.platform == Platform::messenger) accounts.push_back(route::test::messenger(number, key));
    }
  }
  return std::make_shared<Tenants>(route::Directory(std::move(accounts), {}));
}

// One gateway, and what it has written.
class Log {
 public:
  explicit Log(std::shared_ptr<const Tenants> tenants) : tenants_(std::move(tenants)) {}

  void receive(model::Webhook webhook) {
    const auto submission =
        placer_.place(tenants_, "body", std::move(webhook), {.secrets = {}, .any_account = true}, ++now_ms_);
    for (const store::EventRow& row : submission->events)
      add(row.undated_key ? *row.undated_key : row.id,
          fmt::format("{} {} {} {} {}", to_string(row.account_id.value_or(Uuid())), row.platform, row.type,
                      row.external_message_id, row.customer));
    for (const store::QuarantineRow& row : submission->quarantined)
      add(row.id, fmt::format("{} {} {} {}", row.reason, row.platform, row.type, row.routing_key));
  }

  void receive(std::string body) {
    const auto webhook = splitter_.split(body, std::nullopt);
    REQUIRE_MESSAGE(webhook.has_value(), body);
    CHECK_MESSAGE(webhook->unreadable.empty(), body);
    receive(*webhook);
  }

  const Rows& rows() const { return rows_; }

 private:
  void add(const Uuid& id, const std::string& row) { rows_.try_emplace(to_string(id), row); }

  std::shared_ptr<const Tenants> tenants_;
  parse::Splitter splitter_;
  Placer placer_;
  std::int64_t now_ms_ = first_receipt_ms;
  Rows rows_;
};

TEST_CASE(
    "any split of the same events into bodies, any order and any number of redeliveries give the same rows") {
  const std::vector<model::Webhook> webhooks = golden_webhooks();
  const auto tenants = tenants_of(webhooks);
  std::vector<Part> parts;
  Log as_written(tenants);
  for (const model::Webhook& webhook : webhooks) {
    std::ranges::move(parts_of(webhook), std::back_inserter(parts));
    as_written.receive(webhook);
  }
  CHECK(parts.size() >= 140);
  CHECK(as_written.rows().size() >= 140);
  std::minstd_rand random(1);
  for (int round = 0; round < rounds; ++round) {
    CAPTURE(round);
    Log log(tenants);
    for (std::size_t delivery = 0; delivery <= random() % 3; ++delivery) {
      for (const std::string& body : regrouped(parts, random)) log.receive(body);
    }
    for (const auto& [id, row] : as_written.rows()) {
      const auto found = log.rows().find(id);
      REQUIRE_MESSAGE(found != log.rows().end(), row);
      REQUIRE(found->second == row);
    }
    REQUIRE(log.rows().size() == as_written.rows().size());
  }
}

}  // namespace
}  // namespace socialsync::ingest::test
