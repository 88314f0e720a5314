#include "deliver/worker.hpp"

#include <algorithm>
#include <exception>
#include <limits>
#include <set>
#include <utility>

#include <boost/asio/co_spawn.hpp>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "deliver/backoff.hpp"
#include "deliver/compose.hpp"
#include "deliver/outcome.hpp"
#include "net/result.hpp"
#include "net/rethrow.hpp"
#include "net/within.hpp"
#include "store/endpoints.hpp"

namespace socialsync::deliver {
namespace {

constexpr std::chrono::milliseconds pause_min{100};
constexpr std::chrono::milliseconds pause_max{5'000};
constexpr std::chrono::milliseconds notification_wait{500};  // so long a stop may have to wait

// So long the first retry would have waited: what is older was held up, or is replayed.
constexpr std::chrono::milliseconds fresh_max{5'000};
// What is delivered first when it is older than this was replayed: it says nothing of how quick we are.
constexpr std::chrono::hours measured_max{1};

store::DeliveryKey key_of(const Delivery& delivery) { return {delivery.event->id, delivery.endpoint_id}; }

Delivery delivery_of(store::Claimed claimed) {
  auto event = std::make_shared<Event>();
  event->id = claimed.key.event_id;
  event->type = std::move(claimed.type);
  event->platform = std::move(claimed.platform);
  event->received_ms = claimed.received_ms;
  event->payload = std::move(*claimed.payload);
  return {.event = std::move(event),
          .endpoint_id = claimed.key.endpoint_id,
          .attempts = static_cast<std::uint16_t>(claimed.attempts),
          .is_fresh = claimed.attempts == 0 && now_ms() - claimed.received_ms < fresh_max.count()};
}

}  // namespace

Worker::Worker(asio::any_io_executor executor, Connect connect, Sender& sender, crypto::SecretKeys keys,
               metrics::Metrics& metrics, WorkerLimits limits)
    : executor_(std::move(executor)),
      connect_(std::move(connect)),
      sender_(sender),
      keys_(std::move(keys)),
      metrics_(metrics),
      limits_(limits),
      admission_(limits.admission),
      lanes_(limits.lanes),
      leases_(limits.terms.lease),
      recorder_(executor_, leases_, limits.recorder,
                {.on_written = [this](const auto& rows) { written(rows); },
                 .on_given_back = [this](const auto& keys) { given_back(keys); },
                 .on_disabled =
                     [this] {
                       are_endpoints_stale_ = true;
                       claims_wanted_.wake();
                     },
                 .is_last = [this] { return running_ <= 1 && !is_worth_waiting(); }}),
      claims_wanted_(executor_),
      ended_(executor_),
      dispatch_timer_(executor_) {}

void Worker::start() {
  const auto until_stop = [this] { return !is_stopping_; };
  const auto until_written = [this] { return !is_stopping_ || is_worth_waiting(); };
  spawn(keep_running(
      "delivery notifications", [this](pg::Connection& connection) { return listen(connection); },
      until_stop));
  spawn(keep_running(
      "deliveries to send", [this](pg::Connection& connection) { return claim(connection); }, until_stop));
  spawn(keep_running(
      "delivery results", [this](pg::Connection& connection) { return recorder_.run(connection); },
      until_written));
}

void Worker::spawn(asio::awaitable<void> work) {
  ++running_;
  asio::co_spawn(executor_, std::move(work), [this](const std::exception_ptr& failure) {
    --running_;
    ended_.wake();
    net::rethrow(failure);
  });
}

// `task` runs over one connection after another, each time until that one fails, or all is done.
asio::awaitable<void> Worker::keep_running(const char* name, Task task, std::function<bool()> is_wanted) {
  asio::steady_timer timer(executor_);
  std::chrono::milliseconds pause{0};
  while (is_wanted()) {
    const auto began = Clock::now();
    try {
      const std::unique_ptr<pg::Connection> connection = co_await connect_();
      co_await store::plan_by_keys(*connection);
      co_await task(*connection);
      co_return;
    } catch (const std::exception& error) {
      is_ready_ = false;
      log::warning("database task failed, will retry", {{"task", name}, {"error", error.what()}});
    }
    pause = Clock::now() - began > pause_max ? pause_min : std::clamp(pause * 2, pause_min, pause_max);
    if (!is_wanted()) break;
    timer.expires_after(pause);
    co_await timer.async_wait(net::as_result);
  }
}

// Whether results are left to be written, or will be, and the database may come back in time.
bool Worker::is_worth_waiting() const {
  return lanes_.in_flight() > 0 || (recorder_.has_results() && Clock::now() < stop_until_);
}

// --- What there is to deliver

void Worker::take(std::vector<Delivery> deliveries) {
  const auto now = Clock::now();
  std::vector<Delivery> refused;
  for (Delivery& delivery : deliveries) {
    delivery.is_admitted = delivery.is_fresh = true;
    if (!leases_.add(key_of(delivery), now)) {
      admission_.leave(delivery.endpoint_id);  // in hand already, out of the outbox
      continue;
    }
    if (is_stopping_ || !lanes_.offer(delivery, now)) refused.push_back(std::move(delivery));
  }
  give_back(refused);
  dispatch();
}

void Worker::nudge(const std::vector<Uuid>& endpoints) {
  for (const Uuid& endpoint : endpoints) backlog_.note(endpoint, Clock::now());
  claims_wanted_.wake();
}

asio::awaitable<void> Worker::listen(pg::Connection& connection) {
  co_await store::listen_for_deliveries(connection);
  co_await store::listen_for_endpoint_changes(connection);
  asio::steady_timer gap(executor_);
  // What was told between two connections nobody has heard.
  are_endpoints_stale_ = is_scan_wanted_ = true;
  claims_wanted_.wake();
  while (!is_stopping_) {
    const std::set<std::string> channels = co_await connection.notified_on(notification_wait);
    is_scan_wanted_ = is_scan_wanted_ || !channels.empty();
    are_endpoints_stale_ = are_endpoints_stale_ || channels.contains(store::endpoints_channel);
    if (!channels.empty()) claims_wanted_.wake();
    gap.expires_after(limits_.scan_gap_min);
    co_await gap.async_wait(net::as_result);
  }
}

asio::awaitable<void> Worker::claim(pg::Connection& connection) {
  are_endpoints_stale_ = is_scan_wanted_ = true;
  asio::steady_timer gap(executor_);
  Clock::time_point polled_at = Clock::now();
  while (!is_stopping_) {
    if (Clock::now() - polled_at >= limits_.poll_interval) are_endpoints_stale_ = is_scan_wanted_ = true;
    if (are_endpoints_stale_) co_await load_endpoints(connection);
    if (is_scan_wanted_) {
      is_scan_wanted_ = false;
      backlog_.clear();
      polled_at = Clock::now();
      auto looking = store::select_due(connection);
      const std::vector<store::Due> due = co_await net::within(limits_.statement_timeout, std::move(looking));
      backlog_.note(due, Clock::now());
      metrics_.deliveries_overdue(std::chrono::duration<double>(targets_.overdue(due)).count());
    }
    is_ready_ = true;
    const bool has_claimed = co_await claim_some(connection);
    dispatch();
    if (!has_claimed) co_await claims_wanted_.sleep(next_look(polled_at + limits_.poll_interval));
    gap.expires_after(limits_.claim_gap_min);
    co_await gap.async_wait(net::as_result);
  }
}

Worker::Clock::time_point Worker::next_look(Clock::time_point poll_at) const {
  const auto due_at = backlog_.next_at(Clock::now());
  return due_at ? std::min(*due_at, poll_at) : poll_at;
}

asio::awaitable<void> Worker::load_endpoints(pg::Connection& connection) {
  are_endpoints_stale_ = false;
  auto reading = store::select_endpoints(connection, keys_);
  std::vector<store::EndpointState> endpoints =
      co_await net::within(limits_.statement_timeout, std::move(reading));
  const std::vector<Uuid> repaired = repairs_.since_last(endpoints);
  const Targets::Changes changes = targets_.replace(std::move(endpoints));
  for (const Uuid& id : changes.removed) close_endpoint(id);
  for (const Uuid& id : repaired) begin_anew(id);
  const auto now = Clock::now();
  for (const Uuid& id : changes.added) {
    const model::Endpoint& endpoint = targets_.find(id)->endpoint;
    lanes_.configure(
        id, {.concurrent_max = endpoint.concurrent_max, .per_second_max = endpoint.per_second_max}, now);
    admission_.set(id, !lanes_.is_open(id));
  }
  auto counting = store::count_disabled_endpoints(connection);
  const std::size_t disabled = co_await net::within(limits_.statement_timeout, std::move(counting));
  metrics_.endpoints(targets_.health().ok, targets_.health().failing, disabled);
}

// Its failures before it was repaired count no more, and nothing waits for a probe.
void Worker::begin_anew(const Uuid& endpoint_id) {
  const auto now = Clock::now();
  lanes_.repaired(endpoint_id, now);
  backlog_.note(endpoint_id, now);
  recorder_.forget_news(endpoint_id);
  if (auto news = targets_.succeeded(endpoint_id)) recorder_.add(std::move(*news));
}

void Worker::close_endpoint(const Uuid& endpoint_id) {
  give_back(lanes_.remove(endpoint_id));
  admission_.remove(endpoint_id);
}

// Whether there was something to claim.
asio::awaitable<bool> Worker::claim_some(pg::Connection& connection) {
  if (recorder_.is_full()) co_return false;
  const auto now = Clock::now();
  // Half of a lane is for what is fresh: retries must not fill it.
  const auto room = [&](const Uuid& id) {
    const std::size_t free = lanes_.room(id, now);
    const std::size_t kept = limits_.lanes.lane_waiting_max / 2;
    return lanes_.is_open(id) || free <= 1 ? free : free - std::min(kept, free - 1);
  };
  std::vector<store::Room> rooms = backlog_.take_wanted(now, room, limits_.claim_rows_max);
  if (rooms.empty()) co_return false;
  for (store::Room& asked : rooms) asked.is_ordered = is_ordered(asked.endpoint_id);
  std::uniform_int_distribution<std::int64_t> any(std::numeric_limits<std::int64_t>::min());
  auto claiming = store::claim_deliveries(connection, rooms, limits_.terms, any(random_));
  store::Claim claim = co_await net::within(limits_.statement_timeout, std::move(claiming));
  backlog_.note_claim(rooms, claim, Clock::now());
  const bool has_claimed = !claim.rows.empty();
  accept(std::move(claim), Clock::now());
  co_return has_claimed;
}

bool Worker::is_ordered(const Uuid& endpoint_id) const {
  const auto target = targets_.find(endpoint_id);
  return target && target->endpoint.is_ordered;
}

void Worker::accept(store::Claim claim, Clock::time_point now) {
  std::vector<Delivery> refused;
  for (store::Claimed& row : claim.rows) {
    if (!leases_.add(row.key, now)) continue;  // we have had it for so long that its lease ran out
    if (!row.payload) {
      recorder_.add(store::AttemptRow{.key = row.key,
                                      .result = store::AttemptRow::Result::delivered,
                                      .attempt = row.attempts,
                                      .began = now,
                                      .error = "event_gone",
                                      .detail = {},
                                      .response_head = {}});
      continue;
    }
    Delivery delivery = delivery_of(std::move(row));
    if (lanes_.offer(delivery, now)) continue;
    backlog_.put_off(delivery.endpoint_id, now + limits_.release_pause);
    refused.push_back(std::move(delivery));
  }
  give_back(refused);
}

// Others may have them, or we again when there is room.
void Worker::give_back(const std::vector<Delivery>& deliveries) {
  for (const Delivery& delivery : deliveries) {
    if (delivery.is_admitted) admission_.leave(delivery.endpoint_id);
    recorder_.give_back(key_of(delivery));
  }
}

// --- Sending

void Worker::dispatch() {
  const auto now = Clock::now();
  while (!is_stopping_ && !recorder_.is_full()) {
    std::optional<Delivery> delivery = lanes_.next(now);
    if (!delivery) break;
    if (std::exchange(delivery->is_admitted, false)) admission_.leave(delivery->endpoint_id);
    spawn(attempt(std::move(*delivery)));
  }
  metrics_.deliveries(lanes_.in_flight(), lanes_.waiting());
  arm_timer();
}

// A rate, or a breaker, may let something begin although nothing else happens.
void Worker::arm_timer() {
  const auto at = lanes_.next_at();
  if (!at || is_stopping_ || recorder_.is_full()) return;
  dispatch_timer_.expires_at(*at);
  dispatch_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    dispatch();
    claims_wanted_.wake();
  });
}

asio::awaitable<void> Worker::attempt(Delivery delivery) {
  const std::shared_ptr<const Target> target = targets_.find(delivery.endpoint_id);
  if (!target) {
    withdraw(delivery, true);
    co_return;
  }
  Request request = request_of(*delivery.event, target->endpoint, target->signer, now_ms() / 1000);
  try {
    Reply reply = co_await sender_.send(std::move(request));
    finish(delivery, *target, std::move(reply));
  } catch (const boost::system::system_error& error) {
    const bool is_stopped = error.code() == asio::error::operation_aborted;
    if (!is_stopped) log::warning("a delivery cannot be sent now", {{"error", error.what()}});
    withdraw(delivery, is_stopped);
  }
}

// It began, and nothing was sent; whether that says something of the endpoint.
void Worker::withdraw(const Delivery& delivery, bool is_well) {
  give_back(
      lanes_.ended(delivery.endpoint_id, {.is_delivered = is_well, .took = {}}, Clock::now(), jitter()));
  give_back({delivery});
}

// Whether what came of it says something of the endpoint: not when that has another URL since, or is gone.
bool Worker::is_current(const Target& target) const {
  const std::shared_ptr<const Target> current = targets_.find(target.endpoint.id);
  return current && current->endpoint.url == target.endpoint.url;
}

void Worker::finish(const Delivery& delivery, const Target& target, Reply reply) {
  const Verdict verdict = verdict_of(reply);
  const bool is_delivered = verdict == Verdict::delivered;
  const auto now = Clock::now();
  store::AttemptRow row{.key = key_of(delivery),
                        .attempt = delivery.attempts + 1,
                        .began = now - std::chrono::duration_cast<Clock::duration>(reply.took),
                        .http_status = reply.status,
                        .took = std::chrono::duration_cast<std::chrono::milliseconds>(reply.took),
                        .error = error_of(reply),
                        .detail = std::move(reply.detail),
                        .response_head = std::move(reply.body_head)};
  if (is_delivered) {
    row.age = std::chrono::milliseconds(std::max<std::int64_t>(0, now_ms() - delivery.event->received_ms));
    if (delivery.attempts == 0 && row.age < measured_max)
      metrics_.delivered_first(std::chrono::duration<double>(row.age).count());
  } else if (const auto delay = delay_after(delivery.attempts + 1U, reply, jitter())) {
    row.result = store::AttemptRow::Result::again;
    row.again_in = *delay;
    backlog_.note(delivery.endpoint_id, now + *delay);
    claims_wanted_.wake();
  } else {
    row.result = store::AttemptRow::Result::given_up;
  }
  metrics_.delivery(is_delivered                                     ? "delivered"
                    : row.result == store::AttemptRow::Result::again ? "again"
                                                                     : "given_up");
  recorder_.add(std::move(row));
  if (is_stopping_) stop_until_ = now + limits_.stop_patience;

  const Ended how{.is_delivered = is_delivered, .took = reply.took, .is_outdated = !is_current(target)};
  give_back(lanes_.ended(delivery.endpoint_id, how, now, jitter()));
  if (!how.is_outdated) note_health(delivery.endpoint_id, is_delivered, verdict == Verdict::gone);
  if (backlog_.is_due(delivery.endpoint_id, now)) claims_wanted_.wake();
  dispatch();
}

void Worker::note_health(const Uuid& endpoint_id, bool is_delivered, bool is_gone) {
  admission_.set(endpoint_id, targets_.find(endpoint_id) && !lanes_.is_open(endpoint_id));
  auto news = is_delivered ? targets_.succeeded(endpoint_id)
                           : targets_.failed(endpoint_id, std::chrono::system_clock::now());
  if (is_gone)
    news = store::EndpointNews{
        .endpoint_id = endpoint_id, .is_failing = true, .disabled_because = "the receiver answered 410 Gone"};
  if (!news) return;
  const std::string id = to_string(endpoint_id);
  if (!news->disabled_because.empty())
    log::warning("an endpoint is switched off", {{"endpoint", id}, {"why", news->disabled_because}});
  else if (news->warned_percent > 0)
    log::warning("an endpoint does nothing but fail, and will be switched off after five days",
                 {{"endpoint", id}, {"percent", news->warned_percent}});
  recorder_.add(std::move(*news));
}

// --- When what came of it is written

void Worker::written(std::span<const store::AttemptRow> rows) {
  const auto now = Clock::now();
  for (const store::AttemptRow& row : rows) {
    // The next of its conversation may have waited for this one.
    if (is_ordered(row.key.endpoint_id)) backlog_.note(row.key.endpoint_id, now);
  }
  dispatch();
  claims_wanted_.wake();
}

// Not at once: there was no room for them.
void Worker::given_back(std::span<const store::DeliveryKey> keys) {
  const auto later = Clock::now() + limits_.release_pause;
  for (const store::DeliveryKey& key : keys) backlog_.note(key.endpoint_id, later);
  claims_wanted_.wake();
}

asio::awaitable<void> Worker::stop() {
  is_stopping_ = true;
  stop_until_ = Clock::now() + limits_.stop_patience;
  dispatch_timer_.cancel();
  for (const Uuid& id : targets_.ids()) close_endpoint(id);
  claims_wanted_.wake();
  recorder_.finish();
  while (running_ > 0) {
    co_await ended_.sleep(Clock::now() + std::chrono::seconds(1));
    recorder_.look();
  }
}

}  // namespace socialsync::deliver
