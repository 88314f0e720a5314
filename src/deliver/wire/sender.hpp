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

struct SenderLimits {
  std::chrono::milliseconds connect_timeout{5'000};  // including DNS and TLS
  std::chrono::milliseconds total_timeout{15'000};
  std::size_t body_head_bytes_max = 4 * 1024;  // of an answer; the rest is not read
  std::size_t head_bytes_max = 32 * 1024;      // of an answer's headers
  long connections_kept_max = 1024;            // idle ones; beyond that the oldest are closed
  std::size_t transfers_kept_max = 1024;       // libcurl handles kept for later requests
  std::chrono::seconds name_lifetime{30};      // of a DNS result
  std::string ca_file = "/etc/ssl/certs/ca-certificates.crt";
};

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

  // Makes one attempt. Whatever the receiver does is a Reply. Throws system_error(operation_aborted) when
  // cancelled, or when the sender is stopped or destroyed, and system_error(no_memory) when libcurl refuses
  // the request.
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
