#include "cli/database.hpp"

#include <future>
#include <memory>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include "net/within.hpp"

namespace socialsync::cli {
namespace {

namespace asio = boost::asio;
using Work = std::function<asio::awaitable<bool>(pg::Connection& connection)>;

asio::awaitable<bool> open_and_do(const config::Config& config, const Work& work) {
  auto opening = pg::Connection::open(config.database.options);
  const std::unique_ptr<pg::Connection> connection =
      co_await net::within(config.limits.connect_timeout, std::move(opening));
  const bool result = co_await work(*connection);
  co_return result;
}

}  // namespace

bool with_database(const config::Config& config, const Work& work) {
  asio::io_context io(1);
  std::future<bool> result = asio::co_spawn(io, open_and_do(config, work), asio::use_future);
  io.run();
  return result.get();
}

}  // namespace socialsync::cli
