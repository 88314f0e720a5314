#include "support/http_client.hpp"

#include <array>
#include <cstdlib>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace socialsync::test {

HttpClient::HttpClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const timeval limit{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("cannot connect");
  }
}

HttpClient::~HttpClient() { ::close(socket_); }

bool HttpClient::send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

std::string HttpClient::receive() {
  const std::string head = receive_head();
  constexpr std::string_view field = "\r\nContent-Length: ";
  const std::size_t at = head.find(field);
  if (at == head.npos) return head;
  const std::size_t length = std::strtoul(head.c_str() + at + field.size(), nullptr, 10);
  while (pending_.size() < length && read_more()) {
  }
  return head + take(length);
}

std::string HttpClient::receive_head() {
  std::size_t end = pending_.find("\r\n\r\n");
  while (end == pending_.npos && read_more()) end = pending_.find("\r\n\r\n");
  return end == pending_.npos ? std::string() : take(end + 4);
}

std::string HttpClient::receive_all() {
  while (read_more()) {
  }
  return take(pending_.size());
}

void HttpClient::finish_sending() const { ::shutdown(socket_, SHUT_WR); }

void HttpClient::abort() {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  ::close(socket_);
  socket_ = -1;
}

bool HttpClient::read_more() {
  std::array<char, 65536> bytes;
  const ssize_t count = ::recv(socket_, bytes.data(), bytes.size(), 0);
  is_closed_ = count == 0;
  if (count <= 0) return false;
  pending_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

std::string HttpClient::take(std::size_t count) {
  std::string taken = pending_.substr(0, count);
  pending_.erase(0, count);
  return taken;
}

}  // namespace socialsync::test
