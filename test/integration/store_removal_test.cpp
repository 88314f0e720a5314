#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "store/erasure.hpp"
#include "support/database.hpp"

namespace socialsync::store {
namespace {

namespace asio = boost::asio;
using Values = std::vector<std::string>;

asio::awaitable<RemovedAccount> remove_over_connection(Uuid id) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  const RemovedAccount removed = co_await remove_account(*connection, id);
  co_return removed;
}

RemovedAccount remove(const Uuid& id) { return test::run(remove_over_connection(id)); }

void insert_logs(const Uuid& account, int count) {
  test::query(
      "INSERT INTO public.webhook_logs (social_account_id, platform, webhook_type, payload) "
      "SELECT '" +
      to_string(account) + "', 'whatsapp', 'messages', '{}' FROM generate_series(1, " +
      std::to_string(count) + ")");
}

void insert_quarantined(const std::string& key, int count) {
  test::query(
      "INSERT INTO public.webhook_quarantine (reason, platform, routing_key, body) "
      "SELECT 'unknown_account', 'whatsapp', '" +
      key + "', 'four' FROM generate_series(1, " + std::to_string(count) + ")");
}

TEST_CASE("store: an account goes with its events, what waits under its keys and their identities") {
  test::clear_database();
  const auto shared = std::pair<std::string, std::string>("webhook_metadata", R"('{"waba_id": "900"}')");
  const test::AccountIds gone = test::insert_account("whatsapp", {{"phone_number_id", "'111'"}, shared});
  const test::AccountIds stays = test::insert_account("whatsapp", {{"phone_number_id", "'222'"}, shared});
  insert_logs(gone.id, 4500);
  insert_logs(stays.id, 3);
  insert_quarantined("111", 1200);
  insert_quarantined("222", 2);
  insert_quarantined("900", 1);  // the WABA is the other's, too
  test::query("DELETE FROM socialsync.webhook_event_keys");
  test::query(
      "INSERT INTO socialsync.webhook_event_keys (key, log_id) "
      "SELECT gen_random_uuid(), id FROM public.webhook_logs");

  const RemovedAccount removed = remove(gone.id);
  CHECK(removed.found);
  CHECK(removed.logs == 4500);
  CHECK(removed.quarantined == 1200);
  CHECK(removed.quarantine_bytes == 4800);
  CHECK(removed.identity_keys == 4500);
  CHECK(test::query("SELECT id FROM public.social_accounts") == Values{to_string(stays.id)});
  CHECK(test::query("SELECT count(*) FROM public.webhook_logs") == Values{"3"});
  CHECK(test::query("SELECT count(*) FROM socialsync.webhook_event_keys") == Values{"3"});
  CHECK(test::query("SELECT DISTINCT routing_key FROM public.webhook_quarantine ORDER BY 1") ==
        Values{"222", "900"});
}

TEST_CASE("store: an account that is not there") {
  test::clear_database();
  const RemovedAccount removed = remove(Uuid());
  CHECK_FALSE(removed.found);
  CHECK(removed.logs == 0);
}

}  // namespace
}  // namespace socialsync::store
