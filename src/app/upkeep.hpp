// What goes on beside the requests: the directory is kept fresh, sightings are written, partitions made,
// the quarantine looked after.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "app/quarantine_keeper.hpp"
#include "ingest/batch.hpp"
#include "ingest/sightings.hpp"
#include "ingest/tenants.hpp"

namespace socialsync::app {

struct UpkeepLimits {
  std::chrono::minutes maintenance_interval{60};
  std::optional<int> retention_days;
};

// Each task holds one connection and makes a new one when that fails.
class Upkeep {
 public:
  // All outlive the upkeep.
  Upkeep(boost::asio::any_io_executor executor, ingest::Connect connect, ingest::TenantKeeper& tenants,
         ingest::Sightings& sightings, QuarantineKeeper& quarantine, UpkeepLimits limits);

  // Throws NotMigrated out of the executor when the first connection finds a database without our tables.
  void start();

  // Writes the sightings that are left, if the database is there.
  boost::asio::awaitable<void> finish();

  // Whether, a moment ago, the database took writes.
  bool writable() const;

 private:
  using Task = std::function<boost::asio::awaitable<void>(pg::Connection& connection)>;

  boost::asio::awaitable<void> keep_running(const char* name, Task task);
  boost::asio::awaitable<void> watch_accounts(pg::Connection& connection);
  boost::asio::awaitable<void> record_sightings(pg::Connection& connection);
  boost::asio::awaitable<void> write_sightings(pg::Connection& connection);
  boost::asio::awaitable<void> maintain(pg::Connection& connection);

  boost::asio::any_io_executor executor_;
  ingest::Connect connect_;
  ingest::TenantKeeper& tenants_;
  ingest::Sightings& sightings_;
  QuarantineKeeper& quarantine_;
  UpkeepLimits limits_;
  bool checked_schema_ = false;
  std::optional<std::chrono::steady_clock::time_point> writable_at_;
};

}  // namespace socialsync::app
