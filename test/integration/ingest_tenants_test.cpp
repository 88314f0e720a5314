#include <optional>
#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

#include "ingest/sightings.hpp"
#include "ingest/tenants.hpp"
#include "support/database.hpp"

namespace socialsync::ingest {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using test::insert_account;
using test::query;
using test::until;
using Values = std::vector<std::string>;

// Only notifications make this one read again.
const TenantKeeperLimits by_notification_only{.reload_interval = 1h, .reload_gap_min = 1ms};

// Runs until the connection fails.
asio::awaitable<void> keep(TenantKeeper& keeper, pg::Connection& connection,
                           std::optional<pg::ErrorKind>& ended) {
  try {
    co_await keeper.run(connection);
  } catch (const pg::Error& error) {
    ended = error.kind();
  }
}

using Story = asio::awaitable<void> (*)(TenantKeeper& keeper);

// Tells the story once the keeper has loaded, then takes its connection away.
asio::awaitable<void> run_beside_keeper(TenantKeeperLimits limits, Story story) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  TenantKeeper keeper({.whatsapp = {"shared"}, .instagram = {}, .messenger = {}}, limits);
  CHECK_FALSE(keeper.current());
  CHECK(keeper.age() == 0s);
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  std::optional<pg::ErrorKind> ended;
  asio::co_spawn(executor, keep(keeper, *connection, ended), asio::detached);
  auto waiting = until([&] { return keeper.current() != nullptr; });
  const bool loaded = co_await std::move(waiting);
  REQUIRE(loaded);
  co_await story(keeper);
  const auto last = keeper.current();
  query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      "WHERE datname = current_database() AND pid <> pg_backend_pid()");
  waiting = until([&] { return ended.has_value(); });
  const bool has_ended = co_await std::move(waiting);
  REQUIRE(has_ended);
  CHECK(*ended == pg::ErrorKind::connection);
  CHECK(keeper.current() == last);
}

TEST_CASE("tenants: every change of an account's routing is seen at once") {
  test::clear_database();
  insert_account("whatsapp", {{"phone_number_id", "'111'"}, {"verify_token", "'token'"}});
  test::run(run_beside_keeper(by_notification_only, [](TenantKeeper& keeper) -> asio::awaitable<void> {
    CHECK(keeper.current()->directory.size() == 1);
    CHECK(keeper.current()->directory.verify_tokens().size() == 1);
    CHECK(keeper.current()->directory.secrets() == Values{"shared"});

    insert_account("whatsapp", {{"phone_number_id", "'222'"}, {"app_secret", "'own'"}});
    auto waiting = until([&] { return keeper.current()->directory.size() == 2; });
    bool seen = co_await std::move(waiting);
    CHECK(seen);
    CHECK(keeper.current()->keyring.size() == 2);

    query("UPDATE public.social_accounts SET app_secret = 'own, other' WHERE phone_number_id = '222'");
    waiting = until([&] { return keeper.current()->directory.secrets().size() == 3; });
    seen = co_await std::move(waiting);
    CHECK(seen);

    query("UPDATE public.social_accounts SET is_active = false WHERE phone_number_id = '111'");
    waiting = until([&] { return keeper.current()->directory.verify_tokens().empty(); });
    seen = co_await std::move(waiting);
    CHECK(seen);

    query("DELETE FROM public.social_accounts WHERE phone_number_id = '222'");
    waiting = until([&] { return keeper.current()->directory.size() == 1; });
    seen = co_await std::move(waiting);
    CHECK(seen);
  }));
}

TEST_CASE("tenants: a directory that is in use stays as it was") {
  test::clear_database();
  test::run(run_beside_keeper(by_notification_only, [](TenantKeeper& keeper) -> asio::awaitable<void> {
    const auto in_use = keeper.current();
    insert_account("whatsapp", {{"phone_number_id", "'222'"}});
    auto waiting = until([&] { return keeper.current()->directory.size() == 1; });
    const bool seen = co_await std::move(waiting);
    CHECK(seen);
    CHECK(in_use->directory.size() == 0);
  }));
}

TEST_CASE("tenants: without a notification they are read again after a while") {
  test::clear_database();
  const TenantKeeperLimits limits{.reload_interval = 20ms, .reload_gap_min = 1ms};
  test::run(run_beside_keeper(limits, [](TenantKeeper& keeper) -> asio::awaitable<void> {
    query("ALTER TABLE public.social_accounts DISABLE TRIGGER socialsync_accounts_changed");
    insert_account("whatsapp", {{"phone_number_id", "'222'"}});
    query("ALTER TABLE public.social_accounts ENABLE TRIGGER socialsync_accounts_changed");
    auto waiting = until([&] { return keeper.current()->directory.size() == 1; });
    const bool seen = co_await std::move(waiting);
    CHECK(seen);
    CHECK(keeper.age() < 1min);
  }));
}

// --- Sightings

route::Tenant tenant_of(const test::AccountIds& ids, std::string waba_id = "") {
  route::Tenant tenant;
  tenant.account.id = ids.id;
  tenant.account.phone_number_id = "111";
  tenant.account.waba_id = std::move(waba_id);
  return tenant;
}

constexpr const char* last_seen =
    "SELECT coalesce(extract(epoch FROM last_webhook_at)::bigint::text, 'never') || '|' || "
    "coalesce(webhook_metadata ->> 'waba_id', 'none') FROM public.social_accounts";

asio::awaitable<void> write_due(Sightings& sightings) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  co_await sightings.write_due(*connection);
}

asio::awaitable<void> flush(Sightings& sightings) {
  const std::unique_ptr<pg::Connection> connection = co_await test::connect();
  co_await sightings.flush(*connection);
}

TEST_CASE("sightings: one update for all that came in an interval") {
  test::clear_database();
  const route::Tenant tenant = tenant_of(insert_account("whatsapp", {{"phone_number_id", "'111'"}}));
  Sightings sightings(1h);
  sightings.note(tenant, 5'000, {.waba_id = "900", .display_phone_number = ""});
  sightings.note(tenant, 4'000, {.waba_id = "", .display_phone_number = ""});
  test::run(write_due(sightings));
  CHECK(query(last_seen) == Values{"5|900"});
  sightings.note(tenant, 9'000, {.waba_id = "", .display_phone_number = ""});
  test::run(write_due(sightings));
  CHECK(query(last_seen) == Values{"5|900"});
  test::run(flush(sightings));
  CHECK(query(last_seen) == Values{"9|900"});
}

TEST_CASE("sightings: a WABA id that is known, or is the number itself, is not learned") {
  test::clear_database();
  const test::AccountIds ids = insert_account("whatsapp", {{"phone_number_id", "'111'"}});
  Sightings sightings(0ms);
  sightings.note(tenant_of(ids, "900"), 5'000, {.waba_id = "900", .display_phone_number = ""});
  sightings.note(tenant_of(ids), 5'000, {.waba_id = "111", .display_phone_number = ""});
  test::run(write_due(sightings));
  CHECK(query(last_seen) == Values{"5|none"});
}

TEST_CASE("sightings: what could not be written stays") {
  test::clear_database();
  const route::Tenant tenant = tenant_of(insert_account("whatsapp", {{"phone_number_id", "'111'"}}));
  Sightings sightings(1h);
  sightings.note(tenant, 5'000, {.waba_id = "900", .display_phone_number = ""});
  query("ALTER TABLE public.social_accounts RENAME TO away");
  CHECK_THROWS_AS(test::run(write_due(sightings)), pg::Error);
  query("ALTER TABLE public.away RENAME TO social_accounts");
  test::run(write_due(sightings));
  CHECK(query(last_seen) == Values{"5|900"});
}

}  // namespace
}  // namespace socialsync::ingest
