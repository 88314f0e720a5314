// The tenants as of one moment, and the coroutine that keeps that moment recent.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include "crypto/secret_box.hpp"
#include "pg/connection.hpp"
#include "route/directory.hpp"
#include "store/accounts.hpp"
#include "verify/signature.hpp"

namespace socialsync::ingest {

// Immutable but for the keyring's lazily expanded keys.
struct Tenants {
  explicit Tenants(route::Directory built, std::vector<store::UnreadableSecret> not_ours = {},
                   std::vector<model::AccountEndpoint> endpoints_of_app = {})
      : directory(std::move(built)),
        keyring(directory.secrets()),
        app_endpoints(std::move(endpoints_of_app)),
        unreadable(std::move(not_ours)) {}
  Tenants(const Tenants&) = delete;
  Tenants& operator=(const Tenants&) = delete;

  route::Directory directory;
  verify::Keyring keyring;
  std::vector<model::AccountEndpoint> app_endpoints;  // of what is no account's
  std::vector<store::UnreadableSecret> unreadable;    // sealed, and not for us to open
  bool any_opened = false;                            // others were
};

// The first load found secrets under keys that we do not have, and could open none. what() says which, and
// what to set. (Where some open the keys are right, and one value that somebody wrote must not stop
// everybody.)
class UnknownSecretsKey : public std::runtime_error {
 public:
  explicit UnknownSecretsKey(const std::vector<store::UnreadableSecret>& unreadable);
};

// Reads the tenants once, on this thread. Throws pg::Error.
boost::asio::awaitable<std::shared_ptr<const Tenants>> read_tenants(pg::Connection& connection,
                                                                    route::SharedSecrets shared,
                                                                    crypto::SecretKeys keys);

// The keys of accounts that have changed.
struct KeyChanges {
  bool is_all = false;  // of every account, and whatever is in `keys`
  std::vector<std::string> keys{};
};

struct TenantKeeperLimits {
  std::chrono::milliseconds reload_interval{30'000};  // behind the notifications
  std::chrono::milliseconds reload_gap_min{200};      // however many changes there are
  std::chrono::milliseconds read_timeout{30'000};
};

// Loads the directory, LISTENs for changes, and loads again. The last one read is served while the database
// is away.
class TenantKeeper {
 public:
  TenantKeeper(route::SharedSecrets shared, TenantKeeperLimits limits, crypto::SecretKeys keys = {})
      : shared_(std::move(shared)), limits_(limits), keys_(std::move(keys)) {}

  // Nothing until the first load.
  std::shared_ptr<const Tenants> current() const { return current_; }
  // How many there have been.
  std::uint64_t loads() const { return loads_; }
  // Since the last load; zero before the first.
  std::chrono::steady_clock::duration age() const;

  // What has changed since this was last asked; all, at first.
  KeyChanges take_changes() { return std::exchange(changes_, {}); }

  // Keeps the directory fresh over this connection until it fails: throws what the connection throws, and
  // UnknownSecretsKey at the first load. Later, an account whose secret cannot be read is kept without any.
  boost::asio::awaitable<void> run(pg::Connection& connection);

 private:
  boost::asio::awaitable<void> load(pg::Connection& connection);

  // Builds directories: a large one takes longer than a request may wait.
  boost::asio::thread_pool builder_{1};
  route::SharedSecrets shared_;
  TenantKeeperLimits limits_;
  crypto::SecretKeys keys_;
  std::uint64_t loads_ = 0;
  std::shared_ptr<const Tenants> current_;
  KeyChanges changes_;
  std::chrono::steady_clock::time_point loaded_at_;
};

}  // namespace socialsync::ingest
