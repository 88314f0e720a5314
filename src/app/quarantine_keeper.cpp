#include "app/quarantine_keeper.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/core.h>

#include "base/log.hpp"
#include "route/changes.hpp"
#include "store/schema.hpp"

namespace socialsync::app {
namespace {

namespace asio = boost::asio;

constexpr std::chrono::milliseconds tick_interval{250};
constexpr std::size_t keys_at_once = 500;
// Counts of a large table must not keep the disk busy: pauses are multiples of a count's duration.
constexpr int rest_per_count = 20;
constexpr int rest_per_hurried_count = 1;

const std::vector<std::string> routable_reasons = {"unknown_account", "inactive_account", "ambiguous_account",
                                                   "secret_mismatch"};

asio::awaitable<void> sleep(asio::any_io_executor executor, std::chrono::steady_clock::duration duration) {
  asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

// The rows that several batches removed, for one line of the log.
class Removal {
 public:
  void add(const std::vector<store::Trimmed>& gone) {
    for (const store::Trimmed& of : gone) {
      rows_ += of.rows;
      bytes_ += of.bytes;
      by_reason_[of.reason] += of.rows;
      if (oldest_.empty() || of.oldest < oldest_) oldest_ = of.oldest;
      newest_ = std::max(newest_, of.newest);
    }
  }
  std::uint64_t rows() const { return rows_; }

  void log(log::Level level, std::string_view message) const {
    if (rows_ == 0) return;
    std::string reasons;
    for (const auto& [reason, rows] : by_reason_)
      reasons += fmt::format("{}{}={}", reasons.empty() ? "" : " ", reason, rows);
    log::write(
        level, message,
        {{"rows", rows_}, {"bytes", bytes_}, {"reasons", reasons}, {"from", oldest_}, {"to", newest_}});
  }

 private:
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  std::map<std::string, std::uint64_t> by_reason_;
  std::string oldest_;
  std::string newest_;
};

std::uint64_t rows_of(const std::vector<store::Trimmed>& gone) {
  std::uint64_t rows = 0;
  for (const store::Trimmed& of : gone) rows += of.rows;
  return rows;
}

}  // namespace

QuarantineKeeper::QuarantineKeeper(asio::any_io_executor executor, ingest::TenantKeeper& tenants,
                                   ingest::Sightings& sightings, ingest::QuarantineLevel& level,
                                   metrics::Metrics& metrics, QuarantineKeeperLimits limits)
    : executor_(std::move(executor)),
      tenants_(tenants),
      level_(level),
      metrics_(metrics),
      limits_(limits),
      rerouter_([&tenants] { return tenants.current(); }, sightings, limits.reroute) {
  for (const std::string_view reason : store::quarantine_reasons) metrics_.quarantine_rows(reason, 0);
}

// --- Rerouting

asio::awaitable<void> QuarantineKeeper::reroute(pg::Connection& connection) {
  co_await store::prepare_session(connection, limits_.lock_timeout);
  co_await store::plan_by_values(connection);
  for (;;) {
    take_changes();
    const auto due =
        std::ranges::find_if(rounds_, [](const Round& round) { return round.due <= Clock::now(); });
    if (due == rounds_.end()) {
      co_await sleep(executor_, tick_interval);
      continue;
    }
    std::iter_swap(rounds_.begin(), due);
    const bool is_left = co_await work_through(connection, rounds_.front());
    Round done = std::move(rounds_.front());
    rounds_.pop_front();
    if (done.is_second && !is_left) continue;
    done.is_second = true;
    done.due = Clock::now() + limits_.second_look_after;
    rounds_.push_back(std::move(done));
  }
}

void QuarantineKeeper::take_changes() {
  ingest::KeyChanges changes = tenants_.take_changes();
  if (!changes.is_all && changes.keys.empty()) return;
  rounds_.push_back({.is_all = changes.is_all, .keys = std::move(changes.keys), .due = Clock::now()});
}

asio::awaitable<bool> QuarantineKeeper::work_through(pg::Connection& connection, const Round& round) {
  ingest::RerouteReport done;
  std::vector<std::string> keys;
  const std::shared_ptr<const ingest::Tenants> tenants = tenants_.current();
  const std::size_t count = round.is_all ? tenants->directory.size() : round.keys.size();
  for (std::size_t at = 0; at < count; ++at) {
    if (round.is_all) {
      for (std::string& key : route::keys_of(tenants->directory.tenants()[at].account))
        keys.push_back(std::move(key));
    } else {
      keys.push_back(round.keys[at]);
    }
    if (keys.size() < keys_at_once && at + 1 < count) continue;
    std::vector<std::string> some = std::exchange(keys, {});
    co_await reroute_keys(connection, std::move(some), done);
  }
  report(done);
  co_return done.any_locked();
}

asio::awaitable<void> QuarantineKeeper::reroute_keys(pg::Connection& connection,
                                                     std::vector<std::string> keys,
                                                     ingest::RerouteReport& report) {
  const store::QuarantineFilter of_keys{.reasons = routable_reasons, .routing_keys = std::move(keys)};
  std::vector<store::QuarantineGroup> groups = co_await store::group_quarantined(connection, of_keys);
  groups = co_await rerouter_.routable(std::move(groups));
  for (const store::QuarantineGroup& group : groups) {
    const store::QuarantineFilter of_group{.reasons = routable_reasons,
                                           .platforms = {group.platform},
                                           .routing_keys = {group.routing_key},
                                           .signers = {group.signed_by}};
    co_await rerouter_.run(connection, of_group, report);
  }
}

void QuarantineKeeper::report(const ingest::RerouteReport& done) {
  if (done.moved() == 0) return;
  std::uint64_t events = 0;
  std::uint64_t duplicates = 0;
  for (const auto& [reason, of] : done.reasons) {
    events += of.events;
    duplicates += of.duplicates;
  }
  metrics_.quarantine_rerouted(done.moved());
  log::info("quarantine rerouted", {{"rows", done.moved()}, {"events", events}, {"duplicates", duplicates}});
}

// --- Limits of size and age

asio::awaitable<void> QuarantineKeeper::bound(pg::Connection& connection) {
  co_await store::prepare_session(connection, limits_.removal_lock_timeout);
  co_await store::plan_by_values(connection);
  for (;;) {
    const Clock::time_point began = Clock::now();
    co_await count(connection);
    co_await remove_some(connection);
    const Clock::duration spent = Clock::now() - began;
    const Clock::time_point next =
        Clock::now() + std::max<Clock::duration>(limits_.count_interval, rest_per_count * spent);
    co_await sleep(executor_, tick_interval + rest_per_hurried_count * spent);
    while (Clock::now() < next && !level_.is_over()) co_await sleep(executor_, tick_interval);
  }
}

asio::awaitable<void> QuarantineKeeper::count(pg::Connection& connection) {
  const store::QuarantineFilter everything;
  level_.begin_count();
  const std::vector<store::QuarantineCount> counts =
      co_await store::count_quarantined(connection, everything);
  ingest::QuarantineSize all;
  for (const std::string_view reason : store::quarantine_reasons) {
    const auto found = std::ranges::find(counts, reason, &store::QuarantineCount::reason);
    metrics_.quarantine_rows(reason, found == counts.end() ? 0 : found->rows);
  }
  for (const store::QuarantineCount& of : counts) {
    all.rows += of.rows;
    all.bytes += of.bytes;
  }
  level_.counted(all);
  metrics_.quarantine_bytes(all.bytes);
}

// Locked rows do not mean that the connection failed.
asio::awaitable<void> QuarantineKeeper::remove_some(pg::Connection& connection) {
  try {
    co_await remove_expired(connection);
    if (level_.is_over()) co_await remove_excess(connection);
  } catch (const pg::Error& error) {
    if (!error.is_lock_conflict()) throw;
    log::warning("quarantine not trimmed: oldest rows locked, will retry", {{"sqlstate", error.sqlstate()}});
  }
  if (std::exchange(is_trimming_, false)) co_await store::leave_trimming(connection);
}

asio::awaitable<void> QuarantineKeeper::remove_expired(pg::Connection& connection) {
  if (!limits_.days) co_return;
  Removal removal;
  for (;;) {
    const std::vector<store::Trimmed> gone =
        co_await store::trim_quarantine(connection, std::chrono::days(*limits_.days));
    if (gone.empty()) break;
    removal.add(gone);
    metrics_.quarantine_removed("age", rows_of(gone));
  }
  removal.log(log::Level::info, "quarantine rows past their age removed");
  if (removal.rows() > 0) co_await count(connection);
}

// Only one gateway at a time, after a new count: otherwise each would remove the same excess.
asio::awaitable<void> QuarantineKeeper::remove_excess(pg::Connection& connection) {
  is_trimming_ = co_await store::enter_trimming(connection);
  if (!is_trimming_) co_return;
  co_await count(connection);
  co_await trim(connection);
  co_await count(connection);
}

asio::awaitable<void> QuarantineKeeper::trim(pg::Connection& connection) {
  Removal removal;
  ingest::QuarantineSize excess = level_.excess();
  while (excess != ingest::QuarantineSize()) {
    const std::vector<store::Trimmed> gone =
        co_await store::trim_quarantine(connection, excess.rows, excess.bytes);
    if (gone.empty()) break;
    removal.add(gone);
    metrics_.quarantine_removed(excess.rows > 0 ? "rows" : "bytes", rows_of(gone));
    for (const store::Trimmed& of : gone) {
      excess.rows -= std::min(excess.rows, of.rows);
      excess.bytes -= std::min(excess.bytes, of.bytes);
    }
  }
  removal.log(log::Level::warning, "quarantine over its limit, oldest rows removed");
}

}  // namespace socialsync::app
