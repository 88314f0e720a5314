// Background tasks of a gateway: loads the tenant directory, writes sightings, maintains partitions and the
// quarantine, encrypts plaintext secrets.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "app/quarantine_keeper.hpp"
#include "base/failure.hpp"
#include "ingest/sightings.hpp"
#include "ingest/tenants.hpp"
#include "pg/supervisor.hpp"
#include "store/secrets.hpp"

namespace socialsync::app {

// The database is not migrated. what() names the command that migrates it.
class NotMigrated : public Failure {
 public:
  NotMigrated();
};

// The database has secrets encrypted under a key that the settings lack. what() names the key and the
// setting.
class WrongSecretsKey : public Failure {
 public:
  explicit WrongSecretsKey(const std::string& message) : Failure(Exit::wrong_usage, message) {}
};

struct UpkeepLimits {
  std::chrono::minutes maintenance_interval{60};
  std::optional<int> retention_days;
  bool warns_of_superuser = true;  // the private database has no other role
};

// Each task has its own connection, and opens another when that fails.
class Upkeep {
 public:
  // All references outlive the upkeep. `encryption`: the columns in which new plaintext secrets are
  // encrypted.
  Upkeep(boost::asio::any_io_executor executor, pg::Connect connect, ingest::TenantKeeper& tenants,
         ingest::Sightings& sightings, QuarantineKeeper& quarantine, UpkeepLimits limits,
         store::SecretChange encryption);

  // Later, run() of the executor throws NotMigrated if the database is not migrated, and
  // ingest::UnknownSecretsKey if it has secrets that no key of the settings decrypts.
  void start();

  // Writes the remaining sightings if the database is reachable.
  boost::asio::awaitable<void> finish();

  // True if the database accepted writes a moment ago.
  bool writable() const;

 private:
  using Task = std::function<boost::asio::awaitable<void>(pg::Connection& connection)>;

  void spawn(const char* name, Task task);
  boost::asio::awaitable<void> check_database(pg::Connection& connection);
  boost::asio::awaitable<void> watch_accounts(pg::Connection& connection);
  boost::asio::awaitable<void> record_sightings(pg::Connection& connection);
  boost::asio::awaitable<void> write_sightings(pg::Connection& connection);
  boost::asio::awaitable<void> maintain(pg::Connection& connection);
  boost::asio::awaitable<std::vector<std::string>> writable_secret_columns(pg::Connection& connection);
  boost::asio::awaitable<void> encrypt_secrets(pg::Connection& connection);
  void report_encrypted(const store::SecretReport& report);

  boost::asio::any_io_executor executor_;
  pg::Connect connect_;
  ingest::TenantKeeper& tenants_;
  ingest::Sightings& sightings_;
  QuarantineKeeper& quarantine_;
  UpkeepLimits limits_;
  store::SecretChange encryption_;
  std::string missing_privilege_;                                     // as logged last
  std::map<std::string, store::SecretReport::TooNarrow> too_narrow_;  // as logged last
  bool checked_database_ = false;
  std::optional<std::chrono::steady_clock::time_point> writable_at_;
};

}  // namespace socialsync::app
