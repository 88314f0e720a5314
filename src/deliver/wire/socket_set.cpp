#include "deliver/wire/socket_set.hpp"

#include <cerrno>
#include <utility>

#include <boost/system/system_error.hpp>
#include <sys/socket.h>
#include <unistd.h>

namespace socialsync::deliver {
namespace {

constexpr std::size_t events_at_once = 64;  // then other work of this thread has its turn

int new_epoll() {
  const int descriptor = ::epoll_create1(EPOLL_CLOEXEC);
  if (descriptor >= 0) return descriptor;
  throw boost::system::system_error(errno, boost::system::system_category(), "epoll_create1");
}

std::uint32_t events_of(int what) {
  return ((what & CURL_POLL_IN) != 0 ? std::uint32_t{EPOLLIN} : 0) |
         ((what & CURL_POLL_OUT) != 0 ? std::uint32_t{EPOLLOUT} : 0);
}

}  // namespace

SocketSet::SocketSet(const boost::asio::any_io_executor& executor)
    : epoll_(executor, new_epoll()), events_(events_at_once) {}

SocketSet::Socket& SocketSet::at(curl_socket_t socket) {
  const auto index = static_cast<std::size_t>(socket);
  if (index >= sockets_.size()) sockets_.resize(index + 1);
  return sockets_[index];
}

curl_socket_t SocketSet::open(const curl_sockaddr& address) {
  const int socket = ::socket(address.family, address.socktype | SOCK_CLOEXEC, address.protocol);
  if (socket >= 0) at(socket) = {.is_ours = true};
  return socket;
}

int SocketSet::close(curl_socket_t socket) {
  at(socket) = {};
  return ::close(socket);  // this also removes it from the epoll
}

void SocketSet::watch(curl_socket_t socket, int what) {
  Socket& entry = at(socket);
  entry.wanted = events_of(what);
  // An event that is watched but no longer wanted is removed when it occurs, which is rare. Sockets that
  // libcurl opened itself are closed without a call of close().
  const bool is_more = (entry.wanted & ~entry.watched) != 0;
  const bool is_foreign_end = !entry.is_ours && entry.wanted == 0;
  if (is_more || is_foreign_end) set(socket, entry);
}

void SocketSet::set(curl_socket_t socket, Socket& entry) {
  epoll_event event{};
  event.events = entry.wanted;
  event.data.fd = socket;
  const int change = entry.watched == 0 ? EPOLL_CTL_ADD : entry.wanted == 0 ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
  const bool is_needed = entry.watched != 0 || entry.wanted != 0;
  if (is_needed) ::epoll_ctl(epoll_.native_handle(), change, socket, &event);
  entry.watched = entry.wanted;
}

void SocketSet::wait(std::function<void()> on_ready) {
  epoll_.async_wait(boost::asio::posix::stream_descriptor::wait_read,
                    [on_ready = std::move(on_ready)](const boost::system::error_code& error) {
                      if (!error) on_ready();
                    });
}

std::span<const SocketSet::Ready> SocketSet::ready() {
  ready_.clear();
  const int count = ::epoll_wait(epoll_.native_handle(), events_.data(), events_at_once, 0);
  for (int i = 0; i < count; ++i) sort(events_[static_cast<std::size_t>(i)]);
  return ready_;
}

void SocketSet::sort(const epoll_event& event) {
  constexpr std::uint32_t broken = EPOLLERR | EPOLLHUP;
  const int socket = event.data.fd;
  Socket& entry = at(socket);
  if (entry.wanted != entry.watched) set(socket, entry);
  const bool is_broken = (event.events & broken) != 0;
  const std::uint32_t wanted = is_broken ? entry.wanted : event.events & entry.wanted;
  if (wanted == 0) return;
  int select = is_broken ? CURL_CSELECT_ERR : 0;
  if ((wanted & EPOLLIN) != 0) select |= CURL_CSELECT_IN;
  if ((wanted & EPOLLOUT) != 0) select |= CURL_CSELECT_OUT;
  ready_.push_back({socket, select});
}

}  // namespace socialsync::deliver
