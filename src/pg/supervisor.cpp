#include "pg/supervisor.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/log.hpp"
#include "net/result.hpp"

namespace socialsync::pg {

asio::awaitable<void> supervise(Connect connect, Supervised task, Backoff::Limits limits) {
  const asio::any_io_executor executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor);
  Backoff backoff(limits);
  while (task.is_wanted()) {
    const auto began = std::chrono::steady_clock::now();
    try {
      const std::unique_ptr<Connection> connection = co_await connect();
      co_await task.run(*connection);
      co_return;
    } catch (const std::exception& error) {
      task.on_failure(error);
      log::warning("database task failed, will retry", {{"task", task.name}, {"error", error.what()}});
    }
    timer.expires_after(backoff.failed(std::chrono::steady_clock::now() - began));
    if (!task.is_wanted()) co_return;
    co_await timer.async_wait(net::as_result);
  }
}

}  // namespace socialsync::pg
