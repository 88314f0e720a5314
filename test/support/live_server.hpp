#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "http/server.hpp"

namespace socialsync::test {

// Answers by path: /echo gives the body back, /gate waits for open_gate(), /large has an answer that no
// socket buffer holds, /throw throws; /refused is refused before its body. Everything else is 404.
class PathHandler : public http::Handler {
 public:
  explicit PathHandler(boost::asio::io_context& context);

  std::optional<http::Response> refuse(const http::Request& head) override;
  boost::asio::awaitable<http::Response> handle(http::Request request) override;
  void protocol_error(int status) override;

  // On the server's thread.
  void open_gate();

  // From any thread.
  std::vector<int> protocol_errors() const;
  std::atomic<int> entered{0};   // calls of handle()
  std::atomic<int> finished{0};  // that returned or threw

 private:
  boost::asio::awaitable<http::Response> respond(http::Request request);

  boost::asio::steady_timer gate_;
  bool is_gate_open_ = false;
  mutable std::mutex mutex_;
  std::vector<int> protocol_errors_;
};

// A server on a free port of the loopback address, with a thread of its own, until it is destroyed.
class LiveServer {
 public:
  explicit LiveServer(const http::Limits& limits);
  ~LiveServer();
  LiveServer(const LiveServer&) = delete;
  LiveServer& operator=(const LiveServer&) = delete;

  // A tick short enough for tests of time limits.
  static http::Limits quick_limits();

  std::uint16_t port() const { return port_; }
  PathHandler& handler() { return handler_; }

  std::size_t connections();
  void open_gate();

  // Stops the server. It sees nothing of what happens `before` until it has stopped.
  void stop(const std::function<void()>& before = [] {});

  // As Server::drained(), but blocks.
  bool drained(std::chrono::milliseconds limit);

 private:
  void on_server_thread(const std::function<void()>& work);

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_{context_.get_executor()};
  PathHandler handler_{context_};
  http::Server server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

// Waits, up to five seconds, until `condition` holds: whether it does.
bool eventually(const std::function<bool()>& condition);

}  // namespace socialsync::test
