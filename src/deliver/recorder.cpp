#include "deliver/recorder.hpp"

#include <algorithm>
#include <exception>
#include <functional>
#include <iterator>
#include <optional>
#include <string_view>
#include <unordered_set>
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
  const auto [older, is_alone] = news_.try_emplace(news.endpoint_id, news);
  if (!is_alone) older->second = store::combined(std::move(older->second), std::move(news));
  wanted_.wake();
}

void Recorder::forget_news(const Uuid& endpoint_id) {
  news_.erase(endpoint_id);
  forgotten_news_.insert(endpoint_id);
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
  if (!blocked_.empty() && Clock::now() >= blocked_until_) {
    blocked_until_ = Clock::now() + limits_.blocked_pause;
    const std::size_t taken = std::min(blocked_.size(), limits_.results_per_commit_max);
    const std::size_t others = blocked_.size() - taken;
    co_await record_first_of(blocked_, connection);
    if (blocked_.size() < others + taken) take_up(others);
  }
  if (!results_.empty()) co_await record_first_of(results_, connection);
}

asio::awaitable<void> Recorder::record_first_of(std::deque<store::AttemptRow>& waiting,
                                                pg::Connection& connection) {
  const std::size_t count = std::min(waiting.size(), limits_.results_per_commit_max);
  const auto end = waiting.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<store::AttemptRow> rows(std::make_move_iterator(waiting.begin()), std::make_move_iterator(end));
  waiting.erase(waiting.begin(), end);
  hidden_locks_ = 0;
  try {
    co_await write(connection, rows);
  } catch (...) {
    keep(rows);
    throw;
  }
}

// Some were written, it is worth trying these as well.
void Recorder::take_up(std::size_t first_blocked) {
  const auto end = blocked_.begin() + static_cast<std::ptrdiff_t>(first_blocked);
  std::move(blocked_.begin(), end, std::back_inserter(results_));
  blocked_.erase(blocked_.begin(), end);
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
  const std::optional<pg::Error> refusal = co_await refusal_of(connection, rows);
  if (!refusal) co_return;
  const bool is_locked = refusal->is_lock_conflict();
  if (is_locked) {
    const std::span<store::AttemptRow> unlocked = co_await without_locked(connection, rows);
    if (unlocked.size() < rows.size()) {
      co_await write(connection, unlocked);
      co_return;
    }
    // What nobody sees: of the whole table, or where a trigger of somebody's writes. Each costs a wait.
    ++hidden_locks_;
  }
  if (rows.size() > 1 && (!is_locked || hidden_locks_ <= limits_.hidden_locks_max)) {
    co_await write(connection, rows.first(rows.size() / 2));
    co_await write(connection, rows.subspan(rows.size() / 2));
  } else if (is_locked) {
    put_aside(rows);
  } else {
    refuse(rows.front(), *refusal);
  }
}

// Nothing when they are written.
asio::awaitable<std::optional<pg::Error>> Recorder::refusal_of(pg::Connection& connection,
                                                               std::span<const store::AttemptRow> rows) {
  if (rows.empty()) co_return std::nullopt;
  try {
    auto writing = store::record_attempts(connection, rows);
    co_await net::within(limits_.statement_timeout, std::move(writing));
  } catch (const pg::Error& error) {
    const bool is_servers = error.kind() == pg::ErrorKind::transient && !error.is_lock_conflict();
    if (error.kind() == pg::ErrorKind::connection || is_servers) throw;  // nothing can be written now
    co_return error;
  }
  for (const store::AttemptRow& row : rows) leases_.end(row.key);
  hooks_.on_written(rows);
  co_return std::nullopt;
}

// Each that is tried in vain takes as long as a lock is waited for: it is asked for all of them at once.
asio::awaitable<std::span<store::AttemptRow>> Recorder::without_locked(pg::Connection& connection,
                                                                       std::span<store::AttemptRow> rows) {
  std::vector<store::DeliveryKey> keys;
  for (const store::AttemptRow& row : rows) keys.push_back(row.key);
  std::unordered_set<store::DeliveryKey, DeliveryKeyHash> locked;
  try {
    auto asking = store::locked_deliveries(connection, keys);
    const std::vector<store::DeliveryKey> found =
        co_await net::within(limits_.statement_timeout, std::move(asking));
    locked.insert(found.begin(), found.end());
  } catch (const pg::Error& error) {
    if (!error.is_lock_conflict()) throw;
    locked.insert(keys.begin(), keys.end());  // the whole table
  }
  const auto last = std::ranges::partition(rows, [&](const auto& row) { return !locked.contains(row.key); });
  put_aside(last);
  co_return rows.first(rows.size() - last.size());
}

void Recorder::put_aside(std::span<store::AttemptRow> rows) {
  if (blocked_.empty()) blocked_until_ = Clock::now() + limits_.blocked_pause;
  std::ranges::move(rows, std::back_inserter(blocked_));
}

void Recorder::refuse(const store::AttemptRow& row, const pg::Error& error) {
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
  for (auto& [id, one] : std::exchange(news_, {})) news.push_back(std::move(one));
  forgotten_news_.clear();
  std::exception_ptr lost;
  try {
    co_await write_news(connection, news);
  } catch (...) {
    lost = std::current_exception();
  }
  for (store::EndpointNews& one : news)
    if (!forgotten_news_.contains(one.endpoint_id)) put_back(std::move(one));
  if (lost) std::rethrow_exception(lost);
}

// Leaves what cannot be written now. One endpoint's lock must not hold up the others' news: each that is
// tried in vain takes as long as a lock is waited for, and those that were come last.
asio::awaitable<void> Recorder::write_news(pg::Connection& connection,
                                           std::vector<store::EndpointNews>& news) {
  const bool are_written = co_await try_news(connection, news);
  if (are_written) news.clear();
  const auto was_refused = [this](const auto& one) { return refused_news_.contains(one.endpoint_id); };
  std::ranges::partition(news, std::not_fn(was_refused));
  refused_news_.clear();
  if (news.empty()) co_return;
  news_blocked_until_ = Clock::now() + limits_.blocked_pause;
  for (auto one = news.begin(); one != news.end() && refused_news_.size() < limits_.refused_news_max;) {
    const std::span<const store::EndpointNews> alone(&*one, 1);
    const bool is_written = co_await try_news(connection, alone);
    if (!is_written) refused_news_.insert(one->endpoint_id);
    one = is_written ? news.erase(one) : std::next(one);
  }
}

asio::awaitable<bool> Recorder::try_news(pg::Connection& connection,
                                         std::span<const store::EndpointNews> news) {
  try {
    auto writing = store::record_endpoint_news(connection, news);
    co_await net::within(limits_.statement_timeout, std::move(writing));
  } catch (const pg::Error& error) {
    if (error.kind() == pg::ErrorKind::connection) throw;
    if (news.size() == 1)
      log::warning("how an endpoint is doing cannot be written now",
                   {{"endpoint", to_string(news.front().endpoint_id)}, {"error", error.what()}});
    co_return false;
  }
  const auto is_switched_off = [](const auto& one) { return !one.disabled_because.empty(); };
  if (std::ranges::any_of(news, is_switched_off)) hooks_.on_disabled();
  co_return true;
}

// Behind what came meanwhile of the same endpoint.
void Recorder::put_back(store::EndpointNews older) {
  const auto [newer, is_alone] = news_.try_emplace(older.endpoint_id, older);
  if (!is_alone) newer->second = store::combined(std::move(older), std::move(newer->second));
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
    const auto now = Clock::now();
    const std::vector<store::DeliveryKey> keys = leases_.due(now, keys_per_statement_max);
    if (keys.empty()) co_return;
    auto writing = store::renew_leases(connection, keys, leases_.length());
    co_await net::within(limits_.statement_timeout, std::move(writing));
    leases_.renewed(keys, now);
  }
}

}  // namespace socialsync::deliver
