#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "http/handler.hpp"
#include "http/limits.hpp"

namespace socialsync::http {

// An HTTP/1.1 server on one thread: all of its functions are called from the executor's only thread.
// `handler` outlives the server and every connection (that is, the executor's context).
class Server {
 public:
  Server(boost::asio::any_io_executor executor, Handler& handler, const Limits& limits);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds and listens. Port 0 takes any free port. Call once. Throws boost::system::system_error.
  void listen(const boost::asio::ip::tcp::endpoint& endpoint);

  // The port that listen() has bound.
  std::uint16_t port() const;

  // Accepts connections until stop(). Call after listen().
  boost::asio::awaitable<void> run();

  // Stops accepting and closes idle connections. A request that has begun is answered with Connection: close.
  void stop();

  // After stop(): waits until no connection is left, and returns true. After `limit` it closes the remaining
  // connections (their handlers run on) and returns false.
  boost::asio::awaitable<bool> drained(std::chrono::steady_clock::duration limit);

  // The number of open connections, including those that are being refused.
  std::size_t connections() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace socialsync::http
