#include "ingest/tenants.hpp"

#include <algorithm>
#include <iterator>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "net/within.hpp"
#include "route/changes.hpp"
#include "store/accounts.hpp"

namespace socialsync::ingest {

namespace asio = boost::asio;

namespace {

asio::awaitable<std::shared_ptr<pg::ResultSet>> read_rows(pg::Connection& connection) {
  pg::ResultSet rows = co_await store::select_accounts(connection);
  co_return std::make_shared<pg::ResultSet>(std::move(rows));
}

struct Built {
  std::shared_ptr<const Tenants> tenants;
  KeyChanges changes;
};

asio::awaitable<Built> build(pg::ResultSet rows, const route::SharedSecrets& shared,
                             std::shared_ptr<const Tenants> before) {
  Built built{
      .tenants = std::make_shared<const Tenants>(route::Directory(store::read_accounts(rows), shared)),
      .changes = {.is_all = !before}};
  if (before) built.changes.keys = route::changed_keys(before->directory, built.tenants->directory);
  co_return built;
}

}  // namespace

asio::awaitable<std::shared_ptr<const Tenants>> read_tenants(pg::Connection& connection,
                                                             route::SharedSecrets shared) {
  const pg::ResultSet rows = co_await store::select_accounts(connection);
  co_return std::make_shared<const Tenants>(route::Directory(store::read_accounts(rows), shared));
}

std::chrono::steady_clock::duration TenantKeeper::age() const {
  if (!current_) return {};
  return std::chrono::steady_clock::now() - loaded_at_;
}

asio::awaitable<void> TenantKeeper::load(pg::Connection& connection) {
  auto reading = read_rows(connection);
  std::shared_ptr<pg::ResultSet> found = co_await net::within(limits_.read_timeout, std::move(reading));
  pg::ResultSet rows = std::move(*found);
  auto building = build(std::move(rows), shared_, current_);
  Built built = co_await asio::co_spawn(builder_, std::move(building), asio::use_awaitable);
  current_.swap(built.tenants);
  changes_.is_all = changes_.is_all || built.changes.is_all;
  std::ranges::move(built.changes.keys, std::back_inserter(changes_.keys));
  // Freeing the old one takes long too.
  asio::post(builder_, [old = std::move(built.tenants)] {});
  loaded_at_ = std::chrono::steady_clock::now();
  log::debug("tenant directory loaded", {{"accounts", current_->directory.size()}});
}

asio::awaitable<void> TenantKeeper::run(pg::Connection& connection) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer gap(executor);
  // LISTEN before the first load: a change between the two is then announced, not missed.
  co_await store::listen_for_account_changes(connection);
  for (;;) {
    const auto began = std::chrono::steady_clock::now();
    co_await load(connection);
    co_await connection.notified(limits_.reload_interval);
    // A large directory is not read more than a tenth of the time.
    const auto pause =
        std::max<std::chrono::steady_clock::duration>(limits_.reload_gap_min, 10 * (loaded_at_ - began));
    gap.expires_at(loaded_at_ + pause);
    co_await gap.async_wait(asio::use_awaitable);
  }
}

}  // namespace socialsync::ingest
