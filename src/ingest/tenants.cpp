#include "ingest/tenants.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

#include "base/log.hpp"
#include "net/within.hpp"
#include "route/changes.hpp"
#include "store/accounts.hpp"
#include "store/endpoints.hpp"

namespace socialsync::ingest {

namespace asio = boost::asio;

namespace {

struct Rows {
  pg::ResultSet accounts;
  pg::ResultSet endpoints;
};

asio::awaitable<std::shared_ptr<Rows>> read_rows(pg::Connection& connection) {
  pg::ResultSet accounts = co_await store::select_accounts(connection);
  pg::ResultSet endpoints = co_await store::select_endpoint_routes(connection);
  co_return std::make_shared<Rows>(std::move(accounts), std::move(endpoints));
}

void add_endpoints(std::vector<model::Account>& accounts, store::EndpointRoutes& routes) {
  for (model::Account& account : accounts) {
    const auto [begin, end] = std::ranges::equal_range(routes.of_accounts, account.id, {},
                                                       &std::pair<Uuid, model::AccountEndpoint>::first);
    for (auto at = begin; at != end; ++at) account.endpoints.push_back(std::move(at->second));
  }
}

std::shared_ptr<const Tenants> tenants_of(const Rows& rows, const route::SharedSecrets& shared,
                                          const crypto::SecretKeys& keys) {
  store::AccountsRead read = store::read_accounts(rows.accounts, keys);
  std::ranges::sort(read.unreadable);
  store::EndpointRoutes routes = store::read_endpoint_routes(rows.endpoints);
  add_endpoints(read.accounts, routes);
  route::Directory directory(std::move(read.accounts), shared);
  auto tenants =
      std::make_shared<Tenants>(std::move(directory), std::move(read.unreadable), std::move(routes.of_app));
  tenants->any_opened = read.any_opened;
  return tenants;
}

struct Built {
  std::shared_ptr<const Tenants> tenants;
  KeyChanges changes;
};

asio::awaitable<Built> build(std::shared_ptr<const Rows> rows, const route::SharedSecrets& shared,
                             const crypto::SecretKeys& keys, std::shared_ptr<const Tenants> before) {
  Built built{.tenants = tenants_of(*rows, shared, keys), .changes = {.is_all = !before}};
  if (before) built.changes.keys = route::changed_keys(before->directory, built.tenants->directory);
  co_return built;
}

constexpr std::size_t warned_at_once_max = 20;

bool is_of_unknown_key(const store::UnreadableSecret& secret) {
  return secret.why == crypto::OpenError::unknown_key;
}

// Logs each unreadable secret once, until it changes.
void warn_of(const std::vector<store::UnreadableSecret>& unreadable,
             const std::vector<store::UnreadableSecret>& before) {
  std::vector<store::UnreadableSecret> news;
  std::ranges::set_difference(unreadable, before, std::back_inserter(news));
  for (std::size_t i = 0; i < std::min(news.size(), warned_at_once_max); ++i)
    log::warning("encrypted secret unreadable", {{"account", news[i].account_id},
                                                 {"column", news[i].column},
                                                 {"why", to_string(news[i].why)},
                                                 {"key", news[i].key_id}});
  if (news.size() > warned_at_once_max)
    log::warning("more encrypted secrets unreadable: socialsync secrets status counts them",
                 {{"more", news.size() - warned_at_once_max}});
}

std::string describe(const std::vector<store::UnreadableSecret>& unreadable) {
  std::map<std::string, std::set<std::string>> accounts_by_key;
  for (const store::UnreadableSecret& secret : unreadable) {
    if (is_of_unknown_key(secret)) accounts_by_key[secret.key_id].insert(secret.account_id);
  }
  std::string text;
  for (const auto& [key, accounts] : accounts_by_key)
    text += fmt::format("{} account(s) have secrets encrypted under key {}, which is not configured: {}{}\n",
                        accounts.size(), key, *accounts.begin(), accounts.size() > 1 ? ", …" : "");
  return text + "Add that key after the first one in SOCIALSYNC_SECRETS_KEY (or the file of keys)";
}

}  // namespace

UnknownSecretsKey::UnknownSecretsKey(const std::vector<store::UnreadableSecret>& unreadable)
    : std::runtime_error(describe(unreadable)) {}

asio::awaitable<std::shared_ptr<const Tenants>> read_tenants(pg::Connection& connection,
                                                             route::SharedSecrets shared,
                                                             crypto::SecretKeys keys) {
  const std::shared_ptr<Rows> rows = co_await read_rows(connection);
  co_return tenants_of(*rows, shared, keys);
}

std::chrono::steady_clock::duration TenantKeeper::age() const {
  if (!current_) return {};
  return std::chrono::steady_clock::now() - loaded_at_;
}

asio::awaitable<void> TenantKeeper::load(pg::Connection& connection) {
  auto reading = read_rows(connection);
  std::shared_ptr<Rows> rows = co_await net::within(limits_.read_timeout, std::move(reading));
  auto building = build(std::move(rows), shared_, keys_, current_);
  Built built = co_await asio::co_spawn(builder_, std::move(building), asio::use_awaitable);
  const std::vector<store::UnreadableSecret>& unreadable = built.tenants->unreadable;
  const bool lacks_key = std::ranges::any_of(unreadable, is_of_unknown_key) && !built.tenants->any_opened;
  if (!current_ && lacks_key) throw UnknownSecretsKey(unreadable);
  warn_of(unreadable, current_ ? current_->unreadable : std::vector<store::UnreadableSecret>());
  current_.swap(built.tenants);
  changes_.is_all = changes_.is_all || built.changes.is_all;
  std::ranges::move(built.changes.keys, std::back_inserter(changes_.keys));
  ++loads_;
  // Freeing the old directory is slow too.
  asio::post(builder_, [old = std::move(built.tenants)] {});
  loaded_at_ = std::chrono::steady_clock::now();
  log::debug("tenant directory loaded", {{"accounts", current_->directory.size()}});
}

asio::awaitable<void> TenantKeeper::run(pg::Connection& connection) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer gap(executor);
  // LISTEN before the first load, so that a change in between is notified.
  co_await store::listen_for_account_changes(connection);
  co_await store::listen_for_endpoint_changes(connection);
  for (;;) {
    const auto began = std::chrono::steady_clock::now();
    co_await load(connection);
    co_await connection.notified(limits_.reload_interval);
    // A large directory is loaded for at most a tenth of the time.
    const auto pause =
        std::max<std::chrono::steady_clock::duration>(limits_.reload_gap_min, 10 * (loaded_at_ - began));
    gap.expires_at(loaded_at_ + pause);
    co_await gap.async_wait(asio::use_awaitable);
  }
}

}  // namespace socialsync::ingest
