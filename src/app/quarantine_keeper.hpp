// Maintains the quarantine: reroutes rows that an account can receive now, and removes old and excess rows.
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
  std::chrono::milliseconds lock_timeout{100};  // shorter than the writers', which have precedence
  std::chrono::milliseconds removal_lock_timeout{2'000};
  std::chrono::seconds count_interval{60};
  std::chrono::seconds second_look_after{10};  // longer than a commit may take
  std::optional<int> days;                     // older rows are removed; nothing: none
};

// One thread. All references outlive it.
class QuarantineKeeper {
 public:
  QuarantineKeeper(boost::asio::any_io_executor executor, ingest::TenantKeeper& tenants,
                   ingest::Sightings& sightings, ingest::QuarantineLevel& level, metrics::Metrics& metrics,
                   QuarantineKeeperLimits limits);

  // Reroutes the rows of all accounts, and after each change of accounts those of the changed ones. Ends when
  // the connection fails; the next call continues.
  boost::asio::awaitable<void> reroute(pg::Connection& connection);

  // Counts the rows, and removes those too old and, oldest first, those over the limit. Ends when the
  // connection fails.
  boost::asio::awaitable<void> bound(pg::Connection& connection);

 private:
  using Clock = std::chrono::steady_clock;
  // Routing keys to reroute: those of changed accounts.
  struct Round {
    bool is_all = false;
    std::vector<std::string> keys;
    Clock::time_point due;
    // A second round finds bodies that were routed by the old directory and written after the first round.
    bool is_second = false;
  };

  void take_changes();
  // Returns true if rows are left because other sessions had locked them.
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
