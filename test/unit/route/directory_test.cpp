#include "route/directory.hpp"

#include <string>

#include <doctest/doctest.h>

#include "unit/route/accounts.hpp"

namespace socialsync::route {
namespace {

using model::Account;
using model::Event;
using model::Platform;
using test::account;
using test::event;
using test::instagram;
using test::messenger;
using test::numbered;
using test::whatsapp;

const Signers anybody{.secrets = {}, .any_account = true};

std::string found(const Directory& directory, const Event& event) {
  return test::found(directory, event, anybody);
}

std::string found_among(std::vector<Account> accounts, const Event& event) {
  return found(Directory(std::move(accounts), {}), event);
}

TEST_CASE("directory: WhatsApp goes by the number first") {
  const Directory directory({whatsapp(1, "111", "900"), whatsapp(2, "222", "900")}, {});
  CHECK(found(directory, event(Platform::whatsapp, "900", "111")) == "1");
  CHECK(found(directory, event(Platform::whatsapp, "900", "222")) == "2");
  CHECK(found(directory, event(Platform::whatsapp, "another WABA", "222")) == "2");
}

TEST_CASE("directory: an event of an unknown number is not routed by its WABA") {
  CHECK(found_among({whatsapp(1, "111", "900")}, event(Platform::whatsapp, "900", "333")) ==
        "unknown_account");
  CHECK(found_among({whatsapp(1, "111")}, event(Platform::whatsapp, "111", "333")) == "unknown_account");
}

TEST_CASE("directory: WhatsApp without a number goes by the WABA, then by the number as entry id") {
  const Directory directory({whatsapp(1, "111", "900"), whatsapp(2, "900")}, {});
  CHECK(found(directory, event(Platform::whatsapp, "900")) == "1");
  CHECK(found(directory, event(Platform::whatsapp, "111")) == "1");
  CHECK(found(directory, event(Platform::whatsapp, "901")) == "unknown_account");
  CHECK(found_among({whatsapp(2, "900")}, event(Platform::whatsapp, "900")) == "2");
}

TEST_CASE("directory: WhatsApp's account_id is no routing key") {
  CHECK(found_among({account(1, Platform::whatsapp, "111")}, event(Platform::whatsapp, "111", "111")) ==
        "unknown_account");
}

TEST_CASE("directory: Instagram goes by page_id, account_id or a linked id") {
  Account one = instagram(1, "10");
  one.account_id = "11";
  one.linked_ids = {"12", "13"};
  const Directory directory({one}, {});
  for (const std::string key : {"10", "11", "12", "13"})
    CHECK_MESSAGE(found(directory, event(Platform::instagram, key)) == "1", key);
  CHECK(found(directory, event(Platform::instagram, "14")) == "unknown_account");
}

TEST_CASE("directory: a page_id is better than a linked id, and that than an account_id") {
  const Account by_page = instagram(1, "77");
  const Account by_account = account(2, Platform::instagram, "77");
  Account by_link = account(3, Platform::instagram);
  by_link.linked_ids = {"77"};
  const Event to_77 = event(Platform::instagram, "77");
  CHECK(found_among({by_link, by_account, by_page}, to_77) == "1");
  CHECK(found_among({by_page, by_account, by_link}, to_77) == "1");
  CHECK(found_among({by_link, by_account}, to_77) == "3");
  CHECK(found_among({by_account}, to_77) == "2");
}

TEST_CASE("directory: an id that one account has twice is no conflict") {
  Account one = instagram(1, "77");
  one.account_id = "77";
  one.linked_ids = {"77", "77"};
  CHECK(found_among({one}, event(Platform::instagram, "77")) == "1");
}

TEST_CASE("directory: Messenger goes by the Page, apart from Instagram") {
  const Directory directory({messenger(1, "50"), instagram(2, "50"), whatsapp(3, "50", "50")}, {});
  CHECK(found(directory, event(Platform::messenger, "50")) == "1");
  CHECK(found(directory, event(Platform::instagram, "50")) == "2");
  CHECK(found(directory, event(Platform::whatsapp, "50")) == "3");
  CHECK(found_among({instagram(2, "50")}, event(Platform::messenger, "50")) == "unknown_account");
}

TEST_CASE("directory: an empty key finds no account") {
  const Directory directory({whatsapp(1, ""), instagram(2, ""), messenger(3, "")}, {});
  for (const Platform platform : {Platform::whatsapp, Platform::instagram, Platform::messenger})
    CHECK(found(directory, event(platform, "")) == "unknown_account");
}

TEST_CASE("directory: inactive accounts receive nothing, and no other account inherits their events") {
  Account off = instagram(1, "77");
  off.active = false;
  const Event to_77 = event(Platform::instagram, "77");
  CHECK(found_among({off}, to_77) == "inactive_account");
  CHECK(found_among({off, account(2, Platform::instagram, "77")}, to_77) == "inactive_account");
  Account off_by_account = account(3, Platform::instagram, "77");
  off_by_account.active = false;
  CHECK(found_among({off_by_account, account(2, Platform::instagram, "77")}, to_77) == "ambiguous_account");
}

TEST_CASE("directory: two users who answer equally well get nothing") {
  const Event to_77 = event(Platform::instagram, "77");
  CHECK(found_among({account(1, Platform::instagram, "77"), account(2, Platform::instagram, "77")}, to_77) ==
        "ambiguous_account");
}

Event about_number(const std::string& waba, const std::string& display) {
  Event made = event(Platform::whatsapp, waba);
  made.key.display_phone_number = display;
  return made;
}

Account displayed(std::uint8_t number, const std::string& display, const std::string& waba = "") {
  Account made = whatsapp(number, std::to_string(number), waba);
  made.display_phone_number = display;
  return made;
}

TEST_CASE("directory: what is about a WABA goes to each active account of it, whosever") {
  Account off = whatsapp(3, "333", "900");
  off.active = false;
  CHECK(found_among({whatsapp(1, "111", "900"), whatsapp(2, "222", "900"), off, whatsapp(4, "444", "901")},
                    event(Platform::whatsapp, "900")) == "1 2");
  CHECK(found_among({off}, event(Platform::whatsapp, "900")) == "inactive_account");
}

TEST_CASE("directory: a display number is compared by its digits") {
  const Directory directory({displayed(1, "+1 (555) 010-01"), displayed(2, "1555010 02")}, {});
  CHECK(found(directory, about_number("900", "15550 1001")) == "1");
  CHECK(found(directory, about_number("900", "+155501002")) == "2");
  CHECK(found(directory, about_number("900", "155501003")) == "unknown_account");
  CHECK(found_among({displayed(1, "155501001"), displayed(2, "155501001")},
                    about_number("900", "155501001")) == "ambiguous_account");
}

TEST_CASE("directory: of a shared WABA, what is about one number goes to that number") {
  const Account one = displayed(1, "+1 555 01", "900"), two = displayed(2, "+1 555 02", "900"),
                untold = displayed(3, "", "900");
  CHECK(found_among({one, two, untold}, about_number("900", "155502")) == "2");
  CHECK(found_among({one, two, untold}, about_number("900", "155503")) == "3");
  CHECK(found_among({one, two}, about_number("900", "155503")) == "unknown_account");
}

TEST_CASE("directory: a partner's event is its customer's WABA's, not the partner's own") {
  Event event = test::event(Platform::whatsapp, "900");
  event.key.waba_id = "901";
  CHECK(found_among({whatsapp(1, "111", "900"), whatsapp(2, "222", "901")}, event) == "2");
  CHECK(found_among({whatsapp(1, "111", "900"), whatsapp(2, "901")}, event) == "unknown_account");
}

TEST_CASE("directory: a partner's event about a business goes to the accounts that are linked to it") {
  Account one = whatsapp(1, "111", "901"), two = whatsapp(2, "222", "902"), other = whatsapp(3, "333", "903");
  one.linked_ids = two.linked_ids = {"400"};
  other.linked_ids = {"401"};
  Event event = test::event(Platform::whatsapp, "903");
  event.key.business_id = "400";
  CHECK(found_among({one, two, other}, event) == "1 2");
  CHECK(found_among({other}, event) == "unknown_account");
  event.key.waba_id = "902";
  CHECK(found_among({one, two, other}, event) == "2");
  event.key.waba_id = "999";
  CHECK(found_among({one, two, other}, event) == "1 2");
  CHECK(found_among({one}, test::event(Platform::whatsapp, "400")) == "unknown_account");
}

TEST_CASE(
    "directory: a display number is learned where there is none, and nobody under the same secret has it") {
  const auto learns = [](std::vector<Account> accounts, const std::string& number) {
    SharedSecrets shared;
    shared.whatsapp = {"of the app"};
    const Directory directory(std::move(accounts), shared);
    std::vector<const Tenant*> tenants;
    const Signers all{.secrets = {}, .any_account = true};
    REQUIRE(directory.find(event(Platform::whatsapp, "", "1"), all, tenants).has_value());
    return directory.may_learn_display(*tenants.front(), number);
  };
  const Account untold = displayed(1, "");
  for (const char* number : {"+1 (555) 010-01", "155501001", "12345", "123456789012345"})
    CHECK_MESSAGE(learns({untold}, number), number);
  for (const char* number :
       {"", "1234", "1234567890123456", "15550100l", "1555\u0000", "1 5 5 5 0 1 0 0 0 0 0"})
    CHECK_MESSAGE(!learns({untold}, number), number);
  CHECK_FALSE(learns({displayed(1, "155501002")}, "155501001"));
  CHECK_FALSE(learns({untold, displayed(2, "+1 555 01001")}, "155501001"));
  Account off = displayed(2, "155501001");
  off.active = false;
  CHECK_FALSE(learns({untold, off}, "155501001"));
  // An account under another secret does not keep a number from being stored.
  Account own = displayed(2, "155501001");
  own.app_secrets = {"its own"};
  CHECK(learns({untold, own}, "155501001"));
}

TEST_CASE("directory: an account under a tenant's own secret hides no other account") {
  Account thief = displayed(1, "+1 555 01", "900");
  thief.app_secrets = {"thief's"};
  const SharedSecrets shared{.whatsapp = {"shared"}, .instagram = {}, .messenger = {}};
  const auto finds = [&](const Account& victim, const Event& event) {
    const Directory directory({thief, victim}, shared);
    const SecretIndex of_environment = 0;
    return test::found(directory, event, {.secrets = std::span(&of_environment, 1)});
  };
  CHECK(finds(displayed(2, "", "900"), about_number("900", "155501")) == "2");
  CHECK(finds(displayed(2, "155501"), about_number("900", "155501")) == "2");
  CHECK(finds(whatsapp(2, "900"), event(Platform::whatsapp, "900")) == "2");
  CHECK(finds(displayed(2, "155502"), about_number("900", "155501")) == "secret_mismatch");
  CHECK(finds(displayed(2, "155502"), event(Platform::whatsapp, "900")) == "secret_mismatch");
}

TEST_CASE("directory: of one user's accounts that answer equally well, the first gets it") {
  const Account first = account(1, Platform::instagram, "77");
  Account second = account(2, Platform::instagram, "77");
  second.user_id = first.user_id;
  CHECK(found_among({first, second}, event(Platform::instagram, "77")) == "1");
  CHECK(found_among({second, first}, event(Platform::instagram, "77")) == "2");
}

TEST_CASE("directory: refusals are quarantine's reasons") {
  CHECK(to_string(Refusal::unknown_account) == "unknown_account");
  CHECK(to_string(Refusal::inactive_account) == "inactive_account");
  CHECK(to_string(Refusal::secret_mismatch) == "secret_mismatch");
  CHECK(to_string(Refusal::ambiguous_account) == "ambiguous_account");
}

TEST_CASE("tenant: wants what it asked for") {
  Tenant tenant;
  CHECK(tenant.wants("messages"));
  tenant.account.webhook_events = std::vector<std::string>{"messages", "comments"};
  CHECK(tenant.wants("comments"));
  CHECK_FALSE(tenant.wants("message_reads"));
  CHECK_FALSE(tenant.wants("Messages"));
  tenant.account.webhook_events = std::vector<std::string>();
  CHECK_FALSE(tenant.wants("messages"));
}

TEST_CASE("directory: verify tokens are those of active accounts") {
  Account one = whatsapp(1, "111");
  one.verify_token = "a token that is too long to be kept inside a string";
  Account off = whatsapp(2, "222");
  off.verify_token = "off";
  off.active = false;
  Directory directory({one, off, whatsapp(3, "333")}, {});
  const Directory moved = std::move(directory);
  CHECK(moved.verify_tokens() == std::vector<std::string_view>{one.verify_token});
  CHECK(moved.size() == 3);
}

TEST_CASE("directory: a hundred thousand accounts") {
  constexpr std::size_t accounts_max = 100'000;
  std::vector<Account> accounts;
  for (std::size_t i = 0; i < accounts_max; ++i) {
    Account made = whatsapp(1, std::to_string(1'000'000 + i), "waba " + std::to_string(i));
    made.app_secrets = {"secret " + std::to_string(i)};
    made.linked_ids = {std::to_string(i)};
    accounts.push_back(made);
  }
  accounts.back().id = numbered(2);
  const Directory directory(std::move(accounts), {});
  CHECK(directory.size() == accounts_max);
  CHECK(directory.secrets().size() == accounts_max);
  CHECK(found(directory, event(Platform::whatsapp, "", "1000000")) == "1");
  CHECK(found(directory, event(Platform::whatsapp, "", "1099999")) == "2");
  CHECK(found(directory, event(Platform::whatsapp, "waba 99999")) == "2");
}

}  // namespace
}  // namespace socialsync::route
