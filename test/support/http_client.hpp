#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace socialsync::test {

// A connection to a port of the loopback address that sends any bytes. Each wait ends after five seconds,
// with what has come by then.
class HttpClient {
 public:
  explicit HttpClient(std::uint16_t port);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // False when the server no longer takes them.
  bool send(std::string_view bytes) const;

  // One answer, by its Content-Length; those that follow are kept. Empty at the end of the connection.
  std::string receive();

  // The head of an answer, whatever its Content-Length: for HEAD and 100 Continue.
  std::string receive_head();

  // Everything up to the end of the connection.
  std::string receive_all();

  // The server has ended the connection, and in order: not by a reset.
  bool is_closed() const { return is_closed_; }

  // Sends no more, but still reads.
  void finish_sending() const;

  // Sends a reset instead of an orderly end.
  void abort();

 private:
  bool read_more();
  std::string take(std::size_t count);

  int socket_;
  std::string pending_;
  bool is_closed_ = false;
};

}  // namespace socialsync::test
