// Writes what came of deliveries to the database: the results of attempts, how endpoints are doing, what is
// given back; and renews the leases of what is still in hand.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "deliver/leases.hpp"
#include "net/wakeup.hpp"
#include "pg/connection.hpp"
#include "store/deliveries.hpp"
#include "store/endpoints.hpp"

namespace socialsync::deliver {

struct RecorderLimits {
  std::size_t results_per_commit_max = 500;
  std::size_t results_waiting_max = 5'000;  // beyond that nothing new is sent: the database is behind
  // Results gather for so long: a commit for each would cost PostgreSQL more than the rest.
  std::chrono::milliseconds gap_min{20};
  std::chrono::milliseconds statement_timeout{30'000};
  std::chrono::milliseconds blocked_pause{2'000};  // before what is locked is tried again
  std::size_t hidden_locks_max = 4;                // of a group that is halved to find whose they are
  std::size_t refused_news_max = 5;                // then the others wait for the next time
};

// One thread. The leases outlive it.
class Recorder {
 public:
  struct Hooks {
    std::function<void(std::span<const store::AttemptRow>)> on_written;
    std::function<void(std::span<const store::DeliveryKey>)> on_given_back;
    std::function<void()> on_disabled;  // an endpoint
    std::function<bool()> is_last;      // whether nobody is left who might add something
  };

  Recorder(const boost::asio::any_io_executor& executor, Leases& leases, RecorderLimits limits, Hooks hooks);

  // A lease is held until the result is written.
  void add(store::AttemptRow result);
  void add(store::EndpointNews news);
  // What was added of it and is not written says nothing any more.
  void forget_news(const Uuid& endpoint_id);
  // Others may have it, or we again when there is room. Its lease is over.
  void give_back(const store::DeliveryKey& key);

  // Whether nothing more may be sent until some of it is written.
  bool is_full() const { return results_.size() + blocked_.size() >= limits_.results_waiting_max; }
  bool has_results() const { return !results_.empty() || !blocked_.empty(); }

  // Writes what comes, until that is all. Throws pg::Error; what was not written then is kept for the next
  // connection.
  boost::asio::awaitable<void> run(pg::Connection& connection);
  // Resolves run() as soon as nothing is left, and nobody who might add something.
  void finish();
  void look() { wanted_.wake(); }

 private:
  using Clock = std::chrono::steady_clock;

  boost::asio::awaitable<void> record_results(pg::Connection& connection);
  boost::asio::awaitable<void> record_first_of(std::deque<store::AttemptRow>& waiting,
                                               pg::Connection& connection);
  void take_up(std::size_t first_blocked);
  void keep(std::span<store::AttemptRow> rows);
  boost::asio::awaitable<void> write(pg::Connection& connection, std::span<store::AttemptRow> rows);
  boost::asio::awaitable<std::optional<pg::Error>> refusal_of(pg::Connection& connection,
                                                              std::span<const store::AttemptRow> rows);
  boost::asio::awaitable<std::span<store::AttemptRow>> without_locked(pg::Connection& connection,
                                                                      std::span<store::AttemptRow> rows);
  void put_aside(std::span<store::AttemptRow> rows);
  void refuse(const store::AttemptRow& row, const pg::Error& error);
  boost::asio::awaitable<void> record_news(pg::Connection& connection);
  boost::asio::awaitable<void> write_news(pg::Connection& connection, std::vector<store::EndpointNews>& news);
  boost::asio::awaitable<bool> try_news(pg::Connection& connection,
                                        std::span<const store::EndpointNews> news);
  void put_back(store::EndpointNews older);
  boost::asio::awaitable<void> record_given_back(pg::Connection& connection);
  boost::asio::awaitable<void> renew_leases(pg::Connection& connection);
  bool has_news(Clock::time_point now) const { return !news_.empty() && now >= news_blocked_until_; }
  Clock::time_point next_look() const;

  boost::asio::any_io_executor executor_;
  Leases& leases_;
  RecorderLimits limits_;
  Hooks hooks_;
  net::Wakeup wanted_;
  std::deque<store::AttemptRow> results_;
  std::deque<store::AttemptRow> blocked_;  // somebody has a lock on their rows
  Clock::time_point blocked_until_;
  std::size_t hidden_locks_ = 0;  // that one group has met
  std::vector<store::DeliveryKey> given_back_;
  std::unordered_map<Uuid, store::EndpointNews> news_;
  std::unordered_set<Uuid> forgotten_news_;  // while it is being written
  std::unordered_set<Uuid> refused_news_;    // of these endpoints, when it was tried last
  Clock::time_point news_blocked_until_;
  bool is_finishing_ = false;
};

}  // namespace socialsync::deliver
