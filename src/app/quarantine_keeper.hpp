// The upkeep of the quarantine: what an account can be given leaves it, and it does not outgrow its cap.
#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "ingest/quarantine_level.hpp"
#include "ingest/reroute.hpp"
#include "ingest/sightings.hpp"
#include "ingest/tenants.hpp"
#include "metrics/metrics.hpp"
#include "pg/connection.hpp"
#include "store/quarantine.hpp"

namespace socialsync::app {

struct QuarantineKeeperLimits {
  ingest::RerouteLimits reroute;
  std::chrono::milliseconds lock_timeout{100};  // less than that of the writers: they go first
  std::chrono::milliseconds removal_lock_timeout{2'000};
  std::chrono::seconds count_interval{60};
  std::chrono::seconds second_look_after{10};  // longer than a commit may take
  std::optional<int> days;                     // rows that are older go; nothing: none
};

// One thread. What it refers to outlives it.
class QuarantineKeeper {
 public:
  QuarantineKeeper(boost::asio::any_io_executor executor, ingest::TenantKeeper& tenants,
                   ingest::Sightings& sightings, ingest::QuarantineLevel& level, metrics::Metrics& metrics,
                   QuarantineKeeperLimits limits);

  // After each change of accounts, and at first for all: rows under their keys become events where they can.
  // Until the connection fails; what was not done then is done over the next one.
  boost::asio::awaitable<void> reroute(pg::Connection& connection);

  // Counts what is there, and removes what is too old or over the cap, the oldest first. Until the connection
  // fails.
  boost::asio::awaitable<void> bound(pg::Connection& connection);

 private:
  using Clock = std::chrono::steady_clock;
  // Keys whose accounts have changed.
  struct Round {
    bool is_all = false;
    std::vector<std::string> keys;
    Clock::time_point due;
    // A body that was placed by the old directory may have been written after the first look.
    bool is_second = false;
  };

  void take_changes();
  // Whether rows are left that somebody had locked.
  boost::asio::awaitable<bool> work_through(pg::Connection& connection, const Round& round);
  boost::asio::awaitable<void> reroute_keys(pg::Connection& connection, std::vector<std::string> keys,
                                            ingest::RerouteReport& report);
  void report(const ingest::RerouteReport& done);

  boost::asio::awaitable<void> count(pg::Connection& connection);
  boost::asio::awaitable<void> remove_some(pg::Connection& connection);
  boost::asio::awaitable<void> remove_expired(pg::Connection& connection);
  boost::asio::awaitable<void> remove_excess(pg::Connection& connection);
  boost::asio::awaitable<void> trim(pg::Connection& connection);

  boost::asio::any_io_executor executor_;
  ingest::TenantKeeper& tenants_;
  ingest::QuarantineLevel& level_;
  metrics::Metrics& metrics_;
  QuarantineKeeperLimits limits_;
  ingest::Rerouter rerouter_;
  std::deque<Round> rounds_;
  bool is_trimming_ = false;
};

}  // namespace socialsync::app
