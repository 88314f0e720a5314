#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace socialsync::net {

// What one coroutine sleeps on, and others wake it by. A call that came while it was awake is not lost. One
// thread.
class Wakeup {
 public:
  explicit Wakeup(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  void wake();
  // Until woken, or until then.
  boost::asio::awaitable<void> sleep(std::chrono::steady_clock::time_point until);

 private:
  boost::asio::steady_timer timer_;
  bool is_woken_ = false;
};

}  // namespace socialsync::net
