// Sends HTTP requests to receivers, over libcurl.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "deliver/wire/address.hpp"
#include "deliver/wire/exchange.hpp"

namespace socialsync::deliver {

// Sends any number of requests at a time, over connections that are kept for later requests. Checks the
// address of each connection against the egress policy when it opens it. One thread: the executor's, which
// has work until the sender is stopped or destroyed.
class Sender {
 public:
  // Throws std::bad_alloc or boost::system::system_error when there is no memory or no descriptor.
  Sender(boost::asio::any_io_executor executor, EgressPolicy policy, SenderLimits limits = {});
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // Makes one attempt. Anything that the receiver does becomes a Reply. Throws
  // system_error(operation_aborted) when cancelled, or when the sender is stopped or destroyed, and
  // system_error(no_memory) when libcurl refuses the request.
  boost::asio::awaitable<Reply> send(Request request);

  // Aborts all requests in flight, closes all connections, and accepts no more requests. A second call does
  // nothing.
  void stop();

  // For tests and metrics.
  std::size_t in_flight() const;

 private:
  class Core;

  std::shared_ptr<Core> core_;
};

}  // namespace socialsync::deliver
