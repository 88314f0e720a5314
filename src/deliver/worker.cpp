#include "deliver/worker.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "base/assert.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "deliver/message.hpp"
#include "net/result.hpp"
#include "net/within.hpp"
#include "store/endpoints.hpp"
#include "store/schema.hpp"

namespace socialsync::deliver {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds notification_wait{500};  // a stop may have to wait as long
constexpr std::chrono::seconds idle_wait{60};

const char* name_of(store::AttemptRow::Result result) {
  switch (result) {
    case store::AttemptRow::Result::delivered: return "delivered";
    case store::AttemptRow::Result::again: return "again";
    case store::AttemptRow::Result::given_up: break;
  }
  return "given_up";
}

asio::awaitable<void> writing_of(pg::Connection& connection, const record::Statement& statement,
                                 std::chrono::milliseconds lease) {
  if (const auto* write = std::get_if<record::WriteResults>(&statement))
    return store::record_attempts(connection, write->rows);
  if (const auto* write = std::get_if<record::WriteNews>(&statement))
    return store::record_endpoint_news(connection, write->news);
  if (const auto* release = std::get_if<record::Release>(&statement))
    return store::release_deliveries(connection, release->keys);
  return store::renew_leases(connection, std::get<record::Renew>(statement).keys, lease);
}

}  // namespace

Worker::Worker(asio::any_io_executor executor, pg::Connect connect, Sender& sender, crypto::SecretKeys keys,
               metrics::Metrics& metrics, WorkerLimits limits)
    : executor_(std::move(executor)),
      connect_(std::move(connect)),
      sender_(sender),
      keys_(std::move(keys)),
      metrics_(metrics),
      limits_(limits),
      core_(limits),
      timer_(executor_),
      claimer_(executor_),
      recorder_(executor_),
      ended_(executor_) {}

void Worker::start() {
  const auto until_stop = [this] { return !is_stopping_; };
  const auto until_recorded = [this] { return core_.needs_recorder(Clock::now()); };
  keep_running("delivery notifications", &Worker::listen, until_stop, event::ListenerLost{});
  keep_running("delivery claims", &Worker::claim, until_stop, event::ClaimerLost{});
  keep_running("delivery results", &Worker::record, until_recorded, event::RecorderLost{});
}

asio::awaitable<void> Worker::stop() {
  is_stopping_ = true;
  handle(event::Stop{});
  claimer_.changed.wake();
  while (running_ > 0) co_await ended_.sleep(Clock::now() + std::chrono::seconds(1));
}

void Worker::take(std::vector<Delivery> deliveries) { handle(event::FreshTaken{std::move(deliveries)}); }

void Worker::outbox_changed(std::vector<Uuid> endpoints) {
  handle(event::OutboxChanged{std::move(endpoints)});
}

// --- Events and actions

void Worker::handle(WorkerEvent event) {
  SOCIALSYNC_ASSERT(actions_.empty());
  core_.resume(std::move(event), moment(), actions_);
  for (WorkerAction& action : actions_) std::visit([this](auto& each) { act(each); }, action);
  actions_.clear();
  is_ready_ = core_.is_ready();
  metrics_.deliveries(core_.in_flight(), core_.waiting());
}

Moment Worker::moment() {
  constexpr int bits = 53;  // the mantissa of a double
  return {.now = Clock::now(),
          .system_now = std::chrono::system_clock::now(),
          .random = std::ldexp(static_cast<double>(random_() >> (64 - bits)), -bits)};
}

void Worker::act(action::Send& send) { spawn(attempt(std::move(send))); }

void Worker::act(action::WakeAt& wake) {
  timer_.expires_at(wake.time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) handle(event::Tick{});
  });
}

void Worker::act(action::CountAttempt& count) {
  metrics_.delivery(name_of(count.result));
  if (count.first_age) metrics_.delivered_first(std::chrono::duration<double>(*count.first_age).count());
}

void Worker::act(action::ReportOverdue& report) {
  metrics_.deliveries_overdue(std::chrono::duration<double>(report.oldest).count());
}

void Worker::act(action::ReportEndpoints& report) {
  metrics_.endpoints(report.ok, report.failing, report.disabled);
}

void Worker::act(Warning& warning) {
  const std::vector<log::Field>& fields = warning.fields;
  SOCIALSYNC_ASSERT(fields.size() == 1 || fields.size() == 2 || fields.size() == 4);
  if (fields.size() == 1) return log::warning(warning.message, {fields[0]});
  if (fields.size() == 2) return log::warning(warning.message, {fields[0], fields[1]});
  log::warning(warning.message, {fields[0], fields[1], fields[2], fields[3]});
}

void Worker::act(action::Finished&) {
  is_finished_ = true;
  timer_.cancel();
  recorder_.changed.wake();
}

// --- Connections

void Worker::spawn(asio::awaitable<void> work) {
  ++running_;
  asio::co_spawn(executor_, std::move(work), [this](const std::exception_ptr& failure) {
    --running_;
    ended_.wake();
    net::rethrow(failure);
  });
}

void Worker::keep_running(const char* name, asio::awaitable<void> (Worker::*task)(pg::Connection&),
                          std::function<bool()> is_wanted, WorkerEvent lost) {
  auto run = [this, task](pg::Connection& connection) { return (this->*task)(connection); };
  auto on_failure = [this, lost = std::move(lost)](const std::exception&) { handle(lost); };
  spawn(pg::supervise(connect_,
                      {.name = name,
                       .run = std::move(run),
                       .is_wanted = std::move(is_wanted),
                       .on_failure = std::move(on_failure)},
                      limits_.reconnect));
}

asio::awaitable<void> Worker::listen(pg::Connection& connection) {
  co_await store::listen_for_deliveries(connection);
  co_await store::listen_for_endpoint_changes(connection);
  handle(event::ListenerConnected{});
  asio::steady_timer gap(executor_);
  while (!is_stopping_) {
    const std::set<std::string> channels = co_await connection.notified_on(notification_wait);
    if (!channels.empty())
      handle(event::Notified{.are_endpoints_changed = channels.contains(store::endpoints_channel)});
    gap.expires_after(limits_.notification_gap_min);
    co_await gap.async_wait(net::as_result);
  }
}

asio::awaitable<void> Worker::claim(pg::Connection& connection) {
  co_await store::plan_by_keys(connection);
  claimer_.statement.reset();
  handle(event::ClaimerConnected{});
  while (!is_stopping_ || claimer_.statement) {
    if (!claimer_.statement) {
      co_await claimer_.changed.sleep(Clock::now() + idle_wait);
      continue;
    }
    const ClaimerStatement statement = *std::exchange(claimer_.statement, std::nullopt);
    WorkerEvent answer = co_await run(connection, statement);
    handle(std::move(answer));
  }
}

asio::awaitable<WorkerEvent> Worker::run(pg::Connection& connection, const ClaimerStatement& statement) {
  if (const auto* wanted = std::get_if<action::Claim>(&statement)) {
    auto claiming =
        store::claim_deliveries(connection, wanted->rooms, limits_.terms, wanted->first_conversation);
    store::Claim claim = co_await net::within(limits_.statement_timeout, std::move(claiming));
    co_return event::Claimed{std::move(claim)};
  }
  if (std::holds_alternative<action::Scan>(statement)) {
    auto scanning = store::select_due(connection);
    std::vector<store::Due> due = co_await net::within(limits_.statement_timeout, std::move(scanning));
    co_return event::DueFound{std::move(due)};
  }
  auto reading = store::select_endpoints(connection, keys_);
  std::vector<store::EndpointState> endpoints =
      co_await net::within(limits_.statement_timeout, std::move(reading));
  auto counting = store::count_disabled_endpoints(connection);
  const std::size_t disabled = co_await net::within(limits_.statement_timeout, std::move(counting));
  co_return event::EndpointsLoaded{std::move(endpoints), disabled};
}

asio::awaitable<void> Worker::record(pg::Connection& connection) {
  co_await store::plan_by_keys(connection);
  recorder_.statement.reset();
  handle(event::RecorderConnected{});
  while (!is_finished_) {
    if (!recorder_.statement) {
      co_await recorder_.changed.sleep(Clock::now() + idle_wait);
      continue;
    }
    const record::Statement statement = *std::exchange(recorder_.statement, std::nullopt);
    WorkerEvent answer = co_await run(connection, statement);
    std::optional<pg::Error> why;
    if (const auto* refused = std::get_if<event::Refused>(&answer)) why = refused->error;
    handle(std::move(answer));
    if (std::exchange(is_recorder_dropped_, false)) throw *why;
  }
}

asio::awaitable<WorkerEvent> Worker::run(pg::Connection& connection, const record::Statement& statement) {
  try {
    if (const auto* find = std::get_if<record::FindLocked>(&statement)) {
      auto finding = store::locked_deliveries(connection, find->keys);
      std::vector<store::DeliveryKey> found =
          co_await net::within(limits_.statement_timeout, std::move(finding));
      co_return event::LockedFound{std::move(found)};
    }
    auto writing = writing_of(connection, statement, limits_.terms.lease);
    co_await net::within(limits_.statement_timeout, std::move(writing));
    co_return event::Committed{};
  } catch (const pg::Error& error) {
    co_return event::Refused{error};
  }
}

asio::awaitable<void> Worker::attempt(action::Send send) {
  const Target& target = *send.target;
  Request request = request_of(*send.delivery.event, target.endpoint, target.signer, now_ms() / 1000);
  std::optional<Reply> reply;
  std::string why;
  try {
    reply = co_await sender_.send(std::move(request));
  } catch (const boost::system::system_error& error) {
    if (error.code() != asio::error::operation_aborted) why = error.what();
  }
  if (reply)
    handle(event::Replied{std::move(send.delivery), std::move(send.target), std::move(*reply)});
  else
    handle(event::NotSent{std::move(send.delivery), std::move(why)});
}

}  // namespace socialsync::deliver
