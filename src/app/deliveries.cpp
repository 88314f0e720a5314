#include "app/deliveries.hpp"

#include <exception>
#include <utility>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <sys/resource.h>
#include <unistd.h>

#include "app/egress.hpp"
#include "deliver/delivery.hpp"

namespace socialsync::app {
namespace {

namespace asio = boost::asio;

std::shared_ptr<const deliver::Event> event_of(const store::EventRow& row) {
  auto event = std::make_shared<deliver::Event>();
  event->id = row.id;
  event->type = row.type;
  event->platform = row.platform;
  event->received_ms = row.received_ms;
  event->payload = row.exact_payload.value_or(row.payload);
  return event;
}

// Answers to Meta have a deadline of seconds; deliveries can wait in the outbox. On Linux each thread has its
// own niceness, setpriority(2).
void yield_to_ingest() {
  constexpr int niceness = 10;
  setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), niceness);
}

}  // namespace

Deliveries::Deliveries(const config::Config& config, asio::any_io_executor ingest, pg::Connect connect,
                       metrics::Metrics& metrics)
    : ingest_(std::move(ingest)),
      keeps_running_(asio::make_work_guard(io_)),
      sender_(io_.get_executor(), egress_policy_of(config.egress)),
      worker_(io_.get_executor(), std::move(connect), sender_, config.secrets.keys, metrics) {}

Deliveries::~Deliveries() {
  keeps_running_.reset();
  io_.stop();
  if (thread_.joinable()) thread_.join();
}

void Deliveries::start() {
  asio::post(io_, [this] { worker_.start(); });
  thread_ = std::thread([this] {
    yield_to_ingest();
    io_.run();
  });
}

asio::awaitable<void> Deliveries::stop() {
  if (!thread_.joinable()) co_return;
  hand_over();
  co_await asio::co_spawn(io_, worker_.stop(), asio::use_awaitable);
}

// A commit answers many requests in a row: the worker is woken once for all of them.
void Deliveries::take(const ingest::Submission& submission) {
  const bool is_hand_over_posted = !handed_.empty();
  for (const store::EventRow& row : submission.events) add(row);
  if (handed_.empty() || is_hand_over_posted) return;
  asio::post(ingest_, [this] { hand_over(); });
}

void Deliveries::add(const store::EventRow& row) {
  std::shared_ptr<const deliver::Event> event;
  for (const store::QueuedDelivery& delivery : row.deliveries) {
    const bool is_leased = delivery.lease.count() > 0;
    if (is_leased && !row.is_new) worker_.admission().leave(delivery.endpoint_id);
    if (!row.is_new) continue;
    if (!is_leased) {
      handed_.endpoints.push_back(delivery.endpoint_id);
      continue;
    }
    if (!event) event = event_of(row);
    handed_.deliveries.push_back({.event = event, .endpoint_id = delivery.endpoint_id});
  }
}

void Deliveries::hand_over() {
  if (handed_.empty()) return;
  asio::post(io_, [this, handed = std::exchange(handed_, {})]() mutable {
    if (!handed.endpoints.empty()) worker_.outbox_changed(std::move(handed.endpoints));
    if (!handed.deliveries.empty()) worker_.take(std::move(handed.deliveries));
  });
}

void Deliveries::forget(const ingest::Submission& submission) {
  for (const store::EventRow& row : submission.events) {
    for (const store::QueuedDelivery& delivery : row.deliveries) {
      if (delivery.lease.count() > 0) worker_.admission().leave(delivery.endpoint_id);
    }
  }
}

}  // namespace socialsync::app
