#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string_view>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>

#include "http/codec.hpp"
#include "http/handler.hpp"
#include "http/limits.hpp"

namespace socialsync::http {

class Session;

// The state that the sessions of a server share. Each session owns it: sessions can outlive the server.
struct Connections {
  Handler& handler;
  const Limits limits;
  std::list<Session*> sessions{};  // each adds and removes itself
  bool stopping = false;
  std::size_t bodies_bytes = 0;  // received bytes of all bodies being read or handled

  // The server's only clock. It is cheap to read, and stands still while the server is blocked, so that a
  // client does not time out because of the server's own delay.
  std::uint64_t ticks = 0;

  // Returns the first tick by which `timeout` has passed; the current, partial tick does not count.
  std::uint64_t deadline(std::chrono::milliseconds timeout) const {
    return ticks + 2 + static_cast<std::uint64_t>(timeout / limits.tick);
  }
};

// One connection: reads requests, passes them to the handler, writes the answers in order.
class Session {
 public:
  Session(boost::asio::ip::tcp::socket socket, std::shared_ptr<Connections> connections);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Serves requests until either side closes, a deadline passes or a fault occurs.
  boost::asio::awaitable<void> serve();

  // Answers 503 without reading anything, and closes.
  boost::asio::awaitable<void> turn_away();

  // These return at once; they cancel the pending operation of serve().
  void end_if_expired();
  void end_if_idle();
  void cut();

 private:
  // The state that the connection waits in, each with a timeout. While the handler runs there is no timeout.
  enum class Phase : std::uint8_t { idle, head, body, writing, lingering };

  boost::asio::awaitable<bool> receive();
  boost::asio::awaitable<bool> answer_request();
  boost::asio::awaitable<Response> respond(Request request);
  boost::asio::awaitable<bool> answer_and_close(Response response);
  boost::asio::awaitable<bool> fail(int status);
  boost::asio::awaitable<bool> send(std::string_view bytes);
  boost::asio::awaitable<void> linger();

  bool admit();
  bool fits(std::size_t body_bytes);
  void enter(Phase phase);
  bool is_unwanted() const;
  std::chrono::milliseconds time_limit(Phase phase) const;
  bool is_expired() const { return connections_->ticks >= deadline_; }
  void cancel();

  boost::asio::ip::tcp::socket socket_;
  const std::shared_ptr<Connections> connections_;
  const std::list<Session*>::iterator place_;
  Codec codec_;
  Phase phase_ = Phase::idle;
  std::uint64_t deadline_;           // in ticks
  std::optional<Response> refusal_;  // of the request whose body is being read
  bool is_continue_due_ = false;     // the client waits for 100 Continue before it sends the body
  std::size_t body_bytes_ = 0;       // this connection's share of connections_->bodies_bytes
};

}  // namespace socialsync::http
