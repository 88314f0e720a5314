#include "http/session.hpp"

#include <algorithm>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>

#include "http/message.hpp"
#include "net/result.hpp"

namespace socialsync::http {

namespace asio = boost::asio;

Session::Session(asio::ip::tcp::socket socket, std::shared_ptr<Connections> connections)
    : socket_(std::move(socket)),
      connections_(std::move(connections)),
      place_(connections_->sessions.insert(connections_->sessions.end(), this)),
      codec_(connections_->limits),
      deadline_(connections_->deadline(connections_->limits.idle_timeout)) {
  boost::system::error_code ignored;  // a closed connection fails at its first read
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

Session::~Session() {
  (void)fits(0);
  connections_->sessions.erase(place_);
}

asio::awaitable<void> Session::serve() {
  bool is_open = true;
  while (is_open) {
    const Codec::Event event = codec_.next();
    if (event == Codec::Event::needs_more) {
      is_open = co_await receive();
    } else if (event == Codec::Event::head) {
      if (admit()) continue;
      is_open = co_await answer_and_close(std::move(*refusal_));
    } else if (event == Codec::Event::request) {
      is_open = co_await answer_request();
    } else {
      is_open = co_await fail(codec_.error_status());
    }
  }
}

asio::awaitable<void> Session::turn_away() { (void)co_await fail(503); }

// Asks the handler whether it refuses the head. False when refusal_ must be sent before the body is read: the
// body is long, or the client waits for 100 Continue.
bool Session::admit() {
  enter(Phase::body);
  is_continue_due_ = codec_.expects_continue();
  refusal_ = connections_->handler.refuse(codec_.request());
  if (!refusal_) return true;
  const std::optional<std::size_t> body_left = codec_.body_bytes_left();
  if (!body_left || *body_left > connections_->limits.drain_bytes_max) return false;
  return *body_left == 0 || !is_continue_due_;
}

// Updates this connection's share of bodies_bytes. False when all bodies together exceed the limit.
bool Session::fits(std::size_t body_bytes) {
  connections_->bodies_bytes += body_bytes;
  connections_->bodies_bytes -= std::exchange(body_bytes_, body_bytes);
  return connections_->bodies_bytes <= connections_->limits.bodies_bytes_max;
}

// Reads once. False when the connection ends.
asio::awaitable<bool> Session::receive() {
  if (phase_ != Phase::body) enter(codec_.started() ? Phase::head : Phase::idle);
  if (is_unwanted()) co_return false;
  if (phase_ == Phase::body && std::exchange(is_continue_due_, false) && codec_.request().body.empty()) {
    const bool is_sent = co_await send("HTTP/1.1 100 Continue\r\n\r\n");
    if (!is_sent) co_return false;
  }
  const std::span<char> space = codec_.space();
  auto [error, count] =
      co_await socket_.async_read_some(asio::buffer(space.data(), space.size()), net::as_result);
  if (!error) {
    codec_.received(count);
    const bool is_welcome = phase_ != Phase::body || fits(body_bytes_ + count);
    if (!is_welcome) co_return co_await fail(503);
    co_return true;
  }
  if (error != asio::error::operation_aborted) co_return false;
  if (!is_expired()) co_return true;  // cancelled by stop(): check again
  if (phase_ == Phase::idle) co_return false;
  co_return co_await fail(408);
}

// True when the server is shutting down and this connection has no request, read or unread.
bool Session::is_unwanted() const {
  boost::system::error_code ignored;
  return connections_->stopping && phase_ == Phase::idle && socket_.available(ignored) == 0;
}

asio::awaitable<bool> Session::answer_request() {
  Request request = codec_.take_request();
  const bool is_head = request.method == Method::head;
  std::optional<Response> response = std::exchange(refusal_, std::nullopt);
  if (!response && !fits(request.body.size())) {
    connections_->handler.protocol_error(503);
    response = protocol_error(503);
  }
  if (!response) response = co_await respond(std::move(request));
  (void)fits(0);
  const bool keep_alive = codec_.keep_alive() && !connections_->stopping;
  const std::string bytes = serialize(*response, keep_alive, is_head);
  enter(Phase::writing);
  const bool is_sent = co_await send(bytes);
  if (is_sent && !keep_alive && codec_.started()) co_await linger();
  const bool is_open = is_sent && keep_alive;
  co_return is_open;
}

asio::awaitable<Response> Session::respond(Request request) {
  try {
    co_return co_await connections_->handler.handle(std::move(request));
  } catch (const std::exception&) {
    connections_->handler.protocol_error(500);
  }
  co_return protocol_error(500);
}

asio::awaitable<bool> Session::fail(int status) {
  connections_->handler.protocol_error(status);
  co_return co_await answer_and_close(protocol_error(status));
}

// Answers and closes: the rest of the stream cannot be parsed. Always false.
asio::awaitable<bool> Session::answer_and_close(Response response) {
  const std::string bytes = serialize(response, false, codec_.request().method == Method::head);
  enter(Phase::writing);
  const bool is_sent = co_await send(bytes);
  if (is_sent) co_await linger();
  co_return false;
}

// False when the client has disconnected or does not read.
asio::awaitable<bool> Session::send(std::string_view bytes) {
  while (!bytes.empty()) {
    auto [error, count] =
        co_await socket_.async_write_some(asio::buffer(bytes.data(), bytes.size()), net::as_result);
    if (error) co_return false;
    bytes.remove_prefix(count);
  }
  co_return true;
}

// Closing a socket with unread bytes resets the connection, and a reset can overtake the answer (RFC
// 9112 9.6).
asio::awaitable<void> Session::linger() {
  enter(Phase::lingering);
  boost::system::error_code error;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  std::size_t left = connections_->limits.linger_bytes_max;
  while (!error && left > 0) {
    const std::span<char> space = codec_.space();
    auto [read_error, count] =
        co_await socket_.async_read_some(asio::buffer(space.data(), space.size()), net::as_result);
    error = read_error;
    left -= std::min(left, count);
  }
}

void Session::enter(Phase phase) {
  if (phase_ == phase) return;
  phase_ = phase;
  deadline_ = connections_->deadline(time_limit(phase));
}

std::chrono::milliseconds Session::time_limit(Phase phase) const {
  const Limits& limits = connections_->limits;
  switch (phase) {
    case Phase::idle: return limits.idle_timeout;
    case Phase::head: return limits.header_timeout;
    case Phase::body: return limits.body_timeout;
    case Phase::writing: return limits.write_timeout;
    case Phase::lingering: return limits.linger_timeout;
  }
  return {};
}

void Session::end_if_expired() {
  if (is_expired()) cancel();
}

void Session::end_if_idle() {
  if (phase_ == Phase::idle) cancel();
}

void Session::cancel() {
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Session::cut() {
  boost::system::error_code ignored;
  socket_.close(ignored);
}

}  // namespace socialsync::http
