#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "http/message.hpp"

namespace socialsync::http {

// What a server does with requests. All calls come from the server's one thread.
class Handler {
 public:
  virtual ~Handler() = default;

  // Called when the head is complete, before the body is read (`head.body` is empty). An answer here refuses
  // the request; handle() is then not called. An exception closes the connection.
  virtual std::optional<Response> refuse(const Request& head) = 0;

  // Runs to its end even when the client has gone. An exception is answered with 500.
  virtual boost::asio::awaitable<Response> handle(Request request) = 0;

  // The server itself answered: 400, 408, 413, 417, 431, 500, 501, 503; or would have answered 503, had it
  // not had too many of these to write already. To be counted.
  virtual void protocol_error(int status) = 0;
};

}  // namespace socialsync::http
