#include <algorithm>
#include <sstream>

#include <doctest/doctest.h>

#include "base/failure.hpp"
#include "operate/account_draft.hpp"
#include "operate/account_import.hpp"
#include "operate/route_trace.hpp"

namespace socialsync::operate {
namespace {

AccountDraft whatsapp_draft() {
  AccountDraft draft;
  draft.platform = "whatsapp";
  draft.user = "owner@example.com";
  draft.values["phone_number_id"] = "683178638221369";
  return draft;
}

std::string fault_of_value(const char* field, const std::string& value) {
  return fault_of(*find_account_field(field), value).value_or("");
}

TEST_CASE("account drafts: a new account needs platform, user and key") {
  CHECK(faults_of_new(whatsapp_draft()).empty());
  CHECK(faults_of_new({}).size() == 2);  // without a platform, the key is unknown
  AccountDraft draft = whatsapp_draft();
  draft.platform = "instagram";
  REQUIRE(faults_of_new(draft).size() == 1);
  CHECK(faults_of_new(draft).front() == "page_id is missing: events are routed by it");
}

TEST_CASE("account drafts: values are checked by kind, and secrets never quoted") {
  CHECK(fault_of_value("phone_number_id", "+33 7") == "is digits only, as Meta shows it");
  CHECK(fault_of_value("display_phone_number", "+33 7 65 54 00 03").empty());
  CHECK(fault_of_value("webhook_url", "https://a:b@c").starts_with("has a user and password"));
  CHECK(fault_of_value("webhook_events", "mesages").ends_with("perhaps messages"));
  CHECK(fault_of_value("linked_ids", "1, 2").empty());
  CHECK(fault_of_value("app_secret", "enc:v1:0011aabb:AAAA").find("AAAA") == std::string::npos);
  CHECK(fault_of_value("business_name", std::string(256, 'x')) == "is longer than 255 characters");
}

TEST_CASE("account drafts: a change needs a field, and keeps required ones") {
  AccountDraft draft;
  CHECK(faults_of_change(draft) == std::vector<std::string>{"nothing to set: see --help"});
  draft.cleared = {"username", "colour", "page_id"};
  draft.values["page_id"] = "1";
  CHECK(faults_of_change(draft).size() == 3);
  CHECK(changed_fields(draft) == std::vector<std::string>{"colour", "page_id", "page_id", "username"});
}

TEST_CASE("account drafts: a new row has account_id and username by default") {
  const store::AccountWrite row = new_account_row(whatsapp_draft(), Uuid(), Uuid(), {});
  CHECK(row.values.find(R"("account_id":"683178638221369")") != std::string::npos);
  CHECK(row.values.find(R"("username":"683178638221369")") != std::string::npos);
  CHECK(row.values.find(R"("platform":"whatsapp")") != std::string::npos);
  CHECK(row.new_for.has_value());
}

TEST_CASE("account import: each bad line is named, and repeated accounts are bad") {
  std::istringstream csv(
      "platform;user;phone_number_id;is_active\n"
      "whatsapp;a@example.com;1;no\n"
      "whatsapp_business;a@example.com;1;\n"
      "whatsapp;a@example.com;2;perhaps\n"
      "whatsapp;;3;\n"
      "whatsapp;a@example.com\n");
  const AccountImport file = read_accounts_csv(csv, "default@example.com");
  REQUIRE(file.lines.size() == 2);
  CHECK(file.lines[0].draft.is_active == false);
  CHECK(file.lines[1].draft.user == "default@example.com");
  std::vector<std::uint64_t> bad;
  for (const BadImportLine& line : file.bad) bad.push_back(line.number);
  CHECK(bad == std::vector<std::uint64_t>{3, 4, 6});
}

TEST_CASE("account import: an unusable header is refused") {
  for (const char* header : {"", "platform,phone_numer_id\n", "user,user\n"}) {
    std::istringstream csv(header);
    CHECK_THROWS_AS(read_accounts_csv(csv, ""), Failure);
  }
}

TEST_CASE("route trace: an account is found by its key, and the reason for its absence is named") {
  model::Account account;
  account.platform = model::Platform::whatsapp;
  account.platform_label = "whatsapp";
  account.phone_number_id = "683178638221369";
  account.active = true;
  config::Config settings;
  settings.whatsapp.app_secrets = {"secret"};
  const RouteTracer tracer({account}, settings);
  CHECK(tracer.answer({.kind = KeyKind::phone_number_id, .key = "683178638221369", .platform = {}}).result ==
        RouteResult::routed);
  const RouteAnswer unknown =
      tracer.answer({.kind = KeyKind::phone_number_id, .key = "0683178638221369", .platform = {}});
  CHECK(unknown.result == RouteResult::unknown_account);
  CHECK(unknown.warnings.size() == 1);
  CHECK(!tracer.fault_of(account));
  CHECK(RouteTracer({account}, {}).fault_of(account)->starts_with("no app_secret and no META_APP_SECRET"));
}

}  // namespace
}  // namespace socialsync::operate
