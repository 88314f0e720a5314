#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace socialsync::test {

// A receiver on a free port of the loopback address, with a thread of its own. The path of a request says
// what becomes of it: /ok, /500, /302, /410, /429, /429-date, /429-past, /interim, /echo (the request comes
// back), /bytes/N (that many), /hang, /reset, /drip, /garbage, /reset-in-head, /interim-only, /cut-body,
// /huge-headers.
class MisbehavingServer {
 public:
  MisbehavingServer();
  ~MisbehavingServer();
  MisbehavingServer(const MisbehavingServer&) = delete;
  MisbehavingServer& operator=(const MisbehavingServer&) = delete;

  std::uint16_t port() const { return port_; }
  std::string url(const std::string& path) const;

  std::atomic<int> connections{0};
  std::atomic<int> requests{0};

 private:
  using Socket = boost::asio::ip::tcp::socket;

  boost::asio::awaitable<void> accept();
  boost::asio::awaitable<void> serve(Socket socket);
  boost::asio::awaitable<bool> answer(Socket& socket, std::string path, std::string request);
  boost::asio::awaitable<void> drip(Socket& socket);

  boost::asio::io_context context_{1};
  boost::asio::ip::tcp::acceptor acceptor_{context_};
  std::uint16_t port_ = 0;
  std::thread thread_;
};

}  // namespace socialsync::test
