#include "net/wakeup.hpp"

#include <utility>

#include "net/result.hpp"

namespace socialsync::net {

void Wakeup::wake() {
  is_woken_ = true;
  timer_.cancel();
}

boost::asio::awaitable<void> Wakeup::sleep(std::chrono::steady_clock::time_point until) {
  if (!is_woken_) {
    timer_.expires_at(until);
    co_await timer_.async_wait(as_result);
  }
  is_woken_ = false;
}

}  // namespace socialsync::net
