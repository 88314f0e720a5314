#include "deliver/recorder.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "base/log.hpp"
#include "net/result.hpp"
#include "net/within.hpp"

namespace socialsync::deliver {
namespace {

namespace asio = boost::asio;

constexpr std::size_t keys_per_statement_max = 1'000;

}  // namespace

Recorder::Recorder(const asio::any_io_executor& executor, Leases& leases, RecorderLimits limits, Hooks hooks)
    : executor_(executor), leases_(leases), limits_(limits), hooks_(std::move(hooks)), wanted_(executor) {}

void Recorder::add(store::AttemptRow result) {
  results_.push_back(std::move(result));
  wanted_.wake();
}

void Recorder::add(store::EndpointNews news) {
  store::EndpointNews& kept = news_[news.endpoint_id];
  if (news.disabled_because.empty()) news.disabled_because = std::move(kept.disabled_because);
  kept = std::move(news);
  wanted_.wake();
}

void Recorder::give_back(const store::DeliveryKey& key) {
  leases_.end(key);
  given_back_.push_back(key);
  wanted_.wake();
}

void Recorder::finish() {
  is_finishing_ = true;
  wanted_.wake();
}

asio::awaitable<void> Recorder::run(pg::Connection& connection) {
  asio::steady_timer gap(executor_);
  for (;;) {
    co_await renew_leases(connection);
    co_await record_results(connection);
    co_await record_news(connection);
    co_await record_given_back(connection);
    gap.expires_after(is_finishing_ ? std::chrono::milliseconds(0) : limits_.gap_min);
    co_await gap.async_wait(net::as_result);
    if (!results_.empty() || !given_back_.empty() || has_news(Clock::now())) continue;
    if (is_finishing_ && hooks_.is_last()) co_return;
    co_await wanted_.sleep(next_look());
  }
}

Recorder::Clock::time_point Recorder::next_look() const {
  auto next = Clock::now() + leases_.length() / 8;
  if (!news_.empty()) next = std::min(next, news_blocked_until_);
  if (!blocked_.empty()) next = std::min(next, blocked_until_);
  return next;
}

asio::awaitable<void> Recorder::record_results(pg::Connection& connection) {
  co_await record_blocked(connection);
  if (results_.empty()) co_return;
  const std::size_t count = std::min(results_.size(), limits_.results_per_commit_max);
  const auto end = results_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<store::AttemptRow> rows(std::make_move_iterator(results_.begin()),
                                      std::make_move_iterator(end));
  results_.erase(results_.begin(), end);
  co_await write_or_keep(connection, std::move(rows));
}

// One of them shows whether the lock is gone: each that is tried in vain takes as long as a lock is waited
// for.
asio::awaitable<void> Recorder::record_blocked(pg::Connection& connection) {
  if (blocked_.empty() || Clock::now() < blocked_until_) co_return;
  blocked_until_ = Clock::now() + limits_.blocked_pause;
  std::vector<store::AttemptRow> first;
  first.push_back(std::move(blocked_.front()));
  blocked_.pop_front();
  const std::size_t others = blocked_.size();
  co_await write_or_keep(connection, std::move(first));
  if (blocked_.size() > others) co_return;  // it stands behind them now: another is tried next time
  std::ranges::move(blocked_, std::back_inserter(results_));
  blocked_.clear();
}

asio::awaitable<void> Recorder::write_or_keep(pg::Connection& connection,
                                              std::vector<store::AttemptRow> rows) {
  try {
    co_await write(connection, rows);
  } catch (...) {
    keep(rows);
    throw;
  }
}

// Whether they were committed is unknown: written again, an attempt may be there twice, and nothing is lost.
void Recorder::keep(std::span<store::AttemptRow> rows) {
  for (store::AttemptRow& row : rows) {
    const bool is_aside = std::ranges::find(blocked_, row.key, &store::AttemptRow::key) != blocked_.end();
    if (leases_.holds(row.key) && !is_aside) results_.push_back(std::move(row));
  }
}

// A row that the database refuses, or that somebody has locked, must not hold up the others.
asio::awaitable<void> Recorder::write(pg::Connection& connection, std::span<store::AttemptRow> rows) {
  std::optional<pg::Error> refused;
  try {
    auto writing = store::record_attempts(connection, rows);
    co_await net::within(limits_.statement_timeout, std::move(writing));
  } catch (const pg::Error& error) {
    const bool is_servers = error.kind() == pg::ErrorKind::transient && !error.is_lock_conflict();
    if (error.kind() == pg::ErrorKind::connection || is_servers) throw;  // nothing can be written now
    refused = error;
  }
  if (!refused) {
    for (const store::AttemptRow& row : rows) leases_.end(row.key);
    hooks_.on_written(rows);
    co_return;
  }
  if (rows.size() == 1) {
    put_aside(std::move(rows.front()), *refused);
    co_return;
  }
  co_await write(connection, rows.first(rows.size() / 2));
  co_await write(connection, rows.subspan(rows.size() / 2));
}

void Recorder::put_aside(store::AttemptRow row, const pg::Error& error) {
  if (error.is_lock_conflict()) {
    if (blocked_.empty()) blocked_until_ = Clock::now() + limits_.blocked_pause;
    blocked_.push_back(std::move(row));
    return;
  }
  log::warning("the result of a delivery is refused: it will be delivered again when its lease is over",
               {{"event", to_string(row.key.event_id)},
                {"endpoint", to_string(row.key.endpoint_id)},
                {"sqlstate", error.sqlstate()},
                {"error", error.what()}});
  leases_.end(row.key);
}

asio::awaitable<void> Recorder::record_news(pg::Connection& connection) {
  if (!has_news(Clock::now())) co_return;
  std::vector<store::EndpointNews> news;
  for (const auto& [id, one] : news_) news.push_back(one);
  news_.clear();  // what comes meanwhile is written next time
  try {
    auto writing = store::record_endpoint_news(connection, news);
    co_await net::within(limits_.statement_timeout, std::move(writing));
  } catch (const pg::Error& error) {
    for (store::EndpointNews& one : news) news_.emplace(one.endpoint_id, std::move(one));
    if (error.kind() == pg::ErrorKind::connection) throw;
    news_blocked_until_ = Clock::now() + limits_.blocked_pause;
    log::warning("how endpoints are doing cannot be written now", {{"error", error.what()}});
    co_return;
  }
  const bool any_disabled =
      std::ranges::any_of(news, [](const auto& one) { return !one.disabled_because.empty(); });
  if (any_disabled) hooks_.on_disabled();
}

asio::awaitable<void> Recorder::record_given_back(pg::Connection& connection) {
  if (given_back_.empty()) co_return;
  const std::vector<store::DeliveryKey> keys = std::exchange(given_back_, {});
  try {
    auto writing = store::release_deliveries(connection, keys);
    co_await net::within(limits_.statement_timeout, std::move(writing));
  } catch (const pg::Error& error) {
    // Their leases end by themselves.
    if (error.kind() == pg::ErrorKind::connection) throw;
    log::warning("deliveries are not given back before their leases end", {{"error", error.what()}});
  }
  hooks_.on_given_back(keys);
}

asio::awaitable<void> Recorder::renew_leases(pg::Connection& connection) {
  for (;;) {
    const std::vector<store::DeliveryKey> keys = leases_.take_due(Clock::now(), keys_per_statement_max);
    if (keys.empty()) co_return;
    auto writing = store::renew_leases(connection, keys, leases_.length());
    co_await net::within(limits_.statement_timeout, std::move(writing));
  }
}

}  // namespace socialsync::deliver
