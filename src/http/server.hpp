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

  // From here on clients may connect. Port 0 takes any free one. Once; throws boost::system::system_error.
  void listen(const boost::asio::ip::tcp::endpoint& endpoint);

  // The port that listen() got.
  std::uint16_t port() const;

  // Accepts until stop(), after listen().
  boost::asio::awaitable<void> run();

  // Accepts no more and closes idle connections. A request that has begun is answered, with Connection:
  // close.
  void stop();

  // After stop(): waits until no connection is left: true. When `limit` passes first, cuts those that are
  // left (their handlers run on): false.
  boost::asio::awaitable<bool> drained(std::chrono::steady_clock::duration limit);

  // Open now, also those that are being turned away.
  std::size_t connections() const;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace socialsync::http
