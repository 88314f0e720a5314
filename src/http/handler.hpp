#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>

#include "http/message.hpp"

namespace socialsync::http {

// Handles the requests of a server. All calls come from the server's one thread.
class Handler {
 public:
  virtual ~Handler() = default;

  // Called when the head is complete, before the body is read (`head.body` is empty). An answer here refuses
  // the request; handle() is then not called. An exception closes the connection.
  virtual std::optional<Response> refuse(const Request& head) = 0;

  // Runs to its end even after the client has disconnected. An exception is answered with 500.
  virtual boost::asio::awaitable<Response> handle(Request request) = 0;

  // Counts an answer of the server itself: 400, 408, 413, 417, 431, 500, 501 or 503, and a connection that
  // was closed without one because too many 503 are being written.
  virtual void protocol_error(int status) = 0;
};

}  // namespace socialsync::http
