// A snapshot of all tenants, and the coroutine that keeps it current.
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
  std::vector<model::AccountEndpoint> app_endpoints;  // for events of no account
  std::vector<store::UnreadableSecret> unreadable;    // encrypted, and without a key here
  bool any_opened = false;                            // others could be decrypted
};

// The first load found encrypted secrets and could decrypt none. what() names the keys, and the setting. (If
// some can be decrypted the keys are right, and one tenant's value must not stop the gateway.)
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
  bool is_all = false;  // all accounts; `keys` has others besides
  std::vector<std::string> keys{};
};

struct TenantKeeperLimits {
  std::chrono::milliseconds reload_interval{30'000};  // between loads without a notification
  std::chrono::milliseconds reload_gap_min{200};      // between loads, however many changes arrive
  std::chrono::milliseconds read_timeout{30'000};
};

// Loads the directory, LISTENs for changes, and loads again. Serves the last one while the database is
// unreachable.
class TenantKeeper {
 public:
  TenantKeeper(route::SharedSecrets shared, TenantKeeperLimits limits, crypto::SecretKeys keys = {})
      : shared_(std::move(shared)), limits_(limits), keys_(std::move(keys)) {}

  // Null until the first load.
  std::shared_ptr<const Tenants> current() const { return current_; }
  // The number of loads.
  std::uint64_t loads() const { return loads_; }
  // Since the last load; zero before the first.
  std::chrono::steady_clock::duration age() const;

  // The changes since the last call; at first, all accounts.
  KeyChanges take_changes() { return std::exchange(changes_, {}); }

  // Keeps the directory fresh over this connection until it fails: throws the connection's errors, and
  // UnknownSecretsKey at the first load. Later, an account whose secret cannot be decrypted has none.
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
