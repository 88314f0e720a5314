#include <optional>

#include <doctest/doctest.h>

#include "store/accounts.hpp"
#include "store/first_tenant.hpp"
#include "support/database.hpp"

namespace socialsync::store {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Values = std::vector<std::string>;

const crypto::SecretKeys no_keys;

asio::awaitable<std::vector<model::Account>> load_all() {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  const pg::ResultSet rows = co_await select_accounts(*connection);
  co_return read_accounts(rows, no_keys).accounts;
}

std::vector<model::Account> load() { return test::run(load_all()); }

model::Account load_only() {
  const std::vector<model::Account> accounts = load();
  REQUIRE(accounts.size() == 1);
  return accounts.front();
}

asio::awaitable<void> record_all(std::vector<Sighting> sightings) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  co_await record_sightings(*connection, sightings);
}

void record(std::vector<Sighting> sightings) { test::run(record_all(std::move(sightings))); }

TEST_CASE("store: an account with everything") {
  test::clear_database();
  const test::AccountIds ids = test::insert_account(
      "whatsapp_business", {{"phone_number_id", "'111'"},
                            {"page_id", "'222'"},
                            {"display_phone_number", "'+33 7'"},
                            {"webhook_metadata", R"('{"ids": ["a", 17841400000000000], "waba_id": "900"}')"},
                            {"app_secret", "'new, old'"},
                            {"verify_token", "'token'"},
                            {"webhook_events", "'{messages,comments}'"}});
  const model::Account account = load_only();
  CHECK(account.id == ids.id);
  CHECK(account.user_id == ids.user_id);
  CHECK(account.platform == model::Platform::whatsapp);
  CHECK(account.platform_label == "whatsapp_business");
  CHECK(account.active);
  CHECK(account.account_id.size() == 36);
  CHECK(account.phone_number_id == "111");
  CHECK(account.page_id == "222");
  CHECK(account.display_phone_number == "+33 7");
  CHECK(account.linked_ids == Values{"a", "17841400000000000"});
  CHECK(account.waba_id == "900");
  CHECK(account.app_secrets == Values{"new", "old"});
  CHECK(account.verify_token == "token");
  CHECK(account.webhook_events == Values{"messages", "comments"});
}

TEST_CASE("store: an account with nothing") {
  test::clear_database();
  test::insert_account("facebook", {{"webhook_metadata", "NULL"}});
  const model::Account account = load_only();
  CHECK(account.platform == model::Platform::messenger);
  CHECK(account.platform_label == "facebook");
  CHECK(account.phone_number_id == "");
  CHECK(account.linked_ids.empty());
  CHECK(account.waba_id == "");
  CHECK(account.app_secrets.empty());
  CHECK(account.webhook_events == std::nullopt);
}

TEST_CASE("store: an account that asked for no event at all") {
  test::clear_database();
  test::insert_account("facebook", {{"webhook_events", "'{}'"}});
  CHECK(load_only().webhook_events == Values{});
}

TEST_CASE("store: metadata of another shape does no harm") {
  for (const std::string metadata :
       {"'[1, 2]'", "'7'", R"('{"ids": "a"}')", R"('{"ids": {"a": 1}}')", "'null'"}) {
    test::clear_database();
    test::insert_account("facebook", {{"webhook_metadata", metadata}});
    CHECK_MESSAGE(load_only().linked_ids.empty(), metadata);
  }
}

TEST_CASE("store: accounts of the platforms that send webhooks, oldest first, inactive ones too") {
  test::clear_database();
  test::insert_account("instagram",
                       {{"page_id", "'1'"}, {"created_at", "'2024-03-01'"}, {"is_active", "false"}});
  test::insert_account("whatsapp", {{"phone_number_id", "'2'"}, {"created_at", "'2024-01-01'"}});
  test::insert_account("twitter");
  test::insert_account("facebook", {{"created_at", "'2024-02-01'"}});
  const std::vector<model::Account> accounts = load();
  REQUIRE(accounts.size() == 3);
  CHECK(accounts[0].platform_label == "whatsapp");
  CHECK(accounts[1].platform_label == "facebook");
  CHECK(accounts[2].platform_label == "instagram");
  CHECK(accounts[1].active);
  CHECK_FALSE(accounts[2].active);
}

TEST_CASE("store: a sighting turns an account active, and its time never goes back") {
  test::clear_database();
  const Uuid id = test::insert_account("facebook").id;
  const std::string seen =
      "SELECT concat_ws('|', webhook_status, extract(epoch FROM last_webhook_at)) FROM "
      "public.social_accounts";
  CHECK(test::query(seen) == Values{"inactive"});
  record({{.account_id = id, .received_ms = 1'760'000'000'500, .waba_id = ""}});
  CHECK(test::query(seen) == Values{"active|1760000000.500000"});
  record({{.account_id = id, .received_ms = 1'750'000'000'000, .waba_id = ""}});
  CHECK(test::query(seen) == Values{"active|1760000000.500000"});
}

TEST_CASE("store: a learned WABA id joins the metadata there is") {
  test::clear_database();
  const Uuid one =
      test::insert_account("whatsapp", {{"phone_number_id", "'1'"}, {"webhook_metadata", R"('{"a": 1}')"}})
          .id;
  const Uuid two =
      test::insert_account("whatsapp", {{"phone_number_id", "'2'"}, {"webhook_metadata", "NULL"}}).id;
  const Uuid odd =
      test::insert_account("whatsapp", {{"phone_number_id", "'3'"}, {"webhook_metadata", "'[7]'"}}).id;
  record({{.account_id = one, .received_ms = 1, .waba_id = "900"},
          {.account_id = two, .received_ms = 1, .waba_id = "901"},
          {.account_id = odd, .received_ms = 1, .waba_id = "902"},
          {.account_id = Uuid(), .received_ms = 1, .waba_id = "903"}});
  CHECK(test::query("SELECT webhook_metadata FROM public.social_accounts ORDER BY phone_number_id") ==
        Values{R"({"a": 1, "waba_id": "900"})", R"({"waba_id": "901"})", "[7]"});
}

TEST_CASE(
    "store: a display number is learned where there is none, and by one of those that are told the same") {
  test::clear_database();
  const auto insert = [](const std::string& number, const std::string& display, const std::string& secret) {
    return test::insert_account(
               "whatsapp",
               {{"phone_number_id", number}, {"display_phone_number", display}, {"app_secret", secret}})
        .id;
  };
  const Uuid told = insert("'1'", "NULL", "NULL"), set = insert("'2'", "'15550002'", "NULL"),
             taken = insert("'3'", "''", "''"), own = insert("'4'", "NULL", "'its own'"),
             first = insert("'5'", "NULL", "NULL"), second = insert("'6'", "NULL", "NULL");
  const auto sighting = [](const Uuid& id, const std::string& number) {
    return Sighting{.account_id = id, .received_ms = 1, .display_phone_number = number};
  };
  for (int again = 0; again < 2; ++again) {
    record({sighting(told, "+1 555 0001"), sighting(set, "15550009"), sighting(taken, "+1 555-0002"),
            sighting(own, "1 555 0002"), sighting(first, "15550007"), sighting(second, "+15550007")});
  }
  CHECK(test::query("SELECT coalesce(nullif(display_phone_number, ''), '-') FROM public.social_accounts "
                    "WHERE phone_number_id < '5' ORDER BY phone_number_id") ==
        Values{"+1 555 0001", "15550002", "-", "1 555 0002"});
  CHECK(test::query(
            "SELECT count(display_phone_number) FROM public.social_accounts WHERE phone_number_id >= '5'") ==
        Values{"1"});
}

// True when another connection's sighting makes gateways read the accounts again.
asio::awaitable<bool> announces(Sighting sighting) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  co_await listen_for_account_changes(*connection);
  record({std::move(sighting)});
  const bool any = co_await connection->notified(100ms);
  co_return any;
}

TEST_CASE("store: only what changes routing is announced") {
  test::clear_database();
  const Uuid id = test::insert_account("whatsapp", {{"phone_number_id", "'1'"}}).id;
  CHECK_FALSE(test::run(announces({.account_id = id, .received_ms = 1, .waba_id = ""})));
  CHECK(test::run(announces({.account_id = id, .received_ms = 2, .waba_id = "900"})));
  CHECK(test::run(announces({.account_id = id, .received_ms = 3, .display_phone_number = "15550001"})));
  CHECK_FALSE(test::run(announces({.account_id = id, .received_ms = 4, .display_phone_number = "15550009"})));
}

using Task = asio::awaitable<void> (*)(pg::Connection& connection);

asio::awaitable<void> over_own_connection(Task task) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  co_await task(*connection);
}

TEST_CASE("store: the first tenant is made from the settings, and brought up to date") {
  test::clear_database();
  test::run(over_own_connection([](pg::Connection& connection) -> asio::awaitable<void> {
    FirstAccount account{"whatsapp_business", "683", "access", "new, old", "verify"};
    co_await upsert_first_account(connection, account, no_keys);
    account.app_secret = "newer";
    account.verify_token = "";
    co_await upsert_first_account(connection, account, no_keys);
    const FirstAccount instagram{"instagram", "178", "", "", ""};
    co_await upsert_first_account(connection, instagram, no_keys);
    co_await make_demo_account(connection, false);
  }));
  CHECK(test::query(
            "SELECT concat_ws('|', platform, account_id, phone_number_id, page_id, access_token, app_secret, "
            "verify_token) FROM public.social_accounts ORDER BY created_at") ==
        Values{"whatsapp_business|683|683|access|newer", "instagram|178|178"});
  CHECK(test::query("SELECT count(*) FROM public.users") == Values{"1"});
}

TEST_CASE("store: a demo account is made once, with secrets of its own") {
  test::clear_database();
  for (int i = 0; i < 2; ++i) {
    test::run(over_own_connection([](pg::Connection& connection) -> asio::awaitable<void> {
      co_await make_demo_account(connection, false);
    }));
  }
  CHECK(test::query(
            "SELECT concat_ws('|', account_id, phone_number_id, length(app_secret), length(verify_token)) "
            "FROM public.social_accounts") == Values{"wa_test_123|683178638221369|32|32"});
}

asio::awaitable<std::string> secret_of(std::string key, crypto::SecretKeys keys = {}) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  const std::optional<std::string> secret = co_await find_app_secret(*connection, key, keys);
  co_return secret.value_or("(none)");
}

asio::awaitable<std::string> any_number() {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  const std::optional<std::string> number = co_await any_phone_number_id(*connection);
  co_return number.value_or("(none)");
}

TEST_CASE("store: an account's newest secret is found by any of its ids") {
  test::clear_database();
  CHECK(test::run(any_number()) == "(none)");
  test::insert_account("whatsapp", {{"phone_number_id", "'111'"}, {"app_secret", "' new , old'"}});
  test::insert_account("instagram", {{"page_id", "'222'"}, {"app_secret", "'of instagram'"}});
  test::insert_account("whatsapp", {{"phone_number_id", "'333'"}});
  CHECK(test::run(secret_of("111")) == "new");
  CHECK(test::run(secret_of("222")) == "of instagram");
  CHECK(test::run(secret_of("333")) == "(none)");
  CHECK(test::run(secret_of("444")) == "(none)");
  CHECK(test::run(any_number()) == "111");
}

crypto::SecretKeys keys_of(std::uint8_t filling) {
  crypto::SecretKey::Bytes bytes;
  bytes.fill(filling);
  return crypto::SecretKeys({crypto::SecretKey(bytes)});
}

void seal_app_secret(const std::string& plain, const crypto::SecretKeys& keys) {
  const std::string id = test::query("SELECT id FROM public.social_accounts").front();
  const std::string sealed = keys.seal(plain, crypto::account_place(id, "app_secret"));
  test::query("UPDATE public.social_accounts SET app_secret = '" + sealed + "'");
}

asio::awaitable<void> upsert_again(FirstAccount account, crypto::SecretKeys keys) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  co_await upsert_first_account(*connection, account, keys);
}

TEST_CASE("store: an encrypted secret is decrypted, or reported as unreadable") {
  test::clear_database();
  test::insert_account("whatsapp", {{"phone_number_id", "'111'"}});
  seal_app_secret("new,old", keys_of(1));
  CHECK(test::run(secret_of("111", keys_of(1))) == "new");
  CHECK_THROWS_AS(test::run(secret_of("111", keys_of(2))), SealedAppSecret);
  CHECK_THROWS_AS(test::run(secret_of("111")), SealedAppSecret);
}

TEST_CASE("store: the first tenant's encrypted secret is kept while it equals the setting") {
  test::clear_database();
  const FirstAccount same{"whatsapp_business", "683", "", "secret", ""};
  const FirstAccount other{"whatsapp_business", "683", "", "another", ""};
  test::run(upsert_again(same, keys_of(1)));
  seal_app_secret("secret", keys_of(1));
  const Values sealed = test::query("SELECT app_secret FROM public.social_accounts");
  test::run(upsert_again(same, keys_of(1)));
  CHECK(test::query("SELECT app_secret FROM public.social_accounts") == sealed);
  // Its value is unknown until the first load.
  test::run(upsert_again(other, keys_of(2)));
  CHECK(test::query("SELECT app_secret FROM public.social_accounts") == sealed);
  test::run(upsert_again(other, keys_of(1)));
  CHECK(test::query("SELECT app_secret FROM public.social_accounts") == Values{"another"});
}

}  // namespace
}  // namespace socialsync::store
