#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <curl/curl.h>
#include <sys/epoll.h>

namespace socialsync::deliver {

// libcurl's sockets, and the events it waits for on each. They have an epoll of their own, which Asio sees as
// one descriptor: a request on a kept connection changes nothing in the kernel, and one wakeup serves all
// ready sockets.
class SocketSet {
 public:
  struct Ready {
    int socket;
    int events;  // CURL_CSELECT_*
  };

  // Throws boost::system::system_error when epoll_create1 fails.
  explicit SocketSet(const boost::asio::any_io_executor& executor);

  // For CURLOPT_OPENSOCKETFUNCTION and CURLOPT_CLOSESOCKETFUNCTION.
  curl_socket_t open(const curl_sockaddr& address);
  int close(curl_socket_t socket);

  // For CURLMOPT_SOCKETFUNCTION: `what` is one of CURL_POLL_*.
  void watch(curl_socket_t socket, int what);

  // Calls back once when a socket is ready; never after destruction.
  void wait(std::function<void()> on_ready);

  // Ends the callbacks.
  void stop() { epoll_.close(); }

  // The ready sockets, or a part of them; valid until the next call.
  std::span<const Ready> ready();

 private:
  struct Socket {
    std::uint32_t wanted = 0;   // by libcurl: EPOLLIN, EPOLLOUT
    std::uint32_t watched = 0;  // by the kernel
    bool is_ours = false;       // opened by open(), so that close() is called for it
  };

  Socket& at(curl_socket_t socket);
  void set(curl_socket_t socket, Socket& entry);
  void sort(const epoll_event& event);

  boost::asio::posix::stream_descriptor epoll_;
  std::vector<Socket> sockets_;  // by file descriptor
  std::vector<epoll_event> events_;
  std::vector<Ready> ready_;
};

}  // namespace socialsync::deliver
