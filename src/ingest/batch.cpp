#include "ingest/batch.hpp"

#include <exception>
#include <utility>
#include <variant>

#include <boost/asio/async_result.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/log.hpp"
#include "net/result.hpp"
#include "net/within.hpp"
#include "pg/sqlstate.hpp"

namespace socialsync::ingest {
namespace {

batch::Outcome outcome_of(const pg::Error& error) {
  if (error.sqlstate() == pg::sqlstate::lock_not_available) return batch::Outcome::blocked;
  if (error.kind() == pg::ErrorKind::data) return batch::Outcome::refused;
  return error.kind() == pg::ErrorKind::connection ? batch::Outcome::lost : batch::Outcome::failed;
}

}  // namespace

Batcher::Batcher(asio::any_io_executor executor, pg::Connect connect, metrics::Metrics& metrics,
                 BatchLimits limits)
    : executor_(std::move(executor)),
      connect_(std::move(connect)),
      metrics_(metrics),
      statement_timeout_(limits.statement_timeout),
      core_(limits),
      connections_(limits.writers),
      tick_(executor_),
      ended_(executor_, asio::steady_timer::time_point::max()) {}

asio::awaitable<CommitOutcome> Batcher::commit(std::shared_ptr<Submission> submission) {
  const auto initiate = [this, &submission](auto handler) {
    handlers_.emplace(++requests_, std::move(handler));
    report(batch::Submit{requests_, std::move(submission)});
  };
  co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(CommitOutcome)>(
      initiate, asio::use_awaitable);
}

asio::awaitable<void> Batcher::stop() {
  report(batch::Stop());
  while (!is_finished_ || running_ > 0) co_await ended_.async_wait(net::as_result);
  tick_.cancel();
}

// --- Events and actions

// An action may end at once and report another event: that waits for the other actions.
void Batcher::report(batch::Event event) {
  events_.push_back(std::move(event));
  if (is_reporting_) return;
  is_reporting_ = true;
  TimePoint now;
  while (!events_.empty()) {
    now = std::chrono::steady_clock::now();
    core_.resume(std::move(events_.front()), now, actions_);
    events_.pop_front();
    for (batch::Action& action : actions_) std::visit([this](auto& one) { carry_out(one); }, action);
    actions_.clear();
  }
  is_reporting_ = false;
  set_tick(now);
}

// A tick that comes too early is harmless: the timer is only set again when it would come too late.
void Batcher::set_tick(TimePoint now) {
  const std::optional<TimePoint> wanted = core_.wake_at(now);
  if (!wanted || (tick_time_ && *tick_time_ <= *wanted)) return;
  tick_time_ = wanted;
  const auto tick = [this](const boost::system::error_code& error) {
    if (error) return;
    tick_time_.reset();
    report(batch::Tick());
  };
  if (*wanted <= now) {
    asio::post(executor_, [tick] { tick({}); });
  } else {
    tick_.expires_at(*wanted);
    tick_.async_wait(tick);
  }
}

void Batcher::carry_out(batch::Connect& action) { spawn(open(action.writer)); }

void Batcher::carry_out(batch::Write& action) { spawn(write(action, connections_[action.writer])); }

void Batcher::carry_out(batch::Answer& action) {
  const auto found = handlers_.find(action.request);
  // Not from here: the waiting request may call commit() again at once.
  asio::post(executor_, [handler = std::move(found->second), outcome = action.outcome]() mutable {
    std::move(handler)(outcome);
  });
  handlers_.erase(found);
}

void Batcher::carry_out(batch::Report& action) {
  metrics_.database_error(action.sqlstate);
  log::warning(action.is_lost ? "database connection lost" : "database refused a batch",
               {{"sqlstate", action.sqlstate}, {"error", action.error}});
}

// --- The database

void Batcher::spawn(asio::awaitable<void> work) {
  ++running_;
  asio::co_spawn(executor_, std::move(work), [this](const std::exception_ptr& failure) {
    --running_;
    ended_.cancel();
    net::rethrow(failure);
  });
}

asio::awaitable<void> Batcher::open(std::size_t writer) {
  std::string failure;
  try {
    std::unique_ptr<pg::Connection> opened = co_await connect_();
    connections_[writer] = std::move(opened);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (connections_[writer]) {
    report(batch::Connected{writer});
  } else {
    report(batch::ConnectFailed{writer, std::move(failure)});
  }
}

asio::awaitable<void> Batcher::write(batch::Write action, std::shared_ptr<pg::Connection> connection) {
  batch::Written done = co_await attempt(action, *connection);
  connection.reset();  // closed before another one is opened
  report(std::move(done));
}

asio::awaitable<batch::Written> Batcher::attempt(const batch::Write& action, pg::Connection& connection) {
  const auto began = std::chrono::steady_clock::now();
  try {
    auto work = store::write_batch(connection, action.events, action.quarantined);
    co_await net::within(statement_timeout_, std::move(work));
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - began;
    metrics_.batch(action.events.size() + action.quarantined.size(), spent.count());
    co_return batch::Written{.write = action.write};
  } catch (const pg::Error& error) {
    co_return batch::Written{action.write, outcome_of(error), error.sqlstate(), error.what()};
  } catch (const boost::system::system_error& error) {
    co_return batch::Written{action.write, batch::Outcome::lost, "", error.what()};
  }
}

}  // namespace socialsync::ingest
