// Reroutes quarantined rows as if they arrived now: split, routed, placed, written.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <boost/asio/awaitable.hpp>

#include "ingest/place.hpp"
#include "ingest/sightings.hpp"
#include "ingest/submission.hpp"
#include "ingest/tenants.hpp"
#include "parse/split.hpp"
#include "pg/connection.hpp"
#include "store/quarantine.hpp"

namespace socialsync::ingest {

// Further reasons why a row stays in quarantine.
inline constexpr std::string_view stays_unsigned = "unsigned";  // received on a test route
inline constexpr std::string_view stays_unknown_secret =
    "unknown_secret";                                        // its secret is no longer configured
inline constexpr std::string_view stays_empty = "no_event";  // it contains no event
inline constexpr std::string_view stays_locked = "locked";   // by another transaction: retried later

struct RerouteReport {
  struct OfReason {
    std::uint64_t rows = 0;                      // examined rows
    std::uint64_t moved = 0;                     // rerouted rows
    std::uint64_t gone = 0;                      // removed by another session during the run
    std::uint64_t events = 0;                    // new rows of webhook_logs; in a dry run, all
    std::uint64_t duplicates = 0;                // events that exist already, because Meta retried them
    std::map<std::string, std::uint64_t> stays;  // rows by the reason why they stay
    std::map<Uuid, std::uint64_t> accounts;      // events by account; events of the app under the nil id
  };
  std::map<std::string, OfReason> reasons;  // by the rows' reason of quarantine

  std::uint64_t moved() const;
  bool any_locked() const;
};

struct RerouteLimits {
  parse::Limits parse;
  std::uint64_t places_max = 20'000;  // rows per look-up, without their bodies
  std::size_t batch_rows_max = 200;   // quarantined rows per transaction
  // Rows of webhook_logs per transaction: an event of a WABA has one for each account. One quarantined row
  // may exceed it.
  std::size_t batch_events_max = 1000;
  std::size_t batch_bytes_max = 4 * 1024 * 1024;  // bytes of quarantined rows, and of their events
  std::chrono::milliseconds pause{0};             // between two transactions, for other sessions
  bool is_rehearsal = false;                      // dry run: decides, and writes nothing
};

// Returns the current tenants.
using TenantsNow = std::function<std::shared_ptr<const Tenants>()>;

// One thread, and one run() at a time. The connection is one of plan_by_values().
class Rerouter {
 public:
  Rerouter(TenantsNow tenants, Sightings& sightings, RerouteLimits limits);

  // Processes the filtered rows in the order of arrival. A row that can be routed under its secret becomes
  // events, with the ids of direct routing, in the transaction that deletes the row. Other rows stay
  // unchanged. Updates the report after each transaction. Throws the connection's errors; committed
  // transactions stay. Calls `on_progress` with the number of examined rows.
  boost::asio::awaitable<void> run(pg::Connection& connection, const store::QuarantineFilter& filter,
                                   RerouteReport& report,
                                   const std::function<void(std::uint64_t rows)>& on_progress = {});

  // The groups whose routing key matches an active account.
  boost::asio::awaitable<std::vector<store::QuarantineGroup>> routable(
      std::vector<store::QuarantineGroup> groups);

 private:
  struct Decision {
    store::Quarantined row;
    std::shared_ptr<Submission> submission{};  // null if the row stays
    std::string stays{};                       // the reason
    bool is_gone = false;                      // another session has removed it
  };
  using Decisions = std::vector<Decision>;

  boost::asio::awaitable<void> learn_signers();
  boost::asio::awaitable<void> reroute(pg::Connection& connection, std::span<const Uuid> ids,
                                       RerouteReport& report);
  Decision decide(store::QuarantinedBody body);
  boost::asio::awaitable<void> write(pg::Connection& connection, std::span<Decision> decisions,
                                     RerouteReport& report);
  boost::asio::awaitable<bool> write_once(pg::Connection& connection, std::span<Decision> decisions,
                                          std::string& failure);
  boost::asio::awaitable<void> move(pg::Connection& connection, std::span<Decision> decisions);
  void tally(const Decision& decision, RerouteReport& report);

  TenantsNow tenants_now_;
  Sightings& sightings_;
  RerouteLimits limits_;

  parse::Splitter splitter_;       // for whole bodies
  parse::Splitter part_splitter_;  // for parts of a body
  Placer placer_;
  std::shared_ptr<const Tenants> tenants_;                       // the tenants of signers_
  std::unordered_map<std::string, route::SecretIndex> signers_;  // by fingerprint
};

}  // namespace socialsync::ingest
