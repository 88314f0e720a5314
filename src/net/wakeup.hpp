#pragma once

#include <chrono>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace socialsync::net {

// Lets one coroutine sleep until others wake it. A call while it is awake is not lost. For use within one
// thread.
class Wakeup {
 public:
  explicit Wakeup(const boost::asio::any_io_executor& executor) : timer_(executor) {}

  void wake();
  // Sleeps until woken, at most until `until`.
  boost::asio::awaitable<void> sleep(std::chrono::steady_clock::time_point until);

 private:
  boost::asio::steady_timer timer_;
  bool is_woken_ = false;
};

}  // namespace socialsync::net
