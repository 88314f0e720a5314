#pragma once

#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include "deliver/address.hpp"
#include "deliver/exchange.hpp"
#include "deliver/sender_limits.hpp"

namespace socialsync::deliver {

// Sends requests to receivers, any number at a time, over connections that are kept for the next. Looks at
// the address of each connection when it opens it. Everything happens on one thread: that of the executor,
// which has something to wait for until the sender is stopped or destroyed.
class Sender {
 public:
  // Throws std::bad_alloc or boost::system::system_error when there is no memory or no descriptor.
  Sender(boost::asio::any_io_executor executor, EgressPolicy policy, SenderLimits limits = {});
  ~Sender();
  Sender(const Sender&) = delete;
  Sender& operator=(const Sender&) = delete;

  // One attempt. Whatever the receiver does is a Reply; throws system_error(operation_aborted) when
  // cancelled, or when the sender is stopped or destroyed, and system_error(no_memory) when it cannot begin.
  boost::asio::awaitable<Reply> send(Request request);

  // Ends every request that is on its way, closes every connection, and takes no more. A second call does
  // nothing.
  void stop();

  // For tests and metrics.
  std::size_t requests_on_their_way() const;

 private:
  class Core;

  std::shared_ptr<Core> core_;
};

}  // namespace socialsync::deliver
