// What goes on beside the requests: the directory is kept fresh, sightings are written, partitions made,
// the quarantine looked after.
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
#include "ingest/sightings.hpp"
#include "ingest/tenants.hpp"
#include "pg/supervisor.hpp"
#include "store/secrets.hpp"

namespace socialsync::app {

struct UpkeepLimits {
  std::chrono::minutes maintenance_interval{60};
  std::optional<int> retention_days;
  bool warns_of_superuser = true;  // a database of our own has no other role
};

// Each task holds one connection and makes a new one when that fails.
class Upkeep {
 public:
  // All references outlive the upkeep. `sealing` is what to seal as it arrives; without columns: nothing.
  Upkeep(boost::asio::any_io_executor executor, pg::Connect connect, ingest::TenantKeeper& tenants,
         ingest::Sightings& sightings, QuarantineKeeper& quarantine, UpkeepLimits limits,
         store::SecretChange sealing);

  // Throws NotMigrated out of the executor when the first connection finds a database without our tables, and
  // ingest::UnknownSecretsKey when it finds secrets that our keys do not open.
  void start();

  // Writes the sightings that are left, if the database is there.
  boost::asio::awaitable<void> finish();

  // Whether, a moment ago, the database took writes.
  bool writable() const;

 private:
  using Task = std::function<boost::asio::awaitable<void>(pg::Connection& connection)>;

  void spawn(const char* name, Task task);
  boost::asio::awaitable<void> check_database(pg::Connection& connection);
  boost::asio::awaitable<void> watch_accounts(pg::Connection& connection);
  boost::asio::awaitable<void> record_sightings(pg::Connection& connection);
  boost::asio::awaitable<void> write_sightings(pg::Connection& connection);
  boost::asio::awaitable<void> maintain(pg::Connection& connection);
  boost::asio::awaitable<std::vector<std::string>> sealable_columns(pg::Connection& connection);
  boost::asio::awaitable<void> seal_secrets(pg::Connection& connection);
  void tell_sealed(const store::SecretReport& report);

  boost::asio::any_io_executor executor_;
  pg::Connect connect_;
  ingest::TenantKeeper& tenants_;
  ingest::Sightings& sightings_;
  QuarantineKeeper& quarantine_;
  UpkeepLimits limits_;
  store::SecretChange sealing_;
  std::string not_sealed_because_;
  std::map<std::string, store::SecretReport::TooNarrow> too_narrow_;  // as told last
  bool checked_database_ = false;
  std::optional<std::chrono::steady_clock::time_point> writable_at_;
};

}  // namespace socialsync::app
