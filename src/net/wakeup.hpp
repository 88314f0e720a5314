#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "net/result.hpp"

namespace socialsync::net {

// Lets one coroutine sleep until others wake it. A call while it is awake is not lost. For use within one
// thread.
class Wakeup {
 public:
  explicit Wakeup(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  void wake() {
    is_woken_ = true;
    timer_.cancel();
  }

  // Sleeps until woken, at most until `until`.
  boost::asio::awaitable<void> sleep(std::chrono::steady_clock::time_point until) {
    if (!is_woken_) {
      timer_.expires_at(until);
      co_await timer_.async_wait(as_result);
    }
    is_woken_ = false;
  }

 private:
  boost::asio::steady_timer timer_;
  bool is_woken_ = false;
};

}  // namespace socialsync::net
