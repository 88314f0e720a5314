#include "deliver/wire/sender.hpp"

#include <chrono>
#include <new>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <curl/curl.h>

#include "deliver/wire/socket_set.hpp"
#include "deliver/wire/transfer.hpp"

namespace socialsync::deliver {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Clock = std::chrono::steady_clock;
using Handler = asio::any_completion_handler<void(error_code, Reply)>;

template <auto Function>
struct With {
  void operator()(auto* object) const { Function(object); }
};
using Multi = std::unique_ptr<CURLM, With<curl_multi_cleanup>>;
using Share = std::unique_ptr<CURLSH, With<curl_share_cleanup>>;

void start_library() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::bad_alloc();
}

// A transfer and the handler that waits for it.
struct Exchange {
  Exchange(const EgressPolicy& policy, const SenderLimits& limits, SocketSet& sockets, CURLSH* share)
      : transfer(policy, limits, sockets, share) {}

  Transfer transfer;
  std::optional<Handler> handler;
  std::size_t place = 0;      // in active_
  std::uint64_t request = 0;  // its number: a late cancellation must not end the next request
};

}  // namespace

class Sender::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(asio::any_io_executor executor, EgressPolicy policy, SenderLimits limits)
      : executor_(std::move(executor)),
        policy_(std::move(policy)),
        limits_(std::move(limits)),
        sockets_(executor_),
        timer_(executor_) {
    start_library();
    share_.reset(curl_share_init());
    multi_.reset(curl_multi_init());
    if (!share_ || !multi_) throw std::bad_alloc();
    curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, limits_.connections_kept_max);
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, on_watch);
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, on_timeout_change);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  }
  ~Core() { stop(); }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;

  void start(const Request& request, Handler handler) {
    if (!multi_) return complete(std::move(handler), asio::error::operation_aborted, {});
    std::unique_ptr<Exchange> exchange = take_idle();
    if (!exchange->transfer.prepare(request)) {
      complete(std::move(handler), {}, exchange->transfer.reply(CURLE_URL_MALFORMAT));
      return keep(std::move(exchange));
    }
    cancel_with(asio::get_associated_cancellation_slot(handler), *exchange);
    exchange->handler.emplace(std::move(handler));
    exchange->place = active_.size();
    curl_easy_setopt(exchange->transfer.handle(), CURLOPT_PRIVATE, exchange.get());
    active_.push_back(std::move(exchange));
    Exchange& added = *active_.back();
    if (curl_multi_add_handle(multi_.get(), added.transfer.handle()) != CURLM_OK)
      return end(added, asio::error::no_memory, {});
    wait();
  }

  void stop() {
    if (!multi_) return;
    while (!active_.empty()) cancel(*active_.back());
    curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, nullptr);
    curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, nullptr);
    idle_.clear();
    multi_.reset();
    share_.reset();
    timer_.cancel();
    sockets_.stop();
  }

  std::size_t active() const { return active_.size(); }

 private:
  std::unique_ptr<Exchange> take_idle() {
    if (idle_.empty()) return std::make_unique<Exchange>(policy_, limits_, sockets_, share_.get());
    std::unique_ptr<Exchange> exchange = std::move(idle_.back());
    idle_.pop_back();
    return exchange;
  }

  void keep(std::unique_ptr<Exchange> exchange) {
    if (idle_.size() < limits_.transfers_kept_max) idle_.push_back(std::move(exchange));
  }

  void cancel_with(auto slot, Exchange& exchange) {
    const std::uint64_t request = exchange.request = ++requests_;
    if (!slot.is_connected()) return;
    slot.assign([self = weak_from_this(), &exchange, request](asio::cancellation_type) {
      const auto core = self.lock();
      if (core && core->is_in_flight(exchange, request)) core->cancel(exchange);
    });
  }

  // Compares addresses first: an exchange that was destroyed may not be accessed.
  bool is_in_flight(const Exchange& exchange, std::uint64_t request) const {
    for (const std::unique_ptr<Exchange>& each : active_) {
      if (each.get() == &exchange) return each->request == request;
    }
    return false;
  }

  void cancel(Exchange& exchange) { end(exchange, asio::error::operation_aborted, {}); }

  // Handlers are posted, never called from here: they may send again, or destroy the sender.
  void end(Exchange& exchange, error_code error, Reply reply) {
    curl_multi_remove_handle(multi_.get(), exchange.transfer.handle());
    complete(std::move(*exchange.handler), error, std::move(reply));
    exchange.handler.reset();
    std::unique_ptr<Exchange>& own = active_[exchange.place];
    std::swap(own, active_.back());
    own->place = exchange.place;
    std::unique_ptr<Exchange> ended = std::move(active_.back());
    active_.pop_back();
    keep(std::move(ended));
  }

  void complete(Handler handler, error_code error, Reply reply) {
    asio::post(executor_, [handler = std::move(handler), error, reply = std::move(reply)]() mutable {
      std::move(handler)(error, std::move(reply));
    });
  }

  void wait() {
    if (std::exchange(is_waiting_, true)) return;
    sockets_.wait([self = weak_from_this()] {
      if (const auto core = self.lock()) core->serve_sockets();
    });
  }

  void serve_sockets() {
    is_waiting_ = false;
    if (!multi_) return;
    for (const SocketSet::Ready& ready : sockets_.ready()) {
      int running = 0;
      curl_multi_socket_action(multi_.get(), ready.socket, ready.events, &running);
    }
    collect();
    wait();
  }

  void serve_timeouts() {
    if (!multi_) return;
    int running = 0;
    curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
    collect();
  }

  void collect() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      char* owner = nullptr;
      const CURLcode result = message->data.result;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &owner);
      auto& exchange = *reinterpret_cast<Exchange*>(owner);
      end(exchange, {}, exchange.transfer.reply(result));
    }
  }

  static int on_watch(CURL*, curl_socket_t socket, int what, void* self, void*) {
    static_cast<Core*>(self)->sockets_.watch(socket, what);
    return 0;
  }

  static int on_timeout_change(CURLM*, long timeout_ms, void* self) {
    auto& core = *static_cast<Core*>(self);
    core.deadline_ = timeout_ms < 0 ? never : Clock::now() + std::chrono::milliseconds(timeout_ms);
    if (timeout_ms == 0)
      core.serve_timeouts_soon();
    else
      core.arm();
    return 0;
  }

  // Every new request asks for this: one turn serves all of them.
  void serve_timeouts_soon() {
    if (std::exchange(is_soon_, true)) return;
    asio::post(executor_, [self = weak_from_this()] {
      const auto core = self.lock();
      if (!core) return;
      core->is_soon_ = false;
      core->serve_timeouts();
    });
  }

  // The timer is only moved forward: one idle wakeup is cheaper than setting it for each request.
  void arm() {
    if (deadline_ >= armed_) return;
    armed_ = deadline_;
    timer_.expires_at(armed_);
    timer_.async_wait([self = weak_from_this()](const error_code& error) {
      const auto core = self.lock();
      if (!error && core) core->ring();
    });
  }

  void ring() {
    armed_ = never;
    if (Clock::now() >= deadline_) return serve_timeouts();
    arm();
  }

  static constexpr Clock::time_point never = Clock::time_point::max();

  asio::any_io_executor executor_;
  EgressPolicy policy_;
  SenderLimits limits_;
  SocketSet sockets_;
  asio::steady_timer timer_;
  Clock::time_point deadline_ = never;  // when libcurl wants to be called
  Clock::time_point armed_ = never;     // when the timer rings
  bool is_soon_ = false;
  bool is_waiting_ = false;
  std::uint64_t requests_ = 0;
  Share share_;
  Multi multi_;
  std::vector<std::unique_ptr<Exchange>> active_;
  std::vector<std::unique_ptr<Exchange>> idle_;
};

Sender::Sender(asio::any_io_executor executor, EgressPolicy policy, SenderLimits limits)
    : core_(std::make_shared<Core>(std::move(executor), std::move(policy), std::move(limits))) {}

Sender::~Sender() { stop(); }

void Sender::stop() { core_->stop(); }

std::size_t Sender::in_flight() const { return core_->active(); }

asio::awaitable<Reply> Sender::send(Request request) {
  const auto start = [core = core_.get(), &request](auto handler) {
    core->start(request, Handler(std::move(handler)));
  };
  Reply reply = co_await asio::async_initiate<const asio::use_awaitable_t<>, void(error_code, Reply)>(
      start, asio::use_awaitable);
  co_return reply;
}

}  // namespace socialsync::deliver
