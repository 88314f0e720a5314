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

// What the sessions of a server share. Owned by each of them, for they can outlive the server.
struct Connections {
  Handler& handler;
  const Limits limits;
  std::list<Session*> sessions{};  // each enters and leaves by itself
  bool stopping = false;
  std::size_t bodies_bytes = 0;  // of those that are being read or handled, as far as they have arrived

  // The server's only clock: it is cheap to read, and stands still while the server itself does, so that its
  // own delays are not laid at the clients' door.
  std::uint64_t ticks = 0;

  // The first tick by which `timeout` has surely passed. The tick under way counts for nothing.
  std::uint64_t deadline(std::chrono::milliseconds timeout) const {
    return ticks + 2 + static_cast<std::uint64_t>(timeout / limits.tick);
  }
};

// One connection: reads requests, has them handled, writes the answers in order.
class Session {
 public:
  Session(boost::asio::ip::tcp::socket socket, std::shared_ptr<Connections> connections);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Serves requests until either side closes, or a deadline or a fault does.
  boost::asio::awaitable<void> serve();

  // Answers 503 without reading anything, and closes.
  boost::asio::awaitable<void> turn_away();

  // These return at once; the coroutine above then sees its operation cancelled.
  void end_if_expired();
  void end_if_idle();
  void cut();

 private:
  // What the connection waits for, each with its time limit. While a request is handled it waits for nothing,
  // and so has none.
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
  bool is_continue_due_ = false;     // the client waits for it with its body
  std::size_t body_bytes_ = 0;       // our part of connections_->bodies_bytes
};

}  // namespace socialsync::http
