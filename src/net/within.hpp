#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

namespace socialsync::net {

namespace detail {

// Shared with the timer's handler, which may run after the waiting coroutine was destroyed.
struct Deadline {
  explicit Deadline(const boost::asio::any_io_executor& executor) : timer(executor) {}

  boost::asio::steady_timer timer;
  boost::asio::cancellation_signal cancel;
  bool expired = false;
};

// Starts the timer: after `limit` it emits the cancel signal.
std::shared_ptr<Deadline> start_deadline(const boost::asio::any_io_executor& executor,
                                         std::chrono::steady_clock::duration limit);

// Cancelling the waiting coroutine also cancels the work.
void pass_on_cancellation(boost::asio::cancellation_slot from, const std::shared_ptr<Deadline>& deadline);

// Stops the timer. Throws timed_out if the limit cancelled the work, otherwise the work's own exception.
void finish_deadline(Deadline& deadline, const std::exception_ptr& failure);

}  // namespace detail

// Runs `work` and cancels it when `limit` has passed; then throws system_error(asio::error::timed_out). Other
// exceptions of `work` pass unchanged. Waits until `work` has ended, so that its referents may be destroyed
// afterwards. For work that fails at once when cancelled: sockets and timers.
template <class T>
boost::asio::awaitable<T> within(std::chrono::steady_clock::duration limit, boost::asio::awaitable<T> work) {
  namespace asio = boost::asio;
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  const asio::cancellation_state waiting = co_await asio::this_coro::cancellation_state;
  const auto deadline = detail::start_deadline(executor, limit);
  detail::pass_on_cancellation(waiting.slot(), deadline);
  auto token = asio::bind_cancellation_slot(deadline->cancel.slot(), asio::use_awaitable);
  std::exception_ptr failure;
  if constexpr (std::is_void_v<T>) {
    try {
      co_await asio::co_spawn(executor, std::move(work), std::move(token));
    } catch (...) {
      failure = std::current_exception();
    }
    detail::finish_deadline(*deadline, failure);
  } else {
    T value{};  // co_spawn also requires a default constructor of T
    try {
      value = co_await asio::co_spawn(executor, std::move(work), std::move(token));
    } catch (...) {
      failure = std::current_exception();
    }
    detail::finish_deadline(*deadline, failure);
    co_return value;
  }
}

}  // namespace socialsync::net
