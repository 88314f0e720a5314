// What waits in quarantine goes the way of a delivery once more: split, routed, placed, written.
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

// Why a row stays where a reason of quarantine does not say it.
inline constexpr std::string_view stays_unsigned = "unsigned";              // came by a test route
inline constexpr std::string_view stays_unknown_secret = "unknown_secret";  // its secret is not here any more
inline constexpr std::string_view stays_empty = "no_event";                 // there is nothing in it
inline constexpr std::string_view stays_locked = "locked";  // by somebody, just now: again later

struct RerouteReport {
  struct OfReason {
    std::uint64_t rows = 0;                      // that were looked at
    std::uint64_t moved = 0;                     // gone from quarantine, as events
    std::uint64_t gone = 0;                      // taken by somebody else meanwhile
    std::uint64_t events = 0;                    // new rows of webhook_logs; in a rehearsal, all
    std::uint64_t duplicates = 0;                // that were there: Meta had sent them again
    std::map<std::string, std::uint64_t> stays;  // why, and how many
    std::map<Uuid, std::uint64_t> accounts;      // whose the events are; the app's own under no id
  };
  std::map<std::string, OfReason> reasons;  // as the rows have them

  std::uint64_t moved() const;
  bool any_locked() const;
};

struct RerouteLimits {
  parse::Limits parse;
  std::uint64_t places_max = 20'000;  // rows that are looked up at once, without their bodies
  std::size_t batch_rows_max = 200;   // of quarantine, in one transaction
  // Of what they become: an event of a WABA has a row for each of its accounts. One row may be more.
  std::size_t batch_events_max = 1000;
  std::size_t batch_bytes_max = 4 * 1024 * 1024;  // of either
  std::chrono::milliseconds pause{0};             // between two, for the others
  bool is_rehearsal = false;                      // decides, and writes nothing
};

// The tenants, as they are now.
using TenantsNow = std::function<std::shared_ptr<const Tenants>()>;

// One thread, and one run() at a time. The connection is one of plan_by_values().
class Rerouter {
 public:
  Rerouter(TenantsNow tenants, Sightings& sightings, RerouteLimits limits);

  // Works through the rows of the filter in the order of arrival. What can be routed under the secret that
  // its row names becomes events, under the ids that they would have had, in the transaction that removes the
  // row; all else stays as it is. The report grows as it goes. Throws what the connection throws: what is
  // done by then is done. `on_progress` is told how many rows have been looked at.
  boost::asio::awaitable<void> run(pg::Connection& connection, const store::QuarantineFilter& filter,
                                   RerouteReport& report,
                                   const std::function<void(std::uint64_t rows)>& on_progress = {});

  // Those of the groups of which an active account may take events, as far as their key tells.
  boost::asio::awaitable<std::vector<store::QuarantineGroup>> routable(
      std::vector<store::QuarantineGroup> groups);

 private:
  struct Decision {
    store::Quarantined row;
    std::shared_ptr<Submission> submission{};  // nothing when it stays
    std::string stays{};                       // why
    bool is_gone = false;                      // somebody else has taken it
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

  parse::Splitter splitter_;       // of whole bodies
  parse::Splitter part_splitter_;  // of what was cut out of one
  Placer placer_;
  std::shared_ptr<const Tenants> tenants_;                       // those of signers_
  std::unordered_map<std::string, route::SecretIndex> signers_;  // by fingerprint
};

}  // namespace socialsync::ingest
